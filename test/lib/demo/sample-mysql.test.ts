import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { findMariadb, startMariadb } from '../../../lib/demo/mariadb-server.ts';
import { loadMysqlSample, makeMysqlSample } from '../../../lib/demo/sample-mysql.ts';
import { makeSampleRows } from '../../../lib/demo/sample-rows.ts';

const found = await findMariadb();

t.test('MariaDB gets the same shop', { skip: typeof found === 'string' && found }, async (t) => {
  if (typeof found === 'string') return;
  const sample = makeMysqlSample();
  const server = await startMariadb(found, sample);
  t.teardown(() => server.stop());
  const rows = makeSampleRows();
  const counts = Object.entries(rows).map(([table, list]) => [table, list.length]);
  t.same(await loadMysqlSample(server, sample), Object.fromEntries(counts));

  const { host, port } = server;
  const connection = await createConnection({ host, port, ...sample, dateStrings: true });
  t.teardown(() => connection.end());
  const ask = async (sql: string): Promise<unknown> => (await connection.query(sql))[0];
  const [first] = rows.customers;
  t.match(await ask('SELECT * FROM customers WHERE id = 1'), [
    {
      full_name: first?.['full_name'],
      email: first?.['email'],
      date_of_birth: first?.['date_of_birth'],
      created_at: String(first?.['created_at']).replace('T', ' ').replace('Z', ''),
    },
  ]);
  t.match(await ask('SELECT email FROM customer_contacts WHERE id = 1'), [
    { email: first?.['email'] },
  ]);
  t.match(await ask('SELECT order_total(3) > 0 AS ok, cancel_order(-1) AS cancelled'), [
    { ok: 1, cancelled: 0 },
  ]);
  t.match(await ask('CALL top_customers(2)'), [[{ full_name: /\w/ }, { full_name: /\w/ }]]);
  t.match(await ask('SELECT forget_customer(1) > 0 AS forgotten'), [{ forgotten: 1 }]);
});

t.test('a server that is not there is an error with a reason', async (t) => {
  const server = { host: '127.0.0.1', port: 1 };
  await t.rejects(loadMysqlSample(server, makeMysqlSample()), {
    code: 'SAMPLE_DATA_FAILED',
    message: /could not be loaded into MariaDB/,
  });
});
