/**
 * Masks columns of answers (schema.FieldData): texts, JSON, lists, structs, and numbers under a mask by name.
 * Vectors are never looked at. What a column is called may come behind its values, so that it is found first.
 *
 *   FieldData { 1 type, 2 field_name, 3 scalars, 4 vectors, 5 field_id, 6 is_dynamic, 7 valid_data, 8 struct_arrays }
 *   ScalarField { 1 bool, 2 int, 3 long, 4 float, 5 double, 6 string, 7 bytes, 8 array, 9 json, 10 geometry,
 *     11 timestamptz, 12 geometry_wkt, 13 mol, 14 mol_smiles, 15 date, 16 time }, each { 1 data }
 *
 * Source: schema.proto of milvus-proto, vector.md 2.2. Fields that are not named here are taken out: a newer
 * server may put texts there.
 */

import { ProtocolError } from '../errors.ts';
import type { FieldMasks, FieldPath } from '../store.ts';
import { maskJson } from '../wire/json.ts';
import type { ProtoEdit, ProtoLeaf, ProtoPlan } from '../wire/protobuf.ts';
import {
  OTHER_FIELDS,
  decodeString,
  dropField,
  encodeBytes,
  forEachField,
  keepField,
  rewriteMessage,
  spliceFields,
} from '../wire/protobuf.ts';
import type { ColumnMask } from './column-names.ts';
import { castMask, columnMask, isClear, maskText } from './column-names.ts';

export interface ColumnOptions {
  readonly masks: FieldMasks;
  /** The field whose values are the ids: they stay. */
  readonly primary: string;
  /** What the column is called where it does not say so itself. */
  readonly name?: string;
  /** Its values were taken out of a field (groups). */
  readonly isCast?: boolean;
  /** The column it lies in. */
  readonly outer?: FieldPath;
}

/** Bytes of one element of a packed list: of a zero varint, a float, a double. */
const NUMBER_SIZES: ReadonlyMap<number, number> = new Map([
  ...[1, 2, 3, 11, 15, 16].map((field) => [field, 1] as const),
  [4, 4],
  [5, 8],
]);
const TEXT_FIELDS = [6, 12, 14];
const BYTES_FIELDS = [7, 10, 13];

interface ColumnHead {
  readonly name: string;
  readonly isDynamic: boolean;
  readonly valid: Buffer | undefined;
}

/** The same Buffer where nothing changed. */
export function maskColumn(bytes: Buffer, options: ColumnOptions): Buffer {
  const head = readHead(bytes);
  const outer = options.outer ?? [];
  const name = head.name === '' ? (options.name ?? (head.isDynamic ? META : '')) : head.name;
  if (name !== '' && name === options.primary && outer.length === 0) return bytes;
  const found = columnMask(name, options.masks, outer);
  const mask = options.isCast === true || name === META ? castMask(found) : found;
  const nulls: Nulls = { indexes: new Set(), count: 0 };
  const json = jsonLeaf(mask, name === META, head.isDynamic);
  const scalars = scalarPlan(mask, json, nulls);
  const plan: ProtoPlan = new Map<number, ProtoPlan | ProtoLeaf>([
    [2, keepField],
    [3, scalars],
    [4, keepField],
    // Bools, packed.
    [7, keepField],
    [8, new Map<number, ProtoLeaf>([[1, (inner) => maskColumn(inner, inside(options, mask))]])],
    [OTHER_FIELDS, dropField],
  ]);
  return withNulls(rewriteMessage(bytes, plan), head, nulls);
}

function inside(options: ColumnOptions, mask: ColumnMask): ColumnOptions {
  return { masks: options.masks, primary: '', outer: mask.path };
}

function readHead(bytes: Buffer): ColumnHead {
  const names: string[] = [];
  let isDynamic = false;
  let valid: Buffer | undefined;
  forEachField(
    bytes,
    (field) => {
      if (field.number === 2 && field.wireType === 2) {
        names.push(decodeString(field.value, 'server'));
      }
      if (field.number === 6 && field.wireType === 0) isDynamic = field.value !== 0;
      if (field.number === 7 && field.wireType === 2) {
        if (valid !== undefined) throw broken('a column whose validity comes twice');
        valid = field.value;
      }
    },
    'server',
  );
  if (names.length > 1) throw broken('a column with two names');
  return { name: names[0] ?? '', isDynamic, valid };
}

function broken(message: string): ProtocolError {
  return new ProtocolError('MILVUS_COLUMN', 'server', message);
}

