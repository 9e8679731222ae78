import t from 'tap';
import type { Restrictions } from '../../../protocols/store.ts';
import {
  ACME,
  BY_ID,
  COLLECTION,
  readChroma,
  restrictedBody,
} from '../../support/chroma-requests.ts';
import { chromaMissing, startTestChroma, type TestChroma } from '../../support/chroma-server.ts';

const RULE = '{"tenant":{"$eq":"acme"}}';
const get = (body: unknown): ReturnType<typeof readChroma> =>
  readChroma('POST', `${COLLECTION}/get`, body);
const query = (body: unknown): ReturnType<typeof readChroma> =>
  readChroma('POST', `${COLLECTION}/query`, body);
const effects = (request: ReturnType<typeof readChroma>): string[] =>
  request.accesses.map(({ effect }) => effect);

t.test('a get without ids and filters is an export, however small its pages are', async (t) => {
  t.same(effects(get({})), ['read', 'export']);
  t.same(effects(get({ ids: null, where: null, limit: 10, offset: 20 })), ['read', 'export']);
  t.same(effects(get({ ids: ['a'] })), ['read']);
  t.same(effects(get({ where: { a: 1 } })), ['read']);
  t.same(effects(get({ where_document: { $contains: 'x' } })), ['read']);
  t.same(get({}).accesses[0]?.target, BY_ID);
  const all = { $and: [] };
  for (const where of [all, { $and: [all, all] }, { $or: [{ a: 1 }, all] }]) {
    t.same(effects(get({ where })), ['read', 'export'], 'a filter that is none');
  }
  t.same(effects(get({ where: { $and: [all, { a: 1 }] } })), ['read']);
  t.same(effects(get({ where: { $or: [] } })), ['read']);
});

t.test('how much a request asks for', async (t) => {
  t.equal(get({}).limit, undefined);
  t.equal(get({ limit: 5 }).limit, 5);
  t.equal(get({ ids: ['a', 'b'] }).limit, 2);
  t.equal(get({ ids: ['a', 'b'], limit: 1 }).limit, 1);
  t.equal(get({ ids: ['a', 'b'], limit: 9 }).limit, 2);
  t.equal(query({ query_embeddings: [[1], [2]] }).limit, 20, "the server's default for each");
  t.equal(query({ query_embeddings: [[1], [2], [3]], n_results: 4 }).limit, 12);
  t.equal(get({ include: ['embeddings'] }).wantsVectors, true);
  t.equal(get({}).wantsVectors, false);
  t.equal(query({ query_embeddings: [[1]], include: ['embeddings'] }).wantsVectors, true);
});

t.test('what steers', async (t) => {
  const where = { $and: [{ email: 'x' }, { age: { $gt: 1 } }] };
  t.same(get({ where, where_document: { $regex: 'x' } }).steering, [
    ['email'],
    ['age'],
    ['#document'],
  ]);
  t.same(query({ query_embeddings: [[1]], where: { email: 'x' } }).steering, [['email']]);
  t.same(readChroma('POST', `${COLLECTION}/delete`, { where: { email: 'x' } }).steering, [
    ['email'],
  ]);
  t.type(get({ order_by: 'email' }).steersAny, 'string');
  t.match(restrictedBody(get({ order_by: 'email' }), { filter: ACME }), /^refused: /);
});

t.test('wrong values and arrays for objects are refused', async (t) => {
  for (const body of [
    [['a']],
    { where: [] },
    { ids: 'a' },
    { ids: [1] },
    { limit: -1 },
    { include: 'x' },
  ]) {
    t.throws(() => get(body), { code: 'CHROMA_BODY' }, JSON.stringify(body));
  }
  t.throws(() => query({ query_embeddings: 5 }), { code: 'CHROMA_BODY' });
  t.throws(() => get('{"where":{"a":1},"where":null}'), { code: 'JSON_DUPLICATE_KEY' });
});

