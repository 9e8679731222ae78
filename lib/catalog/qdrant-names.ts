/**
 * What Qdrant's names stand for: aliases and collections, read all at once over REST (`GET /aliases`, `GET
 * /collections`) or, where only gRPC answers, with `qdrant.Collections/ListAliases` and `List`. The server looks at
 * aliases first as well, and gives no collection the name of one. A name that is neither is nothing, or one that the
 * gateway's own key does not show. In the same way it is asked for its
 * version (`GET /`, `qdrant.Qdrant/HealthCheck`), since older ones do not know `update_filter`.
 */

import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';

import type { StoreName } from '../../protocols/store.ts';
import { GatewayError } from '../errors.ts';
import type { StoreNames, StoreNamesSettings, StoreNamesTls } from './store-names.ts';
import { NAMES_TIME_MAX, createNameCache } from './store-names.ts';

/** Of a list of aliases: tens of thousands of them. */
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;
const LIST_ALIASES = '/qdrant.Collections/ListAliases';
const LIST_COLLECTIONS = '/qdrant.Collections/List';
const HEALTH_CHECK = '/qdrant.Qdrant/HealthCheck';
/** The first that keeps `update_filter` of upserts and vector updates; 1.15 leaves it out without a word. */
const CONDITIONS_SINCE = { major: 1, minor: 16 } as const;
/** A gRPC message without fields, in its frame. */
const EMPTY_MESSAGE = Buffer.alloc(5);
const FRAME_HEAD_SIZE = 5;

type Aliases = ReadonlyMap<string, string>;

