/**
 * The bench of Redis, on a real server with RediSearch: one value by its key, and a search that gives twenty
 * documents. Where there is no such server the suite says so and is skipped.
 */

import { startCopyProcess } from '../test/support/gateway-process.ts';
import {
  RawRedis,
  redisMissing,
  type RedisKind,
  startRedis,
} from '../test/support/redis-server.ts';
import type { Teardown } from '../test/support/servers.ts';
import { LOGIN, MODES, STORE_KEY, startStoreWeir } from './stores-config.ts';
import {
  type Contender,
  type Measured,
  type RedisLoad,
  runClients,
  type Suite,
  type Target,
} from './suite.ts';

const COUNT = 1000;
/** Every document has one of so many topics. */
const TOPICS = 10;
const FOUND = 20;
const VALUE_SIZE = 1000;
const APP = { user: 'default', password: STORE_KEY };
/** Commands of the preparation that wait for their answers at once. */
const BATCH = 100;

/** Redis Stack searches as today's servers do; RediSearch of Debian is older, and the next best. */
const KINDS: readonly RedisKind[] = ['stack', 'debian'];

export const redisSuite: Suite<RedisLoad> = {
  protocol: 'Redis',
  about: {
    get: `GET of ${VALUE_SIZE} bytes`,
    'ft-search': `FT.SEARCH that gives ${FOUND} documents`,
  },
  missing: () =>
    findKind() === undefined ? `${redisMissing('debian')}, and no Redis Stack` : undefined,
  start: startContenders,
  describeLoad: async () => `raw sockets (Redis of kind ${findKind()})`,
  run,
};

function findKind(): RedisKind | undefined {
  return KINDS.find((kind) => redisMissing(kind) === false);
}

async function startContenders(t: Teardown): Promise<Contender[]> {
  const server = await startRedis(t, findKind() ?? 'debian', { password: STORE_KEY });
  const { port } = server;
  await fill(port);
  const contenders: Contender[] = [{ name: 'direct', port, pid: undefined, ...APP }];
  contenders.push({ name: 'byte copy (Node)', ...(await startCopyProcess(t, port)), ...APP });
  for (const [name, mode] of Object.entries(MODES)) {
    for (const durability of ['relaxed', 'strict'] as const) {
      const store = { protocol: 'redis', port, user: APP.user } as const;
      const running = await startStoreWeir(t, store, { ...mode, durability });
      contenders.push({ name: `${name}, ${durability}`, ...running, ...LOGIN });
    }
  }
  return contenders;
}

async function fill(port: number): Promise<void> {
  const client = await open({ port, ...APP });
  await askAll(client, ['FT.CREATE people SCHEMA title TEXT email TAG'.split(' ')]);
  for (let from = 0; from < COUNT; from += BATCH) {
    const commands = Array.from({ length: BATCH }, (_, index) => commandsOf(from + index));
    await askAll(client, commands.flat());
  }
  client.close();
}

function commandsOf(id: number): string[][] {
  const email = `user${id}@example.com`;
  const text = `Call me at m${id}@mail.example. ${'Lorem ipsum dolor sit amet. '.repeat(8)}`;
  const fields = ['title', `Entry ${id} topic${id % TOPICS}`, 'email', email, 'text', text];
  return [
    // RediSearch 1.2 (Debian) indexes what it is given so, and no hash by itself; later ones still know the command.
    ['FT.ADD', 'people', `user:${id}`, '1', 'FIELDS', ...fields],
    ['SET', `value:${id}`, text.padEnd(VALUE_SIZE, '.').slice(0, VALUE_SIZE)],
  ];
}

async function askAll(client: RawRedis, commands: readonly (readonly string[])[]): Promise<void> {
  for (const command of commands) client.write(...command);
  for (let left = commands.length; left > 0; left -= 1) checked(await client.next(), 0);
}

/** Throws for an error, and for an answer that is smaller than what was wanted. */
function checked(reply: Buffer, sizeMin: number): void {
  if (reply[0] === 0x2d || reply.length < sizeMin) {
    throw new Error(`the bench was answered with ${reply.toString('latin1', 0, 200)}`);
  }
}

async function open({ port, user, password }: Target): Promise<RawRedis> {
  const client = await RawRedis.connect(port);
  client.write('HELLO', '2', 'AUTH', user, password);
  checked(await client.next(), 0);
  return client;
}

function run(target: Target, load: RedisLoad, seconds: number): Promise<Measured> {
  return runClients(seconds, async () => {
    const client = await open(target);
    const ask = async (): Promise<void> => {
      const id = Math.floor(Math.random() * COUNT);
      if (load === 'get') client.write('GET', `value:${id}`);
      else client.write('FT.SEARCH', 'people', `topic${id % TOPICS}`, 'LIMIT', '0', String(FOUND));
      // A masked document is smaller; an answer without documents is not what is measured.
      checked(await client.next(), load === 'get' ? VALUE_SIZE / 2 : FOUND * 100);
    };
    return { ask, close: async () => client.close() };
  });
}
