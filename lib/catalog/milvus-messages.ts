/**
 * The two messages of Milvus by which collections are looked up (milvus.proto): just enough of protobuf for
 * them, as `protocols/` may not be used from here.
 *
 *   DescribeCollectionRequest  { 2 db_name, 3 collection_name, 4 collectionID }
 *   DescribeCollectionResponse { 1 status { 1 error_code, 2 reason, 3 code }, 2 schema { 1 name },
 *                                12 collection_name, 14 db_name }
 */

import { GatewayError } from '../errors.ts';

export interface MilvusDescription {
  readonly code: number;
  /** The number of servers before 2.3; 0: success. */
  readonly oldCode: number;
  readonly reason: string;
  readonly collectionName: string;
  readonly schemaName: string;
  readonly database: string;
}

type Value = bigint | Buffer;

export function encodeDescribeRequest(asked: {
  readonly database: string;
  readonly name: string;
  readonly id: bigint;
}): Buffer {
  return Buffer.concat([
    encodeText(2, asked.database),
    encodeText(3, asked.name),
    asked.id === 0n ? Buffer.alloc(0) : Buffer.concat([varint(32n), varint(asked.id)]),
  ]);
}

function encodeText(field: number, text: string): Buffer {
  if (text === '') return Buffer.alloc(0);
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function decodeDescription(bytes: Buffer): MilvusDescription {
  const answer = readMessage(bytes);
  const status = readMessage(bytesOf(answer, 1));
  const schema = readMessage(bytesOf(answer, 2));
  return {
    code: numberOf(status, 3),
    oldCode: numberOf(status, 1),
    reason: textOf(status, 2),
    collectionName: textOf(answer, 12),
    schemaName: textOf(schema, 1),
    database: textOf(answer, 14),
  };
}

/** The last value of each field, as proto3 has it. Throws where it is no message. */
export function readMessage(bytes: Buffer): ReadonlyMap<number, Value> {
  const fields = new Map<number, Value>();
  let at = 0;
  const take = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  };
  while (at < bytes.length) {
    const tag = Number(take());
    const wireType = tag % 8;
    const field = Math.floor(tag / 8);
    if (wireType === 0) {
      fields.set(field, take());
      continue;
    }
    const size = wireType === 2 ? Number(take()) : wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
    if (size < 0 || at + size > bytes.length) throw broken();
    fields.set(field, bytes.subarray(at, at + size));
    at += size;
  }
  return fields;
}

function broken(): GatewayError {
  return new GatewayError('STORE_NAMES', 'Milvus answered with what is no message of its own');
}

function bytesOf(fields: ReadonlyMap<number, Value>, field: number): Buffer {
  const value = fields.get(field);
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function textOf(fields: ReadonlyMap<number, Value>, field: number): string {
  return bytesOf(fields, field).toString('utf8');
}

function numberOf(fields: ReadonlyMap<number, Value>, field: number): number {
  const value = fields.get(field);
  return typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : 0;
}
