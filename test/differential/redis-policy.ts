/** Rules, masks and filters of a configuration, by real clients on a real server; and what the recording says. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { playBack } from '../../lib/recording/playback.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import { whoSaw } from '../../lib/recording/who-saw.ts';
import { type Plain, RawRedis, redisMissing } from '../support/redis-server.ts';
import type { SuiteContext } from './harness.ts';
import { openIoredis, openRaw, openRedisLab, type RedisLab } from './redis-lab.ts';

const SECRET = 'ann@example.com';

const POLICY = `
[[rule]]
name = "no-vault"
effects = ["*"]
objects = ["redis:vault:*"]
principals = ["alice"]
action = "block"
[[rule]]
name = "no-admin"
effects = ["admin", "drop"]
objects = ["*"]
principals = ["alice"]
action = "block"
[[mask]]
name = "mail"
fields = ["email"]
objects = ["redis:user:*"]
mode = "strict"
except = ["free", "bob"]
`;

const FILTERED = `
[[rule]]
name = "own-tenant"
effects = ["search", "read", "count", "export"]
objects = ["*"]
principals = ["alice", "bob"]
action = "allow"
filter = { tenant = "\${principal.group}" }
`;

export async function checkRedisPolicy(context: SuiteContext): Promise<void> {
  const lab = await openRedisLab(context, 'debian', POLICY);
  await fill(lab);
  await checkBlocks(context, lab);
  await checkMasks(context, lab);
  await checkRecording(context, lab);
  const missing = redisMissing('stack');
  if (missing === false) await checkIndexes(context);
  else context.skip('indexes and filters', missing);
}

async function fill(lab: RedisLab): Promise<void> {
  const direct = await openRaw(lab.direct);
  await direct.run('SET vault:1 secret');
  await direct.run(`HSET user:1 email ${SECRET} name Ann`);
  await direct.run('SET open 1');
  direct.close();
}

function expectRefused(reply: Plain, line: string): void {
  if (!(reply instanceof Error) || !reply.message.startsWith('NOPERM')) {
    throw new Error(`${line} was not refused: ${String(reply)}`);
  }
}

const VAULT = [
  'GET vault:1',
  'MGET open vault:1',
  'DEL vault:1',
  'COPY vault:1 t',
  'RENAME vault:1 t',
  'EXPIRE vault:1 0',
  'DUMP vault:1',
  'SUNIONSTORE t vault:1',
  'LCS open vault:1',
  'SORT vault:1',
  'KEYS *',
  'SCAN 0',
  'RANDOMKEY',
  'EVAL return{redis.call("get","vault:1")} 0',
  'MIGRATE h 1 vault:1 0 1',
  'OBJECT ENCODING vault:1',
  'FLUSHALL',
  'CONFIG GET *',
  'DEBUG OBJECT open',
  'MONITOR',
  'REPLICAOF NO ONE',
  'SHUTDOWN NOSAVE',
  'ACL LIST',
  'MODULE LIST2',
  'XREAD STREAMS vault:1 0',
  'SUBSCRIBE vault:1',
  'PSUBSCRIBE *',
  'SUBSCRIBE __keyspace@0__:x',
  'BLPOP open vault:1 1',
  'ZUNION 2 open vault:1',
  'CLIENT KILL ID 1',
  'FUNCTION LIST',
  'SWAPDB 0 1',
  'CLIENT TRACKING ON BCAST',
  'PFMERGE t vault:1',
  'SLOWLOG GET',
];

async function checkBlocks(context: SuiteContext, lab: RedisLab): Promise<void> {
  const client = await openRaw(lab.through('alice'));
  for (const line of VAULT) {
    await context.check(`blocked: ${line}`, async () => {
      expectRefused(await client.run(line), line);
      if ((await client.run('GET open')) !== '1') throw new Error('the session is not usable');
    });
  }
  await context.check('what ioredis shows of a refusal', async () => {
    const redis = openIoredis(lab.through('alice'));
    const shown = await redis.get('vault:1').catch((error: unknown) => String(error));
    redis.disconnect();
    if (!/^ReplyError: NOPERM .*no-vault/.test(String(shown))) throw new Error(String(shown));
  });
  await context.check('nothing was done', async () => {
    const direct = await openRaw(lab.direct);
    const found = await direct.run('MGET vault:1 t');
    direct.close();
    if (JSON.stringify(found) !== '["secret",null]') throw new Error(JSON.stringify(found));
  });
  client.close();
}

async function checkMasks(context: SuiteContext, lab: RedisLab): Promise<void> {
  for (const version of [2, 3] as const) {
    const client = await openRaw(lab.through('alice'), version);
    for (const line of [
      'HGETALL user:1',
      'HGET user:1 email',
      'HVALS user:1',
      'HSCAN user:1 0',
      'SORT open BY nosort GET user:*->email',
      'COPY user:1 t',
      'HSTRLEN user:1 email',
      'DUMP user:1',
    ]) {
      await context.check(`masked: ${line}, RESP${version}`, async () => {
        const text = JSON.stringify(await client.run(line), (_, one: unknown) =>
          one instanceof Error ? one.message : one,
        );
        if (text.includes('ann@') || text === '15') throw new Error(text);
      });
    }
    client.close();
  }
  await context.check('free sees it', async () => {
    const client = await openRaw(lab.through('free'));
    if ((await client.run('HGET user:1 email')) !== SECRET) throw new Error('masked');
    client.close();
  });
}

async function checkRecording(context: SuiteContext, lab: RedisLab): Promise<void> {
  await context.check('recordings can be read, and hold no secret', async () => {
    const folder = join(lab.dataDir, 'recordings');
    const files = (await readdir(folder, { recursive: true })).filter((file) =>
      file.endsWith('.weir'),
    );
    let text = '';
    const sightings: string[] = [];
    for (const file of files) {
      const recording = await openRecording(join(folder, file));
      for await (const event of playBack(recording)) text += `${JSON.stringify(event)}\n`;
      const question = { collection: 'user:*', id: '1', field: undefined };
      for await (const found of whoSaw(await openRecording(join(folder, file)), question)) {
        if (found.kind === 'sighting') sightings.push(`${found.principal} ${found.query}`);
      }
    }
    if (!/HGETALL user:1/.test(text) || !/no-vault/.test(text))
      throw new Error('the recording does not tell');
    if (
      !sightings.includes('alice HGETALL user:1') ||
      !sightings.includes('free HGET user:1 email')
    )
      throw new Error(`who saw it: ${sightings.join(', ')}`);
    if (/key-of-alice|store-secret/.test(text)) throw new Error('a password is in the recording');
  });
}

async function checkIndexes(context: SuiteContext): Promise<void> {
  const lab = await openRedisLab(context, 'stack', `${POLICY}${FILTERED}`);
  const direct = await openRaw(lab.direct);
  await direct.run('FT.CREATE vaults PREFIX 1 vault: SCHEMA tenant TAG');
  await direct.run('FT.CREATE everything SCHEMA tenant TAG');
  await direct.run('FT.CREATE users PREFIX 1 user: SCHEMA email AS mail TAG tenant TAG');
  await direct.run('FT.ALIASADD harmless vaults');
  await direct.run(`HSET user:1 email ${SECRET} tenant acme`);
  await direct.run('HSET user:2 email b@c.d tenant other');
  await indexed(direct);
  const alice = await openRaw(lab.through('alice'));
  for (const line of [
    'FT.SEARCH vaults *',
    'FT.SEARCH harmless *',
    'FT.SEARCH everything *',
    'FT.SEARCH users @mail:{ann*}',
    'FT.AGGREGATE users * GROUPBY 1 @mail',
    'FT.SEARCH users * SORTBY mail',
    'FT.TAGVALS users mail',
    'FT.SEARCH users x|y) | (*',
    'HGETALL user:2',
  ]) {
    await context.check(`by an index: ${line}`, async () =>
      expectRefused(await alice.run(line), line),
    );
  }
  await context.check('a filter holds, and a mask', async () => {
    const text = JSON.stringify(await alice.run('FT.SEARCH users *'));
    if (!text.includes('user:1') || text.includes('user:2') || text.includes('ann@'))
      throw new Error(text);
  });
  await context.check('the other one sees the other one', async () => {
    const bob = await openRaw(lab.through('bob'));
    const text = JSON.stringify(await bob.run('FT.SEARCH users *'));
    bob.close();
    if (text.includes('user:1') || !text.includes('b@c.d')) throw new Error(text);
  });
  alice.close();
  direct.close();
}

async function indexed(direct: RawRedis): Promise<void> {
  for (let left = 2000; left > 0; left -= 1) {
    const found = await direct.run('FT.SEARCH users * LIMIT 0 0');
    if (JSON.stringify(found) === '[2]') return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the index was not made in time');
}
