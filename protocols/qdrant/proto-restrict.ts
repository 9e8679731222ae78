/** gRPC messages that read, cut down by replacing fields; everything else keeps its bytes. */

import type { Restrictions } from '../store.ts';
import type { RestrictedRequest } from '../wire/store-product.ts';
import type { ProtoEdit, ProtoField } from '../wire/protobuf.ts';
import {
  encodeBytes,
  encodeString,
  encodeVarint,
  readFields,
  spliceFields,
} from '../wire/protobuf.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands } from './field-path.ts';
import type { Findings } from './findings.ts';
import {
  BATCH_OVER_LIMIT,
  GROUPS_OVER_LIMIT,
  IDS_OVER_LIMIT,
  PAYLOAD_EXCLUDED,
  filterObstacle,
} from './findings.ts';
import { GROUP_SIZE_DEFAULT, LIMIT_DEFAULT } from './json-reads.ts';
import { LOOKUP_VECTORS, bytesOf, countOf } from './proto-shapes.ts';
import type { ReadMessage, Role, Roles } from './rpc-messages.ts';
import { BATCH_REQUESTS, PREFETCH_ROLES, READ_MESSAGES } from './rpc-messages.ts';

const NOTHING = Buffer.alloc(0);

/** A filter as a condition beside the demands; `ids` is a PointsIdsList, which HasIdCondition is as well. */
export function narrowedProtoFilter(
  filter: Buffer | undefined,
  demands: readonly FieldDemand[],
  ids?: Buffer,
): Buffer {
  const conditions = demands.map(({ key, value }) => {
    const match = encodeString(1, value);
    return encodeBytes(1, Buffer.concat([encodeString(1, key), encodeBytes(2, match)]));
  });
  if (ids !== undefined) conditions.unshift(encodeBytes(3, ids));
  if (filter !== undefined && filter.length > 0) conditions.unshift(encodeBytes(4, filter));
  return Buffer.concat(conditions.map((condition) => encodeBytes(2, condition)));
}

/** Edits of one message; what is set anew goes to its end. */
export class MessageEdits {
  readonly #bytes: Buffer;
  readonly #edits: ProtoEdit[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  replace({ start, end }: ProtoField, bytes: Buffer): void {
    this.#edits.push({ start, end, bytes });
  }

  append(bytes: Buffer): void {
    const end = this.#bytes.length;
    this.#edits.push({ start: end, end, bytes });
  }

  finish(): Buffer {
    return spliceFields(this.#bytes, this.#edits);
  }
}

interface Read {
  readonly message: ReadMessage;
  readonly isBatch: boolean;
  readonly findings: Findings;
}

export function restrictProtoReads(
  bytes: Buffer,
  { message, isBatch, findings }: Read,
  restrictions: Restrictions,
): RestrictedRequest | string {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) return DEMAND_UNREADABLE;
  if (demands.length > 0) {
    const obstacle = filterObstacle(findings);
    if (obstacle !== undefined) return obstacle;
  }
  const cut: Cut = { demands, restrictions, total: 0 };
  const body = isBatch ? cutBatch(bytes, message, cut) : cutRequest(bytes, message, cut);
  if (typeof body === 'string') return body;
  const { limitMax } = restrictions;
  if (limitMax !== undefined && cut.total > limitMax) {
    return message === 'GetPoints' ? IDS_OVER_LIMIT : BATCH_OVER_LIMIT;
  }
  return body === bytes ? {} : { body };
}

interface Cut {
  readonly demands: readonly FieldDemand[];
  readonly restrictions: Restrictions;
  /** Records asked for, after the cut. */
  total: number;
}

function cutBatch(bytes: Buffer, message: ReadMessage, cut: Cut): Buffer | string {
  const edits = new MessageEdits(bytes);
  for (const field of readFields(bytes)) {
    if (field.number !== BATCH_REQUESTS) continue;
    const request = bytesOf(field);
    const inner = cutRequest(request, message, cut);
    if (typeof inner === 'string') return inner;
    if (inner !== request) edits.replace(field, encodeBytes(BATCH_REQUESTS, inner));
  }
  return edits.finish();
}

function cutRequest(bytes: Buffer, message: ReadMessage, cut: Cut): Buffer | string {
  const roles = READ_MESSAGES[message];
  const edits = new MessageEdits(bytes);
  const fields = readFields(bytes);
  if (cut.demands.length > 0) {
    const obstacle =
      message === 'GetPoints'
        ? demandPayload(fields, roles, cut, edits)
        : demandFilter(fields, roles, cut, edits);
    if (obstacle !== undefined) return obstacle;
  }
  if (cut.restrictions.hidesVectors) hideVectors(fields, roles, edits);
  const asked = capRecords(fields, message, cut.restrictions.limitMax, edits);
  if (asked === undefined) return GROUPS_OVER_LIMIT;
  cut.total += asked;
  return edits.finish();
}

function numberOf(roles: Roles, role: Role): number | undefined {
  return [...roles].find(([, one]) => one === role)?.[0];
}

function fieldOf(fields: readonly ProtoField[], roles: Roles, role: Role): ProtoField | undefined {
  const number = numberOf(roles, role);
  return fields.find((field) => field.number === number);
}

