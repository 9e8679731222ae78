/**
 * Masked columns, a hostile user, and every form of the protocol: no byte sequence that the server sent to
 * the client holds a masked value in any encoding. Each attack first proves direct that it would have
 * shown one; the same query on a clear column must give the same answer as direct.
 */

import { join } from 'node:path';
import type { SuiteContext, Suite } from './harness.ts';
import { assertSameText } from './harness.ts';
import { DATABASE, type Lab, openLab, type Way } from './lab.ts';
import { COLUMN, SEQUENCES, TRACED, WHOLE } from './mask-cases.ts';
import { findSecret, MASK_DATABASE, MASKS } from './mask-database.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import {
  bind,
  decodeDataRow,
  describe,
  execute,
  flush,
  type Message,
  parse,
  printMessage,
  sync,
} from '../support/raw-postgres.ts';

type Send = (client: RawClient, text: string) => Promise<Message[]>;

async function sendAll(client: RawClient, texts: readonly string[]): Promise<Message[]> {
  const seen: Message[] = [];
  for (const text of texts) seen.push(...(await client.query(text)));
  return seen;
}

/** The ways to ask one question. */
const FORMS: Readonly<Record<string, Send>> = {
  simple: (client, text) => client.query(text),
  'extended text': (client, text) =>
    client.exchange([parse('', text), bind('', ''), describe('P'), execute(), sync()]),
  'extended binary': (client, text) =>
    client.exchange([
      parse('', text),
      bind('', '', { resultFormats: [1] }),
      describe('P'),
      execute(),
      sync(),
    ]),
  // PG-40: the rows come with no description that the gateway did not ask for itself.
  'without Describe': (client, text) =>
    client.exchange([
      parse('s', text),
      bind('', 's', { resultFormats: [1] }),
      execute(),
      bind('', 's'),
      execute(),
      sync(),
    ]),
  'in portions': (client, text) =>
    client.exchange([
      parse('', text),
      bind('p', ''),
      execute('p', 1),
      execute('p', 1),
      flush(),
      execute('p', 0),
      sync(),
    ]),
  cursor: (client, text) =>
    sendAll(client, [
      'BEGIN',
      `DECLARE c CURSOR FOR ${text}`,
      'FETCH 1 FROM c',
      'FETCH ALL FROM c',
      'COMMIT',
    ]),
  copy: (client, text) => client.query(`COPY (${text}) TO STDOUT`),
  'copy binary': (client, text) => client.query(`COPY (${text}) TO STDOUT WITH (FORMAT binary)`),
  prepared: (client, text) =>
    sendAll(client, [`PREPARE x AS ${text}`, 'EXECUTE x', 'DEALLOCATE x']),
  'among others': (client, text) => client.query(`SELECT 1; ${text}; SELECT 2`),
  'temporary table': (client, text) =>
    sendAll(client, [
      `CREATE TEMP TABLE tmp AS SELECT 0 AS k, q.* FROM (${text}) q`,
      'TABLE tmp',
      'SELECT tmp FROM tmp',
    ]),
};

async function ask(
  way: Way,
  act: (client: RawClient) => Promise<Message[]>,
): Promise<[Buffer, Message[]]> {
  const client = await connectRaw({ ...way, database: DATABASE });
  try {
    await client.until('Z');
    client.bytes = [];
    const messages = await act(client);
    await client.query('ROLLBACK');
    const end = await client.query("SELECT 'usable'");
    if (end.map((one) => one.type).join('') !== 'TDCZ')
      throw new Error('the session is not usable afterwards');
    return [Buffer.concat(client.bytes), messages];
  } finally {
    client.close();
  }
}

/** In the bytes as they came, and in the values put together: one letter in each row is a leak as well. */
async function findIn(
  way: Way,
  act: (client: RawClient) => Promise<Message[]>,
): Promise<string | undefined> {
  const [bytes, messages] = await ask(way, act);
  const values = rowsOf(messages).flatMap((row) => row.filter((value) => value !== null));
  return findSecret(bytes) ?? findSecret(Buffer.concat(values));
}

async function checkNoLeak(
  lab: Lab,
  act: (client: RawClient) => Promise<Message[]>,
): Promise<void> {
  const found = await findIn(lab.through, act);
  if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
}

async function leaksDirect(
  lab: Lab,
  act: (client: RawClient) => Promise<Message[]>,
): Promise<boolean> {
  return (await findIn(lab.direct, act)) !== undefined;
}

function print(messages: readonly Message[]): string {
  return messages.map(printMessage).join('\n');
}

async function checkQueries(context: SuiteContext, lab: Lab): Promise<void> {
  const attacks = [...COLUMN.map((text) => text.replaceAll('$C', 'ssn')), ...WHOLE];
  for (const [index, text] of attacks.entries()) {
    if (index % 50 === 0) context.progress(`attack ${index + 1} of ${attacks.length}`);
    if (!(await leaksDirect(lab, (client) => client.query(text)))) {
      context.fail(`attack: ${text}`, 'shows no secret even direct');
      continue;
    }
    for (const [form, send] of Object.entries(FORMS)) {
      await context.check(`${form}: ${text}`, () =>
        checkNoLeak(lab, (client) => send(client, text)),
      );
    }
  }
}

