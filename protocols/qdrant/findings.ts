/**
 * What reading a request of any transport gathers: which fields steer it, which other collections it
 * uses, whether it starts from stored points. The two readers (JSON, protobuf) fill the same form, so
 * the table needs one judgement only. Types and that judgement; no bytes.
 */

import type { FieldPath, StoreAccess, StoreEffect, StoreRequest } from '../store.ts';
import type { WriteKind } from './json-writes.ts';

export interface Findings {
  readonly steering: FieldPath[];
  /** `lookup_from.collection`: vectors are taken from there. */
  readonly vectorSources: string[];
  /** `with_lookup.collection`: whole records come back from there. */
  readonly lookups: string[];
  readonly orderPaths: FieldPath[];
  readonly groupPaths: FieldPath[];
  readonly facetPaths: FieldPath[];
  /** Variables of formulas: numbers of records become scores, and what is no number stands in the error. */
  readonly computed: FieldPath[];
  /** A stored point is the query ("more like number 42"). */
  startsFromPoints: boolean;
  /** No vector decides the order, so one page after the other gives out all records. */
  isScan: boolean;
  wantsVectors: boolean;
  limit: number | undefined;
}

export function createFindings(): Findings {
  return {
    steering: [],
    vectorSources: [],
    lookups: [],
    orderPaths: [],
    groupPaths: [],
    facetPaths: [],
    computed: [],
    startsFromPoints: false,
    isScan: false,
    wantsVectors: false,
    limit: undefined,
  };
}

export function addLimit(findings: Findings, count: number): void {
  findings.limit = (findings.limit ?? 0) + count;
}

export function accessTo(effect: StoreEffect, collection: string): StoreAccess {
  return { effect, target: { kind: 'collection', path: [collection] } };
}

export function accessToAll(effect: StoreEffect): StoreAccess {
  return { effect, target: undefined };
}

/** The collection of the route by each of its effects, and what the request brings in beside it. */
export function accessesOf(
  effects: readonly StoreEffect[],
  collection: string,
  findings: Findings,
): StoreAccess[] {
  return [
    ...effects.map((effect) => accessTo(effect, collection)),
    ...(findings.isScan && !effects.includes('export') ? [accessTo('export', collection)] : []),
    ...[...new Set(findings.vectorSources)].map((name) => accessTo('search', name)),
    ...[...new Set(findings.lookups)].map((name) => accessTo('read', name)),
  ];
}

/** What findings say of a request beside its accesses, in both transports. */
export function partsOf(
  findings: Findings,
): Pick<StoreRequest, 'steering' | 'computes' | 'limit' | 'wantsVectors'> {
  const { steering, computed, limit, wantsVectors } = findings;
  return {
    steering,
    ...(computed.length === 0 ? {} : { computes: computed }),
    ...(limit === undefined ? {} : { limit }),
    ...(wantsVectors ? { wantsVectors: true } : {}),
  };
}

/** A filter holds for these by `update_filter` alone, which servers before 1.16 leave out. */
export function isConditional(kind: WriteKind): boolean {
  return kind === 'upsert' || kind === 'update_vectors';
}

/** Why a request cannot be held to a filter at all, whatever its bytes; undefined: it can. */
export function filterObstacle(findings: Findings): string | undefined {
  if (findings.startsFromPoints) {
    return 'a search from stored points would use records outside of the filter of the rule: send the vector itself';
  }
  if (findings.vectorSources.length > 0 || findings.lookups.length > 0) {
    return 'a lookup in another collection would use records outside of the filter of the rule';
  }
  return undefined;
}

/** Copies by the server itself, and archives from wherever the caller says. */
export const COPIES = 'records of another collection come to lie in this one';
export const NOT_FILTERED = 'this request concerns more than the records that the rule allows';
export const BATCH_OVER_LIMIT = 'the batch asks for more records than the rule allows';
export const GROUPS_OVER_LIMIT = 'groups with lookups ask for more records than the rule allows';
export const IDS_OVER_LIMIT = 'the request names more records than the rule allows';
export const SELECTOR_TWICE = 'the request selects by points and by filter at once';
export const FIELD_MISSING =
  'every record that is written must have the fields of the filter of the rule, with its values';
export const FIELD_TOUCHED = 'the fields of the filter of the rule may not be changed';
export const PAYLOAD_EXCLUDED =
  'reads by id must leave the fields of the filter of the rule in the payload';
