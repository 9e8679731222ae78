import t from 'tap';
import type { MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import { masksInForce, rulesInForce } from '../../../lib/policy/in-force.ts';

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
