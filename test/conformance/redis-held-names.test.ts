/**
 * What a name meant when a command was judged, and what it means when its rows come: transactions that are held,
 * and cursors that are read later, against Redis Stack.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openRaw, openRedisLab } from '../differential/redis-lab.ts';
import { type RawRedis, redisMissing } from '../support/redis-server.ts';

const POLICY = `
[[mask]]
name = "mail"
fields = ["email"]
objects = ["redis:user:*"]
except = ["free"]
`;
const SETUP = [
  'FT.CREATE users PREFIX 1 user: SCHEMA email TEXT',
  'FT.CREATE notes PREFIX 1 note: SCHEMA text TEXT',
  'HSET user:1 email zebra@example.com',
  'HSET user:2 email zebra2@example.com',
  'HSET note:1 text hello',
  'FT.ALIASADD now notes',
  'FT.ALIASADD then users',
];
/** Longer than QUEUE_AGE_MAX of the session, whose timer was set before this one. */
const HELD_TIME = 7000;
const skip = redisMissing('stack');

async function open(t: Test): Promise<{ direct: RawRedis; alice: RawRedis }> {
  const lab = await openRedisLab(t, 'stack', POLICY);
  const direct = await openRaw(lab.direct);
  const alice = await openRaw(lab.through('alice'));
  t.teardown(() => {
    direct.close();
    alice.close();
  });
  for (const line of SETUP) await direct.run(line);
  return { direct, alice };
}

void t.test(
  'a transaction that goes by an index does not outlive its judgement',
  { skip },
  async (t) => {
    const { direct, alice } = await open(t);
    await alice.run('MULTI');
    t.equal(await alice.run('FT.SEARCH now *'), 'QUEUED');
    await direct.run('FT.ALIASUPDATE now users');
    await sleep(HELD_TIME);
    t.match(await alice.run('EXEC'), { message: /EXECABORT/ });
    await alice.run('MULTI');
    t.equal(await alice.run('GET plain'), 'QUEUED');
    await sleep(HELD_TIME);
    t.same(await alice.run('EXEC'), [null], 'one without an index may be held');
    await alice.run('MULTI');
    await alice.run('FT.SEARCH then *');
    const masked = JSON.stringify(await alice.run('EXEC'));
    t.match(masked, /user:1/, 'one that is carried out at once goes on');
    t.notMatch(masked, /zebra/);
    t.match(JSON.stringify(await alice.run('FT.SEARCH now *')), /\*\*\*/);
  },
);

void t.test('a cursor keeps the masks of the index that it was opened on', { skip }, async (t) => {
  const { alice } = await open(t);
  const opened = await alice.run('FT.AGGREGATE then * LOAD 1 @email WITHCURSOR COUNT 1');
  t.notMatch(JSON.stringify(opened), /zebra/);
  const cursor = Array.isArray(opened) ? String(opened[1]) : '';
  t.equal(await alice.run('FT.ALIASUPDATE then notes'), 'OK');
  const read = JSON.stringify(await alice.run(`FT.CURSOR READ then ${cursor}`));
  t.match(read, /email/);
  t.notMatch(read, /zebra/);
});
