/**
 * The large-object routines that clients call by number with the FunctionCall message (libpq's lo_*,
 * pgjdbc's LargeObject API), and what each does. Every other routine called that way is code past the
 * statement parser and is refused (PG-46). Numbers are pg_proc's own, the same in every version.
 */

import type { Effect } from '../sql/analysis.ts';

export interface LargeObjectRoutine {
  readonly name: string;
  /** At least those of a call of it in SQL. */
  readonly effects: readonly Effect[];
}

const ROUTINES: ReadonlyMap<number, LargeObjectRoutine> = new Map([
  [715, { name: 'lo_create', effects: ['create', 'update'] }],
  [952, { name: 'lo_open', effects: ['read'] }],
  [953, { name: 'lo_close', effects: ['session'] }],
  [954, { name: 'loread', effects: ['read'] }],
  [955, { name: 'lowrite', effects: ['update'] }],
  [956, { name: 'lo_lseek', effects: ['session'] }],
  [957, { name: 'lo_creat', effects: ['create', 'update'] }],
  [958, { name: 'lo_tell', effects: ['session'] }],
  [964, { name: 'lo_unlink', effects: ['delete'] }],
  [1004, { name: 'lo_truncate', effects: ['delete', 'truncate'] }],
  [3170, { name: 'lo_lseek64', effects: ['session'] }],
  [3171, { name: 'lo_tell64', effects: ['session'] }],
  [3172, { name: 'lo_truncate64', effects: ['delete', 'truncate'] }],
]);

export function findLargeObjectRoutine(oid: number): LargeObjectRoutine | undefined {
  return ROUTINES.get(oid);
}
