import t from 'tap';

import { QdrantEngine } from '../../support/qdrant-emulator-engine.ts';
import type { Json, JsonObject } from '../../support/qdrant-emulator-filter.ts';
import { fillCustomers, pipeRest, readRest, restrictions } from '../../support/qdrant-pipe.ts';

const POINTS = '/collections/customers/points';
const ofA = restrictions({ filter: [{ field: 'tenant', value: 'a' }] });
const own = { tenant: 'a' };

/** As tenant a; what became of the points, those of b first. */
function write(line: string, body: Json): { why: string; foreign: string; owned: string } {
  const engine = new QdrantEngine();
  fillCustomers(engine);
  const piped = pipeRest(engine, line, body, { restrictions: ofA });
  const show = (ids: number[]): string =>
    JSON.stringify(
      engine.retrieve('customers', ids).map(({ id, vector, payload }) => [id, vector, payload]),
    );
  const why = piped.kind === 'refused' ? piped.why : String(piped.status);
  return { why, foreign: show([2, 4, 6]), owned: show([1, 3, 5, 7]) };
}

const untouched = write(`POST ${POINTS}/count`, {});

t.test('writes reach no record of others', async (t) => {
  const everything = { must_not: [{ has_id: [] }] };
  const writes: [string, Json][] = [
    [
      `PUT ${POINTS}`,
      {
        points: [
          { id: 2, vector: [9, 9], payload: own },
          { id: 1, vector: [9, 9], payload: own },
        ],
      },
    ],
    [
      `PUT ${POINTS}`,
      {
        batch: {
          ids: [2, 1],
          vectors: [
            [9, 9],
            [9, 9],
          ],
          payloads: [own, own],
        },
      },
    ],
    [
      `PUT ${POINTS}`,
      {
        points: [
          { id: 2, vector: [9], payload: own },
          { id: 1, vector: [9], payload: own },
        ],
        update_filter: everything,
      },
    ],
    [
      `PUT ${POINTS}/vectors`,
      {
        points: [
          { id: 2, vector: [9, 9] },
          { id: 1, vector: [9, 9] },
        ],
      },
    ],
    [`POST ${POINTS}/delete`, { points: [1, 2, 4] }],
    [`POST ${POINTS}/delete`, { filter: {} }],
    [
      `POST ${POINTS}/delete`,
      { filter: { should: [{ key: 'tenant', match: { value: 'b' } }, { has_id: [1] }] } },
    ],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, points: [1, 2] }],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, filter: {} }],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, points: [1, 2], key: 'author' }],
    [`PUT ${POINTS}/payload`, { payload: own, points: [1, 2] }],
    [`POST ${POINTS}/payload/delete`, { keys: ['city'], points: [1, 2], shard_key: 'k' }],
    [
      `POST ${POINTS}/batch`,
      {
        operations: [
          { delete: { points: [2, 1] } },
          { upsert: { points: [{ id: 4, vector: [9], payload: own }] } },
          { set_payload: { payload: { x: 1 }, points: [6] } },
        ],
      },
    ],
  ];
  for (const [line, body] of writes) {
    const { why, foreign, owned } = write(line, body);
    t.equal(why, '200', line);
    t.equal(foreign, untouched.foreign, `${line} ${JSON.stringify(body)}`);
    t.not(owned, untouched.owned, `${line} changes its own`);
  }
});

