/**
 * Ways to a masked value that the `mask` suite does not have: sequences of statements, each of which
 * shows a secret when sent direct. `$PORT` is the server's port, `$PASSWORD` the password of `app`.
 */

const SPY = `LANGUAGE sql AS $$ INSERT INTO sink (t) VALUES ($1) RETURNING t $$`;
const FOUND = 'SELECT t FROM sink';

export interface LeakCase {
  readonly steps: readonly string[];
  /** First version of the server that has it. */
  readonly since?: number;
}

function leak(...steps: readonly string[]): LeakCase {
  return { steps };
}

function since(version: number, ...steps: readonly string[]): LeakCase {
  return { steps, since: version };
}

/** The name or the kind of what is masked changes without the table being named. */
const RENAMES: readonly LeakCase[] = [
  leak('ALTER SCHEMA public RENAME TO p2', 'SELECT email FROM p2.customers'),
  leak('ALTER TYPE person RENAME ATTRIBUTE email TO e2 CASCADE', 'SELECT e2 FROM typed'),
  leak(
    'ALTER FUNCTION pg_catalog.query_to_xml(text, boolean, boolean, text) RENAME TO q2x',
    `SELECT q2x('select email from customers', true, true, '')`,
  ),
  leak(
    'ALTER ROUTINE pg_catalog.query_to_xml SET SCHEMA public',
    `SELECT public.query_to_xml('select email from customers', true, true, '')`,
  ),
];

/** Code of the attacker's own that the server calls with masked values in a condition (PG-62, PG-80). */
const SPIES: readonly LeakCase[] = [
  leak(
    `CREATE FUNCTION public.lower(varchar) RETURNS text ${SPY}`,
    `SELECT id FROM customers WHERE lower(email) = 'x'`,
    FOUND,
  ),
  leak(
    'BEGIN',
    `CREATE FUNCTION public.lower(varchar) RETURNS text ${SPY}`,
    `SELECT id FROM customers WHERE lower(email) = 'x'`,
    FOUND,
    'COMMIT',
  ),
  leak(
    `CREATE FUNCTION public.snoop(varchar) RETURNS text ${SPY}`,
    'ALTER FUNCTION snoop(varchar) RENAME TO upper',
    `SELECT id FROM customers WHERE upper(email) = 'x'`,
    FOUND,
  ),
  leak(
    `CREATE FUNCTION public.length(text) RETURNS text ${SPY}`,
    'SET search_path = public, pg_catalog',
    `SELECT id FROM customers WHERE length(phone) = 'x'`,
    FOUND,
  ),
  leak(
    `CREATE FUNCTION public.upper(ssn_text) RETURNS text ${SPY}`,
    `SELECT id FROM customers WHERE upper(ssn) = 'x'`,
    FOUND,
  ),
  leak(
    'CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
    `SELECT id FROM customers WHERE email = 'x'::text`,
    FOUND,
  ),
  leak(
    'BEGIN',
    'CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
    `SELECT id FROM customers WHERE email = 'x'::text`,
    FOUND,
    'COMMIT',
  ),
  leak(
    'CREATE OPERATOR public.~~ (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
    `SELECT id FROM customers WHERE email LIKE 'x'::text`,
    FOUND,
  ),
  leak(
    'CREATE OPERATOR public.<<>> (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
    `SELECT id FROM customers WHERE email <<>> ANY (ARRAY['x'])`,
    FOUND,
  ),
  leak(
    'CREATE OPERATOR public.<<>> (LEFTARG = varchar, RIGHTARG = text, FUNCTION = spy)',
    `SELECT id FROM customers WHERE email <<>> ALL (ARRAY['x'])`,
    FOUND,
  ),
  leak(
    `CREATE FUNCTION keep(text, varchar) RETURNS text LANGUAGE sql AS $$ INSERT INTO sink (t) VALUES ($2) RETURNING t $$`,
    'CREATE AGGREGATE public.max(varchar) (SFUNC = keep, STYPE = text)',
    `SELECT 1 FROM customers HAVING max(email) = 'x'`,
    FOUND,
  ),
  leak(
    `CREATE FUNCTION see(pg_catalog.text) RETURNS boolean LANGUAGE sql AS $$ INSERT INTO sink (t) VALUES ($1); SELECT true $$`,
    'CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.see(VALUE))',
    'SET search_path = public, pg_catalog',
    `SELECT id FROM customers WHERE phone::text = 'x'`,
    FOUND,
  ),
  leak(
    `CREATE FUNCTION cast_mood(mood) RETURNS text LANGUAGE sql AS $$ INSERT INTO sink (t) SELECT 'x'; SELECT 'y' $$`,
    `CREATE FUNCTION to_key(varchar) RETURNS int LANGUAGE sql AS $$ INSERT INTO sink (t) VALUES ($1); SELECT 1 $$`,
    'CREATE CAST (varchar AS int) WITH FUNCTION to_key(varchar) AS IMPLICIT',
    'SELECT id FROM customers WHERE email = 1',
    FOUND,
  ),
  leak(
    `CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('x.y', coalesce(current_setting('x.y', true), '') || coalesce($1, ''), false); RETURN ''; END $$`,
    `SET x.y = '-'`,
    `SELECT id FROM customers WHERE upper(email) = 'x'`,
    'SHOW x.y',
  ),
];

