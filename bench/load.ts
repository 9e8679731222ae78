/** The loads of the bench: pgbench where it is installed, else a small load of our own on `pg`. */

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Login } from '../test/support/gateway-process.ts';

export const DATABASE = 'bench';
const CLIENTS = 4;

export type LoadName = 'select' | 'prepared' | 'rows';

export const LOADS: Readonly<
  Record<LoadName, { readonly about: string; readonly script: string; readonly mode: string }>
> = {
  select: {
    about: 'one row by key, simple query',
    script:
      '\\set aid random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n',
    mode: 'simple',
  },
  prepared: {
    about: 'one row by key, prepared statement',
    script:
      '\\set aid random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n',
    mode: 'prepared',
  },
  rows: {
    about: '5000 rows of 100 bytes',
    script: 'SELECT * FROM pgbench_accounts WHERE aid <= 5000;\n',
    mode: 'simple',
  },
};

export interface Target extends Login {
  readonly port: number;
}

export interface Measured {
  readonly transactions: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly latencies: number[];
}

/** The tables and rows of `pgbench -i -s 1`, made without pgbench. */
export const SCHEMA = `
CREATE TABLE pgbench_accounts (aid int NOT NULL PRIMARY KEY, bid int, abalance int, filler char(84));
INSERT INTO pgbench_accounts SELECT i, 1, 0, '' FROM generate_series(1, 100000) i;
ANALYZE pgbench_accounts;
`;

export async function runLoad(
  target: Target,
  load: LoadName,
  seconds: number,
  hasPgbench: boolean,
): Promise<Measured> {
  return hasPgbench ? runPgbench(target, load, seconds) : runOwn(target, load, seconds);
}

async function runPgbench(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const { script, mode } = LOADS[load];
  await writeFile(join(folder, 'load.sql'), script);
  const options = ['-n', '-M', mode, '-c', String(CLIENTS), '-j', '1', '-T', String(seconds)];
  const log = ['-l', '--log-prefix', join(folder, 'log')];
  const text = await runProgram(
    'pgbench',
    [...options, ...log, '-f', join(folder, 'load.sql'), DATABASE],
    target,
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

function runProgram(program: string, args: readonly string[], target: Target): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: {
        PATH: process.env['PATH'],
        PGHOST: '127.0.0.1',
        PGPORT: String(target.port),
        PGUSER: target.user,
        PGPASSWORD: target.password,
        PGSSLMODE: 'disable',
      },
    });
    let text = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${program}: ${errors}`)),
    );
  });
}

async function runOwn(target: Target, load: LoadName, seconds: number): Promise<Measured> {
  const { port, user, password } = target;
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  const work = async (): Promise<void> => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: DATABASE });
    await client.connect();
    while (performance.now() < end) {
      const before = performance.now();
      await client.query(ownQuery(load));
      latencies.push(performance.now() - before);
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
  return {
    transactions: latencies.length,
    seconds: (performance.now() - startedAt) / 1000,
    latencies,
  };
}

function ownQuery(load: LoadName): pg.QueryConfig {
  const aid = 1 + Math.floor(Math.random() * 100_000);
  if (load === 'rows') return { text: 'SELECT * FROM pgbench_accounts WHERE aid <= 5000' };
  if (load === 'select')
    return { text: `SELECT abalance FROM pgbench_accounts WHERE aid = ${aid}` };
  return { name: 'p', text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1', values: [aid] };
}
