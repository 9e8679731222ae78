/**
 * gRPC messages that write points, single (`UpsertPoints`) and as operations of `UpdateBatchPoints`, which
 * number the same things in another way. The rules are those of `json-writes.ts`.
 */

import type { Restrictions } from '../store.ts';
import type { RestrictedRequest } from '../wire/store-product.ts';
import type { ProtoField } from '../wire/protobuf.ts';
import { encodeBytes, readFields } from '../wire/protobuf.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands, readFieldPath, touches } from './field-path.ts';
import type { Findings } from './findings.ts';
import { FIELD_MISSING, FIELD_TOUCHED, SELECTOR_TWICE, createFindings } from './findings.ts';
import type { WriteKind } from './json-writes.ts';
import { hasKey, protoHasDemands } from './proto-records.ts';
import { MessageEdits, narrowedProtoFilter, setFilter } from './proto-restrict.ts';
import type { Part, Shape, Walk } from './proto-shapes.ts';
import {
  FILTER_PART,
  PLAIN,
  PLAINS,
  bytesOf,
  many,
  messageError,
  one,
  textOf,
  walkMessage,
} from './proto-shapes.ts';
import type { WriteForm } from './rpc-writes.ts';
import { BATCH_OPERATIONS, OPERATIONS, WRITE_MESSAGES } from './rpc-writes.ts';

interface Write {
  readonly form: WriteForm;
  readonly bytes: Buffer;
}

export interface ProtoWrites {
  readonly findings: Findings;
  readonly collection: string;
  readonly kinds: readonly WriteKind[];
}

/** PointsSelector `{1 points, 2 filter}`. */
const SELECTOR_POINTS = 1;
const SELECTOR_FILTER = 2;
const SELECTOR: Shape = new Map([
  [SELECTOR_POINTS, PLAIN],
  [SELECTOR_FILTER, FILTER_PART],
]);
/** Of PointStruct. */
const POINT_PAYLOAD = 3;

export function readProtoWrites(bytes: Buffer, message: WriteKind | undefined): ProtoWrites {
  const findings = createFindings();
  const walk: Walk = { findings, base: [], depth: 0 };
  const names: string[] = [];
  const collection = one((field) => names.push(textOf(field)));
  const kinds: WriteKind[] = [];
  if (message === undefined) {
    walkMessage(bytes, batchShape(collection, kinds), walk);
  } else {
    kinds.push(message);
    walkMessage(bytes, writeShape(WRITE_MESSAGES[message], collection), walk);
  }
  return { findings, collection: names[0] ?? '', kinds };
}

/** UpdateBatchPoints `{1 collection_name, 2 wait, 3 operations, 4 ordering, 5 timeout}`. */
function batchShape(collection: Part, kinds: WriteKind[]): Shape {
  const operation: Shape = new Map(
    [...OPERATIONS].map(([number, form]): [number, Part] => [
      number,
      one((field, walk) => {
        kinds.push(form.kind);
        walkMessage(bytesOf(field), writeShape(form, PLAIN), walk);
      }),
    ]),
  );
  return new Map([
    [1, collection],
    [2, PLAIN],
    [BATCH_OPERATIONS, many((field, walk) => walkMessage(bytesOf(field), operation, walk))],
    [4, PLAIN],
    [5, PLAIN],
  ]);
}

function writeShape(form: WriteForm, collection: Part): Shape {
  if (form.isSelector === true) return SELECTOR;
  const parts = new Map<number, Part>();
  for (const number of form.plain) parts.set(number, PLAIN);
  for (const number of form.lists) parts.set(number, PLAINS);
  if (form.collection !== undefined) parts.set(form.collection, collection);
  if (form.updateFilter !== undefined) parts.set(form.updateFilter, FILTER_PART);
  if (form.selector !== undefined) {
    parts.set(
      form.selector,
      one((field, walk) => {
        const selector = bytesOf(field);
        walkMessage(selector, SELECTOR, walk);
        if (readFields(selector).length > 1) throw messageError(SELECTOR_TWICE);
      }),
    );
  }
  return parts;
}

