/**
 * Search, HybridSearch and Query over gRPC: what they ask for, by which fields, how many records,
 * and the same under a filter and a limit. Masks are in `answers.ts`.
 */

import type { Restrictions, StoreAccess } from '../store.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import type { ProtoEdit, ProtoField } from '../wire/protobuf.ts';
import {
  encodeBytes,
  encodeString,
  encodeVarint,
  readFields,
  spliceFields,
} from '../wire/protobuf.ts';
import type { Asked } from './answers.ts';
import { maskQueryResults, maskSearchResults } from './answers.ts';
import { filterExpression, isFieldName, restrictExpression } from './expressions.ts';
import { accessTo, accessesAt, collectionOf, databaseName, unpackVarints } from './names.ts';
import type { RequestMessage } from './request-reader.ts';
import {
  broken,
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
/** Servers look at the first, at the second where it is missing, and iterators at the third instead of both. */
const COUNTS = ['topk', 'limit', 'search_iter_batch_size'];
const PLAIN_COUNT = /^[0-9]{1,9}$/;

/** What a request is under restrictions: edits in its bytes, or why not. */
type Edits = { readonly edits: readonly ProtoEdit[] } | { readonly why: string };

export interface DataContext {
  readonly route: string;
  readonly place: RpcPlace;
  /** Of a request that names none. */
  readonly database: string;
}

export function readQuery(message: RequestMessage, context: DataContext): ReadRequest {
  const parameters = pairsOf(message, 'query_params');
  const outputs = textsOf(message, 'output_fields');
  const isCount = isCounting(message);
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
    restrict: (restrictions) => finish(message, restrictQuery(message, restrictions)),
    maskAnswer: (body, masks) => maskQueryResults(body, masks, asked),
    checkAnswer: (body, restrictions) =>
      restrictions.hidesVectors ? withoutVectors(body, 'query') : body,
  };
}

function asCount(access: StoreAccess): StoreAccess {
  return accessTo('count', access.target);
}

function described(
  { route }: DataContext,
  accesses: readonly StoreAccess[],
  steering: Steering,
): Described {
  return { route, ...steering.describe(accesses) };
}

type Described = Pick<ReadRequest, 'route' | 'accesses' | 'steering' | 'steersAny' | 'carries'>;

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

function finish(message: RequestMessage, result: Edits): RestrictedRequest | string {
  if ('why' in result) return result.why;
  const { edits } = result;
  return edits.length === 0 ? {} : { body: spliceFields(message.bytes, edits) };
}

function both(one: Edits, other: Edits): Edits {
  if ('why' in one) return one;
  return 'why' in other ? other : { edits: [...one.edits, ...other.edits] };
}

function restrictQuery(message: RequestMessage, restrictions: Restrictions): Edits {
  const filtered = addFilter(message, 'expr', restrictions);
  const { limitMax } = restrictions;
  // Milvus refuses a count that has a limit.
  if (limitMax === undefined || isCounting(message)) return filtered;
  return both(filtered, capParameter(message, 'query_params', 'limit', limitMax));
}

/** It gives out one number. With groups, or other columns beside it, it reads. */
function isCounting(message: RequestMessage): boolean {
  const outputs = textsOf(message, 'output_fields');
  const isGrouped = pairsOf(message, 'query_params').has('group_by_fields');
  return !isGrouped && outputs.length > 0 && outputs.every((name) => COUNT.test(name));
}

/** The expression in that field, and the filter. */
function addFilter(message: RequestMessage, field: string, { filter }: Restrictions): Edits {
  if (filter.length === 0) return { edits: [] };
  const condition = filterExpression(filter);
  if ('why' in condition) return condition;
  const restricted = restrictExpression(textOf(message, field), condition.text);
  if ('why' in restricted) return restricted;
  return { edits: [editOf(message, field, restricted.text)] };
}

/** A text field set, in place or at the end. */
export function editOf(message: RequestMessage, field: string, text: string): ProtoEdit {
  const [old] = fieldsOf(message, field);
  return place(message, old, encodeString(numberOfField(message, field), text));
}

function place(message: RequestMessage, old: ProtoField | undefined, bytes: Buffer): ProtoEdit {
  const end = message.bytes.length;
  return { start: old?.start ?? end, end: old?.end ?? end, bytes };
}

function capParameter(message: RequestMessage, list: string, key: string, max: number): Edits {
  const asked = pairsOf(message, list).get(key);
  if (asked !== undefined && isWithin(asked, max)) return { edits: [] };
  const index = messagesOf(message, list).findIndex((pair) => textOf(pair, 'key') === key);
  const pair = Buffer.concat([encodeString(1, key), encodeString(2, String(max))]);
  const bytes = encodeBytes(numberOfField(message, list), pair);
  return { edits: [place(message, fieldsOf(message, list)[index], bytes)] };
}

function isWithin(text: string, max: number): boolean {
  return PLAIN_COUNT.test(text) && Number(text) <= max && Number(text) > 0;
}

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
    ...searchLimit(parameters, factorOf(message, parameters)),
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => finish(message, restrictSearch(message, restrictions)),
    maskAnswer: (body, masks) => maskSearchResults(body, masks, asked),
    checkAnswer: (body, restrictions) =>
      restrictions.hidesVectors ? withoutVectors(body, 'search') : body,
  };
}

