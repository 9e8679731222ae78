/** Blocks in the words that clients and recordings get: by a rule, by the parser, by what is not known. */

import type { Decision } from '../../protocols/contract.ts';
import type { RecordedNote } from '../recording/recording.ts';
import type { AnalysisResult } from '../sql/analysis.ts';
import type { Decided } from './driver-parts.ts';

export function blocked(rule: string | undefined, reason: string): Decided {
  return {
    decision: { kind: 'block', rule, code: '42501', reason },
    note: {
      kind: 'decision',
      operation: 'statement',
      outcome: 'block',
      reason,
      ...(rule === undefined ? {} : { rule }),
    },
  };
}

/** The error that the server would have given; the statement itself is never sent (GW-5). */
export function syntaxError(error: Extract<AnalysisResult, { kind: 'syntax-error' }>): Decided {
  const decision: Decision = {
    kind: 'block',
    rule: undefined,
    code: '42601',
    reason: error.message,
    hint: 'Weir could not parse this statement, so it was not sent to the database.',
    ...(error.position === undefined ? {} : { position: error.position }),
  };
  const note: RecordedNote = {
    kind: 'decision',
    operation: 'statement',
    outcome: 'block',
    reason: 'it cannot be parsed',
  };
  return { decision, note };
}

export function untold(reason: string): Decided {
  return {
    decision: {
      kind: 'block',
      rule: 'masked-data',
      code: '42501',
      reason: `this result is not shown: ${reason}`,
    },
    note: { kind: 'decision', operation: 'result', outcome: 'block', reason },
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
