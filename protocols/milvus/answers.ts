/**
 * Masks the answers of Milvus over gRPC: columns, groups, highlights, buckets of aggregations, default values
 * of fields. Ids, scores and vectors stay. Messages by number, as in milvus.proto and schema.proto; fields that
 * are not named here are taken out, since a newer server may put texts there (vector.md 2.2 and 4, rule 5).
 */

import { ProtocolError } from '../errors.ts';
import type { FieldMasks } from '../store.ts';
import type { ProtoLeaf, ProtoPlan } from '../wire/protobuf.ts';
import {
  OTHER_FIELDS,
  decodeString,
  dropField,
  forEachField,
  keepField,
  rewriteMessage,
} from '../wire/protobuf.ts';
import { maskBucket } from './buckets.ts';
import { columnMask, maskText } from './column-names.ts';
import { maskColumn } from './columns.ts';

/** What the request said that its answer does not. */
export interface Asked {
  /** By which fields it groups; a column of groups may come without a name. */
  readonly groups: readonly string[];
  /** Aggregates by the names that the request gave them, with their fields. */
  readonly metrics: ReadonlyMap<string, readonly string[]>;
  /** It makes new columns out of others, so that nobody can say what is in them. */
  readonly hasChains: boolean;
  /** It groups by something inside JSON, whose values come back under the name of the whole. */
  readonly goesInside: boolean;
}

type Leaves = Map<number, ProtoPlan | ProtoLeaf>;

function kept(...fields: readonly number[]): [number, ProtoLeaf][] {
  return fields.map((field) => [field, keepField]);
}

/** common.Status { 2 reason, 5 detail, 6 extra_info }: texts for people, which may quote values. */
function statusPlan(masks: FieldMasks): ProtoPlan {
  const { detect } = masks;
  if (detect === undefined) return new Map();
  const leaf: ProtoLeaf = (bytes) => {
    const text = bytes.toString('utf8');
    const masked = detect(text);
    return masked === text ? bytes : Buffer.from(masked, 'utf8');
  };
  return new Map<number, ProtoPlan | ProtoLeaf>([
    [2, leaf],
    [5, leaf],
  ]);
}

/** QueryResults { 1 status, 2 fields_data, 3 collection_name, 4 output_fields, 6 primary_field_name, 7 element_indices } */
export function maskQueryResults(bytes: Buffer, masks: FieldMasks, asked: Asked): Buffer {
  refuseChains(asked);
  const primary = textField(bytes, 6);
  const plan: Leaves = new Map<number, ProtoPlan | ProtoLeaf>([
    [1, statusPlan(masks)],
    [2, (column) => maskColumn(column, { masks, primary })],
    ...kept(3, 4, 6, 7),
    [OTHER_FIELDS, dropField],
  ]);
  return rewriteMessage(bytes, plan);
}

/** SearchResults { 1 status, 2 results, 3 collection_name } */
export function maskSearchResults(bytes: Buffer, masks: FieldMasks, asked: Asked): Buffer {
  refuseChains(asked);
  const plan: Leaves = new Map<number, ProtoPlan | ProtoLeaf>([
    [1, statusPlan(masks)],
    [2, (data) => maskResultData(data, masks, asked)],
    ...kept(3),
    [OTHER_FIELDS, dropField],
  ]);
  return rewriteMessage(bytes, plan);
}

/**
 * SearchResultData { 3 fields_data, 4 scores, 5 ids, 6 topks, 7 output_fields, 8 group_by_field_value,
 *   10 distances, 11 search_iterator_v2_results, 12 recalls, 13 primary_field_name, 14 highlight_results,
 *   15 element_indices, 17 group_by_field_values, 18 agg_buckets, 19 agg_topks }
 */
