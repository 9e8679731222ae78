/**
 * Where stored values stand in gRPC answers (vector.md 2.1). Payloads are `map<string, Value>`; ids, scores
 * and vectors are jumped over. What a newer server puts beside them is taken out of a masked answer,
 * since it may be text from records.
 */

import type { FieldMasks, FieldPath } from '../store.ts';
import type { ProtoAction, ProtoEdit, ProtoLeaf, ProtoPlan } from '../wire/protobuf.ts';
import {
  OTHER_FIELDS,
  decodeString,
  dropField,
  encodeString,
  encodeVarint,
  forEachField,
  keepField,
  mapPlan,
  rewriteMessage,
  spliceFields,
} from '../wire/protobuf.ts';
import type { Findings } from './findings.ts';
import { maskJson } from '../wire/json.ts';
import { strictestPath } from './json-answers.ts';

export type RpcAnswer =
  | 'scored'
  | 'retrieved'
  | 'scored-batch'
  | 'scroll'
  | 'groups'
  | 'facet'
  | 'collection';

export function maskRpcAnswer(
  shape: RpcAnswer,
  findings: Findings,
): (bytes: Buffer, masks: FieldMasks) => Buffer {
  return (bytes, masks) => rewriteMessage(bytes, answerPlan(shape, findings, masks));
}

type Plans = readonly (readonly [number, ProtoAction])[];

/** Everything length-delimited that is not named goes. */
function closed(...plans: Plans): ProtoPlan {
  return new Map<number, ProtoAction>([...plans, [OTHER_FIELDS, dropField]]);
}

function kept(...numbers: readonly number[]): Plans {
  return numbers.map((number) => [number, keepField] as const);
}

function answerPlan(shape: RpcAnswer, findings: Findings, masks: FieldMasks): ProtoPlan {
  const payload = mapPlan(valueLeaf(masks));
  const order = numberLeaf(findings.orderPaths, masks);
  const scored = closed(...kept(1, 6, 7), [2, payload], [8, order]);
  const retrieved = closed(...kept(1, 4, 5), [2, payload], [6, order]);
  switch (shape) {
    case 'scored':
      return closed([1, scored], ...kept(3));
    case 'retrieved':
      return closed([1, retrieved], ...kept(3));
    case 'scored-batch':
      return closed([1, closed([1, scored])], ...kept(3));
    case 'scroll':
      return closed(...kept(1), [2, retrieved], ...kept(4));
    case 'groups': {
      const id = textLeaf(3, findings.groupPaths, masks);
      return closed([1, closed([1, closed([1, id], [2, scored], [3, retrieved])])], ...kept(3));
    }
    case 'facet': {
      const value = textLeaf(1, findings.facetPaths, masks);
      return closed([1, closed([1, value])], ...kept(3));
    }
    case 'collection':
      return new Map([[1, new Map([[7, new Map([[7, payload]])]])]]);
  }
}

const VALUE_NULL = encodeVarint(1, 0);
const VALUE_STRING = 4;
const VALUE_STRUCT = 6;
const VALUE_LIST = 7;

/** `qdrant.Value`: under a mask by name, texts are masked and everything else that is a value becomes null. */
function valueLeaf(masks: FieldMasks): ProtoLeaf {
  const leaf: ProtoLeaf = (bytes, path) => {
    const mask = masks.maskOf(path);
    const isClear = mask === undefined && masks.detect === undefined && !masks.mayMaskBelow(path);
    if (isClear) return bytes;
    const edits: ProtoEdit[] = [];
    forEachField(
      bytes,
      ({ number, wireType, start, end, value }) => {
        if (number === VALUE_STRUCT || number === VALUE_LIST) return;
        if (number === VALUE_STRING && wireType === 2) {
          const text = decodeString(value, 'server');
          const masked = mask === undefined ? maskInside(text, path, masks) : mask(text);
          if (masked === text) return;
          const replacement = masked === null ? VALUE_NULL : encodeString(VALUE_STRING, masked);
          edits.push({ start, end, bytes: replacement });
        } else if (mask !== undefined) {
          edits.push({ start, end, bytes: VALUE_NULL });
        }
      },
      'server',
    );
    return rewriteMessage(spliceFields(bytes, edits), inner, path);
  };
  const inner: ProtoPlan = closed(
    ...kept(VALUE_STRING),
    [VALUE_STRUCT, closed([1, mapPlan(leaf)])],
    [VALUE_LIST, closed([1, leaf])],
  );
  return leaf;
}

/** As in REST: text with masks by name below its path may hold a document of its own. */
function maskInside(text: string, path: FieldPath, masks: FieldMasks): string {
  if (!masks.mayMaskBelow(path)) return masks.detect?.(text) ?? text;
  const quoted = Buffer.from(JSON.stringify(text), 'utf8');
  const masked: unknown = JSON.parse(maskJson(quoted, { value: path }, masks).toString('utf8'));
  return typeof masked === 'string' ? masked : text;
}

/** A group id or a facet value: text in one field, numbers and flags in others. */
function textLeaf(text: number, paths: readonly FieldPath[], masks: FieldMasks): ProtoLeaf {
  const mask = masks.maskOf(strictestPath(paths, masks));
  if (mask === undefined && masks.detect === undefined) return keepField;
  return (bytes) => {
    const edits: ProtoEdit[] = [];
    forEachField(
      bytes,
      ({ number, wireType, start, end, value }) => {
        if (number === text && wireType === 2) {
          const own = decodeString(value, 'server');
          const masked = mask === undefined ? (masks.detect?.(own) ?? own) : mask(own);
          if (masked === own) return;
          const replacement = masked === null ? Buffer.alloc(0) : encodeString(text, masked);
          edits.push({ start, end, bytes: replacement });
        } else if (mask !== undefined) edits.push({ start, end, bytes: Buffer.alloc(0) });
      },
      'server',
    );
    return spliceFields(bytes, edits);
  };
}

function numberLeaf(paths: readonly FieldPath[], masks: FieldMasks): ProtoLeaf {
  const isMasked = paths.some((path) => masks.maskOf(path) !== undefined);
  return isMasked ? () => Buffer.alloc(0) : keepField;
}
