/**
 * Every REST route of Qdrant that Weir knows: its effects, where its collection is, how its body is read.
 * OpenAPI of 1.18 and 1.19, older routes that 1.19 still has, and those of the server that no OpenAPI names
 * (vector.md 2.1). Data only; what is not in here is refused.
 */

import type { StoreEffect } from '../store.ts';
import type { AnswerShape } from './json-answers.ts';
import type { ReadKind } from './json-reads.ts';
import type { WriteKind } from './json-writes.ts';

export type RestBody =
  /** Nothing in the body matters to a rule, or there is none: it streams. */
  | { readonly kind: 'none' }
  | { readonly kind: 'read'; readonly read: ReadKind; readonly isBatch?: boolean }
  /** `write` undefined: a batch of operations. */
  | { readonly kind: 'write'; readonly write: WriteKind | undefined }
  /** GET of one record. */
  | { readonly kind: 'point' }
  | { readonly kind: 'aliases' }
  | { readonly kind: 'create' };

export interface RestRoute {
  readonly method: string;
  /** `{c}` is the collection, `{}` anything else. */
  readonly path: string;
  /** Empty: it concerns no data. Writes bring their own from the body. */
  readonly effects: readonly StoreEffect[];
  readonly body: RestBody;
  readonly answer?: AnswerShape;
  /** It passes without a credential, as with the server. */
  readonly isOpen?: boolean;
  readonly changesNames?: boolean;
  /** Its answer holds everything: archives, logs of requests. */
  readonly isRaw?: boolean;
  /** It fills a collection from a place that the request names: any file of the server, any URL. */
  readonly takesAnything?: boolean;
  /** Any query parameters: those of the table of the data routes are the default. */
  readonly anyParameters?: boolean;
}

const NONE: RestBody = { kind: 'none' };
type More = Omit<RestRoute, 'method' | 'path' | 'effects' | 'body'>;

function route(
  line: string,
  effects: readonly StoreEffect[],
  more: More = {},
  body = NONE,
): RestRoute {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, effects, body, ...more };
}

function reads(line: string, effect: readonly StoreEffect[], read: ReadKind, answer?: AnswerShape) {
  const shape = answer === undefined ? {} : { answer };
  return route(line, effect, shape, { kind: 'read', read });
}

function batches(line: string, read: ReadKind): RestRoute {
  return route(line, ['search'], { answer: 'records' }, { kind: 'read', read, isBatch: true });
}

function writes(line: string, write: WriteKind | undefined): RestRoute {
  return route(line, [], {}, { kind: 'write', write });
}

const ADMIN: More = { anyParameters: true };
const ADMIN_NAMES: More = { anyParameters: true, changesNames: true };
const ADMIN_SOURCE: More = { ...ADMIN_NAMES, takesAnything: true };
const ADMIN_RAW: More = { anyParameters: true, isRaw: true };
const C = '/collections/{c}';
const POINTS = `${C}/points`;

const HEALTH: readonly RestRoute[] = ['/', '/healthz', '/livez', '/readyz'].map((path) =>
  route(`GET ${path}`, [], { isOpen: true, anyParameters: true }),
);

const COLLECTIONS: readonly RestRoute[] = [
  route('GET /collections', ['describe']),
  route('GET /aliases', ['describe']),
  route('GET /quotas', ['describe']),
  route(`GET ${C}`, ['describe'], { answer: 'collection' }),
  route(`GET ${C}/exists`, ['describe']),
  route(`GET ${C}/aliases`, ['describe']),
  route(`GET ${C}/optimizations`, ['describe'], ADMIN),
  route(`GET ${C}/memory`, ['describe'], ADMIN),
  route(`GET ${C}/shards`, ['describe']),
  route(`GET ${C}/cluster`, ['describe']),
  route(`PUT ${C}`, ['create'], { changesNames: true }, { kind: 'create' }),
  route(`PATCH ${C}`, ['alter']),
  route(`DELETE ${C}`, ['drop'], { changesNames: true }),
  route('POST /collections/aliases', [], { changesNames: true }, { kind: 'aliases' }),
  route(`PUT ${C}/index`, ['alter']),
  route(`DELETE ${C}/index/{}`, ['alter']),
  route(`PUT ${C}/vectors/{}`, ['alter']),
  route(`DELETE ${C}/vectors/{}`, ['drop']),
  route(`PUT ${C}/shards`, ['alter']),
  route(`POST ${C}/shards/delete`, ['drop']),
];

