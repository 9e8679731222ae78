import t from 'tap';
import { EFFECTS, type StatementAnalysis } from '../../../lib/sql/analysis.ts';
import { analyzeRoutineDefinition, analyzeStatements } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';
import { FORMS, INNOCENT } from './effect-cases.ts';
import { STATEMENTS } from '../../../lib/sql/postgres-statements.ts';

await loadParser();

function analyze(sql: string): StatementAnalysis {
  const result = analyzeStatements(sql);
  if (result.kind !== 'analysis') throw new Error(`${sql}: ${JSON.stringify(result)}`);
  return result;
}

/** `effect` or `effect:name` or `effect:schema.name`, sorted. */
function effectsOf(sql: string): string[] {
  return analyze(sql).effects.map(({ effect, object }) => {
    if (object === undefined) return effect;
    const { schema, name } = object;
    return `${effect}:${schema === undefined ? '' : `${schema}.`}${name}`;
  });
}

for (const [id, sql, wanted] of FORMS) {
  t.test(`${id} ${sql.slice(0, 90)}`, async (t) => {
    const found = effectsOf(sql);
    for (const effect of wanted.split(' ')) {
      const has = effect.includes(':')
        ? found.includes(effect)
        : found.some((entry) => entry.split(':')[0] === effect);
      t.ok(has, `${effect} is in ${found.join(' ')}`);
    }
    if (id === 'other') t.notOk(found.includes('unknown'), 'it is understood');
  });
}

for (const sql of INNOCENT) {
  t.test(`PG-73 ${sql.slice(0, 90)}`, async (t) => {
    const caught = effectsOf(sql).filter((entry) =>
      ['drop', 'truncate', 'delete', 'unknown'].includes(entry.split(':')[0] ?? ''),
    );
    t.same(caught, []);
  });
}

t.test('a CTE is not a relation, unless it only has the name of one', async (t) => {
  t.same(effectsOf('WITH x AS (SELECT * FROM t) SELECT * FROM x'), ['read:t']);
  t.same(effectsOf('WITH t AS (SELECT * FROM t) SELECT * FROM t'), ['read:t']);
  t.same(effectsOf('WITH x AS (SELECT 1) SELECT * FROM s.x'), ['read:s.x']);
  t.same(effectsOf('SELECT * FROM (WITH x AS (SELECT 1) TABLE x) y, x'), ['read:x']);
  t.same(effectsOf('WITH RECURSIVE x AS (SELECT 1 UNION SELECT * FROM x) TABLE x'), ['read']);
});

t.test('functions and operators are listed at any depth (PG-62)', async (t) => {
  const name = (sql: string) => analyze(sql).functions.map((found) => found.name);
  t.has(name('SELECT a FROM t WHERE EXISTS (SELECT 1 FROM s.f(1) ORDER BY g())'), ['f', 'g']);
  t.ok(name('SELECT count(*) FILTER (WHERE f(a)) OVER (PARTITION BY g(a)) FROM t').includes('g'));
  for (const sql of [
    'CREATE OPERATOR === (leftarg = int, procedure = s.evil)',
    'CREATE AGGREGATE a(int) (sfunc = evil, stype = int)',
    'CREATE CAST (a AS b) WITH FUNCTION evil(a)',
    'CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION evil()',
    'CREATE EVENT TRIGGER x ON sql_drop EXECUTE FUNCTION evil()',
    'CREATE TYPE a (input = evil, output = evil)',
    'CREATE OPERATOR CLASS o FOR TYPE t USING btree AS FUNCTION 1 evil(a, b)',
    'CREATE LANGUAGE l HANDLER evil',
    'CREATE FOREIGN DATA WRAPPER w HANDLER evil',
    'SELECT t.evil FROM t',
    'SELECT (t).evil FROM t',
    'CALL evil()',
  ])
    t.ok(name(sql).includes('evil'), sql);
  const operators = (sql: string) => analyze(sql).operators.map((found) => found.name);
  t.same(operators('SELECT a OPERATOR(s.===) b FROM t'), ['===']);
  t.same(operators('SELECT 1 FROM t WHERE a IN (SELECT 1)'), ['=']);
  t.same(operators('SELECT 1 FROM t JOIN u USING (a)'), ['=']);
  t.same(operators('SELECT 1 FROM t ORDER BY a USING <<'), ['<<']);
});

