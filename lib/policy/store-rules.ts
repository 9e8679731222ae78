/**
 * Rules against what a request to a store does. As in SQL (rules.ts): every access is judged by itself,
 * the first rule in file order whose effect and objects fit decides it, and what no rule fits is allowed.
 * Doubt falls to the side of the rule's action: a block needs one possible meaning, an allow all of them.
 * What the rules that allow ask for (filters, limits) adds up in store-restrictions.ts.
 */

import type { StoreAccess, StoreEffect } from '../../protocols/store.ts';
import type { RuleConfig, StoreProtocol } from '../config/config.ts';
import {
  mayMatch,
  matchesWhole,
  readStorePattern,
  type StoreMeaning,
  type StorePattern,
} from './store-patterns.ts';

/** Seeing that something is there, or making something new, acts on no record: a block on one collection does not hold a database or the whole store back from it. */
const EMPTY_HANDED: ReadonlySet<StoreEffect> = new Set<StoreEffect>(['describe', 'create']);

/** These give out what is in a record. */
const GIVING: ReadonlySet<StoreEffect> = new Set<StoreEffect>(['search', 'read', 'export']);

/** A rule in force, with its patterns read for one store. */
export interface StoreRule {
  readonly config: RuleConfig;
  readonly patterns: readonly StorePattern[];
}

/** An access and what its name means now. */
export interface ResolvedAccess extends StoreAccess {
  /** Empty: nothing is known by that name (or there is none). */
  readonly meanings: readonly StoreMeaning[];
  /** The store itself said just now, to the credential that carries it out, that there is nothing of that name. */
  readonly isAbsent?: true;
}

export interface StoreViolation {
  readonly rule: string;
  readonly access: ResolvedAccess;
}

/** An access and the rule that decided it; undefined: no rule spoke of it. */
export interface DecidedAccess {
  readonly access: ResolvedAccess;
  readonly rule: RuleConfig | undefined;
}

export type StoreVerdict =
  | { readonly kind: 'block'; readonly violation: StoreViolation }
  | { readonly kind: 'allow'; readonly accesses: readonly DecidedAccess[] };

export function readStoreRules(
  rules: readonly RuleConfig[],
  protocol: StoreProtocol,
): readonly StoreRule[] {
  return rules.map((config) => ({
    config,
    patterns: readStorePatterns(config.objects, protocol),
  }));
}

export function readStorePatterns(
  patterns: readonly string[],
  protocol: StoreProtocol,
): readonly StorePattern[] {
  return patterns.flatMap((pattern) => readStorePattern(pattern, protocol) ?? []);
}

/** The first access that is blocked, in their order, or the rules that allow them all. */
export function evaluateStoreRules(
  rules: readonly StoreRule[],
  accesses: readonly ResolvedAccess[],
): StoreVerdict {
  const decided: DecidedAccess[] = [];
  for (const access of accesses) {
    const rule = rules.find((one) => speaksOf(one, access))?.config;
    if (rule?.action === 'block') {
      return { kind: 'block', violation: { rule: rule.name, access } };
    }
    decided.push({ access, rule });
  }
  return { kind: 'allow', accesses: decided };
}

function speaksOf({ config, patterns }: StoreRule, access: ResolvedAccess): boolean {
  const { effects, action } = config;
  if (!effects.includes('*') && !effects.includes(access.effect)) return false;
  return action === 'block' ? mayTouch(patterns, access) : coversAll(patterns, access);
}

/** Some pattern speaks of something that the access may act on. */
function mayTouch(patterns: readonly StorePattern[], access: ResolvedAccess): boolean {
  const asWhole = EMPTY_HANDED.has(access.effect);
  return mayMean(patterns, access, { asWhole, isAnything: isUnknown(access) });
}

/**
 * For masks: a list of all collections shows the metadata of each, so seeing a whole database is seeing what is
 * in it, although rules do not hold that back.
 */
export function mayShow(patterns: readonly StorePattern[], access: ResolvedAccess): boolean {
  // Should there be something by that name after all, it is masked.
  return mayMean(patterns, access, { asWhole: false, isAnything: isNameless(access) });
}

interface Meant {
  /** What holds many things counts only for a pattern that speaks of all of them. */
  readonly asWhole: boolean;
  /** Nobody knows what its name stands for. */
  readonly isAnything: boolean;
}

function mayMean(
  patterns: readonly StorePattern[],
  access: ResolvedAccess,
  { asWhole, isAnything }: Meant,
): boolean {
  if (access.target === undefined) {
    return patterns.some(({ isEverything }) => isEverything || !asWhole);
  }
  return namesOf(access).some((name) =>
    patterns.some((pattern) => {
      if (name.kind !== 'container') {
        return isAnything || mayMatch(pattern, name);
      }
      return asWhole ? matchesWhole(pattern, name) : mayMatch(pattern, name);
    }),
  );
}

function coversAll(patterns: readonly StorePattern[], access: ResolvedAccess): boolean {
  const { target, meanings } = access;
  if (target === undefined || isUnknown(access)) {
    return patterns.some(({ isEverything }) => isEverything);
  }
  // The alias itself need not be allowed: what counts is what it leads to.
  const names: readonly StoreMeaning[] = meanings.length > 0 ? meanings : [target];
  return names.every((name) => patterns.some((pattern) => matchesWhole(pattern, name)));
}

/** What it means, and the name that was used, which may be an alias. */
function namesOf({ target, meanings }: ResolvedAccess): readonly StoreMeaning[] {
  if (target === undefined) return meanings;
  // The number or UUID of a collection that is known is no name of it.
  return target.kind === 'id' && meanings.length > 0 ? meanings : [target, ...meanings];
}

/**
 * What is read by a name that nothing is known of may be anything that the gateway's own credential does not show.
 * Where it is the one that carries the request out, there is nothing: the store says so, in its own words.
 */
function isUnknown(access: ResolvedAccess): boolean {
  const isToldAbsent = access.isAbsent === true && access.target?.kind !== 'id';
  return !isToldAbsent && isNameless(access);
}

/** An id that nothing is known of may be that of any collection. */
function isNameless({ effect, target, meanings }: ResolvedAccess): boolean {
  if (target === undefined || meanings.length > 0) return false;
  const isName = target.kind === 'collection' || target.kind === 'index';
  return target.kind === 'id' || (isName && GIVING.has(effect));
}

/** `qdrant:customers`, `milvus:sales/customers`, `redis:user:*`: as recordings and refusals write it. */
export function objectText(
  protocol: StoreProtocol,
  { path, isPrefix }: Pick<StoreMeaning, 'path' | 'isPrefix'>,
): string {
  return `${protocol}:${path.join('/')}${isPrefix === true ? '*' : ''}`;
}
