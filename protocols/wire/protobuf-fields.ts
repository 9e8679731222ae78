/**
 * The fields of a protobuf message, one level, strictly: what parsers disagree on (groups, field 0, varints
 * longer than need be) is an error. https://protobuf.dev/programming-guides/encoding/
 */

import { isUtf8 } from 'node:buffer';

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';

/** Of one message in `readFields`; larger ones (unpacked vectors) are for `forEachField`. */
export const PROTO_FIELDS_MAX = 500_000;
const FIELD_NUMBER_MAX = 2 ** 29 - 1;

interface Place {
  readonly number: number;
  /** Of the field's tag. */
  readonly start: number;
  /** Behind the field's last byte. */
  readonly end: number;
}

export type ProtoField =
  /** As an unsigned number, a bigint above 2^53; `toInt64` for signed ones. */
  | (Place & { readonly wireType: 0; readonly value: number | bigint })
  /** The raw bytes: of a fixed 64, of what is length-delimited (without its length), of a fixed 32. */
  | (Place & { readonly wireType: 1 | 2 | 5; readonly value: Buffer });

export interface ProtoEdit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** A place in a message. Its methods take one part of the encoding or throw. */
export class ProtoScanner {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
  readonly #blame: Side;

  constructor(bytes: Buffer, blame: Side, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#blame = blame;
    this.at = start;
    this.end = end;
  }

  error(code: string, message: string): ProtocolError {
    return new ProtocolError(code, this.#blame, message);
  }

  truncated(): ProtocolError {
    return this.error('PROTO_TRUNCATED', 'a protobuf message that ends inside a field');
  }

  /** A bigint where it is above 2^53 - 1. */
  varint(): number | bigint {
    const { bytes, end } = this;
    const start = this.at;
    const first = bytes[start] ?? 0;
    if (first < 0x80 && start < end) {
      this.at = start + 1;
      return first;
    }
    let at = start;
    let value = 0;
    let scale = 1;
    for (;;) {
      if (at >= end) throw this.truncated();
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (byte === 0 && at - start > 1) throw this.#overlong();
        break;
      }
      if (at - start > 9) throw this.#overlong();
    }
    this.at = at;
    if (at - start < 8) return value;
    return this.#big(start, at);
  }

  /** 2^53 and above do not fit a number to the digit. */
  #big(start: number, end: number): number | bigint {
    let value = 0n;
    for (let at = end - 1; at >= start; at--) {
      value = (value << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f);
    }
    if (value >= 1n << 64n) throw this.#overlong();
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  #overlong(): ProtocolError {
    return this.error('PROTO_VARINT', 'a varint that is longer than it need be');
  }

  /** A field's number and wire type, as `number * 8 + wire type`. */
  tag(): number {
    const tag = this.varint();
    if (typeof tag !== 'number' || tag > FIELD_NUMBER_MAX * 8 + 7 || tag < 8) {
      throw this.error('PROTO_FIELD', 'a protobuf field number that is none');
    }
    return tag;
  }

  /** The end of a value of that many bytes from here. */
  reach(size: number | bigint): number {
    if (typeof size !== 'number' || size > this.end - this.at) throw this.truncated();
    return this.at + size;
  }

  /** Jumps over a value of that wire type. */
  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else this.at = this.reach(this.size(wireType));
  }

  /** The size of a value of that wire type, whose first byte is next; takes a length before it. */
  size(wireType: number): number | bigint {
    if (wireType === 2) return this.varint();
    if (wireType === 1) return 8;
    if (wireType === 5) return 4;
    throw this.error('PROTO_WIRE_TYPE', `protobuf wire type ${wireType}`);
  }
}

/** In the order they stand in. `visit` gets a view of the bytes, not a copy. */
export function forEachField(
  bytes: Buffer,
  visit: (field: ProtoField) => void,
  blame: Side = 'client',
): void {
  const scanner = new ProtoScanner(bytes, blame);
  while (scanner.at < scanner.end) {
    const start = scanner.at;
    const tag = scanner.tag();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) {
      const value = scanner.varint();
      visit({ number, wireType, start, end: scanner.at, value });
      continue;
    }
    const end = scanner.reach(scanner.size(wireType));
    const value = bytes.subarray(scanner.at, end);
    scanner.at = end;
    if (wireType === 1 || wireType === 2 || wireType === 5) {
      visit({ number, wireType, start, end, value });
    }
  }
}

export function readFields(bytes: Buffer, blame: Side = 'client'): ProtoField[] {
  const fields: ProtoField[] = [];
  const add = (field: ProtoField): void => {
    if (fields.length >= PROTO_FIELDS_MAX) {
      throw new ProtocolError('PROTO_FIELDS', blame, 'a protobuf message of too many fields');
    }
    fields.push(field);
  };
  forEachField(bytes, add, blame);
  return fields;
}

/** Of a `string` field: other bytes than UTF-8 are an error, since readers make different texts of them. */
export function decodeString(bytes: Buffer, blame: Side = 'client'): string {
  if (!isUtf8(bytes)) {
    throw new ProtocolError('PROTO_UTF8', blame, 'a protobuf string that is not UTF-8');
  }
  return bytes.toString('utf8');
}

/** A varint as int64 has it: the upper half of the numbers is negative. */
export function toInt64(value: number | bigint): bigint {
  return BigInt.asIntN(64, BigInt(value));
}

/** How many bytes a length takes as a varint. */
export function varintSize(length: number): number {
  let size = 1;
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes a length, gives where it ends. */
export function writeVarint(bytes: Buffer, at: number, length: number): number {
  let end = at;
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) | 0x80;
  bytes[end++] = rest;
  return end;
}

function varintBytes(value: number | bigint): Buffer {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    const bytes = Buffer.allocUnsafe(varintSize(value));
    writeVarint(bytes, 0, value);
    return bytes;
  }
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** Negative numbers as int64 has them: ten bytes. */
export function encodeVarint(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varintBytes(field * 8), varintBytes(value)]);
}

/** For strings, bytes, messages and packed lists. */
export function encodeBytes(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varintBytes(field * 8 + 2), varintBytes(bytes.length), bytes]);
}

export function encodeString(field: number, text: string): Buffer {
  return encodeBytes(field, Buffer.from(text, 'utf8'));
}

/** Whole fields replaced (or inserted, `start === end`) in a message; edits in any order, none overlap. */
export function spliceFields(bytes: Buffer, edits: readonly ProtoEdit[]): Buffer {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const edit of edits.toSorted(
    (one, other) => one.start - other.start || one.end - other.end,
  )) {
    if (edit.start < from || edit.end < edit.start || edit.end > bytes.length) {
      throw new RangeError('edits overlap');
    }
    pieces.push(bytes.subarray(from, edit.start), edit.bytes);
    from = edit.end;
  }
  pieces.push(bytes.subarray(from));
  return Buffer.concat(pieces);
}
