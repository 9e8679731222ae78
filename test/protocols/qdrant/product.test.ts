import t from 'tap';

import { qdrantProduct } from '../../../protocols/qdrant/product.ts';
import type { HeaderList } from '../../../protocols/contract.ts';
import type { StoreRefusal } from '../../../protocols/store.ts';
import { requestHead } from '../../support/exchanges.ts';
import { restHead, rpcHead } from '../../support/qdrant-pipe.ts';

const secretOf = (headers: HeaderList): string | undefined =>
  qdrantProduct.readCredential(requestHead('GET /', { headers }))?.secret;

t.test('credentials come in either header, and two that differ are none', async (t) => {
  t.equal(secretOf([['api-key', 'k']]), 'k');
  t.equal(secretOf([['authorization', 'Bearer k']]), 'k');
  t.equal(secretOf([['authorization', 'bearer  k']]), 'k');
  t.equal(
    secretOf([
      ['api-key', 'k'],
      ['authorization', 'Bearer k'],
    ]),
    'k',
  );
  t.equal(
    secretOf([
      ['api-key', 'k'],
      ['authorization', 'Bearer other'],
    ]),
    undefined,
  );
  t.equal(
    secretOf([
      ['api-key', 'k'],
      ['api-key', 'other'],
    ]),
    undefined,
  );
  t.equal(secretOf([['authorization', 'Basic aTpr']]), undefined);
  t.equal(secretOf([['api-key', '']]), undefined);
  t.equal(secretOf([]), undefined);
});

t.test('the credential of the store takes the place of all of them', async (t) => {
  const headers: HeaderList = [
    ['api-key', 'k'],
    ['x', 'y'],
    ['authorization', 'Bearer k'],
    ['api-key', 'l'],
  ];
  const login = { user: undefined, secret: 'own' };
  t.same(qdrantProduct.withLogin(headers, login), [
    ['x', 'y'],
    ['api-key', 'own'],
  ]);
  t.same([...qdrantProduct.secretHeaders], ['api-key', 'authorization']);
});

t.test('gRPC is exact: its content type, its path, HTTP/2, POST', async (t) => {
  const head = rpcHead('qdrant.Points/Query');
  t.equal(qdrantProduct.findRoute(head)?.transport, 'grpc');
  const others = [
    { ...head, target: '/qdrant.Points/query' },
    { ...head, target: '//qdrant.Points/Query' },
    { ...head, target: '/qdrant.Points/Query?x=1' },
    { ...head, target: '/qdrant.Points/%51uery' },
    { ...head, target: '/qdrant.PointsInternal/Query' },
    { ...head, target: '/qdrant.QdrantInternal/GetConsensusCommit' },
    { ...head, target: '/collections' },
    { ...head, method: 'GET' },
    { ...head, version: '1.1' as const },
    { ...head, headers: [['content-type', 'application/grpc-web+proto']] as const },
    { ...head, headers: [['content-type', 'application/json']] as const },
    { ...restHead('GET /collections'), headers: head.headers },
  ];
  for (const one of others)
    t.equal(qdrantProduct.findRoute(one), undefined, `${one.method} ${one.target}`);
});

t.test('what clients ask when they connect passes without a credential', async (t) => {
  for (const head of [
    restHead('GET /'),
    restHead('GET /healthz'),
    rpcHead('qdrant.Qdrant/HealthCheck'),
    rpcHead('grpc.health.v1.Health/Check'),
  ]) {
    t.equal(qdrantProduct.findRoute(head)?.isOpen, true, head.target);
  }
  t.equal(qdrantProduct.findRoute(restHead('GET /collections'))?.isOpen, undefined);
});

t.test('refusals are in the form of the transport', async (t) => {
  const refusal: StoreRefusal = {
    kind: 'forbidden',
    rule: 'r',
    message: 'search on é is not allowed',
  };
  const rest = qdrantProduct.refuse(refusal, restHead('GET /collections'), undefined);
  t.equal(rest.head.status, 403);
  t.equal(rest.head.reason, 'Forbidden - search on ? is not allowed');
  t.same(JSON.parse(rest.body.toString()), {
    status: { error: 'Forbidden: search on é is not allowed' },
    time: 0,
    result: null,
  });
  const rpc = qdrantProduct.refuse(refusal, rpcHead('qdrant.Points/None'), undefined);
  t.equal(rpc.head.status, 200);
  t.equal(rpc.body.length, 0);
  t.same(rpc.trailers, [
    ['grpc-status', '7'],
    ['grpc-message', 'search on %C3%A9 is not allowed'],
  ]);
  const later = qdrantProduct.refuse(
    { ...refusal, kind: 'too-many' },
    restHead('GET /x'),
    undefined,
  );
  t.equal(later.head.status, 429);
  t.ok(later.head.headers.some(([name]) => name === 'retry-after'));
  const injected = qdrantProduct.refuse(
    { ...refusal, message: 'a\r\nx: y' },
    restHead('GET /x'),
    undefined,
  );
  t.notMatch(injected.head.reason, /[\r\n]/);
});
