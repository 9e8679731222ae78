/**
 * Masked columns, a hostile user, and every form of the protocol: no byte sequence that the server sent to
 * the client holds a masked value in any encoding, errors and warnings included. Each attack first
 * proves direct that it would have shown one; the same query on a clear column must give the same
 * answer as direct; what can be followed is masked and not refused.
 */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTemporary } from '../support/gateway-process.ts';
import {
  type MysqlClient,
  type MysqlResult,
  NEWEST_STATEMENT,
  printResults,
} from '../support/mysql-client.ts';
import { CAPABILITY, COM, command, execute, uint32 } from '../support/mysql-packets.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import {
  connectLab,
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
  waitLonger,
} from './mysql-lab.ts';
import { MYSQL_COLUMN, MYSQL_SEQUENCES, MYSQL_TRACED, MYSQL_WHOLE } from './mysql-mask-cases.ts';
import { findMysqlSecret, MYSQL_MASK_DATABASE, MYSQL_MASKS } from './mysql-mask-database.ts';
import { checkMaskedDrivers } from './mysql-mask-drivers.ts';

/** A torn read came about once in thirty rounds, and there are some five of them in a second. */
const CHURN_TIME = 12_000;

/** How long a table that was made anew is left alone. */
const REMADE_TIME = 500;

type Send = (client: MysqlClient, text: string) => Promise<MysqlResult[]>;

async function sendAll(client: MysqlClient, texts: readonly string[]): Promise<MysqlResult[]> {
  const seen: MysqlResult[] = [];
  for (const text of texts) seen.push(...(await client.query(text)));
  return seen;
}

async function prepared(client: MysqlClient, text: string, times = 1): Promise<MysqlResult[]> {
  const statement = await client.prepare(text);
  if ('kind' in statement) return [{ columns: [], rows: [], end: statement }];
  const seen: MysqlResult[] = [];
  for (let left = times; left > 0; left -= 1) {
    seen.push(...(await client.execute(execute(statement.id))));
  }
  return seen;
}

/** With a cursor on the server, whose rows come without their column definitions (MY-24, MY-71). */
async function fetched(client: MysqlClient, text: string): Promise<MysqlResult[]> {
  // MariaDB 10.11 itself ends where DELETE ... RETURNING is executed with a cursor.
  if (!/^\W*(?:SELECT|WITH|VALUES|CALL|SET STATEMENT)\b/.test(text)) return prepared(client, text);
  const statement = await client.prepare(text);
  if ('kind' in statement) return [{ columns: [], rows: [], end: statement }];
  const seen = await client.execute(execute(statement.id, [], 1));
  const [first] = seen;
  if (first?.end.kind !== 'ok' || first.columns.length === 0 || first.rows.length > 0) return seen;
  for (let left = 5; left > 0; left -= 1) {
    client.send(command(COM.fetch, uint32(statement.id), uint32(1)));
    const portion = await client.readRows(first.columns, { isBinary: true });
    seen.push(portion);
    if (portion.end.kind === 'error' || (portion.end.status & 0x80) !== 0) break;
  }
  return seen;
}

const text: Send = (client, sql) => client.query(sql);

/** The ways to ask one question. */
const FORMS: Readonly<Record<string, Send>> = {
  text,
  prepared: (client, sql) => prepared(client, sql),
  'prepared, twice': (client, sql) => prepared(client, sql, 2),
  newest: async (client, sql) => {
    client.sendAll([command(COM.prepare, sql), execute(NEWEST_STATEMENT)]);
    client.startReply();
    await client.readPrepared();
    client.startReply();
    return client.readResults({ isBinary: true });
  },
  cursor: fetched,
  'among others': (client, sql) => client.query(`SELECT 1; ${sql}; SELECT 2`),
  'prepared in SQL': (client, sql) =>
    sendAll(client, [`PREPARE x FROM '${sql.replaceAll("'", "''")}'`, 'EXECUTE x', 'EXECUTE x']),
  'temporary table': (client, sql) =>
    sendAll(client, [`CREATE TEMPORARY TABLE tmp AS ${sql}`, 'SELECT * FROM tmp']),
  'with its warnings': (client, sql) => sendAll(client, [sql, 'SHOW WARNINGS', 'SHOW ERRORS']),
  'wide results': (client, sql) => sendAll(client, ['SET character_set_results = utf16', sql]),
};

