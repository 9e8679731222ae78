/** Statements: the half of ast.ts above expressions and queries. */

import type {
  ColumnReference,
  Expression,
  Into,
  QualifiedName,
  Query,
  Row,
  SelectItem,
  Table,
  TableReference,
  UserVariable,
  VariableScope,
  With,
} from './ast-query.ts';

export type Statement =
  | SelectStatement
  | InsertStatement
  | UpdateStatement
  | DeleteStatement
  | LoadStatement
  | CallStatement
  | DoStatement
  | SetStatement
  | HandlerStatement
  | ShowStatement
  | ExplainStatement
  | PrepareStatement
  | ExecuteStatement
  | DeallocateStatement
  | UseStatement
  | CreateTableStatement
  | CreateViewStatement
  | CreateRoutineStatement
  | CreateTriggerStatement
  | CreateEventStatement
  | AlterTableStatement
  | DefinitionStatement
  | RenameStatement
  | TruncateStatement
  | GrantStatement
  | LockStatement
  | UtilityStatement
  | CompoundStatement
  | DeclareStatement
  | ReturnStatement;

export interface SelectStatement {
  readonly kind: 'select-statement';
  readonly query: Query;
}

export interface ColumnAssignment {
  readonly kind: 'column-assignment';
  readonly column: ColumnReference;
  readonly value: Expression;
}

export interface InsertStatement {
  readonly kind: 'insert';
  readonly verb: 'insert' | 'replace';
  /** WITH before the INSERT itself, should a server have it; the query has its own. */
  readonly with: With | undefined;
  readonly table: QualifiedName;
  /** Undefined: all columns in order. Of INSERT ... SET the columns stand in `set`. */
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly Row[];
  readonly set: readonly ColumnAssignment[];
  readonly query: Query | undefined;
  /** VALUES (...) AS new(a, b). */
  readonly rowAlias: string | undefined;
  readonly rowColumns: readonly string[] | undefined;
  readonly onDuplicate: readonly ColumnAssignment[];
  readonly returning: readonly SelectItem[] | undefined;
}

export interface UpdateStatement {
  readonly kind: 'update';
  readonly with: With | undefined;
  readonly tables: readonly TableReference[];
  readonly set: readonly ColumnAssignment[];
  readonly where: Expression | undefined;
  readonly orderBy: readonly Expression[];
  readonly limit: readonly Expression[];
  readonly returning: readonly SelectItem[] | undefined;
}

export interface DeleteStatement {
  readonly kind: 'delete';
  readonly with: With | undefined;
  /** Multi-table forms: names or aliases from `tables` (`t.*` without its star). Empty in the single-table form. */
  readonly targets: readonly QualifiedName[];
  readonly tables: readonly TableReference[];
  readonly isHistory: boolean;
  readonly where: Expression | undefined;
  readonly orderBy: readonly Expression[];
  readonly limit: readonly Expression[];
  readonly returning: readonly SelectItem[] | undefined;
}

/** LOAD DATA, LOAD XML. */
export interface LoadStatement {
  readonly kind: 'load';
  readonly isLocal: boolean;
  readonly verb: 'insert' | 'replace';
  readonly path: string;
  readonly table: QualifiedName;
  readonly targets: readonly (ColumnReference | UserVariable)[];
  readonly set: readonly ColumnAssignment[];
  readonly expressions: readonly Expression[];
}

export interface CallStatement {
  readonly kind: 'call-statement';
  readonly name: QualifiedName;
  readonly args: readonly Expression[];
}

export interface DoStatement {
  readonly kind: 'do';
  readonly items: readonly SelectItem[];
}

export interface SetStatement {
  readonly kind: 'set';
  readonly items: readonly SetItem[];
  /** MariaDB: SET STATEMENT ... FOR this. */
  readonly statement: Statement | undefined;
}

export type SetItem =
  | {
      readonly kind: 'set-system';
      readonly scope: VariableScope;
      /** As written, in lower case; may be `cache.variable`, or a routine's local variable, NEW.c. */
      readonly name: string;
      /** True: spelled `@@`, GLOBAL, SESSION, ..., so it is no local variable. */
      readonly isSystem: boolean;
      readonly value: Expression;
    }
  | { readonly kind: 'set-user'; readonly variable: UserVariable; readonly value: Expression }
  /** SET NAMES and SET CHARACTER SET; `charset` in lower case, undefined: not a plain name. */
  | {
      readonly kind: 'set-charset';
      readonly form: 'names' | 'character-set';
      readonly charset: string | undefined;
      readonly value: Expression | undefined;
    }
  | {
      readonly kind: 'set-other';
      readonly what: 'transaction' | 'password' | 'role' | 'default-role' | 'resource-group';
      readonly scope: VariableScope;
      /** SET PASSWORD ... = PASSWORD(e). */
      readonly expressions: readonly Expression[];
    };

