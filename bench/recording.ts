/**
 * What recording costs a session: the time of one `append` for each durability, beside the bare
 * write system call that `strict` cannot do without. Run it from the repository after `npm run build`:
 * `node build/bench/recording.js [--size 200] [--count 50000]`. Prints nothing but measurements.
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRecorder, type Durability } from '../lib/recording/recorder.ts';

/** Enough for the compiler to settle before anything is measured. */
const WARM_UP_COUNT = 5000;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '200' },
    count: { type: 'string', default: '50000' },
  },
});
const size = Number(values.size);
const count = Number(values.count);
const directory = mkdtempSync(join(tmpdir(), 'weir-bench-'));
try {
  console.log(`append of ${size} bytes, ${count} times, microseconds (mean holds the hash)`);
  measureBareWrite();
  for (const durability of ['strict', 'synced', 'relaxed'] as const) await measure(durability);
  await measureSynced();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function measureBareWrite(): void {
  const fd = openSync(join(directory, 'bare'), 'wx');
  const bytes = Buffer.alloc(size, 0x61);
  report(
    'bare write',
    timeEach(() => writeSync(fd, bytes, 0, size)),
  );
  closeSync(fd);
}

async function measure(durability: Durability): Promise<void> {
  const recorder = createRecorder({ dataDir: directory, durability });
  const session = recorder.start(header(`append-${durability}`));
  const bytes = Buffer.alloc(size, 0x61);
  report(
    durability,
    timeEach(() => session.append('client', bytes)),
  );
  await recorder.close();
}

/** Many statements that each wait for the disk, eight at a time, as busy sessions would. */
async function measureSynced(): Promise<void> {
  const recorder = createRecorder({ dataDir: directory, durability: 'synced' });
  const sessions = Array.from({ length: 8 }, (_, index) => recorder.start(header(`wait-${index}`)));
  const bytes = Buffer.alloc(size, 0x61);
  const rounds = 100;
  const start = performance.now();
  await Promise.all(
    sessions.map(async (session) => {
      for (let round = 0; round < rounds; round += 1) {
        session.append('client', bytes);
        await session.synced();
      }
    }),
  );
  const elapsed = performance.now() - start;
  const each = (elapsed / (rounds * sessions.length)) * 1000;
  console.log(`synced() of 8 sessions   ${each.toFixed(0)} per statement, disk flush included`);
  await recorder.close();
}

function timeEach(run: () => unknown): Float64Array {
  for (let index = 0; index < WARM_UP_COUNT; index += 1) run();
  const times = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const start = process.hrtime.bigint();
    run();
    times[index] = Number(process.hrtime.bigint() - start) / 1000;
  }
  return times.toSorted();
}

function report(name: string, times: Float64Array): void {
  const at = (share: number): string => (times[Math.floor(share * count)] ?? 0).toFixed(2);
  const mean = times.reduce((sum, time) => sum + time, 0) / count;
  console.log(`${name.padEnd(12)} median ${at(0.5)}   p99 ${at(0.99)}   mean ${mean.toFixed(2)}`);
}

function header(session: string) {
  return {
    session,
    connection: 'bench',
    protocol: 'postgres',
    startedAt: new Date().toISOString(),
    clientAddress: '127.0.0.1:1',
    policyVersion: '',
  };
}
