/**
 * REST bodies that read, cut down: the demands of the policy go around each filter, limits are capped,
 * stored vectors stay away. All by splicing: what is not cut keeps its bytes.
 */

import type { Restrictions } from '../store.ts';
import type { RestrictedRequest } from '../wire/store-product.ts';
import type { JsonNode, JsonObject } from '../wire/json.ts';
import { spliceJson } from '../wire/json.ts';
import { BodyEdits, asCount } from './json-body.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands } from './field-path.ts';
import {
  BATCH_OVER_LIMIT,
  GROUPS_OVER_LIMIT,
  IDS_OVER_LIMIT,
  PAYLOAD_EXCLUDED,
  filterObstacle,
} from './findings.ts';
import { narrowedFilter } from './json-filter.ts';
import { GROUP_SIZE_DEFAULT, LIMIT_DEFAULT } from './json-reads.ts';
import type { JsonReads } from './json-reads.ts';

export function restrictReads(
  body: Buffer,
  reads: JsonReads,
  restrictions: Restrictions,
): RestrictedRequest | string {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) return DEMAND_UNREADABLE;
  const edits = new BodyEdits(body);
  const obstacle =
    (demands.length > 0 ? demandFields(reads, demands, edits) : undefined) ??
    (restrictions.limitMax === undefined ? undefined : cap(reads, restrictions.limitMax, edits));
  if (obstacle !== undefined) return obstacle;
  if (restrictions.hidesVectors) {
    for (const flag of reads.vectorFlags) edits.replace(flag, 'false');
  }
  const list = edits.list();
  return list.length === 0 ? {} : { body: spliceJson(body, list) };
}

function demandFields(
  reads: JsonReads,
  demands: readonly FieldDemand[],
  edits: BodyEdits,
): string | undefined {
  const obstacle = filterObstacle(reads.findings);
  if (obstacle !== undefined) return obstacle;
  if (reads.kind === 'retrieve') return demandPayload(reads, demands, edits);
  for (const node of reads.filtered) narrow(node, 'filter', demands, edits);
  return undefined;
}

export function narrow(
  node: JsonObject,
  name: string,
  demands: readonly FieldDemand[],
  edits: BodyEdits,
): void {
  const filter = node.members.get(name);
  const own = filter === undefined || filter.kind === 'null' ? undefined : edits.text(filter);
  edits.set(node, name, narrowedFilter(own, demands));
}

/** A read by id has no filter: the fields come back with it, so that the answer can be checked. */
function demandPayload(
  reads: JsonReads,
  demands: readonly FieldDemand[],
  edits: BodyEdits,
): string | undefined {
  const keys = demands.map(({ key }) => JSON.stringify(key));
  for (const node of reads.requests) {
    const selector = node.members.get('with_payload');
    // All of it is the default of the server.
    if (selector === undefined || selector.kind === 'null' || selector.kind === 'true') continue;
    const fields = selectedFields(selector);
    if (fields === undefined) return PAYLOAD_EXCLUDED;
    const texts = fields.map((field) => edits.text(field));
    edits.replace(selector, `[${[...texts, ...keys].join(',')}]`);
  }
  return undefined;
}

/** Undefined: it takes fields away, or cannot be told. */
function selectedFields(selector: JsonNode): readonly JsonNode[] | undefined {
  if (selector.kind === 'false') return [];
  if (selector.kind === 'array') return selector.isPacked ? undefined : selector.items;
  if (selector.kind !== 'object' || selector.members.size !== 1) return undefined;
  const include = selector.members.get('include');
  return include === undefined ? undefined : selectedFields(include);
}

function cap(reads: JsonReads, limitMax: number, edits: BodyEdits): string | undefined {
  const { kind, requests } = reads;
  if (kind === 'count') return undefined;
  if (kind === 'retrieve') {
    return (reads.findings.limit ?? 0) > limitMax ? IDS_OVER_LIMIT : undefined;
  }
  let total = 0;
  for (const node of requests) {
    const asked = kind.endsWith('-groups')
      ? capGroups(node, limitMax, edits)
      : capLimit(node, kind === 'matrix' ? 'sample' : 'limit', limitMax, edits);
    if (asked === undefined) return GROUPS_OVER_LIMIT;
    total += asked;
  }
  return total > limitMax ? BATCH_OVER_LIMIT : undefined;
}

function countOf(node: JsonObject, name: string, ifNone: number): number {
  const given = node.members.get(name);
  return given === undefined || given.kind === 'null' ? ifNone : asCount(given, name);
}

function capLimit(node: JsonObject, member: string, limitMax: number, edits: BodyEdits): number {
  const name = node.members.has('top') ? 'top' : member;
  const asked = countOf(node, name, LIMIT_DEFAULT);
  if (asked <= limitMax) return asked;
  edits.set(node, name, String(limitMax));
  return limitMax;
}

/** Smaller groups first, then fewer of them. Undefined: even one group with its lookup is too much. */
function capGroups(node: JsonObject, limitMax: number, edits: BodyEdits): number | undefined {
  const limit = countOf(node, 'limit', LIMIT_DEFAULT);
  const size = countOf(node, 'group_size', GROUP_SIZE_DEFAULT);
  const lookup = node.members.get('with_lookup');
  const extra = lookup === undefined || lookup.kind === 'null' ? 0 : 1;
  if (limit * (size + extra) <= limitMax) return limit * (size + extra);
  if (limitMax < 1 + extra) return undefined;
  const sizeCut = Math.min(size, limitMax - extra);
  const limitCut = Math.min(limit, Math.floor(limitMax / (sizeCut + extra)));
  edits.set(node, 'group_size', String(sizeCut));
  edits.set(node, 'limit', String(limitCut));
  return limitCut * (sizeCut + extra);
}
