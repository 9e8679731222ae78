/**
 * Messages of Qdrant's gRPC API as shapes: which field numbers each has and what they are for. Filters,
 * queries and formulas are here, requests in `rpc-messages.ts`. Walking a message by its shape is strict:
 * a field that the shape does not have is refused, and so is one that comes twice where the server takes
 * one, since it merges or replaces then. Numbers: descriptors of @qdrant/js-client-grpc 1.18 (a test compares).
 */

import { ProtocolError } from '../errors.ts';
import type { FieldPath } from '../store.ts';
import type { ProtoField } from '../wire/protobuf.ts';
import { decodeString, forEachField } from '../wire/protobuf.ts';
import { readFieldPath } from './field-path.ts';
import type { Findings } from './findings.ts';

export interface Walk {
  readonly findings: Findings;
  /** Of the `nested` condition around it. */
  readonly base: FieldPath;
  readonly depth: number;
}

export interface Part {
  readonly isRepeated: boolean;
  readonly visit: (field: ProtoField, walk: Walk) => void;
}
export type Shape = ReadonlyMap<number, Part>;

/** prost, which reads them in the server, stops at 100 as well. */
const DEPTH_MAX = 100;

export function messageError(what: string): ProtocolError {
  return new ProtocolError('QDRANT_MESSAGE', 'client', what);
}

export function bytesOf(field: ProtoField): Buffer {
  if (field.wireType !== 2) throw messageError('a field of the message has another type');
  return field.value;
}

export function textOf(field: ProtoField): string {
  return decodeString(bytesOf(field), 'client');
}

export function countOf(field: ProtoField): number {
  if (field.wireType !== 0) throw messageError('a field of the message has another type');
  const count = Number(field.value);
  if (!Number.isSafeInteger(count)) throw messageError('a number that is too large');
  return count;
}

export function walkMessage(bytes: Buffer, shape: Shape, walk: Walk): void {
  if (walk.depth > DEPTH_MAX) throw messageError('the message nests too deep');
  const seen = new Set<number>();
  forEachField(
    bytes,
    (field) => {
      const part = shape.get(field.number);
      if (part === undefined) throw messageError('a field of the message that Weir does not know');
      if (!part.isRepeated && seen.has(field.number)) {
        throw messageError('a field of the message comes twice');
      }
      seen.add(field.number);
      part.visit(field, { ...walk, depth: walk.depth + 1 });
    },
    'client',
  );
}

export function one(visit: Part['visit']): Part {
  return { isRepeated: false, visit };
}

export function many(visit: Part['visit']): Part {
  return { isRepeated: true, visit };
}

/** Nothing in it matters to a rule: numbers, flags, vectors, values that are compared with. */
export const PLAIN: Part = one(() => undefined);
export const PLAINS: Part = many(() => undefined);

function into(shape: () => Shape): Part['visit'] {
  return (field, walk) => walkMessage(bytesOf(field), shape(), walk);
}

function plains(...numbers: readonly number[]): [number, Part][] {
  return numbers.map((number) => [number, PLAIN]);
}

function addKey(field: ProtoField, { findings, base }: Walk): FieldPath {
  const path = [...base, ...readFieldPath(textOf(field))];
  findings.steering.push(path);
  return path;
}

const KEY: Part = one((field, walk) => {
  addKey(field, walk);
});

const KEY_ONLY: Shape = new Map([[1, KEY]]);
const FIELD_CONDITION: Shape = new Map([[1, KEY], ...plains(2, 3, 4, 5, 6, 7, 8, 9, 10)]);
const MIN_SHOULD: Shape = new Map([
  [1, many((field, walk) => walkMessage(bytesOf(field), CONDITION, walk))],
  [2, PLAIN],
]);
const CONDITIONS = many(into(() => CONDITION));

export const FILTER: Shape = new Map([
  [1, CONDITIONS],
  [2, CONDITIONS],
  [3, CONDITIONS],
  [4, one(into(() => MIN_SHOULD))],
]);

