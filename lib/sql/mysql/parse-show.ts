/** SHOW, EXPLAIN, DESCRIBE, ANALYZE of a statement, HELP. */

import type { ExplainStatement, Expression, QualifiedName, ShowStatement } from './ast.ts';
import { type Cursor, EQUALS, OPEN } from './parse-base.ts';
import { parseIntos } from './parse-queries.ts';
import { QUOTED, STRING, WORD } from './tokens.ts';

const MODIFIERS: ReadonlySet<string> = new Set(
  'FULL EXTENDED GLOBAL SESSION LOCAL ALL STORAGE'.split(' '),
);
/** They go on with a second word that belongs to them. */
const TWO_WORDS: ReadonlySet<string> = new Set(
  `CREATE TABLE OPEN BINARY BINLOG RELAYLOG MASTER SLAVE REPLICA REPLICAS ENGINE CHARACTER PROCEDURE
  FUNCTION PACKAGE TRIGGER INDEX COUNT EXPLAIN ANALYZE`.split(/\s+/),
);
const OF_TABLE: ReadonlySet<string> = new Set(['COLUMNS', 'FIELDS', 'INDEX', 'INDEXES', 'KEYS']);
const FROM: ReadonlySet<string> = new Set(['FROM', 'IN']);

export function parseShow(cursor: Cursor): ShowStatement {
  cursor.index += 1;
  while (cursor.eatAny(MODIFIERS) !== undefined);
  if (cursor.is('CREATE')) return parseShowCreate(cursor);
  // SHOW COUNT(*) WARNINGS
  const first = cursor.take().toUpperCase();
  if (cursor.isSign(OPEN)) cursor.skipParentheses();
  let what = first;
  if (TWO_WORDS.has(first) && cursor.kind() === WORD && !isClause(cursor))
    what += ` ${cursor.take().toUpperCase()}`;
  let object: QualifiedName | undefined;
  if (OF_TABLE.has(first) && cursor.eatAny(FROM) !== undefined) object = cursor.qualifiedName();
  return finish(cursor, what, object);
}

function isClause(cursor: Cursor): boolean {
  return cursor.is('LIKE') || cursor.is('WHERE') || cursor.isAny(FROM) || cursor.is('FOR');
}

/** SHOW CREATE TABLE t, SHOW CREATE USER 'u'@'h'. */
function parseShowCreate(cursor: Cursor): ShowStatement {
  cursor.index += 1;
  const type = cursor.take().toUpperCase();
  let what = `CREATE ${type}`;
  if (type === 'PACKAGE' && cursor.eat('BODY')) what += ' BODY';
  if (cursor.eat('IF')) cursor.need('NOT', 'EXISTS');
  const isNamed = type !== 'USER' && cursor.kind() !== STRING && !cursor.isAtEnd;
  const object = isNamed ? cursor.qualifiedName() : undefined;
  return finish(cursor, what, object);
}

/** FROM db, LIKE 'x', WHERE e, LIMIT ..., FOR CHANNEL ..., in whatever order. */
function finish(cursor: Cursor, what: string, object: QualifiedName | undefined): ShowStatement {
  let database: string | undefined;
  let where: Expression | undefined;
  while (!cursor.isAtEnd) {
    if (cursor.eat('WHERE')) where = cursor.grammar.expression(cursor);
    else if (cursor.eatAny(FROM) !== undefined && isName(cursor)) database = cursor.nameAt();
    else if (cursor.is('SELECT')) cursor.fail('no query');
    else cursor.take();
  }
  const isOther = object !== undefined && object.schema === undefined && database !== undefined;
  return {
    kind: 'show',
    what,
    object: isOther ? { ...object, schema: database } : object,
    database,
    where,
  };
}

function isName(cursor: Cursor): boolean {
  return cursor.kind() === WORD || cursor.kind() === QUOTED;
}

// --- EXPLAIN

const EXPLAINED: ReadonlySet<string> = new Set(
  'SELECT WITH INSERT REPLACE UPDATE DELETE TABLE VALUES'.split(' '),
);

/** At EXPLAIN, DESCRIBE, DESC, or ANALYZE with a statement behind it. */
export function parseExplain(cursor: Cursor): ExplainStatement {
  const verb = cursor.take().toUpperCase();
  const isAnalyze = cursor.eat('ANALYZE') || verb === 'ANALYZE';
  if (!cursor.eat('EXTENDED')) cursor.eat('PARTITIONS');
  const format = parseFormat(cursor);
  const into = parseIntos(cursor);
  const head = { kind: 'explain', isAnalyze, format, into } as const;
  if (cursor.eat('FOR', 'CONNECTION') || (format !== undefined && cursor.eat('FOR'))) {
    cursor.eat('CONNECTION');
    cursor.grammar.expression(cursor);
    return { ...head, statement: undefined, table: undefined, isForConnection: true };
  }
  if (cursor.eat('FOR')) {
    if (!cursor.eat('SCHEMA')) cursor.need('DATABASE');
    cursor.name();
  }
  if (cursor.isAny(EXPLAINED) || cursor.isSign(OPEN)) {
    const statement = cursor.grammar.statement(cursor);
    return { ...head, statement, table: undefined, isForConnection: false };
  }
  const table = cursor.qualifiedName();
  // A column or a pattern of columns.
  if (!cursor.isAtEnd) cursor.take();
  return { ...head, statement: undefined, table, isForConnection: false };
}

function parseFormat(cursor: Cursor): string | undefined {
  if (!cursor.is('FORMAT') || !cursor.isSign(EQUALS, 1)) return undefined;
  cursor.index += 2;
  return cursor.nameOrString().toUpperCase();
}

/** Whether ANALYZE begins a statement that is analyzed by running it, not ANALYZE TABLE. */
export function isAnalyzeStatement(cursor: Cursor): boolean {
  const next = cursor.word(1);
  return EXPLAINED.has(next) ? next !== 'TABLE' : next === 'FORMAT' || cursor.isSign(OPEN, 1);
}
