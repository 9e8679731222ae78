import t from 'tap';
import type { RuleConfig, StoreProtocol } from '../../../lib/config/config.ts';
import {
  evaluateStoreRules,
  mayShow,
  objectText,
  type ResolvedAccess,
  readStorePatterns,
  readStoreRules,
} from '../../../lib/policy/store-rules.ts';
import { STORE_EFFECTS, type StoreEffect, type StoreName } from '../../../protocols/store.ts';

type Part = Partial<RuleConfig> & Pick<RuleConfig, 'action'>;

function rule(name: string, part: Part): RuleConfig {
  return {
    name,
    connections: ['*'],
    principals: ['*'],
    effects: ['*'],
    objects: ['*'],
    ...part,
  };
}

function collection(...path: string[]): StoreName {
  return { kind: 'collection', path };
}

function access(
  effect: StoreEffect,
  target: StoreName | undefined,
  ...meanings: StoreName[]
): ResolvedAccess {
  // A collection by its own name, unless it means something else.
  const isItself = meanings.length === 0 && target?.kind === 'collection';
  return { effect, target, meanings: isItself ? [target] : meanings };
}

/** Nothing is known by that name. */
function unknown(effect: StoreEffect, target: StoreName): ResolvedAccess {
  return { effect, target, meanings: [] };
}

/** The rule that blocks, or `allow` with the names of the rules that decided. */
function judge(
  rules: readonly RuleConfig[],
  accesses: readonly ResolvedAccess[],
  protocol: StoreProtocol = 'qdrant',
): string {
  const verdict = evaluateStoreRules(readStoreRules(rules, protocol), accesses);
  if (verdict.kind === 'block') return `block ${verdict.violation.rule}`;
  return ['allow', ...verdict.accesses.map((one) => one.rule?.name ?? '-')].join(' ');
}

const CUSTOMERS = collection('customers');
const ORDERS = collection('orders');

t.test('each effect by itself', async (t) => {
  for (const effect of STORE_EFFECTS) {
    const block = [
      rule('b', { action: 'block', effects: [effect], objects: ['qdrant:customers'] }),
    ];
    for (const other of STORE_EFFECTS) {
      const expected = other === effect ? 'block b' : 'allow -';
      t.equal(judge(block, [access(other, CUSTOMERS)]), expected, `${effect} against ${other}`);
      t.equal(judge(block, [access(other, ORDERS)]), 'allow -', `${effect}: another collection`);
    }
    const all = [rule('b', { action: 'block', objects: ['customers'] })];
    t.equal(judge(all, [access(effect, CUSTOMERS)]), 'block b', `* against ${effect}`);
    const allow = [
      rule('a', { action: 'allow', effects: [effect], objects: ['customers'] }),
      rule('b', { action: 'block' }),
    ];
    t.equal(judge(allow, [access(effect, CUSTOMERS)]), 'allow a', `allow ${effect}`);
    t.equal(judge(allow, [access(effect, ORDERS)]), 'block b', `allow ${effect}, elsewhere`);
  }
});

t.test('the first rule in file order that fits decides', async (t) => {
  const allow = rule('a', { action: 'allow', objects: ['customers'] });
  const block = rule('b', { action: 'block', objects: ['cust*'] });
  t.equal(judge([allow, block], [access('read', CUSTOMERS)]), 'allow a');
  t.equal(judge([block, allow], [access('read', CUSTOMERS)]), 'block b');
  t.equal(judge([], [access('drop', CUSTOMERS)]), 'allow -', 'no rule fits');
});

t.test('every access is judged, second collections too', async (t) => {
  const block = rule('b', { action: 'block', effects: ['read', 'search'], objects: ['customers'] });
  const accesses = [access('search', ORDERS), access('read', CUSTOMERS)];
  t.equal(judge([block], accesses), 'block b');
  t.equal(judge([block], [access('search', ORDERS), access('upsert', CUSTOMERS)]), 'allow - -');
  t.equal(judge([block], []), 'allow', 'nothing of data');
});

