/** Bytes that no client sends: noise, lies about lengths, one byte at a time, broken start-ups. */

import { createHash } from 'node:crypto';
import { openSocket, pause, RawClient, RawEnd } from '../support/raw-client.ts';
import {
  bind,
  cstring,
  describe,
  execute,
  gssRequest,
  int32,
  type Message,
  parse,
  printMessage,
  query,
  sslRequest,
  startup,
  sync,
} from '../support/raw-postgres.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { checkMemory, checkOthersGoOn, type HostileLab, MEGABYTE, signIn } from './hostile-lab.ts';
import type { Way } from './lab.ts';

const ROUNDS = 60;

/** Bytes that a seed repeats. */
function noise(seed: string, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < size; index += 1) {
    blocks.push(createHash('sha256').update(`${seed}:${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, size);
}

async function throwAt(port: number, bytes: readonly Buffer[]): Promise<void> {
  const socket = await openSocket(port);
  socket.on('error', () => undefined);
  for (const part of bytes) {
    socket.write(part);
    await pause(1);
  }
  await pause(5);
  socket.destroy();
}

async function checkNoise(context: SuiteContext, lab: HostileLab): Promise<void> {
  const seed = process.env['WEIR_SEED'] ?? String(Date.now());
  await context.check(`noise instead of a start-up, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await throwAt(lab.through.port, [noise(`${seed}a${round}`, 1 + ((round * 37) % 3000))]);
    }
    await checkOthersGoOn(lab);
  });
  await context.check(`noise behind a good length, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = noise(`${seed}b${round}`, 4 + ((round * 53) % 500));
      if (round % 2 === 0) int32(0x0003_0000).copy(body);
      await throwAt(lab.through.port, [int32(body.length + 4), body]);
    }
    await checkOthersGoOn(lab);
  });
  await context.check(`noise after sign-in, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const client = await signIn(lab.through);
      client.send(noise(`${seed}c${round}`, 1 + ((round * 97) % 5000)));
      await pause(5);
      client.close();
    }
    await checkOthersGoOn(lab);
  });
  await context.check(`good messages with changed bytes, seed ${seed}`, async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const client = await signIn(lab.through);
      const bytes = Buffer.concat([
        parse('', 'SELECT $1::int', [23]),
        bind('', '', { values: ['1'] }),
        describe('P'),
        execute(),
        sync(),
      ]);
      const random = noise(`${seed}d${round}`, 6);
      for (let at = 0; at < 3; at += 1) {
        bytes[(random[at] ?? 0) % bytes.length] = random[at + 3] ?? 0;
      }
      client.send(bytes, sync(), query('SELECT 1'));
      await pause(5);
      client.close();
    }
    await checkOthersGoOn(lab);
  });
}

async function checkLengths(context: SuiteContext, lab: HostileLab): Promise<void> {
  const lengths = [0, 1, 3, -1, 0x7fff_ffff, 0x4000_0000, 0x3fff_ffff, -0x8000_0000];
  await context.check('lengths that lie, before and after sign-in, cost no memory', async () => {
    await checkMemory(lab, 100 * MEGABYTE, async () => {
      for (const length of lengths) {
        await throwAt(lab.through.port, [int32(length), Buffer.alloc(100_000)]);
        for (const type of ['Q', 'P', 'B', 'd', 'p', 'S', 'F', '\0', 'z']) {
          const client = await signIn(lab.through);
          client.send(Buffer.from(type, 'latin1'), int32(length), Buffer.alloc(10_000, 'x'));
          await pause(2);
          client.close();
        }
      }
    });
    await checkOthersGoOn(lab);
  });
  await context.check(
    'a message type that does not exist ends the session as a server does (PG-23)',
    () =>
      sameAnswers(lab, async (way) => {
        const client = await signIn(way);
        client.send(Buffer.from('z'), int32(4));
        return collect(client);
      }),
  );
}

/** Everything until the other side closes. */
async function collect(client: RawClient): Promise<string> {
  const seen: Message[] = [];
  try {
    for (;;) seen.push(await client.next(20_000));
  } catch (error) {
    const end = error instanceof RawEnd ? error.message : String(error);
    client.close();
    return [...seen.map(printMessage), `end: ${end}`].join('\n');
  }
}

async function sameAnswers(lab: HostileLab, act: (way: Way) => Promise<string>): Promise<void> {
  assertSameText(await act(lab.through), await act(lab.direct), 'the answer');
}

