import t from 'tap';
import type { StatementTrace } from '../../../lib/gateway/allowed.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import {
  PREPARED_MAX,
  PREPARED_SIZE_MAX,
  PreparedTexts,
  retrace,
} from '../../../lib/gateway/retrace.ts';

function traceOf(text: string | undefined, version = 1): StatementTrace {
  const origin = { text, details: {}, version, sensitive: `v${version}` };
  return { outputs: ['clear'], rows: 'clean', exposure: undefined, origin };
}

function allowing(trace: StatementTrace, isSensitive = false): Decided {
  return { decision: { kind: 'allow', isSensitive, trace }, note: undefined };
}

const BLOCKED: Decided = {
  decision: { kind: 'block', rule: 'masked-data', code: '42501', reason: 'no' },
  note: undefined,
};
const NEW = { version: 2, sensitive: 'v2' };

t.test('what was judged under the catalog of now stays, at once', async (t) => {
  const fail = () => t.fail('judged again') as never;
  const known = [traceOf('SELECT 1', 2), { ...traceOf('x'), origin: undefined }];
  t.same(retrace(known, NEW, fail), { traces: known, isSensitive: false });
});

t.test('a text that was not kept holds as long as the same is sensitive', async (t) => {
  const fail = () => t.fail('judged again') as never;
  const long = traceOf(undefined);
  t.same(retrace([long], { version: 2, sensitive: 'v1' }, fail), {
    traces: [long],
    isSensitive: false,
  });
});

t.test('what is older is judged again', async (t) => {
  const fresh: StatementTrace = { ...traceOf('SELECT 1', 2), outputs: ['masked'] };
  const asked: string[] = [];
  const again = (text: string): Decided => {
    asked.push(text);
    return allowing(fresh, true);
  };
  const current = traceOf('SELECT 2', 2);
  t.same(await retrace([traceOf('SELECT 1'), current], NEW, again), {
    traces: [fresh, current],
    isSensitive: true,
  });
  t.same(asked, ['SELECT 1']);
});

t.test('what cannot be judged any more may be made of masked values', async (t) => {
  const ways: [StatementTrace, () => Decided | Promise<Decided>][] = [
    [traceOf('SELECT 1'), () => BLOCKED],
    [traceOf('SELECT 1'), () => Promise.resolve(BLOCKED)],
    [traceOf(undefined), () => allowing(traceOf('SELECT 1', 2))],
    [traceOf('SELECT 1'), () => ({ decision: { kind: 'allow' }, note: undefined })],
  ];
  for (const [trace, again] of ways) {
    t.match(await retrace([trace], NEW, again), {
      traces: [{ isLost: true, rows: 'unknown', outputs: undefined }],
      isSensitive: true,
    });
  }
});

t.test('texts that prepare others are behind results of those that run them', async (t) => {
  const prepared = new PreparedTexts();
  const text = 'PREPARE p AS SELECT 1';
  prepared.note(text, allowing(traceOf('PREPARE p AS SELECT 2')));
  prepared.note(text, allowing(traceOf('PREPARE p AS SELECT 2')));
  prepared.note('SELECT 1', allowing(traceOf('SELECT 1')));
  prepared.note('PREPARE q AS SELECT 1', BLOCKED);
  t.match(prepared.behind([]), [{ origin: { text } }], 'its own text, not one of the same shape');
  t.equal(prepared.behind([]).length, 1);
  for (const running of ['EXECUTE p', 'call f()', undefined]) {
    t.equal(prepared.behind([traceOf(running)]).length, 1, String(running));
  }
  t.same(prepared.behind([traceOf('SELECT 1')]), []);
});

t.test('texts that there is no room for count as lost once the catalog changes', async (t) => {
  const many = new PreparedTexts();
  for (let count = 0; count <= PREPARED_MAX; count += 1) {
    const text = `PREPARE p${count} AS SELECT ${count}`;
    many.note(text, allowing(traceOf(text)));
  }
  const long = new PreparedTexts();
  const text = `PREPARE p AS SELECT ${' '.repeat(PREPARED_SIZE_MAX)}1`;
  long.note(text, allowing(traceOf(text)));
  const unkept = new PreparedTexts();
  unkept.note('PREPARE p', allowing(traceOf(undefined)));
  for (const [prepared, count] of [
    [many, PREPARED_MAX + 1],
    [long, 1],
    [unkept, 1],
  ] as const) {
    const traces = prepared.behind([]);
    t.equal(traces.length, count);
    t.match(traces.at(-1), { origin: { text: undefined, version: 1 } });
  }
});