t.test('a new record comes in only with the fields of the filter', async (t) => {
  const { why, owned } = write(`PUT ${POINTS}`, {
    points: [{ id: 7, vector: [1, 1], payload: { ...own, x: 1 } }],
  });
  t.equal(why, '200');
  t.match(owned, /\[7,/);
  const payloads: Json[] = [
    null,
    {},
    { tenant: 'b' },
    { tenant: ['a'] },
    { tenant: ['a', 'b'] },
    { tenant: 1 },
    { Tenant: 'a' },
  ];
  for (const payload of payloads) {
    for (const body of [
      {
        points: [
          { id: 8, vector: [1], payload: own },
          { id: 7, vector: [1], payload },
        ],
      },
      { batch: { ids: [8, 7], vectors: [[1], [1]], payloads: [own, payload] } },
    ]) {
      t.match(write(`PUT ${POINTS}`, body).why, /fields of the filter/, JSON.stringify(body));
    }
    t.match(write(`PUT ${POINTS}/payload`, { payload, points: [1] }).why, /fields of the filter/);
  }
  t.match(
    write(`PUT ${POINTS}`, { batch: { ids: [1, 2], vectors: [[1], [1]], payloads: [own] } }).why,
    /fields/,
  );
  t.match(write(`PUT ${POINTS}`, { batch: { ids: [1], vectors: [[1]] } }).why, /fields/);
});

t.test('the fields of the filter stay as they are', async (t) => {
  const writes: [string, Json][] = [
    [`POST ${POINTS}/payload`, { payload: { tenant: 'b' }, points: [1] }],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, points: [1], key: 'tenant' }],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, points: [1], key: '"tenant"' }],
    [`POST ${POINTS}/payload`, { payload: { x: 1 }, points: [1], key: 'tenant[0]' }],
    [`PUT ${POINTS}/payload`, { payload: own, points: [1], key: 'author' }],
    [`POST ${POINTS}/payload/delete`, { keys: ['city', 'tenant'], points: [1] }],
    [`POST ${POINTS}/payload/delete`, { keys: ['"tenant"'], filter: {} }],
    [`POST ${POINTS}/payload/clear`, { points: [1] }],
    [
      `POST ${POINTS}/batch`,
      { operations: [{ delete: { points: [1] } }, { clear_payload: { points: [3] } }] },
    ],
  ];
  for (const [line, body] of writes) {
    const { why, owned } = write(line, body);
    t.match(why, /filter of the rule/, `${line} ${JSON.stringify(body)}`);
    t.equal(owned, untouched.owned, 'and nothing happened');
  }
  t.equal(
    write(`POST ${POINTS}/payload`, { payload: { ...own, x: 1 }, points: [1] }).why,
    '200',
    'the same value is fine',
  );
});

t.test('requests whose reach could be read in two ways are refused without any rule', async (t) => {
  const bodies: [string, JsonObject][] = [
    [`POST ${POINTS}/delete`, { points: [1], filter: {} }],
    [`POST ${POINTS}/vectors/delete`, { points: [1], filter: {}, vector: ['v'] }],
    [`PUT ${POINTS}`, { points: [], batch: { ids: [], vectors: [] } }],
    [`POST ${POINTS}/batch`, { operations: [{ delete: { points: [1] }, upsert: { points: [] } }] }],
    [`POST ${POINTS}/batch`, { operations: [{ purge: {} }] }],
    [`POST ${POINTS}/batch`, { operations: [['delete', { points: [1] }]] }],
    [`POST ${POINTS}/delete`, { points: [[1]] }],
    [`POST ${POINTS}/delete`, { points: [1], everything: true }],
    [`PUT ${POINTS}`, { points: [[1, [1]]] }],
  ];
  for (const [line, body] of bodies) {
    const read = readRest(line, body);
    if (line.startsWith('PUT')) {
      t.ok(typeof read === 'string' || throwsUnderRule(line, body), JSON.stringify(body));
    } else t.type(read, 'string', JSON.stringify(body));
  }
});

function throwsUnderRule(line: string, body: Json): boolean {
  const read = readRest(line, body);
  if (typeof read === 'string') return true;
  try {
    return typeof read.restrict(ofA) === 'string';
  } catch {
    return true;
  }
}

t.test('without a selector nothing is made of it that the server would not do', async (t) => {
  const { why, owned } = write(`POST ${POINTS}/delete`, {});
  t.equal(why, '400');
  t.equal(owned, untouched.owned);
});

t.test('a batch has the effects of all its operations', async (t) => {
  const read = readRest(`POST ${POINTS}/batch`, {
    operations: [
      { upsert: { points: [] } },
      {
        delete_payload: { keys: ['a'], filter: { must: { key: 'email', match: { value: 'x' } } } },
      },
    ],
  });
  if (typeof read === 'string') throw new Error(read);
  t.same(
    read.accesses.map(({ effect }) => effect),
    ['upsert', 'delete'],
  );
  t.same(read.steering, [['email']]);
});