function demandFilter(
  fields: readonly ProtoField[],
  roles: Roles,
  { demands }: Pick<Cut, 'demands'>,
  edits: MessageEdits,
): undefined {
  const number = numberOf(roles, 'filter');
  if (number !== undefined) setFilter(fields, number, demands, edits);
  const prefetch = numberOf(roles, 'prefetch');
  for (const field of fields) {
    if (field.number !== prefetch) continue;
    const inner = bytesOf(field);
    const innerEdits = new MessageEdits(inner);
    demandFilter(readFields(inner), PREFETCH_ROLES, { demands }, innerEdits);
    edits.replace(field, encodeBytes(prefetch, innerEdits.finish()));
  }
}

export function setFilter(
  fields: readonly ProtoField[],
  number: number,
  demands: readonly FieldDemand[],
  edits: MessageEdits,
): void {
  const filter = fields.find((field) => field.number === number);
  const own = filter === undefined ? undefined : bytesOf(filter);
  const narrowed = encodeBytes(number, narrowedProtoFilter(own, demands));
  if (filter === undefined) edits.append(narrowed);
  else edits.replace(filter, narrowed);
}

const SELECT_ENABLE = 1;
const SELECT_INCLUDE = 2;

/** As `demandPayload` for REST: the fields come back, so that the answer can be checked. */
function demandPayload(
  fields: readonly ProtoField[],
  roles: Roles,
  { demands }: Cut,
  edits: MessageEdits,
): string | undefined {
  const number = numberOf(roles, 'payload') ?? 0;
  const selector = fieldOf(fields, roles, 'payload');
  if (selector === undefined) {
    edits.append(encodeBytes(number, encodeVarint(SELECT_ENABLE, 1)));
    return undefined;
  }
  const [choice, ...more] = readFields(bytesOf(selector));
  if (choice === undefined || more.length > 0) return PAYLOAD_EXCLUDED;
  const keys = Buffer.concat(demands.map(({ key }) => encodeString(1, key)));
  if (choice.number === SELECT_ENABLE) {
    if (countOf(choice) !== 0) return undefined;
    edits.replace(selector, encodeBytes(number, encodeBytes(SELECT_INCLUDE, keys)));
    return undefined;
  }
  if (choice.number !== SELECT_INCLUDE) return PAYLOAD_EXCLUDED;
  const included = Buffer.concat([bytesOf(choice), keys]);
  edits.replace(selector, encodeBytes(number, encodeBytes(SELECT_INCLUDE, included)));
  return undefined;
}

/** None is the default, so the selectors are taken out. */
function hideVectors(fields: readonly ProtoField[], roles: Roles, edits: MessageEdits): void {
  const flag = fieldOf(fields, roles, 'vectors');
  if (flag !== undefined) edits.replace(flag, NOTHING);
  const lookup = fieldOf(fields, roles, 'with-lookup');
  if (lookup === undefined) return;
  const inner = bytesOf(lookup);
  const innerEdits = new MessageEdits(inner);
  for (const field of readFields(inner)) {
    if (field.number === LOOKUP_VECTORS) innerEdits.replace(field, NOTHING);
  }
  edits.replace(lookup, encodeBytes(lookup.number, innerEdits.finish()));
}

/** Records asked for after the cut; undefined: even one group with its lookup is too much. */
function capRecords(
  fields: readonly ProtoField[],
  message: ReadMessage,
  limitMax: number | undefined,
  edits: MessageEdits,
): number | undefined {
  const roles: Roles = READ_MESSAGES[message];
  if (limitMax === undefined || message === 'CountPoints') return 0;
  if (message === 'GetPoints') {
    const ids = numberOf(roles, 'ids');
    return fields.filter(({ number }) => number === ids).length;
  }
  const set = (role: Role, count: number): void => {
    const number = numberOf(roles, role) ?? 0;
    const field = fieldOf(fields, roles, role);
    if (field === undefined) edits.append(encodeVarint(number, count));
    else edits.replace(field, encodeVarint(number, count));
  };
  const count = (role: Role, ifNone: number): number => {
    const field = fieldOf(fields, roles, role);
    return field === undefined ? ifNone : countOf(field);
  };
  if (numberOf(roles, 'group-size') === undefined) {
    const role = message === 'SearchMatrixPoints' ? 'sample' : 'limit';
    const asked = count(role, LIMIT_DEFAULT);
    if (asked > limitMax) set(role, limitMax);
    return Math.min(asked, limitMax);
  }
  const limit = count('limit', LIMIT_DEFAULT);
  const size = count('group-size', GROUP_SIZE_DEFAULT);
  const extra = fieldOf(fields, roles, 'with-lookup') === undefined ? 0 : 1;
  if (limit * (size + extra) <= limitMax) return limit * (size + extra);
  if (limitMax < 1 + extra) return undefined;
  const sizeCut = Math.min(size, limitMax - extra);
  const limitCut = Math.min(limit, Math.floor(limitMax / (sizeCut + extra)));
  set('group-size', sizeCut);
  set('limit', limitCut);
  return limitCut * (sizeCut + extra);
}
