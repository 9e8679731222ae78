/**
 * Makes the transcripts of test/fixtures/transcripts/postgres from real servers: each scenario runs a raw
 * client through the session machine and writes down the session's events. To be run from the
 * repository's root once compiled; afterwards UPDATE_GOLDEN=1 and the tests rewrite the `.expected`
 * files, whose differences want to be read.
 *
 *   node build/test/support/record-transcript.js [PART OF A NAME]
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionEvent } from '../../protocols/contract.ts';
import { postgres } from '../../protocols/postgres/index.ts';
import { startPair } from './pair.ts';
import { labPolicy, startLab } from './postgres-lab.ts';
import { pause } from './raw-client.ts';
import { type Scenario, scenarios } from './transcript-scenarios.ts';
import { formatEvent, sessionOptions } from './transcript.ts';

const FOLDER = 'test/fixtures/transcripts/postgres';
const PORTS = { 15: 27_801, 18: 27_802 } as const;
/** After a scenario: for the ends of both sides to arrive. */
const SETTLE_TIME = 50;

async function main(part: string): Promise<void> {
  const wanted = scenarios.filter(({ name }) => name.includes(part));
  const stops: (() => Promise<void>)[] = [];
  const t = { teardown: (stop: () => Promise<void>) => void stops.push(stop) };
  try {
    for (const version of [18, 15] as const) {
      const own = wanted.filter((scenario) => (scenario.server ?? 18) === version);
      if (own.length === 0) continue;
      const server = await startLab(t, version, PORTS[version]);
      for (const scenario of own) {
        const lines = await record(scenario, server.port);
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(join(FOLDER, `${scenario.name}.transcript`), `${lines.join('\n')}\n`);
        process.stdout.write(`${scenario.name}: ${lines.length} lines\n`);
      }
    }
  } finally {
    for (const stop of stops) await stop();
  }
}

async function record(scenario: Scenario, upstreamPort: number): Promise<string[]> {
  const { name, about, upstreamUser, steps } = scenario;
  const options = { auth: upstreamUser === undefined ? 'passthrough' : 'gateway' } as const;
  const lines = [`# ${name}: ${about}`, `# Recorded from PostgreSQL ${scenario.server ?? 18}.`];
  lines.push(`options ${JSON.stringify(options)}`);
  const pair = await startPair({
    protocol: postgres,
    upstreamPort,
    sessionOptions: () => sessionOptions(options),
    decide: labPolicy(upstreamUser),
    onEvent: (event: SessionEvent) => void lines.push(formatEvent(event)),
  });
  try {
    const comment = (text: string): void => void lines.push(`# ${text}`);
    await steps(pair.port, comment);
    await pause(SETTLE_TIME);
    if (pair.errors.length > 0) throw new AggregateError(pair.errors, name);
  } finally {
    await pair.close();
  }
  return lines;
}

await main(process.argv[2] ?? '');
