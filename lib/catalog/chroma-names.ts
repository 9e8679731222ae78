/**
 * What Chroma's ids stand for. Its data routes take a collection's UUID and do not look at the tenant and
 * database beside it (tried on a server), so an id counts only where it lies in the database that the path
 * names; one that lies elsewhere is refused. Names of collections and databases are what they say.
 */
import { Agent as HttpAgent, type ClientRequest, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { StoreName } from '../../protocols/store.ts';
import { GatewayError } from '../errors.ts';
import {
  createNameCache,
  NAMES_TIME_MAX,
  type StoreNames,
  type StoreNamesSettings,
} from './store-names.ts';

/** A collection's configuration and schema are in the answer; real ones are a few kilobytes. */
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;
/** Side connections at once; more wait. */
const SOCKETS_MAX = 8;

/** A collection may have such a name as well, and is asked for each time then. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Answer {
  readonly status: number;
  readonly text: string;
}

type Get = (path: string) => Promise<Answer>;

export function createChromaNames(settings: StoreNamesSettings): StoreNames {
  const agent =
    settings.tls === undefined
      ? new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX })
      : new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const get: Get = async (path) => await ask(settings, agent, path);
  const cache = createNameCache<readonly StoreName[]>({
    load: async (key) => await lookUp(get, readKey(key)),
    // What is nowhere stands for itself; it may be somewhere a moment later.
    isKept: ([found]) => found !== undefined && !UUID.test(found.path.at(-1) ?? ''),
  });
  return {
    resolve: (name) => {
      if (name.kind === 'collection' || name.kind === 'container') return [name];
      return name.kind === 'id' ? cache.get(JSON.stringify(name.path)) : [];
    },
    invalidate: () => cache.invalidate(),
    close: () => {
      cache.close();
      agent.destroy();
    },
  };
}

function readKey(key: string): readonly string[] {
  const path: unknown = JSON.parse(key);
  return Array.isArray(path) ? path.map(String) : [];
}

/** `[tenant, database, uuid]`, or `[crn]`, which the server alone can read. */
async function lookUp(get: Get, path: readonly string[]): Promise<readonly StoreName[]> {
  const [first = '', database, id] = path;
  if (database === undefined || id === undefined) {
    const answer = await get(`/api/v2/collections/${encodeURIComponent(first)}`);
    return saysNotFound(answer) ? [] : [readCollection(answer)];
  }
  const folder = `/api/v2/tenants/${encodeURIComponent(first)}/databases/${encodeURIComponent(database)}/collections`;
  const answer = await get(`${folder}/by-id/${encodeURIComponent(id)}`);
  if (!saysNotFound(answer)) return [readCollection(answer, id)];
  // It may still be there in another database, and the server would serve it under this path.
  const count = await get(`${folder}/${encodeURIComponent(id)}/count`);
  // It is nowhere, and nobody but the server chooses ids: no rule on any name can be about it, so the
  // request goes on as one about itself, and the client gets the server's own 404.
  if (saysNotFound(count)) return [{ kind: 'collection', path }];
  throw failure(`the id ${id} is not that of a collection in ${first}/${database}`);
}

/** In Chroma's own words: a proxy says 404 as well, while the server behind it starts. */
function saysNotFound({ status, text }: Answer): boolean {
  return status === 404 && /"error"\s*:\s*"[A-Za-z]*NotFound[A-Za-z]*"/.test(text);
}

function readCollection({ status, text }: Answer, id?: string): StoreName {
  if (status !== 200) throw failure(`Chroma answered with status ${status}`);
  const content = parse(text);
  if (typeof content !== 'object' || content === null) throw failure('Chroma told no collection');
  const path = ['tenant', 'database', 'name'].map((key) => textOf(content, key));
  if (id !== undefined && textOf(content, 'id') !== id)
    throw failure('Chroma told another collection');
  return { kind: 'collection', path };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure('Chroma did not answer in JSON', cause);
  }
}

function textOf(content: object, key: string): string {
  const value: unknown = Object.entries(content).find(([name]) => name === key)?.[1];
  if (typeof value !== 'string') throw failure(`Chroma told a collection without a ${key}`);
  return value;
}

async function ask(
  settings: StoreNamesSettings,
  agent: HttpAgent | HttpsAgent,
  path: string,
): Promise<Answer> {
  return await new Promise<Answer>((done, fail) => {
    const request = open(settings, agent, path);
    const timer = setTimeout(() => request.destroy(new Error('it took too long')), NAMES_TIME_MAX);
    const end = (cause: unknown): void => {
      clearTimeout(timer);
      fail(failure('Chroma cannot be asked', cause));
    };
    request.on('error', end);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      let size = 0;
      response.on('error', end);
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        size += piece.length;
        if (size > ANSWER_SIZE_MAX) request.destroy(new Error('its answer is too long'));
      });
      response.on('end', () => {
        clearTimeout(timer);
        done({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') });
      });
    });
    request.end();
  });
}

function open(
  { host, port, tls, login }: StoreNamesSettings,
  agent: HttpAgent | HttpsAgent,
  path: string,
): ClientRequest {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (login?.user !== undefined) {
    const basic = Buffer.from(`${login.user}:${login.secret}`).toString('base64');
    headers['authorization'] = `Basic ${basic}`;
  } else if (login !== undefined) {
    headers['authorization'] = `Bearer ${login.secret}`;
    headers['x-chroma-token'] = login.secret;
  }
  const options = { host, port, path, agent, headers };
  if (tls === undefined) return httpRequest(options);
  const { isVerified, ca } = tls;
  const name = isIP(host) === 0 ? { servername: host } : {};
  const authority = ca === undefined ? {} : { ca };
  return httpsRequest({ ...options, ...name, ...authority, rejectUnauthorized: isVerified });
}

function failure(why: string, cause?: unknown): GatewayError {
  const message = `cannot tell which collection is meant: ${why}`;
  return new GatewayError('STORE_NAMES', message, { cause });
}
