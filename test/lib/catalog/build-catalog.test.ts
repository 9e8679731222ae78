/** Code that runs without being named, as real servers' catalogs tell of it (PG-62). */

import t from 'tap';
import { createCatalogConnection } from '../../../lib/catalog/catalog-connection.ts';
import type { CatalogRoutine } from '../../../lib/catalog/catalog.ts';
import { loadCatalog } from '../../../lib/catalog/load-snapshot.ts';
import { CATALOG_LIMITS } from '../../../lib/catalog/read-names.ts';
import { connectTo, relationNamed, SERVERS, settingsFor } from '../../support/catalog-server.ts';

const FUNCTIONS = [
  'in_default() RETURNS int',
  'in_check(int) RETURNS bool',
  'in_generated(int) RETURNS int',
  'in_index(int) RETURNS int',
  'in_key(int) RETURNS int',
  'in_policy() RETURNS bool',
  'in_operator(int, int) RETURNS bool',
  'in_domain(int) RETURNS bool',
  'in_class(int, int) RETURNS int',
  'in_rule() RETURNS int',
].map((head) => {
  const value = head.endsWith('bool') ? 'true' : '1';
  // PL/pgSQL is not inlined where it is used.
  return `CREATE FUNCTION ${head} LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ${value}; END';`;
});

const SCHEMA = `${FUNCTIONS.join('\n')}
  CREATE FUNCTION in_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE OPERATOR ~~~ (leftarg = int, rightarg = int, function = in_operator);
  CREATE OPERATOR CLASS odd_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
    OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 in_class(int, int);
  CREATE TABLE plain (id int PRIMARY KEY, v text);
  CREATE TABLE busy (id int PRIMARY KEY DEFAULT in_default(), a int CHECK (in_check(a)),
    g int GENERATED ALWAYS AS (in_generated(a)) STORED, CHECK (a ~~~ 1),
    plain int REFERENCES plain ON DELETE CASCADE);
  CREATE INDEX ON busy ((in_index(a)));
  CREATE INDEX ON busy (a odd_ops);
  CREATE POLICY p ON busy USING (in_policy());
  CREATE TRIGGER t BEFORE INSERT ON busy FOR EACH ROW EXECUTE FUNCTION in_trigger();
  ALTER TABLE busy DISABLE TRIGGER t;
  CREATE RULE also AS ON UPDATE TO busy DO ALSO SELECT in_rule();
  CREATE TABLE parted (id int) PARTITION BY RANGE (in_key(id));
  CREATE DOMAIN checked AS int CHECK (in_domain(VALUE));
  CREATE DOMAIN twice AS checked;
  CREATE TYPE pair AS (a twice, b int);
  CREATE TABLE typed (p pair[]);
  CREATE TYPE span AS RANGE (SUBTYPE = twice);
  CREATE FUNCTION in_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE FUNCTION in_sleeping_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION in_event();
  CREATE EVENT TRIGGER s ON sql_drop EXECUTE FUNCTION in_sleeping_event();
  ALTER EVENT TRIGGER s DISABLE;
  CREATE VIEW casting AS SELECT id::twice AS c FROM plain;
  CREATE FUNCTION cast_pair(pair) RETURNS text LANGUAGE sql AS 'SELECT ''x''';
  CREATE CAST (pair AS text) WITH FUNCTION cast_pair(pair);
  CREATE FUNCTION takes(checked) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE SCHEMA shadow;
  CREATE FUNCTION shadow.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION shadow.upper(t text) RETURNS text LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION shadow.md5(text, int DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION shadow.abs(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
  CREATE OPERATOR shadow.= (leftarg = int, rightarg = int, function = in_operator);
  CREATE OPERATOR shadow.= (leftarg = bool, rightarg = int, function = in_mixed);`;

function namesOf(routines: readonly CatalogRoutine[] | undefined): string[] {
  return [...new Set((routines ?? []).map((routine) => routine.name))].toSorted();
}

