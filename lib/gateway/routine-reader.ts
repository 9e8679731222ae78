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
import { isBuiltinFunction, isBuiltinOperator } from '../sql/postgres-builtins.ts';
import type {
  AnalysisResult,
  ObjectEffect,
  ObjectName,
  SensitiveRelations,
  SqlReader,
  StatementAnalysis,
} from '../sql/analysis.ts';
import { findHiddenCode, mayMean } from './hidden-code.ts';

/** What a text uses that a catalog can explain. */
type Uses = Pick<
  StatementAnalysis,
  'effects' | 'functions' | 'operators' | 'types' | 'takenOver' | 'searchesCatalogLate'
>;

/** What one routine adds to the statement that runs it. */
export interface Reach extends Uses {
  readonly routine: string;
  readonly lexerHazards: readonly string[];
  /** Always undefined for hidden code: what that reads does not become part of the statement's result. */
  readonly untraceable: string | undefined;
  /** It runs because a relation is used, not because the statement calls it. */
  readonly isHidden: boolean;
  /** It touches masked tables, so that its errors and notices may show their values. */
  readonly isSensitive: boolean;
}

export interface RoutineContext {
  readonly snapshot: CatalogSnapshot | undefined;
  readonly sensitive: SensitiveRelations | undefined;
  /** By routine oid; negative numbers for rules and for names that no catalog explains. Filled here. */
  readonly reaches: Map<number, Reach>;
}

/** Routines that one statement may reach; a program that needs more is refused. */
export const ROUTINES_MAX = 200;
const NAME_LENGTH_SHOWN = 100;

export class RoutineReader {
  readonly #reader: SqlReader;

  constructor(reader: SqlReader) {
    this.#reader = reader;
  }

  /** Undefined: `reaches` is complete. Otherwise a promise of one more body. */
  lookUp(analysis: StatementAnalysis, context: RoutineContext): Promise<void> | undefined {
    const { snapshot, reaches } = context;
    if (snapshot === undefined) {
      for (const name of [...analysis.functions, ...analysis.operators]) {
        addUnexplained(name, reaches);
      }
      return undefined;
    }
    // Whatever is called goes first: a routine that is called and hidden as well counts as called.
    return (
      this.#follow(analysis, context, snapshot, false) ??
      this.#follow(withoutCopiedReads(analysis), context, snapshot, true)
    );
  }

  #follow(
    analysis: StatementAnalysis,
    context: RoutineContext,
    snapshot: CatalogSnapshot,
    isHidden: boolean,
  ): Promise<void> | undefined {
    const { reaches } = context;
    const known = (): Uses[] => [
      analysis,
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
        ...[...calledBy(next, snapshot, isLate), ...hidden.routines].map((routine) => ({
          key: routine.oid,
          read: () => this.#readRoutine(routine, context, isHidden),
        })),
        ...hidden.rules.map((rule) => ({
          key: -rule.oid,
          read: () => this.#readRule(rule, context),
        })),
      ];
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
    const result = this.#reader.analyzeRoutine(language, definition, context.sensitive);
    return result instanceof Promise
      ? result.then((value) => reachOf(of, value))
      : reachOf(of, result);
  }

  #readRule(rule: CatalogRule, context: RoutineContext): Reach | Promise<Reach> {
    const name = rule.name.slice(0, NAME_LENGTH_SHOWN);
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

interface Reached {
  readonly name: string;
  readonly via: string;
  readonly object: ObjectName;
  readonly isHidden: boolean;
}

function reachOf(of: Reached, result: AnalysisResult): Reach {
  if (result.kind !== 'analysis') return unreadable(of, 'its body cannot be parsed');
  const { exposure } = result;
  const untraceable =
    exposure?.touches === true
      ? `${of.via} reads or writes a table with masked columns`
      : exposure?.untraceable;
  return {
    routine: of.name,
    effects: result.effects.map((effect) => ({ ...effect, via: of.via })),
    lexerHazards: result.lexerHazards,
    untraceable: of.isHidden ? undefined : untraceable,
    isHidden: of.isHidden,
    isSensitive: untraceable !== undefined,
    functions: result.functions,
    operators: result.operators,
    types: result.types,
    takenOver: result.takenOver,
    searchesCatalogLate: result.searchesCatalogLate,
  };
}

const isAction = ({ effect, via }: ObjectEffect): boolean =>
  via !== undefined || (effect !== 'create' && effect !== 'code');

/** Of CREATE RULE, what the rule does: its actions, not that it is made. */
function withoutCreating(result: AnalysisResult): AnalysisResult {
  if (result.kind !== 'analysis') return result;
  return { ...result, effects: result.effects.filter(isAction) };
}

const NO_USES: Uses = {
  effects: [],
  functions: [],
  operators: [],
  types: [],
  takenOver: [],
  searchesCatalogLate: false,
};

function unreadable({ name, via, object, isHidden }: Reached, why: string): Reach {
  const reason = `${via}: ${why}`;
  return {
    ...NO_USES,
    routine: name,
    effects: [{ effect: 'unknown', object: nameAlone(object), via: reason }],
    lexerHazards: [],
    untraceable: isHidden ? undefined : reason,
    isHidden,
    isSensitive: true,
  };
}

function nameAlone({ kind, schema, name }: ObjectName): ObjectName {
  return { kind, schema, name };
}

/** Without a catalog only what every server brings along is known. */
function addUnexplained(name: ObjectName, reaches: Map<number, Reach>): void {
  // `t.f` is nearly always a column; it is listed as a function so that a catalog can tell.
  if (name.kind === 'other') return;
  const isKnown =
    name.schema === undefined || name.schema === 'pg_catalog'
      ? name.kind === 'operator'
        ? isBuiltinOperator(name.name)
        : isBuiltinFunction(name.name)
      : false;
  if (isKnown) return;
  const shown = [...reaches.values()].some((reach) => reach.routine === name.name);
  if (shown) return;
  if (reaches.size >= ROUTINES_MAX) throw tooMany();
  const via = `${name.kind} ${name.name.slice(0, NAME_LENGTH_SHOWN)}: its body cannot be read without a catalog credential`;
  reaches.set(-1 - reaches.size, {
    ...NO_USES,
    routine: name.name,
    effects: [{ effect: 'unknown', object: name, via }],
    lexerHazards: [],
    untraceable: via,
    isHidden: false,
    isSensitive: true,
  });
}

function tooMany(): Error {
  return new Error(`it reaches more than ${ROUTINES_MAX} routines`);
}

function nameOf(routine: CatalogRoutine): string {
  return `${routine.schema}.${routine.name}`.slice(0, NAME_LENGTH_SHOWN);
}
