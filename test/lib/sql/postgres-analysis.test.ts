import t from 'tap';
import { EFFECTS, type StatementAnalysis } from '../../../lib/sql/analysis.ts';
import { analyzeRoutineDefinition, analyzeStatements } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';
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

/** Each form must have at least these effects. */
const FORMS: readonly (readonly [string, string, string])[] = [
  // PG-55: the drop and delete classes, plainly.
  ['PG-55', 'DROP TABLE a, s.b', 'drop:a drop:s.b'],
  ['PG-55', 'DROP VIEW v', 'drop:v'],
  ['PG-55', 'DROP SCHEMA s CASCADE', 'drop:s'],
  ['PG-55', 'DROP INDEX CONCURRENTLY i', 'drop:i'],
  ['PG-55', 'DROP FUNCTION f(int)', 'drop:f'],
  ['PG-55', 'DROP OPERATOR +(int, int)', 'drop:+'],
  ['PG-55', 'DROP CAST (int AS text)', 'drop:pg_catalog.int4'],
  ['PG-55', 'DROP TRIGGER x ON s.t', 'drop:s.t'],
  ['PG-55', 'DROP DATABASE d', 'drop:d'],
  ['PG-55', 'DROP ROLE r, q', 'drop:r drop:q'],
  ['PG-55', 'DROP USER u', 'drop:u'],
  ['PG-55', 'DROP OWNED BY r', 'drop:r'],
  ['PG-55', 'DROP TABLESPACE s', 'drop:s'],
  ['PG-55', 'DROP USER MAPPING FOR r SERVER s', 'drop:s'],
  ['PG-55', 'DROP SUBSCRIPTION s', 'drop:s'],
  ['PG-55', 'DROP EXTENSION e', 'drop:e'],
  ['PG-55', 'DROP PUBLICATION p', 'drop:p'],
  ['PG-55', 'DROP POLICY p ON t', 'drop:t'],
  ['PG-55', 'ALTER TABLE t DROP COLUMN c', 'drop:t alter:t'],
  ['PG-55', 'ALTER TABLE t ADD COLUMN d int, DROP CONSTRAINT c', 'drop:t'],
  ['PG-55', 'ALTER TABLE t DETACH PARTITION p', 'drop:t'],
  ['PG-55', 'ALTER TABLE t DETACH PARTITION p FINALIZE', 'drop:t'],
  ['PG-55', 'ALTER TABLE t NO INHERIT p', 'drop:t'],
  ['PG-55', 'ALTER TYPE t DROP ATTRIBUTE a', 'drop:t'],
  ['PG-55', 'ALTER DOMAIN d DROP CONSTRAINT c', 'drop:d'],
  ['PG-55', 'ALTER EXTENSION e DROP TABLE t', 'drop:e'],
  ['PG-55', 'ALTER PUBLICATION p DROP TABLE t', 'drop:p'],
  ['PG-55', 'ALTER OPERATOR FAMILY f USING btree DROP OPERATOR 1 (int, int)', 'drop:f'],
  ['PG-55', 'ALTER TEXT SEARCH CONFIGURATION c DROP MAPPING FOR word', 'drop:c'],
  ['PG-55', 'DELETE FROM t', 'delete:t'],
  ['PG-55', 'TRUNCATE a, s.b', 'truncate:a truncate:s.b'],
  ['PG-55', 'SELECT 1; DROP TABLE t; SELECT 2', 'drop:t'],
  ['PG-56', 'WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x', 'delete:t'],
  ['PG-56', 'WITH x AS (SELECT 1) DELETE FROM t', 'delete:t'],
  [
    'PG-56',
    'WITH a AS (WITH b AS (DELETE FROM t RETURNING *) SELECT * FROM b) SELECT * FROM a',
    'delete:t',
  ],
  [
    'PG-56',
    'INSERT INTO k WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x',
    'delete:t insert:k',
  ],
  ['PG-57', 'EXPLAIN ANALYZE DELETE FROM t', 'delete:t'],
  ['PG-57', 'EXPLAIN (ANALYZE) DELETE FROM t', 'delete:t'],
  ['PG-57', 'EXPLAIN (VERBOSE, ANALYZE on) DELETE FROM t', 'delete:t'],
  ['PG-57', 'EXPLAIN (ANALYZE 1) DELETE FROM t', 'delete:t'],
  ['PG-57', "EXPLAIN (ANALYZE 'TRUE') DELETE FROM t", 'delete:t'],
  ['PG-57', 'EXPLAIN (ANALYZE off, ANALYZE on) DELETE FROM t', 'delete:t'],
  ['PG-58', 'COPY (DELETE FROM t RETURNING *) TO STDOUT', 'delete:t copy-out'],
  ['PG-58', 'COPY (WITH x AS (DELETE FROM t RETURNING *) TABLE x) TO STDOUT', 'delete:t'],
  ['PG-59', 'CREATE TABLE z AS WITH q AS (DELETE FROM t RETURNING 1) TABLE q', 'create:z delete:t'],
  ['PG-59', 'WITH q AS (DELETE FROM t RETURNING 1) SELECT * INTO z FROM q', 'create:z delete:t'],
  ['PG-59', 'CREATE MATERIALIZED VIEW v AS SELECT lo_unlink(1)', 'delete:lo_unlink create:v'],
  ['PG-59', 'REFRESH MATERIALIZED VIEW v', 'update:v'],
  [
    'PG-59',
    'CREATE SCHEMA sx CREATE TABLE a (b int DEFAULT lo_unlink(1))',
    'create:sx create:a delete:lo_unlink',
  ],
  ['PG-60', 'PREPARE d AS DELETE FROM t', 'delete:t'],
  [
    'PG-60',
    'PREPARE d (int) AS WITH x AS (DELETE FROM t WHERE a = $1 RETURNING 1) TABLE x; EXECUTE d(1)',
    'delete:t call:d',
  ],
  ['PG-60', 'CREATE TABLE z AS EXECUTE d', 'unknown'],
  ['PG-60', 'EXPLAIN ANALYZE EXECUTE d', 'call:d'],
  ['PG-60', 'DECLARE c CURSOR FOR SELECT lo_unlink(1)', 'delete:lo_unlink'],
  ['PG-61', "DO $$ begin execute concat('dr', 'op table t'); end $$", 'unknown code'],
  ['PG-61', "DO LANGUAGE plpgsql $$ begin execute chr(100) || 'rop table t'; end $$", 'unknown'],
  ['PG-61', "DO $$ begin for r in execute 'x' loop end loop; end $$", 'unknown'],
  ['PG-61', "DO $$ declare c refcursor; begin open c for execute 'x'; end $$", 'unknown'],
  ['PG-61', 'DO $$ begin if true then delete from t; end if; end $$', 'delete:t'],
  ['PG-61', 'DO $$ declare x int := (select lo_unlink(1)); begin end $$', 'delete:lo_unlink'],
  ['PG-61', 'DO $$ declare a int[]; begin a[lo_unlink(1)] := 2; end $$', 'delete:lo_unlink'],
  [
    'PG-61',
    'DO $$ begin while lo_unlink(1) > 0 loop end loop; exception when others then drop table t; end $$',
    'delete:lo_unlink drop:t',
  ],
  ['PG-61', "DO 'begin drop table t; end' LANGUAGE plpgsql", 'drop:t'],
  ['PG-61', "DO LANGUAGE plperl 'x'", 'unknown code'],
  ['PG-61', "DO 'x' LANGUAGE plpython3u", 'unknown'],
  ['PG-61', "DO 'not plpgsql at all'", 'unknown'],
  ['PG-61', 'SELECT 1; /* \u00e9 */ DO $$ begin delete from t; end $$; SELECT 2', 'delete:t'],
  ['PG-61', 'CALL p(1)', 'call:p'],
  [
    'PG-62',
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'",
    'delete:t create:f code:f',
  ],
  [
    'PG-62',
    'CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END',
    'delete:t',
  ],
  ['PG-62', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN lo_unlink(1)', 'delete:lo_unlink'],
  [
    'PG-62',
    'CREATE FUNCTION f(a int DEFAULT lo_unlink(1)) RETURNS int LANGUAGE sql RETURN 1',
    'delete:lo_unlink',
  ],
  [
    'PG-62',
    "CREATE OR REPLACE PROCEDURE f() LANGUAGE plpgsql AS 'begin truncate t; end'",
    'truncate:t',
  ],
  [
    'PG-62',
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin delete from t; new.a := 1; return new; end'",
    'delete:t',
  ],
  ['PG-62', "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib', 'sym'", 'code unknown'],
  ['PG-62', "CREATE FUNCTION f() RETURNS int LANGUAGE plperl AS 'x'", 'code unknown'],
  [
    'PG-62',
    "CREATE FUNCTION f() RETURNS int LANGUAGE 'PLpgSQL' AS 'begin return 1; end'",
    'unknown',
  ],
  ['PG-62', 'CREATE RULE r AS ON SELECT TO t DO INSTEAD DELETE FROM k', 'delete:k code:t'],
  [
    'PG-62',
    'CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION evil()',
    'code:t create:t',
  ],
  ['PG-62', 'CREATE EVENT TRIGGER x ON sql_drop EXECUTE FUNCTION evil()', 'code:x'],
  ['PG-62', 'CREATE OPERATOR === (leftarg = int, rightarg = int, procedure = evil)', 'code:==='],
  ['PG-62', 'CREATE AGGREGATE a(int) (sfunc = evil, stype = int)', 'code:a'],
  ['PG-62', 'CREATE CAST (a AS b) WITH FUNCTION evil(a)', 'code:b'],
  ['PG-62', 'CREATE TABLE a (b int GENERATED ALWAYS AS (lo_unlink(1)) STORED)', 'delete:lo_unlink'],
  ['PG-62', 'CREATE INDEX ON t (lo_unlink(a))', 'delete:lo_unlink create:t'],
  ['PG-62', 'CREATE POLICY p ON t USING (lo_unlink(1) > 0)', 'delete:lo_unlink'],
  ['PG-62', 'ALTER TABLE t ALTER a SET DEFAULT lo_unlink(1)', 'delete:lo_unlink'],
  ...[
    "dblink('x', 'drop table t')",
    "dblink_exec('drop table t')",
    "query_to_xml('select evil()', true, false, '')",
    "query_to_xml_and_xmlschema('x', true, false, '')",
    "cursor_to_xml('c', 1, true, false, '')",
    "table_to_xml('t', true, false, '')",
    "schema_to_xml('s', true, false, '')",
    "database_to_xml(true, false, '')",
    "ts_stat('select 1')",
    "ts_rewrite('a'::tsquery, 'select 1')",
    "crosstab('select 1')",
    "connectby('t', 'a', 'b', 'c', 0)",
    "xpath_table('a', 'b', 'c', 'd', 'e')",
    "cron.schedule('* * * * *', 'drop table t')",
    "schedule('* * * * *', 'drop table t')",
    "pgq.create_queue('x')",
    "pg_background_launch('drop table t')",
    "pg_catalog.query_to_xml('x', true, false, '')",
    "\"query_to_xml\"('x', true, false, '')",
    "U&\"query\\005fto_xml\"('x', true, false, '')",
  ].map((call) => ['PG-63', `SELECT ${call}`, 'unknown code'] as const),
  [
    'PG-63',
    "SELECT * FROM t WHERE a = (SELECT count(*) FROM dblink('x', 'y') AS z(a int))",
    'unknown',
  ],
  ...(
    [
      ["lo_import('/etc/passwd')", 'file'],
      ["lo_export(1, '/srv/x')", 'file'],
      ['lo_unlink(1)', 'delete'],
      ['pg_catalog.lo_unlink(1)', 'delete'],
      ['"pg_catalog"."lo_unlink"(1)', 'delete'],
      ["lo_put(1, 0, '')", 'update'],
      ["lo_from_bytea(0, '')", 'update'],
      ["pg_read_file('x')", 'file'],
      ["pg_read_binary_file('x')", 'file'],
      ["pg_ls_dir('.')", 'file'],
      ["pg_stat_file('x')", 'file'],
      ['pg_terminate_backend(1)', 'admin'],
      ['pg_cancel_backend(1)', 'admin'],
      ["set_config('a.b', 'c', false)", 'session'],
      ["setval('s', 1)", 'update'],
      ["pg_notify('a', 'b')", 'notify'],
      ['pg_advisory_lock(1)', 'lock'],
      ['pg_try_advisory_xact_lock(1)', 'lock'],
      ["pg_logical_emit_message(true, 'a', 'b')", 'replication'],
      ["pg_logical_slot_get_changes('s', NULL, NULL)", 'replication'],
      ["pg_create_logical_replication_slot('s', 'test_decoding')", 'replication'],
      ["pg_drop_replication_slot('s')", 'drop'],
      ['pg_promote()', 'admin'],
      ['pg_reload_conf()', 'admin'],
      ['pg_rotate_logfile()', 'admin'],
      ['pg_switch_wal()', 'admin'],
      ["pg_import_system_collations('pg_catalog')", 'admin'],
      ['pg_sleep(1)', 'lock'],
    ] as const
  ).map(([call, effect]) => ['PG-64', `SELECT ${call}`, effect] as const),
  ['PG-64', 'SELECT 1 ORDER BY lo_unlink(1)', 'delete:lo_unlink'],
  ['PG-64', 'UPDATE t SET a = 1 RETURNING lo_unlink(1)', 'delete:lo_unlink'],
  ['PG-65', "COPY t FROM PROGRAM 'x'", 'code copy-in:t insert:t file'],
  ['PG-65', "COPY (SELECT 1) TO PROGRAM 'x'", 'code copy-out'],
  ['PG-65', "COPY t TO '/srv/x'", 'file copy-out:t read:t'],
  ['PG-65', "LOAD 'x'", 'code'],
  ['PG-65', 'CREATE EXTENSION dblink', 'code:dblink'],
  ['PG-65', 'ALTER SYSTEM SET x = 1', 'admin'],
  ['PG-65', 'ALTER ROLE r SET x = 1', 'admin:r'],
  ['PG-65', 'ALTER DATABASE d SET x = 1', 'admin:d'],
  ['PG-65', "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", 'replication:s admin:s'],
  ['PG-65', 'CREATE SERVER s FOREIGN DATA WRAPPER w', 'admin:s code:s'],
  ['PG-65', "CREATE USER MAPPING FOR r SERVER s OPTIONS (password 'x')", 'admin:s'],
  ['PG-65', 'IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c', 'create:c admin:c'],
  // PG-67: the server's own lexer is used, so none of these hides anything.
  ['PG-67', 'DROP/**/TABLE t', 'drop:t'],
  ['PG-67', '/* /* */ SELECT 1; */ DrOp TABLE t', 'drop:t'],
  ['PG-67', "SELECT '--'; DROP TABLE t", 'drop:t'],
  ['PG-67', "SELECT 'a'\n'b'; DROP TABLE t", 'drop:t'],
  ['PG-67', "SELECT E'\\'; SELECT '; DROP TABLE t --'", 'read'],
  ['PG-67', "SELECT 'a\\'; DROP TABLE t --'", 'drop:t'],
  ['PG-67', 'SELECT $a$;$a$; DROP TABLE t', 'drop:t'],
  ['PG-67', 'DELETE FROM U&"d\\0061t"', 'delete:dat'],
  ['PG-67', 'DELETE FROM "DeLeTe"', 'delete:DeLeTe'],
  ['PG-68', 'MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE', 'delete:t read:s'],
  ['PG-68', 'MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE', 'delete:t'],
  [
    'PG-68',
    'MERGE INTO t USING s ON true WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)',
    'update:t insert:t',
  ],
  ['PG-68', 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', 'insert:t update:t'],
  ['PG-68', 'UPDATE t SET a = NULL', 'update:t'],
  ['PG-68', 'TRUNCATE a, b CASCADE', 'truncate:a truncate:b'],
  ['PG-68', 'VACUUM FULL t', 'admin:t alter:t'],
  ['PG-68', 'CLUSTER t', 'alter:t admin:t'],
  ['PG-68', 'REINDEX TABLE t', 'admin:t'],
  ['PG-68', 'REASSIGN OWNED BY a TO b', 'alter:a grant:a'],
  ['PG-68', 'ALTER TABLE t SET SCHEMA s', 'alter:t'],
  ['PG-68', 'ALTER TABLE t RENAME TO u', 'alter:t'],
  ['PG-69', 'SELECT * FROM t FOR UPDATE', 'lock:t read:t'],
  ['PG-69', 'SELECT * FROM t JOIN u ON true FOR SHARE OF u', 'lock:t lock:u'],
  ['PG-69', 'LOCK TABLE t IN ACCESS EXCLUSIVE MODE', 'lock:t'],
  ['PG-69', 'LISTEN c', 'notify:c'],
  ['PG-69', "NOTIFY c, 'x'", 'notify:c'],
  ['PG-69', "PREPARE TRANSACTION 'x'", 'admin'],
  ['PG-69', "COMMIT PREPARED 'x'", 'admin'],
  ['PG-69', "ROLLBACK PREPARED 'x'", 'admin'],
  ['PG-70', 'SET ROLE admin', 'session:admin'],
  ['PG-70', 'SET SESSION AUTHORIZATION admin', 'session:admin'],
  ['PG-70', 'RESET ROLE', 'session'],
  ['PG-71', 'SET TRANSACTION READ WRITE', 'session'],
  ['PG-72', "UPDATE pg_proc SET prosrc = 'x'", 'unknown:pg_proc update:pg_proc'],
  [
    'PG-72',
    'DELETE FROM pg_catalog.pg_class',
    'unknown:pg_catalog.pg_class delete:pg_catalog.pg_class',
  ],
  ['PG-72', 'SET allow_system_table_mods = on', 'admin'],
  ['PG-72', "COMMENT ON TABLE t IS 'x'", 'alter:t'],
  ['PG-72', "SECURITY LABEL ON TABLE t IS 'x'", 'alter:t'],
  ['PG-72', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x', 'grant'],
  [
    'PG-72',
    "CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE sql AS 'DELETE FROM t; SELECT $1'",
    'delete:t code:pg_temp.lower',
  ],
  // The rest of the grammar, so that nothing is `unknown` by oversight.
  ['other', 'SELECT a FROM s.t', 'read:s.t'],
  ['other', 'GRANT SELECT ON t TO r', 'grant:t'],
  ['other', 'GRANT a TO b', 'grant:a'],
  ['other', 'CREATE VIEW v AS SELECT * FROM t', 'create:v read:t'],
  ['other', 'BEGIN; COMMIT', 'session'],
  ['other', 'SHOW x', 'session'],
  ['other', 'CHECKPOINT', 'admin'],
  ['other', 'FETCH ALL FROM c', 'read'],
  ['other', 'ANALYZE t', 'admin:t'],
  ['other', 'CREATE TABLE a PARTITION OF b FOR VALUES IN (1)', 'create:a'],
  ['other', 'EXPLAIN DELETE FROM t', 'read:t'],
];

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

/** PG-73: a rule on drop, truncate, delete or unknown must not catch these. */
const INNOCENT: readonly string[] = [
  "SELECT 'DROP TABLE x'",
  "INSERT INTO t VALUES ('DELETE FROM t; TRUNCATE t')",
  'SELECT "delete", "drop" FROM t',
  'CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE)',
  'CREATE TRIGGER x AFTER DELETE OR TRUNCATE ON t EXECUTE FUNCTION f()',
  'GRANT DELETE, TRUNCATE ON t TO r',
  'REVOKE DELETE ON t FROM r',
  'CREATE POLICY p ON t FOR DELETE USING (true)',
  'SELECT 1 -- drop table t',
  'SELECT 1 /* delete from t */',
  'SELECT $$ drop table t $$',
  'SELECT drop FROM t',
  'DEALLOCATE p',
  'DEALLOCATE ALL',
  'DISCARD ALL',
  'CLOSE c',
  'RESET ALL',
  'ALTER TABLE t ALTER COLUMN c DROP DEFAULT',
  'ALTER TABLE t ALTER COLUMN c DROP NOT NULL',
  'ALTER DOMAIN d DROP DEFAULT',
  'DROP TABLE pg_temp.x',
  'EXPLAIN DELETE FROM t',
  'EXPLAIN (ANALYZE false) DELETE FROM t',
  'EXPLAIN (ANALYZE 0) DELETE FROM t',
  "SELECT nextval('s'), currval('s'), now(), random(), count(*) FROM t",
  "DO $$ begin raise notice 'drop table t'; end $$",
  "SELECT pg_get_functiondef('f'::regproc)",
  'BEGIN',
  'ROLLBACK TO SAVEPOINT x',
  'CREATE TABLE t (a int, "truncate" text DEFAULT \'drop\')',
  'COPY t FROM STDIN',
];

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
    "SELECT set_config('search_path', $1, false)",
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
