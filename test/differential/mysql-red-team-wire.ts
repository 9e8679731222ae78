/**
 * Hostile clients and servers on raw sockets: bytes in odd pieces, lies in headers, floods, peers that do
 * not read, that vanish, or that say what no server says. Each may cost its own session and nothing
 * else: a bystander goes on, the process does not grow, and its log tells of no fault of Weir's own.
 */

import { MysqlClient, MysqlEnd } from '../support/mysql-client.ts';
import {
  CAPABILITY,
  COM,
  command,
  execute,
  frame,
  uint16,
  uint32,
} from '../support/mysql-packets.ts';
import { openMysqlSocket } from '../support/mysql-sign-in.ts';
import { pause } from '../support/raw-client.ts';
import type { SuiteContext } from './harness.ts';
import { checkMemory, MEGABYTE } from './hostile-lab.ts';
import { APP } from './lab.ts';
import { connectLab, type MysqlLab, openMysqlLab } from './mysql-lab.ts';
import { checkFakes, checkLog } from './mysql-red-team-fakes.ts';

const SESSIONS_MAX = 40;
/** Waited for once; forty sign-ins over TLS on a slow machine must not meet it. */
const SIGN_IN_TIME_MAX = 20_000;
/** The largest payload of one frame. */
const FRAME_MAX = 0xff_ffff;

interface WireLab extends MysqlLab {
  /** A well-behaved session that must go on through all of it. */
  readonly bystander: MysqlClient;
}

type Act = (lab: WireLab) => Promise<void>;

async function expectEnd(client: MysqlClient, wait = 30_000): Promise<void> {
  try {
    for (;;) await client.next(wait);
  } catch (error) {
    if (!(error instanceof MysqlEnd) || !client.isClosed) throw error;
  }
}

async function expectUsable(client: MysqlClient): Promise<void> {
  const [result] = await client.query("SELECT 'usable'", 60_000);
  if (result?.rows[0]?.[0]?.toString() !== 'usable') throw new Error(JSON.stringify(result?.end));
}

