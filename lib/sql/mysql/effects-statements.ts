/**
 * What each statement does besides what its queries and expressions do: which tables it writes, what a
 * text inside of it does, which body is code. Definitions are in effects-definitions.ts.
 */

import type { Effect } from '../analysis.ts';
import type {
  CallStatement,
  DeleteStatement,
  ExecuteStatement,
  ExplainStatement,
  Expression,
  GrantStatement,
  HandlerStatement,
  InsertStatement,
  LoadStatement,
  LockStatement,
  PrepareStatement,
  QualifiedName,
  Statement,
  Table,
  TableReference,
  UpdateStatement,
  UseStatement,
} from './ast.ts';
import {
  readAlterTable,
  readCreateEvent,
  readCreateRoutine,
  readCreateTable,
  readCreateTrigger,
  readCreateView,
  readDefinition,
  readRename,
} from './effects-definitions.ts';
import type { EffectScan, Scope } from './effects-scan.ts';
import { readSet } from './effects-set.ts';
import { readShow } from './effects-show.ts';
import { readUtility } from './effects-utility.ts';

/** Texts in texts that are read; PREPARE cannot hold PREPARE on any server, so this is generous. */
const TEXT_DEPTH_MAX = 4;

/** True: the children were visited here. */
export function readStatement(scan: EffectScan, statement: Statement, scope: Scope): boolean {
  switch (statement.kind) {
    case 'insert':
      return readInsert(scan, statement, scope);
    case 'update':
      return readUpdate(scan, statement, scope);
    case 'delete':
      return readDelete(scan, statement, scope);
    case 'load':
      return readLoad(scan, statement, scope);
    case 'truncate':
      for (const table of statement.tables) scan.addWrite('truncate', table, scope);
      return true;
    case 'handler':
      return readHandler(scan, statement, scope);
    case 'do':
      scan.add('read', undefined, scope);
      return false;
    case 'return':
      scan.assignTargets(statement.targets);
      return false;
    case 'select-statement':
    case 'compound':
    case 'declare':
      return false;
    default:
      return readOther(scan, statement, scope);
  }
}

type RowKind =
  | 'insert'
  | 'update'
  | 'delete'
  | 'load'
  | 'truncate'
  | 'handler'
  | 'do'
  | 'return'
  | 'select-statement'
  | 'compound'
  | 'declare';

function readOther(
  scan: EffectScan,
  statement: Exclude<Statement, { kind: RowKind }>,
  scope: Scope,
): boolean {
  switch (statement.kind) {
    case 'call-statement':
      return readCall(scan, statement, scope);
    case 'prepare':
      return readPrepare(scan, statement, scope);
    case 'execute':
      return readExecute(scan, statement, scope);
    case 'deallocate':
      scan.add('session', undefined, scope);
      return true;
    case 'explain':
      return readExplain(scan, statement, scope);
    case 'show':
      return readShow(scan, statement, scope);
    case 'use':
      return readUse(scan, statement, scope);
    case 'set':
      return readSet(scan, statement, scope);
    case 'grant':
      return readGrant(scan, statement, scope);
    case 'lock':
      return readLock(scan, statement, scope);
    case 'utility':
      return readUtility(scan, statement, scope);
    default:
      return readDefinitions(scan, statement, scope);
  }
}

function readUse(scan: EffectScan, { database }: UseStatement, scope: Scope): boolean {
  scan.add('session', { kind: 'schema', schema: undefined, name: database }, scope);
  // Inside of a prepared text it happens later, and EXECUTE sees to that.
  if (scope.textDepth === 0) scan.database = database;
  else scan.moveTexts('USE');
  return true;
}

type DefinitionKind =
  | 'create-table'
  | 'create-view'
  | 'create-routine'
  | 'create-trigger'
  | 'create-event'
  | 'alter-table'
  | 'definition'
  | 'rename';

function readDefinitions(
  scan: EffectScan,
  statement: Extract<Statement, { kind: DefinitionKind }>,
  scope: Scope,
): boolean {
  switch (statement.kind) {
    case 'create-table':
      return readCreateTable(scan, statement, scope);
    case 'create-view':
      return readCreateView(scan, statement, scope);
    case 'create-routine':
      return readCreateRoutine(scan, statement, scope);
    case 'create-trigger':
      return readCreateTrigger(scan, statement, scope);
    case 'create-event':
      return readCreateEvent(scan, statement, scope);
    case 'alter-table':
      return readAlterTable(scan, statement, scope);
    case 'definition':
      return readDefinition(scan, statement, scope);
    case 'rename':
      return readRename(scan, statement, scope);
  }
}

// --- Rows

