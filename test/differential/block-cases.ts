/**
 * What a client would send to get past a rule that blocks drop, truncate and delete (PG-55..PG-72).
 * Every case is first run direct: one that changes nothing there is a fault of the suite.
 */

export interface BlockCase {
  readonly trap: string;
  /** Statements sent one after another; each is one simple query or one extended exchange. */
  readonly steps: readonly (string | Buffer)[];
  /** Several statements in one text, or not valid UTF-8: only as a simple query. */
  readonly isSimpleOnly?: boolean;
  readonly parameters?: Record<string, string>;
}

const DELETE = 'DELETE FROM watched.victims';

function each(trap: string, texts: readonly string[]): BlockCase[] {
  return texts.map((text) => ({ trap, steps: [text] }));
}

function steps(trap: string, ...texts: readonly string[]): BlockCase {
  return { trap, steps: texts };
}

function together(
  trap: string,
  text: string | Buffer,
  parameters?: Record<string, string>,
): BlockCase {
  return {
    trap,
    steps: [text],
    isSimpleOnly: true,
    ...(parameters === undefined ? {} : { parameters }),
  };
}

const plain = each('PG-55', [
  DELETE,
  'DROP TABLE watched.dependents',
  'TRUNCATE watched.parts',
  'DROP SCHEMA watched CASCADE',
  'DROP VIEW watched.seen',
  'DROP SEQUENCE watched.numbers',
  'DROP TYPE watched.pair CASCADE',
  'DROP DOMAIN watched.small',
  'DROP PUBLICATION watched_publication',
  'DROP ROLE spare',
  'ALTER TABLE watched.victims DROP COLUMN v CASCADE',
  'ALTER TABLE watched.victims DROP CONSTRAINT short',
  'ALTER TABLE watched.parts DETACH PARTITION watched.parts_1',
  'ALTER TABLE watched.child NO INHERIT watched.victims',
  'ALTER DOMAIN watched.small DROP CONSTRAINT small_check',
  'ALTER TYPE watched.pair DROP ATTRIBUTE b CASCADE',
  'ALTER PUBLICATION watched_publication DROP TABLE watched.parts_2',
  'TRUNCATE watched.victims, watched.dependents CASCADE',
  'TRUNCATE watched.victims RESTART IDENTITY CASCADE',
  'DELETE FROM ONLY watched.parts_1 AS x USING watched.victims y WHERE x.id = y.id',
  'DELETE FROM watched.seen',
]);

const nested = [
  ...each('PG-56', [
    `WITH x AS (${DELETE} RETURNING 1) SELECT count(*) FROM x`,
    `WITH x AS (SELECT 1) ${DELETE}`,
    `WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b), c AS (${DELETE} RETURNING id) INSERT INTO sink SELECT id FROM c`,
    `WITH RECURSIVE r AS (SELECT 1), d AS (${DELETE}) SELECT 1`,
    `WITH d AS (${DELETE}) VALUES (1)`,
  ]),
  ...each('PG-57', [
    `EXPLAIN ANALYZE ${DELETE}`,
    `EXPLAIN ANALYSE ${DELETE}`,
    `EXPLAIN (ANALYZE) ${DELETE}`,
    `EXPLAIN (COSTS off, ANALYZE true) ${DELETE}`,
    `EXPLAIN (analyze 1, format json) WITH x AS (${DELETE}) SELECT 1`,
    `EXPLAIN (ANALYZE on, VERBOSE) ${DELETE}`,
    'EXPLAIN ANALYZE SELECT purge()',
  ]),
  ...each('PG-58', [
    `COPY (${DELETE} RETURNING *) TO STDOUT`,
    `COPY (WITH x AS (${DELETE} RETURNING *) TABLE x) TO STDOUT WITH CSV`,
    'COPY (SELECT purge()) TO STDOUT',
  ]),
  ...each('PG-59', [
    `CREATE TABLE z AS WITH q AS (${DELETE} RETURNING *) SELECT * FROM q`,
    'CREATE TABLE z AS SELECT purge() AS n',
    'SELECT purge() AS n INTO z',
    'CREATE TEMP TABLE z AS SELECT * FROM purge_set()',
    'CREATE MATERIALIZED VIEW z AS SELECT purge() AS n',
    'REFRESH MATERIALIZED VIEW shadow.purging_stored',
  ]),
  steps('PG-60', `PREPARE d AS ${DELETE}`, 'EXECUTE d'),
  steps('PG-60', `PREPARE d AS SELECT purge() AS n`, 'CREATE TABLE z AS EXECUTE d'),
  steps('PG-60', `PREPARE d AS ${DELETE}`, 'EXPLAIN ANALYZE EXECUTE d'),
  steps('PG-60', 'PREPARE d (int) AS SELECT $1', 'EXECUTE d(purge())'),
  steps('PG-60', 'PREPARE d AS SELECT purge()', 'EXECUTE d'),
  steps('PG-62', 'PREPARE d (purging) AS SELECT $1', "EXECUTE d('1')"),
  steps('PG-62', 'PREPARE d (purging_row[]) AS SELECT 1', `EXECUTE d('{"(1,x)"}')`),
  steps('PG-62', 'PREPARE d (purging_span_multirange) AS SELECT 1', "EXECUTE d('{[1,2)}')"),
  steps('PG-60', 'BEGIN', 'DECLARE c CURSOR FOR SELECT purge()', 'FETCH c', 'COMMIT'),
  steps('PG-60', 'DECLARE c CURSOR WITH HOLD FOR SELECT purge()', 'FETCH ALL FROM c'),
];