/** Places in a statement where a value may stand and that are easily forgotten. */
const PLACES: readonly LeakCase[] = [
  leak(
    'UPDATE sink SET arr[(SELECT pin FROM customers WHERE id = 1)] = 1',
    'SELECT array_lower(arr, 1) FROM sink',
  ),
  leak(
    'INSERT INTO sink (arr[(SELECT pin FROM customers WHERE id = 1)]) VALUES (1)',
    'SELECT array_lower(arr, 1) FROM sink',
  ),
  leak(
    `INSERT INTO sink (n) VALUES (1) ON CONFLICT (n) DO UPDATE SET arr[(SELECT pin FROM customers WHERE id = 1)] = 1`,
    'SELECT array_lower(arr, 1) FROM sink',
  ),
  leak(
    'MERGE INTO sink USING customers c ON n = c.id WHEN MATCHED AND c.id = 1 THEN UPDATE SET arr[c.pin] = 1',
    'SELECT array_lower(arr, 1) FROM sink',
  ),
  leak(`UPDATE sink SET j[(SELECT email FROM customers WHERE id = 1)] = '1'`, 'SELECT j FROM sink'),
  leak('UPDATE sink SET (t, n) = (SELECT email, 1 FROM customers WHERE id = 1)', FOUND),
  leak('UPDATE sink SET (t) = ROW((SELECT email FROM customers WHERE id = 1))', FOUND),
  leak(
    `INSERT INTO customers (id, name, region_id) VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET name = customers.email RETURNING name`,
  ),
  leak('SELECT j FROM (customers c JOIN regions r ON r.id = c.region_id) AS j'),
  leak('SELECT upper(j.email) FROM (customers c JOIN regions r ON r.id = c.region_id) AS j'),
  leak(
    'SELECT j.c FROM (customers c JOIN regions r ON r.id = c.region_id) AS j (a, b, c, d) WHERE a > 0',
  ),
  leak(
    'SELECT upper(j.c) FROM (customers c JOIN regions r ON r.id = c.region_id) AS j (a, b, c, d)',
  ),
  leak('SELECT u FROM customers a JOIN customers b USING (email) AS u'),
  leak('SELECT upper(u.email) FROM customers a JOIN customers b USING (email) AS u'),
  leak('SELECT email FROM customers GROUP BY ROLLUP (email)'),
  leak('SELECT email, count(*) FROM customers GROUP BY GROUPING SETS ((email), ())'),
  leak('PREPARE p AS SELECT email FROM customers GROUP BY CUBE (email)', 'EXECUTE p'),
  leak('PREPARE p AS SELECT DISTINCT ON (email) c.email FROM customers c', 'EXECUTE p'),
  leak('PREPARE p AS SELECT (c).email FROM customers c', 'EXECUTE p'),
  leak('PREPARE p AS SELECT q.* FROM (SELECT (c).* FROM customers c) q', 'EXECUTE p'),
  leak(
    'PREPARE p AS WITH RECURSIVE q AS (SELECT email FROM customers) SELECT email FROM q',
    'EXECUTE p',
  ),
  leak(
    'PREPARE p AS WITH q AS (UPDATE customers SET name = name RETURNING email AS x) SELECT x FROM q',
    'EXECUTE p',
  ),
  leak(
    'PREPARE p AS SELECT email FROM customers a RIGHT JOIN (SELECT 1 AS id) b USING (id)',
    'EXECUTE p',
  ),
  leak(
    'PREPARE p AS SELECT email FROM customers ORDER BY email FETCH FIRST 9 ROWS WITH TIES',
    'EXECUTE p',
  ),
  leak(
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT email FROM customers GROUP BY ROLLUP (email)',
    'FETCH ALL FROM c',
    'COMMIT',
  ),
  leak('WITH q AS (SELECT customers FROM customers) SELECT (customers).email FROM q'),
  leak('SELECT email(customers) FROM customers'),
  leak('SELECT customers.row_to_json FROM customers'),
  leak('SELECT c.to_jsonb FROM customers c'),
  leak('SELECT (SELECT c.email) FROM customers c'),
  leak('SELECT x FROM customers c CROSS JOIN LATERAL (SELECT c.email AS x) q'),
  leak('SELECT upper(x) FROM customers c CROSS JOIN LATERAL (SELECT c.email AS x) q'),
  leak('SELECT upper(x) FROM customers c CROSS JOIN LATERAL (VALUES (c.email)) q(x)'),
  leak('SELECT x FROM ROWS FROM (unnest(ARRAY(SELECT email FROM customers))) AS t(x)'),
  leak('SELECT * FROM json_to_recordset((SELECT json_agg(c) FROM customers c)) AS t(email text)'),
  leak(`SELECT (json_populate_record(NULL::customers, row_to_json(c))).email FROM customers c`),
  leak(`SELECT (c #= ''::hstore).email FROM customers c`),
  leak('SELECT hstore(c) FROM customers c'),
  leak(
    'SELECT show_trgm(email) FROM customers WHERE id = 1',
    'SELECT email::citext FROM customers',
  ),
  leak(`SELECT ts_headline(email, to_tsquery('x')) FROM customers`),
  leak('SELECT to_tsvector($$simple$$, email) FROM customers'),
  leak('SELECT domain || email FROM customers'),
  leak(
    'SELECT (xpath($$/r/text()$$, xmlelement(name r, email)))[1] FROM customers WHERE email IS NOT NULL',
  ),
  leak('SELECT XMLAGG(XMLELEMENT(NAME e, email)) FROM customers'),
  leak('SELECT string_agg(email, $$,$$) FILTER (WHERE id = 1) FROM customers'),
  leak('SELECT (array_agg(email ORDER BY id))[1] FROM customers'),
  leak('SELECT lead(email, 0) OVER () FROM customers'),
  leak('SELECT array_agg(phone) OVER (ORDER BY id GROUPS 1 PRECEDING) FROM customers'),
  leak('SELECT tags || email::text FROM customers'),
  leak('SELECT overlay(email placing $$$$ from 1 for 0) FROM customers'),
  leak('SELECT normalize(phone) FROM customers'),
  leak('SELECT trim(email), btrim(email) FROM customers'),
  leak('SELECT * FROM (SELECT * FROM customers) s (a, b, c) WHERE c IS NOT NULL'),
  leak('SELECT upper(c) FROM (SELECT * FROM customers) s (a, b, c)'),
  leak('WITH s (a, b, c) AS (SELECT * FROM customers) SELECT upper(c) FROM s'),
  leak('WITH customers AS (SELECT * FROM customers) SELECT upper(email) FROM customers'),
  leak(
    'WITH RECURSIVE q AS (SELECT id, email FROM customers UNION SELECT id, email FROM q) SELECT email FROM q',
  ),
  leak(
    'WITH RECURSIVE t AS (SELECT id, email FROM customers UNION ALL SELECT id, email FROM t WHERE false) SEARCH DEPTH FIRST BY email SET o SELECT o FROM t',
  ),
  since(
    17,
    'MERGE INTO sink s USING customers c ON s.n = c.id WHEN NOT MATCHED THEN INSERT (n) VALUES (c.id) RETURNING c',
  ),
  since(
    17,
    `MERGE INTO sink s USING customers c ON s.n = c.id WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (n) VALUES (c.id) RETURNING merge_action(), c.email || ''`,
  ),
  since(
    17,
    `MERGE INTO customers c USING (VALUES (1)) s(k) ON c.id = s.k WHEN MATCHED THEN UPDATE SET name = 'x' RETURNING c.*`,
  ),
  since(
    17,
    `SELECT * FROM JSON_TABLE((SELECT to_jsonb(c) FROM customers c WHERE id = 1), '$' COLUMNS (e text PATH '$.email')) q`,
  ),
  since(17, `SELECT JSON_VALUE(to_jsonb(c), '$.email') FROM customers c`),
  since(17, 'SELECT JSON_SERIALIZE(to_json(email)) FROM customers'),
  since(16, `SELECT JSON_OBJECT('k': email), JSON_ARRAY(phone) FROM customers`),
  since(
    18,
    'UPDATE customers SET name = name RETURNING WITH (OLD AS o, NEW AS n) upper(o.email), n',
  ),
  since(18, 'UPDATE customers SET name = name RETURNING old'),
  since(18, 'UPDATE customers SET name = name RETURNING old.email, new.phone, old.*'),
];

