/**
 * Protocol buffers on the wire, without descriptors: fields are read and replaced by number, and what is
 * not looked at stays as it came. Reading and writing (`protobuf-fields.ts`), rewriting by plan (`protobuf-rewrite.ts`).
 */

export {
  PROTO_FIELDS_MAX,
  decodeString,
  encodeBytes,
  encodeString,
  encodeVarint,
  forEachField,
  readFields,
  spliceFields,
  toInt64,
} from './protobuf-fields.ts';
export type { ProtoEdit, ProtoField } from './protobuf-fields.ts';
export {
  OTHER_FIELDS,
  PROTO_DEPTH_MAX,
  dropField,
  keepField,
  mapPlan,
  refuseField,
  rewriteMessage,
} from './protobuf-rewrite.ts';
export type { ProtoAction, ProtoLeaf, ProtoMap, ProtoPlan } from './protobuf-rewrite.ts';
