/** Compound statements: blocks, conditions, loops, DECLARE, and what only stands in them (MY-42). */

import type {
  CompoundStatement,
  DeclareStatement,
  Expression,
  Query,
  ReturnStatement,
  Statement,
} from './ast.ts';
import { CLOSE, COLON, type Cursor, EQUALS, OPEN, SEMICOLON } from './parse-base.ts';
import { isParenthesizedQuery, parseTarget } from './parse-queries.ts';
import { skipType } from './parse-routines.ts';
import { NUMBER, QUOTED, signCode, STRING, WORD } from './tokens.ts';

const RANGE = signCode('..');
/** What begins a statement only inside of a body, or as a compound statement of MariaDB. */
const COMPOUND: ReadonlySet<string> = new Set(['IF', 'CASE', 'LOOP', 'WHILE', 'REPEAT', 'FOR']);
const LIST_ENDS: ReadonlySet<string> = new Set(['END', 'ELSE', 'ELSEIF', 'WHEN', 'UNTIL']);
const HANDLER_ACTIONS: ReadonlySet<string> = new Set(['CONTINUE', 'EXIT', 'UNDO']);

/** Undefined: no statement of a body stands here. */
export function parseBodyStatement(cursor: Cursor): Statement | undefined {
  if (isLabel(cursor)) cursor.index += 2;
  const word = cursor.word();
  if (word === 'BEGIN') {
    if (cursor.is('BEGIN', 'NOT', 'ATOMIC')) return parseBlock(cursor, 3);
    return cursor.isInBody ? parseBlock(cursor, 1) : undefined;
  }
  if (COMPOUND.has(word)) return inBody(cursor, () => parseCompound(cursor, word));
  return cursor.isInBody ? parseControl(cursor, word) : undefined;
}

function isLabel(cursor: Cursor): boolean {
  const kind = cursor.kind();
  return (kind === WORD || kind === QUOTED) && cursor.isSign(COLON, 1);
}

function inBody<T>(cursor: Cursor, parse: () => T): T {
  const { isInBody } = cursor;
  cursor.isInBody = true;
  const result = parse();
  cursor.isInBody = isInBody;
  return result;
}

function parseBlock(cursor: Cursor, words: number): CompoundStatement {
  cursor.index += words;
  const statements = inBody(cursor, () => parseStatements(cursor));
  cursor.need('END');
  skipLabel(cursor);
  return { kind: 'compound', form: 'block', statements, expressions: [], queries: [] };
}

function skipLabel(cursor: Cursor): void {
  if (cursor.isAlias() && !LIST_ENDS.has(cursor.word())) cursor.index += 1;
}

/** Statements, each with its semicolon, up to a word that ends the list. */
function parseStatements(cursor: Cursor): Statement[] {
  const statements: Statement[] = [];
  while (!cursor.isAny(LIST_ENDS)) {
    statements.push(cursor.grammar.statement(cursor));
    cursor.needSign(SEMICOLON);
  }
  return statements;
}

interface Parts {
  readonly statements: Statement[];
  readonly expressions: Expression[];
  readonly queries: Query[];
}

function parseCompound(cursor: Cursor, word: string): CompoundStatement {
  cursor.index += 1;
  const parts: Parts = { statements: [], expressions: [], queries: [] };
  switch (word) {
    case 'IF':
      readIf(cursor, parts);
      cursor.need('END', 'IF');
      return { kind: 'compound', form: 'if', ...parts };
    case 'CASE':
      readCase(cursor, parts);
      cursor.need('END', 'CASE');
      return { kind: 'compound', form: 'case', ...parts };
    case 'LOOP':
      parts.statements.push(...parseStatements(cursor));
      return endLoop(cursor, 'LOOP', { kind: 'compound', form: 'loop', ...parts });
    case 'WHILE':
      readDo(cursor, parts);
      return endLoop(cursor, 'WHILE', { kind: 'compound', form: 'while', ...parts });
    case 'REPEAT':
      parts.statements.push(...parseStatements(cursor));
      cursor.need('UNTIL');
      parts.expressions.push(cursor.grammar.expression(cursor));
      return endLoop(cursor, 'REPEAT', { kind: 'compound', form: 'repeat', ...parts });
    default:
      readFor(cursor, parts);
      return endLoop(cursor, 'FOR', { kind: 'compound', form: 'for', ...parts });
  }
}

