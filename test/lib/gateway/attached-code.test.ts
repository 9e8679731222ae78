import t from 'tap';
import type { MaskConfig } from '../../../lib/config/config.ts';
import { StatementDecider } from '../../../lib/gateway/statement-decider.ts';
import type { Sensitive } from '../../../lib/masking/sensitive.ts';
import type { Effect } from '../../../lib/sql/analysis.ts';
import {
  analysis,
  FakeCatalog,
  FakeReader,
  functionName,
  relation,
  routine,
  snapshotOf,
} from './catalog-fixture.ts';

const MASK: MaskConfig = {
  name: 'mail',
  connections: ['*'],
  columns: ['public.customers.email'],
  with: 'redact',
  mode: 'mask',
  except: [],
};
const SENSITIVE: Sensitive = {
  relations: { version: 'v1', relations: [] },
  byOid: new Map([[10, new Map([[2, { mask: 'mail', column: 'email', with: 'redact' }]])]]),
  isMasking: true,
  columnNames: new Set(['email']),
  isKnownTable: () => true,
  isKnown: () => true,
  named: () => [],
  unmatched: [],
};
const INNER = routine(2, 'inner_one', { definition: 'BEGIN PERFORM deepest (x); END' });
const TRIGGER = routine(1, 'audit', { definition: 'BEGIN PERFORM Inner_One(NEW.email); END' });
const SNAPSHOT = snapshotOf({
  relations: [
    relation(10, 'customers', {
      triggers: [TRIGGER],
      callsOnWrite: [routine(3, 'checked')],
      callsOfTypes: [routine(4, 'of_type')],
      calls: [routine(5, 'policy')],
    }),
    relation(11, 'orders', { triggers: [routine(6, 'of_orders')] }),
  ],
  routines: [TRIGGER, INNER],
});

async function judge(name: string, effect: Effect, masks: readonly MaskConfig[] = [MASK]) {
  const answer = analysis({
    statements: ['CreateFunctionStmt'],
    effects: [{ effect, object: functionName(name) }],
    exposure: { touches: false, untraceable: undefined, steers: undefined, outputs: [undefined] },
  });
  const decider = new StatementDecider({
    connection: 'shop',
    principal: { name: 'alice', groups: [] },
    rules: [],
    masks,
    reader: new FakeReader({ text: answer }),
    catalog: new FakeCatalog(SNAPSHOT),
    findSensitive: () => SENSITIVE,
    hashKey: undefined,
  });
  return (await decider.decideStatement('text')).decision.kind;
}

t.test('code that the server gives masked rows to may not be written anew (PG-62)', async (t) => {
  for (const name of ['audit', 'checked', 'of_type', 'policy']) {
    t.equal(await judge(name, 'create'), 'block', name);
    t.equal(await judge(name, 'alter'), 'block', name);
  }
});

t.test('nor what that code calls, whether it is there or not', async (t) => {
  for (const name of ['inner_one', 'deepest']) t.equal(await judge(name, 'create'), 'block', name);
});

t.test('everything else may', async (t) => {
  t.equal(await judge('of_orders', 'create'), 'allow');
  t.equal(await judge('other', 'alter'), 'allow');
  t.equal(await judge('audit', 'drop'), 'allow');
  t.equal(await judge('audit', 'create', []), 'allow', 'without a mask');
});
