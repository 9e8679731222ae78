/**
 * What the routines do that a statement runs: those it calls, those that its types and relations bring
 * along (hidden-code.ts), and those that these run in turn (PG-62). Bodies are read as statements
 * are; where one cannot be read its effect is `unknown`.
 */

import type {
  CatalogRoutine,
  CatalogRule,
  CatalogSnapshot,
  NamedRoutine,
} from '../catalog/catalog.ts';
import { FIRST_USER_OID } from '../catalog/catalog-queries.ts';
import { isBuiltinFunction, isBuiltinOperator } from '../sql/postgres-builtins.ts';
import { isBuiltinFunction as isMysqlBuiltin } from '../sql/mysql/builtins.ts';
import type {
  ObjectName,
  SensitiveRelations,
  SqlReader,
  StatementAnalysis,
} from '../sql/analysis.ts';
import { findHiddenCode, mayMean } from './hidden-code.ts';
import {
  nameOf,
  type Reach,
  type Reached,
  reachOf,
  shown,
  unexplained,
  unreadable,
  type Uses,
  withoutCreating,
} from './reach.ts';

export interface RoutineContext {
  readonly snapshot: CatalogSnapshot | undefined;
  /** Types of parameters, by their numbers: their values are made, and checked, at Bind. */
  readonly parameterTypes: readonly number[];
  readonly sensitive: SensitiveRelations | undefined;
  /** The server's own functions are those of MySQL and MariaDB, not PostgreSQL's. */
  readonly isMysql?: boolean;
  /** By routine oid; negative numbers for rules, and for names and types that no catalog explains. Filled here. */
  readonly reaches: Map<number, Reach>;
}

/** Routines that one statement may reach; a program that needs more is refused. */
export const ROUTINES_MAX = 200;

/** Below all keys of rules, which are oids as well. */
const TYPE_KEYS = -(2 ** 33);

/** Those among `types` whose values may be made by code that nobody can read. */
export function unknownTypes(
  types: readonly number[],
  snapshot: CatalogSnapshot | undefined,
): readonly number[] {
  // Without a catalog the server's own types count as harmless, as its own functions do.
  const isKnown = (oid: number): boolean =>
    snapshot === undefined ? oid < FIRST_USER_OID : snapshot.routinesOfType(oid) !== undefined;
  return [...new Set(types)].filter((oid) => oid !== 0 && !isKnown(oid));
}

export class RoutineReader {
  readonly #reader: SqlReader;

  constructor(reader: SqlReader) {
    this.#reader = reader;
  }

  /** Undefined: `reaches` is complete. Otherwise a promise of one more body. */
  lookUp(analysis: StatementAnalysis, context: RoutineContext): Promise<void> | undefined {
    const { snapshot } = context;
    addUnknownTypes(context);
    if (snapshot === undefined) {
      for (const name of [...analysis.functions, ...analysis.operators]) {
        addUnexplained(name, context);
      }
      return undefined;
    }
    const called = context.parameterTypes.flatMap((oid) => snapshot.routinesOfType(oid) ?? []);
    // Whatever is called goes first: a routine that is called and hidden as well counts as called.
    return (
      this.#follow({ ...analysis, called }, context, snapshot, false) ??
      this.#follow(withoutCopiedReads(analysis), context, snapshot, true)
    );
  }

  #follow(
    statement: Uses,
    context: RoutineContext,
    snapshot: CatalogSnapshot,
    isHidden: boolean,
  ): Promise<void> | undefined {
    const { reaches } = context;
    const known = (): Uses[] => [
      statement,
      ...[...reaches.values()].filter((reach) => isHidden || !reach.isHidden),
    ];
    const todo = known();
    let isLate = todo.some((uses) => uses.searchesCatalogLate);
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const hidden = findHiddenCode(
        isHidden ? next.effects : [],
        isHidden ? next.takenOver : [],
        snapshot,
      );
      const steps = [
        ...[...(next.called ?? []), ...calledBy(next, snapshot, isLate), ...hidden.routines].map(
          (routine) => ({
            key: routine.oid,
            read: () => this.#readRoutine(routine, context, isHidden),
          }),
        ),
        ...hidden.rules.map((rule) => ({
          key: -rule.oid,
          read: () => this.#readRule(rule, context),
        })),
      ];
      addUnlisted(next, snapshot, reaches);
      for (const { key, read } of steps) {
        if (reaches.has(key)) continue;
        if (reaches.size >= ROUTINES_MAX) throw tooMany();
        const reach = read();
        if (reach instanceof Promise) return reach.then((value) => void reaches.set(key, value));
        reaches.set(key, reach);
        todo.push(reach);
        if (reach.searchesCatalogLate && !isLate) {
          // Routines that this one calls have its search_path: all names are looked up again.
          isLate = true;
          todo.push(...known());
        }
      }
    }
    return undefined;
  }

  #readRoutine(
    routine: CatalogRoutine,
    context: RoutineContext,
    isHidden: boolean,
  ): Reach | Promise<Reach> {
    const { language, definition } = routine;
    const name = nameOf(routine);
    const of: Reached = {
      name,
      via: `function ${name}()`,
      isHidden,
      object: { ...routine, kind: 'function' },
    };
    if (definition === undefined) return unreadable(of, 'its body may not be read');
    const { sensitive } = context;
    const result = this.#reader.analyzeRoutine(language, definition, sensitive, routine.reading);
    return result instanceof Promise
      ? result.then((value) => reachOf(of, value))
      : reachOf(of, result);
  }

  #readRule(rule: CatalogRule, context: RoutineContext): Reach | Promise<Reach> {
    const name = shown(rule.name);
    const object = { kind: 'other', schema: undefined, name: rule.name } as const;
    const of: Reached = { name, via: `rule ${name}`, isHidden: true, object };
    if (rule.definition === undefined) return unreadable(of, 'its text may not be read');
    const result = this.#reader.analyze(rule.definition, context.sensitive);
    return result instanceof Promise
      ? result.then((value) => reachOf(of, withoutCreating(value)))
      : reachOf(of, withoutCreating(result));
  }
}

