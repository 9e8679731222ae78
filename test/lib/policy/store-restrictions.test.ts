import t from 'tap';
import type { RuleConfig } from '../../../lib/config/config.ts';
import { restrictionsOf } from '../../../lib/policy/store-restrictions.ts';
import type { DecidedAccess } from '../../../lib/policy/store-rules.ts';
import { STORE_EFFECTS, type StoreEffect } from '../../../protocols/store.ts';

const ALICE = { name: 'alice', groups: ['acme'] };

function rule(name: string, part: Partial<RuleConfig>): RuleConfig {
  return {
    name,
    connections: ['*'],
    principals: ['*'],
    effects: ['*'],
    objects: ['*'],
    action: 'allow',
    ...part,
  };
}

function by(one: RuleConfig | undefined, ...effects: StoreEffect[]): DecidedAccess[] {
  return effects.map((effect) => ({
    access: { effect, target: { kind: 'collection', path: ['c'] }, meanings: [] },
    rule: one,
  }));
}

const TENANT = rule('own', { filter: [{ field: 'tenant', value: '${principal.group}' }] });
const FILTER = [{ field: 'tenant', value: 'acme' }];

t.test('without conditions there are no restrictions', async (t) => {
  const free = { kind: 'granted', restrictions: undefined, quotas: [] };
  t.same(restrictionsOf(by(undefined, 'read'), ALICE), free);
  t.same(restrictionsOf(by(rule('a', {}), 'read', 'drop'), ALICE), free);
});

t.test('a filter goes with every effect on records, and stops what it cannot keep', async (t) => {
  for (const effect of STORE_EFFECTS) {
    const granted = restrictionsOf(by(TENANT, effect), ALICE);
    switch (effect) {
      case 'describe':
      case 'create':
        t.match(granted, { kind: 'granted', restrictions: undefined }, effect);
        break;
      case 'drop':
      case 'alter':
      case 'admin':
        t.match(granted, { kind: 'refused', rule: 'own', reason: RegExp(`^${effect} cannot`) });
        break;
      default:
        t.match(granted, { kind: 'granted', restrictions: { filter: FILTER } }, effect);
    }
  }
});

t.test('the group must be one', async (t) => {
  for (const groups of [[], ['a', 'b']]) {
    const granted = restrictionsOf(by(TENANT, 'read'), { name: 'bob', groups });
    t.match(granted, { kind: 'refused', reason: /exactly one group, and "bob" has (?:none|2)/ });
  }
  const byName = rule('n', { filter: [{ field: 'o', value: 'u-${principal.name}' }] });
  t.match(restrictionsOf(by(byName, 'read'), { name: 'bob', groups: [] }), {
    restrictions: { filter: [{ field: 'o', value: 'u-bob' }] },
  });
});

t.test('a name that looks like a placeholder is not filled in again', async (t) => {
  const both = rule('n', {
    filter: [{ field: 'o', value: '${principal.name}/${principal.group}' }],
  });
  const mallory = { name: '${principal.group}', groups: ['$&'] };
  t.match(restrictionsOf(by(both, 'read'), mallory), {
    restrictions: { filter: [{ field: 'o', value: '${principal.group}/$&' }] },
  });
});

t.test('limits and vectors concern what gives out records', async (t) => {
  const capped = rule('c', { limitMax: 10, hidesVectors: true, rowsPerHour: 100 });
  for (const effect of STORE_EFFECTS) {
    const granted = restrictionsOf(by(capped, effect), ALICE);
    if (['search', 'read', 'export'].includes(effect)) {
      t.same(
        granted,
        {
          kind: 'granted',
          restrictions: { filter: [], limitMax: 10, hidesVectors: true },
          quotas: [{ rule: 'c', rowsPerHour: 100 }],
        },
        effect,
      );
    } else t.same(granted, { kind: 'granted', restrictions: undefined, quotas: [] }, effect);
  }
});

t.test('the conditions of all rules that decided add up', async (t) => {
  const small = rule('small', { limitMax: 5, rowsPerHour: 50 });
  const owner = rule('owner', {
    limitMax: 20,
    hidesVectors: true,
    rowsPerHour: 10,
    filter: [{ field: 'owner', value: 'x' }],
  });
  const accesses = [...by(TENANT, 'read'), ...by(small, 'read'), ...by(owner, 'search', 'read')];
  t.same(restrictionsOf(accesses, ALICE), {
    kind: 'granted',
    restrictions: {
      filter: [...FILTER, { field: 'owner', value: 'x' }],
      limitMax: 5,
      hidesVectors: true,
    },
    quotas: [
      { rule: 'small', rowsPerHour: 50 },
      { rule: 'owner', rowsPerHour: 10 },
    ],
  });
});
