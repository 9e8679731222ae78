/**
 * What names of Milvus stand for: aliases and numbers of collections become the names of collections, by asking
 * the server for their description over gRPC, with the gateway's own credential. A number counts wherever the
 * server finds it, in the database that it says it is in.
 */

import type { StoreName } from '../../protocols/store.ts';
import { GatewayError } from '../errors.ts';
import { MilvusSideCalls } from './milvus-calls.ts';
import {
  decodeDescription,
  encodeDescribeRequest,
  type MilvusDescription,
} from './milvus-messages.ts';
import { createNameCache, type StoreNames, type StoreNamesSettings } from './store-names.ts';

const DESCRIBE = '/milvus.proto.milvus.MilvusService/DescribeCollection';
/** common.ErrorCode: CollectionNotExists, of servers before 2.3. */
const OLD_NOT_FOUND = 4;
/** merr: ErrCollectionNotFound, ErrDatabaseNotFound, ErrAliasNotFound. */
const NOT_FOUND: ReadonlySet<number> = new Set([100, 800, 1600]);

/** merr: an error without a code of its own. */
const UNEXPECTED = 65535;
const WORDS_OF_NOT_FOUND =
  /can't find collection|\b(?:collection|database|alias)\b[^:;]{0,300}?\b(?:not found|not exist)/i;

export function createMilvusNames(settings: StoreNamesSettings): StoreNames {
  const calls = new MilvusSideCalls(settings);
  const cache = createNameCache<readonly StoreName[]>({
    load: async (key) => await lookUp(calls, key),
    isKept: (found) => found.length > 0,
  });
  return {
    resolve: (name) => {
      if (name.kind === 'container') return [name];
      if (name.kind !== 'collection' && name.kind !== 'id') return [];
      return cache.get(JSON.stringify([name.kind, ...name.path]));
    },
    invalidate: () => cache.invalidate(),
    close: () => {
      cache.close();
      calls.close();
    },
  };
}

async function lookUp(calls: MilvusSideCalls, key: string): Promise<readonly StoreName[]> {
  const parts: unknown = JSON.parse(key);
  const [kind = '', database = '', name = ''] = Array.isArray(parts) ? parts.map(String) : [];
  const request =
    kind === 'id'
      ? encodeDescribeRequest({ database, name: '', id: BigInt(name) })
      : encodeDescribeRequest({ database, name, id: 0n });
  const answer = decodeDescription(await calls.ask(DESCRIBE, request, database));
  return toNames(answer, database, kind === 'id' ? undefined : name);
}

/** `asked`: undefined where it was asked by number. */
function toNames(
  answer: MilvusDescription,
  database: string,
  asked: string | undefined,
): readonly StoreName[] {
  const { code, oldCode, reason } = answer;
  if (code !== 0 || oldCode !== 0) {
    const isNotThere = NOT_FOUND.has(code) || (code === 0 && oldCode === OLD_NOT_FOUND);
    // Servers that know no codes say so in words only. Others, when they start, do not find nodes and channels.
    if (isNotThere || ((code === 0 || code === UNEXPECTED) && WORDS_OF_NOT_FOUND.test(reason))) {
      return [];
    }
    throw failure(`Milvus answered: ${reason}`);
  }
  const names = [answer.collectionName, answer.schemaName].filter((name) => name !== '');
  if (names.length === 0) throw failure('Milvus described a collection without a name');
  const where = answer.database === '' ? database : answer.database;
  // By name it looks in the database that was asked for; another one would be another collection.
  if (asked !== undefined && where !== database) {
    throw failure('Milvus described a collection of another database');
  }
  return [...new Set(names)].map((name) => ({ kind: 'collection', path: [where, name] }));
}

function failure(why: string): GatewayError {
  return new GatewayError('STORE_NAMES', `cannot tell which collection is meant: ${why}`);
}
