/** Operands: literals, names, variables, CASE, INTERVAL, MATCH, and what is called. */

import type {
  Case,
  ColumnReference,
  Expression,
  Literal,
  QualifiedName,
  Subquery,
  SystemVariable,
  VariableScope,
} from './ast.ts';
import { ASSIGN, CLOSE, type Cursor, DOT, OPEN } from './parse-base.ts';
import { parseCall } from './parse-calls.ts';
import { BARE_FUNCTIONS, CHARSETS, RESERVED, RESERVED_FUNCTIONS, UNITS } from './reserved.ts';
import {
  BYTES,
  NAME,
  NULL_LITERAL,
  NUMBER,
  PARAMETER,
  QUOTED,
  STRING,
  SYSTEM,
  unquoteName,
  unquoteString,
  VARIABLE,
  WORD,
} from './tokens.ts';

const CURLY = 0x7b;
const CURLY_END = 0x7d;
const TEMPORAL: ReadonlySet<string> = new Set(['DATE', 'TIME', 'TIMESTAMP']);
const SCOPES: ReadonlyMap<string, VariableScope> = new Map([
  ['GLOBAL', 'global'],
  ['SESSION', 'session'],
  ['LOCAL', 'session'],
  ['PERSIST', 'persist'],
  ['PERSIST_ONLY', 'persist-only'],
]);

type Parse = (cursor: Cursor) => Expression;

/** `parenthesis` reads what begins with one; it stands above this file. */
export function parsePrimary(cursor: Cursor, parenthesis: Parse): Expression {
  switch (cursor.kind()) {
    case STRING:
      return parseString(cursor, false);
    case NUMBER:
      return literal('number', cursor.take());
    case BYTES:
      return literal('bytes', cursor.take());
    case NULL_LITERAL:
      return literal('null', cursor.take());
    case PARAMETER:
      cursor.index += 1;
      return { kind: 'parameter' };
    case VARIABLE:
      return parseVariable(cursor);
    case SYSTEM:
      return parseSystemVariable(cursor);
    case QUOTED:
    case NAME:
      return parseNamed(cursor);
    case WORD:
      return parseWord(cursor, parenthesis);
    default:
      return parseSign(cursor, parenthesis);
  }
}

function literal(type: Literal['type'], value: string, isOpaque = false): Literal {
  return { kind: 'literal', type, value, isOpaque };
}

/** Strings side by side are one. */
function parseString(cursor: Cursor, isOpaque: boolean): Literal {
  let value = cursor.string();
  while (cursor.kind() === STRING) value += cursor.string();
  return literal('string', value, isOpaque);
}

function parseSign(cursor: Cursor, parenthesis: Parse): Expression {
  if (cursor.isSign(OPEN)) return parenthesis(cursor);
  if (cursor.isSign(DOT)) return parseNamed(cursor);
  if (!cursor.eatSign(CURLY)) cursor.fail('an expression');
  // ODBC: {fn f(x)}, {d '2020-01-01'}, {ts '...'}.
  cursor.anyName();
  const value = cursor.grammar.expression(cursor);
  cursor.needSign(CURLY_END);
  return value;
}

function parseVariable(cursor: Cursor): Expression {
  const target = userVariable(cursor);
  if (!cursor.eatSign(ASSIGN)) return target;
  return { kind: 'assign', target, value: cursor.grammar.expression(cursor) };
}

/** `@v`, at a VARIABLE. */
export function userVariable(cursor: Cursor): Extract<Expression, { kind: 'user-variable' }> {
  const raw = cursor.take().slice(1);
  const isString = raw.startsWith("'") || (raw.startsWith('"') && !cursor.lexing.ansiQuotes);
  const name = isString ? unquoteString(raw, cursor.lexing.noBackslashEscapes) : unquoteName(raw);
  return { kind: 'user-variable', name };
}

function parseSystemVariable(cursor: Cursor): Expression {
  const target = systemVariable(cursor);
  if (!cursor.eatSign(ASSIGN)) return target;
  return { kind: 'assign', target, value: cursor.grammar.expression(cursor) };
}

