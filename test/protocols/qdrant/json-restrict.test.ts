import t from 'tap';

import { QdrantEngine } from '../../support/qdrant-emulator-engine.ts';
import type { Json } from '../../support/qdrant-emulator-filter.ts';
import {
  fillCustomers,
  pipeRest,
  readRest,
  restrictions,
  resultOf,
} from '../../support/qdrant-pipe.ts';

const engine = new QdrantEngine();
fillCustomers(engine);

const POINTS = '/collections/customers/points';
const ofA = restrictions({ filter: [{ field: 'tenant', value: 'a' }] });

function ask(line: string, body: Json | string, rules = ofA): string {
  return JSON.stringify(resultOf(pipeRest(engine, line, body, { restrictions: rules })));
}

function refusal(line: string, body: Json, rules = ofA): string {
  const piped = pipeRest(engine, line, body, { restrictions: rules });
  return piped.kind === 'refused' ? piped.why : 'answered';
}

/** bob, di and flo are those of tenant b; their ids are 2, 4 and 6. */
const FOREIGN = /bob|di@|flo|"id":[246]\b/;
const all = { with_payload: true, limit: 100 };

t.test('a filter of the rule holds in every read, whatever filter is there already', async (t) => {
  const anything = {
    should: [
      { key: 'tenant', match: { value: 'b' } },
      { key: 'tenant', match: { value: 'a' } },
    ],
  };
  const evasive = { must_not: [{ key: 'tenant', match: { value: 'a' } }] };
  const reads: [string, Json][] = [
    [`POST ${POINTS}/scroll`, all],
    [`POST ${POINTS}/scroll`, { ...all, filter: null }],
    [`POST ${POINTS}/scroll`, { ...all, filter: {} }],
    [`POST ${POINTS}/scroll`, { ...all, filter: anything }],
    [`POST ${POINTS}/scroll`, { ...all, order_by: 'age' }],
    [`POST ${POINTS}/query`, { ...all, query: [1, 0] }],
    [`POST ${POINTS}/query`, { ...all, query: [1, 0], filter: anything }],
    [
      `POST ${POINTS}/query`,
      { ...all, prefetch: { query: [1, 0], limit: 100 }, query: { fusion: 'rrf' } },
    ],
    [
      `POST ${POINTS}/query`,
      { ...all, prefetch: [{ prefetch: [{ query: [1, 0] }], query: [0, 1] }], query: [1, 1] },
    ],
    [
      `POST ${POINTS}/query/batch`,
      {
        searches: [
          { ...all, query: [1, 0] },
          { ...all, filter: anything },
        ],
      },
    ],
    [`POST ${POINTS}/search`, { ...all, vector: [1, 0] }],
    [`POST ${POINTS}/search/batch`, { searches: [{ ...all, vector: [1, 0] }] }],
    [`POST ${POINTS}/recommend`, { ...all, positive: [[1, 0]] }],
    [`POST ${POINTS}/discover`, { ...all, target: [1, 0] }],
    [`POST ${POINTS}/query/groups`, { ...all, query: [1, 0], group_by: 'email' }],
    [`POST ${POINTS}/search/groups`, { ...all, vector: [1, 0], group_by: 'email', group_size: 3 }],
    ['POST /collections/customers/facet', { key: 'email', limit: 100 }],
  ];
  for (const [line, body] of reads) {
    t.match(
      JSON.stringify(resultOf(pipeRest(engine, line, body))),
      FOREIGN,
      `${line} gives them without`,
    );
    const answer = ask(line, body);
    t.notMatch(answer, FOREIGN, line);
    t.match(answer, /ann/, `${line} still gives its own`);
  }
  t.equal(ask(`POST ${POINTS}/count`, {}), '{"count":3}');
  t.equal(ask(`POST ${POINTS}/count`, { filter: anything }), '{"count":3}');
  t.equal(ask(`POST ${POINTS}/count`, { filter: evasive }), '{"count":0}');
});

t.test(
  'reads by id give only what the filter has, and say the same of others and of none',
  async (t) => {
    const answer = ask(`POST ${POINTS}`, { ids: [1, 2, 3, 99] });
    t.match(answer, /ann.*cy/);
    t.notMatch(answer, FOREIGN);
    for (const selector of [false, ['city'], { include: ['city'] }]) {
      const few = ask(`POST ${POINTS}`, { ids: [1, 2], with_payload: selector });
      t.match(few, /"id":1/);
      t.notMatch(few, /"id":2|email/);
    }
    t.match(
      refusal(`POST ${POINTS}`, { ids: [1], with_payload: { exclude: ['tenant'] } }),
      /payload/,
    );
    t.match(ask(`GET ${POINTS}/1`, ''), /ann/);
    const foreign = refusal(`GET ${POINTS}/2`, '');
    t.match(foreign, /no such record/);
    t.equal(refusal(`GET ${POINTS}/99`, ''), foreign);
  },
);

