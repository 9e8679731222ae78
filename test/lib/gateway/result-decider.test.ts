/** Results of statements that were judged before; all else about results is in statement-decider.test.ts. */

import t from 'tap';
import type { StatementTrace } from '../../../lib/gateway/allowed.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { LookBudget } from '../../../lib/gateway/look-budget.ts';
import { ResultDecider, type ResultOperation } from '../../../lib/gateway/result-decider.ts';
import { PreparedTexts } from '../../../lib/gateway/retrace.ts';
import type { Sensitive } from '../../../lib/masking/sensitive.ts';
import { FakeCatalog, snapshotOf } from './catalog-fixture.ts';

const SENSITIVE: Sensitive = {
  relations: { version: 'v1', relations: [] },
  byOid: new Map(),
  isMasking: true,
  columnNames: new Set(),
  isKnownTable: () => true,
  isKnown: () => true,
  named: () => [],
  unmatched: [],
};

function traceOf(text: string, version: number): StatementTrace {
  const origin = { text, details: {}, version, sensitive: 'v1' };
  return { outputs: ['clear'], rows: 'clean', exposure: undefined, origin };
}

function resultOf(traces: readonly StatementTrace[]): ResultOperation {
  const column = {
    name: 'u',
    table: 0,
    attribute: 0,
    type: 25,
    typeModifier: -1,
    format: 'text',
  } as const;
  return { kind: 'result', id: 1, columns: [column], traces };
}

function deciderOf(judgeAgain: () => Decided): ResultDecider {
  return new ResultDecider({
    catalog: new FakeCatalog(snapshotOf({ version: 2 })),
    findSensitive: () => SENSITIVE,
    hashKey: undefined,
    looks: new LookBudget(),
    judgeAgain,
  });
}

const BLOCKED: Decided = {
  decision: { kind: 'block', rule: 'masked-data', code: '42501', reason: 'no' },
  note: undefined,
};
const MASKED = { decision: { kind: 'allow', isSensitive: true }, note: { outcome: 'mask' } };

t.test('an expression is clear as long as its statement is', async (t) => {
  const fresh = traceOf('SELECT upper(c) FROM v', 2);
  const decider = deciderOf(() => ({
    decision: { kind: 'allow', isSensitive: false, trace: fresh },
    note: undefined,
  }));
  t.same(decider.decideNow(resultOf([fresh]))?.decision, { kind: 'allow' }, 'at once');
  const old = resultOf([traceOf('SELECT upper(c) FROM v', 1)]);
  t.equal(decider.decideNow(old), undefined);
  t.same((await decider.decide(old)).decision, { kind: 'allow' });
});

t.test('and masked when its statement would be refused now', async (t) => {
  const decider = deciderOf(() => BLOCKED);
  t.match(await decider.decide(resultOf([traceOf('SELECT upper(c) FROM v', 1)])), MASKED);
});

t.test('the same of what the session prepared in SQL', async (t) => {
  const decider = deciderOf(() => BLOCKED);
  const prepared = new PreparedTexts();
  const text = 'PREPARE p AS SELECT upper(c) FROM v';
  prepared.note(text, { decision: { kind: 'allow', trace: traceOf(text, 1) }, note: undefined });
  const running = resultOf([traceOf('EXECUTE p', 2)]);
  t.match(await decider.decide(running, prepared), MASKED);
  t.match(await decider.decide(resultOf([]), prepared), MASKED, 'of a portal that nobody knows');
  t.same((await decider.decide(resultOf([traceOf('SELECT 1', 2)]), prepared)).decision, {
    kind: 'allow',
  });
  t.same((await decider.decide(running)).decision, { kind: 'allow' }, 'of another session');
});
