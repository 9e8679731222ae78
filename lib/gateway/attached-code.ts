/**
 * Routines that the server gives the rows of masked relations to: triggers, index expressions, checks, policies,
 * and what these call. Whoever may write one of them anew reads the rows with the next statement that
 * sets it off, without ever naming the relation (PG-62, PG-80). PostgreSQL only.
 */

import type { CatalogRoutine, CatalogSnapshot } from '../catalog/catalog.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import type { ObjectEffect } from '../sql/analysis.ts';

/** Names that may be called in a body, whatever the language: a word before a parenthesis. */
const CALLED = /([a-z_][\w$]*)"?\s*\(/gi;

/** Computed once for each snapshot and set of masks. */
const known = new WeakMap<Sensitive, ReadonlySet<string>>();

/** Why a routine may not be made or changed; undefined: none of these is. */
export function findAttached(
  effects: readonly ObjectEffect[],
  snapshot: CatalogSnapshot | undefined,
  sensitive: Sensitive | undefined,
): string | undefined {
  if (snapshot === undefined || sensitive === undefined || snapshot.server !== undefined)
    return undefined;
  const changed = effects.filter(
    ({ effect, object }) =>
      object?.kind === 'function' && (effect === 'create' || effect === 'alter'),
  );
  if (changed.length === 0) return undefined;
  let names = known.get(sensitive);
  if (names === undefined) known.set(sensitive, (names = namesOf(snapshot, sensitive)));
  const found = changed.find(({ object }) => names.has(object?.name ?? ''));
  return found && `the server gives rows with masked columns to ${found.object?.name ?? ''}()`;
}

function namesOf(snapshot: CatalogSnapshot, sensitive: Sensitive): ReadonlySet<string> {
  const names = new Set<string>();
  const waiting: CatalogRoutine[] = [];
  for (const oid of sensitive.byOid.keys()) {
    const relation = snapshot.relation(oid);
    waiting.push(
      ...(relation?.triggers ?? []),
      ...(relation?.callsOnWrite ?? []),
      ...(relation?.callsOfTypes ?? []),
      ...(relation?.calls ?? []),
    );
  }
  // Each name is followed once, so that this ends.
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    names.add(next.name);
    for (const [, called = ''] of (next.definition ?? '').matchAll(CALLED)) {
      const name = called.toLowerCase();
      if (names.has(name)) continue;
      names.add(name);
      waiting.push(...snapshot.routinesNamed(name));
    }
  }
  return names;
}
