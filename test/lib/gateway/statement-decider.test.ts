import t from 'tap';
import type { MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import { StatementDecider } from '../../../lib/gateway/statement-decider.ts';
import type { Sensitive } from '../../../lib/masking/sensitive.ts';
import type { AnalysisResult, Exposure, StatementAnalysis } from '../../../lib/sql/analysis.ts';
import type { Operation, ResultColumn, Trace } from '../../../protocols/contract.ts';
import {
  analysis,
  FakeCatalog,
  FakeReader,
  functionName,
  relation,
  routine,
  snapshotOf,
} from './catalog-fixture.ts';
import './parameter-type-cases.ts';
import './shape-decision-cases.ts';

const NO_DELETE: RuleConfig = {
  name: 'no-delete',
  connections: ['*'],
  principals: ['*'],
  effects: ['delete'],
  objects: ['*'],
  action: 'block',
};
const MASK: MaskConfig = {
  name: 'mail',
  connections: ['*'],
  columns: ['public.customers.email'],
  with: 'redact',
  mode: 'mask',
  except: [],
};
const DELETES = analysis({
  statements: ['DeleteStmt'],
  effects: [{ effect: 'delete', object: { kind: 'relation', schema: undefined, name: 'orders' } }],
});
const CLEAR: Exposure = {
  touches: false,
  untraceable: undefined,
  steers: undefined,
  outputs: [['clear']],
};
const CUSTOMERS = relation(10, 'customers', {
  columns: [
    { attribute: 1, name: 'id' },
    { attribute: 2, name: 'email' },
  ],
});
const SENSITIVE: Sensitive = {
  relations: {
    version: 'v1',
    relations: [{ schema: 'public', name: 'customers', masked: ['email'], clear: ['id'] }],
  },
  byOid: new Map([
    [10, new Map([[2, { mask: 'mail', column: 'public.customers.email', with: 'redact' }]])],
  ]),
  isMasking: true,
  columnNames: new Set(['email']),
  isKnownTable: (oid) => oid === 10,
  isKnown: (oid, attribute) => oid === 10 && attribute <= 2,
  named: () => [],
  unmatched: [],
};

interface Options {
  readonly rules?: readonly RuleConfig[];
  readonly masks?: readonly MaskConfig[];
  readonly catalog?: FakeCatalog;
  readonly findSensitive?: () => Sensitive | Promise<Sensitive>;
}

function createDecider(reader: FakeReader, options: Options = {}): StatementDecider {
  return new StatementDecider({
    connection: 'shop',
    principal: { name: 'alice', groups: [] },
    rules: options.rules ?? [],
    masks: options.masks ?? [],
    reader,
    catalog: options.catalog,
    findSensitive: options.findSensitive ?? (() => SENSITIVE),
    hashKey: undefined,
  });
}

async function decide(answer: AnalysisResult, options: Options = {}) {
  const decider = createDecider(new FakeReader({ text: answer }), options);
  return (await decider.decideStatement('text')).decision;
}

function resultOf(columns: readonly Partial<ResultColumn>[], traces: readonly Trace[] = []) {
  const operation: Extract<Operation, { kind: 'result' }> = {
    kind: 'result',
    id: 1,
    columns: columns.map((column) => ({
      name: 'email',
      table: 10,
      attribute: 2,
      type: 25,
      typeModifier: -1,
      format: 'text',
      ...column,
    })),
    traces,
  };
  return operation;
}

t.test('what no rule forbids is allowed, what one forbids is blocked by its name', async (t) => {
  t.match(await decide(analysis(), { rules: [NO_DELETE] }), { kind: 'allow', isSensitive: false });
  t.match(await decide(DELETES), { kind: 'allow' });
  t.match(await decide(DELETES, { rules: [NO_DELETE] }), {
    kind: 'block',
    rule: 'no-delete',
    code: '42501',
    reason: /delete on orders .*no-delete/,
  });
});

t.test('a block is noted for the recording', async (t) => {
  const decider = createDecider(new FakeReader({ text: DELETES }), { rules: [NO_DELETE] });
  const { note } = await decider.decideStatement('text');
  t.match(note, { kind: 'decision', operation: 'statement', outcome: 'block', rule: 'no-delete' });
});

t.test(
  'what cannot be parsed gets the error of the server, what cannot be judged is blocked (GW-5)',
  async (t) => {
    t.match(
      await decide({
        kind: 'syntax-error',
        message: 'syntax error at or near "SELEC"',
        position: 1,
      }),
      {
        kind: 'block',
        rule: undefined,
        code: '42601',
        reason: 'syntax error at or near "SELEC"',
        position: 1,
      },
    );
    t.match(await decide({ kind: 'refused', reason: 'the parser took too long' }), {
      kind: 'block',
      code: '42501',
      reason: /cannot judge this statement: the parser took too long/,
    });
  },
);

t.test('a change of lexer state is blocked, whatever the rules say (GW-3, PG-66)', async (t) => {
  t.match(await decide(analysis({ lexerHazards: ['SET client_encoding'] })), {
    kind: 'block',
    rule: 'lexer-state',
    reason: /SET client_encoding is not allowed/,
  });
});

t.test(
  'the end of a transaction passes always, or a failed one could never be left (PG-31)',
  async (t) => {
    const blockAll: RuleConfig = { ...NO_DELETE, name: 'all', effects: ['*'] };
    const session = analysis({ effects: [{ effect: 'session', object: undefined }] });
    for (const text of ['ROLLBACK', ' commit; ', 'END TRANSACTION', 'abort work;']) {
      const decider = createDecider(new FakeReader({ [text]: session }), { rules: [blockAll] });
      t.match((await decider.decideStatement(text)).decision, { kind: 'allow' }, text);
    }
    for (const text of ['ROLLBACK; SELECT 1', "COMMIT PREPARED 'x'", 'ROLLBACK TO a']) {
      const decider = createDecider(new FakeReader({ [text]: session }), { rules: [blockAll] });
      t.match((await decider.decideStatement(text)).decision, { kind: 'block' }, text);
    }
  },
);

t.test('what a called function does is judged as if written out (PG-62)', async (t) => {
  const snapshot = snapshotOf({ routines: [routine(1, 'purge')] });
  const reader = new FakeReader({
    text: analysis({ functions: [functionName('purge')] }),
    'sql: body of purge': DELETES,
  });
  const decider = createDecider(reader, { rules: [NO_DELETE], catalog: new FakeCatalog(snapshot) });
  t.match((await decider.decideStatement('text')).decision, {
    kind: 'block',
    rule: 'no-delete',
    reason: /by function public\.purge\(\)/,
  });
});

t.test('a known decision comes at once, however slowly it was made', async (t) => {
  const reader = new FakeReader({ text: DELETES });
  const catalog = new FakeCatalog(snapshotOf());
  const decider = createDecider(reader, { rules: [NO_DELETE], catalog });
  reader.isSlow = true;
  catalog.isSlow = true;
  t.ok(decider.decideStatement('text') instanceof Promise);
  await decider.decideStatement('text');
  reader.isSlow = false;
  catalog.isSlow = false;
  const before = reader.asked.length;
  const known = decider.decideStatement('text');
  t.notOk(known instanceof Promise);
  t.match(known, { decision: { kind: 'block' } });
  t.equal(reader.asked.length, before, 'the reader is not asked again');
});

t.test('another version of the catalog is judged anew', async (t) => {
  const reader = new FakeReader({
    text: analysis({ functions: [functionName('purge')] }),
    'sql: body of purge': DELETES,
  });
  const catalog = new FakeCatalog(snapshotOf({ version: 1 }));
  const decider = createDecider(reader, { rules: [NO_DELETE], catalog });
  t.match(await decider.decideStatement('text'), { decision: { kind: 'allow' } });
  catalog.current = snapshotOf({ version: 2, routines: [routine(1, 'purge')] });
  t.match(await decider.decideStatement('text'), { decision: { kind: 'block' } });
});

t.test('a refusal of the reader is not kept: it may do better the next time', async (t) => {
  const answers: Record<string, AnalysisResult> = { text: { kind: 'refused', reason: 'too slow' } };
  const decider = createDecider(new FakeReader(answers));
  t.match(await decider.decideStatement('text'), { decision: { kind: 'block' } });
  answers['text'] = analysis();
  t.match(await decider.decideStatement('text'), { decision: { kind: 'allow' } });
});

t.test('a catalog that cannot be read blocks what needs it', async (t) => {
  const decider = createDecider(new FakeReader({ text: analysis() }), {
    catalog: new FakeCatalog(undefined),
  });
  t.match(await decider.decideStatement('text'), {
    decision: { kind: 'block', reason: /cannot judge this statement: permission denied/ },
  });
});

t.test('what cannot be judged at once is blocked and not thrown', async (t) => {
  const names = Array.from({ length: 201 }, (_, index) => functionName(`nobody${index}`));
  t.match(await decide(analysis({ functions: names })), {
    kind: 'block',
    reason: /reaches more than 200 routines/,
  });
  t.match(await decide(analysis(), { masks: [MASK] }), {
    kind: 'block',
    reason: /masks need a catalog that can be read/,
  });
});

t.test('200 bodies that are all read for the first time are one decision', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `f${index}`);
  const reader = new FakeReader({
    text: analysis({ functions: names.map((name) => functionName(name)) }),
    ...Object.fromEntries(names.map((name) => [`sql: body of ${name}`, analysis()])),
  });
  reader.isSlow = true;
  const snapshot = snapshotOf({ routines: names.map((name, index) => routine(index + 1, name)) });
  const decider = createDecider(reader, { catalog: new FakeCatalog(snapshot) });
  t.match(await decider.decideStatement('text'), { decision: { kind: 'allow' } });
});

