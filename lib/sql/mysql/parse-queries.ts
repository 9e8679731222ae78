/** Query expressions: SELECT, set operations, WITH, VALUES, TABLE, and what may stand behind them. */

import type {
  Call,
  ColumnReference,
  CommonTable,
  Expression,
  Into,
  Query,
  QueryBody,
  Row,
  Select,
  SelectItem,
  SetOperation,
  Star,
  TableReference,
  UserVariable,
  Values,
  WindowSpecification,
  With,
} from './ast.ts';
import { CLOSE, COMMA, type Cursor, DOT, OPEN, STAR } from './parse-base.ts';
import { orderList, parseCall, parseWindow } from './parse-calls.ts';
import { startsQuery } from './parse-expressions.ts';
import { parseColumn, userVariable } from './parse-primary.ts';
import { parseTables } from './parse-tables.ts';
import { NAME, QUOTED, STRING, VARIABLE, WORD } from './tokens.ts';

const SET_OPERATORS: ReadonlyMap<string, 'union' | 'except' | 'intersect'> = new Map([
  ['UNION', 'union'],
  ['EXCEPT', 'except'],
  ['INTERSECT', 'intersect'],
]);
const SELECT_OPTIONS: ReadonlySet<string> = new Set(
  `ALL DISTINCT DISTINCTROW HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT
  SQL_BUFFER_RESULT SQL_CACHE SQL_NO_CACHE SQL_CALC_FOUND_ROWS`.split(/\s+/),
);

/** What may stand behind a query, gathered in whatever order it comes. */
interface Tail {
  orderBy: Expression[];
  readonly limit: Expression[];
  readonly into: Into[];
  isLocking: boolean;
  procedure: Call | undefined;
}

export function parseQuery(cursor: Cursor, first?: QueryBody): Query {
  cursor.enter();
  const clause = first === undefined ? parseWith(cursor) : undefined;
  const body = parseSetOperations(cursor, first ?? parseBody(cursor));
  const tail = parseTail(cursor);
  cursor.leave();
  return { kind: 'query', with: clause, body, ...tail };
}

/** Behind a WITH clause that was read already. */
export function parseQueryAfterWith(cursor: Cursor, clause: With): Query {
  const query = parseQuery(cursor, parseBody(cursor));
  return { ...query, with: clause };
}

export function parseWith(cursor: Cursor): With | undefined {
  if (!cursor.eat('WITH')) return undefined;
  const isRecursive = cursor.eat('RECURSIVE');
  return { kind: 'with', isRecursive, tables: cursor.list(() => parseCommonTable(cursor)) };
}

function parseCommonTable(cursor: Cursor): CommonTable {
  const name = cursor.name();
  const columns = cursor.parenthesizedNames();
  cursor.need('AS');
  cursor.needSign(OPEN);
  const query = parseQuery(cursor);
  cursor.needSign(CLOSE);
  if (cursor.eat('CYCLE')) {
    cursor.nameList();
    cursor.need('RESTRICT');
  }
  return { kind: 'common-table', name, columns, query };
}

function parseSetOperations(cursor: Cursor, first: QueryBody): QueryBody {
  const queries = [first];
  const operators: ('union' | 'except' | 'intersect')[] = [];
  const isAll: boolean[] = [];
  for (;;) {
    const operator = SET_OPERATORS.get(cursor.word());
    if (operator === undefined) break;
    cursor.index += 1;
    operators.push(operator);
    isAll.push(cursor.eat('ALL'));
    if (!cursor.eat('DISTINCT')) cursor.eat('DISTINCTROW');
    queries.push(parseBody(cursor));
  }
  if (operators.length === 0) return first;
  return { kind: 'set-operation', operators, isAll, queries } satisfies SetOperation;
}

function parseBody(cursor: Cursor): QueryBody {
  if (cursor.eatSign(OPEN)) {
    const inner = parseQuery(cursor);
    cursor.needSign(CLOSE);
    return inner;
  }
  if (cursor.is('SELECT')) return parseSelect(cursor);
  if (cursor.eat('VALUES')) return parseValues(cursor);
  if (cursor.eat('TABLE')) return { kind: 'table-query', table: cursor.qualifiedName() };
  return cursor.fail('a query');
}

function parseValues(cursor: Cursor): Values {
  return { kind: 'values', rows: parseRows(cursor) };
}

/** `(1, 2), (3, 4)`, `ROW(1, 2), ROW(3, 4)`. */
export function parseRows(cursor: Cursor): Row[] {
  return cursor.list(() => {
    cursor.eat('ROW');
    cursor.needSign(OPEN);
    const items = cursor.isSign(CLOSE) ? [] : cursor.expressions();
    cursor.needSign(CLOSE);
    return { kind: 'row', items };
  });
}

