/**
 * Attempts of the `block` suite that are not plain statements: FunctionCall, COPY FROM, types of
 * parameters, event triggers, other sessions.
 */

import { connectRaw, type RawClient } from '../support/raw-client.ts';
import {
  bind,
  copyData,
  copyDone,
  decodeDataRow,
  execute,
  functionCall,
  parse,
  printMessage,
  query,
  sync,
} from '../support/raw-postgres.ts';
import type { BlockLab } from './block-lab.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { DATABASE, isInstalled, type Way } from './lab.ts';

type Act = (client: RawClient, way: Way) => Promise<void>;

async function callByNumber(lab: BlockLab, client: RawClient, signature: string): Promise<void> {
  const [row] = await lab.lab.admin(`SELECT '${signature}'::regprocedure::oid::text AS oid`);
  await client.exchange([functionCall(Number(row?.['oid']))]);
}

async function oidOf(lab: BlockLab, type: string): Promise<number> {
  const [row] = await lab.lab.admin(`SELECT '${type}'::regtype::oid::text AS oid`);
  return Number(row?.['oid']);
}

/** The server makes the value at Bind, and runs the checks of its type. */
async function bindValue(client: RawClient, type: number, value: string): Promise<void> {
  await client.exchange([
    parse('typed', 'SELECT 1 WHERE $1 IS NULL', [type]),
    bind('', 'typed', { values: [value] }),
    execute(),
    sync(),
  ]);
}

function typeAttempts(lab: BlockLab): Readonly<Record<string, Act>> {
  const values = {
    purging: '1',
    'purging[]': '{1}',
    purging_row: '(1,x)',
    'purging_row[]': '{"(1,x)"}',
    purging_span: '[1,2)',
    purging_span_multirange: '{[1,2)}',
  };
  const declared = Object.entries(values).map(([type, value]): [string, Act] => [
    `PG-62 a parameter of type ${type} is bound`,
    async (client) => bindValue(client, await oidOf(lab, type), value),
  ]);
  const fresh = 'PG-62 a parameter of a type made a moment ago, past the gateway';
  return {
    ...Object.fromEntries(declared),
    'PG-62 a parameter is cast from a type that the text does not name': async (client) => {
      const typed = parse('', 'SELECT $1::text', [await oidOf(lab, 'watched.pair')]);
      await client.exchange([typed, bind('', '', { values: ['(1,2)'] }), execute(), sync()]);
    },
    [fresh]: async (client) => {
      await lab.lab.admin('CREATE DOMAIN fresh AS int CHECK (purge_two(VALUE, 1))');
      await bindValue(client, await oidOf(lab, 'fresh'), '1');
    },
    'PG-62 a parameter of a type made in the same transaction': async (client) => {
      await client.query('BEGIN');
      await client.query('CREATE TYPE pairing AS (n purging)');
      // No other session sees it, so no catalog can tell what it is made of.
      const answer = await client.query("SELECT 'pairing'::regtype::oid");
      const row = answer.find((one) => one.type === 'D');
      const [oid] = row === undefined ? [] : decodeDataRow(row.body);
      await bindValue(client, Number(oid), '(1)');
      await client.query('COMMIT');
    },
  };
}

/** Each is a definition of another kind. */
const DEFINITIONS: readonly string[] = [
  'CREATE TABLE made (n int)',
  'SELECT 1 AS n INTO made',
  'CREATE TEMP TABLE made (n int)',
  'COMMENT ON TABLE sink IS $$x$$',
  'GRANT SELECT ON sink TO spare',
  'ALTER TABLE sink ALTER n TYPE bigint',
  'DO $$ BEGIN CREATE TABLE made (n int); END $$',
  'REFRESH MATERIALIZED VIEW harmless_stored',
  'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO spare',
];

/** The trigger is there before; the first statement makes the gateway look at the catalog again. */
function eventAttempts(lab: BlockLab): Readonly<Record<string, Act>> {
  const create = (event: string) =>
    lab.lab.admin(`CREATE EVENT TRIGGER purging ON ${event} EXECUTE FUNCTION purge_event()`);
  const seen = 'ALTER EVENT TRIGGER purging ENABLE ALWAYS';
  const attempt = (event: string, text: string): [string, Act] => [
    `PG-62 an event trigger on ${event}: ${text}`,
    async (client) => {
      await create(event);
      await client.query(seen);
      await client.query(text);
    },
  ];
  return {
    ...Object.fromEntries([
      ...DEFINITIONS.map((text) => attempt('ddl_command_end', text)),
      attempt('ddl_command_start', 'CREATE TABLE made (n int)'),
      attempt('table_rewrite', 'ALTER TABLE sink ALTER n TYPE bigint'),
    ]),
    'PG-62 an event trigger on sql_drop: a temporary table': async (client) => {
      await client.query('CREATE TEMP TABLE made (n int)');
      await create('sql_drop');
      await client.query(seen);
      await client.query('DROP TABLE pg_temp.made');
    },
    'PG-62 an event trigger that the same transaction enables': async (client) => {
      await create('ddl_command_end');
      await lab.lab.admin('ALTER EVENT TRIGGER purging DISABLE');
      await client.query('ALTER EVENT TRIGGER purging OWNER TO app');
      await client.query('BEGIN');
      await client.query('ALTER EVENT TRIGGER purging ENABLE');
      await client.query('CREATE TABLE made (n int)');
      await client.query('COMMIT');
    },
  };
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
      await client.until('Z', 1, 2_000).catch(() => undefined);
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
  const all = { ...attempts(lab), ...typeAttempts(lab), ...eventAttempts(lab) };
  for (const [name, act] of Object.entries(all)) {
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

/** What only looks like it: the same answers as direct. */
export async function checkHarmlessTypes(context: SuiteContext, lab: BlockLab): Promise<void> {
  await lab.restore();
  for (const type of ['int', 'watched.small', 'watched.victims', 'watched.parts[]']) {
    await context.check(`PG-73 a parameter of type ${type}`, async () => {
      const texts: string[] = [];
      for (const way of [lab.direct, lab.through]) {
        const client = await connectRaw({ ...way, database: DATABASE });
        await client.until('Z');
        const typed = parse('', 'SELECT $1 IS NULL', [await oidOf(lab, type)]);
        const bound = bind('', '', { values: [null] });
        const answer = await client.exchange([typed, bound, execute(), sync()]);
        texts.push(answer.map(printMessage).join('\n'));
        client.close();
      }
      if (/^E /m.test(texts[0] ?? '')) throw new Error(`fails even direct: ${texts[0]}`);
      assertSameText(texts[1] ?? '', texts[0] ?? '', type);
    });
  }
}
