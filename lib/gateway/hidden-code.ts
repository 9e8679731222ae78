/**
 * The code that runs because a relation is used or defined, without being named: view bodies and
 * policies on reading; defaults, checks, triggers and rules on writing, in the partitions and behind
 * foreign keys as well; event triggers with every definition (PG-62). What that code does is read in routine-reader.ts.
 */

import type {
  CatalogRelation,
  CatalogRoutine,
  CatalogRule,
  CatalogSnapshot,
} from '../catalog/catalog.ts';
import type { Effect, ObjectEffect, ObjectName } from '../sql/analysis.ts';

/** `copy`: rows go out as they are, nothing is cast. `define`: rows may be checked or rewritten, or are indexed, but no trigger runs. */
type Use = 'read' | 'copy' | 'write' | 'define' | 'create';

const USES: Readonly<Partial<Record<Effect, Use>>> = {
  read: 'read',
  'copy-out': 'copy',
  insert: 'write',
  update: 'write',
  delete: 'write',
  truncate: 'write',
  'copy-in': 'write',
  alter: 'define',
  admin: 'define',
  create: 'create',
};

export interface HiddenCode {
  readonly routines: readonly CatalogRoutine[];
  readonly rules: readonly CatalogRule[];
  /** Oids of the tables whose rows may change; their keys and checks may fail and quote a row (PG-81). */
  readonly written: ReadonlySet<number>;
}

export function findHiddenCode(
  effects: readonly ObjectEffect[],
  takenOver: readonly ObjectName[],
  snapshot: CatalogSnapshot,
): HiddenCode {
  const search = new Search(snapshot);
  if (effects.some(isDefinition)) search.addDefinition();
  for (const { effect, object } of effects) {
    const use = USES[effect];
    if (use !== undefined && object?.kind === 'relation') search.addNamed(object, use);
  }
  for (const name of takenOver) search.addNamed(name, 'write');
  return search.run();
}

const DEFINES: ReadonlySet<Effect> = new Set(['create', 'alter', 'drop', 'grant']);

/** Dropping a temporary object is the session's own business, but event triggers hear of it. */
function isDefinition({ effect, object }: ObjectEffect): boolean {
  return DEFINES.has(effect) || (effect === 'session' && object?.schema === 'pg_temp');
}

/** Whether a thing in `schema` may be meant by this name; a schema made or renamed a moment ago may be any. */
export function mayMean(
  { schema }: ObjectName,
  snapshot: CatalogSnapshot,
): (found: { readonly schema: string }) => boolean {
  const isAny = schema === undefined || !snapshot.hasSchema(schema);
  return (found) => isAny || found.schema === schema;
}

class Search {
  readonly #snapshot: CatalogSnapshot;
  readonly #seen = new Set<string>();
  readonly #waiting: { readonly relation: CatalogRelation; readonly use: Use }[] = [];
  readonly #routines = new Set<CatalogRoutine>();
  readonly #rules = new Set<CatalogRule>();
  readonly #written = new Set<number>();

  constructor(snapshot: CatalogSnapshot) {
    this.#snapshot = snapshot;
  }

  addNamed(name: ObjectName, use: Use): void {
    const isMeant = mayMean(name, this.#snapshot);
    for (const relation of this.#snapshot.relationsNamed(name.name)) {
      if (isMeant(relation)) this.#add(relation.oid, use);
    }
  }

  addDefinition(): void {
    this.#run(this.#snapshot.routinesOnDefine());
  }

  /** Each relation comes up once for each use, so that this ends. */
  run(): HiddenCode {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#follow(next.relation, next.use);
    }
    return { routines: [...this.#routines], rules: [...this.#rules], written: this.#written };
  }

  #add(oid: number, use: Use): void {
    const relation = this.#snapshot.relation(oid);
    const key = `${oid} ${use}`;
    if (relation === undefined || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#waiting.push({ relation, use });
  }

  #addAll(oids: readonly number[], use: Use): void {
    for (const oid of oids) this.#add(oid, use);
  }

  #follow(relation: CatalogRelation, use: Use): void {
    if (use !== 'copy') this.#run(relation.callsOfTypes);
    switch (use) {
      case 'create':
        return;
      case 'copy':
      case 'read':
        // The content of a materialized view was made when it was refreshed.
        if (relation.kind === 'm') return;
        this.#run(relation.calls);
        return this.#addAll(relation.reads, 'read');
      case 'define':
        return this.#define(relation);
      case 'write':
        return this.#write(relation);
    }
  }

  #define(relation: CatalogRelation): void {
    this.#run(relation.callsOnWrite);
    this.#addAll(this.#snapshot.childrenOf(relation.oid), 'define');
  }

  #write(relation: CatalogRelation): void {
    this.#written.add(relation.oid);
    // What writes to a materialized view is REFRESH, a definition to the server.
    if (relation.kind === 'm') this.addDefinition();
    this.#run(relation.calls);
    this.#run(relation.callsOnWrite);
    this.#run(relation.triggers);
    for (const rule of relation.rules ?? []) this.#rules.add(rule);
    // A simple view hands writes on to its table; a materialized one is made anew by REFRESH.
    this.#addAll(relation.reads, relation.kind === 'v' ? 'write' : 'read');
    this.#addAll(this.#snapshot.childrenOf(relation.oid), 'write');
    this.#addAll(relation.cascades ?? [], 'write');
    // A row in a partition must satisfy the keys of all partitioned tables above it.
    this.#addAboves(relation);
  }

  #addAboves(relation: CatalogRelation): void {
    const seen = new Set<number>();
    const waiting = [...relation.parents];
    for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
      const parent = seen.has(oid) ? undefined : this.#snapshot.relation(oid);
      seen.add(oid);
      this.#run(parent?.callsOnWrite);
      waiting.push(...(parent?.parents ?? []));
    }
  }

  #run(routines: readonly CatalogRoutine[] | undefined): void {
    for (const routine of routines ?? []) this.#routines.add(routine);
  }
}
