import t from 'tap';
import {
  ACME,
  BY_ID,
  COLLECTION,
  readChroma,
  restrictedBody,
} from '../../support/chroma-requests.ts';

const TARGET = `${COLLECTION}/search`;
const read = (...searches: unknown[]): ReturnType<typeof readChroma> =>
  readChroma('POST', TARGET, { searches });
const KNN = { $knn: { query: [1, 0], key: '#embedding', limit: 5 } };

t.test('fields of filters, ranks and groups steer', async (t) => {
  const request = read({
    filter: {
      $and: [{ email: 'x' }, { '#document': { $contains: 'y' } }, { '#id': { $in: ['a'] } }],
    },
    rank: {
      $sum: [
        KNN,
        {
          $mul: [{ $val: 0.5 }, { $knn: { query: { indices: [1], values: [1] }, key: 'sparse' } }],
        },
      ],
    },
    group_by: { keys: ['city'], aggregate: { $min_k: { keys: ['#score', 'age'], k: 1 } } },
    limit: { limit: 3 },
    select: { keys: ['#document', '#score', 'phone'] },
  });
  t.same(request.accesses, [{ effect: 'search', target: BY_ID }]);
  t.same(request.steering, [['email'], ['#document'], ['#id'], ['sparse'], ['city'], ['age']]);
  t.equal(request.steersAny, undefined);
  t.equal(request.limit, 3);
  t.equal(request.wantsVectors, false);
});

t.test('ranks in every shape that the server has', async (t) => {
  const inner = { $knn: { query: [1], key: 'hidden' } };
  const ranks = [
    { $abs: inner },
    { $exp: inner },
    { $log: inner },
    { $max: [inner] },
    { $min: [inner] },
    { $sub: { left: { $val: 1 }, right: inner } },
    { $div: { left: inner, right: { $val: 2 } } },
  ];
  for (const rank of ranks) t.same(read({ rank }).steering, [['hidden']], JSON.stringify(rank));
  t.type(read({ rank: { $new: 1 } }).steersAny, 'string');
  t.throws(() => read({ rank: { $sum: [1, 2] } }), { code: 'CHROMA_BODY' });
});

t.test('each search counts: limits are added, one without makes it unlimited', async (t) => {
  t.equal(read({ limit: { limit: 3 } }, { limit: { limit: 4 } }).limit, 7);
  t.equal(read({ limit: { limit: 3 } }, {}).limit, undefined);
  t.equal(read({}, { select: { keys: ['#embedding'] } }).wantsVectors, true);
});

t.test('unknown members may steer by anything, and cannot be cut down', async (t) => {
  for (const search of [
    { rerank: {} },
    { filter: { where_clause: { email: 'x' } } },
    { filter: { query_ids: ['a'] } },
    { limit: { limit: 1, more: 2 } },
    { rank: { $knn: { query: [1], hint: 'x' } } },
  ]) {
    const request = read(search);
    t.type(request.steersAny, 'string', JSON.stringify(search));
    t.match(restrictedBody(request, { filter: ACME }), /^refused: /);
  }
  t.throws(() => read([{ tenant: 't2' }]), { code: 'CHROMA_BODY' }, 'the array form');
  t.throws(() => read({ select: [['#document']] }), { code: 'CHROMA_BODY' });
});

t.test('every search is cut down', async (t) => {
  const request = read(
    {
      filter: { a: 1 },
      limit: { limit: 100, offset: 2 },
      select: { keys: ['#embedding', '#score'] },
    },
    {},
    { filter: {}, limit: {} },
  );
  const body = restrictedBody(request, { filter: ACME, limitMax: 10, hidesVectors: true });
  const rule = { tenant: { $eq: 'acme' } };
  t.same(JSON.parse(body ?? ''), {
    searches: [
      {
        filter: { $and: [{ a: 1 }, rule] },
        limit: { limit: 3, offset: 2 },
        select: { keys: ['#score'] },
      },
      { limit: { limit: 3 }, filter: rule },
      { filter: rule, limit: { limit: 3 } },
    ],
  });
  t.match(restrictedBody(request, { limitMax: 2 }), /^refused: .*more queries/);
  t.equal(restrictedBody(read({ limit: { limit: 2 } }), { limitMax: 2 }), undefined);
});
