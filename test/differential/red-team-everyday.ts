/**
 * What people and programs send all day and what neither a rule against destruction nor a mask on other
 * columns may refuse (PG-54, PG-73): each gives the same answer through the gateway as direct.
 */

/** One session for each list; statements that differ by nature (sizes, times) are not among them. */
export const EVERYDAY: readonly (readonly string[])[] = [
  [
    'BEGIN',
    'SAVEPOINT a',
    'INSERT INTO outbox (body) VALUES ($$x$$)',
    'ROLLBACK TO a',
    'RELEASE a',
    'COMMIT',
  ],
  [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    'SET LOCAL statement_timeout = 1000',
    'SHOW statement_timeout',
    'COMMIT',
  ],
  [
    'SET TIME ZONE $$UTC$$',
    'SHOW TIME ZONE',
    'SET DateStyle = ISO',
    `SET application_name TO 'orm'`,
  ],
  [
    `SET NAMES 'UTF8'`,
    `SET client_encoding TO 'UTF8'`,
    'SET standard_conforming_strings = on',
    'RESET ALL',
    'DISCARD ALL',
  ],
  [
    `SELECT set_config('search_path', 'public', false)`,
    'SHOW search_path',
    `SELECT current_setting('server_version_num')::int > 0`,
  ],
  [
    'SELECT pg_advisory_lock(1)',
    'SELECT pg_advisory_unlock(1)',
    'SELECT pg_try_advisory_xact_lock(1, 2)',
  ],
  ['LISTEN c', 'SELECT 1', 'UNLISTEN *'],
  [
    'SELECT count(*) FROM customers',
    'SELECT count(*), min(created) IS NULL FROM customers WHERE region_id = 2',
  ],
  ['SELECT name FROM customers ORDER BY id', 'SELECT c.id, c.name FROM customers c WHERE c.id = 1'],
  [
    'SELECT region_id, count(*), string_agg(name, $$,$$ ORDER BY name) FROM customers GROUP BY region_id ORDER BY 1',
  ],
  [
    'SELECT upper(name), name || $$!$$, length(name), coalesce(name, $$$$) FROM customers ORDER BY id',
  ],
  [
    'SELECT c.name, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name ORDER BY 1',
  ],
  [
    'SELECT c.name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c ORDER BY c.id',
  ],
  [
    'WITH t AS (SELECT id, name FROM customers) SELECT upper(t.name), count(*) OVER () FROM t ORDER BY 1',
  ],
  [
    'SELECT id, row_number() OVER (PARTITION BY region_id ORDER BY id), lag(name) OVER (ORDER BY id) FROM customers ORDER BY id',
  ],
  ['SELECT row_to_json(t) FROM (SELECT id, name FROM customers) t ORDER BY t.id'],
  ['SELECT coalesce(json_agg(t ORDER BY t.id), $$[]$$) FROM (SELECT id, name FROM customers) t'],
  ['SELECT jsonb_build_object($$id$$, c.id, $$n$$, c.name) FROM customers c ORDER BY c.id'],
  ['SELECT to_jsonb(o) FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id'],
  ['SELECT array_agg(id ORDER BY id), max(name), min(mood) FROM customers'],
  [
    'SELECT DISTINCT region_id FROM customers ORDER BY region_id',
    'SELECT DISTINCT ON (region_id) region_id, name FROM customers ORDER BY region_id, id',
  ],
  ['SELECT id FROM customers WHERE id = ANY (ARRAY[1, 2]) ORDER BY id LIMIT 1 OFFSET 1 FOR UPDATE'],
  [
    'SELECT id FROM customers TABLESAMPLE BERNOULLI (100) ORDER BY id',
    'SELECT id FROM customers FOR SHARE SKIP LOCKED',
  ],
  ['SELECT id, name FROM customers UNION ALL SELECT id, title FROM regions ORDER BY 1, 2'],
  [
    'SELECT region_id, mood, count(*) FROM customers GROUP BY CUBE (region_id, mood) ORDER BY 1, 2, 3',
  ],
  [
    'SELECT r.title, q.n FROM regions r, LATERAL (SELECT count(*) AS n FROM customers c WHERE c.region_id = r.id) q ORDER BY 1',
  ],
  [
    'SELECT title FROM regions r WHERE EXISTS (SELECT 1 FROM customers c WHERE c.region_id = r.id) ORDER BY 1',
  ],
  [
    'SELECT * FROM v_clear ORDER BY id',
    'SELECT v FROM v_clear v ORDER BY id',
    'SELECT upper(name) FROM v_clear ORDER BY id',
  ],
  [
    'SELECT id FROM customers WHERE email = $$zelda.quux@hidden.example$$',
    `SELECT id FROM customers WHERE lower(email) = lower('X')`,
  ],
  [
    `SELECT id FROM customers WHERE email ILIKE '%hidden%' OR phone IS NULL ORDER BY id`,
    'SELECT id FROM customers WHERE pin BETWEEN 1 AND 6',
  ],
  [
    `SELECT id FROM customers WHERE email IN ('a', 'b@clear.example')`,
    'SELECT id FROM customers ORDER BY email NULLS FIRST',
  ],
  [
    `INSERT INTO customers (id, name, email, region_id) VALUES (8, 'Dan', 'd@x.example', 1) RETURNING id, name`,
  ],
  [
    `INSERT INTO customers (id, name, email, region_id) VALUES (1, 'Ann', 'n@x.example', 1) ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email, name = EXCLUDED.name RETURNING id`,
  ],
  [
    `INSERT INTO customers (id, name, email, region_id) VALUES (1, 'Ann', 'n@x.example', 1) ON CONFLICT DO NOTHING`,
  ],
  [
    `UPDATE customers SET email = lower('NEW@X.example'), name = upper(name) WHERE id = 2 RETURNING id, name`,
  ],
  [
    `UPDATE customers SET phone = NULL WHERE email = 'b@clear.example'`,
    'UPDATE customers SET region_id = r.id FROM regions r WHERE r.title = $$north$$',
  ],
  ['INSERT INTO outbox (body) SELECT name FROM customers ORDER BY id RETURNING id, body'],
  ['INSERT INTO orders (customer_id, amount) VALUES (1, 3.5) RETURNING id, amount, note'],
  [
    'MERGE INTO customers c USING (VALUES (1, $$Zoe$$)) s(k, n) ON c.id = s.k WHEN MATCHED THEN UPDATE SET name = s.n',
  ],
  ['WITH u AS (UPDATE customers SET name = $$Y$$ WHERE id = 1 RETURNING id, name) SELECT * FROM u'],
  ['PREPARE q (int) AS SELECT name FROM customers WHERE id = $1', 'EXECUTE q (1)', 'DEALLOCATE q'],
  [
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT id, name FROM customers ORDER BY id',
    'FETCH 2 FROM c',
    'MOVE 1 FROM c',
    'CLOSE c',
    'COMMIT',
  ],
  [
    'SELECT harmless(1)',
    'SELECT harmless(n) FROM generate_series(1, 2) n',
    'DO $$ BEGIN RAISE NOTICE $a$hello$a$; END $$',
  ],
  [
    'SELECT 1/0',
    'SELECT $$x$$::int',
    'SELECT nope FROM customers',
    'SELECT * FROM nowhere',
    'SELEC 1',
    `INSERT INTO regions VALUES (1, 'dup')`,
  ],
  [
    'CREATE TEMP TABLE w AS SELECT id, name FROM customers',
    'SELECT * FROM w ORDER BY id',
    'SELECT upper(name) FROM w ORDER BY 1',
    'INSERT INTO w VALUES (9, $$z$$)',
  ],
  [
    'CREATE TABLE made (id int PRIMARY KEY, name text)',
    'CREATE INDEX ON made (lower(name))',
    'ALTER TABLE made ADD COLUMN x int DEFAULT 1',
    'INSERT INTO made VALUES (1, $$a$$)',
    'SELECT * FROM made',
  ],
  [
    'CREATE TABLE made (id int PRIMARY KEY, customer int REFERENCES customers (id) ON DELETE CASCADE)',
    'INSERT INTO made VALUES (1, 1)',
  ],
  ['CREATE VIEW made AS SELECT count(*) AS n FROM orders', 'SELECT n FROM made'],
  [
    'CREATE FUNCTION made(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 + 1 $$',
    'SELECT made(1)',
  ],
  ['CREATE OPERATOR ##+ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)', 'SELECT 1 ##+ 2'],
  [
    'CREATE SCHEMA made',
    'ALTER SCHEMA made RENAME TO made2',
    'CREATE TYPE made2.t AS (a int)',
    'ALTER TYPE made2.t RENAME ATTRIBUTE a TO b',
  ],
  [
    'ANALYZE customers',
    'COMMENT ON COLUMN customers.email IS $$an address$$',
    'GRANT SELECT ON customers TO CURRENT_USER',
  ],
  [
    'EXPLAIN (COSTS off) SELECT name FROM customers WHERE id = 1',
    'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) SELECT count(*) FROM orders',
  ],
  [
    'COPY orders (id, customer_id) TO STDOUT',
    'COPY (SELECT id, amount FROM orders) TO STDOUT WITH CSV HEADER',
  ],
  [
    'REFRESH MATERIALIZED VIEW m_agg',
    'SELECT state, count(*) > 0 FROM pg_stat_activity WHERE pid = pg_backend_pid() GROUP BY state',
  ],
  [
    `SELECT tablename, attname, n_distinct FROM pg_stats WHERE tablename = 'regions' ORDER BY 2`,
    'SELECT relname FROM pg_stat_user_tables ORDER BY 1',
  ],
  [
    `SELECT 'customers'::regclass, to_regclass('nope'), pg_get_viewdef('v_clear'::regclass)`,
    `SELECT has_table_privilege('customers', 'SELECT')`,
  ],
  [
    `SELECT pg_get_serial_sequence('orders', 'id')`,
    `SELECT nextval('orders_id_seq') > 0`,
    `SELECT currval('orders_id_seq') > 0`,
    'SELECT lastval() > 0',
  ],
  ['VALUES (1, $$a$$), (2, NULL)', 'TABLE regions', '', ';', '-- nothing'],
];

