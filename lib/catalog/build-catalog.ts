/** Makes relations, routines and operators out of the rows of a catalog's names, in memory. */

import type {
  CatalogColumn,
  CatalogRelation,
  CatalogRoutine,
  CatalogRule,
  CatalogSnapshot,
  NamedRoutine,
} from './catalog.ts';
import { FIRST_USER_OID } from './catalog-queries.ts';
import { booleanIn, numberIn, type Row, textIn } from './catalog-rows.ts';
import type { Names } from './read-names.ts';
import { buildTypeRoutines, type TypeRoutines } from './type-routines.ts';

export interface Routines {
  /** Aggregates under their own names, once for each support function; functions that cast, too. */
  readonly routines: readonly CatalogRoutine[];
  readonly operators: readonly NamedRoutine[];
  readonly types: readonly NamedRoutine[];
  /** By the oid of a routine, an aggregate or an operator: what runs when it is used. */
  readonly callees: ReadonlyMap<number, readonly CatalogRoutine[]>;
  readonly typeRoutines: TypeRoutines;
  readonly routinesOfType: CatalogSnapshot['routinesOfType'];
  readonly routinesOnDefine: readonly CatalogRoutine[];
}

export function buildRoutines(names: Names, bodies: ReadonlyMap<number, string>): Routines {
  const isShadowed = shadowReader(names);
  const own = names.routines.map((row): CatalogRoutine => {
    const oid = numberIn(row, 'oid');
    return {
      oid,
      schema: textIn(row, 'schema'),
      name: textIn(row, 'name'),
      language: textIn(row, 'language').toLowerCase(),
      definition: bodies.get(oid),
      ...isShadowed(row),
    };
  });
  const byOid = new Map(own.map((routine) => [routine.oid, routine]));
  const callees = new Map<number, CatalogRoutine[]>();
  for (const routine of own) callees.set(routine.oid, [routine]);
  /** The routine of a row, known from now on as one that `caller` runs. */
  const addCallee = (row: Row, caller: string): CatalogRoutine | undefined => {
    const routine = byOid.get(numberIn(row, 'routine'));
    const oid = numberIn(row, caller);
    if (routine !== undefined) callees.set(oid, [...(callees.get(oid) ?? []), routine]);
    return routine;
  };
  const aggregates = names.aggregates.flatMap((row): readonly CatalogRoutine[] => {
    const routine = addCallee(row, 'aggregate');
    return routine === undefined ? [] : [renamed(routine, row, isShadowed(row))];
  });
  const operators = names.operators.flatMap((row): readonly NamedRoutine[] => {
    const routine = addCallee(row, 'operator');
    return routine === undefined ? [] : [{ ...nameIn(row), ...isShadowed(row), routine }];
  });
  const typeRoutines = buildTypeRoutines(
    { ...names, columns: [...names.columns, ...names.compositeColumns] },
    callees,
  );
  const types = names.types.flatMap((row) =>
    typeRoutines
      .of(numberIn(row, 'oid'))
      .map((routine): NamedRoutine => ({ ...nameIn(row), ...isShadowed(row), routine })),
  );
  // A call of f(a_domain) runs the domain's check: it is listed as a routine named f.
  const casting = names.signatures.flatMap((row) =>
    typeRoutines.of(numberIn(row, 'type')).map((routine) => renamed(routine, row, {})),
  );
  const routines = [...own, ...aggregates, ...casting];
  const routinesOfType = typeReader(names, typeRoutines);
  const routinesOnDefine = names.eventTriggers.flatMap(
    (row) => callees.get(numberIn(row, 'callee')) ?? [],
  );
  return { routines, operators, types, callees, typeRoutines, routinesOfType, routinesOnDefine };
}

/** The server's own types are there always; what somebody added to one of them counts as well. */
function typeReader(names: Names, typeRoutines: TypeRoutines): Routines['routinesOfType'] {
  const known = new Set(names.types.map((row) => numberIn(row, 'oid')));
  return (oid) => (oid < FIRST_USER_OID || known.has(oid) ? typeRoutines.of(oid) : undefined);
}

/** Nothing is shadowed where some session may begin with pg_catalog behind another schema. */
function shadowReader(names: Names): (row: Row) => { readonly isShadowed?: true } {
  const isCatalogFirst = names.latePaths.length === 0;
  return (row) => (isCatalogFirst && booleanIn(row, 'shadowed') ? { isShadowed: true } : {});
}

function renamed(
  { oid, language, definition }: CatalogRoutine,
  row: Row,
  shadow: { readonly isShadowed?: true },
): CatalogRoutine {
  return { oid, language, definition, ...nameIn(row), ...shadow };
}

function nameIn(row: Row): { readonly schema: string; readonly name: string } {
  return { schema: textIn(row, 'schema'), name: textIn(row, 'name') };
}

