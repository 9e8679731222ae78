/**
 * REST bodies that read: search, query, recommend, discover, scroll, count, facet, matrix, groups, reads
 * by id, and batches of them. One table says which members each of them has; a member means the same
 * in all of them (lib/api/src/rest/schema.rs, qdrant 1.19). Here they are read; `json-restrict.ts` cuts them.
 */

import type { JsonNode, JsonObject } from '../wire/json.ts';
import {
  asCount,
  asList,
  asObject,
  asText,
  bodyError,
  membersOf,
  oneOrMany,
  readBody,
} from './json-body.ts';
import { readFieldPath } from './field-path.ts';
import { readFilter } from './json-filter.ts';
import { readExample, readIds, readOrder, readQuery } from './json-query.ts';
import type { Findings } from './findings.ts';
import { addLimit, createFindings } from './findings.ts';

export type ReadKind =
  | 'query'
  | 'query-groups'
  | 'search'
  | 'search-groups'
  | 'recommend'
  | 'recommend-groups'
  | 'discover'
  | 'scroll'
  | 'retrieve'
  | 'count'
  | 'facet'
  | 'matrix';

/** Of the server, where a request gives none. Old requests must give one. */
export const LIMIT_DEFAULT = 10;
export const GROUP_SIZE_DEFAULT = 3;

const OUTPUT = ['with_payload', 'with_vector', 'with_vectors'];
const COMMON = ['shard_key', 'filter', 'params', 'score_threshold', ...OUTPUT];
const PAGE = ['limit', 'top', 'offset'];
const GROUPS = ['group_by', 'group_size', 'limit', 'with_lookup'];
const QUERY = [...COMMON, 'prefetch', 'query', 'using', 'lookup_from'];
const SEARCH = [...COMMON, 'vector'];
const RECOMMEND = [...COMMON, 'positive', 'negative', 'strategy', 'using', 'lookup_from'];

export const READ_MEMBERS: Readonly<Record<ReadKind, ReadonlySet<string>>> = {
  query: new Set([...QUERY, 'limit', 'offset']),
  'query-groups': new Set([...QUERY, ...GROUPS]),
  search: new Set([...SEARCH, ...PAGE]),
  'search-groups': new Set([...SEARCH, ...GROUPS]),
  recommend: new Set([...RECOMMEND, ...PAGE]),
  'recommend-groups': new Set([...RECOMMEND, ...GROUPS]),
  discover: new Set([...COMMON, ...PAGE, 'target', 'context', 'using', 'lookup_from']),
  scroll: new Set([
    'shard_key',
    'offset',
    'limit',
    'filter',
    'order_by',
    'hash_ring_filter',
    ...OUTPUT,
  ]),
  retrieve: new Set(['shard_key', 'ids', ...OUTPUT]),
  count: new Set(['shard_key', 'filter', 'exact', 'hash_ring_filter']),
  facet: new Set(['shard_key', 'key', 'limit', 'filter', 'exact']),
  matrix: new Set(['shard_key', 'filter', 'sample', 'limit', 'using']),
};
const PREFETCH_MEMBERS = new Set([
  'prefetch',
  'query',
  'using',
  'filter',
  'params',
  'score_threshold',
  'limit',
  'lookup_from',
]);
const PARAMS_MEMBERS = new Set(['hnsw_ef', 'exact', 'quantization', 'indexed_only', 'acorn']);
const LOOKUP_FROM_MEMBERS = new Set(['collection', 'vector', 'shard_key']);
const WITH_LOOKUP_MEMBERS = new Set(['collection', ...OUTPUT]);
const NAMED_VECTOR_MEMBERS = new Set(['name', 'vector']);
const BATCH_MEMBERS = new Set(['searches']);

export interface JsonReads {
  readonly kind: ReadKind;
  readonly findings: Findings;
  /** The request itself, or those of a batch. */
  readonly requests: readonly JsonObject[];
  /** All objects that have a filter or can have one: requests and everything that they fetch before. */
  readonly filtered: readonly JsonObject[];
  /** Values of `with_vector` and `with_vectors`, wherever. */
  readonly vectorFlags: readonly JsonNode[];
}

interface Reader {
  readonly findings: Findings;
  readonly filtered: JsonObject[];
  readonly vectorFlags: JsonNode[];
}

export function readReads(body: Buffer, kind: ReadKind, isBatch: boolean): JsonReads {
  const top = readBody(body);
  const reader: Reader = { findings: createFindings(), filtered: [], vectorFlags: [] };
  const requests = isBatch ? batchOf(top) : [top];
  for (const request of requests) readRequest(request, kind, reader);
  return { kind, requests, ...reader };
}

