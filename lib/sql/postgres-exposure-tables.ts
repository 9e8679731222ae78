/** What may be done with a masked column, as data. What is not listed is refused. */

function words(value: string): ReadonlySet<string> {
  return new Set(value.split(/\s+/).filter((word) => word !== ''));
}

/** Statements that name a sensitive relation without a value of it going anywhere. */
export const HARMLESS_STATEMENTS: ReadonlySet<string> = words(`
  DropStmt TruncateStmt GrantStmt GrantRoleStmt AlterDefaultPrivilegesStmt LockStmt VacuumStmt
  CommentStmt SecLabelStmt ClusterStmt ReindexStmt RefreshMatViewStmt TransactionStmt VariableSetStmt
  DiscardStmt DeallocateStmt ClosePortalStmt FetchStmt ExecuteStmt ListenStmt UnlistenStmt NotifyStmt
  ConstraintsSetStmt CheckPointStmt`);

/** Name no table and yet run its index expressions and checks, whose errors and notices quote rows (PG-81). */
export const RUNS_CODE_ON_ANY: ReadonlySet<string> = words(`
  VacuumStmt ReindexStmt ClusterStmt RefreshMatViewStmt AlterDomainStmt`);

/** In conditions, these only compute from their arguments; none can fail with a value in its message. */
export const PURE_FUNCTIONS: ReadonlySet<string> = words(`
  lower upper initcap trim btrim ltrim rtrim length char_length character_length octet_length
  left right substring substr position strpos split_part replace reverse lpad rpad starts_with
  concat date_trunc date_part extract abs round floor ceil ceiling age timezone
  count min max sum avg similar_to_escape like_escape`);

/** Comparisons, patterns and arithmetic. Any operator can be redefined; the catalog tells of those. */
export const PLAIN_OPERATORS: ReadonlySet<string> = words(`
  = <> != < > <= >= ~~ !~~ ~~* !~~* ~ !~ ~* !~* || + - * / % ^@ -> ->> #> #>> @> <@ ? ?| ?& &&`);

/** Casts to these keep the value and cannot fail. */
export const TEXT_TYPES: ReadonlySet<string> = words('text varchar bpchar');

/** Nodes that, in a condition, are part of the condition. */
export const STEERING_NODES: ReadonlySet<string> = words(`
  BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr RowExpr A_ArrayExpr List
  CollateClause SortBy GroupingSet WindowDef NamedArgExpr ResTarget GroupingFunc A_Const ParamRef
  SQLValueFunction`);

/** How a node is called when it stands over a masked column. */
export const CONSTRUCTS: Readonly<Record<string, string>> = {
  BoolExpr: 'a condition in a value',
  NullTest: 'IS NULL in a value',
  BooleanTest: 'a condition in a value',
  CaseExpr: 'CASE',
  CaseWhen: 'CASE',
  CoalesceExpr: 'COALESCE',
  MinMaxExpr: 'GREATEST or LEAST',
  RowExpr: 'a row constructor',
  A_ArrayExpr: 'an array constructor',
  A_Indirection: 'a field or subscript',
  CollateClause: 'COLLATE',
  XmlExpr: 'an XML function',
  XmlSerialize: 'XMLSERIALIZE',
  JsonObjectConstructor: 'JSON_OBJECT',
  JsonArrayConstructor: 'JSON_ARRAY',
  JsonArrayQueryConstructor: 'JSON_ARRAY',
  JsonObjectAgg: 'JSON_OBJECTAGG',
  JsonArrayAgg: 'JSON_ARRAYAGG',
  JsonFuncExpr: 'a JSON function',
  JsonParseExpr: 'JSON',
  JsonScalarExpr: 'JSON_SCALAR',
  JsonSerializeExpr: 'JSON_SERIALIZE',
  JsonIsPredicate: 'IS JSON',
};

/** A statement's name for messages, from its parse node: CreateViewStmt -> "Create View" is enough for people. */
export function statementLabel(type: string): string {
  const known: Readonly<Record<string, string>> = {
    InsertStmt: 'INSERT',
    UpdateStmt: 'UPDATE SET',
    DeleteStmt: 'DELETE',
    MergeStmt: 'MERGE',
    ViewStmt: 'CREATE VIEW',
    RuleStmt: 'CREATE RULE',
    CreateFunctionStmt: 'CREATE FUNCTION',
    CreateTrigStmt: 'CREATE TRIGGER',
    DoStmt: 'a DO body',
    AlterTableStmt: 'ALTER TABLE',
    RenameStmt: 'RENAME',
    IndexStmt: 'CREATE INDEX',
    CreateStatsStmt: 'CREATE STATISTICS',
    CreateStmt: 'CREATE TABLE',
  };
  return (
    known[type] ??
    type
      .replace(/Stmt$/, '')
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toUpperCase()
  );
}