async function ask(
  way: MysqlWay,
  act: (client: MysqlClient) => Promise<MysqlResult[]>,
  capabilities = CAPABILITY.deprecateEof | CAPABILITY.sessionTrack,
): Promise<[Buffer, MysqlResult[]]> {
  const client = await connectLab(way, { capabilities });
  try {
    await client.query('START TRANSACTION');
    client.bytes = [];
    const results = await act(client);
    const bytes = Buffer.concat(client.bytes);
    await client.query('ROLLBACK');
    await client.query('SET NAMES utf8mb4');
    const [end] = await client.query("SELECT 'usable'");
    if (end?.rows.length !== 1) throw new Error('the session is not usable afterwards');
    return [bytes, results];
  } finally {
    client.close();
  }
}

/** In the bytes as they came, in the values put together, and in the numbers of OK packets. */
async function findIn(
  way: MysqlWay,
  act: (client: MysqlClient) => Promise<MysqlResult[]>,
): Promise<string | undefined> {
  const [bytes, results] = await ask(way, act);
  const values = results.flatMap(({ rows }) => rows.flat().filter((value) => value !== null));
  const numbers = results.map(({ end }) =>
    end.kind === 'ok' ? `${end.insertId} ${end.affected}` : '',
  );
  return (
    findMysqlSecret(bytes) ??
    findMysqlSecret(Buffer.concat(values)) ??
    findMysqlSecret(Buffer.from(numbers.join(' ')))
  );
}

async function checkNoLeak(
  lab: MysqlLab,
  act: (client: MysqlClient) => Promise<MysqlResult[]>,
): Promise<void> {
  const found = await findIn(lab.through, act);
  if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
}

async function leaksDirect(
  lab: MysqlLab,
  act: (client: MysqlClient) => Promise<MysqlResult[]>,
): Promise<boolean> {
  return (await findIn(lab.direct, act).catch(() => undefined)) !== undefined;
}

/** An attack may change what the next one reads. */
function writes(sql: string): boolean {
  return /\b(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|CALL)\b/i.test(sql);
}

async function checkQueries(context: SuiteContext, lab: MysqlLab): Promise<void> {
  const attacks = [...MYSQL_COLUMN.map((one) => one.replaceAll('$C', 'ssn')), ...MYSQL_WHOLE];
  for (const [index, sql] of attacks.entries()) {
    if (index % 40 === 0) context.progress(`attack ${index + 1} of ${attacks.length}`);
    const isPotent = await leaksDirect(lab, (client) => sendAll(client, [sql, 'SHOW WARNINGS']));
    if (!isPotent) {
      context.fail(`attack: ${sql}`, 'shows no secret even direct');
      continue;
    }
    for (const [form, send] of Object.entries(FORMS)) {
      await context.check(`${form}: ${sql}`, () => checkNoLeak(lab, (client) => send(client, sql)));
    }
    if (writes(sql)) await lab.recreate(MYSQL_MASK_DATABASE);
  }
}

/** Forms in which a query on a clear column gives the same answer as direct. */
const CONTROL_FORMS = ['text', 'prepared', 'newest', 'cursor', 'with its warnings'];

async function checkControls(context: SuiteContext, lab: MysqlLab): Promise<void> {
  context.progress('the same queries on a clear column');
  for (const template of MYSQL_COLUMN) {
    const sql = template.replaceAll('$C', 'name');
    for (const form of CONTROL_FORMS) {
      const send = FORMS[form] ?? text;
      await context.check(`clear, ${form}: ${sql}`, async () => {
        const [, direct] = await ask(lab.direct, (client) => send(client, sql));
        const [, through] = await ask(lab.through, (client) => send(client, sql));
        assertSameText(printResults(through), printResults(direct), sql);
      });
    }
  }
}