const CONDITION: Shape = new Map([
  [1, one(into(() => FIELD_CONDITION))],
  [2, one(into(() => KEY_ONLY))],
  [3, PLAIN],
  [4, one(into(() => FILTER))],
  [5, one(into(() => KEY_ONLY))],
  [6, one(visitNested)],
  [7, PLAIN],
]);

/** `{1 key, 2 filter}`: keys of the filter are below the first one, which may come after it. */
function visitNested(field: ProtoField, walk: Walk): void {
  const bytes = bytesOf(field);
  let base: FieldPath | undefined;
  walkMessage(
    bytes,
    new Map([
      [
        1,
        one((key, inner) => {
          base = addKey(key, inner);
        }),
      ],
      [2, PLAIN],
    ]),
    walk,
  );
  if (base === undefined) throw messageError('nested needs a key');
  const below = { ...walk, base };
  walkMessage(
    bytes,
    new Map([
      [1, PLAIN],
      [2, one(into(() => FILTER))],
    ]),
    below,
  );
}

export const FILTER_PART: Part = one(into(() => FILTER));

const EXPRESSION_PART = one(into(() => EXPRESSION));
const EXPRESSIONS: Shape = new Map([[1, many(into(() => EXPRESSION))]]);
const DIVISION: Shape = new Map([
  [1, EXPRESSION_PART],
  [2, EXPRESSION_PART],
  [3, PLAIN],
]);
const POWER: Shape = new Map([
  [1, EXPRESSION_PART],
  [2, EXPRESSION_PART],
]);
const DECAY: Shape = new Map([[1, EXPRESSION_PART], [2, EXPRESSION_PART], ...plains(3, 4)]);
const DECAY_PART = one(into(() => DECAY));
const VARIABLE: Part = one((field, walk) => {
  walk.findings.computed.push(addKey(field, { ...walk, base: [] }));
});
const GEO_DISTANCE: Shape = new Map([
  [1, PLAIN],
  [2, VARIABLE],
]);
/** Scores of what was fetched before, no field. */
const SCORE = /^\$score(?:\[\d+\])?$/;

const EXPRESSION: Shape = new Map([
  [1, PLAIN],
  [
    2,
    one((field, walk) => {
      if (!SCORE.test(textOf(field))) VARIABLE.visit(field, walk);
    }),
  ],
  [3, one(into(() => CONDITION))],
  [4, one(into(() => GEO_DISTANCE))],
  [5, PLAIN],
  [6, VARIABLE],
  [7, one(into(() => EXPRESSIONS))],
  [8, one(into(() => EXPRESSIONS))],
  [9, one(into(() => DIVISION))],
  ...[10, 11, 12, 14, 15, 16].map((number): [number, Part] => [number, EXPRESSION_PART]),
  [13, one(into(() => POWER))],
  ...[17, 18, 19].map((number): [number, Part] => [number, DECAY_PART]),
]);

/** An id of a stored point, whose vector is the query. */
export const STORED_POINTS: Part = many((_, { findings }) => {
  findings.startsFromPoints = true;
});
const STORED_POINT: Part = { ...STORED_POINTS, isRepeated: false };

