/** Table references: names with all that may hang on them, derived tables, joins. */

import type {
  DerivedTable,
  Expression,
  Join,
  JsonTable,
  Query,
  Table,
  TableReference,
} from './ast.ts';
import { CLOSE, COMMA, type Cursor, OPEN } from './parse-base.ts';
import { parseCall } from './parse-calls.ts';
import { goesOnAsQuery, startsQuery } from './parse-expressions.ts';
import { TooDeepError } from './errors.ts';
import { STRING } from './tokens.ts';

const CURLY = 0x7b;
const CURLY_END = 0x7d;
/** Servers join at most 61 tables; a chain makes a tree as deep as it is long. */
const JOINS_MAX = 64;
const INDEX_HINTS: ReadonlySet<string> = new Set(['USE', 'FORCE', 'IGNORE']);

export function parseTables(cursor: Cursor): TableReference[] {
  return cursor.list(() => parseTable(cursor));
}

function parseTable(cursor: Cursor): TableReference {
  return parseJoins(cursor, parseFactor(cursor));
}

type JoinHead = Pick<Join, 'type' | 'isNatural'>;

/** JOIN in all its forms; undefined: something else comes. */
function parseJoinHead(cursor: Cursor): JoinHead | undefined {
  const isNatural = cursor.is('NATURAL');
  if (isNatural) cursor.index += 1;
  const side = cursor.word();
  if (side === 'LEFT' || side === 'RIGHT' || (side === 'FULL' && isFullJoin(cursor))) {
    cursor.index += 1;
    cursor.eat('OUTER');
    cursor.need('JOIN');
    return { type: side === 'LEFT' ? 'left' : side === 'RIGHT' ? 'right' : 'full', isNatural };
  }
  if (cursor.eat('STRAIGHT_JOIN')) return { type: 'inner', isNatural };
  if (cursor.eat('INNER') || cursor.eat('CROSS') || isNatural) cursor.need('JOIN');
  else if (!cursor.eat('JOIN')) return undefined;
  return { type: 'inner', isNatural };
}

function isFullJoin(cursor: Cursor): boolean {
  return cursor.word(1) === 'JOIN' || cursor.word(1) === 'OUTER';
}

/**
 * `a JOIN b ON x JOIN c ON y`. With `a JOIN b JOIN c ON y ON x` the inner join comes before its condition,
 * so a factor is followed by joins of its own until a condition stands there.
 */
function parseJoins(cursor: Cursor, first: TableReference): TableReference {
  let left = first;
  for (let count = 0; ; count += 1) {
    const head = parseJoinHead(cursor);
    if (head === undefined) return left;
    if (count >= JOINS_MAX) throw new TooDeepError('too many joins');
    cursor.enter();
    const factor = parseFactor(cursor);
    const right = isNested(cursor, head) ? parseNested(cursor, factor) : factor;
    cursor.leave();
    left = { kind: 'join', ...head, left, right, ...parseCondition(cursor) };
  }
}

/** Only joins that need a condition can wait for it. */
function isNested(cursor: Cursor, head: JoinHead): boolean {
  return !head.isNatural && head.type !== 'inner' && !isConditionHere(cursor);
}

function isConditionHere(cursor: Cursor): boolean {
  return (cursor.is('ON') && cursor.word(1) !== 'DUPLICATE') || cursor.is('USING');
}

/** Inside an outer join whose condition is still to come: joins up to one that is not theirs. */
function parseNested(cursor: Cursor, first: TableReference): TableReference {
  let left = first;
  for (let count = 0; !isConditionHere(cursor); count += 1) {
    const head = parseJoinHead(cursor);
    if (head === undefined) return left;
    if (count >= JOINS_MAX) throw new TooDeepError('too many joins');
    cursor.enter();
    const factor = parseFactor(cursor);
    const right = isNested(cursor, head) ? parseNested(cursor, factor) : factor;
    cursor.leave();
    const condition = head.isNatural ? NO_CONDITION : parseOneCondition(cursor);
    left = { kind: 'join', ...head, left, right, ...condition };
  }
  return left;
}

type Condition = Pick<Join, 'on' | 'using'>;
const NO_CONDITION: Condition = { on: [], using: undefined };

