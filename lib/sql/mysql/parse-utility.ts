/**
 * Statements whose words say what they do: GRANT, LOCK, PREPARE, and the table of all that have no more
 * than a verb and perhaps tables. What each means is in effects-utility.ts.
 */

import type {
  ExecuteStatement,
  Expression,
  GrantStatement,
  LockStatement,
  PrepareStatement,
  QualifiedName,
  Table,
  UtilityStatement,
} from './ast.ts';
import { type Cursor, DOT, OPEN, STAR } from './parse-base.ts';
import { skipAccount } from './parse-set.ts';
import { parseAlias } from './parse-tables.ts';
import { NAME, QUOTED, STRING, WORD } from './tokens.ts';

/** Verbs of two words; the first that fits counts. */
const VERBS: readonly string[] = [
  'START TRANSACTION',
  'START SLAVE',
  'START REPLICA',
  'START ALL',
  'START GROUP_REPLICATION',
  'STOP SLAVE',
  'STOP REPLICA',
  'STOP ALL',
  'STOP GROUP_REPLICATION',
  'CHANGE MASTER',
  'CHANGE REPLICATION',
  'RESET MASTER',
  'RESET SLAVE',
  'RESET REPLICA',
  'RESET BINARY',
  'RESET PERSIST',
  'RESET QUERY',
  'PURGE',
  'ANALYZE',
  'OPTIMIZE',
  'CHECKSUM',
  'CHECK',
  'REPAIR',
  'FLUSH',
  'KILL',
  'BINLOG',
  'XA',
  'INSTALL',
  'UNINSTALL',
  'CACHE INDEX',
  'LOAD INDEX',
  'HELP',
  'SHUTDOWN',
  'RESTART',
  'CLONE',
  'IMPORT',
  'BACKUP',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'RESET',
];
/** Verbs that may name tables. */
const WITH_TABLES: ReadonlySet<string> = new Set([
  'ANALYZE',
  'OPTIMIZE',
  'CHECKSUM',
  'CHECK',
  'REPAIR',
  'FLUSH',
  'CACHE INDEX',
  'LOAD INDEX',
]);

const SPLIT_VERBS = VERBS.map((verb) => verb.split(' '));

export function parseUtility(cursor: Cursor): UtilityStatement | undefined {
  const words = SPLIT_VERBS.find((candidate) => cursor.is(...candidate));
  if (words === undefined) return undefined;
  cursor.index += words.length;
  const verb = words.join(' ');
  const tables = WITH_TABLES.has(verb) ? parseTables(cursor, verb) : [];
  const detail = DETAILED.has(verb) && cursor.word() !== '' ? `${verb} ${cursor.word()}` : verb;
  const expressions: Expression[] = [];
  if (verb === 'KILL') readKilled(cursor, expressions);
  if (verb === 'PURGE' && skipTo(cursor, 'BEFORE')) {
    cursor.index += 1;
    expressions.push(cursor.grammar.expression(cursor));
  }
  const isFrm = (verb === 'REPAIR' || verb === 'OPTIMIZE') && skipTo(cursor, 'USE_FRM');
  cursor.skipRest();
  return { kind: 'utility', verb: isFrm ? `${verb} USE_FRM` : detail, tables, expressions };
}

/** Their next word tells what they do. */
const DETAILED: ReadonlySet<string> = new Set(['XA', 'FLUSH', 'INSTALL', 'UNINSTALL']);
const KILL_WORDS: ReadonlySet<string> = new Set(['HARD', 'SOFT', 'CONNECTION', 'QUERY', 'ID']);

/** KILL [HARD | SOFT] [CONNECTION | QUERY [ID]] e, KILL USER u. */
function readKilled(cursor: Cursor, expressions: Expression[]): void {
  while (cursor.eatAny(KILL_WORDS) !== undefined);
  if (!cursor.is('USER')) expressions.push(cursor.grammar.expression(cursor));
}

/** Skips options up to a word; false: it does not come. */
function skipTo(cursor: Cursor, word: string): boolean {
  while (cursor.kind() === WORD && !cursor.is(word)) cursor.index += 1;
  return cursor.is(word);
}

const NO_BINLOG: ReadonlySet<string> = new Set(['NO_WRITE_TO_BINLOG', 'LOCAL']);

/** `[LOCAL] TABLE[S] a, b`, and the list of CACHE INDEX and LOAD INDEX. */
function parseTables(cursor: Cursor, verb: string): QualifiedName[] {
  cursor.eatAny(NO_BINLOG);
  if (verb === 'LOAD INDEX') cursor.need('INTO', 'CACHE');
  else if (
    verb !== 'CACHE INDEX' &&
    !cursor.eat('TABLE') &&
    !cursor.eat('TABLES') &&
    !cursor.eat('VIEW')
  )
    return [];
  if (!isNameHere(cursor) || (verb === 'FLUSH' && cursor.is('WITH'))) return [];
  return cursor.list(() => {
    const name = cursor.qualifiedName();
    while (!cursor.isAtEnd && !cursor.isSign(0x2c) && isTableDetail(cursor)) {
      if (cursor.isSign(OPEN)) cursor.skipParentheses();
      else cursor.index += 1;
    }
    return name;
  });
}

