import t from 'tap';
import type {
  Config,
  ConnectionConfig,
  MaskConfig,
  RuleConfig,
} from '../../../lib/config/config.ts';
import { GatewayError } from '../../../lib/errors.ts';
import { CancelRegistry } from '../../../lib/gateway/cancel-registry.ts';
import { DecisionPipeline, type PipelineParts } from '../../../lib/gateway/decision-pipeline.ts';
import { createCredentials } from '../../../lib/identity/credentials.ts';
import type { CatalogRelation } from '../../../lib/catalog/catalog.ts';
import { createSensitiveFinder } from '../../../lib/masking/sensitive.ts';
import type { Exposure } from '../../../lib/sql/analysis.ts';
import type { Operation, Reading, ResultColumn, Trace } from '../../../protocols/contract.ts';
import { makeConfig } from '../../support/gateway-process.ts';
import { analysis, FakeCatalog, FakeReader, relation, snapshotOf } from './catalog-fixture.ts';

const RULE: RuleConfig = {
  name: 'no-delete',
  connections: ['test'],
  principals: ['group:analysts'],
  effects: ['delete'],
  objects: ['*'],
  action: 'block',
};
const MASK: MaskConfig = {
  name: 'mail',
  connections: ['test'],
  columns: ['public.customers.email'],
  with: 'redact',
  mode: 'mask',
  except: ['petra'],
};
const LOGIN = { user: 'app', password: 'secret', database: undefined };

interface Options {
  readonly rules?: readonly RuleConfig[];
  readonly masks?: readonly MaskConfig[];
  readonly auth?: 'gateway' | 'passthrough';
  readonly connection?: Partial<ConnectionConfig>;
  readonly parts?: Partial<PipelineParts>;
}

function createPipeline(options: Options = {}) {
  const base: Config = makeConfig(
    {
      upstreamPort: 1,
      upstream: { user: 'app', password: 'secret' },
      users: [
        { user: 'alice', password: 'a', groups: ['analysts'] },
        { user: 'petra', password: 'p' },
      ],
      ...(options.rules === undefined ? {} : { rules: options.rules }),
      ...(options.masks === undefined ? {} : { masks: options.masks }),
    },
    '.',
  );
  const [first] = base.connections;
  if (first === undefined) throw new Error('a configuration without a connection');
  const connection = { ...first, ...options.connection };
  const cancels = new CancelRegistry();
  const catalog = new FakeCatalog(snapshotOf());
  const reader = new FakeReader({ 'SELECT 1': analysis() });
  const pipeline = new DecisionPipeline({
    config: { ...base, connections: [connection] },
    connection,
    reader,
    catalogOf: () => catalog,
    findSensitive: () => Promise.reject(new Error('not asked here')),
    credentials:
      options.auth === 'passthrough'
        ? undefined
        : createCredentials(base.users, Buffer.alloc(32, 1)),
    login: LOGIN,
    hashKey: undefined,
    cancels,
    ...options.parts,
  });
  return { pipeline, cancels, catalog, reader };
}

function signIn(user: string, isReplication = false): Extract<Operation, { kind: 'sign-in' }> {
  return {
    kind: 'sign-in',
    id: 1,
    user,
    database: 'shop',
    isSecure: false,
    isReplication,
    settings: [],
  };
}

const SELECT: Operation = { kind: 'statement', id: 2, text: 'SELECT 1' };

t.test(
  'a user of the gateway has to prove itself, the gateway signs in with its own login',
  async (t) => {
    const { pipeline } = createPipeline();
    t.match(await pipeline.openSession().decide(signIn('alice')), {
      decision: { kind: 'prove', isKnown: true, login: LOGIN },
    });
  },
);

t.test(
  'who is not known runs the whole exchange with the same mock each time (PG-15)',
  async (t) => {
    const { pipeline } = createPipeline();
    const first = await pipeline.openSession().decide(signIn('nobody'));
    const second = await pipeline.openSession().decide(signIn('nobody'));
    t.match(first, { decision: { kind: 'prove', isKnown: false, verifier: { iterations: 4096 } } });
    t.same(first, second);
  },
);

t.test('with passthrough the server itself judges who it is', async (t) => {
  const { pipeline } = createPipeline({ auth: 'passthrough', rules: [RULE] });
  const session = pipeline.openSession();
  t.same(await session.decide(signIn('alice')), {
    decision: { kind: 'allow', inspection: { statements: true, results: false } },
    note: undefined,
  });
  t.same(session.principal, { name: 'alice', groups: ['analysts'] });
});

