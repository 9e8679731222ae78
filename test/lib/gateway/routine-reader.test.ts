import t from 'tap';
import type { CatalogSnapshot } from '../../../lib/catalog/catalog.ts';
import type { Reach } from '../../../lib/gateway/reach.ts';
import { ROUTINES_MAX, RoutineReader } from '../../../lib/gateway/routine-reader.ts';
import type { StatementAnalysis } from '../../../lib/sql/analysis.ts';
import {
  analysis,
  FakeReader,
  functionName,
  relation,
  routine,
  snapshotOf,
} from './catalog-fixture.ts';

const DELETES = analysis({
  effects: [{ effect: 'delete', object: { kind: 'relation', schema: undefined, name: 'orders' } }],
});

/** Looks until everything is known, as the decider does. */
async function reach(
  statement: StatementAnalysis,
  snapshot: CatalogSnapshot | undefined,
  reader: FakeReader,
  parameterTypes: readonly number[] = [],
): Promise<Reach[]> {
  const routines = new RoutineReader(reader);
  const reaches = new Map<number, Reach>();
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const context = { snapshot, parameterTypes, sensitive: undefined, reaches };
    const waiting = routines.lookUp(statement, context);
    if (waiting === undefined) return [...reaches.values()];
    await waiting;
  }
  throw new Error('it does not come to an end');
}

function calls(...names: string[]): StatementAnalysis {
  return analysis({ functions: names.map((name) => functionName(name)) });
}

t.test('the effects of a body count, and say by which function they come (PG-62)', async (t) => {
  const snapshot = snapshotOf({ routines: [routine(1, 'purge')] });
  const reader = new FakeReader({ 'sql: body of purge': DELETES });
  const [found] = await reach(calls('purge'), snapshot, reader);
  t.match(found, {
    routine: 'public.purge',
    effects: [{ effect: 'delete', object: { name: 'orders' }, via: 'function public.purge()' }],
    untraceable: undefined,
  });
});

t.test('functions that functions call are read, recursion ends (PG-62)', async (t) => {
  const snapshot = snapshotOf({
    routines: [routine(1, 'a'), routine(2, 'b'), routine(3, 'c', { language: 'plpgsql' })],
  });
  for (const isSlow of [false, true]) {
    const reader = new FakeReader({
      'sql: body of a': calls('b'),
      'sql: body of b': calls('a', 'c', 'b'),
      'plpgsql: body of c': DELETES,
    });
    reader.isSlow = isSlow;
    const found = await reach(calls('a'), snapshot, reader);
    t.same(found.map((one) => one.routine).toSorted(), ['public.a', 'public.b', 'public.c']);
    t.equal(reader.asked.length, 3, 'each body is read once');
    t.ok(found.some(({ effects }) => effects[0]?.effect === 'delete'));
  }
});

t.test(
  'a name without its schema means all routines of that name, with it only that one',
  async (t) => {
    const snapshot = snapshotOf({
      routines: [routine(1, 'f'), routine(2, 'f', { schema: 'evil', definition: 'other' })],
    });
    const reader = new FakeReader({ 'sql: body of f': analysis(), 'sql: other': DELETES });
    t.equal((await reach(calls('f'), snapshot, reader)).length, 2);
    const named = analysis({ functions: [functionName('f', 'public')] });
    t.same(
      (await reach(named, snapshot, reader)).map((one) => one.routine),
      ['public.f'],
    );
  },
);

t.test('operators of users are functions as well', async (t) => {
  const snapshot = snapshotOf({
    operators: [{ schema: 'public', name: '+++', routine: routine(7, 'sneaky') }],
  });
  const reader = new FakeReader({ 'sql: body of sneaky': DELETES });
  const statement = analysis({ operators: [{ kind: 'operator', schema: undefined, name: '+++' }] });
  const [found] = await reach(statement, snapshot, reader);
  t.match(found?.effects, [{ effect: 'delete' }]);
});