/** COPY t TO casts nothing, so what it reads is told by its copy-out alone; pg_dump lives on it (PG-54). */
function withoutCopiedReads(analysis: StatementAnalysis): StatementAnalysis {
  const { statements, effects } = analysis;
  const isTable = effects.some(
    ({ effect, object }) => effect === 'copy-out' && object !== undefined,
  );
  const isCopy = statements.length === 1 && statements[0] === 'CopyStmt' && isTable;
  return isCopy
    ? { ...analysis, effects: effects.filter(({ effect }) => effect !== 'read') }
    : analysis;
}

/** A name without its schema may mean any routine of that name that is not shadowed: all of them count. */
function calledBy(
  uses: Uses,
  snapshot: CatalogSnapshot,
  isLate: boolean,
): readonly CatalogRoutine[] {
  const isMeant = (name: ObjectName) => {
    const isNamed = mayMean(name, snapshot);
    return (found: { readonly schema: string; readonly isShadowed?: boolean }): boolean =>
      isNamed(found) && (isLate || name.schema !== undefined || found.isShadowed !== true);
  };
  const routinesOf = (
    named: readonly ObjectName[],
    find: (name: string) => readonly NamedRoutine[],
  ): readonly CatalogRoutine[] =>
    named.flatMap((name) =>
      find(name.name)
        .filter(isMeant(name))
        .map(({ routine }) => routine),
    );
  return [
    ...uses.functions.flatMap((name) => snapshot.routinesNamed(name.name).filter(isMeant(name))),
    ...routinesOf(uses.operators, (name) => snapshot.operatorsNamed(name)),
    // f('x') may be a cast to a type f.
    ...routinesOf([...uses.types, ...uses.functions], (name) => snapshot.typesNamed(name)),
  ];
}

/** Without a catalog only what every server brings along is known. */
function addUnexplained(name: ObjectName, { reaches, isMysql }: RoutineContext): void {
  // `t.f` is nearly always a column; it is listed as a function so that a catalog can tell.
  if (name.kind === 'other') return;
  // The reader of MySQL names none that are sure to be the server's own (MY-46).
  const isKnown =
    isMysql !== true && (name.schema === undefined || name.schema === 'pg_catalog')
      ? name.kind === 'operator'
        ? isBuiltinOperator(name.name)
        : isBuiltinFunction(name.name)
      : false;
  if (isKnown) return;
  const isThere = [...reaches.values()].some((reach) => reach.routine === name.name);
  if (isThere) return;
  if (reaches.size >= ROUTINES_MAX) throw tooMany();
  const why = 'its body cannot be read without a catalog credential';
  reaches.set(-1 - reaches.size, unexplained(name, why));
}

/**
 * A catalog of the MySQL family shows a user no more than it may use itself. A body runs with the rights of
 * whoever made it, a client that signs in itself may have other rights, and functions of loaded libraries
 * are not always shown: a function that is not there may well run (MY-46).
 */
function addUnlisted(uses: Uses, snapshot: CatalogSnapshot, reaches: Map<number, Reach>): void {
  const { server } = snapshot;
  if (server === undefined) return;
  // Of `a.f()` the reader also names `a`, as it could be a package: nobody needs to have one.
  const qualifiers = new Set(uses.functions.map(({ schema }) => schema));
  for (const name of uses.functions) {
    const isListed = name.kind === 'other' || snapshot.routinesNamed(name.name).length > 0;
    if (isListed || isMysqlBuiltin(name.name) || qualifiers.has(name.name)) continue;
    const isThere = [...reaches.values()].some((reach) => reach.routine === name.name);
    if (isThere) continue;
    if (reaches.size >= ROUTINES_MAX) throw tooMany();
    reaches.set(-1 - reaches.size, unexplained(name, 'the catalog does not show it'));
  }
}

/** Nobody can tell what the checks of these types do: the catalog is not there, or does not know them. */
function addUnknownTypes(context: RoutineContext): void {
  const { snapshot, parameterTypes, reaches } = context;
  for (const oid of unknownTypes(parameterTypes, snapshot)) {
    const key = TYPE_KEYS - oid;
    if (reaches.has(key)) continue;
    if (reaches.size >= ROUTINES_MAX) throw tooMany();
    const name = `the type of a parameter, number ${oid}`;
    const why =
      snapshot === undefined
        ? 'its checks cannot be read without a catalog credential'
        : 'the catalog does not know it';
    reaches.set(key, unexplained({ kind: 'other', schema: undefined, name }, why));
  }
}

function tooMany(): Error {
  return new Error(`it reaches more than ${ROUTINES_MAX} routines`);
}