// --- SELECT

function parseSelect(cursor: Cursor): Select {
  cursor.enter();
  cursor.need('SELECT');
  const isDistinct = parseOptions(cursor);
  const items = parseItems(cursor);
  const into = parseIntos(cursor);
  const from = parseFrom(cursor);
  const where = cursor.eat('WHERE') ? cursor.grammar.expression(cursor) : undefined;
  const groupBy = parseGroupBy(cursor);
  const having = cursor.eat('HAVING') ? cursor.grammar.expression(cursor) : undefined;
  const windows = parseWindows(cursor);
  cursor.leave();
  return { kind: 'select', isDistinct, items, from, where, groupBy, having, windows, into };
}

function parseOptions(cursor: Cursor): boolean {
  let isDistinct = false;
  for (;;) {
    const option = cursor.eatAny(SELECT_OPTIONS);
    if (option === undefined) return isDistinct;
    if (option.startsWith('DISTINCT')) isDistinct = true;
  }
}

function parseFrom(cursor: Cursor): TableReference[] {
  if (!cursor.eat('FROM')) return [];
  if (cursor.is('DUAL')) {
    cursor.index += 1;
    return [];
  }
  return parseTables(cursor);
}

function parseGroupBy(cursor: Cursor): Expression[] {
  if (!cursor.eat('GROUP', 'BY')) return [];
  const items = orderList(cursor);
  // WITH CHECK OPTION of a view comes here, too.
  if (!cursor.eat('WITH', 'ROLLUP')) cursor.eat('WITH', 'CUBE');
  return items;
}

function parseWindows(cursor: Cursor): WindowSpecification[] {
  if (!cursor.eat('WINDOW')) return [];
  return cursor.list(() => {
    const name = cursor.name();
    cursor.need('AS');
    return parseWindow(cursor, name);
  });
}

/** A select list, also of RETURNING and DO. */
export function parseItems(cursor: Cursor): SelectItem[] {
  return cursor.list(() => parseItem(cursor));
}

function parseItem(cursor: Cursor): SelectItem {
  const start = cursor.index;
  const star = parseStar(cursor);
  if (star !== undefined)
    return { kind: 'item', value: star, alias: undefined, text: cursor.textFrom(start) };
  const value = cursor.grammar.expression(cursor);
  const text = cursor.textFrom(start);
  return { kind: 'item', value, alias: cursor.alias(true), text };
}

/** `*`, `t.*`, `db.t.*`; looks at most six tokens ahead. */
function parseStar(cursor: Cursor): Star | undefined {
  if (cursor.eatSign(STAR)) return { kind: 'star', schema: undefined, table: undefined };
  const start = cursor.isSign(DOT) ? 1 : 0;
  const count = isStarBehind(cursor, start, 1) ? 1 : isStarBehind(cursor, start, 2) ? 2 : 0;
  if (count === 0) return undefined;
  cursor.index += start;
  const first = cursor.nameAt();
  cursor.index += 1;
  if (count === 1) {
    cursor.index += 1;
    return { kind: 'star', schema: undefined, table: first };
  }
  const table = cursor.nameAt();
  cursor.index += 2;
  return { kind: 'star', schema: first, table };
}

function isStarBehind(cursor: Cursor, start: number, names: number): boolean {
  for (let count = 0; count < names; count += 1) {
    const offset = start + count * 2;
    const kind = cursor.kind(offset);
    const isName = kind === WORD || kind === NAME || kind === QUOTED;
    if (!isName || !cursor.isSign(DOT, offset + 1)) return false;
  }
  return cursor.isSign(STAR, start + names * 2);
}

// --- Behind

export function parseTail(cursor: Cursor): Tail {
  const tail: Tail = {
    orderBy: [],
    limit: [],
    into: [],
    isLocking: false,
    procedure: undefined,
  };
  while (readTail(cursor, tail));
  return tail;
}

function readTail(cursor: Cursor, tail: Tail): boolean {
  switch (cursor.word()) {
    case 'ORDER':
      cursor.need('ORDER', 'BY');
      tail.orderBy = tail.orderBy.concat(orderList(cursor));
      return true;
    case 'LIMIT':
    case 'OFFSET':
    case 'FETCH':
      tail.limit.push(...parseLimit(cursor));
      return true;
    case 'INTO':
      tail.into.push(...parseIntos(cursor));
      return true;
    case 'FOR':
      return readLocking(cursor, tail);
    case 'LOCK':
      cursor.need('LOCK', 'IN', 'SHARE', 'MODE');
      tail.isLocking = true;
      readWait(cursor);
      return true;
    case 'ROWS':
      cursor.need('ROWS', 'EXAMINED');
      tail.limit.push(cursor.grammar.expression(cursor));
      return true;
    case 'PROCEDURE':
      tail.procedure = parseProcedure(cursor);
      return true;
    default:
      return false;
  }
}

