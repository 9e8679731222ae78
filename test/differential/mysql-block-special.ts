/** Attempts of the `mysql-block` suite that are not texts alone: commands, options, numbers, sizes. */

import { type MysqlClient, MysqlEnd, NEWEST_STATEMENT } from '../support/mysql-client.ts';
import { CAPABILITY, COM, command, execute, uint16, uint32 } from '../support/mysql-packets.ts';
import { finishSignIn } from '../support/mysql-sign-in.ts';
import type { SuiteContext } from './harness.ts';
import type { MysqlBlockLab } from './mysql-block-lab.ts';
import { DATABASE } from './lab.ts';
import { connectLab, type MysqlWay } from './mysql-lab.ts';

type Act = (client: MysqlClient, way: MysqlWay) => Promise<void>;

const DELETE = 'DELETE FROM watched.victims WHERE id > 5';

/** Signs in again as the same user; the character set is named by its number. */
async function changeUser(client: MysqlClient, way: MysqlWay, collation: number): Promise<void> {
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  // An empty answer makes the server ask with a nonce of its own.
  client.send(
    command(
      COM.changeUser,
      text(way.user),
      Buffer.of(0),
      text(DATABASE),
      uint16(collation),
      text('mysql_native_password'),
    ),
  );
  await finishSignIn(client, way, { plugin: '', nonce: Buffer.alloc(0) });
}