/** Bodies of code. */
const BODIES: readonly LeakCase[] = [
  leak(
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT email FROM customers ORDER BY id',
    `DO $$ DECLARE c refcursor := 'c'; x text; BEGIN FETCH c INTO x; INSERT INTO sink (t) VALUES (x); END $$`,
    FOUND,
    'COMMIT',
  ),
  leak(
    `CREATE FUNCTION see(x text) RETURNS boolean ${SPY.replace('RETURNING t', 'RETURNING true')}`,
    'CREATE DOMAIN seen AS text CHECK (see(VALUE))',
    'ALTER TYPE person ALTER ATTRIBUTE email TYPE seen CASCADE',
    FOUND,
  ),
  leak(
    `DO $$ DECLARE r record := (SELECT ROW(set_config('x.y', email, false)) FROM customers WHERE id = 1); BEGIN END $$`,
    'SHOW x.y',
  ),
  leak('SELECT f_record()'),
  leak('SELECT f_default()'),
  leak('SELECT f_atomic(1)'),
  leak(
    `CREATE FUNCTION g() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r customers := (SELECT c FROM customers c WHERE id = 1); BEGIN RETURN r.email; END $$`,
    'SELECT g()',
  ),
  leak(
    `CREATE FUNCTION g() RETURNS text LANGUAGE plpgsql AS $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM customers LOOP RETURN t::text; END LOOP; END $$`,
    'SELECT g()',
  ),
  leak(
    'CREATE OPERATOR public.!!! (FUNCTION = ts_rewrite, LEFTARG = tsquery, RIGHTARG = text)',
    `SELECT 'a'::tsquery !!! 'SELECT ''a''::tsquery, quote_literal(email)::tsquery FROM customers WHERE id = 1'`,
  ),
  leak(
    'CREATE AGGREGATE public.agg(text) (SFUNC = ts_rewrite, STYPE = tsquery, INITCOND = $$a$$)',
    `SELECT agg('SELECT ''a''::tsquery, quote_literal(email)::tsquery FROM customers WHERE id = 1')`,
  ),
];

