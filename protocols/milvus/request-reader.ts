/**
 * Reads a request of Milvus by its own descriptors, strictly: a field that they do not have may be one by
 * which a newer server is asked for more than this gateway sees (`skip_rls`, vector.md 2.2), so it is an error,
 * in messages inside others too. A singular field that comes twice is one as well, and so are two of a oneof.
 */

import { ProtocolError } from '../errors.ts';
import type { ProtoField } from '../wire/protobuf.ts';
import { decodeString, forEachField } from '../wire/protobuf.ts';
import { MESSAGE_FIELDS } from './request-fields.ts';

/** As in all other readers of protobuf than Go's. */
const DEPTH_MAX = 100;
const WIRE_TYPES: Readonly<Record<string, number>> = { varint: 0, fixed64: 1, fixed32: 5 };

export interface FieldShape {
  readonly name: string;
  readonly number: number;
  /** `string`, `varint`, `KeyValuePair`, `map string`, ... */
  readonly kind: string;
  readonly wireType: number;
  readonly isRepeated: boolean;
  /** The message in it; `map X`: entries whose values are that. */
  readonly inside: string | undefined;
  /** Of several fields of one choice (oneof), only one may come. */
  readonly choice: string | undefined;
}

export interface RequestMessage {
  readonly bytes: Buffer;
  readonly shape: MessageShape;
  /** By number; those that came. */
  readonly fields: ReadonlyMap<number, readonly ProtoField[]>;
}

export interface MessageShape {
  readonly name: string;
  readonly byName: ReadonlyMap<string, FieldShape>;
  readonly byNumber: ReadonlyMap<number, FieldShape>;
}

const shapes = new Map(
  Object.entries(MESSAGE_FIELDS).map(([name, text]) => [name, parseShape(name, text)]),
);

function parseShape(name: string, text: string): MessageShape {
  const fields = text === '' ? [] : text.split(', ').map(parseField);
  return {
    name,
    byName: new Map(fields.map((field) => [field.name, field])),
    byNumber: new Map(fields.map((field) => [field.number, field])),
  };
}

function parseField(text: string): FieldShape {
  const [name = '', number = '', kind = '', choice] = text.split(':');
  const isRepeated = kind.endsWith('*');
  const type = isRepeated ? kind.slice(0, -1) : kind;
  const isPlain = type === 'string' || type === 'bytes' || type in WIRE_TYPES;
  return {
    name,
    number: Number(number),
    kind: type,
    wireType: WIRE_TYPES[type] ?? 2,
    isRepeated,
    inside: isPlain ? undefined : type,
    choice,
  };
}

/** Throws ProtocolError where the message has anything that its descriptor has not. */
export function readMessage(bytes: Buffer, name: string): RequestMessage {
  check(bytes, name, 0);
  return open(bytes, shapeOf(name));
}

export function shapeOf(name: string): MessageShape {
  const shape = shapes.get(name);
  if (shape === undefined) throw new Error(`no message ${name} in the descriptors`);
  return shape;
}

function open(bytes: Buffer, shape: MessageShape): RequestMessage {
  const fields = new Map<number, ProtoField[]>();
  forEachField(bytes, (field) => {
    const known = fields.get(field.number);
    if (known === undefined) fields.set(field.number, [field]);
    else known.push(field);
  });
  return { bytes, shape, fields };
}

function check(bytes: Buffer, name: string, depth: number): void {
  if (depth > DEPTH_MAX) throw broken('PROTO_DEPTH', `a request deeper than ${DEPTH_MAX} levels`);
  if (name.startsWith('map ')) {
    checkEntry(bytes, name.slice('map '.length), depth);
    return;
  }
  const shape = shapeOf(name);
  const seen = new Set<number>();
  const chosen = new Map<string, number>();
  forEachField(bytes, (field) => {
    const known = shape.byNumber.get(field.number);
    if (known === undefined) {
      throw broken('MILVUS_UNKNOWN_FIELD', `${name} has no field ${field.number} that is known`);
    }
    checkType(field, known, name);
    if (!known.isRepeated) {
      if (seen.has(field.number)) throw broken('MILVUS_FIELD_TWICE', `${known.name} comes twice`);
      seen.add(field.number);
    }
    if (known.choice !== undefined) {
      // Readers take the last of them, and this one would look at both.
      const other = chosen.get(known.choice) ?? field.number;
      if (other !== field.number) {
        throw broken('MILVUS_CHOICE', `${name} has two of ${known.choice}`);
      }
      chosen.set(known.choice, field.number);
    }
    if (known.inside !== undefined && field.wireType === 2) {
      check(field.value, known.inside, depth + 1);
    }
  });
}