const code = [
  ...each('PG-61', [
    `DO $$ BEGIN ${DELETE}; END $$`,
    `DO LANGUAGE plpgsql $x$ BEGIN EXECUTE concat('dr', 'op table watched.dependents'); END $x$`,
    `DO $$ BEGIN EXECUTE 'de' || chr(108) || 'ete from watched.victims'; END $$ LANGUAGE plpgsql`,
    `DO 'BEGIN PERFORM purge(); END'`,
    `DO $$ DECLARE r record; BEGIN FOR r IN ${DELETE} RETURNING * LOOP END LOOP; END $$`,
    `DO $$ DECLARE n int := purge(); BEGIN END $$`,
    `DO $$ BEGIN IF purge() > 0 THEN END IF; END $$`,
    `DO $$ BEGIN CALL purge_procedure(); END $$`,
    `DO $$ BEGIN EXECUTE 'DO $x$ BEGIN ${DELETE}; END $x$'; END $$`,
    'CALL purge_procedure()',
  ]),
  steps(
    'PG-62',
    `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ ${DELETE}; SELECT 1 $$`,
    'SELECT f()',
  ),
  steps(
    'PG-62',
    `CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${DELETE}; RETURN 1; END $$`,
    'SELECT pg_temp.f()',
  ),
  steps(
    'PG-62',
    `CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC ${DELETE} RETURNING id; END`,
    'SELECT f()',
  ),
  steps(
    'PG-62',
    'SELECT harmless()',
    `CREATE OR REPLACE FUNCTION harmless() RETURNS int LANGUAGE sql AS $$ ${DELETE}; SELECT 1 $$`,
    'SELECT harmless()',
  ),
  steps('PG-62', `CREATE PROCEDURE p() LANGUAGE sql AS $$ ${DELETE} $$`, 'CALL p()'),
  steps(
    'PG-62',
    'CREATE TRIGGER t BEFORE INSERT ON sink FOR EACH ROW EXECUTE FUNCTION purge_trigger()',
    'INSERT INTO sink VALUES (1)',
  ),
  steps(
    'PG-62',
    `CREATE RULE r AS ON INSERT TO sink DO INSTEAD ${DELETE}`,
    'INSERT INTO sink VALUES (1)',
  ),
  steps(
    'PG-62',
    `CREATE RULE r AS ON UPDATE TO "delete" DO ALSO ${DELETE}`,
    'UPDATE "delete" SET truncate = $$x$$',
  ),
  steps('PG-62', 'CREATE VIEW w AS SELECT purge() AS n', 'SELECT * FROM w'),
  steps(
    'PG-62',
    'CREATE OPERATOR #### (LEFTARG = int, RIGHTARG = int, FUNCTION = purge_two)',
    'SELECT 1 #### 2',
  ),
  steps('PG-62', 'CREATE AGGREGATE a(int) (SFUNC = purge_state, STYPE = int)', 'SELECT a(1)'),
  steps('PG-62', 'CREATE TABLE z (n int DEFAULT purge())', 'INSERT INTO z DEFAULT VALUES'),
  steps('PG-62', 'CREATE DOMAIN dd AS int CHECK (purge_two(VALUE, 1))', 'SELECT 1::dd'),
  steps('PG-62', 'ALTER FUNCTION purge() RENAME TO tidy', 'SELECT tidy()'),
  steps('PG-62', 'ALTER FUNCTION purge() SET SCHEMA shadow', 'SELECT shadow.purge()'),
  ...each('PG-62', [
    'SELECT purge()',
    'SELECT purge(3)',
    'SELECT "purge"()',
    'SELECT public.purge()',
    'SELECT U&"p\\0075rge"()',
    'SELECT * FROM purge_set()',
    'SELECT purge_atomic()',
    `SELECT purge_dynamic('delete from watched.victims')`,
    'SELECT outer_call()',
    'SELECT outer_default()',
    'SELECT purge_truncate()',
    'SELECT purge_drop()',
    'SELECT purge_definer()',
    'SELECT purge_escape()',
    'SELECT 1 ### 2',
    'SELECT 1 OPERATOR(public.###) 2',
    'SELECT ROW(1, 2)::watched.pair::text',
    `SELECT CAST('(1,2)'::watched.pair AS text)`,
    'SELECT purge_sum(1)',
    'SELECT purge_sum(n) OVER () FROM generate_series(1, 2) n',
    'SELECT 5::purging',
    `SELECT '5'::public.purging`,
    'SELECT x.purge_row FROM watched.victims x LIMIT 1',
    'SELECT public.purge_row(x) FROM watched.victims x LIMIT 1',
    'SELECT (x).purge_row FROM watched.victims x LIMIT 1',
    'SELECT * FROM purging_view',
    'INSERT INTO purging_default (m) VALUES (1)',
    'INSERT INTO purging_default VALUES (DEFAULT)',
    'INSERT INTO purging_check VALUES (1)',
    'SELECT 1 WHERE purge() > 0',
    'SELECT 1 ORDER BY purge()',
    'SELECT 1 LIMIT purge()',
    'VALUES (purge())',
    'INSERT INTO sink VALUES (1) RETURNING purge()',
    'UPDATE "delete" SET truncate = purge()::text',
    'SELECT CASE WHEN true THEN purge() END',
    'SELECT (SELECT array_agg(purge()) FROM generate_series(1, 1))',
    'SELECT x FROM generate_series(1, 1) x, LATERAL (SELECT purge()) y',
    'SELECT * FROM ROWS FROM (purge_set(), generate_series(1, 2))',
    'ALTER TABLE "delete" ADD COLUMN extra int DEFAULT purge()',
    'ALTER TABLE "delete" ALTER COLUMN truncate TYPE int USING purge()',
  ]),
];