function maskResultData(bytes: Buffer, masks: FieldMasks, asked: Asked): Buffer {
  const primary = textField(bytes, 13);
  let groupIndex = 0;
  const group: ProtoLeaf = (column) => {
    const name = asked.groups[groupIndex] ?? '';
    groupIndex += 1;
    return maskColumn(column, { masks, primary, name, isCast: asked.goesInside });
  };
  const firstGroup: ProtoLeaf = (column) => {
    const name = asked.groups.length === 1 ? (asked.groups[0] ?? '') : '';
    return maskColumn(column, { masks, primary, name, isCast: asked.goesInside });
  };
  const plan: Leaves = new Map<number, ProtoPlan | ProtoLeaf>([
    [3, (column) => maskColumn(column, { masks, primary })],
    [8, firstGroup],
    [14, (highlight) => maskHighlight(highlight, masks)],
    [17, group],
    [18, (bucket) => maskBucket(bucket, masks, asked)],
    ...kept(4, 5, 6, 7, 10, 11, 12, 13, 15, 19),
    [OTHER_FIELDS, dropField],
  ]);
  return rewriteMessage(bytes, plan);
}

/**
 * HighlightResult { 1 field_name, 2 datas { 1 fragments } }. A fragment is cut where the request says, with its
 * own tags inside, so that no detector can be trusted with it: where there are any, it is left empty.
 */
function maskHighlight(bytes: Buffer, masks: FieldMasks): Buffer {
  const mask = columnMask(textField(bytes, 1), masks);
  const leaf: ProtoLeaf = (fragment) => {
    if (mask.byName === undefined && mask.hasBelow) return Buffer.alloc(0);
    if (mask.byName === undefined) return mask.detect === undefined ? fragment : Buffer.alloc(0);
    return Buffer.from(maskText(fragment.toString('utf8'), mask) ?? '', 'utf8');
  };
  const datas: ProtoPlan = new Map<number, ProtoLeaf>([
    [1, leaf],
    [2, keepField],
    [OTHER_FIELDS, dropField],
  ]);
  return rewriteMessage(
    bytes,
    new Map<number, ProtoPlan | ProtoLeaf>([
      [1, keepField],
      [2, datas],
      [OTHER_FIELDS, dropField],
    ]),
  );
}

/** DescribeCollectionResponse { 2 schema { 4 fields, 9 struct_array_fields { 4 fields } } } */
export function maskDescription(bytes: Buffer, masks: FieldMasks): Buffer {
  return rewriteMessage(bytes, descriptionPlan(masks));
}

/** BatchDescribeCollectionResponse { 2 responses } */
export function maskDescriptions(bytes: Buffer, masks: FieldMasks): Buffer {
  return rewriteMessage(bytes, new Map([[2, descriptionPlan(masks)]]));
}

function descriptionPlan(masks: FieldMasks): ProtoPlan {
  const field: ProtoLeaf = (bytes) => maskDefault(bytes, masks);
  const struct: ProtoPlan = new Map([[4, field]]);
  const schema = new Map<number, ProtoPlan | ProtoLeaf>([
    [4, field],
    [9, struct],
  ]);
  return new Map([[2, schema]]);
}

/** FieldSchema { 2 name, 11 default_value }: a value of the field like any other. */
function maskDefault(bytes: Buffer, masks: FieldMasks): Buffer {
  const { byName } = columnMask(textField(bytes, 2), masks);
  return byName === undefined ? bytes : rewriteMessage(bytes, new Map([[11, dropField]]));
}

function refuseChains({ hasChains }: Asked): void {
  if (!hasChains) return;
  const message = 'function chains make columns that no mask can be told for';
  throw new ProtocolError('MILVUS_CHAIN', 'client', message);
}

/** Of messages of the store or its stream of records: no mask can be put on them. */
export function refuseRaw(): never {
  const message = 'records in a raw form cannot be masked';
  throw new ProtocolError('MILVUS_RAW', 'server', message);
}

/** The last of a text field, as parsers have it; two are an error, since they may mean different masks. */
export function textField(bytes: Buffer, number: number): string {
  let text: string | undefined;
  forEachField(
    bytes,
    (field) => {
      if (field.number !== number || field.wireType !== 2) return;
      if (text !== undefined)
        throw new ProtocolError('MILVUS_NAME', 'server', 'a name that comes twice');
      text = decodeString(field.value, 'server');
    },
    'server',
  );
  return text ?? '';
}
