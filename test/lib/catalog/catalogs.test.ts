import t from 'tap';
import { createCatalogs, createMysqlCatalogs } from '../../../lib/catalog/catalogs.ts';
import { connectTo, quietLog, settingsFor } from '../../support/catalog-server.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

t.test('each database has its own catalog', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27409 });
  const admin = await connectTo(t, server);
  await admin.query('CREATE DATABASE second');
  await (await connectTo(t, server, 'second')).query('CREATE TABLE only_there (a int)');
  const catalogs = createCatalogs({
    connect: (database) => settingsFor(server, database),
    log: quietLog,
  });
  t.teardown(() => catalogs.close());
  const first = await catalogs.forDatabase('postgres').snapshot();
  const second = await catalogs.forDatabase('second').snapshot();
  t.equal(first.relationsNamed('only_there').length, 0);
  t.equal(second.relationsNamed('only_there').length, 1);
  t.equal(catalogs.forDatabase('second'), catalogs.forDatabase('second'));
});

t.test('a MySQL server has one catalog, for a statement may name any database', async (t) => {
  const settings = { host: '127.0.0.1', port: 1, user: 'u', password: undefined, tls: undefined };
  const catalogs = createMysqlCatalogs({ connect: () => settings, log: quietLog });
  t.equal(catalogs.forDatabase('a'), catalogs.forDatabase('b'));
  await catalogs.close();
  await t.rejects(Promise.resolve(catalogs.forDatabase('a').snapshot()), {
    code: 'CATALOG_CLOSED',
  });
});

t.test('the number of databases is bounded', async (t) => {
  const catalogs = createCatalogs({ connect: () => ({}), databasesMax: 2, log: quietLog });
  catalogs.forDatabase('a');
  catalogs.forDatabase('b');
  t.throws(() => catalogs.forDatabase('c'), { name: 'GatewayError', code: 'CATALOG_COUNT' });
  t.ok(catalogs.forDatabase('a'), 'those there are keep working');
  await catalogs.close();
});