SERVERS.forEach(({ name, skip, start }, index) => {
  t.test(`${name}: what runs without being named`, { skip }, async (t) => {
    const server = await start(t, { port: 27980 + index });
    const admin = await connectTo(t, server);
    await admin.query(
      `CREATE FUNCTION in_mixed(bool, int) RETURNS bool LANGUAGE sql AS 'SELECT true'; ${SCHEMA}`,
    );
    const connection = createCatalogConnection({
      connect: () => settingsFor(server),
      timeoutMs: 10_000,
      idleMs: 10_000,
    });
    t.teardown(() => connection.close());
    const load = async () => (await loadCatalog(connection, 1, CATALOG_LIMITS)).snapshot;
    const snapshot = await load();
    const find = (relation: string) => relationNamed(snapshot, 'public', relation);

    t.test('on a table, apart for reading, writing and triggers', async (t) => {
      t.same(namesOf(find('busy').calls), ['in_policy']);
      t.same(namesOf(find('busy').callsOnWrite), [
        'in_check',
        'in_class',
        'in_default',
        'in_generated',
        'in_index',
        'in_operator',
      ]);
      t.same(namesOf(find('busy').triggers), ['in_trigger'], 'a disabled one too');
      t.same(namesOf(find('parted').callsOnWrite), ['in_key']);
      t.same(find('plain').cascades, [find('busy').oid]);
      const { callsOnWrite, triggers, callsOfTypes, rules, cascades } = find('parted');
      t.same(
        [triggers, callsOfTypes, rules, cascades],
        [undefined, undefined, undefined, undefined],
      );
      t.ok(callsOnWrite);
    });

    t.test('rules have their text, those of the system as well', async (t) => {
      const [rule] = find('busy').rules ?? [];
      t.equal(rule?.name, 'also');
      t.match(
        rule?.definition,
        /CREATE RULE also AS\s+ON UPDATE TO public\.busy DO\s+SELECT public\.in_rule/,
      );
      const settings = relationNamed(snapshot, 'pg_catalog', 'pg_settings').rules ?? [];
      t.ok(settings.some(({ definition }) => definition?.includes('set_config(') === true));
    });

    t.test('by types: domains over domains, rows, arrays, casts, views', async (t) => {
      const types = (type: string) =>
        namesOf(snapshot.typesNamed(type).map(({ routine }) => routine));
      t.same(types('checked'), ['in_domain']);
      t.same(types('twice'), ['in_domain']);
      t.same(types('pair'), ['cast_pair', 'in_domain']);
      t.same(types('typed'), ['cast_pair', 'in_domain'], 'a row type is a type');
      t.same(types('text'), [], 'the other end of a cast is not');
      t.same(namesOf(find('typed').callsOfTypes), ['cast_pair', 'in_domain']);
      t.same(namesOf(find('casting').callsOfTypes), ['in_domain']);
      t.same(find('casting').calls, [], 'masks see what a view calls, and nothing more');
      t.equal(snapshot.routinesNamed('takes').length, 2, 'a call of takes() runs a check');
    });

    t.test('by types that a client declares by number, multiranges too', async (t) => {
      const { rows } = await admin.query<{ oid: number; name: string }>(
        "SELECT oid::int, typname AS name FROM pg_type WHERE oid >= 16384 OR typname = 'int4'",
      );
      const types = (type: string) => {
        const oid = rows.find((row) => row.name === type)?.oid ?? 0;
        const found = snapshot.routinesOfType(oid);
        return found === undefined ? 'unknown' : namesOf(found);
      };
      for (const type of ['checked', 'twice', '_twice', 'span', '_span', 'span_multirange'])
        t.same(types(type), ['in_domain'], type);
      for (const type of ['pair', '_pair', 'typed', '_typed'])
        t.same(types(type), ['cast_pair', 'in_domain'], type);
      t.same(types('plain'), []);
      t.same(types('int4'), []);
      t.equal(snapshot.routinesOfType(4_000_000_000), undefined);
      t.ok(rows.every(({ oid }) => snapshot.routinesOfType(oid) !== undefined));
    });

    t.test('event triggers, disabled ones too', async (t) => {
      t.same(namesOf(snapshot.routinesOnDefine()), ['in_event', 'in_sleeping_event']);
      t.match(snapshot.routinesOnDefine()[0]?.definition, /event_trigger/);
    });

    t.test('what pg_catalog hides is marked, where it surely does (PG-72)', async (t) => {
      const isShadowed = (routine: string) =>
        snapshot.routinesNamed(routine).map((found) => found.isShadowed === true);
      t.same(isShadowed('lower'), [true]);
      t.same(isShadowed('upper'), [false], 'upper(t => x) finds it');
      t.same(isShadowed('md5'), [false], 'it may be called with fewer arguments');
      t.same(isShadowed('abs'), [false], 'it takes another type');
      const equals = snapshot.operatorsNamed('=').map((found) => found.isShadowed === true);
      t.same(equals.toSorted(), [false, true]);
      t.same([snapshot.hasSchema('shadow'), snapshot.hasSchema('pg_temp')], [true, false]);

      await admin.query('ALTER DATABASE postgres SET search_path = pg_catalog, public');
      t.equal((await load()).routinesNamed('lower')[0]?.isShadowed, true);
      await admin.query('ALTER DATABASE postgres SET search_path = public, pg_catalog');
      t.equal((await load()).routinesNamed('lower')[0]?.isShadowed, undefined);
    });
  });
});
