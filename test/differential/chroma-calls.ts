/**
 * The ordinary calls of the official JavaScript client, one after the other, as a text that says what each
 * gave or threw. Ports, UUIDs and times are left out, so that two runs can be compared.
 */

import { AdminClient, type ChromaClient, type Collection } from 'chromadb';
import { type ChromaWay, connectChroma } from './chroma-lab.ts';

/** There is no model to be had here: the client must never ask for one. */
const EMBEDDING = {
  generate: async (texts: string[]): Promise<number[][]> => await Promise.resolve(texts.map(embed)),
};

/** Three numbers, of which one is not even and one is below zero. */
function embed(text: string): number[] {
  return [text.length, 0.1 * text.length, -1];
}

type Call = (client: ChromaClient, collection: Collection) => Promise<unknown>;

const IDS = ['a', 'b', 'c', 'ü'];
const RECORDS = {
  ids: IDS,
  embeddings: [
    [1, 0, -0],
    [0, 1, 0],
    [0.5, 0.25, 1e-7],
    [3, 4, 5],
  ],
  documents: ['first text', 'second "quoted" text', 'third\ntext', 'vierter Täxt'],
  metadatas: [
    { kind: 'x', n: 1, exact: 9007199254740991, f: 1.5, ok: true },
    { kind: 'y', n: 2, tags: ['one', 'two'] },
    { kind: 'x', n: -3.25 },
    { kind: 'ü', n: 4 },
  ],
  uris: ['file:///1', 'file:///2', 'file:///3', 'file:///4'],
};

const CALLS: Readonly<Record<string, Call>> = {
  version: async (client) => await client.version(),
  heartbeat: async (client) => typeof (await client.heartbeat()),
  identity: async (client) => await client.getUserIdentity(),
  'max batch size': async (client) => await client.getMaxBatchSize(),
  'base64 support': async (client) => await client.supportsBase64Encoding(),
  add: async (_, one) => await one.add(RECORDS),
  count: async (_, one) => await one.count(),
  'add again': async (_, one) => await one.add({ ids: ['a'], embeddings: [[9, 9, 9]] }),
  'wrong size': async (_, one) => await one.add({ ids: ['z'], embeddings: [[1, 2]] }),
  get: async (_, one) => await one.get(),
  'get rows': async (_, one) => (await one.get({ ids: ['b', 'a'] })).rows(),
  'get everything': async (_, one) =>
    await one.get({ include: ['documents', 'metadatas', 'embeddings', 'uris'] }),
  'get nothing but ids': async (_, one) => await one.get({ include: [] }),
  'get by filter': async (_, one) =>
    await one.get({ where: { $and: [{ kind: 'x' }, { n: { $gt: 0 } }] } }),
  'get by text': async (_, one) => await one.get({ whereDocument: { $contains: 'quoted' } }),
  'get by pattern': async (_, one) => await one.get({ whereDocument: { $regex: 't.ird|Täxt' } }),
  'get pages': async (_, one) => [
    await one.get({ limit: 2 }),
    await one.get({ limit: 2, offset: 2 }),
  ],
  'get what is not there': async (_, one) => await one.get({ ids: ['nobody'] }),
  'a filter that is none': async (_, one) =>
    await one.get({ where: { kind: { $nope: 1 } } as never }),
  peek: async (_, one) => await one.peek({ limit: 3 }),
  query: async (_, one) =>
    await one.query({
      queryEmbeddings: [
        [1, 0, 0],
        [3, 4, 4],
      ],
      nResults: 2,
    }),
  'query by text': async (_, one) => await one.query({ queryTexts: ['first text'], nResults: 1 }),
  'query with all': async (_, one) =>
    await one.query({
      queryEmbeddings: [[0, 1, 0]],
      where: { n: { $in: [1, 2] } },
      whereDocument: { $contains: 'text' },
      include: ['documents', 'metadatas', 'embeddings', 'distances', 'uris'],
    }),
  'query some ids': async (_, one) =>
    await one.query({ queryEmbeddings: [[1, 1, 1]], ids: ['c'], nResults: 5 }),
  search: async (_, one) => await one.search({ limit: { limit: 1 } }),
  update: async (_, one) =>
    await one.update({ ids: ['a'], metadatas: [{ kind: 'z' }], documents: ['new'] }),
  upsert: async (_, one) =>
    await one.upsert({
      ids: ['a', 'd'],
      embeddings: [
        [1, 1, 1],
        [2, 2, 2],
      ],
      documents: ['x', 'y'],
    }),
  'get after': async (_, one) =>
    await one.get({ ids: ['a', 'd'], include: ['documents', 'metadatas', 'embeddings'] }),
  'delete some': async (_, one) => await one.delete({ where: { kind: 'y' } }),
  'delete by id': async (_, one) => await one.delete({ ids: ['d'] }),
  'count after': async (_, one) => await one.count(),
  rename: async (_, one) => await one.modify({ name: 'renamed', metadata: { made: 'here' } }),
  'by the new name': async (client) =>
    await show(await client.getCollection({ name: 'renamed', embeddingFunction: EMBEDDING })),
  'by the old name': async (client) => await client.getCollection({ name: 'ordinary' }),
  fork: async (_, one) => await one.fork({ name: 'copied' }),
  'make it twice': async (client) =>
    await client.createCollection({ name: 'renamed', embeddingFunction: EMBEDDING }),
  'get or make': async (client) =>
    await show(
      await client.getOrCreateCollection({ name: 'renamed', embeddingFunction: EMBEDDING }),
    ),
  'bad name': async (client) =>
    await client.createCollection({ name: 'bad name!', embeddingFunction: EMBEDDING }),
  collections: async (client) => {
    const all = await client.listCollections();
    return all.map(({ name }) => name).toSorted();
  },
  'how many collections': async (client) => await client.countCollections(),
  drop: async (client) => await client.deleteCollection({ name: 'renamed' }),
  'drop again': async (client) => await client.deleteCollection({ name: 'renamed' }),
  'get from what is gone': async (_, one) => await one.get(),
  'how many are left': async (client) => await client.countCollections(),
};

