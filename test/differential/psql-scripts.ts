/** Input of the `clients` suite: a sample database and psql scripts that use one kind of thing each. */

/** Run by the superuser; everything belongs to `app` afterwards. */
export const SAMPLE = `
SET ROLE app;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 40);
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, born date, mood mood, tags text[], doc jsonb, photo bytea, note short_text);
INSERT INTO people SELECT i, 'Person ' || i || ' ÄÖ€', date '2000-01-01' + i, (ARRAY['sad','ok','happy'])[1 + i % 3]::mood,
  ARRAY['t' || i, NULL, 'a,b'], jsonb_build_object('n', i, 'big', 12345678901234567890), decode(repeat(to_hex(i % 16) || '0', 20), 'hex'), 'n' || i
  FROM generate_series(1, 500) i;
CLUSTER people USING people_pkey;
CREATE TABLE orders (id bigserial PRIMARY KEY, person int NOT NULL REFERENCES people ON DELETE CASCADE, amount numeric(12,2), at timestamptz);
INSERT INTO orders (person, amount, at) SELECT 1 + i % 500, i * 1.25, timestamptz '2024-02-29 12:00:00+00' + i * interval '1 hour' FROM generate_series(1, 1000) i;
CREATE VIEW rich AS SELECT p.name, sum(o.amount) AS total FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id HAVING sum(o.amount) > 1500;
CREATE INDEX ON orders (person, at DESC);
CREATE FUNCTION purge(before int) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN DELETE FROM orders WHERE id < before; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE 'purged %', n; RETURN n; END $$;
CREATE PROCEDURE twice(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n * 2; COMMIT; END $$;
COMMENT ON TABLE people IS 'drop table is only a comment';
RESET ROLE;
`;

export const PIPELINE_SCRIPT = `\\set a random(1, 100000)
\\startpipeline
BEGIN;
SELECT abalance FROM pgbench_accounts WHERE aid = :a;
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :a;
SELECT abalance FROM pgbench_accounts WHERE aid = :a;
END;
\\endpipeline
`;