t.test('an alias: the name that was used and what it means both count for a block', async (t) => {
  const alias = access('search', collection('clients'), CUSTOMERS);
  const block = (...objects: string[]) => [rule('b', { action: 'block', objects })];
  t.equal(judge(block('customers'), [alias]), 'block b');
  t.equal(judge(block('clients'), [alias]), 'block b');
  t.equal(judge(block('orders'), [alias]), 'allow -');
  const allow = (...objects: string[]) => [
    rule('a', { action: 'allow', objects }),
    rule('b', { action: 'block' }),
  ];
  t.equal(judge(allow('customers'), [alias]), 'allow a', 'what it means is enough');
  t.equal(judge(allow('clients'), [alias]), 'block b', 'the alias alone is not');
});

t.test('what is read by a name that nothing was known of may be anything', (t) => {
  const block = [rule('b', { action: 'block', objects: ['customers'] })];
  const index: StoreName = { kind: 'index', path: ['idx'] };
  for (const target of [ORDERS, index]) {
    for (const effect of ['search', 'read', 'export'] as const) {
      t.equal(judge(block, [unknown(effect, target)]), 'block b', `${effect} of a ${target.kind}`);
    }
    for (const effect of ['describe', 'create', 'drop', 'alter', 'upsert'] as const) {
      t.equal(judge(block, [unknown(effect, target)]), 'allow -', `${effect} of a ${target.kind}`);
    }
  }
  const patterns = readStorePatterns(['qdrant:customers'], 'qdrant');
  t.ok(mayShow(patterns, unknown('search', ORDERS)), 'and is masked');
  t.notOk(mayShow(patterns, access('search', ORDERS)));
  const rules = (...objects: string[]) => [
    rule('a', { action: 'allow', objects }),
    rule('b', { action: 'block' }),
  ];
  t.equal(judge(rules('orders'), [unknown('read', ORDERS)]), 'block b', 'an allow needs all');
  t.equal(judge(rules('orders'), [unknown('upsert', ORDERS)]), 'allow a');
  t.equal(judge(rules('*'), [unknown('read', ORDERS)]), 'allow a');
  for (const target of [ORDERS, index]) {
    const absent = { ...unknown('read', target), isAbsent: true } as const;
    t.equal(
      judge(block, [absent]),
      'allow -',
      `the store says that there is no such ${target.kind}`,
    );
    t.ok(mayShow(patterns, absent), 'masked all the same, should it be there by then');
  }
  const orders = { ...unknown('read', ORDERS), isAbsent: true } as const;
  t.equal(judge(rules('orders'), [orders]), 'allow a', 'by its name alone');
  t.equal(judge(rules('others'), [orders]), 'block b');
  const id = { ...unknown('read', { kind: 'id', path: ['7d4f'] }), isAbsent: true } as const;
  t.equal(judge(block, [id]), 'block b', 'an id may be of anything');
  t.end();
});

t.test('of several possible meanings a block needs one, an allow all', async (t) => {
  const either = access('read', collection('x'), CUSTOMERS, ORDERS);
  t.equal(judge([rule('b', { action: 'block', objects: ['orders'] })], [either]), 'block b');
  const rules = (...objects: string[]) => [
    rule('a', { action: 'allow', objects }),
    rule('b', { action: 'block' }),
  ];
  t.equal(judge(rules('orders'), [either]), 'block b');
  t.equal(judge(rules('orders', 'customers'), [either]), 'allow a', 'by several patterns');
});