/** `@@v`, `@@global.v`, `@@session.x.v`, at a SYSTEM. */
export function systemVariable(cursor: Cursor): SystemVariable {
  cursor.index += 1;
  const first = cursor.nameOrString();
  const scope = SCOPES.get(first.toUpperCase());
  const isScoped = scope !== undefined && cursor.isSign(DOT);
  let name = isScoped ? '' : first;
  while (cursor.eatSign(DOT)) name += `${name === '' ? '' : '.'}${cursor.nameOrString()}`;
  return {
    kind: 'system-variable',
    scope: isScoped ? scope : 'none',
    name: name.toLowerCase(),
  };
}

export function scopeWord(cursor: Cursor): VariableScope | undefined {
  return SCOPES.get(cursor.word());
}

/** A name that may be a column or a call, and is certainly no keyword. */
function parseNamed(cursor: Cursor): Expression {
  const hasDot = cursor.eatSign(DOT);
  const isQuoted = hasDot || cursor.isQuotedName;
  const parts = [cursor.name()];
  while (cursor.eatSign(DOT)) parts.push(cursor.anyName());
  if (!cursor.isSign(OPEN)) return columnOf(cursor, parts);
  return parseCall(cursor, calledName(parts), isQuoted || parts.length > 1);
}

/** Of `db.package.f` the package counts to the name. */
function calledName(parts: readonly string[]): QualifiedName {
  const [first = '', ...rest] = parts;
  return rest.length === 0
    ? { kind: 'name', schema: undefined, name: first }
    : { kind: 'name', schema: first, name: rest.join('.') };
}

const COLUMN_PARTS_MAX = 3;

function columnOf(cursor: Cursor, parts: readonly string[]): ColumnReference {
  if (parts.length > COLUMN_PARTS_MAX) cursor.fail('a column name of at most three parts');
  const [name = '', table, schema] = parts.toReversed();
  return { kind: 'column', schema, table, name };
}

export function parseColumn(cursor: Cursor): ColumnReference {
  cursor.eatSign(DOT);
  const parts = [cursor.name()];
  while (cursor.eatSign(DOT)) parts.push(cursor.anyName());
  return columnOf(cursor, parts);
}

function parseWord(cursor: Cursor, parenthesis: Parse): Expression {
  const word = cursor.word();
  const isCalled = cursor.isSign(OPEN, 1);
  return (
    parseConstant(cursor, word, isCalled) ??
    parseConstruct(cursor, word, parenthesis) ??
    parseLiteralWord(cursor, word) ??
    parseNameWord(cursor, word, isCalled)
  );
}

function parseConstant(cursor: Cursor, word: string, isCalled: boolean): Literal | undefined {
  switch (word) {
    case 'NULL':
      return literal('null', cursor.take());
    case 'TRUE':
    case 'FALSE':
      return literal('boolean', cursor.take());
    case 'DEFAULT':
    case 'IGNORE':
      // IGNORE as a value is MariaDB's: leave the column as it is.
      return isCalled ? undefined : literal('default', cursor.take());
    default:
      return undefined;
  }
}

/** What has a syntax of its own. */
function parseConstruct(cursor: Cursor, word: string, parenthesis: Parse): Expression | undefined {
  const isCalled = cursor.isSign(OPEN, 1);
  switch (word) {
    case 'CASE':
      return parseCase(cursor);
    case 'INTERVAL':
      return parseInterval(cursor, isCalled);
    case 'EXISTS':
      return parseExists(cursor, parenthesis);
    case 'MATCH':
      return parseMatch(cursor);
    case 'ROW':
      return isCalled ? parseRow(cursor) : undefined;
    case 'NEXT':
    case 'PREVIOUS': {
      const isSequence = cursor.word(1) === 'VALUE' && cursor.word(2) === 'FOR';
      return isSequence ? parseSequence(cursor, word === 'NEXT' ? 'next' : 'previous') : undefined;
    }
    default:
      return undefined;
  }
}

/** DATE '2020-01-01', _latin1 'x', _latin1 x'1F'. */
function parseLiteralWord(cursor: Cursor, word: string): Expression | undefined {
  const next = cursor.kind(1);
  if (TEMPORAL.has(word) && next === STRING) {
    cursor.index += 1;
    return literal('temporal', cursor.string());
  }
  if (!word.startsWith('_') || !CHARSETS.has(word.slice(1))) return undefined;
  if (next !== STRING && next !== BYTES) return undefined;
  cursor.index += 1;
  return next === STRING ? parseString(cursor, true) : literal('bytes', cursor.take(), true);
}

