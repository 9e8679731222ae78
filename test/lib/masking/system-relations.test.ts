import t from 'tap';
import { MYSQL_SYSTEM, SYSTEM_COLUMNS } from '../../../lib/masking/system-relations.ts';
import { connectTo } from '../../support/catalog-server.ts';
import { fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

t.test(
  'the list is right and complete on a server',
  { skip: embeddedPostgresMissing() },
  async (t) => {
    const server = await embeddedPostgres(t, { port: 27412 });
    const client = await connectTo(t, server);
    const listed = SYSTEM_COLUMNS.filter(({ schema }) => schema === 'pg_catalog').flatMap(
      ({ relation, columns }) => columns.map((column) => `${relation}.${column}`),
    );
    const find = async (condition: string): Promise<readonly string[]> => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE a.attnum > 0 AND c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND ${condition}`,
      );
      return rows.map((row) => row.name);
    };
    const existing = new Set(await find('true'));
    t.same(
      listed.filter((name) => !existing.has(name)),
      [],
      'every column exists',
    );
    // Values of users' columns are kept in these types, wherever they are; one is a constant of DDL.
    const kept = await find(`a.atttypid IN ('anyarray'::regtype, 'pg_mcv_list'::regtype)`);
    t.ok(kept.length > 10);
    t.same(
      kept.filter((name) => !listed.includes(name)),
      ['pg_attribute.attmissingval'],
    );
  },
);

t.test('those of MySQL hold values of others whole or in some columns (MY-66)', async (t) => {
  const snapshot = fakeSnapshot([
    fakeRelation(1, 'processlist', ['id', 'info'], { schema: 'information_schema' }),
    fakeRelation(2, 'general_log', ['argument'], { schema: 'mysql' }),
    fakeRelation(3, 'user', ['host'], { schema: 'mysql' }),
    fakeRelation(4, 'tables', ['table_name'], { schema: 'information_schema' }),
    fakeRelation(5, 'general_log', ['argument'], { schema: 'shop' }),
  ]);
  const found = [...MYSQL_SYSTEM.find(snapshot)].map(({ relation, isShown }) => [
    relation.oid,
    relation.columns.filter(({ name }) => !isShown(name)).map(({ name }) => name),
  ]);
  t.same(found, [
    [1, ['info']],
    [2, ['argument']],
  ]);
  t.ok(MYSQL_SYSTEM.schemas.has('sys') && !MYSQL_SYSTEM.schemas.has('shop'));
});

t.test('every entry says why', async (t) => {
  for (const { relation, reason } of SYSTEM_COLUMNS) t.ok(reason.length > 10, relation);
});
