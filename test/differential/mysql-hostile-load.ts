/** MySQL clients that are slow, stalled, huge, many, or gone: they cost their own session and nothing else. */

import type { Socket } from 'node:net';
import { COM, command, frame, lenenc, uint32 } from '../support/mysql-packets.ts';
import { openMysqlSocket, SignInRefused } from '../support/mysql-sign-in.ts';
import { pause } from '../support/raw-client.ts';
import type { SuiteContext } from './harness.ts';
import {
  checkMemory,
  countFiles,
  MEGABYTE,
  SESSIONS_MAX,
  SIGN_IN_TIME_MAX,
  waitUntilAtMost,
} from './hostile-lab.ts';
import {
  checkMysqlGoesOn,
  countMysqlUpstream,
  type MysqlHostileLab,
  waitForMysqlWork,
} from './mysql-hostile-lab.ts';
import { connectLab, type MysqlWay } from './mysql-lab.ts';

const HUGE = 300 * MEGABYTE;
const FRAME_SIZE_MAX = 0xff_ffff;
/** For 300 MB through three processes on a slow machine. */
const HUGE_TIME_MAX = 180_000;

async function checkSlow(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  const starts = [
    ['nothing', Buffer.alloc(0)],
    ['one byte of a handshake', Buffer.of(0x20)],
    ['half a handshake', Buffer.from('2000000185a2af00', 'hex')],
  ] as const;
  // All at once, as each takes the whole time.
  await Promise.all(
    starts.map(([name, bytes]) =>
      context.check(`a client that sends ${name} is closed after the sign-in time`, async () => {
        const socket = await openMysqlSocket(lab.through.port);
        socket.on('error', () => undefined).resume();
        if (bytes.length > 0) socket.write(bytes);
        const isClosed = await new Promise<boolean>((resolve) => {
          socket.once('close', () => resolve(true));
          setTimeout(() => resolve(false), SIGN_IN_TIME_MAX + 30_000).unref();
        });
        socket.destroy();
        if (!isClosed) throw new Error('still open');
      }),
    ),
  );
}

async function checkStalled(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check(
    'a client that asks for 2 GB and does not read costs little memory (GW-12)',
    async () => {
      const client = await connectLab(lab.through);
      client.keepsBytes = false;
      const growth = await checkMemory(lab, 120 * MEGABYTE, async () => {
        client.socket.pause();
        client.send(command(COM.query, "SELECT REPEAT('x', 1000) FROM seq_1_to_2000000"));
        await pause(2_500);
        await checkMysqlGoesOn(lab);
      });
      context.progress(`stalled reader: ${Math.round(growth / MEGABYTE)} MB`);
      client.close();
    },
  );
  await context.check(
    'a client that writes 200 MB of commands to a server that is busy',
    async () => {
      const client = await connectLab(lab.through);
      client.keepsBytes = false;
      await checkMemory(lab, 150 * MEGABYTE, async () => {
        client.send(command(COM.query, 'SELECT SLEEP(3)'));
        const one = frame(command(COM.query, `SELECT '${'y'.repeat(1000)}'`));
        const part = Buffer.concat(Array.from({ length: 1000 }, () => one));
        for (let sent = 0; sent < 200; sent += 1) client.socket.write(part);
        await pause(2_000);
        await checkMysqlGoesOn(lab);
      });
      client.close();
    },
  );
}

