/**
 * Whether a PL/pgSQL body fetches rows of a cursor that it did not open itself: its query was judged for the
 * client it gives rows to, and not for a body that does anything with them (PG-39). Reads the tree that
 * libpg-query gives; the queries in it are taken out in postgres-routines.ts.
 */

import { isTree, list, type Tree, unwrap } from './postgres-tree.ts';

/** Deeper than this the body is opaque anyway. */
const DEPTH_MAX = 1000;

interface Found {
  /** Numbers of the variables that a FETCH reads; undefined: number 0, which is a parameter. */
  readonly fetched: (number | undefined)[];
  /** Numbers of variables that something is put into. */
  readonly assigned: Set<unknown>;
  /** CALL may put something into any variable. */
  isAnyAssigned: boolean;
}

/**
 * A cursor variable names a portal. Declared in the body, never given a value but by OPEN, it names one
 * whose query stands in the body; a parameter, a default or an assignment may name any of the session's.
 */
export function fetchesFromElsewhere(functions: readonly Tree[]): boolean {
  return functions.some((tree) => {
    const found: Found = { fetched: [], assigned: new Set(), isAnyAssigned: false };
    collect(tree, found, 0);
    const datums = list(tree['datums']);
    return found.fetched.some(
      (number) =>
        number === undefined ||
        found.isAnyAssigned ||
        found.assigned.has(number) ||
        !isOwn(datums[number]),
    );
  });
}

/** Parameters have no line; what else is not a plain variable is not understood. */
function isOwn(datum: unknown): boolean {
  const node = unwrap(datum);
  return (
    node?.type === 'PLpgSQL_var' &&
    typeof node.tree['lineno'] === 'number' &&
    node.tree['default_val'] === undefined
  );
}

function collect(value: unknown, found: Found, depth: number): void {
  if (depth > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    for (const entry of value) collect(entry, found, depth + 1);
    return;
  }
  if (!isTree(value)) return;
  const node = unwrap(value);
  if (node?.type === 'PLpgSQL_stmt_fetch' && node.tree['is_move'] !== true) {
    const number = node.tree['curvar'];
    found.fetched.push(typeof number === 'number' ? number : undefined);
  }
  if (node?.type === 'PLpgSQL_stmt_call') found.isAnyAssigned = true;
  // An assignment and the fields of an INTO; GET DIAGNOSTICS has a bare number.
  for (const field of ['varno', 'target'])
    if (typeof value[field] === 'number') found.assigned.add(value[field]);
  for (const field in value) collect(value[field], found, depth + 1);
}
