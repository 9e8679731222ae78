/** Pipelines, big values, slow clients, sides that die: as direct. */

import { once } from 'node:events';
import { encodeRequest } from '../../protocols/wire/resp-request.ts';
import type { SuiteContext } from './harness.ts';
import { openRaw, openRedisLab, type RedisLab } from './redis-lab.ts';

const PIPELINE = 10_000;
const BIG = 32 * 1024 * 1024;

export async function checkRedisLoad(context: SuiteContext): Promise<void> {
  const lab = await openRedisLab(context, 'debian', '');
  await context.check(
    `a pipeline of ${PIPELINE}, with refusals in it`,
    async () => await pipeline(lab),
  );
  await context.check('a value of 32 MB, there and back', async () => await big(lab));
  await context.check('a client that does not read its answers', async () => await slow(lab));
  await context.check(
    'a client that closes behind its commands gets the answers',
    async () => await halfClose(lab),
  );
  await context.check('a client that leaves a blocking command', async () => await leave(lab));
}

async function pipeline(lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('free'));
  const parts = Array.from({ length: PIPELINE }, (_, at) =>
    encodeRequest(at % 100 === 7 ? ['NOSUCH', String(at)] : ['ECHO', String(at)]),
  );
  client.socket.write(Buffer.concat(parts));
  for (let at = 0; at < PIPELINE; at += 1) {
    const reply = String(await client.next());
    const isRight = at % 100 === 7 ? reply.startsWith('-NOPERM') : reply.endsWith(`\r\n${at}\r\n`);
    if (!isRight) throw new Error(`answer ${at}: ${reply}`);
  }
  client.close();
}

async function big(lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('free'));
  const value = Buffer.alloc(BIG, 'abcdefg');
  if ((await client.ask('SET', 'big', value)) !== 'OK') throw new Error('not set');
  client.write('GET', 'big');
  const reply = await client.next();
  if (!reply.subarray(11, 11 + BIG).equals(value)) throw new Error('another value came back');
  client.close();
}

/** 1.6 GB of answers: were they held, this process would show it. */
async function slow(lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('free'));
  const before = process.memoryUsage().rss;
  client.socket.pause();
  for (let count = 0; count < 50; count += 1) client.write('GET', 'big');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const grown = process.memoryUsage().rss - before;
  client.close();
  if (grown > 400 * 1024 * 1024) throw new Error(`${grown} bytes more`);
}

async function halfClose(lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('free'));
  client.socket.end(Buffer.concat([encodeRequest(['ECHO', 'a']), encodeRequest(['ECHO', 'b'])]));
  const replies = String(await client.next()) + String(await client.next());
  if (replies !== '$1\r\na\r\n$1\r\nb\r\n') throw new Error(replies);
  await client.closed();
}

async function leave(lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('free'));
  const direct = await openRaw(lab.direct);
  client.write('BLPOP', 'list', '0');
  await waitFor(direct, (text) => text.includes('cmd=blpop'));
  client.socket.destroy();
  await once(client.socket, 'close');
  await waitFor(direct, (text) => !text.includes('cmd=blpop'));
  direct.close();
}

async function waitFor(
  direct: Awaited<ReturnType<typeof openRaw>>,
  isThere: (text: string) => boolean,
): Promise<void> {
  for (let left = 2000; left > 0; left -= 1) {
    if (isThere(String(await direct.run('CLIENT LIST')))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come to that in time');
}