t.test('masked data that cannot be traced is refused', async (t) => {
  const catalog = new FakeCatalog(snapshotOf({ relations: [CUSTOMERS] }));
  const judge = (
    exposure: Partial<Exposure>,
    masks = [MASK],
    more: Partial<StatementAnalysis> = {},
  ) => decide(analysis({ exposure: { ...CLEAR, ...exposure }, ...more }), { masks, catalog });
  t.match(await judge({}), { kind: 'allow', isSensitive: false });
  t.match(await judge({ touches: true }), { kind: 'allow', isSensitive: true });
  t.match(await judge({ untraceable: 'a cast' }), {
    kind: 'block',
    rule: 'masked-data',
    reason: /a cast/,
  });
  t.match(await judge({ steers: 'WHERE' }), { kind: 'allow' });
  t.match(await judge({ steers: 'WHERE' }, [{ ...MASK, mode: 'strict' }]), {
    kind: 'block',
    rule: 'masked-data',
    reason: /may not steer a statement: WHERE/,
  });
  t.match(
    await judge({}, [MASK], { statements: ['ExecuteStmt'] }),
    { isSensitive: true },
    'EXECUTE',
  );
});

t.test('the reader is told what is sensitive', async (t) => {
  const reader = new FakeReader({ text: analysis({ exposure: CLEAR }) });
  const catalog = new FakeCatalog(snapshotOf({ relations: [CUSTOMERS] }));
  const decider = createDecider(reader, {
    masks: [MASK],
    catalog,
    findSensitive: () => Promise.resolve(SENSITIVE),
  });
  await decider.decideStatement('text');
  t.same(reader.sensitive, [SENSITIVE.relations]);
});

