/**
 * Where stored values stand in REST answers (vector.md 2.1): payloads, group ids, facet values, order
 * values, metadata of collections. Ids, scores and vectors are in no plan, so they keep their bytes.
 */

import { ProtocolError } from '../errors.ts';
import type { FieldMasks, FieldPath } from '../store.ts';
import type { ResponseHead } from '../contract.ts';
import type { JsonPlan } from '../wire/json.ts';
import { maskJson } from '../wire/json.ts';
import type { Findings } from './findings.ts';

export type AnswerShape =
  /** `result[]`, `result.points[]`, `result[].points[]`, a batch of either, or one record. */
  'records' | 'groups' | 'facet' | 'collection';

export type MaskAnswer = (body: Buffer, masks: FieldMasks, head: ResponseHead) => Buffer;

export function maskRestAnswer(shape: AnswerShape, findings: Findings): MaskAnswer {
  return (body, masks, head) => {
    // Errors come from the HTTP layer of the server as well, and as text or nothing then.
    if (head.status >= 400 && body[0] !== 0x7b) return detectIn(body, masks);
    return maskJson(body, answerPlan(shape, findings, masks), masks);
  };
}

function answerPlan(shape: AnswerShape, findings: Findings, masks: FieldMasks): JsonPlan {
  return keys({ result: resultPlan(shape, findings, masks), status: 'detect' });
}

function resultPlan(shape: AnswerShape, findings: Findings, masks: FieldMasks): JsonPlan {
  switch (shape) {
    case 'records': {
      const record = recordPlan(findings, masks);
      return all({ ...record, points: all(record), next_page_offset: 'pass' });
    }
    case 'groups': {
      const record = all(recordPlan(findings, masks));
      const id = valuePlan(findings.groupPaths, masks);
      return all({ groups: all({ id, hits: record, lookup: record }) });
    }
    case 'facet':
      return all({ hits: all({ value: valuePlan(findings.facetPaths, masks) }) });
    case 'collection':
      return keys({ config: keys({ metadata: { record: [] } }) });
  }
}

/** Members of a record that hold nothing to mask. */
const NO_VALUES: Record<string, JsonPlan> = {
  id: 'pass',
  version: 'pass',
  score: 'pass',
  vector: 'pass',
  shard_key: 'pass',
  order_value: 'pass',
};

/** Members that this version does not know may hold text of records (vector.md section 4): by content at least. */
function all(plans: Readonly<Record<string, JsonPlan>>): JsonPlan {
  return { keys: new Map(Object.entries(plans)), other: 'detect' };
}

function detectIn(body: Buffer, { detect }: FieldMasks): Buffer {
  const text = body.toString('utf8');
  const masked = detect?.(text) ?? text;
  return masked === text ? body : Buffer.from(masked, 'utf8');
}

function recordPlan(findings: Findings, masks: FieldMasks): Record<string, JsonPlan> {
  const order: Record<string, JsonPlan> =
    findings.orderPaths.length === 0 ? {} : { order_value: valuePlan(findings.orderPaths, masks) };
  return { payload: { record: [] }, ...NO_VALUES, ...order };
}

function valuePlan(paths: readonly FieldPath[], masks: FieldMasks): JsonPlan {
  return { value: strictestPath(paths, masks) };
}

/** Which of several orders a value is of cannot be told; one that is masked counts. */
export function strictestPath(paths: readonly FieldPath[], masks: FieldMasks): FieldPath {
  return paths.find((path) => masks.maskOf(path) !== undefined) ?? paths[0] ?? [];
}

function keys(plans: Readonly<Record<string, JsonPlan>>): JsonPlan {
  return { keys: new Map(Object.entries(plans)) };
}

/** Archives and logs of the server: they hold everything, in a form that no mask can be put on. */
export const maskNothing: MaskAnswer = () => {
  throw new ProtocolError(
    'QDRANT_UNMASKABLE',
    'server',
    'this answer cannot be masked, so it is not given out where masks are in force',
  );
};
