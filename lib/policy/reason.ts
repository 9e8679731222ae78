/** The sentence that a blocked client reads. It names the rule, so that its owner can be asked. */

import type { StoreProtocol } from '../config/config.ts';
import type { Violation } from './rules.ts';
import { objectText, type StoreViolation } from './store-rules.ts';

/** A name comes from the client's text and may be as long as that; 200 characters tell enough. */
const NAME_LENGTH_MAX = 200;

/** `delete on public.orders, by EXPLAIN ANALYZE, is not allowed (rule "no-destruction")` */
export function describeViolation(violation: Violation): string {
  const { effect, object, via, rule } = violation;
  const what = effect === 'unknown' ? 'an operation that cannot be judged' : effect;
  const where = object === undefined ? '' : ` on ${printable(object)}`;
  const how = via === undefined ? '' : `, by ${printable(via)},`;
  return `${what}${where}${how} is not allowed (rule "${printable(rule)}")`;
}

/** `search on qdrant:clients (qdrant:customers) is not allowed (rule "r")`: what was asked for, and what that means. */
export function describeStoreViolation(
  { rule, access }: StoreViolation,
  protocol: StoreProtocol,
): string {
  const { effect, target, meanings } = access;
  const asked = target === undefined ? undefined : objectText(protocol, target);
  const means = meanings.map((name) => objectText(protocol, name)).find((one) => one !== asked);
  const where = asked === undefined ? '' : ` on ${printable(asked)}`;
  const what = means === undefined ? '' : ` (${printable(means)})`;
  return `${effect}${where}${what} is not allowed (rule "${printable(rule)}")`;
}

/** Control characters could forge lines in a terminal or a log. */
function printable(name: string): string {
  const text = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return text.length <= NAME_LENGTH_MAX ? text : `${text.slice(0, NAME_LENGTH_MAX)}...`;
}
