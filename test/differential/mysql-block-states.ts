/**
 * What a session sees after a refusal (MY-15, MY-44, MY-55): the same packets with the same status as a
 * server gives for a statement that fails. So each scenario is sent direct with a broken text and
 * through the gateway with a blocked one, and the two are compared; and what only looks dangerous.
 */

import {
  type MysqlClient,
  type MysqlResult,
  NEWEST_STATEMENT,
  printResults,
} from '../support/mysql-client.ts';
import { CAPABILITY, COM, command, execute } from '../support/mysql-packets.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { MYSQL_ALLOWED } from './mysql-block-allowed.ts';
import { MYSQL_RULE, type MysqlBlockLab } from './mysql-block-lab.ts';
import { connectLab, type MysqlWay } from './mysql-lab.ts';

type Scenario = (client: MysqlClient, bad: string) => Promise<string[]>;

const BROKEN = 'SELEKT';
const BLOCKED = ['DELETE FROM watched.victims', 'CALL purge_it()', '/*! DROP DATABASE spare */'];
const INSERT = "INSERT INTO sink VALUES (1, 'kept')";
const COUNT = 'SELECT COUNT(*) FROM sink';

/** Only that something was refused, not in which words. */
function print(results: readonly MysqlResult[]): string {
  return printResults(results).replace(/^\{"kind":"error".*$/gm, 'refused');
}

async function texts(client: MysqlClient, ...statements: string[]): Promise<string[]> {
  const seen: string[] = [];
  for (const one of statements) seen.push(print(await client.query(one)));
  return seen;
}

async function prepareAndExecute(client: MysqlClient, text: string): Promise<string[]> {
  const prepared = await client.prepare(text);
  const seen = 'kind' in prepared ? ['refused'] : ['prepared'];
  const id = 'kind' in prepared ? NEWEST_STATEMENT : prepared.id;
  return [...seen, print(await client.execute(execute(id)))];
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'outside a transaction': (client, bad) => texts(client, bad, COUNT),
  'in a transaction, which goes on (MY-15)': (client, bad) =>
    texts(client, 'BEGIN', INSERT, bad, COUNT, 'DO 0', 'COMMIT', COUNT),
  'rolled back to a savepoint': (client, bad) =>
    texts(client, 'BEGIN', INSERT, 'SAVEPOINT s', INSERT, bad, 'ROLLBACK TO s', 'COMMIT', COUNT),
  'in a read-only transaction': (client, bad) =>
    texts(client, 'START TRANSACTION READ ONLY', bad, COUNT, 'COMMIT'),
  'without autocommit': (client, bad) =>
    texts(client, 'SET autocommit = 0', INSERT, bad, 'ROLLBACK', COUNT, 'SET autocommit = 1'),
  'twice in a row, then an empty text': (client, bad) => texts(client, bad, bad, '', COUNT),
  prepared: async (client, bad) => [
    ...(await prepareAndExecute(client, bad)),
    ...(await prepareAndExecute(client, 'SELECT 1, ?'.replace(', ?', ''))),
    ...(await texts(client, COUNT)),
  ],
  'prepared in a transaction': async (client, bad) => [
    ...(await texts(client, 'BEGIN', INSERT)),
    ...(await prepareAndExecute(client, bad)),
    ...(await texts(client, 'COMMIT', COUNT)),
  ],
  'an older prepared statement is still there': async (client, bad) => {
    const old = await client.prepare('SELECT 42');
    await client.prepare(bad);
    if ('kind' in old) return ['refused'];
    return [print(await client.execute(execute(old.id))), ...(await texts(client, COUNT))];
  },
  'among pipelined commands (MY-33)': async (client, bad) => {
    const commands = [INSERT, bad, COUNT, bad, 'SELECT 2'];
    client.sendAll(commands.map((text) => command(COM.query, text)));
    const seen: string[] = [];
    for (const _ of commands) {
      client.startReply();
      seen.push(print(await client.readResults()));
    }
    return seen;
  },
  'before a ping, a reset and statistics': async (client, bad) => {
    const seen = await texts(client, bad);
    seen.push(print(await client.run(command(COM.ping))));
    seen.push(...(await texts(client, bad)));
    seen.push(print(await client.run(command(COM.resetConnection))));
    return [...seen, ...(await texts(client, 'SELECT DATABASE()', COUNT))];
  },
};

async function play(
  way: MysqlWay,
  scenario: Scenario,
  bad: string,
  capabilities: number,
): Promise<string> {
  const client = await connectLab(way, { capabilities });
  try {
    const seen = await scenario(client, bad);
    return [...seen, ...(await texts(client, "SELECT 'end'"))].join('\n');
  } finally {
    client.close();
  }
}

export async function checkMysqlStates(context: SuiteContext, lab: MysqlBlockLab): Promise<void> {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    for (const capabilities of [0, CAPABILITY.deprecateEof | CAPABILITY.sessionTrack]) {
      await context.check(`after a refusal: ${name}, capabilities ${capabilities}`, async () => {
        await lab.refill();
        const direct = await play(lab.direct, scenario, BROKEN, capabilities);
        for (const blocked of BLOCKED) {
          await lab.refill();
          const through = await play(lab.through, scenario, blocked, capabilities);
          assertSameText(through, direct, blocked);
        }
      });
    }
  }
  await context.check(
    'a refusal is an ERR 1142, 42000, that names the rule (GW-18, MY-44)',
    async () => {
      const client = await connectLab(lab.through);
      const [result] = await client.query('DELETE FROM watched.victims');
      const prepared = await client.prepare('DELETE FROM watched.victims');
      client.close();
      for (const end of [result?.end, 'kind' in prepared ? prepared : undefined]) {
        if (end?.kind !== 'error' || end.code !== 1142 || end.state !== '42000') {
          throw new Error(JSON.stringify(end));
        }
        if (!end.message.includes(MYSQL_RULE.name))
          throw new Error(`no rule is named: ${end.message}`);
      }
    },
  );
  await context.check('several statements with a blocked one: none runs (MY-44)', async () => {
    await lab.refill();
    const client = await connectLab(lab.through);
    await client.query(`${INSERT}; DELETE FROM watched.victims; ${INSERT}`);
    const [count] = await client.query(COUNT);
    client.close();
    const rows = count?.rows[0]?.[0]?.toString();
    if (rows !== '0') throw new Error(`${rows} rows were inserted`);
  });
}

