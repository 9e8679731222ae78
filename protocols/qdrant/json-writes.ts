/**
 * REST bodies that write points: upsert, set and delete of payload and vectors, deletes, and batches of
 * all of them. Read into effects and the fields that choose what is written; under a filter of the policy
 * they reach no record outside of it and move none out or in.
 */

import type { Restrictions, StoreEffect } from '../store.ts';
import type { RestrictedRequest } from '../wire/store-product.ts';
import type { JsonNode, JsonObject } from '../wire/json.ts';
import { spliceJson } from '../wire/json.ts';
import {
  BodyEdits,
  asList,
  asObject,
  asText,
  bodyError,
  countIds,
  membersOf,
  readBody,
} from './json-body.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands, readFieldPath, touches } from './field-path.ts';
import { FIELD_MISSING, FIELD_TOUCHED, SELECTOR_TWICE, createFindings } from './findings.ts';
import type { Findings } from './findings.ts';
import { narrowedFilter, readFilter } from './json-filter.ts';
import { narrow } from './json-restrict.ts';
import { hasDemands } from './json-records.ts';

/** As operations of a batch are called (`UpdateOperation`). */
export type WriteKind =
  | 'upsert'
  | 'delete'
  | 'set_payload'
  | 'overwrite_payload'
  | 'delete_payload'
  | 'clear_payload'
  | 'update_vectors'
  | 'delete_vectors';

export const WRITE_EFFECTS: Readonly<Record<WriteKind, StoreEffect>> = {
  upsert: 'upsert',
  delete: 'delete',
  set_payload: 'upsert',
  overwrite_payload: 'upsert',
  delete_payload: 'delete',
  clear_payload: 'delete',
  update_vectors: 'upsert',
  delete_vectors: 'delete',
};

const SELECTOR = ['points', 'filter', 'shard_key'];
const WRITE_MEMBERS: Readonly<Record<WriteKind, ReadonlySet<string>>> = {
  upsert: new Set(['points', 'batch', 'shard_key', 'update_filter', 'update_mode']),
  delete: new Set(SELECTOR),
  set_payload: new Set([...SELECTOR, 'payload', 'key']),
  overwrite_payload: new Set([...SELECTOR, 'payload', 'key']),
  delete_payload: new Set([...SELECTOR, 'keys']),
  clear_payload: new Set(SELECTOR),
  update_vectors: new Set(['points', 'shard_key', 'update_filter']),
  delete_vectors: new Set([...SELECTOR, 'vector', 'vectors']),
};
const POINT_MEMBERS = new Set(['id', 'vector', 'vectors', 'payload']);
const BATCH_MEMBERS = new Set(['ids', 'vectors', 'payloads']);
const OPERATIONS = new Set(['operations']);
const KINDS: ReadonlySet<string> = new Set(Object.keys(WRITE_EFFECTS));

interface Write {
  readonly kind: WriteKind;
  readonly node: JsonObject;
  readonly members: ReadonlyMap<string, JsonNode>;
}

export interface JsonWrites {
  readonly findings: Findings;
  readonly writes: readonly Write[];
}

/** `kind` undefined: a batch of operations. */
export function readWrites(body: Buffer, kind: WriteKind | undefined): JsonWrites {
  const top = readBody(body);
  const findings = createFindings();
  const writes = kind === undefined ? readOperations(top) : [readWrite(top, kind)];
  for (const write of writes) {
    for (const name of ['filter', 'update_filter']) {
      const filter = write.members.get(name);
      if (filter !== undefined) readFilter(filter, findings);
    }
    if (isSelecting(write.kind)) checkSelector(write);
  }
  return { findings, writes };
}

function isSelecting(kind: WriteKind): boolean {
  return kind !== 'upsert' && kind !== 'update_vectors';
}

function readOperations(top: JsonObject): Write[] {
  const operations = membersOf(top, 'a batch', OPERATIONS).get('operations');
  if (operations === undefined) throw bodyError('a batch needs operations');
  return asList(operations, 'operations').map((item) => {
    const [entry, ...more] = membersOf(item, 'an operation', KINDS);
    // Of several the server takes one, and which one is its own matter.
    if (entry === undefined || more.length > 0) throw bodyError('an operation must be one thing');
    const kind = [...KINDS].find((name): name is WriteKind => name === entry[0]);
    if (kind === undefined) throw bodyError('an operation that Weir does not know');
    return readWrite(asObject(entry[1], 'an operation'), kind);
  });
}

function readWrite(node: JsonObject, kind: WriteKind): Write {
  const members = membersOf(node, 'the request', WRITE_MEMBERS[kind]);
  return { kind, node, members };
}

