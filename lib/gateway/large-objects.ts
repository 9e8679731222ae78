/**
 * The large-object routines that clients call by number with the FunctionCall message (libpq's lo_*,
 * pgjdbc's LargeObject API), and what each does. Every other routine called that way is code past the
 * statement parser and is refused (PG-46). Numbers are pg_proc's own, the same in every version.
 */

import type { Effect } from '../sql/analysis.ts';

export interface LargeObjectRoutine {
  readonly name: string;
  readonly effect: Effect;
}

const ROUTINES: ReadonlyMap<number, LargeObjectRoutine> = new Map([
  [715, { name: 'lo_create', effect: 'create' }],
  [952, { name: 'lo_open', effect: 'read' }],
  [953, { name: 'lo_close', effect: 'session' }],
  [954, { name: 'loread', effect: 'read' }],
  [955, { name: 'lowrite', effect: 'update' }],
  [956, { name: 'lo_lseek', effect: 'session' }],
  [957, { name: 'lo_creat', effect: 'create' }],
  [958, { name: 'lo_tell', effect: 'session' }],
  [964, { name: 'lo_unlink', effect: 'delete' }],
  [1004, { name: 'lo_truncate', effect: 'truncate' }],
  [3170, { name: 'lo_lseek64', effect: 'session' }],
  [3171, { name: 'lo_tell64', effect: 'session' }],
  [3172, { name: 'lo_truncate64', effect: 'truncate' }],
]);

export function findLargeObjectRoutine(oid: number): LargeObjectRoutine | undefined {
  return ROUTINES.get(oid);
}
