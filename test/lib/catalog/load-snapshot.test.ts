/** What a snapshot holds, on real servers. */

import t from 'tap';
import { createCatalogConnection } from '../../../lib/catalog/catalog-connection.ts';
import { loadCatalog } from '../../../lib/catalog/load-snapshot.ts';
import { CATALOG_LIMITS } from '../../../lib/catalog/read-names.ts';
import { connectTo, relationNamed, SERVERS, settingsFor } from '../../support/catalog-server.ts';

const SCHEMA = `
  CREATE SCHEMA "Odd.Schema";
  CREATE TABLE users (id int PRIMARY KEY, gone text, email text, "Mixed Case" text,
    email_lower text GENERATED ALWAYS AS (lower(email)) STORED);
  ALTER TABLE users DROP COLUMN gone;
  CREATE TABLE "Odd.Schema"."Odd.Table" (a int);
  CREATE VIEW direct AS SELECT id, email FROM users;
  CREATE VIEW nested AS WITH c AS (SELECT email FROM direct) SELECT (SELECT max(email) FROM c) AS top;
  CREATE VIEW over_system AS SELECT most_common_vals::text AS vals FROM pg_stats;
  CREATE MATERIALIZED VIEW stored AS SELECT email FROM users;
  CREATE TABLE parent (id int, ssn text) PARTITION BY RANGE (id);
  CREATE TABLE part (extra int, ssn text, id int);
  ALTER TABLE part DROP COLUMN extra;
  ALTER TABLE parent ATTACH PARTITION part FOR VALUES FROM (0) TO (10);
  CREATE TABLE base (a int);
  CREATE TABLE derived (b int) INHERITS (base);
  CREATE SEQUENCE counter;
  CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM public.users';
  CREATE FUNCTION purge(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM users; END';
  CREATE FUNCTION atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM users; END;
  CREATE PROCEDURE clean() LANGUAGE sql AS 'TRUNCATE public.users';
  CREATE FUNCTION add_up(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';
  CREATE AGGREGATE total (int) (sfunc = add_up, stype = int, initcond = '0');
  CREATE FUNCTION same(users, users) RETURNS bool LANGUAGE sql AS 'SELECT true';
  CREATE OPERATOR === (leftarg = users, rightarg = users, function = same);
  CREATE VIEW calling AS SELECT total(id) AS t, bool_or(u === u) AS s FROM users u;
`;

