/** Names, expressions, queries and table references: the half of ast.ts that knows no statement. */

/** A name that may be qualified: a relation, a routine, a sequence, a trigger, ... */
export interface QualifiedName {
  readonly kind: 'name';
  /** Undefined: not given, so it is the default database. */
  readonly schema: string | undefined;
  readonly name: string;
}

// --- Expressions -------------------------------------------------------------------------------

export type Expression =
  | Literal
  | Parameter
  | ColumnReference
  | UserVariable
  | SystemVariable
  | Assign
  | Call
  | Operator
  | Case
  | Subquery
  | Row
  | Interval
  | Cast
  | SequenceValue;

export interface Literal {
  readonly kind: 'literal';
  readonly type: 'string' | 'number' | 'bytes' | 'temporal' | 'null' | 'boolean' | 'default';
  /** Of a string its content, escapes undone; else the text as written. */
  readonly value: string;
  /** True: the content depends on more than the text (`_gbk'...'`, x'...' with an introducer). */
  readonly isOpaque: boolean;
}

/** `?` of a prepared statement. */
export interface Parameter {
  readonly kind: 'parameter';
}

/** `c`, `t.c`, `db.t.c`; inside routines also a local variable, a parameter or `NEW.c`. */
export interface ColumnReference {
  readonly kind: 'column';
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly name: string;
}

/** `@v`. */
export interface UserVariable {
  readonly kind: 'user-variable';
  readonly name: string;
}

/** `@@v`, `@@global.v`, `@@session.x.v`. */
export interface SystemVariable {
  readonly kind: 'system-variable';
  readonly scope: VariableScope;
  readonly name: string;
}

export type VariableScope = 'session' | 'global' | 'persist' | 'persist-only' | 'none';

/** `@v := e`, and `v := e` where a routine's variable is meant. */
export interface Assign {
  readonly kind: 'assign';
  readonly target: UserVariable | SystemVariable | ColumnReference;
  readonly value: Expression;
}

/**
 * Anything called: built-in functions (also those without parentheses: CURRENT_USER), aggregates,
 * stored functions, UDFs. EXTRACT, TRIM, SUBSTRING ... FROM, MATCH ... AGAINST have their operands in `args`.
 */
export interface Call {
  readonly kind: 'call';
  readonly name: QualifiedName;
  /** Spelled with backticks or a schema: then it is a stored function or UDF, whatever its name. */
  readonly isQuoted: boolean;
  /** White space before its parenthesis: `sum (x)` calls a stored function unless IGNORE_SPACE is on. */
  readonly isSpaced: boolean;
  /** `count(*)`: no arguments, and no column is meant. */
  readonly isStar: boolean;
  readonly isDistinct: boolean;
  readonly args: readonly Expression[];
  /** GROUP_CONCAT(... ORDER BY ...), WITHIN GROUP (ORDER BY ...), JSON_ARRAYAGG(... ORDER BY ...). */
  readonly orderBy: readonly Expression[];
  /** FILTER (WHERE ...). */
  readonly filter: Expression | undefined;
  readonly over: WindowSpecification | undefined;
}

/** The text of a window: `OVER w`, `OVER (w PARTITION BY ... ORDER BY ... ROWS ...)`. */
export interface WindowSpecification {
  readonly kind: 'window';
  /** Its own name (WINDOW clause); undefined in OVER. */
  readonly name: string | undefined;
  /** The window that it begins from. */
  readonly base: string | undefined;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly Expression[];
  readonly frame: readonly Expression[];
}

/**
 * Anything computed from its operands, chains flat. `operator` names the first one in lower case:
 * `or` (also `||`, which may concatenate), `xor`, `and`, `not`, `is`, `=`, `in`, `between`, `like`, `+`, `-`,
 * `->`, `->>`, `collate`, `binary`, `unary`, ... Precedence among the operands of one chain is not kept.
 */
export interface Operator {
  readonly kind: 'operator';
  readonly operator: string;
  readonly operands: readonly Expression[];
}

export interface Case {
  readonly kind: 'case';
  readonly operand: Expression | undefined;
  readonly conditions: readonly Expression[];
  /** One for each condition, then that of ELSE if there is one. */
  readonly results: readonly Expression[];
}

export interface Subquery {
  readonly kind: 'subquery';
  readonly quantifier: 'exists' | 'any' | 'all' | undefined;
  readonly query: Query;
}

/** `(a, b)`, `ROW(a, b)`. */
export interface Row {
  readonly kind: 'row';
  readonly items: readonly Expression[];
}

export interface Interval {
  readonly kind: 'interval';
  readonly value: Expression;
  readonly unit: string;
}

/** CAST(e AS type), CONVERT(e, type), CONVERT(e USING charset), BINARY e is an operator. */
export interface Cast {
  readonly kind: 'cast';
  readonly value: Expression;
  /** As written, in upper case. */
  readonly type: string;
}

