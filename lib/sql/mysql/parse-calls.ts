/**
 * What stands in the parentheses of a call. Each built-in function has a syntax of its own (TRIM, CAST,
 * GROUP_CONCAT, ...), so every separator is taken in every call: it still finds all expressions.
 */

import type { Call, Cast, Expression, QualifiedName, WindowSpecification } from './ast.ts';
import { CLOSE, COMMA, type Cursor, DOT, OPEN, STAR } from './parse-base.ts';
import { RESERVED, UNITS } from './reserved.ts';
import { BYTES, NAME, NUMBER, QUOTED, signCode, STRING, WORD } from './tokens.ts';

const NAMED = signCode('=>');
const SIDES: ReadonlySet<string> = new Set(['BOTH', 'LEADING', 'TRAILING']);
const SETS: ReadonlySet<string> = new Set(['DISTINCT', 'DISTINCTROW', 'ALL']);
const DIRECTIONS: ReadonlySet<string> = new Set(['ASC', 'DESC']);
/** Their first argument is a bare word, which is no column. */
const UNIT_FIRST: ReadonlySet<string> = new Set(['extract', 'timestampadd', 'timestampdiff']);
const GET_FORMAT_TYPES: ReadonlySet<string> = new Set(['DATE', 'TIME', 'DATETIME', 'TIMESTAMP']);
const SEPARATORS: ReadonlySet<string> = new Set(['FROM', 'FOR', 'IN']);
const FRAMES: ReadonlySet<string> = new Set(['ROWS', 'RANGE', 'GROUPS']);
const NULLS: ReadonlySet<string> = new Set(['RESPECT', 'IGNORE']);
const CASTS: ReadonlySet<string> = new Set(['cast', 'convert']);
const SEQUENCES: ReadonlyMap<string, 'next' | 'previous' | 'set'> = new Map([
  ['nextval', 'next'],
  ['lastval', 'previous'],
  ['setval', 'set'],
]);

/** What is gathered while the arguments are read. */
interface Arguments {
  /** In lower case; empty where the name is quoted. */
  readonly name: string;
  readonly args: Expression[];
  readonly orderBy: Expression[];
  type: string | undefined;
}

/** At the opening parenthesis behind the name. */
export function parseCall(cursor: Cursor, name: QualifiedName, isQuoted: boolean): Expression {
  cursor.enter();
  const isSpaced = cursor.tokens.end(cursor.index - 1) !== cursor.tokens.start(cursor.index);
  cursor.needSign(OPEN);
  const found: Arguments = {
    name: isQuoted ? '' : name.name.toLowerCase(),
    args: [],
    orderBy: [],
    type: undefined,
  };
  const isDistinct = cursor.eatAny(SETS) === 'DISTINCT';
  cursor.eatAny(SETS);
  const isStar = cursor.isSign(STAR) && cursor.isSign(CLOSE, 1);
  if (isStar) cursor.index += 1;
  else readArguments(cursor, found);
  cursor.needSign(CLOSE);
  const behind = parseBehind(cursor, found);
  cursor.leave();
  const { args, orderBy, type } = found;
  const [value] = args;
  if (type !== undefined && value !== undefined && CASTS.has(found.name) && args.length === 1)
    return { kind: 'cast', value, type } satisfies Cast;
  return {
    kind: 'call',
    name,
    isQuoted,
    isSpaced,
    isStar,
    isDistinct,
    args: asSequence(cursor, found.name, args),
    orderBy,
    ...behind,
  };
}

/** On MariaDB the first argument of NEXTVAL and its kin names a sequence. */
function asSequence(
  cursor: Cursor,
  name: string,
  args: readonly Expression[],
): readonly Expression[] {
  const form = cursor.isMaria ? SEQUENCES.get(name) : undefined;
  const [first, ...rest] = args;
  if (form === undefined || first?.kind !== 'column') return args;
  const sequence: QualifiedName = { kind: 'name', schema: first.table, name: first.name };
  return [{ kind: 'sequence', form, sequence }, ...rest];
}

function readArguments(cursor: Cursor, found: Arguments): void {
  cursor.eatAny(SIDES);
  let isOperandDue = !cursor.isSign(CLOSE);
  while (isOperandDue || !cursor.isSign(CLOSE)) {
    if (isOperandDue) readOperand(cursor, found);
    isOperandDue = !cursor.isSign(CLOSE) && readSeparator(cursor, found);
  }
}

