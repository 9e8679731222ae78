/** When a catalog is read again, and what happens when it cannot be. */

import t from 'tap';
import type { CatalogSnapshot } from '../../../lib/catalog/catalog.ts';
import { createPostgresCatalog } from '../../../lib/catalog/postgres-catalog.ts';
import {
  catalogOf,
  connectTo,
  quietLog,
  relationNamed,
  SERVERS,
  settingsFor,
} from '../../support/catalog-server.ts';
import { embeddedPostgres, embeddedPostgresMissing, freePort } from '../../support/servers.ts';

/** Each changes a definition; `look` must be different after it. */
const CHANGES: readonly {
  readonly ddl: string;
  readonly look: (snapshot: CatalogSnapshot) => unknown;
}[] = [
  { ddl: 'CREATE TABLE made (a int)', look: (s) => s.relationsNamed('made').length },
  {
    ddl: 'ALTER TABLE t RENAME COLUMN a TO z',
    look: (s) => relationNamed(s, 'public', 't').columns,
  },
  { ddl: 'ALTER TABLE t ADD COLUMN c int', look: (s) => relationNamed(s, 'public', 't').columns },
  { ddl: 'ALTER TABLE t DROP COLUMN b', look: (s) => relationNamed(s, 'public', 't').columns },
  {
    ddl: 'CREATE OR REPLACE VIEW v AS SELECT 2 AS x',
    look: (s) => relationNamed(s, 'public', 'v').definition,
  },
  {
    ddl: 'CREATE OR REPLACE VIEW v AS SELECT 3 AS x',
    look: (s) => relationNamed(s, 'public', 'v').definition,
  },
  {
    ddl: "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    look: (s) => s.routinesNamed('f')[0]?.definition,
  },
  { ddl: 'ALTER TABLE child INHERIT t2', look: (s) => relationNamed(s, 'public', 'child').parents },
  {
    ddl: 'ALTER TABLE child NO INHERIT t2',
    look: (s) => relationNamed(s, 'public', 'child').parents,
  },
  { ddl: 'CREATE TEMP TABLE temporary (a int)', look: (s) => s.relationsNamed('temporary').length },
  { ddl: 'ALTER SCHEMA s1 RENAME TO s2', look: (s) => s.relationsNamed('in_schema')[0]?.schema },
  { ddl: 'ALTER TABLE t2 SET SCHEMA s2', look: (s) => s.relationsNamed('t2')[0]?.schema },
  {
    ddl: 'CREATE OPERATOR === (leftarg = int, rightarg = int, function = g)',
    look: (s) => s.operatorRoutines('===').length,
  },
  {
    ddl: "CREATE AGGREGATE agg (int) (sfunc = g2, stype = int, initcond = '0')",
    look: (s) => s.routinesNamed('agg').length,
  },
  {
    ddl: 'CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION on_row()',
    look: (s) => relationNamed(s, 'public', 't').triggers,
  },
  {
    ddl: 'CREATE POLICY p ON t USING (g(1, 2))',
    look: (s) => relationNamed(s, 'public', 't').calls,
  },
  {
    ddl: 'ALTER TABLE t ADD CONSTRAINT c CHECK (g(1, 2))',
    look: (s) => relationNamed(s, 'public', 't').callsOnWrite,
  },
  {
    ddl: 'CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING',
    look: (s) => relationNamed(s, 'public', 't').rules,
  },
  {
    ddl: 'CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION on_event()',
    look: (s) => s.routinesOnDefine(),
  },
  { ddl: 'DROP EVENT TRIGGER e', look: (s) => s.routinesOnDefine() },
  { ddl: 'CREATE DOMAIN d AS int', look: (s) => s.version },
  { ddl: 'ALTER DOMAIN d ADD CHECK (g(VALUE, 1))', look: (s) => s.typesNamed('d').length },
  {
    ddl: 'CREATE CAST (child AS int) WITH FUNCTION child_number(child)',
    look: (s) => s.typesNamed('child').length,
  },
  {
    ddl: 'ALTER DATABASE postgres SET search_path = public, pg_catalog',
    look: (s) => s.operatorsNamed('=').map((operator) => operator.isShadowed),
  },
  { ddl: 'DROP TABLE made', look: (s) => s.relationsNamed('made').length },
];

const SCHEMA = `
  CREATE SCHEMA s1; CREATE TABLE s1.in_schema (a int);
  CREATE TABLE t (a int, b int); CREATE TABLE t2 (a int); CREATE TABLE child (a int);
  CREATE VIEW v AS SELECT 1 AS x;
  CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION g(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
  CREATE FUNCTION on_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION on_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE FUNCTION child_number(child) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE OPERATOR s1.= (leftarg = int, rightarg = int, function = g);
  CREATE FUNCTION g2(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'`;

