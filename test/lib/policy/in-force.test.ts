import t from 'tap';
import type { MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import {
  masksInForce,
  rulesInForce,
  storeMasksInForce,
  storeRulesInForce,
} from '../../../lib/policy/in-force.ts';

const alice = { name: 'alice', groups: ['analysts'] };

const mask: MaskConfig = {
  name: 'm',
  connections: ['shop'],
  columns: ['*.*.email'],
  with: 'redact',
  mode: 'mask',
  except: ['group:privacy'],
};

const rule: RuleConfig = {
  name: 'r',
  connections: ['shop*'],
  principals: ['group:analysts'],
  effects: ['drop'],
  objects: ['*'],
  action: 'block',
};

t.test('a rule is in force for its connections and principals', async (t) => {
  t.same(rulesInForce([rule], 'shop-eu', alice), [rule]);
  t.same(rulesInForce([rule], 'bank', alice), []);
  t.same(rulesInForce([rule], 'shop', { name: 'alice', groups: [] }), []);
});

t.test('a mask is in force for everyone but its exceptions', async (t) => {
  t.same(masksInForce([mask], 'shop', alice), [mask]);
  t.same(masksInForce([mask], 'bank', alice), []);
  t.same(masksInForce([mask], 'shop', { name: 'eve', groups: ['privacy'] }), []);
});

t.test('what can speak of nothing but stores is not in force on SQL', async (t) => {
  const objects = ['qdrant:a', 'b', 'redis:x.y.z'];
  t.same(rulesInForce([{ ...rule, objects }], 'shop', alice), [{ ...rule, objects: ['b'] }]);
  t.same(rulesInForce([{ ...rule, objects: ['qdrant:a'] }], 'shop', alice), []);
  t.same(rulesInForce([{ ...rule, effects: ['upsert', 'search'] }], 'shop', alice), []);
  const both: RuleConfig = { ...rule, effects: ['upsert', 'delete'] };
  t.same(rulesInForce([both], 'shop', alice), [both]);
  const any: RuleConfig = { ...rule, effects: ['*'] };
  t.same(rulesInForce([any], 'shop', alice), [any]);
  const { columns: _columns, ...rest } = mask;
  t.same(masksInForce([{ ...rest, columns: [], fields: ['a'] }], 'shop', alice), []);
});

t.test('on stores: rules of their effects and objects, masks of fields or content', async (t) => {
  const shop = { name: 'shop', protocol: 'qdrant' } as const;
  t.same(storeRulesInForce([rule], shop, alice), [rule]);
  t.same(storeRulesInForce([rule], { ...shop, name: 'bank' }, alice), []);
  t.same(storeRulesInForce([rule], shop, { name: 'alice', groups: [] }), []);
  t.same(storeRulesInForce([{ ...rule, effects: ['truncate'] }], shop, alice), []);
  t.same(storeRulesInForce([{ ...rule, objects: ['redis:a'] }], shop, alice), []);
  t.same(storeMasksInForce([mask], 'shop', alice), [], 'columns alone are of SQL');
  for (const more of [{ fields: ['a'] }, { detect: ['email'] as const }]) {
    const own = { ...mask, ...more };
    t.same(storeMasksInForce([own], 'shop', alice), [own]);
    t.same(storeMasksInForce([own], 'bank', alice), []);
    t.same(storeMasksInForce([own], 'shop', { name: 'eve', groups: ['privacy'] }), []);
  }
});