t.test('what changes the lexer state is a hazard (PG-66, GW-3)', async (t) => {
  const hazards = (sql: string) => analyze(sql).lexerHazards.length;
  for (const sql of [
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'gbk'",
    'SET LOCAL client_encoding TO big5',
    "SET NAMES 'GB18030'",
    "SET client_encoding TO 'uhc'",
    'SET client_encoding TO johab',
    "SET NAMES 'SHIFT_JIS_2004'",
    "SET client_encoding TO 'nonsense'",
    'SET standard_conforming_strings = off',
    'SET standard_conforming_strings TO false',
    'SET "Standard_Conforming_Strings" = 0',
    "SELECT set_config('client_encoding', 'sjis', false)",
    "SELECT set_config('client_encoding', $1, false)",
    "SELECT set_config(a, 'x', false) FROM t",
    "SELECT pg_catalog.set_config('standard_conforming_' || 'strings', 'off', true)",
    "ALTER ROLE r SET client_encoding = 'sjis'",
    'ALTER DATABASE d SET standard_conforming_strings = off',
    'ALTER SYSTEM SET standard_conforming_strings = off',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET client_encoding = 'sjis' AS 'SELECT 1'",
    "ALTER FUNCTION f() SET client_encoding TO 'gbk'",
    "DO $$ begin set client_encoding = 'sjis'; end $$",
    "DO $$ begin perform set_config('client_' || 'encoding', 'sjis', false); end $$",
  ])
    t.equal(hazards(sql), 1, sql);
  for (const sql of [
    "SET client_encoding = 'UTF8'",
    "SET NAMES 'utf-8'",
    "SET NAMES 'LATIN1'",
    'SET client_encoding TO sql_ascii',
    "SET NAMES 'EUC_JP'",
    'SET standard_conforming_strings = on',
    'SET standard_conforming_strings TO true',
    'RESET ALL',
    'DISCARD ALL',
    'SET client_encoding TO DEFAULT',
    "SET TIME ZONE 'UTC'",
    "SELECT set_config('application_name', $1, false)",
    "SET application_name = 'sjis'",
    'SET escape_string_warning = off',
    'SET backslash_quote = on',
    'SET TRANSACTION READ WRITE',
  ])
    t.equal(hazards(sql), 0, sql);
});

t.test('empty texts have no statements (PG-45)', async (t) => {
  for (const sql of ['', ';', ' ;; ', '-- ping', '/* x */'])
    t.same(analyze(sql).statements, [], JSON.stringify(sql));
});

t.test('a syntax error has its message and its place in characters', async (t) => {
  t.same(analyzeStatements("SELECT '\u00e9\u00e9', FROM t WHERE ("), {
    kind: 'syntax-error',
    message: 'syntax error at or near "FROM"',
    position: 14,
  });
  t.equal(analyzeStatements('SELECT (').kind, 'syntax-error');
  t.equal(analyzeStatements("COPY t TO STDOUT (FORMAT json').").kind, 'syntax-error');
});

t.test('the tables use words that exist', async (t) => {
  for (const [type, rule] of Object.entries(STATEMENTS))
    for (const effect of rule.effects) t.ok(EFFECTS.includes(effect), `${type}: ${effect}`);
});

t.test('an unknown parse node is unknown (GW-5)', async (t) => {
  const { EffectScan } = await import('../../../lib/sql/postgres-effects.ts');
  for (const type of ['FutureStmt', 'FutureExpr']) {
    const scan = new EffectScan();
    scan.visitStatements([{ type, tree: {}, text: '' }]);
    t.equal(scan.effects[0]?.effect, 'unknown');
  }
  const scan = new EffectScan();
  scan.visitStatements([{ type: 'SelectStmt', tree: { future: { a: 1, b: 2 } }, text: '' }]);
  t.ok(
    scan.effects.some(({ effect }) => effect === 'unknown'),
    'a field of unknown shape',
  );
});

t.test('a shape is stable only where no literal was looked at', async (t) => {
  for (const sql of [
    "SELECT a FROM t WHERE b = 'x' LIMIT 5",
    'INSERT INTO t VALUES (1)',
    'DELETE FROM t WHERE a = 1',
  ])
    t.equal(analyze(sql).isShapeStable, true, sql);
  for (const sql of [
    'SET a = 1',
    "SELECT set_config('a.b', 'c', false)",
    'SELECT a FROM t ORDER BY 1',
    'SELECT a FROM t GROUP BY 1',
    "SELECT 't'::regclass",
    "SELECT dblink('x')",
    'EXPLAIN (ANALYZE 0) SELECT 1',
    "DO 'begin end'",
    'SELECT 1 INTO t',
    'PREPARE p AS SELECT 1',
    "COPY t TO '/srv/x'",
    '',
    'SELECT DISTINCT ON (1) a FROM t',
  ])
    t.equal(analyze(sql).isShapeStable, false, sql);
});

t.test('a routine is read by what calling it does', async (t) => {
  const read = (language: string, definition: string) => {
    const result = analyzeRoutineDefinition(language, definition);
    return result.kind === 'analysis' ? result.effects.map(({ effect }) => effect) : result.kind;
  };
  const head = 'CREATE OR REPLACE FUNCTION public.f(a integer) RETURNS integer';
  t.same(read('sql', `${head} LANGUAGE sql AS $function$ delete from t; select 1 $function$`), [
    'delete',
    'read',
  ]);
  t.same(read('sql', `${head} LANGUAGE sql BEGIN ATOMIC DELETE FROM t; SELECT 1; END`), ['delete']);
  t.same(read('sql', `${head} LANGUAGE sql RETURN lo_unlink(1)`), ['delete']);
  t.same(
    read(
      'plpgsql',
      `${head} LANGUAGE plpgsql AS $function$ begin truncate t; return 1; end $function$`,
    ),
    ['truncate', 'read'],
  );
  t.same(
    read(
      'plpgsql',
      `${head} LANGUAGE plpgsql AS $function$ begin execute 'x'; return 1; end $function$`,
    ),
    ['unknown', 'read'],
  );
  t.same(read('plperl', `${head} LANGUAGE plperl AS $function$ x $function$`), ['code', 'unknown']);
  t.equal(read('sql', 'SELECT 1'), 'refused');
});
