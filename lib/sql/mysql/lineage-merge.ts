/** Columns of set operations and of joins that merge columns, by position and by name. */

import { foldName, isAsciiName } from './lineage-names.ts';
import { type Column, unknownRun } from './lineage-scope.ts';

function firstMasked(columns: readonly Column[]): string | undefined {
  return columns.find((column) => column.masked !== undefined)?.masked;
}

function hasRun(columns: readonly Column[]): boolean {
  return columns.some((column) => column.run !== undefined);
}

function isSettled(columns: readonly Column[]): boolean {
  return columns.every((column) => column.run !== 'pending');
}

/** A column is masked if it is so in any arm; names are those of the first. */
export function mergeArms(arms: readonly (readonly Column[])[]): readonly Column[] {
  // A recursive arm counts once its table is known by the other arms.
  const settled = arms.filter(isSettled);
  const counted = settled.length > 0 ? settled : arms;
  const [first = []] = counted;
  if (counted.length === 1)
    return first === arms[0] ? first : first.map((column) => ({ ...column, isGuessed: true }));
  if (counted.some(hasRun)) return mergeUncounted(counted);
  // Names are those of the first arm, which may not be counted yet.
  const isFirstCounted = first === arms[0];
  return first.map((column, index) => ({
    name: column.name,
    isGuessed: column.isGuessed === true || !isFirstCounted,
    masked: counted.map((columns) => columns[index]?.masked).find((name) => name !== undefined),
    origin: undefined,
    run: undefined,
  }));
}

/**
 * A recursive common table after another round. The arm that does not name it has set its width; what
 * a later round adds can only be masks.
 */
export function growColumns(
  before: readonly Column[],
  after: readonly Column[],
): readonly Column[] {
  if (before.some((column) => column.run === 'pending')) return after;
  if (hasRun(before) || hasRun(after)) {
    const masked = firstMasked(after);
    return masked === undefined ? before : before.map((column) => maskColumn(column, masked));
  }
  return before.map((column, index) => maskColumn(column, after[index]?.masked));
}

function maskColumn(column: Column, masked: string | undefined): Column {
  if (masked === undefined || column.masked !== undefined) return column;
  return { ...column, masked, run: column.run === undefined ? undefined : 'masked' };
}

/** With an unknown number of columns in one arm, its masked ones may stand anywhere. */
function mergeUncounted(arms: readonly (readonly Column[])[]): readonly Column[] {
  const masked = firstMasked(arms.flat());
  const counted = arms.find((columns) => !hasRun(columns));
  if (counted !== undefined)
    return counted.map(({ name }) => ({
      name,
      isGuessed: true,
      masked,
      origin: undefined,
      run: undefined,
    }));
  return [masked === undefined ? unknownRun() : { ...unknownRun(), masked, run: 'masked' }];
}

/** Equal for two lists that mask the same places. */
export function spanOf(columns: readonly Column[]): string {
  return columns
    .map((column) => `${column.run ?? ''}${column.masked === undefined ? '-' : '+'}`)
    .join();
}

export interface JoinSides {
  readonly left: readonly Column[];
  readonly right: readonly Column[];
  readonly isRight: boolean;
  /** The server is known to put the columns of the right side of a RIGHT JOIN first. */
  readonly isOrderKnown: boolean;
}

/** The columns of `*` over a JOIN with USING or NATURAL: merged ones first, in the first side's order. */
export function joinColumns(
  { left, right, isRight, isOrderKnown }: JoinSides,
  using: readonly string[] | undefined,
): readonly Column[] {
  const [first, second] = isRight ? [right, left] : [left, right];
  const both = [...first, ...second];
  if (using === undefined && hasRun(both)) return [runOver(both)];
  // Which columns the server takes for the same cannot be told, so neither can their places.
  if (firstMasked(both) !== undefined && both.some(isUncertain)) return [runOver(both)];
  const names = new Set((using ?? namesOf(first)).map(foldName));
  const isShared = (column: Column): boolean =>
    column.run === undefined && names.has(foldName(column.name));
  const others = new Map<string, Column>();
  for (const column of second) if (isShared(column)) others.set(foldName(column.name), column);
  // USING names a column of something with unknown columns: in which order they come is unknown, too.
  const isPartial = using !== undefined && hasRun(both);
  if (isPartial && firstMasked(both) !== undefined) return [runOver(both)];
  const merged = first
    .filter((column) => isShared(column) && others.has(foldName(column.name)))
    .map((column): Column => {
      const other = others.get(foldName(column.name));
      return { ...column, masked: column.masked ?? other?.masked };
    });
  const taken = new Set(merged.map((column) => foldName(column.name)));
  const rest = (columns: readonly Column[]): readonly Column[] =>
    columns.filter((column) => column.run !== undefined || !taken.has(foldName(column.name)));
  const columns = [...merged, ...rest(first), ...rest(second)];
  const masked = firstMasked(columns);
  if (!isRight || isOrderKnown || masked === undefined) return columns;
  return columns.map((column) => ({ ...column, masked, origin: undefined }));
}

function isUncertain({ name, isGuessed }: Column): boolean {
  return isGuessed === true || !isAsciiName(name);
}

function namesOf(columns: readonly Column[]): readonly string[] {
  return columns.map((column) => column.name);
}

function runOver(columns: readonly Column[]): Column {
  const masked = firstMasked(columns);
  return masked === undefined ? unknownRun() : { ...unknownRun(), masked, run: 'masked' };
}
