/**
 * What a reader of SQL tells about one statement text: plain data, cheap to clone between threads.
 * It depends on the text alone (and, for `exposure`, on the sensitive relations handed in): who asks
 * and what the rules say comes later, in lib/policy.
 */

import type { Reading } from '../../protocols/contract.ts';

export const EFFECTS = [
  'read',
  'insert',
  'update',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'grant',
  'call',
  'code',
  'copy-in',
  'copy-out',
  'file',
  'session',
  'lock',
  'notify',
  'replication',
  'admin',
  'unknown',
] as const;
export type Effect = (typeof EFFECTS)[number];

/** A name as the statement writes it, after case folding and unquoting. `schema` undefined: not given. */
export interface ObjectName {
  readonly kind: 'relation' | 'function' | 'operator' | 'schema' | 'database' | 'role' | 'other';
  readonly schema: string | undefined;
  readonly name: string;
}

export interface ObjectEffect {
  readonly effect: Effect;
  /** Undefined: the effect has no object of its own (SET, NOTIFY) or it cannot be told (then only `*` matches). */
  readonly object: ObjectName | undefined;
  /** How it came about, for people: "EXPLAIN ANALYZE", "DO body", "function purge()". */
  readonly via?: string;
}

/** One column of a result: a masked column as it is, something that no masked value reaches, or `*`. */
export type OutputKind = 'masked' | 'clear' | 'star';

/** A column of a relation, as the relations handed to the reader spell them. */
export interface ColumnSource {
  /** `schema.table` */
  readonly relation: string;
  readonly column: string;
}

/** How a text uses the sensitive relations it was analysed against. */
export interface Exposure {
  /** A sensitive relation is named anywhere in it. */
  readonly touches: boolean;
  /** Why a masked value could reach the client in a form that cannot be traced; undefined: it cannot. */
  readonly untraceable: string | undefined;
  /** Why a masked column steers the query (WHERE, JOIN, ORDER, ...); refused in strict mode. */
  readonly steers: string | undefined;
  /** One list for each top-level statement; undefined for one that gives no rows of its own. */
  readonly outputs: readonly (readonly OutputKind[] | undefined)[];
  /**
   * Beside `outputs`, from readers that trace columns themselves (MySQL): the column that an output is
   * as it is; undefined: it is none, or more than one. A list is left out where its outputs hold a star.
   */
  readonly sources?: readonly (readonly (ColumnSource | undefined)[] | undefined)[];
}

export interface StatementAnalysis {
  readonly kind: 'analysis';
  /** Parse-node names of the top-level statements: `SelectStmt`, ... Empty for an empty query (PG-45). */
  readonly statements: readonly string[];
  readonly effects: readonly ObjectEffect[];
  /** Every function called by name, at any depth; the catalog tells which have a body to be read. */
  readonly functions: readonly ObjectName[];
  /** Every operator used that is spelled with a schema or that is not built in. */
  readonly operators: readonly ObjectName[];
  /** Every type named, but those spelled with pg_catalog: casts and domain checks may run code (PG-62). */
  readonly types: readonly ObjectName[];
  /** Relations whose defaults, checks and triggers get a name that a catalog cannot know yet (RENAME, LIKE, INHERITS). */
  readonly takenOver: readonly ObjectName[];
  /** Its names may be looked up with pg_catalog behind other schemas, as a routine's SET clause says (PG-72). */
  readonly searchesCatalogLate: boolean;
  /** Why the server's lexer state could change (GW-3, PG-66); empty: it cannot. */
  readonly lexerHazards: readonly string[];
  /** The same analysis holds for every text of the same shape (literals replaced). */
  readonly isShapeStable: boolean;
  readonly exposure: Exposure | undefined;
}

export type AnalysisResult =
  | StatementAnalysis
  /** The server would refuse it too; `position` is 1-based in characters. */
  | {
      readonly kind: 'syntax-error';
      readonly message: string;
      readonly position: number | undefined;
    }
  /** Too large, too slow, too deep, a fault in the parser: it cannot be decided, so it is refused. */
  | { readonly kind: 'refused'; readonly reason: string };

/** A relation that holds masked values: a table, its partitions and children, a view over it. */
export interface SensitiveRelation {
  readonly schema: string;
  readonly name: string;
  /** Columns whose values are masked. */
  readonly masked: readonly string[];
  /** All its other columns, system columns not included. */
  readonly clear: readonly string[];
  /** It was sensitive, and the catalog does not show it any more. */
  readonly isGone?: boolean;
  /** All columns in the order of `SELECT *`, where the dialect's reader expands stars itself (MySQL). */
  readonly columns?: readonly string[];
}

/** A relation without masked values, for readers that expand stars themselves (MySQL). */
export interface PlainRelation {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

export interface SensitiveRelations {
  /** Changes whenever the content does; part of every cache key. */
  readonly version: string;
  readonly relations: readonly SensitiveRelation[];
  /** Everything else in the catalog; only where the dialect's reader needs it (MySQL). */
  readonly plain?: readonly PlainRelation[];
  /** What a masked column may be called in a relation that the catalog does not show (MySQL). */
  readonly suspects?: readonly string[];
}

/** One output column of a view, as its definition computes it. */
export type ViewColumn =
  | { readonly kind: 'column'; readonly name: string; readonly relation: string | undefined }
  | { readonly kind: 'expression'; readonly isTainted: boolean };

/** The reader of one dialect. Calls return at once when the answer is cached, a promise otherwise. */
export interface SqlReader {
  analyze(
    text: string,
    sensitive?: SensitiveRelations,
    reading?: Reading,
  ): AnalysisResult | Promise<AnalysisResult>;
  /** The body of a function or procedure: `language` in lower case, `definition` as pg_get_functiondef gives it. */
  analyzeRoutine(
    language: string,
    definition: string,
    sensitive?: SensitiveRelations,
    reading?: Reading,
  ): AnalysisResult | Promise<AnalysisResult>;
  /** How each output column of a view comes about, given the relations below it; undefined: cannot tell. */
  analyzeView(
    definition: string,
    sensitive: SensitiveRelations,
  ): Promise<readonly ViewColumn[] | undefined>;
  close(): Promise<void>;
}
