/**
 * Takes stored vectors out of answers over gRPC. Which columns are vectors is told by the columns themselves,
 * so that no schema is needed, and `*` can be asked for.
 */

import { ProtocolError } from '../errors.ts';
import type { ProtoLeaf, ProtoPlan } from '../wire/protobuf.ts';
import {
  OTHER_FIELDS,
  dropField,
  forEachField,
  keepField,
  rewriteMessage,
} from '../wire/protobuf.ts';

/** From here on DataType of schema.proto is a vector (100 binary .. 106 arrays of vectors). */
const VECTOR_TYPE_MIN = 100;
const VECTOR_TYPE_MAX = 199;

/** `query`: QueryResults.2; `search`: SearchResults.2.3, and whatever else has columns. */
export function withoutVectors(bytes: Buffer, kind: 'query' | 'search'): Buffer {
  const plan: ProtoPlan = new Map([[2, kind === 'query' ? column : resultData]]);
  return rewriteMessage(bytes, plan);
}

/** Undefined columns are dropped whole: the plan's leaf cannot say so but by `dropField`. */
const column: ProtoLeaf = (bytes, path) =>
  isVector(bytes) ? dropField(bytes, path) : rewriteMessage(bytes, COLUMN);

/** 8 struct_arrays { 1 fields }: vectors may be among them. */
const COLUMN: ProtoPlan = new Map<number, ProtoPlan>([
  [8, new Map<number, ProtoLeaf>([[1, (bytes, path) => column(bytes, path)]])],
]);

const resultData: ProtoLeaf = (bytes) =>
  rewriteMessage(
    bytes,
    new Map<number, ProtoLeaf>([
      [3, column],
      [8, column],
      [17, column],
      [OTHER_FIELDS, keepField],
    ]),
  );

function isVector(bytes: Buffer): boolean {
  let isFound = false;
  forEachField(
    bytes,
    (field) => {
      if (field.number === 4 && field.wireType === 2) isFound = true;
      if (field.number !== 1) return;
      if (field.wireType !== 0)
        throw new ProtocolError('MILVUS_COLUMN', 'server', 'a column of no type');
      if (field.value >= VECTOR_TYPE_MIN && field.value <= VECTOR_TYPE_MAX) isFound = true;
    },
    'server',
  );
  return isFound;
}
