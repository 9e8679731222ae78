/**
 * Which routines run when a value is made, cast or compared: those of its type, of the types that this
 * one is made of (a domain's base, an array's element, the columns of a row), at any depth.
 */

import type { CatalogRoutine } from './catalog.ts';
import { numberIn, type Row } from './catalog-rows.ts';

export interface TypeRows {
  readonly types: readonly Row[];
  readonly typeCalls: readonly Row[];
  /** Of relations and composite types; `type` is their type. */
  readonly columns: readonly Row[];
}

export interface TypeRoutines {
  /** Most databases have no such routine at all. */
  readonly isEmpty: boolean;
  of(type: number): readonly CatalogRoutine[];
}

export function buildTypeRoutines(
  { types, typeCalls, columns }: TypeRows,
  callees: ReadonlyMap<number, readonly CatalogRoutine[]>,
): TypeRoutines {
  // A check may cast to another domain, which is then a callee as well.
  const parts = new Map<number, number[]>();
  const own = new Map<number, CatalogRoutine[]>();
  let isEmpty = true;
  for (const row of typeCalls) {
    const callee = numberIn(row, 'callee');
    const routines = callees.get(callee);
    if (routines === undefined) push(parts, numberIn(row, 'type'), [callee]);
    else {
      push(own, numberIn(row, 'type'), routines);
      isEmpty = false;
    }
  }
  if (isEmpty) return { isEmpty, of: () => [] };

  const typesOfRows = new Map<number, number[]>();
  for (const row of columns) push(typesOfRows, numberIn(row, 'relation'), [numberIn(row, 'type')]);
  for (const row of types) {
    const below = ['base', 'element', 'subtype'].map((key) => numberIn(row, key));
    const columnTypes = typesOfRows.get(numberIn(row, 'relation')) ?? [];
    push(parts, numberIn(row, 'oid'), [...below.filter((oid) => oid !== 0), ...columnTypes]);
  }
  const known = new Map<number, readonly CatalogRoutine[]>();
  return {
    isEmpty,
    of: (type) => {
      const found = known.get(type) ?? routinesBelow(type, parts, own);
      known.set(type, found);
      return found;
    },
  };
}

function routinesBelow(
  type: number,
  parts: ReadonlyMap<number, readonly number[]>,
  own: ReadonlyMap<number, readonly CatalogRoutine[]>,
): readonly CatalogRoutine[] {
  const found = new Map<number, CatalogRoutine>();
  const seen = new Set([type]);
  const waiting = [type];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const routine of own.get(next) ?? []) found.set(routine.oid, routine);
    for (const part of parts.get(next) ?? []) {
      if (seen.has(part)) continue;
      seen.add(part);
      waiting.push(part);
    }
  }
  return [...found.values()];
}

function push<Value>(groups: Map<number, Value[]>, key: number, values: readonly Value[]): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [...values]);
  else group.push(...values);
}
