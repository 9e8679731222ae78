/**
 * Sensitive relations that the catalog does not show at the moment. A table that is made anew is gone for a
 * while, and a catalog that was read then lives on for seconds: what a mask names, and what was
 * sensitive before, stays so until the catalog shows what has become of it.
 */

import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { MaskConfig } from '../config/config.ts';
import { matchesPart, type PatternPart } from '../policy/glob.ts';
import type { SensitiveRelation } from '../sql/analysis.ts';
import { parseColumnPattern } from './masked-columns.ts';

/** Names of what is gone cost memory and the reading of every statement; the newest stay. */
export const ABSENT_COUNT_MAX = 4096;

/** `before`: what was sensitive in the snapshot before this one, with what was absent then. */
export function absentRelations(
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
  systemSchemas: ReadonlySet<string>,
  before: readonly SensitiveRelation[] = [],
): readonly SensitiveRelation[] {
  const absent = new Map<string, SensitiveRelation>();
  const add = (relation: SensitiveRelation): void => {
    const { schema, name } = relation;
    const found = snapshot.relationsNamed(name).filter((one) => one.schema === schema);
    const isThere = found.some(({ isHalf }) => isHalf !== true);
    const key = JSON.stringify([schema, name]);
    if (!isThere && !absent.has(key) && absent.size < ABSENT_COUNT_MAX) absent.set(key, relation);
  };
  for (const relation of configured(snapshot, masks, systemSchemas)) add(relation);
  // Without an order of its columns: what comes back under a name may have another one.
  for (const { schema, name, masked, clear } of before) {
    add({ schema, name, masked, clear, isGone: true });
  }
  return [...absent.values()];
}

/** Relations that a mask names, all of whose columns count as masked, because nobody knows the others. */
function* configured(
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
  systemSchemas: ReadonlySet<string>,
): Iterable<SensitiveRelation> {
  const halves = snapshot.relations().filter(({ isHalf }) => isHalf === true);
  for (const text of masks.flatMap((mask) => mask.columns)) {
    const { schema, table, column } = parseColumnPattern(text);
    for (const half of halves) {
      const isMeant = matchesPart(schema, half.schema) && matchesPart(table, half.name);
      if (isMeant && !systemSchemas.has(half.schema))
        yield { schema: half.schema, name: half.name, masked: [column.text], clear: [] };
    }
    if (!isOneName(table)) continue;
    const schemas = isOneName(schema)
      ? [schema.text]
      : [...snapshot.schemas()].filter(
          (name) => matchesPart(schema, name) && !systemSchemas.has(name),
        );
    for (const name of schemas)
      yield { schema: name, name: table.text, masked: [column.text], clear: [] };
  }
}

/** Names of columns that a mask means, wherever they are: for relations that nobody has seen yet. */
export function suspectNames(masks: readonly MaskConfig[]): readonly string[] {
  const columns = masks
    .flatMap((mask) => mask.columns)
    .map((text) => parseColumnPattern(text).column);
  return [...new Set(columns.filter(isOneName).map(({ text }) => text))];
}

function isOneName({ text, isLiteral }: PatternPart): boolean {
  return isLiteral || !text.includes('*');
}