SERVERS.forEach(({ name, skip, start }, index) => {
  t.test(`${name}: a snapshot holds what decisions need`, { skip }, async (t) => {
    const server = await start(t, { port: 27402 + index });
    const admin = await connectTo(t, server);
    await admin.query(SCHEMA);
    const connection = createCatalogConnection({
      connect: () => settingsFor(server),
      timeoutMs: 10_000,
      idleMs: 10_000,
    });
    t.teardown(() => connection.close());
    const { snapshot, isPartial } = await loadCatalog(connection, 7, CATALOG_LIMITS);
    const find = (relation: string, schema = 'public') => relationNamed(snapshot, schema, relation);
    const oid = (relation: string, schema = 'public') => find(relation, schema).oid;
    t.equal(snapshot.version, 7);
    t.equal(isPartial, false);

    t.test('live columns with their attribute numbers', async (t) => {
      t.same(
        find('users').columns.map((column) => [column.attribute, column.name]),
        [
          [1, 'id'],
          [3, 'email'],
          [4, 'Mixed Case'],
          [5, 'email_lower'],
        ],
      );
      t.same(find('users').columns[3]?.computedFrom, [3], 'a generated column knows its sources');
      t.equal(find('users').columns[1]?.computedFrom, undefined);
      t.equal(find('Odd.Table', 'Odd.Schema').kind, 'r');
      t.equal(snapshot.relation(oid('users'))?.name, 'users');
      t.equal(snapshot.relation(1), undefined);
    });

    t.test('system relations, sequences and TOAST tables are known too', async (t) => {
      t.equal(find('pg_stats', 'pg_catalog').kind, 'v');
      t.equal(find('counter').kind, 'S');
      const toast = snapshot
        .relations()
        .find((relation) => relation.kind === 't' && relation.reads.includes(oid('users')));
      t.equal(toast?.schema, 'pg_toast');
    });

    t.test('partitions and children know their parents', async (t) => {
      t.same(find('part').parents, [oid('parent')]);
      t.same(find('derived').parents, [oid('base')]);
      t.same(snapshot.childrenOf(oid('parent')), [oid('part')]);
      t.same(snapshot.childrenOf(oid('users')), []);
      t.same(
        find('part').columns.map((column) => column.attribute),
        [2, 3],
      );
    });

    t.test(
      'views have definitions and what they read, system relations included (PG-82)',
      async (t) => {
        t.match(find('direct').definition, /FROM public\.users/, 'names are qualified');
        t.same(find('direct').reads, [oid('users')]);
        t.same(find('nested').reads, [oid('direct')]);
        t.same(find('stored').reads, [oid('users')]);
        t.same(find('over_system').reads, [oid('pg_stats', 'pg_catalog')]);
        t.equal(find('pg_stats', 'pg_catalog').definition, undefined, 'system views are not read');
        t.same(find('users').reads, []);
      },
    );

    t.test('routines with a body, aggregates under their own name, operators', async (t) => {
      const purge = snapshot.routinesNamed('purge');
      t.same(purge.map((routine) => routine.language).toSorted(), ['plpgsql', 'sql']);
      t.match(purge[0]?.definition, /DELETE FROM/);
      t.match(snapshot.routinesNamed('atomic')[0]?.definition, /BEGIN ATOMIC/);
      t.match(snapshot.routinesNamed('clean')[0]?.definition, /TRUNCATE/);
      t.same(
        snapshot.routinesNamed('total').map((routine) => routine.schema),
        ['public'],
      );
      t.match(snapshot.routinesNamed('total')[0]?.definition, /add_up/);
      t.match(snapshot.operatorRoutines('===')[0]?.definition, /SELECT true/);
      t.same(snapshot.operatorRoutines('='), []);
      t.same(snapshot.routinesNamed('pg_sleep'), [], 'compiled routines are not here');
    });

    t.test(
      'a view knows the routines that it calls, through aggregates and operators',
      async (t) => {
        t.same(
          find('calling')
            .calls?.map((routine) => routine.name)
            .toSorted(),
          ['add_up', 'same'],
        );
        t.same(find('direct').calls, []);
      },
    );

    t.test('a catalog above a limit is refused, not read in part', async (t) => {
      for (const limit of ['relationsMax', 'columnsMax', 'linksMax'] as const) {
        const load = loadCatalog(connection, 1, { ...CATALOG_LIMITS, [limit]: 1 });
        await t.rejects(load, { name: 'GatewayError', code: 'CATALOG_TOO_LARGE' }, limit);
      }
      t.equal(
        (await loadCatalog(connection, 8, CATALOG_LIMITS)).snapshot.version,
        8,
        'and can be read after',
      );
    });

    t.test(
      'a locked table costs its views their definitions, not everyone the catalog',
      async (t) => {
        const other = await connectTo(t, server);
        await other.query('BEGIN; LOCK TABLE base IN ACCESS EXCLUSIVE MODE');
        await admin.query('CREATE TABLE free (a int); CREATE VIEW unlocked AS SELECT a FROM free');
        await other.query('ALTER TABLE users ADD COLUMN more int');
        const locked = await loadCatalog(connection, 9, CATALOG_LIMITS);
        t.equal(locked.isPartial, true);
        t.equal(relationNamed(locked.snapshot, 'public', 'direct').definition, undefined);
        t.match(
          relationNamed(locked.snapshot, 'public', 'unlocked').definition,
          /FROM public\.free/,
        );
        await other.query('ROLLBACK');
        t.equal((await loadCatalog(connection, 10, CATALOG_LIMITS)).isPartial, false);
      },
    );
  });
});