const READS: readonly RestRoute[] = [
  route(`GET ${POINTS}/{}`, ['read'], { answer: 'records' }, { kind: 'point' }),
  reads(`POST ${POINTS}`, ['read'], 'retrieve', 'records'),
  reads(`POST ${POINTS}/scroll`, ['read', 'export'], 'scroll', 'records'),
  reads(`POST ${POINTS}/count`, ['count'], 'count'),
  reads(`POST ${C}/facet`, ['read', 'count'], 'facet', 'facet'),
  reads(`POST ${POINTS}/query`, ['search'], 'query', 'records'),
  batches(`POST ${POINTS}/query/batch`, 'query'),
  reads(`POST ${POINTS}/query/groups`, ['search'], 'query-groups', 'groups'),
  reads(`POST ${POINTS}/search`, ['search'], 'search', 'records'),
  batches(`POST ${POINTS}/search/batch`, 'search'),
  reads(`POST ${POINTS}/search/groups`, ['search'], 'search-groups', 'groups'),
  reads(`POST ${POINTS}/search/matrix/pairs`, ['search'], 'matrix'),
  reads(`POST ${POINTS}/search/matrix/offsets`, ['search'], 'matrix'),
  reads(`POST ${POINTS}/recommend`, ['search'], 'recommend', 'records'),
  batches(`POST ${POINTS}/recommend/batch`, 'recommend'),
  reads(`POST ${POINTS}/recommend/groups`, ['search'], 'recommend-groups', 'groups'),
  reads(`POST ${POINTS}/discover`, ['search'], 'discover', 'records'),
  batches(`POST ${POINTS}/discover/batch`, 'discover'),
  // Of one shard, for the server's own use (local_shard_api.rs); the same bodies.
  reads(`POST ${C}/shards/{}/points`, ['read', 'admin'], 'retrieve', 'records'),
  reads(`POST ${C}/shards/{}/points/scroll`, ['read', 'export', 'admin'], 'scroll', 'records'),
  reads(`POST ${C}/shards/{}/points/count`, ['count', 'admin'], 'count'),
];

const WRITES: readonly RestRoute[] = [
  writes(`PUT ${POINTS}`, 'upsert'),
  writes(`POST ${POINTS}/delete`, 'delete'),
  writes(`PUT ${POINTS}/vectors`, 'update_vectors'),
  writes(`POST ${POINTS}/vectors/delete`, 'delete_vectors'),
  writes(`POST ${POINTS}/payload`, 'set_payload'),
  writes(`PUT ${POINTS}/payload`, 'overwrite_payload'),
  writes(`POST ${POINTS}/payload/delete`, 'delete_payload'),
  writes(`POST ${POINTS}/payload/clear`, 'clear_payload'),
  writes(`POST ${POINTS}/batch`, undefined),
];

/** Archives: whoever has one has every record; `recover` and `upload` put any records in their place. */
const SNAPSHOTS: readonly RestRoute[] = ['', C, `${C}/shards/{}`].flatMap((base) => [
  route(`GET ${base}/snapshots`, ['admin'], ADMIN),
  route(`POST ${base}/snapshots`, ['export'], ADMIN),
  route(`GET ${base}/snapshots/{}`, ['export'], ADMIN_RAW),
  route(`DELETE ${base}/snapshots/{}`, ['admin'], ADMIN),
  route(`POST ${base}/snapshots/upload`, ['admin'], ADMIN_NAMES),
  route(`PUT ${base}/snapshots/recover`, ['admin'], ADMIN_SOURCE),
]);

const SHARD_SNAPSHOTS: readonly RestRoute[] = [
  route(`GET ${C}/shards/{}/snapshot`, ['export'], ADMIN_RAW),
  route(`POST ${C}/shards/{}/snapshot/partial/create`, ['export'], ADMIN_RAW),
  route(`POST ${C}/shards/{}/snapshot/partial/upload`, ['admin'], ADMIN_NAMES),
  route(`PUT ${C}/shards/{}/snapshot/partial/recover`, ['admin'], ADMIN_SOURCE),
  route(`POST ${C}/shards/{}/snapshot/partial/recover_from`, ['admin'], ADMIN_SOURCE),
  route(`GET ${C}/shards/{}/snapshot/partial/manifest`, ['admin'], ADMIN),
];

const ADMINS: readonly RestRoute[] = [
  ...[
    'GET /telemetry',
    'GET /metrics',
    'GET /cluster',
    'GET /cluster/telemetry',
    'POST /cluster/recover',
    'DELETE /cluster/peer/{}',
    'GET /cluster/metadata/keys',
    'GET /cluster/metadata/keys/{}',
    'PUT /cluster/metadata/keys/{}',
    'DELETE /cluster/metadata/keys/{}',
    'PUT /quotas',
    'GET /issues',
    'DELETE /issues',
    'GET /locks',
    'POST /locks',
    'GET /logger',
    'POST /logger',
    'GET /debugger',
    'PATCH /debugger',
    'GET /stacktrace',
    `POST ${C}/cluster`,
    `POST ${C}/cleanup`,
    `POST ${C}/shards/{}/cleanup`,
    `POST ${C}/truncate_unapplied_wal`,
  ].map((line) => route(line, ['admin'], ADMIN)),
  ...['GET /profiler/slow_requests', 'POST /audit/logs', `GET ${C}/debug`, `POST ${C}/debug`].map(
    (line) => route(line, ['admin'], ADMIN_RAW),
  ),
];

export const REST_ROUTES: readonly RestRoute[] = [
  ...HEALTH,
  ...COLLECTIONS,
  ...READS,
  ...WRITES,
  ...SNAPSHOTS,
  ...SHARD_SNAPSHOTS,
  ...ADMINS,
];

/** Of the data routes: how many replicas must agree, how long to wait. None of them chooses records. */
export const DATA_PARAMETERS: ReadonlySet<string> = new Set([
  'consistency',
  'ordering',
  'timeout',
  'wait',
]);