const strings = each('PG-63', [
  `SELECT query_to_xml('select purge()', true, true, '')`,
  `SELECT table_to_xml('purging_view', true, true, '')`,
  `SELECT schema_to_xml('public', true, true, '')`,
  `SELECT * FROM ts_stat('select to_tsvector(purge()::text)')`,
  `SELECT ts_rewrite('a'::tsquery, 'select to_tsquery(purge()::text), to_tsquery(purge()::text)')`,
  `SELECT query_to_xml_and_xmlschema(concat('select pu', 'rge()'), true, true, '')`,
]);

/** CVE-2006-2314: the second byte of the character is a backslash in ASCII. */
function hide(prefix: string, character: readonly number[]): Buffer {
  return Buffer.concat([
    Buffer.from(`${prefix}SELECT E'`),
    Buffer.from(character),
    Buffer.from(`'; ${DELETE}; --'`),
  ]);
}

const SJIS = [0x95, 0x5c];
const GBK = [0xbf, 0x5c];
/**
 * With standard_conforming_strings off `\'` is an escaped quote, so that the string ends at the next
 * one and the DELETE runs; with it on, the DELETE stands inside the second string.
 */
const ESCAPED = `SELECT 'a\\', '; ${DELETE}; --'`;
const lexer = [
  together('PG-66', hide('', SJIS), { client_encoding: 'SJIS' }),
  together('PG-66', hide('', GBK), { client_encoding: 'GBK' }),
  together('PG-66', hide('', GBK), { options: '-c client_encoding=GBK' }),
  together('PG-66', hide('', [0x95, 0x5c]), { client_encoding: 'SHIFT_JIS_2004' }),
  together('PG-66', hide('', [0xa5, 0x5c]), { client_encoding: 'BIG5' }),
  together('PG-66', hide('', GBK), { options: '--client-encoding=gb18030' }),
  ...[
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'SJIS'",
    "SELECT set_config('client_encoding', 'SJIS', false)",
  ].map((set): BlockCase => ({ trap: 'PG-66', steps: [set, hide('', SJIS)], isSimpleOnly: true })),
  {
    trap: 'PG-66',
    steps: [`DO $$ BEGIN SET client_encoding = 'GBK'; END $$`, hide('', GBK)],
    isSimpleOnly: true,
  },
  {
    trap: 'PG-66',
    steps: ['BEGIN', `SET LOCAL client_encoding = 'GBK'`, hide('', GBK), 'COMMIT'],
    isSimpleOnly: true,
  },
  ...[
    'SET standard_conforming_strings = off',
    "SELECT set_config('standard_conforming_strings', 'off', false)",
    'SET "standard_conforming_strings" TO 0',
  ].map((set): BlockCase => ({ trap: 'PG-66', steps: [set, ESCAPED], isSimpleOnly: true })),
  together('PG-66', ESCAPED, { standard_conforming_strings: 'off' }),
  together('PG-66', ESCAPED, { options: '-c standard_conforming_strings=off' }),
] satisfies BlockCase[];