function endLoop(cursor: Cursor, word: string, statement: CompoundStatement): CompoundStatement {
  cursor.need('END', word);
  skipLabel(cursor);
  return statement;
}

function readIf(cursor: Cursor, { statements, expressions }: Parts): void {
  do {
    expressions.push(cursor.grammar.expression(cursor));
    cursor.need('THEN');
    statements.push(...parseStatements(cursor));
  } while (cursor.eat('ELSEIF'));
  if (cursor.eat('ELSE')) statements.push(...parseStatements(cursor));
}

function readCase(cursor: Cursor, { statements, expressions }: Parts): void {
  if (!cursor.is('WHEN')) expressions.push(cursor.grammar.expression(cursor));
  while (cursor.eat('WHEN')) {
    expressions.push(cursor.grammar.expression(cursor));
    cursor.need('THEN');
    statements.push(...parseStatements(cursor));
  }
  if (cursor.eat('ELSE')) statements.push(...parseStatements(cursor));
}

function readDo(cursor: Cursor, { statements, expressions }: Parts): void {
  expressions.push(cursor.grammar.expression(cursor));
  cursor.need('DO');
  statements.push(...parseStatements(cursor));
}

/** FOR r IN (SELECT ...) DO, FOR i IN REVERSE 1 .. 10 DO, FOR r IN c(1) DO. */
function readFor(cursor: Cursor, parts: Parts): void {
  cursor.name();
  cursor.need('IN');
  cursor.eat('REVERSE');
  if (isParenthesizedQuery(cursor)) {
    cursor.needSign(OPEN);
    parts.queries.push(cursor.grammar.query(cursor));
    cursor.needSign(CLOSE);
  } else {
    parts.expressions.push(cursor.grammar.expression(cursor));
    if (cursor.eatSign(RANGE)) parts.expressions.push(cursor.grammar.expression(cursor));
  }
  cursor.need('DO');
  parts.statements.push(...parseStatements(cursor));
}

// --- Inside of a body only

function parseControl(cursor: Cursor, word: string): Statement | undefined {
  switch (word) {
    case 'DECLARE':
      return parseDeclare(cursor);
    case 'RETURN':
      cursor.index += 1;
      return returning('RETURN', [cursor.grammar.expression(cursor)]);
    case 'OPEN':
      return parseOpen(cursor);
    case 'FETCH':
      return parseFetch(cursor);
    case 'CLOSE':
    case 'LEAVE':
    case 'ITERATE':
      cursor.index += 1;
      cursor.name();
      return returning(word, []);
    default:
      return undefined;
  }
}

function returning(
  form: string,
  expressions: readonly Expression[],
  targets: ReturnStatement['targets'] = [],
): ReturnStatement {
  return { kind: 'return', form, expressions, targets };
}

/** OPEN c, OPEN c(1, 2), OPEN c USING a, b. */
function parseOpen(cursor: Cursor): ReturnStatement {
  cursor.index += 1;
  cursor.name();
  let expressions: Expression[] = [];
  if (cursor.eat('USING')) expressions = cursor.expressions();
  else if (cursor.eatSign(OPEN)) {
    if (!cursor.isSign(CLOSE)) expressions = cursor.expressions();
    cursor.needSign(CLOSE);
  } else if (cursor.eat('FOR')) expressions = [cursor.grammar.expression(cursor)];
  return returning('OPEN', expressions);
}

