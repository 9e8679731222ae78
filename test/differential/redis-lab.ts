/**
 * What the Redis suites stand on: a real server, a gateway in this process in front of it with the configuration
 * of the suite, and ways to both for ioredis, node-redis and raw bytes.
 */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis as IoRedis } from 'ioredis';
import { createClient } from 'redis';
import { loadConfig } from '../../lib/config/load.ts';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import { RawRedis, type RedisKind, startRedis } from '../support/redis-server.ts';
import type { Teardown } from '../support/servers.ts';

export interface RedisWay {
  readonly name: 'direct' | 'through';
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface RedisLab {
  readonly dataDir: string;
  readonly direct: RedisWay;
  through(user: RedisUser): RedisWay;
}

/** `free`: nothing is in force for her. */
export const REDIS_USERS = { free: [], alice: ['acme'], bob: ['other'] } as const;
export type RedisUser = keyof typeof REDIS_USERS;

const STORE_PASSWORD = 'store-secret';
/** The clients' own is 5 s; a loaded machine takes its time. */
const CONNECT_TIME_MAX = 60_000;

export async function openRedisLab(
  context: Teardown,
  kind: RedisKind,
  policy: string,
): Promise<RedisLab> {
  const server = await startRedis(context, kind, { password: STORE_PASSWORD });
  const dataDir = await makeTemporary(context, 'weir-redis-lab-');
  const file = join(dataDir, 'weir.toml');
  process.env['WEIR_TEST_REDIS_PASSWORD'] = STORE_PASSWORD;
  await writeFile(file, describeConfig(server.port, dataDir, policy));
  const log = { info: () => undefined, warn: () => undefined, error: console.error };
  const gateway = await createGateway(loadConfig(file), { log });
  context.teardown(async () => await gateway.close());
  await gateway.listen();
  const port = gateway.addresses[0]?.port ?? 0;
  return {
    dataDir,
    direct: { name: 'direct', port: server.port, user: 'default', password: STORE_PASSWORD },
    through: (user) => ({ name: 'through', port, user, password: `key-of-${user}` }),
  };
}

function describeConfig(port: number, dataDir: string, policy: string): string {
  const users = Object.entries(REDIS_USERS).map(([name, groups]) => {
    const hash = createHash('sha256').update(`key-of-${name}`).digest('hex');
    return `[[user]]\nname = "${name}"\ngroups = ${JSON.stringify(groups)}\nkeys = ["sha256:${hash}"]\n`;
  });
  return `data_dir = ${JSON.stringify(dataDir)}
[[connection]]
name = "store"
protocol = "redis"
listen = "127.0.0.1:0"
upstream = "redis://default@127.0.0.1:${port}"
password = { env = "WEIR_TEST_REDIS_PASSWORD" }
auth = "gateway"
${users.join('')}${policy}`;
}

export async function openRaw(way: RedisWay, version: 2 | 3 = 2): Promise<RawRedis> {
  const client = await RawRedis.connect(way.port);
  const hello = await client.ask('HELLO', String(version), 'AUTH', way.user, way.password);
  if (hello instanceof Error) throw hello;
  return client;
}

/** Reconnects hide what went wrong. */
export function openIoredis({ port, user, password }: RedisWay): IoRedis {
  return new IoRedis({
    host: '127.0.0.1',
    port,
    username: user,
    password,
    retryStrategy: () => null,
    connectTimeout: CONNECT_TIME_MAX,
    maxRetriesPerRequest: 0,
  });
}

export async function openNodeRedis({ port, user, password }: RedisWay, version: 2 | 3) {
  const client = createClient({
    RESP: version,
    username: user,
    password,
    socket: {
      host: '127.0.0.1',
      port,
      reconnectStrategy: false,
      connectTimeout: CONNECT_TIME_MAX,
    },
  });
  client.on('error', () => undefined); // What fails is told by the call that fails.
  return await client.connect();
}
