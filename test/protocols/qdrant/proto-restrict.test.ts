import t from 'tap';

import type { JsonObject } from '../../support/qdrant-emulator-filter.ts';
import { restrictions } from '../../support/qdrant-pipe.ts';
import { askRpc, dense, keyword } from '../../support/qdrant-messages.ts';

const ofA = { restrictions: restrictions({ filter: [{ field: 'tenant', value: 'a' }] }) };
const FOREIGN = /bob|di@|flo|"num":"[246]"/;
const all = { withPayload: { enable: true }, limit: 100 };
const anything = { should: [keyword('tenant', 'b'), keyword('tenant', 'a')] };

t.test('a filter of the rule holds in every read, whatever filter is there already', async (t) => {
  const reads: [string, JsonObject][] = [
    ['Scroll', all],
    ['Scroll', { ...all, filter: {} }],
    ['Scroll', { ...all, filter: anything }],
    ['Query', { ...all, query: dense(1, 0) }],
    ['Query', { ...all, query: dense(1, 0), filter: anything }],
    ['Query', { ...all, prefetch: [{ query: dense(1, 0), limit: 100 }], query: { fusion: 'RRF' } }],
    [
      'Query',
      {
        ...all,
        prefetch: [{ prefetch: [{ query: dense(0, 1) }], query: dense(1, 0) }],
        query: dense(1, 1),
      },
    ],
    [
      'QueryBatch',
      {
        queryPoints: [
          { ...all, query: dense(1, 0) },
          { ...all, filter: anything },
        ],
      },
    ],
    ['Search', { ...all, vector: [1, 0] }],
    ['QueryGroups', { ...all, query: dense(1, 0), groupBy: 'email' }],
    ['Facet', { key: 'email', limit: 100 }],
  ];
  for (const [rpc, request] of reads) {
    t.match(askRpc(rpc, request).text, FOREIGN, `${rpc} gives them without`);
    const { text } = askRpc(rpc, request, ofA);
    t.notMatch(text, FOREIGN, rpc);
    t.match(text, /ann/, `${rpc} still gives its own`);
  }
  t.match(askRpc('Count', { filter: anything }, ofA).text, /"count":"3"/);
});

t.test('reads by id give only what the filter has', async (t) => {
  const ids = [1, 2, 3].map((num) => ({ num }));
  for (const withPayload of [
    undefined,
    { enable: true },
    { enable: false },
    { include: { fields: ['email'] } },
  ]) {
    const request = { ids, ...(withPayload === undefined ? {} : { withPayload }) };
    const { text } = askRpc('Get', request, ofA);
    t.match(text, /"num":"1".*"num":"3"/);
    t.notMatch(text, FOREIGN);
  }
  const exclude = { exclude: { fields: ['tenant'] } };
  t.match(askRpc('Get', { ids, withPayload: exclude }, ofA).refused, /payload/);
});

t.test('what cannot be held to a filter is refused', async (t) => {
  const refused: [string, JsonObject][] = [
    ['Query', { query: { nearest: { id: { num: 2 } } } }],
    ['Query', { query: { recommend: { positive: [{ id: { num: 2 } }] } } }],
    ['Query', { query: dense(1), prefetch: [{ query: { nearest: { id: { num: 2 } } } }] }],
    ['Query', { query: dense(1), lookupFrom: { collectionName: 'secrets' } }],
    ['QueryGroups', { query: dense(1), groupBy: 'city', withLookup: { collection: 'secrets' } }],
    ['Recommend', { positive: [{ num: 2 }], limit: 3 }],
  ];
  for (const [rpc, request] of refused) t.match(askRpc(rpc, request, ofA).refused, /filter/, rpc);
});

t.test('limits are capped, in groups and batches too', async (t) => {
  const two = { restrictions: restrictions({ limitMax: 2 }) };
  const count = (rpc: string, request: JsonObject): number => {
    const { text } = askRpc(rpc, request, two);
    // The id that the next page starts with is no record.
    return (text.replace(/"nextPageOffset":\{[^}]*\}/, '').match(/"num"/g) ?? []).length;
  };
  t.equal(count('Query', { query: dense(1, 0), limit: 50 }), 2);
  t.equal(count('Query', { query: dense(1, 0) }), 2);
  t.equal(count('Query', { query: dense(1, 0), limit: 1 }), 1);
  t.equal(count('Search', { vector: [1, 0], limit: 50 }), 2);
  t.equal(count('QueryGroups', { query: dense(1, 0), groupBy: 'city' }), 2);
  t.equal(count('Scroll', {}), 2);
  t.match(askRpc('Get', { ids: [1, 2, 3].map((num) => ({ num })) }, two).refused, /more records/);
  const batch = {
    queryPoints: [
      { query: dense(1, 0), limit: 2 },
      { query: dense(1, 0), limit: 1 },
    ],
  };
  t.match(askRpc('QueryBatch', batch, two).refused, /batch/);
});

t.test('stored vectors stay away', async (t) => {
  const hidden = { restrictions: restrictions({ hidesVectors: true }) };
  for (const withVectors of [{ enable: true }, { include: { names: ['a'] } }]) {
    const request = { query: dense(1, 0), withVectors };
    t.match(askRpc('Query', request).text, /"vectors"/);
    t.notMatch(askRpc('Query', request, hidden).text, /"vectors"/);
    t.notMatch(askRpc('Scroll', { withVectors }, hidden).text, /"vectors"/);
    t.notMatch(askRpc('Get', { ids: [{ num: 1 }], withVectors }, hidden).text, /"vectors"/);
  }
});