interface Nulls {
  readonly indexes: Set<number>;
  /** Of all values. */
  count: number;
}

/** `nulls` gets the indexes of the values that become null. */
function scalarPlan(mask: ColumnMask, json: ProtoLeaf, nulls: Nulls): ProtoPlan {
  const plan = new Map<number, ProtoPlan | ProtoLeaf>([[OTHER_FIELDS, dropField]]);
  const pass = isClear(mask);
  for (const [field, size] of NUMBER_SIZES) {
    const isBlanked = mask.byName !== undefined;
    plan.set(field, isBlanked ? (bytes) => zeroes(bytes, size, nulls) : keepField);
  }
  for (const field of TEXT_FIELDS) plan.set(field, pass ? keepField : textPlan(mask, nulls));
  for (const field of BYTES_FIELDS) {
    plan.set(field, mask.byName === undefined ? keepField : new Map([[1, () => EMPTY]]));
  }
  plan.set(8, pass ? keepField : (bytes) => rewriteMessage(bytes, listPlan(mask, json)));
  plan.set(9, pass ? keepField : new Map([[1, json]]));
  return plan;
}

const EMPTY = Buffer.alloc(0);

/** A list of lists: what is null in them is no null of the column. */
function listPlan(mask: ColumnMask, json: ProtoLeaf): ProtoPlan {
  return new Map([[1, scalarPlan(mask, json, { indexes: new Set(), count: 0 })]]);
}

function textPlan(mask: ColumnMask, nulls: Nulls): ProtoPlan {
  const leaf: ProtoLeaf = (bytes) => {
    const text = bytes.toString('utf8');
    const masked =
      mask.hasBelow && mask.byName === undefined ? maskInside(text, mask) : maskText(text, mask);
    if (masked === null) nulls.indexes.add(nulls.count);
    nulls.count += 1;
    return masked === text ? bytes : Buffer.from(masked ?? '', 'utf8');
  };
  return new Map([[1, leaf]]);
}

/** A text that may be a JSON document with masked fields. */
function maskInside(text: string, mask: ColumnMask): string {
  if (!/^\s*[[{]/.test(text)) return mask.detect?.(text) ?? text;
  const bytes = Buffer.from(JSON.stringify(text), 'utf8');
  const masked = maskJson(bytes, { value: mask.path }, mask.inside);
  const value: unknown = masked === bytes ? text : JSON.parse(masked.toString('utf8'));
  return typeof value === 'string' ? value : '';
}

/** `$meta` is all dynamic fields of a row; a dynamic column of another name may be one of them or all. */
function jsonLeaf(mask: ColumnMask, isMeta: boolean, isDynamic: boolean): ProtoLeaf {
  const { inside: masks, path } = mask;
  return (bytes) => {
    if (bytes.length === 0) return bytes;
    const value = isMeta ? bytes : maskJson(bytes, { value: path }, masks);
    if (!isMeta && !isDynamic) return value;
    if (isMeta && mask.byName !== undefined && !/^\s*\{/.test(value.toString('latin1', 0, 64))) {
      return NULL;
    }
    return maskJson(value, ROW, masks);
  };
}

const META = '$meta';
const NULL = Buffer.from('null');
const ROW = { record: [] } as const;

function zeroes(bytes: Buffer, size: number, nulls: Nulls): Buffer {
  let count = 0;
  forEachField(
    bytes,
    (field) => {
      if (field.number !== 1) return;
      if (field.wireType !== 2) count += 1;
      else count += size === 1 ? varintCount(field.value) : Math.floor(field.value.length / size);
    },
    'server',
  );
  nulls.count = count;
  for (let index = 0; index < count; index++) nulls.indexes.add(index);
  return encodeBytes(1, Buffer.alloc(count * size));
}

function varintCount(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count += 1;
  return count;
}

/** Values that became null are not valid any more, where the column says which are. */
function withNulls(bytes: Buffer, head: ColumnHead, nulls: Nulls): Buffer {
  const { indexes, count } = nulls;
  // Columns that leave nulls out have fewer values than flags: then nothing tells which is which.
  if (indexes.size === 0 || head.valid?.length !== count) return bytes;
  const edits: ProtoEdit[] = [];
  forEachField(
    bytes,
    (field) => {
      if (field.number !== 7 || field.wireType !== 2) return;
      const flags = Buffer.from(field.value.map((flag, index) => (indexes.has(index) ? 0 : flag)));
      edits.push({ start: field.start, end: field.end, bytes: encodeBytes(7, flags) });
    },
    'server',
  );
  return spliceFields(bytes, edits);
}
