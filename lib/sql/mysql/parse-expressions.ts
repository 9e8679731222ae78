/**
 * Expressions. All binary operators are read in one flat loop, whatever their precedence: what counts
 * is which columns, calls and queries stand in it, and a flat list makes no tree that is too deep.
 */

import type { Expression, Operator, Query, Subquery } from './ast.ts';
import { CLOSE, COMMA, type Cursor, OPEN } from './parse-base.ts';
import { parsePrimary } from './parse-primary.ts';
import { NAME, NULL_LITERAL, QUOTED, signCode, WORD } from './tokens.ts';

const COMPARISONS: ReadonlySet<number> = new Set(
  ['=', '<', '>', '<=', '>=', '<>', '!=', '<=>'].map(signCode),
);
const INFIX_SIGNS: ReadonlySet<number> = new Set([
  ...COMPARISONS,
  ...['+', '-', '*', '/', '%', '^', '|', '&', '<<', '>>', '||', '&&'].map(signCode),
]);
const INFIX_WORDS: ReadonlySet<string> = new Set(
  'AND OR XOR DIV MOD LIKE BETWEEN REGEXP RLIKE ESCAPE'.split(' '),
);
const NEGATED: ReadonlySet<string> = new Set(['IN', 'BETWEEN', 'LIKE', 'REGEXP', 'RLIKE']);
const PREFIX_SIGNS: ReadonlySet<number> = new Set(['+', '-', '~', '!'].map(signCode));
const ARROWS: ReadonlySet<number> = new Set(['->', '->>'].map(signCode));
const QUANTIFIERS: ReadonlySet<string> = new Set(['ANY', 'SOME', 'ALL']);
const IS_VALUES: ReadonlySet<string> = new Set(['NULL', 'TRUE', 'FALSE', 'UNKNOWN']);
const JSON_KINDS: ReadonlySet<string> = new Set(['VALUE', 'ARRAY', 'OBJECT', 'SCALAR']);
const QUERY_WORDS: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'TABLE']);
/** What follows a query in parentheses that is a part of a larger query. */
const QUERY_GOES_ON: ReadonlySet<string> = new Set(
  'UNION EXCEPT INTERSECT ORDER LIMIT INTO FOR LOCK OFFSET FETCH PROCEDURE'.split(' '),
);

/** What one chain has gathered: the operator that it is named after, and its operands. */
interface Chain {
  operator: string | undefined;
  readonly operands: Expression[];
}

export function parseExpression(cursor: Cursor): Expression {
  cursor.enter();
  const chain: Chain = { operator: undefined, operands: [] };
  do readOperand(cursor, chain);
  while (readInfix(cursor, chain));
  cursor.leave();
  const [only] = chain.operands;
  if (chain.operator === undefined && only !== undefined) return only;
  const { operator = 'row', operands } = chain;
  return { kind: 'operator', operator, operands } satisfies Operator;
}

function readOperand(cursor: Cursor, chain: Chain): void {
  const { pending } = cursor;
  cursor.pending = undefined;
  if (pending === undefined) readPrefixes(cursor, chain);
  chain.operands.push(pending ?? parsePrimary(cursor, parseParenthesis));
  for (;;) {
    if (cursor.eat('COLLATE')) {
      chain.operator ??= 'collate';
      cursor.nameOrString();
    } else if (cursor.isSignAny(ARROWS)) {
      chain.operator ??= cursor.take();
      cursor.string();
    } else return;
  }
}

function readPrefixes(cursor: Cursor, chain: Chain): void {
  for (;;) {
    if (cursor.isSignAny(PREFIX_SIGNS)) {
      chain.operator ??= 'unary';
      cursor.index += 1;
    } else if (cursor.eat('NOT')) chain.operator ??= 'not';
    else if (cursor.eat('BINARY')) chain.operator ??= 'binary';
    else return;
  }
}

/** True: an operand has to follow. */
function readInfix(cursor: Cursor, chain: Chain): boolean {
  for (;;) {
    const next = cursor.isSignAny(INFIX_SIGNS) ? readSign(cursor, chain) : readWord(cursor, chain);
    if (next !== 'more') return next === 'operand';
  }
}

/** What follows an operator: its other operand, nothing of it (`IS NULL` is whole), or the end of the chain. */
type Next = 'operand' | 'more' | 'end';

function readWord(cursor: Cursor, chain: Chain): Next {
  if (cursor.kind() !== WORD) return 'end';
  if (cursor.is('NOT') && cursor.isAny(NEGATED, 1)) cursor.index += 1;
  const word = cursor.word();
  if (word === 'AND' && cursor.depth === cursor.andEndsAt) return 'end';
  if (INFIX_WORDS.has(word)) {
    chain.operator ??= word.toLowerCase();
    cursor.index += 1;
    return readQuantified(cursor, chain);
  }
  if (word === 'IS') return readIs(cursor, chain);
  if (word === 'IN' && cursor.isSign(OPEN, 1)) return readIn(cursor, chain);
  if (!cursor.eat('SOUNDS', 'LIKE') && !eatMember(cursor)) return 'end';
  chain.operator ??= 'like';
  return 'operand';
}

