/**
 * Requests that name a place outside the store: external collections (Milvus 3), whose records are read from
 * files that may be those of any other collection, and functions that send texts to a model of the caller's
 * choice. Only tells whether a request does so.
 */

import type { StoreAccess } from '../store.ts';
import type { JsonNode, JsonObject } from '../wire/json.ts';
import type { RequestMessage } from './request-reader.ts';
import { fieldsOf, messagesOf, pairsOf, readMessage, textOf } from './request-reader.ts';

export const GOES_OUTSIDE =
  'it names a place outside, to which texts may go, or from which records of any collection may come';
/** Whose records they are, the request does not say. */
export const OUTSIDE: StoreAccess = { effect: 'export', target: undefined };

/** `external_source`, `externalSpec`, `collection.external_source`, `endpoint`, in whatever case (MV-10). */
const PLACE = /external|^(?:endpoint|ur[il]|base_?url)$/i;

/** Of requests that create or alter a collection: its schema (bytes in one of them), properties and functions. */
export function goesOutside(message: RequestMessage): boolean {
  if (hasPlace(pairsOf(message, 'properties').keys())) return true;
  const actions = messagesOf(message, 'action');
  const added = actions.flatMap((action) => messagesOf(action, 'add_request'));
  const functions = [
    ...messagesOf(message, 'functionSchema'),
    ...added.flatMap((one) => messagesOf(one, 'func_schema')),
  ];
  return functions.some(isSending) || schemasOf(message).some(isOutside);
}

/** Only CreateCollection has a whole one; AddCollectionField has that of a field there. */
function schemasOf(message: RequestMessage): RequestMessage[] {
  if (message.shape.name !== 'CreateCollectionRequest') return [];
  return fieldsOf(message, 'schema').flatMap(({ value }) =>
    Buffer.isBuffer(value) ? [readMessage(value, 'CollectionSchema')] : [],
  );
}

function isOutside(schema: RequestMessage): boolean {
  const texts = [textOf(schema, 'external_source'), textOf(schema, 'external_spec')];
  return (
    texts.some((text) => text !== '') ||
    hasPlace(pairsOf(schema, 'properties').keys()) ||
    messagesOf(schema, 'functions').some(isSending)
  );
}

function isSending(one: RequestMessage): boolean {
  return hasPlace(pairsOf(one, 'params').keys());
}

/** Of REST bodies that do the same: a key of that kind at any depth of its objects. */
export function goesOutsideInRest(node: JsonObject): boolean {
  return hasPlace(node.members.keys()) || [...node.members.values()].some(isNaming);
}

function isNaming(node: JsonNode): boolean {
  if (node.kind === 'array') return node.items.some(isNaming);
  return node.kind === 'object' && goesOutsideInRest(node);
}

function hasPlace(keys: Iterable<string>): boolean {
  return [...keys].some((key) => PLACE.test(key));
}
