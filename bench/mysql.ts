/**
 * The bench of MySQL, on a MariaDB server: sysbench where it is installed, else a small load of our
 * own that reads the packets itself. The table is sysbench's, the large result a script of our own.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MaskConfig } from '../lib/config/config.ts';
import { mariadbMissing, startMariadb } from '../test/support/mariadb-server.ts';
import { startCopyProcess } from '../test/support/gateway-process.ts';
import { execute } from '../test/support/mysql-packets.ts';
import { type MysqlGatewayOptions, startMysqlGateway } from '../test/support/mysql-gateway.ts';
import { connectMysql } from '../test/support/mysql-sign-in.ts';
import type { Teardown } from '../test/support/servers.ts';
import { hasProgram, runProgram } from './programs.ts';
import { startHaproxy } from './proxies.ts';
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

const TABLE_SIZE = 100_000;
const ROWS_SQL = 'SELECT * FROM sbtest1 WHERE id <= 5000';

/** What `sysbench oltp_point_select prepare` makes, with shorter texts: rows have 100 bytes. */
const SCHEMA = `
CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4;
CREATE USER ${APP.user}@'127.0.0.1' IDENTIFIED BY '${APP.password}';
GRANT ALL ON ${DATABASE}.* TO ${APP.user}@'127.0.0.1';
USE ${DATABASE};
CREATE TABLE sbtest1 (
  id INT PRIMARY KEY, k INT NOT NULL, c CHAR(60) NOT NULL, pad CHAR(25) NOT NULL, KEY (k)
);
INSERT INTO sbtest1 SELECT seq, seq % 1000, REPEAT('c', 60), REPEAT('p', 25) FROM seq_1_to_${TABLE_SIZE};
ANALYZE TABLE sbtest1;
`;

const LARGE_RESULT = `
function thread_init()
  con = sysbench.sql.driver():connect()
end
function event()
  con:query("${ROWS_SQL}")
end
function thread_done()
  con:disconnect()
end
`;

const MASK: MaskConfig = {
  name: 'pad',
  connections: ['*'],
  columns: [`${DATABASE}.sbtest1.pad`],
  with: 'redact',
  mode: 'mask',
  except: [],
};

const MODES: Readonly<Record<string, Partial<MysqlGatewayOptions>>> = {
  'weir, no rules': {},
  'weir, rules': { rules: [RULE] },
  'weir, rules and masks': { rules: [RULE], masks: [MASK] },
};

export const mysqlSuite: Suite = {
  protocol: 'MariaDB',
  about: {
    select: 'one row by key, COM_QUERY',
    prepared: 'one row by key, prepared statement',
    rows: '5000 rows of 100 bytes',
  },
  missing: mariadbMissing,
  start: startContenders,
  describeLoad: async () =>
    (await hasProgram('sysbench')) ? 'sysbench' : 'packets of our own (sysbench is not installed)',
  run: async (target, load, seconds) =>
    (await hasProgram('sysbench'))
      ? runSysbench(target, load, seconds)
      : runOwn(target, load, seconds),
};

async function startContenders(t: Teardown): Promise<Contender[]> {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(SCHEMA);
  const { port } = server;
  const contenders: Contender[] = [{ name: 'direct', port, pid: undefined, ...APP }];
  contenders.push({ name: 'byte copy (Node)', ...(await startCopyProcess(t, port)), ...APP });
  const haproxy = await startHaproxy(t, port);
  if (haproxy !== undefined) contenders.push({ name: 'HAProxy (tcp)', ...haproxy, ...APP });
  for (const [name, options] of Object.entries(MODES)) {
    for (const durability of ['relaxed', 'strict'] as const) {
      const running = await startMysqlGateway(t, {
        upstreamPort: port,
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

async function runSysbench(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const script = join(folder, 'large_result.lua');
  try {
    await writeFile(script, LARGE_RESULT);
    const test = load === 'rows' ? script : 'oltp_point_select';
    const login = [`--mysql-user=${target.user}`, `--mysql-password=${target.password}`];
    const where = ['--mysql-host=127.0.0.1', `--mysql-port=${target.port}`];
    const table = load === 'rows' ? [] : ['--tables=1', `--table-size=${TABLE_SIZE}`];
    const prepared = `--db-ps-mode=${load === 'prepared' ? 'auto' : 'disable'}`;
    const amount = [`--threads=${CLIENTS}`, `--time=${seconds}`, '--events=0', '--histogram=on'];
    const connection = [...login, ...where, `--mysql-db=${DATABASE}`, '--db-driver=mysql'];
    const args = [test, ...connection, ...amount, prepared, ...table, 'run'];
    return readSysbench(await runProgram('sysbench', args));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The histogram has a line for each of about 1000 latencies: `   0.123 |****     45`. */
function readSysbench(text: string): Measured {
  const latencies: number[] = [];
  for (const [, value, count] of text.matchAll(/^\s*([\d.]+) \|[*\s]*?(\d+)\s*$/gm)) {
    for (let left = Number(count); left > 0; left -= 1) latencies.push(Number(value));
  }
  const transactions = Number(/total number of events:\s+(\d+)/.exec(text)?.[1]);
  const seconds = Number(/total time:\s+([\d.]+)s/.exec(text)?.[1]);
  if (!(transactions > 0 && seconds > 0 && latencies.length > 0)) {
    throw new Error(`sysbench printed what cannot be read: ${text.slice(-2000)}`);
  }
  return { transactions, seconds, latencies };
}

function runOwn(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  return runClients(seconds, async () => {
    const client = await connectMysql({ ...target, database: DATABASE });
    client.keepsBytes = false;
    const close = async (): Promise<void> => client.close();
    if (load === 'rows') return { ask: () => client.query(ROWS_SQL), close };
    const sql = 'SELECT c FROM sbtest1 WHERE id = ';
    if (load === 'select') return { ask: () => client.query(sql + anyId()), close };
    const statement = await client.prepare(`${sql}?`);
    if (!('id' in statement)) throw new Error(statement.message);
    const ask = (): Promise<unknown> => client.execute(execute(statement.id, [anyId()]));
    return { ask, close };
  });
}

function anyId(): string {
  return String(1 + Math.floor(Math.random() * TABLE_SIZE));
}
