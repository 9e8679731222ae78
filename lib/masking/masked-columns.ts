/**
 * The columns that hold masked values, by the server's identity (table oid, attribute), and how they
 * follow from the configuration along names, inheritance, generated columns and TOAST. Views are in
 * sensitive-views.ts, because their definitions have to be read.
 */

import type { CatalogRelation, CatalogSnapshot } from '../catalog/catalog.ts';
import type { MaskConfig } from '../config/config.ts';
import { matchesEverything, matchesPart, type PatternPart, splitPattern } from '../policy/glob.ts';
import { POSTGRES_SYSTEM, type SystemRelations } from './system-relations.ts';
import type { MaskKind } from './values.ts';

export interface ColumnMask {
  /** Name of the mask in the configuration, or of a built-in one. */
  readonly mask: string;
  readonly with: MaskKind;
  /** `schema.table.column` of the column whose values these are. */
  readonly column: string;
}

const SYSTEM_MASK = "built-in: other people's values";

export class MaskedColumns {
  readonly #byOid = new Map<number, Map<number, ColumnMask>>();
  readonly #snapshot: CatalogSnapshot;
  readonly #system: SystemRelations;
  #count = 0;

  constructor(snapshot: CatalogSnapshot, system: SystemRelations = POSTGRES_SYSTEM) {
    this.#snapshot = snapshot;
    this.#system = system;
  }

  /** Grows with every column that is added; nothing is ever taken away. */
  get count(): number {
    return this.#count;
  }

  get byOid(): ReadonlyMap<number, ReadonlyMap<number, ColumnMask>> {
    return this.#byOid;
  }

  get(oid: number, attribute: number): ColumnMask | undefined {
    return this.#byOid.get(oid)?.get(attribute);
  }

  has(oid: number): boolean {
    return this.#byOid.has(oid);
  }

  /** The first mask of a column stays: masks come in the order of the configuration. */
  add(oid: number, attribute: number, mask: ColumnMask): void {
    let columns = this.#byOid.get(oid);
    if (columns === undefined) {
      columns = new Map();
      this.#byOid.set(oid, columns);
    }
    if (columns.has(attribute)) return;
    columns.set(attribute, mask);
    this.#count += 1;
  }

  byName(relation: CatalogRelation, name: string): ColumnMask | undefined {
    const column = relation.columns.find((candidate) => candidate.name === name);
    return column && this.get(relation.oid, column.attribute);
  }

