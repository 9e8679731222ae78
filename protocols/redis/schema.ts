/**
 * What FT.INFO says of an index, as far as it matters here: which attribute stands for which field, which are
 * vectors, which text is searched. Of RediSearch 1 (`fields`) and 2 (`attributes`), in RESP2 and RESP3.
 */

import type { FieldPath } from '../store.ts';
import type { RespNode } from '../wire/resp-value.ts';
import { itemsOf, textOf } from './answers.ts';
import { branchPathOf, fieldPathOf } from './json-path.ts';

export interface Attribute {
  readonly name: string;
  readonly identifier: string;
  /** Undefined: it may lie anywhere in the document. */
  readonly path: FieldPath | undefined;
  /** Of `$.tags[*]`: it lies right in this one, under whatever name. */
  readonly branch: FieldPath | undefined;
  /** TEXT, TAG, NUMERIC, GEO, VECTOR, GEOSHAPE. */
  readonly type: string;
  /** Of tags; an unusual one cuts values where a detector sees nothing any more. */
  readonly separator: string;
}

export interface Schema {
  readonly isJson: boolean;
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** More are not read: then the index counts as unknown. MAX_FIELDS of RediSearch is 1024. */
const ATTRIBUTE_COUNT_MAX = 2048;

/** Undefined: it is no description of an index. */
export function readSchema(info: RespNode): Schema | undefined {
  const top = pairsOf(info);
  const definition = pairsOf(top.get('index_definition'));
  const isJson = textOf(definition.get('key_type')).toUpperCase() === 'JSON';
  const listed = itemsOf(top.get('attributes') ?? top.get('fields'));
  if (listed.length === 0 || listed.length > ATTRIBUTE_COUNT_MAX) return undefined;
  const attributes = listed.map((one) => readAttribute(one, isJson));
  return { isJson, attributes: new Map(attributes.map((one) => [one.name, one])) };
}

function readAttribute(node: RespNode, isJson: boolean): Attribute {
  const items = itemsOf(node);
  // RediSearch 1 names the field first, and `type` follows it.
  const isOld = items.length % 2 === 1 && textOf(items[1]) === 'type';
  const pairs = isOld ? pairsOfItems(items.slice(1)) : pairsOf(node);
  const identifier = isOld ? textOf(items[0]) : textOf(pairs.get('identifier'));
  const name = isOld ? identifier : textOf(pairs.get('attribute'));
  return {
    name,
    identifier,
    path: pathOf(identifier, isJson),
    branch: isJson ? branchPathOf(identifier) : undefined,
    type: textOf(pairs.get('type')).toUpperCase(),
    separator: textOf(pairs.get('SEPARATOR')),
  };
}

export function pathOf(identifier: string, isJson: boolean): FieldPath | undefined {
  return isJson ? fieldPathOf(identifier) : [identifier];
}

/** Undefined: the schema does not say what it stands for. Names are found in any case, as by old versions. */
export function findAttribute(schema: Schema | undefined, name: string): Attribute | undefined {
  const found = schema?.attributes.get(name);
  if (found !== undefined || schema === undefined) return found;
  const wanted = name.toLowerCase();
  return [...schema.attributes.values()].find((one) => one.name.toLowerCase() === wanted);
}

/** Of stored vectors. Undefined: one may lie anywhere. */
export function vectorPaths(schema: Schema): readonly FieldPath[] | undefined {
  const paths: FieldPath[] = [];
  for (const { type, path } of schema.attributes.values()) {
    if (type !== 'VECTOR') continue;
    if (path === undefined) return undefined;
    paths.push(path);
  }
  return paths;
}

function pairsOf(node: RespNode | undefined): ReadonlyMap<string, RespNode> {
  return pairsOfItems(itemsOf(node));
}

/** Flags without a value stand at the end, so what comes before them is read right. */
function pairsOfItems(items: readonly RespNode[]): ReadonlyMap<string, RespNode> {
  const pairs = new Map<string, RespNode>();
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1];
    const key = textOf(items[index]);
    if (value !== undefined && !pairs.has(key)) pairs.set(key, value);
  }
  return pairs;
}