export const PSQL_SCRIPTS: Readonly<Record<string, string>> = {
  'backslash commands': `\\d
\\d people
\\d+ orders
\\d+ rich
\\df
\\sf purge
\\dT+
\\du app
\\dn+
\\dp
\\l lab
\\encoding
\\dconfig work_mem
`,
  'gdesc, gexec, gset, crosstabview': `SELECT id, name, born, doc FROM people WHERE id = 1 \\gdesc
SELECT format('SELECT %s AS n', i) FROM generate_series(1, 3) i \\gexec
SELECT count(*) AS people_count FROM people \\gset
\\echo :people_count
SELECT mood, id % 2 AS odd, count(*) FROM people GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview
SELECT 1 AS a \\; SELECT 2 AS b \\; SELECT 3 AS c;
SELECT $1 \\bind
`,
  'copy in and out': `\\copy people TO stdout
\\copy (SELECT id, name, tags FROM people WHERE id < 20) TO stdout WITH (FORMAT csv, HEADER, FORCE_QUOTE *)
COPY people (id, name) FROM stdin;
1001\tNew one\\ttab
1002\t\\\\N backslash
\\.
COPY people (id, name) FROM stdin WITH (FORMAT csv);
1003,"quoted, ""x""
and two lines"
\\.
COPY people (id, name) FROM stdin;
bad\tline
\\.
COPY people (id, name) FROM stdin;
1\tduplicate
\\.
SELECT id, name FROM people WHERE id > 1000 ORDER BY 1;
COPY (SELECT photo FROM people WHERE id = 3) TO stdout WITH BINARY;
COPY no_such_table TO stdout;
`,
  'rows in portions': `\\set FETCH_COUNT 7
SELECT id, name, doc FROM people ORDER BY id;
\\set FETCH_COUNT 0
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM people ORDER BY id;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
MOVE 100 FROM c;
FETCH ABSOLUTE 5 FROM c;
CLOSE c;
COMMIT;
`,
  'errors and notices': `SELECT 1/0;
SELEKT 1;
SELECT no_column FROM people;
INSERT INTO people (id, name) VALUES (1, 'x');
INSERT INTO people (id) VALUES (2000);
INSERT INTO orders (person) VALUES (99999);
UPDATE people SET note = repeat('x', 50) WHERE id = 1;
SELECT 'abc'::int;
DO $$ BEGIN RAISE NOTICE 'seen'; RAISE WARNING 'warned' USING DETAIL = 'a detail', HINT = 'a hint'; RAISE INFO 'told'; END $$;
DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'ZZ123', COLUMN = 'c', CONSTRAINT = 'k', TABLE = 't', SCHEMA = 's', DATATYPE = 'd'; END $$;
SELECT purge(10);
CALL twice(21);
\\errverbose
DROP TABLE IF EXISTS nothing_here;
SELECT repeat('é', 100000) \\g /dev/null
SELECT 'Ünïcödé 漢字', E'a\\tb', U&'\\0041';
;
-- only a comment
`,
  transactions: `BEGIN;
INSERT INTO people (id, name) VALUES (3000, 'in transaction');
SELECT 1/0;
SELECT 'refused';
COMMIT;
BEGIN;
SAVEPOINT s;
SELECT 1/0;
ROLLBACK TO s;
INSERT INTO people (id, name) VALUES (3001, 'kept');
COMMIT AND CHAIN;
SELECT count(*) FROM people WHERE id >= 3000;
ROLLBACK;
BEGIN \\; SELECT 1 \\; COMMIT;
INSERT INTO people (id, name) VALUES (3002, 'gone') \\; SELECT 1/0;
SELECT count(*) FROM people WHERE id >= 3000;
\\set ON_ERROR_ROLLBACK on
BEGIN;
SELECT 1/0;
SELECT 'usable';
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
DELETE FROM people;
ROLLBACK;
COMMIT;
`,
  'listen and notify': `LISTEN "Chan nel";
NOTIFY "Chan nel", 'payload é';
SELECT pg_notify('Chan nel', repeat('x', 7000));
BEGIN;
NOTIFY "Chan nel", 'later';
SELECT 'between';
COMMIT;
UNLISTEN *;
NOTIFY "Chan nel", 'unheard';
`,
  'settings and identity': `SELECT current_user, session_user, current_database();
SHOW server_version;
SET client_encoding TO latin1;
SELECT E'caf\\u00e9';
RESET client_encoding;
SET DateStyle = 'German';
SELECT date '2024-03-01';
SET application_name = 'me';
SHOW application_name;
SET TimeZone = 'Asia/Tokyo';
SELECT timestamptz '2024-01-01 00:00:00+00';
DISCARD ALL;
SHOW TimeZone;
SELECT set_config('search_path', '', false);
SELECT * FROM people;
`,
  'prepared in SQL': `PREPARE p (int) AS SELECT name FROM people WHERE id = $1;
EXECUTE p(3);
EXPLAIN (COSTS off) EXECUTE p(3);
PREPARE p AS SELECT 1;
DEALLOCATE p;
EXECUTE p(3);
CREATE TEMP TABLE t AS SELECT id FROM people LIMIT 3;
TABLE t ORDER BY 1;
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off) DELETE FROM t;
TABLE t;
`,
  'odd results': `SELECT;
SELECT FROM people LIMIT 3;
SELECT 1 AS "", 2 AS "a b", 3 AS "a b";
SELECT NULL, '', ' ', E'\\n';
SELECT repeat('wide', 50000) AS w \\g /dev/null
SELECT ${Array.from({ length: 1600 }, (_, index) => `${index} AS c${index}`).join(', ')} \\g /dev/null
SELECT * FROM generate_series(1, 20000) \\g /dev/null
`,
};
