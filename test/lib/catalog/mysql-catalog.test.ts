import t from 'tap';
import type { CatalogRelation, CatalogSnapshot } from '../../../lib/catalog/catalog.ts';
import {
  createMysqlCatalog,
  type MysqlCatalogOptions,
} from '../../../lib/catalog/mysql-catalog.ts';
import { CHANGE_COUNTERS } from '../../../lib/catalog/mysql-queries.ts';
import { mariadbMissing, type MariadbServer, startMariadb } from '../../support/mariadb-server.ts';
import type { Teardown } from '../../support/servers.ts';

const quiet = { info: () => undefined, warn: () => undefined };

function settings({ host, port, rootUser, rootPassword }: MariadbServer) {
  return { host, port, user: rootUser, password: rootPassword, tls: undefined };
}

function catalogOf(t: Teardown, server: MariadbServer, options: Partial<MysqlCatalogOptions> = {}) {
  const catalog = createMysqlCatalog({
    connect: () => settings(server),
    log: quiet,
    maxAgeMs: 0,
    ...options,
  });
  t.teardown(() => catalog.close());
  return catalog;
}

function relation(snapshot: CatalogSnapshot, name: string): CatalogRelation | undefined {
  return snapshot.relationsNamed(name).find(({ schema }) => schema === 'shop');
}

/** Whatever was done, what shows it. */
const CHANGES: readonly (readonly [ddl: string, look: (s: CatalogSnapshot) => unknown])[] = [
  ['CREATE TABLE made (a int)', (s) => relation(s, 'made')],
  ['ALTER TABLE made ADD COLUMN b int', (s) => relation(s, 'made')?.columns],
  ['ALTER TABLE made RENAME COLUMN b TO c', (s) => relation(s, 'made')?.columns],
  ['ALTER TABLE made ADD COLUMN g int AS (a + 1)', (s) => relation(s, 'made')?.columns],
  ['RENAME TABLE made TO other', (s) => relation(s, 'other')],
  ['CREATE VIEW w AS SELECT a FROM other', (s) => relation(s, 'w')?.reads],
  ['ALTER VIEW w AS SELECT a, 1 AS b FROM other', (s) => relation(s, 'w')?.definition],
  ['CREATE FUNCTION f2() RETURNS int RETURN 2', (s) => s.routinesNamed('f2')],
  [
    'CREATE OR REPLACE FUNCTION f2() RETURNS int RETURN 3',
    (s) => s.routinesNamed('f2')[0]?.definition,
  ],
  [
    'CREATE TRIGGER t2 AFTER DELETE ON other FOR EACH ROW SET @a = 1',
    (s) => relation(s, 'other')?.triggers,
  ],
  ['DROP TRIGGER t2', (s) => relation(s, 'other')?.triggers],
  ['CREATE DATABASE more', (s) => s.hasSchema('more')],
  ['DROP TABLE other', (s) => relation(s, 'other')],
];

const SCHEMA = `
  CREATE TABLE Customers (Id int PRIMARY KEY, Email varchar(100), up varchar(200) AS (upper(Email)),
    d varchar(100) DEFAULT (concat(Email)), secret int INVISIBLE);
  CREATE TABLE log (who int, FOREIGN KEY (who) REFERENCES Customers(Id) ON DELETE CASCADE);
  CREATE FUNCTION f(a int) RETURNS int RETURN a;
  CREATE VIEW v AS SELECT c.Email AS mail, f(c.Id) AS n FROM Customers c;
  CREATE TRIGGER tr AFTER INSERT ON log FOR EACH ROW DELETE FROM Customers WHERE Id = NEW.who;
  CREATE SEQUENCE sq;
  DELIMITER $$
  CREATE PROCEDURE p(IN a int) BEGIN DELETE FROM log; END $$
  SET sql_mode = oracle $$
  CREATE PACKAGE pk AS PROCEDURE pp; END $$
  DELIMITER ;`;