t.test('reads are cut down, and only where they are more', async (t) => {
  const cases: [object, Partial<Restrictions>, string | undefined][] = [
    [{}, { limitMax: 5 }, '{"limit":5}'],
    [{}, { limitMax: 5, filter: ACME }, `{"limit":5,"where":${RULE}}`],
    [{ limit: 5 }, { limitMax: 5 }, undefined],
    [{ limit: 6 }, { limitMax: 5 }, '{"limit":5}'],
    [{ ids: ['a'] }, { limitMax: 5 }, undefined],
    [{ ids: ['a', 'b'], limit: null }, { limitMax: 1 }, '{"ids":["a","b"],"limit":1}'],
    [{ ids: ['a'] }, { filter: ACME }, `{"where":${RULE},"ids":["a"]}`],
    [{ include: ['documents', 'embeddings'] }, { hidesVectors: true }, '{"include":["documents"]}'],
    [{ include: ['embeddings'] }, { hidesVectors: true }, '{"include":[]}'],
    [{}, { hidesVectors: true }, undefined],
  ];
  for (const [body, some, expected] of cases) t.equal(restrictedBody(get(body), some), expected);
  t.equal(
    restrictedBody(query({ query_embeddings: [[1], [2]] }), { limitMax: 8 }),
    '{"n_results":4,"query_embeddings":[[1],[2]]}',
  );
  t.equal(
    restrictedBody(query({ query_embeddings: [[1]], n_results: 8 }), { limitMax: 8 }),
    undefined,
  );
  t.match(
    restrictedBody(query({ query_embeddings: [[1], [2]] }), { limitMax: 1 }),
    /^refused: .*more queries/,
  );
});

t.test('a delete is kept to the own records, and one of nothing stays one', async (t) => {
  const remove = (body: object): string | undefined =>
    restrictedBody(readChroma('POST', `${COLLECTION}/delete`, body), { filter: ACME });
  t.equal(remove({ ids: ['a'] }), `{"where":${RULE},"ids":["a"]}`);
  t.equal(remove({}), undefined);
  t.match(remove({ ids: ['a'], more: 1 }), /^refused: /);
});

t.test(
  'the server does what the restrictions say',
  { skip: chromaMissing() ?? false },
  async (t) => {
    const server = await startTestChroma();
    t.teardown(async () => await server.stop());
    const id = await server.fill('customers', {
      ids: ['a1', 'a2', 'b1', 'x'],
      embeddings: [
        [1, 0],
        [0.9, 0],
        [1, 0],
        [1, 0],
      ],
      documents: ['ann writes', 'bob writes', 'ann reads', 'ann stays'],
      metadatas: [
        { tenant: 'acme', n: 1 },
        { tenant: 'acme', n: 2 },
        { tenant: 'other', n: 1 },
        null,
      ],
    });
    const bodies: object[] = [
      {},
      { ids: ['a1', 'b1', 'x'] },
      { where: { n: 1 } },
      { where: { $or: [{ tenant: 'other' }, { n: { $gte: 1 } }] } },
      { where: { tenant: { $ne: 'acme' } } },
      { where_document: { $contains: 'ann' } },
      { where_document: { $regex: '.*' } },
      { where: null, where_document: null, ids: null },
    ];
    for (const body of bodies)
      t.notMatch(await run(server, id, 'get', body), /"(?:b1|x)"/, JSON.stringify(body));
    t.match(await run(server, id, 'get', { ids: ['a1', 'b1'] }), /"ids":\["a1"\]/);
    const nearest = await run(server, id, 'query', {
      query_embeddings: [[1, 0]],
      ids: ['a1', 'b1'],
    });
    t.match(nearest, /"ids":\[\["a1"\]\]/);
    t.match(await run(server, id, 'delete', { ids: ['b1', 'x', 'a2'] }), /"deleted":1/);
    t.match(await run(server, id, 'delete', { where: { n: 1 } }), /"deleted":1/);
    const left = await server.ask(
      'POST',
      `${COLLECTION}/get`.slice('/api/v2'.length).replace(BY_ID.path[2], id),
      {},
    );
    t.match(left.text, /"ids":\["b1","x"\]/);
  },
);

/** The answer to what the restricted request became. */
async function run(server: TestChroma, id: string, what: string, body: object): Promise<string> {
  const target = `${COLLECTION}/${what}`.replace(BY_ID.path[2], id);
  const request = readChroma('POST', target, body);
  const text = restrictedBody(request, { filter: ACME });
  const content: unknown = text === undefined ? body : JSON.parse(text);
  return (await server.ask('POST', target.slice('/api/v2'.length), content)).text;
}
