/**
 * Qdrant behind Weir with the official REST and gRPC clients: the same answers as direct but for what is masked
 * or refused, and a leak suite. The server is the emulator of test/support: no package carries the real one.
 */

import type { Json } from '../support/qdrant-emulator-filter.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { grpcCalls, restReads, restWrites, type Shown, showAll } from './qdrant-calls.ts';
import {
  grpcClient,
  openQdrantLab,
  type QdrantLab,
  type QdrantWay,
  restClient,
  sendRest,
} from './qdrant-lab.ts';
import { checkCarriers, checkOldServer } from './qdrant-carriers.ts';
import { ATTEMPTS as FIRST, ORACLES, SECRET } from './qdrant-leak-cases.ts';
import { MORE } from './qdrant-leak-more.ts';

const ATTEMPTS = [...FIRST, ...MORE];

export const POLICY = `
[[rule]]
name = "no-secrets"
effects = ["*"]
objects = ["qdrant:secrets"]
principals = ["alice", "bob"]
action = "block"
[[rule]]
name = "no-admin"
effects = ["drop", "admin"]
objects = ["*"]
principals = ["alice", "bob"]
action = "block"
[[rule]]
name = "own-records"
effects = ["search", "read", "export", "count", "upsert", "delete"]
objects = ["qdrant:customers"]
principals = ["alice"]
action = "allow"
filter = { tenant = "\${principal.group}" }
[[rule]]
name = "few"
effects = ["search", "read", "export"]
objects = ["qdrant:customers"]
principals = ["bob"]
action = "allow"
limit_max = 2
vectors = false
[[mask]]
name = "contacts"
fields = ["email", "author.phone", "notes"]
with = "redact"
objects = ["qdrant:customers"]
mode = "strict"
except = ["free", "bob", "petra"]
[[mask]]
name = "shown"
fields = ["email", "author.phone", "notes"]
with = "redact"
objects = ["qdrant:customers"]
except = ["free", "bob", "alice"]
`;

export const qdrant: Suite = {
  name: 'qdrant',
  about:
    'Qdrant (emulated) with the official REST and gRPC clients, direct and through the gateway',
  run: async (context) => {
    const lab = await openQdrantLab(context, POLICY);
    await compareFree(context, lab);
    await compareMasked(context, lab);
    await checkLimits(context, lab);
    await checkRefusals(context, lab);
    await checkLeaks(context, lab);
    await checkCarriers(context, lab);
    await checkOldServer(context, POLICY);
    await checkCredentials(context, lab);
  },
};

async function showWay(lab: QdrantLab, way: QdrantWay): Promise<readonly Shown[]> {
  lab.reset();
  return [
    ...(await showAll(restReads(restClient(way)))),
    ...(await showAll(restWrites(restClient(way)))),
    ...(await showAll(grpcCalls(grpcClient(way)))),
  ];
}

async function compareFree(context: SuiteContext, lab: QdrantLab): Promise<void> {
  const direct = await showWay(lab, lab.direct);
  const through = await showWay(lab, lab.through('free'));
  for (const [index, { name, text }] of direct.entries()) {
    await context.check(`same as direct: ${name}`, () => {
      assertSameText(through[index]?.text ?? '', text, name);
    });
  }
  await context.check('the calls work at all', () => {
    const failed = direct.filter(
      ({ name, text }) => text.startsWith('error') && name !== 'missing',
    );
    assertSameText(JSON.stringify(failed), '[]', 'direct errors');
  });
  context.progress(`${direct.length} calls of official clients compared`);
}

/** For petra everything is there but three fields. */
async function compareMasked(context: SuiteContext, lab: QdrantLab): Promise<void> {
  const direct = await showWay(lab, lab.direct);
  const through = await showWay(lab, lab.through('petra'));
  for (const [index, { name, text }] of direct.entries()) {
    const shown = through[index]?.text ?? '';
    await context.check(`masked: ${name}`, () => {
      if (/@example|555-010|note of/.test(shown)) throw new Error(`not masked: ${shown}`);
      assertSameText(without(shown), without(text), name);
    });
  }
}

const MASKED_KEYS = new Set(['email', 'phone', 'notes']);
/** A value that is masked where it has no key of its own (groups, facets), before and after. */
const MASKED_VALUE = /^(?:[a-z]+\d*@example\.com|\*+)$/;

/** Both without the masked values, whatever stands in their place; everything else must be the same. */
function without(text: string): string {
  if (text.startsWith('error')) return text;
  const value: unknown = JSON.parse(text, (key, found: unknown) => {
    const isMasked =
      MASKED_KEYS.has(key) || (typeof found === 'string' && MASKED_VALUE.test(found));
    return isMasked ? '*' : found;
  });
  return JSON.stringify(value);
}