function searchLimit(parameters: ReadonlyMap<string, string>, factor: number): { limit?: number } {
  const limits = COUNTS.flatMap((key) => limitOf(parameters.get(key)).limit ?? []);
  return limits.length === 0 ? {} : { limit: Math.max(...limits) * factor };
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

/**
 * A search has answers for each of its vectors, and perhaps several records in each group. Servers count the
 * vectors themselves where `nq` does not say how many there are.
 */
function factorOf(message: RequestMessage, parameters: ReadonlyMap<string, string>): number {
  const counts = [Number(numberOf(message, 'nq')), ...vectorCounts(message), idCount(message)];
  return Math.max(1, ...counts) * groupSize(parameters);
}

/** Some servers read it as JSON, others as digits: what is no plain number may be any. */
function groupSize(parameters: ReadonlyMap<string, string>): number {
  const text = parameters.get('group_size') ?? '1';
  if (!PLAIN_COUNT.test(text)) throw broken('MILVUS_PARAMETER', 'group_size is no plain number');
  return Math.max(1, Number(text));
}

/** A search by ids goes by the vector of each. */
function idCount(message: RequestMessage): number {
  return messagesOf(message, 'ids')
    .flatMap((ids) => [...messagesOf(ids, 'int_id'), ...messagesOf(ids, 'str_id')])
    .flatMap((list) => fieldsOf(list, 'data').map((field) => ({ list, field })))
    .reduce((sum, { list, field }) => {
      const isPacked = list.shape.name === 'LongArray' && field.wireType === 2;
      return sum + (isPacked ? unpackVarints(field.value).length : 1);
    }, 0);
}

/** PlaceholderGroup { 1 placeholders { 3 values } } of common.proto. */
function vectorCounts(message: RequestMessage): number[] {
  return fieldsOf(message, 'placeholder_group').flatMap((group) =>
    insideOf(group, 1).map((placeholder) => insideOf(placeholder, 3).length),
  );
}

function insideOf({ value }: ProtoField, number: number): ProtoField[] {
  return Buffer.isBuffer(value) ? readFields(value).filter((field) => field.number === number) : [];
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

function restrictSearch(message: RequestMessage, restrictions: Restrictions): Edits {
  const { limitMax } = restrictions;
  const filtered = filterSearch(message, restrictions);
  if (limitMax === undefined) return filtered;
  const unlimited = whyUnlimited(message);
  if (unlimited !== undefined) return { why: unlimited };
  const parameters = pairsOf(message, 'search_params');
  const max = Math.floor(limitMax / factorOf(message, parameters));
  if (max < 1) return { why: `a search may give out ${limitMax} records at most` };
  const known = COUNTS.filter((key) => parameters.has(key));
  return (known.length === 0 ? ['topk'] : known)
    .map((key) => capParameter(message, 'search_params', key, max))
    .reduce(both, filtered);
}

/** `sub_reqs` is what servers send to one another. */
function whyUnlimited(message: RequestMessage): string | undefined {
  const field = ['search_aggregation', 'sub_reqs'].find((name) => {
    return messagesOf(message, name).length > 0;
  });
  return field && `how many records a search with ${field} gives out cannot be limited`;
}

function filterSearch(message: RequestMessage, restrictions: Restrictions): Edits {
  if (restrictions.filter.length === 0) return { edits: [] };
  // Records by their id, and searches inside that only servers send to one another.
  for (const field of ['ids', 'search_by_primary_keys', 'sub_reqs']) {
    if (fieldsOf(message, field).some(({ value }) => value !== 0)) {
      return { why: `a filter cannot be added to a search with ${field}` };
    }
  }
  const [type] = fieldsOf(message, 'dsl_type');
  const isBoolean = Number(numberOf(message, 'dsl_type')) === BOOLEAN_EXPRESSION;
  if (!isBoolean && (type !== undefined || textOf(message, 'dsl') !== '')) {
    return { why: 'a filter cannot be added to one in the old JSON form' };
  }
  const filtered = addFilter(message, 'dsl', restrictions);
  if (isBoolean) return filtered;
  const bytes = encodeVarint(numberOfField(message, 'dsl_type'), BOOLEAN_EXPRESSION);
  return both(filtered, { edits: [place(message, undefined, bytes)] });
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
    restrict: (restrictions) => finish(message, restrictHybrid(message, restrictions)),
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

/** Groups are asked for by the whole, and by older clients in its parts. */
function hybridFactor(
  parts: readonly RequestMessage[],
  ranking: ReadonlyMap<string, string>,
): number {
  const factors = parts.map((part) => factorOf(part, pairsOf(part, 'search_params')));
  return Math.max(1, ...factors) * groupSize(ranking);
}

function restrictHybrid(message: RequestMessage, restrictions: Restrictions): Edits {
  const { limitMax } = restrictions;
  const parts = messagesOf(message, 'requests');
  const fields = fieldsOf(message, 'requests');
  const filtered = parts
    .map((part, index) => editPart(message, fields[index], part, restrictions))
    .reduce(both, { edits: [] });
  if (limitMax === undefined) return filtered;
  const unlimited = parts.map(whyUnlimited).find((why) => why !== undefined);
  if (unlimited !== undefined) return { why: unlimited };
  const max = Math.floor(limitMax / hybridFactor(parts, pairsOf(message, 'rank_params')));
  if (max < 1) return { why: `a search may give out ${limitMax} records at most` };
  return both(filtered, capParameter(message, 'rank_params', 'limit', max));
}

function editPart(
  message: RequestMessage,
  field: ProtoField | undefined,
  part: RequestMessage,
  restrictions: Restrictions,
): Edits {
  const filtered = filterSearch(part, restrictions);
  if ('why' in filtered || filtered.edits.length === 0) return filtered;
  const bytes = spliceFields(part.bytes, filtered.edits);
  return { edits: [place(message, field, encodeBytes(numberOfField(message, 'requests'), bytes))] };
}
