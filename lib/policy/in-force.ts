/** Which rules and masks of the configuration concern one principal on one connection, in file order. */

import type { MaskConfig, RuleConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import { matchesAnyGlob } from './glob.ts';
import { matchesPrincipal } from './principals.ts';

export function rulesInForce(
  rules: readonly RuleConfig[],
  connection: string,
  principal: Principal,
): readonly RuleConfig[] {
  return rules.filter(
    (rule) =>
      matchesAnyGlob(rule.connections, connection) && matchesPrincipal(rule.principals, principal),
  );
}

export function masksInForce(
  masks: readonly MaskConfig[],
  connection: string,
  principal: Principal,
): readonly MaskConfig[] {
  return masks.filter(
    (mask) =>
      matchesAnyGlob(mask.connections, connection) && !matchesPrincipal(mask.except, principal),
  );
}