/** MY-48, MY-49, MY-51. */
export async function checkMysqlAllowed(context: SuiteContext, lab: MysqlBlockLab): Promise<void> {
  for (const isPrepared of [false, true]) {
    const answers = new Map<string, string[]>();
    for (const way of [lab.direct, lab.through]) {
      await lab.restore();
      const client = await connectLab(way);
      const seen: string[] = [];
      for (const text of MYSQL_ALLOWED) seen.push(await answerTo(client, text, isPrepared));
      client.close();
      answers.set(way.name, seen);
    }
    for (const [index, text] of MYSQL_ALLOWED.entries()) {
      const form = isPrepared ? 'prepared' : 'text';
      await context.check(`MY-51 ${form}: ${text || '(empty)'}`, () => {
        const direct = answers.get('direct')?.[index] ?? '';
        assertSameText(answers.get('through')?.[index] ?? '', direct, text);
      });
    }
  }
}

async function answerTo(client: MysqlClient, text: string, isPrepared: boolean): Promise<string> {
  if (!isPrepared) return printResults(await client.query(text));
  const prepared = await client.prepare(text);
  if ('kind' in prepared) return JSON.stringify(prepared);
  const values = Array.from({ length: prepared.parameterCount }, () => '1');
  return printResults(await client.execute(execute(prepared.id, values)));
}