export function restrictProtoWrites(
  bytes: Buffer,
  message: WriteKind | undefined,
  restrictions: Restrictions,
): RestrictedRequest | string {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) return DEMAND_UNREADABLE;
  if (demands.length === 0) return {};
  const body =
    message === undefined
      ? restrictBatch(bytes, demands)
      : restrictWrite({ form: WRITE_MESSAGES[message], bytes }, demands);
  return typeof body === 'string' ? body : { body };
}

function restrictBatch(bytes: Buffer, demands: readonly FieldDemand[]): Buffer | string {
  const edits = new MessageEdits(bytes);
  for (const field of readFields(bytes)) {
    if (field.number !== BATCH_OPERATIONS) continue;
    const operation = bytesOf(field);
    const inner = new MessageEdits(operation);
    for (const choice of readFields(operation)) {
      const form = OPERATIONS.get(choice.number);
      if (form === undefined) throw messageError('an operation that Weir does not know');
      const cut = restrictWrite({ form, bytes: bytesOf(choice) }, demands);
      if (typeof cut === 'string') return cut;
      inner.replace(choice, encodeBytes(choice.number, cut));
    }
    edits.replace(field, encodeBytes(BATCH_OPERATIONS, inner.finish()));
  }
  return edits.finish();
}

function restrictWrite({ form, bytes }: Write, demands: readonly FieldDemand[]): Buffer | string {
  const fields = readFields(bytes);
  const obstacle = contentObstacle(form, fields, demands);
  if (obstacle !== undefined) return obstacle;
  if (form.isSelector === true) return narrowedSelector(bytes, demands);
  const edits = new MessageEdits(bytes);
  if (form.updateFilter !== undefined) {
    setFilter(fields, form.updateFilter, demands, edits);
  }
  // Without a selector the server refuses; one that is put in would make it "all that are yours".
  const selector = fields.find(({ number }) => number === form.selector);
  if (selector !== undefined) {
    const narrowed = narrowedSelector(bytesOf(selector), demands);
    edits.replace(selector, encodeBytes(selector.number, narrowed));
  }
  return edits.finish();
}

function narrowedSelector(bytes: Buffer, demands: readonly FieldDemand[]): Buffer {
  const [choice, ...more] = readFields(bytes);
  if (choice === undefined) return bytes;
  if (more.length > 0) throw messageError(SELECTOR_TWICE);
  const own = bytesOf(choice);
  const filter =
    choice.number === SELECTOR_POINTS
      ? narrowedProtoFilter(undefined, demands, own)
      : narrowedProtoFilter(own, demands);
  return encodeBytes(SELECTOR_FILTER, filter);
}

function contentObstacle(
  form: WriteForm,
  fields: readonly ProtoField[],
  demands: readonly FieldDemand[],
): string | undefined {
  const of = (number: number | undefined): ProtoField[] =>
    fields.filter((field) => field.number === number);
  switch (form.kind) {
    case 'upsert': {
      const fits = of(form.points).every((point) =>
        protoHasDemands(
          readFields(bytesOf(point)).filter(({ number }) => number === POINT_PAYLOAD),
          demands,
        ),
      );
      return fits ? undefined : FIELD_MISSING;
    }
    case 'overwrite_payload':
      if (of(form.key).length > 0) return FIELD_TOUCHED;
      return protoHasDemands(of(form.payload), demands) ? undefined : FIELD_MISSING;
    case 'set_payload': {
      const [key] = of(form.key);
      if (key !== undefined) return touchesAny(textOf(key), demands);
      const payload = of(form.payload);
      const touched = demands.filter(({ path }) => hasKey(payload, path[0] ?? ''));
      return protoHasDemands(payload, touched) ? undefined : FIELD_TOUCHED;
    }
    case 'delete_payload':
      return of(form.keys)
        .map((key) => touchesAny(textOf(key), demands))
        .find((obstacle) => obstacle !== undefined);
    case 'clear_payload':
      return FIELD_TOUCHED;
    case 'delete':
    case 'update_vectors':
    case 'delete_vectors':
      return undefined;
  }
}

function touchesAny(key: string, demands: readonly FieldDemand[]): string | undefined {
  const changed = readFieldPath(key);
  return demands.some(({ path }) => touches(changed, path)) ? FIELD_TOUCHED : undefined;
}
