/**
 * Collections whose records lie outside (external collections of Milvus 3): whoever creates one says where, and
 * that may be the files of any other collection of the same store. Only tells whether a request does so.
 */

import type { StoreAccess } from '../store.ts';
import type { JsonNode, JsonObject } from '../wire/json.ts';
import type { RequestMessage } from './request-reader.ts';
import { fieldsOf, pairsOf, readMessage, textOf } from './request-reader.ts';

export const READS_OUTSIDE =
  'it may read the files of any collection, whose records are found under another name then';
/** What lies there belongs to a collection that the request does not name. */
export const OUTSIDE: StoreAccess = { effect: 'export', target: undefined };

/** `external_source`, `externalSpec`, `collection.external_source`, in whatever case Go folds (MV-10). */
const EXTERNAL = /external/i;

/** CreateCollection and AlterCollection: the schema (bytes there) or the properties. */
export function namesSource(rpc: string, message: RequestMessage): boolean {
  if (rpc !== 'CreateCollection' && rpc !== 'AlterCollection') return false;
  if (hasExternal(pairsOf(message, 'properties').keys())) return true;
  return fieldsOf(message, 'schema').some(({ value }) => {
    if (!Buffer.isBuffer(value)) return false;
    const schema = readMessage(value, 'CollectionSchema');
    const texts = [textOf(schema, 'external_source'), textOf(schema, 'external_spec')];
    return texts.some((text) => text !== '') || hasExternal(pairsOf(schema, 'properties').keys());
  });
}

/** Of REST bodies that create or alter a collection: a key of that kind at any depth of its objects. */
export function namesSourceInRest(node: JsonObject): boolean {
  return hasExternal(node.members.keys()) || [...node.members.values()].some(isNaming);
}

function isNaming(node: JsonNode): boolean {
  if (node.kind === 'array') return node.items.some(isNaming);
  return node.kind === 'object' && namesSourceInRest(node);
}

function hasExternal(keys: Iterable<string>): boolean {
  return [...keys].some((key) => EXTERNAL.test(key));
}
