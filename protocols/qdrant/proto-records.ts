/** Records in protobuf held against the demands of a policy: payloads that are written or read by id. */

import type { Restrictions, StoreRefusal } from '../store.ts';
import type { ProtoField } from '../wire/protobuf.ts';
import { decodeString, readFields } from '../wire/protobuf.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands } from './field-path.ts';
import { MessageEdits } from './proto-restrict.ts';

/** Of qdrant.Value. */
const VALUE_STRING = 4;
const VALUE_STRUCT = 6;
const STRUCT_FIELDS = 1;
/** Of an entry of a map. */
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** `entries`: the fields of a `map<string, Value>`. A key that comes twice must fit each time. */
export function protoHasDemands(
  entries: readonly ProtoField[],
  demands: readonly FieldDemand[],
): boolean {
  return demands.every(({ path, value }) => hasText(entries, path, value));
}

function hasText(entries: readonly ProtoField[], path: readonly string[], text: string): boolean {
  const [name = '', ...rest] = path;
  const values = entries.flatMap((entry) => {
    const found = entryOf(entry);
    return found?.key === name ? [found.value] : [];
  });
  return values.length > 0 && values.every((value) => fits(value, rest, text));
}

function fits(value: Buffer | undefined, rest: readonly string[], text: string): boolean {
  const [kind, ...more] = value === undefined ? [] : readFields(value);
  if (kind === undefined || more.length > 0 || kind.wireType !== 2) return false;
  if (rest.length === 0) {
    return kind.number === VALUE_STRING && decodeString(kind.value) === text;
  }
  if (kind.number !== VALUE_STRUCT) return false;
  const inner = readFields(kind.value).filter(({ number }) => number === STRUCT_FIELDS);
  return hasText(inner, rest, text);
}

/** Whether a payload has that key at its top. */
export function hasKey(entries: readonly ProtoField[], name: string): boolean {
  return entries.some((entry) => entryOf(entry)?.key === name);
}

/** Undefined: not an entry that says one thing, so it fits no demand and matches no key. */
function entryOf(
  entry: ProtoField,
): { readonly key: string; readonly value: Buffer | undefined } | undefined {
  if (entry.wireType !== 2) return undefined;
  const fields = readFields(entry.value);
  const keys = fields.filter(({ number }) => number === ENTRY_KEY);
  const values = fields.filter(({ number }) => number === ENTRY_VALUE);
  // Of several the server takes the last one: all that it could be count, so the last key names it.
  const key = keys.at(-1);
  const value = values.at(-1);
  if (key !== undefined && key.wireType !== 2) return undefined;
  return {
    key: key === undefined ? '' : decodeString(key.value),
    value: value?.wireType === 2 && values.length === 1 ? value.value : undefined,
  };
}

const RESULT = 1;
const RETRIEVED_PAYLOAD = 2;

/** `GetResponse`: records of others are taken out. */
export function checkProtoRecords(
  bytes: Buffer,
  restrictions: Restrictions,
): Buffer | StoreRefusal {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) {
    return { kind: 'forbidden', rule: undefined, message: DEMAND_UNREADABLE };
  }
  if (demands.length === 0) return bytes;
  const edits = new MessageEdits(bytes);
  for (const field of readFields(bytes, 'server')) {
    if (field.number !== RESULT || field.wireType !== 2) continue;
    const entries = readFields(field.value, 'server').filter(
      ({ number }) => number === RETRIEVED_PAYLOAD,
    );
    if (!protoHasDemands(entries, demands)) edits.replace(field, Buffer.alloc(0));
  }
  return edits.finish();
}