t.test('a column is masked by the identity that the server gives (PG-77)', async (t) => {
  const catalog = new FakeCatalog(snapshotOf({ relations: [CUSTOMERS] }));
  const decider = createDecider(new FakeReader({}), { masks: [MASK], catalog });
  const decided = decider.decideResultNow(resultOf([{ name: 'x' }, { attribute: 1 }]));
  t.match(decided, {
    decision: { kind: 'allow' },
    note: { operation: 'result', outcome: 'mask', masked: ['public.customers.email'] },
  });
  const plan = decided?.decision.kind === 'allow' ? decided.decision.plan : undefined;
  const [masked, clear] = plan ?? [];
  t.not(masked?.(Buffer.from('ann@x.io'))?.toString(), 'ann@x.io');
  t.equal(typeof masked, 'function');
  t.equal(clear, undefined);
  t.same(decider.decideResultNow(resultOf([{ attribute: 1 }]))?.decision, { kind: 'allow' });
});

t.test('a table that is not known yet costs one more look at the catalog (GW-7)', async (t) => {
  const catalog = new FakeCatalog(snapshotOf());
  catalog.afterwards = snapshotOf({ version: 2, relations: [CUSTOMERS] });
  const decider = createDecider(new FakeReader({}), { masks: [MASK], catalog });
  const operation = resultOf([{}]);
  t.equal(decider.decideResultNow(operation), undefined);
  t.match(await decider.decideResult(operation), { note: { outcome: 'mask' } });
  t.equal(catalog.invalidations, 1);
});