t.test('an id that nothing is known of counts as any collection', async (t) => {
  const block = [rule('b', { action: 'block', objects: ['customers'] })];
  t.equal(judge(block, [access('read', CUSTOMERS)]), 'block b');
  t.equal(judge(block, [unknown('upsert', collection('new'))]), 'allow -');
  const id: StoreName = { kind: 'id', path: ['7d4f'] };
  t.equal(judge(block, [access('read', id)]), 'block b', 'an unknown id');
  t.equal(judge(block, [access('read', id, ORDERS)]), 'allow -', 'an id of another collection');
  t.equal(judge(block, [access('read', id, CUSTOMERS)]), 'block b', 'an id of this one');
  const uuid = [rule('b', { action: 'block', objects: ['7d4f'] })];
  t.equal(judge(uuid, [access('read', id, ORDERS)]), 'allow -', 'an id is no name');
  const allow = [
    rule('a', { action: 'allow', objects: ['cust*'] }),
    rule('b', { action: 'block' }),
  ];
  t.equal(judge(allow, [access('read', id)]), 'block b');
});

t.test(
  'without a target a block on any one thing holds, but for seeing and creating',
  async (t) => {
    const block = [rule('b', { action: 'block', objects: ['customers'] })];
    for (const effect of STORE_EFFECTS) {
      const isFree = effect === 'describe' || effect === 'create';
      t.equal(judge(block, [access(effect, undefined)]), isFree ? 'allow -' : 'block b', effect);
      const all = [rule('b', { action: 'block' })];
      t.equal(judge(all, [access(effect, undefined)]), 'block b', `${effect}, a block on all`);
      const product = [rule('b', { action: 'block', objects: ['qdrant:*'] })];
      t.equal(judge(product, [access(effect, undefined)]), 'block b', `${effect}, on the product`);
    }
    const allow = (pattern: string) => [
      rule('a', { action: 'allow', objects: [pattern] }),
      rule('b', { action: 'block' }),
    ];
    t.equal(judge(allow('customers'), [access('export', undefined)]), 'block b');
    t.equal(judge(allow('*'), [access('export', undefined)]), 'allow a');
    t.equal(judge(allow('qdrant:*'), [access('export', undefined)]), 'allow a');
  },
);

t.test('a container is blocked by a block on any collection in it', async (t) => {
  const database: StoreName = { kind: 'container', path: ['sales'] };
  const judgeAll = (part: Part, effect: StoreEffect, name = database) =>
    judge([rule('r', part)], [access(effect, name, name)], 'milvus');
  for (const effect of ['drop', 'delete', 'export', 'alter', 'admin', 'read', 'count'] as const) {
    t.equal(judgeAll({ action: 'block', objects: ['customers'] }, effect), 'block r', effect);
  }
  t.equal(judgeAll({ action: 'block', objects: ['milvus:hr/customers'] }, 'drop'), 'allow -');
  t.equal(judgeAll({ action: 'block', objects: ['milvus:sales/x'] }, 'drop'), 'block r');
  t.equal(judgeAll({ action: 'block', objects: ['customers'] }, 'describe'), 'allow -', 'a list');
  t.equal(judgeAll({ action: 'block', objects: ['customers'] }, 'create'), 'allow -');
  t.equal(judgeAll({ action: 'block', objects: ['sales/*'] }, 'describe'), 'block r');
  const rules = (objects: string[]) => [
    rule('a', { action: 'allow', objects }),
    rule('b', { action: 'block' }),
  ];
  const drop = [access('drop', database, database)];
  t.equal(judge(rules(['sales/customers']), drop, 'milvus'), 'block b');
  t.equal(judge(rules(['sales/*']), drop, 'milvus'), 'allow a');
});

t.test('rules of other products and other effects say nothing', async (t) => {
  const rules = [
    rule('m', { action: 'block', objects: ['milvus:customers'] }),
    rule('t', { action: 'block', effects: ['truncate', 'insert'] }),
  ];
  t.equal(judge(rules, [access('delete', CUSTOMERS)]), 'allow -');
  t.equal(judge(rules, [access('delete', undefined)]), 'allow -');
});

t.test('names as people read them', async (t) => {
  t.equal(objectText('chroma', collection('t', 'd', 'c')), 'chroma:t/d/c');
});
