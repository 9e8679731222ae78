/**
 * What one routine, rule or type adds to the statement that makes it run. Code that nobody can read is
 * `unknown`, which every block rule takes for its own.
 */

import type { CatalogRoutine } from '../catalog/catalog.ts';
import type {
  AnalysisResult,
  ObjectEffect,
  ObjectName,
  StatementAnalysis,
} from '../sql/analysis.ts';

/** What a text uses that a catalog can explain. */
export type Uses = Pick<
  StatementAnalysis,
  'effects' | 'functions' | 'operators' | 'types' | 'takenOver' | 'searchesCatalogLate'
> & {
  /** Those that no name stands for. */
  readonly called?: readonly CatalogRoutine[];
};

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

const NAME_LENGTH_SHOWN = 100;

export interface Reached {
  readonly name: string;
  readonly via: string;
  readonly object: ObjectName;
  readonly isHidden: boolean;
}

export function reachOf(of: Reached, result: AnalysisResult): Reach {
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
export function withoutCreating(result: AnalysisResult): AnalysisResult {
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

export function unreadable({ name, via, object, isHidden }: Reached, why: string): Reach {
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

/** What stands in a statement and cannot be looked up. */
export function unexplained(object: ObjectName, why: string): Reach {
  const via = `${object.kind === 'other' ? '' : `${object.kind} `}${shown(object.name)}: ${why}`;
  return {
    ...NO_USES,
    routine: object.name,
    effects: [{ effect: 'unknown', object, via }],
    lexerHazards: [],
    untraceable: via,
    isHidden: false,
    isSensitive: true,
  };
}

export function shown(name: string): string {
  return name.slice(0, NAME_LENGTH_SHOWN);
}

export function nameOf(routine: CatalogRoutine): string {
  return shown(`${routine.schema}.${routine.name}`);
}
