/**
 * Chroma's get, query, count and delete: what steers them, how many records they ask for, and how they
 * are cut down. Ids and filters are combined by the server with "and", so a filter holds for reads by id.
 */

import type { Restrictions } from '../store.ts';
import { member, spliceJson } from '../wire/json.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { maskErrors, maskRecords } from './answers.ts';
import {
  type JsonNode,
  type JsonObject,
  optional,
  optionalCount,
  optionalItems,
  optionalTexts,
  readBody,
} from './body.ts';
import {
  addFilter,
  checkMembers,
  createSteering,
  readWhere,
  readWhereDocument,
  type Members,
  setMembers,
  type Steering,
} from './filters.ts';
import { access, type Call, collectionById, plainRequest, refuseUnknown } from './requests.ts';

const FILTER_KEYS: readonly string[] = ['where', 'where_document', 'ids'];
const GET_KEYS: readonly string[] = [...FILTER_KEYS, 'include', 'limit', 'offset'];
const QUERY_KEYS: readonly string[] = [...FILTER_KEYS, 'include', 'n_results', 'query_embeddings'];
const DELETE_KEYS: readonly string[] = [...FILTER_KEYS, 'limit'];

/** Of the server, where a query names no number. */
const RESULTS_DEFAULT = 10;
const EMBEDDINGS = 'embeddings';

function readSteering(body: JsonObject, known: readonly string[]): Steering {
  const steering = createSteering();
  const where = optional(body, 'where');
  if (where !== undefined) readWhere(where, steering);
  readWhereDocument(body, steering);
  checkMembers(body, known, steering);
  return steering;
}

/** The parts of a request that the steering decides. */
export function steeringOf(steering: Steering): Pick<ReadRequest, 'steering' | 'steersAny'> {
  const { fields, unclear } = steering;
  return unclear === undefined ? { steering: fields } : { steering: fields, steersAny: unclear };
}

/** Without ids and filters it gives out everything, however small the pages are. */
export function readGet(call: Call): ReadRequest {
  const body = readBody(call.body);
  const ids = optionalTexts(body, 'ids');
  const include = optionalTexts(body, 'include') ?? [];
  const asked = optionalCount(body, 'limit');
  optionalCount(body, 'offset');
  const steering = readSteering(body, GET_KEYS);
  const limit = ids === undefined ? asked : Math.min(asked ?? Infinity, ids.length);
  const isPicked = FILTER_KEYS.some((key) => isChoosing(optional(body, key)));
  const target = collectionById(call);
  return {
    route: call.route,
    accesses: isPicked ? access(target, 'read') : access(target, 'read', 'export'),
    ...steeringOf(steering),
    ...(limit === undefined ? {} : { limit }),
    wantsVectors: include.includes(EMBEDDINGS),
    restrict: (restrictions) => {
      const { limitMax } = restrictions;
      const isLong = limitMax !== undefined && (limit === undefined || limit > limitMax);
      const cut = isLong ? { limit: String(limitMax) } : {};
      return restrictRead({ call, body, steering }, restrictions, cut);
    },
    maskAnswer: maskRecords,
  };
}

/** `{"$and": []}` fits every record (tried on a server), and so does what is made of it. */
function isChoosing(node: JsonNode | undefined): boolean {
  const all = member(node, '$and');
  if (all?.kind === 'array') return all.items.some(isChoosing);
  const any = member(node, '$or');
  return any?.kind === 'array' ? any.items.every(isChoosing) : node !== undefined;
}

/** Each of its embeddings is a query of its own, and gives `n_results` records. */
export function readQuery(call: Call): ReadRequest {
  const body = readBody(call.body);
  optionalTexts(body, 'ids');
  const include = optionalTexts(body, 'include') ?? [];
  const queryCount = optionalItems(body, 'query_embeddings')?.length ?? 0;
  const resultCount = optionalCount(body, 'n_results') ?? RESULTS_DEFAULT;
  const steering = readSteering(body, QUERY_KEYS);
  return {
    route: call.route,
    accesses: access(collectionById(call), 'search'),
    ...steeringOf(steering),
    limit: resultCount * queryCount,
    wantsVectors: include.includes(EMBEDDINGS),
    restrict: (restrictions) => {
      const most = shareOf(restrictions.limitMax, queryCount);
      if (most === 0) return tooManyQueries(restrictions.limitMax);
      const cut = resultCount > most ? { n_results: String(most) } : {};
      return restrictRead({ call, body, steering }, restrictions, cut);
    },
    maskAnswer: maskRecords,
  };
}

/** Records for each of `count` queries in one request; Infinity: no limit. */
export function shareOf(limitMax: number | undefined, count: number): number {
  return limitMax === undefined ? Infinity : Math.floor(limitMax / Math.max(count, 1));
}

export function tooManyQueries(limitMax: number | undefined): string {
  return `a rule gives you ${limitMax ?? 0} records for one request, and this one has more queries than that`;
}

interface Read {
  readonly call: Call;
  readonly body: JsonObject;
  readonly steering: Steering;
}

function restrictRead(
  { call, body, steering }: Read,
  restrictions: Restrictions,
  cut: Members,
): RestrictedRequest | string {
  if (steering.hasUnknown) return refuseUnknown();
  const edits = setMembers(body, {
    ...cut,
    ...addFilter(body, 'where', restrictions.filter, call.body),
    ...(restrictions.hidesVectors ? withoutEmbeddings(body) : {}),
  });
  return edits.length === 0 ? {} : { body: spliceJson(call.body, edits) };
}

/** Where `include` is left out the server gives none. */
function withoutEmbeddings(body: JsonObject): Members {
  const include = optionalTexts(body, 'include');
  if (include === undefined || !include.includes(EMBEDDINGS)) return {};
  const others = include.filter((one) => one !== EMBEDDINGS);
  return { include: JSON.stringify(others) };
}

/** What it answers, the number of records that were deleted, tells as much as a count under its filter. */
export function readDelete(call: Call): ReadRequest {
  const body = readBody(call.body);
  optionalTexts(body, 'ids');
  optionalCount(body, 'limit');
  const steering = readSteering(body, DELETE_KEYS);
  return {
    route: call.route,
    accesses: access(collectionById(call), 'delete'),
    ...steeringOf(steering),
    restrict: ({ filter }) => {
      if (filter.length === 0) return {};
      if (steering.hasUnknown) return refuseUnknown();
      // Nothing is deleted by nothing; with the filter alone it would be all of the caller's records.
      const isPicked = FILTER_KEYS.some((key) => optional(body, key) !== undefined);
      if (!isPicked) return {};
      const edits = setMembers(body, addFilter(body, 'where', filter, call.body));
      return { body: spliceJson(call.body, edits) };
    },
    maskAnswer: maskErrors,
  };
}

export function readCount(call: Call): ReadRequest {
  const reason =
    "Chroma's count takes no filter, so it would tell how many records there are in all; get with a filter and include = [] counts yours";
  return plainRequest(call, access(collectionById(call), 'count'), reason);
}
