import pg from 'pg';
import t from 'tap';
import { findLargeObjectRoutine } from '../../../lib/gateway/large-objects.ts';
import { createPostgresReader } from '../../../lib/sql/reader.ts';
import './large-object-cases.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

/** What SQL does not tell of functions that only look or move a position. */
const HARMLESS: ReadonlySet<string> = new Set(['read', 'session']);

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
  t.same(findLargeObjectRoutine(954), { name: 'loread', effects: ['read'] });
  t.same(findLargeObjectRoutine(955), { name: 'lowrite', effects: ['update'] });
  t.same(findLargeObjectRoutine(964), { name: 'lo_unlink', effects: ['delete'] });
  t.equal(findLargeObjectRoutine(1), undefined);
  t.equal(findLargeObjectRoutine(764), undefined, 'lo_import reads files of the server');
});

t.test('called by number a routine does what it does when called in SQL (PG-46)', async (t) => {
  const reader = createPostgresReader({ workers: 1 });
  t.teardown(() => reader.close());
  const routines = Array.from({ length: 4000 }, (_, oid) => findLargeObjectRoutine(oid)).flatMap(
    (routine) => (routine === undefined ? [] : [routine]),
  );
  t.same(routines.map(({ name }) => name).toSorted(), NAMES.toSorted());
  for (const { name, effects } of routines) {
    const analysis = await reader.analyze(`SELECT ${name}(1, 2)`);
    t.equal(analysis.kind, 'analysis');
    // The read of the SELECT itself is of nothing.
    const inSql = (analysis.kind === 'analysis' ? analysis.effects : [])
      .filter(({ object }) => object !== undefined)
      .map(({ effect }) => effect);
    const toldInSql = effects.filter((effect) => !HARMLESS.has(effect));
    t.same(inSql.toSorted(), toldInSql.toSorted(), name);
  }
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
