/**
 * Decides results: which columns are masked, by the catalog of now and by what was said of the statements
 * that may have made them. One for each principal and database, beside its statement decider.
 */

import type { Operation } from '../../protocols/contract.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import { planResult, type ResultPlan } from '../masking/plan.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import type { ValueOptions } from '../masking/values.ts';
import type { RecordedNote } from '../recording/recording.ts';
import { isStatementTrace, type StatementTrace } from './allowed.ts';
import { messageOf, untold } from './blocks.ts';
import type { Decided } from './driver-parts.ts';
import type { LookBudget } from './look-budget.ts';
import {
  areCurrent,
  type JudgeAgain,
  type PreparedTexts,
  retrace,
  type Retraced,
} from './retrace.ts';

export type ResultOperation = Extract<Operation, { kind: 'result' }>;

export type PlanResult = (
  sensitive: Sensitive,
  operation: ResultOperation,
  traces: readonly StatementTrace[],
  options: ValueOptions,
) => ResultPlan;

export interface ResultDeciderParts {
  /** Undefined: nobody may read it (passthrough without `catalog`). */
  readonly catalog: Catalog | undefined;
  readonly findSensitive: (snapshot: CatalogSnapshot) => Sensitive | Promise<Sensitive>;
  readonly hashKey: Buffer | undefined;
  /** By default as for PostgreSQL, where columns have an identity. */
  readonly plan?: PlanResult;
  readonly looks: LookBudget;
  readonly judgeAgain: JudgeAgain;
}

export class ResultDecider {
  readonly #parts: ResultDeciderParts;

  constructor(parts: ResultDeciderParts) {
    this.#parts = parts;
  }

  /** `prepared`: by the session that asks. */
  async decide(operation: ResultOperation, prepared?: PreparedTexts): Promise<Decided> {
    const { catalog, looks, findSensitive, judgeAgain } = this.#parts;
    if (catalog === undefined)
      return untold('the catalog is not readable, so columns cannot be traced');
    try {
      let snapshot = await catalog.snapshot();
      if (namesUnknownTable(operation, snapshot) && looks.take()) {
        // A table made a moment ago: one more look, then it counts as untraced (GW-7).
        catalog.invalidate();
        snapshot = await catalog.snapshot();
      }
      const sensitive = await findSensitive(snapshot);
      const present = { version: snapshot.version, sensitive: sensitive.relations.version };
      const retraced = await retrace(tracesOf(operation, prepared), present, judgeAgain);
      return this.#plan(operation, sensitive, retraced);
    } catch (error) {
      return untold(`the catalog cannot be read: ${messageOf(error)}`);
    }
  }

  /** The same at once, where everything is known; undefined: it is not. */
  decideNow(operation: ResultOperation, prepared?: PreparedTexts): Decided | undefined {
    const { catalog, findSensitive } = this.#parts;
    const snapshot = catalog?.snapshot();
    if (snapshot instanceof Promise) {
      // Whoever waits for it hears of a failure; here nobody does, and that must not end the process.
      snapshot.catch(() => undefined);
      return undefined;
    }
    if (snapshot === undefined || namesUnknownTable(operation, snapshot)) return undefined;
    const sensitive = findSensitive(snapshot);
    if (sensitive instanceof Promise) return undefined;
    const present = { version: snapshot.version, sensitive: sensitive.relations.version };
    const traces = tracesOf(operation, prepared);
    return areCurrent(traces, present)
      ? this.#plan(operation, sensitive, { traces, isSensitive: false })
      : undefined;
  }

  #plan(operation: ResultOperation, sensitive: Sensitive, retraced: Retraced): Decided {
    const { hashKey, plan: planBy = planByIdentity } = this.#parts;
    const told = operation.traces.filter(isStatementTrace).length;
    // Those behind the ones that were told matter only where they cannot be judged any more.
    const lost = retraced.traces.find(({ isLost }) => isLost === true);
    const traces = lost === undefined ? retraced.traces.slice(0, told) : [lost];
    const { plan, masked } = planBy(sensitive, operation, traces, { hashKey });
    const sensitivity = retraced.isSensitive ? { isSensitive: true } : {};
    if (plan === undefined) return { decision: { kind: 'allow', ...sensitivity }, note: undefined };
    const note: RecordedNote = { kind: 'decision', operation: 'result', outcome: 'mask', masked };
    return { decision: { kind: 'allow', plan, ...sensitivity }, note };
  }
}

function namesUnknownTable({ columns }: ResultOperation, snapshot: CatalogSnapshot): boolean {
  return columns.some(({ table }) => table !== 0 && snapshot.relation(table) === undefined);
}

function tracesOf({ traces }: ResultOperation, prepared?: PreparedTexts): StatementTrace[] {
  const told = traces.filter(isStatementTrace);
  return [...told, ...(prepared?.behind(told) ?? [])];
}

const planByIdentity: PlanResult = (sensitive, { columns }, traces, options) => {
  const [trace] = traces;
  const outputs = traces.length === 1 ? trace?.outputs : undefined;
  return planResult(sensitive, columns, trace?.isLost === true ? 'untraced' : outputs, options);
};