async function checkSequences(context: SuiteContext, lab: MysqlLab): Promise<void> {
  const folder = await makeTemporary(context, 'weir-mask-');
  let fileCount = 0;
  for (const [index, texts] of MYSQL_SEQUENCES.entries()) {
    if (index % 25 === 0) context.progress(`sequence ${index + 1} of ${MYSQL_SEQUENCES.length}`);
    const title = texts.join(' / ');
    const fill = (): string[] => {
      fileCount += 1;
      return texts.map((one) => one.replaceAll('$FILE', join(folder, `leak-${fileCount}`)));
    };
    await lab.recreate(MYSQL_MASK_DATABASE);
    let isPotent = await leaksDirect(lab, (client) => sendAll(client, fill()));
    if (!isPotent && texts.map(waitLonger).join() !== texts.join()) {
      await lab.recreate(MYSQL_MASK_DATABASE);
      isPotent = await leaksDirect(lab, (client) => sendAll(client, fill().map(waitLonger)));
    }
    if (!isPotent) {
      context.fail(`sequence: ${title}`, 'shows no secret even direct');
      continue;
    }
    await lab.recreate(MYSQL_MASK_DATABASE);
    await context.check(`sequence: ${title}`, () =>
      checkNoLeak(lab, (client) => sendAll(client, fill())),
    );
    await lab.recreate(MYSQL_MASK_DATABASE);
    await context.check(`sequence, prepared: ${title}`, () =>
      checkNoLeak(lab, async (client) => {
        const seen: MysqlResult[] = [];
        for (const one of fill()) seen.push(...(await prepared(client, one)));
        return seen;
      }),
    );
  }
  await lab.recreate(MYSQL_MASK_DATABASE);
}

/** Masked, not refused: as many rows and columns, NULLs where they were, clear values unchanged. */
async function checkTraced(context: SuiteContext, lab: MysqlLab): Promise<void> {
  context.progress('what can be followed is masked and not refused');
  for (const sql of MYSQL_TRACED) {
    for (const form of ['text', 'prepared', 'prepared, twice', 'newest', 'cursor']) {
      const send = FORMS[form] ?? text;
      for (const capabilities of [0, CAPABILITY.deprecateEof | CAPABILITY.sessionTrack]) {
        await context.check(`masked, ${form}, capabilities ${capabilities}: ${sql}`, async () => {
          const [, direct] = await ask(lab.direct, (client) => send(client, sql), capabilities);
          const [bytes, through] = await ask(
            lab.through,
            (client) => send(client, sql),
            capabilities,
          );
          const found = findMysqlSecret(bytes);
          if (found !== undefined) throw new Error(`came to the client: ${found}`);
          assertSameText(shapeOf(through), shapeOf(direct), sql);
        });
      }
    }
  }
}

const ENUM_FLAG = 0x100;

/** Names are not masked in any of these queries, and numbers of rows are not either. */
const CLEAR = new Set(['Ann', 'Bob', 'Cid', '1', '2', '3', 'a note']);

function shapeOf(results: readonly MysqlResult[]): string {
  const shaped = results.map((result) => ({
    ...result,
    rows: result.rows.map((row) =>
      row.map((value, index) => {
        // A member of an ENUM cannot be made up: NULL stands for it (MY-70).
        if (((result.columns[index]?.flags ?? 0) & ENUM_FLAG) !== 0) return Buffer.from('member');
        if (value === null) return null;
        return Buffer.from(CLEAR.has(value.toString()) ? value.toString() : 'value');
      }),
    ),
  }));
  return printResults(shaped);
}

/** What is asked while the catalog changes; a column, a star, an expression, a view on the table. */
const CHURN_QUERIES = [
  'SELECT ssn FROM users',
  'SELECT * FROM users',
  'SELECT UPPER(ssn) FROM lab.users',
  'SELECT u FROM v_text',
];

