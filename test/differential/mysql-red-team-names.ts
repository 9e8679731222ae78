/**
 * The same masks and blocks where the server folds names (lower_case_table_names = 1), and across a
 * change of user within one connection: who may see a value must not leave it for who may not.
 */

import type { RuleConfig } from '../../lib/config/config.ts';
import type { MysqlClient } from '../support/mysql-client.ts';
import { COM, command, execute, uint16 } from '../support/mysql-packets.ts';
import { finishSignIn } from '../support/mysql-sign-in.ts';
import type { Suite, SuiteContext } from './harness.ts';
import { ALICE, DATABASE } from './lab.ts';
import {
  connectLab,
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
} from './mysql-lab.ts';
import { findMysqlSecret, MYSQL_MASK_DATABASE, MYSQL_MASKS } from './mysql-mask-database.ts';

const PETRA = { ...ALICE, user: 'petra', groups: ['privacy'] };

const KEEP: RuleConfig = {
  name: 'keep',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete', 'update', 'alter'],
  objects: ['lab.notes', 'lab.Typed'],
  action: 'block',
};

/** Each shows a secret direct, whatever the letters. */
const LEAKS: readonly string[] = [
  'SELECT ssn FROM USERS',
  'SELECT SSN FROM Users',
  'SELECT * FROM LAB.USERS',
  'SELECT U.Ssn FROM lab.uSeRs AS U',
  'SELECT * FROM (SELECT * FROM USERS) X',
  'SELECT UPPER(x.SSN) FROM USERS x',
  'SELECT NUMBER FROM V_USERS',
  'SELECT * FROM Lab.V_Over',
  'WITH USERS2 AS (SELECT * FROM Users) SELECT * FROM users2',
  'SELECT USERS.* FROM users',
  'SELECT Users.ssn FROM users AS USERS',
  'SELECT GET_SSN(1)',
  'SELECT LAB.Get_Ssn(1)',
  'SELECT * FROM PARTED',
  'SELECT LAB.USERS.SSN FROM LAB.USERS',
  'SELECT JSON_ARRAYAGG(Ssn) FROM Users',
  'HANDLER USERS OPEN; HANDLER USERS READ FIRST',
];

/** Each changes `lab.notes` or `lab.typed` direct. */
const CHANGES: readonly string[] = [
  'DELETE FROM NOTES',
  'DELETE FROM Lab.Notes',
  'DELETE N FROM NOTES AS N',
  "UPDATE LAB.NOTES SET text = 'y'",
  'TRUNCATE Notes',
  'DROP TABLE NOTES',
  'DROP TABLE `LAB`.`Notes`',
  'RENAME TABLE NOTES TO notes2',
  'ALTER TABLE Notes ADD z INT',
  'DELETE FROM TYPED',
  'DROP DATABASE LAB',
];

async function attackMasks(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const sql of LEAKS) {
    await context.check(`folded names: ${sql}`, async () => {
      const direct = await seen(lab.direct, (client) => client.query(sql));
      if (findMysqlSecret(direct) === undefined) throw new Error('shows nothing direct either');
      for (const database of [DATABASE, DATABASE.toUpperCase()]) {
        const through = await seen(lab.through, (client) => client.query(sql), database);
        const found = findMysqlSecret(through);
        if (found !== undefined) throw new Error(`came to the client: ${found}`);
      }
    });
  }
}

async function attackBlocks(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const sql of CHANGES) {
    await context.check(`folded names: ${sql}`, async () => {
      const before = await stateOf(lab);
      await seen(lab.direct, (client) => client.query(sql));
      if ((await stateOf(lab)) === before) throw new Error('changes nothing direct either');
      await lab.recreate(MYSQL_MASK_DATABASE);
      await seen(lab.through, (client) => client.query(sql));
      const after = await stateOf(lab);
      await lab.recreate(MYSQL_MASK_DATABASE);
      if (after !== before) throw new Error('it was done');
    });
  }
}

/** Definitions and contents; TIMESTAMPs of definitions are no part of it. */
async function stateOf(lab: MysqlLab): Promise<string> {
  return lab
    .admin(
      'SELECT * FROM notes; SELECT COUNT(*) FROM typed; SHOW CREATE TABLE notes; SHOW TABLES',
      DATABASE,
    )
    .catch((error: unknown) => `unreadable: ${String(error).slice(0, 80)}`);
}