/** Bytes of one reply, thrown away, until a packet that ends it; rows are large, the end is small. */
async function drain(
  way: MysqlWay,
  write: (socket: (bytes: Buffer) => Promise<void>) => Promise<void>,
): Promise<number> {
  const client = await connectLab(way);
  client.keepsBytes = false;
  client.socket.removeAllListeners('data');
  let size = 0;
  let tail = Buffer.alloc(0);
  const done = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${size} bytes in time`)), HUGE_TIME_MAX);
    client.socket.on('close', () => reject(new Error(`closed after ${size} bytes`)));
    client.socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-9);
      // EOF: five bytes, 0xfe, no warnings, autocommit; a slow machine adds that the query was slow.
      if (/^050000..fe000002(?:00|08)$/.test(tail.toString('hex')) && size > 200) {
        clearTimeout(timer);
        resolve();
      }
    });
  });
  const push = async (bytes: Buffer): Promise<void> => {
    if (!client.socket.write(bytes)) {
      await new Promise((resolve) => client.socket.once('drain', resolve));
    }
  };
  await Promise.all([write(push), done]);
  client.socket.removeAllListeners('close');
  client.close();
  return size;
}

async function checkHuge(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check('a value of 300 MB comes through without being held (GW-13)', async () => {
    const growth = await checkMemory(lab, 150 * MEGABYTE, async () => {
      const sql = `SELECT '${'-'.repeat(200)}', REPEAT('x', ${HUGE})`;
      const size = await drain(lab.through, (push) => push(frame(command(COM.query, sql))));
      if (size < HUGE) throw new Error(`only ${size} bytes came`);
    });
    context.progress(`300 MB to the client: ${Math.round(growth / MEGABYTE)} MB`);
  });
  await context.check('a parameter of 300 MB goes through without being held (GW-13)', async () => {
    const growth = await checkMemory(lab, 150 * MEGABYTE, async () => {
      const client = await connectLab(lab.through, { wait: HUGE_TIME_MAX });
      const prepared = await client.prepare('SELECT LENGTH(?) AS n');
      if ('kind' in prepared) throw new Error(prepared.message);
      const head = Buffer.concat([
        command(
          COM.execute,
          uint32(prepared.id),
          Buffer.of(0),
          uint32(1),
          Buffer.of(0, 1, 0xfc, 0),
        ),
        lenenc(HUGE),
      ]);
      await sendLarge(client.socket, { head, size: HUGE, tail: Buffer.alloc(0) });
      client.sequence = (Math.floor((head.length + HUGE) / FRAME_SIZE_MAX) + 1) & 0xff;
      const [result] = await client.readResults({ isBinary: true });
      client.close();
      if (result?.rows[0]?.[0]?.readUInt32LE() !== HUGE)
        throw new Error(JSON.stringify(result?.end));
    });
    context.progress(`300 MB from the client: ${Math.round(growth / MEGABYTE)} MB`);
  });
  await context.check(
    'a text of 80 MB that no rule looks at goes through without being held (GW-13)',
    async () => {
      const growth = await checkMemory(lab, 150 * MEGABYTE, async () => {
        const client = await connectLab(lab.through, { wait: HUGE_TIME_MAX });
        const size = 80 * MEGABYTE;
        const head = Buffer.from("\x03SELECT LENGTH('");
        const tail = Buffer.from("')");
        await sendLarge(client.socket, { head, size, tail });
        client.sequence =
          (Math.floor((head.length + size + tail.length) / FRAME_SIZE_MAX) + 1) & 0xff;
        const [result] = await client.readResults();
        client.close();
        if (result?.rows[0]?.[0]?.toString() !== String(size))
          throw new Error(JSON.stringify(result?.end));
      });
      context.progress(`80 MB of text: ${Math.round(growth / MEGABYTE)} MB`);
    },
  );
}

/** One packet of `head`, `size` bytes and `tail`, frame by frame, waiting for the socket. */
async function sendLarge(
  socket: Socket,
  { head, size, tail }: { readonly head: Buffer; readonly size: number; readonly tail: Buffer },
): Promise<void> {
  let left = head.length + size + tail.length;
  let prefix = head;
  for (let number = 0; ; number += 1) {
    const length = Math.min(left, FRAME_SIZE_MAX);
    left -= length;
    const header = Buffer.from([length & 0xff, (length >> 8) & 0xff, length >> 16, number & 0xff]);
    const end = left === 0 ? tail : Buffer.alloc(0);
    const filler = Buffer.alloc(length - prefix.length - end.length, 'p');
    const isAccepted = socket.write(Buffer.concat([header, prefix, filler, end]));
    prefix = Buffer.alloc(0);
    if (!isAccepted) await new Promise<void>((resolve) => socket.once('drain', resolve));
    if (length < FRAME_SIZE_MAX) return;
  }
}

async function checkMany(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check(`${SESSIONS_MAX - 4} sessions at once, and all of them vanish`, async () => {
    const [files, upstream] = [await countFiles(lab.target.pid), await countMysqlUpstream(lab)];
    const clients = await Promise.all(
      Array.from({ length: SESSIONS_MAX - 4 }, () => connectLab(lab.through)),
    );
    const answers = await Promise.all(
      clients.map((client, index) => client.query(`SELECT ${index}`)),
    );
    if (!answers.every(([one]) => one?.rows.length === 1)) throw new Error('not all got an answer');
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.socket.resetAndDestroy();
      else client.close();
    }
    await waitUntilAtMost(() => countMysqlUpstream(lab), upstream, 'sessions at the server');
    await waitUntilAtMost(() => countFiles(lab.target.pid), files + 2, 'open files');
    await checkMysqlGoesOn(lab);
  });
  await context.check(
    'one session more than allowed is refused, the others go on (MY-1)',
    async () => {
      const clients = await Promise.all(
        Array.from({ length: SESSIONS_MAX - 2 }, () => connectLab(lab.through)),
      );
      const extra = await Promise.allSettled(
        Array.from({ length: 5 }, () => connectLab(lab.through)),
      );
      for (const client of clients) client.close();
      for (const one of extra) if (one.status === 'fulfilled') one.value.close();
      const codes = extra.map((one) => {
        if (one.status === 'fulfilled') return 'signed in';
        return one.reason instanceof SignInRefused ? one.reason.error.code : String(one.reason);
      });
      if (!codes.includes(1040)) throw new Error(codes.join('; '));
      await waitUntilAtMost(() => countMysqlUpstream(lab), 8, 'sessions at the server');
      await checkMysqlGoesOn(lab);
    },
  );
  await context.check('clients that vanish in the middle of a statement (GW-14)', async () => {
    const upstream = await countMysqlUpstream(lab);
    for (let round = 0; round < 16; round += 1) {
      const client = await connectLab(lab.through);
      const sql = round % 2 === 0 ? 'SELECT SLEEP(100)' : 'SELECT * FROM seq_1_to_10000000';
      client.send(command(COM.query, sql));
      await pause(10);
      client.socket.resetAndDestroy();
    }
    await waitUntilAtMost(() => countMysqlUpstream(lab), upstream, 'sessions at the server');
    await checkMysqlGoesOn(lab);
  });
  await context.check(
    'KILL QUERY with the number of the greeting ends the statement alone (MY-17)',
    async () => {
      const client = await connectLab(lab.through);
      client.send(command(COM.query, 'SELECT SLEEP(55)'));
      await waitForMysqlWork(lab, 'SELECT SLEEP(55)');
      const other = await connectLab(lab.through);
      await other.query(`KILL QUERY ${client.greeting?.connectionId}`);
      const [result] = await client.readResults();
      const [next] = await client.query('SELECT 1');
      client.close();
      other.close();
      // SLEEP that is killed gives 1 or an error, as it does direct; either way the session goes on.
      const isEnded = result?.end.kind === 'ok' || result?.end.code === 1317;
      if (!isEnded || next?.rows.length !== 1) throw new Error(JSON.stringify(result?.end));
    },
  );
}

export async function checkMysqlLoad(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await checkSlow(context, lab);
  await checkStalled(context, lab);
  await checkHuge(context, lab);
  await checkMany(context, lab);
}
