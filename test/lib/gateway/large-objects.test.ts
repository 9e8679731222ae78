import pg from 'pg';
import t from 'tap';
import { findLargeObjectRoutine } from '../../../lib/gateway/large-objects.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

const NAMES = [
  'lo_create',
  'lo_open',
  'lo_close',
  'loread',
  'lowrite',
  'lo_lseek',
  'lo_creat',
  'lo_tell',
  'lo_unlink',
  'lo_truncate',
  'lo_lseek64',
  'lo_tell64',
  'lo_truncate64',
];

t.test('writing, removing and reading differ', async (t) => {
  t.match(findLargeObjectRoutine(954), { name: 'loread', effect: 'read' });
  t.match(findLargeObjectRoutine(955), { name: 'lowrite', effect: 'update' });
  t.match(findLargeObjectRoutine(964), { name: 'lo_unlink', effect: 'delete' });
  t.equal(findLargeObjectRoutine(1), undefined);
  t.equal(findLargeObjectRoutine(764), undefined, 'lo_import reads files of the server');
});

t.test('the numbers are those of the server', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27_851 });
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  const { rows } = await client.query<{ oid: string; name: string }>(
    `SELECT oid::text, proname AS name FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY($1)`,
    [NAMES],
  );
  await client.end();
  t.equal(rows.length, NAMES.length);
  for (const { oid, name } of rows) t.equal(findLargeObjectRoutine(Number(oid))?.name, name);
});
