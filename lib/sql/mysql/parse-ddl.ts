/** CREATE, ALTER, DROP and RENAME, but those with a body (parse-routines.ts). */

import type {
  AlterAction,
  AlterTableStatement,
  CreateTableStatement,
  CreateViewStatement,
  DefinitionStatement,
  Expression,
  QualifiedName,
  RenameStatement,
  Statement,
} from './ast.ts';
import { CLOSE, COMMA, type Cursor, EQUALS, OPEN, SEMICOLON } from './parse-base.ts';
import { emptyDefinition, readDefinition } from './parse-definitions.ts';
import { readWait } from './parse-queries.ts';
import { BODIED, parseBodied } from './parse-routines.ts';
import { skipAccount } from './parse-set.ts';
import { NAME, QUOTED, STRING, VARIABLE, WORD } from './tokens.ts';

/** What stands between the verb and the kind of object. */
export interface Head {
  readonly verb: 'create' | 'alter';
  readonly isReplacing: boolean;
  readonly isTemporary: boolean;
  readonly isIgnoring: boolean;
}

const FLAGS: ReadonlySet<string> = new Set(
  'AGGREGATE UNIQUE FULLTEXT SPATIAL VECTOR ONLINE OFFLINE INVOKER EXTERNAL'.split(' '),
);

function parseHead(cursor: Cursor, verb: 'create' | 'alter'): Head {
  cursor.index += 1;
  let isReplacing = false;
  let isTemporary = false;
  let isIgnoring = false;
  for (;;) {
    if (cursor.eat('OR', 'REPLACE')) isReplacing = true;
    else if (cursor.eat('IGNORE')) isIgnoring = true;
    else if (cursor.eat('TEMPORARY')) isTemporary = true;
    else if (cursor.is('DEFINER') && cursor.isSign(EQUALS, 1)) {
      cursor.index += 2;
      skipAccount(cursor);
    } else if (cursor.is('ALGORITHM') && cursor.isSign(EQUALS, 1)) cursor.index += 3;
    else if (cursor.eat('SQL', 'SECURITY')) cursor.index += 1;
    else if (cursor.is('SPATIAL', 'REFERENCE') || cursor.eatAny(FLAGS) === undefined) break;
  }
  return { verb, isReplacing, isTemporary, isIgnoring };
}

export function parseCreate(cursor: Cursor): Statement {
  const head = parseHead(cursor, 'create');
  if (BODIED.has(cursor.word())) return parseBodied(cursor, head);
  if (cursor.is('TABLE') || cursor.is('SEQUENCE')) return parseCreateTable(cursor, head);
  if (cursor.eat('VIEW')) return parseView(cursor, head);
  return parseDefinition(cursor, head);
}

export function parseAlter(cursor: Cursor): Statement {
  const head = parseHead(cursor, 'alter');
  if (cursor.is('EVENT')) return parseBodied(cursor, head);
  if (cursor.eat('TABLE')) return parseAlterTable(cursor, head.isIgnoring);
  if (cursor.eat('VIEW')) return parseView(cursor, head);
  return parseDefinition(cursor, head);
}

/** IF EXISTS, IF NOT EXISTS. */
function skipIf(cursor: Cursor): void {
  if (!cursor.eat('IF')) return;
  cursor.eat('NOT');
  cursor.need('EXISTS');
}

function parseCreateTable(cursor: Cursor, head: Head): CreateTableStatement {
  cursor.index += 1;
  skipIf(cursor);
  const table = cursor.qualifiedName();
  const { isTemporary, isReplacing } = head;
  const definition = emptyDefinition();
  const like = parseLike(cursor);
  if (like === undefined) readDefinition(cursor, definition, false);
  const { foreignKeys, unions, expressions, options, query } = definition;
  return {
    kind: 'create-table',
    isTemporary,
    isReplacing,
    table,
    like,
    query,
    foreignKeys,
    unions,
    expressions,
    options,
  };
}

