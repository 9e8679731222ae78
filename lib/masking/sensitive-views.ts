/**
 * Masks of views and materialized views, to any depth: a column that is a masked column as it is gets
 * that mask, one that is made of masked values is redacted, and so is everything that cannot be told
 * (a definition that cannot be read, a routine in it that reads masked tables).
 */

import type { CatalogRelation, CatalogRoutine, CatalogSnapshot } from '../catalog/catalog.ts';
import type { SensitiveRelations, SqlReader, ViewColumn } from '../sql/analysis.ts';
import type { ColumnMask, MaskedColumns } from './masked-columns.ts';
import { sensitiveRelations } from './sensitive-relations.ts';

/** A routine may read a view that another pass has found to be masked. After so many passes, all is redacted. */
const PASS_COUNT_MAX = 8;
/** Each waits in the reader's queue with its text. */
const VIEWS_AT_ONCE_MAX = 64;
/** Routines that one view's routines may call in turn. */
const ROUTINE_COUNT_MAX = 500;

/** Columns that every table has; they hold no values of users. */
const SYSTEM_COLUMN_NAMES: ReadonlySet<string> = new Set([
  'tableoid',
  'ctid',
  'xmin',
  'xmax',
  'cmin',
  'cmax',
]);

interface Context {
  readonly snapshot: CatalogSnapshot;
  readonly masked: MaskedColumns;
  readonly reader: Pick<SqlReader, 'analyzeView' | 'analyzeRoutine'>;
  /** The reader expands stars itself, and then takes what it is not given for unknown (MySQL). */
  readonly isOrdered?: boolean;
}

export async function addViews(context: Context): Promise<void> {
  const levels = levelsByReads(context.snapshot);
  const views = levels.flat();
  const hasRoutines = views.some((view) => callsOf(view).length > 0);
  for (let pass = 0; pass < PASS_COUNT_MAX; pass++) {
    const before = context.masked.count;
    for (const level of levels) await addLevel(level, context);
    if (!hasRoutines || context.masked.count === before) return;
  }
  for (const view of views) {
    if (callsOf(view).length > 0) redactAll(view, context.masked, 'unknown');
  }
}

/** Views that do not read each other are read side by side, some at a time. */
async function addLevel(level: readonly CatalogRelation[], context: Context): Promise<void> {
  for (let start = 0; start < level.length; start += VIEWS_AT_ONCE_MAX) {
    const some = level.slice(start, start + VIEWS_AT_ONCE_MAX);
    await Promise.all(some.map((view) => addView(view, context)));
  }
}

async function addView(view: CatalogRelation, context: Context): Promise<void> {
  const { snapshot, masked, reader } = context;
  const reads = view.reads.flatMap((oid) => snapshot.relation(oid) ?? []);
  const sensitive = reads.filter((relation) => masked.has(relation.oid));
  const isHalf = reads.some((relation) => relation.isHalf === true);
  const hasTaintedCall = isHalf || (await callsTainted(view, context));
  if (sensitive.length === 0 && !hasTaintedCall) return;

  const mask = anyMask(sensitive, masked);
  const columns =
    view.definition === undefined || reads.length < view.reads.length || isHalf
      ? undefined
      : await reader.analyzeView(
          view.definition,
          sensitiveRelations(reads, masked, { isOrdered: context.isOrdered }),
        );
  if (columns === undefined || columns.length !== view.columns.length) {
    redactAll(view, masked, mask);
    return;
  }
  const hasCtes = /\bwith\b/i.test(view.definition ?? '');
  view.columns.forEach(({ attribute, name }, index) => {
    const column = columns[index];
    const found =
      column === undefined ? 'redact' : judge(column, { reads, masked, hasTaintedCall, hasCtes });
    if (found === 'redact') masked.addRedacted(view, attribute, name, mask);
    else if (found !== 'clear') masked.add(view.oid, attribute, found);
  });
}

interface ViewSources {
  readonly reads: readonly CatalogRelation[];
  readonly masked: MaskedColumns;
  readonly hasTaintedCall: boolean;
  /** Then a relation's name without its schema may be that of a CTE. */
  readonly hasCtes: boolean;
}

function judge(column: ViewColumn, sources: ViewSources): ColumnMask | 'clear' | 'redact' {
  const { reads, masked, hasTaintedCall } = sources;
  if (column.kind === 'expression') return column.isTainted || hasTaintedCall ? 'redact' : 'clear';
  const { name, relation } = column;
  const candidates =
    relation === undefined ? reads : reads.filter((candidate) => isNamed(candidate, relation));
  const masks = candidates.flatMap((candidate) => masked.byName(candidate, name) ?? []);
  const [first] = masks;
  if (first !== undefined)
    return masks.every((mask) => mask.with === first.with) ? first : 'redact';
  return isClear(column, candidates, sources) ? 'clear' : 'redact';
}