t.test('a result is not shown where the catalog cannot be read', async (t) => {
  for (const catalog of [undefined, new FakeCatalog(undefined)]) {
    const decider = createDecider(new FakeReader({}), {
      masks: [MASK],
      ...(catalog === undefined ? {} : { catalog }),
    });
    t.match(await decider.decideResult(resultOf([{}])), {
      decision: { kind: 'block', rule: 'masked-data', reason: /this result is not shown/ },
    });
  }
});

t.test("what the statement's analysis said of its outputs reaches its results", async (t) => {
  const catalog = new FakeCatalog(snapshotOf({ relations: [CUSTOMERS] }));
  const expression = { name: 'e', table: 0, attribute: 0 };
  const isMasked = async (outputs: Exposure['outputs']): Promise<boolean> => {
    const reader = new FakeReader({ text: analysis({ exposure: { ...CLEAR, outputs } }) });
    const decider = createDecider(reader, { masks: [MASK], catalog });
    const { decision } = await decider.decideStatement('text');
    const trace = decision.kind === 'allow' ? decision.trace : undefined;
    t.ok(trace);
    const decided = decider.decideResultNow(
      resultOf([expression], trace === undefined ? [] : [trace]),
    );
    return decided?.note !== undefined;
  };
  t.equal(await isMasked([['clear']]), false);
  t.equal(await isMasked([['masked']]), true);
});

t.test('explain tells the decision with what led to it', async (t) => {
  const snapshot = snapshotOf({ routines: [routine(1, 'purge')] });
  const reader = new FakeReader({
    text: analysis({ functions: [functionName('purge')] }),
    'sql: body of purge': DELETES,
  });
  const decider = createDecider(reader, { rules: [NO_DELETE], catalog: new FakeCatalog(snapshot) });
  t.match(await decider.explain('text'), {
    decision: { kind: 'block', rule: 'no-delete' },
    analysis: { kind: 'analysis' },
    reaches: [{ routine: 'public.purge' }],
  });
});

t.test(
  'a trigger that touches masked tables makes the statement sensitive, and lets it through',
  async (t) => {
    const trigger = routine(3, 'on_order', { definition: 'body of on_order' });
    const orders = relation(11, 'orders', { triggers: [trigger] });
    const object = { kind: 'relation', schema: undefined, name: 'orders' } as const;
    const insert = analysis({
      statements: ['InsertStmt'],
      effects: [{ effect: 'insert', object }],
      exposure: CLEAR,
    });
    const decideWith = async (exposure: Exposure) => {
      const reader = new FakeReader({
        'INSERT INTO orders': insert,
        'sql: body of on_order': analysis({ exposure }),
      });
      const catalog = new FakeCatalog(snapshotOf({ relations: [CUSTOMERS, orders] }));
      const decider = createDecider(reader, { masks: [MASK], catalog });
      return (await decider.decideStatement('INSERT INTO orders')).decision;
    };
    t.match(await decideWith(CLEAR), { kind: 'allow', isSensitive: false });
    t.match(await decideWith({ ...CLEAR, touches: true }), { kind: 'allow', isSensitive: true });
  },
);
