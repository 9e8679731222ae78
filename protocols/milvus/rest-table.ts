/**
 * The paths of Milvus' REST interface, v2 and v1, with the RPC that each stands for and where its body names
 * things. Source: `routeToMethod` of the server's handler_v2.go (3.0) and handler_v1.go. No behaviour.
 */

import type { StoreEffect } from '../store.ts';
import { BRINGS_IN, FUNCTION, RENAMES, TAKES_OUT } from './rpcs.ts';

export interface RestPlace {
  readonly effects: readonly StoreEffect[];
  /** The key with a name or an alias of a collection; undefined: it names none. */
  readonly name?: string;
  /** The key with its database. */
  readonly db: string;
  /** Where that name is missing or empty. */
  readonly otherwise: 'database' | 'store';
}

/** Requests on records have readers of their own. */
export type RestData = 'query' | 'get' | 'search' | 'hybrid' | 'insert' | 'upsert' | 'delete';

export interface RestRow {
  readonly method: 'POST' | 'GET';
  readonly places: readonly RestPlace[];
  readonly data?: RestData;
  readonly isDescription?: boolean;
  readonly changesNames?: boolean;
  /** Stored values come to lie under another name, or outside (StoreRequest.carries). */
  readonly carries?: string;
  /** Its body may name a place outside the store (`external-sources.ts`). */
  readonly mayGoOutside?: boolean;
  /** Its body is not looked at. */
  readonly isWhole?: boolean;
}

type Effects = StoreEffect | readonly StoreEffect[];
type More = Omit<Partial<RestRow>, 'places'>;

function place(effects: Effects, name = 'collectionName', db = 'dbName'): RestPlace {
  const list = typeof effects === 'string' ? [effects] : effects;
  return { effects: list, name, db, otherwise: 'store' };
}

function inDatabase(effect: StoreEffect): RestPlace {
  return { effects: [effect], db: 'dbName', otherwise: 'database' };
}

function on(effects: Effects, more: More = {}): RestRow {
  return { method: 'POST', places: [place(effects)], ...more };
}

function database(effect: StoreEffect, more: More = {}): RestRow {
  return { method: 'POST', places: [inDatabase(effect)], ...more };
}

/** On the store as a whole, or on a job whose collection the request does not tell. */
function store(effect: StoreEffect): RestRow {
  return {
    method: 'POST',
    places: [{ effects: [effect], db: '', otherwise: 'store' }],
    isWhole: true,
  };
}

/** Of several places; what is left out of the body falls to the database. */
function several(places: readonly RestPlace[], more: More = {}): RestRow {
  return { method: 'POST', places, ...more };
}

function fillingFromFiles(effects: Effects): RestRow {
  return several([place(effects), UNKNOWN_SOURCE], { carries: BRINGS_IN });
}

const NAMES = { changesNames: true } as const;
const OUTSIDE = { mayGoOutside: true } as const;
const UNKNOWN_SOURCE: RestPlace = { effects: ['export'], db: '', otherwise: 'store' };
const DESCRIPTION = { isDescription: true } as const;
const ADMIN = store('admin');

/** Below `/v2/vectordb/`. */
const V2: Readonly<Record<string, RestRow>> = {
  'collections/list': database('describe'),
  'collections/has': on('describe'),
  'collections/describe': on('describe', DESCRIPTION),
  'collections/get_stats': on('count'),
  'collections/get_load_state': on('describe'),
  'collections/create': on('create', { ...NAMES, ...OUTSIDE }),
  'collections/drop': on('drop', NAMES),
  'collections/truncate': on('drop'),
  'collections/rename': several(
    [
      place('alter'),
      { ...place('create', 'newCollectionName', 'newDbName'), otherwise: 'database' },
    ],
    { ...NAMES, carries: RENAMES },
  ),
  'collections/load': on('alter'),
  'collections/refresh_load': on('alter'),
  'collections/release': on('alter'),
  'collections/alter_properties': on('alter', OUTSIDE),
  'collections/drop_properties': on('alter'),
  'collections/add_function': on('alter', { ...OUTSIDE, carries: FUNCTION }),
  'collections/alter_function': on('alter', { ...OUTSIDE, carries: FUNCTION }),
  'collections/drop_function': on('drop'),
  'collections/add_function_field': on('alter', { ...OUTSIDE, carries: FUNCTION }),
  'collections/drop_function_field': on('alter'),
  'collections/compact': on('alter'),
  'collections/get_compaction_state': store('describe'),
  'collections/flush': on('alter'),
  'collections/fields/alter_properties': on('alter'),
  'collections/fields/add': on('alter'),
  'collections/fields/drop': on('alter'),
  'collections/struct_fields/add': on('alter'),

  'databases/create': database('create', NAMES),
  'databases/drop': database('drop', NAMES),
  'databases/alter': database('alter'),
  'databases/alter_properties': database('alter'),
  'databases/drop_properties': database('alter'),
  'databases/list': store('describe'),
  'databases/describe': database('describe'),

  'entities/query': on('read', { data: 'query' }),
  'entities/get': on('read', { data: 'get' }),
  'entities/search': on('search', { data: 'search' }),
  'entities/hybrid_search': on('search', { data: 'hybrid' }),
  'entities/advanced_search': on('search', { data: 'hybrid' }),
  'entities/insert': on('upsert', { data: 'insert' }),
  'entities/upsert': on('upsert', { data: 'upsert' }),
  'entities/delete': on('delete', { data: 'delete' }),

  'partitions/list': on('describe'),
  'partitions/has': on('describe'),
  'partitions/get_stats': on('count'),
  'partitions/create': on('create'),
  'partitions/drop': on('drop'),
  'partitions/load': on('alter'),
  'partitions/release': on('alter'),

  'indexes/list': on('describe'),
  'indexes/describe': on('describe'),
  'indexes/create': on('alter'),
  'indexes/drop': on('drop'),
  'indexes/alter_properties': on('alter'),
  'indexes/drop_properties': on('alter'),

  'aliases/list': several([{ ...place('describe'), otherwise: 'database' }]),
  'aliases/describe': several([place('describe', 'aliasName')]),
  'aliases/create': several([place('alter'), place('create', 'aliasName')], NAMES),
  'aliases/alter': several([place('alter'), place('alter', 'aliasName')], NAMES),
  'aliases/drop': several([place('drop', 'aliasName')], NAMES),

  'jobs/import/create': fillingFromFiles(['upsert', 'admin']),
  'jobs/import/list': on('describe'),
  'jobs/import/get_progress': store('describe'),
  'jobs/import/describe': store('describe'),
  'jobs/import/commit': ADMIN,
  'jobs/import/abort': ADMIN,
  'jobs/snapshot/restore_external': several(
    [
      place(['create', 'admin'], 'targetCollectionName'),
      place(['create', 'admin']),
      UNKNOWN_SOURCE,
    ],
    { ...NAMES, carries: BRINGS_IN },
  ),
  'jobs/snapshot/export': several([place('export'), place('export', 'sourceCollectionName')], {
    carries: TAKES_OUT,
  }),
  'jobs/snapshot/describe': store('describe'),
  'jobs/snapshot/list': on('describe'),
  'jobs/external_collection/refresh': fillingFromFiles(['upsert', 'admin']),
  'jobs/external_collection/describe': store('describe'),
  'jobs/external_collection/list': on('describe'),

  'segments/describe': on('admin'),
  'quotacenter/describe': ADMIN,
  'common/run_analyzer': several([{ ...place('describe'), otherwise: 'database' }]),
};

