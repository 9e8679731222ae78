/**
 * Statements whose effect depends on more than their name: what DROP names, which ALTER TABLE
 * command, whether EXPLAIN runs, what MERGE does, where COPY goes. Each reader reports effects and
 * says which fields are not to be walked again as reads.
 */

import type { Effect, ObjectName } from './analysis.ts';
import type { EffectScan, Scope } from './postgres-effects.ts';
import { isSearchPath, literal, setStatementHazard, settingNameIn } from './postgres-lexer.ts';
import {
  functionLabel,
  objectName,
  objectNames,
  qualified,
  relationName,
} from './postgres-names.ts';
import {
  addSupportFunctions,
  CODE_KINDS,
  type Reader,
  USES,
  WALK_ALL,
  type Walk,
} from './postgres-uses.ts';
import { kindOf, readMove, readNamedAlter } from './postgres-moves.ts';
import { readBody } from './postgres-routines.ts';
import {
  ADMIN_SETTINGS,
  ALTER_TABLE_DROPS,
  TABLE_PARTS,
  TWO_PHASE,
} from './postgres-statements.ts';
import { as, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

function isTrue(value: unknown): boolean {
  return value === true;
}

/** A boolean option is on unless it is said to be off, as defGetBoolean reads it (PG-57). */
function isOptionOn(options: unknown, name: string): boolean {
  return list(options).some((entry) => {
    const element = as(entry, 'DefElem');
    if (element === undefined || text(element['defname'])?.toLowerCase() !== name) return false;
    const argument = element['arg'];
    const integer = as(argument, 'Integer');
    if (integer !== undefined) return (integer['ival'] ?? 0) !== 0;
    const word = text(as(argument, 'String')?.['sval'])?.toLowerCase();
    if (as(argument, 'Boolean') !== undefined) return as(argument, 'Boolean')?.['boolval'] === true;
    return word !== 'false' && word !== 'off';
  });
}

/** Writing to the system catalogs can do anything: change a function, drop a table (PG-72). */
function addWrite(scan: EffectScan, effect: Effect, written: ObjectName, scope: Scope): void {
  scan.add(effect, written, scope);
  const isCatalog =
    written.schema === 'pg_catalog' ||
    written.schema === 'information_schema' ||
    written.schema === 'pg_toast' ||
    (written.schema === undefined && written.name.startsWith('pg_'));
  if (isCatalog) scan.add('unknown', written, { ...scope, via: 'a write to the system catalogs' });
  // A rule of that view sets what the row names.
  if (written.name === 'pg_settings' && effect === 'update')
    scan.addHazard('an UPDATE of pg_settings');
}

function target(tree: Tree): ObjectName {
  const relation = tree['relation'];
  return relationName(isTree(relation) ? relation : {});
}

const TARGET: Walk = { skip: ['relation'] };

const readInsert: Reader = (scan, tree, scope) => {
  addWrite(scan, 'insert', target(tree), scope);
  const conflict = tree['onConflictClause'];
  if (isTree(conflict) && conflict['action'] === 'ONCONFLICT_UPDATE')
    addWrite(scan, 'update', target(tree), { ...scope, via: 'ON CONFLICT DO UPDATE' });
  if (tree['returningClause'] !== undefined) scan.add('read', target(tree), scope);
  return TARGET;
};

function writer(effect: Effect): Reader {
  return (scan, tree, scope) => {
    addWrite(scan, effect, target(tree), scope);
    // A condition, a right-hand side or RETURNING reads the table, as the server's own rights say.
    if (tree['whereClause'] !== undefined || tree['returningClause'] !== undefined)
      scan.add('read', target(tree), scope);
    return TARGET;
  };
}

const MERGE_EFFECTS: Readonly<Record<string, Effect>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
};