/** Harmful when let through; each is done direct first. */
const ATTEMPTS: Readonly<Record<string, Act>> = {
  'MY-41 COM_SET_OPTION turns several statements on': async (client) => {
    await client.run(command(COM.setOption, uint16(0)));
    await client.query(`SELECT 1; ${DELETE}`);
  },
  'MY-19 COM_CHANGE_USER, then a blocked text': async (client, way) => {
    await changeUser(client, way, 45);
    await client.query(DELETE);
  },
  'MY-61 COM_CHANGE_USER to a character set that hides a quote': async (client, way) => {
    await changeUser(client, way, 28);
    await client.query(Buffer.from("SELECT '\xbf\\'; DELETE FROM watched.victims; -- '", 'latin1'));
  },
  'MY-19 COM_RESET_CONNECTION, then a blocked text': async (client) => {
    await client.run(command(COM.resetConnection));
    await client.query(DELETE);
  },
  'MY-61 sql_mode in the global settings, taken over by COM_RESET_CONNECTION': async (client) => {
    await client.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'");
    await client.run(command(COM.resetConnection));
    await client.query("SELECT 'a\\'; DELETE FROM watched.victims; -- '");
  },
  'GW-3 the reading changes in the same piece of bytes': async (client) => {
    client.sendAll([
      command(COM.query, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'"),
      command(COM.query, "SELECT 'a\\'; DELETE FROM watched.victims; -- '"),
    ]);
    client.startReply();
    await client.readResults();
    client.startReply();
    await client.readResults();
  },
  'GW-3 the database changes in the same piece of bytes': async (client) => {
    client.sendAll([command(COM.initDb, 'watched'), command(COM.query, 'CALL purge_here()')]);
    client.startReply();
    await client.readResults();
    client.startReply();
    await client.readResults();
  },
  'MY-22 a blocked text is prepared, and the first numbers are executed': async (client) => {
    await client.prepare(DELETE);
    for (const id of [1, 2, 3, NEWEST_STATEMENT]) await client.execute(execute(id));
  },
  'MY-23 prepared before, then prepared with the same text again after a change of the user':
    async (client, way) => {
      await client.prepare('SELECT 1');
      await changeUser(client, way, 45);
      await client.prepare(DELETE);
      for (const id of [1, 2, NEWEST_STATEMENT]) await client.execute(execute(id));
    },
  'MY-21 what is deleted comes as a parameter': async (client) => {
    const prepared = await client.prepare('DELETE FROM watched.victims WHERE id > ?');
    const id = 'kind' in prepared ? NEWEST_STATEMENT : prepared.id;
    await client.execute(execute(id, ['5']));
  },
  'MY-21 the text comes as a parameter': async (client) => {
    const prepared = await client.prepare('CALL lab.purge_dynamic(?)');
    const id = 'kind' in prepared ? NEWEST_STATEMENT : prepared.id;
    await client.execute(execute(id, [DELETE]));
  },
  'MY-21 a parameter sent piece by piece': async (client) => {
    const prepared = await client.prepare('CALL lab.purge_dynamic(?)');
    const id = 'kind' in prepared ? NEWEST_STATEMENT : prepared.id;
    for (const part of ['DELETE FROM ', 'watched.victims']) {
      client.send(command(COM.longData, uint32(id), uint16(0), part));
    }
    // Its type (BLOB) and no value: that has come already.
    const bound = Buffer.of(0, 1, 0xfc, 0);
    await client.execute(command(COM.execute, uint32(id), Buffer.of(0), uint32(1), bound));
  },
  'MY-13 behind 17 MB of comment': async (client) => {
    await client.query(`/*${'x'.repeat(17_000_000)}*/ ${DELETE}`, 60_000);
  },
  'behind 1.5 MB of comment': async (client) => {
    await client.query(`SELECT '${'x'.repeat(1_500_000)}'; ${DELETE}`, 60_000);
  },
  'in 300 parentheses': async (client) => {
    await client.query(`SELECT ${'('.repeat(300)}lab.purge_function()${')'.repeat(300)}`);
  },
};

/** Without effect on this server, and on others not: the answer must be an error, and the session goes on. */
const REFUSED: Readonly<Record<string, Buffer>> = {
  'MY-19 COM_DROP_DB': command(COM.dropDb, 'spare'),
  'MY-19 COM_CREATE_DB': command(COM.createDb, 'spare2'),
  'MY-19 COM_BINLOG_DUMP': command(COM.binlogDump, uint32(4), uint16(0), uint32(1), ''),
  'MY-19 COM_REGISTER_SLAVE': command(COM.registerSlave, uint32(9), Buffer.alloc(14)),
  'MY-19 COM_TABLE_DUMP': command(COM.tableDump, Buffer.of(7), 'watched', Buffer.of(7), 'victims'),
  'MY-19 COM_SLEEP': command(COM.sleep),
  'MY-47 BINLOG': command(COM.query, "BINLOG 'AAAAAAAAAA=='"),
};

async function run(way: MysqlWay, act: Act, capabilities: number): Promise<void> {
  const client = await connectLab(way, { capabilities });
  try {
    await act(client, way);
  } catch (error) {
    // A session that ends has refused all that follows.
    if (!(error instanceof MysqlEnd)) throw error;
  } finally {
    client.close();
  }
}

export async function checkMysqlSpecial(context: SuiteContext, lab: MysqlBlockLab): Promise<void> {
  for (const [name, act] of Object.entries(ATTEMPTS)) {
    await lab.refill();
    if (!(await lab.doesHarm(() => run(lab.direct, act, 0)))) {
      context.fail(name, 'does no harm even direct');
      continue;
    }
    await lab.refill();
    await context.check(name, async () => {
      if (await lab.doesHarm(() => run(lab.through, act, 0))) {
        throw new Error('something watched has changed');
      }
    });
  }
  await lab.refill();
  for (const [name, payload] of Object.entries(REFUSED)) {
    await context.check(`${name} is refused`, async () => {
      const client = await connectLab(lab.through);
      try {
        const [result] = await client.run(payload);
        if (result?.end.kind !== 'error') throw new Error(JSON.stringify(result?.end));
        const [next] = await client.query("SELECT 'usable'");
        if (next?.rows[0]?.[0]?.toString() !== 'usable') throw new Error('not usable afterwards');
      } finally {
        client.close();
      }
    });
  }
  await checkOldStatement(context, lab);
}

/** MY-22: a refused PREPARE must not leave an older statement to be executed as the newest. */
async function checkOldStatement(context: SuiteContext, lab: MysqlBlockLab): Promise<void> {
  for (const capabilities of [0, CAPABILITY.deprecateEof]) {
    await context.check(`MY-22 no old statement runs, capabilities ${capabilities}`, async () => {
      const client = await connectLab(lab.through, { capabilities });
      try {
        await client.prepare("SELECT 'OLD STATEMENT'");
        client.sendAll([command(COM.prepare, DELETE), execute(NEWEST_STATEMENT)]);
        client.startReply();
        const refused = await client.readPrepared();
        if (!('kind' in refused) || refused.code !== 1142) throw new Error(JSON.stringify(refused));
        client.startReply();
        const [result] = await client.readResults({ isBinary: true });
        if (result?.end.kind !== 'error' || result.end.code !== 1243) {
          throw new Error(`the old statement ran: ${JSON.stringify(result?.end)}`);
        }
      } finally {
        client.close();
      }
    });
  }
}
