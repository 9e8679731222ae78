/** What a catalog is asked about besides functions and operators: types, and what gets a new name. */

import t from 'tap';
import type { StatementAnalysis } from '../../../lib/sql/analysis.ts';
import { analyzeRoutineDefinition, analyzeStatements } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';

await loadParser();

function analyze(sql: string): StatementAnalysis {
  const result = analyzeStatements(sql);
  if (result.kind !== 'analysis') throw new Error(`${sql}: ${JSON.stringify(result)}`);
  return result;
}

function shown(names: StatementAnalysis['types']): string[] {
  return names.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`));
}

t.test('types are listed wherever a value may be cast to them (PG-62)', async (t) => {
  const types = (sql: string) => shown(analyze(sql).types);
  t.same(types('SELECT 5::purging'), ['purging']);
  t.same(types("SELECT '5'::public.purging, CAST(x AS s.pair), d '7'"), [
    'public.purging',
    's.pair',
    'd',
  ]);
  t.same(types('SELECT 1::int, 2::pg_catalog.int8, true::boolean'), [], 'built in ones are not');
  t.same(types("SELECT '{1}'::purging[][]"), ['purging']);
  t.same(types('SELECT * FROM f() AS x (a purging)'), ['purging']);
  t.same(types('PREPARE p (purging) AS SELECT $1'), ['purging']);
  t.same(types('CREATE TABLE t (a purging)'), ['purging']);
  t.same(types('ALTER TABLE t ALTER COLUMN a TYPE purging'), ['purging']);
  t.same(types("SELECT * FROM xmltable('/a' PASSING x COLUMNS a purging)"), ['purging']);
  t.same(types('ALTER DOMAIN purging RENAME TO x'), ['purging']);
  t.same(types('ALTER TYPE s.pair SET SCHEMA x'), ['s.pair']);
});

t.test('variables of PL/pgSQL have types, of a column its table is listed', async (t) => {
  const declare = `DECLARE a purging := 5; b public.purging[]; c s.t.n%TYPE; d s.u%ROWTYPE; e "Odd"; f varchar(9);`;
  const types = ['purging', 'public.purging', 's.t', 's.u', 'Odd'];
  const found = shown(analyze(`DO $$ ${declare} BEGIN END $$`).types);
  for (const type of types) t.ok(found.includes(type), `${type} in ${found.join(' ')}`);
  const definition = `CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ ${declare} BEGIN RETURN 1; END $$`;
  const body = analyzeRoutineDefinition('plpgsql', definition);
  const inBody = body.kind === 'analysis' ? shown(body.types) : [];
  for (const type of types) t.ok(inBody.includes(type), `${type} in ${inBody.join(' ')}`);
});

t.test('what moves to another name or is copied is told, before a catalog can know', async (t) => {
  const taken = (sql: string) => shown(analyze(sql).takenOver);
  t.same(taken('ALTER TABLE s.t RENAME TO u'), ['s.t']);
  t.same(taken('ALTER VIEW v SET SCHEMA s'), ['v']);
  t.same(taken('CREATE TABLE z (LIKE t INCLUDING ALL)'), ['t']);
  t.same(taken('CREATE TABLE z () INHERITS (s.t, u)'), ['s.t', 'u']);
  t.same(taken('CREATE TABLE z PARTITION OF t DEFAULT'), ['t']);
  t.same(taken('ALTER TABLE z INHERIT t'), ['z']);
  t.same(taken('ALTER TABLE p ATTACH PARTITION z DEFAULT'), ['p', 'z']);
  t.same(taken('ALTER TABLE t RENAME COLUMN a TO b'), []);
  const functions = (sql: string) => shown(analyze(sql).functions);
  t.same(functions('ALTER FUNCTION s.purge() RENAME TO tidy'), ['s.purge']);
  t.same(functions('ALTER PROCEDURE purge() SET SCHEMA s'), ['purge']);
  t.same(functions('ALTER AGGREGATE total(int) RENAME TO x'), ['total']);
  t.same(shown(analyze('ALTER OPERATOR s.=== (int, int) SET SCHEMA x').operators), ['s.===']);
});