const readMerge: Reader = (scan, tree, scope) => {
  scan.add('read', target(tree), scope);
  for (const entry of list(tree['mergeWhenClauses'])) {
    const clause = as(entry, 'MergeWhenClause');
    const command = text(clause?.['commandType']);
    if (command === 'CMD_NOTHING') continue;
    const effect = MERGE_EFFECTS[command ?? ''] ?? 'unknown';
    addWrite(scan, effect, target(tree), { ...scope, via: 'MERGE' });
  }
  return TARGET;
};

const readSelect: Reader = (scan, tree, scope) => {
  const into = tree['intoClause'];
  if (isTree(into)) scan.add('create', objectName(into['rel'], 'relation'), scope);
  for (const entry of [
    ...list(tree['sortClause']),
    ...list(tree['groupClause']),
    ...list(tree['distinctClause']),
  ]) {
    const item = as(entry, 'SortBy')?.['node'] ?? entry;
    // An ordinal: another number means another column.
    if (as(item, 'A_Const') !== undefined) scan.looksAtLiteral = true;
  }
  if (tree['lockingClause'] !== undefined) lockFrom(scan, tree['fromClause'], scope);
  return {
    skip: ['intoClause', 'lockingClause'],
    scope: { ...scope, settingName: settingNameIn(tree) },
  };
};

/** FOR UPDATE and its kin lock what FROM names (PG-69); aliases are not resolved, so all of it. */
function lockFrom(scan: EffectScan, from: unknown, scope: Scope): void {
  let isNamed = false;
  const visit = (value: unknown): void => {
    const node = unwrap(value);
    if (node?.type === 'RangeVar') {
      scan.add('lock', relationName(node.tree), scope);
      isNamed = true;
    } else if (node?.type === 'JoinExpr') {
      visit(node.tree['larg']);
      visit(node.tree['rarg']);
    }
  };
  for (const entry of list(from)) visit(entry);
  if (!isNamed) scan.add('lock', undefined, scope);
}

const readCopy: Reader = (scan, tree, scope) => {
  const relation = objectName(tree['relation'], 'relation');
  if (isTrue(tree['is_from'])) {
    scan.add('copy-in', relation, scope);
    if (relation !== undefined) addWrite(scan, 'insert', relation, { ...scope, via: 'COPY' });
  } else {
    scan.add('copy-out', relation, scope);
    if (relation !== undefined) scan.add('read', relation, { ...scope, via: 'COPY' });
  }
  // The program runs on the server and may do anything there (PG-65).
  for (const effect of isTrue(tree['is_program']) ? (['code', 'unknown'] as const) : [])
    scan.add(effect, undefined, { ...scope, via: 'COPY PROGRAM' });
  if (tree['filename'] !== undefined) scan.add('file', undefined, { ...scope, via: 'COPY' });
  return { skip: ['relation'], scope: { ...scope, via: 'COPY' } };
};

const readExplain: Reader = (scan, tree, scope) => {
  const isRun = isOptionOn(tree['options'], 'analyze');
  scan.looksAtLiteral = true;
  scan.add('read', undefined, { ...scope, via: 'EXPLAIN' });
  return isRun
    ? { scope: { ...scope, via: 'EXPLAIN ANALYZE' } }
    : { scope: { ...scope, via: 'EXPLAIN', isPlanOnly: true } };
};

const readCreateTableAs: Reader = (scan, tree, scope) => {
  const into = tree['into'];
  scan.add('create', objectName(isTree(into) ? into['rel'] : undefined, 'relation'), scope);
  // What EXECUTE gives was decided as a result, not as the content of a new table (PG-60, PG-80).
  if (as(tree['query'], 'ExecuteStmt') !== undefined && !scope.isPlanOnly)
    scan.add('unknown', undefined, { ...scope, via: 'CREATE TABLE AS EXECUTE' });
  return { skip: ['into'], scope: { ...scope, via: 'CREATE TABLE AS' } };
};

function inside(via: string): Reader {
  return (_scan, _tree, scope) => ({ scope: { ...scope, via } });
}

