/**
 * What each statement of PostgreSQL does, as data: parse-node name -> effects and where its object's
 * name stands. Statements that need more than a row (a mark `special`) are read in
 * postgres-special.ts. A node in neither table below is not understood: `unknown` (GW-5).
 */

import { type Effect, EFFECTS, type ObjectName } from './analysis.ts';

export interface StatementRule {
  readonly effects: readonly Effect[];
  /** Field with the object, or with one object per list entry when `isList`. */
  readonly field?: string;
  readonly isList?: boolean;
  readonly kind?: ObjectName['kind'];
}

type Kind = ObjectName['kind'];

function one(effects: string, field?: string, kind?: Kind): StatementRule {
  return row(effects, field, kind, false);
}

function each(effects: string, field: string, kind?: Kind): StatementRule {
  return row(effects, field, kind, true);
}

function row(
  effects: string,
  field: string | undefined,
  kind: Kind | undefined,
  isList: boolean,
): StatementRule {
  return {
    effects: effectsIn(effects),
    ...(field === undefined ? {} : { field }),
    ...(kind === undefined ? {} : { kind }),
    isList,
  };
}

function effectsIn(words: string): readonly Effect[] {
  return words.split(' ').map((word) => {
    const effect = EFFECTS.find((known) => known === word);
    if (effect === undefined) throw new Error(`no such effect: ${word}`);
    return effect;
  });
}

