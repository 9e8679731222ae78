/** mysql2: promises, text and prepared, pool, types, errors, transactions, several results, procedures, streams, large values. */

import { createHash } from 'node:crypto';
import mysql from 'mysql2/promise';

const OPTIONS: mysql.ConnectionOptions = {
  host: process.env['DB_HOST'] ?? '',
  port: Number(process.env['DB_PORT']),
  user: process.env['DB_USER'] ?? '',
  password: process.env['DB_PASSWORD'] ?? '',
  database: process.env['DB_NAME'] ?? '',
  multipleStatements: true,
  // A loaded machine takes its time.
  connectTimeout: 120_000,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  ...(process.env['DB_TLS'] === '1' ? { ssl: { rejectUnauthorized: false } } : {}),
};

function show(name: string, value: unknown): void {
  console.log(
    `${name}: ${JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one))}`,
  );
}

function describe(fields: readonly mysql.FieldPacket[]): unknown {
  return fields.map((one) => [one.name, one.columnType, one.flags, one.columnLength, one.decimals]);
}

async function failing(client: mysql.Connection, sql: string, prepared = false): Promise<void> {
  try {
    await (prepared ? client.execute(sql) : client.query(sql));
    show(sql, 'no error');
  } catch (error) {
    const { code, errno, sqlState, sqlMessage } = error as mysql.QueryError & {
      sqlState?: string;
      sqlMessage?: string;
    };
    show(sql, [code, errno, sqlState, sqlMessage]);
  }
}

async function checkTypes(client: mysql.Connection): Promise<void> {
  for (const rowsAsArray of [false, true]) {
    const sql = 'SELECT * FROM alltypes ORDER BY id';
    const [text, textFields] = await client.query({ sql, rowsAsArray });
    const [binary, binaryFields] = await client.execute({ sql, rowsAsArray });
    show('text', [text, describe(textFields)]);
    show('binary', [binary, describe(binaryFields)]);
  }
  const [rows] = await client
    .execute('SELECT ? AS a, ? AS b, ? AS c, ? AS d, CAST(? AS JSON) AS e', [
      1,
      'ä😀',
      null,
      Buffer.of(0, 255, 39, 92),
      JSON.stringify({ x: [1] }),
    ])
    .catch(async () =>
      client.execute('SELECT ? AS a, ? AS b, ? AS c, ? AS d', [
        1,
        'ä😀',
        null,
        Buffer.of(0, 255, 39, 92),
      ]),
    );
  show('parameters', rows);
}

async function checkWrites(client: mysql.Connection): Promise<void> {
  await client.beginTransaction();
  const [inserted] = await client.execute('INSERT INTO sink (n, v) VALUES (?, ?)', [1, "it's"]);
  show('insert', inserted);
  await failing(client, "INSERT INTO people (id, name) VALUES (1, 'x')");
  show('still in the transaction', (await client.query('SELECT n, v FROM sink'))[0]);
  await client.rollback();
  show('rolled back', (await client.query('SELECT COUNT(*) AS n FROM sink'))[0]);
  const rows = Array.from({ length: 500 }, (_, index) => [index, `v${index}`]);
  show('batch', (await client.query('INSERT INTO sink (n, v) VALUES ?', [rows]))[0]);
  show('update', (await client.query('UPDATE sink SET v = ? WHERE n < 10', ['changed']))[0]);
  const large = Buffer.alloc(20 * 1024 * 1024, 'large \0 value ');
  await client.execute('INSERT INTO sink (n, body) VALUES (?, ?)', [9000, large]);
  const [[back]] = await client.query<mysql.RowDataPacket[]>(
    'SELECT body FROM sink WHERE n = 9000',
  );
  const body: unknown = back?.['body'];
  const digest = Buffer.isBuffer(body) ? createHash('sha256').update(body).digest('hex') : 'none';
  show('large', [digest === createHash('sha256').update(large).digest('hex'), digest]);
}

async function checkErrors(client: mysql.Connection): Promise<void> {
  for (const sql of [
    'SELEKT 1',
    'SELECT * FROM missing',
    'SELECT missing FROM people',
    "INSERT INTO people (id, name) VALUES (1, 'x')",
    'INSERT INTO people (id, name) VALUES (1000, NULL)',
    'SELECT 1; SELEKT 2; SELECT 3',
    'CALL fails_late()',
    '',
    '-- only a comment',
  ]) {
    await failing(client, sql);
    await failing(client, sql, true);
  }
}

async function checkSeveral(client: mysql.Connection): Promise<void> {
  const [several] = await client.query(
    "SELECT 1 AS a; SELECT 'b' AS b, NULL AS c; DO 0; SELECT id FROM people WHERE id < 3",
  );
  show('several', several);
  const [called] = await client.query('SET @d = 21; CALL two_results(2, @t, @d); SELECT @t, @d');
  show('call', called);
  const [results] = await client.execute('CALL two_results(3, @t, @d)');
  show('call prepared', results);
  show('warnings', [
    (await client.query('DROP TABLE IF EXISTS nothing_here'))[0],
    (await client.query('SHOW WARNINGS'))[0],
  ]);
  const statement = await client.prepare(
    'SELECT id, name FROM people WHERE id BETWEEN ? AND ? ORDER BY id',
  );
  for (let from = 1; from < 30; from += 10)
    show('prepared', (await statement.execute([from, from + 2]))[0]);
  statement.close();
  await client
    .changeUser({ database: 'information_schema' })
    .catch((error: Error) => show('change user', error.message));
  show('database', (await client.query('SELECT DATABASE() AS d'))[0]);
  await client.query(`USE ${process.env['DB_NAME']}`);
  await client.ping();
}

async function checkPool(): Promise<void> {
  const pool = mysql.createPool({ ...OPTIONS, connectionLimit: 4 });
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      index % 2 === 0
        ? pool.query<mysql.RowDataPacket[]>('SELECT ? AS n', [index])
        : pool.execute<mysql.RowDataPacket[]>('SELECT CAST(? AS SIGNED) AS n', [index]),
    ),
  );
  show(
    'pool',
    answers.map(([rows]) => rows[0]?.['n']),
  );
  await pool.end();
}

async function main(): Promise<void> {
  const client = await mysql.createConnection(OPTIONS);
  show(
    'user',
    (
      await client.query(
        'SELECT CURRENT_USER() AS c, USER() AS u, DATABASE() AS d, @@character_set_client AS s',
      )
    )[0],
  );
  const [ids] = await client.query<mysql.RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
  show('connection id is the one of the greeting', ids[0]?.['id'] === client.threadId);
  await checkTypes(client);
  await checkWrites(client);
  await checkErrors(client);
  await checkSeveral(client);
  await checkPool();
  const [rows] = await client.query<mysql.RowDataPacket[]>(
    "SELECT REPEAT('ä', 3000000) AS v, seq FROM seq_1_to_3",
  );
  show(
    'big',
    rows.map((row) => [String(row['v']).length, row['seq']]),
  );
  await client.end();
}

await main();
