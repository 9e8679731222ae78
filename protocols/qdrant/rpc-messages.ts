/**
 * Requests of Qdrant's gRPC API: what each field number is for. The roles are few; how each is read is
 * in `proto-shapes.ts`, how it is cut in `proto-restrict.ts` and `proto-writes.ts`. Data only, compared with
 * the descriptors of the official client by a test.
 */

import type { Part, Shape } from './proto-shapes.ts';
import {
  EXAMPLE_PAIRS,
  FACET_KEY,
  FILTER_PART,
  GROUP_KEY,
  LOOKUP_FROM_PART,
  ORDER_PART,
  PARAMS_PART,
  PLAIN,
  PLAINS,
  QUERY_PART,
  STORED_POINTS,
  TARGET_PART,
  WITH_LOOKUP_PART,
  WITH_VECTORS_PART,
} from './proto-shapes.ts';

export type Role =
  | 'collection'
  | 'filter'
  | 'limit'
  | 'group-size'
  | 'sample'
  | 'payload'
  | 'vectors'
  | 'query'
  | 'prefetch'
  | 'lookup-from'
  | 'with-lookup'
  | 'group-by'
  | 'facet-key'
  | 'order-by'
  | 'params'
  | 'ids'
  | 'stored-points'
  | 'target'
  | 'context'
  | 'plain'
  | 'plains';

/** By field number. */
export type Roles = ReadonlyMap<number, Role>;

/** The number comes first: `8 limit` is field 8. Numbers alone are plain. */
function readRoles(text: string): Roles {
  return new Map(
    text.split(',').map((entry): [number, Role] => {
      const [number = '', name = 'plain'] = entry.trim().split(' ');
      const role = ROLES.find((known) => known === name);
      if (role === undefined) throw new Error(`no such role: ${name}`);
      return [Number(number), role];
    }),
  );
}

const ROLES: readonly Role[] = [
  'collection',
  'filter',
  'limit',
  'group-size',
  'sample',
  'payload',
  'vectors',
  'query',
  'prefetch',
  'lookup-from',
  'with-lookup',
  'group-by',
  'facet-key',
  'order-by',
  'params',
  'ids',
  'stored-points',
  'target',
  'context',
  'plain',
  'plains',
];

/** By the name of the message in the package `qdrant`. */
export const READ_MESSAGES = {
  QueryPoints: readRoles(
    '1 collection,2 prefetch,3 query,4,5 filter,6 params,7,8 limit,9,10 vectors,11 payload,12,13,14 lookup-from,15',
  ),
  QueryPointGroups: readRoles(
    '1 collection,2 prefetch,3 query,4,5 filter,6 params,7,8 payload,9 vectors,10 lookup-from,11 limit,12 group-size,13 group-by,14,15 with-lookup,16,17',
  ),
  SearchPoints: readRoles(
    '1 collection,2 plains,3 filter,4 limit,6 payload,7 params,8,9,10,11 vectors,12,13,14,15',
  ),
  SearchPointGroups: readRoles(
    '1 collection,2 plains,3 filter,4 limit,5 payload,6 params,7,8,9 vectors,10 group-by,11 group-size,12,13 with-lookup,14,15,16',
  ),
  RecommendPoints: readRoles(
    '1 collection,2 stored-points,3 stored-points,4 filter,5 limit,7 payload,8 params,9,10,11,12 vectors,13 lookup-from,14,16,17 plains,18 plains,19,20',
  ),
  RecommendPointGroups: readRoles(
    '1 collection,2 stored-points,3 stored-points,4 filter,5 limit,6 payload,7 params,8,9,10 vectors,11 lookup-from,12 group-by,13 group-size,14,15 with-lookup,17,18 plains,19 plains,20,21',
  ),
  DiscoverPoints: readRoles(
    '1 collection,2 target,3 context,4 filter,5 limit,6 payload,7 params,8,9,10 vectors,11 lookup-from,12,13,14',
  ),
  ScrollPoints: readRoles('1 collection,2 filter,3,4 limit,6 payload,7 vectors,8,9,10 order-by,11'),
  GetPoints: readRoles('1 collection,2 ids,4 payload,5 vectors,6,7,8'),
  CountPoints: readRoles('1 collection,2 filter,3,4,5,6'),
  FacetCounts: readRoles('1 collection,2 facet-key,3 filter,4 limit,5,6,7,8'),
  SearchMatrixPoints: readRoles('1 collection,2 filter,3 sample,4,5,6,7,8'),
} as const;
export type ReadMessage = keyof typeof READ_MESSAGES;

/** All batches are alike: `1 collection_name`, `2` the requests. */
export const BATCH_COLLECTION = 1;
export const BATCH_REQUESTS = 2;
export const BATCH_OTHERS: readonly number[] = [3, 4];

export const PREFETCH_ROLES: Roles = readRoles(
  '1 prefetch,2 query,3,4 filter,5 params,6,7,8 lookup-from',
);

const PARTS: Readonly<
  Record<Exclude<Role, 'collection' | 'limit' | 'group-size' | 'sample' | 'ids' | 'prefetch'>, Part>
> = {
  filter: FILTER_PART,
  payload: PLAIN,
  vectors: WITH_VECTORS_PART,
  query: QUERY_PART,
  'lookup-from': LOOKUP_FROM_PART,
  'with-lookup': WITH_LOOKUP_PART,
  'group-by': GROUP_KEY,
  'facet-key': FACET_KEY,
  'order-by': ORDER_PART,
  params: PARAMS_PART,
  'stored-points': STORED_POINTS,
  target: TARGET_PART,
  context: EXAMPLE_PAIRS,
  plain: PLAIN,
  plains: PLAINS,
};

/** `special` has the parts whose values the reader keeps: names, limits, ids, prefetches. */
export function shapeOf(
  roles: Roles,
  special: Readonly<
    Record<'collection' | 'limit' | 'group-size' | 'sample' | 'ids' | 'prefetch', Part>
  >,
): Shape {
  const parts = { ...PARTS, ...special };
  return new Map([...roles].map(([number, role]) => [number, parts[role]]));
}