/** `MEMBER OF (...)`, also without OF; with what follows, as MEMBER may be an alias. */
function eatMember(cursor: Cursor): boolean {
  if (!cursor.is('MEMBER')) return false;
  if (cursor.eat('MEMBER', 'OF')) return true;
  if (!cursor.isSign(OPEN, 1)) return false;
  cursor.index += 1;
  return true;
}

function readSign(cursor: Cursor, chain: Chain): Next {
  const isComparison = COMPARISONS.has(cursor.sign());
  const sign = cursor.take();
  chain.operator ??= sign === '||' ? 'or' : sign === '&&' ? 'and' : sign;
  return isComparison ? readQuantified(cursor, chain) : 'operand';
}

/** `ANY (...)` where an operand is due. */
function readQuantified(cursor: Cursor, chain: Chain): Next {
  if (!cursor.isAny(QUANTIFIERS) || !cursor.isSign(OPEN, 1)) return 'operand';
  chain.operands.push(parseQuantified(cursor));
  return 'more';
}

function parseQuantified(cursor: Cursor): Subquery {
  const quantifier = cursor.take().toUpperCase() === 'ALL' ? 'all' : 'any';
  const inner = readParenthesis(cursor);
  return inner.kind === 'query'
    ? { kind: 'subquery', quantifier, query: inner }
    : cursor.fail('a query');
}

/** IS [NOT] NULL and its kin; IS DISTINCT FROM has one more operand. */
function readIs(cursor: Cursor, chain: Chain): Next {
  chain.operator ??= 'is';
  cursor.index += 1;
  cursor.eat('NOT');
  if (cursor.eat('DISTINCT')) {
    cursor.need('FROM');
    return 'operand';
  }
  if (cursor.eat('JSON')) cursor.eatAny(JSON_KINDS);
  else if (cursor.kind() === NULL_LITERAL) cursor.index += 1;
  else if (cursor.eatAny(IS_VALUES) === undefined) cursor.fail('NULL, TRUE, FALSE or UNKNOWN');
  return 'more';
}

function readIn(cursor: Cursor, chain: Chain): Next {
  chain.operator ??= 'in';
  cursor.index += 1;
  const inner = readParenthesis(cursor);
  if (inner.kind === 'query') chain.operands.push(asSubquery(inner));
  else if (inner.kind === 'row') for (const item of inner.items) chain.operands.push(item);
  else chain.operands.push(inner);
  return 'more';
}

// --- Parentheses

function asSubquery(query: Query): Subquery {
  return { kind: 'subquery', quantifier: undefined, query };
}

export function parseParenthesis(cursor: Cursor): Expression {
  const inner = readParenthesis(cursor);
  return inner.kind === 'query' ? asSubquery(inner) : inner;
}

/** `(...)`: a query, an expression, or several as a row. Which it is shows only behind what begins it. */
function readParenthesis(cursor: Cursor): Expression | Query {
  cursor.enter();
  cursor.needSign(OPEN);
  const inner = insideParenthesis(cursor);
  cursor.needSign(CLOSE);
  cursor.leave();
  return inner;
}

function insideParenthesis(cursor: Cursor): Expression | Query {
  if (startsQuery(cursor)) return cursor.grammar.query(cursor);
  if (cursor.isSign(OPEN)) {
    const inner = readParenthesis(cursor);
    if (inner.kind === 'query' && (cursor.isSign(CLOSE) || goesOnAsQuery(cursor)))
      return cursor.grammar.query(cursor, inner);
    cursor.pending = inner.kind === 'query' ? asSubquery(inner) : inner;
  }
  const items = cursor.expressions();
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'row', items };
}

export function goesOnAsQuery(cursor: Cursor): boolean {
  return cursor.isAny(QUERY_GOES_ON);
}

/** SELECT, WITH, TABLE, and VALUES where it is not the function VALUES(column). */
export function startsQuery(cursor: Cursor): boolean {
  if (cursor.isAny(QUERY_WORDS)) return true;
  return cursor.is('VALUES') && !isValuesCall(cursor);
}

/** `VALUES(a.b) + 1` behind a parenthesis; `VALUES(a)` alone is read as rows, which holds the same. */
function isValuesCall(cursor: Cursor): boolean {
  if (!cursor.isSign(OPEN, 1)) return false;
  let offset = 2;
  while (!cursor.isSign(CLOSE, offset)) {
    const kind = cursor.kind(offset);
    const isName = kind === WORD || kind === NAME || kind === QUOTED;
    if (!isName && !cursor.isSign(0x2e, offset)) return false;
    offset += 1;
  }
  const isRows = cursor.isSign(COMMA, offset + 1) || cursor.isSign(CLOSE, offset + 1);
  return !isRows && !QUERY_GOES_ON.has(cursor.word(offset + 1));
}