function parseFetch(cursor: Cursor): ReturnStatement {
  cursor.index += 1;
  // FETCH GROUP NEXT ROW of an aggregate, FETCH NEXT FROM c, FETCH c.
  if (cursor.eat('GROUP')) cursor.need('NEXT', 'ROW');
  else if (cursor.word(1) === 'FROM') cursor.eat('NEXT');
  cursor.eat('FROM');
  if (!cursor.is('INTO') && !cursor.isAtEnd) cursor.name();
  const targets = cursor.eat('INTO') ? cursor.list(() => parseTarget(cursor)) : [];
  return returning('FETCH', [], targets);
}

function parseDeclare(cursor: Cursor): Statement {
  cursor.index += 1;
  if (cursor.isAny(HANDLER_ACTIONS) && cursor.word(1) === 'HANDLER') return parseHandler(cursor);
  const names = cursor.nameList();
  if (cursor.eat('CONDITION')) {
    cursor.need('FOR');
    skipCondition(cursor);
    return declared(names, [], undefined);
  }
  if (cursor.eat('CURSOR')) return parseCursor(cursor, names);
  skipType(cursor);
  const hasDefault = cursor.eat('DEFAULT') || cursor.eatSign(signCode(':='));
  return declared(names, hasDefault ? [cursor.grammar.expression(cursor)] : [], undefined);
}

function declared(
  names: readonly string[],
  expressions: readonly Expression[],
  query: Query | undefined,
): DeclareStatement {
  return { kind: 'declare', names, expressions, cursor: query, types: [] };
}

function parseCursor(cursor: Cursor, names: readonly string[]): DeclareStatement {
  if (cursor.isSign(OPEN)) cursor.skipParentheses();
  cursor.need('FOR');
  return declared(names, [], cursor.grammar.query(cursor));
}

function parseHandler(cursor: Cursor): CompoundStatement {
  cursor.index += 2;
  cursor.need('FOR');
  cursor.list(() => skipCondition(cursor));
  const statements = [cursor.grammar.statement(cursor)];
  return { kind: 'compound', form: 'handler', statements, expressions: [], queries: [] };
}

/** SQLSTATE '23000', 1062, SQLEXCEPTION, NOT FOUND, or a name. */
function skipCondition(cursor: Cursor): void {
  if (cursor.eat('SQLSTATE')) {
    cursor.eat('VALUE');
    cursor.string();
  } else if (cursor.eat('NOT')) cursor.need('FOUND');
  else if (cursor.kind() === NUMBER) cursor.index += 1;
  else cursor.anyName();
}

// --- Diagnostics, which may stand outside of a body as well

/** SIGNAL and RESIGNAL. */
export function parseSignal(cursor: Cursor): ReturnStatement {
  const form = cursor.take().toUpperCase();
  if (!cursor.isAtEnd && !cursor.is('SET')) skipCondition(cursor);
  const expressions: Expression[] = [];
  if (cursor.eat('SET')) {
    cursor.list(() => {
      cursor.anyName();
      cursor.needSign(EQUALS);
      expressions.push(cursor.grammar.expression(cursor));
    });
  }
  return returning(form, expressions);
}

/** GET [CURRENT | STACKED] DIAGNOSTICS [CONDITION n] @v = MESSAGE_TEXT, ... */
export function parseDiagnostics(cursor: Cursor): ReturnStatement {
  cursor.index += 1;
  if (!cursor.eat('CURRENT')) cursor.eat('STACKED');
  cursor.need('DIAGNOSTICS');
  const expressions = cursor.eat('CONDITION') ? [cursor.grammar.expression(cursor)] : [];
  const targets = cursor.list(() => {
    const target = parseTarget(cursor);
    cursor.needSign(EQUALS);
    if (cursor.kind() === STRING) cursor.fail('the name of a diagnostic');
    cursor.anyName();
    return target;
  });
  return returning('GET DIAGNOSTICS', expressions, targets);
}
