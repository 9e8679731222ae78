/**
 * Rewrites a protobuf message by a plan of field numbers. Fields that are not on the plan (vectors, ids,
 * scores) are jumped over and keep their bytes; lengths around a change are written anew. One copy is made.
 */

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { FieldPath } from '../store.ts';
import { ProtoScanner, decodeString, varintSize, writeVarint } from './protobuf-fields.ts';

/** Go reads 10 000 levels, all others 100; a message nested deeper is no answer of a store. */
export const PROTO_DEPTH_MAX = 100;
/** Of one message: 16 384 rows (the most that Milvus gives) of 60 masked columns. More would fill the memory. */
const EDITS_MAX = 1_000_000;

/** What is done with a length-delimited field: into the message, into the map entry, or a new value. */
export type ProtoAction = ProtoPlan | ProtoMap | ProtoLeaf;
/** Fields that are not in it stay, unless it has `OTHER_FIELDS`. Each occurrence of a field counts. */
export type ProtoPlan = ReadonlyMap<number, ProtoAction>;
/** Gets the bytes of the value; the same Buffer: unchanged. It may call `rewriteMessage`. */
export type ProtoLeaf = (bytes: Buffer, path: FieldPath) => Buffer;
/** An entry of a `map<string, X>`: its values are below the path by their key. */
export interface ProtoMap {
  readonly mapOf: ProtoAction;
  /** The entry as a message. */
  readonly entry: ProtoPlan;
}

/** As a key of a plan: every length-delimited field that the plan does not name (vector.md section 4, rule 5). */
export const OTHER_FIELDS = 0;

/** `string key = 1`, `X value = 2`, both length-delimited. */
const MAP_KEY = 0x0a;
const MAP_VALUE = 0x12;

/** Where a length-delimited field stands: its tag, its length, its value. */
interface Place {
  readonly start: number;
  readonly sizeAt: number;
  readonly body: number;
  readonly end: number;
}

/** A span that gets a length (unless undefined) and bytes instead. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly size: number | undefined;
  readonly bytes: Buffer;
}

function growthOf({ start, end, size, bytes }: Edit): number {
  return (size === undefined ? 0 : varintSize(size)) + bytes.length - (end - start);
}

/** Known by its identity. */
const DROPPED = Buffer.alloc(0);

export const keepField: ProtoLeaf = (bytes) => bytes;
/** Takes the field out, tag and all. */
export const dropField: ProtoLeaf = () => DROPPED;
export const refuseField: ProtoLeaf = () => {
  throw new ProtocolError('PROTO_UNKNOWN_FIELD', 'server', 'a protobuf field that is not known');
};

/** `values` may be a plan that gets this very map later on (a value that holds maps of values). */
export function mapPlan(values: ProtoAction): ProtoMap {
  return { mapOf: values, entry: new Map([[MAP_VALUE >>> 3, values]]) };
}

/**
 * Leaves may call `rewriteMessage`, and messages nest in themselves: this counts the levels of all calls
 * that are under way, so that no leaf has to. It is 0 again whenever the outermost one is done.
 */
let levels = 0;

/** The same Buffer comes back when nothing changed. Throws ProtocolError PROTO_*. */
export function rewriteMessage(
  bytes: Buffer,
  plan: ProtoPlan,
  path: FieldPath = [],
  blame: Side = 'server',
): Buffer {
  const outside = levels;
  try {
    const rewriter = new Rewriter(bytes, blame);
    rewriter.message(0, bytes.length, plan, path);
    return rewriter.finish();
  } finally {
    levels = outside;
  }
}

class Rewriter {
  /** In order, without overlaps. */
  readonly #edits: Edit[] = [];
  readonly #bytes: Buffer;
  readonly #blame: Side;

  constructor(bytes: Buffer, blame: Side) {
    this.#bytes = bytes;
    this.#blame = blame;
  }

