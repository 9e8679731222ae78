/**
 * What the rules that allowed a request cut it down to, all of them together: filters add up, the smallest
 * limit holds, vectors are hidden if one rule hides them. Counting the records of an hour is the gateway's.
 */

import type { Restrictions, StoreEffect } from '../../protocols/store.ts';
import type { RuleConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import type { DecidedAccess } from './store-rules.ts';

/** These give out records. */
const GIVING: ReadonlySet<StoreEffect> = new Set<StoreEffect>(['search', 'read', 'export']);
/** To these a filter can be added, or they can be checked against it. */
const FILTERED: ReadonlySet<StoreEffect> = new Set<StoreEffect>([
  ...GIVING,
  'count',
  'upsert',
  'delete',
]);
/** These touch no records, or none that exist. */
const UNFILTERED: ReadonlySet<StoreEffect> = new Set<StoreEffect>(['describe', 'create']);

const PLACEHOLDER = /\$\{(principal\.name|principal\.group)\}/g;

/** A rule that allows so many records an hour. */
export interface Quota {
  readonly rule: string;
  readonly rowsPerHour: number;
}

export type Granted =
  | {
      readonly kind: 'granted';
      /** Undefined: none. */
      readonly restrictions: Restrictions | undefined;
      readonly quotas: readonly Quota[];
    }
  /** A rule allows it and its conditions cannot be kept. */
  | { readonly kind: 'refused'; readonly rule: string; readonly reason: string };

export function restrictionsOf(accesses: readonly DecidedAccess[], principal: Principal): Granted {
  const filter = new Map<string, { readonly field: string; readonly value: string }>();
  const quotas = new Map<string, Quota>();
  let limitMax: number | undefined;
  let hidesVectors = false;
  for (const { access, rule } of accesses) {
    if (rule === undefined) continue;
    const { effect } = access;
    for (const { field, value: template } of filterFor(rule, effect)) {
      const refusal = whyNotFiltered(rule, effect, template, principal);
      if (refusal !== undefined) return { kind: 'refused', rule: rule.name, reason: refusal };
      const value = fillIn(template, principal);
      filter.set(JSON.stringify([field, value]), { field, value });
    }
    if (!GIVING.has(effect)) continue;
    if (rule.limitMax !== undefined) limitMax = Math.min(limitMax ?? Infinity, rule.limitMax);
    if (rule.hidesVectors === true) hidesVectors = true;
    if (rule.rowsPerHour !== undefined) {
      quotas.set(rule.name, { rule: rule.name, rowsPerHour: rule.rowsPerHour });
    }
  }
  const isFree = filter.size === 0 && limitMax === undefined && !hidesVectors;
  const restrictions = isFree
    ? undefined
    : { filter: [...filter.values()], limitMax, hidesVectors };
  return { kind: 'granted', restrictions, quotas: [...quotas.values()] };
}

function filterFor(rule: RuleConfig, effect: StoreEffect): NonNullable<RuleConfig['filter']> {
  return UNFILTERED.has(effect) ? [] : (rule.filter ?? []);
}

function whyNotFiltered(
  rule: RuleConfig,
  effect: StoreEffect,
  template: string,
  { name, groups }: Principal,
): string | undefined {
  if (!FILTERED.has(effect)) {
    return `${effect} cannot be kept to the records that the filter of rule "${rule.name}" names`;
  }
  if (!template.includes('${principal.group}') || groups.length === 1) return undefined;
  const found = groups.length === 0 ? 'none' : String(groups.length);
  return `the filter of rule "${rule.name}" needs exactly one group, and ${JSON.stringify(name)} has ${found}`;
}

/** In one pass: a name that holds a placeholder stays as it is. */
function fillIn(template: string, { name, groups: [group = ''] }: Principal): string {
  return template.replaceAll(PLACEHOLDER, (placeholder) =>
    placeholder === '${principal.name}' ? name : group,
  );
}