/** Catalog queries of tools; the answers are compared as text. */
export const INTROSPECTION: readonly string[] = [
  // Django
  `SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1`,
  `SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'customers' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid)`,
  `SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'customers' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1`,
  // Rails
  `SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
  `SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'bool', 'timestamptz') ORDER BY 2`,
  `SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname`,
  // SQLAlchemy
  `SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default" FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped WHERE pg_catalog.pg_class.relname IN ('customers') ORDER BY pg_catalog.pg_attribute.attnum`,
  `SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname FROM (SELECT con.conrelid, con.conname, con.ord, a.attname FROM pg_attribute a JOIN (SELECT conrelid, conname, unnest(conkey) AS attnum, generate_subscripts(conkey, 1) AS ord FROM pg_constraint WHERE contype = 'p') AS con ON a.attnum = con.attnum AND a.attrelid = con.conrelid) AS attr GROUP BY 1, 3 ORDER BY 3`,
  // TypeORM, Prisma
  `SELECT columns.*, pg_catalog.col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) AS description FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'customers' ORDER BY ordinal_position`,
  `SELECT tbl.relname AS table_name, namespace.nspname as namespace, (tbl.relhassubclass and tbl.relkind = 'p') as is_partition, tbl.relrowsecurity as has_row_level_security, obj_description(tbl.oid, 'pg_class') as description FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE (tbl.relkind='r' AND tbl.relispartition = 't') OR (tbl.relkind='r' AND tbl.relispartition = 'f') OR tbl.relkind='p' ORDER BY namespace, table_name`,
  `SELECT oid, relname FROM (SELECT c.oid, c.relname, information_schema._pg_expandarray(i.indkey) AS k FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid WHERE c.relname = 'customers') q WHERE (k).n = 1 ORDER BY 1`,
  `SELECT table_name, constraint_name, constraint_type FROM information_schema.table_constraints WHERE table_schema = 'public' AND constraint_name NOT LIKE '%not_null' ORDER BY 1, 2`,
  `SELECT kcu.column_name, ccu.table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY' ORDER BY 1, 2`,
  'SELECT routine_name FROM information_schema.routines WHERE routine_schema = $$public$$ ORDER BY 1 LIMIT 5',
  'SELECT schemaname, viewname FROM pg_views WHERE schemaname = $$public$$ ORDER BY 2',
  'SELECT indexdef FROM pg_indexes WHERE tablename = $$customers$$ ORDER BY 1',
  // pgjdbc
  `SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE ct.relname = 'customers' AND i.indisprimary ORDER BY a.attname`,
  `SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = 1007 AND t.typelem = e.oid`,
];

/** psql's own commands. */
export const PSQL_COMMANDS: readonly string[] =
  '\\d|\\d+ customers|\\d customers|\\d+ v_clear|\\dt+|\\dv|\\df|\\df+ harmless|\\dn+|\\du|\\dT+|\\di|\\ds|\\dm|\\dp customers|\\dx|\\do ##|\\da max|\\dC text|\\dD|\\des|\\dd|\\ddp|\\drds|\\dRp|\\dy|\\l|\\sf harmless|\\sv v_clear|\\encoding|\\conninfo|\\dconfig work_mem'.split(
    '|',
  );
