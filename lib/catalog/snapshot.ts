/** A catalog in memory: the maps behind `CatalogSnapshot`. It knows nothing of where the rows came from. */

import type { CatalogRelation, CatalogRoutine, CatalogSnapshot, NamedRoutine } from './catalog.ts';

export interface SnapshotContent {
  readonly version: number;
  readonly relations: readonly CatalogRelation[];
  /** Aggregates are in it under their own names, once for each support function. */
  readonly routines: readonly CatalogRoutine[];
  readonly operators: readonly NamedRoutine[];
  readonly types?: readonly NamedRoutine[];
  readonly routinesOnDefine?: readonly CatalogRoutine[];
  /** Without it no type is known by its number. */
  readonly routinesOfType?: CatalogSnapshot['routinesOfType'];
  /** Those without anything in them as well. */
  readonly schemas?: readonly string[];
  readonly server?: CatalogSnapshot['server'];
}

export function buildSnapshot(content: SnapshotContent): CatalogSnapshot {
  const { version, relations, routines, operators, routinesOnDefine = [] } = content;
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]));
  const children = new Map<number, number[]>();
  for (const { oid, parents } of relations) {
    for (const parent of parents) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [oid]);
      else siblings.push(oid);
    }
  }
  const byName = groupByName(relations, (relation) => relation);
  const routinesByName = groupByName(routines, (routine) => routine);
  const operatorsByName = groupByName(operators, (operator) => operator);
  const typesByName = groupByName(content.types ?? [], (type) => type);
  const schemas = new Set(content.schemas ?? relations.map((relation) => relation.schema));
  return {
    version,
    relation: (oid) => byOid.get(oid),
    relations: () => relations,
    relationsNamed: (name) => byName.get(name) ?? [],
    childrenOf: (oid) => children.get(oid) ?? [],
    routinesNamed: (name) => routinesByName.get(name) ?? [],
    operatorRoutines: (name) => (operatorsByName.get(name) ?? []).map(({ routine }) => routine),
    operatorsNamed: (name) => operatorsByName.get(name) ?? [],
    typesNamed: (name) => typesByName.get(name) ?? [],
    routinesOnDefine: () => routinesOnDefine,
    routinesOfType: content.routinesOfType ?? (() => undefined),
    hasSchema: (name) => schemas.has(name),
    schemas: () => schemas,
    ...(content.server === undefined ? {} : { server: content.server }),
  };
}

function groupByName<Entry extends { readonly name: string }, Value>(
  entries: readonly Entry[],
  valueOf: (entry: Entry) => Value,
): ReadonlyMap<string, readonly Value[]> {
  const groups = new Map<string, Value[]>();
  for (const entry of entries) {
    const group = groups.get(entry.name);
    if (group === undefined) groups.set(entry.name, [valueOf(entry)]);
    else group.push(valueOf(entry));
  }
  return groups;
}
