/** The bench of PostgreSQL: pgbench where it is installed, else a small load of our own on `pg`. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { MaskConfig } from '../lib/config/config.ts';
import { startEmbeddedPostgres } from '../lib/demo/embedded-postgres.ts';
import { embeddedPostgresMissing, type Teardown } from '../test/support/servers.ts';
import {
  type GatewayOptions,
  startCopyProcess,
  startGatewayProcess,
} from '../test/support/gateway-process.ts';
import { hasProgram, runProgram } from './programs.ts';
import { startHaproxy, startPgbouncer } from './proxies.ts';
import {
  APP,
  CLIENTS,
  type Contender,
  DATABASE,
  type LoadName,
  type Measured,
  RULE,
  runClients,
  type Suite,
  type Target,
  USER,
} from './suite.ts';

const SELECT =
  '\\set aid random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n';
const ROWS = 'SELECT * FROM pgbench_accounts WHERE aid <= 5000;\n';
const SCRIPTS: Readonly<Record<LoadName, { readonly script: string; readonly mode: string }>> = {
  select: { script: SELECT, mode: 'simple' },
  prepared: { script: SELECT, mode: 'prepared' },
  rows: { script: ROWS, mode: 'simple' },
};

/** The tables and rows of `pgbench -i -s 1`, made without pgbench. */
const SCHEMA = `
CREATE TABLE pgbench_accounts (aid int NOT NULL PRIMARY KEY, bid int, abalance int, filler char(84));
INSERT INTO pgbench_accounts SELECT i, 1, 0, '' FROM generate_series(1, 100000) i;
ANALYZE pgbench_accounts;
`;

const MASK: MaskConfig = {
  name: 'filler',
  connections: ['*'],
  columns: ['public.pgbench_accounts.filler'],
  with: 'redact',
  mode: 'mask',
  except: [],
};

const MODES: Readonly<Record<string, Partial<GatewayOptions>>> = {
  'weir, no rules': {},
  'weir, rules': { rules: [RULE] },
  'weir, rules and masks': { rules: [RULE], masks: [MASK] },
};

export const postgresSuite: Suite = {
  protocol: 'PostgreSQL',
  about: {
    select: 'one row by key, simple query',
    prepared: 'one row by key, prepared statement',
    rows: '5000 rows of 100 bytes',
  },
  missing: () => embeddedPostgresMissing() || undefined,
  start: startContenders,
  describeLoad: async () =>
    (await hasProgram('pgbench')) ? 'pgbench' : 'node-postgres (pgbench is not installed)',
  run: async (target, load, seconds) =>
    (await hasProgram('pgbench'))
      ? runPgbench(target, load, seconds)
      : runOwn(target, load, seconds),
};

async function startContenders(t: Teardown): Promise<Contender[]> {
  const serverPort = await prepareServer(t);
  const contenders: Contender[] = [{ name: 'direct', port: serverPort, pid: undefined, ...APP }];
  contenders.push({ name: 'byte copy (Node)', ...(await startCopyProcess(t, serverPort)), ...APP });
  const haproxy = await startHaproxy(t, serverPort);
  if (haproxy !== undefined) contenders.push({ name: 'HAProxy (tcp)', ...haproxy, ...APP });
  const pgbouncer = await startPgbouncer(t, serverPort, APP);
  if (pgbouncer !== undefined)
    contenders.push({ name: 'PgBouncer (session)', ...pgbouncer, ...APP });
  for (const [name, options] of Object.entries(MODES)) {
    for (const durability of ['relaxed', 'strict'] as const) {
      const running = await startGatewayProcess(t, {
        upstreamPort: serverPort,
        upstream: APP,
        users: [USER],
        durability,
        ...options,
      });
      contenders.push({ name: `${name}, ${durability}`, ...running, ...USER });
    }
  }
  return contenders;
}

async function prepareServer(t: Teardown): Promise<number> {
  const server = await startEmbeddedPostgres({ settings: { max_connections: '120' } });
  t.teardown(() => server.stop());
  const { host, port, user, password } = server;
  const run = async (database: string, sql: string): Promise<void> => {
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await run('postgres', `CREATE ROLE ${APP.user} LOGIN PASSWORD '${APP.password}'`);
  await run('postgres', `CREATE DATABASE ${DATABASE} OWNER ${APP.user}`);
  await run(DATABASE, `SET ROLE ${APP.user}; ${SCHEMA}`);
  return port;
}

async function runPgbench(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const { script, mode } = SCRIPTS[load];
  await writeFile(join(folder, 'load.sql'), script);
  const options = ['-n', '-M', mode, '-c', String(CLIENTS), '-j', '1', '-T', String(seconds)];
  const log = ['-l', '--log-prefix', join(folder, 'log')];
  const text = await runProgram(
    'pgbench',
    [...options, ...log, '-f', join(folder, 'load.sql'), DATABASE],
    {
      PGHOST: '127.0.0.1',
      PGPORT: String(target.port),
      PGUSER: target.user,
      PGPASSWORD: target.password,
      PGSSLMODE: 'disable',
    },
  );
  const latencies: number[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith('log.')) continue;
    // client, transaction, latency in microseconds, ...
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      const micros = Number(line.split(' ')[2]);
      if (micros > 0) latencies.push(micros / 1000);
    }
  }
  await rm(folder, { recursive: true, force: true });
  const rate = Number(/tps = ([\d.]+)/.exec(text)?.[1]);
  return { transactions: latencies.length, seconds: latencies.length / rate, latencies };
}

function runOwn(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  const { port, user, password } = target;
  return runClients(seconds, async () => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: DATABASE });
    await client.connect();
    return { ask: () => client.query(ownQuery(load)), close: () => client.end() };
  });
}

function ownQuery(load: LoadName): pg.QueryConfig {
  const aid = 1 + Math.floor(Math.random() * 100_000);
  if (load === 'rows') return { text: 'SELECT * FROM pgbench_accounts WHERE aid <= 5000' };
  if (load === 'select')
    return { text: `SELECT abalance FROM pgbench_accounts WHERE aid = ${aid}` };
  return { name: 'p', text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1', values: [aid] };
}