export interface HandlerStatement {
  readonly kind: 'handler';
  readonly action: 'open' | 'read' | 'close';
  /** At READ and CLOSE it may be an alias given at OPEN. */
  readonly table: QualifiedName;
  readonly alias: string | undefined;
  readonly expressions: readonly Expression[];
}

export interface ShowStatement {
  readonly kind: 'show';
  /** Its words in upper case, modifiers (FULL, GLOBAL, ...) dropped: `COLUMNS`, `CREATE TABLE`, `TABLE STATUS`. */
  readonly what: string;
  /** What it shows: of COLUMNS, INDEX, CREATE x. Schema from `FROM db` where given. */
  readonly object: QualifiedName | undefined;
  readonly database: string | undefined;
  readonly where: Expression | undefined;
}

export interface ExplainStatement {
  readonly kind: 'explain';
  /** EXPLAIN ANALYZE, ANALYZE: the statement runs. */
  readonly isAnalyze: boolean;
  readonly statement: Statement | undefined;
  /** DESCRIBE t. */
  readonly table: QualifiedName | undefined;
  /** EXPLAIN FOR CONNECTION n: shows another session's statement. */
  readonly isForConnection: boolean;
  /** FORMAT = this, in upper case; undefined: none given. */
  readonly format: string | undefined;
  /** EXPLAIN ... INTO @v (MySQL). */
  readonly into: readonly Into[];
}

export interface PrepareStatement {
  readonly kind: 'prepare';
  readonly name: string;
  readonly from: Expression;
}

/** EXECUTE s USING ..., EXECUTE IMMEDIATE e USING ... */
export interface ExecuteStatement {
  readonly kind: 'execute';
  /** Undefined: IMMEDIATE. */
  readonly name: string | undefined;
  readonly from: Expression | undefined;
  readonly using: readonly Expression[];
}

export interface DeallocateStatement {
  readonly kind: 'deallocate';
  readonly name: string;
}

export interface UseStatement {
  readonly kind: 'use';
  readonly database: string;
}

/** Also CREATE SEQUENCE (`object`). */
export interface CreateTableStatement {
  readonly kind: 'create-table';
  readonly isTemporary: boolean;
  /** CREATE OR REPLACE drops what is there (MY-45). */
  readonly isReplacing: boolean;
  readonly table: QualifiedName;
  readonly like: QualifiedName | undefined;
  readonly query: Query | undefined;
  readonly foreignKeys: readonly ForeignKey[];
  /** UNION = (...) of MERGE tables: their rows are those of the new table. */
  readonly unions: readonly QualifiedName[];
  /** DEFAULT, CHECK, GENERATED, partition and option expressions, as far as they hold calls or columns. */
  readonly expressions: readonly Expression[];
  /** Options that reach outside the database: DATA DIRECTORY, CONNECTION, ENGINE=..., upper case. */
  readonly options: readonly TableOption[];
}

/** REFERENCES t (a, b). */
export interface ForeignKey {
  readonly kind: 'foreign-key';
  readonly table: QualifiedName;
  /** Of the table it refers to; empty: none named. */
  readonly columns: readonly string[];
}

export interface TableOption {
  readonly kind: 'option';
  readonly name: string;
  readonly value: string;
}

export interface CreateViewStatement {
  readonly kind: 'create-view';
  readonly verb: 'create' | 'alter';
  readonly isReplacing: boolean;
  readonly view: QualifiedName;
  readonly columns: readonly string[] | undefined;
  readonly query: Query;
}

export interface CreateRoutineStatement {
  readonly kind: 'create-routine';
  readonly type: 'procedure' | 'function' | 'package' | 'package-body';
  readonly isReplacing: boolean;
  readonly routine: QualifiedName;
  /** Undefined: a loadable function (SONAME), or nothing but a head. */
  readonly body: Statement | undefined;
  readonly isLoadable: boolean;
  readonly expressions: readonly Expression[];
}

export interface CreateTriggerStatement {
  readonly kind: 'create-trigger';
  readonly isReplacing: boolean;
  readonly trigger: QualifiedName;
  readonly table: QualifiedName;
  readonly body: Statement;
}

