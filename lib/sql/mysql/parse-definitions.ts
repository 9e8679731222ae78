/**
 * What stands in CREATE TABLE and ALTER TABLE behind the name: looked through token by token for what
 * matters (queries, other tables, expressions, options that reach outside), the rest is skipped.
 */

import type { Expression, ForeignKey, QualifiedName, Query, TableOption } from './ast.ts';
import { CLOSE, COMMA, type Cursor, OPEN } from './parse-base.ts';
import { startsQuery } from './parse-expressions.ts';
import { isParenthesizedQuery } from './parse-queries.ts';
import { STRING } from './tokens.ts';

interface Definition {
  readonly foreignKeys: ForeignKey[];
  readonly unions: QualifiedName[];
  readonly expressions: Expression[];
  readonly options: TableOption[];
  query: Query | undefined;
}

export function emptyDefinition(): Definition {
  return { foreignKeys: [], unions: [], expressions: [], options: [], query: undefined };
}

/** Options that make a table reach outside of its database, or that hold another one's rows. */
const OPTIONS: ReadonlySet<string> = new Set(['ENGINE', 'CONNECTION', 'TABLE_TYPE', 'FILE_NAME']);
const DIRECTORIES: ReadonlySet<string> = new Set(['DATA', 'INDEX']);
/** What follows them in parentheses is an expression, not a size or a list of columns. */
const BEFORE_EXPRESSION: ReadonlySet<string> = new Set(['DEFAULT', 'CHECK', 'AS']);
const DEFAULTS: ReadonlySet<string> = new Set(['DEFAULT', 'UPDATE']);

/** One part of it: to the end, or to a comma outside of parentheses where `endsAtComma`. */
export function readDefinition(cursor: Cursor, into: Definition, endsAtComma: boolean): void {
  let depth = 0;
  while (!cursor.isAtEnd) {
    if (endsAtComma && depth === 0 && cursor.isSign(COMMA)) return;
    if (cursor.isSign(OPEN)) {
      if (depth === 0 && isParenthesizedQuery(cursor)) {
        readQuery(cursor, into);
        return;
      }
      depth += 1;
      cursor.index += 1;
    } else if (cursor.isSign(CLOSE)) {
      depth -= 1;
      if (depth < 0) return;
      cursor.index += 1;
    } else if (isQueryHere(cursor, depth)) {
      if (depth > 0) cursor.fail('no query');
      readQuery(cursor, into);
      return;
    } else readPart(cursor, into, depth);
  }
  if (depth > 0) cursor.fail("')'");
}

function isQueryHere(cursor: Cursor, depth: number): boolean {
  if (cursor.is('SELECT')) return true;
  if (cursor.is('WITH'))
    return cursor.word(2) === 'AS' || cursor.is('WITH', 'RECURSIVE') || cursor.isSign(OPEN, 2);
  if (depth > 0) return false;
  return (cursor.is('VALUES') || cursor.is('TABLE')) && startsQuery(cursor);
}

function readQuery(cursor: Cursor, into: Definition): void {
  if (into.query !== undefined) cursor.fail('one query');
  into.query = cursor.grammar.query(cursor);
}

function readPart(cursor: Cursor, into: Definition, depth: number): void {
  const word = cursor.word();
  if (word === 'REFERENCES') readForeignKey(cursor, into);
  else if (word === 'UNION' && depth === 0) readUnion(cursor, into);
  else if (DIRECTORIES.has(word) && cursor.word(1) === 'DIRECTORY') {
    cursor.index += 1;
    readOption(cursor, into, `${word} DIRECTORY`);
  } else if (OPTIONS.has(word) && depth === 0) readOption(cursor, into, word);
  else if (BEFORE_EXPRESSION.has(word) && cursor.isSign(OPEN, 1) && !isAsQuery(cursor))
    readExpression(cursor, into);
  else if (DEFAULTS.has(word)) readDefault(cursor, into);
  else cursor.index += 1;
}

/** CREATE TABLE t AS (SELECT ...). */
function isAsQuery(cursor: Cursor): boolean {
  if (!cursor.is('AS')) return false;
  cursor.index += 1;
  const isQuery = isParenthesizedQuery(cursor);
  cursor.index -= 1;
  return isQuery;
}

function readExpression(cursor: Cursor, into: Definition): void {
  cursor.index += 2;
  into.expressions.push(...cursor.expressions());
  cursor.needSign(CLOSE);
}

/** DEFAULT f(), DEFAULT NEXT VALUE FOR s, ON UPDATE NOW(): a call or a literal, no more. */
function readDefault(cursor: Cursor, into: Definition): void {
  const isCall = cursor.isSign(OPEN, 2) || cursor.word(2) === 'VALUE';
  cursor.index += 1;
  if (isCall && cursor.word() !== '' && !cursor.is('CHARACTER'))
    into.expressions.push(cursor.grammar.expression(cursor));
}

function readForeignKey(cursor: Cursor, into: Definition): void {
  cursor.index += 1;
  const table = cursor.qualifiedName();
  const columns = cursor.isSign(OPEN) ? readKeyColumns(cursor) : [];
  into.foreignKeys.push({ kind: 'foreign-key', table, columns });
}

/** `(a, b(10) DESC)` */
function readKeyColumns(cursor: Cursor): string[] {
  cursor.needSign(OPEN);
  const columns = cursor.list(() => {
    const name = cursor.anyName();
    if (cursor.isSign(OPEN)) cursor.skipParentheses();
    if (!cursor.eat('ASC')) cursor.eat('DESC');
    return name;
  });
  cursor.needSign(CLOSE);
  return columns;
}

function readUnion(cursor: Cursor, into: Definition): void {
  cursor.index += 1;
  cursor.eatEquals();
  cursor.needSign(OPEN);
  if (!cursor.isSign(CLOSE)) into.unions.push(...cursor.list(() => cursor.qualifiedName()));
  cursor.needSign(CLOSE);
}

function readOption(cursor: Cursor, into: Definition, name: string): void {
  cursor.index += 1;
  cursor.eatEquals();
  const isValue = !cursor.isAtEnd && cursor.sign() === 0;
  const value = !isValue ? '' : cursor.kind() === STRING ? cursor.string() : cursor.take();
  into.options.push({ kind: 'option', name, value });
}
