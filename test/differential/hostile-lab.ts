/** What the hostile checks share: a lab with small limits, a bystander session, and looks into the process. */

import { readdir, readFile } from 'node:fs/promises';
import { connectRaw, pause, type RawClient } from '../support/raw-client.ts';
import type { SuiteContext } from './harness.ts';
import { DATABASE, type Lab, openLab, type Way } from './lab.ts';
import { readPeakMemory, type RunningTarget } from '../support/gateway-process.ts';

/** Short enough to wait for once; dozens of sign-ins at once on a slow machine take seconds, and must not meet it. */
export const SIGN_IN_TIME_MAX = 20_000;
export const SESSIONS_MAX = 60;
export const MEGABYTE = 1024 * 1024;

export interface HostileLab extends Lab {
  /** A well-behaved session that must go on through all of it. */
  readonly bystander: RawClient;
}

export async function openHostileLab(context: SuiteContext): Promise<HostileLab> {
  const lab = await openLab(context, {
    durability: 'relaxed',
    limits: { signInTimeout: SIGN_IN_TIME_MAX, sessionsMax: SESSIONS_MAX },
  });
  const bystander = await signIn(lab.through);
  context.teardown(async () => bystander.close());
  return { ...lab, bystander };
}

export async function signIn(
  way: Way,
  parameters: Record<string, string> = {},
): Promise<RawClient> {
  const client = await connectRaw({ ...way, database: DATABASE, parameters });
  await client.until('Z');
  return client;
}

/** The bystander still gets answers, and so does someone new. */
export async function checkOthersGoOn(lab: HostileLab): Promise<void> {
  const answer = await lab.bystander.query("SELECT 'going on'", 20_000);
  if (answer.map((one) => one.type).join('') !== 'TDCZ')
    throw new Error('the bystander got no answer');
  const fresh = await signIn(lab.through);
  const first = await fresh.query('SELECT 1', 20_000);
  fresh.close();
  if (first[0]?.type !== 'T') throw new Error('a new session got no answer');
  if (lab.target.child.exitCode !== null)
    throw new Error(`the gateway died: ${lab.target.readLog()}`);
}

/** Resident size now, not at its peak; bytes. */
async function readMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Throws when the process grew by more than `growthMax` bytes at any moment while `act` ran. */
export async function checkMemory(
  lab: { readonly target: RunningTarget },
  growthMax: number,
  act: () => Promise<void>,
): Promise<number> {
  const { pid } = lab.target;
  const before = await readMemory(pid);
  const peakBefore = await readPeakMemory(pid);
  let highest = before;
  const look = async (): Promise<void> => {
    highest = Math.max(highest, await readMemory(pid).catch(() => 0));
  };
  const timer = setInterval(() => void look(), 50);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  const peak = await readPeakMemory(pid);
  const growth = (peak > peakBefore ? peak : highest) - before;
  if (growth > growthMax) {
    throw new Error(
      `grew by ${Math.round(growth / MEGABYTE)} MB, ${Math.round(growthMax / MEGABYTE)} allowed`,
    );
  }
  return growth;
}

export async function countFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Sessions of the gateway at the server, the catalog's own included. */
export async function countUpstream(lab: Lab): Promise<number> {
  const [row] = await lab.admin(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'app'",
    'postgres',
  );
  return Number(row?.['n']);
}

/** Waits until a session runs this text: before that there is nothing to cancel or to end. */
export async function waitForWork(lab: Lab, text: string): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const rows = await lab.admin(
      `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '${text}'`,
    );
    if (rows.length > 0) return;
    await pause(50);
  }
  throw new Error(`nobody runs ${text}`);
}

/** Waits until `read` gives at most `limit`. */
export async function waitUntilAtMost(
  read: () => Promise<number>,
  limit: number,
  what: string,
): Promise<void> {
  let last = Number.NaN;
  for (let tries = 0; tries < 400; tries += 1) {
    last = await read();
    if (last <= limit) return;
    await pause(50);
  }
  throw new Error(`${what}: ${last} remain, at most ${limit} expected`);
}