function checkType(field: ProtoField, known: FieldShape, name: string): void {
  const isPacked = known.isRepeated && field.wireType === 2;
  if (field.wireType === known.wireType || isPacked) return;
  throw broken('PROTO_WIRE_TYPE', `${name}.${known.name} is of another type`);
}

function checkEntry(bytes: Buffer, valueType: string, depth: number): void {
  const seen = new Set<number>();
  forEachField(bytes, (field) => {
    const { number } = field;
    if ((number !== 1 && number !== 2) || seen.has(number)) {
      throw broken('PROTO_MAP_ENTRY', 'a map entry of other parts than a key and a value');
    }
    seen.add(number);
    if (number === 2 && shapes.has(valueType) && field.wireType === 2) {
      check(field.value, valueType, depth + 1);
    }
  });
}

/** All occurrences, in their order; of a field that the message does not have: none. */
export function fieldsOf(message: RequestMessage, name: string): readonly ProtoField[] {
  const shape = message.shape.byName.get(name);
  return shape === undefined ? [] : (message.fields.get(shape.number) ?? []);
}

/** The empty text where it did not come, as in proto3. */
export function textOf(message: RequestMessage, name: string): string {
  return textsOf(message, name)[0] ?? '';
}

export function textsOf(message: RequestMessage, name: string): string[] {
  return fieldsOf(message, name).flatMap((field) =>
    field.wireType === 2 ? [decodeString(field.value)] : [],
  );
}

export function numberOf(message: RequestMessage, name: string): number | bigint {
  const [field] = fieldsOf(message, name);
  return field?.wireType === 0 ? field.value : 0;
}

export function messagesOf(message: RequestMessage, name: string): RequestMessage[] {
  const inside = message.shape.byName.get(name)?.inside;
  if (inside === undefined || inside.startsWith('map ')) return [];
  return fieldsOf(message, name).flatMap((field) =>
    field.wireType === 2 ? [open(field.value, shapeOf(inside))] : [],
  );
}

/** Of a `map<string, message>`: keys with their values. */
export function entriesOf(message: RequestMessage, name: string): [string, RequestMessage][] {
  const inside = message.shape.byName.get(name)?.inside ?? '';
  const shape = shapeOf(inside.replace(/^map /, ''));
  return fieldsOf(message, name).flatMap((field) => {
    if (field.wireType !== 2) return [];
    let key = '';
    let value: Buffer = Buffer.alloc(0);
    forEachField(field.value, (part) => {
      if (part.wireType !== 2) return;
      if (part.number === 1) key = decodeString(part.value);
      else value = part.value;
    });
    return [[key, open(value, shape)] as [string, RequestMessage]];
  });
}

/**
 * Of repeated KeyValuePairs. Milvus takes the first of two in one place and the last in another, so that a key
 * that comes twice is an error.
 */
export function pairsOf(message: RequestMessage, name: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of messagesOf(message, name)) {
    const key = textOf(pair, 'key');
    if (pairs.has(key)) throw broken('MILVUS_PARAMETER_TWICE', `${key} is given twice`);
    pairs.set(key, textOf(pair, 'value'));
  }
  return pairs;
}

export function numberOfField(message: RequestMessage, name: string): number {
  const shape = message.shape.byName.get(name);
  if (shape === undefined) throw new Error(`no field ${name} in ${message.shape.name}`);
  return shape.number;
}

export function broken(code: string, message: string): ProtocolError {
  return new ProtocolError(code, 'client', message);
}
