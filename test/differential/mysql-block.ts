/**
 * A rule that blocks drop, truncate and delete, against everything of MY-35 and MY-38..MY-63 that a client
 * can send, in every form of the protocol. After each attempt everything watched, read past the gateway,
 * must be unchanged, the refusal must name the rule, and the session must be usable. Each attempt
 * first proves direct that it would do harm.
 */

import type { MysqlClient } from '../support/mysql-client.ts';
import { COM, command, type Err, execute, uint32 } from '../support/mysql-packets.ts';
import { MysqlEnd, NEWEST_STATEMENT, type MysqlResult } from '../support/mysql-client.ts';
import type { Suite, SuiteContext } from './harness.ts';
import { DATABASE } from './lab.ts';
import { MYSQL_BLOCK_CASES, MYSQL_NAMED_CASES, type MysqlBlockCase } from './mysql-block-cases.ts';
import { MYSQL_RULE, MysqlBlockLab } from './mysql-block-lab.ts';
import { checkMysqlSpecial } from './mysql-block-special.ts';
import { checkMysqlAllowed, checkMysqlStates } from './mysql-block-states.ts';
import { connectLab, isMariadbMissing, type MysqlWay, waitLonger } from './mysql-lab.ts';

type Steps = MysqlBlockCase['steps'];
type Form = (client: MysqlClient, steps: Steps) => Promise<MysqlResult[]>;

async function asTexts(client: MysqlClient, steps: Steps): Promise<MysqlResult[]> {
  const seen: MysqlResult[] = [];
  for (const step of steps) {
    // Nobody needs to wait for an event that was refused.
    const isRefused = seen.some(({ end }) => end.kind === 'error');
    if (isRefused && String(step).startsWith('SELECT SLEEP')) continue;
    seen.push(...(await client.query(step)));
  }
  return seen;
}

const FORMS: Readonly<Record<string, Form>> = {
  text: asTexts,
  transaction: async (client, steps) => {
    await client.query('BEGIN');
    const seen = await asTexts(client, steps);
    await client.query('COMMIT');
    return seen;
  },
  prepared: async (client, steps) => {
    const seen: MysqlResult[] = [];
    for (const step of steps) {
      const prepared = await client.prepare(step);
      if ('kind' in prepared) seen.push({ columns: [], rows: [], end: prepared });
      else seen.push(...(await client.execute(execute(prepared.id))));
    }
    return seen;
  },
  // MariaDB's connectors execute what they have just prepared without waiting for its number (MY-22).
  newest: async (client, steps) => {
    const seen: MysqlResult[] = [];
    for (const step of steps) {
      client.sendAll([command(COM.prepare, step), execute(NEWEST_STATEMENT)]);
      client.startReply();
      await client.readPrepared();
      client.startReply();
      seen.push(...(await client.readResults({ isBinary: true })));
    }
    return seen;
  },
  'among others': (client, steps) =>
    client.query(
      Buffer.concat([
        Buffer.from('SELECT 1; '),
        ...steps.map((step) => Buffer.from(step)),
        Buffer.from('\n; SELECT 2'),
      ]),
    ),
  pipelined: async (client, steps) => {
    const texts = ['SELECT 1', ...steps, 'SELECT 2'];
    client.sendAll(texts.map((text) => command(COM.query, text)));
    const seen: MysqlResult[] = [];
    for (const _ of texts) {
      client.startReply();
      seen.push(...(await client.readResults()));
    }
    return seen;
  },
};

function formsOf(one: MysqlBlockCase): readonly string[] {
  if (one.isTextOnly === true) return ['text', 'pipelined'];
  return one.steps.length === 1 ? Object.keys(FORMS) : ['text', 'prepared', 'pipelined'];
}

/** The session must answer, whatever was refused before. */
async function checkUsable(client: MysqlClient): Promise<void> {
  await client.query('ROLLBACK');
  await client.query('UNLOCK TABLES');
  // Where the default database could not be followed, it must be named again.
  await client.run(command(COM.initDb, DATABASE));
  const [result] = await client.query("SELECT 'usable'");
  if (result?.rows[0]?.[0]?.toString() !== 'usable') {
    throw new Error(`the session is not usable afterwards: ${JSON.stringify(result?.end)}`);
  }
}

/** The errors that came. */
async function attempt(way: MysqlWay, one: MysqlBlockCase, form: string): Promise<Err[]> {
  const options = one.collation === undefined ? {} : { collation: one.collation };
  const client = await connectLab(way, options).catch((error: unknown) => {
    // A character set that is not followed may be refused at sign-in (MY-61).
    if (one.collation !== undefined && error instanceof MysqlEnd) return undefined;
    throw error;
  });
  if (client === undefined) return [];
  try {
    const results = (await FORMS[form]?.(client, one.steps)) ?? [];
    await checkUsable(client);
    return results.flatMap(({ end }) => (end.kind === 'error' ? [end] : []));
  } catch (error) {
    // What cannot be followed may end the session: fail closed (MY-61).
    if (one.isHazard === true && client.isClosed) return [];
    throw error;
  } finally {
    client.close();
  }
}

