/**
 * Whatever alice asks of Redis through the gateway, nothing that the policy keeps from her comes out. Each attempt is
 * proven direct first: there it shows the secret. And what she does every day is not refused.
 */

import { redisMissing } from '../support/redis-server.ts';
import type { Suite } from './harness.ts';
import { KEY_ROUNDS } from './redis-leak-keys.ts';
import { runLeakRound } from './redis-leak-lab.ts';
import { MORE_ROUNDS } from './redis-leak-more.ts';
import { SEARCH_ROUNDS } from './redis-leak-search.ts';

export const redisLeaks: Suite = {
  name: 'redis-leaks',
  about: 'Redis: attempts to get what masks, rules, filters and limits keep back',
  run: async (context) => {
    for (const round of [...KEY_ROUNDS, ...SEARCH_ROUNDS, ...MORE_ROUNDS]) {
      const missing = redisMissing(round.kind);
      if (missing === false) await runLeakRound(context, round);
      else context.skip(round.name, missing);
    }
  },
};
