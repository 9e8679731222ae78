/**
 * Search, HybridSearch, Query and CalcDistance over gRPC: what they ask for, by which fields, how many records,
 * and the same under a filter and a limit. Masks are in `answers.ts`.
 */

import type { Restrictions, StoreAccess } from '../store.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { encodeBytes, encodeString, encodeVarint, spliceFields } from '../wire/protobuf.ts';
import type { Asked } from './answers.ts';
import { maskQueryResults, maskSearchResults } from './answers.ts';
import { filterExpression, isFieldName, restrictExpression } from './expressions.ts';
import { accessTo, accessesAt, collectionOf, databaseName } from './names.ts';
import type { RequestMessage } from './request-reader.ts';
import {
  fieldsOf,
  messagesOf,
  numberOf,
  numberOfField,
  pairsOf,
  textOf,
  textsOf,
} from './request-reader.ts';
import type { RpcPlace } from './rpcs.ts';
import {
  Steering,
  bucketFields,
  metricsOf,
  steerByExtras,
  steerByOutputs,
  steerByParameters,
} from './steering.ts';
import { withoutVectors } from './vectors.ts';

/** The current form of expressions (common.DslType); the older one is JSON. */
const BOOLEAN_EXPRESSION = 1;
const COUNT = /^\s*count\s*\(/i;

/** What a request is under restrictions: edits in its bytes, or why not. */
type Edit = { readonly bytes: Buffer } | { readonly why: string };

export interface DataContext {
  readonly route: string;
  readonly place: RpcPlace;
  /** Of a request that names none. */
  readonly database: string;
}

export function readQuery(message: RequestMessage, context: DataContext): ReadRequest {
  const parameters = pairsOf(message, 'query_params');
  const outputs = textsOf(message, 'output_fields');
  const isCount = outputs.some((name) => COUNT.test(name));
  const steering = new Steering();
  steering.expression(textOf(message, 'expr'));
  steerByOutputs(steering, outputs);
  steerByParameters(steering, parameters);
  const asked: Asked = { groups: [], metrics: new Map(), hasChains: false, goesInside: false };
  const accesses = [
    ...accessesAt(context.place, message, context.database),
    ...iteratedAccess(parameters, message, context),
  ];
  return {
    ...described(context, isCount ? accesses.map(asCount) : accesses, steering),
    ...limitOf(parameters.get('limit')),
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => finish(restrictQuery(message, restrictions, parameters)),
    maskAnswer: (body, masks) => maskQueryResults(body, masks, asked),
    checkAnswer: (body, restrictions) =>
      restrictions.hidesVectors ? withoutVectors(body, 'query') : body,
  };
}

/** Counting alone gives out no record; with other columns beside it, it reads. */
function asCount(access: StoreAccess): StoreAccess {
  return accessTo('count', access.target);
}

function described(
  context: DataContext,
  accesses: readonly StoreAccess[],
  steering: Steering,
): Pick<ReadRequest, 'route' | 'accesses' | 'steering' | 'steersAny'> {
  const { any } = steering;
  const base = { route: context.route, accesses, steering: steering.paths };
  return any === undefined ? base : { ...base, steersAny: any };
}

function limitOf(text: string | undefined, factor = 1): { limit?: number } {
  const limit = Number(text);
  if (text === undefined || !Number.isSafeInteger(limit) || limit < 0) return {};
  return { limit: limit * factor };
}

/** Iterators say by number which collection they began on. */
function iteratedAccess(
  parameters: ReadonlyMap<string, string>,
  message: RequestMessage,
  context: DataContext,
): StoreAccess[] {
  const id = parameters.get('collection_id') ?? '';
  if (id === '' || id === '0' || id === '-1') return [];
  const database = databaseName(textOf(message, 'db_name'), context.database);
  const [effect = 'read'] = context.place.effects;
  return [accessTo(effect, { kind: 'id', path: [database, id] })];
}

function finish(edit: Edit): RestrictedRequest | string {
  return 'why' in edit ? edit.why : { body: edit.bytes };
}

function restrictQuery(
  message: RequestMessage,
  restrictions: Restrictions,
  parameters: ReadonlyMap<string, string>,
): Edit {
  const filtered = addFilter(message, 'expr', restrictions);
  if ('why' in filtered || restrictions.limitMax === undefined) return filtered;
  const outputs = textsOf(message, 'output_fields');
  const isOnlyCount = outputs.length > 0 && outputs.every((name) => COUNT.test(name));
  // Milvus refuses a count that has a limit.
  if (isOnlyCount && parameters.get('group_by_fields') === undefined) return filtered;
  return capParameter(message, filtered.bytes, 'query_params', 'limit', restrictions.limitMax);
}

/** The expression in that field, and the filter. */
function addFilter(message: RequestMessage, field: string, { filter }: Restrictions): Edit {
  if (filter.length === 0) return { bytes: message.bytes };
  const condition = filterExpression(filter);
  if ('why' in condition) return condition;
  const restricted = restrictExpression(textOf(message, field), condition.text);
  if ('why' in restricted) return restricted;
  return { bytes: replaceField(message, field, restricted.text) };
}

export function replaceField(message: RequestMessage, field: string, text: string): Buffer {
  const bytes = encodeString(numberOfField(message, field), text);
  const [old] = fieldsOf(message, field);
  const end = message.bytes.length;
  return spliceFields(message.bytes, [
    { start: old?.start ?? end, end: old?.end ?? end, bytes },
  ]);
}

/** `bytes` is the message with changes elsewhere; the parameter is set anew at its end, the old one taken out. */
function capParameter(
  message: RequestMessage,
  bytes: Buffer,
  list: string,
  key: string,
  max: number,
): Edit {
  const asked = pairsOf(message, list).get(key);
  if (asked !== undefined && isWithin(asked, max)) return { bytes };
  const number = numberOfField(message, list);
  const pair = encodeBytes(
    number,
    Buffer.concat([encodeString(1, key), encodeString(2, String(max))]),
  );
  return { bytes: Buffer.concat([withoutPair(bytes, message, list, key), pair]) };
}

function isWithin(text: string, max: number): boolean {
  return /^[0-9]{1,9}$/.test(text) && Number(text) <= max && Number(text) > 0;
}

function withoutPair(bytes: Buffer, message: RequestMessage, list: string, key: string): Buffer {
  const [index = -1] = messagesOf(message, list).flatMap((pair, at) =>
    textOf(pair, 'key') === key ? [at] : [],
  );
  const old = fieldsOf(message, list)[index];
  if (old === undefined) return bytes;
  // The field stands in the changed bytes as it stood in the first ones.
  const field = message.bytes.subarray(old.start, old.end);
  const start = bytes.indexOf(field);
  return start < 0 ? bytes : spliceFields(bytes, [{ start, end: start + field.length, bytes: NONE }]);
}

const NONE = Buffer.alloc(0);

export function readSearch(message: RequestMessage, context: DataContext): ReadRequest {
  const parameters = pairsOf(message, 'search_params');
  const outputs = textsOf(message, 'output_fields');
  const steering = new Steering();
  steerBySearch(steering, message);
  steerByOutputs(steering, outputs);
  const asked = askedOf(message, [message, ...messagesOf(message, 'sub_reqs')]);
  return {
    ...described(
      context,
      [
        ...accessesAt(context.place, message, context.database),
        ...iteratedAccess(parameters, message, context),
      ],
      steering,
    ),
    ...limitOf(parameters.get('topk') ?? parameters.get('limit'), factorOf(message, parameters)),
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => finish(restrictSearch(message, restrictions)),
    maskAnswer: (body, masks) => maskSearchResults(body, masks, asked),
    checkAnswer: (body, restrictions) =>
      restrictions.hidesVectors ? withoutVectors(body, 'search') : body,
  };
}

function steerBySearch(steering: Steering, message: RequestMessage): void {
  const dsl = textOf(message, 'dsl');
  if (dsl !== '' && Number(numberOf(message, 'dsl_type')) !== BOOLEAN_EXPRESSION) {
    steering.all('a filter in the old JSON form');
  } else steering.expression(dsl);
  steerByParameters(steering, pairsOf(message, 'search_params'));
  steerByExtras(steering, message);
  for (const inner of messagesOf(message, 'sub_reqs')) steerBySearch(steering, inner);
}

/** A search has answers for each of its vectors, and perhaps several records in each group. */
function factorOf(message: RequestMessage, parameters: ReadonlyMap<string, string>): number {
  const count = Number(numberOf(message, 'nq'));
  const groupSize = Number(parameters.get('group_size') ?? '1');
  return Math.max(1, count) * (Number.isSafeInteger(groupSize) ? Math.max(1, groupSize) : 1);
}

function askedOf(message: RequestMessage, searches: readonly RequestMessage[]): Asked {
  const lists = searches.map((search) => pairsOf(search, paramsOf(search)));
  const groups = lists.flatMap((pairs) =>
    ['group_by_fields', 'group_by_field'].flatMap((key) => namesIn(pairs.get(key) ?? '')),
  );
  const metrics = metricsOf(message);
  const aggregated = [...metrics.values()].flat();
  const hasPath = [...groups, ...aggregated, ...bucketFields(message)].some(
    (name) => !isFieldName(name) && !COUNT.test(name),
  );
  return {
    groups: [...new Set(groups)],
    metrics,
    hasChains: searches.some((search) => fieldsOf(search, 'function_chains').length > 0),
    goesInside: hasPath || lists.some((pairs) => pairs.has('json_path')),
  };
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function paramsOf(message: RequestMessage): string {
  return message.shape.name === 'HybridSearchRequest' ? 'rank_params' : 'search_params';
}

function restrictSearch(message: RequestMessage, restrictions: Restrictions): Edit {
  const filtered = filterSearch(message, restrictions);
  if ('why' in filtered || restrictions.limitMax === undefined) return filtered;
  if (messagesOf(message, 'search_aggregation').length > 0) {
    return { why: 'how many records an aggregating search gives out cannot be limited' };
  }
  const parameters = pairsOf(message, 'search_params');
  const max = Math.floor(restrictions.limitMax / factorOf(message, parameters));
  if (max < 1) return { why: `a search may give out ${restrictions.limitMax} records at most` };
  const key = parameters.has('topk') || !parameters.has('limit') ? 'topk' : 'limit';
  return capParameter(message, filtered.bytes, 'search_params', key, max);
}

function filterSearch(message: RequestMessage, restrictions: Restrictions): Edit {
  if (restrictions.filter.length === 0) return { bytes: message.bytes };
  // Records by their id, and searches inside that only servers send to one another.
  for (const field of ['ids', 'search_by_primary_keys', 'sub_reqs']) {
    if (fieldsOf(message, field).some(({ value }) => value !== 0)) {
      return { why: `a filter cannot be added to a search with ${field}` };
    }
  }
  const hasDsl = textOf(message, 'dsl') !== '';
  const isBoolean = Number(numberOf(message, 'dsl_type')) === BOOLEAN_EXPRESSION;
  if (hasDsl && !isBoolean) return { why: 'a filter cannot be added to one in the old JSON form' };
  const filtered = addFilter(message, 'dsl', restrictions);
  if ('why' in filtered || isBoolean) return filtered;
  const [type] = fieldsOf(message, 'dsl_type');
  if (type !== undefined) return { why: 'a filter cannot be added to one in the old JSON form' };
  const number = numberOfField(message, 'dsl_type');
  return { bytes: Buffer.concat([filtered.bytes, encodeVarint(number, BOOLEAN_EXPRESSION)]) };
}

export function readHybridSearch(message: RequestMessage, context: DataContext): ReadRequest {
  const parts = messagesOf(message, 'requests');
  const outputs = textsOf(message, 'output_fields');
  const ranking = pairsOf(message, 'rank_params');
  const steering = new Steering();
  for (const part of parts) steerBySearch(steering, part);
  steerByOutputs(steering, outputs);
  steerByParameters(steering, ranking);
  steerByExtras(steering, message);
  const asked = askedOf(message, [message, ...parts]);
  return {
    ...described(context, hybridAccesses(message, parts, context), steering),
    ...limitOf(ranking.get('limit'), hybridFactor(parts, ranking)),
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => finish(restrictHybrid(message, restrictions)),
    maskAnswer: (body, masks) => maskSearchResults(body, masks, asked),
    checkAnswer: (body, restrictions) =>
      restrictions.hidesVectors ? withoutVectors(body, 'search') : body,
  };
}

/** Its parts may name collections of their own; servers that would look there must not find others. */
function hybridAccesses(
  message: RequestMessage,
  parts: readonly RequestMessage[],
  context: DataContext,
): StoreAccess[] {
  const database = databaseName(textOf(message, 'db_name'), context.database);
  const others = parts.flatMap((part) => {
    const name = textOf(part, 'collection_name');
    const its = databaseName(textOf(part, 'db_name'), database);
    return name === '' ? [] : [accessTo('search', collectionOf(its, name))];
  });
  return [...accessesAt(context.place, message, context.database), ...others];
}

function hybridFactor(
  parts: readonly RequestMessage[],
  ranking: ReadonlyMap<string, string>,
): number {
  return Math.max(1, ...parts.map((part) => factorOf(part, ranking)));
}

function restrictHybrid(message: RequestMessage, restrictions: Restrictions): Edit {
  const parts = messagesOf(message, 'requests');
  const fields = fieldsOf(message, 'requests');
  const edits: { start: number; end: number; bytes: Buffer }[] = [];
  for (const [index, part] of parts.entries()) {
    const filtered = filterSearch(part, restrictions);
    if ('why' in filtered) return filtered;
    const field = fields[index];
    if (field !== undefined && filtered.bytes !== part.bytes) {
      const { start, end, number } = field;
      edits.push({ start, end, bytes: encodeBytes(number, filtered.bytes) });
    }
  }
  const bytes = spliceFields(message.bytes, edits);
  if (restrictions.limitMax === undefined) return { bytes };
  const factor = hybridFactor(parts, pairsOf(message, 'rank_params'));
  const max = Math.floor(restrictions.limitMax / factor);
  if (max < 1) return { why: `a search may give out ${restrictions.limitMax} records at most` };
  return capParameter(message, bytes, 'rank_params', 'limit', max);
}

/** VectorsArray { VectorIDs id_array }: stored vectors by their ids, of a collection each. */
export function readCalcDistance(message: RequestMessage, context: DataContext): ReadRequest {
  const ids = ['op_left', 'op_right'].flatMap((side) =>
    messagesOf(message, side).flatMap((array) => messagesOf(array, 'id_array')),
  );
  const accesses = ids.map((one) => {
    const name = textOf(one, 'collection_name');
    const target = name === '' ? undefined : collectionOf(context.database, name);
    return accessTo('search', target);
  });
  return {
    route: context.route,
    accesses,
    steering: [],
    restrict: ({ filter }) =>
      filter.length > 0 && ids.length > 0
        ? 'a filter cannot be added to distances between records by their ids'
        : {},
    maskAnswer: undefined,
  };
}
