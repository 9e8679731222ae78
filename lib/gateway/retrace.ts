/**
 * What was judged under an older catalog than the one in force. A prepared statement lives as long as its
 * session, and the server reads its names anew with every use: a view may have been made anew over a masked
 * column meanwhile, and nothing in the result tells that an expression is made of it. So its text is judged again
 * as soon as the catalog is another one, and what cannot be judged any more counts as made of masked values.
 */

import { isStatementTrace, type StatementDetails, type StatementTrace } from './allowed.ts';
import type { Decided } from './driver-parts.ts';

/** Nobody can tell what the rows are made of. */
const LOST: StatementTrace = {
  outputs: undefined,
  rows: 'unknown',
  exposure: undefined,
  isLost: true,
  origin: undefined,
};

/** Statements prepared in SQL that one session keeps in mind. */
export const PREPARED_MAX = 1000;
/** Characters of all their texts together. */
export const PREPARED_SIZE_MAX = 1024 * 1024;

const PREPARES = /\bprepare\b/i;
/** A procedure may execute what its session has prepared. */
const RUNS_PREPARED = /\b(?:execute|call)\b/i;

export type JudgeAgain = (text: string, details: StatementDetails) => Decided | Promise<Decided>;

/** The versions of now. */
export type Present = Pick<NonNullable<StatementTrace['origin']>, 'version' | 'sensitive'>;

export interface Retraced {
  readonly traces: readonly StatementTrace[];
  /** What was judged again touches masked data: errors about its rows may quote them. */
  readonly isSensitive: boolean;
}

/** Nothing has changed since they were judged. */
export function areCurrent(traces: readonly StatementTrace[], present: Present): boolean {
  return !traces.some((trace) => isOld(trace, present));
}

/** A text that was not kept goes by what is sensitive, which changes seldom, and not by every definition. */
function isOld({ origin }: StatementTrace, { version, sensitive }: Present): boolean {
  if (origin === undefined) return false;
  return origin.text === undefined ? origin.sensitive !== sensitive : origin.version !== version;
}

/** At once where nothing has changed. */
export function retrace(
  traces: readonly StatementTrace[],
  present: Present,
  judgeAgain: JudgeAgain,
): Retraced | Promise<Retraced> {
  if (areCurrent(traces, present)) return { traces, isSensitive: false };
  return Promise.all(
    traces.map(async (trace): Promise<Retraced> => {
      const { origin } = trace;
      if (origin === undefined || !isOld(trace, present))
        return { traces: [trace], isSensitive: false };
      if (origin.text === undefined) return { traces: [LOST], isSensitive: true };
      const { decision } = await judgeAgain(origin.text, origin.details);
      if (decision.kind !== 'allow') return { traces: [LOST], isSensitive: true };
      const { trace: found = LOST, isSensitive = true } = decision;
      return { traces: [isStatementTrace(found) ? found : LOST], isSensitive };
    }),
  ).then((all) => ({
    traces: all.flatMap((one) => one.traces),
    isSensitive: all.some((one) => one.isSensitive),
  }));
}

/** What a session prepared in SQL (PREPARE), under names that nobody follows. */
export class PreparedTexts {
  readonly #traces = new Map<string, StatementTrace>();
  #size = 0;
  /** Of the texts that there was no room for. */
  #dropped: StatementTrace | undefined;

  /** Of any statement. Another text of the same shape stands for it in its trace, so this one is kept. */
  note(text: string, { decision }: Decided): void {
    const trace = decision.kind === 'allow' ? decision.trace : undefined;
    if (trace === undefined || !isStatementTrace(trace) || !PREPARES.test(text)) return;
    const { origin } = trace;
    if (origin === undefined) return;
    const key = JSON.stringify([text, origin.details]);
    if (this.#traces.has(key)) return;
    if (
      origin.text === undefined ||
      this.#traces.size >= PREPARED_MAX ||
      this.#size + key.length > PREPARED_SIZE_MAX
    ) {
      this.#dropped ??= { ...trace, origin: { ...origin, text: undefined } };
      return;
    }
    this.#size += key.length;
    this.#traces.set(key, { ...trace, origin: { ...origin, text } });
  }

  /** Those that may have made the rows of a result, by the traces that came with it. */
  behind(traces: readonly StatementTrace[]): readonly StatementTrace[] {
    if (this.#traces.size === 0 && this.#dropped === undefined) return [];
    const mayBe = traces.some(({ origin }) => RUNS_PREPARED.test(origin?.text ?? 'execute'));
    if (traces.length > 0 && !mayBe) return [];
    return [...this.#traces.values(), ...(this.#dropped === undefined ? [] : [this.#dropped])];
  }
}
