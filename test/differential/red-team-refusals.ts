/** Statements that must be refused (42501), and some near them that must not, in each mode. */

import { decodeFields } from '../support/raw-postgres.ts';
import type { SuiteContext } from './harness.ts';
import type { Way } from './lab.ts';
import { connectTo, type RedLab, sendAll } from './red-team-lab.ts';

/** Mode `strict`: no influence of a masked value on anything that can be seen. */
const STEERING: readonly string[] = [
  `SELECT id FROM customers WHERE email = 'x'`,
  'SELECT id FROM customers ORDER BY email',
  'SELECT id FROM customers ORDER BY lower(email)',
  'SELECT id, email FROM customers ORDER BY 2',
  'SELECT email FROM customers GROUP BY 1',
  'SELECT email FROM customers GROUP BY ROLLUP (1)',
  'SELECT email FROM customers GROUP BY GROUPING SETS ((1), ())',
  'SELECT count(*) FROM customers GROUP BY CUBE (email)',
  'SELECT count(*) FROM (SELECT DISTINCT email FROM customers) q',
  'SELECT count(*) FROM (SELECT DISTINCT * FROM customers) q',
  'SELECT DISTINCT ON (2) id, email FROM customers',
  'SELECT count(*) FROM customers a JOIN customers b USING (email)',
  'SELECT count(*) FROM customers NATURAL JOIN (SELECT $$x$$::varchar AS email) q',
  'SELECT count(*) FROM customers HAVING min(email) > $$m$$',
  'SELECT row_number() OVER (ORDER BY email) FROM customers',
  'SELECT row_number() OVER w FROM customers WINDOW w AS (PARTITION BY email)',
  'SELECT count(*) FILTER (WHERE email IS NULL) FROM customers',
  'SELECT string_agg(name, $$$$ ORDER BY email) FROM customers',
  'SELECT id FROM customers c WHERE c IS NOT NULL',
  'SELECT id FROM customers c ORDER BY c',
  'SELECT id FROM customers c GROUP BY c, id',
  `SELECT 1 WHERE EXISTS (SELECT FROM customers WHERE email LIKE 'a%')`,
  `SELECT 1 WHERE 'x' IN (SELECT email FROM customers)`,
  `SELECT id FROM v_plain WHERE contact = 'x'`,
  `SELECT e.id FROM (SELECT id, email AS z FROM customers) e WHERE z = 'x'`,
  `UPDATE customers SET name = 'x' WHERE email = 'x'`,
  `UPDATE orders SET note = 'x' FROM customers c WHERE c.email = 'x'`,
  `MERGE INTO customers c USING (VALUES ('x')) s(e) ON c.email = s.e WHEN MATCHED THEN UPDATE SET name = 'y'`,
  `MERGE INTO customers c USING (VALUES (1)) s(e) ON c.id = s.e WHEN MATCHED AND email = 'x' THEN UPDATE SET name = 'y'`,
  `INSERT INTO customers (id, name, email, region_id) VALUES (50, 'x', 'x', 1) ON CONFLICT (email) DO NOTHING`,
  `INSERT INTO customers (id, name, email, region_id) VALUES (50, 'x', 'x', 1) ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE customers.email = 'x'`,
  `EXPLAIN SELECT id FROM customers WHERE email = 'x'`,
  'SELECT 1 LIMIT (SELECT count(*) FROM customers WHERE email = $$x$$)',
  'SELECT count(*) OVER (ORDER BY g ROWS (SELECT pin FROM customers WHERE id = 2) PRECEDING) FROM generate_series(1, 9) g',
  'DECLARE c CURSOR WITH HOLD FOR SELECT id FROM customers ORDER BY email',
  'PREPARE p (text) AS SELECT id FROM customers WHERE email = $1',
  'COPY (SELECT id FROM customers ORDER BY email) TO STDOUT',
  `CREATE TABLE z AS SELECT id FROM customers WHERE email = 'x'`,
  `DO $$ BEGIN PERFORM 1 FROM customers WHERE email = 'x'; END $$`,
  `SELECT f_email(1) = 'x'`,
  `SELECT domain FROM customers WHERE domain = 'x'`,
];

