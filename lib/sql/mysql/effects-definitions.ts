/** What CREATE, ALTER, DROP and RENAME do, and what the bodies in them would do (MY-45, MY-46). */

import type { ObjectName } from '../analysis.ts';
import type {
  AlterAction,
  AlterTableStatement,
  CreateEventStatement,
  CreateRoutineStatement,
  CreateTableStatement,
  CreateTriggerStatement,
  CreateViewStatement,
  DefinitionStatement,
  QualifiedName,
  RenameStatement,
  TableOption,
} from './ast.ts';
import type { EffectScan, Scope } from './effects-scan.ts';

export function readCreateTable(
  scan: EffectScan,
  statement: CreateTableStatement,
  scope: Scope,
): boolean {
  const { table, like } = statement;
  const relation = scan.relation(table);
  scan.add('create', relation, scope);
  if (statement.isReplacing) scan.add('drop', relation, { ...scope, via: 'CREATE OR REPLACE' });
  if (like !== undefined) scan.read(like, { ...scope, via: 'LIKE' });
  readParts(scan, statement, scope);
  readOptions(scan, statement.options, relation, scope);
  scan.visitAll(statement.expressions, scope);
  if (statement.query !== undefined)
    scan.visit(statement.query, { ...scope, via: 'CREATE TABLE AS', namesMatter: true });
  return true;
}

/** Other tables that a table hangs on. */
function readParts(
  scan: EffectScan,
  { foreignKeys, unions }: Pick<CreateTableStatement, 'foreignKeys' | 'unions'>,
  scope: Scope,
): void {
  for (const { table } of foreignKeys)
    scan.add('read', scan.relation(table), { ...scope, via: 'REFERENCES' });
  // Their rows are those of the new table, which asks for these rights.
  for (const union of unions)
    for (const effect of ['read', 'update', 'delete'] as const)
      scan.add(effect, scan.relation(union), { ...scope, via: 'UNION of a MERGE table' });
}

/** Engines whose tables lie somewhere else: another server, a file of any name. */
const REMOTE_ENGINES: ReadonlySet<string> = new Set([
  'federated',
  'federatedx',
  'spider',
  's3',
  'oqgraph',
]);
const FILE_ENGINES: ReadonlySet<string> = new Set(['connect']);

/** Tables of these keep no rows of their own: a change to one of them loses all that there are. */
const FORGETFUL_ENGINES: ReadonlySet<string> = new Set([
  'blackhole',
  'merge',
  'mrg_myisam',
  'example',
]);

function isForgetful({ name, value }: TableOption): boolean {
  return name === 'ENGINE' && FORGETFUL_ENGINES.has(value.toLowerCase());
}

function readOptions(
  scan: EffectScan,
  options: readonly TableOption[],
  relation: ObjectName,
  scope: Scope,
): void {
  for (const { name, value } of options) {
    const engine = value.toLowerCase();
    const via = name === 'ENGINE' ? `ENGINE ${engine.slice(0, 32)}` : name;
    if (name.endsWith('DIRECTORY') || name === 'FILE_NAME' || FILE_ENGINES.has(engine))
      scan.add('file', undefined, { ...scope, via });
    const isRemote = name === 'ENGINE' && (REMOTE_ENGINES.has(engine) || FILE_ENGINES.has(engine));
    if (name === 'CONNECTION' || name === 'TABLE_TYPE' || isRemote)
      scan.add('admin', relation, { ...scope, via });
  }
}

export function readCreateView(
  scan: EffectScan,
  statement: CreateViewStatement,
  scope: Scope,
): boolean {
  const view = scan.relation(statement.view);
  scan.add(statement.verb, view, scope);
  if (statement.isReplacing) scan.add('drop', view, { ...scope, via: 'CREATE OR REPLACE' });
  scan.visit(statement.query, { ...scope, via: 'VIEW', namesMatter: true });
  scan.noteMade(view, 'view');
  return true;
}

// --- Bodies

