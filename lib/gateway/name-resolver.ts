/**
 * What a name in a statement may stand for, by the catalog: every relation or routine of that name in
 * any schema, since the gateway does not follow search_path, and the tables that are at stake when it
 * is used (under a view, in its inheritance tree, behind its foreign keys).
 */

import type { CatalogRelation, CatalogSnapshot } from '../catalog/catalog.ts';
import type { ReachedName, ResolveName, ResolvedName } from '../policy/objects.ts';

export function createNameResolver(snapshot: CatalogSnapshot): ResolveName {
  return ({ kind, schema, name }) => {
    const isMeant = (found: { readonly schema: string }): boolean =>
      schema === undefined || found.schema === schema;
    if (kind === 'function') {
      const found = snapshot.routinesNamed(name).filter(isMeant);
      return found.map((routine) => ({ schema: routine.schema, name: routine.name }));
    }
    if (kind !== 'relation') return [];
    const found = snapshot.relationsNamed(name).filter(isMeant);
    return found.map((relation) => resolveRelation(relation, snapshot));
  };
}

/** Which way of an inheritance tree is followed: a sibling shares no rows, so up and down do not mix. */
type Direction = 'up' | 'down' | 'both';

/** Every relation in the graph is visited once in each direction, so cycles and diamonds end. */
function resolveRelation(start: CatalogRelation, snapshot: CatalogSnapshot): ResolvedName {
  const reached = new Map<string, ReachedName>();
  // What was passed on the way up may still be read as a whole, with all its children, by a view.
  const seen = new Set<string>();
  const waiting: { relation: CatalogRelation; by: ReachedName['by']; direction: Direction }[] = [
    { relation: start, by: 'hierarchy', direction: 'both' },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { relation, by, direction } = next;
    const visit = (oid: number, step: ReachedName['by'], onward: Direction): void => {
      const other = snapshot.relation(oid);
      // Behind a foreign key everything is reached through that key, below a view through that view.
      const isCascade = by === 'cascade' || step === 'cascade';
      const way = isCascade ? 'cascade' : by === 'view' ? 'view' : step;
      const key = isCascade ? `${oid} cascade` : `${oid}`;
      const isSeen = seen.has(`${key} ${onward}`) || seen.has(`${key} both`);
      if (other === undefined || oid === start.oid || isSeen) return;
      seen.add(`${key} ${onward}`);
      reached.set(key, { schema: other.schema, name: other.name, by: way });
      waiting.push({ relation: other, by: way, direction: onward });
    };
    for (const oid of relation.reads) visit(oid, 'view', 'both');
    for (const oid of relation.deletesIn ?? []) visit(oid, 'cascade', 'both');
    if (direction !== 'down') for (const oid of relation.parents) visit(oid, 'hierarchy', 'up');
    if (direction !== 'up')
      for (const oid of snapshot.childrenOf(relation.oid)) visit(oid, 'hierarchy', 'down');
  }
  const { schema, name } = start;
  return reached.size === 0 ? { schema, name } : { schema, name, reaches: [...reached.values()] };
}
