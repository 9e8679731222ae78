/** Bytes that no MySQL client sends: noise, lies about lengths, one byte at a time, broken handshakes. */

import { createHash } from 'node:crypto';
import { type MysqlClient, MysqlEnd, printResults } from '../support/mysql-client.ts';
import {
  COM,
  command,
  execute,
  frame,
  PacketReader,
  uint16,
  uint32,
} from '../support/mysql-packets.ts';
import { openMysqlSocket } from '../support/mysql-sign-in.ts';
import { pause } from '../support/raw-client.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { checkMemory, MEGABYTE } from './hostile-lab.ts';
import { checkMysqlGoesOn, type MysqlHostileLab } from './mysql-hostile-lab.ts';
import { connectLab, type MysqlWay } from './mysql-lab.ts';

const ROUNDS = 50;

/** Bytes that a seed repeats. */
function noise(seed: string, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < size; index += 1) {
    blocks.push(createHash('sha256').update(`${seed}:${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, size);
}

async function throwAt(port: number, bytes: readonly Buffer[]): Promise<void> {
  const socket = await openMysqlSocket(port);
  socket.on('error', () => undefined).resume();
  for (const part of bytes) {
    socket.write(part);
    await pause(1);
  }
  await pause(5);
  socket.destroy();
}

async function checkNoise(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  const seed = process.env['WEIR_SEED'] ?? String(Date.now());
  const port = lab.through.port;
  await context.check(`noise instead of a handshake, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await throwAt(port, [noise(`${seed}a${round}`, 1 + ((round * 37) % 3000))]);
    }
    await checkMysqlGoesOn(lab);
  });
  await context.check(`noise in a good frame instead of a handshake, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = noise(`${seed}b${round}`, 1 + ((round * 53) % 500));
      // Every other one at least begins like one: protocol 4.1 with most flags.
      if (round % 2 === 0 && body.length > 4) body.writeUInt32LE(0x00_af_a2_85, 0);
      await throwAt(port, [frame(body, 1)]);
    }
    await checkMysqlGoesOn(lab);
  });
  await context.check(`noise after sign-in, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const client = await connectLab(lab.through);
      client.socket.write(noise(`${seed}c${round}`, 1 + ((round * 97) % 5000)));
      await pause(5);
      client.close();
    }
    await checkMysqlGoesOn(lab);
  });
  await context.check(`good commands with changed bytes, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const client = await connectLab(lab.through);
      const bytes = Buffer.concat(
        [
          command(COM.query, 'SELECT 1'),
          command(COM.prepare, 'SELECT ?'),
          execute(1, ['x']),
          command(COM.fetch, uint32(1), uint32(5)),
          command(COM.ping),
        ].map((payload) => frame(payload)),
      );
      const random = noise(`${seed}d${round}`, 6);
      for (let at = 0; at < 3; at += 1) {
        bytes[(random[at] ?? 0) % bytes.length] = random[at + 3] ?? 0;
      }
      client.socket.write(bytes);
      await pause(5);
      client.close();
    }
    await checkMysqlGoesOn(lab);
  });
}

async function checkLengths(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check('lengths that lie, before and after sign-in, cost no memory', async () => {
    const heads = ['000000', 'ffffff', 'feffff', '010000', '00ff00'].map((head) =>
      Buffer.from(head, 'hex'),
    );
    await checkMemory(lab, 150 * MEGABYTE, async () => {
      for (const head of heads) {
        for (const sequence of [0, 1, 255]) {
          const lie = Buffer.concat([head, Buffer.of(sequence)]);
          await throwAt(lab.through.port, [lie, Buffer.alloc(100_000, 'x')]);
          const client = await connectLab(lab.through);
          client.socket.write(Buffer.concat([lie, Buffer.alloc(10_000, 3)]));
          await pause(3);
          client.close();
        }
      }
    });
    await checkMysqlGoesOn(lab);
  });
}

type Talk = (client: MysqlClient) => Promise<string>;

async function reply(client: MysqlClient, payload: Buffer): Promise<string> {
  // The numbers of statements go through all sessions of the server; an unknown command is told by the gateway.
  return printResults(await client.run(payload)).replace(
    /statement \(\d+\)|unknown command[ \w]*/gi,
    (found) => found.slice(0, 9).toLowerCase(),
  );
}

/** Commands that are wrong in themselves get the server's own answer, and the session goes on as there. */
const WRONG: Readonly<Record<string, Talk>> = {
  'a command that does not exist': (client) => reply(client, command(0x70, 'abc')),
  'COM_SLEEP, COM_TIME, COM_CONNECT': async (client) => {
    const seen: string[] = [];
    for (const number of [0x00, 0x0f, 0x0b]) seen.push(await reply(client, command(number)));
    return seen.join('\n');
  },
  'an empty COM_QUERY and one of a semicolon': async (client) =>
    [await reply(client, command(COM.query)), await reply(client, command(COM.query, ';'))].join(
      '\n',
    ),
  'a NUL within a text (MY-35)': async (client) =>
    [
      await reply(client, command(COM.query, 'SELECT 1\0, 2')),
      await reply(client, command(COM.query, 'SELECT 1;\0')),
    ].join('\n'),
  'statements that do not exist': async (client) => {
    const seen: string[] = [];
    seen.push(await reply(client, execute(77)));
    seen.push(await reply(client, command(COM.fetch, uint32(77), uint32(1))));
    seen.push(await reply(client, command(COM.reset, uint32(77))));
    // Neither is ever answered (MY-60).
    client.send(command(COM.close, uint32(77)));
    client.send(command(COM.longData, uint32(77), uint16(0), 'data'));
    seen.push(await reply(client, command(COM.ping)));
    return seen.join('\n');
  },
  'an EXECUTE that ends too early': async (client) => {
    const prepared = await client.prepare('SELECT ?, ?');
    if ('kind' in prepared) return prepared.message;
    return reply(
      client,
      command(COM.execute, uint32(prepared.id), Buffer.of(0), uint32(1), Buffer.of(0)),
    );
  },
  'FETCH without a cursor': async (client) => {
    const prepared = await client.prepare('SELECT 1');
    if ('kind' in prepared) return prepared.message;
    await client.execute(execute(prepared.id));
    return reply(client, command(COM.fetch, uint32(prepared.id), uint32(1)));
  },
  'a database that does not exist': (client) => reply(client, command(COM.initDb, 'nothing')),
  'several statements that are prepared (MY-52)': (client) =>
    reply(client, command(COM.prepare, 'SELECT 1; SELECT 2')),
  'a number out of order': async (client) => {
    client.socket.write(frame(command(COM.query, 'SELECT 1'), 5));
    return readRaw(client);
  },
};

/** What comes without looking at its numbers, and whether the connection then ends. */
async function readRaw(client: MysqlClient): Promise<string> {
  const isClosed = await client.ended(20_000);
  const packets = new PacketReader().push(Buffer.concat(client.bytes));
  const codes = packets.map(({ payload }) =>
    payload[0] === 0xff ? payload.readUInt16LE(1) : 'data',
  );
  return `${codes.join()} ${isClosed ? 'closed' : 'open'}`;
}

async function checkWrong(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  const act = async (way: MysqlWay, talk: Talk): Promise<string> => {
    const client = await connectLab(way);
    client.bytes = [];
    const text = await talk(client).catch((error: unknown) =>
      error instanceof MysqlEnd ? `end: ${error.message}` : Promise.reject(error),
    );
    client.close();
    return text;
  };
  for (const [name, talk] of Object.entries(WRONG)) {
    await context.check(`wrong: ${name}`, async () => {
      assertSameText(await act(lab.through, talk), await act(lab.direct, talk), name);
    });
  }
  await checkMysqlGoesOn(lab);
}

/** Handshakes that no server takes. */
const BAD_HANDSHAKES: Readonly<Record<string, Buffer>> = {
  'an empty packet': frame(Buffer.alloc(0), 1),
  'one byte': frame(Buffer.of(0x85), 1),
  'the old protocol': frame(Buffer.from('8500000000ffff61707000', 'hex'), 1),
  'no end of the name': frame(
    Buffer.concat([uint32(0x00af_a285), Buffer.alloc(28), Buffer.from('app')]),
    1,
  ),
  'an answer longer than the packet': frame(
    Buffer.concat([uint32(0x00af_a285), Buffer.alloc(28), Buffer.from('app\0\xf0', 'latin1')]),
    1,
  ),
  'attributes longer than the packet': frame(
    Buffer.concat([
      uint32(0x00bf_a285),
      Buffer.alloc(28),
      Buffer.from('app\0\0mysql_native_password\0\xfd\xff\xff\xff', 'latin1'),
    ]),
    1,
  ),
  'a command instead': frame(command(COM.query, 'SELECT 1'), 0),
  'a number out of order': frame(
    Buffer.concat([uint32(0x00af_a285), Buffer.alloc(28), Buffer.from('app\0\0')]),
    7,
  ),
};

async function checkHandshakes(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  for (const [name, bytes] of Object.entries(BAD_HANDSHAKES)) {
    await context.check(`handshake: ${name}: an error or the end, and no session`, async () => {
      const socket = await openMysqlSocket(lab.through.port);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', () => undefined);
      const closed = new Promise<boolean>((resolve) => {
        socket.once('close', () => resolve(true));
        setTimeout(() => resolve(false), 30_000).unref();
      });
      socket.write(bytes);
      const isClosed = await closed;
      socket.destroy();
      const [, ...later] = new PacketReader().push(Buffer.concat(chunks));
      const isOk = later.some(({ payload }) => payload[0] === 0x00);
      if (!isClosed || isOk) throw new Error(isOk ? 'signed in' : 'still open');
    });
  }
  await context.check(
    'handshake: what comes in one piece with SSLRequest is not taken (MY-4)',
    async () => {
      const socket = await openMysqlSocket(lab.through.port);
      socket.on('error', () => undefined).resume();
      const request = Buffer.concat([uint32(0x00af_aa85), Buffer.alloc(28)]);
      const response = Buffer.concat([request, Buffer.from('app\0\0')]);
      const closed = new Promise<boolean>((resolve) => {
        socket.once('close', () => resolve(true));
        setTimeout(() => resolve(false), 30_000).unref();
      });
      socket.write(
        Buffer.concat([
          frame(request, 1),
          frame(response, 2),
          frame(command(COM.query, 'SELECT 1')),
        ]),
      );
      const isClosed = await closed;
      socket.destroy();
      if (!isClosed) throw new Error('still open');
    },
  );
  await checkMysqlGoesOn(lab);
}

async function checkOneByte(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check('a session sent one byte at a time gets the same answers', async () => {
    const talk = async (way: MysqlWay): Promise<string> => {
      const client = await connectLab(way);
      const send = async (payload: Buffer): Promise<void> => {
        for (const byte of frame(payload)) {
          client.socket.write(Buffer.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.startReply();
      };
      await send(command(COM.query, "SELECT 'ä', 1, NULL; SELECT 2"));
      const seen = [printResults(await client.readResults())];
      await send(command(COM.prepare, 'SELECT ?, ?'));
      const prepared = await client.readPrepared();
      if ('kind' in prepared) throw new Error(prepared.message);
      await send(execute(prepared.id, ['x'.repeat(300), null]));
      seen.push(printResults(await client.readResults({ isBinary: true })));
      await send(command(COM.query, 'SELEKT'));
      seen.push(printResults(await client.readResults()));
      client.close();
      return seen.join('\n');
    };
    assertSameText(await talk(lab.through), await talk(lab.direct), 'the answers');
  });
}

export async function checkMysqlBytes(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await checkNoise(context, lab);
  await checkLengths(context, lab);
  await checkWrong(context, lab);
  await checkHandshakes(context, lab);
  await checkOneByte(context, lab);
}
