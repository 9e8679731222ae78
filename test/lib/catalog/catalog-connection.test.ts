import { createServer, type Socket } from 'node:net';
import t from 'tap';
import {
  CONNECTION_AGE_MAX,
  createCatalogConnection,
  sqlStateOf,
} from '../../../lib/catalog/catalog-connection.ts';
import { asRow } from '../../../lib/catalog/catalog-rows.ts';
import { settingsFor } from '../../support/catalog-server.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

t.test('a server that accepts and says nothing costs one time-out', async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const connect = () => ({ host: '127.0.0.1', port, user: 'u', database: 'd' });
  const connection = createCatalogConnection({ connect, timeoutMs: 100, idleMs: 1000 });
  const started = performance.now();
  await t.rejects(connection.query('SELECT 1'), {
    name: 'GatewayError',
    code: 'CATALOG_UNREACHABLE',
  });
  t.ok(performance.now() - started < 20_000);
  t.equal(connection.isOpen, false);
});

t.test('a connection and its limits', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27413 });
  const connection = createCatalogConnection({
    connect: () => settingsFor(server),
    timeoutMs: 3000,
    idleMs: 60_000,
  });
  t.teardown(() => connection.close());

  t.test('settings of the session', async (t) => {
    const [row] = await connection.query(
      `SELECT current_setting('search_path') AS path, current_setting('default_transaction_read_only') AS readonly,
       current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout`,
    );
    t.same(asRow(row), { path: '', readonly: 'on', name: 'weir catalog', timeout: '3s' });
  });

  t.test('it cannot write', async (t) => {
    const written = await connection
      .query('CREATE TABLE public.x (a int)')
      .catch((error: unknown) => error);
    t.equal(sqlStateOf(written), '25006');
    t.ok(connection.isOpen, 'an error of the server leaves it open');
  });

  t.test('a slow query ends, and the connection stays', async (t) => {
    const slow = await connection.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    t.equal(sqlStateOf(slow), '57014');
    t.same(await connection.query('SELECT 1 AS one'), [{ one: 1 }]);
  });

  t.test(
    'one that is open for long is opened anew between two reads, not within one',
    async (t) => {
      let now = 0;
      const aging = createCatalogConnection({
        connect: () => settingsFor(server),
        timeoutMs: 20_000,
        idleMs: 60_000,
        now: () => now,
      });
      t.teardown(() => aging.close());
      const process = async () => (await aging.query('SELECT pg_backend_pid() AS pid'))[0];
      const first = await process();
      now = CONNECTION_AGE_MAX - 1;
      await aging.renew();
      t.same(await process(), first);
      now = CONNECTION_AGE_MAX;
      t.same(await process(), first);
      await aging.renew();
      t.notSame(await process(), first);
    },
  );

  t.test('a session that the server ended is opened again', async (t) => {
    const ended = connection.query('SELECT pg_terminate_backend(pg_backend_pid())');
    await t.rejects(ended, { code: 'CATALOG_QUERY' });
    t.same(await connection.query('SELECT 1 AS one'), [{ one: 1 }]);
  });
});
