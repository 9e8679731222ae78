/**
 * Names in sight at one place of a query, and what a column reference there may mean. Scopes nest as
 * subqueries do. Where a name may mean several things, it is masked when one of them is.
 */

import type { ColumnReference, Star } from './ast.ts';
import { foldName, isSameName, mayBeSameName } from './lineage-names.ts';

/** What a name gets that is not listed among the columns: only of an unknown number of columns. */
export type Unlisted =
  | 'clear'
  /** Of a table that nobody knows: masked if a masked column anywhere has this name. */
  | 'suspicious'
  | 'masked'
  /** Of a recursive common table that has not been looked at yet. */
  | 'pending';

export interface Origin {
  /** `schema.table`, as the catalog spells it. */
  readonly relation: string;
  readonly column: string;
}

export interface Column {
  readonly name: string;
  /** The server makes the name up from the expression, and it may be another one than this. */
  readonly isGuessed?: boolean;
  /** The masked column whose values reach this one; undefined: none does. */
  readonly masked: string | undefined;
  /** Of a column of a table as it is. */
  readonly origin: Origin | undefined;
  /** Defined: this stands for an unknown number of columns. */
  readonly run: Unlisted | undefined;
}

/** One thing in FROM. */
export interface Source {
  readonly alias: string | undefined;
  readonly schema: string | undefined;
  /** In the order of `*`. */
  readonly columns: readonly Column[];
  /** Columns that `*` leaves out. */
  readonly hidden: readonly Column[];
}

export interface Scope {
  readonly sources: Source[];
  /** What a bare `*` stands for: joined columns come once. */
  star: readonly Column[];
  /** The output columns so far; their names can be used by other clauses and by subqueries. */
  readonly aliases: Column[];
  /** ORDER BY, GROUP BY and HAVING see the output columns of their own query. */
  showsAliases: boolean;
  readonly outer: Scope | undefined;
}

/** More than any server takes (4096 columns), or more work than a statement is worth. */
export class LineageTooLargeError extends Error {}

export const COLUMNS_MAX = 8192;

export function createScope(outer: Scope | undefined): Scope {
  return { sources: [], star: [], aliases: [], showsAliases: false, outer };
}

export interface Resolved {
  readonly masked: string | undefined;
  readonly origin: Origin | undefined;
  /** As the table spells it. */
  readonly name: string;
}

/** What a name means that nothing in sight explains. */
export interface Unexplained {
  /** A masked column somewhere is called so. */
  readonly isMaskedName: (name: string) => boolean;
  /** In a body with variables of its own; such a name is one of them. */
  readonly isRoutine: boolean;
}

export function resolveColumn(
  reference: ColumnReference,
  scope: Scope | undefined,
  unexplained: Unexplained,
): Resolved {
  const found: Column[] = [];
  let isSettled = false;
  for (let level = scope; level !== undefined && !isSettled; level = level.outer) {
    const candidates = candidatesAt(level, reference, level !== scope || level.showsAliases);
    const listed = candidates.filter((column) => column.run === undefined);
    isSettled = listed.some((column) => isSurely(column, reference.name));
    found.push(...listed.filter((column) => mayMean(column, reference.name, isSettled)));
    // It may be one of the unknown ones, or stand further out.
    if (!isSettled) found.push(...candidates.filter((column) => column.run !== undefined));
  }
  if (found.length === 0 && !unexplained.isRoutine) {
    // The server knows what this names, or refuses the statement: nothing masked may be what it means.
    const masked = firstMaskedIn(reference, scope);
    if (masked !== undefined) return { masked, origin: undefined, name: reference.name };
  }
  return judge(reference.name, found, isSettled, unexplained);
}

function isSurely({ name, isGuessed }: Column, wanted: string): boolean {
  return isGuessed !== true && isSameName(name, wanted);
}

/** A masked column whose name is guessed may be any name that nothing else has (MY-64). */
function mayMean(column: Column, wanted: string, isSettled: boolean): boolean {
  if (mayBeSameName(column.name, wanted)) return true;
  return !isSettled && column.isGuessed === true && column.masked !== undefined;
}