function batchOf(top: JsonObject): JsonObject[] {
  const searches = membersOf(top, 'a batch', BATCH_MEMBERS).get('searches');
  if (searches === undefined) throw bodyError('a batch needs searches');
  return asList(searches, 'searches').map((item) => asObject(item, 'a search'));
}

function readRequest(node: JsonObject, kind: ReadKind, reader: Reader): void {
  const members = membersOf(node, 'the request', READ_MEMBERS[kind]);
  if (kind !== 'retrieve') reader.filtered.push(node);
  for (const [name, value] of members) readMember(name, value, reader);
  if (kind.startsWith('query') && !members.has('query')) reader.findings.isScan = true;
  const count = recordsOf(node, kind, members);
  if (count !== undefined) addLimit(reader.findings, count);
}

/** How many records a request asks for; undefined: it gives out none. */
function recordsOf(
  node: JsonObject,
  kind: ReadKind,
  members: ReadonlyMap<string, JsonNode>,
): number | undefined {
  const count = (name: string, ifNone: number): number => {
    const given = members.get(name);
    return given === undefined ? ifNone : asCount(given, name);
  };
  if (kind === 'count') return undefined;
  if (kind === 'matrix') return count('sample', LIMIT_DEFAULT);
  if (kind === 'retrieve') {
    const ids = members.get('ids');
    if (ids === undefined) throw bodyError('a read by id needs ids');
    return readIds(ids);
  }
  if (node.members.has('top') && node.members.has('limit')) {
    throw bodyError('the request has two limits');
  }
  const limit = count(node.members.has('top') ? 'top' : 'limit', LIMIT_DEFAULT);
  if (!kind.endsWith('-groups')) return limit;
  const perGroup = count('group_size', GROUP_SIZE_DEFAULT) + (members.has('with_lookup') ? 1 : 0);
  return limit * perGroup;
}

function readMember(name: string, value: JsonNode, reader: Reader): void {
  const { findings } = reader;
  switch (name) {
    case 'filter':
      readFilter(value, findings);
      break;
    case 'prefetch':
      for (const item of oneOrMany(value, 'prefetch')) readPrefetch(item, reader);
      break;
    case 'query':
      readQuery(value, findings);
      break;
    case 'vector':
      checkSearchVector(value);
      break;
    case 'lookup_from':
      findings.vectorSources.push(collectionOf(value, LOOKUP_FROM_MEMBERS));
      break;
    case 'with_lookup':
      readLookup(value, reader);
      break;
    case 'with_vector':
    case 'with_vectors':
      readVectorFlag(value, reader);
      break;
    case 'order_by':
      findings.isScan = true;
      readOrder(value, findings);
      break;
    case 'group_by':
      readPath(value, findings, 'groupPaths');
      break;
    case 'key':
      readPath(value, findings, 'facetPaths');
      break;
    case 'params':
      membersOf(value, 'params', PARAMS_MEMBERS);
      break;
    default:
      readExample(name, value, findings);
  }
}

function readPrefetch(node: JsonNode, reader: Reader): void {
  const members = membersOf(node, 'prefetch', PREFETCH_MEMBERS);
  reader.filtered.push(asObject(node, 'prefetch'));
  for (const [name, value] of members) readMember(name, value, reader);
  if (!members.has('query')) reader.findings.isScan = true;
}

function collectionOf(node: JsonNode, known: ReadonlySet<string>): string {
  const collection = membersOf(node, 'a lookup', known).get('collection');
  if (collection === undefined) throw bodyError('a lookup needs a collection');
  return asText(collection, 'a collection');
}

function readLookup(node: JsonNode, reader: Reader): void {
  if (node.kind === 'string') {
    reader.findings.lookups.push(node.text);
    return;
  }
  reader.findings.lookups.push(collectionOf(node, WITH_LOOKUP_MEMBERS));
  for (const name of ['with_vector', 'with_vectors']) {
    const flag = asObject(node, 'with_lookup').members.get(name);
    if (flag !== undefined) readVectorFlag(flag, reader);
  }
}

/** `true`, or the names of vectors. */
function readVectorFlag(node: JsonNode, reader: Reader): void {
  reader.vectorFlags.push(node);
  const isNone =
    node.kind === 'false' || node.kind === 'null' || (node.kind === 'array' && node.count === 0);
  if (!isNone) reader.findings.wantsVectors = true;
}

function readPath(node: JsonNode, findings: Findings, kind: 'groupPaths' | 'facetPaths'): void {
  const path = readFieldPath(asText(node, 'a key'));
  findings.steering.push(path);
  findings[kind].push(path);
}

/** Numbers, or `{name, vector}`; it never is an id. */
function checkSearchVector(node: JsonNode): void {
  if (node.kind === 'array' && (node.isPacked || node.count === 0)) return;
  membersOf(node, 'a vector', NAMED_VECTOR_MEMBERS);
}