async function checkLimits(context: SuiteContext, lab: QdrantLab): Promise<void> {
  lab.reset();
  const way = lab.through('bob');
  await context.check('a limit holds for both transports, vectors stay away', async () => {
    const found = await restClient(way).query('customers', {
      query: [1, 0],
      limit: 50,
      with_vector: true,
    });
    assertSameText(String(found.points.length), '2', 'records over REST');
    if (found.points.some(({ vector }) => vector !== undefined)) throw new Error('vectors');
    const { result } = await grpcClient(way)
      .api('points')
      .scroll({ collectionName: 'customers', limit: 50 });
    assertSameText(String(result.length), '2', 'records over gRPC');
  });
}

async function checkRefusals(context: SuiteContext, lab: QdrantLab): Promise<void> {
  lab.reset();
  const way = lab.through('alice');
  await context.check('refusals are shown by the clients, and the connection goes on', async () => {
    const rest = restClient(way);
    const [first] = await showAll([['x', async () => await rest.scroll('secrets', {})]]);
    if (!/Forbidden.*no-secrets/.test(first?.text ?? '')) throw new Error(first?.text);
    await rest.count('customers');
    const points = grpcClient(way).api('points');
    const [second] = await showAll([
      ['x', async () => await points.scroll({ collectionName: 'clients', filter: emailFilter() })],
      ['y', async () => await points.count({ collectionName: 'customers' })],
    ]);
    if (!/permission_denied.*contacts/.test(second?.text ?? '')) throw new Error(second?.text);
  });
}

function emailFilter() {
  const match = { matchValue: { case: 'keyword' as const, value: 'x' } };
  return {
    must: [{ conditionOneOf: { case: 'field' as const, value: { key: 'email', match } } }],
  };
}

async function checkLeaks(context: SuiteContext, lab: QdrantLab): Promise<void> {
  const alice = lab.through('alice');
  const before = foreignState(lab);
  for (const { name, send, isProven } of ATTEMPTS) {
    lab.reset();
    if (isProven === true) {
      const { text } = await send(lab.direct);
      await context.check(`it leaks direct: ${name}`, () => {
        if (!SECRET.test(text)) throw new Error(text);
      });
      lab.reset();
    }
    await context.check(`no leak: ${name}`, async () => {
      const text = await send(alice).then(
        (answer) => answer.text,
        // A connection that is ended tells nothing.
        (error: unknown) => String(error),
      );
      if (SECRET.test(text)) throw new Error(text);
      assertSameText(foreignState(lab), before, 'records of others');
    });
  }
  for (const { name, ask, right, wrong } of ORACLES) {
    await context.check(`no oracle: ${name}`, async () => {
      lab.reset();
      const direct = [await ask(lab.direct, right), stateOf(lab)];
      lab.reset();
      const other = [await ask(lab.direct, wrong), stateOf(lab)];
      if (JSON.stringify(direct) === JSON.stringify(other))
        throw new Error('it tells nothing direct');
      lab.reset();
      const first = [await ask(alice, right), stateOf(lab)];
      const second = [await ask(alice, wrong), stateOf(lab)];
      assertSameText(JSON.stringify(first), JSON.stringify(second), name);
    });
  }
  context.progress(`${ATTEMPTS.length} attempts and ${ORACLES.length} oracles`);
}

/** What alice may not change: records of tenant b, the other collection, aliases. */
function foreignState({ emulator: { engine } }: QdrantLab): string {
  const others: Json = { must: [{ key: 'tenant', match: { value: 'b' } }] };
  return JSON.stringify([
    engine.points('customers', others),
    engine.points('secrets'),
    [...engine.aliases],
  ]);
}

function stateOf({ emulator: { engine } }: QdrantLab): string {
  return JSON.stringify(engine.points('customers'));
}

async function checkCredentials(context: SuiteContext, lab: QdrantLab): Promise<void> {
  const nobody = { ...lab.through('free'), key: 'no-key-at-all' };
  await context.check('without a known key nothing but health passes', async () => {
    const { status, text } = await sendRest(nobody, { method: 'GET', path: '/collections' });
    if (status !== 401 || text.includes('customers')) throw new Error(`${status} ${text}`);
    await restClient(nobody).versionInfo();
    await grpcClient(nobody).api('service').healthCheck({});
  });
  await context.check('keys of callers never reach the store', () => {
    const keys = [...lab.emulator.keys].filter((key) => key !== lab.direct.key);
    assertSameText(JSON.stringify(keys), '[]', 'keys that the store saw');
  });
}