/** All names that the server knows, read one after the other. */
interface Known {
  readonly aliases: Aliases;
  readonly collections: ReadonlySet<string>;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export function createQdrantNames(settings: StoreNamesSettings): StoreNames {
  const options = { keepAlive: true, maxSockets: 1 };
  const agent = settings.tls === undefined ? new HttpAgent(options) : new HttpsAgent(options);
  const load = async (): Promise<Known> => {
    const collections = await askEither(settings, agent, {
      rest: ['/collections', readRestCollections],
      grpc: [LIST_COLLECTIONS, readGrpcCollections],
    });
    // Aliases last: a collection that gives its name to an alias meanwhile is not taken for itself.
    const aliases = await askEither(settings, agent, {
      rest: ['/aliases', readRestAliases],
      grpc: [LIST_ALIASES, readGrpcAliases],
    });
    return { aliases, collections };
  };
  const cache = createNameCache<Known>({ load });
  /** For names that were not there: one may be made at any moment, and must not pass for nothing then. */
  const fresh = createNameCache<Known>({ load, isKept: () => false });
  // As old as names at most, since another server may stand at the same address after a restart.
  const versions = createNameCache<boolean>({
    load: async () =>
      await askEither(settings, agent, {
        rest: ['/', ({ body }: Answer) => keepsConditions(memberOf(parse(body), 'version'))],
        grpc: [HEALTH_CHECK, (framed) => keepsConditions(readGrpcVersion(framed))],
      }),
  });
  return {
    resolve: (name) => {
      if (name.kind === 'container') return [name];
      if (name.kind !== 'collection') return [];
      const [text = ''] = name.path;
      const again = async (): Promise<readonly StoreName[]> =>
        meaningOf(await fresh.get(''), text) ?? [];
      const known = cache.get('');
      return known instanceof Promise
        ? known.then((late) => meaningOf(late, text) ?? again())
        : (meaningOf(known, text) ?? again());
    },
    keepsConditions: () => versions.get(''),
    invalidate: () => {
      cache.invalidate();
      fresh.invalidate();
    },
    close: () => {
      cache.close();
      fresh.close();
      versions.close();
      agent.destroy();
    },
  };
}

/** Undefined: nothing has this name, as far as the gateway's own credential shows. */
function meaningOf({ aliases, collections }: Known, name: string): StoreName[] | undefined {
  const collection = aliases.get(name) ?? (collections.has(name) ? name : undefined);
  return collection === undefined ? undefined : [{ kind: 'collection', path: [collection] }];
}

/** Where to ask, and how to read the answer. */
interface Question<T> {
  readonly rest: readonly [path: string, read: (answer: Answer) => T];
  readonly grpc: readonly [path: string, read: (framed: Buffer) => T];
}

async function askEither<T>(
  settings: StoreNamesSettings,
  agent: HttpAgent | HttpsAgent,
  { rest: [restPath, readRest], grpc: [grpcPath, readGrpc] }: Question<T>,
): Promise<T> {
  try {
    return readRest(await askRest(settings, agent, restPath));
  } catch (error) {
    if (!(error instanceof NoRest)) throw error;
    try {
      return readGrpc(await askGrpc(settings, grpcPath));
    } catch (grpcError) {
      const both = new AggregateError([error, grpcError]);
      throw failure(`Qdrant cannot be asked: ${error.message}`, both);
    }
  }
}

/** Nothing at that port speaks HTTP/1.1, so it may be the one of gRPC. */
class NoRest extends Error {
  override readonly name = 'NoRest';
}

async function askRest(
  { host, port, tls, login }: StoreNamesSettings,
  agent: HttpAgent | HttpsAgent,
  path: string,
): Promise<Answer> {
  return await new Promise<Answer>((done, fail) => {
    const headers = {
      accept: 'application/json',
      ...(login === undefined ? {} : { 'api-key': login.secret }),
    };
    const options = { host, port, path, agent, headers };
    const request =
      tls === undefined
        ? httpRequest(options)
        : httpsRequest({ ...options, ...tlsOptions(host, tls) });
    const timer = setTimeout(() => request.destroy(new Error('it took too long')), NAMES_TIME_MAX);
    const end = (cause: Error): void => {
      clearTimeout(timer);
      fail(new NoRest(cause.message, { cause }));
    };
    request.on('error', end);
    request.on('response', (response) => {
      const pieces = new Pieces(() => request.destroy(new Error('its answer is too long')));
      response.on('error', end);
      response.on('data', (piece: Buffer) => pieces.add(piece));
      response.on('end', () => {
        clearTimeout(timer);
        done({ status: response.statusCode ?? 0, body: pieces.whole() });
      });
    });
    request.end();
  });
}

async function askGrpc(settings: StoreNamesSettings, path: string): Promise<Buffer> {
  const { host, port, tls } = settings.grpc ?? settings;
  const authority = `${tls === undefined ? 'http' : 'https'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const session = connectHttp2(authority, tls === undefined ? {} : tlsOptions(host, tls));
  try {
    return await new Promise<Buffer>((done, fail) => {
      const timer = setTimeout(() => fail(new Error('it took too long')), NAMES_TIME_MAX);
      const end = (error?: Error, body?: Buffer): void => {
        clearTimeout(timer);
        if (body === undefined) fail(error ?? new Error('it said nothing'));
        else done(body);
      };
      session.on('error', end);
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(settings.login === undefined ? {} : { 'api-key': settings.login.secret }),
      });
      const pieces = new Pieces(() => stream.destroy(new Error('its answer is too long')));
      let status: unknown;
      stream.on('error', end);
      stream.on('response', (headers) => {
        status = headers['grpc-status'];
      });
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status'];
      });
      stream.on('data', (piece: Buffer) => pieces.add(piece));
      stream.on('end', () => {
        if (status === '0') end(undefined, pieces.whole());
        else end(new Error(`its answer has the gRPC status ${String(status)}`));
      });
      stream.end(EMPTY_MESSAGE);
    });
  } finally {
    session.destroy();
  }
}

class Pieces {
  readonly #pieces: Buffer[] = [];
  readonly #tooLong: () => void;
  #size = 0;

  constructor(tooLong: () => void) {
    this.#tooLong = tooLong;
  }

  add(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size > ANSWER_SIZE_MAX) this.#tooLong();
    else this.#pieces.push(piece);
  }

  whole(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

function tlsOptions(
  host: string,
  { isVerified, ca }: StoreNamesTls,
): { rejectUnauthorized: boolean; servername?: string; ca?: Buffer } {
  return {
    rejectUnauthorized: isVerified,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** `{"result": {"aliases": [{"alias_name", "collection_name"}]}}`. */
function readRestAliases({ status, body }: Answer): Aliases {
  if (status !== 200) throw failure(`Qdrant answered with status ${status}`);
  const list = memberOf(memberOf(parse(body), 'result'), 'aliases');
  if (!Array.isArray(list)) throw failure('Qdrant told no aliases');
  const aliases = new Map<string, string>();
  for (const entry of list) {
    const alias = memberOf(entry, 'alias_name');
    const collection = memberOf(entry, 'collection_name');
    if (typeof alias !== 'string' || typeof collection !== 'string') {
      throw failure('Qdrant told an alias without its names');
    }
    aliases.set(alias, collection);
  }
  return aliases;
}

/** `{"result": {"collections": [{"name"}]}}`. */
function readRestCollections({ status, body }: Answer): ReadonlySet<string> {
  if (status !== 200) throw failure(`Qdrant answered with status ${status}`);
  const list = memberOf(memberOf(parse(body), 'result'), 'collections');
  if (!Array.isArray(list)) throw failure('Qdrant told no collections');
  return new Set(list.map((entry) => nameIn(memberOf(entry, 'name'))));
}

function nameIn(value: unknown): string {
  if (typeof value !== 'string') throw failure('Qdrant told a collection without a name');
  return value;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw failure('Qdrant did not answer in JSON', cause);
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** What is no version, or that of a build before a release, promises nothing. */
function keepsConditions(version: unknown): boolean {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})\.\d{1,6}$/.exec(String(version)) ?? [];
  if (major === undefined) return false;
  const { major: first, minor: since } = CONDITIONS_SINCE;
  return Number(major) > first || (Number(major) === first && Number(minor) >= since);
}

/** `HealthCheckReply {1 title, 2 version, 3 commit}`. */
function readGrpcVersion(framed: Buffer): string {
  return fieldsOf(messageIn(framed), 2).at(-1)?.toString('utf8') ?? '';
}

/** The message in the one frame that an answer has. */
function messageIn(framed: Buffer): Buffer {
  const size = framed.length < FRAME_HEAD_SIZE ? -1 : framed.readUInt32BE(1);
  if (framed[0] !== 0 || size !== framed.length - FRAME_HEAD_SIZE) {
    throw failure('Qdrant told no aliases');
  }
  return framed.subarray(FRAME_HEAD_SIZE);
}

/** `ListAliasesResponse {1 repeated {1 alias_name, 2 collection_name}, 2 time}`. */
function readGrpcAliases(framed: Buffer): Aliases {
  const aliases = new Map<string, string>();
  for (const entry of fieldsOf(messageIn(framed), 1)) {
    const [alias] = fieldsOf(entry, 1);
    const [collection] = fieldsOf(entry, 2);
    if (alias === undefined || collection === undefined) {
      throw failure('Qdrant told an alias without its names');
    }
    aliases.set(alias.toString('utf8'), collection.toString('utf8'));
  }
  return aliases;
}

/** `ListCollectionsResponse {1 repeated CollectionDescription {1 name}, 2 time}`. */
function readGrpcCollections(framed: Buffer): ReadonlySet<string> {
  const names = fieldsOf(messageIn(framed), 1).map((entry) => fieldsOf(entry, 1).at(0));
  return new Set(names.map((name) => nameIn(name?.toString('utf8'))));
}

/** The length-delimited fields of that number. */
function fieldsOf(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at];
      if (byte === undefined || scale > 2 ** 49) throw failure('Qdrant told no aliases');
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === 0) varint();
    else {
      const size = wireType === 2 ? varint() : wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
      if (size < 0 || at + size > message.length) throw failure('Qdrant told no aliases');
      if (wireType === 2 && Math.floor(tag / 8) === number) {
        found.push(message.subarray(at, at + size));
      }
      at += size;
    }
  }
  return found;
}

function failure(why: string, cause?: unknown): GatewayError {
  return new GatewayError('STORE_NAMES', `cannot tell which collection is meant: ${why}`, {
    cause,
  });
}