const readDrop: Reader = (scan, tree, scope) => {
  const type = text(tree['removeType']) ?? '';
  for (const entry of list(tree['objects'])) {
    if (TABLE_PARTS.has(type)) {
      const parts = names(as(entry, 'List')?.['items']);
      scan.add('drop', qualified(parts.slice(0, -1), 'relation'), scope);
      continue;
    }
    const object = objectName(entry, kindOf(type));
    // A session's own temporary object is its own business (PG-73).
    const isTemporary = object?.schema === 'pg_temp';
    scan.add(isTemporary ? 'session' : 'drop', object, scope);
  }
  return { skip: ['objects'] };
};

const readAlterTable: Reader = (scan, tree, scope) => {
  const relation = { ...target(tree), kind: kindOf(tree['objtype']) };
  scan.add('alter', relation, scope);
  for (const entry of list(tree['cmds'])) {
    const subtype = text(as(entry, 'AlterTableCmd')?.['subtype']);
    if (subtype === undefined) scan.add('unknown', relation, scope);
    else if (ALTER_TABLE_DROPS.has(subtype)) scan.add('drop', relation, { ...scope, via: 'ALTER' });
    else if (subtype === 'AT_AddInherit' || subtype === 'AT_AttachPartition')
      scan.addTakenOver(relation);
    else if (subtype === 'AT_ChangeOwner') scan.add('grant', relation, scope);
  }
  return TARGET;
};

/** ALTER of something whose parts can be dropped. */
function alterOrDrop(
  field: string,
  effects: readonly Effect[],
  isDrop: (tree: Tree) => boolean,
): Reader {
  return (scan, tree, scope) => {
    const object = objectName(tree[field], 'other');
    for (const effect of effects) scan.add(effect, object, scope);
    if (isDrop(tree)) scan.add('drop', object, scope);
    return { skip: ['object', 'pubobjects'] };
  };
}

const readGrant: Reader = (scan, tree, scope) => {
  const objects = objectNames(tree['objects'], kindOf(tree['objtype']));
  if (objects.length === 0) scan.add('grant', undefined, scope);
  for (const object of objects) scan.add('grant', object, scope);
  return { skip: ['objects'] };
};

const readTransaction: Reader = (scan, tree, scope) => {
  scan.add(TWO_PHASE.has(text(tree['kind']) ?? '') ? 'admin' : 'session', undefined, scope);
  return WALK_ALL;
};

const readSet: Reader = (scan, tree, scope) => {
  const name = text(tree['name'])?.toLowerCase();
  if (name === 'role' || name === 'session_authorization') {
    const role = literal(list(tree['args'])[0]);
    const object =
      role === undefined ? undefined : ({ kind: 'role', schema: undefined, name: role } as const);
    scan.add('session', object, scope);
  } else scan.add('session', undefined, scope);
  if (name !== undefined && ADMIN_SETTINGS.has(name))
    scan.add('admin', undefined, { ...scope, via: `SET ${name}` });
  const hazard = setStatementHazard(tree);
  if (hazard !== undefined && scope.isRoutineHead === true && isSearchPath(tree))
    scan.searchesCatalogLate = true;
  else scan.addHazard(hazard);
  return WALK_ALL;
};

const readVacuum: Reader = (scan, tree, scope) => {
  const isFull = isTrue(tree['is_vacuumcmd']) && isOptionOn(tree['options'], 'full');
  const relations = list(tree['rels']).flatMap((entry) => {
    const relation = objectName(as(entry, 'VacuumRelation')?.['relation'], 'relation');
    return relation === undefined ? [] : [relation];
  });
  for (const relation of relations.length === 0 ? [undefined] : relations) {
    scan.add('admin', relation, scope);
    if (isFull) scan.add('alter', relation, { ...scope, via: 'VACUUM FULL' });
  }
  return { skip: ['rels'] };
};