const VECTOR_INPUT: Shape = new Map([[1, STORED_POINT], ...plains(2, 3, 4, 5, 6, 7)]);
const INPUT = one(into(() => VECTOR_INPUT));
const INPUTS = many(into(() => VECTOR_INPUT));
const RECOMMEND: Shape = new Map([
  [1, INPUTS],
  [2, INPUTS],
  [3, PLAIN],
]);
const PAIR: Shape = new Map([
  [1, INPUT],
  [2, INPUT],
]);
const CONTEXT: Shape = new Map([[1, many(into(() => PAIR))]]);
const DISCOVER: Shape = new Map([
  [1, INPUT],
  [2, one(into(() => CONTEXT))],
]);
const FORMULA: Shape = new Map([
  [1, EXPRESSION_PART],
  [2, PLAINS],
]);
const WITH_MMR: Shape = new Map([
  [1, INPUT],
  [2, PLAIN],
]);
const FEEDBACK_ITEM: Shape = new Map([
  [1, INPUT],
  [2, PLAIN],
]);
const FEEDBACK: Shape = new Map([
  [1, INPUT],
  [2, many(into(() => FEEDBACK_ITEM))],
  [3, PLAIN],
]);
const ORDER_BY: Shape = new Map([
  [
    1,
    one((field, walk) => {
      walk.findings.orderPaths.push(addKey(field, walk));
    }),
  ],
  [2, PLAIN],
  [3, PLAIN],
]);

export const ORDER_PART: Part = one((field, walk) => {
  walk.findings.isScan = true;
  walkMessage(bytesOf(field), ORDER_BY, walk);
});

const QUERY: Shape = new Map([
  [1, INPUT],
  [2, one(into(() => RECOMMEND))],
  [3, one(into(() => DISCOVER))],
  [4, one(into(() => CONTEXT))],
  [5, ORDER_PART],
  [6, PLAIN],
  [
    7,
    one((_, { findings }) => {
      findings.isScan = true;
    }),
  ],
  [8, one(into(() => FORMULA))],
  [9, one(into(() => WITH_MMR))],
  [10, PLAIN],
  [11, one(into(() => FEEDBACK))],
]);

export const QUERY_PART: Part = one(into(() => QUERY));

/** Of the old requests: `VectorExample{1 id, 2 vector}`. */
const VECTOR_EXAMPLE: Shape = new Map([
  [1, STORED_POINT],
  [2, PLAIN],
]);
const EXAMPLE = one(into(() => VECTOR_EXAMPLE));
const TARGET_VECTOR: Shape = new Map([[1, EXAMPLE]]);
const EXAMPLE_PAIR: Shape = new Map([
  [1, EXAMPLE],
  [2, EXAMPLE],
]);

export const TARGET_PART: Part = one(into(() => TARGET_VECTOR));
export const EXAMPLE_PAIRS: Part = many(into(() => EXAMPLE_PAIR));
export const GROUP_KEY: Part = one((field, walk) => {
  walk.findings.groupPaths.push(addKey(field, walk));
});
export const FACET_KEY: Part = one((field, walk) => {
  walk.findings.facetPaths.push(addKey(field, walk));
});

const SEARCH_PARAMS: Shape = new Map(plains(1, 2, 3, 4, 5));
export const PARAMS_PART: Part = one(into(() => SEARCH_PARAMS));

const LOOKUP_LOCATION: Shape = new Map([
  [
    1,
    one((field, { findings }) => {
      findings.vectorSources.push(textOf(field));
    }),
  ],
  [2, PLAIN],
  [3, PLAIN],
]);
export const LOOKUP_FROM_PART: Part = one(into(() => LOOKUP_LOCATION));

const WANTS: Part = many((_, { findings }) => {
  findings.wantsVectors = true;
});
const VECTOR_NAMES: Shape = new Map([[1, WANTS]]);
const WITH_VECTORS: Shape = new Map([
  [
    1,
    one((field, { findings }) => {
      if (countOf(field) !== 0) findings.wantsVectors = true;
    }),
  ],
  [2, one(into(() => VECTOR_NAMES))],
]);
export const WITH_VECTORS_PART: Part = one(into(() => WITH_VECTORS));

const WITH_LOOKUP: Shape = new Map([
  [
    1,
    one((field, { findings }) => {
      findings.lookups.push(textOf(field));
    }),
  ],
  [2, PLAIN],
  [3, WITH_VECTORS_PART],
]);
export const WITH_LOOKUP_PART: Part = one(into(() => WITH_LOOKUP));
/** Field of `WithLookup` that asks for vectors. */
export const LOOKUP_VECTORS = 3;