/** CREATE EVENT and ALTER EVENT. */
export interface CreateEventStatement {
  readonly kind: 'create-event';
  readonly verb: 'create' | 'alter';
  readonly isReplacing: boolean;
  readonly event: QualifiedName;
  readonly newName: QualifiedName | undefined;
  readonly expressions: readonly Expression[];
  readonly body: Statement | undefined;
}

export interface AlterTableStatement {
  readonly kind: 'alter-table';
  /** ALTER IGNORE: rows that a new key does not allow are deleted. */
  readonly isIgnoring: boolean;
  readonly table: QualifiedName;
  readonly actions: readonly AlterAction[];
}

export interface AlterAction {
  readonly kind: 'alter-action';
  /** First word, or words where two tell it: `ADD`, `DROP`, `DROP PARTITION`, `RENAME`, `EXCHANGE PARTITION`, ... */
  readonly action: string;
  /** RENAME TO, EXCHANGE PARTITION ... WITH TABLE, CONVERT TABLE: the other table. */
  readonly other: QualifiedName | undefined;
  readonly foreignKeys: readonly ForeignKey[];
  readonly unions: readonly QualifiedName[];
  readonly expressions: readonly Expression[];
  readonly options: readonly TableOption[];
}

/** CREATE, ALTER and DROP of anything that has no node of its own. */
export interface DefinitionStatement {
  readonly kind: 'definition';
  readonly verb: 'create' | 'alter' | 'drop';
  /** `TABLE`, `VIEW`, `INDEX`, `DATABASE`, `USER`, `ROLE`, `SERVER`, `TABLESPACE`, ... in upper case. */
  readonly object: string;
  readonly isTemporary: boolean;
  readonly isReplacing: boolean;
  readonly names: readonly QualifiedName[];
  /** The table of an index. */
  readonly table: QualifiedName | undefined;
  readonly expressions: readonly Expression[];
}

/** RENAME TABLE, RENAME USER. */
export interface RenameStatement {
  readonly kind: 'rename';
  readonly object: 'table' | 'user';
  readonly pairs: readonly RenamePair[];
}

export interface RenamePair {
  readonly kind: 'rename-pair';
  readonly from: QualifiedName;
  readonly to: QualifiedName;
}

export interface TruncateStatement {
  readonly kind: 'truncate';
  readonly tables: readonly QualifiedName[];
}

export interface GrantStatement {
  readonly kind: 'grant';
  readonly verb: 'grant' | 'revoke';
  /** ON t, ON db.*, ON PROCEDURE p; undefined: ON *.*, roles, PROXY. `*` is a name. */
  readonly object: QualifiedName | undefined;
  readonly objectType: 'relation' | 'function' | 'other';
}

/** LOCK TABLES, LOCK INSTANCE, UNLOCK. */
export interface LockStatement {
  readonly kind: 'lock';
  readonly verb: 'lock' | 'unlock';
  readonly tables: readonly Table[];
}

/**
 * Everything that has no structure worth a node: transactions, XA, FLUSH, KILL, replication, plugins,
 * CHECK TABLE, ... `verb` is its first words in upper case as effects-utility.ts lists them.
 */
export interface UtilityStatement {
  readonly kind: 'utility';
  readonly verb: string;
  readonly tables: readonly QualifiedName[];
  readonly expressions: readonly Expression[];
}

/** BEGIN ... END, IF, CASE, LOOP, WHILE, REPEAT, FOR, and handlers: everything in them runs, perhaps. */
export interface CompoundStatement {
  readonly kind: 'compound';
  readonly form: 'block' | 'if' | 'case' | 'loop' | 'while' | 'repeat' | 'for' | 'handler';
  readonly statements: readonly Statement[];
  /** Conditions and bounds. */
  readonly expressions: readonly Expression[];
  /** FOR rec IN (SELECT ...). */
  readonly queries: readonly Query[];
}

/** DECLARE of variables (with defaults), conditions and cursors. */
export interface DeclareStatement {
  readonly kind: 'declare';
  readonly names: readonly string[];
  readonly expressions: readonly Expression[];
  readonly cursor: Query | undefined;
  /** CURSOR FOR a statement prepared at run time. */
  readonly types: readonly QualifiedName[];
}

/** RETURN e, SIGNAL, RESIGNAL, GET DIAGNOSTICS, OPEN, FETCH, CLOSE, LEAVE, ITERATE. */
export interface ReturnStatement {
  readonly kind: 'return';
  readonly form: string;
  readonly expressions: readonly Expression[];
  readonly targets: readonly (UserVariable | ColumnReference)[];
}
