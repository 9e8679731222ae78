/** The sentence that a blocked client reads. It names the rule, so that its owner can be asked. */

import type { Violation } from './rules.ts';

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

/** Control characters could forge lines in a terminal or a log. */
function printable(name: string): string {
  const text = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return text.length <= NAME_LENGTH_MAX ? text : `${text.slice(0, NAME_LENGTH_MAX)}...`;
}
