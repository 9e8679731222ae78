/**
 * What is sensitive in one database under a set of masks: by name, for the reader of SQL, and by the
 * server's identity, for the columns of results (PG-77, PG-85).
 */

import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { MaskConfig } from '../config/config.ts';
import type { SensitiveRelations, SqlReader } from '../sql/analysis.ts';
import { type ColumnMask, MaskedColumns } from './masked-columns.ts';
import { sensitiveRelations } from './sensitive-relations.ts';
import { addViews } from './sensitive-views.ts';

export interface Sensitive {
  readonly relations: SensitiveRelations;
  /** Table oid -> attribute -> mask. */
  readonly byOid: ReadonlyMap<number, ReadonlyMap<number, ColumnMask>>;
  /** At least one mask applies: then what the catalog does not know is masked too. */
  readonly isMasking: boolean;
  /** Names of masked columns, wherever they are. */
  readonly columnNames: ReadonlySet<string>;
  isKnownTable(oid: number): boolean;
  /** The catalog knows this table, and this column of it. */
  isKnown(oid: number, attribute: number): boolean;
  /** Patterns of masks that match nothing in this database. */
  readonly unmatched: readonly string[];
}

/** `masks`: those that apply to the connection and the principal (lib/policy/in-force.ts). */
export async function computeSensitive(
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
  reader: SqlReader,
): Promise<Sensitive> {
  const masked = new MaskedColumns(snapshot);
  let unmatched: readonly string[] = [];
  if (masks.length > 0) {
    unmatched = masked.addConfigured(masks);
    masked.addSystem();
    masked.spreadInheritance();
    await addViews({ snapshot, masked, reader });
    masked.spreadToast();
  }
  const relations = sensitiveRelations(snapshot.relations(), masked);
  return {
    relations,
    byOid: masked.byOid,
    isMasking: masks.length > 0,
    columnNames: new Set(relations.relations.flatMap((relation) => relation.masked)),
    isKnownTable: (oid) => snapshot.relation(oid) !== undefined,
    isKnown: (oid, attribute) =>
      snapshot.relation(oid)?.columns.some((column) => column.attribute === attribute) ?? false,
    unmatched,
  };
}

/** Different sets of masks for one snapshot: one for each kind of principal. */
const MASK_SET_COUNT_MAX = 256;

export type FindSensitive = (
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
) => Sensitive | Promise<Sensitive>;

/** Computed once for each snapshot and set of masks; known answers come at once. */
export function createSensitiveFinder(reader: SqlReader): FindSensitive {
  const bySnapshot = new WeakMap<CatalogSnapshot, Map<string, Sensitive | Promise<Sensitive>>>();
  const keys = new WeakMap<readonly MaskConfig[], string>();
  return (snapshot, masks) => {
    const key = keys.get(masks) ?? JSON.stringify(masks);
    keys.set(masks, key);
    const known = bySnapshot.get(snapshot) ?? new Map<string, Sensitive | Promise<Sensitive>>();
    bySnapshot.set(snapshot, known);
    const found = known.get(key);
    if (found !== undefined) return found;
    const [oldest] = known.keys();
    if (known.size >= MASK_SET_COUNT_MAX && oldest !== undefined) known.delete(oldest);
    const computed = computeSensitive(snapshot, masks, reader);
    known.set(key, computed);
    computed.then(
      (sensitive) => known.set(key, sensitive),
      () => known.delete(key),
    );
    return computed;
  };
}