function parseLike(cursor: Cursor): QualifiedName | undefined {
  if (cursor.eat('LIKE')) return cursor.qualifiedName();
  if (!cursor.isSign(OPEN) || cursor.word(1) !== 'LIKE') return undefined;
  cursor.index += 2;
  const like = cursor.qualifiedName();
  cursor.needSign(CLOSE);
  return like;
}

function parseView(cursor: Cursor, head: Head): CreateViewStatement {
  skipIf(cursor);
  const view = cursor.qualifiedName();
  const columns = cursor.parenthesizedNames();
  cursor.need('AS');
  const query = cursor.grammar.query(cursor);
  if (cursor.eat('WITH')) {
    if (!cursor.eat('CASCADED')) cursor.eat('LOCAL');
    cursor.need('CHECK', 'OPTION');
  }
  return {
    kind: 'create-view',
    verb: head.verb,
    isReplacing: head.isReplacing,
    view,
    columns,
    query,
  };
}

// --- ALTER TABLE

/** Actions told by two words; of the rest the first is enough. */
const SECOND_WORDS: ReadonlySet<string> = new Set(
  `PARTITION PARTITIONING TABLESPACE COLUMN INDEX KEY KEYS CONSTRAINT FOREIGN PRIMARY CHECK SYSTEM PERIOD
  TABLE`.split(/\s+/),
);

function parseAlterTable(cursor: Cursor, isIgnoring: boolean): AlterTableStatement {
  skipIf(cursor);
  const table = cursor.qualifiedName();
  readWait(cursor);
  if (cursor.isAtEnd) return { kind: 'alter-table', isIgnoring, table, actions: [] };
  const actions = cursor.list(() => parseAction(cursor));
  return { kind: 'alter-table', isIgnoring, table, actions };
}

function parseAction(cursor: Cursor): AlterAction {
  const first = cursor.word();
  const hasSecond = SECOND_WORDS.has(cursor.word(1));
  const action = hasSecond ? `${first} ${cursor.word(1)}` : first;
  const other = parseOther(cursor, action);
  const definition = emptyDefinition();
  readDefinition(cursor, definition, true);
  if (definition.query !== undefined) cursor.fail('no query');
  const { foreignKeys, unions, expressions, options } = definition;
  return { kind: 'alter-action', action, other, foreignKeys, unions, expressions, options };
}

/** The other table of RENAME TO t, EXCHANGE PARTITION p WITH TABLE t, CONVERT ... TABLE t. */
function parseOther(cursor: Cursor, action: string): QualifiedName | undefined {
  if (action === 'RENAME') {
    cursor.index += 1;
    if (!cursor.eat('TO') && !cursor.eat('AS')) cursor.eatSign(EQUALS);
    return cursor.qualifiedName();
  }
  if (action === 'EXCHANGE PARTITION' || action === 'CONVERT PARTITION') {
    cursor.index += 2;
    cursor.anyName();
    if (!cursor.eat('WITH', 'TABLE')) cursor.need('TO', 'TABLE');
    return cursor.qualifiedName();
  }
  if (action !== 'CONVERT TABLE') return undefined;
  cursor.index += 2;
  return cursor.qualifiedName();
}

// --- Everything else that is created, altered or dropped

/** Objects whose name is an account, written with `@`. */
const ACCOUNTS: ReadonlySet<string> = new Set(['USER', 'ROLE']);
const NAMED_BY_TWO: ReadonlyMap<string, string> = new Map([
  ['LOGFILE', 'GROUP'],
  ['RESOURCE', 'GROUP'],
  ['SPATIAL', 'REFERENCE'],
  ['UNDO', 'TABLESPACE'],
  ['PACKAGE', 'BODY'],
]);

function parseObject(cursor: Cursor): string {
  const first = cursor.anyName().toUpperCase();
  const second = NAMED_BY_TWO.get(first);
  return second !== undefined && cursor.eat(second) ? `${first} ${second}` : first;
}

