/**
 * One protocol's part of the bench: who competes, which loads there are, how one is run. And the
 * measuring itself, which is the same for all: interleaved rounds, CPU of the proxy's process.
 */

import { readFile } from 'node:fs/promises';
import type { RuleConfig } from '../lib/config/config.ts';
import type { Login } from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { printReport, type Sample } from './report.ts';

/** Clients at once, in every load. */
export const CLIENTS = 4;
export const APP: Login = { user: 'app', password: 'app-secret' };
export const USER: Login = { user: 'alice', password: 'alice-secret' };
export const DATABASE = 'bench';

export const RULE: RuleConfig = {
  name: 'no-destruction',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['*'],
  action: 'block',
};

/** Of SQL databases. */
export type LoadName = 'select' | 'prepared' | 'rows';
/** Of stores. */
export type StoreLoad = 'small' | 'search';
/** Of Redis. */
export type RedisLoad = 'get' | 'ft-search';
export const LOAD_NAMES: readonly (LoadName | StoreLoad | RedisLoad)[] = [
  'select',
  'prepared',
  'rows',
  'small',
  'search',
  'get',
  'ft-search',
];

export interface Target extends Login {
  readonly port: number;
}

export interface Contender extends Target {
  readonly name: string;
  /** Undefined for the server itself: there is no proxy to measure. */
  readonly pid: number | undefined;
}

export interface Measured {
  readonly transactions: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly latencies: number[];
}

export interface Suite<Load extends string = LoadName> {
  readonly protocol: string;
  readonly about: Readonly<Record<Load, string>>;
  /** Why it cannot be run here; undefined: it can. */
  missing(): string | undefined;
  /** The first is the server itself, the second the byte copy. */
  start(t: Teardown): Promise<Contender[]>;
  /** What makes the load, for the report. */
  describeLoad(): Promise<string>;
  run(target: Target, load: Load, seconds: number): Promise<Measured>;
}

export interface Rounds {
  /** Those that a suite does not have are left out. */
  readonly loads: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
}

/** Just-in-time compilers and caches are warm in a gateway that has run for a minute; seconds, at full load. */
const WARM_UP = 4;
/** Linux counts process time in these; sysconf(_SC_CLK_TCK) has been 100 everywhere for decades. */
const TICKS_PER_SECOND = 100;

export async function runSuite<Load extends string>(
  suite: Suite<Load>,
  { loads, rounds, seconds }: Rounds,
): Promise<void> {
  if (!Object.keys(suite.about).some((load) => loads.includes(load))) return;
  const reason = suite.missing();
  if (reason !== undefined) {
    console.log(`${suite.protocol}: skipped, ${reason}`);
    return;
  }
  const stops: (() => Promise<void>)[] = [];
  try {
    const contenders = await suite.start({ teardown: (stop) => void stops.push(stop) });
    console.log(
      `${suite.protocol}: ${contenders.length} contenders, ${rounds} interleaved rounds of ${seconds} s each, ` +
        `load by ${await suite.describeLoad()}`,
    );
    for (const load in suite.about) {
      if (!loads.includes(load)) continue;
      for (const one of contenders) await suite.run(one, load, Math.max(WARM_UP, seconds / 3));
      const samples: Sample[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        for (const one of contenders) samples.push(await measure(suite, one, load, seconds));
        console.log(`${suite.protocol}, ${load}: round ${round} of ${rounds} done`);
      }
      printReport(`${suite.protocol}: ${suite.about[load]}`, samples);
    }
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measure<Load extends string>(
  suite: Suite<Load>,
  one: Contender,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const before = await readCpu(one.pid);
  const measured = await suite.run(one, load, seconds);
  const cpu = (await readCpu(one.pid)) - before;
  return { contender: one.name, load, ...measured, cpu: one.pid === undefined ? undefined : cpu };
}

/** User and system time of a process and its children that ended, seconds (proc(5), fields 14 to 17). */
async function readCpu(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  const text = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** CLIENTS connections of our own, each asking again when it has its answer. */
export async function runClients(
  seconds: number,
  connect: () => Promise<{ ask(): Promise<unknown>; close(): Promise<unknown> }>,
): Promise<Measured> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  const work = async (): Promise<void> => {
    const client = await connect();
    while (performance.now() < end) {
      const before = performance.now();
      await client.ask();
      latencies.push(performance.now() - before);
    }
    await client.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
  const elapsed = (performance.now() - startedAt) / 1000;
  return { transactions: latencies.length, seconds: elapsed, latencies };
}
