/**
 * Why a request that rules allow is refused all the same: a mask, or a condition of the rule, would not hold
 * for it. Pure functions; the order of the questions is the decider's.
 */

import type { StoreRequest } from '../../protocols/store.ts';
import type { MaskConfig, StoreProtocol } from '../config/config.ts';
import { findMaskedSteering } from '../masking/field-masks.ts';
import { type DecidedAccess, readStorePatterns } from '../policy/store-rules.ts';

export interface Objection {
  /** Of the mask, or of the rule. */
  readonly by: string;
  readonly reason: string;
}

/** Of a field's name, which comes from the client. */
const FIELD_LENGTH_MAX = 200;

/** By a mask of those in force; undefined: none objects. */
export function whyMasked(
  masks: readonly MaskConfig[],
  request: StoreRequest,
): Objection | undefined {
  return whySteered(masks, request) ?? whyComputed(masks, request) ?? whyCarried(masks, request);
}

/** Filtering by a value that one may not see finds it out. */
function whySteered(
  masks: readonly MaskConfig[],
  { steering, steersAny }: StoreRequest,
): Objection | undefined {
  const strict = masks.filter(({ mode }) => mode === 'strict');
  const [first] = strict;
  if (first === undefined) return undefined;
  if (steersAny !== undefined) {
    const reason = `it cannot be told which fields it goes by (${steersAny}), and mask "${first.name}" is strict`;
    return { by: first.name, reason };
  }
  const found = findMaskedSteering(strict, steering);
  if (found === undefined) return undefined;
  const { mask, field } = found;
  return {
    by: mask,
    reason: `the field ${shown(field)} is masked, so nothing may go by it (mask "${mask}")`,
  };
}

/** A value that is reckoned with is no guess: the score is the number, and the store's error quotes the text. */
function whyComputed(
  masks: readonly MaskConfig[],
  { computes = [] }: StoreRequest,
): Objection | undefined {
  const found = findMaskedSteering(masks, computes);
  if (found === undefined) return undefined;
  const { mask, field } = found;
  return {
    by: mask,
    reason: `the field ${shown(field)} is masked, so no score may be made of it (mask "${mask}")`,
  };
}

/** A mask that names objects would not hold where the values lie afterwards. */
function whyCarried(
  masks: readonly MaskConfig[],
  { carries }: StoreRequest,
): Objection | undefined {
  const named = masks.find(({ objects }) => objects !== undefined);
  if (carries === undefined || named === undefined) return undefined;
  return { by: named.name, reason: `${carries}, where mask "${named.name}" would not hold` };
}

/** Nor would what a rule on the old name cuts down, unless it speaks of all names. */
export function whyUncut(
  accesses: readonly DecidedAccess[],
  { carries }: StoreRequest,
  protocol: StoreProtocol,
): Objection | undefined {
  if (carries === undefined) return undefined;
  for (const { rule } of accesses) {
    if (rule === undefined) continue;
    const { filter, limitMax, rowsPerHour, hidesVectors } = rule;
    const isCutting =
      filter !== undefined ||
      limitMax !== undefined ||
      rowsPerHour !== undefined ||
      hidesVectors === true;
    const isEverywhere = readStorePatterns(rule.objects, protocol).some(
      ({ isEverything }) => isEverything,
    );
    if (!isCutting || isEverywhere) continue;
    const reason = `${carries}, where what rule "${rule.name}" allows you would not be cut down`;
    return { by: rule.name, reason };
  }
  return undefined;
}

function shown(field: string): string {
  return JSON.stringify(field.slice(0, FIELD_LENGTH_MAX));
}
