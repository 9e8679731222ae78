/**
 * Runs the differential and hostile suites one after another: what a client gets directly from a real
 * server against what it gets through the gateway. `run.js NAME...` runs some of them. The last line
 * is `N passed, N failed, N skipped`. WEIR_DIFFERENTIAL_TARGET=copy puts a plain byte copy in the
 * gateway's place: then `block` and `mask` must fail, which proves that they can.
 */

import { block } from './block.ts';
import { clients } from './clients.ts';
import { drivers } from './drivers.ts';
import { type Suite, SuiteContext, type SuiteCounts } from './harness.ts';
import { hostile } from './hostile.ts';
import { mask } from './mask.ts';
import { mysqlCorpus } from './mysql-corpus.ts';
import { mysqlBlock } from './mysql-block.ts';
import { mysqlClients } from './mysql-clients.ts';
import { mysqlDrivers } from './mysql-drivers.ts';
import { redTeam } from './red-team.ts';
import { regress } from './regress.ts';
import { targetKind } from '../support/gateway-process.ts';

const SUITES: readonly Suite[] = [
  clients,
  drivers,
  block,
  mask,
  redTeam,
  hostile,
  regress,
  mysqlClients,
  mysqlDrivers,
  mysqlBlock,
  mysqlCorpus,
];

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

function printTable(rows: readonly Row[]): void {
  console.log(
    `\n${'suite'.padEnd(10)}${['passed', 'failed', 'skipped', 'seconds'].map((head) => head.padStart(9)).join('')}`,
  );
  for (const row of rows) {
    const cells = [row.passed, row.failed, row.skipped, row.seconds.toFixed(1)];
    console.log(row.name.padEnd(10) + cells.map((cell) => String(cell).padStart(9)).join(''));
  }
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const names = SUITES.map((suite) => suite.name).join(', ');
    throw new Error(`There is no suite ${unknown.join(', ')}. There are: ${names}.`);
  }
  if (targetKind() === 'copy') console.log('A byte copy stands in for the gateway.');
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const suite of SUITES) {
    if (wanted.length === 0 || wanted.includes(suite.name))
      rows.push(await runSuite(suite, failures));
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
