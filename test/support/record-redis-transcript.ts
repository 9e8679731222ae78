/**
 * Makes the transcripts of test/fixtures/transcripts/redis from a real server, as record-mysql-transcript.ts
 * does for MySQL. To be run from the repository's root once compiled; afterwards UPDATE_GOLDEN=1 and the tests
 * rewrite the `.expected` files, whose differences want to be read.
 *
 *   node build/test/support/record-redis-transcript.js [PART OF A NAME]
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionEvent } from '../../protocols/contract.ts';
import { redis } from '../../protocols/redis/index.ts';
import { startPair } from './pair.ts';
import { pause } from './raw-client.ts';
import { type RedisScenario, redisScenarios, scenarioPolicy } from './redis-scenarios.ts';
import { RawRedis, startRedis } from './redis-server.ts';
import { formatEvent, sessionOptions } from './transcript.ts';

const FOLDER = 'test/fixtures/transcripts/redis';
/** After a scenario: for the ends of both sides to arrive. */
const SETTLE_TIME = 100;

async function main(part: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const scenario of redisScenarios.filter(({ name }) => name.includes(part))) {
    const stops: (() => Promise<void>)[] = [];
    const { port } = await startRedis({ teardown: (stop) => stops.push(stop) }, 'debian');
    try {
      const lines = await record(scenario, port);
      writeFileSync(join(FOLDER, `${scenario.name}.transcript`), `${lines.join('\n')}\n`);
      process.stdout.write(`${scenario.name}: ${lines.length} lines\n`);
    } finally {
      for (const stop of stops) await stop();
    }
  }
}

async function record(scenario: RedisScenario, upstreamPort: number): Promise<string[]> {
  const { name, about, auth, steps } = scenario;
  const options = JSON.stringify({ auth });
  const lines = [`# ${name}: ${about}`, '# Recorded from Redis 7.0.', `options ${options}`];
  const pair = await startPair({
    protocol: redis,
    upstreamPort,
    sessionOptions: () => sessionOptions({ auth }),
    decide: scenarioPolicy(auth),
    onEvent: (event: SessionEvent) => void lines.push(formatEvent(event)),
  });
  try {
    const client = await RawRedis.connect(pair.port);
    await steps(client, upstreamPort);
    client.socket.end();
    await pause(SETTLE_TIME);
    if (pair.errors.length > 0) throw new AggregateError(pair.errors, name);
  } finally {
    await pair.close();
  }
  return lines;
}

await main(process.argv[2] ?? '');
