/** Statements on rows: INSERT, REPLACE, UPDATE, DELETE, LOAD, CALL, DO, HANDLER, TRUNCATE. */

import type {
  CallStatement,
  ColumnAssignment,
  ColumnReference,
  DeleteStatement,
  DoStatement,
  Expression,
  HandlerStatement,
  InsertStatement,
  LoadStatement,
  QualifiedName,
  SelectItem,
  TableReference,
  TruncateStatement,
  UpdateStatement,
  UserVariable,
  With,
} from './ast.ts';
import { ASSIGN, CLOSE, COMMA, type Cursor, DOT, EQUALS, OPEN, STAR } from './parse-base.ts';
import { parseColumn } from './parse-primary.ts';
import {
  isParenthesizedQuery,
  parseItems,
  parseRows,
  parseTail,
  parseTarget,
  readCharset,
  readFieldsAndLines,
  readWait,
} from './parse-queries.ts';
import { parseAlias, parsePeriod, parseTables, parseTime } from './parse-tables.ts';

const INSERT_OPTIONS: ReadonlySet<string> = new Set([
  'LOW_PRIORITY',
  'DELAYED',
  'HIGH_PRIORITY',
  'IGNORE',
]);
const DELETE_OPTIONS: ReadonlySet<string> = new Set(['LOW_PRIORITY', 'QUICK', 'IGNORE']);

export function parseInsert(cursor: Cursor, clause: With | undefined): InsertStatement {
  const verb = cursor.take().toUpperCase() === 'REPLACE' ? 'replace' : 'insert';
  while (cursor.eatAny(INSERT_OPTIONS) !== undefined);
  cursor.eat('INTO');
  cursor.eat('TABLE');
  const table = cursor.qualifiedName();
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  const columns = isParenthesizedQuery(cursor) ? undefined : parseInsertColumns(cursor);
  const source = parseSource(cursor);
  const alias = parseRowAlias(cursor);
  const onDuplicate = cursor.eat('ON', 'DUPLICATE', 'KEY', 'UPDATE')
    ? parseAssignments(cursor)
    : [];
  const returning = parseReturning(cursor);
  return {
    kind: 'insert',
    verb,
    with: clause,
    table,
    columns,
    ...source,
    ...alias,
    onDuplicate,
    returning,
  };
}

/** The names alone; `(t.a, db.t.b)` names columns of the table. */
function parseInsertColumns(cursor: Cursor): string[] | undefined {
  if (!cursor.eatSign(OPEN)) return undefined;
  const columns = cursor.isSign(CLOSE) ? [] : cursor.list(() => parseColumn(cursor).name);
  cursor.needSign(CLOSE);
  return columns;
}

function parseSource(cursor: Cursor): Pick<InsertStatement, 'rows' | 'set' | 'query'> {
  if (cursor.eat('SET')) return { rows: [], set: parseAssignments(cursor), query: undefined };
  const isRows = (cursor.is('VALUES') && cursor.word(1) !== 'ROW') || cursor.is('VALUE');
  if (!isRows) return { rows: [], set: [], query: cursor.grammar.query(cursor) };
  cursor.index += 1;
  const rows = parseRows(cursor);
  const isQuery =
    cursor.is('UNION') || cursor.is('EXCEPT') || cursor.is('INTERSECT') || cursor.is('ORDER');
  if (!isQuery && !cursor.is('LIMIT')) return { rows, set: [], query: undefined };
  return { rows: [], set: [], query: cursor.grammar.query(cursor, { kind: 'values', rows }) };
}

/** VALUES (...) AS new (a, b), of MySQL. */
function parseRowAlias(cursor: Cursor): Pick<InsertStatement, 'rowAlias' | 'rowColumns'> {
  if (!cursor.eat('AS')) return { rowAlias: undefined, rowColumns: undefined };
  return { rowAlias: cursor.name(), rowColumns: cursor.parenthesizedNames() };
}

function parseAssignments(cursor: Cursor): ColumnAssignment[] {
  return cursor.list(() => {
    const column = parseColumn(cursor);
    if (!cursor.eatSign(EQUALS)) cursor.needSign(ASSIGN);
    return { kind: 'column-assignment', column, value: cursor.grammar.expression(cursor) };
  });
}

