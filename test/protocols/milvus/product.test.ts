import t from 'tap';
import { findRoute, readCredential, refuse, withLogin } from '../../../protocols/milvus/product.ts';
import type { HeaderList } from '../../../protocols/contract.ts';
import { requestHead } from '../../support/exchanges.ts';

const GRPC: HeaderList = [['content-type', 'application/grpc']];
const rpc = (path: string, ...headers: HeaderList) =>
  requestHead(`POST ${path}`, { version: '2', headers: [...GRPC, ...headers] });
const rest = (path: string, ...headers: HeaderList) => requestHead(`POST ${path}`, { headers });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SEARCH = '/milvus.proto.milvus.MilvusService/Search';
const denied = { kind: 'forbidden', rule: 'r', message: 'search is not allowed: 100 %' } as const;

t.test('routes are exact', async (t) => {
  t.equal(findRoute(rpc(SEARCH))?.name, SEARCH.slice(1));
  t.equal(
    findRoute(rest('/v2/vectordb/entities/search'))?.name,
    'POST /v2/vectordb/entities/search',
  );
  t.equal(
    findRoute(requestHead('GET /v1/vector/collections?dbName=x'))?.name,
    'GET /v1/vector/collections',
  );
  for (const path of [
    `${SEARCH}/`,
    `${SEARCH}?x`,
    `/${SEARCH}`,
    '/milvus.proto.milvus.MilvusService/search',
    '/x/Search',
  ]) {
    t.equal(findRoute(rpc(path)), undefined, path);
  }
  for (const path of ['', '/', '?a', '//', '/..', '%2f']) {
    t.equal(findRoute(rest(`/v2/vectordb/entities/search${path || 'x'}`)), undefined, path);
  }
  t.equal(findRoute(rest(SEARCH)), undefined, 'a gRPC path without its content type');
  t.equal(findRoute(rpc(SEARCH, ['sourceid', base64('@@milvus-member@@')])), undefined, 'a member');
  t.equal(findRoute(rpc('/grpc.health.v1.Health/Check'))?.isOpen, true);
  t.equal(findRoute(rpc(SEARCH))?.isOpen, undefined);
});

t.test('credentials in all their forms', async (t) => {
  const of = (head: Parameters<typeof readCredential>[0]) => readCredential(head);
  t.same(of(rpc(SEARCH, ['authorization', base64('ann:a:b')])), { user: 'ann', secret: 'a:b' });
  t.same(of(rpc(SEARCH, ['authorization', base64('key')])), { user: undefined, secret: 'key' });
  t.same(of(rest('/', ['authorization', 'Bearer ann:pw'])), { user: 'ann', secret: 'pw' });
  t.same(of(rest('/', ['authorization', 'Bearer key'])), { user: undefined, secret: 'key' });
  t.same(of(rest('/', ['authorization', `Basic ${base64('ann:pw')}`])), {
    user: 'ann',
    secret: 'pw',
  });
  for (const value of ['', '!!', 'Bearer key']) {
    t.equal(of(rpc(SEARCH, ['authorization', value])), undefined, value);
  }
  t.equal(of(rest('/', ['authorization', 'key'])), undefined);
  t.equal(of(rest('/', ['authorization', 'Bearer a'], ['authorization', 'Bearer b'])), undefined);
});

t.test('the own login takes the place of all others', async (t) => {
  const login = { user: 'root', secret: 'Milvus' };
  const headers: HeaderList = [
    ...GRPC,
    ['authorization', 'x'],
    ['sourceid', 'y'],
    ['token', 'z'],
    ['identifier', '7'],
  ];
  t.same(withLogin(headers, login), [
    ...GRPC,
    ['identifier', '7'],
    ['authorization', base64('root:Milvus')],
  ]);
  t.same(withLogin([['authorization', 'x']], login), [['authorization', 'Bearer root:Milvus']]);
  t.same(withLogin([['authorization', 'x']], { user: undefined, secret: '' }), []);
});

t.test('refusals as the clients show them', async (t) => {
  const answer = refuse(denied, rpc(SEARCH), findRoute(rpc(SEARCH)));
  t.equal(answer.head.status, 200);
  t.same(answer.trailers, [
    ['grpc-status', '7'],
    ['grpc-message', 'search is not allowed: 100 %25'],
  ]);
  const inRest = refuse(denied, rest('/v2/vectordb/entities/search'), undefined);
  t.equal(inRest.head.status, 403);
  t.equal(inRest.body.toString(), '{"code":65535,"message":"search is not allowed: 100 %"}');
  const old = refuse(denied, requestHead(`POST ${SEARCH}`, { headers: GRPC }), undefined);
  t.equal(old.head.status, 403, 'HTTP/1.1 has no gRPC');
  const beat = rpc('/milvus.proto.milvus.ClientTelemetryService/ClientHeartbeat');
  t.equal(findRoute(beat), undefined);
  t.same(refuse(denied, beat, undefined).trailers?.[0], ['grpc-status', '12']);
});
