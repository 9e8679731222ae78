import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { createChromaNames } from '../../../lib/catalog/chroma-names.ts';
import type { StoreNames, StoreNamesSettings } from '../../../lib/catalog/store-names.ts';
import type { StoreName } from '../../../protocols/store.ts';
import { chromaMissing, DATABASE, startTestChroma, TENANT } from '../../support/chroma-server.ts';

const UUID = '17550686-caa4-452b-8d58-abb99c9ed9d5';
const byId = (...path: readonly string[]): StoreName => ({ kind: 'id', path });
const quiet = { info: () => undefined, warn: () => undefined };

function useNames(t: Test, port: number, login?: StoreNamesSettings['login']): StoreNames {
  const names = createChromaNames({
    host: '127.0.0.1',
    port,
    tls: undefined,
    login,
    grpc: undefined,
    log: quiet,
  });
  t.teardown(() => names.close());
  return names;
}

t.test('with the real server', { skip: chromaMissing() ?? false }, async (t) => {
  const server = await startTestChroma();
  t.teardown(async () => await server.stop());
  const names = useNames(t, server.port);
  const folder = `/tenants/${TENANT}/databases/${DATABASE}/collections`;
  const id = await server.fill('customers', { ids: ['a'], embeddings: [[1, 2]] });

  t.test('an id is the collection that it belongs to now', async (t) => {
    const customers = { kind: 'collection', path: [TENANT, DATABASE, 'customers'] };
    t.same(await names.resolve(byId(TENANT, DATABASE, id)), [customers]);
    await server.ask('PUT', `${folder}/${id}`, { new_name: 'clients' });
    t.same(
      await names.resolve(byId(TENANT, DATABASE, id)),
      [customers],
      'for a moment it is known',
    );
    names.invalidate();
    t.same(await names.resolve(byId(TENANT, DATABASE, id)), [
      { ...customers, path: [TENANT, DATABASE, 'clients'] },
    ]);
  });

  t.test(
    'an id counts in its own database only, though the server takes it anywhere',
    async (t) => {
      const elsewhere = `/tenants/nobody/databases/nothing/collections/${id}/get`;
      t.equal((await server.ask('POST', elsewhere, {})).status, 200, 'the server does');
      await t.rejects(Promise.resolve(names.resolve(byId('nobody', 'nothing', id))), {
        code: 'STORE_NAMES',
      });
      await server.ask('POST', `/tenants/${TENANT}/databases`, { name: 'second' });
      await t.rejects(Promise.resolve(names.resolve(byId(TENANT, 'second', id))), {
        code: 'STORE_NAMES',
      });
    },
  );

  t.test('what is nowhere stands for itself', async (t) => {
    for (const path of [
      [TENANT, DATABASE, UUID],
      ['nobody', 'nothing', UUID],
    ]) {
      t.same(await names.resolve(byId(...path)), [{ kind: 'collection', path }]);
    }
  });

  t.test('names are what they say, and cost no question', async (t) => {
    for (const kind of ['collection', 'container'] as const) {
      const name: StoreName = { kind, path: [TENANT, DATABASE] };
      t.same(names.resolve(name), [name]);
    }
    t.same(names.resolve({ kind: 'index', path: ['x'] }), []);
  });

  t.test('what cannot be asked is refused', async (t) => {
    // This server ends the connection at a CRN that has the right form.
    await t.rejects(Promise.resolve(names.resolve(byId('resource:database:name'))), {
      code: 'STORE_NAMES',
    });
    await t.rejects(Promise.resolve(useNames(t, 1).resolve(byId(TENANT, DATABASE, id))), {
      code: 'STORE_NAMES',
    });
  });
});

async function fake(t: Test, answer: (url: string) => readonly [number, string]): Promise<Seen> {
  const headers: Seen['headers'] = [];
  const server: Server = createServer((request, response) => {
    headers.push(request.headers);
    const [status, text] = answer(request.url ?? '');
    response.writeHead(status).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // A TCP server that listens has one.
  return { port, headers };
}

interface Seen {
  readonly port: number;
  readonly headers: Record<string, unknown>[];
}

t.test("the gateway's own credential is used, and names are escaped", async (t) => {
  const urls: string[] = [];
  const answer = JSON.stringify({ id: UUID, tenant: 'a/b', database: 'd', name: 'c' });
  const { port, headers } = await fake(t, (url) => {
    urls.push(url);
    return [200, answer];
  });
  const names = useNames(t, port, { user: undefined, secret: 'key' });
  t.same(await names.resolve(byId('a/b', 'd?', UUID)), [
    { kind: 'collection', path: ['a/b', 'd', 'c'] },
  ]);
  t.same(urls, [`/api/v2/tenants/a%2Fb/databases/d%3F/collections/by-id/${UUID}`]);
  t.match(headers[0], { authorization: 'Bearer key', 'x-chroma-token': 'key' });
  const basic = useNames(t, port, { user: 'u', secret: 'p' });
  await basic.resolve(byId('t', 'd', UUID));
  t.match(headers[1], { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` });
});

t.test('what is nowhere may be somewhere a moment later', async (t) => {
  let isThere = false;
  const { port } = await fake(t, () =>
    isThere
      ? [200, JSON.stringify({ id: UUID, tenant: 't', database: 'd', name: 'customers' })]
      : [404, '{"error":"NotFoundError","message":"Collection does not exist"}'],
  );
  const names = useNames(t, port);
  t.same(await names.resolve(byId('t', 'd', UUID)), [
    { kind: 'collection', path: ['t', 'd', UUID] },
  ]);
  isThere = true;
  t.same(await names.resolve(byId('t', 'd', UUID)), [
    { kind: 'collection', path: ['t', 'd', 'customers'] },
  ]);
});

t.test('answers that are none are refused', async (t) => {
  const other = { id: 'another', tenant: 't', database: 'd', name: 'c' };
  const answers: (readonly [number, string])[] = [
    [500, '{}'],
    [302, ''],
    // A proxy in front of a server that starts.
    [404, ''],
    [404, '404 page not found'],
    [404, '{"detail":"Not Found"}'],
    [200, 'text'],
    [200, '[]'],
    [200, JSON.stringify(other)],
    [200, JSON.stringify({ id: UUID, tenant: 't', database: 'd' })],
    [200, ' '.repeat(5 * 1024 * 1024)],
  ];
  for (const answer of answers) {
    const { port } = await fake(t, () => answer);
    const names = useNames(t, port);
    await t.rejects(
      Promise.resolve(names.resolve(byId('t', 'd', UUID))),
      { code: 'STORE_NAMES' },
      answer[1].slice(0, 30),
    );
  }
});
