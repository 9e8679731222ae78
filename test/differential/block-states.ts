/**
 * What a session sees after a refusal (PG-28..PG-33): the same messages, in the same order and with the
 * same transaction status, as a server gives for a statement that does not parse. So each scenario is
 * sent direct with a broken text and through the gateway with a blocked one, and the two are compared.
 */

import { connectRaw } from '../support/raw-client.ts';
import {
  bind,
  closeNamed,
  decodeFields,
  describe,
  execute,
  flush,
  type Message,
  parse,
  printMessage,
  query,
  sync,
} from '../support/raw-postgres.ts';
import { ALLOWED } from './block-cases.ts';
import { type BlockLab, RULE } from './block-lab.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { DATABASE, isInstalled, runProgram, transcript, type Way } from './lab.ts';

/** Messages sent at once, then the number of ReadyForQuery they are worth. */
type Step = readonly [messages: readonly Buffer[], readyCount: number];
type Scenario = (bad: string) => readonly Step[];

const one = (text: string): Buffer[] => [parse('', text), bind('', ''), execute()];
const insert = "INSERT INTO sink VALUES (1, 'kept')";
const countRows: Step = [[query('SELECT count(*) FROM sink')], 1];

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a simple query outside a transaction': (bad) => [[[query(bad)], 1], countRows],
  'a simple query in a transaction': (bad) => [
    [[query('BEGIN'), query(insert), query(bad), query('SELECT 1'), query('COMMIT')], 5],
    countRows,
  ],
  'ROLLBACK TO brings a transaction back (PG-35)': (bad) => [
    [[query('BEGIN'), query(insert), query('SAVEPOINT s'), query(bad)], 4],
    [[query('ROLLBACK TO s'), query('SELECT 1'), query('COMMIT')], 3],
    countRows,
  ],
  'COMMIT AND CHAIN after a refusal': (bad) => [
    [[query('BEGIN'), query(bad), query('COMMIT AND CHAIN'), query('ROLLBACK')], 4],
  ],
  'a refusal in a transaction that has failed already': (bad) => [
    [[query('BEGIN'), query('SELECT 1/0'), query(bad), query('ROLLBACK')], 4],
  ],
  'several statements in one text: none runs (PG-33)': (bad) => [
    [[query(`${insert}; ${bad}; ${insert}`)], 1],
    countRows,
  ],
  'a pipeline: what came before is rolled back, what comes after is skipped (PG-28, PG-30)': (
    bad,
  ) => [[[...one(insert), ...one(bad), ...one(insert), sync()], 1], countRows],
  'a pipeline of three segments': (bad) => [
    [[...one(insert), sync(), ...one(bad), sync(), ...one(insert), sync()], 3],
    countRows,
  ],
  'a simple query before Sync is skipped (PG-28)': (bad) => [
    [[parse('', bad), query('SELECT 1'), flush(), closeNamed('S', 'x'), sync()], 1],
    countRows,
  ],
  'a refused Parse leaves no statement': (bad) => [
    [[parse('d', bad), sync(), bind('', 'd'), execute(), sync(), describe('S', 'd'), sync()], 3],
  ],
  'a refused Parse leaves the old unnamed statement gone (PG-36)': (bad) => [
    [[parse('', 'SELECT 1'), sync(), parse('', bad), sync(), bind('', ''), execute(), sync()], 3],
  ],
  'an earlier error goes through as it is (PG-31)': (bad) => [
    [[...one('SELECT * FROM nothing_here'), ...one(bad), sync()], 1],
    [[query('SELECT 1')], 1],
  ],
  'a duplicate name fails by itself, then the refused one is skipped': (bad) => [
    [[parse('a', 'SELECT 1'), sync()], 1],
    [[parse('a', 'SELECT 2'), ...one(bad), sync(), bind('', 'a'), execute(), sync()], 2],
  ],
  'in an explicit transaction by extended queries': (bad) => [
    [[...one('BEGIN'), sync(), ...one(insert), sync(), ...one(bad), sync()], 3],
    [[...one('SELECT 1'), sync(), ...one('COMMIT'), sync()], 2],
    countRows,
  ],
  'many statements in flight, every fifth refused': (bad) => [
    [
      Array.from({ length: 100 }, (_, index) => [
        ...one(index % 5 === 4 ? bad : `SELECT ${index}`),
        sync(),
      ]).flat(),
      100,
    ],
  ],
  'simple and extended queries mixed': (bad) => [
    [
      [query(bad), ...one('SELECT 1'), sync(), query(bad), query('SELECT 2'), ...one(bad), sync()],
      5,
    ],
  ],
  'an empty query behind a refusal (PG-45)': (bad) => [[[query(bad), query(''), query(';')], 3]],
};

