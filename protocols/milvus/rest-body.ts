/**
 * The body of a REST request of Milvus, strictly. The server is written in Go: its JSON reader takes
 * `COLLECTIONNAME` for `collectionName`, so that a key that differs from a known one in case only is an error.
 */

import type { JsonArray, JsonNode, JsonObject } from '../wire/json.ts';
import { readJson } from '../wire/json.ts';
import { NAMING_KEYS } from './rest-table.ts';
import { broken } from './request-reader.ts';

/** Go folds letters as Unicode has it: the long s and the Kelvin sign are an s and a k. */
function fold(key: string): string {
  return key.normalize('NFKC').toLowerCase();
}

const FOLDED_NAMES: ReadonlyMap<string, string> = new Map(
  NAMING_KEYS.map((key) => [fold(key), key]),
);

/** `known`: the only keys it may have; undefined: any that are not mistaken for those that name things. */
export function readRestBody(body: Buffer, known: ReadonlySet<string> | undefined): JsonObject {
  const node = readJson(body, 'client');
  if (node.kind !== 'object') throw broken('MILVUS_BODY', 'a request that is no JSON object');
  checkKeys(node, known);
  return node;
}

export function checkKeys(node: JsonObject, known: ReadonlySet<string> | undefined): void {
  for (const key of node.members.keys()) {
    if (known !== undefined && !known.has(key)) {
      throw broken('MILVUS_UNKNOWN_KEY', `the key ${JSON.stringify(key)} is not known here`);
    }
    const meant = FOLDED_NAMES.get(fold(key));
    if (meant !== undefined && meant !== key) {
      throw broken('MILVUS_KEY_CASE', `the key ${JSON.stringify(key)} may be read as ${meant}`);
    }
  }
}

/** Empty where it is missing or null, as Go has it. */
export function textMember(node: JsonObject, key: string): string {
  const found = node.members.get(key);
  if (found === undefined || found.kind === 'null') return '';
  if (found.kind !== 'string') throw broken('MILVUS_BODY', `${key} is no text`);
  return found.text;
}

export function textsMember(node: JsonObject, key: string): string[] {
  return itemsOf(arrayMember(node, key)).map((item) => {
    if (item.kind !== 'string') throw broken('MILVUS_BODY', `${key} is no list of texts`);
    return item.text;
  });
}

export function arrayMember(node: JsonObject, key: string): JsonArray | undefined {
  const found = node.members.get(key);
  if (found === undefined || found.kind === 'null') return undefined;
  if (found.kind !== 'array') throw broken('MILVUS_BODY', `${key} is no list`);
  return found;
}

function itemsOf(array: JsonArray | undefined): readonly JsonNode[] {
  if (array?.isPacked === true) throw broken('MILVUS_BODY', 'numbers where there are no numbers');
  return array?.items ?? [];
}

export function objectsMember(node: JsonObject, key: string): JsonObject[] {
  return itemsOf(arrayMember(node, key)).map((item) => {
    if (item.kind !== 'object') throw broken('MILVUS_BODY', `${key} is no list of objects`);
    return item;
  });
}

export function objectMember(node: JsonObject, key: string): JsonObject | undefined {
  const found = node.members.get(key);
  if (found === undefined || found.kind === 'null') return undefined;
  if (found.kind !== 'object') throw broken('MILVUS_BODY', `${key} is no object`);
  return found;
}

/** Undefined where it is missing; an error where it is no whole number. */
export function countMember(node: JsonObject, key: string): number | undefined {
  const found = node.members.get(key);
  if (found === undefined || found.kind === 'null') return undefined;
  if (found.kind !== 'number' || !/^[0-9]{1,9}$/.test(found.text)) {
    throw broken('MILVUS_BODY', `${key} is no count`);
  }
  return Number(found.text);
}

/** Of a member: replaced, or put first in its object. */
export function setMember(
  node: JsonObject,
  key: string,
  text: string,
): { start: number; end: number; text: string } {
  const old = node.members.get(key);
  if (old !== undefined) return { start: old.start, end: old.end, text };
  const at = node.start + 1;
  const comma = node.members.size > 0 ? ',' : '';
  return { start: at, end: at, text: `${JSON.stringify(key)}:${text}${comma}` };
}
