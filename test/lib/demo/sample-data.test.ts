import pg from 'pg';
import t from 'tap';
import { loadSampleData } from '../../../lib/demo/sample-data.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

t.test('the sample shop', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t);
  const shop = await loadSampleData(server);
  const { host, port } = server;
  const client = new pg.Client({
    host,
    port,
    user: shop.user,
    password: shop.password,
    database: shop.database,
  });
  await client.connect();
  t.teardown(() => client.end());
  const query = async (text: string): Promise<Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(text)).rows;

  t.test('every table holds what was counted', async (t) => {
    t.same(Object.keys(shop.rowCounts).toSorted(), [
      'customers',
      'order_items',
      'orders',
      'payments',
      'products',
    ]);
    for (const [table, count] of Object.entries(shop.rowCounts)) {
      t.ok(count > 0);
      t.same(await query(`SELECT count(*)::int AS count FROM public.${table}`), [{ count }]);
    }
  });

  t.test('a payment is the total of its order', async (t) => {
    t.same(
      await query(
        'SELECT count(*)::int AS wrong FROM payments p WHERE amount <> order_total(p.order_id)',
      ),
      [{ wrong: 0 }],
    );
  });

  t.test('the view and the functions work', async (t) => {
    t.match(await query('SELECT * FROM customer_contacts ORDER BY id LIMIT 1'), [
      { id: 1, email: /@example\./ },
    ]);
    const top = await query('SELECT * FROM top_customers(3)');
    t.equal(top.length, 3);
    await query('BEGIN');
    const [{ id } = { id: 0 }] = await query(
      `SELECT id FROM orders WHERE status = 'placed' LIMIT 1`,
    );
    t.same(await query(`SELECT cancel_order(${Number(id)})`), [{ cancel_order: true }]);
    t.match(await query('SELECT forget_customer(1)'), [{ forget_customer: Number }]);
    await query('ROLLBACK');
  });

  t.test('the owner has no rights beyond its database', async (t) => {
    t.same(
      await query(
        'SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user',
      ),
      [
        {
          rolsuper: false,
          rolcreaterole: false,
          rolcreatedb: false,
          rolreplication: false,
          rolbypassrls: false,
        },
      ],
    );
  });

  t.test('every table says what it is for', async (t) => {
    t.same(
      await query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'v') AND obj_description(oid) IS NULL`),
      [],
    );
  });

  t.test('the password stands in no log', async (t) => {
    t.notMatch(server.readLog(), shop.password);
    await t.rejects(loadSampleData(server), {
      code: 'SAMPLE_DATA_FAILED',
      message: /already exists/,
    });
    t.notMatch(server.readLog(), /PASSWORD/);
  });
});
