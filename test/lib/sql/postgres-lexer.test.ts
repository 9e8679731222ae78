/** Settings that change what names mean, and the one form of set_config() that pg_dump needs. */

import t from 'tap';
import { analyzeStatements } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';

await loadParser();

function hazards(sql: string): readonly string[] {
  const result = analyzeStatements(sql);
  if (result.kind !== 'analysis') throw new Error(`${sql}: ${JSON.stringify(result)}`);
  return result.lexerHazards;
}

t.test('a search_path with pg_catalog behind another schema is a hazard (PG-72)', async (t) => {
  for (const sql of [
    'SET search_path = shadow, pg_catalog',
    'SET LOCAL search_path TO "$user", public, "pg_catalog"',
    'SET SEARCH_PATH TO shadow, PG_CATALOG, public',
    'SET search_path = shadow, pg_catalog, pg_temp',
    'SET search_path = pg_temp, shadow, pg_catalog',
    'SET search_path = "PG_CATALOG", shadow, pg_catalog',
    "SET search_path = ' pg_catalog', shadow, pg_catalog",
    "SELECT set_config('search_path', 'shadow, pg_catalog', false)",
    `SELECT set_config('Search_Path', 'shadow,"pg_catalog"', true)`,
    `SELECT set_config('search_path', '"PG_CATALOG", shadow, pg_catalog', true)`,
    // Another schema for the server: U+00A0 is no white space there.
    "SELECT set_config('search_path', '\u00a0pg_catalog, shadow, pg_catalog', true)",
    "SELECT set_config('search_path', $1, false)",
    "SELECT set_config('search_path', 'a' || 'b', false)",
    'ALTER ROLE r SET search_path = shadow, pg_catalog',
    'ALTER DATABASE d SET search_path = shadow, pg_catalog',
    'ALTER SYSTEM SET search_path = shadow, pg_catalog',
    'ALTER FUNCTION f() SET search_path = shadow, pg_catalog',
    'DO $$ BEGIN SET search_path = shadow, pg_catalog; END $$',
    "UPDATE pg_settings SET setting = 'shadow, pg_catalog' WHERE name = 'search_path'",
  ])
    t.equal(hazards(sql).length, 1, sql);
  for (const sql of [
    "SET search_path = ''",
    'SET search_path = public',
    'SET search_path = "$user", public',
    'SET search_path = pg_catalog, public',
    'SET search_path = pg_catalog',
    'SET search_path = pg_temp, pg_catalog, public',
    'SET search_path = public, pg_temp',
    'SET search_path TO DEFAULT',
    'RESET search_path',
    "SET SCHEMA 'public'",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SELECT set_config('search_path', ' PG_CATALOG , public', false)",
    "SELECT set_config('search_path', 'my_pg_catalog, public', false)",
    'ALTER ROLE r SET search_path = app, public',
  ])
    t.same(hazards(sql), [], sql);
});

t.test('the SET clause of a new routine is looked at when its names are', async (t) => {
  const late = (sql: string): unknown => {
    const result = analyzeStatements(sql);
    return result.kind === 'analysis' && [result.searchesCatalogLate, result.lexerHazards.length];
  };
  const head = 'CREATE FUNCTION f() RETURNS int LANGUAGE sql';
  t.same(late(`${head} SET search_path = public, pg_catalog AS 'SELECT 1'`), [true, 0]);
  t.same(late(`${head} SET search_path = public, pg_temp AS 'SELECT 1'`), [false, 0]);
  t.same(late(`${head} AS 'SET search_path = public, pg_catalog'`), [false, 1], 'in its body');
  t.same(late(`${head} SET client_encoding = 'gbk' AS 'SELECT 1'`), [false, 1]);
});

t.test('set_config() may take its name from pg_settings as pg_dump does', async (t) => {
  const dump = (from: string, name = 'name') =>
    `SELECT set_config(${name}, 'view', false) FROM ${from}`;
  for (const sql of [
    dump("pg_settings WHERE name = 'restrict_nonsystem_relation_kind'"),
    dump("pg_catalog.pg_settings WHERE name = 'default_table_access_method'"),
  ])
    t.same(hazards(sql), [], sql);
  for (const sql of [
    dump('pg_settings'),
    dump("pg_settings WHERE name = 'client_encoding'"),
    dump("pg_settings WHERE name = 'client-encoding'"),
    dump("pg_settings WHERE name <> 'x'"),
    dump("pg_settings WHERE name OPERATOR(evil.=) 'x'"),
    dump("pg_settings WHERE name = 'x' OR true"),
    dump('pg_settings WHERE name = $1'),
    dump("pg_settings WHERE setting = 'x'"),
    dump("pg_settings WHERE name = 'x'", 'setting'),
    dump("pg_settings s WHERE name = 'x'"),
    dump("pg_settings, t WHERE name = 'x'"),
    dump("mine.pg_settings WHERE name = 'x'"),
    dump("(SELECT 'client_encoding' AS name) pg_settings WHERE name = 'x'"),
    `SELECT (SELECT set_config(name, 'x', false) FROM t) FROM pg_settings WHERE name = 'x'`,
  ])
    t.equal(hazards(sql).length, 1, sql);
});
