/**
 * Redis: the official clients' ordinary calls give the same through the gateway as direct, whether nothing is in
 * force or everything is looked at; what rules and masks hold back stays back; the gateway takes pipelines,
 * slow clients and a death of either side as the server does.
 */

import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { checkRedisLoad } from './redis-load.ts';
import { runIoredis, runNodeRedis, runSearch, runVectorSets } from './redis-calls.ts';
import { openRedisLab, type RedisLab, type RedisWay } from './redis-lab.ts';
import { checkRedisPolicy } from './redis-policy.ts';
import { type RedisKind, redisMissing } from '../support/redis-server.ts';

/** Nothing of this touches what the calls do, so that every request is judged and every answer read. */
const LOOKS = `
[[rule]]
name = "alice-may"
effects = ["*"]
objects = ["*"]
principals = ["alice"]
action = "allow"
[[rule]]
name = "no-vault"
effects = ["delete"]
objects = ["redis:vault:*"]
principals = ["alice"]
action = "block"
[[mask]]
name = "cards"
fields = ["card"]
objects = ["redis:*"]
except = ["free", "bob"]
`;

async function compare(
  context: SuiteContext,
  lab: RedisLab,
  { name, run }: { name: string; run: (way: RedisWay) => Promise<string> },
): Promise<void> {
  const expected = await run(lab.direct);
  for (const user of ['free', 'alice'] as const) {
    await context.check(`${name}, ${user}: as direct`, async () => {
      assertSameText(await run(lab.through(user)), expected, name);
    });
  }
}

async function runClients(context: SuiteContext): Promise<void> {
  const lab = await openRedisLab(context, 'debian', LOOKS.replace(/\[\[mask\]\][\s\S]*/, ''));
  await compare(context, lab, { name: 'ioredis', run: runIoredis });
  for (const version of [2, 3] as const) {
    const run = async (way: RedisWay): Promise<string> => await runNodeRedis(way, version);
    await compare(context, lab, { name: `node-redis, RESP${version}`, run });
  }
  await runOn(context, 'stack', { name: 'search by node-redis', run: runSearch });
  await runOn(context, 'next', { name: 'vector sets by node-redis', run: runVectorSets });
}

/** With everything looked at: rules, and a mask of a field that no record has. */
async function runOn(
  context: SuiteContext,
  kind: RedisKind,
  { name, run }: { name: string; run: (way: RedisWay, version: 2 | 3) => Promise<string> },
): Promise<void> {
  const missing = redisMissing(kind);
  if (missing !== false) {
    context.skip(name, missing);
    return;
  }
  const lab = await openRedisLab(context, kind, LOOKS);
  for (const version of [2, 3] as const) {
    const runOnce = async (way: RedisWay): Promise<string> => await run(way, version);
    await compare(context, lab, { name: `${name}, RESP${version}`, run: runOnce });
  }
}

export const redisSuite: Suite = {
  name: 'redis',
  about:
    'official clients of Redis, rules, masks and filters on real servers, pipelines and slow clients',
  run: async (context) => {
    const missing = redisMissing('debian');
    if (missing !== false) {
      context.skip('redis', missing);
      return;
    }
    await runClients(context);
    await checkRedisPolicy(context);
    await checkRedisLoad(context);
  },
};
