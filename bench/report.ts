/** What the bench prints: a table of ratios and bars, from samples that were taken in rounds. */

import type { Measured } from './suite.ts';

export interface Sample extends Measured {
  readonly contender: string;
  readonly load: string;
  /** Seconds of the proxy's process; undefined where there is no proxy. */
  readonly cpu: number | undefined;
}

interface Summary {
  readonly name: string;
  readonly rate: number;
  readonly average: number;
  readonly p99: number;
  /** Microseconds of the proxy's CPU for one transaction. */
  readonly cpu: number | undefined;
}

const BAR_SIZE = 40;

function summarize(name: string, samples: readonly Sample[]): Summary {
  const sum = (read: (sample: Sample) => number): number =>
    samples.reduce((total, one) => total + read(one), 0);
  const transactions = sum((one) => one.transactions);
  // Not spread into Math functions: there are more of them than arguments allowed.
  const latencies = samples.flatMap((one) => one.latencies).toSorted((a, b) => a - b);
  const hasCpu = samples.every((one) => one.cpu !== undefined);
  return {
    name,
    rate: transactions / sum((one) => one.seconds),
    average: latencies.reduce((total, one) => total + one, 0) / latencies.length,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    cpu: hasCpu ? (sum((one) => one.cpu ?? 0) * 1e6) / transactions : undefined,
  };
}

/** The first contender is direct, the second the byte copy. */
export function printReport(title: string, samples: readonly Sample[]): void {
  const names = [...new Set(samples.map((sample) => sample.contender))];
  const rows = names.map((name) =>
    summarize(
      name,
      samples.filter((sample) => sample.contender === name),
    ),
  );
  const [direct, copy] = rows;
  if (direct === undefined || copy === undefined) return;
  const head = ['tx/s', 'of direct', 'of copy', 'avg ms', 'p99 ms', 'cpu us/tx', 'of copy'];
  console.log(`\n${title}\n${''.padEnd(32)}${head.map((cell) => cell.padStart(10)).join('')}`);
  for (const row of rows) {
    const cells = [
      row.rate.toFixed(0),
      (row.rate / direct.rate).toFixed(2),
      (row.rate / copy.rate).toFixed(2),
      row.average.toFixed(3),
      row.p99.toFixed(3),
      row.cpu?.toFixed(1) ?? '-',
      row.cpu === undefined || copy.cpu === undefined ? '-' : (row.cpu / copy.cpu).toFixed(2),
    ];
    console.log(row.name.padEnd(32) + cells.map((cell) => cell.padStart(10)).join(''));
  }
  console.log('\nthroughput');
  for (const row of rows) {
    console.log(
      `${row.name.padEnd(32)} ${'#'.repeat(Math.round((row.rate / direct.rate) * BAR_SIZE))}`,
    );
  }
  const highest = Math.max(...rows.map((row) => row.cpu ?? 0));
  console.log('CPU of the proxy per transaction');
  for (const row of rows) {
    if (row.cpu === undefined) continue;
    console.log(`${row.name.padEnd(32)} ${'#'.repeat(Math.round((row.cpu / highest) * BAR_SIZE))}`);
  }
  console.log('');
}
