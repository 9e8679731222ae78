/**
 * Rules against what a statement does.
 *
 * - Every pair of effect and object is judged by itself; one blocked pair blocks the statement.
 * - The first rule in file order whose connection, principal, effect and object match decides a
 *   pair, be it a block or an allow. A pair that no rule matches is allowed.
 * - How object patterns match, and which way doubt falls, is in objects.ts.
 * - `unknown` (code that cannot be read, a call that runs text) is blocked as soon as a rule or a
 *   mask applies to this principal on this connection, unless an allow rule lists `unknown` itself:
 *   `*` in an allow rule does not mean "and whatever else there may be".
 */

import type { RuleConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import type { Effect, ObjectEffect } from '../sql/analysis.ts';
import { rulesInForce } from './in-force.ts';
import { matchesObject, type ResolveName } from './objects.ts';

/** The built-in rule; a configuration cannot define one with this name's meaning away. */
export const UNKNOWN_EFFECT_RULE = 'unknown-effect';

export interface RuleRequest {
  readonly rules: readonly RuleConfig[];
  readonly connection: string;
  readonly principal: Principal;
  readonly effects: readonly ObjectEffect[];
  /** What a name in the statement may stand for; empty: nothing is known of it. */
  readonly resolve: ResolveName;
  /** A mask applies to this principal on this connection. */
  readonly isMasked?: boolean;
}

/** The pair that was blocked and the rule that did it. */
export interface Violation {
  readonly rule: string;
  readonly effect: Effect;
  /** As the statement names it: `public.orders`; undefined: the effect has none. */
  readonly object: string | undefined;
  readonly via: string | undefined;
}

/** The first pair that is blocked, in the order of `effects`; undefined: all are allowed. */
export function evaluateRules(request: RuleRequest): Violation | undefined {
  const rules = rulesInForce(request.rules, request.connection, request.principal);
  const isGuarded = rules.length > 0 || request.isMasked === true;
  for (const pair of request.effects) {
    const rule = blockingRule(rules, pair, request.resolve, isGuarded);
    if (rule !== undefined) {
      const { effect, object, via } = pair;
      return { rule, effect, object: object && objectText(object), via };
    }
  }
  return undefined;
}

function blockingRule(
  rules: readonly RuleConfig[],
  pair: ObjectEffect,
  resolve: ResolveName,
  isGuarded: boolean,
): string | undefined {
  const decisive = rules.find(
    (rule) =>
      matchesEffect(rule, pair.effect) &&
      rule.objects.some((pattern) => matchesObject(pattern, rule.action, pair, resolve)),
  );
  if (decisive !== undefined) return decisive.action === 'block' ? decisive.name : undefined;
  return pair.effect === 'unknown' && isGuarded ? UNKNOWN_EFFECT_RULE : undefined;
}

function matchesEffect(rule: RuleConfig, effect: Effect): boolean {
  if (rule.effects.includes(effect)) return true;
  if (!rule.effects.includes('*')) return false;
  return rule.action === 'block' || effect !== 'unknown';
}

function objectText(object: {
  readonly schema: string | undefined;
  readonly name: string;
}): string {
  return object.schema === undefined ? object.name : `${object.schema}.${object.name}`;
}