/** What a statement sets off elsewhere: its diagnostics quote rows of a table that it does not name (PG-81). */
const CASCADES: readonly LeakCase[] = [
  leak('UPDATE regions SET id = 99 WHERE id = 1'),
  leak('INSERT INTO parcels (customer_id) VALUES (1)'),
  leak('COPY parcels (customer_id) FROM PROGRAM $$echo 1$$'),
  leak('WITH q AS (UPDATE regions SET id = 99 WHERE id = 1 RETURNING id) SELECT * FROM q'),
  leak(
    'MERGE INTO regions r USING (VALUES (1)) s(k) ON r.id = s.k WHEN MATCHED THEN UPDATE SET id = 77',
  ),
  leak('PREPARE p AS UPDATE regions SET id = 99 WHERE id = 1', 'EXECUTE p'),
];

const GREP = `grep -aohr "zelda[.a-z]*@hidden.example" base | head -1`;

/** The server's own files and other ways in, for a user who may do anything. */
const OUTSIDE: readonly LeakCase[] = [
  leak(`COPY sink (t) FROM PROGRAM '${GREP}'`, FOUND),
  leak(
    'CREATE EXTENSION file_fdw',
    'CREATE SERVER files FOREIGN DATA WRAPPER file_fdw',
    `CREATE FOREIGN TABLE ft (t text) SERVER files OPTIONS (program '${GREP}')`,
    'SELECT t FROM ft',
  ),
  leak(
    'CREATE EXTENSION postgres_fdw',
    `CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '$PORT', dbname 'lab')`,
    `CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'app', password '$PASSWORD')`,
    `CREATE FOREIGN TABLE ft (email text) SERVER loop OPTIONS (table_name 'customers')`,
    'SELECT email FROM ft',
  ),
  leak(
    'CREATE EXTENSION postgres_fdw',
    `CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '$PORT', dbname 'lab')`,
    `CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'app', password '$PASSWORD')`,
    'CREATE SCHEMA far',
    'IMPORT FOREIGN SCHEMA public LIMIT TO (customers) FROM SERVER loop INTO far',
    'SELECT max(email) FROM far.customers',
  ),
];

export const LEAKS: readonly LeakCase[] = [
  ...RENAMES,
  ...SPIES,
  ...PLACES,
  ...BODIES,
  ...CASCADES,
  ...OUTSIDE,
];