export function readCreateRoutine(
  scan: EffectScan,
  statement: CreateRoutineStatement,
  scope: Scope,
): boolean {
  const routine = scan.object(statement.routine, 'function');
  scan.looksAtLiteral = true;
  scan.add('create', routine, scope);
  scan.add('code', routine, scope);
  if (statement.isReplacing) scan.add('drop', routine, { ...scope, via: 'CREATE OR REPLACE' });
  const inner = { ...scope, via: `${statement.type} ${routine.name}()` };
  if (statement.isLoadable) {
    scan.add('admin', routine, inner);
    scan.add('unknown', routine, { ...inner, via: `${inner.via}: code in another language` });
  }
  const { body } = statement;
  if (body !== undefined) scan.inDatabase(routine.schema, () => scan.visit(body, inner));
  scan.visitAll(statement.expressions, inner);
  return true;
}

export function readCreateTrigger(
  scan: EffectScan,
  statement: CreateTriggerStatement,
  scope: Scope,
): boolean {
  const { trigger, table } = statement;
  // A trigger lives in the database of its table.
  const relation = scan.relation({ ...table, schema: table.schema ?? trigger.schema });
  scan.looksAtLiteral = true;
  scan.add('create', relation, { ...scope, via: 'TRIGGER' });
  scan.add('code', relation, { ...scope, via: 'TRIGGER' });
  if (statement.isReplacing) scan.add('drop', relation, { ...scope, via: 'CREATE OR REPLACE' });
  scan.inDatabase(relation.schema, () =>
    scan.visit(statement.body, { ...scope, via: `trigger ${trigger.name}` }),
  );
  return true;
}

export function readCreateEvent(
  scan: EffectScan,
  statement: CreateEventStatement,
  scope: Scope,
): boolean {
  const event = scan.object(statement.event, 'other');
  scan.looksAtLiteral = true;
  scan.add(statement.verb, event, scope);
  scan.add('code', event, scope);
  if (statement.isReplacing) scan.add('drop', event, { ...scope, via: 'CREATE OR REPLACE' });
  const inner = { ...scope, via: `event ${event.name}` };
  scan.visitAll(statement.expressions, inner);
  const { body } = statement;
  if (body !== undefined) scan.inDatabase(event.schema, () => scan.visit(body, inner));
  // A body that is there already may run now, and nobody has read it.
  else scan.add('unknown', event, { ...inner, via: `${inner.via}: its body is not told` });
  return true;
}

// --- ALTER TABLE

/**
 * Actions that take something away for good. DROP DEFAULT (`ALTER c DROP DEFAULT`) is none, and begins with
 * another word (MY-51).
 */
const TRUNCATING: ReadonlySet<string> = new Set(['TRUNCATE PARTITION']);
/** Rows go from one table to another. */
const MOVING: ReadonlySet<string> = new Set([
  'EXCHANGE PARTITION',
  'CONVERT PARTITION',
  'CONVERT TABLE',
]);

export function readAlterTable(
  scan: EffectScan,
  statement: AlterTableStatement,
  scope: Scope,
): boolean {
  const relation = scan.relation(statement.table);
  scan.add('alter', relation, scope);
  if (statement.isIgnoring) scan.add('delete', relation, { ...scope, via: 'ALTER IGNORE TABLE' });
  for (const action of statement.actions) readAction(scan, action, relation, scope);
  return true;
}

function readAction(
  scan: EffectScan,
  action: AlterAction,
  relation: ObjectName,
  scope: Scope,
): void {
  const { action: verb, other } = action;
  const inner = { ...scope, via: `ALTER TABLE ${verb}` };
  if (/^(?:DROP|DISCARD)\b/.test(verb)) scan.add('drop', relation, inner);
  if (TRUNCATING.has(verb)) scan.add('truncate', relation, inner);
  if (verb === 'IMPORT TABLESPACE') scan.add('file', undefined, inner);
  if (other !== undefined) readOther(scan, verb, { relation, other: scan.relation(other) }, inner);
  readParts(scan, action, inner);
  readOptions(scan, action.options, relation, inner);
  if (action.options.some(isForgetful)) scan.add('delete', relation, { ...scope, via: 'ENGINE' });
  scan.visitAll(action.expressions, inner);
}

interface Two {
  readonly relation: ObjectName;
  readonly other: ObjectName;
}

