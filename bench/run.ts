/**
 * `npm run bench [-- --seconds 2 --rounds 1 --load select,prepared,rows]`: the same load direct, through a
 * bare byte copy in Node, through HAProxy and PgBouncer where they are installed, and through Weir in its
 * modes; rounds are interleaved, so that a noisy machine hits all alike. Prints throughput, latency and
 * CPU per transaction of the proxy process, as ratios. Absolute numbers are this machine's alone.
 */

import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import pg from 'pg';
import type { MaskConfig, RuleConfig } from '../lib/config/config.ts';
import { startEmbeddedPostgres } from '../lib/demo/embedded-postgres.ts';
import {
  type GatewayOptions,
  type Login,
  startCopyProcess,
  startGatewayProcess,
} from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { DATABASE, type LoadName, LOADS, runLoad, SCHEMA, type Target } from './load.ts';
import { hasProgram, startHaproxy, startPgbouncer } from './proxies.ts';
import { printReport, type Sample } from './report.ts';

const APP: Login = { user: 'app', password: 'app-secret' };
const USER: Login = { user: 'alice', password: 'alice-secret' };
/** Linux counts process time in these; sysconf(_SC_CLK_TCK) has been 100 everywhere for decades. */
const TICKS_PER_SECOND = 100;

const RULE: RuleConfig = {
  name: 'no-destruction',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['*'],
  action: 'block',
};
const MASK: MaskConfig = {
  name: 'filler',
  connections: ['*'],
  columns: ['public.pgbench_accounts.filler'],
  with: 'redact',
  mode: 'mask',
  except: [],
};

interface Contender extends Target {
  readonly name: string;
  /** Undefined for the server itself: there is no proxy to measure. */
  readonly pid: number | undefined;
}

const MODES: Readonly<Record<string, Partial<GatewayOptions>>> = {
  'weir, no rules': {},
  'weir, rules': { rules: [RULE] },
  'weir, rules and masks': { rules: [RULE], masks: [MASK] },
};

async function startContenders(t: Teardown, serverPort: number): Promise<Contender[]> {
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

/** User and system time of a process and its children that ended, seconds (proc(5), fields 14 to 17). */
async function readCpu(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  const text = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function measure(
  one: Contender,
  load: LoadName,
  how: { seconds: number; hasPgbench: boolean },
): Promise<Sample> {
  const before = await readCpu(one.pid);
  const measured = await runLoad(one, load, how.seconds, how.hasPgbench);
  const cpu = (await readCpu(one.pid)) - before;
  return { contender: one.name, load, ...measured, cpu: one.pid === undefined ? undefined : cpu };
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      load: { type: 'string', default: Object.keys(LOADS).join() },
    },
  });
  const isLoad = (name: string): name is LoadName => name in LOADS;
  const loads = values.load.split(',').filter(isLoad);
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  if (!(seconds > 0 && rounds > 0 && loads.length > 0)) {
    throw new Error(
      `--seconds and --rounds take numbers, --load takes ${Object.keys(LOADS).join(', ')}`,
    );
  }
  const stops: (() => Promise<void>)[] = [];
  const t: Teardown = { teardown: (stop) => void stops.push(stop) };
  try {
    const hasPgbench = await hasProgram('pgbench');
    const serverPort = await prepareServer(t);
    const contenders = await startContenders(t, serverPort);
    console.log(
      `${contenders.length} contenders, ${rounds} interleaved rounds of ${seconds} s each, ${cpus().length} cores, Node ${process.version}, ` +
        `load by ${hasPgbench ? 'pgbench' : 'node-postgres (pgbench is not installed)'}`,
    );
    const samples: Sample[] = [];
    for (const load of loads) {
      // Just-in-time compilers and caches are warm in a gateway that has run for a minute.
      for (const one of contenders) await runLoad(one, load, Math.ceil(seconds / 3), hasPgbench);
      for (let round = 1; round <= rounds; round += 1) {
        for (const one of contenders)
          samples.push(await measure(one, load, { seconds, hasPgbench }));
        console.log(`${load}: round ${round} of ${rounds} done`);
      }
      printReport(
        LOADS[load].about,
        samples.filter((sample) => sample.load === load),
      );
    }
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

await main();