/** Waits until the server runs nothing of `app` that holds this text. */
async function expectGone(lab: WireLab, text: string): Promise<void> {
  const question = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '${APP.user}' AND INFO LIKE '%${text}%'`;
  for (let tries = 0; tries < 120; tries += 1) {
    if ((await lab.admin(question)).trim() === '0') return;
    await pause(250);
  }
  throw new Error('the server still works for a client that has gone');
}

const BIG_RESULT = "SELECT REPEAT('x', 500000), seq FROM seq_1_to_400 WHERE 'big-result' <> ''";

const ACTS: Readonly<Record<string, Act>> = {
  'commands byte by byte': async (lab) => {
    const client = await connectLab(lab.through);
    const bytes = frame(command(COM.query, "SELECT 'slowly'"));
    client.startReply();
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte));
      await pause(2);
    }
    await client.readResults();
    await expectUsable(client);
    client.close();
  },
  'a wrong sequence id': async (lab) => {
    const client = await connectLab(lab.through);
    client.socket.write(frame(command(COM.query, 'SELECT 1'), 7));
    client.startReply();
    await expectEnd(client);
  },
  'a length that lies, then the end': async (lab) => {
    const client = await connectLab(lab.through);
    client.socket.end(
      Buffer.concat([Buffer.of(200, 0, 0, 0), command(COM.query, 'DELETE FROM own')]),
    );
    await expectEnd(client);
  },
  'packets of the largest size in a chain': async (lab) => {
    const client = await connectLab(lab.through);
    for (const size of [FRAME_MAX - 1, FRAME_MAX, FRAME_MAX + 1, 2 * FRAME_MAX]) {
      const comment = `SELECT 1 /*${'x'.repeat(size - 13)}*/`;
      const [result] = await client.query(comment, 60_000);
      // Larger than what is parsed: refused, and the session goes on.
      if (result?.end.kind !== 'error') throw new Error(`${size} bytes passed`);
      await expectUsable(client);
    }
    client.close();
  },
  'an endless chain of packets': async (lab) => {
    const client = await connectLab(lab.through);
    const part = Buffer.alloc(FRAME_MAX + 4, 0x20);
    part.writeUIntLE(FRAME_MAX, 0, 3);
    await checkMemory({ target: lab.target }, 400 * MEGABYTE, async () => {
      for (let number = 0; number < 12 && !client.isClosed; number += 1) {
        const next = Buffer.from(part);
        next[3] = number;
        if (number === 0) next[4] = COM.query;
        if (!client.socket.write(next))
          await Promise.race([
            new Promise((resolve) => client.socket.once('drain', resolve)),
            pause(3000),
          ]);
      }
    });
    client.close();
  },
  'unknown commands': async (lab) => {
    for (const number of [0x21, 0x50, 0xf9, 0xff]) {
      const client = await connectLab(lab.through);
      client.send(command(number, 'x'.repeat(50)));
      const answer = await client.next();
      if (answer[0] !== 0xff) throw new Error(`command ${number} was answered ${answer[0]}`);
      client.close();
    }
  },
  'an empty packet': async (lab) => {
    const client = await connectLab(lab.through);
    client.send(Buffer.alloc(0));
    const answer = await client.next();
    if (answer[0] !== 0xff) throw new Error(`answered ${answer[0]}`);
    client.close();
  },
  '500 commands in one piece, every tenth blocked': async (lab) => {
    const client = await connectLab(lab.through);
    const isBlocked = (index: number): boolean => index % 10 === 3;
    const texts = Array.from({ length: 500 }, (_, index) =>
      isBlocked(index) ? 'DROP TABLE own' : `SELECT ${index}`,
    );
    client.sendAll(texts.map((text) => command(COM.query, text)));
    for (const index of texts.keys()) {
      client.startReply();
      const [result] = await client.readResults({ wait: 60_000 });
      const got = result?.end.kind === 'error' ? 'refused' : result?.rows[0]?.[0]?.toString();
      if (got !== (isBlocked(index) ? 'refused' : String(index)))
        throw new Error(`command ${index} was answered ${got}`);
    }
    client.close();
  },
  'thousands of prepared statements, then all kinds of numbers': async (lab) => {
    const client = await connectLab(lab.through);
    for (let round = 0; round < 20; round += 1) {
      client.sendAll(Array.from({ length: 100 }, () => command(COM.prepare, 'SELECT 1')));
      for (let one = 0; one < 100; one += 1) {
        client.startReply();
        await client.readPrepared();
      }
    }
    for (const id of [0, 0x7fff_ffff, 0xffff_fffe]) await client.execute(execute(id));
    client.send(command(COM.close, Buffer.of(1)));
    client.send(command(COM.longData, Buffer.of(1, 2)));
    await expectUsable(client);
    client.close();
  },
  'a flood of COM_STMT_SEND_LONG_DATA': async (lab) => {
    const client = await connectLab(lab.through);
    const prepared = await client.prepare('SELECT LENGTH(?)');
    const id = 'kind' in prepared ? 1 : prepared.id;
    const piece = frame(command(COM.longData, uint32(id), uint16(0), Buffer.alloc(1 << 20, 0x61)));
    await checkMemory({ target: lab.target }, 250 * MEGABYTE, async () => {
      for (let number = 0; number < 150 && !client.isClosed; number += 1)
        if (!client.socket.write(piece))
          await Promise.race([
            new Promise((resolve) => client.socket.once('drain', resolve)),
            pause(5000),
          ]);
      client.send(command(COM.reset, uint32(id)));
      await client.next(60_000).catch(() => undefined);
    });
    client.close();
  },
  'a client that does not read a large result': async (lab) => {
    const client = await connectLab(lab.through);
    client.socket.pause();
    await checkMemory({ target: lab.target }, 150 * MEGABYTE, async () => {
      client.socket.write(frame(command(COM.query, BIG_RESULT)));
      await pause(3000);
    });
    client.socket.destroy();
    await expectGone(lab, 'big-result');
  },
  'a client that is gone in the middle of a result': async (lab) => {
    const client = await connectLab(lab.through);
    client.send(command(COM.query, BIG_RESULT));
    await client.next();
    client.socket.destroy();
    await expectGone(lab, 'big-result');
  },
  'a client that closes its side while the server works': async (lab) => {
    const client = await connectLab(lab.through);
    client.socket.end(frame(command(COM.query, "SELECT SLEEP(600), 'left-alone'")));
    await expectGone(lab, 'left-alone');
  },
  'a client that sends on while nobody answers': async (lab) => {
    const client = await connectLab(lab.through);
    const piece = Buffer.concat(
      Array.from({ length: 2000 }, () => frame(command(COM.query, 'SELECT 1'))),
    );
    client.socket.pause();
    await checkMemory({ target: lab.target }, 150 * MEGABYTE, async () => {
      client.socket.write(frame(command(COM.query, 'SELECT SLEEP(4)')));
      for (let number = 0; number < 200; number += 1)
        if (!client.socket.write(piece)) {
          await pause(2000);
          break;
        }
    });
    client.socket.destroy();
  },
  'a connection that the server kills in the middle of a result': async (lab) => {
    const client = await connectLab(lab.through);
    const [answer] = await client.query('SELECT CONNECTION_ID()');
    client.socket.pause();
    client.socket.write(frame(command(COM.query, BIG_RESULT)));
    await pause(500);
    await lab.admin(`KILL CONNECTION ${answer?.rows[0]?.[0]?.toString()}`);
    client.socket.resume();
    client.startReply();
    let last: Buffer = Buffer.alloc(0);
    try {
      for (;;) last = await client.next(60_000);
    } catch (error) {
      if (!(error instanceof MysqlEnd)) throw error;
    }
    // It must not look like the end of a whole result (MY-59).
    if (last[0] === 0xfe && last.length < 9) throw new Error('the result looks whole');
  },
  'as many sessions as there may be': async (lab) => {
    const clients: MysqlClient[] = [];
    let refused = 'nothing';
    try {
      while (clients.length <= SESSIONS_MAX) clients.push(await connectLab(lab.through));
    } catch (error) {
      refused = String(error);
    }
    if (!refused.includes('1040')) throw new Error(`after ${clients.length}: ${refused}`);
    await expectUsable(lab.bystander);
    for (const client of clients) client.close();
    for (let tries = 0; tries < 100; tries += 1) {
      const client = await connectLab(lab.through).catch(() => undefined);
      if (client !== undefined) return client.close();
      await pause(100);
    }
    throw new Error('nobody gets in afterwards');
  },
  'silence instead of a sign-in': async (lab) => {
    const client = new MysqlClient(await openMysqlSocket(lab.through.port));
    await client.next();
    await expectEnd(client, SIGN_IN_TIME_MAX + 30_000);
  },
  'garbage instead of TLS': async (lab) => {
    const client = new MysqlClient(await openMysqlSocket(lab.through.port));
    await client.next();
    const request = Buffer.alloc(32);
    request.writeUInt32LE(CAPABILITY.protocol41 | CAPABILITY.ssl | CAPABILITY.secureConnection, 0);
    request.writeUInt32LE(1 << 24, 4);
    request[8] = 45;
    client.socket.write(Buffer.concat([frame(request, 1), Buffer.alloc(600, 0x16)]));
    await expectEnd(client);
  },
  'garbage instead of a sign-in': async (lab) => {
    for (const bytes of [
      Buffer.alloc(4096, 0xff),
      frame(Buffer.alloc(9), 1),
      Buffer.of(255, 255, 255, 1),
    ]) {
      const client = new MysqlClient(await openMysqlSocket(lab.through.port));
      await client.next();
      client.socket.end(bytes);
      for (let waited = 0; !client.isClosed; waited += 100) {
        if (waited > 30_000) throw new Error('it is still open');
        await pause(100);
      }
    }
  },
};

async function checkOthers(lab: WireLab): Promise<void> {
  await expectUsable(lab.bystander);
  const fresh = await connectLab(lab.through);
  await expectUsable(fresh);
  fresh.close();
  checkLog(lab.target);
}

export async function checkMysqlWire(context: SuiteContext): Promise<void> {
  const base = await openMysqlLab(context, {
    withTls: true,
    durability: 'relaxed',
    limits: { signInTimeout: SIGN_IN_TIME_MAX, sessionsMax: SESSIONS_MAX },
    rules: [
      {
        name: 'no-drop',
        connections: ['*'],
        principals: ['*'],
        effects: ['drop'],
        objects: ['*'],
        action: 'block',
      },
    ],
  });
  const bystander = await connectLab(base.through);
  context.teardown(async () => bystander.close());
  const lab: WireLab = { ...base, bystander };
  await lab.recreate('CREATE TABLE own (id INT)');
  for (const [name, act] of Object.entries(ACTS)) {
    await context.check(name, async () => {
      await act(lab);
      await checkOthers(lab);
    });
  }
  context.progress('servers that are none');
  await checkFakes(context);
}
