/**
 * Chroma's search: several searches in one request, each with a filter, a ranking expression, groups, a
 * limit and a selection. Shapes from the server's OpenAPI and from what its reader takes and refuses; the
 * single-node server reads them and then answers that it cannot search in that way.
 */

import type { Restrictions } from '../store.ts';
import { type JsonEdit, spliceJson } from '../wire/json.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { maskRecords } from './answers.ts';
import {
  asObject,
  type JsonNode,
  type JsonObject,
  optional,
  optionalCount,
  optionalItems,
  optionalObject,
  optionalText,
  optionalTexts,
  readBody,
  wrong,
} from './body.ts';
import {
  addField,
  addFilter,
  checkMembers,
  createSteering,
  readWhere,
  setMembers,
  type Steering,
} from './filters.ts';
import { shareOf, steeringOf, tooManyQueries } from './reads.ts';
import { access, type Call, collectionById, refuseUnknown } from './requests.ts';

const BODY_KEYS: readonly string[] = ['searches', 'read_level'];
const SEARCH_KEYS: readonly string[] = ['filter', 'rank', 'group_by', 'limit', 'select'];
const LIMIT_KEYS: readonly string[] = ['limit', 'offset'];
const GROUP_KEYS: readonly string[] = ['keys', 'aggregate'];
const KNN_KEYS: readonly string[] = ['query', 'key', 'limit', 'default', 'return_rank'];
const EMBEDDING = '#embedding';
/** Keys that stand for no field of a record. */
const OWN_KEYS: readonly string[] = [EMBEDDING, '#score', '#id', '#metadata'];

/** Operators whose operands are ranks again; `$val` and `$knn` are the leaves. */
const RANK_LISTS: readonly string[] = ['$sum', '$mul', '$max', '$min'];
const RANK_PAIRS: readonly string[] = ['$sub', '$div'];
const RANK_SINGLES: readonly string[] = ['$abs', '$exp', '$log'];

export function readSearch(call: Call): ReadRequest {
  const body = readBody(call.body);
  const searches = (optionalItems(body, 'searches') ?? []).map((one) => asObject(one, 'a search'));
  const steering = createSteering();
  checkMembers(body, BODY_KEYS, steering);
  const limits = searches.map((one) => readOne(one, steering));
  const known = limits.filter((one) => one !== undefined);
  return {
    route: call.route,
    accesses: access(collectionById(call), 'search'),
    ...steeringOf(steering),
    ...(known.length === limits.length ? { limit: known.reduce((sum, one) => sum + one, 0) } : {}),
    wantsVectors: searches.some((one) => selectedKeys(one).includes(EMBEDDING)),
    restrict: (restrictions) => restrictSearches(call, searches, steering, restrictions),
    maskAnswer: maskRecords,
  };
}

/** Gives its limit. */
function readOne(search: JsonObject, steering: Steering): number | undefined {
  checkMembers(search, SEARCH_KEYS, steering);
  const filter = optional(search, 'filter');
  if (filter !== undefined) {
    readWhere(filter, steering);
    checkFilterForm(asObject(filter, 'a filter'), steering);
  }
  const rank = optional(search, 'rank');
  if (rank !== undefined) readRank(rank, steering);
  const groupBy = optionalObject(search, 'group_by');
  if (groupBy !== undefined) readGroups(groupBy, steering);
  selectedKeys(search);
  const limit = optionalObject(search, 'limit');
  if (limit === undefined) return undefined;
  checkMembers(limit, LIMIT_KEYS, steering);
  optionalCount(limit, 'offset');
  return optionalCount(limit, 'limit');
}

/** The OpenAPI writes a filter as these two members, while the server (1.3) takes them for fields: it may be either. */
const FILTER_PARTS: readonly string[] = ['query_ids', 'where_clause'];

function checkFilterForm({ members }: JsonObject, steering: Steering): void {
  if (!FILTER_PARTS.some((key) => members.has(key))) return;
  steering.hasUnknown = true;
  steering.unclear = 'its filter may be read in two ways';
}

function readRank(node: JsonNode, steering: Steering): void {
  for (const [operator, operand] of asObject(node, 'a rank').members) {
    if (operator === '$knn') readKnn(asObject(operand, operator), steering);
    else if (RANK_SINGLES.includes(operator)) readRank(operand, steering);
    else if (RANK_PAIRS.includes(operator)) {
      for (const side of asObject(operand, operator).members.values()) readRank(side, steering);
    } else if (RANK_LISTS.includes(operator)) {
      if (operand.kind !== 'array' || operand.isPacked)
        throw wrong(`${operator} is not an array of ranks`);
      for (const item of operand.items) readRank(item, steering);
    } else if (operator !== '$val') {
      steering.unclear = 'its rank has an operator that Weir does not know';
    }
  }
}

/** Its key is the embedding, or a field with sparse vectors. */
function readKnn(knn: JsonObject, steering: Steering): void {
  checkMembers(knn, KNN_KEYS, steering);
  addKeys([optionalText(knn, 'key') ?? EMBEDDING], steering);
}

/** `keys` make the groups; the aggregate's own keys order inside of each. */
function readGroups(groupBy: JsonObject, steering: Steering): void {
  checkMembers(groupBy, GROUP_KEYS, steering);
  addKeys(optionalTexts(groupBy, 'keys') ?? [], steering);
  const aggregate = optionalObject(groupBy, 'aggregate');
  for (const value of aggregate?.members.values() ?? []) {
    addKeys(optionalTexts(asObject(value, 'an aggregate'), 'keys') ?? [], steering);
  }
}

function addKeys(keys: readonly string[], steering: Steering): void {
  for (const key of keys) if (!OWN_KEYS.includes(key)) addField(steering, key);
}

function selectedKeys(search: JsonObject): readonly string[] {
  const select = optionalObject(search, 'select');
  return select === undefined ? [] : (optionalTexts(select, 'keys') ?? []);
}

function restrictSearches(
  call: Call,
  searches: readonly JsonObject[],
  steering: Steering,
  restrictions: Restrictions,
): RestrictedRequest | string {
  if (steering.hasUnknown) return refuseUnknown();
  const most = shareOf(restrictions.limitMax, searches.length);
  if (most === 0) return tooManyQueries(restrictions.limitMax);
  const edits = searches.flatMap((search) => cutDown(search, most, restrictions, call.body));
  return edits.length === 0 ? {} : { body: spliceJson(call.body, edits) };
}

function cutDown(
  search: JsonObject,
  most: number,
  { filter, hidesVectors }: Restrictions,
  bytes: Buffer,
): JsonEdit[] {
  const limit = optionalObject(search, 'limit');
  const asked = limit === undefined ? undefined : optionalCount(limit, 'limit');
  const isLong = most !== Infinity && (asked === undefined || asked > most);
  const own = isLong && limit === undefined ? { limit: `{"limit":${most}}` } : {};
  return [
    ...setMembers(search, { ...own, ...addFilter(search, 'filter', filter, bytes) }),
    ...(isLong && limit !== undefined ? setMembers(limit, { limit: String(most) }) : []),
    ...(hidesVectors ? withoutEmbedding(search) : []),
  ];
}

function withoutEmbedding(search: JsonObject): JsonEdit[] {
  const select = optionalObject(search, 'select');
  const keys = selectedKeys(search);
  if (select === undefined || !keys.includes(EMBEDDING)) return [];
  const others = keys.filter((key) => key !== EMBEDDING);
  return setMembers(select, { keys: JSON.stringify(others) });
}
