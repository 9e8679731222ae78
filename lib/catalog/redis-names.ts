/**
 * What the indexes of RediSearch stand for: an alias for its index, an index for the keys that it reads, by
 * their prefixes (FT.INFO). Keys are what they say. Each question has a connection of its own: they are rare, since
 * answers are kept for some seconds.
 */

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isIP } from 'node:net';
import type { StoreName } from '../../protocols/store.ts';
import { GatewayError } from '../errors.ts';
import {
  createNameCache,
  NAMES_TIME_MAX,
  type StoreNames,
  type StoreNamesSettings,
} from './store-names.ts';

/** FT.INFO of an index with a thousand fields is some hundred kilobytes. */
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 32;

/** An index reads all keys that start with a prefix; `isPrefix` as of `StoreMeaning` in lib/policy. */
export interface RedisName extends StoreName {
  readonly isPrefix?: boolean;
}

const ANY_KEY: RedisName = { kind: 'key', path: [''], isPrefix: true };

type Reply = string | Error | null | readonly Reply[];

export function createRedisNames(settings: StoreNamesSettings): StoreNames {
  const cache = createNameCache<readonly RedisName[]>({
    load: async (index) => await lookUp(settings, index),
    isKept: (found) => found.length > 0,
  });
  return {
    resolve: (name) => {
      if (name.kind !== 'index') return [name];
      return cache.get(name.path.at(-1) ?? '');
    },
    invalidate: () => cache.invalidate(),
    close: () => cache.close(),
  };
}

async function lookUp(settings: StoreNamesSettings, index: string): Promise<readonly RedisName[]> {
  const info = await ask(settings, ['FT.INFO', index]);
  if (info instanceof Error) {
    // Without an index of that name there is nothing that it could read.
    if (/unknown index|no such index|index not found/i.test(info.message)) return [];
    // There is no RediSearch, or the command has another name (rename-command): then any key may be a document.
    if (/unknown command/i.test(info.message)) return [ANY_KEY];
    throw failure(`Redis answered: ${info.message}`);
  }
  const pairs = pairsOf(info);
  const name = pairs.get('index_name');
  const prefixes = pairsOf(pairs.get('index_definition')).get('prefixes');
  if (typeof name !== 'string') throw failure('FT.INFO does not name its index');
  // RediSearch 1 has no prefixes: any key may be a document.
  const listed = Array.isArray(prefixes) && prefixes.length > 0 ? prefixes : [''];
  const keys = listed.map((prefix): RedisName => {
    return { kind: 'key', path: [String(prefix)], isPrefix: true };
  });
  return [{ kind: 'index', path: [name] }, ...keys];
}

function pairsOf(reply: Reply | undefined): ReadonlyMap<string, Reply> {
  const pairs = new Map<string, Reply>();
  if (!Array.isArray(reply)) return pairs;
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const value: Reply | undefined = reply[at + 1];
    if (value !== undefined) pairs.set(String(reply[at]), value);
  }
  return pairs;
}

/** Signs in where the store asks for it, puts one question, and hangs up. Rejects with GatewayError. */
async function ask(settings: StoreNamesSettings, question: readonly string[]): Promise<Reply> {
  const { login } = settings;
  const user = login?.user === undefined || login.user === '' ? [] : [login.user];
  const commands = login === undefined ? [question] : [['AUTH', ...user, login.secret], question];
  const replies = await new Promise<readonly Reply[]>((done, fail) => {
    const socket = open(settings);
    const timer = setTimeout(() => socket.destroy(new Error('it took too long')), NAMES_TIME_MAX);
    let bytes = Buffer.alloc(0);
    socket.once(settings.tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.write(Buffer.concat(commands.map(encode)));
    });
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      try {
        const found = readAll(bytes, commands.length);
        if (found === undefined && bytes.length <= ANSWER_SIZE_MAX) return;
        if (found === undefined) throw new Error('its answer is too long');
        done(found);
        socket.end();
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('error', (cause) => fail(failure(`Redis cannot be asked: ${cause.message}`, cause)));
    socket.on('close', () => {
      clearTimeout(timer);
      fail(failure('Redis closed the connection'));
    });
  });
  const signedIn = replies.length > 1 ? replies[0] : undefined;
  if (signedIn instanceof Error) throw failure(`Redis refused the sign-in: ${signedIn.message}`);
  return replies.at(-1) ?? null;
}

function open({ host, port, tls }: StoreNamesSettings): Socket {
  if (tls === undefined) return connect({ host, port, noDelay: true });
  return connectTls({
    host,
    port,
    rejectUnauthorized: tls.isVerified,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(isIP(host) === 0 && { servername: host }),
  });
}

function encode(parts: readonly string[]): Buffer {
  const items = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return Buffer.from(`*${parts.length}\r\n${items.join('')}`);
}

/** RESP2, which every server speaks to one that does not say HELLO. Undefined: they are not whole. */
function readAll(bytes: Buffer, count: number): readonly Reply[] | undefined {
  const replies: Reply[] = [];
  let at = 0;
  while (replies.length < count) {
    const found = readOne(bytes, at, 0);
    if (found === undefined) return undefined;
    replies.push(found.reply);
    at = found.end;
  }
  return replies;
}

interface Found {
  readonly reply: Reply;
  readonly end: number;
}

function readOne(bytes: Buffer, start: number, depth: number): Found | undefined {
  const stop = bytes.indexOf('\r\n', start);
  if (stop < 0) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString('utf8', start + 1, stop);
  const end = stop + 2;
  if (type === '+' || type === ':') return { reply: line, end };
  if (type === '-') return { reply: new Error(line), end };
  const length = Number(line);
  if (!'$*'.includes(type) || !Number.isInteger(length) || length > ANSWER_SIZE_MAX) {
    throw new Error('it does not speak RESP');
  }
  if (length < 0) return { reply: null, end };
  if (type === '*') return readItems(bytes, end, { count: length, depth });
  if (bytes.length < end + length + 2) return undefined;
  return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 };
}

function readItems(
  bytes: Buffer,
  start: number,
  { count, depth }: { count: number; depth: number },
): Found | undefined {
  if (depth >= DEPTH_MAX) throw new Error('its answer has too many levels');
  const items: Reply[] = [];
  let end = start;
  while (items.length < count) {
    const found = readOne(bytes, end, depth + 1);
    if (found === undefined) return undefined;
    items.push(found.reply);
    end = found.end;
  }
  return { reply: items, end };
}

function failure(why: string, cause?: unknown): GatewayError {
  return new GatewayError('STORE_NAMES', `cannot tell what an index stands for: ${why}`, { cause });
}
