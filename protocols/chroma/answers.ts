/**
 * Where stored values come back in Chroma's answers: documents, metadata and URIs of get (one level of
 * arrays), query and search (two), metadata of collections. Ids, distances, scores and embeddings (numbers
 * or base64) are never entered. Shapes from the server's own OpenAPI, tried on a server (vector.md 2.4).
 */

import type { ResponseHead } from '../contract.ts';
import type { FieldMasks, FieldPath, MaskText } from '../store.ts';
import { type JsonPlan, maskJson } from '../wire/json.ts';
import { fieldOf } from './filters.ts';

const RECORDS: JsonPlan = {
  keys: new Map<string, JsonPlan>([
    ['ids', 'pass'],
    ['documents', { value: ['#document'] }],
    ['metadatas', { record: [] }],
    ['uris', { value: ['#uri'] }],
    ['embeddings', 'pass'],
    ['distances', 'pass'],
    ['scores', 'pass'],
    // They say which fields were asked for: words of the request.
    ['include', 'pass'],
    ['select', 'pass'],
  ]),
  // A member that this version does not have: by content at least.
  other: 'detect',
};

/** A collection's metadata is its owner's, but people write the same things into it. */
const COLLECTIONS: JsonPlan = {
  keys: new Map<string, JsonPlan>([
    ['metadata', { record: [] }],
    // Names, which requests need as they are.
    ...['id', 'name', 'tenant', 'database'].map((key): [string, JsonPlan] => [key, 'pass']),
  ]),
  // Settings of an embedding function or of a function are JSON of the owner's own.
  other: 'detect',
};

/** Errors tell what the request said; that and nothing else was seen in them, and content is looked at. */
const ERRORS: JsonPlan = 'detect';

export function maskRecords(body: Buffer, masks: FieldMasks, head: ResponseHead): Buffer {
  return mask(body, RECORDS, masks, head);
}

export function maskCollections(body: Buffer, masks: FieldMasks, head: ResponseHead): Buffer {
  return mask(body, COLLECTIONS, masks, head);
}

export function maskErrors(body: Buffer, masks: FieldMasks, head: ResponseHead): Buffer {
  return mask(body, head.status >= 400 ? ERRORS : 'pass', masks, head);
}

function mask(body: Buffer, plan: JsonPlan, masks: FieldMasks, head: ResponseHead): Buffer {
  // 404 and 405 of the server's router have no body.
  if (body.length === 0) return body;
  return maskJson(body, head.status >= 400 ? ERRORS : plan, withOwnKeys(masks));
}

/**
 * The key `author.phone` is the field that rules write as `author.phone`, which is two names elsewhere; and the
 * text of a record is its text under the server's own key as well.
 */
function withOwnKeys(masks: FieldMasks): FieldMasks {
  return {
    maskOf: (path): MaskText | undefined => {
      const other = rewritten(path);
      return masks.maskOf(path) ?? (other && masks.maskOf(other));
    },
    mayMaskBelow: (path) => {
      const other = rewritten(path);
      return masks.mayMaskBelow(path) || (other !== undefined && masks.mayMaskBelow(other));
    },
    detect: masks.detect,
  };
}

/** Undefined: it is the same. */
function rewritten(path: FieldPath): FieldPath | undefined {
  const other = path.flatMap((name) => fieldOf(name).split('.'));
  const isSame = other.length === path.length && other.every((name, at) => name === path[at]);
  return isSame ? undefined : other;
}
