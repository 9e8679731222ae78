/**
 * A Chroma server for the demo and the tests, from npm, on loopback, with a temporary data folder that is
 * gone afterwards. Its native module is loaded in a process of its own, as it keeps its thread to itself.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { type ChromaBindings, prepareChromaBindings } from './chroma-bindings.ts';
import {
  endScratch,
  findFreePort,
  HOST,
  makeScratch,
  type Scratch,
  type ServerProcess,
  startProcess,
  type StopSignals,
  stopProcess,
} from './server-process.ts';

export interface ChromaServer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<void>;
  /** The newest part of the server's log. */
  readLog(): string;
  /** Calling it again is harmless. */
  stop(): Promise<void>;
}

export interface ChromaOptions {
  /** Without it: a free one. */
  readonly port?: number;
  /** `POST /api/v2/reset` works. */
  readonly allowReset?: boolean;
}

/** It ignores SIGTERM and SIGINT (vector.md 1.1); there is nothing in it to keep. */
const SIGNALS: StopSignals = ['SIGKILL', 'SIGKILL', 'SIGKILL'];
const READY_LINE = 'Connect to Chroma at';
/** It says that it is ready some milliseconds before it listens. */
const ANSWER_TIME_MAX = 30_000;
const HEARTBEAT_TIME_MAX = 2000;
const ANSWER_STEP = 20;
/** Another program can take a free port between finding and using it. */
const PORT_TRIES_MAX = 5;

/** The module's own command line; it never returns. */
const RUN = 'require(process.argv[1]).cli(["chroma", "run", process.argv[2]])';

export async function startChroma(
  bindings: ChromaBindings,
  options: ChromaOptions = {},
): Promise<ChromaServer> {
  const scratch = await makeScratch({
    name: 'chroma',
    product: 'Chroma',
    account: undefined,
    signals: SIGNALS,
  });
  try {
    const file = await prepareChromaBindings(bindings, scratch.path);
    return await startOnSomePort(scratch, file, options);
  } catch (error) {
    await endScratch(scratch);
    throw error;
  }
}

async function startOnSomePort(
  scratch: Scratch,
  file: string,
  options: ChromaOptions,
): Promise<ChromaServer> {
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await findFreePort());
    const server = await startServer(scratch, file, { ...options, port });
    const { pid, child, log } = server;
    if (server.isReady && pid !== undefined && (await answers(server, port))) {
      return describe(scratch, server, { port, pid });
    }
    await stopProcess(child, SIGNALS);
    const isTaken = log.text.includes('Address already in use') || log.text.includes('AddrInUse');
    if (isTaken && options.port === undefined && tries < PORT_TRIES_MAX) continue;
    const message = `The Chroma server did not start: ${log.text.trim().slice(-2000)}`;
    throw new GatewayError('CHROMA_START_FAILED', message);
  }
}

async function startServer(
  scratch: Scratch,
  file: string,
  { port, allowReset = false }: ChromaOptions & { readonly port: number },
): Promise<ServerProcess> {
  const { path } = scratch;
  const config = join(path, 'config.yaml');
  const lines = [
    `port: ${port}`,
    `listen_address: ${JSON.stringify(HOST)}`,
    `persist_path: ${JSON.stringify(join(path, 'data'))}`,
    `allow_reset: ${allowReset}`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  // Its log goes to the standard output, and what is waited for is read from the error output.
  const args = ['-c', 'exec "$0" "$@" 1>&2', process.execPath, '-e', RUN, file, config];
  return await startProcess(scratch, '/bin/sh', args, { cwd: path, readyLine: READY_LINE });
}

/** False: it ended, or the time was over. */
async function answers({ child }: ServerProcess, port: number): Promise<boolean> {
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = performance.now() + ANSWER_TIME_MAX;
  while (isRunning() && performance.now() < end) {
    if (await isAlive(port)) return isRunning();
    await new Promise((done) => setTimeout(done, ANSWER_STEP));
  }
  return false;
}

async function isAlive(port: number): Promise<boolean> {
  try {
    // Whoever else has the port may take a connection and say nothing.
    const signal = AbortSignal.timeout(HEARTBEAT_TIME_MAX);
    const response = await fetch(`http://${HOST}:${port}/api/v2/heartbeat`, { signal });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // Not yet: it is asked again.
  }
}

function describe(
  scratch: Scratch,
  server: ServerProcess,
  where: { readonly port: number; readonly pid: number },
): ChromaServer {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await stopProcess(server.child, SIGNALS);
    await endScratch(scratch);
  };
  return {
    host: HOST,
    port: where.port,
    pid: where.pid,
    exited: server.exited,
    readLog: () => server.log.text,
    stop: () => (stopped ??= stop()),
  };
}
