import pg from 'pg';
import t from 'tap';
import { EFFECTS } from '../../../lib/sql/analysis.ts';
import { functionEffect, HARMLESS_VOLATILE } from '../../../lib/sql/postgres-functions.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

t.test('ts_rewrite runs its text only with two arguments (PG-63)', async (t) => {
  t.ok(functionEffect(undefined, 'ts_rewrite', 2)?.reveals);
  t.equal(functionEffect(undefined, 'ts_rewrite', 3), undefined);
});

t.test('the effects are words that exist', async (t) => {
  for (const name of ['lo_unlink', 'dblink_exec', 'pg_notify', 'setval'])
    for (const effect of functionEffect(undefined, name, 1)?.effects ?? [])
      t.ok(EFFECTS.includes(effect));
  t.equal(functionEffect(undefined, 'nextval', 1), undefined, 'every INSERT does it');
  t.equal(functionEffect('cron', 'anything', 0)?.reveals, true);
});

t.test(
  'every volatile function of the server is judged (PG-64)',
  { skip: embeddedPostgresMissing() },
  async (t) => {
    const server = await embeddedPostgres(t);
    const client = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: 'postgres',
      password: server.password,
      database: 'postgres',
    });
    await client.connect();
    const { rows } = await client.query<{ proname: string }>(
      `SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'
     AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)`,
    );
    await client.end();
    t.ok(rows.length > 150);
    const unjudged = rows
      .map(({ proname }) => proname)
      .filter(
        (name) => functionEffect(undefined, name, 2) === undefined && !HARMLESS_VOLATILE.has(name),
      );
    t.same(unjudged, []);
  },
);