const TABLE_DETAILS: ReadonlySet<string> = new Set('PARTITION INDEX KEY IGNORE LEAVES'.split(' '));

function isTableDetail(cursor: Cursor): boolean {
  return cursor.isSign(OPEN) || cursor.isAny(TABLE_DETAILS);
}

function isNameHere(cursor: Cursor): boolean {
  const kind = cursor.kind();
  return (
    kind === QUOTED || kind === NAME || (kind === WORD && !cursor.is('WITH') && !cursor.is('FOR'))
  );
}

// --- PREPARE and EXECUTE

export function parsePrepare(cursor: Cursor): PrepareStatement {
  cursor.index += 1;
  const name = cursor.name();
  cursor.need('FROM');
  return { kind: 'prepare', name, from: cursor.grammar.expression(cursor) };
}

export function parseExecute(cursor: Cursor): ExecuteStatement {
  cursor.index += 1;
  const isImmediate = cursor.is('IMMEDIATE') && cursor.word(1) !== 'USING';
  const isAlone = isImmediate && (cursor.kind(1) === 0 || cursor.isSign(0x3b, 1));
  if (isImmediate && !isAlone) {
    cursor.index += 1;
    const from = cursor.grammar.expression(cursor);
    return { kind: 'execute', name: undefined, from, using: parseUsing(cursor) };
  }
  const name = cursor.name();
  return { kind: 'execute', name, from: undefined, using: parseUsing(cursor) };
}

function parseUsing(cursor: Cursor): ExecuteStatement['using'] {
  return cursor.eat('USING') ? cursor.expressions() : [];
}

// --- GRANT and LOCK

/** GRANT and REVOKE; of what stands before ON only the commas and parentheses are looked at. */
export function parseGrant(cursor: Cursor): GrantStatement {
  const verb = cursor.take().toUpperCase() === 'GRANT' ? 'grant' : 'revoke';
  while (!cursor.isAtEnd && !cursor.is('ON') && !cursor.is('TO') && !cursor.is('FROM')) {
    if (cursor.isSign(OPEN)) cursor.skipParentheses();
    else if (cursor.is('SELECT') || cursor.kind() !== STRING) cursor.index += 1;
    else skipAccount(cursor);
  }
  if (!cursor.eat('ON')) {
    cursor.skipRest();
    return { kind: 'grant', verb, object: undefined, objectType: 'other' };
  }
  const objectType = parseGrantType(cursor);
  const object = parseGrantObject(cursor);
  cursor.skipRest();
  return { kind: 'grant', verb, object, objectType };
}

function parseGrantType(cursor: Cursor): GrantStatement['objectType'] {
  const isRoutine =
    cursor.eat('PROCEDURE') ||
    cursor.eat('FUNCTION') ||
    cursor.eat('PACKAGE', 'BODY') ||
    cursor.eat('PACKAGE');
  if (isRoutine) return 'function';
  cursor.eat('TABLE');
  return 'relation';
}

/** `t`, `db.t`, `db.*`, `*`, `*.*`; undefined: everything, or an account (PROXY ON). */
function parseGrantObject(cursor: Cursor): QualifiedName | undefined {
  if (cursor.eatSign(STAR)) {
    if (cursor.eatSign(DOT)) cursor.needSign(STAR);
    else return { kind: 'name', schema: undefined, name: '*' };
    return undefined;
  }
  if (cursor.kind() === STRING) return undefined;
  const first = cursor.anyName();
  if (!cursor.eatSign(DOT)) return { kind: 'name', schema: undefined, name: first };
  if (cursor.eatSign(STAR)) return { kind: 'name', schema: first, name: '*' };
  return { kind: 'name', schema: first, name: cursor.anyName() };
}

/** LOCK TABLES a READ, b AS c WRITE; LOCK INSTANCE; LOCK BINLOG. */
export function parseLock(cursor: Cursor): LockStatement {
  const verb = cursor.take().toUpperCase() === 'LOCK' ? 'lock' : 'unlock';
  const isTables = cursor.eat('TABLES') || cursor.eat('TABLE');
  if (!isTables || verb === 'unlock') {
    cursor.skipRest();
    return { kind: 'lock', verb, tables: [] };
  }
  const tables = cursor.list(() => {
    const name = cursor.qualifiedName();
    const alias = cursor.is('READ') || cursor.is('WRITE') ? undefined : parseLockAlias(cursor);
    skipLockType(cursor);
    return { kind: 'table', name, alias, period: [], isHistoric: false } satisfies Table;
  });
  cursor.skipRest();
  return { kind: 'lock', verb, tables };
}

function parseLockAlias(cursor: Cursor): string | undefined {
  return cursor.is('LOW_PRIORITY') || cursor.is('CONCURRENT') ? undefined : parseAlias(cursor);
}

function skipLockType(cursor: Cursor): void {
  while (cursor.kind() === WORD && !cursor.is('WAIT') && !cursor.is('NOWAIT')) cursor.index += 1;
}
