import t from 'tap';
import { whyMasked, whyUncut } from '../../../lib/gateway/store-refusals.ts';
import type { MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import type { StoreRequest } from '../../../protocols/store.ts';
import { createStoreRig, request } from './store-rig.ts';

const MASK: MaskConfig = {
  name: 'contacts',
  connections: ['*'],
  columns: [],
  fields: ['email', 'pay.*'],
  with: 'redact',
  mode: 'mask',
  except: [],
};
const BASE: StoreRequest = { route: 'POST /x', accesses: [], steering: [] };

t.test('no score is made of a masked field, in any mode', async (t) => {
  const by = (...computes: string[][]): string | undefined =>
    whyMasked([MASK], { ...BASE, steering: computes, computes })?.by;
  t.equal(by(['email']), 'contacts');
  t.equal(by(['pay', 'year']), 'contacts', 'a child');
  t.equal(by(['pay']), 'contacts', 'a parent');
  t.equal(by(['age']), undefined);
  t.equal(whyMasked([MASK], { ...BASE, steering: [['email']] }), undefined, 'only going by it');
});

t.test('what a rule cuts down is not carried to where the rule does not hold', async (t) => {
  const rule = (more: Partial<RuleConfig>): RuleConfig => ({
    name: 'few',
    action: 'allow',
    connections: ['*'],
    principals: ['*'],
    effects: ['*'],
    objects: ['chroma:tickets'],
    ...more,
  });
  const by = (more: Partial<RuleConfig>, carries?: string): string | undefined => {
    const access = { effect: 'read', target: undefined, meanings: [] } as const;
    const asked = carries === undefined ? BASE : { ...BASE, carries };
    return whyUncut([{ access, rule: rule(more) }], asked, 'chroma')?.by;
  };
  for (const cut of [
    { limitMax: 5 },
    { rowsPerHour: 5 },
    { hidesVectors: true },
    { filter: [{ field: 'a', value: 'b' }] },
  ]) {
    t.equal(by(cut, 'it moves'), 'few', JSON.stringify(cut));
    t.equal(by(cut), undefined, 'nothing is carried');
    t.equal(by({ ...cut, objects: ['*'] }, 'it moves'), undefined, 'it holds everywhere');
  }
  t.equal(by({}, 'it moves'), undefined);
});

const RENAME = {
  ...request('alter', 'tickets'),
  accesses: [request('export', 'tickets').accesses, request('create', 'other').accesses].flat(),
  carries: 'its records come to lie under another name',
};

t.test('a rename is no way around limits', async (t) => {
  const rule = `[[rule]]
name = "few"
effects = ["read", "export"]
objects = ["tickets"]
action = "allow"
`;
  for (const cut of ['limit_max = 5', 'rows_per_hour = 5', 'vectors = false']) {
    const { decide } = createStoreRig(rule + cut);
    t.match((await decide(RENAME)).decision, { kind: 'block', rule: 'few', code: '42501' }, cut);
  }
  t.match((await createStoreRig(rule).decide(RENAME)).decision, { kind: 'allow' });
});

t.test('a list of everything shows what masks of one collection are about', async (t) => {
  const { decide } = createStoreRig(`[[mask]]
name = "contacts"
fields = ["email"]
objects = ["customers"]
`);
  const container = { kind: 'container', path: [] } as const;
  const list = { ...BASE, accesses: [{ effect: 'describe', target: container }] } as const;
  t.match((await decide(list)).note, { masked: ['email'] });
  t.match((await decide(request('describe', undefined))).note, { masked: ['email'] });
  t.notMatch((await decide(request('describe', 'orders'))).note, { masked: ['email'] });
});

t.test('a write under a filter needs a server that keeps its condition', async (t) => {
  const rule = `[[rule]]
name = "own"
effects = ["upsert"]
action = "allow"
filter = { tenant = "a" }
`;
  const write = request('upsert', 'customers', { needsConditionalWrites: true });
  const unknown = await createStoreRig(rule).decide(write);
  t.match(unknown.decision, { kind: 'block', rule: 'own', reason: /too old .*1\.16/ });
  for (const answer of [false, Promise.resolve(false)]) {
    const { decide } = createStoreRig(rule, '', () => answer);
    t.match((await decide(write)).decision, { kind: 'block', rule: 'own' });
  }
  for (const answer of [true, Promise.resolve(true)]) {
    const { decide } = createStoreRig(rule, '', () => answer);
    t.match((await decide(write)).decision, { kind: 'allow', store: { restrictions: {} } });
  }
  const down = createStoreRig(rule, '', async () => await Promise.reject(new Error('down')));
  t.match((await down.decide(write)).decision, { kind: 'block', code: '58030' });
  const free = createStoreRig('');
  t.match((await free.decide(write)).decision, { kind: 'allow' }, 'no filter, no question');
  const other = createStoreRig(rule);
  t.match((await other.decide(request('upsert', 'customers'))).decision, { kind: 'allow' });
});
