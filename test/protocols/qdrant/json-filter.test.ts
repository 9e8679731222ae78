import t from 'tap';

import type { Json } from '../../support/qdrant-emulator-filter.ts';
import { readRest } from '../../support/qdrant-pipe.ts';

function steering(line: string, body: Json | string): string[] {
  const read = readRest(line, body);
  if (typeof read === 'string') return [read];
  return read.steering.map((path) => path.join('/'));
}

const COUNT = 'POST /collections/c/points/count';
const QUERY = 'POST /collections/c/points/query';

t.test('every key of a filter steers, at any depth', async (t) => {
  const filter = {
    must: { key: 'a', match: { value: 1 } },
    should: [
      { is_empty: { key: 'b' } },
      { is_null: { key: 'c.d' } },
      { has_id: [1] },
      { has_vector: 'v' },
    ],
    must_not: [{ must: [{ key: 'e[].f', range: { gt: 1 } }] }],
    min_should: { conditions: [{ key: 'g', values_count: { gt: 1 } }], min_count: 1 },
  };
  t.same(steering(COUNT, { filter }), ['a', 'b', 'c/d', 'e/f', 'g']);
  const nested = {
    nested: {
      key: 'x.y',
      filter: { must: [{ nested: { key: 'z', filter: { must: [{ key: 'q', is_null: true }] } } }] },
    },
  };
  t.same(steering(COUNT, { filter: { must: [nested] } }), ['x/y', 'x/y/z', 'x/y/z/q']);
});

t.test('orders, groups, facets and formulas steer', async (t) => {
  t.same(steering(QUERY, { query: { order_by: 'email' } }), ['email']);
  t.same(steering(QUERY, { query: { order_by: { key: 'a.b', start_from: 3 } } }), ['a/b']);
  t.same(steering('POST /collections/c/points/scroll', { order_by: 'age' }), ['age']);
  t.same(steering('POST /collections/c/facet', { key: 'email' }), ['email']);
  t.same(
    steering('POST /collections/c/points/query/groups', {
      query: [1, 2],
      group_by: 'city',
      limit: 3,
    }),
    ['city'],
  );
  const formula = {
    sum: [
      '$score',
      { mult: ['age', 2] },
      { neg: { div: { left: 'b', right: 'c', by_zero_default: 1 } } },
      { pow: { base: 'd', exponent: 2 } },
      { exp_decay: { x: { datetime_key: 'e' }, target: { datetime: '2020-01-01' }, scale: 1 } },
      { geo_distance: { origin: { lat: 1, lon: 2 }, to: 'f.g' } },
      { key: 'h', match: { value: 'x' } },
    ],
  };
  t.same(steering(QUERY, { prefetch: { query: [1, 2] }, query: { formula } }), [
    'age',
    'b',
    'c',
    'd',
    'e',
    'f/g',
    'h',
  ]);
  const read = readRest(QUERY, { prefetch: { query: [1, 2] }, query: { formula } });
  const computes = typeof read === 'string' ? [] : (read.computes ?? []);
  t.same(
    computes.map((path) => path.join('/')),
    ['age', 'b', 'c', 'd', 'e', 'f/g'],
    'values of variables become scores, a condition is only met or not',
  );
  const deep = {
    prefetch: [{ prefetch: { filter: { must: { key: 'p', match: { value: 1 } } } }, query: 'x' }],
  };
  t.same(steering(QUERY, deep), ['p']);
});

t.test('what serde would read in another form is refused', async (t) => {
  const bodies: [string, Json | string][] = [
    // Lists in the place of objects: members by position.
    [QUERY, { query: ['email'] }],
    [QUERY, { query: [['email', 'asc']] }],
    [QUERY, { query: [{ order_by: 'email' }] }],
    [QUERY, { lookup_from: ['secrets'], query: 1 }],
    [COUNT, { filter: [null, null, [{ key: 'a' }], null] }],
    [COUNT, { filter: { must: [['email', { value: 'x' }]] } }],
    [COUNT, { filter: { must: [{ is_empty: ['email'] }] } }],
    ['POST /collections/c/points/query/groups', { group_by: 'a', with_lookup: ['secrets'] }],
    ['POST /collections/c/points/scroll', { order_by: ['email'] }],
    // Members that are not known, or known elsewhere only.
    [COUNT, { filter: { all: [] } }],
    [COUNT, { filter: { must: [{ key: 'a', matches: 1 }] } }],
    [COUNT, { filter: { key: 'a', match: { value: 1 } } }],
    [QUERY, { query: { nearest: [1], secret_order: 'email' } }],
    [QUERY, { query: [1], group_by: 'a' }],
    [QUERY, { query: { formula: { new_function: 'email' } } }],
    [QUERY, { params: { filter: {} } }],
    // Readers of JSON differ on these.
    [COUNT, '{"filter":{"must":[]},"filter":{}}'],
    [COUNT, '{"filter":{"must":{"key":"a","key":"b"}}}'],
    [COUNT, '\ufeff{}'],
    [COUNT, '{} {}'],
    [COUNT, '[]'],
    [COUNT, ''],
    [QUERY, { limit: '10' }],
    [QUERY, '{"limit":1e3}'],
    ['POST /collections/c/points/search', { vector: [1], limit: 1, top: 100 }],
    [COUNT, { filter: { must: [{ key: 'a b', match: { value: 1 } }] } }],
  ];
  for (const [line, body] of bodies) {
    t.type(readRest(line, body), 'string', JSON.stringify(body));
  }
});

t.test('second collections are found wherever they are named', async (t) => {
  const targets = (line: string, body: Json): string[] => {
    const read = readRest(line, body);
    if (typeof read === 'string') return [read];
    return read.accesses.map(({ effect, target }) => `${effect} ${target?.path.join('/') ?? '*'}`);
  };
  t.same(targets(QUERY, { query: 1, lookup_from: { collection: 'x' } }), ['search c', 'search x']);
  const inner = {
    query: [1],
    prefetch: { query: 2, lookup_from: { collection: 'y', vector: 'v' } },
  };
  t.same(targets(QUERY, { prefetch: [inner], query: { fusion: 'rrf' } }), ['search c', 'search y']);
  t.same(
    targets('POST /collections/c/points/query/groups', {
      query: [1],
      group_by: 'a',
      with_lookup: 'z',
    }),
    ['search c', 'read z'],
  );
  t.same(
    targets('POST /collections/c/points/query/batch', {
      searches: [{ query: [1] }, { query: 3, lookup_from: { collection: 'w' } }],
    }),
    ['search c', 'search w'],
  );
  t.same(targets(QUERY, {}), ['search c', 'export c'], 'without a query it is a scan');
  t.same(targets('PUT /collections/new', { init_from: { collection: 'old' } }), [
    'create new',
    'export old',
  ]);
  t.same(
    targets('POST /collections/aliases', {
      actions: [
        { create_alias: { collection_name: 'a', alias_name: 'b' } },
        { rename_alias: { old_alias_name: 'c', new_alias_name: 'd' } },
        { delete_alias: { alias_name: 'e' } },
      ],
    }),
    ['a', 'b', 'c', 'd', 'e'].map((name) => `alter ${name}`),
  );
});
