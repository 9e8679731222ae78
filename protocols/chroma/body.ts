/**
 * Request bodies of Chroma, read member by member. The server's reader takes an array for any of its
 * structures too (`[["id"],[[1,2]]]` adds a record): here only objects pass. A value of a kind that the
 * server refuses is an error here as well, and nothing is guessed.
 */

import { ProtocolError } from '../errors.ts';
import { type JsonNode, type JsonObject, readJson } from '../wire/json.ts';

export type { JsonNode, JsonObject } from '../wire/json.ts';

export function readBody(bytes: Buffer): JsonObject {
  return asObject(readJson(bytes, 'client'), 'the body');
}

export function asObject(node: JsonNode, what: string): JsonObject {
  if (node.kind !== 'object') throw wrong(`${what} is not a JSON object`);
  return node;
}

/** Undefined where it is missing or null, which the server takes for the same. */
export function optional(object: JsonObject, key: string): JsonNode | undefined {
  const node = object.members.get(key);
  return node === undefined || node.kind === 'null' ? undefined : node;
}

export function optionalObject(object: JsonObject, key: string): JsonObject | undefined {
  const node = optional(object, key);
  return node === undefined ? undefined : asObject(node, key);
}

export function optionalText(object: JsonObject, key: string): string | undefined {
  const node = optional(object, key);
  if (node === undefined) return undefined;
  if (node.kind !== 'string') throw wrong(`${key} is not a text`);
  return node.text;
}

export function requiredText(object: JsonObject, key: string): string {
  const text = optionalText(object, key);
  if (text === undefined) throw wrong(`${key} is missing`);
  return text;
}

export function optionalFlag(object: JsonObject, key: string): boolean {
  const node = optional(object, key);
  if (node === undefined || node.kind === 'false') return false;
  if (node.kind !== 'true') throw wrong(`${key} is neither true nor false`);
  return true;
}

/** A u32, as the server has it. */
export function optionalCount(object: JsonObject, key: string): number | undefined {
  const node = optional(object, key);
  if (node === undefined) return undefined;
  if (node.kind !== 'number' || !/^\d{1,10}$/.test(node.text)) {
    throw wrong(`${key} is not a whole number of at most ten digits`);
  }
  return Number(node.text);
}

/** The items of an array; undefined where it is missing or null. */
export function optionalItems(object: JsonObject, key: string): readonly JsonNode[] | undefined {
  const node = optional(object, key);
  if (node === undefined) return undefined;
  if (node.kind !== 'array' || node.isPacked) throw wrong(`${key} is not an array as it should be`);
  return node.items;
}

export function optionalTexts(object: JsonObject, key: string): readonly string[] | undefined {
  return optionalItems(object, key)?.map((item) => {
    if (item.kind !== 'string') throw wrong(`${key} holds something else than texts`);
    return item.text;
  });
}

/** True: there is a member that this list does not have, so what it does cannot be told. */
export function hasOthers(object: JsonObject, known: readonly string[]): boolean {
  return [...object.members.keys()].some((key) => !known.includes(key));
}

export function wrong(message: string): ProtocolError {
  return new ProtocolError('CHROMA_BODY', 'client', message);
}
