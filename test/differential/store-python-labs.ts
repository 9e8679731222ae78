/** Servers, gateways and records for the Python clients of the stores (`store-python.ts`): one description for each. */

import { chromaMissing } from '../support/chroma-server.ts';
import { milvusMissing } from '../support/milvus-server.ts';
import { type RedisKind, redisMissing } from '../support/redis-server.ts';
import { openChromaLab } from './chroma-lab.ts';
import type { SuiteContext } from './harness.ts';
import { connectMilvus, openMilvusLab } from './milvus-lab.ts';
import { openQdrantLab } from './qdrant-lab.ts';
import { openRaw, openRedisLab } from './redis-lab.ts';
import { type MilvusClient, DataType } from '@zilliz/milvus2-sdk-node';

export type StorePart = 'ordinary' | 'policy';

export interface StoreWay {
  readonly name: 'direct' | 'through';
  readonly port: number;
  readonly grpcPort?: number;
  readonly user: string;
  readonly key: string;
}

export interface OpenStore {
  readonly direct: StoreWay;
  readonly through: (user: 'free' | 'alice') => StoreWay;
  /** The records as they were at first. */
  readonly reset: () => Promise<void>;
}

export interface PythonStore {
  readonly name: string;
  /** What the program imports. */
  readonly module: string;
  readonly script: string;
  readonly kind?: RedisKind;
  /** What the client raises when the server itself refuses. */
  readonly errors: RegExp;
  readonly missing: () => string | undefined;
  readonly open: (context: SuiteContext, part: StorePart) => Promise<OpenStore>;
}

const MAY = `
[[rule]]
name = "alice-may"
effects = ["*"]
objects = ["*"]
principals = ["alice"]
action = "allow"
`;

/** Nothing of this touches what ordinary calls do, so that every request is judged and every answer read. */
function looks(objects: string): string {
  return `
[[rule]]
name = "no-vault"
effects = ["search", "read", "delete"]
objects = ["${objects}"]
principals = ["alice"]
action = "block"
${MAY}
[[mask]]
name = "cards"
fields = ["card"]
except = ["free"]
mode = "strict"
`;
}

interface Names {
  readonly vault: string;
  readonly people: string;
}

function policy({ vault, people }: Names): string {
  return `
[[rule]]
name = "no-vault"
effects = ["*"]
objects = ["${vault}"]
principals = ["alice"]
action = "block"
[[rule]]
name = "no-destruction"
effects = ["drop", "delete", "admin"]
objects = ["*"]
principals = ["alice"]
action = "block"
[[mask]]
name = "contacts"
fields = ["email", "phone"]
detect = ["email"]
objects = ["${people}"]
except = ["free"]
with = "redact"
mode = "strict"
`;
}

function policyOf(protocol: string, part: StorePart): string {
  return part === 'ordinary'
    ? looks(`${protocol}:vault`)
    : policy({ vault: `${protocol}:vault`, people: `${protocol}:people` });
}

interface Person {
  readonly id: number;
  readonly email: string;
  readonly phone: string;
  readonly city: string;
  readonly age: number;
  readonly note: string;
}

const PEOPLE: readonly Person[] = [1, 2, 3].map((id) => ({
  id,
  email: `secret-mail-${id}`,
  phone: `secret-phone-${id}`,
  city: id === 2 ? 'Rom' : 'Paris',
  age: 30 + id,
  note: `write to ann${id}@example.com, soon`,
}));

async function openChroma(context: SuiteContext, part: StorePart): Promise<OpenStore> {
  const lab = await openChromaLab(context, policyOf('chroma', part));
  const { server, direct } = lab;
  const reset = async (): Promise<void> => {
    await server.ask('POST', '/reset');
    if (part === 'ordinary') return;
    await server.fill('people', {
      ids: PEOPLE.map(({ id }) => String(id)),
      embeddings: PEOPLE.map(({ id }) => [1, id / 10]),
      documents: PEOPLE.map(({ note }) => note),
      metadatas: PEOPLE.map(({ email, phone, city, age }) => ({ email, phone, city, age })),
    });
    await server.fill('vault', { ids: ['v'], embeddings: [[1, 0]], documents: ['secret-text-1'] });
  };
  return {
    reset,
    direct: { ...direct, key: '', user: '' },
    through: (user) => ({ ...lab.through(user), key: lab.through(user).key ?? '', user }),
  };
}

async function openQdrant(context: SuiteContext, part: StorePart): Promise<OpenStore> {
  const lab = await openQdrantLab(context, policyOf('qdrant', part));
  const { emulator, direct } = lab;
  const reset = (): Promise<void> => {
    const { engine } = emulator;
    engine.collections.clear();
    engine.aliases.clear();
    if (part === 'ordinary') return Promise.resolve();
    engine.create('people', {});
    engine.create('vault', {});
    engine.aliases.set('harmless', 'vault');
    const points = PEOPLE.map(({ id, ...payload }) => ({ id, vector: [1, id / 10], payload }));
    engine.write('people', 'upsert', { points });
    const hidden = { id: 1, vector: [1, 0], payload: { text: 'secret-text-1' } };
    engine.write('vault', 'upsert', { points: [hidden] });
    return Promise.resolve();
  };
  const wayOf = (way: typeof direct, user: string): StoreWay => ({
    name: way.name,
    port: way.restPort,
    grpcPort: way.grpcPort,
    key: way.key,
    user,
  });
  return {
    reset,
    direct: wayOf(direct, ''),
    through: (user) => wayOf(lab.through(user), user),
  };
}