/** A refusal as the server words one of its own, by the rule or because nobody can judge it (GW-18, MY-44). */
function checkRefusal(errors: readonly Err[]): void {
  const reasons = [MYSQL_RULE.name, 'unknown-effect', 'cannot judge', 'does not know'];
  const isRefusal = (one: Err): boolean =>
    one.code === 1142 &&
    one.state === '42000' &&
    reasons.some((reason) => one.message.includes(reason));
  if (!errors.some(isRefusal)) throw new Error(`no refusal: ${JSON.stringify(errors)}`);
}

function titleOf(one: MysqlBlockCase): string {
  const show = (step: string | Buffer): string => step.toString('latin1').slice(0, 70);
  return one.steps.map(show).join(' / ').replaceAll('\n', ' ').replaceAll('\0', '\\0');
}

async function checkCase(
  context: SuiteContext,
  lab: MysqlBlockLab,
  one: MysqlBlockCase,
): Promise<void> {
  const title = titleOf(one);
  const doesHarmDirect = (steps: Steps): Promise<boolean> =>
    lab.doesHarm(async () => {
      await attempt(lab.direct, { ...one, steps }, 'text');
    });
  let isPotent = await doesHarmDirect(one.steps);
  const longer = one.steps.map((step) => (typeof step === 'string' ? waitLonger(step) : step));
  if (!isPotent && longer.join() !== one.steps.join()) {
    await lab.restore();
    isPotent = await doesHarmDirect(longer);
  }
  if (!isPotent) return context.fail(`${one.trap} ${title}`, 'does no harm even direct');
  // What the steps made besides, such as a routine, must not be there when they come again.
  const isMaking = one.steps.some((step) => /\b(?:CREATE|ALTER|RENAME)\b/.test(String(step)));
  if (isMaking) await lab.restore();
  const forms = formsOf(one);
  const problems = new Map<string, string>();
  const tryForm = async (form: string): Promise<void> => {
    try {
      const errors = await attempt(lab.through, one, form);
      if (form === 'text' && one.isHazard !== true) checkRefusal(errors);
    } catch (error) {
      problems.set(form, error instanceof Error ? error.message : String(error));
    }
  };
  // All forms, then one look; only where something has changed each form is tried alone.
  const isHarmed = await lab.doesHarm(async () => {
    for (const form of forms) await tryForm(form);
  });
  for (const form of forms) {
    await context.check(`${one.trap} ${form}: ${title}`, async () => {
      if (isHarmed && (await lab.doesHarm(() => tryForm(form)))) {
        throw new Error('something watched has changed');
      }
      const problem = problems.get(form);
      if (problem !== undefined) throw new Error(problem);
    });
  }
  // Steps that were let through may have left something behind.
  if (isMaking) await lab.restore();
}

async function checkNamed(context: SuiteContext): Promise<void> {
  const lab = await MysqlBlockLab.open(context, { ...MYSQL_RULE, objects: ['watched.*'] });
  for (const one of MYSQL_NAMED_CASES) await checkCase(context, lab, one);
  await context.check('MY-63 what the rule does not name is let through', async () => {
    await lab.restore();
    const client = await connectLab(lab.through);
    const texts = [
      'DELETE FROM own WHERE id = 1',
      'USE watched',
      'DELETE FROM lab.own WHERE id = 2',
    ];
    const seen = await asTexts(client, texts);
    // COM_INIT_DB and COM_RESET_CONNECTION move names as USE does.
    await client.run(command(COM.initDb, 'lab'));
    seen.push(...(await client.query('DELETE FROM own WHERE id = 3')));
    client.close();
    const bad = seen.find(({ end }) => end.kind === 'error');
    if (bad !== undefined) throw new Error(JSON.stringify(bad.end));
    const left = (await lab.lab.admin('SELECT COUNT(*) FROM lab.own')).trim();
    if (left !== '0') throw new Error(`${left} rows are left`);
  });
  await context.check('MY-63 COM_INIT_DB, then a name without its database', async () => {
    const isHarmed = await lab.doesHarm(async () => {
      const client = await connectLab(lab.through);
      await client.run(command(COM.initDb, 'watched'));
      await client.query('DELETE FROM victims WHERE id > 5');
      const prepared = await client.prepare('DELETE FROM victims WHERE id > 5');
      await client.run(command(COM.initDb, 'lab'));
      if (!('kind' in prepared)) await client.execute(execute(prepared.id));
      await client.execute(execute(1));
      await client.run(command(COM.close, uint32(1))).catch(() => undefined);
      client.close();
    });
    if (isHarmed) throw new Error('something watched has changed');
  });
}

async function runMysqlBlock(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-block')) return;
  const lab = await MysqlBlockLab.open(context);
  for (const [index, one] of MYSQL_BLOCK_CASES.entries()) {
    if (index % 40 === 0) context.progress(`attempt ${index + 1} of ${MYSQL_BLOCK_CASES.length}`);
    await checkCase(context, lab, one);
  }
  context.progress('commands that are no texts');
  await checkMysqlSpecial(context, lab);
  context.progress('states after a refusal');
  await checkMysqlStates(context, lab);
  context.progress('what must be let through');
  await checkMysqlAllowed(context, lab);
  context.progress('names without their database');
  await checkNamed(context);
}

export const mysqlBlock: Suite = {
  name: 'mysql-block',
  about: 'nothing gets past a rule that blocks drop, truncate and delete on MariaDB',
  run: runMysqlBlock,
};