/** LIMIT 1, 2; LIMIT 1 OFFSET 2; OFFSET 1 ROW; FETCH FIRST 2 ROWS ONLY. */
function parseLimit(cursor: Cursor): Expression[] {
  const word = cursor.take().toUpperCase();
  if (word === 'LIMIT') {
    if (cursor.is('ROWS')) return [];
    const limit = [cursor.grammar.expression(cursor)];
    if (cursor.eatSign(COMMA) || cursor.eat('OFFSET'))
      limit.push(cursor.grammar.expression(cursor));
    return limit;
  }
  if (word === 'OFFSET') {
    const limit = [cursor.grammar.expression(cursor)];
    if (!cursor.eat('ROW')) cursor.eat('ROWS');
    return limit;
  }
  if (!cursor.eat('FIRST')) cursor.need('NEXT');
  const isOne = cursor.is('ROW') || cursor.is('ROWS');
  const limit = isOne ? [] : [cursor.grammar.expression(cursor)];
  if (!cursor.eat('ROW')) cursor.need('ROWS');
  if (!cursor.eat('ONLY')) cursor.need('WITH', 'TIES');
  return limit;
}

/** FOR UPDATE, FOR SHARE; with FOR and something else behind it the query ends here (a cursor's FOR). */
function readLocking(cursor: Cursor, tail: Tail): boolean {
  if (cursor.word(1) !== 'UPDATE' && cursor.word(1) !== 'SHARE') return false;
  cursor.index += 2;
  tail.isLocking = true;
  if (cursor.eat('OF')) cursor.list(() => cursor.qualifiedName());
  readWait(cursor);
  return true;
}

export function readWait(cursor: Cursor): void {
  if (cursor.eat('NOWAIT')) return;
  if (cursor.eat('SKIP')) cursor.need('LOCKED');
  else if (cursor.eat('WAIT')) cursor.take();
}

function parseProcedure(cursor: Cursor): Call {
  cursor.need('PROCEDURE');
  const name = cursor.qualifiedName();
  const call = parseCall(cursor, name, false);
  return call.kind === 'call' ? call : cursor.fail('PROCEDURE ANALYSE()');
}

// --- INTO

export function parseIntos(cursor: Cursor): Into[] {
  const intos: Into[] = [];
  while (cursor.eat('INTO')) intos.push(parseInto(cursor));
  return intos;
}

function parseInto(cursor: Cursor): Into {
  const isOutfile = cursor.eat('OUTFILE');
  if (isOutfile || cursor.eat('DUMPFILE')) {
    const path = cursor.string();
    readCharset(cursor);
    readFieldsAndLines(cursor);
    return { kind: 'into-file', form: isOutfile ? 'outfile' : 'dumpfile', path };
  }
  return { kind: 'into-variables', targets: cursor.list(() => parseTarget(cursor)) };
}

/** `@v`, or a local variable. */
export function parseTarget(cursor: Cursor): UserVariable | ColumnReference {
  return cursor.kind() === VARIABLE ? userVariable(cursor) : parseColumn(cursor);
}

/** CHARACTER SET x. */
export function readCharset(cursor: Cursor): void {
  if (cursor.eat('CHARACTER', 'SET') || cursor.eat('CHARSET')) cursor.nameOrString();
}

const FIELD_WORDS: ReadonlySet<string> = new Set([
  'TERMINATED',
  'OPTIONALLY',
  'ENCLOSED',
  'ESCAPED',
  'STARTING',
]);

/** FIELDS TERMINATED BY ',' ... LINES STARTING BY 'x' TERMINATED BY 'y'. */
export function readFieldsAndLines(cursor: Cursor): void {
  while (cursor.eat('FIELDS') || cursor.eat('COLUMNS') || cursor.eat('LINES')) {
    while (cursor.eatAny(FIELD_WORDS) !== undefined) {
      cursor.eat('ENCLOSED');
      cursor.need('BY');
      if (cursor.kind() === STRING) cursor.string();
      else cursor.take();
    }
  }
}

/** `(` and a query behind it, however many parentheses lie between. */
export function isParenthesizedQuery(cursor: Cursor): boolean {
  let offset = 0;
  while (cursor.isSign(OPEN, offset)) offset += 1;
  if (offset === 0) return false;
  const index = cursor.index;
  cursor.index += offset;
  const isQuery = startsQuery(cursor);
  cursor.index = index;
  return isQuery;
}