const tokens = [
  ...each('PG-67', [
    `/* /* nested */ */ ${DELETE}`,
    `-- a comment\n${DELETE}`,
    'DeLeTe\tFROM\n"watched"."victims"',
    'DELETE/**/FROM/**/watched/**/./**/victims',
    'DELETE FROM U&"w\\0061tched".victims',
    `DELETE FROM U&"w!0061tched" UESCAPE '!' .victims`,
    'DROP/**/TABLE watched.dependents',
  ]),
  together('PG-33', `SELECT 1; ${DELETE}; SELECT 2`),
  together('PG-33', `BEGIN; ${DELETE}; COMMIT`),
  together('PG-33', `;;; ${DELETE};;`),
  together('PG-33', `SELECT ''''; ${DELETE}; SELECT ''''`),
];

const effects = [
  ...each('PG-68', [
    'MERGE INTO watched.victims v USING generate_series(1, 50) n ON v.id = n WHEN MATCHED THEN DELETE',
    'MERGE INTO watched.dependents v USING (SELECT purge() AS n) s ON v.id = s.n WHEN MATCHED THEN DO NOTHING',
    'DROP OWNED BY spare_owner CASCADE',
  ]),
  steps('PG-70', 'SET ROLE spare', `RESET ROLE`, DELETE),
  steps('PG-70', 'SET SESSION AUTHORIZATION app', DELETE),
  steps('PG-71', 'BEGIN READ ONLY', 'SET TRANSACTION READ WRITE', DELETE, 'COMMIT'),
  steps(
    'PG-72',
    `UPDATE pg_proc SET prosrc = '${DELETE}; SELECT 1' WHERE proname = 'harmless'`,
    'SELECT harmless()',
  ),
  steps('PG-72', 'SET search_path = shadow, pg_catalog', `SELECT lower('X')`),
  steps(
    'PG-72',
    `SELECT set_config('search_path', 'shadow, pg_catalog', false)`,
    `SELECT lower('X')`,
  ),
  steps('PG-72', 'SET search_path = shadow, pg_catalog', 'SELECT n FROM shadow.sink WHERE n = 1'),
  {
    trap: 'PG-72',
    steps: [`SELECT lower('X')`],
    parameters: { search_path: 'shadow, pg_catalog' },
  },
  {
    trap: 'PG-72',
    steps: [`SELECT lower('X')`],
    parameters: { options: '-c search_path=shadow,pg_catalog' },
  },
  steps(
    'PG-72',
    'ALTER ROLE app SET search_path = shadow, pg_catalog',
    'SET ROLE app',
    `RESET search_path`,
    `SET search_path = shadow, pg_catalog`,
    `SELECT lower('X')`,
  ),
  steps(
    'PG-72',
    `CREATE FUNCTION pg_temp.gone() RETURNS int LANGUAGE sql AS $$ ${DELETE}; SELECT 1 $$`,
    'SELECT pg_temp.gone()',
  ),
] satisfies BlockCase[];