async function play(way: Way, scenario: readonly Step[]): Promise<Message[]> {
  const client = await connectRaw({ ...way, database: DATABASE });
  try {
    await client.until('Z');
    const seen: Message[] = [];
    for (const [messages, readyCount] of scenario) {
      seen.push(...(await client.exchange(messages, readyCount)));
    }
    // Anything more would be a message that nobody asked for.
    seen.push(...(await client.query("SELECT 'end'")));
    return seen;
  } finally {
    client.close();
  }
}

/** Text that cannot parse where the other has text that is blocked: only the error differs. */
function printWithoutRefusal(messages: readonly Message[]): string {
  return messages
    .map((message) => {
      const code = message.type === 'E' ? decodeFields(message.body)['C'] : '';
      return code === '42601' || code === '42501' ? 'E (refused)' : printMessage(message);
    })
    .join('\n');
}

export async function checkStates(context: SuiteContext, lab: BlockLab): Promise<void> {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    await context.check(`after a refusal: ${name}`, async () => {
      await lab.restore();
      const direct = printWithoutRefusal(await play(lab.direct, scenario(')')));
      for (const blocked of ['DELETE FROM watched.victims', 'SELECT purge()']) {
        await lab.restore();
        const through = printWithoutRefusal(await play(lab.through, scenario(blocked)));
        assertSameText(through, direct, blocked);
      }
    });
  }
  await context.check('a refusal is an ERROR 42501 that names the rule (GW-18)', async () => {
    const [first] = await play(lab.through, [[[query('DELETE FROM watched.victims')], 1]]);
    const fields = first?.type === 'E' ? decodeFields(first.body) : {};
    if (fields['C'] !== '42501' || fields['S'] !== 'ERROR' || fields['V'] !== 'ERROR') {
      throw new Error(JSON.stringify(fields));
    }
    if (!fields['M']?.includes(RULE.name)) throw new Error(`the rule is not named: ${fields['M']}`);
    const internal = ['P', 'F', 'L', 'R', 'p', 'q'].filter((field) => field in fields);
    if (internal.length > 0) throw new Error(`left over from the server: ${internal.join()}`);
  });
  await context.check('a refused Parse is answered without Sync or Flush (PG-27)', async () => {
    const client = await connectRaw({ ...lab.through, database: DATABASE });
    await client.until('Z');
    client.send(parse('', 'DELETE FROM watched.victims'));
    const first = await client.next().finally(() => client.close());
    if (first.type !== 'E') throw new Error(printMessage(first));
  });
}

/** PG-73: what only looks dangerous gets the same answers as direct. */
export async function checkAllowed(context: SuiteContext, lab: BlockLab): Promise<void> {
  for (const form of ['simple', 'extended'] as const) {
    await lab.restore();
    const answers = new Map<string, string[]>();
    for (const way of [lab.direct, lab.through]) {
      await lab.restore();
      const client = await connectRaw({ ...way, database: DATABASE });
      await client.until('Z');
      const texts: string[] = [];
      for (const text of ALLOWED) {
        const send = form === 'simple' ? [query(text)] : [...one(text), sync()];
        texts.push((await client.exchange(send)).map(printMessage).join('\n'));
      }
      client.close();
      answers.set(way.name, texts);
    }
    for (const [index, text] of ALLOWED.entries()) {
      await context.check(`PG-73 ${form}: ${text || '(empty)'}`, () => {
        const direct = answers.get('direct')?.[index] ?? '';
        if (/^E /m.test(direct)) throw new Error(`fails even direct: ${direct}`);
        assertSameText(answers.get('through')?.[index] ?? '', direct, text);
      });
    }
  }
  if (!(await isInstalled('pg_dump'))) return context.skip('PG-73 pg_dump', 'it is not installed');
  await context.check('PG-73 pg_dump of functions that delete', async () => {
    await lab.restore();
    const texts: string[] = [];
    for (const way of [lab.direct, lab.through])
      texts.push(transcript(await runProgram(way, ['pg_dump']), way));
    assertSameText(texts[1] ?? '', texts[0] ?? '', 'the dump');
  });
}
