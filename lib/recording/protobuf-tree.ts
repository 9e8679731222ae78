/**
 * Protobuf without its schema, as far as that can be told from the bytes: numbers, texts, messages in
 * messages, packed floats. For people who look at a recording; nothing is decided by it.
 */

import { isUtf8 } from 'node:buffer';
import { shortenNumbers } from './json-tree.ts';
import { shorten } from './printable.ts';
import { type RawField, readRaw } from './protobuf-raw.ts';
import type { Tree } from './tree.ts';

/** One field; `value` of a message is its fields. Numbers are text, as they may be above 2^53. */
export interface ViewField {
  readonly field: number;
  readonly type: 'number' | 'fixed64' | 'fixed32' | 'text' | 'bytes' | 'message' | 'floats';
  readonly value: string | readonly ViewField[] | readonly number[];
}

const DEPTH_MAX = 40;
const FIELDS_MAX = 1_000_000;
const TEXT_LENGTH_MAX = 160;
const BYTES_SHOWN_MAX = 32;
/** Two floats may be anything; more of them that all look like floats are some. */
const FLOATS_MIN = 2;
/** Values of vectors lie between; bytes that mean something else seldom do, all of them. */
const FLOAT_MIN = 1e-12;
const FLOAT_MAX = 1e12;
const UNPRINTABLE = /[^\P{Cc}\n\r\t]/u;

/** Undefined: this is no message. */
export function readFields(bytes: Buffer): ViewField[] | undefined {
  return new FieldReader().read(bytes, 0);
}

class FieldReader {
  #count = 0;

  read(bytes: Buffer, depth: number): ViewField[] | undefined {
    const raw = depth > DEPTH_MAX ? undefined : readRaw(bytes);
    this.#count += raw?.length ?? 0;
    if (this.#count > FIELDS_MAX) return undefined;
    return raw?.map((field) => this.#show(field, depth));
  }

  #show({ number: field, wireType, value }: RawField, depth: number): ViewField {
    if (!Buffer.isBuffer(value)) return { field, type: 'number', value: String(value) };
    switch (wireType) {
      case 1:
        return { field, type: 'fixed64', value: String(value.readDoubleLE(0)) };
      case 5:
        return { field, type: 'fixed32', value: String(toShortest(value.readFloatLE(0))) };
      default:
        return this.#readBytes(field, value, depth);
    }
  }

  #readBytes(field: number, bytes: Buffer, depth: number): ViewField {
    const text = toText(bytes);
    // A message often starts with a line feed, which is the tag of a text in field 1.
    if (text !== undefined && !text.startsWith('\n')) return { field, type: 'text', value: text };
    const inner = bytes.length === 0 ? undefined : this.read(bytes, depth + 1);
    if (inner !== undefined) return { field, type: 'message', value: inner };
    if (text !== undefined) return { field, type: 'text', value: text };
    const floats = toFloats(bytes);
    if (floats !== undefined) return { field, type: 'floats', value: floats };
    return { field, type: 'bytes', value: bytes.toString('hex') };
  }
}

function toText(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return UNPRINTABLE.test(text) ? undefined : text;
}

function toFloats(bytes: Buffer): number[] | undefined {
  if (bytes.length % 4 !== 0 || bytes.length / 4 < FLOATS_MIN) return undefined;
  const floats: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const value = bytes.readFloatLE(at);
    const size = Math.abs(value);
    if (!(size === 0 || (size >= FLOAT_MIN && size <= FLOAT_MAX))) return undefined;
    floats.push(toShortest(value));
  }
  return floats;
}

/** The shortest decimal that is the same float: 0.1 and not 0.10000000149011612. */
function toShortest(value: number): number {
  if (!Number.isFinite(value)) return value;
  for (let digits = 6; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** `{1: "customers", 2: [0.12, 0.98, ... 768 numbers], 5: {1: 42}}` */
export function fieldsToTree(fields: readonly ViewField[]): Tree {
  return {
    open: '{',
    members: fields.map((one) => ({ label: String(one.field), tree: fieldToTree(one) })),
  };
}

function fieldToTree({ type, value }: ViewField): Tree {
  if (typeof value === 'string') {
    if (type === 'text') return JSON.stringify(shorten(value, TEXT_LENGTH_MAX));
    if (type !== 'bytes') return value;
    const size = value.length / 2;
    const more = size > BYTES_SHOWN_MAX ? `… (${size} bytes)` : '';
    return `\\x${value.slice(0, 2 * BYTES_SHOWN_MAX)}${more}`;
  }
  const fields: ViewField[] = [];
  const numbers: string[] = [];
  for (const one of value) {
    if (typeof one === 'number') numbers.push(String(one));
    else fields.push(one);
  }
  return type === 'floats' ? shortenNumbers(numbers) : fieldsToTree(fields);
}
