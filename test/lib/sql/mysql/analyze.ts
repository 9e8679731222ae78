/** Analyses of texts for tests, in short words: `delete:app.t`, with `app` for the default database. */

import type { Reading } from '../../../../protocols/contract.ts';
import type { AnalysisResult, StatementAnalysis } from '../../../../lib/sql/analysis.ts';
import { analyzeStatements } from '../../../../lib/sql/mysql/analysis.ts';

export const MARIADB: Reading = {
  database: 'app',
  server: { flavor: 'mariadb', version: 101_119 },
  ansiQuotes: false,
  noBackslashEscapes: false,
};

export const MYSQL: Reading = {
  database: 'app',
  server: { flavor: 'mysql', version: 80_036 },
  ansiQuotes: undefined,
  noBackslashEscapes: false,
};

export function analyze(text: string, reading: Reading = MARIADB): AnalysisResult {
  return analyzeStatements(text, { sensitive: undefined, reading }).result;
}

export function analysisOf(text: string, reading: Reading = MARIADB): StatementAnalysis {
  const result = analyze(text, reading);
  if (result.kind !== 'analysis') throw new Error(`${text}: ${JSON.stringify(result)}`);
  return result;
}

/** `effect:name`, names of the default database without it. */
export function effectsOf(text: string, reading: Reading = MARIADB): readonly string[] {
  return analysisOf(text, reading).effects.map(({ effect, object }) => {
    if (object === undefined) return effect;
    const { schema, name } = object;
    return `${effect}:${schema === undefined || schema === 'app' ? '' : `${schema}.`}${name}`;
  });
}

export function hazardsOf(text: string, reading: Reading = MARIADB): readonly string[] {
  return analysisOf(text, reading).lexerHazards;
}