t.test(
  'a body that cannot be read or parsed is unknown, and masked data untraceable',
  async (t) => {
    const snapshot = snapshotOf({
      routines: [
        routine(1, 'locked', { definition: undefined }),
        routine(2, 'broken'),
        routine(3, 'foreign'),
      ],
    });
    const reader = new FakeReader({
      'sql: body of broken': { kind: 'syntax-error', message: 'no', position: 1 },
      'sql: body of foreign': { kind: 'refused', reason: 'plperl' },
    });
    const found = await reach(calls('locked', 'broken', 'foreign'), snapshot, reader);
    t.equal(found.length, 3);
    for (const one of found) {
      t.match(one.effects, [{ effect: 'unknown', object: { kind: 'function' } }]);
      t.match(one.untraceable, /cannot be parsed|may not be read/);
    }
  },
);

t.test('a body that touches a masked table cannot be traced', async (t) => {
  const exposure = { touches: true, untraceable: undefined, steers: undefined, outputs: [] };
  const snapshot = snapshotOf({ routines: [routine(1, 'peek')] });
  const reader = new FakeReader({ 'sql: body of peek': analysis({ exposure }) });
  const [found] = await reach(calls('peek'), snapshot, reader);
  t.match(found?.untraceable, /public\.peek\(\) reads or writes a table with masked columns/);
});

t.test('a change of lexer state in a body is told', async (t) => {
  const snapshot = snapshotOf({ routines: [routine(1, 'flip')] });
  const reader = new FakeReader({
    'sql: body of flip': analysis({ lexerHazards: ['set_config()'] }),
  });
  t.same((await reach(calls('flip'), snapshot, reader))[0]?.lexerHazards, ['set_config()']);
});

t.test('more routines than the limit are refused', async (t) => {
  const names = Array.from({ length: ROUTINES_MAX + 1 }, (_, index) => `f${index}`);
  const snapshot = snapshotOf({ routines: names.map((name, index) => routine(index + 1, name)) });
  const reader = new FakeReader(
    Object.fromEntries(names.map((name) => [`sql: body of ${name}`, analysis()])),
  );
  t.equal((await reach(calls(...names.slice(1)), snapshot, reader)).length, ROUTINES_MAX);
  await t.rejects(reach(calls(...names), snapshot, reader), { message: /more than 200 routines/ });
});

t.test('without a catalog only what every server brings along is known', async (t) => {
  const statement = analysis({
    functions: [
      functionName('lower'),
      functionName('lower', 'pg_catalog'),
      functionName('lower', 'public'),
      functionName('mine'),
      functionName('mine'),
      // `t.total` is a column as far as anyone can tell.
      { kind: 'other', schema: undefined, name: 'total' },
    ],
    operators: [
      { kind: 'operator', schema: undefined, name: '+' },
      { kind: 'operator', schema: undefined, name: '@@@@' },
    ],
  });
  const found = await reach(statement, undefined, new FakeReader({}));
  t.same(found.map((one) => one.routine).toSorted(), ['@@@@', 'lower', 'mine']);
  t.ok(found.every(({ effects }) => effects[0]?.effect === 'unknown'));
  t.match(found[0]?.untraceable, /without a catalog credential/);
});

t.test('without a catalog a hostile number of names is refused, and quickly (PG-74)', async (t) => {
  const names = Array.from({ length: 100_000 }, (_, index) => `nobody${index}`);
  const start = performance.now();
  await t.rejects(reach(calls(...names), undefined, new FakeReader({})), {
    message: /more than 200/,
  });
  t.ok(performance.now() - start < 20_000);
});

const INSERTS = analysis({
  effects: [{ effect: 'insert', object: { kind: 'relation', schema: undefined, name: 'orders' } }],
});
const TOUCHES = { touches: true, untraceable: undefined, steers: undefined, outputs: [] };

t.test('hidden code counts with its effects, and with those of what it uses (PG-62)', async (t) => {
  const log = relation(2, 'log', { triggers: [routine(3, 'on_log')] });
  const orders = relation(1, 'orders', { triggers: [routine(4, 'on_order')] });
  const snapshot = snapshotOf({ relations: [orders, log], routines: [routine(5, 'helper')] });
  for (const isSlow of [false, true]) {
    const reader = new FakeReader({
      'sql: body of on_order': analysis({
        effects: [
          { effect: 'insert', object: { kind: 'relation', schema: undefined, name: 'log' } },
        ],
      }),
      'sql: body of on_log': calls('helper'),
      'sql: body of helper': DELETES,
    });
    reader.isSlow = isSlow;
    const found = await reach(INSERTS, snapshot, reader);
    t.same(
      found.map((one) => one.routine),
      ['public.on_order', 'public.on_log', 'public.helper'],
    );
    t.ok(found.every((one) => one.isHidden));
    t.match(found.at(-1)?.effects, [{ effect: 'delete', via: 'function public.helper()' }]);
  }
});