/** With both, the server uses the points and forgets the filter (or does both: delete_vectors). */
function checkSelector({ node }: Write): void {
  const points = node.members.get('points');
  if (points === undefined || points.kind === 'null') return;
  countIds(points, 'points');
  const filter = node.members.get('filter');
  if (filter !== undefined && filter.kind !== 'null') throw bodyError(SELECTOR_TWICE);
}

export function restrictWrites(
  body: Buffer,
  writes: readonly Write[],
  restrictions: Restrictions,
): RestrictedRequest | string {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) return DEMAND_UNREADABLE;
  if (demands.length === 0) return {};
  const edits = new BodyEdits(body);
  for (const write of writes) {
    const obstacle = restrictWrite(write, demands, edits);
    if (obstacle !== undefined) return obstacle;
  }
  return { body: spliceJson(body, edits.list()) };
}

function restrictWrite(
  write: Write,
  demands: readonly FieldDemand[],
  edits: BodyEdits,
): string | undefined {
  const { kind, node, members } = write;
  const obstacle = contentObstacle(write, demands);
  if (obstacle !== undefined) return obstacle;
  if (!isSelecting(kind)) {
    // Records of others that are there under the same id stay as they are (qdrant 1.16 and later).
    narrow(node, 'update_filter', demands, edits);
    return undefined;
  }
  const points = members.get('points');
  if (points === undefined) {
    // With neither of them the server refuses; a filter put in would make it "all that are yours".
    if (members.has('filter')) narrow(node, 'filter', demands, edits);
    return undefined;
  }
  const kept = [...members]
    .filter(([name]) => name !== 'points')
    .map(([name, value]) => `${JSON.stringify(name)}:${edits.text(value)}`);
  const filter = `"filter":${narrowedFilter(undefined, demands, edits.text(points))}`;
  edits.replace(node, `{${[...kept, filter].join(',')}}`);
  return undefined;
}

/** What is written must keep every record where the filter has it. */
function contentObstacle(write: Write, demands: readonly FieldDemand[]): string | undefined {
  const { kind, members } = write;
  switch (kind) {
    case 'upsert':
      return payloadsOf(write).every((payload) => hasDemands(payload, demands))
        ? undefined
        : FIELD_MISSING;
    case 'overwrite_payload':
      if (members.has('key')) return FIELD_TOUCHED;
      return hasDemands(members.get('payload'), demands) ? undefined : FIELD_MISSING;
    case 'set_payload':
      return setObstacle(members, demands);
    case 'delete_payload':
      return keysOf(members.get('keys')).some((key) =>
        demands.some(({ path }) => touches(readFieldPath(key), path)),
      )
        ? FIELD_TOUCHED
        : undefined;
    case 'clear_payload':
      return FIELD_TOUCHED;
    case 'delete':
    case 'update_vectors':
    case 'delete_vectors':
      return undefined;
  }
}

function setObstacle(
  members: ReadonlyMap<string, JsonNode>,
  demands: readonly FieldDemand[],
): string | undefined {
  const key = members.get('key');
  if (key !== undefined) {
    const changed = readFieldPath(asText(key, 'key'));
    return demands.some(({ path }) => touches(changed, path)) ? FIELD_TOUCHED : undefined;
  }
  const payload = members.get('payload');
  if (payload === undefined) return FIELD_MISSING;
  const fields = asObject(payload, 'a payload').members;
  const touched = demands.filter(({ path }) => fields.has(path[0] ?? ''));
  return hasDemands(payload, touched) ? undefined : FIELD_TOUCHED;
}

function keysOf(node: JsonNode | undefined): string[] {
  if (node === undefined) throw bodyError('keys are missing');
  return asList(node, 'keys').map((key) => asText(key, 'a key'));
}

/** One for each record; undefined where it has none. */
function payloadsOf({ members }: Write): (JsonNode | undefined)[] {
  const batch = members.get('batch');
  const points = members.get('points');
  if (batch !== undefined && points !== undefined) throw bodyError('both points and a batch');
  if (points !== undefined) {
    return asList(points, 'points').map((point) =>
      membersOf(point, 'a point', POINT_MEMBERS).get('payload'),
    );
  }
  if (batch === undefined) throw bodyError('an upsert needs points');
  const lists = membersOf(batch, 'a batch', BATCH_MEMBERS);
  const ids = lists.get('ids');
  const payloads = lists.get('payloads');
  const count = ids === undefined ? 0 : countIds(ids, 'ids');
  const items = payloads === undefined ? [] : asList(payloads, 'payloads');
  if (items.length !== count) return [undefined];
  return [...items];
}
