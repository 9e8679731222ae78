/**
 * Names in a statement that the catalog does not know: of something that was made a moment ago, past this gateway,
 * or that is not there. Who judges by them looks at the catalog once more (GW-7).
 */

import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { Effect, ObjectName, StatementAnalysis } from '../sql/analysis.ts';
import { isBuiltinFunction } from '../sql/mysql/builtins.ts';

/** What is at stake under a view, in a hierarchy or behind a mask is not known of a relation that is not. */
const TOUCHING: ReadonlySet<Effect> = new Set<Effect>([
  'read',
  'insert',
  'update',
  'delete',
  'truncate',
  'copy-out',
]);

/**
 * It uses a relation, or in MySQL calls a routine, that the catalog does not know. Results of MySQL do not tell
 * which table they are of, and those of PostgreSQL not which table an expression was made of, so what is
 * masked must be known before.
 */
export function namesUnknown(
  { effects, functions }: StatementAnalysis,
  snapshot: CatalogSnapshot,
  isMasked: boolean,
): boolean {
  if (snapshot.server === undefined) {
    return effects.some(
      ({ effect, object }) =>
        TOUCHING.has(effect) &&
        object?.kind === 'relation' &&
        !snapshot.relationsNamed(object.name).some((found) => isMeant(object, found)),
    );
  }
  return (
    effects.some(
      ({ effect, object }) =>
        isMasked &&
        effect === 'read' &&
        object?.kind === 'relation' &&
        !snapshot
          .relationsNamed(object.name)
          .some((found) => isMeant(object, found) && found.isHalf !== true),
    ) ||
    functions.some(
      (name) =>
        name.kind === 'function' &&
        !isBuiltinFunction(name.name) &&
        // Of `a.f()` the reader also names `a`, as it could be a package.
        !functions.some(({ schema }) => schema === name.name) &&
        !snapshot.routinesNamed(name.name).some((found) => isMeant(name, found)),
    )
  );
}

function isMeant({ schema }: ObjectName, found: { readonly schema: string }): boolean {
  return schema === undefined || found.schema === schema;
}
