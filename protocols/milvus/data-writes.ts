/**
 * Insert, Upsert and Delete over gRPC, and whether what they write lies inside a filter. Columns are checked
 * value by value; the dynamic column row by row.
 */

import type { FieldPath, RecordFilter, Restrictions } from '../store.ts';
import type { JsonNode } from '../wire/json.ts';
import { readJson } from '../wire/json.ts';
import { spliceFields } from '../wire/protobuf.ts';
import type { ReadRequest } from '../wire/store-product.ts';
import type { DataContext } from './data-reads.ts';
import { editOf } from './data-reads.ts';
import { filterExpression, restrictExpression } from './expressions.ts';
import { accessesAt } from './names.ts';
import type { RequestMessage } from './request-reader.ts';
import { fieldsOf, messagesOf, numberOf, textOf, textsOf } from './request-reader.ts';
import { Steering } from './steering.ts';

const NO_STEERING: readonly FieldPath[] = [];
/** Another tenant's record of the same id would be replaced, and there is no asking first. */
export const NO_UPSERT =
  'an upsert may replace records outside the filter; insert and delete instead';

export function readInsert(message: RequestMessage, context: DataContext): ReadRequest {
  return {
    route: context.route,
    accesses: accessesAt(context.place, message, context.database),
    steering: NO_STEERING,
    restrict: ({ filter }) => checkInsert(message, filter) ?? {},
    maskAnswer: undefined,
  };
}

export function readUpsert(message: RequestMessage, context: DataContext): ReadRequest {
  return {
    ...readInsert(message, context),
    restrict: ({ filter }) => (filter.length > 0 ? NO_UPSERT : {}),
  };
}

/** How many were deleted tells whether there were any: its expression steers like that of a query. */
export function readDelete(message: RequestMessage, context: DataContext): ReadRequest {
  const steering = new Steering();
  steering.expression(textOf(message, 'expr'));
  const { doubt } = steering;
  return {
    route: context.route,
    accesses: accessesAt(context.place, message, context.database),
    steering: steering.paths,
    ...(doubt === undefined ? {} : { steersAny: doubt }),
    restrict: (restrictions) => restrictDelete(message, restrictions),
    maskAnswer: undefined,
  };
}

function restrictDelete(
  message: RequestMessage,
  { filter }: Restrictions,
): { body?: Buffer } | string {
  if (filter.length === 0) return {};
  const expression = textOf(message, 'expr');
  if (expression.trim() === '') return 'a delete without an expression cannot carry a filter';
  const condition = filterExpression(filter);
  if ('why' in condition) return condition.why;
  const restricted = restrictExpression(expression, condition.text);
  if ('why' in restricted) return restricted.why;
  return { body: spliceFields(message.bytes, [editOf(message, 'expr', restricted.text)]) };
}

/** Undefined: every row has the filter's values. */
function checkInsert(message: RequestMessage, filter: RecordFilter): string | undefined {
  const columns = messagesOf(message, 'fields_data');
  const count = Number(numberOf(message, 'num_rows'));
  for (const { field, value } of filter) {
    const why = checkField(columns, count, field, value);
    if (why !== undefined) return why;
  }
  return undefined;
}

function checkField(
  columns: readonly RequestMessage[],
  count: number,
  field: string,
  value: string,
): string | undefined {
  const outside = `every record must have ${field} as the filter of the rule says`;
  if (field.includes('.')) return `Weir cannot check "${field}" in what is inserted into Milvus`;
  // Without columns there are no records; a server may count those itself where `num_rows` says none.
  let isThere = columns.length === 0;
  for (const column of columns) {
    const name = textOf(column, 'field_name');
    if (isDynamic(column, name)) {
      const found = rowsWith(column, field, value);
      if (found === 'other') return outside;
      // All rows of the dynamic column have it.
      if (found === count) isThere = true;
    } else if (name === field) {
      if (!hasOnly(column, count, value)) return outside;
      isThere = true;
    }
  }
  return isThere ? undefined : outside;
}

function isDynamic(column: RequestMessage, name: string): boolean {
  return name === '$meta' || numberOf(column, 'is_dynamic') !== 0;
}

function scalarTexts(column: RequestMessage): string[] {
  return messagesOf(column, 'scalars')
    .flatMap((scalars) => messagesOf(scalars, 'string_data'))
    .flatMap((list) => textsOf(list, 'data'));
}

function hasOnly(column: RequestMessage, count: number, value: string): boolean {
  const texts = scalarTexts(column);
  const flags = fieldsOf(column, 'valid_data');
  const isWhole = flags.every((flag) =>
    flag.wireType === 2 ? flag.value.every((byte) => byte === 1) : flag.value === 1,
  );
  return isWhole && texts.length === count && texts.every((text) => text === value);
}

/** In how many rows it has that value; `other`: in one it has another. */
function rowsWith(column: RequestMessage, field: string, value: string): number | 'other' {
  let count = 0;
  for (const scalars of messagesOf(column, 'scalars')) {
    for (const list of messagesOf(scalars, 'json_data')) {
      for (const row of fieldsOf(list, 'data')) {
        if (row.wireType !== 2 || row.value.length === 0) continue;
        const found = memberOf(readJson(row.value, 'client'), field);
        if (found === undefined) continue;
        if (found.kind !== 'string' || found.text !== value) return 'other';
        count += 1;
      }
    }
  }
  return count;
}

function memberOf(node: JsonNode, key: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.get(key) : undefined;
}
