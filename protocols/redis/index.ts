import type { Protocol } from '../contract.ts';
import { readRedisCall } from './read-call.ts';
import { RedisSession } from './session.ts';

/** Redis 7 and 8, Redis Stack; RESP2 and RESP3. */
export const redis: Protocol = {
  name: 'redis',
  defaultPort: 6379,
  createSession: (options) => new RedisSession(options),
  readCall: readRedisCall,
};