export const BLOCK_CASES: readonly BlockCase[] = [
  ...plain,
  ...nested,
  ...code,
  ...strings,
  ...lexer,
  ...tokens,
  ...effects,
];

/** PG-73: each of these must be let through; they run in this order in one session. */
export const ALLOWED: readonly string[] = [
  `SELECT 'DROP TABLE watched.victims; DELETE FROM x'`,
  'SELECT "drop", truncate FROM "delete"',
  'SELECT d."drop" AS delete FROM "delete" d',
  'SELECT 1 AS drop, 2 AS truncate',
  '-- DROP TABLE watched.victims\nSELECT 1',
  '/* DELETE FROM watched.victims */ SELECT 1',
  'SELECT $$ drop table watched.victims $$',
  'SELECT $delete$ DELETE FROM watched.victims $delete$',
  'CREATE TABLE made (id int PRIMARY KEY, victim int REFERENCES watched.victims ON DELETE CASCADE, n int DEFAULT 1)',
  'ALTER TABLE made ADD FOREIGN KEY (victim) REFERENCES watched.victims ON DELETE SET NULL',
  'CREATE TRIGGER after_delete AFTER DELETE ON made FOR EACH STATEMENT EXECUTE FUNCTION harmless_trigger()',
  'GRANT DELETE, TRUNCATE ON made TO spare',
  'REVOKE DELETE ON made FROM spare',
  'ALTER TABLE made ENABLE ROW LEVEL SECURITY',
  'CREATE POLICY p ON made FOR DELETE USING (true)',
  'ALTER TABLE made ALTER COLUMN n DROP DEFAULT',
  'ALTER TABLE made ALTER COLUMN n SET NOT NULL',
  'ALTER TABLE made ALTER COLUMN n DROP NOT NULL',
  'PREPARE s AS SELECT 1',
  'EXECUTE s',
  'DEALLOCATE s',
  'CREATE TEMP TABLE x (n int) ON COMMIT DELETE ROWS',
  'DROP TABLE pg_temp.x',
  `COMMENT ON TABLE made IS 'DROP TABLE'`,
  `INSERT INTO "delete" VALUES ('DELETE', 'DROP')`,
  `UPDATE "delete" SET truncate = 'truncated'`,
  `SELECT has_table_privilege('made', 'DELETE')`,
  'SELECT harmless()',
  'EXPLAIN SELECT * FROM "delete"',
  `SELECT prosrc FROM pg_proc WHERE proname = 'purge'`,
  `SELECT pg_get_functiondef('purge_set'::regproc)`,
  'INSERT INTO made VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET n = 2',
  'SELECT v.*, count(*) OVER (PARTITION BY n) FROM sink v',
  'BEGIN',
  'SAVEPOINT a',
  'RELEASE a',
  'ROLLBACK',
  'DISCARD PLANS',
  'DISCARD ALL',
  '',
  ';',
  '-- ping',
];