function firstMaskedIn(reference: ColumnReference, scope: Scope | undefined): string | undefined {
  for (let level = scope; level !== undefined; level = level.outer) {
    const masked = candidatesAt(level, reference, false).find((one) => one.masked !== undefined);
    if (masked !== undefined) return masked.masked;
  }
  return undefined;
}

function candidatesAt(level: Scope, reference: ColumnReference, withAliases: boolean): Column[] {
  const { table, schema } = reference;
  const sources = level.sources.filter((source) => isMeant(source, schema, table));
  const columns = sources.flatMap((source) => [...source.columns, ...source.hidden]);
  const isBare = table === undefined;
  return isBare && withAliases ? [...columns, ...level.aliases] : columns;
}

function isMeant(source: Source, schema: string | undefined, table: string | undefined): boolean {
  if (table === undefined) return true;
  if (source.alias === undefined || !mayBeSameName(source.alias, table)) return false;
  return (
    schema === undefined || source.schema === undefined || mayBeSameName(source.schema, schema)
  );
}

function judge(
  name: string,
  found: readonly Column[],
  isSettled: boolean,
  unexplained: Unexplained,
): Resolved {
  const listed = found.filter((column) => column.run === undefined);
  const masked = listed.find((column) => column.masked !== undefined)?.masked;
  const [only] = listed;
  if (only !== undefined && (masked !== undefined || isSettled)) {
    // Of several, each of which may be meant, none is the origin of a masked one.
    const origin = masked === undefined || listed.length === 1 ? only.origin : undefined;
    return { masked, origin, name: only.isGuessed === true ? name : only.name };
  }
  const runs = found.filter((column) => column.run !== undefined);
  const [run] = runs;
  const relation = runs.length === 1 ? run?.origin?.relation : undefined;
  return {
    masked: maskedAmong(name, runs, unexplained),
    origin: relation === undefined ? undefined : { relation, column: name },
    name,
  };
}

/** Of a name that is not listed anywhere. */
function maskedAmong(
  name: string,
  runs: readonly Column[],
  { isRoutine, isMaskedName }: Unexplained,
): string | undefined {
  const hiding = runs.find((run) => run.run === 'masked');
  if (hiding !== undefined) return hiding.masked;
  const isTrusted = runs.length > 0 && runs.every(isTrustedRun);
  if (isTrusted || (isRoutine && runs.length === 0)) return undefined;
  // A table that nobody knows, a column that was made a moment ago, or a mistake.
  return isMaskedName(name) ? name : undefined;
}

function isTrustedRun({ run }: Column): boolean {
  return run === 'clear' || run === 'pending';
}

/** The columns that a star stands for; undefined: no such table is in sight. */
export function expandStar(star: Star, scope: Scope): readonly Column[] | undefined {
  if (star.table === undefined) return scope.star;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.outer) {
    const sources = level.sources.filter((source) => isMeant(source, star.schema, star.table));
    const exact = sources.filter(
      (source) => foldName(source.alias ?? '') === foldName(star.table ?? ''),
    );
    const [only] = exact.length > 0 ? exact : sources;
    if (only !== undefined && Math.max(exact.length, 1) === 1) return only.columns;
    if (exact.length > 1) return exact.some(isTainted) ? undefined : [unknownRun()];
  }
  return undefined;
}

function isTainted(source: Source): boolean {
  return source.columns.some((column) => column.masked !== undefined);
}

export function unknownRun(): Column {
  return { name: '*', masked: undefined, origin: undefined, run: 'suspicious' };
}

/** Columns under other names (`AS t (a, b)`); with an unknown number of them any may be any. */
export function renameColumns(
  columns: readonly Column[],
  names: readonly string[] | undefined,
): readonly Column[] {
  if (names === undefined) return columns;
  if (columns.every((column) => column.run === undefined) && columns.length === names.length)
    return columns.map((column, index) => ({
      ...column,
      name: names[index] ?? column.name,
      isGuessed: false,
    }));
  const masked = columns.find((column) => column.masked !== undefined)?.masked;
  return names.map((name) => ({ name, masked, origin: undefined, run: undefined }));
}