t.test('only what a rule or mask in force needs is inspected', async (t) => {
  const inspection = async (user: string, options: Options) => {
    const { pipeline } = createPipeline({ ...options, auth: 'passthrough' });
    const { decision } = await pipeline.openSession().decide(signIn(user));
    return decision.kind === 'allow' ? decision.inspection : undefined;
  };
  const nothing = { statements: false, results: false };
  const statements = { statements: true, results: false };
  const both = { statements: true, results: true };
  t.same(await inspection('alice', {}), nothing);
  t.same(await inspection('alice', { rules: [RULE] }), statements);
  t.same(await inspection('petra', { rules: [RULE] }), nothing, 'no rule for petra');
  t.same(await inspection('alice', { masks: [MASK] }), both);
  t.same(await inspection('petra', { masks: [MASK] }), nothing, 'petra is excepted');
  t.same(await inspection('alice', { rules: [{ ...RULE, connections: ['other'] }] }), nothing);
});

t.test('replication is refused unless allowed, and then it is not SQL (PG-53)', async (t) => {
  const refusing = createPipeline({ masks: [MASK] }).pipeline.openSession();
  t.match(await refusing.decide(signIn('alice', true)), {
    decision: { kind: 'block', rule: 'replication', code: '42501' },
    note: { operation: 'sign-in', outcome: 'block' },
  });
  const allowing = createPipeline({ masks: [MASK], connection: { replication: ['alice'] } });
  t.match(await allowing.pipeline.openSession().decide(signIn('alice', true)), {
    decision: { inspection: { statements: false, results: false } },
  });
});

t.test('a statement before the sign-in is a fault of ours', async (t) => {
  const { pipeline } = createPipeline({ rules: [RULE] });
  t.throws(() => pipeline.openSession().decide(SELECT), { message: /before the sign-in/ });
});

t.test('sessions of one principal and database share what was decided', async (t) => {
  const { pipeline, reader } = createPipeline({ rules: [RULE] });
  for (let index = 0; index < 3; index += 1) {
    const session = pipeline.openSession();
    await session.decide(signIn('alice'));
    t.match(await session.decide(SELECT), { decision: { kind: 'allow' } });
  }
  t.equal(reader.asked.length, 1);
  const alice = { name: 'alice', groups: ['analysts'] };
  t.equal(pipeline.decider(alice, 'shop'), pipeline.decider(alice, 'shop'));
  t.not(pipeline.decider(alice, 'shop'), pipeline.decider(alice, 'other'));
  t.not(pipeline.decider(alice, 'shop'), pipeline.decider({ name: 'alice', groups: [] }, 'shop'));
});

t.test('no more than 256 deciders are kept, the least recent goes', async (t) => {
  const { pipeline } = createPipeline({ rules: [RULE] });
  const user = (index: number) => ({ name: `u${index}`, groups: [] });
  const first = pipeline.decider(user(0), 'shop');
  const second = pipeline.decider(user(1), 'shop');
  for (let index = 2; index < 256; index += 1) pipeline.decider(user(index), 'shop');
  t.equal(pipeline.decider(user(0), 'shop'), first, 'used a moment ago');
  pipeline.decider(user(256), 'shop');
  t.equal(pipeline.decider(user(0), 'shop'), first);
  t.not(pipeline.decider(user(1), 'shop'), second);
});

t.test('one database too many blocks its statements, not the session', async (t) => {
  const { pipeline } = createPipeline({
    rules: [RULE],
    parts: {
      catalogOf: () => {
        throw new GatewayError('CATALOG_COUNT', 'more than 64 databases are in use');
      },
    },
  });
  const session = pipeline.openSession();
  await session.decide(signIn('alice'));
  t.match(await session.decide(SELECT), {
    decision: { kind: 'block', reason: /more than 64 databases/ },
  });
});

t.test('a change of schema makes the catalog be read again', async (t) => {
  const { pipeline, catalog } = createPipeline({ rules: [RULE] });
  const session = pipeline.openSession();
  await session.decide(signIn('alice'));
  session.onSchemaChanged();
  t.equal(catalog.invalidations, 1, 'also for the others on this database');
  const free = createPipeline({ rules: [] });
  const unjudged = free.pipeline.openSession();
  await unjudged.decide(signIn('alice'));
  unjudged.onSchemaChanged();
  t.equal(free.catalog.invalidations, 1, 'also by a session that no rule applies to');
});

