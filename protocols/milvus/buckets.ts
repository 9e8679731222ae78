/**
 * Masks the buckets of an aggregating search: keys, aggregates, and the records that are shown for each.
 *
 *   AggBucket { 1 key, 2 count, 3 metrics map, 4 hits, 5 sub_groups AggBucket }
 *   BucketKeyEntry { 1 field_id, 2 field_name, 3 int_val, 4 string_val, 5 bool_val }
 *   AggHit { 1 int_pk, 2 str_pk, 3 score, 4 fields }
 *   AggHitField { 1 field_id, 2 field_name, 3 int, 4 bool, 5 float, 6 double, 7 string_val, 8 bytes_val }
 *   MetricValue { 1 int_val, 2 double_val, 3 string_val, 4 bool_val }
 */

import { ProtocolError } from '../errors.ts';
import type { FieldMasks } from '../store.ts';
import { maskJson } from '../wire/json.ts';
import type { ProtoEdit, ProtoLeaf, ProtoMap, ProtoPlan } from '../wire/protobuf.ts';
import {
  OTHER_FIELDS,
  decodeString,
  dropField,
  encodeString,
  forEachField,
  keepField,
  mapPlan,
  rewriteMessage,
  spliceFields,
} from '../wire/protobuf.ts';
import type { ColumnMask } from './column-names.ts';
import { castMask, columnMask, maskText, unclearMask } from './column-names.ts';

/** Where a message has its values: the field with text, the one with JSON, those that say what it is. */
interface Shape {
  readonly text: number;
  readonly json?: number;
  readonly kept: readonly number[];
}

const KEY: Shape = { text: 4, kept: [1, 2] };
const HIT_FIELD: Shape = { text: 7, json: 8, kept: [1, 2] };
const METRIC: Shape = { text: 3, kept: [] };

/** What the request said: its aggregates by their names, and whether it went inside JSON. */
export interface Aggregation {
  readonly metrics: ReadonlyMap<string, readonly string[]>;
  readonly goesInside: boolean;
}

export function maskBucket(bytes: Buffer, masks: FieldMasks, asked: Aggregation): Buffer {
  const { metrics, goesInside } = asked;
  const hit: ProtoPlan = new Map<number, ProtoLeaf>([
    [2, keepField],
    [4, (field) => maskNamed(field, masks, HIT_FIELD, false)],
    [OTHER_FIELDS, dropField],
  ]);
  const metric: ProtoLeaf = (value, path) => {
    return maskValue(value, metricMask(metrics.get(path.at(-1) ?? ''), masks, goesInside), METRIC);
  };
  return rewriteMessage(
    bytes,
    new Map<number, ProtoPlan | ProtoLeaf | ProtoMap>([
      [1, (key) => maskNamed(key, masks, KEY, goesInside)],
      [3, mapPlan(metric)],
      [4, hit],
      [5, (bucket) => maskBucket(bucket, masks, asked)],
      [OTHER_FIELDS, dropField],
    ]),
  );
}

/** Under one name there may be several fields, at several levels: each counts. */
function metricMask(
  fields: readonly string[] | undefined,
  masks: FieldMasks,
  isCast: boolean,
): ColumnMask {
  if (fields === undefined) return unclearMask(masks);
  const found = fields.map((field) => valueMask(field, masks, isCast));
  return found.find(({ byName }) => byName !== undefined) ?? found[0] ?? unclearMask(masks);
}

/** The whole of `$meta` is no value of a group. */
function valueMask(name: string, masks: FieldMasks, isCast: boolean): ColumnMask {
  const mask = columnMask(name, masks);
  return isCast || name === '$meta' ? castMask(mask) : mask;
}

function maskNamed(bytes: Buffer, masks: FieldMasks, shape: Shape, isCast: boolean): Buffer {
  const names: string[] = [];
  forEachField(
    bytes,
    (field) => {
      if (field.number === 2 && field.wireType === 2) {
        names.push(decodeString(field.value, 'server'));
      }
    },
    'server',
  );
  if (names.length > 1) {
    throw new ProtocolError('MILVUS_NAME', 'server', 'a name that comes twice');
  }
  return maskValue(bytes, valueMask(names[0] ?? '', masks, isCast), shape);
}

/** Under a mask by name a number goes: without it the value is unset, which clients show as none. */
function maskValue(bytes: Buffer, mask: ColumnMask, shape: Shape): Buffer {
  const edits: ProtoEdit[] = [];
  forEachField(
    bytes,
    ({ number, wireType, value, start, end }) => {
      if (shape.kept.includes(number)) return;
      const replace = (replacement: Buffer): void => {
        edits.push({ start, end, bytes: replacement });
      };
      if (number === shape.text && wireType === 2) {
        const text = value.toString('utf8');
        const masked = maskText(text, mask);
        if (masked !== text) replace(masked === null ? NONE : encodeString(number, masked));
      } else if (number === shape.json && wireType === 2) replace(jsonField(number, value, mask));
      else if (wireType === 2 || mask.byName !== undefined) replace(NONE);
    },
    'server',
  );
  return spliceFields(bytes, edits);
}

const NONE = Buffer.alloc(0);

function jsonField(number: number, value: Buffer, mask: ColumnMask): Buffer {
  const masked = maskJson(value, { value: mask.path }, mask.inside);
  return encodeString(number, masked.toString('utf8'));
}
