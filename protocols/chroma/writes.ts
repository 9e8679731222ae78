/**
 * Chroma's add, update and upsert. Under a filter only add goes on, where each record carries what the
 * rule wants: an id that exists already stays as it is (tried on a server), whoever's it is, while update
 * and upsert would take another tenant's record over without saying so.
 */

import type { RecordFilter, Restrictions } from '../store.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { maskErrors } from './answers.ts';
import {
  hasOthers,
  type JsonNode,
  type JsonObject,
  optionalItems,
  optionalTexts,
  readBody,
} from './body.ts';
import {
  access,
  type Call,
  collectionById,
  NO_STEERING,
  refuseFilter,
  refuseUnknown,
} from './requests.ts';

const RECORD_KEYS: readonly string[] = ['ids', 'embeddings', 'documents', 'metadatas', 'uris'];

export function readAdd(call: Call): ReadRequest {
  const body = readBody(call.body);
  const ids = optionalTexts(body, 'ids') ?? [];
  return {
    ...writeRequest(call),
    restrict: ({ filter }) => (filter.length === 0 ? {} : checkRecords(body, ids.length, filter)),
  };
}

export function readOverwrite(call: Call): ReadRequest {
  optionalTexts(readBody(call.body), 'ids');
  const reason =
    'update and upsert overwrite the record of an id whoever it belongs to; delete your own by id, then add it';
  const restrict = ({ filter }: Restrictions): RestrictedRequest | string =>
    filter.length === 0 ? {} : refuseFilter(reason);
  return { ...writeRequest(call), restrict };
}

function writeRequest(call: Call): Omit<ReadRequest, 'restrict'> {
  const { route } = call;
  return {
    route,
    accesses: access(collectionById(call), 'upsert'),
    steering: NO_STEERING,
    maskAnswer: maskErrors,
  };
}

function checkRecords(
  body: JsonObject,
  count: number,
  filter: RecordFilter,
): RestrictedRequest | string {
  if (hasOthers(body, RECORD_KEYS)) return refuseUnknown();
  const metadatas = optionalItems(body, 'metadatas') ?? [];
  const names = filter.map(({ field }) => field).join(', ');
  const isWhole = metadatas.length === count && metadatas.every((one) => carriesAll(one, filter));
  return isWhole
    ? {}
    : refuseFilter(
        `each record that you add needs metadata with the value of the rule in ${names}`,
      );
}

function carriesAll(metadata: JsonNode, filter: RecordFilter): boolean {
  if (metadata.kind !== 'object') return false;
  return filter.every(({ field, value }) => {
    const own = metadata.members.get(field);
    return own?.kind === 'string' && own.text === value;
  });
}