async function checkControls(context: SuiteContext, lab: Lab): Promise<void> {
  context.progress('the same queries on a clear column');
  for (const template of COLUMN) {
    const text = template.replaceAll('$C', 'name');
    // COPY of a table with masked columns is refused whatever the column (issue 2), so it is not among them.
    for (const form of ['simple', 'extended binary', 'without Describe', 'in portions']) {
      const send = FORMS[form] ?? FORMS['simple'];
      if (send === undefined) throw new Error(`no form ${form}`);
      await context.check(`clear, ${form}: ${text}`, async () => {
        const [, direct] = await ask(lab.direct, (client) => send(client, text));
        const [, through] = await ask(lab.through, (client) => send(client, text));
        assertSameText(print(through), print(direct), text);
      });
    }
  }
}

/** Another session listens: what one client notifies must not reach it either (PG-80). */
async function checkSequences(context: SuiteContext, lab: Lab): Promise<void> {
  let fileCount = 0;
  for (const [index, texts] of SEQUENCES.entries()) {
    if (index % 25 === 0) context.progress(`sequence ${index + 1} of ${SEQUENCES.length}`);
    const title = texts.join(' / ');
    const fill = (): string[] => {
      fileCount += 1;
      const file = join(lab.server.directory, `leak-${fileCount}`);
      return texts.map((text) => text.replaceAll('$FILE', file));
    };
    await lab.recreate(MASK_DATABASE);
    const isPotent = await leaksDirect(lab, (client) => sendAll(client, fill()));
    if (!isPotent) {
      context.fail(`sequence: ${title}`, 'shows no secret even direct');
      continue;
    }
    await lab.recreate(MASK_DATABASE);
    await context.check(`sequence: ${title}`, () =>
      checkNoLeak(lab, (client) => sendAll(client, fill())),
    );
    await context.check(`sequence, extended: ${title}`, () =>
      checkNoLeak(lab, async (client) => {
        const seen: Message[] = [];
        for (const text of fill()) {
          seen.push(
            ...(await client.exchange([
              parse('', text),
              bind('', '', { resultFormats: [1] }),
              execute(),
              sync(),
            ])),
          );
        }
        return seen;
      }),
    );
  }
  await lab.recreate(MASK_DATABASE);
  await context.check('a notification to a session that listens (PG-80)', async () => {
    const listener = await connectRaw({ ...lab.through, database: DATABASE });
    await listener.until('Z');
    await listener.query('LISTEN c');
    await checkNoLeak(lab, (client) =>
      client.query("SELECT pg_notify('c', ssn) FROM users WHERE id = 1"),
    );
    await listener.query('SELECT 1');
    const found = findSecret(Buffer.concat(listener.bytes));
    listener.close();
    if (found !== undefined) throw new Error('the notification brought the value');
  });
}

function rowsOf(messages: readonly Message[]): (Buffer | null)[][] {
  return messages.filter((one) => one.type === 'D').map((one) => decodeDataRow(one.body));
}

/** Masked, not refused: as many rows and columns, NULLs where they were, clear values unchanged. */
async function checkTraced(context: SuiteContext, lab: Lab): Promise<void> {
  context.progress('what can be traced is masked and not refused');
  for (const text of TRACED) {
    for (const form of [
      'simple',
      'extended text',
      'extended binary',
      'without Describe',
      'in portions',
      'prepared',
      'cursor',
    ]) {
      const send = FORMS[form];
      if (send === undefined || (form === 'cursor' && text.startsWith('UPDATE'))) continue;
      await context.check(`masked, ${form}: ${text}`, async () => {
        const [, direct] = await ask(lab.direct, (client) => send(client, text));
        const [bytes, through] = await ask(lab.through, (client) => send(client, text));
        const found = findSecret(bytes);
        if (found !== undefined) throw new Error(`came to the client: ${found}`);
        const shape = (messages: readonly Message[]): string =>
          messages
            .map((one) => (one.type === 'D' ? shapeOfRow(one) : printMessage(one)))
            .join('\n');
        assertSameText(shape(through), shape(direct), text);
        compareNames(rowsOf(direct), rowsOf(through));
      });
    }
  }
}

function shapeOfRow(row: Message): string {
  return `D ${decodeDataRow(row.body)
    .map((value) => (value === null ? 'NULL' : 'value'))
    .join(' ')}`;
}

/** Names are not masked in any of these queries. */
function compareNames(direct: (Buffer | null)[][], through: (Buffer | null)[][]): void {
  for (const [at, row] of direct.entries()) {
    for (const [index, value] of row.entries()) {
      const text = value?.toString() ?? '';
      if (!['Ann', 'Bob', 'Cid'].includes(text)) continue;
      assertSameText(through[at]?.[index]?.toString() ?? 'NULL', text, 'a clear value');
    }
  }
}

async function runMask(context: SuiteContext): Promise<void> {
  const lab = await openLab(context, { masks: MASKS, settings: { autovacuum: 'off' } });
  // The strongest user: statistics and files are open to it, so nothing but the gateway is in the way.
  await lab.admin('ALTER ROLE app SUPERUSER', 'postgres');
  await lab.recreate(MASK_DATABASE);
  await checkTraced(context, lab);
  await checkQueries(context, lab);
  await checkControls(context, lab);
  await checkSequences(context, lab);
}

export const mask: Suite = {
  name: 'mask',
  about: 'no masked value reaches a client in any encoding',
  run: runMask,
};
