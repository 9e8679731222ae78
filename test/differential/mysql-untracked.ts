/**
 * A hostile user who changes the database or the character set of the session in a way that the text does not say
 * plainly, with a client to which the server tells nothing of it (no SESSION_TRACK). Each attempt first proves direct
 * that it works.
 */

import type { RuleConfig } from '../../lib/config/config.ts';
import type { MysqlClient } from '../support/mysql-client.ts';
import { CAPABILITY } from '../support/mysql-packets.ts';
import type { Suite, SuiteContext } from './harness.ts';
import {
  connectLab,
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
} from './mysql-lab.ts';
import { findMysqlSecret } from './mysql-mask-database.ts';
import { MYSQL_RED_TEAM_DATABASE, redTeamMasks } from './mysql-red-team-database.ts';

const UNTRACKED = 0;
const TRACKED = CAPABILITY.deprecateEof | CAPABILITY.sessionTrack;

const KEEP: RuleConfig = {
  name: 'keep',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['lab.notes', 'lab.Ünï'],
  action: 'block',
};

/** Each goes from `other`, where nothing is masked in `vault`, to `lab`. */
const MOVES: readonly (readonly string[])[] = [
  ["EXECUTE IMMEDIATE 'USE lab'"],
  ["EXECUTE IMMEDIATE 'u' 'se lab'"],
  ["EXECUTE IMMEDIATE 'us\\e lab'"],
  ["EXECUTE IMMEDIATE N'use lab'"],
  ["PREPARE s FROM 'u' 'se lab'", 'EXECUTE s'],
  ["PREPARE s FROM 'use lab'", 'SET STATEMENT max_statement_time=5 FOR EXECUTE s'],
  ["BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'u' 'se lab'; END"],
  ["IF 1 THEN EXECUTE IMMEDIATE 'use lab'; END IF"],
  ['SET STATEMENT max_statement_time=5 FOR USE lab'],
  ['SELECT 1; SET STATEMENT max_statement_time=5 FOR USE lab'],
  ['CALL other.move()'],
  ['CALL other.move_in_pieces()'],
];

/** What is asked then: unqualified, and made of the masked column. */
const QUESTIONS = ['SELECT REVERSE(UPPER(token)) FROM vault', 'DELETE FROM notes'];

/** From that collation to the character set in which the name of a blocked table is written then. */
const CHARSETS: readonly (readonly [
  collation: number,
  steps: readonly string[],
  encoding: 'utf8' | 'latin1',
])[] = [
  [8, ["EXECUTE IMMEDIATE 'SET NAMES utf8mb4'"], 'utf8'],
  [8, ["EXECUTE IMMEDIATE 'S' 'ET NAMES utf8mb4'"], 'utf8'],
  [8, ["PREPARE s FROM 'SET NAMES utf8mb4'", 'EXECUTE s'], 'utf8'],
  [8, ['SELECT 1; SET NAMES utf8mb4'], 'utf8'],
  [8, ['SET STATEMENT max_statement_time=5 FOR SET NAMES utf8mb4'], 'utf8'],
  [8, ['SET NAMES utf8mb4'], 'utf8'],
  [45, ["EXECUTE IMMEDIATE 'SET NAMES latin1'"], 'latin1'],
  [45, ["EXECUTE IMMEDIATE 'S' 'ET NAMES latin1'"], 'latin1'],
  [45, [], 'utf8'],
];

const DATABASE = `${MYSQL_RED_TEAM_DATABASE}
CREATE PROCEDURE other.move() EXECUTE IMMEDIATE 'use lab';
CREATE PROCEDURE other.move_in_pieces() EXECUTE IMMEDIATE 'u' 'se lab';
CREATE TABLE \`Ünï\` (id INT); INSERT INTO \`Ünï\` VALUES (1);`;

/** Refusals and errors are part of the attempt. */
async function say(client: MysqlClient, text: string | Buffer): Promise<void> {
  await client.query(text);
}

interface Attempt {
  readonly capabilities: number;
  readonly collation?: number;
  readonly steps: readonly (string | Buffer)[];
}

/** The secret that came, or `changed` where a row that a rule holds is gone. */
async function harmOf(lab: MysqlLab, way: MysqlWay, attempt: Attempt): Promise<string | undefined> {
  const { capabilities, collation, steps } = attempt;
  const client = await connectLab(way, {
    database: 'other',
    capabilities,
    ...(collation === undefined ? {} : { collation }),
  });
  client.keepsBytes = true;
  try {
    for (const step of steps) await say(client, step);
    const found = findMysqlSecret(Buffer.concat(client.bytes));
    const kept = await lab.admin(
      'SET NAMES utf8mb4; SELECT COUNT(*) FROM notes; SELECT COUNT(*) FROM `Ünï`',
    );
    return found ?? (/^0$/m.test(kept) ? 'changed' : undefined);
  } finally {
    client.close();
  }
}

async function check(
  context: SuiteContext,
  lab: MysqlLab,
  title: string,
  attempt: Attempt,
): Promise<void> {
  const potent = await harmOf(lab, lab.direct, attempt).catch(() => undefined);
  if (potent === 'changed') await recreate(lab);
  if (potent === undefined) return context.fail(title, 'does no harm even direct');
  await context.check(title, async () => {
    const harm = await harmOf(lab, lab.through, attempt);
    if (harm === undefined) return;
    await recreate(lab);
    throw new Error(`through the gateway: ${harm}`);
  });
}

async function recreate(lab: MysqlLab): Promise<void> {
  await lab.recreate(DATABASE);
  // The gateway has no word of what is done past it (GW-7).
  const client = await connectLab(lab.through);
  await client.query('CREATE OR REPLACE VIEW seen AS SELECT 1');
  client.close();
}

async function runUntracked(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-untracked')) return;
  const lab = await openMysqlLab(context, {
    masks: redTeamMasks('mask'),
    rules: [KEEP],
    grant: 'ALL ON *.*',
    args: ['--log-bin-trust-function-creators=ON'],
  });
  await recreate(lab);
  for (const [name, capabilities] of Object.entries({ untracked: UNTRACKED, tracked: TRACKED })) {
    context.progress(`${name}: moves to another database`);
    for (const steps of MOVES) {
      for (const question of QUESTIONS) {
        const attempt = { capabilities, steps: [...steps, question] };
        await check(context, lab, `${name}: ${attempt.steps.join(' / ')}`, attempt);
      }
    }
    context.progress(`${name}: other character sets`);
    for (const [collation, steps, encoding] of CHARSETS) {
      const deletion = Buffer.from('DELETE FROM lab.`Ünï`', encoding);
      const title = `${name}: collation ${collation} / ${[...steps, `DELETE in ${encoding}`].join(' / ')}`;
      await check(context, lab, title, { capabilities, collation, steps: [...steps, deletion] });
    }
  }
}

export const mysqlUntracked: Suite = {
  name: 'mysql-untracked',
  about: 'database and character set changed behind the back of a gateway that is told nothing',
  run: runUntracked,
};
