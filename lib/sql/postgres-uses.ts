/**
 * Uses of functions and operators, wherever a tree names one: calls, casts, comparisons that look an
 * operator up by name, definitions and triggers that the server will call later (PG-62).
 */

import type { EffectScan, Scope } from './postgres-effects.ts';
import { setConfigHazard, settingNameOf } from './postgres-lexer.ts';
import { objectName, qualified } from './postgres-names.ts';
import { ADMIN_SETTINGS } from './postgres-statements.ts';
import { as, isTree, list, names, text, type Tree } from './postgres-tree.ts';

export interface Walk {
  /** Fields that are not walked. */
  readonly skip?: readonly string[];
  /** The scope of what is inside, when it differs. */
  readonly scope?: Scope;
}

/** Reports what a node does by itself; its children are walked after it. */
export type Reader = (scan: EffectScan, tree: Tree, scope: Scope) => Walk;

export const WALK_ALL: Walk = {};

function isTrue(value: unknown): boolean {
  return value === true;
}

/** A definition that names a function by a type name or a list of strings: sfunc = f, HANDLER h. */
const readDefinition: Reader = (scan, tree) => {
  const argument = tree['arg'];
  const type = as(argument, 'TypeName');
  const items = as(argument, 'List')?.['items'];
  const name = qualified(names(type?.['names'] ?? items), 'function');
  if (name !== undefined && name.schema !== 'pg_catalog' && tree['defname'] !== 'as')
    scan.addFunction(name);
  return WALK_ALL;
};

const readFunctionCall: Reader = (scan, tree, scope) => {
  const name = qualified(names(tree['funcname']), 'function');
  if (name === undefined) {
    scan.add('unknown', undefined, scope);
    return WALK_ALL;
  }
  const given = list(tree['args']);
  scan.addCall(name, given.length, scope);
  if (name.name !== 'set_config') return WALK_ALL;
  scan.addHazard(setConfigHazard(given, scope.settingName));
  const setting = settingNameOf(given, scope.settingName)?.toLowerCase();
  if (setting !== undefined && ADMIN_SETTINGS.has(setting))
    scan.add('admin', undefined, { ...scope, via: `set_config() of ${setting}` });
  return WALK_ALL;
};

/** Of `t.c%TYPE` only the table is known here: its row type holds the column's type. */
const readTypeName: Reader = (scan, tree) => {
  const parts = names(tree['names']);
  scan.addType(qualified(isTrue(tree['pct_type']) ? parts.slice(0, -1) : parts, 'other'));
  return WALK_ALL;
};

const readLike: Reader = (scan, tree) => {
  scan.addTakenOver(objectName(tree['relation'], 'relation'));
  return WALK_ALL;
};

/** ATTACH PARTITION: what writes to the parent runs the partition's triggers from now on. */
const readPartition: Reader = (scan, tree) => {
  scan.addTakenOver(objectName(tree['name'], 'relation'));
  return WALK_ALL;
};

/** INHERITS and PARTITION OF. */
const readCreate: Reader = (scan, tree) => {
  for (const parent of list(tree['inhRelations']))
    scan.addTakenOver(objectName(parent, 'relation'));
  return WALK_ALL;
};

const RANGE_OPERATORS = ['<', '<=', '>', '>='];

const readOperator: Reader = (scan, tree) => {
  const isBetween = text(tree['kind'])?.includes('BETWEEN') === true;
  if (isBetween) for (const name of RANGE_OPERATORS) scan.addOperator([name]);
  else scan.addOperator(names(tree['name']));
  return WALK_ALL;
};

/** IN (SELECT ...), CASE x WHEN and JOIN USING look `=` up by name. */
function comparing(isUsed: (tree: Tree) => boolean, field?: string): Reader {
  return (scan, tree) => {
    const spelled = field === undefined ? [] : names(tree[field]);
    if (spelled.length > 0) scan.addOperator(spelled);
    else if (isUsed(tree)) scan.addOperator(['=']);
    return WALK_ALL;
  };
}