function parseNameWord(cursor: Cursor, word: string, isCalled: boolean): Expression {
  if (!isCalled && BARE_FUNCTIONS.has(word)) return bareCall(cursor);
  if (!RESERVED.has(word)) return parseNamed(cursor);
  if (!isCalled || !RESERVED_FUNCTIONS.has(word)) return cursor.fail('an expression');
  return parseCall(cursor, { kind: 'name', schema: undefined, name: cursor.nameAt() }, false);
}

function bareCall(cursor: Cursor): Expression {
  const name: QualifiedName = { kind: 'name', schema: undefined, name: cursor.nameAt() };
  return {
    kind: 'call',
    name,
    isQuoted: false,
    isSpaced: false,
    isStar: false,
    isDistinct: false,
    args: [],
    orderBy: [],
    filter: undefined,
    over: undefined,
  };
}

function parseCase(cursor: Cursor): Case {
  cursor.index += 1;
  const operand = cursor.is('WHEN') ? undefined : cursor.grammar.expression(cursor);
  const conditions: Expression[] = [];
  const results: Expression[] = [];
  while (cursor.eat('WHEN')) {
    conditions.push(cursor.grammar.expression(cursor));
    cursor.need('THEN');
    results.push(cursor.grammar.expression(cursor));
  }
  if (cursor.eat('ELSE')) results.push(cursor.grammar.expression(cursor));
  cursor.need('END');
  return { kind: 'case', operand, conditions, results };
}

/** INTERVAL e unit, and the function INTERVAL(a, b, ...). */
function parseInterval(cursor: Cursor, isCalled: boolean): Expression {
  cursor.index += 1;
  const value = cursor.grammar.expression(cursor);
  const isFunction = isCalled && value.kind === 'row' && cursor.eatAny(UNITS) === undefined;
  if (isFunction) return value;
  const unit = cursor.eatAny(UNITS);
  // `INTERVAL(1, 2) + 3` was read as one expression; so is what the server makes of it.
  if (unit === undefined && !isCalled) return cursor.fail('a unit of time');
  return { kind: 'interval', value, unit: unit ?? '' };
}

function parseExists(cursor: Cursor, parenthesis: Parse): Expression {
  cursor.index += 1;
  const inner = parenthesis(cursor);
  if (inner.kind !== 'subquery') return cursor.fail('a query');
  return { ...inner, quantifier: 'exists' } satisfies Subquery;
}

function parseRow(cursor: Cursor): Expression {
  cursor.index += 2;
  const items = cursor.isSign(CLOSE) ? [] : cursor.expressions();
  cursor.needSign(CLOSE);
  return { kind: 'row', items };
}

/** MATCH (a, b) AGAINST (e IN BOOLEAN MODE); the parentheses of the columns may be missing. */
function parseMatch(cursor: Cursor): Expression {
  const name: QualifiedName = { kind: 'name', schema: undefined, name: cursor.nameAt() };
  const hasParenthesis = cursor.eatSign(OPEN);
  const args: Expression[] = cursor.list(() => parseColumn(cursor));
  if (hasParenthesis) cursor.needSign(CLOSE);
  cursor.need('AGAINST');
  cursor.needSign(OPEN);
  args.push(cursor.grammar.expression(cursor));
  if (cursor.eat('IN') && !cursor.eat('BOOLEAN', 'MODE'))
    cursor.need('NATURAL', 'LANGUAGE', 'MODE');
  if (cursor.eat('WITH')) cursor.need('QUERY', 'EXPANSION');
  cursor.needSign(CLOSE);
  return {
    kind: 'call',
    name,
    isQuoted: false,
    isSpaced: false,
    isStar: false,
    isDistinct: false,
    args,
    orderBy: [],
    filter: undefined,
    over: undefined,
  };
}

function parseSequence(cursor: Cursor, form: 'next' | 'previous'): Expression {
  cursor.index += 3;
  return { kind: 'sequence', form, sequence: cursor.qualifiedName() };
}