function readOperand(cursor: Cursor, found: Arguments): void {
  const isFirst = found.args.length === 0;
  if (isFirst && UNIT_FIRST.has(found.name) && cursor.eatAny(UNITS) !== undefined) return;
  if (isFirst && found.name === 'get_format' && cursor.eatAny(GET_FORMAT_TYPES) !== undefined)
    return;
  // TRIM(BOTH FROM x)
  if (cursor.is('FROM')) return;
  found.args.push(cursor.grammar.expression(cursor));
}

/** What comes between two arguments or behind the last; true: an expression has to follow. */
function readSeparator(cursor: Cursor, found: Arguments): boolean {
  if (cursor.eatSign(COMMA)) {
    if (found.name !== 'convert' || cursor.kind() !== WORD) {
      cursor.eatAny(SETS);
      return true;
    }
    found.type = readType(cursor);
    return false;
  }
  if (cursor.eatSign(NAMED)) return true;
  if (cursor.eatAny(SEPARATORS) !== undefined) return true;
  if (!readClause(cursor, found)) readAlias(cursor);
  return false;
}

/** A clause behind an argument. */
function readClause(cursor: Cursor, found: Arguments): boolean {
  if (cursor.eat('AS')) readAs(cursor, found);
  else if (cursor.eat('USING')) found.type = `CHARSET ${cursor.nameOrString()}`;
  else if (cursor.eat('ORDER', 'BY')) found.orderBy.push(...orderList(cursor));
  else if (cursor.eat('SEPARATOR')) cursor.take();
  else if (cursor.eat('LIMIT')) readLimit(cursor, found);
  else if (cursor.eat('LEVEL')) readLevels(cursor);
  else if (cursor.eat('RETURNING')) readType(cursor);
  else if (cursor.eatAny(DIRECTIONS) !== undefined) return true;
  else if (cursor.eatAny(NULLS) !== undefined) cursor.need('NULLS');
  else if (cursor.eat('AT', 'TIME', 'ZONE')) {
    cursor.eat('INTERVAL');
    cursor.string();
  } else return readOnError(cursor, found);
  return true;
}

/** JSON_VALUE(... NULL ON EMPTY DEFAULT e ON ERROR). */
function readOnError(cursor: Cursor, found: Arguments): boolean {
  if (cursor.eat('DEFAULT')) found.args.push(cursor.grammar.expression(cursor));
  else if (!cursor.eat('NULL') && !cursor.eat('ERROR')) return false;
  cursor.need('ON');
  if (!cursor.eat('EMPTY')) cursor.need('ERROR');
  return true;
}

function readAs(cursor: Cursor, found: Arguments): void {
  const kind = cursor.kind();
  if (kind === STRING || kind === QUOTED) cursor.index += 1;
  else found.type = readType(cursor);
}

/** UDFs may be given `f(expression name)`. */
function readAlias(cursor: Cursor): void {
  if (cursor.isAlias() || cursor.kind() === STRING) cursor.index += 1;
  else cursor.fail("',' or ')'");
}

function readLimit(cursor: Cursor, found: Arguments): void {
  found.args.push(cursor.grammar.expression(cursor));
  if (cursor.eatSign(COMMA) || cursor.eat('OFFSET'))
    found.args.push(cursor.grammar.expression(cursor));
}

/** WEIGHT_STRING(x LEVEL 1 DESC, 2). */
function readLevels(cursor: Cursor): void {
  while (!cursor.isSign(CLOSE)) {
    const kind = cursor.kind();
    if (kind !== WORD && kind !== NUMBER && !cursor.isSign(COMMA) && !cursor.isSign(signCode('-')))
      cursor.fail('a level');
    cursor.index += 1;
  }
}

/** Words that make up a type, with what they have in parentheses, in upper case. */
function readType(cursor: Cursor): string {
  const start = cursor.index;
  cursor.anyName();
  while (isTypeGoingOn(cursor)) {
    if (cursor.isSign(OPEN)) skipTypeArguments(cursor);
    else if (cursor.eat('COLLATE') || cursor.eat('CHARACTER', 'SET') || cursor.eat('CHARSET'))
      cursor.nameOrString();
    else cursor.index += 1;
  }
  return cursor.textFrom(start).toUpperCase();
}

