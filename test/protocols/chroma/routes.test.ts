import t from 'tap';
import { findRoute, ROUTES } from '../../../protocols/chroma/routes.ts';
import { COLLECTIONS, headOf, readChroma, UUID } from '../../support/chroma-requests.ts';
import { chromaMissing, startTestChroma } from '../../support/chroma-server.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];
/** Answered by the server and left out of its own description. */
const UNDESCRIBED = ['GET /api/v2'];

t.test(
  'the table has every route that the server describes, and no other',
  { skip: chromaMissing() ?? false },
  async (t) => {
    const server = await startTestChroma();
    t.teardown(async () => await server.stop());
    const response = await fetch(`http://${server.host}:${server.port}/openapi.json`);
    const described = routesOf(await response.json());
    t.ok(described.length > 30, 'the description was read');
    const own = ROUTES.map(({ method, path }) => `${method} ${path}`);
    t.same(own.toSorted(), [...described, ...UNDESCRIBED].toSorted());
  },
);

function routesOf(description: unknown): string[] {
  const paths = entriesOf(description).find(([key]) => key === 'paths')?.[1];
  return entriesOf(paths).flatMap(([path, methods]) =>
    entriesOf(methods)
      .filter(([method]) => METHODS.includes(method))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function nameOf(method: string, target: string): string | undefined {
  return findRoute(headOf(method, target))?.name.replace(
    '/tenants/{tenant}/databases/{database}',
    '',
  );
}

t.test('a path finds its row', async (t) => {
  t.equal(nameOf('GET', '/api/v2/heartbeat'), 'GET /api/v2/heartbeat');
  t.equal(
    nameOf('POST', `${COLLECTIONS}/${UUID}/get`),
    'POST /api/v2/collections/{collection_id}/get',
  );
  t.equal(
    nameOf('GET', `${COLLECTIONS}/by-id/${UUID}`),
    'GET /api/v2/collections/by-id/{collection_id}',
  );
  t.equal(nameOf('GET', `${COLLECTIONS}/by-id`), 'GET /api/v2/collections/{collection_id}');
  t.equal(nameOf('GET', `${COLLECTIONS}?limit=1`), 'GET /api/v2/collections');
  t.equal(nameOf('DELETE', `${COLLECTIONS}/a%20b`), 'DELETE /api/v2/collections/{collection_id}');
});

t.test('what the table does not name has no route', async (t) => {
  const targets = [
    '/',
    '/docs',
    '/openapi.json',
    '/api/v1/collections',
    '/api/v1/heartbeat',
    '/api/v2/',
    '/api/v2//heartbeat',
    '/api/v2/%68eartbeat',
    '/api/v2/../v2/heartbeat',
    '/api/v2/heartbeat/',
    '/API/v2/heartbeat',
    'http://localhost/api/v2/heartbeat',
    '*',
    `${COLLECTIONS}/`,
    `${COLLECTIONS}/%FF`,
    `${COLLECTIONS}/%zz`,
    `${COLLECTIONS}//`,
    `${COLLECTIONS}/${UUID}/conditional/get`,
  ];
  for (const target of targets) t.equal(nameOf('GET', target), undefined, target);
  t.equal(nameOf('POST', '/api/v2/heartbeat'), undefined);
  t.equal(nameOf('HEAD', '/api/v2/heartbeat'), undefined);
  t.equal(nameOf('get', '/api/v2/heartbeat'), undefined);
  t.equal(nameOf('OPTIONS', COLLECTIONS), undefined);
});

t.test('only probes need no credential', async (t) => {
  const open = ROUTES.filter(({ isOpen }) => isOpen === true).map(({ path }) => path);
  t.same(open, ['/api/v2', '/api/v2/healthcheck', '/api/v2/heartbeat']);
});

t.test('query parameters are those of the route', async (t) => {
  t.same(readChroma('GET', `${COLLECTIONS}?limit=1&offset=0`).accesses[0]?.effect, 'describe');
  t.throws(() => readChroma('GET', `${COLLECTIONS}?where=1`), { code: 'CHROMA_QUERY' });
  t.throws(() => readChroma('GET', '/api/v2/heartbeat?x=1'), { code: 'CHROMA_QUERY' });
});
