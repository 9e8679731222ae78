/**
 * Names on connections of protocol mysql: case does not count (MY-63) and a schema is a database. The
 * catalog gives folded names; here what statements name and what rules and masks say are folded too,
 * so that everything between them can compare as it does for PostgreSQL.
 */

import type { MaskConfig, RuleConfig } from '../config/config.ts';
import type {
  AnalysisResult,
  ObjectEffect,
  ObjectName,
  SqlReader,
  StatementAnalysis,
} from '../sql/analysis.ts';
import { foldName } from '../sql/mysql/lineage-names.ts';

/** Dots, stars and quotes have no case. */
export function foldRule(rule: RuleConfig): RuleConfig {
  return { ...rule, objects: rule.objects.map(foldName) };
}

export function foldMask(mask: MaskConfig): MaskConfig {
  return { ...mask, columns: mask.columns.map(foldName) };
}

/** The same reader with folded names in what it answers. */
export function foldAnswers(reader: SqlReader): SqlReader {
  const folded = new WeakMap<AnalysisResult, AnalysisResult>();
  const fold = (result: AnalysisResult): AnalysisResult => {
    // Cached answers are the same objects; they are folded once.
    const known = folded.get(result);
    if (known !== undefined) return known;
    const answer = result.kind === 'analysis' ? foldAnalysis(result) : result;
    folded.set(result, answer);
    return answer;
  };
  const foldLate = (
    result: AnalysisResult | Promise<AnalysisResult>,
  ): AnalysisResult | Promise<AnalysisResult> =>
    result instanceof Promise ? result.then(fold) : fold(result);
  return {
    analyze: (...args) => foldLate(reader.analyze(...args)),
    analyzeRoutine: (...args) => foldLate(reader.analyzeRoutine(...args)),
    analyzeView: async (...args) => {
      const columns = await reader.analyzeView(...args);
      return columns?.map((column) =>
        column.kind === 'column'
          ? {
              ...column,
              name: foldName(column.name),
              relation: column.relation && foldName(column.relation),
            }
          : column,
      );
    },
    close: () => reader.close(),
  };
}

function foldAnalysis(analysis: StatementAnalysis): StatementAnalysis {
  return {
    ...analysis,
    effects: analysis.effects.map(foldEffect),
    functions: analysis.functions.map(foldObject),
    operators: analysis.operators.map(foldObject),
    types: analysis.types.map(foldObject),
    takenOver: analysis.takenOver.map(foldObject),
  };
}

function foldEffect(effect: ObjectEffect): ObjectEffect {
  return effect.object === undefined ? effect : { ...effect, object: foldObject(effect.object) };
}

/** Rules speak of schemas: a database holds tables here as a schema does there. */
function foldObject({ kind, schema, name }: ObjectName): ObjectName {
  return {
    kind: kind === 'database' ? 'schema' : kind,
    schema: schema && foldName(schema),
    name: foldName(name),
  };
}