/** Asks until the time is over. Gives how many results had rows, and a value that came in clear. */
async function askWhile(
  lab: MysqlLab,
  state: { readonly isOver: boolean },
): Promise<{ readonly answered: number; readonly found: string | undefined }> {
  const end = Date.now() + CHURN_TIME;
  let answered = 0;
  let found: string | undefined;
  while (!state.isOver && found === undefined && Date.now() < end) {
    const client = await connectLab(lab.through, { database: 'mysql' });
    await client.query('USE lab');
    for (const sql of CHURN_QUERIES) {
      const results = await client.query(sql);
      answered += results.filter(({ rows }) => rows.length > 0).length;
    }
    found = findMysqlSecret(Buffer.concat(client.bytes));
    client.close();
  }
  return { answered, found };
}

type Churn = (lab: MysqlLab) => Promise<void>;

/**
 * On one connection, without the time that a program takes to start: while the table is dropped and created the
 * server lists it without its columns, on a slow disk over more than one read of the catalog. Then it
 * stays for a while, so that there is something to see.
 */
async function remakeTable(client: MysqlClient): Promise<void> {
  for (const sql of [
    'DROP TABLE users',
    'CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(60), ssn VARCHAR(40), FULLTEXT KEY words (ssn))',
    "INSERT INTO users VALUES (1, 'Ann', '943-71-2086')",
  ]) {
    const [result] = await client.query(sql);
    if (result?.end.kind === 'error') throw new Error(`${sql}: ${result.end.message}`);
  }
  await delay(REMADE_TIME);
}

/**
 * The catalog is read while a masked table is made anew over and over: whatever such a read finds, a
 * value never comes in clear.
 */
async function checkChurn(context: SuiteContext, lab: MysqlLab): Promise<void> {
  const admin = await connectLab(lab.direct, { database: 'lab' });
  const churns: Readonly<Record<string, Churn>> = {
    'a database that is made anew all the time': () => lab.recreate(MYSQL_MASK_DATABASE),
    'a masked table that is made anew all the time': () => remakeTable(admin),
  };
  for (const [title, churn] of Object.entries(churns)) {
    await lab.recreate(MYSQL_MASK_DATABASE);
    await admin.query('USE lab');
    await context.check(title, async () => {
      const state = { isOver: false };
      const churning = (async () => {
        while (!state.isOver) await churn(lab);
      })().finally(() => {
        state.isOver = true;
      });
      const { answered, found } = await askWhile(lab, state);
      state.isOver = true;
      await churning;
      if (found !== undefined) throw new Error(`came to the client: ${found}`);
      context.progress(`${answered} results had rows meanwhile`);
    });
  }
  admin.close();
  await context.check('and then everything is there again', async () => {
    // A catalog counts only when it was read twice alike, so while nothing holds still all may be refused.
    await lab.recreate(MYSQL_MASK_DATABASE);
    const client = await connectLab(lab.through, { database: 'lab' });
    const [result] = await client.query('SELECT ssn FROM users');
    client.close();
    if (result === undefined || result.rows.length === 0)
      throw new Error('no rows came afterwards');
  });
}

async function runMysqlMask(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-mask')) return;
  const lab = await openMysqlLab(context, {
    masks: MYSQL_MASKS,
    args: ['--event-scheduler=ON', '--log-bin-trust-function-creators=ON', '--secure-file-priv='],
    // The strongest user: files and statistics are open to it, so nothing but the gateway is in the way.
    grant: 'ALL ON *.*',
  });
  await lab.recreate(MYSQL_MASK_DATABASE);
  await checkTraced(context, lab);
  context.progress('drivers decode what is masked');
  await checkMaskedDrivers(context, lab);
  await checkQueries(context, lab);
  await checkControls(context, lab);
  await checkSequences(context, lab);
  context.progress('a catalog that changes while it is read');
  await checkChurn(context, lab);
}

export const mysqlMask: Suite = {
  name: 'mysql-mask',
  about: 'no masked value of MariaDB reaches a client in any encoding',
  run: runMysqlMask,
};
