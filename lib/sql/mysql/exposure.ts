/**
 * How a text uses masked columns (MY-64..67): what reaches its outputs, what steers it, and what would
 * put masked values where they can no longer be told from others. The statements of one text are
 * judged one after the other, as the server runs them.
 */

import type { Reading } from '../../../protocols/contract.ts';
import type { ColumnSource, Exposure, OutputKind, SensitiveRelations } from '../analysis.ts';
import type { Statement } from './ast.ts';
import { StatementJudge } from './exposure-statement.ts';
import { Findings } from './lineage-findings.ts';
import { RelationTable } from './lineage-relations.ts';
import type { Column } from './lineage-scope.ts';

export interface ExposureContext {
  readonly sensitive: SensitiveRelations;
  readonly reading: Reading | undefined;
  /** The text of a PREPARE or EXECUTE IMMEDIATE; undefined: it cannot be read. */
  readonly parse: (text: string) => readonly Statement[] | undefined;
}

export function judgeExposure(
  statements: readonly Statement[],
  context: ExposureContext,
): Exposure {
  const judged = judgeEach(statements, context);
  const sources = judged.map(({ rows }) => (rows === undefined ? undefined : sourcesOf(rows)));
  return {
    touches: judged.some(({ findings }) => findings.touches),
    untraceable: judged.map(({ findings }) => findings.untraceable).find(isGiven),
    steers: judged.map(({ findings }) => findings.steers).find(isGiven),
    outputs: judged.map(({ rows }) => (rows === undefined ? undefined : kindsOf(rows))),
    // Most statements show no masked column.
    ...(sources.some((list) => list?.some((source) => source !== undefined)) ? { sources } : {}),
  };
}

/** Of one text that can be read in several ways (MY-38): whatever holds of one of them holds. */
export function mergeReadings(exposures: readonly Exposure[]): Exposure {
  const counts = new Set(exposures.map(({ outputs }) => outputs.length));
  const [first] = exposures;
  const merged = (first?.outputs ?? []).map((_, index) =>
    mergeOutputs(exposures.map(({ outputs }) => outputs[index])),
  );
  const isMasked = exposures.some(({ outputs }) => outputs.some(holdsMasked));
  return {
    touches: exposures.some(({ touches }) => touches),
    untraceable:
      exposures.map(({ untraceable }) => untraceable).find(isGiven) ??
      (counts.size > 1 && isMasked ? 'it can be read as more or fewer statements' : undefined),
    steers: exposures.map(({ steers }) => steers).find(isGiven),
    outputs: merged,
    ...(exposures.length === 1 && first?.sources !== undefined ? { sources: first.sources } : {}),
  };
}

type Outputs = readonly OutputKind[] | undefined;

function holdsMasked(outputs: Outputs): boolean {
  return outputs?.includes('masked') === true;
}

function mergeOutputs(readings: readonly Outputs[]): Outputs {
  const lists = readings.flatMap((outputs) => (outputs === undefined ? [] : [outputs]));
  const [first] = lists;
  if (first === undefined) return undefined;
  const isAligned = lists.every(
    (outputs) => outputs.length === first.length && !outputs.includes('star'),
  );
  const isMasked = lists.some(holdsMasked);
  if (!isAligned) return isMasked ? ['star', 'masked', 'star'] : ['star'];
  return first.map((_, index) =>
    lists.some((outputs) => outputs[index] === 'masked') ? 'masked' : 'clear',
  );
}

/** Of a routine, trigger or event that is there: that it was once defined is nobody's attempt. */
export function judgeRoutine(definition: Statement, context: ExposureContext): Exposure {
  const findings = new Findings();
  const judge = new StatementJudge({
    findings,
    relations: new RelationTable(context.sensitive, context.reading),
    parse: context.parse,
    isRoutine: true,
  });
  judge.body(definition);
  const { touches, untraceable, steers } = findings;
  return { touches, untraceable, steers, outputs: [undefined] };
}

/** The columns of the rows that each statement gives; undefined: it gives none of its own. */
export function traceColumns(
  statements: readonly Statement[],
  context: ExposureContext,
): readonly (readonly Column[] | undefined)[] {
  return judgeEach(statements, context).map(({ rows }) => rows);
}

interface Judged {
  readonly findings: Findings;
  readonly rows: readonly Column[] | undefined;
}

function judgeEach(statements: readonly Statement[], context: ExposureContext): readonly Judged[] {
  let { reading } = context;
  return statements.map((statement) => {
    const findings = new Findings();
    const judge = new StatementJudge({
      findings,
      relations: new RelationTable(context.sensitive, reading),
      parse: context.parse,
      isRoutine: false,
    });
    const rows = judge.statement(statement, { scope: undefined, ctes: undefined });
    // The statements behind it in the same text look up names there.
    if (statement.kind === 'use' && reading !== undefined)
      reading = { ...reading, database: statement.database };
    return { findings, rows };
  });
}

function isGiven(reason: string | undefined): reason is string {
  return reason !== undefined;
}

function kindsOf(columns: readonly Column[]): readonly OutputKind[] {
  return columns.flatMap(({ masked, run }): readonly OutputKind[] => {
    if (run === undefined) return [masked === undefined ? 'clear' : 'masked'];
    // Between two stars everything is masked when something is (lib/masking/plan.ts).
    return masked === undefined ? ['star'] : ['star', 'masked', 'star'];
  });
}

/** Which masked columns are shown as they are; behind a star nobody can count. */
function sourcesOf(columns: readonly Column[]): readonly (ColumnSource | undefined)[] | undefined {
  if (columns.some(({ run }) => run !== undefined)) return undefined;
  return columns.map(({ masked, origin }) => (masked === undefined ? undefined : origin));
}