export interface RelationTexts {
  readonly views: ReadonlyMap<number, string>;
  readonly rules: ReadonlyMap<number, string>;
}

export function buildRelations(
  names: Names,
  texts: RelationTexts,
  routines: Routines,
): readonly CatalogRelation[] {
  const columns = buildColumns(names);
  const hiddenCode = buildHiddenCode(names, texts.rules, routines);
  const parents = groupBy(names.parents, oidOf('child'), oidOf('parent'));
  const reads = groupBy(names.reads, oidOf('reader'), oidOf('source'));
  const viewCalls = groupBy(
    names.calls,
    oidOf('view'),
    (row) => routines.callees.get(numberIn(row, 'callee')) ?? [],
  );
  return names.relations.map((row) => {
    const oid = numberIn(row, 'oid');
    const { policyCalls, ...hidden } = hiddenCode(oid);
    return {
      oid,
      ...nameIn(row),
      kind: textIn(row, 'kind'),
      columns: columns.get(oid) ?? [],
      parents: parents.get(oid) ?? [],
      definition: texts.views.get(oid),
      reads: [...new Set(reads.get(oid) ?? [])],
      calls: [...(viewCalls.get(oid) ?? []).flat(), ...policyCalls],
      ...hidden,
    };
  });
}

function buildColumns(names: Names): ReadonlyMap<number, CatalogColumn[]> {
  const sources = groupBy(
    names.generated,
    (row) => `${numberIn(row, 'relation')}.${numberIn(row, 'attribute')}`,
    (row) => numberIn(row, 'source'),
  );
  return groupBy(names.columns, oidOf('relation'), (row): CatalogColumn => {
    const attribute = numberIn(row, 'attribute');
    const computedFrom = sources.get(`${numberIn(row, 'relation')}.${attribute}`);
    const column = { attribute, name: textIn(row, 'name') };
    return computedFrom === undefined ? column : { ...column, computedFrom };
  });
}

type HiddenCode = Pick<
  CatalogRelation,
  'callsOnWrite' | 'triggers' | 'callsOfTypes' | 'rules' | 'cascades' | 'deletesIn'
> & { readonly policyCalls: readonly CatalogRoutine[] };

/** What runs on each relation without being named; what there is nothing of is left out. */
function buildHiddenCode(
  names: Names,
  ruleTexts: ReadonlyMap<number, string>,
  { callees, typeRoutines }: Routines,
): (oid: number) => HiddenCode {
  const calleesOf = (row: Row): readonly CatalogRoutine[] => {
    const callee = numberIn(row, 'callee');
    return [...(callees.get(callee) ?? []), ...typeRoutines.of(callee)];
  };
  const policies = groupBy(names.policyCalls, oidOf('relation'), calleesOf);
  const writes = groupBy(names.writeCalls, oidOf('relation'), calleesOf);
  const triggers = groupBy(names.triggers, oidOf('relation'), calleesOf);
  const cascades = groupBy(names.cascades, oidOf('relation'), oidOf('target'));
  const deleting = names.cascades.filter((row) => row['deletes'] === true);
  const deletesIn = groupBy(deleting, oidOf('relation'), oidOf('target'));
  const rules = groupBy(names.rules, oidOf('relation'), (row): CatalogRule => {
    const oid = numberIn(row, 'oid');
    return { oid, name: textIn(row, 'name'), definition: ruleTexts.get(oid) };
  });
  const types = typeRoutines.isEmpty
    ? new Map<number, (readonly CatalogRoutine[])[]>()
    : groupBy([...names.viewTypes, ...names.columns], oidOf('relation'), (row) =>
        typeRoutines.of(numberIn(row, 'type' in row ? 'type' : 'callee')),
      );
  return (oid) => ({
    policyCalls: (policies.get(oid) ?? []).flat(),
    ...some('callsOnWrite', (writes.get(oid) ?? []).flat()),
    ...some('triggers', (triggers.get(oid) ?? []).flat()),
    ...some('callsOfTypes', [...new Set((types.get(oid) ?? []).flat())]),
    ...some('rules', rules.get(oid) ?? []),
    ...some('cascades', cascades.get(oid) ?? []),
    ...some('deletesIn', deletesIn.get(oid) ?? []),
  });
}

/** Nothing for an empty list: nearly every relation has none of these, and there may be many. */
function some<Key extends string, Value>(
  key: Key,
  values: readonly Value[],
): { readonly [key in Key]?: readonly Value[] } {
  // An object with one computed key has an index signature for TypeScript; this is that key.
  return values.length === 0 ? {} : ({ [key]: values } as { [key in Key]: readonly Value[] });
}

function oidOf(key: string): (row: Row) => number {
  return (row) => numberIn(row, key);
}

function groupBy<Entry, Key, Value>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => Key,
  valueOf: (entry: Entry) => Value,
): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [valueOf(entry)]);
    else group.push(valueOf(entry));
  }
  return groups;
}