function readOther(scan: EffectScan, verb: string, { relation, other }: Two, scope: Scope): void {
  if (MOVING.has(verb)) {
    for (const table of [relation, other])
      for (const effect of ['alter', 'insert', 'delete'] as const) scan.add(effect, table, scope);
    if (verb === 'CONVERT TABLE') scan.add('drop', other, scope);
    if (verb === 'CONVERT PARTITION') scan.add('create', other, scope);
  } else {
    scan.add('create', other, scope);
    // Under the new name another rule may hold; the servers ask for the right to drop the old one.
    scan.add('drop', relation, scope);
    scan.noteMade(other, 'any');
  }
  scan.addTakenOver(relation);
}

// --- The rest

const KINDS: ReadonlyMap<string, ObjectName['kind']> = new Map([
  ['TABLE', 'relation'],
  ['TABLES', 'relation'],
  ['VIEW', 'relation'],
  ['SEQUENCE', 'relation'],
  ['PROCEDURE', 'function'],
  ['FUNCTION', 'function'],
  ['PACKAGE', 'function'],
  ['PACKAGE BODY', 'function'],
  ['DATABASE', 'schema'],
  ['SCHEMA', 'schema'],
  ['USER', 'role'],
  ['ROLE', 'role'],
]);
/** They lie above databases: accounts, storage, other servers, the server itself. */
const ADMIN_OBJECTS: ReadonlySet<string> = new Set([
  'SERVER',
  'TABLESPACE',
  'UNDO TABLESPACE',
  'LOGFILE GROUP',
  'RESOURCE GROUP',
  'SPATIAL REFERENCE',
  'INSTANCE',
]);

export function readDefinition(
  scan: EffectScan,
  statement: DefinitionStatement,
  scope: Scope,
): boolean {
  const { verb, object, names, table, isTemporary } = statement;
  const kind = KINDS.get(object) ?? 'other';
  if (table !== undefined) {
    // An index has no rights of its own; it belongs to its table.
    scan.add('alter', scan.relation(table), { ...scope, via: 'INDEX' });
    scan.add(verb, scan.relation(table), { ...scope, via: 'INDEX' });
    return true;
  }
  // A session's own temporary tables are its own business (MY-51).
  const effect = isTemporary && verb === 'drop' ? 'session' : verb;
  const objects = names.map((name) => objectOf(scan, name, kind));
  for (const named of objects.length === 0 ? [undefined] : objects) {
    scan.add(effect, named, scope);
    if (statement.isReplacing) scan.add('drop', named, { ...scope, via: 'CREATE OR REPLACE' });
    if (kind === 'role' && verb !== 'drop') scan.add('grant', named, scope);
    if (kind === 'function' && verb === 'alter') scan.add('code', named, scope);
    if (ADMIN_OBJECTS.has(object) || kind === 'role')
      scan.add('admin', named, { ...scope, via: object });
  }
  if (object.includes('TABLESPACE')) scan.add('file', undefined, { ...scope, via: object });
  scan.visitAll(statement.expressions, scope);
  return true;
}

/** Databases and accounts have no schema. */
function objectOf(scan: EffectScan, name: QualifiedName, kind: ObjectName['kind']): ObjectName {
  const isGlobal = kind === 'schema' || kind === 'role';
  return isGlobal ? { kind, schema: undefined, name: name.name } : scan.object(name, kind);
}

export function readRename(scan: EffectScan, statement: RenameStatement, scope: Scope): boolean {
  for (const { from, to } of statement.pairs) {
    if (statement.object === 'user') {
      const role = { kind: 'role', schema: undefined, name: from.name } as const;
      for (const effect of ['alter', 'grant', 'admin'] as const) scan.add(effect, role, scope);
      continue;
    }
    const relation = scan.relation(from);
    scan.add('alter', relation, { ...scope, via: 'RENAME' });
    scan.add('drop', relation, { ...scope, via: 'RENAME' });
    scan.add('create', scan.relation(to), { ...scope, via: 'RENAME' });
    scan.addTakenOver(relation);
  }
  if (statement.object === 'user') return true;
  // After all of them, since a name may stand on both sides.
  for (const { to } of statement.pairs) scan.noteMade(scan.relation(to), 'any');
  return true;
}
