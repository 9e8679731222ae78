/** Clients that are slow, stalled, huge, many, or gone: they cost their own session and nothing else. */

import { openSocket, pause } from '../support/raw-client.ts';
import {
  cancelRequest,
  decodeFields,
  execute,
  message,
  parse,
  query,
  sync,
  cstring,
  int16,
  int32,
} from '../support/raw-postgres.ts';
import type { SuiteContext } from './harness.ts';
import {
  checkMemory,
  checkOthersGoOn,
  countFiles,
  countUpstream,
  type HostileLab,
  MEGABYTE,
  SESSIONS_MAX,
  SIGN_IN_TIME_MAX,
  signIn,
  waitForWork,
  waitUntilAtMost,
} from './hostile-lab.ts';
import type { Way } from './lab.ts';

const HUGE = 300 * MEGABYTE;

async function checkSlow(context: SuiteContext, lab: HostileLab): Promise<void> {
  const starts = [
    ['nothing', Buffer.alloc(0)],
    ['one byte of a start-up', Buffer.of(0)],
    ['half a start-up', Buffer.from('000000400003000075736572', 'hex')],
  ] as const;
  // All at once, as each takes the whole time.
  await Promise.all(
    starts.map(([name, bytes]) =>
      context.check(`a client that sends ${name} is closed after the sign-in time`, async () => {
        const socket = await openSocket(lab.through.port);
        socket.on('error', () => undefined).resume();
        if (bytes.length > 0) socket.write(bytes);
        const startedAt = Date.now();
        const isClosed = await new Promise<boolean>((resolve) => {
          socket.once('close', () => resolve(true));
          setTimeout(() => resolve(false), SIGN_IN_TIME_MAX + 30_000).unref();
        });
        socket.destroy();
        if (!isClosed) throw new Error(`still open after ${Date.now() - startedAt} ms`);
      }),
    ),
  );
}

async function checkStalled(context: SuiteContext, lab: HostileLab): Promise<void> {
  await context.check(
    'a client that asks for 2 GB and does not read costs little memory (GW-12)',
    async () => {
      const client = await signIn(lab.through);
      const growth = await checkMemory(lab, 120 * MEGABYTE, async () => {
        client.socket.pause();
        client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 2000000)"));
        await pause(2_500);
        await checkOthersGoOn(lab);
      });
      context.progress(`stalled reader: ${Math.round(growth / MEGABYTE)} MB`);
      client.close();
    },
  );
  await context.check('a client that writes 200 MB to a server that does not read', async () => {
    const client = await signIn(lab.through);
    await checkMemory(lab, 150 * MEGABYTE, async () => {
      client.send(query('SELECT pg_sleep(3)'));
      const part = Buffer.concat(
        Array.from({ length: 1000 }, () => query(`SELECT '${'y'.repeat(1000)}'`)),
      );
      for (let sent = 0; sent < 200; sent += 1) client.socket.write(part);
      await pause(2_000);
      await checkOthersGoOn(lab);
    });
    client.close();
  });
}

/** Reads to the end and throws the bytes away. */
async function drain(
  way: Way,
  start: (write: (bytes: Buffer) => Promise<void>) => Promise<void>,
): Promise<number> {
  const client = await signIn(way);
  client.keepsBytes = false;
  client.socket.removeAllListeners('data');
  let size = 0;
  let tail = Buffer.alloc(0);
  const done = new Promise<void>((resolve, reject) => {
    client.socket.on('close', () => reject(new Error(`closed after ${size} bytes`)));
    client.socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-6);
      if (tail.toString('latin1') === 'Z\0\0\0\x05I') resolve();
    });
  });
  const write = async (bytes: Buffer): Promise<void> => {
    if (!client.socket.write(bytes))
      await new Promise((resolve) => client.socket.once('drain', resolve));
  };
  await Promise.all([start(write), done]);
  client.socket.removeAllListeners('close');
  client.close();
  return size;
}

async function checkHuge(context: SuiteContext, lab: HostileLab): Promise<void> {
  await context.check('a value of 300 MB comes through without being held (GW-13)', async () => {
    const growth = await checkMemory(lab, 150 * MEGABYTE, async () => {
      const size = await drain(lab.through, (write) => write(query(`SELECT repeat('x', ${HUGE})`)));
      if (size < HUGE) throw new Error(`only ${size} bytes came`);
    });
    context.progress(`300 MB to the client: ${Math.round(growth / MEGABYTE)} MB`);
  });
  await context.check('a parameter of 300 MB goes through without being held (GW-13)', async () => {
    const growth = await checkMemory(lab, 150 * MEGABYTE, async () => {
      await drain(lab.through, async (write) => {
        await write(parse('', 'SELECT length($1::text)'));
        const head = Buffer.concat([cstring(''), cstring(''), int16(0), int16(1), int32(HUGE)]);
        const frame = message('B', head);
        frame.writeInt32BE(4 + head.length + HUGE + 2, 1);
        await write(frame);
        const part = Buffer.alloc(MEGABYTE, 'p');
        for (let sent = 0; sent < HUGE; sent += part.length) await write(part);
        await write(Buffer.concat([int16(0), execute(), sync()]));
      });
    });
    context.progress(`300 MB from the client: ${Math.round(growth / MEGABYTE)} MB`);
  });
  await context.check('COPY of 100 MB in and out', async () => {
    await lab.admin('CREATE TABLE IF NOT EXISTS bulk (t text); ALTER TABLE bulk OWNER TO app');
    await checkMemory(lab, 150 * MEGABYTE, async () => {
      await drain(lab.through, async (write) => {
        await write(query('COPY bulk FROM STDIN'));
        const part = message('d', Buffer.from(`${'r'.repeat(1000)}\n`.repeat(1000)));
        for (let sent = 0; sent < 100; sent += 1) await write(part);
        await write(message('c'));
      });
      await drain(lab.through, (write) => write(query('COPY bulk TO STDOUT')));
    });
    await lab.admin('DROP TABLE bulk');
  });
}

