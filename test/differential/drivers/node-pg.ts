/** node-postgres: rows, binary, prepared statements, errors, notices, notifications, cancelled statements. */

import pg from 'pg';

function show(name: string, value: unknown): void {
  console.log(`${name}: ${JSON.stringify(value)}`);
}

async function failing(client: pg.Client, sql: string): Promise<void> {
  try {
    await client.query(sql);
    show(sql, 'no error');
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    show(sql, [
      error.severity,
      error.code,
      error.message,
      error.detail,
      error.constraint,
      error.position,
    ]);
  }
}

async function main(): Promise<void> {
  const isSecure = process.env['PGSSLMODE'] === 'require';
  const client = new pg.Client(isSecure ? { ssl: { rejectUnauthorized: false } } : {});
  client.on('notice', (notice) => show('notice', [notice.severity, notice.message]));
  const heard = new Promise((resolve) => {
    client.on('notification', ({ channel, payload }) => resolve([channel, payload]));
  });
  await client.connect();
  show('user', (await client.query('SELECT current_user')).rows);
  for (const binary of [false, true]) {
    const text = 'SELECT id, name, photo, mood FROM people WHERE id < $1 ORDER BY id';
    // `binary` is documented but missing from the types.
    const own: pg.QueryArrayConfig & { binary: boolean } = {
      text,
      values: [4],
      rowMode: 'array',
      binary,
    };
    const result = await client.query<unknown[]>(own);
    const columns = result.fields.map((field) => [
      field.name,
      // Numbers of types made in this database differ from one database to the next.
      Math.min(field.dataTypeID, 16_384),
      field.format,
    ]);
    show(`rows ${binary}`, [result.rows, columns]);
  }
  for (let count = 0; count < 4; count += 1) {
    const result = await client.query({
      name: 'named',
      text: 'SELECT $1::int + $2::int AS n',
      values: [count, 1],
    });
    show('named', [result.rows, result.command, result.rowCount]);
  }
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, index) => client.query('SELECT $1::int AS n', [index])),
  );
  show(
    'queued',
    many.map((result) => result.rows[0].n),
  );
  const several = await client.query(
    'SELECT 1 AS a; SELECT 2 AS b; UPDATE people SET note = $$n$$ WHERE id < 5',
  );
  show(
    'several',
    (Array.isArray(several) ? several : [several]).map((result: pg.QueryResult) => [
      result.command,
      result.rowCount,
      result.rows,
    ]),
  );
  for (const sql of [
    'SELECT 1/0',
    'SELEKT',
    'SELECT missing',
    "INSERT INTO people (id, name) VALUES (1, 'x')",
    '',
  ]) {
    await failing(client, sql);
  }
  await client.query('BEGIN');
  await failing(client, 'SELECT 1/0');
  await failing(client, 'SELECT 1');
  show('commit', (await client.query('COMMIT')).command);
  await client.query('LISTEN news');
  await client.query("SELECT pg_notify('news', 'hello')");
  show('heard', await heard);
  await client.query('SELECT purge(11)');
  const big = await client.query("SELECT repeat('ä', 3000000) AS v, generate_series(1, 3) AS n");
  show(
    'big',
    big.rows.map((row: { v: string; n: number }) => [row.v.length, row.n]),
  );
  await client.end();
}

await main();