t.test('what cannot be held to a filter is refused with a sentence', async (t) => {
  const refused: [string, Json][] = [
    [`POST ${POINTS}/query`, { query: 2 }],
    [`POST ${POINTS}/query`, { query: { recommend: { positive: [2] } } }],
    [`POST ${POINTS}/query`, { query: { context: { positive: 2, negative: [1] } } }],
    [`POST ${POINTS}/query`, { query: [1], prefetch: { query: { nearest: '2f0b' } } }],
    [`POST ${POINTS}/recommend`, { positive: [2], limit: 3 }],
    [`POST ${POINTS}/discover`, { target: 2, limit: 3 }],
    [`POST ${POINTS}/query/groups`, { query: [1], group_by: 'city', with_lookup: 'secrets' }],
    [`POST ${POINTS}/query`, { query: [1], lookup_from: { collection: 'secrets' } }],
    ['DELETE /collections/customers', ''],
    ['GET /collections/customers/snapshots/x', ''],
    ['PUT /collections/customers/index', { field_name: 'a' }],
  ];
  for (const [line, body] of refused) {
    const why = refusal(line, body);
    t.match(why, /filter|records/, `${line} ${JSON.stringify(body)}`);
  }
  t.equal(refusal('GET /collections/customers', ''), 'answered');
});

t.test('limits are capped, in groups and batches too', async (t) => {
  const two = restrictions({ limitMax: 2 });
  const count = (line: string, body: Json): number =>
    (ask(line, body, two).match(/"id":\d/g) ?? []).length;
  t.equal(count(`POST ${POINTS}/query`, { query: [1, 0], limit: 50 }), 2);
  t.equal(count(`POST ${POINTS}/query`, { query: [1, 0] }), 2, 'the default of ten as well');
  t.equal(count(`POST ${POINTS}/query`, { query: [1, 0], limit: 1 }), 1);
  t.equal(count(`POST ${POINTS}/search`, { vector: [1, 0], top: 50 }), 2);
  t.equal(count(`POST ${POINTS}/scroll`, {}), 2);
  t.equal(count(`POST ${POINTS}/scroll`, { limit: null }), 2);
  t.equal(count(`POST ${POINTS}/query/groups`, { query: [1, 0], group_by: 'city' }), 2);
  t.match(refusal(`POST ${POINTS}`, { ids: [1, 2, 3] }, two), /more records/);
  const batch = {
    searches: [
      { query: [1, 0], limit: 2 },
      { query: [1, 0], limit: 1 },
    ],
  };
  t.match(refusal(`POST ${POINTS}/query/batch`, batch, two), /batch/);
  t.equal(ask(`POST ${POINTS}/count`, {}, two), '{"count":6}');
});

t.test('stored vectors stay away in every form', async (t) => {
  const hidden = restrictions({ hidesVectors: true });
  for (const flag of ['with_vector', 'with_vectors']) {
    const line = `POST ${POINTS}/query`;
    t.match(
      JSON.stringify(resultOf(pipeRest(engine, line, { query: [1, 0], [flag]: true }))),
      /"vector"/,
    );
    for (const value of [true, ['a']]) {
      t.notMatch(ask(line, { query: [1, 0], [flag]: value }, hidden), /"vector"/);
      t.notMatch(ask(`POST ${POINTS}/scroll`, { [flag]: value }, hidden), /"vector"/);
    }
  }
  t.match(ask(`GET ${POINTS}/1`, '', hidden), /"vector":null/);
  const lookup = {
    query: [1],
    group_by: 'city',
    with_lookup: { collection: 'secrets', with_vectors: true },
  };
  const read = readRest(`POST ${POINTS}/query/groups`, lookup);
  if (typeof read === 'string') throw new Error(read);
  t.equal(read.wantsVectors, true);
  const restricted = read.restrict(hidden);
  t.match(
    typeof restricted === 'string' ? '' : restricted.body?.toString(),
    /"with_vectors":false/,
  );
});

t.test('what is not cut keeps its bytes', async (t) => {
  const body =
    '{ "query" : [1.0, -0.0, 1E2],\n "limit":3 , "params":{"hnsw_ef": 9007199254740993}}';
  const open = pipeRest(engine, `POST ${POINTS}/query`, body, {
    restrictions: restrictions({ limitMax: 50 }),
  });
  t.equal(open.kind === 'answered' && open.sent.toString(), body);
  const cut = pipeRest(engine, `POST ${POINTS}/query`, body, { restrictions: ofA });
  const filter = '"filter":{"must":[{"key":"tenant","match":{"value":"a"}}]},';
  t.equal(cut.kind === 'answered' && cut.sent.toString(), body.replace('{', `{${filter}`));
});

t.test('a value of the policy cannot break out of its text', async (t) => {
  const odd = restrictions({ filter: [{ field: 'tenant', value: 'a"}},{"x":1}\\' }] });
  t.equal(ask(`POST ${POINTS}/count`, {}, odd), '{"count":0}');
  const none = restrictions({ filter: [{ field: 'not a field', value: 'a' }] });
  t.match(refusal(`POST ${POINTS}/count`, {}, none), /cannot filter/);
});
