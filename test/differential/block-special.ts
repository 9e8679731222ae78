/** Attempts of the `block` suite that are not plain statements: FunctionCall, COPY FROM, other sessions. */

import { connectRaw, type RawClient } from '../support/raw-client.ts';
import {
  bind,
  copyData,
  copyDone,
  execute,
  functionCall,
  parse,
  query,
  sync,
} from '../support/raw-postgres.ts';
import type { BlockLab } from './block-lab.ts';
import type { SuiteContext } from './harness.ts';
import { DATABASE, isInstalled, type Way } from './lab.ts';

type Act = (client: RawClient, way: Way) => Promise<void>;

async function callByNumber(lab: BlockLab, client: RawClient, signature: string): Promise<void> {
  const [row] = await lab.lab.admin(`SELECT '${signature}'::regprocedure::oid::text AS oid`);
  await client.exchange([functionCall(Number(row?.['oid']))]);
}

/** Data is sent only where the server asks for it; a refusal comes instead of the invitation. */
async function copyIn(client: RawClient, text: string): Promise<void> {
  client.send(query(text));
  for (;;) {
    const one = await client.next();
    if (one.type === 'Z') return;
    if (one.type === 'G') client.send(copyData('1\n'), copyDone());
  }
}

function attempts(lab: BlockLab): Readonly<Record<string, Act>> {
  return {
    'PG-46 FunctionCall of purge()': (client) => callByNumber(lab, client, 'purge()'),
    'PG-46 FunctionCall of outer_call() in a transaction': async (client) => {
      await client.query('BEGIN');
      await callByNumber(lab, client, 'outer_call()');
      await client.query('COMMIT');
    },
    'PG-46 FunctionCall of purge_escape() behind a pipeline': async (client) => {
      client.send(parse('', 'SELECT 1'), bind('', ''), execute(), sync());
      await callByNumber(lab, client, 'purge_escape()');
      await client.until('Z');
    },
    'PG-62 COPY FROM with a deleting condition': (client) =>
      copyIn(client, 'COPY sink (n) FROM STDIN WHERE purge() > 0'),
    'PG-62 COPY FROM with a deleting default': (client) =>
      copyIn(client, 'COPY purging_default (m) FROM STDIN'),
    'PG-50 COPY in a text with a DELETE behind it': (client) =>
      copyIn(client, 'COPY sink (n) FROM STDIN; DELETE FROM watched.victims'),
    'PG-38 prepared in SQL, bound by the protocol': async (client) => {
      await client.query('PREPARE d AS DELETE FROM watched.victims');
      await client.exchange([bind('', 'd'), execute(), sync()]);
    },
    'PG-38 prepared by the protocol, executed in SQL': async (client) => {
      await client.exchange([parse('d', 'DELETE FROM watched.victims'), sync()]);
      await client.query('EXECUTE d');
    },
    'PG-37 a refused name is prepared again and executed': async (client) => {
      await client.exchange([parse('d', 'SELECT purge()'), sync()]);
      await client.exchange([parse('d', 'SELECT 1'), sync()]);
      await client.query('DEALLOCATE ALL');
      await client.exchange([parse('d', 'SELECT purge()'), bind('', 'd'), execute(), sync()]);
    },
    'PG-41 described as harmless, then the search_path moves': async (client) => {
      await client.query('SET search_path = pg_catalog');
      await client.exchange([parse('d', "SELECT lower('X')"), bind('', 'd'), execute(), sync()]);
      await client.query('SET search_path = shadow, pg_catalog');
      await client.exchange([bind('', 'd'), execute(), sync()]);
    },
    'GW-3 the lexer changes in the same pipeline': async (client) => {
      client.send(
        query('SET standard_conforming_strings = off'),
        query("SELECT 'a\\', '; DELETE FROM watched.victims; --'"),
      );
      await client.until('Z', 2);
    },
    'GW-3 the search_path changes in the same pipeline': async (client) => {
      const one = (text: string): Buffer[] => [parse('', text), bind('', ''), execute()];
      await client.exchange([
        ...one('SET search_path = shadow, pg_catalog'),
        ...one("SELECT lower('X')"),
        sync(),
      ]);
    },
    'PG-24 a text that ends before the message does': async (client) => {
      client.send(query(Buffer.from('SELECT 1\0; DELETE FROM watched.victims')));
      client.send(query(Buffer.from('DELETE FROM watched.victims')));
      await client.until('Z', 1);
      await client.until('Z', 1, 300).catch(() => undefined);
    },
    'PG-63 dblink_exec in a session of its own': async (client) => {
      const link = `host=127.0.0.1 port=${lab.direct.port} dbname=${DATABASE} user=app password=app-secret`;
      await client.query(`SELECT links.dblink_exec('${link}', 'DELETE FROM watched.victims')`);
    },
    'PG-65 COPY TO PROGRAM': async (client) => {
      const address = `-h 127.0.0.1 -p ${lab.direct.port} -U app ${DATABASE}`;
      await client.query(
        `COPY (SELECT 1) TO PROGRAM 'PGPASSWORD=app-secret psql -X ${address} -c "DELETE FROM watched.victims"'`,
      );
    },
  };
}

async function run(way: Way, act: Act): Promise<void> {
  const client = await connectRaw({ ...way, database: DATABASE });
  try {
    await client.until('Z');
    await act(client, way);
  } finally {
    client.close();
  }
}

export async function checkSpecial(context: SuiteContext, lab: BlockLab): Promise<void> {
  const hasLink =
    (await lab.lab.admin("SELECT 1 FROM pg_extension WHERE extname = 'dblink'")).length > 0;
  const hasPsql = await isInstalled('psql');
  for (const [name, act] of Object.entries(attempts(lab))) {
    if (name.includes('dblink') && !hasLink) {
      context.skip(name, 'the server has no dblink');
      continue;
    }
    if (name.includes('PROGRAM') && !hasPsql) {
      context.skip(name, 'psql is not installed');
      continue;
    }
    if (!(await lab.doesHarm(() => run(lab.direct, act)))) {
      context.fail(name, 'does no harm even direct');
      continue;
    }
    await context.check(name, async () => {
      if (await lab.doesHarm(() => run(lab.through, act)))
        throw new Error('the watched schema has changed');
    });
  }
}