  /** Gives by how many bytes it grew. */
  message(from: number, to: number, plan: ProtoPlan, path: FieldPath): number {
    const scanner = new ProtoScanner(this.#bytes, this.#blame, from, to);
    if (++levels > PROTO_DEPTH_MAX) {
      throw scanner.error('PROTO_DEPTH', `protobuf deeper than ${PROTO_DEPTH_MAX} levels`);
    }
    const others = plan.get(OTHER_FIELDS);
    let growth = 0;
    while (scanner.at < to) {
      const start = scanner.at;
      const tag = scanner.tag();
      const wireType = tag & 7;
      const named = plan.get(tag >>> 3);
      if (wireType !== 2) {
        // A parser takes it for an unknown field and keeps it: nobody can say what is in it.
        if (named !== undefined) throw scanner.error('PROTO_WIRE_TYPE', 'a field of another type');
        scanner.skip(wireType);
        continue;
      }
      const sizeAt = scanner.at;
      const end = scanner.reach(scanner.varint());
      const action = named ?? others;
      if (action !== undefined) {
        growth += this.#field({ start, sizeAt, body: scanner.at, end }, action, path);
      }
      scanner.at = end;
    }
    levels--;
    return growth;
  }

  #field(place: Place, action: ProtoAction, path: FieldPath): number {
    const { start, sizeAt, body, end } = place;
    if (typeof action === 'function') {
      const old = this.#bytes.subarray(body, end);
      const bytes = action(old, path);
      if (bytes === old) return 0;
      return bytes === DROPPED
        ? this.#replace({ start, end, size: undefined, bytes })
        : this.#replace({ start: sizeAt, end, size: bytes.length, bytes });
    }
    // The length stands before what it counts: its place among the edits is kept for it.
    const index = this.#edits.length;
    this.#replace({ start: sizeAt, end: body, size: 0, bytes: DROPPED });
    const growth =
      'mapOf' in action
        ? this.#entry(body, end, action.entry, path)
        : this.message(body, end, action, path);
    if (this.#edits.length === index + 1) {
      this.#edits.pop();
      return 0;
    }
    const size = end - body + growth;
    const edit = { start: sizeAt, end: body, size, bytes: DROPPED };
    this.#edits[index] = edit;
    return growth + growthOf(edit);
  }

  /** The key may come after the value: it is read first. Without one it is the empty text. */
  #entry(from: number, to: number, plan: ProtoPlan, path: FieldPath): number {
    const scanner = new ProtoScanner(this.#bytes, this.#blame, from, to);
    let key: string | undefined;
    while (scanner.at < to) {
      const tag = scanner.tag();
      const isKey = tag === MAP_KEY && key === undefined;
      if (!isKey && tag !== MAP_VALUE) {
        throw scanner.error('PROTO_MAP_ENTRY', 'a map entry of other parts than a key and values');
      }
      const end = scanner.reach(scanner.varint());
      if (isKey) key = this.#key(scanner.at, end);
      scanner.at = end;
    }
    return this.message(from, to, plan, [...path, key ?? '']);
  }

  /** Wrong UTF-8 would give many keys the same text. */
  #key(from: number, to: number): string {
    const key = this.#bytes.toString('utf8', from, to);
    return key.includes('\ufffd') ? decodeString(this.#bytes.subarray(from, to), this.#blame) : key;
  }

  #replace(edit: Edit): number {
    if (this.#edits.length >= EDITS_MAX) {
      throw new ProtocolError('PROTO_EDITS', this.#blame, 'a protobuf message of too many changes');
    }
    this.#edits.push(edit);
    return growthOf(edit);
  }

  finish(): Buffer {
    const bytes = this.#bytes;
    if (this.#edits.length === 0) return bytes;
    const growth = this.#edits.reduce((sum, edit) => sum + growthOf(edit), 0);
    const result = Buffer.allocUnsafe(bytes.length + growth);
    let from = 0;
    let to = 0;
    for (const { start, end, size, bytes: value } of this.#edits) {
      to += bytes.copy(result, to, from, start);
      if (size !== undefined) to = writeVarint(result, to, size);
      to += value.copy(result, to);
      from = end;
    }
    bytes.copy(result, to, from);
    return result;
  }
}
