/**
 * Lineage against a real server: what an allowed statement gives out unmasked, or puts somewhere, never
 * holds a masked value, and stars have as many columns as the server says.
 */
import { createConnection, type Connection, type FieldPacket } from 'mysql2/promise';
import t from 'tap';
import { mariadbMissing, startMariadb } from '../../../support/mariadb-server.ts';
import { ALLOWED, SENSITIVE } from './exposure-cases.ts';
import { RandomStatements } from './random-statements.ts';
import { exposureOf, parse } from './read-statements.ts';

const MARK = 'SENTINEL';
const TABLES = `
  CREATE DATABASE IF NOT EXISTS app; USE app;
  CREATE OR REPLACE TABLE users (id int PRIMARY KEY, name text, email varchar(50), ssn text);
  CREATE OR REPLACE TABLE orders (id int, user_id int, total int, note text);
  INSERT INTO users VALUES (1, 'ann', '${MARK}-a', '${MARK}-b'), (2, 'bob', '${MARK}-c', '${MARK}-d');
  INSERT INTO orders VALUES (1, 1, 5, 'n1'), (2, 2, 7, 'n2'); SET @v = NULL`;
const RANDOM_COUNT = 4000;
const COPIES = `SELECT count(*) AS n FROM (SELECT name FROM users UNION ALL SELECT note FROM orders UNION ALL SELECT @v) x
  WHERE name LIKE '%${MARK}%'`;

const holdsMark = (value: unknown): boolean =>
  (JSON.stringify(value) ?? '').toUpperCase().includes(MARK);

interface Ran {
  readonly isLeaking: boolean;
  /** Undefined: no rows. */
  readonly columnCount: number | undefined;
}

/** Runs a statement and takes it back. */
async function run(client: Connection, sql: string): Promise<Ran> {
  const outputs = exposureOf(sql).outputs[0];
  await client.query('START TRANSACTION');
  await client.query('SET @v = NULL');
  try {
    const [rows, fields] = (await client.query({ sql, rowsAsArray: true })) as [
      unknown[][],
      FieldPacket[] | undefined,
    ];
    const count = Array.isArray(fields) ? fields.length : undefined;
    const isAligned = outputs?.length === count && outputs?.includes('star') !== true;
    const isMasked = (index: number): boolean =>
      // What does not fit is masked as a whole (lib/masking/plan.ts).
      outputs !== undefined && (!isAligned || outputs[index] === 'masked');
    const isTold =
      count !== undefined &&
      rows.some((row) => row.some((value, index) => holdsMark(value) && !isMasked(index)));
    const [[copies]] = (await client.query(COPIES)) as unknown as [[{ n: number }]];
    const [made] = (await client.query("SHOW TABLES LIKE 'made'")) as unknown as [unknown[]];
    return { isLeaking: isTold || copies.n > 0 || made.length > 0, columnCount: count };
  } finally {
    await client.query('ROLLBACK');
    await client.query('DROP TEMPORARY TABLE IF EXISTS made');
  }
}

t.test('on a real server', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  const client = await createConnection({
    host: server.host,
    port: server.port,
    user: server.rootUser,
    password: server.rootPassword,
    multipleStatements: true,
  });
  t.teardown(() => client.end());
  await client.query(TABLES);

  await t.test('no allowed case gives out a masked value', async (t) => {
    for (const [, , sql] of ALLOWED) {
      if (!/^\(?(?:SELECT|WITH|TABLE|VALUES|INSERT|DELETE|UPDATE|REPLACE|EXECUTE)/.test(sql))
        continue;
      if (/OUTFILE|\?|somewhere|LOAD/.test(sql)) continue;
      const ran = await run(client, sql).catch(() => undefined);
      t.notOk(ran?.isLeaking, sql);
    }
  });

  await t.test('the check can fail', async (t) => {
    await client.query('START TRANSACTION');
    await client.query('UPDATE users SET name = email');
    const [rows] = await client.query(COPIES);
    t.match(rows, [{ n: 2 }]);
    await client.query('ROLLBACK');
    t.ok(holdsMark('sentinel-a'));
  });

  await t.test('random statements', async (t) => {
    // The same statements each time, so that a build does not fail by chance; FUZZ_SEED looks for more.
    const seed = Number(process.env['FUZZ_SEED'] ?? 7);
    const statements = new RandomStatements(seed);
    const counts = { refused: 0, failed: 0, ran: 0 };
    const wrong: string[] = [];
    for (let index = 0; index < RANDOM_COUNT; index += 1) {
      const sql = statements.next();
      if (parse(sql) === undefined) {
        const isRun = await client.query(sql).then(
          () => true,
          () => false,
        );
        if (isRun) wrong.push(`cannot be parsed: ${sql}`);
        continue;
      }
      const exposure = exposureOf(sql);
      if (exposure.untraceable !== undefined) {
        counts.refused += 1;
        continue;
      }
      const ran = await run(client, sql).catch(() => undefined);
      if (ran === undefined) {
        counts.failed += 1;
        continue;
      }
      counts.ran += 1;
      const [outputs] = exposure.outputs;
      const isCounted =
        outputs === undefined || outputs.includes('star') || outputs.length === ran.columnCount;
      if (ran.isLeaking) wrong.push(`leaks: ${sql}`);
      if (!isCounted) wrong.push(`${outputs?.length} columns, not ${ran.columnCount}: ${sql}`);
    }
    t.same(wrong, [], `seed ${seed}`);
    t.comment(`${counts.ran} ran, ${counts.refused} were refused, ${counts.failed} are wrong SQL`);
    t.ok(counts.ran > 300 && counts.refused > 100, 'enough of each kind');
  });

  await t.test('names as the server compares them (MY-63)', async (t) => {
    await client.query('CREATE OR REPLACE TABLE n (ssn int, k int, e int)');
    const isColumn = async (name: string): Promise<boolean> =>
      client.query(`SELECT \`${name}\` FROM n`).then(
        () => true,
        () => false,
      );
    t.ok(await isColumn('SSN'));
    for (const name of ['\u017Fsn', 's\u015Bn', '\u00E9', 'ssn ', '\uFF53sn', '\u212A'])
      t.notOk(await isColumn(name), `${JSON.stringify(name)} is another name`);
    await client.query('CREATE OR REPLACE TABLE n (\u00E9 int, \u00DF int)');
    t.ok(await isColumn('\u00C9'), 'case is ignored beyond ASCII');
    t.ok(SENSITIVE.relations.length > 0);
  });
});