function parseOneCondition(cursor: Cursor): Condition {
  if (!isConditionHere(cursor)) return NO_CONDITION;
  if (cursor.eat('ON')) return { on: [cursor.grammar.expression(cursor)], using: undefined };
  cursor.need('USING');
  return { on: [], using: cursor.parenthesizedNames() ?? cursor.fail("'('") };
}

/** All that stand here: of `a JOIN b JOIN c ON x ON y` both are kept at the last join. */
function parseCondition(cursor: Cursor): Condition {
  const on: Expression[] = [];
  let using: string[] | undefined;
  while (isConditionHere(cursor)) {
    const condition = parseOneCondition(cursor);
    on.push(...condition.on);
    if (condition.using !== undefined) using = [...(using ?? []), ...condition.using];
  }
  return { on, using };
}

// --- Factors

function parseFactor(cursor: Cursor): TableReference {
  cursor.enter();
  const factor = parseFactorInside(cursor);
  cursor.leave();
  return factor;
}

function parseFactorInside(cursor: Cursor): TableReference {
  if (cursor.eatSign(CURLY)) {
    // ODBC: {oj a LEFT JOIN b ON ...}
    cursor.anyName();
    const table = parseTable(cursor);
    cursor.needSign(CURLY_END);
    return table;
  }
  const isLateral = cursor.is('LATERAL') && cursor.isSign(OPEN, 1);
  if (isLateral) cursor.index += 1;
  if (cursor.isSign(OPEN)) {
    const inner = parseParenthesis(cursor);
    return inner.kind === 'query' ? parseDerived(cursor, inner, isLateral) : inner;
  }
  if (cursor.is('JSON_TABLE') && cursor.isSign(OPEN, 1)) return parseJsonTable(cursor);
  return parseNamedTable(cursor);
}

/** `(SELECT ...)`, `((SELECT ...) UNION ...)`, `(a, b)`, `((SELECT ...) AS a JOIN b)`. */
function parseParenthesis(cursor: Cursor): TableReference | Query {
  cursor.enter();
  cursor.needSign(OPEN);
  const inner = insideParenthesis(cursor);
  cursor.needSign(CLOSE);
  cursor.leave();
  return inner;
}

function insideParenthesis(cursor: Cursor): TableReference | Query {
  if (startsQuery(cursor)) return cursor.grammar.query(cursor);
  let first: TableReference;
  if (cursor.isSign(OPEN)) {
    const inner = parseParenthesis(cursor);
    if (inner.kind === 'query') {
      if (cursor.isSign(CLOSE) || goesOnAsQuery(cursor)) return cursor.grammar.query(cursor, inner);
      first = parseDerived(cursor, inner, false);
    } else first = inner;
  } else first = parseFactor(cursor);
  const tables = [parseJoins(cursor, first)];
  while (cursor.eatSign(COMMA)) tables.push(parseTable(cursor));
  const [only] = tables;
  return tables.length === 1 && only !== undefined
    ? only
    : { kind: 'table-list', tables, alias: undefined };
}

function parseDerived(cursor: Cursor, query: Query, isLateral: boolean): DerivedTable {
  const period = parsePeriod(cursor).expressions;
  const alias = parseAlias(cursor);
  const columns = cursor.isSign(OPEN) ? cursor.parenthesizedNames() : undefined;
  return { kind: 'derived', query, isLateral, alias, columns, period };
}

function parseNamedTable(cursor: Cursor): TableReference {
  const name = cursor.qualifiedName();
  if (cursor.isSign(OPEN) && cursor.isMaria) {
    const call = parseCall(cursor, name, true);
    if (call.kind !== 'call') return cursor.fail('a table');
    return { kind: 'table-function', call, alias: parseAlias(cursor) };
  }
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  const period = parsePeriod(cursor);
  const alias = parseAlias(cursor);
  if (cursor.eat('PARTITION')) cursor.skipParentheses();
  readIndexHints(cursor);
  if (cursor.eat('TABLESAMPLE')) {
    cursor.anyName();
    cursor.skipParentheses();
  }
  return {
    kind: 'table',
    name,
    alias,
    period: period.expressions,
    isHistoric: period.isHistoric,
  } satisfies Table;
}

interface Period {
  readonly expressions: readonly Expression[];
  readonly isHistoric: boolean;
}

