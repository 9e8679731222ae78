import t from 'tap';
import {
  ACME,
  BY_ID,
  COLLECTION,
  readChroma,
  restrictedBody,
} from '../../support/chroma-requests.ts';

const ADD = `${COLLECTION}/add`;
const acme = (some: object = {}): object => ({ tenant: 'acme', ...some });

function underFilter(body: unknown, route = ADD): string | undefined {
  return restrictedBody(readChroma('POST', route, body), { filter: ACME });
}

t.test('each write is one, and says nothing of fields', async (t) => {
  for (const route of ['add', 'update', 'upsert']) {
    const request = readChroma('POST', `${COLLECTION}/${route}`, { ids: ['a'], embeddings: [[1]] });
    t.same(request.accesses, [{ effect: 'upsert', target: BY_ID }]);
    t.same(request.steering, []);
    t.equal(restrictedBody(request, {}), undefined);
  }
});

t.test('under a filter each record that is added carries its value', async (t) => {
  const ids = ['a', 'b'];
  const embeddings = [
    [1, 2],
    [3, 4],
  ];
  t.equal(underFilter({ ids, embeddings, metadatas: [acme(), acme({ x: 1 })] }), undefined);
  const bad: unknown[] = [
    undefined,
    null,
    [],
    [acme()],
    [acme(), null],
    [acme(), {}],
    [acme(), acme({ tenant: 'other' })],
    [acme(), acme({ tenant: ['acme'] })],
    [acme(), acme({ tenant: null })],
    [acme(), { Tenant: 'acme' }],
    [acme(), 'acme'],
    [acme(), acme(), acme()],
  ];
  for (const metadatas of bad) {
    t.match(
      underFilter({ ids, embeddings, metadatas }),
      /^refused: .*tenant/,
      JSON.stringify(metadatas),
    );
  }
  t.match(underFilter({ ids, embeddings, metadatas: [acme(), acme()], more: 1 }), /^refused: /);
});

t.test('a key that comes twice does not hide the second value', async (t) => {
  const twice =
    '{"ids":["a"],"embeddings":[[1]],"metadatas":[{"tenant":"acme","ten\\u0061nt":"b"}]}';
  t.throws(() => underFilter(twice), { code: 'JSON_DUPLICATE_KEY' });
});

t.test(
  'what overwrites records of others is refused under a filter, whatever it carries',
  async (t) => {
    const body = { ids: ['a'], embeddings: [[1]], metadatas: [acme()] };
    t.match(
      underFilter(body, `${COLLECTION}/upsert`),
      /^refused: .*delete your own by id, then add/,
    );
    t.match(underFilter(body, `${COLLECTION}/update`), /^refused: /);
  },
);

t.test('the array form of a body, which the server takes, is none here', async (t) => {
  t.throws(() => readChroma('POST', ADD, [['a'], [[1]], null, null, [acme()]]), {
    code: 'CHROMA_BODY',
  });
});
