/**
 * Redis: the official clients' ordinary calls give the same through the gateway as direct, whether nothing is in
 * force or everything is looked at; what rules and masks hold back stays back; the gateway takes pipelines,
 * slow clients and a death of either side as the server does.
 */

import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { checkRedisLoad } from './redis-load.ts';
import { runIoredis, runNodeRedis, runSearch } from './redis-calls.ts';
import { openRedisLab, type RedisLab, type RedisWay } from './redis-lab.ts';
import { checkRedisPolicy } from './redis-policy.ts';
import { redisMissing } from '../support/redis-server.ts';

/** Nothing of this touches what the calls do, so that every request is judged and every answer read. */
const LOOKS = `
[[rule]]
name = "no-vault"
effects = ["read", "export", "search", "delete"]
objects = ["redis:vault:*"]
principals = ["alice"]
action = "block"
[[rule]]
name = "alice-may"
effects = ["*"]
objects = ["*"]
principals = ["alice"]
action = "allow"
[[mask]]
name = "cards"
fields = ["card"]
objects = ["redis:*"]
principals = ["alice"]
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
  const missing = redisMissing('stack');
  if (missing !== false) {
    context.skip('search by node-redis', missing);
    return;
  }
  const stack = await openRedisLab(
    context,
    'stack',
    LOOKS.replace('objects = ["redis:vault:*"]', 'objects = ["redis:vault*"]'),
  );
  for (const version of [2, 3] as const) {
    const run = async (way: RedisWay): Promise<string> => await runSearch(way, version);
    await compare(context, stack, { name: `search by node-redis, RESP${version}`, run });
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