/** Mode `mask`: more than yes or no, without a value that a search in the bytes would find. */
const ESCAPING: readonly string[] = [
  'SELECT count(*) OVER (ORDER BY g ROWS (SELECT pin FROM customers WHERE id = 2) PRECEDING) FROM generate_series(1, 9) g',
  'SELECT count(*) OVER w FROM generate_series(1, 9) g WINDOW w AS (ORDER BY g ROWS (SELECT pin FROM customers WHERE id = 2) PRECEDING)',
  'SELECT 1 LIMIT (SELECT pin FROM customers WHERE id = 2)',
  'SELECT 1 FETCH FIRST (SELECT pin FROM customers WHERE id = 2) ROWS ONLY',
  'SELECT id FROM orders TABLESAMPLE BERNOULLI ((SELECT pin FROM customers WHERE id = 2))',
  'UPDATE sink SET arr[1:(SELECT pin FROM customers WHERE id = 2)] = $${1}$$',
  'SELECT sum(pin) FROM customers',
  'SELECT length(email), email IS NULL FROM customers',
  'SELECT setseed(pin) FROM customers',
  `SELECT setval('orders_id_seq', pin) FROM customers`,
  'SELECT id FROM customers WHERE pg_advisory_lock(pin) IS NULL',
  `SELECT id FROM customers WHERE nextval('orders_id_seq') > pin AND pg_sleep(pin) IS NULL`,
  'CREATE TABLE z (e varchar REFERENCES customers (email) ON UPDATE CASCADE)',
  'CREATE TABLE z (LIKE customers INCLUDING ALL)',
  'CREATE TABLE z () INHERITS (customers)',
  'CREATE INDEX ON customers ((email || name))',
  'CREATE STATISTICS s ON email, name FROM customers',
  'CREATE POLICY p ON customers USING (true)',
  'ALTER TABLE customers DISABLE TRIGGER ALL',
  'CREATE PUBLICATION p FOR TABLE customers',
];

/** Block rules: ways that destroy and are none of DROP, DELETE and TRUNCATE by name. */
const DESTROYING: readonly string[] = [
  `DO $$ DECLARE r record := purge_pair(); BEGIN END $$`,
  'CREATE OPERATOR public.!!! (FUNCTION = lo_unlink, RIGHTARG = oid)',
  'CREATE AGGREGATE public.gone(oid) (SFUNC = pg_catalog.lo_truncate, STYPE = int)',
  'ALTER FUNCTION pg_catalog.lo_unlink(oid) RENAME TO lo_look',
  'ALTER FUNCTION pg_catalog.lo_unlink(oid) SET SCHEMA public',
  'CREATE CAST (oid AS int) WITH FUNCTION lo_unlink(oid)',
  `SELECT pg_replication_origin_drop('x')`,
  'CREATE FUNCTION p() RETURNS int LANGUAGE sql AS $$ SELECT lo_unlink(1) $$',
  'EXPLAIN (ANALYZE off, ANALYZE on) DELETE FROM orders',
  'EXPLAIN ANALYZE WITH q AS (DELETE FROM orders RETURNING 1) SELECT 1',
  'ALTER TABLE orders ALTER COLUMN id DROP IDENTITY IF EXISTS',
  'DROP TABLE IF EXISTS nowhere, orders',
  'DROP TABLE pg_temp.x, orders',
  'DROP INDEX CONCURRENTLY customers_email_key',
  'DROP ROUTINE harmless',
  'DROP EXTENSION citext CASCADE',
  'DROP CAST (text AS citext)',
  'DROP OPERATOR CLASS citext_ops USING btree',
  'DROP TRANSFORM IF EXISTS FOR int LANGUAGE sql',
  'DROP ACCESS METHOD heap2',
  'DROP STATISTICS IF EXISTS s',
  'DROP EVENT TRIGGER IF EXISTS e',
  'DROP LANGUAGE plpgsql CASCADE',
  'DROP RULE "_RETURN" ON v_clear',
  'DROP USER MAPPING IF EXISTS FOR app SERVER s',
  'ALTER EXTENSION citext DROP TYPE citext',
  'ALTER TYPE person DROP ATTRIBUTE email',
  'ALTER VIEW v_clear ALTER COLUMN id DROP DEFAULT, DROP COLUMN name',
  'ALTER FOREIGN TABLE IF EXISTS ft DROP COLUMN a',
];

async function answerTo(way: Way, text: string): Promise<string> {
  const client = await connectTo(way);
  try {
    const seen = await sendAll(client, [text]);
    const error = seen.find((one) => one.type === 'E');
    if (error === undefined) return 'done';
    const { C = '', M = '' } = decodeFields(error.body);
    return `${C} ${M}`;
  } finally {
    client.close();
  }
}

/** Names the mask or a rule: the server's own 42501 says something else. */
const BY_WEIR = /^42501 .*(?:masked|rule|Weir|cannot judge)/;

export async function checkRefusals(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('what must be refused');
  await lab.recreate();
  const lists = [
    ['strict', lab.strict, STEERING],
    ['mask', lab.masked, ESCAPING],
    ['rules', lab.ruled, DESTROYING],
  ] as const;
  for (const [mode, way, texts] of lists) {
    await lab.recreate();
    for (const text of texts) {
      await context.check(`refused, ${mode}: ${text}`, async () => {
        const answer = await answerTo(way, text);
        if (!BY_WEIR.test(answer)) throw new Error(`answered: ${answer}`);
      });
    }
  }
}
