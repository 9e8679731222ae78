/** Which rules and masks of the configuration concern one principal on one connection, in file order. */

import { STORE_EFFECTS } from '../../protocols/store.ts';
import type { MaskConfig, RuleConfig, StoreProtocol } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import { EFFECTS } from '../sql/analysis.ts';
import { matchesAnyGlob } from './glob.ts';
import { matchesPrincipal } from './principals.ts';
import { isStorePattern, readStorePattern } from './store-patterns.ts';

/** On SQL connections: what can speak of nothing but stores is not among them, so it guards nothing there. */
export function rulesInForce(
  rules: readonly RuleConfig[],
  connection: string,
  principal: Principal,
): readonly RuleConfig[] {
  return forAll(rules, connection, principal)
    .filter(({ effects }) => hasEffect(effects, EFFECTS))
    .flatMap((rule) => {
      const objects = rule.objects.filter((pattern) => !isStorePattern(pattern));
      if (objects.length === rule.objects.length) return [rule];
      return objects.length === 0 ? [] : [{ ...rule, objects }];
    });
}

/** On a connection to a store. */
export function storeRulesInForce(
  rules: readonly RuleConfig[],
  { name, protocol }: { readonly name: string; readonly protocol: StoreProtocol },
  principal: Principal,
): readonly RuleConfig[] {
  return forAll(rules, name, principal).filter(
    ({ effects, objects }) =>
      hasEffect(effects, STORE_EFFECTS) &&
      objects.some((pattern) => readStorePattern(pattern, protocol) !== undefined),
  );
}

function forAll(
  rules: readonly RuleConfig[],
  connection: string,
  principal: Principal,
): readonly RuleConfig[] {
  return rules.filter(
    (rule) =>
      matchesAnyGlob(rule.connections, connection) && matchesPrincipal(rule.principals, principal),
  );
}

function hasEffect(effects: RuleConfig['effects'], known: readonly string[]): boolean {
  return effects.some((effect) => effect === '*' || known.includes(effect));
}

/** On SQL connections: those that name columns. */
export function masksInForce(
  masks: readonly MaskConfig[],
  connection: string,
  principal: Principal,
): readonly MaskConfig[] {
  return masks.filter((mask) => mask.columns.length > 0 && isMasking(mask, connection, principal));
}

/** On a connection to a store: those that name fields or kinds of content. */
export function storeMasksInForce(
  masks: readonly MaskConfig[],
  connection: string,
  principal: Principal,
): readonly MaskConfig[] {
  return masks.filter(
    ({ fields = [], detect = [], ...mask }) =>
      fields.length + detect.length > 0 && isMasking(mask, connection, principal),
  );
}

function isMasking(
  mask: Pick<MaskConfig, 'connections' | 'except'>,
  connection: string,
  principal: Principal,
): boolean {
  return matchesAnyGlob(mask.connections, connection) && !matchesPrincipal(mask.except, principal);
}
