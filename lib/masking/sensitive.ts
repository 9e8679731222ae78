/**
 * What is sensitive in one database under a set of masks: by name, for the reader of SQL, and by the
 * server's identity, for the columns of results (PG-77, PG-85).
 */

import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { MaskConfig } from '../config/config.ts';
import type {
  SensitiveRelation,
  SensitiveRelations,
  SqlReader,
  ViewColumn,
} from '../sql/analysis.ts';
import { absentRelations, suspectNames } from './absent-relations.ts';
import { type ColumnMask, MaskedColumns } from './masked-columns.ts';
import { sensitiveRelations } from './sensitive-relations.ts';
import { addViews } from './sensitive-views.ts';
import { MYSQL_SYSTEM, POSTGRES_SYSTEM } from './system-relations.ts';

/** What servers differ in: their own relations, and whether the reader expands stars. */
export type Dialect = 'postgres' | 'mysql';

/** A masked column by name, for protocols that have no numbers for columns (MySQL). */
export interface NamedMask {
  /** `schema.table` */
  readonly relation: string;
  readonly column: string;
  readonly mask: ColumnMask;
}

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
  named(): readonly NamedMask[];
  /** Patterns of masks that match nothing in this database. */
  readonly unmatched: readonly string[];
}

export interface ComputeOptions {
  readonly dialect: Dialect;
  /** What was sensitive in the snapshot before this one. */
  readonly before?: readonly SensitiveRelation[];
}

/** `masks`: those that apply to the connection and the principal (lib/policy/in-force.ts). */
export async function computeSensitive(
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
  reader: Pick<SqlReader, 'analyzeView' | 'analyzeRoutine'>,
  options: Dialect | ComputeOptions = 'postgres',
): Promise<Sensitive> {
  const { dialect, before = [] } = typeof options === 'string' ? { dialect: options } : options;
  const isMysql = dialect === 'mysql';
  const system = isMysql ? MYSQL_SYSTEM : POSTGRES_SYSTEM;
  const masked = new MaskedColumns(snapshot, system);
  let unmatched: readonly string[] = [];
  if (masks.length > 0) {
    unmatched = masked.addConfigured(masks);
    masked.addSystem();
    masked.spreadInheritance();
    await addViews({ snapshot, masked, reader, isOrdered: isMysql });
    masked.spreadToast();
  }
  const absent = absentRelations(snapshot, masks, system.schemas, before);
  const relations = sensitiveRelations(snapshot.relations(), masked, {
    absent,
    ...(isMysql ? { suspects: suspectNames(masks) } : {}),
    isOrdered: isMysql,
  });
  return {
    relations,
    byOid: masked.byOid,
    isMasking: masks.length > 0,
    columnNames: new Set(relations.relations.flatMap((relation) => relation.masked)),
    isKnownTable: (oid) => snapshot.relation(oid) !== undefined,
    isKnown: (oid, attribute) =>
      snapshot.relation(oid)?.columns.some((column) => column.attribute === attribute) ?? false,
    named: () => namedMasks(snapshot, masked),
    unmatched,
  };
}

function namedMasks(snapshot: CatalogSnapshot, masked: MaskedColumns): readonly NamedMask[] {
  return [...masked.byOid].flatMap(([oid, columns]) => {
    const found = snapshot.relation(oid);
    if (found === undefined) return [];
    const relation = `${found.schema}.${found.name}`;
    return found.columns.flatMap(({ attribute, name }): readonly NamedMask[] => {
      const mask = columns.get(attribute);
      return mask === undefined ? [] : [{ relation, column: name, mask }];
    });
  });
}

/** Different sets of masks for one snapshot: one for each kind of principal. */
const MASK_SET_COUNT_MAX = 256;
/** Views whose reading is kept, so that one changed definition does not cost the reading of all. */
const VIEW_COUNT_MAX = 20_000;

export type FindSensitive = (
  snapshot: CatalogSnapshot,
  masks: readonly MaskConfig[],
) => Sensitive | Promise<Sensitive>;

/** Computed once for each snapshot and set of masks; known answers come at once. */
export function createSensitiveFinder(
  reader: SqlReader,
  dialect: Dialect = 'postgres',
): FindSensitive {
  const bySnapshot = new WeakMap<CatalogSnapshot, Map<string, Sensitive | Promise<Sensitive>>>();
  const keys = new WeakMap<readonly MaskConfig[], string>();
  const latest = new WeakMap<object, Map<string, Latest>>();
  const rememberingReader = rememberViews(reader);
  return (snapshot, masks) => {
    const key = keys.get(masks) ?? JSON.stringify(masks);
    keys.set(masks, key);
    const known = bySnapshot.get(snapshot) ?? new Map<string, Sensitive | Promise<Sensitive>>();
    bySnapshot.set(snapshot, known);
    const found = known.get(key);
    if (found !== undefined) return found;
    dropOldest(known, MASK_SET_COUNT_MAX);
    const before = latestOf(latest, snapshot);
    const past = before.get(key)?.relations.relations ?? [];
    const options = { dialect, before: past };
    const computed = computeSensitive(snapshot, masks, rememberingReader, options);
    known.set(key, computed);
    computed.then(
      (sensitive) => {
        known.set(key, sensitive);
        remember(before, key, { version: snapshot.version, relations: sensitive.relations });
      },
      () => known.delete(key),
    );
    return computed;
  };
}

/** What was sensitive in the newest snapshot of a catalog under one set of masks. */
interface Latest {
  readonly version: number;
  readonly relations: SensitiveRelations;
}

function latestOf(
  all: WeakMap<object, Map<string, Latest>>,
  { source }: CatalogSnapshot,
): Map<string, Latest> {
  const known = source && all.get(source);
  if (known !== undefined) return known;
  const created = new Map<string, Latest>();
  if (source !== undefined) all.set(source, created);
  return created;
}

function remember(before: Map<string, Latest>, key: string, latest: Latest): void {
  if ((before.get(key)?.version ?? 0) > latest.version) return;
  before.delete(key);
  dropOldest(before, MASK_SET_COUNT_MAX);
  before.set(key, latest);
}

/** A view's columns depend on its text and on what is sensitive below it, and on nothing else. */
function rememberViews(reader: SqlReader): Pick<SqlReader, 'analyzeView' | 'analyzeRoutine'> {
  const views = new Map<string, Promise<readonly ViewColumn[] | undefined>>();
  return {
    analyzeRoutine: (language, definition, sensitive, reading) =>
      reader.analyzeRoutine(language, definition, sensitive, reading),
    analyzeView: (definition, sensitive) => {
      const key = `${sensitive.version} ${definition}`;
      const known = views.get(key);
      if (known !== undefined) return known;
      dropOldest(views, VIEW_COUNT_MAX);
      const columns = reader.analyzeView(definition, sensitive);
      views.set(key, columns);
      const forget = (): void => void views.delete(key);
      // Unreadable may mean that a worker was lost: the next look asks again.
      columns.then((answer) => answer ?? forget(), forget);
      return columns;
    },
  };
}

function dropOldest(entries: Map<string, unknown>, countMax: number): void {
  const [oldest] = entries.keys();
  if (entries.size >= countMax && oldest !== undefined) entries.delete(oldest);
}