t.test(
  'a trigger that reads masked tables makes errors sensitive, not results untraceable',
  async (t) => {
    const both = routine(3, 'peek');
    const snapshot = snapshotOf({
      relations: [relation(1, 'orders', { triggers: [both] })],
      routines: [both],
    });
    for (const isSlow of [false, true]) {
      const reader = new FakeReader({ 'sql: body of peek': analysis({ exposure: TOUCHES }) });
      reader.isSlow = isSlow;
      t.match(await reach(INSERTS, snapshot, reader), [
        { isHidden: true, isSensitive: true, untraceable: undefined },
      ]);
      const called = await reach(
        { ...INSERTS, functions: [functionName('peek')] },
        snapshot,
        reader,
      );
      t.match(called, [{ isHidden: false, isSensitive: true, untraceable: /public\.peek/ }]);
    }
  },
);

t.test('what is found on the hidden way stays hidden when the look-up goes on', async (t) => {
  const snapshot = snapshotOf({
    relations: [relation(1, 'orders', { triggers: [routine(3, 'on_order')] })],
    routines: [routine(4, 'peek'), routine(5, 'more')],
  });
  const reader = new FakeReader({
    'sql: body of on_order': calls('peek'),
    'sql: body of peek': { ...calls('more'), exposure: TOUCHES },
    'sql: body of more': analysis({ exposure: TOUCHES }),
  });
  reader.isSlow = true;
  const found = await reach(INSERTS, snapshot, reader);
  t.same(
    found.map((one) => one.untraceable),
    [undefined, undefined, undefined],
  );
});

t.test('rules count with their actions, not with CREATE RULE itself (PG-62)', async (t) => {
  const rule = (definition: string | undefined) =>
    snapshotOf({
      relations: [relation(1, 'orders', { rules: [{ oid: 9, name: 'r', definition }] })],
    });
  const text = analysis({
    effects: [
      { effect: 'create', object: { kind: 'relation', schema: undefined, name: 'orders' } },
      { effect: 'code', object: { kind: 'relation', schema: undefined, name: 'orders' } },
      {
        effect: 'delete',
        object: { kind: 'relation', schema: undefined, name: 'log' },
        via: 'RULE',
      },
    ],
  });
  const [found] = await reach(INSERTS, rule('text of r'), new FakeReader({ 'text of r': text }));
  t.match(found?.effects, [{ effect: 'delete', via: 'rule r' }]);
  t.equal(found?.effects.length, 1);
  const [unread] = await reach(INSERTS, rule(undefined), new FakeReader({}));
  t.match(unread?.effects, [{ effect: 'unknown' }]);
});

t.test('types run the routines of their casts and checks (PG-62)', async (t) => {
  const purging = { schema: 'public', name: 'purging', routine: routine(3, 'check') };
  const snapshot = snapshotOf({ types: [purging] });
  const reader = new FakeReader({ 'sql: body of check': DELETES });
  const type = { kind: 'other', schema: undefined, name: 'purging' } as const;
  t.equal((await reach(analysis({ types: [type] }), snapshot, reader)).length, 1);
  t.equal((await reach(calls('purging'), snapshot, reader)).length, 1, "purging('5') is a cast");
  const elsewhere = { ...type, schema: 'evil' };
  t.equal((await reach(analysis({ types: [elsewhere] }), snapshot, reader)).length, 0);
});

