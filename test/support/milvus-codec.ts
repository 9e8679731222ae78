/**
 * Messages of Milvus to objects and back, by the descriptors that the official Node SDK carries: requests as
 * clients send them, answers as servers give them. Only what the tests need: proto3 without groups.
 */

import { createRequire } from 'node:module';
import {
  decodeString,
  encodeBytes,
  encodeString,
  encodeVarint,
  forEachField,
  toInt64,
} from '../../protocols/wire/protobuf.ts';

interface FieldJson {
  readonly id: number;
  readonly type: string;
  readonly rule?: string;
  readonly keyType?: string;
}

export interface TypeJson {
  readonly fields?: Readonly<Record<string, FieldJson>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly nested?: Readonly<Record<string, TypeJson>>;
  readonly methods?: Readonly<Record<string, MethodJson>>;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface MethodJson {
  readonly requestType: string;
  readonly responseType: string;
}

export type Value = number | bigint | string | boolean | Buffer | Message | readonly Value[];
export interface Message {
  readonly [field: string]: Value;
}

const require = createRequire(import.meta.url);
/** The package of the protos: `milvus`, `schema`, `common`, ... */
export const packages = loadPackages();

function loadPackages(): Readonly<Record<string, TypeJson>> {
  const loaded = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.js') as {
    default: TypeJson;
  }; // The SDK gives this file no types.
  return loaded.default.nested?.['milvus']?.nested?.['proto']?.nested ?? {};
}

export const methods: Readonly<Record<string, MethodJson>> =
  packages['milvus']?.nested?.['MilvusService']?.methods ?? {};

/** `SearchRequest`, `schema.FieldData`; looked for in `milvus` first. */
export function findType(name: string, around: readonly TypeJson[] = []): TypeJson {
  const parts = name.split('.').filter((part) => part !== 'milvus' && part !== 'proto');
  const roots = [...around.toReversed(), packages['milvus'], ...Object.values(packages)];
  for (const root of [...roots, { nested: packages }]) {
    let found: TypeJson | undefined = root;
    for (const part of parts) found = found?.nested?.[part];
    if (found !== undefined) return found;
  }
  throw new Error(`no message ${name}`);
}

const VARINTS = new Set(['int32', 'int64', 'uint32', 'uint64', 'bool']);

export function encodeMessage(name: string, message: Message): Buffer {
  return encodeAs(findType(name), message, []);
}

function encodeAs(type: TypeJson, message: Message, around: readonly TypeJson[]): Buffer {
  const inner = [...around, type];
  const pieces = Object.entries(message).map(([key, value]) => {
    const field = type.fields?.[key];
    if (field === undefined) throw new Error(`no field ${key}`);
    if (field.keyType !== undefined) return encodeMap(field, value, inner);
    if (!Array.isArray(value)) return encodeValue(field, value, inner);
    return encodeList(field, value, inner);
  });
  return Buffer.concat(pieces);
}

function encodeMap(field: FieldJson, value: Value, around: readonly TypeJson[]): Buffer {
  const entries = Object.entries(value as Message); // Maps are written as objects.
  return Buffer.concat(
    entries.map(([key, one]) => {
      const inside = encodeValue({ ...field, id: 2 }, one, around);
      return encodeBytes(field.id, Buffer.concat([encodeString(1, key), inside]));
    }),
  );
}

function encodeList(field: FieldJson, list: readonly Value[], around: readonly TypeJson[]): Buffer {
  const first = encodeValue({ ...field, id: 1 }, list[0] ?? 0, around);
  const isPacked = list.length > 0 && (first[0] ?? 2) % 8 !== 2;
  const items = list.map((one) => encodeValue(isPacked ? { ...field, id: 1 } : field, one, around));
  if (!isPacked) return Buffer.concat(items);
  return encodeBytes(field.id, Buffer.concat(items.map((item) => item.subarray(1))));
}

function encodeValue(field: FieldJson, value: Value, around: readonly TypeJson[]): Buffer {
  const { id, type } = field;
  if (Buffer.isBuffer(value)) return encodeBytes(id, value);
  if (type === 'string') return encodeString(id, plain(value));
  if (type === 'bytes') return encodeBytes(id, Buffer.from(plain(value)));
  if (type === 'float' || type === 'double') return encodeFloat(id, type, Number(value));
  if (VARINTS.has(type)) return encodeVarint(id, BigInt(value as number));
  const inside = findType(type, around);
  if (inside.values !== undefined) {
    return encodeVarint(id, inside.values[plain(value)] ?? Number(value));
  }
  return encodeBytes(id, encodeAs(inside, value as Message, around)); // A message, as its field says.
}

function plain(value: Value): string {
  if (typeof value === 'object') throw new Error('a message where there is none');
  return String(value);
}

function encodeFloat(id: number, type: 'float' | 'double', value: number): Buffer {
  const bytes = Buffer.alloc(type === 'float' ? 5 : 9);
  bytes.writeUInt8(id * 8 + (type === 'float' ? 5 : 1));
  if (type === 'float') bytes.writeFloatLE(value, 1);
  else bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** Whole numbers as text, bytes of `bytes` as a Buffer, fields without a descriptor as `?number`. */
export function decodeMessage(name: string, bytes: Buffer): Record<string, unknown> {
  return decodeAs(findType(name), bytes, []);
}

function decodeAs(
  type: TypeJson,
  bytes: Buffer,
  around: readonly TypeJson[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const named = new Map(
    Object.entries(type.fields ?? {}).map(([key, one]) => [one.id, { key, one }]),
  );
  const inner = [...around, type];
  forEachField(bytes, (field) => {
    const found = named.get(field.number);
    const key = found?.key ?? `?${field.number}`;
    const raw = field.value;
    const values = Buffer.isBuffer(raw)
      ? decodeBytes(raw, field.wireType, found?.one, inner)
      : [toInt64(raw).toString()];
    const isList = found?.one.rule === 'repeated' || found?.one.keyType !== undefined;
    if (isList) result[key] = [...((result[key] as unknown[] | undefined) ?? []), ...values];
    else [result[key]] = values;
  });
  return result;
}

function decodeBytes(
  bytes: Buffer,
  wireType: number,
  field: FieldJson | undefined,
  around: readonly TypeJson[],
): unknown[] {
  if (field === undefined) return [bytes];
  if (field.type === 'float' || field.type === 'double') return decodeFloats(bytes, field.type);
  if (wireType !== 2) return [bytes];
  if (field.keyType !== undefined) return [decodeEntry(bytes, field, around)];
  if (field.type === 'string') return [decodeString(bytes)];
  if (field.type === 'bytes') return [bytes];
  if (VARINTS.has(field.type)) return decodeVarints(bytes);
  const inside = findType(field.type, around);
  return inside.values === undefined ? [decodeAs(inside, bytes, around)] : decodeVarints(bytes);
}

function decodeEntry(bytes: Buffer, field: FieldJson, around: readonly TypeJson[]): unknown {
  const type: TypeJson = {
    fields: { key: { id: 1, type: 'string' }, value: { id: 2, type: field.type } },
  };
  return decodeAs(type, bytes, around);
}

function decodeFloats(bytes: Buffer, type: 'float' | 'double'): number[] {
  const size = type === 'float' ? 4 : 8;
  return Array.from({ length: bytes.length / size }, (_, index) =>
    type === 'float' ? bytes.readFloatLE(index * size) : bytes.readDoubleLE(index * size),
  );
}

function decodeVarints(bytes: Buffer): string[] {
  const values: string[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asIntN(64, value).toString());
    value = 0n;
    shift = 0n;
  }
  return values;
}