async function seen(
  way: MysqlWay,
  act: (client: MysqlClient) => Promise<unknown>,
  database: string = DATABASE,
): Promise<Buffer> {
  const client = await connectLab(way, { database, capabilities: 0x1_0000 });
  client.keepsBytes = true;
  try {
    await act(client);
    return Buffer.concat(client.bytes);
  } finally {
    client.close();
  }
}

async function become(client: MysqlClient, way: MysqlWay, user: string): Promise<void> {
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  client.send(
    command(
      COM.changeUser,
      text(user),
      Buffer.of(0),
      text(DATABASE),
      uint16(45),
      text('mysql_native_password'),
    ),
  );
  await finishSignIn(client, way, { plugin: '', nonce: Buffer.alloc(0) });
}

type Sequence = (client: MysqlClient, way: MysqlWay) => Promise<unknown>;

/** What petra, who sees all, left in the session; then alice asks. Bytes count from then on. */
const HANDOVERS: Readonly<Record<string, Sequence>> = {
  'a user variable': async (client, way) => {
    await client.query('SELECT ssn INTO @kept FROM users WHERE id = 1');
    await become(client, way, ALICE.user);
    client.bytes.length = 0;
    await client.query('SELECT @kept');
  },
  'a temporary table': async (client, way) => {
    await client.query('CREATE TEMPORARY TABLE kept AS SELECT ssn AS a FROM users');
    await become(client, way, ALICE.user);
    client.bytes.length = 0;
    await client.query('SELECT a FROM kept');
  },
  'a prepared statement': async (client, way) => {
    const statement = await client.prepare('SELECT ssn FROM users');
    await become(client, way, ALICE.user);
    client.bytes.length = 0;
    if (!('kind' in statement)) await client.execute(execute(statement.id));
  },
  'a decision on the same text': async (client, way) => {
    await client.query('SELECT ssn FROM users');
    await become(client, way, ALICE.user);
    client.bytes.length = 0;
    await client.query('SELECT ssn FROM users');
  },
  'an open handler': async (client, way) => {
    await client.query('HANDLER users OPEN');
    await become(client, way, ALICE.user);
    client.bytes.length = 0;
    await client.query('HANDLER users READ FIRST');
  },
};

async function attackHandovers(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const [title, act] of Object.entries(HANDOVERS)) {
    await context.check(`change of user: ${title}`, async () => {
      const way: MysqlWay = { ...lab.through, user: PETRA.user };
      const client = await connectLab(way, { database: DATABASE });
      client.keepsBytes = true;
      try {
        await client.query('SELECT ssn FROM users');
        if (findMysqlSecret(Buffer.concat(client.bytes)) === undefined) {
          throw new Error('petra does not see it either');
        }
        await act(client, way);
        const found = findMysqlSecret(Buffer.concat(client.bytes));
        if (found !== undefined) throw new Error(`came to the client: ${found}`);
      } finally {
        client.close();
      }
    });
  }
}

/** Defaults of columns come with COM_FIELD_LIST; a table's own name is folded there, too (MY-19). */
async function attackFieldList(context: SuiteContext, lab: MysqlLab): Promise<void> {
  await context.check('COM_FIELD_LIST of a masked table', async () => {
    const bytes = await seen(lab.through, (client) => {
      client.send(command(COM.fieldList, 'USERS\0', '%'));
      return client.query('SELECT 1').catch(() => undefined);
    });
    const found = findMysqlSecret(bytes);
    if (found !== undefined) throw new Error(`came to the client: ${found}`);
  });
}

async function run(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-red-team-names')) return;
  const masks = MYSQL_MASKS.map((mask) => ({ ...mask, except: ['group:privacy'] }));
  const lab = await openMysqlLab(context, {
    masks,
    rules: [KEEP],
    users: [ALICE, PETRA],
    args: ['--lower-case-table-names=1', '--log-bin-trust-function-creators=ON'],
    grant: 'ALL ON *.*',
  });
  await lab.recreate(MYSQL_MASK_DATABASE);
  context.progress('masks');
  await attackMasks(context, lab);
  context.progress('blocks');
  await attackBlocks(context, lab);
  context.progress('changes of user');
  await attackHandovers(context, lab);
  await attackFieldList(context, lab);
}

export const mysqlRedTeamNames: Suite = {
  name: 'mysql-red-team-names',
  about: 'masks and blocks hold where names are folded, and across a change of user',
  run,
};
