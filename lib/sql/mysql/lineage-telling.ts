/**
 * Expressions that tell of a masked operand although their result is masked: by being NULL, by failing, or
 * by how long they take (`IF(ssn LIKE '9%', NULL, 1)`), so they steer (MY-64). Those listed here do not:
 * they are NULL where an operand is NULL, which the masked column itself shows, and give a value elsewhere.
 */

import type { Expression } from './ast.ts';
import { foldName } from './lineage-names.ts';

const QUIET_FUNCTIONS: ReadonlySet<string> = new Set(
  `ascii bit_length char_length character_length coalesce concat concat_ws crc32 greatest hex ifnull
  isnull lcase least left length lower ltrim md5 mid nvl octet_length ord quote replace reverse right
  rtrim sha sha1 sha2 soundex substr substring substring_index to_base64 trim ucase upper values
  avg count group_concat max min std stddev stddev_pop stddev_samp sum var_pop var_samp variance
  first_value last_value json_array json_arrayagg json_object json_objectagg json_quote`.split(
    /\s+/,
  ),
);

/** A chain is named after its first operator, so more operands may mean any other. */
const QUIET_OPERATORS: ReadonlySet<string> = new Set(['binary', 'collate', 'is']);

/** Any text can be one of these. */
const QUIET_TYPE = /^(?:CHAR|NCHAR|BINARY|CHARSET)\b/i;

/** What to call an expression with a masked operand; undefined: it tells nothing but its result. */
export function tellingName(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'call': {
      const name = foldName(expression.name.name);
      return QUIET_FUNCTIONS.has(name) ? undefined : `${name.slice(0, 64)}()`;
    }
    case 'operator': {
      const { operator, operands } = expression;
      return operands.length === 1 && QUIET_OPERATORS.has(operator)
        ? undefined
        : `the operator ${operator}`;
    }
    case 'cast':
      return QUIET_TYPE.test(expression.type) ? undefined : `a cast to ${expression.type}`;
    case 'interval':
      return 'an interval';
    default:
      return undefined;
  }
}