async function show(collection: Collection): Promise<unknown> {
  const { name, metadata } = collection;
  return { name, metadata, count: await collection.count() };
}

/** In a database of its own, which is dropped at the end. */
export async function runOrdinaryCalls(way: ChromaWay): Promise<string> {
  const lines: string[] = [];
  const { port, key } = way;
  const headers: Record<string, string> = key === undefined ? {} : { 'x-chroma-token': key };
  const admin = new AdminClient({ host: '127.0.0.1', port, headers, ssl: false });
  const note = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    lines.push(`${name}: ${await outcomeOf(call)}`);
  };
  await note('make a tenant', async () => await admin.createTenant({ name: 'own-tenant' }));
  await note('see it', async () => await admin.getTenant({ name: 'own-tenant' }));
  await note(
    'make a database',
    async () => await admin.createDatabase({ name: 'own-db', tenant: 'own-tenant' }),
  );
  await note('see databases', async () =>
    (await admin.listDatabases({ tenant: 'own-tenant' })).map(({ name, tenant }) => ({
      name,
      tenant,
    })),
  );
  const client = connectChroma(way, 'own-tenant', 'own-db');
  const made = { name: 'ordinary', metadata: { about: 'tests' }, embeddingFunction: EMBEDDING };
  const collection = await client.createCollection(made);
  for (const [name, call] of Object.entries(CALLS)) {
    await note(name, async () => await call(client, collection));
  }
  await note(
    'drop the database',
    async () => await admin.deleteDatabase({ name: 'own-db', tenant: 'own-tenant' }),
  );
  return lines.join('\n');
}

async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    return tidy(JSON.stringify(await call(), sortKeys, 1) ?? 'undefined');
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return tidy(`${error.name}: ${error.message}`);
  }
}

/** The server gives metadata in any order. */
function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function tidy(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
}