export const STATEMENTS: Readonly<Record<string, StatementRule>> = {
  // Rows. INSERT, UPDATE, DELETE, MERGE, SELECT and COPY: see postgres-special.ts.
  TruncateStmt: each('truncate', 'relations', 'relation'),
  CallStmt: one('call'),
  RefreshMatViewStmt: one('update', 'relation', 'relation'),
  LockStmt: each('lock', 'relations', 'relation'),
  FetchStmt: one('read'),
  // Statements inside statements: what they hold is walked.
  ExecuteStmt: one('call', 'name', 'other'),
  DeallocateStmt: one('session'),
  ClosePortalStmt: one('session'),
  // Session.
  VariableShowStmt: one('session'),
  DiscardStmt: one('session'),
  ConstraintsSetStmt: one('session'),
  UnlistenStmt: one('session'),
  ListenStmt: one('notify', 'conditionname', 'other'),
  NotifyStmt: one('notify', 'conditionname', 'other'),
  // Drop class (PG-55).
  DropdbStmt: one('drop', 'dbname', 'database'),
  DropRoleStmt: each('drop', 'roles', 'role'),
  DropOwnedStmt: each('drop grant', 'roles', 'role'),
  DropTableSpaceStmt: one('drop admin', 'tablespacename', 'other'),
  DropUserMappingStmt: one('drop admin', 'servername', 'other'),
  DropSubscriptionStmt: one('drop replication', 'subname', 'other'),
  // Create.
  CreateStmt: one('create', 'relation', 'relation'),
  CreateForeignTableStmt: one('create admin', 'base'),
  CreateSeqStmt: one('create', 'sequence', 'relation'),
  CreateSchemaStmt: one('create', 'schemaname', 'schema'),
  IndexStmt: one('create', 'relation', 'relation'),
  CreateStatsStmt: each('create', 'relations', 'relation'),
  CompositeTypeStmt: one('create', 'typevar', 'other'),
  CreateEnumStmt: one('create', 'typeName', 'other'),
  CreateRangeStmt: one('create code', 'typeName', 'other'),
  CreateDomainStmt: one('create', 'domainname', 'other'),
  ViewStmt: one('create', 'view', 'relation'),
  CreatePolicyStmt: one('create alter', 'table', 'relation'),
  CreatedbStmt: one('create admin', 'dbname', 'database'),
  CreateTableSpaceStmt: one('create admin file', 'tablespacename', 'other'),
  CreateRoleStmt: one('create grant admin', 'role', 'role'),
  CreatePublicationStmt: one('create replication', 'pubname', 'other'),
  CreateSubscriptionStmt: one('create replication admin code', 'subname', 'other'),
  // Code, and whatever lets code in (PG-62, PG-65).
  CreateTrigStmt: one('create code', 'relation', 'relation'),
  CreateEventTrigStmt: one('create code', 'trigname', 'other'),
  RuleStmt: one('create code', 'relation', 'relation'),
  CreateOpClassStmt: one('create code', 'opclassname', 'other'),
  CreateOpFamilyStmt: one('create code', 'opfamilyname', 'other'),
  CreateCastStmt: one('create code', 'targettype', 'other'),
  CreateTransformStmt: one('create code', 'type_name', 'other'),
  CreateConversionStmt: one('create code', 'conversion_name', 'other'),
  CreatePLangStmt: one('create code admin', 'plname', 'other'),
  CreateAmStmt: one('create code admin', 'amname', 'other'),
  CreateExtensionStmt: one('create code admin', 'extname', 'other'),
  CreateFdwStmt: one('create code admin', 'fdwname', 'other'),
  CreateForeignServerStmt: one('create code admin', 'servername', 'other'),
  CreateUserMappingStmt: one('create code admin', 'servername', 'other'),
  ImportForeignSchemaStmt: one('create code admin', 'local_schema', 'schema'),
  LoadStmt: one('code admin'),
  // Alter.
  RenameStmt: one('alter'),
  AlterObjectSchemaStmt: one('alter'),
  AlterOwnerStmt: one('alter grant'),
  AlterObjectDependsStmt: one('alter'),
  AlterSeqStmt: one('alter', 'sequence', 'relation'),
  AlterPolicyStmt: one('alter', 'table', 'relation'),
  AlterEnumStmt: one('alter', 'typeName', 'other'),
  AlterTypeStmt: one('alter code', 'typeName', 'other'),
  AlterCollationStmt: one('alter', 'collname', 'other'),
  AlterFunctionStmt: one('alter code', 'func', 'function'),
  AlterOperatorStmt: one('alter code', 'opername', 'operator'),
  AlterStatsStmt: one('alter', 'defnames', 'other'),
  AlterTSDictionaryStmt: one('alter', 'dictname', 'other'),
  AlterEventTrigStmt: one('alter', 'trigname', 'other'),
  AlterExtensionStmt: one('alter code admin', 'extname', 'other'),
  AlterFdwStmt: one('alter code admin', 'fdwname', 'other'),
  AlterForeignServerStmt: one('alter code admin', 'servername', 'other'),
  AlterUserMappingStmt: one('alter code admin', 'servername', 'other'),
  AlterSubscriptionStmt: one('alter replication admin', 'subname', 'other'),
  AlterDatabaseStmt: one('alter admin', 'dbname', 'database'),
  AlterDatabaseRefreshCollStmt: one('alter admin', 'dbname', 'database'),
  AlterDatabaseSetStmt: one('alter admin', 'dbname', 'database'),
  AlterTableSpaceOptionsStmt: one('alter admin', 'tablespacename', 'other'),
  AlterTableMoveAllStmt: one('alter admin'),
  CommentStmt: one('alter'),
  SecLabelStmt: one('alter'),
  ClusterStmt: one('alter admin', 'relation', 'relation'),
  ReindexStmt: one('alter admin', 'relation', 'relation'),
  // Rights, roles, server.
  GrantRoleStmt: each('grant', 'granted_roles', 'role'),
  AlterDefaultPrivilegesStmt: one('grant'),
  AlterRoleStmt: one('alter grant admin', 'role', 'role'),
  AlterRoleSetStmt: one('alter admin', 'role', 'role'),
  ReassignOwnedStmt: each('alter grant', 'roles', 'role'),
  AlterSystemStmt: one('admin'),
  CheckPointStmt: one('admin'),
};

/**
 * Nodes that do nothing by themselves: they are walked for what is in them. Functions, operators,
 * range variables and the statements that need code of their own are read in postgres-effects.ts.
 */
