import t from 'tap';
import type { RuleConfig } from '../../../lib/config/config.ts';
import type { ResolveName } from '../../../lib/policy/objects.ts';
import { evaluateRules, type RuleRequest, UNKNOWN_EFFECT_RULE } from '../../../lib/policy/rules.ts';
import { EFFECTS, type Effect, type ObjectEffect } from '../../../lib/sql/analysis.ts';

const alice = { name: 'alice', groups: ['analysts'] };
const nothing: ResolveName = () => [];
const inPublic: ResolveName = ({ name }) => [{ schema: 'public', name }];

function rule(change: Partial<RuleConfig>): RuleConfig {
  return {
    name: 'r',
    connections: ['*'],
    principals: ['*'],
    effects: ['*'],
    objects: ['*'],
    action: 'block',
    ...change,
  };
}

function pair(effect: Effect, name?: string, schema?: string): ObjectEffect {
  return { effect, object: name === undefined ? undefined : { kind: 'relation', schema, name } };
}

function decide(
  rules: readonly RuleConfig[],
  effects: readonly ObjectEffect[],
  more: Partial<RuleRequest> = {},
) {
  return evaluateRules({
    rules,
    connection: 'shop',
    principal: alice,
    effects,
    resolve: inPublic,
    ...more,
  });
}

t.test('every effect is blocked by a rule that lists it and by no other', async (t) => {
  for (const effect of EFFECTS) {
    const object = effect === 'session' ? undefined : 'orders';
    const blocked = decide([rule({ effects: [effect] })], [pair(effect, object)]);
    t.equal(blocked?.rule, 'r', `${effect} is blocked`);
    t.equal(blocked?.effect, effect);
    for (const other of EFFECTS) {
      if (other === effect || other === 'unknown') continue;
      t.equal(
        decide([rule({ effects: [effect] })], [pair(other, object)]),
        undefined,
        `${other} passes ${effect}`,
      );
    }
  }
});

t.test('no rule, no block', async (t) => {
  for (const effect of EFFECTS) t.equal(decide([], [pair(effect, 'orders')]), undefined, effect);
  t.equal(decide([rule({})], []), undefined, 'a statement without effects');
});

t.test('rules for others are no rules', async (t) => {
  t.equal(decide([rule({ connections: ['bank'] })], [pair('drop', 'x')]), undefined);
  t.equal(decide([rule({ principals: ['bob'] })], [pair('drop', 'x')]), undefined);
  t.equal(decide([rule({ principals: ['group:analysts'] })], [pair('drop', 'x')])?.rule, 'r');
});

t.test('the first rule that matches a pair decides it', async (t) => {
  const allow = rule({ name: 'a', action: 'allow', objects: ['public.staging_*'] });
  const block = rule({ name: 'b' });
  t.equal(decide([allow, block], [pair('drop', 'staging_1')]), undefined);
  t.equal(decide([block, allow], [pair('drop', 'staging_1')])?.rule, 'b');
  t.equal(decide([allow, block], [pair('drop', 'orders')])?.rule, 'b');
});

t.test('one blocked pair among allowed ones blocks, and is the one reported', async (t) => {
  const effects = [
    pair('read', 'a'),
    { ...pair('delete', 'b', 'public'), via: 'a CTE' },
    pair('read', 'c'),
  ];
  t.same(decide([rule({ effects: ['delete'] })], effects), {
    rule: 'r',
    effect: 'delete',
    object: 'public.b',
    via: 'a CTE',
  });
});

t.test('unknown effects are blocked as soon as anything is guarded', async (t) => {
  const unknown = [pair('unknown')];
  const unrelated = rule({ effects: ['drop'] });
  t.equal(decide([], unknown), undefined, 'nothing is guarded');
  t.equal(decide([rule({ principals: ['bob'] })], unknown), undefined, 'guarded for others');
  t.equal(decide([unrelated], unknown)?.rule, UNKNOWN_EFFECT_RULE);
  t.equal(decide([], unknown, { isMasked: true })?.rule, UNKNOWN_EFFECT_RULE);
  t.equal(
    decide([rule({ name: 'own' })], unknown)?.rule,
    'own',
    'a block of everything names itself',
  );
});

t.test('only an allow rule that says unknown allows the unknown', async (t) => {
  const unknown = [pair('unknown')];
  t.equal(decide([rule({ action: 'allow' })], unknown)?.rule, UNKNOWN_EFFECT_RULE);
  t.equal(
    decide([rule({ action: 'allow', effects: ['unknown'] })], unknown, { isMasked: true }),
    undefined,
  );
  t.equal(
    decide([rule({ action: 'allow', effects: ['unknown'], objects: ['public.f'] })], unknown)?.rule,
    UNKNOWN_EFFECT_RULE,
    'and only for its objects',
  );
});

t.test('an effect without an object is for * alone', async (t) => {
  const session = [pair('session')];
  t.equal(decide([rule({ objects: ['public.orders'] })], session), undefined);
  t.equal(decide([rule({ objects: ['*.*'] })], session), undefined);
  t.equal(decide([rule({ objects: ['*'] })], session)?.rule, 'r');
});

t.test(
  'a name that resolves to nothing is blocked by its own part and allowed by * alone',
  async (t) => {
    const more = { resolve: nothing };
    const block = rule({ name: 'b' });
    t.equal(
      decide([rule({ objects: ['secret.orders'] })], [pair('drop', 'orders')], more)?.rule,
      'r',
    );
    t.equal(
      decide([rule({ objects: ['secret.other'] })], [pair('drop', 'orders')], more),
      undefined,
    );
    const allow = rule({ action: 'allow', objects: ['*.*'] });
    t.equal(decide([allow, block], [pair('drop', 'orders')], more)?.rule, 'b');
    t.equal(decide([rule({ action: 'allow' }), block], [pair('drop', 'orders')], more), undefined);
  },
);

t.test('an ambiguous name is blocked by one meaning and allowed by all', async (t) => {
  const resolve: ResolveName = ({ name }) => [
    { schema: 'public', name },
    { schema: 'secret', name },
  ];
  const block = rule({ name: 'b' });
  t.equal(
    decide([rule({ objects: ['secret.orders'] })], [pair('drop', 'orders')], { resolve })?.rule,
    'r',
  );
  const one = rule({ action: 'allow', objects: ['public.orders'] });
  t.equal(decide([one, block], [pair('drop', 'orders')], { resolve })?.rule, 'b');
  t.equal(decide([one, block], [pair('drop', 'orders', 'public')], { resolve }), undefined);
  const all = rule({ action: 'allow', objects: ['*.orders'] });
  t.equal(decide([all, block], [pair('drop', 'orders')], { resolve }), undefined);
});
