import t from 'tap';
import { matchesObject, type ResolveName } from '../../../lib/policy/objects.ts';
import type { Effect, ObjectName } from '../../../lib/sql/analysis.ts';

const nothing: ResolveName = () => [];

function object(kind: ObjectName['kind'], name: string, schema?: string): ObjectName {
  return { kind, schema, name };
}

t.test('a name with its schema means itself, known or not', async (t) => {
  const orders = { effect: 'drop', object: object('relation', 'orders', 'public') } as const;
  const elsewhere: ResolveName = () => [{ schema: 'other', name: 'orders' }];
  for (const resolve of [nothing, elsewhere]) {
    t.ok(matchesObject('public.orders', 'block', orders, resolve));
    t.ok(matchesObject('public.orders', 'allow', orders, resolve));
    t.notOk(matchesObject('other.orders', 'block', orders, resolve));
    t.ok(
      matchesObject('orders', 'block', orders, resolve),
      'a pattern without a schema is for all schemas',
    );
  }
});

t.test('quoted names are compared as they are', async (t) => {
  const odd = { effect: 'read', object: object('relation', 'Odd.Name', 'public') } as const;
  t.ok(matchesObject('public."Odd.Name"', 'block', odd, nothing));
  t.notOk(matchesObject('public."odd.name"', 'block', odd, nothing));
});

t.test('rows reached through a view are protected, the view itself may be dropped', async (t) => {
  const resolve: ResolveName = () => [
    { schema: 'public', name: 'v', reaches: [{ schema: 'public', name: 'orders', by: 'view' }] },
  ];
  const rows: readonly Effect[] = [
    'read',
    'insert',
    'update',
    'delete',
    'truncate',
    'copy-in',
    'copy-out',
    'lock',
  ];
  for (const effect of rows) {
    t.ok(
      matchesObject('public.orders', 'block', { effect, object: object('relation', 'v') }, resolve),
      effect,
    );
  }
  for (const effect of ['drop', 'alter', 'grant', 'create'] as const) {
    t.notOk(
      matchesObject('public.orders', 'block', { effect, object: object('relation', 'v') }, resolve),
      effect,
    );
  }
});

t.test('a partition shares its rows with its parent, and dropping it drops them', async (t) => {
  const resolve: ResolveName = () => [
    {
      schema: 'p',
      name: 'orders_1',
      reaches: [{ schema: 'public', name: 'orders', by: 'hierarchy' }],
    },
  ];
  for (const effect of ['delete', 'drop', 'alter'] as const) {
    t.ok(
      matchesObject(
        'public.orders',
        'block',
        { effect, object: object('relation', 'orders_1') },
        resolve,
      ),
      effect,
    );
  }
  t.notOk(
    matchesObject(
      'public.orders',
      'block',
      { effect: 'grant', object: object('relation', 'orders_1') },
      resolve,
    ),
  );
  t.notOk(
    matchesObject(
      'public.orders',
      'allow',
      { effect: 'delete', object: object('relation', 'orders_1') },
      resolve,
    ),
    'allowing the parent does not allow the partition by name',
  );
});

t.test('a schema or database takes along what is in it', async (t) => {
  const schema = object('schema', 'public');
  t.ok(matchesObject('public.orders', 'block', { effect: 'drop', object: schema }, nothing));
  t.notOk(matchesObject('other.orders', 'block', { effect: 'drop', object: schema }, nothing));
  t.ok(matchesObject('orders', 'block', { effect: 'drop', object: schema }, nothing));
  t.notOk(matchesObject('public.orders', 'block', { effect: 'create', object: schema }, nothing));
  t.notOk(matchesObject('public.orders', 'allow', { effect: 'drop', object: schema }, nothing));
  t.ok(matchesObject('public.*', 'allow', { effect: 'drop', object: schema }, nothing));
  t.ok(matchesObject('public', 'allow', { effect: 'drop', object: schema }, nothing));
  const database = object('database', 'shop');
  t.ok(matchesObject('public.orders', 'block', { effect: 'drop', object: database }, nothing));
  t.notOk(matchesObject('public.orders', 'block', { effect: 'alter', object: database }, nothing));
  t.notOk(matchesObject('public.*', 'allow', { effect: 'drop', object: database }, nothing));
  t.ok(matchesObject('shop', 'allow', { effect: 'drop', object: database }, nothing));
  t.ok(matchesObject('*.*', 'allow', { effect: 'drop', object: database }, nothing));
});

t.test('roles go by their own name', async (t) => {
  const role = { effect: 'drop', object: object('role', 'bob') } as const;
  t.ok(matchesObject('bob', 'block', role, nothing));
  t.notOk(matchesObject('public.bob', 'block', role, nothing));
  t.notOk(matchesObject('public.orders', 'block', role, nothing));
});

t.test('destruction of an object that cannot be told counts against every block', async (t) => {
  for (const effect of ['insert', 'update', 'delete', 'truncate', 'drop'] as const) {
    t.ok(matchesObject('public.orders', 'block', { effect, object: undefined }, nothing), effect);
    t.notOk(matchesObject('*.*', 'allow', { effect, object: undefined }, nothing), effect);
  }
  for (const effect of ['read', 'session', 'notify', 'copy-out'] as const) {
    t.notOk(
      matchesObject('public.orders', 'block', { effect, object: undefined }, nothing),
      effect,
    );
  }
});

t.test('a pattern that the configuration should have refused is a bug, not a pass', async (t) => {
  const orders = { effect: 'drop', object: object('relation', 'orders') } as const;
  for (const wrong of ['', 'a..b', 'a.b.c']) {
    t.throws(() => matchesObject(wrong, 'block', orders, nothing), /not an object pattern/);
  }
});

t.test('behind a foreign key only deleting reaches (MY-45)', async (t) => {
  const resolve = () => [
    {
      schema: 'shop',
      name: 'parents',
      reaches: [{ schema: 'shop', name: 'children', by: 'cascade' as const }],
    },
  ];
  const parents = object('relation', 'parents', 'shop');
  const blocks = (effect: 'delete' | 'read' | 'update' | 'drop'): boolean =>
    matchesObject('shop.children', 'block', { effect, object: parents }, resolve);
  t.ok(blocks('delete'));
  for (const effect of ['read', 'update', 'drop'] as const) t.notOk(blocks(effect), effect);
});

t.test('a name that the server takes for another stands for that one (MY-63)', async (t) => {
  const resolve = () => [{ schema: 'shop', name: 'purge' }];
  const call = { effect: 'call', object: object('function', 'purgé', 'shop') } as const;
  t.ok(matchesObject('shop.purge', 'block', call, resolve));
  t.notOk(matchesObject('shop.purgé', 'allow', call, resolve));
});
