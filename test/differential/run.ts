/**
 * Runs the differential and hostile suites one after another: what a client gets directly from a real
 * server against what it gets through the gateway. `run.js NAME...` runs some of them. The last line
 * is `N passed, N failed, N skipped`. WEIR_DIFFERENTIAL_TARGET=copy puts a plain byte copy in the
 * gateway's place: then `block` and `mask` must fail, which proves that they can.
 */

import { block } from './block.ts';
import { chromaClients } from './chroma-clients.ts';
import { chromaLeaks } from './chroma-leaks.ts';
import { clients } from './clients.ts';
import { drivers } from './drivers.ts';
import { type Suite, SuiteContext, type SuiteCounts } from './harness.ts';
import { hostile } from './hostile.ts';
import { mask } from './mask.ts';
import { milvus } from './milvus.ts';
import { milvusEmulated } from './milvus-emulated.ts';
import { milvusLeaks } from './milvus-leaks.ts';
import { mysqlCorpus } from './mysql-corpus.ts';
import { mysqlBlock } from './mysql-block.ts';
import { mysqlClients } from './mysql-clients.ts';
import { mysqlDolt } from './mysql-dolt.ts';
import { mysqlDrivers } from './mysql-drivers.ts';
import { mysqlRedTeamBlocks } from './mysql-red-team-blocks.ts';
import { mysqlGo } from './mysql-go.ts';
import { mysqlHostile } from './mysql-hostile.ts';
import { mysqlMask } from './mysql-mask.ts';
import { mysqlRedTeam } from './mysql-red-team.ts';
import { mysqlRedTeamNames } from './mysql-red-team-names.ts';
import { mysqlSuite } from './mysql-suite.ts';
import { mysqlUntracked } from './mysql-untracked.ts';
import { qdrant } from './qdrant.ts';
import { redisLeaks } from './redis-leaks.ts';
import { redisSuite } from './redis.ts';
import { redTeam } from './red-team.ts';
import { regress } from './regress.ts';
import { storeTransport } from './store-transport.ts';
import { storePython } from './store-python.ts';
import { targetKind } from '../support/gateway-process.ts';

const SUITES: readonly Suite[] = [
  clients,
  drivers,
  block,
  mask,
  chromaClients,
  chromaLeaks,
  qdrant,
  milvus,
  milvusEmulated,
  milvusLeaks,
  redisSuite,
  redisLeaks,
  storeTransport,
  storePython,
  mysqlBlock,
  mysqlCorpus,
  redTeam,
  hostile,
  regress,
  mysqlClients,
  mysqlDrivers,
  mysqlRedTeamNames,
  mysqlUntracked,
  mysqlMask,
  mysqlRedTeamBlocks,
  mysqlRedTeam,
  mysqlHostile,
];

/** They take long, build other people's programs, or both: run by name only, `run.js all` runs them too. */
const ON_DEMAND: readonly Suite[] = [mysqlSuite, mysqlGo, mysqlDolt];
const ALL: readonly Suite[] = [...SUITES, ...ON_DEMAND];

/** Seconds for everything, as .ci/run says; and what a suite of the longer ones takes on a slow machine. */
const TIME_MAX = Number(process.env['WEIR_DIFFERENTIAL_TIME_MAX'] ?? Number.POSITIVE_INFINITY);
const SUITE_TIME = 300;
const LONGEST_SUITE_TIME = 900;

interface Row extends SuiteCounts {
  readonly name: string;
  readonly seconds: number;
}

async function runSuite(suite: Suite, failures: string[]): Promise<Row> {
  console.log(`\n${suite.name}: ${suite.about}`);
  const startedAt = Date.now();
  const context = new SuiteContext(suite.name);
  try {
    await suite.run(context);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.fail('the suite runs to its end', reason);
  } finally {
    await context.stopAll();
  }
  failures.push(...context.failures);
  return { name: suite.name, seconds: (Date.now() - startedAt) / 1000, ...context.counts };
}

/** A suite that the time left is too short for is skipped and said to be, not cut off half way. */
async function runOrSkip(suite: Suite, failures: string[]): Promise<Row> {
  const spent = process.uptime();
  const needed = suite === redTeam ? LONGEST_SUITE_TIME : SUITE_TIME;
  if (spent < TIME_MAX - needed) return runSuite(suite, failures);
  console.log(
    `\n${suite.name}: skipped, only ${Math.max(0, Math.round(TIME_MAX - spent))} s are left`,
  );
  return { name: suite.name, passed: 0, failed: 0, skipped: 1, seconds: 0 };
}

function printTable(rows: readonly Row[]): void {
  console.log(
    `\n${'suite'.padEnd(14)}${['passed', 'failed', 'skipped', 'seconds'].map((head) => head.padStart(9)).join('')}`,
  );
  for (const row of rows) {
    const cells = [row.passed, row.failed, row.skipped, row.seconds.toFixed(1)];
    console.log(row.name.padEnd(14) + cells.map((cell) => String(cell).padStart(9)).join(''));
  }
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const isAll = wanted[0] === 'all';
  const unknown = wanted.filter((name) => !isAll && !ALL.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const names = ALL.map((suite) => suite.name).join(', ');
    throw new Error(`There is no suite ${unknown.join(', ')}. There are: ${names}.`);
  }
  if (targetKind() === 'copy') console.log('A byte copy stands in for the gateway.');
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const suite of wanted.length === 0 ? SUITES : ALL) {
    if (wanted.length === 0 || isAll || wanted.includes(suite.name))
      rows.push(await runOrSkip(suite, failures));
  }
  printTable(rows);
  if (failures.length > 0)
    console.log(`\nfailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
  const total = (key: keyof SuiteCounts): number => rows.reduce((sum, row) => sum + row[key], 0);
  console.log(
    `\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`,
  );
  process.exitCode = total('failed') === 0 ? 0 : 1;
}

await main();
