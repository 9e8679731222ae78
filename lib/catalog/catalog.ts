/**
 * What the upstream's catalog says, as a snapshot in memory. It is read on a connection of the
 * gateway's own (GW-7), never on a client's.
 */

import type { SqlReader } from '../sql/analysis.ts';

/** What decides how the server reads a text: that of the contract, as readers of SQL take it. */
export type TextReading = NonNullable<Parameters<SqlReader['analyzeRoutine']>[3]>;

export interface CatalogColumn {
  readonly attribute: number;
  readonly name: string;
  /** Of a generated column: the attributes it is computed from; 0 stands for the whole row. */
  readonly computedFrom?: readonly number[];
  /** `SELECT *` leaves it out (MySQL). */
  readonly isInvisible?: boolean;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r p v m f ... */
  readonly kind: string;
  readonly columns: readonly CatalogColumn[];
  /**
   * A table whose columns the server does not show (MySQL): it is being made or dropped, or they are
   * hidden from the user that reads the catalog. Which columns it has, nobody knows.
   */
  readonly isHalf?: boolean;
  /** Oids of the relations it is a partition or child of. */
  readonly parents: readonly number[];
  /** Only for views and materialized views: pg_get_viewdef, and the oids of the relations it reads. */
  readonly definition: string | undefined;
  readonly reads: readonly number[];
  /**
   * Routines with a readable body that run when it is used without being named in the statement; left
   * out where there are none. `calls`: of a view's definition and of row policies, when it is read.
   */
  readonly calls?: readonly CatalogRoutine[];
  /** Of defaults, checks, generated columns, index expressions and partition keys, when it is written. */
  readonly callsOnWrite?: readonly CatalogRoutine[];
  readonly triggers?: readonly CatalogRoutine[];
  /** Of its columns' types: casts, domain checks, comparisons. */
  readonly callsOfTypes?: readonly CatalogRoutine[];
  /** Its rewrite rules for INSERT, UPDATE and DELETE. */
  readonly rules?: readonly CatalogRule[];
  /** Oids of the tables whose rows change with its own by a foreign key (ON DELETE CASCADE and its kin). */
  readonly cascades?: readonly number[];
  /** Those of them that lose their rows with its own (ON DELETE CASCADE alone). */
  readonly deletesIn?: readonly number[];
}

export interface CatalogRule {
  readonly oid: number;
  readonly name: string;
  /** pg_get_ruledef, or undefined where it could not be read. */
  readonly definition: string | undefined;
}

/** A function or procedure whose body is not compiled into the server: its text can be read. */
export interface CatalogRoutine {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly language: string;
  /** pg_get_functiondef, or undefined where the gateway's user may not read it. */
  readonly definition: string | undefined;
  /**
   * pg_catalog has one of the same name and argument types, and is searched first: without its schema
   * this one cannot be meant, unless a search_path puts pg_catalog behind another schema (PG-72).
   */
  readonly isShadowed?: boolean;
  /** Its text is read in its own database and modes, not in its caller's (MySQL). */
  readonly reading?: TextReading;
}

/** What runs for an operator or a type of this name. */
export interface NamedRoutine {
  readonly schema: string;
  readonly name: string;
  readonly isShadowed?: boolean;
  readonly routine: CatalogRoutine;
}

export interface CatalogSnapshot {
  /** Counts up with every reload that found a change. */
  readonly version: number;
  relation(oid: number): CatalogRelation | undefined;
  relations(): readonly CatalogRelation[];
  relationsNamed(name: string): readonly CatalogRelation[];
  /** Oids of its partitions and inheritance children, one level. */
  childrenOf(oid: number): readonly number[];
  /** Routines of languages other than `internal` and `c`, whatever their schema. */
  routinesNamed(name: string): readonly CatalogRoutine[];
  /** Routines behind the operators of this name, user-defined ones only. */
  operatorRoutines(name: string): readonly CatalogRoutine[];
  operatorsNamed(name: string): readonly NamedRoutine[];
  /** Routines of casts from and to the types of this name, of their domain checks and comparisons. */
  typesNamed(name: string): readonly NamedRoutine[];
  /**
   * The same by the server's number of a type, as clients declare those of parameters: what runs when a
   * value of it is made. Undefined: there is no such type here.
   */
  routinesOfType(oid: number): readonly CatalogRoutine[] | undefined;
  /** What runs with every change of a definition, whatever it is of (event triggers). */
  routinesOnDefine(): readonly CatalogRoutine[];
  hasSchema(name: string): boolean;
  schemas(): Iterable<string>;
  /** The same object in every snapshot of one catalog; undefined: of none that is read again. */
  readonly source?: object;
  /** Of catalogs that are read for more than one kind of server (MySQL, MariaDB). */
  readonly server?: TextReading['server'];
}

export interface Catalog {
  /** The latest snapshot if it is fresh, else a promise of it. Rejects with GatewayError when it cannot be read. */
  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot>;
  /** The next `snapshot()` reads again. */
  invalidate(): void;
  close(): Promise<void>;
}
