/**
 * Which columns of a MySQL result are masked, and how. What the reader of SQL said of the statement
 * decides (MY-64); the column definition, whose names a query can choose, can only add a mask. What
 * neither can tell is masked.
 */

import type {
  ColumnDetails,
  MaskingPlan,
  MaskValue,
  ResultColumn,
} from '../../protocols/contract.ts';
import type { ColumnSource, Exposure, OutputKind } from '../sql/analysis.ts';
import { foldName } from '../sql/mysql/lineage-names.ts';
import { isSystemSchema } from '../sql/mysql/lineage-system.ts';
import type { ColumnMask } from './masked-columns.ts';
import { detailsOf } from './mysql-types.ts';
import { maskMysqlValueFor } from './mysql-values.ts';
import { alignOutputs, type ResultPlan } from './plan.ts';
import type { Sensitive } from './sensitive.ts';
import type { MaskKind, ValueOptions } from './values.ts';

/** What is known of a statement, or of several in one text, that a result may be of. */
export interface ResultOrigin {
  /** `clean`: no masked value can be in any result. `unknown`: it runs what nobody could read. */
  readonly rows: 'clean' | 'traced' | 'unknown';
  readonly exposure: Pick<Exposure, 'outputs' | 'sources'> | undefined;
}

/** `origins` of all statements that may have made this result; empty: nobody knows. */
export function planMysqlResult(
  sensitive: Sensitive,
  columns: readonly ResultColumn[],
  origins: readonly ResultOrigin[],
  options: ValueOptions,
): ResultPlan {
  if (!sensitive.isMasking) return { plan: undefined, masked: [] };
  const lineage = lineageOf(origins, columns.length);
  const names = indexOf(sensitive);
  const columnNames = columnNamesOf(names, sensitive.relations.suspects);
  const known: Known = { names, described: describedIn(names), columnNames };
  const masked: string[] = [];
  const plan: MaskingPlan = columns.map((column, index): MaskValue | undefined => {
    const found = judge(column, lineage(index), known);
    if (found === undefined) return undefined;
    masked.push(found.name);
    return maskMysqlValueFor(found.with, column, options);
  });
  return { plan: masked.length > 0 ? plan : undefined, masked };
}

interface Lineage {
  /** `unlisted`: of a relation that nobody knows, in a statement that touches nothing masked. */
  readonly kind: 'clear' | 'masked' | 'unlisted';
  /** Of a masked column that is shown as it is. */
  readonly source: ColumnSource | undefined;
}

const CLEAR: Lineage = { kind: 'clear', source: undefined };
const MASKED: Lineage = { kind: 'masked', source: undefined };
const UNLISTED: Lineage = { kind: 'unlisted', source: undefined };

/** The select list of one statement; undefined: whatever rows it gives hold nothing masked. */
interface List {
  readonly outputs: readonly OutputKind[] | undefined;
  readonly sources: readonly (ColumnSource | undefined)[];
}

/**
 * A packet of several statements gives several results and nothing says which is whose: a column is
 * clear where it is so in every select list of that length, and without any list it is not.
 */
function lineageOf(
  origins: readonly ResultOrigin[],
  columnCount: number,
): (index: number) => Lineage {
  if (origins.length === 0 || origins.some(({ rows }) => rows === 'unknown')) return () => MASKED;
  if (origins.every(({ rows }) => rows === 'clean')) {
    const hasStar = origins.some(({ exposure }) => exposure?.outputs.some(holdsStar));
    return () => (hasStar ? UNLISTED : CLEAR);
  }
  const lists = origins.flatMap(({ rows, exposure }): readonly List[] =>
    rows === 'clean'
      ? [{ outputs: undefined, sources: [] }]
      : (exposure?.outputs ?? []).map((outputs, index) => ({
          outputs,
          sources: exposure?.sources?.[index] ?? [],
        })),
  );
  if (lists.length > 0 && lists.every(({ outputs }) => outputs === undefined)) return () => CLEAR;
  const fitting = lists.flatMap(({ outputs, sources }) =>
    outputs !== undefined && canFit(outputs, columnCount)
      ? [{ kinds: alignOutputs(outputs, columnCount), sources }]
      : [],
  );
  if (fitting.length === 0) return () => MASKED;
  return (index) => {
    // A star is of something that nobody knows.
    if (fitting.every(({ kinds }) => kinds(index) === 'clear')) return CLEAR;
    const [only] = fitting;
    return fitting.length === 1 ? { kind: 'masked', source: only?.sources[index] } : MASKED;
  };
}