function parseReturning(cursor: Cursor): SelectItem[] | undefined {
  return cursor.eat('RETURNING') ? parseItems(cursor) : undefined;
}

export function parseUpdate(cursor: Cursor, clause: With | undefined): UpdateStatement {
  cursor.index += 1;
  while (cursor.eat('LOW_PRIORITY') || cursor.eat('IGNORE'));
  const tables = parseTables(cursor);
  cursor.need('SET');
  const set = parseAssignments(cursor);
  const where = cursor.eat('WHERE') ? cursor.grammar.expression(cursor) : undefined;
  const { orderBy, limit } = parseTail(cursor);
  const returning = parseReturning(cursor);
  return { kind: 'update', with: clause, tables, set, where, orderBy, limit, returning };
}

export function parseDelete(cursor: Cursor, clause: With | undefined): DeleteStatement {
  cursor.index += 1;
  while (cursor.eatAny(DELETE_OPTIONS) !== undefined);
  const isHistory = cursor.is('HISTORY', 'FROM');
  if (isHistory) cursor.index += 1;
  const { targets, tables, time } = parseDeleteTables(cursor);
  const condition = cursor.eat('WHERE') ? cursor.grammar.expression(cursor) : undefined;
  const where = both(time, condition);
  const { orderBy, limit } = parseTail(cursor);
  const returning = parseReturning(cursor);
  return {
    kind: 'delete',
    with: clause,
    targets,
    tables,
    isHistory,
    where,
    orderBy,
    limit,
    returning,
  };
}

function both(left: Expression | undefined, right: Expression | undefined): Expression | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return { kind: 'operator', operator: 'and', operands: [left, right] };
}

interface DeleteTables {
  readonly targets: readonly QualifiedName[];
  readonly tables: readonly TableReference[];
  /** BEFORE SYSTEM_TIME of DELETE HISTORY. */
  readonly time: Expression | undefined;
}

/** `FROM t AS a`, `FROM a, b USING ...`, `a, b FROM ...`. */
function parseDeleteTables(cursor: Cursor): DeleteTables {
  if (!cursor.eat('FROM')) {
    const targets = parseTargets(cursor);
    cursor.need('FROM');
    return { targets, tables: parseTables(cursor), time: undefined };
  }
  if (isTargetList(cursor)) {
    const targets = parseTargets(cursor);
    cursor.need('USING');
    return { targets, tables: parseTables(cursor), time: undefined };
  }
  const table = parseSingle(cursor);
  const time = cursor.eat('BEFORE', 'SYSTEM_TIME') ? parseTime(cursor) : undefined;
  return { targets: [], tables: [table], time };
}

/** Names up to USING or a comma; looks as far as one name goes. */
function isTargetList(cursor: Cursor): boolean {
  let offset = 1;
  while (cursor.isSign(DOT, offset)) {
    if (cursor.isSign(STAR, offset + 1)) return true;
    offset += 2;
  }
  return cursor.isSign(COMMA, offset) || cursor.word(offset) === 'USING';
}

function parseTargets(cursor: Cursor): QualifiedName[] {
  return cursor.list(() => {
    const name = parseTargetName(cursor);
    if (cursor.eatSign(DOT)) cursor.needSign(STAR);
    return name;
  });
}

/** `t`, `db.t`; the `.*` behind it is left. */
function parseTargetName(cursor: Cursor): QualifiedName {
  cursor.eatSign(DOT);
  const first = cursor.name();
  if (!cursor.isSign(DOT) || cursor.isSign(STAR, 1))
    return { kind: 'name', schema: undefined, name: first };
  cursor.index += 1;
  return { kind: 'name', schema: first, name: cursor.anyName() };
}

function parseSingle(cursor: Cursor): TableReference {
  const name = cursor.qualifiedName();
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  const period = parsePeriod(cursor);
  const alias = cursor.is('BEFORE') ? undefined : parseAlias(cursor);
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  return {
    kind: 'table',
    name,
    alias,
    period: period.expressions,
    isHistoric: period.isHistoric,
  };
}

