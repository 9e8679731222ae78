/**
 * What the routines do that a statement calls: bodies are read as statements are, and the routines that
 * those call in turn (PG-62). Where a body cannot be read its effect is `unknown`.
 */

import type { CatalogRoutine, CatalogSnapshot } from '../catalog/catalog.ts';
import { isBuiltinFunction, isBuiltinOperator } from '../sql/postgres-builtins.ts';
import type {
  AnalysisResult,
  ObjectEffect,
  ObjectName,
  SensitiveRelations,
  SqlReader,
  StatementAnalysis,
} from '../sql/analysis.ts';

/** What one routine adds to the statement that calls it. */
export interface Reach {
  readonly routine: string;
  readonly effects: readonly ObjectEffect[];
  readonly lexerHazards: readonly string[];
  readonly untraceable: string | undefined;
  readonly functions: readonly ObjectName[];
  readonly operators: readonly ObjectName[];
}

export interface RoutineContext {
  readonly snapshot: CatalogSnapshot | undefined;
  readonly sensitive: SensitiveRelations | undefined;
  /** By routine oid; negative numbers for names that no catalog explains. Filled here. */
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
    const todo: { functions: readonly ObjectName[]; operators: readonly ObjectName[] }[] = [
      analysis,
      ...context.reaches.values(),
    ];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      for (const routine of this.#routinesOf(next, context)) {
        if (context.reaches.has(routine.oid)) continue;
        if (context.reaches.size >= ROUTINES_MAX) {
          throw tooMany();
        }
        const reach = this.#read(routine, context);
        if (reach instanceof Promise) return reach;
        context.reaches.set(routine.oid, reach);
        todo.push(reach);
      }
    }
    return undefined;
  }

  #routinesOf(
    calls: { readonly functions: readonly ObjectName[]; readonly operators: readonly ObjectName[] },
    { snapshot, reaches }: RoutineContext,
  ): readonly CatalogRoutine[] {
    if (snapshot === undefined) {
      for (const name of [...calls.functions, ...calls.operators]) addUnexplained(name, reaches);
      return [];
    }
    // A name without its schema may mean any routine of that name: all of them count.
    const inSchema = ({ schema }: ObjectName) => (routine: CatalogRoutine) =>
      schema === undefined || routine.schema === schema;
    return [
      ...calls.functions.flatMap((name) => snapshot.routinesNamed(name.name).filter(inSchema(name))),
      ...calls.operators.flatMap((name) => snapshot.operatorRoutines(name.name)),
    ];
  }

  #read(routine: CatalogRoutine, context: RoutineContext): Reach | Promise<void> {
    if (routine.definition === undefined) return unreadable(routine, 'its body may not be read');
    const result = this.#reader.analyzeRoutine(routine.language, routine.definition, context.sensitive);
    if (!(result instanceof Promise)) return reachOf(routine, result);
    return result.then((value) => void context.reaches.set(routine.oid, reachOf(routine, value)));
  }
}

function reachOf(routine: CatalogRoutine, result: AnalysisResult): Reach {
  if (result.kind !== 'analysis') return unreadable(routine, 'its body cannot be parsed');
  const via = `function ${nameOf(routine)}()`;
  const exposure = result.exposure;
  return {
    routine: nameOf(routine),
    effects: result.effects.map((effect) => ({ ...effect, via })),
    lexerHazards: result.lexerHazards,
    untraceable:
      exposure?.touches === true ? `${via} reads or writes a table with masked columns` : exposure?.untraceable,
    functions: result.functions,
    operators: result.operators,
  };
}

function unreadable(routine: CatalogRoutine, why: string): Reach {
  const via = `function ${nameOf(routine)}(): ${why}`;
  const object: ObjectName = { kind: 'function', schema: routine.schema, name: routine.name };
  return {
    routine: nameOf(routine),
    effects: [{ effect: 'unknown', object, via }],
    lexerHazards: [],
    untraceable: via,
    functions: [],
    operators: [],
  };
}

/** Without a catalog only what every server brings along is known. */
function addUnexplained(name: ObjectName, reaches: Map<number, Reach>): void {
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
    routine: name.name,
    effects: [{ effect: 'unknown', object: name, via }],
    lexerHazards: [],
    untraceable: via,
    functions: [],
    operators: [],
  });
}

function tooMany(): Error {
  return new Error(`it reaches more than ${ROUTINES_MAX} routines`);
}

function nameOf(routine: CatalogRoutine): string {
  return `${routine.schema}.${routine.name}`.slice(0, NAME_LENGTH_SHOWN);
}
