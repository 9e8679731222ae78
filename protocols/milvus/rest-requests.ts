/**
 * Requests on records over REST: the same questions as in `data-reads.ts` and `data-writes.ts`, in JSON. Changes
 * are spliced into the body, whose other bytes stay.
 */

import type { RecordFilter, Restrictions, StoreAccess } from '../store.ts';
import type { JsonEdit, JsonNode, JsonObject } from '../wire/json.ts';
import { spliceJson } from '../wire/json.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { NO_UPSERT } from './data-writes.ts';
import { filterExpression, restrictExpression } from './expressions.ts';
import { keepRowsWithin, maskRestRows } from './rest-answers.ts';
import {
  arrayMember,
  checkKeys,
  countMember,
  objectMember,
  objectsMember,
  setMember,
  textMember,
  textsMember,
} from './rest-body.ts';
import type { RestData } from './rest-table.ts';
import { HYBRID_PART_KEYS, RANKING_KEYS, SCORE_KEYS } from './rest-table.ts';
import { Steering, steerByOutputs, steerByParameters } from './steering.ts';

/** What the server takes where the request says nothing (handler_v2.go). */
const LIMIT_DEFAULT = 100;
const COUNT = /^\s*count\s*\(/i;

export interface RestContext {
  readonly route: string;
  readonly accesses: readonly StoreAccess[];
  readonly body: Buffer;
  readonly node: JsonObject;
}

type Edits = { readonly edits: readonly JsonEdit[] } | { readonly why: string };

export function readRestData(kind: RestData, context: RestContext): ReadRequest {
  switch (kind) {
    case 'query':
      return readQuery(context);
    case 'get':
      return readGet(context);
    case 'search':
      return readSearch(context);
    case 'hybrid':
      return readHybrid(context);
    case 'insert':
      return readWrite(context, ({ filter }) => checkRows(context.node, filter) ?? {});
    case 'upsert':
      return readWrite(context, ({ filter }) => (filter.length > 0 ? NO_UPSERT : {}));
    case 'delete':
      return readDelete(context);
  }
}

function described(
  { route, accesses }: RestContext,
  steering: Steering,
): Pick<ReadRequest, 'route' | 'accesses' | 'steering' | 'steersAny' | 'carries'> {
  return { route, ...steering.describe(accesses) };
}

function finish({ body }: RestContext, result: Edits): RestrictedRequest | string {
  if ('why' in result) return result.why;
  return result.edits.length === 0 ? {} : { body: spliceJson(body, result.edits) };
}

function outputsOf(node: JsonObject): readonly string[] | undefined {
  return arrayMember(node, 'outputFields') === undefined
    ? undefined
    : textsMember(node, 'outputFields');
}

/** Columns are told apart by name only, so that nobody can say which are vectors. */
function hidesColumns(outputs: readonly string[], { hidesVectors }: Restrictions): boolean {
  return hidesVectors && !outputs.every((name) => COUNT.test(name));
}

const NO_VECTORS =
  'Weir cannot tell vectors from other fields in REST: ask for no fields, or over gRPC';

function addFilter(node: JsonObject, filter: RecordFilter): Edits {
  if (filter.length === 0) return { edits: [] };
  const condition = filterExpression(filter);
  if ('why' in condition) return condition;
  const restricted = restrictExpression(textMember(node, 'filter'), condition.text);
  if ('why' in restricted) return restricted;
  return { edits: [setMember(node, 'filter', JSON.stringify(restricted.text))] };
}

const COUNTED_ELSEWHERE = 'how many records come is to be said in `limit` and `groupSize` only';

/** `factor`: how many records there may be for each of the count. */
function capLimit(node: JsonObject, factor: number, { limitMax }: Restrictions): Edits {
  if (limitMax === undefined) return { edits: [] };
  const parts = node.members.has('search') ? objectsMember(node, 'search') : [];
  if ([node, ...parts].some(countsElsewhere)) return { why: COUNTED_ELSEWHERE };
  const max = Math.floor(limitMax / factor);
  if (max < 1) return { why: `a request may give out ${limitMax} records at most` };
  const asked = countMember(node, 'limit') ?? LIMIT_DEFAULT;
  if (asked > 0 && asked <= max) {
    return { edits: [] };
  }
  return { edits: [setMember(node, 'limit', String(max))] };
}

/** Inserts at one place come in their order, each with the comma behind it. */
function both(one: Edits, other: Edits): Edits {
  if ('why' in one) return one;
  return 'why' in other ? other : { edits: [...one.edits, ...other.edits] };
}

function readQuery(context: RestContext): ReadRequest {
  const { node } = context;
  const outputs = outputsOf(node) ?? ['*'];
  const isCount = outputs.length > 0 && outputs.every((name) => COUNT.test(name));
  const steering = new Steering();
  steering.expression(textMember(node, 'filter'));
  steerByOutputs(steering, outputs);
  const accesses: readonly StoreAccess[] = isCount
    ? context.accesses.map(({ target }) => ({ effect: 'count', target }))
    : context.accesses;
  return {
    ...described({ ...context, accesses }, steering),
    ...(isCount ? {} : { limit: countMember(node, 'limit') ?? LIMIT_DEFAULT }),
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => {
      if (hidesColumns(outputs, restrictions)) return NO_VECTORS;
      const filtered = addFilter(node, restrictions.filter);
      // Milvus refuses a count that has a limit.
      if (isCount) return finish(context, filtered);
      return finish(context, both(filtered, capLimit(node, 1, restrictions)));
    },
    maskAnswer: maskRestRows,
  };
}

/** By ids there is no filter: what comes back is looked at, which takes the fields of the filter. */
function readGet(context: RestContext): ReadRequest {
  const { node } = context;
  const outputs = outputsOf(node) ?? ['*'];
  const steering = new Steering();
  steerByOutputs(steering, outputs);
  const ids = node.members.get('id');
  const count = ids?.kind === 'array' ? ids.count : 1;
  return {
    ...described(context, steering),
    limit: count,
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => {
      if (hidesColumns(outputs, restrictions)) return NO_VECTORS;
      if (restrictions.limitMax !== undefined && count > restrictions.limitMax) {
        return `a request may give out ${restrictions.limitMax} records at most`;
      }
      return finish(context, withFields(node, outputs, restrictions.filter));
    },
    checkAnswer: (body, { filter }) => {
      const checked = filter.length === 0 ? body : keepRowsWithin(body, filter);
      return typeof checked === 'string'
        ? { kind: 'forbidden', rule: undefined, message: checked }
        : checked;
    },
    maskAnswer: maskRestRows,
  };
}

function withFields(node: JsonObject, outputs: readonly string[], filter: RecordFilter): Edits {
  const nested = filter.find(({ field }) => field.includes('.'));
  if (nested !== undefined) return { why: `"${nested.field}" cannot be checked in this answer` };
  const missing = filter.map(({ field }) => field).filter((field) => !outputs.includes(field));
  if (missing.length === 0 || outputs.includes('*')) return { edits: [] };
  return { edits: [setMember(node, 'outputFields', JSON.stringify([...outputs, ...missing]))] };
}

function readSearch(context: RestContext): ReadRequest {
  const { node } = context;
  const outputs = outputsOf(node) ?? [];
  const steering = new Steering();
  steerBySearch(steering, node, context.body);
  steerByOutputs(steering, outputs);
  const factor = vectorCount(node) * groupSize(node);
  return {
    ...described(context, steering),
    limit: (countMember(node, 'limit') ?? LIMIT_DEFAULT) * factor,
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => {
      if (hidesColumns(outputs, restrictions)) return NO_VECTORS;
      const filtered = addFilter(node, restrictions.filter);
      return finish(context, both(filtered, capLimit(node, factor, restrictions)));
    },
    maskAnswer: maskRestRows,
  };
}

/** Each vector (or text) in `data` has records of its own; v1 has one `vector`. */
function vectorCount(node: JsonObject): number {
  const data = arrayMember(node, 'data');
  return data === undefined || data.isPacked ? 1 : Math.max(1, data.count);
}

function groupSize(node: JsonObject): number {
  return Math.max(1, countMember(node, 'groupSize') ?? 1);
}

function steerBySearch(steering: Steering, node: JsonObject, body: Buffer): void {
  steering.expression(textMember(node, 'filter'));
  steering.fieldList(textMember(node, 'groupingField'));
  for (const key of ['searchParams', 'params']) {
    const parameters = objectMember(node, key);
    if (parameters !== undefined) steerByParameters(steering, textsIn(parameters, body));
  }
  const score = objectMember(node, 'functionScore');
  if (score !== undefined) steerByScore(steering, score);
}

/** Texts as they are, all else as it stands there: lists of fields with their brackets, which no field has. */
function textsIn(node: JsonObject, body: Buffer): Map<string, string> {
  return new Map(
    [...node.members].map(([key, value]) => [
      key,
      value.kind === 'string' ? value.text : body.toString('utf8', value.start, value.end),
    ]),
  );
}

function textOf(node: JsonNode): string {
  return node.kind === 'string' ? node.text : '';
}

/** Parameters of their own may say how many records come, before or after `limit` does. */
function countsElsewhere(node: JsonObject): boolean {
  return ['searchParams', 'params'].some((key) => {
    const names = [...(objectMember(node, key)?.members.keys() ?? [])];
    return names.some((name) =>
      /^(?:top_?k|limit|nq|group_?size|search_iter_batch_size)$/i.test(name),
    );
  });
}

/** Go takes `Functions` for `functions` here, too (MV-10). */
function steerByScore(steering: Steering, score: JsonObject): void {
  checkKeys(score, SCORE_KEYS);
  steerByRanking(steering, score);
  for (const ranking of objectsMember(score, 'functions')) {
    checkKeys(ranking, RANKING_KEYS);
    for (const field of textsMember(ranking, 'inputFieldNames')) steering.expression(field);
    steerByRanking(steering, ranking);
  }
}

function steerByRanking(steering: Steering, ranking: JsonObject): void {
  for (const [key, value] of objectMember(ranking, 'params')?.members ?? []) {
    if (key === 'filter' && value.kind !== 'string') steering.all('a filter that is no text');
    else steering.ranking(key, textOf(value));
  }
}

function readHybrid(context: RestContext): ReadRequest {
  const { node } = context;
  const parts = objectsMember(node, 'search');
  for (const part of parts) checkKeys(part, HYBRID_PART_KEYS);
  const outputs = outputsOf(node) ?? [];
  const steering = new Steering();
  for (const part of parts) steerBySearch(steering, part, context.body);
  steering.fieldList(textMember(node, 'groupingField'));
  const rerank = objectMember(node, 'rerank');
  if (rerank !== undefined) steerByParameters(steering, textsIn(rerank, context.body));
  const score = objectMember(node, 'functionScore');
  if (score !== undefined) steerByScore(steering, score);
  steerByOutputs(steering, outputs);
  const factor = Math.max(1, ...parts.map(vectorCount)) * groupSize(node);
  return {
    ...described(context, steering),
    limit: (countMember(node, 'limit') ?? LIMIT_DEFAULT) * factor,
    wantsVectors: outputs.includes('*'),
    restrict: (restrictions) => {
      if (hidesColumns(outputs, restrictions)) return NO_VECTORS;
      const filtered = parts
        .map((part) => addFilter(part, restrictions.filter))
        .reduce(both, { edits: [] });
      return finish(context, both(filtered, capLimit(node, factor, restrictions)));
    },
    maskAnswer: maskRestRows,
  };
}

function readWrite(
  context: RestContext,
  restrict: (restrictions: Restrictions) => RestrictedRequest | string,
): ReadRequest {
  return { ...described(context, new Steering()), restrict, maskAnswer: undefined };
}

/** Undefined: each row has the filter's values. `data` may be one row. */
function checkRows(node: JsonObject, filter: RecordFilter): string | undefined {
  if (filter.length === 0) return undefined;
  const data = node.members.get('data');
  const rows = data?.kind === 'object' ? [data] : objectsMember(node, 'data');
  if (rows.some((row) => row.members.has('$meta'))) {
    return 'a record with $meta of its own cannot be checked against a filter';
  }
  for (const { field, value } of filter) {
    for (const row of rows) {
      const found = row.members.get(field);
      if (found?.kind !== 'string' || found.text !== value) {
        return `every record must have ${field} as the filter of the rule says`;
      }
    }
  }
  return undefined;
}

function readDelete(context: RestContext): ReadRequest {
  const { node } = context;
  const steering = new Steering();
  steering.expression(textMember(node, 'filter'));
  return {
    ...described(context, steering),
    restrict: ({ filter }) => {
      if (filter.length === 0) return {};
      if (textMember(node, 'filter').trim() === '' || node.members.has('id')) {
        return 'a delete by ids cannot carry a filter: delete by an expression instead';
      }
      return finish(context, addFilter(node, filter));
    },
    maskAnswer: undefined,
  };
}