function isTypeGoingOn(cursor: Cursor): boolean {
  const kind = cursor.kind();
  if (cursor.isSign(OPEN) || cursor.isSign(DOT) || kind === NAME) return true;
  if (kind !== WORD) return false;
  const isClause = cursor.is('DEFAULT') || cursor.is('LEVEL') || cursor.is('RETURNING');
  return !isClause && cursor.word(1) !== 'ON' && !cursor.is('ORDER');
}

/** Of a type: numbers, strings and names. */
function skipTypeArguments(cursor: Cursor): void {
  cursor.index += 1;
  while (!cursor.eatSign(CLOSE)) {
    const kind = cursor.kind();
    const isPlain = kind === NUMBER || kind === STRING || kind === BYTES;
    const isName = kind === QUOTED || (kind === WORD && !RESERVED.has(cursor.word()));
    if (!isPlain && !isName && !cursor.isSign(COMMA)) cursor.fail('the arguments of a type');
    cursor.index += 1;
  }
}

// --- Behind the parenthesis

function parseBehind(cursor: Cursor, found: Arguments): Pick<Call, 'filter' | 'over'> {
  let filter: Expression | undefined;
  if (cursor.eat('WITHIN', 'GROUP')) {
    cursor.needSign(OPEN);
    cursor.need('ORDER', 'BY');
    found.orderBy.push(...orderList(cursor));
    cursor.needSign(CLOSE);
  }
  if (cursor.is('FILTER') && cursor.isSign(OPEN, 1)) {
    cursor.index += 2;
    cursor.need('WHERE');
    filter = cursor.grammar.expression(cursor);
    cursor.needSign(CLOSE);
  }
  if (cursor.is('FROM') && (cursor.word(1) === 'FIRST' || cursor.word(1) === 'LAST')) {
    // NTH_VALUE(x, n) FROM FIRST OVER ..., but also SELECT f() FROM first: only with what follows.
    if (cursor.word(2) === 'OVER' || NULLS.has(cursor.word(2))) cursor.index += 2;
  }
  if (cursor.isAny(NULLS) && cursor.word(1) === 'NULLS') cursor.index += 2;
  return { filter, over: parseOver(cursor) };
}

function parseOver(cursor: Cursor): WindowSpecification | undefined {
  if (!cursor.eat('OVER')) return undefined;
  if (cursor.isSign(OPEN)) return parseWindow(cursor, undefined);
  const base = cursor.name();
  return { kind: 'window', name: undefined, base, partitionBy: [], orderBy: [], frame: [] };
}

const NO_BASE: ReadonlySet<string> = new Set(['PARTITION', 'ORDER', ...FRAMES]);

/** `(w PARTITION BY ... ORDER BY ... ROWS BETWEEN ...)`, at the parenthesis. */
export function parseWindow(cursor: Cursor, name: string | undefined): WindowSpecification {
  cursor.needSign(OPEN);
  const base = cursor.isAlias() && !cursor.isAny(NO_BASE) ? cursor.nameAt() : undefined;
  const partitionBy = cursor.eat('PARTITION', 'BY') ? cursor.expressions() : [];
  const orderBy = cursor.eat('ORDER', 'BY') ? orderList(cursor) : [];
  const frame: Expression[] = [];
  if (cursor.eatAny(FRAMES) !== undefined) {
    const isBetween = cursor.eat('BETWEEN');
    readBound(cursor, frame);
    if (isBetween) {
      cursor.need('AND');
      readBound(cursor, frame);
    }
    if (cursor.eat('EXCLUDE')) while (cursor.kind() === WORD) cursor.index += 1;
  }
  cursor.needSign(CLOSE);
  return { kind: 'window', name, base, partitionBy, orderBy, frame };
}

function readBound(cursor: Cursor, frame: Expression[]): void {
  if (cursor.eat('CURRENT', 'ROW')) return;
  if (!cursor.eat('UNBOUNDED')) frame.push(cursor.grammar.expression(cursor));
  if (!cursor.eat('PRECEDING')) cursor.need('FOLLOWING');
}

/** Behind ORDER BY. */
export function orderList(cursor: Cursor): Expression[] {
  return cursor.list(() => {
    const value = cursor.grammar.expression(cursor);
    cursor.eatAny(DIRECTIONS);
    if (cursor.eat('NULLS') && !cursor.eat('FIRST')) cursor.need('LAST');
    return value;
  });
}