function parseDefinition(cursor: Cursor, head: Head): DefinitionStatement {
  const object = parseObject(cursor);
  skipIf(cursor);
  const expressions: Expression[] = [];
  let table: QualifiedName | undefined;
  let names: QualifiedName[] = [];
  if (ACCOUNTS.has(object)) names = [accountName(cursor)];
  else if (object === 'INDEX') {
    names = [cursor.qualifiedName()];
    table = parseIndexTable(cursor);
  } else if (!cursor.isAtEnd && isNameHere(cursor)) names = [parseAnyQualified(cursor)];
  cursor.skipRest();
  const { verb, isTemporary, isReplacing } = head;
  return { kind: 'definition', verb, object, isTemporary, isReplacing, names, table, expressions };
}

function isNameHere(cursor: Cursor): boolean {
  const kind = cursor.kind();
  return kind === WORD || kind === NAME || kind === QUOTED || kind === STRING;
}

/** Names of servers and databases may be strings, and ALTER DATABASE may have none but a keyword. */
function parseAnyQualified(cursor: Cursor): QualifiedName {
  if (cursor.kind() === STRING) return { kind: 'name', schema: undefined, name: cursor.string() };
  const first = cursor.anyName();
  if (!cursor.eatSign(0x2e)) return { kind: 'name', schema: undefined, name: first };
  return { kind: 'name', schema: first, name: cursor.anyName() };
}

function parseIndexTable(cursor: Cursor): QualifiedName {
  if (cursor.eat('USING')) cursor.index += 1;
  cursor.need('ON');
  return cursor.qualifiedName();
}

/** `'u'@'h'` as `u`; the host does not make another object for rules. */
function accountName(cursor: Cursor): QualifiedName {
  const name = cursor.nameOrString();
  if (cursor.kind() === VARIABLE) cursor.index += 1;
  else if (cursor.eatSign(OPEN)) cursor.needSign(CLOSE);
  return { kind: 'name', schema: undefined, name };
}

/** Objects of which several are dropped at once. */
const LISTED: ReadonlySet<string> = new Set(['TABLE', 'TABLES', 'VIEW', 'SEQUENCE']);

export function parseDrop(cursor: Cursor): Statement {
  cursor.index += 1;
  if (cursor.eat('PREPARE')) return { kind: 'deallocate', name: cursor.name() };
  const isTemporary = cursor.eat('TEMPORARY');
  const object = parseObject(cursor);
  skipIf(cursor);
  const head = { kind: 'definition', verb: 'drop', isTemporary, isReplacing: false } as const;
  if (LISTED.has(object)) {
    const names = cursor.list(() => cursor.qualifiedName());
    if (!cursor.eat('RESTRICT')) cursor.eat('CASCADE');
    readWait(cursor);
    return { ...head, object, names, table: undefined, expressions: [] };
  }
  if (ACCOUNTS.has(object)) {
    const names = cursor.list(() => accountName(cursor));
    return { ...head, object, names, table: undefined, expressions: [] };
  }
  const names = [parseAnyQualified(cursor)];
  const table = object === 'INDEX' ? parseIndexTable(cursor) : undefined;
  cursor.skipRest();
  return { ...head, object, names, table, expressions: [] };
}

export function parseRename(cursor: Cursor): RenameStatement {
  cursor.index += 1;
  const isUser = cursor.eat('USER');
  if (!isUser && !cursor.eat('TABLE')) cursor.need('TABLES');
  skipIf(cursor);
  const pairs = cursor.list(() => {
    const from = isUser ? accountName(cursor) : cursor.qualifiedName();
    if (!isUser) readWait(cursor);
    cursor.need('TO');
    const to = isUser ? accountName(cursor) : cursor.qualifiedName();
    return { kind: 'rename-pair', from, to } as const;
  });
  if (!cursor.isSign(SEMICOLON) && cursor.isSign(COMMA)) cursor.fail('a name');
  return { kind: 'rename', object: isUser ? 'user' : 'table', pairs };
}
