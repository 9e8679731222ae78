/** mysql2 reads every type of `typed`, as text and prepared, and prints what kind of value each became. */

import mysql from 'mysql2/promise';

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'date';
  if (Buffer.isBuffer(value)) return 'bytes';
  if (typeof value === 'number' && Number.isNaN(value)) return 'not a number';
  return typeof value;
}

async function main(): Promise<void> {
  const client = await mysql.createConnection({
    host: process.env['DB_HOST'] ?? '',
    port: Number(process.env['DB_PORT']),
    user: process.env['DB_USER'] ?? '',
    password: process.env['DB_PASSWORD'] ?? '',
    database: process.env['DB_NAME'] ?? '',
    connectTimeout: 120_000,
  });
  for (const isPrepared of [false, true]) {
    const sql = 'SELECT * FROM typed ORDER BY id';
    const [rows] = await (isPrepared
      ? client.execute<mysql.RowDataPacket[]>(sql)
      : client.query<mysql.RowDataPacket[]>(sql));
    for (const row of rows) {
      for (const [name, value] of Object.entries(row)) console.log(`${name}: ${kindOf(value)}`);
    }
  }
  await client.end();
}

await main();