/**
 * NEXT VALUE FOR s, PREVIOUS VALUE FOR s. Of NEXTVAL(s), LASTVAL(s) and SETVAL(s, n, ...) on MariaDB it
 * is the first argument of the call, whose other arguments are expressions.
 */
export interface SequenceValue {
  readonly kind: 'sequence';
  readonly form: 'next' | 'previous' | 'set';
  readonly sequence: QualifiedName;
}

// --- Queries -----------------------------------------------------------------------------------

/** A query expression with all that may stand around its body. */
export interface Query {
  readonly kind: 'query';
  readonly with: With | undefined;
  readonly body: QueryBody;
  readonly orderBy: readonly Expression[];
  readonly limit: readonly Expression[];
  readonly into: readonly Into[];
  /** FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE. */
  readonly isLocking: boolean;
  /** PROCEDURE ANALYSE(...): shows values of every column (MY-66). */
  readonly procedure: Call | undefined;
}

export type QueryBody = Select | SetOperation | Values | TableQuery | Query;

export interface With {
  readonly kind: 'with';
  readonly isRecursive: boolean;
  readonly tables: readonly CommonTable[];
}

export interface CommonTable {
  readonly kind: 'common-table';
  readonly name: string;
  /** Undefined: named by its query. */
  readonly columns: readonly string[] | undefined;
  readonly query: Query;
}

export interface Select {
  readonly kind: 'select';
  readonly isDistinct: boolean;
  readonly items: readonly SelectItem[];
  /** Empty: no FROM, or FROM DUAL. Several: separated by commas. */
  readonly from: readonly TableReference[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | undefined;
  readonly windows: readonly WindowSpecification[];
  readonly into: readonly Into[];
}

export interface SelectItem {
  readonly kind: 'item';
  readonly value: Expression | Star;
  readonly alias: string | undefined;
  /** The expression as written: the name of the column where there is no alias and it is no column. */
  readonly text: string;
}

/** `*`, `t.*`, `db.t.*`. */
export interface Star {
  readonly kind: 'star';
  readonly schema: string | undefined;
  readonly table: string | undefined;
}

/** UNION, EXCEPT, INTERSECT, MINUS: a flat chain, at least two. */
export interface SetOperation {
  readonly kind: 'set-operation';
  /** One fewer than `queries`: what stands before each but the first. */
  readonly operators: readonly ('union' | 'except' | 'intersect')[];
  /** One for each of `operators`: UNION ALL and its kin. */
  readonly isAll: readonly boolean[];
  readonly queries: readonly QueryBody[];
}

/** VALUES (1, 2), (3, 4); VALUES ROW(1, 2). */
export interface Values {
  readonly kind: 'values';
  readonly rows: readonly Row[];
}

/** TABLE t. */
export interface TableQuery {
  readonly kind: 'table-query';
  readonly table: QualifiedName;
}

export type Into =
  | { readonly kind: 'into-file'; readonly form: 'outfile' | 'dumpfile'; readonly path: string }
  | {
      readonly kind: 'into-variables';
      /** `@v` or a local variable of a routine. */
      readonly targets: readonly (UserVariable | ColumnReference)[];
    };

// --- Table references --------------------------------------------------------------------------

export type TableReference = Table | DerivedTable | JsonTable | TableFunction | Join | TableList;

export interface Table {
  readonly kind: 'table';
  /** May be a common table where `schema` is undefined: scopes are the walker's business. */
  readonly name: QualifiedName;
  readonly alias: string | undefined;
  /** FOR SYSTEM_TIME, FOR PORTION OF: the expressions in it. */
  readonly period: readonly Expression[];
  /** FOR SYSTEM_TIME: rows that were deleted or changed are shown. */
  readonly isHistoric: boolean;
}

export interface DerivedTable {
  readonly kind: 'derived';
  readonly query: Query;
  readonly isLateral: boolean;
  readonly alias: string | undefined;
  readonly columns: readonly string[] | undefined;
  /** FOR SYSTEM_TIME behind it (MariaDB). */
  readonly period: readonly Expression[];
}

export interface JsonTable {
  readonly kind: 'json-table';
  readonly value: Expression;
  /** Names of all its columns, NESTED ones as well, in order. */
  readonly columns: readonly string[];
  readonly alias: string | undefined;
}

/** A call where a table stands; what columns it gives is unknown. */
export interface TableFunction {
  readonly kind: 'table-function';
  readonly call: Call;
  readonly alias: string | undefined;
}

export interface Join {
  readonly kind: 'join';
  readonly type: 'inner' | 'left' | 'right' | 'full';
  readonly isNatural: boolean;
  readonly left: TableReference;
  readonly right: TableReference;
  readonly on: readonly Expression[];
  readonly using: readonly string[] | undefined;
}

/** `(a, b JOIN c)`: a cross join in parentheses. An alias is not legal there; it is kept if given. */
export interface TableList {
  readonly kind: 'table-list';
  readonly tables: readonly TableReference[];
  readonly alias: string | undefined;
}