/** Start-ups that a server refuses, and in which words (PG-1, PG-2, PG-4, PG-5). Raw, since some have no frames. */
const BAD_STARTUPS: Readonly<Record<string, readonly Buffer[]>> = {
  'version 2.0': [startup({ user: 'app' }, 0x0002_0000)],
  'version 1.0': [startup({ user: 'app' }, 0x0001_0000)],
  'version 4.0': [startup({ user: 'app' }, 0x0004_0000)],
  'a length below 8': [int32(7), Buffer.from('abc')],
  'a length above 10000': [int32(10_005), Buffer.alloc(20)],
  'no user': [startup({ database: 'lab' })],
  'pairs without their end': [int32(14), int32(0x0003_0000), Buffer.from('user\0\0'.slice(0, 6))],
  'a half pair': [
    Buffer.concat([int32(17), int32(0x0003_0000), cstring('user'), Buffer.from('app\0')]),
  ],
};

async function readRaw(port: number, parts: readonly Buffer[]): Promise<string> {
  const socket = await openSocket(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve('closed'));
    setTimeout(() => resolve('open'), 30_000).unref();
  });
  socket.write(Buffer.concat(parts));
  const end = await closed;
  socket.destroy();
  // Source file, line and routine name differ with the server's version and are nobody's interface.
  const text = Buffer.concat(chunks).toString('latin1');
  return `${JSON.stringify(text.replace(/\0[FLR][^\0]*/g, ''))} ${end}`;
}

async function checkStartups(context: SuiteContext, lab: HostileLab): Promise<void> {
  for (const [name, parts] of Object.entries(BAD_STARTUPS)) {
    await context.check(`start-up: ${name} (PG-1)`, async () => {
      const direct = await readRaw(lab.direct.port, parts);
      const through = await readRaw(lab.through.port, parts);
      // The list of versions in the text is the server's own; the code and the closing must agree.
      const essence = (text: string): string =>
        text.replace(/M[^\\]*/, 'M').replace(/^"E.+?(?=")/, startOf);
      assertSameText(essence(through), essence(direct), name);
    });
  }
  await context.check(
    'start-up: what comes in one piece with SSLRequest is not taken for a start-up (PG-4)',
    async () => {
      const parts = [sslRequest(), startup({ user: 'app', database: 'lab' })];
      const refused = /received unencrypted data after SSL request|^"[NS]" closed/;
      const direct = await readRaw(lab.direct.port, parts);
      if (!refused.test(direct)) throw new Error(`direct: ${direct}`);
      const through = await readRaw(lab.through.port, parts);
      if (!refused.test(through)) throw new Error(`direct: ${direct}\nthrough: ${through}`);
    },
  );
  await context.check(
    'start-up: GSSENCRequest is answered N, then a start-up works (PG-5)',
    async () => {
      const socket = await openSocket(lab.through.port);
      socket.write(gssRequest());
      const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      if (answer.toString() !== 'N') throw new Error(answer.toString('latin1'));
      const client = new RawClient(socket);
      client.send(startup({ user: lab.through.user, database: 'lab' }));
      const first = await client.next();
      client.close();
      if (first.type !== 'R') throw new Error(printMessage(first));
    },
  );
}

/** `E` of version 2 has no length, that of version 3 has one: what follows the letter tells them apart. */
function startOf(text: string): string {
  return text.startsWith('"E\\u0000') ? '"E3' : '"E2';
}

async function checkOneByte(context: SuiteContext, lab: HostileLab): Promise<void> {
  await context.check('a session sent one byte at a time gets the same answers', async () => {
    const bytes = Buffer.concat([
      query("SELECT 'ä', 1"),
      parse('s', 'SELECT $1::text'),
      bind('', 's', { values: ['x'.repeat(50)] }),
      describe('P'),
      execute(),
      sync(),
      query('SELECT 1/0'),
    ]);
    await sameAnswers(lab, async (way) => {
      const client = await signIn(way);
      for (const byte of bytes) {
        client.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const seen = await client.until('Z', 3);
      client.close();
      return seen.map(printMessage).join('\n');
    });
  });
}

export async function checkBytes(context: SuiteContext, lab: HostileLab): Promise<void> {
  await checkNoise(context, lab);
  await checkLengths(context, lab);
  await checkStartups(context, lab);
  await checkOneByte(context, lab);
}