t.test(
  'what pg_catalog hides is reached by its schema, or where pg_catalog is searched late (PG-72)',
  async (t) => {
    const lower = routine(1, 'lower', { schema: 'evil', isShadowed: true });
    const snapshot = snapshotOf({
      routines: [lower, routine(2, 'harmless')],
      operators: [{ schema: 'evil', name: '=', isShadowed: true, routine: routine(3, 'equals') }],
    });
    const reader = new FakeReader({
      'sql: body of lower': DELETES,
      'sql: body of equals': DELETES,
      'sql: body of harmless': { ...calls('lower'), searchesCatalogLate: true },
    });
    const equals = (schema: string | undefined) =>
      analysis({ operators: [{ kind: 'operator', schema, name: '=' }] });
    const count = async (statement: StatementAnalysis) =>
      (await reach(statement, snapshot, reader)).length;
    t.equal(await count(calls('lower')), 0);
    t.equal(await count(equals(undefined)), 0);
    t.equal(await count(equals('pg_catalog')), 0);
    t.equal(await count(equals('evil')), 1);
    t.equal(await count(analysis({ functions: [functionName('lower', 'evil')] })), 1);
    t.equal(await count({ ...calls('lower'), searchesCatalogLate: true }), 1);
    const late = { ...equals(undefined), functions: [functionName('harmless')] };
    t.same(
      (await reach(late, snapshot, reader)).map((one) => one.routine).toSorted(),
      ['evil.lower', 'public.equals', 'public.harmless'],
      'a routine hands its search_path on',
    );
  },
);

t.test(
  'a schema that no catalog knows may be any: made or renamed in this transaction',
  async (t) => {
    const snapshot = snapshotOf({ routines: [routine(1, 'purge')] });
    const reader = new FakeReader({ 'sql: body of purge': DELETES });
    const named = (schema: string) => analysis({ functions: [functionName('purge', schema)] });
    t.equal((await reach(named('renamed'), snapshot, reader)).length, 1);
    t.equal((await reach(named('pg_temp'), snapshot, reader)).length, 1);
    t.equal((await reach(named('evil'), snapshot, reader)).length, 0);
  },
);

t.test(
  'COPY t TO casts nothing, unless something else reads the table as well (PG-54)',
  async (t) => {
    const typed = relation(1, 'orders', { callsOfTypes: [routine(3, 'cast')] });
    const reader = new FakeReader({ 'sql: body of cast': DELETES });
    const object = { kind: 'relation', schema: undefined, name: 'orders' } as const;
    const copy = (...statements: string[]) =>
      analysis({
        statements,
        effects: [
          { effect: 'copy-out', object },
          { effect: 'read', object, via: 'COPY' },
        ],
      });
    const snapshot = snapshotOf({ relations: [typed] });
    t.equal((await reach(copy('CopyStmt'), snapshot, reader)).length, 0);
    t.equal((await reach(copy('CopyStmt', 'SelectStmt'), snapshot, reader)).length, 1);
  },
);

t.test('a parameter of a type whose check deletes deletes (PG-62)', async (t) => {
  const types = new Map([[20_000, [routine(1, 'purge')]]]);
  const routinesOfType = (oid: number) => (oid < 16_384 ? [] : types.get(oid));
  const snapshot = snapshotOf({ routines: [routine(2, 'inner')], routinesOfType });
  const reader = new FakeReader({
    'sql: body of purge': calls('inner'),
    'sql: body of inner': DELETES,
  });
  const found = await reach(analysis(), snapshot, reader, [23, 0, 20_000]);
  t.same(
    found.map((one) => [one.routine, one.effects[0]?.effect]),
    [
      ['public.purge', undefined],
      ['public.inner', 'delete'],
    ],
    'what its routines call counts as well',
  );
  t.ok(found.every(({ isHidden }) => !isHidden));
  t.same(await reach(analysis(), snapshot, reader, [23, 0]), []);
});

t.test('types that nobody knows are unknown, once each', async (t) => {
  const reader = new FakeReader({});
  const routinesOfType = (oid: number) => (oid < 16_384 ? [] : undefined);
  const cases = [
    { snapshot: snapshotOf({ routinesOfType }), why: /30000: the catalog does not know it/ },
    { snapshot: undefined, why: /30000: its checks cannot be read without a catalog credential/ },
  ];
  for (const { snapshot, why } of cases) {
    const found = await reach(analysis(), snapshot, reader, [23, 30_000, 30_000, 0]);
    t.match(found, [{ effects: [{ effect: 'unknown', via: why }], untraceable: why }]);
    t.equal(found.length, 1);
    const many = Array.from({ length: 65_535 }, (_, index) => 30_000 + index);
    await t.rejects(reach(analysis(), snapshot, reader, many), { message: /more than 200/ });
  }
});
