/** What the recorded conversations are: one scenario for each transcript of the Redis protocol. */

import type { Decision, Operation } from '../../protocols/contract.ts';
import { encodeRequest } from '../../protocols/wire/resp-request.ts';
import { PASSWORD, verifierOf } from './redis-lab.ts';
import { RawRedis } from './redis-server.ts';

export interface RedisScenario {
  readonly name: string;
  readonly about: string;
  readonly auth: 'gateway' | 'passthrough';
  readonly steps: (client: RawRedis, port: number) => Promise<void>;
}

/** Refuses what touches `no`; `ann` proves who she is. */
export function scenarioPolicy(auth: 'gateway' | 'passthrough') {
  return (operation: Operation): Decision => {
    const inspection = { statements: true, results: true };
    if (operation.kind === 'sign-in' && auth === 'gateway') {
      const login = { user: '', password: undefined, database: undefined };
      const isKnown = operation.user === 'ann';
      return { kind: 'prove', verifier: verifierOf(PASSWORD), isKnown, login, inspection };
    }
    if (operation.kind !== 'request') return { kind: 'allow', inspection };
    const isSecret = operation.request.accesses.some(({ target }) => target?.path[0] === 'no');
    return isSecret
      ? { kind: 'block', rule: 'no-no', code: '42501', reason: 'forbidden by a rule' }
      : { kind: 'allow' };
  };
}

const batch = (...lines: readonly string[]): Buffer =>
  Buffer.concat(lines.map((line) => encodeRequest(line.split(' '))));

async function ask(client: RawRedis, count: number, ...lines: readonly string[]): Promise<void> {
  client.socket.write(batch(...lines));
  for (let left = count; left > 0; left -= 1) await client.next();
}

export const redisScenarios: readonly RedisScenario[] = [
  {
    name: 'commands',
    about: 'RESP2, one by one and in pipelines',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 1, 'SET a 1');
      await ask(client, 4, 'GET a', 'MGET a b', 'HSET h f v', 'HGETALL h');
      await ask(client, 2, 'PING', 'QUIT');
    },
  },
  {
    name: 'resp3',
    about: 'HELLO 3 without AUTH; maps, doubles, nulls',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 2, 'HELLO 3', 'CLIENT SETINFO LIB-NAME x');
      await ask(client, 4, 'HSET h f v', 'HGETALL h', 'ZADD z 1.5 m', 'ZRANGE z 0 -1 WITHSCORES');
      await ask(
        client,
        3,
        'GET nothing',
        'CONFIG SET requirepass hidden-password',
        'CONFIG SET requirepass hidden-password',
      );
    },
  },
  {
    name: 'refused-in-pipeline',
    about: 'refusals stand where the answers would',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 6, 'SET a 1', 'GET no', 'GET a', 'NOSUCH x', 'MGET a no', 'ECHO end');
      await ask(client, 2, 'MONITOR', 'CLIENT REPLY OFF');
    },
  },
  {
    name: 'transaction',
    about: 'MULTI, a refused command, EXECABORT; then one that is carried out',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 4, 'MULTI', 'SET a 1', 'GET no', 'EXEC');
      await ask(client, 4, 'MULTI', 'SET a 2', 'GET a', 'EXEC');
      await ask(client, 3, 'MULTI', 'SET a 3', 'DISCARD');
    },
  },
  {
    name: 'channels-resp2',
    about: 'messages between answers, and after them',
    auth: 'passthrough',
    steps: async (client, port) => {
      await ask(client, 3, 'SUBSCRIBE a b', 'PSUBSCRIBE p*');
      await publish(port, 'a', 'px');
      await client.next();
      await client.next();
      await ask(client, 4, 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'GET a');
    },
  },
  {
    name: 'channels-resp3',
    about: 'pushes',
    auth: 'passthrough',
    steps: async (client, port) => {
      await ask(client, 4, 'HELLO 3', 'SUBSCRIBE a b', 'SET x 1');
      await publish(port, 'a');
      await client.next();
      await ask(client, 3, 'UNSUBSCRIBE', 'GET x');
    },
  },
  {
    name: 'sign-in-gateway',
    about: 'AUTH against the gateway, wrong and right, then RESET',
    auth: 'gateway',
    steps: async (client) => {
      await ask(client, 4, 'GET a', 'HELLO 3', 'AUTH ann wrong', 'AUTH nobody x');
      await ask(client, 3, `AUTH ann ${PASSWORD}`, 'SET a 1', 'GET no');
      await ask(client, 2, 'RESET', 'GET a');
      await ask(client, 2, `HELLO 3 AUTH ann ${PASSWORD} SETNAME me`, 'GET a');
      await ask(client, 2, 'AUTH ann wrong', 'GET a');
    },
  },
  {
    name: 'search',
    about: 'an index is asked for before it is searched',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 1, 'FT.CREATE idx SCHEMA name TEXT age NUMERIC');
      await ask(client, 1, 'FT.ADD idx d1 1 FIELDS name ann age 3');
      await ask(client, 2, 'FT.SEARCH idx ann', 'FT.AGGREGATE idx * GROUPBY 1 @name');
      await ask(client, 2, 'FT.SEARCH nosuch *', 'FT.SEARCH idx * NOSUCHOPTION');
    },
  },
  {
    name: 'unknown-message',
    about: 'an inline command ends the session',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 1, 'PING');
      client.socket.write('FLUSHALL\r\n');
      await client.closed();
    },
  },
  {
    name: 'length-over-limit',
    about: 'a length above the limit ends the session before it is held',
    auth: 'passthrough',
    steps: async (client) => {
      await ask(client, 1, 'PING');
      client.socket.write('*2\r\n$3\r\nGET\r\n$536870912\r\nxxxxxxxxxxxxxxxx');
      await client.closed();
    },
  },
];

async function publish(port: number, ...channels: readonly string[]): Promise<void> {
  const speaker = await RawRedis.connect(port);
  for (const channel of channels) await speaker.ask('PUBLISH', channel, 'hello');
  speaker.close();
}