  /** Returns the patterns that match no column here. */
  addConfigured(masks: readonly MaskConfig[]): readonly string[] {
    const patterns = masks.flatMap((mask) =>
      mask.columns.map((text) => ({ text, mask, parts: parseColumnPattern(text), isUsed: false })),
    );
    for (const relation of this.#snapshot.relations()) {
      for (const pattern of patterns) {
        if (!this.#matchesRelation(pattern.parts, relation)) continue;
        for (const { attribute, name } of relation.columns) {
          if (!matchesPart(pattern.parts.column, name)) continue;
          const column = columnText(relation, name);
          this.add(relation.oid, attribute, {
            mask: pattern.mask.name,
            with: pattern.mask.with,
            column,
          });
          pattern.isUsed = true;
        }
      }
    }
    return patterns.filter((pattern) => !pattern.isUsed).map((pattern) => pattern.text);
  }

  addSystem(): void {
    for (const { relation, isShown } of this.#system.find(this.#snapshot)) {
      for (const { attribute, name } of relation.columns) {
        if (!isShown(name)) this.addRedacted(relation, attribute, name, SYSTEM_MASK);
      }
    }
  }

  /** For a column that holds what became of masked values: nothing but `redact` fits its type. */
  addRedacted(relation: CatalogRelation, attribute: number, name: string, mask: string): void {
    this.add(relation.oid, attribute, { mask, with: 'redact', column: columnText(relation, name) });
  }

  /**
   * A query on a parent returns its children's rows under the parent's identity, one on a child those
   * under the child's; columns of one name are one column there, whatever their attribute numbers.
   * First down, then generated columns, then up: what only goes up from one child does not come
   * down to the others, whose rows it does not hold.
   */
  spreadInheritance(): void {
    const parentsFirst = orderByParents(this.#snapshot);
    for (const child of parentsFirst) {
      for (const oid of child.parents) this.#copyByName(oid, child);
    }
    for (const relation of parentsFirst) this.#spreadGenerated(relation);
    for (const child of parentsFirst.toReversed()) {
      if (!this.has(child.oid)) continue;
      for (const oid of child.parents) {
        const parent = this.#snapshot.relation(oid);
        if (parent !== undefined) this.#copyByName(child.oid, parent);
      }
    }
  }

  /** A TOAST table holds long values of all columns, and nothing tells which row is of which. */
  spreadToast(): void {
    for (const relation of this.#snapshot.relations()) {
      const owner = relation.kind === 't' ? relation.reads.find((oid) => this.has(oid)) : undefined;
      const mask =
        owner === undefined ? undefined : [...(this.#byOid.get(owner)?.values() ?? [])][0];
      if (mask === undefined) continue;
      for (const { attribute, name } of relation.columns) {
        if (name === 'chunk_data') this.addRedacted(relation, attribute, name, mask.mask);
      }
    }
  }

  #copyByName(from: number, to: CatalogRelation): void {
    const source = this.#snapshot.relation(from);
    if (source === undefined || !this.has(from)) return;
    for (const { attribute, name } of to.columns) {
      const mask = this.byName(source, name);
      if (mask !== undefined) this.add(to.oid, attribute, mask);
    }
  }

  /** PostgreSQL computes none from another, MySQL does: each round masks one more, or it is the last. */
  #spreadGenerated(relation: CatalogRelation): void {
    const masked = this.#byOid.get(relation.oid);
    if (masked === undefined) return;
    for (let before = 0; before !== masked.size; ) {
      before = masked.size;
      for (const { attribute, name, computedFrom = [] } of relation.columns) {
        const source = computedFrom.find((number) => number === 0 || masked.has(number));
        if (source === undefined) continue;
        const mask = masked.get(source) ?? [...masked.values()][0];
        if (mask !== undefined) this.addRedacted(relation, attribute, name, mask.mask);
      }
    }
  }

  #matchesRelation({ schema, table }: ColumnPattern, relation: CatalogRelation): boolean {
    if (this.#system.schemas.has(relation.schema) && matchesEverything(schema)) return false;
    return matchesPart(schema, relation.schema) && matchesPart(table, relation.name);
  }
}

export function columnText(relation: CatalogRelation, column: string): string {
  return `${relation.schema}.${relation.name}.${column}`;
}

export interface ColumnPattern {
  readonly schema: PatternPart;
  readonly table: PatternPart;
  readonly column: PatternPart;
}

export function parseColumnPattern(text: string): ColumnPattern {
  const parts = splitPattern(text) ?? [];
  const [schema, table, column] = parts;
  if (schema === undefined || table === undefined || column === undefined || parts.length > 3) {
    // The configuration is checked before it gets here.
    throw new Error(`not a column pattern: ${text}`);
  }
  return { schema, table, column };
}

/** Relations of inheritance trees, every parent before its children. */
function orderByParents(snapshot: CatalogSnapshot): readonly CatalogRelation[] {
  const ordered = new Map<number, CatalogRelation>();
  const visit = (relation: CatalogRelation, seen: Set<number>): void => {
    if (ordered.has(relation.oid) || seen.has(relation.oid)) return;
    seen.add(relation.oid);
    for (const oid of relation.parents) {
      const parent = snapshot.relation(oid);
      if (parent !== undefined) visit(parent, seen);
    }
    ordered.set(relation.oid, relation);
  };
  for (const relation of snapshot.relations()) visit(relation, new Set());
  return [...ordered.values()];
}
