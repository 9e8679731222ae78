/**
 * Masks and checks the answers of Milvus' REST interface: `{"code":0,"data":[{field: value}]}`. Names of columns
 * are keys there; which of them is the id is not said.
 */

import type { FieldMasks, RecordFilter } from '../store.ts';
import type { JsonNode, JsonPlan } from '../wire/json.ts';
import { maskJson, member, readJson, spliceJson } from '../wire/json.ts';
import { restMasks } from './column-names.ts';

const ROWS: JsonPlan = { record: [] };
const ANSWER: JsonPlan = {
  keys: new Map<string, JsonPlan>([
    ['code', 'pass'],
    ['cost', 'pass'],
    ['topks', 'pass'],
    ['recalls', 'pass'],
    ['message', 'detect'],
    ['data', ROWS],
  ]),
  // What newer servers may put beside them.
  other: { record: [] },
};

export function maskRestRows(body: Buffer, masks: FieldMasks): Buffer {
  return maskJson(body, ANSWER, restMasks(masks));
}

/** `data.fields[]`: `{"name": "email", "defaultValue": ...}`. */
export function maskRestDescription(body: Buffer, masks: FieldMasks): Buffer {
  if (body.length === 0) return body;
  const fields = member(readJson(body, 'server'), 'data', 'fields');
  if (fields?.kind !== 'array') return body;
  const edits = fields.items.flatMap((field) => {
    const name = member(field, 'name');
    const value = member(field, 'defaultValue');
    if (name?.kind !== 'string' || value === undefined) return [];
    if (masks.maskOf([name.text]) === undefined) return [];
    return [{ start: value.start, end: value.end, text: 'null' }];
  });
  return edits.length === 0 ? body : spliceJson(body, edits);
}

/** Rows outside the filter are taken out; where it cannot be told, nothing is left. */
export function keepRowsWithin(body: Buffer, filter: RecordFilter): Buffer | string {
  const data = member(readJson(body, 'server'), 'data');
  if (data === undefined || data.kind === 'null') return body;
  if (data.kind === 'array' && data.count === 0) return body;
  if (data.kind !== 'array' || data.isPacked) {
    return 'the records that came back cannot be checked against the filter';
  }
  const kept = data.items.filter((row) => filter.every((one) => hasValue(row, one)));
  if (kept.length === data.items.length) return body;
  const rows = kept.map(({ start, end }) => body.toString('utf8', start, end));
  return spliceJson(body, [{ start: data.start, end: data.end, text: `[${rows.join(',')}]` }]);
}

function hasValue(row: JsonNode, { field, value }: RecordFilter[number]): boolean {
  const found = member(row, field);
  return found?.kind === 'string' && found.text === value;
}
