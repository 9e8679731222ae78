/**
 * Makes the transcripts of test/fixtures/transcripts/mysql from a real server, as record-transcript.ts
 * does for Postgres. To be run from the repository's root once compiled; afterwards UPDATE_GOLDEN=1 and
 * the tests rewrite the `.expected` files, whose differences want to be read.
 *
 *   node build/test/support/record-mysql-transcript.js [PART OF A NAME]
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionEvent } from '../../protocols/contract.ts';
import { mysql } from '../../protocols/mysql/index.ts';
import { startMariadb } from './mariadb-server.ts';
import {
  MYSQL_SETUP,
  type MysqlScenario,
  mysqlScenarios,
  scenarioPolicy,
} from './mysql-scenarios.ts';
import { startPair } from './pair.ts';
import { pause } from './raw-client.ts';
import { formatEvent, sessionOptions } from './transcript.ts';

const FOLDER = 'test/fixtures/transcripts/mysql';
/** After a scenario: for the ends of both sides to arrive. */
const SETTLE_TIME = 50;

async function main(part: string): Promise<void> {
  const wanted = mysqlScenarios.filter(({ name }) => name.includes(part));
  const server = await startMariadb({ args: ['--thread-cache-size=0'] });
  try {
    await server.sql(`delimiter //\n${MYSQL_SETUP.replaceAll('\n  ', '\n//\n')}//`);
    mkdirSync(FOLDER, { recursive: true });
    for (const scenario of wanted) {
      const lines = await record(scenario, server.port);
      writeFileSync(join(FOLDER, `${scenario.name}.transcript`), `${lines.join('\n')}\n`);
      process.stdout.write(`${scenario.name}: ${lines.length} lines\n`);
    }
  } finally {
    await server.stop();
  }
}

async function record(scenario: MysqlScenario, upstreamPort: number): Promise<string[]> {
  const { name, about, steps } = scenario;
  const lines = [`# ${name}: ${about}`, '# Recorded from MariaDB 10.11.', 'options {}'];
  const pair = await startPair({
    protocol: mysql,
    upstreamPort,
    sessionOptions: () => sessionOptions(),
    decide: scenarioPolicy,
    onEvent: (event: SessionEvent) => void lines.push(formatEvent(event)),
  });
  try {
    await steps(pair.port, (text) => void lines.push(`# ${text}`));
    await pause(SETTLE_TIME);
    if (pair.errors.length > 0) throw new AggregateError(pair.errors, name);
  } finally {
    await pair.close();
  }
  return lines;
}

await main(process.argv[2] ?? '');