async function until(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (await isTrue()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

SERVERS.forEach(({ name, skip, start }, index) => {
  t.test(
    `${name}: every change of a definition is seen, and nothing else reads again`,
    { skip },
    async (t) => {
      const server = await start(t, { port: 27404 + index });
      const admin = await connectTo(t, server);
      await admin.query(SCHEMA);
      const catalog = catalogOf(t, server, { maxAgeMs: 0 });
      let before = await catalog.snapshot();
      for (const { ddl, look } of CHANGES) {
        await admin.query(ddl);
        const after = await catalog.snapshot();
        t.equal(after.version, before.version + 1, `${ddl}: a new version`);
        t.notSame(look(after), look(before), `${ddl}: a new content`);
        before = after;
      }
      await admin.query('INSERT INTO t SELECT 1, 2 FROM generate_series(1, 1000)');
      await admin.query('ANALYZE t');
      await admin.query('VACUUM t');
      t.equal(
        await catalog.snapshot(),
        before,
        'rows, ANALYZE and VACUUM leave the snapshot as it is',
      );
    },
  );
});

t.test('age and invalidation', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27406 });
  const admin = await connectTo(t, server);

  t.test('a fresh snapshot comes at once, concurrent callers share one read', async (t) => {
    let connections = 0;
    const catalog = catalogOf(t, server, {
      maxAgeMs: 60_000,
      connect: () => {
        connections += 1;
        return settingsFor(server);
      },
    });
    const waiting = [catalog.snapshot(), catalog.snapshot(), catalog.snapshot()];
    t.ok(waiting.every((snapshot) => snapshot instanceof Promise));
    t.equal(
      new Set(await Promise.all(waiting.map((snapshot) => Promise.resolve(snapshot)))).size,
      1,
    );
    t.equal(connections, 1);
    t.notOk(catalog.snapshot() instanceof Promise, 'no promise while it is fresh');
  });

  t.test('invalidate makes the next one read, also during a read', async (t) => {
    const catalog = catalogOf(t, server, { maxAgeMs: 60_000 });
    const first = await catalog.snapshot();
    await admin.query('CREATE TABLE later (a int)');
    t.equal(catalog.snapshot(), first, 'not known yet: it is young enough');
    catalog.invalidate();
    const reading = catalog.snapshot();
    await admin.query('CREATE TABLE latest (a int)');
    catalog.invalidate();
    const newest = await catalog.snapshot();
    t.equal(newest.relationsNamed('latest').length, 1, 'a read that began before does not count');
    t.equal((await reading).relationsNamed('later').length, 1);
    t.equal(catalog.snapshot(), newest);
  });

  t.test('an old snapshot is read again', async (t) => {
    const catalog = catalogOf(t, server, { maxAgeMs: 30 });
    await catalog.snapshot();
    await admin.query('CREATE TABLE by_age (a int)');
    await new Promise((resolve) => setTimeout(resolve, 40));
    t.equal((await catalog.snapshot()).relationsNamed('by_age').length, 1);
  });

  t.test('a snapshot in use is read ahead, so that nobody waits', async (t) => {
    const clock = { now: 0 };
    const catalog = catalogOf(t, server, { maxAgeMs: 1000, now: () => clock.now });
    const first = await catalog.snapshot();
    await admin.query('CREATE TABLE ahead (a int)');
    t.equal(catalog.snapshot(), first, 'young');
    clock.now = 600;
    t.equal(catalog.snapshot(), first, 'old enough to be read again, young enough to be used');
    t.ok(await until(() => catalog.snapshot() !== first), 'read without anybody waiting');
    clock.now = 1100;
    const next = catalog.snapshot();
    t.notOk(next instanceof Promise);
    t.equal((await next).relationsNamed('ahead').length, 1);
  });

  t.test(
    'the side connection is read-only, named, without a search_path, and closes when idle',
    async (t) => {
      const catalog = catalogOf(t, server, { idleMs: 3000 });
      const count = async (): Promise<unknown> => {
        const activity = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'weir catalog'`;
        return (await admin.query<{ n: number }>(activity)).rows[0]?.n;
      };
      t.ok(await until(async () => (await count()) === 0), 'those of the tests before close');
      await catalog.snapshot();
      t.equal(await count(), 1);
      t.ok(await until(async () => (await count()) === 0));
    },
  );

  t.test('a terminated side connection is opened again', async (t) => {
    const catalog = catalogOf(t, server, { maxAgeMs: 0 });
    const before = await catalog.snapshot();
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weir catalog'`,
    );
    t.equal(await catalog.snapshot(), before);
  });

  t.test('functions of users are never called by the queries (PG-9)', async (t) => {
    await admin.query(
      `CREATE FUNCTION public.count(text) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END'`,
    );
    await admin.query(
      `CREATE FUNCTION public.pg_get_viewdef(oid) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END'`,
    );
    await admin.query(`ALTER ROLE postgres SET search_path = public, pg_catalog`);
    await t.resolves(Promise.resolve(catalogOf(t, server).snapshot()));
  });
});

t.test('what cannot be read is an error', { skip: embeddedPostgresMissing() }, async (t) => {
  t.test('a server that is not there', async (t) => {
    const port = await freePort();
    const catalog = createPostgresCatalog({
      connect: () => ({ host: '127.0.0.1', port }),
      log: quietLog,
    });
    await t.rejects(Promise.resolve(catalog.snapshot()), {
      name: 'GatewayError',
      code: 'CATALOG_UNREACHABLE',
    });
    await catalog.close();
    await t.rejects(Promise.resolve(catalog.snapshot()), { code: 'CATALOG_CLOSED' });
  });

  t.test('an old snapshot is not a substitute', async (t) => {
    const server = await embeddedPostgres(t, { port: 27407 });
    const catalog = catalogOf(t, server, { maxAgeMs: 0 });
    await catalog.snapshot();
    await server.stop();
    await t.rejects(Promise.resolve(catalog.snapshot()), {
      name: 'GatewayError',
      code: 'CATALOG_UNREACHABLE',
    });
  });

  t.test('a password that is wrong', async (t) => {
    const server = await embeddedPostgres(t, { port: 27408 });
    const wrong = { ...settingsFor(server), password: 'wrong' };
    const catalog = catalogOf(t, server, { connect: () => wrong });
    await t.rejects(Promise.resolve(catalog.snapshot()), {
      code: 'CATALOG_UNREACHABLE',
      message: /authentication/,
    });
  });
});