/** Of a column that is not masked by its name: is it surely one of a table that the view reads? */
function isClear(
  { name, relation }: Extract<ViewColumn, { kind: 'column' }>,
  candidates: readonly CatalogRelation[],
  { hasTaintedCall, hasCtes }: ViewSources,
): boolean {
  // A CTE may have given the name of one column to another.
  const isQualified = relation?.includes('.') ?? false;
  if (hasCtes && !isQualified) return false;
  if (SYSTEM_COLUMN_NAMES.has(name) && candidates.length > 0) return true;
  // A name that no table read here has comes from a routine or from something not understood.
  if (relation === undefined && hasTaintedCall) return false;
  return candidates.some(({ columns }) => columns.some((own) => own.name === name));
}

/** With its schema or without: `public.users` and `users`. */
function isNamed(relation: CatalogRelation, text: string): boolean {
  return text === relation.name || text === `${relation.schema}.${relation.name}`;
}

/** No column of a view has this number: it stands for all of one whose columns the catalog does not show. */
const UNSHOWN_ATTRIBUTE = -1;

function redactAll(view: CatalogRelation, masked: MaskedColumns, mask: string): void {
  if (view.columns.length === 0) masked.addRedacted(view, UNSHOWN_ATTRIBUTE, '*', mask);
  for (const { attribute, name } of view.columns) masked.addRedacted(view, attribute, name, mask);
}

function anyMask(sensitive: readonly CatalogRelation[], masked: MaskedColumns): string {
  for (const { oid } of sensitive) {
    for (const { mask } of masked.byOid.get(oid)?.values() ?? []) return mask;
  }
  return 'unknown';
}

function callsOf(view: CatalogRelation): readonly CatalogRoutine[] {
  return view.calls ?? [];
}

/** The same for every view between two that add a mask. */
const everything = new WeakMap<MaskedColumns, { count: number; relations: SensitiveRelations }>();

function allRelations({ snapshot, masked, isOrdered }: Context): SensitiveRelations {
  const known = everything.get(masked);
  if (known?.count === masked.count) return known.relations;
  const relations = sensitiveRelations(snapshot.relations(), masked, { isOrdered });
  everything.set(masked, { count: masked.count, relations });
  return relations;
}

/** Does a routine that the view calls, or one that those call, read masked values or cannot be read? */
async function callsTainted(view: CatalogRelation, context: Context): Promise<boolean> {
  const { snapshot, reader } = context;
  const waiting = [...callsOf(view)];
  if (waiting.length === 0) return false;
  const relations = allRelations(context);
  const seen = new Set<number>();
  for (let routine = waiting.pop(); routine !== undefined; routine = waiting.pop()) {
    if (seen.has(routine.oid)) continue;
    seen.add(routine.oid);
    if (routine.definition === undefined || seen.size > ROUTINE_COUNT_MAX) return true;
    const { language, definition, reading } = routine;
    const result = await reader.analyzeRoutine(language, definition, relations, reading);
    if (result.kind !== 'analysis' || result.exposure === undefined) return true;
    if (result.exposure.touches || result.exposure.untraceable !== undefined) return true;
    if (result.effects.some(({ effect }) => effect === 'unknown')) return true;
    for (const { schema, name } of result.functions) {
      const named = snapshot.routinesNamed(name);
      waiting.push(...named.filter((found) => schema === undefined || found.schema === schema));
    }
    for (const { name } of result.operators) waiting.push(...snapshot.operatorRoutines(name));
  }
  return false;
}

/** Views by depth: each reads only tables and views of the levels before its own. */
function levelsByReads(snapshot: CatalogSnapshot): readonly (readonly CatalogRelation[])[] {
  const depths = new Map<number, number>();
  const levels: CatalogRelation[][] = [];
  const visit = (relation: CatalogRelation): number => {
    const known = depths.get(relation.oid);
    if (known !== undefined) return known;
    // While it is being visited a relation counts as a table: a loop in a catalog must end.
    depths.set(relation.oid, 0);
    if (relation.kind !== 'v' && relation.kind !== 'm') return 0;
    const below = relation.reads
      .map((oid) => snapshot.relation(oid))
      .map((read) => (read ? visit(read) : 0));
    const depth = below.reduce((deepest, other) => Math.max(deepest, other), 0) + 1;
    depths.set(relation.oid, depth);
    levels[depth - 1] ??= [];
    levels[depth - 1]?.push(relation);
    return depth;
  };
  for (const relation of snapshot.relations()) visit(relation);
  return levels;
}
