/** Large objects called by number: which block rules are meant, and which are not (PG-46). */
import t from 'tap';
import type { Config, RuleConfig } from '../../../lib/config/config.ts';
import { CancelRegistry } from '../../../lib/gateway/cancel-registry.ts';
import { DecisionPipeline } from '../../../lib/gateway/decision-pipeline.ts';
import { type Effect, EFFECTS } from '../../../lib/sql/analysis.ts';
import { makeConfig } from '../../support/gateway-process.ts';
import { FakeReader } from './catalog-fixture.ts';

const MASK = {
  name: 'mail',
  connections: ['*'],
  columns: ['public.customers.email'],
  with: 'redact',
  mode: 'mask',
  except: ['petra'],
} as const;

function blocking(effects: readonly Effect[], more: Partial<RuleConfig> = {}): RuleConfig {
  const base = { name: 'r', connections: ['*'], principals: ['*'], objects: ['*'] };
  return { ...base, effects, action: 'block', ...more };
}

/** Undefined: it is let through; otherwise the rule that blocks it. */
async function blockerOf(
  routine: number,
  parts: Partial<Pick<Config, 'rules' | 'masks'>>,
  user = 'alice',
): Promise<string | undefined> {
  const login = { user: 'app', password: 'secret' };
  const config = { ...makeConfig({ upstreamPort: 1, upstream: login }, '.'), ...parts };
  const [connection] = config.connections;
  if (connection === undefined) throw new Error('a configuration without a connection');
  const session = new DecisionPipeline({
    config,
    connection,
    reader: new FakeReader({}),
    catalogOf: undefined,
    findSensitive: () => Promise.reject(new Error('not asked here')),
    credentials: undefined,
    login: { ...login, database: undefined },
    hashKey: undefined,
    cancels: new CancelRegistry(),
  }).openSession();
  const settings = { isSecure: false, isReplication: false, settings: [] } as const;
  await session.decide({ kind: 'sign-in', id: 1, user, database: 'd', ...settings });
  const { decision } = await session.decide({ kind: 'call', id: 2, routine });
  if (decision.kind !== 'block') return undefined;
  t.equal(decision.code, '42501');
  return decision.rule;
}

const EFFECTS_OF: Readonly<Record<number, readonly Effect[]>> = {
  715: ['create', 'update'], // lo_create
  952: ['read'], // lo_open
  953: ['session'], // lo_close
  954: ['read'], // loread
  955: ['update'], // lowrite
  956: ['session'], // lo_lseek
  957: ['create', 'update'], // lo_creat
  958: ['session'], // lo_tell
  964: ['delete'], // lo_unlink
  1004: ['delete', 'truncate'], // lo_truncate
  3170: ['session'], // lo_lseek64
  3171: ['session'], // lo_tell64
  3172: ['delete', 'truncate'], // lo_truncate64
};

t.test('a rule blocks those that do what it names, and no others', async (t) => {
  for (const [routine, effects] of Object.entries(EFFECTS_OF)) {
    t.equal(await blockerOf(Number(routine), {}), undefined, `${routine} without a rule`);
    for (const effect of EFFECTS) {
      const blocker = await blockerOf(Number(routine), { rules: [blocking([effect])] });
      t.equal(blocker, effects.includes(effect) ? 'r' : undefined, `${routine}: ${effect}`);
    }
  }
});

t.test('names, principals and the order of rules count as for statements', async (t) => {
  const unlink = (...rules: readonly RuleConfig[]) => blockerOf(964, { rules });
  t.equal(await unlink(blocking(['delete'], { objects: ['lo_unlink'] })), 'r');
  t.equal(await unlink(blocking(['delete'], { objects: ['orders'] })), undefined);
  t.equal(await unlink(blocking(['delete'], { principals: ['bob'] })), undefined);
  const allowing = blocking(['delete'], { name: 'first', action: 'allow' });
  t.equal(await unlink(allowing, blocking(['delete'])), undefined);
});

t.test('any other routine is refused as such, and under a mask all of them', async (t) => {
  for (const routine of [0, 1, 764, 765, 16_384])
    t.equal(await blockerOf(routine, {}), 'function-call', `${routine}`);
  for (const routine of Object.keys(EFFECTS_OF)) {
    t.equal(await blockerOf(Number(routine), { masks: [MASK] }), 'masked-data');
    t.equal(await blockerOf(Number(routine), { masks: [MASK] }, 'petra'), undefined);
  }
});