export const PLAIN_NODES: ReadonlySet<string> = new Set(
  `Integer Float Boolean String BitString List OidList IntList A_Const Alias IntoClause
  GroupingFunc MergeSupportFunc NamedArgExpr BoolExpr CaseExpr CaseWhen CoalesceExpr MinMaxExpr
  SQLValueFunction XmlExpr XmlSerialize RowExpr NullTest BooleanTest SetToDefault CurrentOfExpr
  JoinExpr TypeName ParamRef TypeCast CollateClause RoleSpec A_Star A_Indices A_ArrayExpr ResTarget
  MultiAssignRef SortBy WindowDef RangeSubselect RangeFunction RangeTableFunc RangeTableFuncCol
  RangeTableSample ColumnDef TableLikeClause IndexElem DefElem LockingClause PartitionElem
  PartitionSpec PartitionBoundSpec PartitionRangeDatum PartitionCmd GroupingSet WithClause
  InferClause OnConflictClause CTESearchClause CTECycleClause CommonTableExpr MergeWhenClause
  ReturningOption ReturningClause TriggerTransition ReturnStmt ReplicaIdentityStmt
  JsonFormat JsonReturning JsonValueExpr JsonBehavior JsonOutput JsonArgument JsonFuncExpr
  JsonTablePathSpec JsonTable JsonTableColumn JsonKeyValue JsonParseExpr JsonScalarExpr
  JsonSerializeExpr JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor
  JsonAggConstructor JsonObjectAgg JsonArrayAgg JsonIsPredicate
  AlterTableCmd ATAlterConstraint AccessPriv Constraint CreateOpClassItem
  StatsElem FunctionParameter VacuumRelation PublicationTable PublicationObjSpec ObjectWithArgs`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

/** Kind of the objects that DROP, COMMENT, GRANT and the like name by an ObjectType; the rest are `other`. */
export const OBJECT_KINDS: Readonly<Record<string, Kind>> = {
  OBJECT_TABLE: 'relation',
  OBJECT_VIEW: 'relation',
  OBJECT_MATVIEW: 'relation',
  OBJECT_INDEX: 'relation',
  OBJECT_SEQUENCE: 'relation',
  OBJECT_FOREIGN_TABLE: 'relation',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_AGGREGATE: 'function',
  OBJECT_OPERATOR: 'operator',
  OBJECT_SCHEMA: 'schema',
  OBJECT_DATABASE: 'database',
  OBJECT_ROLE: 'role',
};

/** Objects that belong to a table: their name comes after the table's. */
export const TABLE_PARTS: ReadonlySet<string> = new Set([
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_COLUMN',
  'OBJECT_TABCONSTRAINT',
]);

/**
 * ALTER TABLE commands that take something away for good (PG-55). DROP DEFAULT, DROP NOT NULL and
 * DROP EXPRESSION lose no data: they are `alter` (PG-73).
 */
export const ALTER_TABLE_DROPS: ReadonlySet<string> = new Set([
  'AT_DropColumn',
  'AT_DropConstraint',
  'AT_DropInherit',
  'AT_DropIdentity',
  'AT_DetachPartition',
  'AT_DetachPartitionFinalize',
]);

/** Transaction statements that act on other sessions' transactions (PG-69). */
export const TWO_PHASE: ReadonlySet<string> = new Set([
  'TRANS_STMT_PREPARE',
  'TRANS_STMT_COMMIT_PREPARED',
  'TRANS_STMT_ROLLBACK_PREPARED',
]);

/** Settings that take away the server's own protection or load code (PG-72). */
export const ADMIN_SETTINGS: ReadonlySet<string> = new Set([
  'session_replication_role',
  'allow_system_table_mods',
  'ignore_system_indexes',
  'zero_damaged_pages',
  'ignore_checksum_failure',
  'dynamic_library_path',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'jit_provider',
]);
