import t from 'tap';
import { findRoute } from '../../../protocols/milvus/product.ts';
import type { ReadRequest } from '../../../protocols/wire/store-product.ts';
import { requestHead } from '../../support/exchanges.ts';

function read(line: string, body: object | string = ''): ReadRequest {
  const head = requestHead(line);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const found = findRoute(head)?.read(head, Buffer.from(text));
  if (found === undefined) throw new Error(`no route ${line}`);
  return found;
}

const search = (more: object): ReadRequest =>
  read('POST /v2/vectordb/entities/search', { collectionName: 'c', data: [[1]], ...more });
const hybrid = (more: object): ReadRequest =>
  read('POST /v2/vectordb/entities/hybrid_search', { collectionName: 'c', search: [], ...more });

const ranked = (params: object): object => ({
  functionScore: { functions: [{ name: 'f', type: 'Rerank', inputFieldNames: [], params }] },
});

t.test('rankings steer by their fields and filters', async (t) => {
  for (const ask of [search, hybrid]) {
    t.match(ask(ranked({ reranker: 'boost', filter: 'email like "a%"' })).steering, [['email']]);
    t.match(ask(ranked({ filter: ['email'] })).steersAny, /no text/);
    t.match(ask({ functionScore: { params: { field: 'email' } } }).steersAny, /field/);
    const sending = ask(ranked({ reranker: 'model', endpoint: 'http://mine.test' }));
    t.match(sending.carries, /endpoint/);
    t.ok(sending.accesses.some(({ effect }) => effect === 'export'));
  }
  t.match(hybrid({ rerank: { strategy: 'rrf', by: 'email' } }).steersAny, /by/);
  t.equal(hybrid({ rerank: { strategy: 'rrf', params: { k: 60 } } }).steersAny, undefined);
});

t.test('keys that Go would fold are errors inside rankings, too (MV-10)', async (t) => {
  const functions = [{ name: 'f', params: { filter: 'email > ""' } }];
  for (const score of [
    { Functions: functions },
    { ['function\u017f']: functions },
    { functions: [{ name: 'f', Params: { filter: 'email > ""' } }] },
    { functions: [{ name: 'f', InputFieldNames: ['email'] }] },
  ]) {
    t.throws(() => search({ functionScore: score }), { code: 'MILVUS_UNKNOWN_KEY' });
    t.throws(() => hybrid({ functionScore: score }), { code: 'MILVUS_UNKNOWN_KEY' });
  }
});

t.test('queries of GET are read as Go reads them, or not at all', async (t) => {
  const describe = (query: string) => read(`GET /v1/vector/collections/describe?${query}`);
  t.match(describe('collectionName=a%62&dbName=x').accesses, [{ target: { path: ['x', 'ab'] } }]);
  t.match(describe('').accesses, [{ target: undefined }], 'no name: it may be any');
  for (const query of [
    'collectionName=vault&dbName=default%zz',
    'collectionName=vault&dbName=default;x',
    'collectionName=vault;dbName=other',
    'collectionName=vault&dbName=%ff',
    'collectionName=v\u00e4ult',
    'collectionName=a&collectionName=vault',
    'collectionName=a%20b',
  ]) {
    t.throws(() => describe(query), { name: 'ProtocolError' }, query);
  }
});

t.test('ids above 2^53 stay as they were written', async (t) => {
  const body = '{"collectionName":"c","id":[9007199254740993, 1e3],"outputFields":["a"]}';
  const restricted = read('POST /v2/vectordb/entities/get', body).restrict({
    filter: [{ field: 'tenant', value: 'x' }],
    limitMax: 5,
    hidesVectors: false,
  });
  t.same(
    typeof restricted === 'string' ? restricted : restricted.body?.toString(),
    '{"collectionName":"c","id":[9007199254740993, 1e3],"outputFields":["a","tenant"]}',
  );
});
