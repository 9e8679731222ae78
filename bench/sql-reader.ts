/**
 * What reading one SQL statement costs: an exact hit, a hit by shape, and a miss, which goes to a
 * worker thread. Run it with: node build/bench/sql-reader.js
 */

import { createPostgresReader } from '../lib/sql/reader.ts';

const ROUNDS = 20_000;
const MISSES = 2_000;
const SQL = (id: number, name: string): string =>
  `SELECT o.id, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.name = '${name}' AND o.id > ${id} ORDER BY o.id LIMIT 20`;

function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((one, two) => one - two);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function report(name: string, samples: readonly number[]): void {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  console.log(
    `${name.padEnd(26)} p50 ${p50.toFixed(2).padStart(9)} us   p99 ${p99.toFixed(2).padStart(9)} us`,
  );
}

async function measure(
  rounds: number,
  read: (round: number) => unknown,
): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    const answer = read(round);
    if (answer instanceof Promise) await answer;
    samples.push((performance.now() - start) * 1000);
  }
  // The first ones warm up the compiler and the worker.
  return samples.slice(Math.floor(rounds / 10));
}

const reader = createPostgresReader({ workers: 1 });
await reader.analyze(SQL(0, 'warm'));

const exact = SQL(1, 'ann');
await reader.analyze(`${exact} `);
report('exact hit', await measure(ROUNDS, () => reader.analyze(`${exact} `)));
report(
  'shape hit (other values)',
  await measure(ROUNDS, (round) => reader.analyze(SQL(round, `name${round}`))),
);
report(
  'miss, one at a time',
  await measure(MISSES, (round) =>
    reader.analyze(`SELECT c${round} FROM t${round} WHERE a = ${round}`),
  ),
);

const start = performance.now();
await Promise.all(
  Array.from({ length: MISSES }, (_, index) =>
    Promise.resolve(reader.analyze(`SELECT d${index} FROM t${index} WHERE a = ${index}`)),
  ),
);
const perSecond = (MISSES / (performance.now() - start)) * 1000;
console.log(
  `${'misses, all at once'.padEnd(26)} ${perSecond.toFixed(0)} statements/s on one worker`,
);
await reader.close();