t.test('a start-up setting may not put another schema ahead of pg_catalog (PG-72)', async (t) => {
  const decide = async (name: string, value: string, rules = [RULE]) => {
    const session = createPipeline({ auth: 'passthrough', rules }).pipeline.openSession();
    return session.decide({ ...signIn('alice'), settings: [{ name, value }] });
  };
  const refused = { decision: { kind: 'block', rule: 'lexer-state', code: '42501' } };
  t.match(await decide('search_path', 'shadow, pg_catalog'), refused);
  t.match(await decide('SEARCH_PATH', 'shadow,"pg_catalog"'), refused);
  t.match(await decide('options', '-c search_path=shadow,pg_catalog'), refused);
  t.match(await decide('options', String.raw`--search-path=shadow,\ pg_catalog`), refused);
  const allowed = { decision: { kind: 'allow' } };
  t.match(await decide('search_path', 'shop, public'), allowed);
  t.match(await decide('search_path', ' pg_catalog, public'), allowed);
  t.match(await decide('options', '-c statement_timeout=5s'), allowed);
  t.match(
    await decide('search_path', 'shadow, pg_catalog', []),
    allowed,
    'where nothing is judged',
  );
});

t.test('a user name that the server would cut is refused, with passthrough', async (t) => {
  const decide = (auth: 'gateway' | 'passthrough') =>
    createPipeline({ auth, rules: [RULE] })
      .pipeline.openSession()
      .decide(signIn('é'.repeat(32)));
  t.match(await decide('passthrough'), { decision: { kind: 'block', code: '28000' } });
  t.match(await decide('gateway'), { decision: { kind: 'prove', isKnown: false } });
});

const MYSQL: Options = { auth: 'passthrough', connection: { protocol: 'mysql' } };
const READING: Reading = {
  database: 'Shop',
  server: { flavor: 'mariadb', version: 101_119 },
  ansiQuotes: false,
  noBackslashEscapes: false,
};

t.test('with mysql the case of names does not count, in rules neither (MY-63)', async (t) => {
  const rule: RuleConfig = { ...RULE, objects: ['SHOP.orders'], principals: ['*'] };
  const remove = analysis({
    effects: [{ effect: 'delete', object: { kind: 'relation', schema: 'shop', name: 'orders' } }],
  });
  const reader = new FakeReader({ 'DELETE FROM Orders': remove });
  const { pipeline } = createPipeline({ ...MYSQL, rules: [rule], parts: { reader } });
  const session = pipeline.openSession();
  await session.decide(signIn('alice'));
  const text = 'DELETE FROM Orders';
  const statement: Operation = { kind: 'statement', id: 2, text, reading: READING };
  t.match(await session.decide(statement), {
    decision: { kind: 'block', rule: 'no-delete', code: '42501' },
  });
});

t.test('with mysql the same text in another state of the session is judged anew', async (t) => {
  const { pipeline, reader } = createPipeline({ ...MYSQL, rules: [RULE] });
  const session = pipeline.openSession();
  await session.decide(signIn('alice'));
  const decide = (reading: Reading) =>
    session.decide({ kind: 'statement', id: 2, text: 'SELECT 1', reading, parameterTypes: [253] });
  await decide(READING);
  await decide({ ...READING });
  t.equal(reader.asked.length, 1);
  await decide({ ...READING, database: 'other' });
  await decide({ ...READING, noBackslashEscapes: true });
  await decide({ ...READING, ansiQuotes: undefined });
  t.equal(reader.asked.length, 4);
  t.same(reader.readings.at(-1), { ...READING, ansiQuotes: undefined });
});

t.test('with mysql a user signs in again as another, who has other rules', async (t) => {
  const { pipeline } = createPipeline({ ...MYSQL, rules: [RULE] });
  const session = pipeline.openSession();
  t.match(await session.decide(signIn('alice')), {
    decision: { inspection: { statements: true } },
  });
  t.match(await session.decide(SELECT), { decision: { kind: 'allow' } });
  t.match(await session.decide(signIn('petra')), {
    decision: { inspection: { statements: false } },
  });
  t.equal(session.principal?.name, 'petra');
  t.throws(() => session.decide(SELECT), /before the sign-in/, 'what was of alice is gone');
});