function canFit(outputs: readonly OutputKind[], columnCount: number): boolean {
  return holdsStar(outputs) || outputs.length === columnCount;
}

function holdsStar(outputs: readonly OutputKind[] | undefined): boolean {
  return outputs?.includes('star') === true;
}

interface Judged {
  readonly name: string;
  readonly with: MaskKind;
}

interface Known {
  readonly names: NameIndex;
  readonly described: (details: ColumnDetails) => ColumnMask | undefined;
  readonly columnNames: ReadonlySet<string>;
}

function judge(
  column: ResultColumn,
  lineage: Lineage,
  { names, described: findDescribed, columnNames }: Known,
): Judged | undefined {
  const details = detailsOf(column);
  const described = findDescribed(details);
  const mayBeMasked =
    lineage.kind === 'unlisted' &&
    [column.name, details.originalName].some((name) => columnNames.has(foldName(name)));
  if (lineage.kind !== 'masked' && !mayBeMasked) {
    // The query made a column look like a masked one, or it is one and the reader of SQL was wrong.
    return described === undefined ? undefined : { name: described.column, with: 'redact' };
  }
  const { source } = lineage;
  const mask = source && maskIn(names, source.relation, source.column);
  if (mask !== undefined) return { name: mask.column, with: mask.with };
  // Without a source the definition may lie about which masked column it is: nothing weaker than redact.
  return { name: described?.column ?? column.name, with: 'redact' };
}

/** `schema.table`, folded -> column, folded -> mask. */
type NameIndex = ReadonlyMap<string, ReadonlyMap<string, ColumnMask>>;

const indexes = new WeakMap<Sensitive, NameIndex>();

function indexOf(sensitive: Sensitive): NameIndex {
  const known = indexes.get(sensitive);
  if (known !== undefined) return known;
  const index = new Map<string, Map<string, ColumnMask>>();
  for (const { relation, column, mask } of sensitive.named()) {
    const key = foldName(relation);
    const columns = index.get(key) ?? new Map<string, ColumnMask>();
    index.set(key, columns);
    const name = foldName(column);
    const other = columns.get(name);
    // Tables whose names differ in case only: where the masks differ, none shows anything.
    const isSame = other === undefined || other.with === mask.with;
    columns.set(name, isSame ? mask : { ...mask, with: 'redact' });
  }
  indexes.set(sensitive, index);
  return index;
}

const maskedNames = new WeakMap<NameIndex, ReadonlySet<string>>();

/**
 * Of masked columns, and what the masks call them where the catalog shows none. Not those of the server's own
 * schemas: they are known, and have everybody's names.
 */
function columnNamesOf(names: NameIndex, suspects: readonly string[] = []): ReadonlySet<string> {
  const known = maskedNames.get(names);
  if (known !== undefined) return known;
  const own = [...names].filter(([relation]) => !isSystemSchema(relation.split('.', 1)[0]));
  const found = new Set([
    ...own.flatMap(([, columns]) => [...columns.keys()]),
    ...suspects.map(foldName),
  ]);
  maskedNames.set(names, found);
  return found;
}

/** The mask of the column that a definition names. Columns of one table mostly stand side by side. */
function describedIn(names: NameIndex): Known['described'] {
  let last: { readonly schema: string; readonly table: string } | undefined;
  let masks: ReadonlyMap<string, ColumnMask> | undefined;
  return ({ schema, originalTable: table, originalName }) => {
    if (last?.schema !== schema || last.table !== table) {
      last = { schema, table };
      masks = names.get(foldName(`${schema}.${table}`));
    }
    return masks?.get(foldName(originalName));
  };
}

function maskIn(names: NameIndex, relation: string, column: string): ColumnMask | undefined {
  return names.get(foldName(relation))?.get(foldName(column));
}