/** FOR SYSTEM_TIME AS OF ..., FOR PORTION OF p FROM a TO b. */
export function parsePeriod(cursor: Cursor): Period {
  if (cursor.eat('FOR', 'SYSTEM_TIME')) {
    if (cursor.eat('ALL')) return { expressions: [], isHistoric: true };
    if (cursor.eat('AS', 'OF')) return { expressions: [parseTime(cursor)], isHistoric: true };
    if (cursor.eat('BETWEEN')) return { expressions: parseBetween(cursor), isHistoric: true };
    return { expressions: parseRange(cursor), isHistoric: true };
  }
  if (!cursor.eat('FOR', 'PORTION', 'OF')) return { expressions: [], isHistoric: false };
  cursor.name();
  return { expressions: parseRange(cursor), isHistoric: false };
}

function parseBetween(cursor: Cursor): Expression[] {
  const outer = cursor.andEndsAt;
  // The expression that is read next stands one level deeper.
  cursor.andEndsAt = cursor.depth + 1;
  const from = parseTime(cursor);
  cursor.andEndsAt = outer;
  cursor.need('AND');
  return [from, parseTime(cursor)];
}

function parseRange(cursor: Cursor): Expression[] {
  cursor.need('FROM');
  const from = parseTime(cursor);
  cursor.need('TO');
  return [from, parseTime(cursor)];
}

/** A point in time, perhaps with TIMESTAMP or TRANSACTION before it. */
export function parseTime(cursor: Cursor): Expression {
  const isTyped = cursor.is('TIMESTAMP') || cursor.is('TRANSACTION');
  if (isTyped && !cursor.isSign(OPEN, 1) && cursor.kind(1) !== STRING) cursor.index += 1;
  else if (cursor.is('TRANSACTION')) cursor.index += 1;
  return cursor.grammar.expression(cursor);
}

export function parseAlias(cursor: Cursor): string | undefined {
  if (cursor.is('AS')) return cursor.alias(true);
  const goesOn =
    (cursor.is('FULL') && isFullJoin(cursor)) ||
    (cursor.is('OFFSET') && cursor.isMaria) ||
    cursor.is('CYCLE') ||
    cursor.is('SKIP', 'LOCKED') ||
    (cursor.is('TABLESAMPLE') && cursor.isSign(OPEN, 2));
  return goesOn ? undefined : cursor.alias(false);
}

/** USE INDEX (a, b), FORCE KEY FOR JOIN (PRIMARY); commas between several are MariaDB's. */
function readIndexHints(cursor: Cursor): void {
  for (;;) {
    const offset = cursor.isSign(COMMA) ? 1 : 0;
    const isHint =
      cursor.isAny(INDEX_HINTS, offset) &&
      (cursor.word(offset + 1) === 'INDEX' || cursor.word(offset + 1) === 'KEY');
    if (!isHint) return;
    cursor.index += offset + 2;
    if (cursor.eat('FOR') && !cursor.eat('JOIN') && !cursor.eat('ORDER', 'BY'))
      cursor.need('GROUP', 'BY');
    cursor.parenthesizedNames();
  }
}

// --- JSON_TABLE

function parseJsonTable(cursor: Cursor): JsonTable {
  cursor.index += 1;
  cursor.needSign(OPEN);
  const value = cursor.grammar.expression(cursor);
  cursor.needSign(COMMA);
  cursor.grammar.expression(cursor);
  const columns: string[] = [];
  cursor.need('COLUMNS');
  readJsonColumns(cursor, columns);
  cursor.needSign(CLOSE);
  return { kind: 'json-table', value, columns, alias: parseAlias(cursor) };
}

function readJsonColumns(cursor: Cursor, columns: string[]): void {
  cursor.enter();
  cursor.needSign(OPEN);
  do {
    if (cursor.eat('NESTED')) {
      cursor.eat('PATH');
      cursor.string();
      cursor.need('COLUMNS');
      readJsonColumns(cursor, columns);
    } else {
      columns.push(cursor.name());
      skipColumn(cursor);
    }
  } while (cursor.eatSign(COMMA));
  cursor.needSign(CLOSE);
  cursor.leave();
}

/** The type, path and defaults of a column: literals only. */
function skipColumn(cursor: Cursor): void {
  while (!cursor.isSign(COMMA) && !cursor.isSign(CLOSE)) {
    if (cursor.is('SELECT')) cursor.fail('no query');
    if (cursor.isSign(OPEN)) cursor.skipParentheses();
    else cursor.take();
  }
}