function readInsert(scan: EffectScan, statement: InsertStatement, scope: Scope): boolean {
  const { table } = statement;
  const inner = scan.withCommonTables(statement.with, scope);
  scan.addWrite('insert', table, scope);
  if (statement.verb === 'replace') scan.addWrite('delete', table, { ...scope, via: 'REPLACE' });
  if (statement.onDuplicate.length > 0)
    scan.addWrite('update', table, { ...scope, via: 'ON DUPLICATE KEY UPDATE' });
  if (statement.returning !== undefined) scan.add('read', scan.relation(table), scope);
  scan.visitChildren(statement, inner, ['with']);
  return true;
}

/** What a table reference names: by its alias, or by itself. */
interface Named {
  readonly alias: string;
  readonly name: QualifiedName;
}

/** The base tables of a FROM clause, with the names that the statement knows them by. */
function tablesOf(references: readonly TableReference[]): Table[] {
  const tables: Table[] = [];
  const visit = (node: TableReference): void => {
    if (node.kind === 'table') tables.push(node);
    else if (node.kind === 'join') {
      visit(node.left);
      visit(node.right);
    } else if (node.kind === 'table-list') for (const entry of node.tables) visit(entry);
  };
  for (const reference of references) visit(reference);
  return tables;
}

function namedTables(references: readonly TableReference[]): Named[] {
  return tablesOf(references).map(({ alias, name }) => ({ alias: alias ?? name.name, name }));
}

function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** What a target means: an alias or a table of the list, or else itself. */
function resolveTarget(target: QualifiedName, named: readonly Named[]): readonly QualifiedName[] {
  const found = named.filter(({ alias, name }) =>
    target.schema === undefined
      ? isSame(alias, target.name)
      : isSame(name.name, target.name) || isSame(alias, target.name),
  );
  return found.length === 0 ? [target] : found.map(({ name }) => name);
}

function hasPeriod(references: readonly TableReference[]): boolean {
  return tablesOf(references).some(({ period, isHistoric }) => period.length > 0 && !isHistoric);
}

function readUpdate(scan: EffectScan, statement: UpdateStatement, scope: Scope): boolean {
  const { tables, set, where } = statement;
  const inner = scan.withCommonTables(statement.with, scope);
  const named = namedTables(tables);
  const isSingle = named.length === 1 && tables.length === 1 && tables[0]?.kind === 'table';
  for (const name of updatedTables(statement, named)) scan.addWrite('update', name, scope);
  if (hasPeriod(tables))
    for (const { name } of named)
      scan.addWrite('insert', name, { ...scope, via: 'FOR PORTION OF' });
  // A condition or a right-hand side reads the table, as the server's own rights say.
  const reads =
    !isSingle ||
    where !== undefined ||
    set.some(({ value }) => !isConstant(value)) ||
    statement.returning !== undefined ||
    statement.orderBy.length > 0;
  scan.visitChildren(statement, inner, reads ? ['with'] : ['with', 'tables']);
  return true;
}

/** Those that SET names; without a qualifier any of them may be meant. */
function updatedTables(
  statement: UpdateStatement,
  named: readonly Named[],
): readonly QualifiedName[] {
  const all = named.map(({ name }) => name);
  const targets: QualifiedName[] = [];
  for (const { column } of statement.set) {
    if (column.table === undefined) return all;
    const target = { kind: 'name', schema: column.schema, name: column.table } as const;
    targets.push(...resolveTarget(target, named));
  }
  return targets;
}

function isConstant(value: Expression): boolean {
  return value.kind === 'literal' || value.kind === 'parameter';
}

function readDelete(scan: EffectScan, statement: DeleteStatement, scope: Scope): boolean {
  const { tables, targets, where } = statement;
  const inner = scan.withCommonTables(statement.with, scope);
  const named = namedTables(tables);
  const deleted =
    targets.length === 0
      ? named.map(({ name }) => name)
      : targets.flatMap((target) => resolveTarget(target, named));
  for (const name of deleted) scan.addWrite('delete', name, scope);
  if (hasPeriod(tables))
    for (const { name } of named)
      scan.addWrite('insert', name, { ...scope, via: 'FOR PORTION OF' });
  const reads =
    targets.length > 0 ||
    where !== undefined ||
    statement.returning !== undefined ||
    statement.orderBy.length > 0;
  scan.visitChildren(statement, inner, reads ? ['with'] : ['with', 'tables']);
  return true;
}

