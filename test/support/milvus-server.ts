/**
 * The real Milvus Lite (a Python package, 3.0 or later) for tests, found by WEIR_MILVUS_LITE (the path of its
 * program) or on PATH. Where it cannot be had, `milvusMissing` gives the reason to skip. It has gRPC only, and
 * neither users nor REST: those are the emulator's (`milvus-emulator.ts`).
 */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Python packages of that size take their time on a loaded machine. */
const START_TIME_MAX = 120_000;
const STOP_TIME_MAX = 20_000;
const TRIES_MAX = 3;
const ENDED_AT_ONCE = 'milvus-lite ended at once';

export interface MilvusServer {
  readonly port: number;
  stop(): Promise<void>;
}

export function findMilvus(): string | undefined {
  const named = process.env['WEIR_MILVUS_LITE'];
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined;
  try {
    return execFileSync('sh', ['-c', 'command -v milvus-lite'], { encoding: 'utf8' }).trim();
  } catch {
    // `command -v` fails where there is none.
    return undefined;
  }
}

export function milvusMissing(): string | undefined {
  const found = findMilvus();
  if (found !== undefined) return undefined;
  return 'no milvus-lite: neither WEIR_MILVUS_LITE nor PATH leads to one';
}

/** The Python beside it, where it can import pymilvus. */
export function findMilvusPython(): string | undefined {
  const server = findMilvus();
  const python = server === undefined ? undefined : join(dirname(server), 'python3');
  return python !== undefined && existsSync(python) ? python : undefined;
}

export async function startMilvus(): Promise<MilvusServer> {
  const program = findMilvus();
  if (program === undefined) throw new Error(milvusMissing());
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(program);
    } catch (error) {
      // Another program can take a free port between finding and using it.
      if (!String(error).includes(ENDED_AT_ONCE) || tries === TRIES_MAX) throw error;
    }
  }
}

async function startOnce(program: string): Promise<MilvusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-milvus-'));
  const port = await freePort();
  const child = spawn(
    program,
    ['server', '--data-dir', folder, '--host', '127.0.0.1', '--port', String(port)],
    { stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIME_MAX);
      await gone;
      clearTimeout(timer);
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitForPort(port, () => child.exitCode !== null);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function waitForPort(port: number, isGone: () => boolean): Promise<void> {
  const end = Date.now() + START_TIME_MAX;
  while (Date.now() < end) {
    if (isGone()) throw new Error(ENDED_AT_ONCE);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      // A socket that was given this very port connects to itself, and is no server.
      once(socket, 'connect').then(() => socket.localPort !== port),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await delay(100);
  }
  throw new Error('milvus-lite did not start in time');
}
