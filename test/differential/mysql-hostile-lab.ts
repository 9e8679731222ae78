/** What the hostile checks of MySQL share: a lab with small limits, a bystander session, counts at the server. */

import { MysqlEnd, type MysqlClient, printResults } from '../support/mysql-client.ts';
import { pause } from '../support/raw-client.ts';
import type { SuiteContext } from './harness.ts';
import { SESSIONS_MAX, SIGN_IN_TIME_MAX } from './hostile-lab.ts';
import { connectLab, type MysqlLab, openMysqlLab } from './mysql-lab.ts';

export interface MysqlHostileLab extends MysqlLab {
  /** A well-behaved session that must go on through all of it. */
  readonly bystander: MysqlClient;
}

export async function openMysqlHostileLab(context: SuiteContext): Promise<MysqlHostileLab> {
  const lab = await openMysqlLab(context, {
    durability: 'relaxed',
    limits: { signInTimeout: SIGN_IN_TIME_MAX, sessionsMax: SESSIONS_MAX },
    args: ['--max-allowed-packet=1G'],
  });
  const bystander = await connectLab(lab.through);
  context.teardown(async () => bystander.close());
  return { ...lab, bystander };
}

/** The bystander still gets answers, and so does someone new. */
export async function checkMysqlGoesOn(lab: MysqlHostileLab): Promise<void> {
  lab.bystander.bytes = [];
  const [answer] = await lab.bystander.query("SELECT 'going on'", 40_000);
  if (answer?.rows.length !== 1) throw new Error('the bystander got no answer');
  const fresh = await connectLab(lab.through, { wait: 40_000 });
  const [first] = await fresh.query('SELECT 1');
  fresh.close();
  if (first?.rows.length !== 1) throw new Error('a new session got no answer');
  if (lab.target.child.exitCode !== null) {
    throw new Error(`the gateway died: ${lab.target.readLog()}`);
  }
}

/** Sessions of the gateway at the server, the catalog's own included. */
export async function countMysqlUpstream(lab: MysqlLab): Promise<number> {
  const sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app'";
  return Number((await lab.admin(sql)).trim());
}

/** Waits until a session runs exactly this text: before that there is nothing to kill. */
export async function waitForMysqlWork(lab: MysqlLab, text: string): Promise<void> {
  const sql = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = '${text}'`;
  for (let tries = 0; tries < 400; tries += 1) {
    if ((await lab.admin(sql)).trim() !== '0') return;
    await pause(50);
  }
  throw new Error(`nobody runs ${text}`);
}

/** Everything until the other side closes or falls silent. */
export async function readMysqlEnd(client: MysqlClient, wait = 20_000): Promise<string> {
  const seen: string[] = [];
  try {
    for (;;) {
      const [result] = [await client.readResults({ wait })];
      seen.push(printResults(result ?? []));
    }
  } catch (error) {
    client.close();
    return [...seen, error instanceof MysqlEnd ? error.message : String(error)].join('\n');
  }
}