const readDefine: Reader = (scan, tree, scope) => {
  const type = text(tree['kind']) ?? '';
  const object = objectName(tree['defnames'], kindOf(type));
  scan.add('create', object, scope);
  if (CODE_KINDS.has(type)) {
    scan.add('code', object, scope);
    addSupportFunctions(scan, tree, scope);
  }
  return WALK_ALL;
};

const readCreateFunction: Reader = (scan, tree, scope) => {
  const object = objectName(tree['funcname'], 'function');
  scan.looksAtLiteral = true;
  scan.add('create', object, scope);
  scan.add('code', object, scope);
  const via = object === undefined ? 'a function body' : `function ${functionLabel(object)}`;
  const inner = readRoutine(scan, list(tree['options']), { ...scope, via }, false);
  return { scope: { ...inner, isRoutineHead: true } };
};

const readDo: Reader = (scan, tree, scope) => {
  scan.looksAtLiteral = true;
  scan.add('code', undefined, { ...scope, via: 'DO' });
  return { scope: readRoutine(scan, list(tree['args']), { ...scope, via: 'DO body' }, true) };
};

/** Reports what the body does; gives the scope in which the rest of the statement is walked. */
function readRoutine(
  scan: EffectScan,
  options: readonly unknown[],
  scope: Scope,
  isDo: boolean,
): Scope {
  const body = readBody(options, scope.text, isDo);
  if (body.isForeign) scan.add('code', undefined, scope);
  if (body.opaque !== undefined)
    scan.add('unknown', undefined, { ...scope, via: `${scope.via ?? 'body'}: ${body.opaque}` });
  scan.visitStatements(body.statements, scope);
  for (const type of body.types) scan.addType(type);
  return scope;
}

const readCall: Reader = (scan, tree, scope) => {
  const call = tree['funccall'];
  scan.add('call', objectName(isTree(call) ? call['funcname'] : undefined, 'function'), scope);
  return WALK_ALL;
};

export const SPECIAL: Readonly<Record<string, Reader>> = {
  ...USES,
  InsertStmt: readInsert,
  UpdateStmt: writer('update'),
  DeleteStmt: writer('delete'),
  MergeStmt: readMerge,
  SelectStmt: readSelect,
  CopyStmt: readCopy,
  ExplainStmt: readExplain,
  CreateTableAsStmt: readCreateTableAs,
  PrepareStmt: inside('PREPARE'),
  DeclareCursorStmt: inside('DECLARE CURSOR'),
  RuleStmt: inside('RULE'),
  ViewStmt: inside('VIEW'),
  DropStmt: readDrop,
  AlterTableStmt: readAlterTable,
  AlterDomainStmt: alterOrDrop('typeName', ['alter'], (tree) => tree['subtype'] === 'X'),
  AlterExtensionContentsStmt: alterOrDrop(
    'extname',
    ['alter', 'admin'],
    (tree) => tree['action'] === -1,
  ),
  AlterPublicationStmt: alterOrDrop(
    'pubname',
    ['alter', 'replication'],
    (tree) => tree['action'] === 'AP_DropObjects',
  ),
  AlterOpFamilyStmt: alterOrDrop('opfamilyname', ['alter', 'code'], (tree) =>
    isTrue(tree['isDrop']),
  ),
  AlterTSConfigurationStmt: alterOrDrop(
    'cfgname',
    ['alter'],
    (tree) => tree['kind'] === 'ALTER_TSCONFIG_DROP_MAPPING',
  ),
  RenameStmt: readMove,
  AlterObjectSchemaStmt: readMove,
  AlterObjectDependsStmt: readNamedAlter,
  AlterOwnerStmt: readNamedAlter,
  CommentStmt: readNamedAlter,
  SecLabelStmt: readNamedAlter,
  GrantStmt: readGrant,
  TransactionStmt: readTransaction,
  VariableSetStmt: readSet,
  VacuumStmt: readVacuum,
  DefineStmt: readDefine,
  CreateFunctionStmt: readCreateFunction,
  DoStmt: readDo,
  CallStmt: readCall,
};
