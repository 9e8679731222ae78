/** REST requests of Milvus: the route of a head by `rest-table.ts`, and what its body or its query names. */

import type { RequestHead } from '../contract.ts';
import type { StoreAccess, StoreName } from '../store.ts';
import type { ReadRequest, Route } from '../wire/store-product.ts';
import { GOES_OUTSIDE, goesOutsideInRest, OUTSIDE } from './external-sources.ts';
import { collectionOf, databaseName, defaultDatabase } from './names.ts';
import { broken } from './request-reader.ts';
import { maskRestDescription } from './rest-answers.ts';
import { readRestBody, textMember } from './rest-body.ts';
import { readRestData } from './rest-requests.ts';
import type { RestPlace, RestRow } from './rest-table.ts';
import { DATA_KEYS, REST_ROUTES } from './rest-table.ts';
import { wholeRequest } from './rpc-routes.ts';

/** Reads one name of the request: of its body, or of its query. */
type ReadName = (key: string) => string;

/** The path must be as in the table; only GETs of v1 have a query. */
export function findRestRoute(head: RequestHead): Route | undefined {
  const [path = '', ...queries] = head.target.split('?');
  const name = `${head.method} ${path}`;
  const row = REST_ROUTES.get(name);
  if (row === undefined || queries.length > (row.method === 'GET' ? 1 : 0)) return undefined;
  return {
    name,
    transport: 'rest',
    needs: row.method === 'GET' || row.isWhole === true ? 'head' : 'body',
    read: (request, body) => readRest(name, row, request, body),
  };
}

function readRest(name: string, row: RestRow, head: RequestHead, body: Buffer): ReadRequest {
  const fallback = defaultDatabase(head.headers, 'db-name');
  if (row.method === 'GET') {
    const query = readQueryString(head.target);
    return plain(
      name,
      row,
      accessesOf(row, (key) => query.get(key) ?? '', fallback),
    );
  }
  if (row.isWhole === true)
    return plain(
      name,
      row,
      accessesOf(row, () => '', fallback),
    );
  const node = readRestBody(body, row.data && DATA_KEYS[row.data]);
  const accesses = accessesOf(row, (key) => textMember(node, key), fallback);
  if (row.data !== undefined) {
    return readRestData(row.data, { route: name, accesses, body, node });
  }
  if (row.mayGoOutside !== true || !goesOutsideInRest(node)) return plain(name, row, accesses);
  return plain(name, row, [...accesses, OUTSIDE], GOES_OUTSIDE);
}

function plain(
  name: string,
  row: RestRow,
  accesses: readonly StoreAccess[],
  carries: string | undefined = row.carries,
): ReadRequest {
  return {
    ...wholeRequest(name, accesses, carries),
    maskAnswer: row.isDescription === true ? maskRestDescription : undefined,
    ...(row.changesNames === true ? { changesNames: true } : {}),
  };
}

function accessesOf(row: RestRow, read: ReadName, fallback: string): StoreAccess[] {
  return row.places.flatMap((place) => {
    const target = targetOf(place, read, fallback);
    return place.effects.map((effect) => ({ effect, target }));
  });
}

function targetOf(place: RestPlace, read: ReadName, fallback: string): StoreName | undefined {
  const database = databaseName(place.db === '' ? '' : read(place.db), fallback);
  const name = place.name === undefined ? '' : read(place.name);
  if (name !== '') return collectionOf(database, name);
  return place.otherwise === 'database' ? { kind: 'container', path: [database] } : undefined;
}

/**
 * One that comes twice is an error: the server takes the first, others the last. Go leaves a part out that has
 * a semicolon or a broken escape, where others read it as it stands.
 */
function readQueryString(target: string): Map<string, string> {
  const found = new Map<string, string>();
  const query = target.split('?')[1] ?? '';
  if (/;|%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]/.test(query)) {
    throw broken('MILVUS_QUERY', 'a query that can be read in more than one way');
  }
  for (const [key, value] of new URLSearchParams(query)) {
    if (value.includes('\ufffd')) throw broken('MILVUS_QUERY', `${key} is not UTF-8`);
    if (found.has(key)) throw broken('MILVUS_QUERY_TWICE', `${key} is given twice`);
    found.set(key, value);
  }
  return found;
}