/** Users, roles and the cluster: `admin`, whatever they name. */
const ADMIN_ACTIONS: Readonly<Record<string, string>> = {
  users: 'list describe create update_password drop grant_role revoke_role',
  roles:
    'list describe create alter drop grant_privilege revoke_privilege grant_privilege_v2 revoke_privilege_v2',
  privilege_groups: 'create drop list add_privileges_to_group remove_privileges_from_group',
  resource_groups: 'create drop alter describe list transfer_replica',
  file_resources: 'add remove list',
};

/** Below `/v1/vector/`. */
const V1: Readonly<Record<string, RestRow>> = {
  collections: database('describe', { method: 'GET' }),
  'collections/describe': on('describe', { method: 'GET', ...DESCRIPTION }),
  'collections/create': on('create', { ...NAMES, ...OUTSIDE }),
  'collections/drop': on('drop', NAMES),
  query: on('read', { data: 'query' }),
  get: on('read', { data: 'get' }),
  search: on('search', { data: 'search' }),
  insert: on('upsert', { data: 'insert' }),
  upsert: on('upsert', { data: 'upsert' }),
  delete: on('delete', { data: 'delete' }),
};

/** By method and path. */
export const REST_ROUTES: ReadonlyMap<string, RestRow> = new Map([
  ...Object.entries(V2).map(([path, row]) => [`POST /v2/vectordb/${path}`, row] as const),
  ...Object.entries(ADMIN_ACTIONS).flatMap(([group, actions]) =>
    actions.split(' ').map((action) => [`POST /v2/vectordb/${group}/${action}`, ADMIN] as const),
  ),
  ...Object.entries(V1).map(([path, row]) => [`${row.method} /v1/vector/${path}`, row] as const),
]);

/** Keys that each request on records may have (request_v2.go, request.go of v1); others are refused. */
const COMMON = 'dbName collectionName partitionName partitionNames consistencyLevel';
const RANKING = 'groupingField groupSize strictGroupSize functionScore';

export const DATA_KEYS: Readonly<Record<RestData, ReadonlySet<string>>> = {
  query: keys('outputFields filter limit offset exprParams'),
  get: keys('outputFields id'),
  search: keys(
    `data vector annsField filter limit offset outputFields searchParams params exprParams ${RANKING}`,
  ),
  hybrid: keys(`search rerank limit outputFields ${RANKING}`),
  insert: keys('data'),
  upsert: keys('data partialUpdate'),
  delete: keys('filter id exprParams'),
};

export const HYBRID_PART_KEYS = new Set(
  'data annsField filter groupingField metricType limit offset params exprParams outputFields ignoreGrowing'.split(
    ' ',
  ),
);

/** FunctionScore and FunctionSchema of request_v2.go. */
export const SCORE_KEYS = new Set(['functions', 'params']);
export const RANKING_KEYS = new Set(
  'name description type inputFieldNames outputFieldNames params'.split(' '),
);

function keys(own: string): ReadonlySet<string> {
  return new Set(`${COMMON} ${own}`.split(' '));
}

/** All keys by which anything is named: one that only looks like them is refused (see `rest-body.ts`). */
export const NAMING_KEYS: readonly string[] = [
  ...new Set(
    [...REST_ROUTES.values()].flatMap(({ places }) =>
      places.flatMap(({ name, db }) => [name ?? '', db]),
    ),
  ),
].filter((key) => key !== '');