t.test('a MariaDB catalog', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql('CREATE DATABASE shop');
  await server.sql(SCHEMA, 'shop');

  t.test('holds all databases, and what runs without being named', async (t) => {
    const snapshot = await catalogOf(t, server).snapshot();
    t.match(snapshot.server, { flavor: 'mariadb', version: /^1[0-2]\d{4}$/ });
    const customers = relation(snapshot, 'customers');
    t.match(customers?.columns, [
      { name: 'id' },
      { name: 'email' },
      { name: 'up', computedFrom: [2] },
      { name: 'd', computedFrom: [2] },
      { name: 'secret', isInvisible: true },
    ]);
    const log = relation(snapshot, 'log');
    t.same(customers?.cascades, [log?.oid]);
    t.match(log?.triggers, [
      { definition: /^CREATE TRIGGER .* AFTER INSERT ON .*\nDELETE FROM Customers/ },
    ]);
    const view = relation(snapshot, 'v');
    t.same(view?.reads, [customers?.oid]);
    t.match(view?.calls, [{ name: 'f', definition: /^CREATE FUNCTION `shop`\.`f`\(`a` int/ }]);
    t.match(snapshot.routinesNamed('p'), [
      { definition: /\(IN `a` int.*\)\nBEGIN DELETE FROM log; END/ },
    ]);
    t.match(snapshot.routinesNamed('pk'), [{ definition: undefined }]);
    t.equal(relation(snapshot, 'sq')?.kind, 'S');
    for (const [schema, name] of [
      ['mysql', 'user'],
      ['information_schema', 'tables'],
      ['performance_schema', 'threads'],
      ['sys', 'version'],
    ]) {
      const found = snapshot.relationsNamed(name ?? '').some((one) => one.schema === schema);
      t.ok(found, `${schema}.${name}`);
    }
  });

  t.test('a table whose columns are not shown is not known', async (t) => {
    await server.sql(
      "CREATE TABLE half (a int); CREATE USER cleaner@'127.0.0.1'; GRANT DELETE ON shop.half TO cleaner@'127.0.0.1'",
      'shop',
    );
    const { host, port } = server;
    const connect = () => ({ host, port, user: 'cleaner', password: undefined, tls: undefined });
    const snapshot = await catalogOf(t, server, { connect }).snapshot();
    t.match(relation(snapshot, 'half'), { isHalf: true, columns: [] });
    const whole = await catalogOf(t, server).snapshot();
    t.notOk(
      whole.relations().some(({ isHalf }) => isHalf),
      'of all tables of the server',
    );
    await server.sql("DROP TABLE half; DROP USER cleaner@'127.0.0.1'", 'shop');
  });

  t.test(
    'every change is seen at once by whoever was told of it, and rows change nothing',
    async (t) => {
      const catalog = catalogOf(t, server, { maxAgeMs: 60_000 });
      let before = await catalog.snapshot();
      for (const [ddl, look] of CHANGES) {
        await server.sql(ddl, 'shop');
        catalog.invalidate();
        const after = await catalog.snapshot();
        t.equal(after.version, before.version + 1, `${ddl}: a new version`);
        t.notSame(look(after), look(before), `${ddl}: a new content`);
        before = after;
      }
      await server.sql('INSERT INTO Customers (Id) VALUES (1); ANALYZE TABLE Customers', 'shop');
      catalog.invalidate();
      t.equal(await catalog.snapshot(), before);
      t.equal(catalog.snapshot(), before, 'a fresh one comes at once');
    },
  );

  t.test(
    'changes of others are seen by the counters of the server, without reading all',
    async (t) => {
      let reads = 0;
      const catalog = catalogOf(t, server, { log: { ...quiet, info: () => (reads += 1) } });
      const first = await catalog.snapshot();
      await catalog.snapshot();
      await catalog.snapshot();
      t.equal(reads, 1, 'the same content is the same snapshot');
      await server.sql('CREATE TABLE by_others (a int)', 'shop');
      const after = await catalog.snapshot();
      t.equal(after.version, first.version + 1);
      t.ok(relation(after, 'by_others'));
      await server.sql('DROP TABLE by_others', 'shop');
    },
  );

  t.test(
    'a server whose own sql_mode is ORACLE: a session could go to it (MY-42, MY-61)',
    async (t) => {
      await server.sql("SET GLOBAL sql_mode = 'ORACLE'");
      try {
        await t.rejects(Promise.resolve(catalogOf(t, server).snapshot()), /has ORACLE/);
      } finally {
        await server.sql('SET GLOBAL sql_mode = DEFAULT');
      }
      t.ok(await catalogOf(t, server).snapshot());
    },
  );

  t.test('counters are believed only where the server counts the question itself', async (t) => {
    const rows = await server.sql(CHANGE_COUNTERS);
    const again = await server.sql(CHANGE_COUNTERS);
    const questions = (text: string): number => Number(/Com_show_status\s+(\d+)/.exec(text)?.[1]);
    t.ok(questions(again) > questions(rows));
    for (const name of ['Com_create_view', 'Com_alter_table', 'Com_drop_db', 'Com_grant', 'Uptime'])
      t.match(rows, new RegExp(`\\b${name}\\b`));
    t.notMatch(rows, /temporary/);
  });

  t.test('what a user may not read is there and unreadable', async (t) => {
    await server.sql(`CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app';
      GRANT SELECT, INSERT, EXECUTE ON shop.* TO app@'127.0.0.1'`);
    const warnings: string[] = [];
    const warn = (_fields: object, message: string): void => void warnings.push(message);
    const connect = () => ({ ...settings(server), user: 'app', password: 'app' });
    const snapshot = await catalogOf(t, server, { connect, log: { ...quiet, warn } }).snapshot();
    t.match(relation(snapshot, 'v'), { definition: undefined, calls: [{ definition: undefined }] });
    t.match(snapshot.routinesNamed('f'), [{ definition: undefined }]);
    t.match(warnings, [/may not be read by the user/, /loaded libraries may not be listed/]);
  });

  t.test('the side connection only reads, closes when idle, and is opened again', async (t) => {
    const sessions = async (): Promise<string> =>
      (
        await server.sql("SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'side'")
      ).trim();
    await server.sql("CREATE USER side@'127.0.0.1' IDENTIFIED BY 'side'");
    const connect = () => ({ ...settings(server), user: 'side', password: 'side' });
    const catalog = catalogOf(t, server, { connect, idleMs: 300_000 });
    await catalog.snapshot();
    t.equal(await sessions(), '1');
    await server.sql('KILL USER side');
    await t.resolves(Promise.resolve(catalog.snapshot()), 'a killed connection is no end');
    await catalog.close();
    const impatient = catalogOf(t, server, { connect, idleMs: 1 });
    await impatient.snapshot();
    let left = await sessions();
    for (let tries = 0; left !== '0' && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      left = await sessions();
    }
    t.equal(left, '0');
  });

  t.test('a catalog that is too large is refused, not read in part', async (t) => {
    const limits = { relationsMax: 3, columnsMax: 1_000_000, linksMax: 500_000 };
    const catalog = catalogOf(t, server, { limits });
    await t.rejects(Promise.resolve(catalog.snapshot()), { code: 'CATALOG_TOO_LARGE' });
  });

  t.test('a wrong password, and an old answer, are errors', async (t) => {
    const wrong = catalogOf(t, server, {
      connect: () => ({ ...settings(server), password: 'no' }),
    });
    await t.rejects(Promise.resolve(wrong.snapshot()), { code: 'CATALOG_UNREACHABLE' });
    const catalog = catalogOf(t, server);
    await catalog.snapshot();
    await server.stop();
    await t.rejects(Promise.resolve(catalog.snapshot()), { name: 'GatewayError' });
    await catalog.close();
    await t.rejects(Promise.resolve(catalog.snapshot()), { code: 'CATALOG_CLOSED' });
  });
});