t.test(
  'with mysql a name that some server would cut to that of another user is refused',
  async (t) => {
    const cut = 'a'.repeat(32);
    const rule: RuleConfig = { ...RULE, principals: [cut] };
    const decide = (name: string) =>
      createPipeline({ ...MYSQL, rules: [rule] })
        .pipeline.openSession()
        .decide(signIn(name));
    t.match(await decide(cut), { decision: { kind: 'allow', inspection: { statements: true } } });
    t.match(await decide(`${cut}b`), { decision: { kind: 'block', code: '28000' } });
    t.match(
      await decide('b'.repeat(40)),
      { decision: { kind: 'allow' } },
      'the same rules for both',
    );
    t.match(await decide('b'.repeat(81)), { decision: { kind: 'block', code: '28000' } });
  },
);

t.test(
  'with mysql a result follows what was read of its statement, not its names (MY-64)',
  async (t) => {
    const users: CatalogRelation = {
      ...relation(1, 'users', { schema: 'shop' }),
      columns: [{ attribute: 1, name: 'ssn' }],
    };
    const masks: MaskConfig[] = [{ ...MASK, columns: ['SHOP.users.SSN'] }];
    const exposure: Exposure = {
      touches: true,
      untraceable: undefined,
      steers: undefined,
      outputs: [['masked', 'clear']],
    };
    const reader = new FakeReader({ 'SELECT ssn, 1': analysis({ exposure }) });
    const { pipeline } = createPipeline({
      ...MYSQL,
      masks,
      parts: {
        reader,
        catalogOf: () => new FakeCatalog(snapshotOf({ relations: [users] })),
        findSensitive: createSensitiveFinder(reader, 'mysql'),
      },
    });
    const session = pipeline.openSession();
    await session.decide(signIn('alice'));
    const text = 'SELECT ssn, 1';
    const { decision } = await session.decide({ kind: 'statement', id: 2, text, reading: READING });
    const traces = decision.kind === 'allow' && decision.trace ? [decision.trace] : [];
    const named = { name: 'c', table: 0, attribute: 0, type: 253, typeModifier: -1 } as const;
    const column: ResultColumn = { ...named, format: 'text' };
    const columns = [column, column];
    const planFor = async (given: readonly Trace[]) => {
      const decided = await session.decide({ kind: 'result', id: 3, columns, traces: given });
      const plan = decided.decision.kind === 'allow' ? decided.decision.plan : undefined;
      return plan?.map((mask) => mask?.(Buffer.from('x'))?.toString() ?? 'clear');
    };
    t.same(await planFor(traces), ['***', 'clear']);
    t.same(await planFor([]), ['***', '***'], 'nobody knows the statement');
    t.same(await planFor([...traces, {}]), ['***', '***'], 'a foreign trace');
  },
);

t.test(
  'FunctionCall is refused unless allowed, and never past a rule or mask (PG-46)',
  async (t) => {
    const call: Operation = { kind: 'call', id: 3, routine: 1 };
    const decide = async (options: Options) => {
      const session = createPipeline({ ...options, auth: 'passthrough' }).pipeline.openSession();
      await session.decide(signIn('alice'));
      return session.decide(call);
    };
    t.match(await decide({}), {
      decision: { kind: 'block', rule: 'function-call', code: '42501' },
      note: { operation: 'call', outcome: 'block' },
    });
    t.match(await decide({ connection: { functionCalls: true } }), { decision: { kind: 'allow' } });
    t.match(await decide({ connection: { functionCalls: true }, masks: [MASK] }), {
      decision: { kind: 'block' },
    });
    t.match(await decide({ connection: { functionCalls: true }, rules: [RULE] }), {
      decision: { kind: 'block' },
    });
  },
);

t.test('a cancel finds only a session that is at work (PG-12)', async (t) => {
  const { pipeline, cancels } = createPipeline();
  const target = { isBusy: true };
  cancels.add(Buffer.from('pid4key4'), target);
  const cancel = (key: string) =>
    pipeline.openSession().decide({ kind: 'cancel', id: 4, key: Buffer.from(key) });
  t.match(await cancel('pid4key4'), { decision: { kind: 'allow' }, note: undefined });
  t.match(await cancel('other'), { decision: { kind: 'block' }, note: undefined });
  target.isBusy = false;
  t.match(await cancel('pid4key4'), { decision: { kind: 'block' } }, 'it would hit the next query');
});