/**
 * `t.f` and `(t).f` call f(t) where t has no column f: the name counts as a function, of kind `other`
 * because nearly always it is a column. A catalog that knows a routine of that name tells.
 */
const readColumn: Reader = (scan, tree) => {
  const parts = names(tree['fields']);
  if (parts.length > 1) scan.addFunction(qualified(parts.slice(-1), 'other'));
  return WALK_ALL;
};

const readIndirection: Reader = (scan, tree) => {
  for (const name of names(tree['indirection']))
    scan.addFunction({ kind: 'other', schema: undefined, name });
  return WALK_ALL;
};

const readCast: Reader = (scan, tree) => {
  const type = tree['typeName'];
  const parts = names(isTree(type) ? type['names'] : undefined);
  // 'name'::regclass and its kin look a name up: the literal matters.
  if (parts[parts.length - 1]?.startsWith('reg') === true) scan.looksAtLiteral = true;
  return WALK_ALL;
};

const readOpClassItem: Reader = (scan, tree) => {
  const name = objectName(tree['name'], 'function');
  if (name !== undefined && tree['itemtype'] === 2) scan.addFunction(name);
  return WALK_ALL;
};

/** Operators and state functions have two, and so has the one function whose effect hangs on it. */
export const ARGUMENTS_OF_SUPPORT = 2;

/** What is defined with functions that using it will call. */
export const CODE_KINDS: ReadonlySet<string> = new Set([
  'OBJECT_OPERATOR',
  'OBJECT_AGGREGATE',
  'OBJECT_TYPE',
  'OBJECT_TSPARSER',
  'OBJECT_TSTEMPLATE',
]);

/** OPERATOR (FUNCTION = lo_unlink): using it calls that function, without its name. */
export function addSupportFunctions(scan: EffectScan, tree: Tree, scope: Scope): void {
  for (const entry of list(tree['definition'])) {
    const argument = as(as(entry, 'DefElem')?.['arg'], 'TypeName');
    const name = qualified(names(argument?.['names']), 'function');
    if (name !== undefined) scan.addCall(name, ARGUMENTS_OF_SUPPORT, scope);
  }
}

/** Fields that name a function which the server will call later. */
function naming(...fields: readonly string[]): Reader {
  return (scan, tree, scope) => {
    for (const field of fields) {
      const name = objectName(tree[field], 'function');
      // What it will do when the server calls it is done by whoever lets the server call it.
      if (name !== undefined) scan.addCall(name, ARGUMENTS_OF_SUPPORT, scope);
    }
    return WALK_ALL;
  };
}

export const USES: Readonly<Record<string, Reader>> = {
  DefElem: readDefinition,
  FuncCall: readFunctionCall,
  A_Expr: readOperator,
  SubLink: comparing((tree) => tree['subLinkType'] === 'ANY_SUBLINK', 'operName'),
  CaseExpr: comparing((tree) => tree['arg'] !== undefined),
  JoinExpr: comparing((tree) => tree['usingClause'] !== undefined || isTrue(tree['isNatural'])),
  SortBy: comparing(() => false, 'useOp'),
  ColumnRef: readColumn,
  A_Indirection: readIndirection,
  TypeCast: readCast,
  TypeName: readTypeName,
  TableLikeClause: readLike,
  CreateStmt: readCreate,
  PartitionCmd: readPartition,
  CreateOpClassItem: readOpClassItem,
  CreateTrigStmt: naming('funcname'),
  CreateEventTrigStmt: naming('funcname'),
  CreateConversionStmt: naming('func_name'),
  CreatePLangStmt: naming('plhandler', 'plinline', 'plvalidator'),
  CreateAmStmt: naming('handler_name'),
  CreateCastStmt: naming('func'),
  CreateTransformStmt: naming('fromsql', 'tosql'),
};