/** LOAD DATA and LOAD XML, at DATA or XML. */
export function parseLoad(cursor: Cursor): LoadStatement {
  cursor.index += 1;
  if (!cursor.eat('LOW_PRIORITY')) cursor.eat('CONCURRENT');
  const isLocal = cursor.eat('LOCAL');
  cursor.need('INFILE');
  const path = cursor.string();
  const verb = cursor.eat('REPLACE') ? 'replace' : 'insert';
  cursor.eat('IGNORE');
  cursor.need('INTO', 'TABLE');
  const table = cursor.qualifiedName();
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  readCharset(cursor);
  if (cursor.eat('ROWS', 'IDENTIFIED', 'BY')) cursor.string();
  readFieldsAndLines(cursor);
  const expressions: Expression[] = [];
  if (cursor.eat('IGNORE')) {
    expressions.push(cursor.grammar.expression(cursor));
    if (!cursor.eat('LINES')) cursor.need('ROWS');
  }
  const targets = parseLoadTargets(cursor);
  const set = cursor.eat('SET') ? parseAssignments(cursor) : [];
  return { kind: 'load', isLocal, verb, path, table, targets, set, expressions };
}

function parseLoadTargets(cursor: Cursor): (ColumnReference | UserVariable)[] {
  if (!cursor.eatSign(OPEN)) return [];
  const targets = cursor.isSign(CLOSE) ? [] : cursor.list(() => parseTarget(cursor));
  cursor.needSign(CLOSE);
  return targets;
}

export function parseCallStatement(cursor: Cursor): CallStatement {
  cursor.index += 1;
  const first = cursor.name();
  const rest: string[] = [];
  while (cursor.eatSign(DOT)) rest.push(cursor.anyName());
  const name: QualifiedName =
    rest.length === 0
      ? { kind: 'name', schema: undefined, name: first }
      : { kind: 'name', schema: first, name: rest.join('.') };
  let args: Expression[] = [];
  if (cursor.eatSign(OPEN)) {
    if (!cursor.isSign(CLOSE)) args = cursor.expressions();
    cursor.needSign(CLOSE);
  }
  return { kind: 'call-statement', name, args };
}

export function parseDo(cursor: Cursor): DoStatement {
  cursor.index += 1;
  return { kind: 'do', items: parseItems(cursor) };
}

/** HANDLER t OPEN AS h; HANDLER h READ i = (1) WHERE ... LIMIT ...; HANDLER h CLOSE. */
export function parseHandler(cursor: Cursor): HandlerStatement {
  cursor.index += 1;
  const table = cursor.qualifiedName();
  if (cursor.eat('OPEN'))
    return { kind: 'handler', action: 'open', table, alias: parseAlias(cursor), expressions: [] };
  if (cursor.eat('CLOSE'))
    return { kind: 'handler', action: 'close', table, alias: undefined, expressions: [] };
  cursor.need('READ');
  const expressions: Expression[] = [];
  cursor.anyName();
  if (!cursor.isAtEnd && !cursor.is('WHERE') && !cursor.is('LIMIT')) {
    // A direction (FIRST, NEXT, ...), or a comparison with a list of values.
    const isDirection = cursor.word() !== '';
    cursor.take();
    if (!isDirection) {
      cursor.needSign(OPEN);
      expressions.push(...cursor.expressions());
      cursor.needSign(CLOSE);
    }
  }
  if (cursor.eat('WHERE')) expressions.push(cursor.grammar.expression(cursor));
  expressions.push(...parseTail(cursor).limit);
  return { kind: 'handler', action: 'read', table, alias: undefined, expressions };
}

export function parseTruncate(cursor: Cursor): TruncateStatement {
  cursor.index += 1;
  cursor.eat('TABLE');
  const tables = cursor.list(() => cursor.qualifiedName());
  readWait(cursor);
  // MariaDB's [NOWAIT] comes with RESTRICT or CASCADE of the standard.
  if (!cursor.eat('RESTRICT')) cursor.eat('CASCADE');
  return { kind: 'truncate', tables };
}
