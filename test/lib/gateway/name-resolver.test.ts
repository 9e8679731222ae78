import t from 'tap';
import type { ReachedName, ResolvedName } from '../../../lib/policy/objects.ts';
import { createNameResolver } from '../../../lib/gateway/name-resolver.ts';
import type { ObjectName } from '../../../lib/sql/analysis.ts';
import { functionName, relation, routine, snapshotOf } from './catalog-fixture.ts';

function table(name: string, schema?: string): ObjectName {
  return { kind: 'relation', schema, name };
}

function reachedBy(resolved: readonly ResolvedName[]): readonly ReachedName[] {
  return resolved.flatMap(({ reaches }) => reaches ?? []);
}

t.test('a name without its schema may be any relation of that name', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({ relations: [relation(1, 'orders'), relation(2, 'orders', { schema: 'old' })] }),
  );
  t.same(resolve(table('orders')), [
    { schema: 'public', name: 'orders' },
    { schema: 'old', name: 'orders' },
  ]);
  t.same(resolve(table('orders', 'old')), [{ schema: 'old', name: 'orders' }]);
  t.same(resolve(table('orders', 'other')), []);
  t.same(resolve(table('nothing')), []);
});

t.test('routines are found, other kinds are not looked up', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({ relations: [relation(1, 'purge')], routines: [routine(9, 'purge')] }),
  );
  t.same(resolve(functionName('purge')), [{ schema: 'public', name: 'purge' }]);
  t.same(resolve({ kind: 'role', schema: undefined, name: 'purge' }), []);
});

t.test('a table reaches what shares rows with it: up and down, but no sibling', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({
      relations: [
        relation(1, 'events'),
        relation(2, 'events_2024', { parents: [1] }),
        relation(3, 'events_2024_01', { parents: [2] }),
        relation(4, 'events_2025', { parents: [1] }),
      ],
    }),
  );
  const namesOf = (start: string): string[] => {
    const names = resolve(table(start)).flatMap(({ reaches }) => reaches ?? []);
    t.ok(names.every(({ by }) => by === 'hierarchy'));
    return names.map(({ name }) => name).toSorted();
  };
  t.same(namesOf('events_2024_01'), ['events', 'events_2024']);
  t.same(namesOf('events_2024'), ['events', 'events_2024_01']);
  t.same(namesOf('events'), ['events_2024', 'events_2024_01', 'events_2025']);
});

t.test(
  'a parent that a view reads as a whole brings all its children, whatever the order',
  async (t) => {
    for (const reads of [
      [4, 2],
      [2, 4],
    ]) {
      const resolve = createNameResolver(
        snapshotOf({
          relations: [
            relation(1, 'events'),
            relation(2, 'events_2024', { parents: [1] }),
            relation(3, 'events_2025', { parents: [1] }),
            relation(4, 'all_events', { kind: 'v', reads: [1] }),
            relation(5, 'mixed', { kind: 'v', reads }),
          ],
        }),
      );
      const names = resolve(table('mixed')).flatMap(({ reaches }) => reaches ?? []);
      t.same(
        names.map(({ name }) => name).toSorted(),
        ['all_events', 'events', 'events_2024', 'events_2025'],
        `reads ${reads.join(', ')}`,
      );
    }
  },
);

t.test('below a view everything is reached through it, partitions too', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({
      relations: [
        relation(1, 'orders'),
        relation(2, 'orders_1', { parents: [1] }),
        relation(3, 'recent', { kind: 'v', reads: [1] }),
        relation(4, 'newest', { kind: 'v', reads: [3] }),
      ],
    }),
  );
  t.same(reachedBy(resolve(table('newest'))), [
    { schema: 'public', name: 'recent', by: 'view' },
    { schema: 'public', name: 'orders', by: 'view' },
    { schema: 'public', name: 'orders_1', by: 'view' },
  ]);
  t.same(reachedBy(resolve(table('orders_1'))), [
    { schema: 'public', name: 'orders', by: 'hierarchy' },
  ]);
});

t.test('ON DELETE CASCADE reaches the rows behind it, step by step (MY-45)', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({
      relations: [
        relation(1, 'parents', { deletesIn: [2, 1] }),
        relation(2, 'children', { deletesIn: [3] }),
        relation(3, 'toys'),
        relation(4, 'toys_1', { parents: [3] }),
        relation(5, 'shown', { kind: 'v', reads: [1, 3] }),
      ],
    }),
  );
  const names = (name: string): readonly string[] =>
    reachedBy(resolve(table(name)))
      .map((one) => `${one.name} by ${one.by}`)
      .toSorted();
  t.same(names('parents'), ['children by cascade', 'toys by cascade', 'toys_1 by cascade']);
  t.same(names('toys'), ['toys_1 by hierarchy']);
  // Below a view it is reached in both ways, and reading it must count.
  t.same(names('shown'), [
    'children by cascade',
    'parents by cascade',
    'parents by view',
    'toys by cascade',
    'toys by view',
    'toys_1 by cascade',
    'toys_1 by view',
  ]);
});

t.test('cycles, diamonds and relations that are gone end', async (t) => {
  const resolve = createNameResolver(
    snapshotOf({
      relations: [
        relation(1, 'a', { kind: 'v', reads: [2, 3, 1, 99] }),
        relation(2, 'b', { kind: 'v', reads: [4, 1] }),
        relation(3, 'c', { kind: 'v', reads: [4] }),
        relation(4, 'd'),
      ],
    }),
  );
  const names = resolve(table('a')).flatMap(({ reaches }) => reaches ?? []);
  t.same(names.map(({ name }) => name).toSorted(), ['b', 'c', 'd']);
});