function readLoad(scan: EffectScan, statement: LoadStatement, scope: Scope): boolean {
  const { table, isLocal, verb } = statement;
  const inner = { ...scope, via: 'LOAD DATA' };
  scan.add('copy-in', scan.relation(table), scope);
  scan.addWrite('insert', table, inner);
  if (verb === 'replace') scan.addWrite('delete', table, inner);
  if (!isLocal) scan.add('file', undefined, inner);
  scan.assignTargets(statement.targets);
  return false;
}

function readHandler(scan: EffectScan, statement: HandlerStatement, scope: Scope): boolean {
  if (statement.action === 'close') scan.add('session', undefined, scope);
  else scan.add('read', scan.relation(statement.table), { ...scope, via: 'HANDLER' });
  scan.visitAll(statement.expressions, scope);
  return true;
}

// --- Calls, and texts inside of texts

/** Only what is put behind it in the same packet and reads like it in every mode is sure to be read alike. */
const PLAIN_REST = /[\u0080-\uffff"\\]/;

function readCall(scan: EffectScan, statement: CallStatement, scope: Scope): boolean {
  const { name, args } = statement;
  scan.add('call', scan.object(name, 'function'), scope);
  scan.addFunction(name);
  // An OUT parameter gets a value from the routine.
  scan.assignTargets(args);
  scan.addChange({ what: 'CALL', unless: PLAIN_REST });
  return false;
}

function readPrepare(scan: EffectScan, statement: PrepareStatement, scope: Scope): boolean {
  scan.looksAtLiteral = true;
  scan.add('session', undefined, scope);
  readText(scan, statement.from, { ...scope, via: 'PREPARE' });
  return true;
}

function readExecute(scan: EffectScan, statement: ExecuteStatement, scope: Scope): boolean {
  const { name, from } = statement;
  scan.looksAtLiteral = true;
  if (name !== undefined) scan.add('call', { kind: 'other', schema: undefined, name }, scope);
  if (from !== undefined) readText(scan, from, { ...scope, via: 'EXECUTE IMMEDIATE' });
  scan.visitAll(statement.using, scope);
  scan.addChange({ what: 'EXECUTE', unless: undefined });
  return true;
}

/** A literal is read like a statement; of anything else nobody knows what it will be (MY-39). */
function readText(scan: EffectScan, from: Expression, scope: Scope): void {
  scan.countText();
  const isPlain = from.kind === 'literal' && from.type === 'string' && !from.isOpaque;
  const statements =
    isPlain && scope.textDepth < TEXT_DEPTH_MAX ? scan.context.parse(from.value) : undefined;
  if (statements === undefined) {
    scan.add('unknown', undefined, {
      ...scope,
      via: `${scope.via ?? ''} of a text that cannot be read`,
    });
    scan.visit(from, scope);
    return;
  }
  for (const statement of statements)
    scan.visitStatement(statement, { ...scope, textDepth: scope.textDepth + 1 });
}

function readExplain(scan: EffectScan, statement: ExplainStatement, scope: Scope): boolean {
  const { table, isAnalyze } = statement;
  const via = isAnalyze ? 'EXPLAIN ANALYZE' : 'EXPLAIN';
  scan.looksAtLiteral = true;
  scan.add('read', undefined, { ...scope, via });
  if (table !== undefined) {
    const object = { kind: 'relation', schema: 'information_schema', name: 'COLUMNS' } as const;
    scan.add('read', object, { ...scope, via: 'DESCRIBE' });
  }
  if (statement.isForConnection) {
    const object = { kind: 'relation', schema: 'information_schema', name: 'PROCESSLIST' } as const;
    scan.add('read', object, { ...scope, via });
  }
  scan.visitAll(statement.into, scope);
  if (statement.statement !== undefined)
    scan.visitStatement(statement.statement, { ...scope, via, isPlanOnly: !isAnalyze });
  return true;
}

// --- Rights and locks

function readGrant(scan: EffectScan, statement: GrantStatement, scope: Scope): boolean {
  const { object, objectType } = statement;
  if (object === undefined) scan.add('grant', undefined, scope);
  else if (object.name === '*') {
    const name = object.schema ?? scan.database;
    scan.add(
      'grant',
      name === undefined ? undefined : { kind: 'schema', schema: undefined, name },
      scope,
    );
  } else scan.add('grant', scan.object(object, objectType), scope);
  return true;
}

function readLock(scan: EffectScan, statement: LockStatement, scope: Scope): boolean {
  const effect: Effect = statement.verb === 'unlock' ? 'session' : 'lock';
  for (const table of statement.tables) scan.add(effect, scan.relation(table.name), scope);
  if (statement.tables.length === 0) scan.add(effect, undefined, scope);
  if (effect === 'lock' && statement.tables.length === 0) scan.add('admin', undefined, scope);
  return true;
}