async function openMilvus(context: SuiteContext, part: StorePart): Promise<OpenStore> {
  const lab = await openMilvusLab(context, policyOf('milvus', part));
  if (lab === undefined) throw new Error('Milvus Lite is missing');
  const { direct, through } = lab;
  const reset = async (): Promise<void> => {
    if (part === 'ordinary') return;
    const client = await connectMilvus(context, direct);
    for (const name of ['people', 'vault']) {
      await client.dropCollection({ collection_name: name });
      await makeMilvus(client, name);
    }
    await client.closeConnection();
  };
  return {
    reset,
    direct: { ...direct, key: '', user: '' },
    through: (user) => ({ ...through(user), key: through(user).key ?? '', user }),
  };
}

async function makeMilvus(client: MilvusClient, collection_name: string): Promise<void> {
  const text = { data_type: DataType.VarChar, max_length: 100 } as const;
  await client.createCollection({
    collection_name,
    fields: [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'email', ...text },
      { name: 'phone', ...text },
      { name: 'city', ...text },
      { name: 'vec', data_type: DataType.FloatVector, dim: 4 },
    ],
    enable_dynamic_field: true,
    index_params: [{ field_name: 'vec', index_type: 'FLAT', metric_type: 'L2' }],
  });
  const data = PEOPLE.map(({ id, email, phone, city, age, note }) => ({
    id,
    email,
    phone,
    city,
    age,
    vec: [id, 0.3, -0, 1],
    extra: note,
  }));
  const { status } = await client.insert({ collection_name, data });
  if (status.error_code !== 'Success') throw new Error(status.reason);
  await client.loadCollection({ collection_name });
}

function openRedis(kind: 'debian' | 'stack'): PythonStore['open'] {
  return async (context, part) => {
    const lab = await openRedisLab(context, kind, redisPolicy(kind, part));
    const reset = async (): Promise<void> => {
      const client = await openRaw(lab.direct);
      await client.run('FLUSHALL');
      if (part === 'policy') {
        await client.run('SET vault:1 secret-text-1');
        await client.run('SET open 1');
        for (const { id, email, city, age } of PEOPLE)
          await client.run(`HSET user:${id} email ${email} city ${city} age ${age}`);
      }
      if (part === 'policy' && kind === 'stack') {
        await client.run(
          'FT.CREATE users PREFIX 1 user: SCHEMA email TAG city TAG age NUMERIC SORTABLE',
        );
        await waitForIndex(async () => await client.run('FT.SEARCH users * LIMIT 0 0'));
      }
      client.close();
    };
    const wayOf = ({ name, port, user, password }: typeof lab.direct): StoreWay => ({
      name,
      port,
      user,
      key: password,
    });
    return { reset, direct: wayOf(lab.direct), through: (user) => wayOf(lab.through(user)) };
  };
}

function redisPolicy(kind: RedisKind, part: StorePart): string {
  if (part === 'policy') return policy({ vault: 'redis:vault:*', people: 'redis:user:*' });
  // Scripts and PSUBSCRIBE are ordinary calls, and refused where some key is out of reach or masked.
  if (kind === 'debian') return MAY;
  return looks('redis:vault*');
}

const INDEX_TRIES_MAX = 2000;

async function waitForIndex(count: () => Promise<unknown>): Promise<void> {
  for (let left = INDEX_TRIES_MAX; left > 0; left -= 1) {
    if (JSON.stringify(await count()) === `[${PEOPLE.length}]`) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the index was not made in time');
}

export const STORES: readonly PythonStore[] = [
  {
    name: 'chromadb',
    module: 'chromadb',
    script: 'store_chroma.py',
    errors: /raised \w*(?:Error|Exception):/,
    missing: chromaMissing,
    open: openChroma,
  },
  {
    name: 'qdrant-client',
    module: 'qdrant_client',
    script: 'store_qdrant.py',
    errors: /raised (?:UnexpectedResponse|_InactiveRpcError|AioRpcError):/,
    missing: () => undefined,
    open: openQdrant,
  },
  {
    name: 'pymilvus',
    module: 'pymilvus',
    script: 'store_milvus.py',
    // A status of gRPC that is no answer of Milvus comes out as it is, without being tried again.
    errors: /raised (?:_InactiveRpcError|_MultiThreadedRendezvous|AioRpcError):/,
    missing: milvusMissing,
    open: openMilvus,
  },
  {
    name: 'redis-py',
    module: 'redis',
    script: 'store_redis.py',
    kind: 'debian',
    errors: /raised (?:NoPermissionError|ResponseError|ExecAbortError):/,
    missing: () => redisMissing('debian') || undefined,
    open: openRedis('debian'),
  },
  {
    name: 'redis-py with search',
    module: 'redis',
    script: 'store_redis.py',
    kind: 'stack',
    errors: /raised (?:NoPermissionError|ResponseError|ExecAbortError):/,
    missing: () => redisMissing('stack') || undefined,
    open: openRedis('stack'),
  },
];