async function checkMany(context: SuiteContext, lab: HostileLab): Promise<void> {
  const free = SESSIONS_MAX - 5;
  await context.check(`${free} sessions at once, then all gone: nothing is left open`, async () => {
    const files = await countFiles(lab.target.pid);
    const upstream = await countUpstream(lab);
    const clients = await Promise.all(Array.from({ length: free }, () => signIn(lab.through)));
    const answers = await Promise.all(
      clients.map((client, index) => client.query(`SELECT ${index}`)),
    );
    if (!answers.every((answer) => answer[1]?.type === 'D'))
      throw new Error('not all got an answer');
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.socket.resetAndDestroy();
      else client.close();
    }
    await waitUntilAtMost(() => countUpstream(lab), upstream, 'sessions at the server');
    await waitUntilAtMost(() => countFiles(lab.target.pid), files + 2, 'open files');
    await checkOthersGoOn(lab);
  });
  await context.check(
    'one session more than allowed is refused with 53300, the others go on',
    async () => {
      const clients = await Promise.all(
        Array.from({ length: SESSIONS_MAX - 2 }, () => signIn(lab.through)),
      );
      const extra = await Promise.allSettled(Array.from({ length: 5 }, () => signIn(lab.through)));
      const reasons = extra.map((one) =>
        one.status === 'rejected' ? String(one.reason) : 'signed in',
      );
      for (const client of clients) client.close();
      for (const one of extra) if (one.status === 'fulfilled') one.value.close();
      if (!reasons.some((reason) => reason.includes('53300'))) throw new Error(reasons.join('; '));
      await waitUntilAtMost(async () => await countUpstream(lab), 8, 'sessions at the server');
      await checkOthersGoOn(lab);
    },
  );
  await context.check('clients that vanish in the middle of a statement (GW-14)', async () => {
    const upstream = await countUpstream(lab);
    for (let round = 0; round < 20; round += 1) {
      const client = await signIn(lab.through);
      client.send(
        query(
          round % 2 === 0 ? 'SELECT pg_sleep(60)' : 'SELECT * FROM generate_series(1, 10000000)',
        ),
      );
      await pause(10);
      client.socket.resetAndDestroy();
    }
    await waitUntilAtMost(() => countUpstream(lab), upstream, 'sessions at the server');
    await checkOthersGoOn(lab);
  });
}

/** A cancel of the statement that runs; `key` may be wrong on purpose. */
async function sendCancel(port: number, key: Buffer): Promise<number> {
  const socket = await openSocket(port);
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    size += chunk.length;
  });
  socket.on('error', () => undefined);
  socket.write(cancelRequest(key));
  await new Promise((resolve) => {
    socket.once('close', resolve);
    setTimeout(resolve, 3_000).unref();
  });
  socket.destroy();
  return size;
}

async function checkCancel(context: SuiteContext, lab: HostileLab): Promise<void> {
  await context.check(
    'a cancel request ends the statement, without an answer of its own (PG-12)',
    async () => {
      const client = await signIn(lab.through);
      client.send(query('SELECT pg_sleep(30)'));
      await waitForWork(lab, 'SELECT pg_sleep(30)');
      const size = await sendCancel(lab.through.port, client.key ?? Buffer.alloc(8));
      const error = (await client.until('Z', 1, 20_000)).find((one) => one.type === 'E');
      client.close();
      if (size !== 0) throw new Error(`${size} bytes came back`);
      if (error === undefined || decodeFields(error.body)['C'] !== '57014')
        throw new Error('not cancelled');
    },
  );
  await context.check(
    'a cancel request with a wrong key, or of odd length, does nothing (PG-12)',
    async () => {
      const client = await signIn(lab.through);
      client.send(query('SELECT pg_sleep(2)'));
      await waitForWork(lab, 'SELECT pg_sleep(2)');
      const good = client.key ?? Buffer.alloc(8);
      const wrong = Buffer.from(good);
      wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
      for (const key of [wrong, good.subarray(0, 4), Buffer.alloc(36, 7), Buffer.alloc(260, 1)]) {
        if ((await sendCancel(lab.through.port, key)) !== 0) throw new Error('bytes came back');
      }
      const answer = await client.until('Z', 1, 20_000);
      client.close();
      if (answer.some((one) => one.type === 'E')) throw new Error('the statement was cancelled');
    },
  );
}

export async function checkLoad(context: SuiteContext, lab: HostileLab): Promise<void> {
  await checkSlow(context, lab);
  await checkStalled(context, lab);
  await checkHuge(context, lab);
  await checkMany(context, lab);
  await checkCancel(context, lab);
}
