/**
 * The table of Chroma's routes, as its own OpenAPI names them (a test asks a server for it and fails on
 * drift), plus `GET /api/v2`, which the server answers with its heartbeat. What is not here is refused.
 */

import type { RequestHead } from '../contract.ts';
import type { Route } from '../wire/store-product.ts';
import {
  alterCollection,
  alterTenant,
  attachFunction,
  createCollection,
  createDatabase,
  createTenant,
  describeByCrn,
  describeById,
  describeByName,
  describeDatabase,
  describeTenant,
  detachFunction,
  dropCollection,
  dropDatabase,
  forkCollection,
  readIndexingStatus,
  readNothing,
  resetServer,
} from './collections.ts';
import { checkQuery, decodeSegment, splitTarget } from './path.ts';
import { readCount, readDelete, readGet, readQuery } from './reads.ts';
import type { ReadCall } from './requests.ts';
import { readSearch } from './search.ts';
import { readAdd, readOverwrite } from './writes.ts';

const TENANT = '/api/v2/tenants/{tenant}';
const DATABASE = `${TENANT}/databases/{database}`;
const COLLECTIONS = `${DATABASE}/collections`;
const COLLECTION = `${COLLECTIONS}/{collection_id}`;
const PAGED: readonly string[] = ['limit', 'offset'];

export interface RouteRow {
  readonly method: string;
  /** As in the server's OpenAPI: `/api/v2/tenants/{tenant_name}`. */
  readonly path: string;
  readonly read: ReadCall;
  /** Query parameters that it may have. */
  readonly query?: readonly string[];
  /** Without a credential: for probes of load balancers. */
  readonly isOpen?: boolean;
}

export const ROUTES: readonly RouteRow[] = [
  { method: 'GET', path: '/api/v2', read: readNothing, isOpen: true },
  { method: 'GET', path: '/api/v2/healthcheck', read: readNothing, isOpen: true },
  { method: 'GET', path: '/api/v2/heartbeat', read: readNothing, isOpen: true },
  { method: 'GET', path: '/api/v2/version', read: readNothing },
  { method: 'GET', path: '/api/v2/pre-flight-checks', read: readNothing },
  { method: 'GET', path: '/api/v2/auth/identity', read: readNothing },
  { method: 'POST', path: '/api/v2/reset', read: resetServer },
  { method: 'GET', path: '/api/v2/collections/{crn}', read: describeByCrn },
  { method: 'POST', path: '/api/v2/tenants', read: createTenant },
  { method: 'GET', path: '/api/v2/tenants/{tenant_name}', read: describeTenant },
  { method: 'PATCH', path: '/api/v2/tenants/{tenant_name}', read: alterTenant },
  { method: 'GET', path: `${TENANT}/databases`, read: describeTenant, query: PAGED },
  { method: 'POST', path: `${TENANT}/databases`, read: createDatabase },
  // The asynchronous Python client names the tenant twice; the server goes by the path.
  { method: 'GET', path: DATABASE, read: describeDatabase, query: ['tenant'] },
  { method: 'DELETE', path: DATABASE, read: dropDatabase },
  { method: 'GET', path: `${DATABASE}/collections_count`, read: describeDatabase },
  { method: 'GET', path: COLLECTIONS, read: describeDatabase, query: PAGED },
  { method: 'POST', path: COLLECTIONS, read: createCollection },
  { method: 'GET', path: `${COLLECTIONS}/by-id/{collection_id}`, read: describeById },
  // By name in GET and DELETE, by UUID in all others, whatever the parameter is called.
  { method: 'GET', path: COLLECTION, read: describeByName },
  { method: 'PUT', path: COLLECTION, read: alterCollection },
  { method: 'DELETE', path: COLLECTION, read: dropCollection },
  { method: 'POST', path: `${COLLECTION}/add`, read: readAdd },
  { method: 'POST', path: `${COLLECTION}/update`, read: readOverwrite },
  { method: 'POST', path: `${COLLECTION}/upsert`, read: readOverwrite },
  { method: 'POST', path: `${COLLECTION}/delete`, read: readDelete },
  { method: 'POST', path: `${COLLECTION}/get`, read: readGet },
  { method: 'POST', path: `${COLLECTION}/query`, read: readQuery, query: PAGED },
  { method: 'POST', path: `${COLLECTION}/search`, read: readSearch },
  { method: 'GET', path: `${COLLECTION}/count`, read: readCount, query: ['read_level'] },
  { method: 'GET', path: `${COLLECTION}/indexing_status`, read: readIndexingStatus },
  { method: 'GET', path: `${COLLECTION}/fork_count`, read: describeById },
  { method: 'POST', path: `${COLLECTION}/fork`, read: forkCollection },
  { method: 'POST', path: `${COLLECTION}/functions/attach`, read: attachFunction },
  { method: 'GET', path: `${COLLECTION}/functions/{function_name}`, read: describeById },
  { method: 'POST', path: `${COLLECTION}/attached_functions/{name}/detach`, read: detachFunction },
];

interface Pattern {
  readonly row: RouteRow;
  /** Undefined where a name stands; the name of the parameter is in `names` then. */
  readonly literals: readonly (string | undefined)[];
  readonly names: readonly string[];
}

const PATTERNS: readonly Pattern[] = ROUTES.map((row) => {
  const segments = row.path.slice(1).split('/');
  return {
    row,
    literals: segments.map((segment) => (isName(segment) ? undefined : segment)),
    names: segments.map((segment) => (isName(segment) ? segment.slice(1, -1) : '')),
  };
});

export function findRoute(head: RequestHead): Route | undefined {
  const target = splitTarget(head.target);
  if (target === undefined) return undefined;
  const { segments, query } = target;
  const pattern = PATTERNS.find(
    ({ row, literals }) => row.method === head.method && fits(literals, segments),
  );
  if (pattern === undefined) return undefined;
  const params = readParams(pattern, segments);
  if (params === undefined) return undefined;
  const { row } = pattern;
  const name = `${row.method} ${row.path}`;
  return {
    name,
    transport: 'rest',
    ...(row.isOpen === true ? { isOpen: true } : {}),
    needs: 'body',
    read: (asked, body) => {
      checkQuery(query, row.query ?? []);
      return row.read({ route: name, params, head: asked, body });
    },
  };
}

function isName(segment: string): boolean {
  return segment.startsWith('{');
}

/** As the server's router: a word in the table goes before a name (`by-id` is no collection there). */
function fits(literals: readonly (string | undefined)[], segments: readonly string[]): boolean {
  if (literals.length !== segments.length) return false;
  return literals.every((literal, index) => literal === undefined || literal === segments[index]);
}

function readParams(
  { names }: Pattern,
  segments: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const params = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (name === '') continue;
    const text = decodeSegment(segments[index] ?? '');
    if (text === undefined) return undefined;
    params.set(name, text);
  }
  return params;
}
