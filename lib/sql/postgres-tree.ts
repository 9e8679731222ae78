/**
 * Walking the parse tree that libpg-query gives as JSON. A node in a field of type Node is wrapped
 * in its name ({SelectStmt: {...}}); a node in a field of a fixed type is not, and only the table
 * below tells what it is. Nothing here knows what a node means.
 */

export interface Tree {
  readonly [field: string]: unknown;
}

/** Where the tree's shape is not what this table and the wrapping rule say: it is not understood (GW-5). */
export const UNKNOWN_NODE = '(unknown node)';

/** A tree deeper than this is refused before it overruns the stack of the worker. */
export const DEPTH_MAX = 4000;

export class TooDeepError extends Error {
  override readonly name = 'TooDeepError';
}

/** Fields of a fixed node type, from the parse-node structs of PostgreSQL 18. */
const TYPED_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  A_Const: {
    ival: 'Integer',
    fval: 'Float',
    boolval: 'Boolean',
    sval: 'String',
    bsval: 'BitString',
  },
  RangeVar: { alias: 'Alias' },
  IntoClause: { rel: 'RangeVar' },
  JsonReturning: { format: 'JsonFormat' },
  JsonValueExpr: { format: 'JsonFormat' },
  JoinExpr: { join_using_alias: 'Alias', alias: 'Alias' },
  TypeCast: { typeName: 'TypeName' },
  FuncCall: { over: 'WindowDef' },
  RangeSubselect: { alias: 'Alias' },
  RangeFunction: { alias: 'Alias' },
  RangeTableFunc: { alias: 'Alias' },
  RangeTableFuncCol: { typeName: 'TypeName' },
  ColumnDef: { typeName: 'TypeName', identitySequence: 'RangeVar', collClause: 'CollateClause' },
  TableLikeClause: { relation: 'RangeVar' },
  XmlSerialize: { typeName: 'TypeName' },
  PartitionCmd: { name: 'RangeVar', bound: 'PartitionBoundSpec' },
  OnConflictClause: { infer: 'InferClause' },
  CommonTableExpr: { search_clause: 'CTESearchClause', cycle_clause: 'CTECycleClause' },
  JsonOutput: { typeName: 'TypeName', returning: 'JsonReturning' },
  JsonArgument: { val: 'JsonValueExpr' },
  JsonFuncExpr: {
    context_item: 'JsonValueExpr',
    output: 'JsonOutput',
    on_empty: 'JsonBehavior',
    on_error: 'JsonBehavior',
  },
  JsonTable: {
    context_item: 'JsonValueExpr',
    pathspec: 'JsonTablePathSpec',
    on_error: 'JsonBehavior',
    alias: 'Alias',
  },
  JsonTableColumn: {
    typeName: 'TypeName',
    pathspec: 'JsonTablePathSpec',
    format: 'JsonFormat',
    on_empty: 'JsonBehavior',
    on_error: 'JsonBehavior',
  },
  JsonIsPredicate: { format: 'JsonFormat' },
  JsonKeyValue: { value: 'JsonValueExpr' },
  JsonParseExpr: { expr: 'JsonValueExpr', output: 'JsonOutput' },
  JsonScalarExpr: { output: 'JsonOutput' },
  JsonSerializeExpr: { expr: 'JsonValueExpr', output: 'JsonOutput' },
  JsonObjectConstructor: { output: 'JsonOutput' },
  JsonArrayConstructor: { output: 'JsonOutput' },
  JsonArrayQueryConstructor: { output: 'JsonOutput', format: 'JsonFormat' },
  JsonAggConstructor: { output: 'JsonOutput', over: 'WindowDef' },
  JsonObjectAgg: { constructor: 'JsonAggConstructor', arg: 'JsonKeyValue' },
  JsonArrayAgg: { constructor: 'JsonAggConstructor', arg: 'JsonValueExpr' },
  InsertStmt: {
    relation: 'RangeVar',
    onConflictClause: 'OnConflictClause',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  DeleteStmt: {
    relation: 'RangeVar',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  UpdateStmt: {
    relation: 'RangeVar',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  MergeStmt: { relation: 'RangeVar', returningClause: 'ReturningClause', withClause: 'WithClause' },
  SelectStmt: {
    intoClause: 'IntoClause',
    withClause: 'WithClause',
    larg: 'SelectStmt',
    rarg: 'SelectStmt',
  },
  CreateSchemaStmt: { authrole: 'RoleSpec' },
  AlterTableStmt: { relation: 'RangeVar' },
  AlterTableCmd: { newowner: 'RoleSpec' },
  GrantStmt: { grantor: 'RoleSpec' },
  GrantRoleStmt: { grantor: 'RoleSpec' },
  AlterDefaultPrivilegesStmt: { action: 'GrantStmt' },
  CopyStmt: { relation: 'RangeVar' },
  CreateStmt: {
    relation: 'RangeVar',
    partbound: 'PartitionBoundSpec',
    partspec: 'PartitionSpec',
    ofTypename: 'TypeName',
  },
  Constraint: { pktable: 'RangeVar' },
  CreateTableSpaceStmt: { owner: 'RoleSpec' },
  CreateForeignTableStmt: { base: 'CreateStmt' },
  CreateUserMappingStmt: { user: 'RoleSpec' },
  AlterUserMappingStmt: { user: 'RoleSpec' },
  DropUserMappingStmt: { user: 'RoleSpec' },
  CreatePolicyStmt: { table: 'RangeVar' },
  AlterPolicyStmt: { table: 'RangeVar' },
  CreateTrigStmt: { relation: 'RangeVar', constrrel: 'RangeVar' },
  AlterRoleStmt: { role: 'RoleSpec' },
  AlterRoleSetStmt: { role: 'RoleSpec', setstmt: 'VariableSetStmt' },
  CreateSeqStmt: { sequence: 'RangeVar' },
  AlterSeqStmt: { sequence: 'RangeVar' },
  CreateDomainStmt: { typeName: 'TypeName', collClause: 'CollateClause' },
  CreateOpClassStmt: { datatype: 'TypeName' },
  CreateOpClassItem: { name: 'ObjectWithArgs', storedtype: 'TypeName' },
  IndexStmt: { relation: 'RangeVar' },
  CreateFunctionStmt: { returnType: 'TypeName' },
  FunctionParameter: { argType: 'TypeName' },
  AlterFunctionStmt: { func: 'ObjectWithArgs' },
  CallStmt: { funccall: 'FuncCall' },
  RenameStmt: { relation: 'RangeVar' },
  AlterObjectDependsStmt: { relation: 'RangeVar', extname: 'String' },
  AlterObjectSchemaStmt: { relation: 'RangeVar' },
  AlterOwnerStmt: { relation: 'RangeVar', newowner: 'RoleSpec' },
  AlterOperatorStmt: { opername: 'ObjectWithArgs' },
  RuleStmt: { relation: 'RangeVar' },
  CompositeTypeStmt: { typevar: 'RangeVar' },
  ViewStmt: { view: 'RangeVar' },
  AlterDatabaseSetStmt: { setstmt: 'VariableSetStmt' },
  AlterSystemStmt: { setstmt: 'VariableSetStmt' },
  ClusterStmt: { relation: 'RangeVar' },
  VacuumRelation: { relation: 'RangeVar' },
  CreateTableAsStmt: { into: 'IntoClause' },
  RefreshMatViewStmt: { relation: 'RangeVar' },
  ReindexStmt: { relation: 'RangeVar' },
  CreateCastStmt: { sourcetype: 'TypeName', targettype: 'TypeName', func: 'ObjectWithArgs' },
  CreateTransformStmt: {
    type_name: 'TypeName',
    fromsql: 'ObjectWithArgs',
    tosql: 'ObjectWithArgs',
  },
  ReassignOwnedStmt: { newrole: 'RoleSpec' },
  PublicationTable: { relation: 'RangeVar' },
  PublicationObjSpec: { pubtable: 'PublicationTable' },
};

const NO_FIELDS: Readonly<Record<string, string>> = {};

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name and content of a wrapped node, or undefined when `value` is not one. */
export function unwrap(value: unknown): { readonly type: string; readonly tree: Tree } | undefined {
  if (!isTree(value)) return undefined;
  let type: string | undefined;
  for (const key in value) {
    if (type !== undefined) return undefined;
    type = key;
  }
  if (type === undefined) return undefined;
  const first = type.charCodeAt(0);
  const tree = value[type];
  return first >= 0x41 && first <= 0x5a && isTree(tree) ? { type, tree } : undefined;
}

/** The content of a wrapped node of this type. */
export function as(value: unknown, type: string): Tree | undefined {
  if (!isTree(value)) return undefined;
  const tree = value[type];
  return isTree(tree) ? tree : undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of a list of String nodes; a `*` or anything else in it is left out. */
export function names(value: unknown): string[] {
  const found: string[] = [];
  for (const entry of list(value)) {
    const name = as(entry, 'String')?.['sval'];
    if (typeof name === 'string') found.push(name);
  }
  return found;
}

export type Visit = (type: string, tree: Tree, field: string) => void;

/** Every child node in the order of the fields, those of fixed type and those inside lists included. */
export function forEachChild(type: string, tree: Tree, visit: Visit): void {
  const typed = TYPED_FIELDS[type] ?? NO_FIELDS;
  for (const field in tree) {
    const value = tree[field];
    if (Array.isArray(value)) visitList(value, field, visit);
    else if (isTree(value)) visitField(value, typed[field], field, visit);
  }
}

function visitField(value: Tree, fixedType: string | undefined, field: string, visit: Visit): void {
  if (fixedType !== undefined) {
    visit(fixedType, value, field);
    return;
  }
  const node = unwrap(value);
  if (node !== undefined) visit(node.type, node.tree, field);
  else if (!isEmpty(value)) visit(UNKNOWN_NODE, value, field);
}

function visitList(values: readonly unknown[], field: string, visit: Visit): void {
  for (const value of values) {
    // An empty object is a null entry of the list.
    if (isTree(value)) visitField(value, undefined, field, visit);
    else if (Array.isArray(value)) visitList(value, field, visit);
  }
}

function isEmpty(value: Tree): boolean {
  for (const _ in value) return false;
  return true;
}
