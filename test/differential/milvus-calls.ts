/**
 * The ordinary calls of the official Node SDK, one after the other, as a text that says what each gave or threw.
 * Times and ports are left out, so that two runs can be compared.
 */

import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';

type Call = (client: MilvusClient) => Promise<unknown>;

export const COLLECTION = 'customers';

export interface Customer extends Record<string, unknown> {
  readonly id: number;
  readonly email: string;
  readonly tenant: string;
}

/** Of `phone` and `note` the schema knows nothing: they are dynamic. */
export function customers(): Customer[] {
  return Array.from({ length: 12 }, (_, index) => ({
    id: index,
    email: `user${index}@example.com`,
    tenant: index % 2 === 0 ? 'acme' : 'other',
    city: ['Ulm', 'Bonn', 'Köln'][index % 3] ?? '',
    info: { email: `info${index}@example.com`, n: index, deep: { iban: 'DE89370400440532013000' } },
    age: 20 + index,
    score: index / 4,
    active: index % 2 === 0,
    tags: [`t${index}`, 'x'],
    vec: [index, 0.1 * index, -0, 1],
    phone: `+49 30 12345${100 + index}`,
    note: `write to note${index}@example.com`,
  }));
}

export const FIELDS = [
  { name: 'id', data_type: DataType.Int64, is_primary_key: true },
  { name: 'email', data_type: DataType.VarChar, max_length: 200 },
  { name: 'tenant', data_type: DataType.VarChar, max_length: 50 },
  { name: 'city', data_type: DataType.VarChar, max_length: 50, nullable: true },
  { name: 'info', data_type: DataType.JSON, nullable: true },
  { name: 'age', data_type: DataType.Int32, nullable: true },
  { name: 'score', data_type: DataType.Double },
  { name: 'active', data_type: DataType.Bool },
  {
    name: 'tags',
    data_type: DataType.Array,
    element_type: DataType.VarChar,
    max_capacity: 8,
    max_length: 50,
  },
  { name: 'vec', data_type: DataType.FloatVector, dim: 4 },
];

export async function fill(client: MilvusClient, name: string = COLLECTION): Promise<void> {
  await client.createCollection({
    collection_name: name,
    fields: FIELDS,
    enable_dynamic_field: true,
  });
  await client.createIndex({
    collection_name: name,
    field_name: 'vec',
    index_type: 'FLAT',
    metric_type: 'L2',
  });
  await client.loadCollectionSync({ collection_name: name });
  await client.insert({ collection_name: name, data: customers() as never });
}

const collection_name = COLLECTION;
const vector = [3, 0.3, 0, 1];

const CALLS: Readonly<Record<string, Call>> = {
  version: async (client) => await client.getVersion(),
  health: async (client) => await client.checkHealth(),
  'create and fill': async (client) => await fill(client),
  'insert once more': async (client) =>
    await client.insert({ collection_name, data: [{ ...customers()[0], id: 99 }] as never }),
  describe: async (client) => (await client.describeCollection({ collection_name })).schema,
  has: async (client) => await client.hasCollection({ collection_name }),
  'has not': async (client) => await client.hasCollection({ collection_name: 'nobody' }),
  show: async (client) => (await client.showCollections()).data.map(({ name }) => name),
  load: async (client) => await client.loadCollectionSync({ collection_name }),
  'load state': async (client) => await client.getLoadState({ collection_name }),
  partitions: async (client) => await client.showPartitions({ collection_name }),
  indexes: async (client) => await client.describeIndex({ collection_name }),
  query: async (client) =>
    await client.query({ collection_name, filter: 'id < 5', output_fields: ['*'] }),
  'query by a filter': async (client) =>
    await client.query({
      collection_name,
      filter: 'city in ["Ulm", "Köln"] and (age > 22 or not active)',
      output_fields: ['id', 'city', 'age', 'phone'],
    }),
  'query of dynamic fields': async (client) =>
    await client.query({
      collection_name,
      filter: '$meta["phone"] like "+49%" && info["n"] >= 3',
      output_fields: ['phone', 'note', 'info'],
      limit: 3,
    }),
  'query with a template': async (client) =>
    await client.query({
      collection_name,
      filter: 'age in {ages}',
      exprValues: { ages: [21, 22] },
      output_fields: ['id'],
    }),
  'query that is wrong': async (client) =>
    await client.query({ collection_name, filter: 'age ==== 3', output_fields: ['id'] }),
  count: async (client) => await client.count({ collection_name, expr: 'age > 25' }),
  get: async (client) =>
    await client.get({ collection_name, ids: [1, 3], output_fields: ['email', 'vec'] }),
  search: async (client) =>
    await client.search({ collection_name, data: vector, limit: 3, output_fields: ['*'] }),
  'search many': async (client) =>
    await client.search({
      collection_name,
      data: [vector, [8, 0.8, 0, 1]],
      limit: 2,
      filter: 'active',
      output_fields: ['email', 'note', 'vec'],
    }),
  'search with a range': async (client) =>
    await client.search({
      collection_name,
      data: vector,
      limit: 5,
      params: { radius: 30, range_filter: 0 },
      output_fields: ['id'],
    }),
  'search by groups': async (client) =>
    await client.search({
      collection_name,
      data: vector,
      limit: 2,
      group_by_field: 'tenant',
      group_size: 2,
      output_fields: ['tenant', 'email'],
    }),
  'hybrid search': async (client) =>
    await client.hybridSearch({
      collection_name,
      data: [
        { anns_field: 'vec', data: vector, filter: 'age > 21' },
        { anns_field: 'vec', data: [8, 0.8, 0, 1] },
      ],
      rerank: { strategy: 'weighted', params: { weights: [0.6, 0.4] } },
      limit: 3,
      output_fields: ['email', 'info', 'phone'],
    }),
  'query iterator': async (client) =>
    await collect(
      await client.queryIterator({
        collection_name,
        batchSize: 4,
        limit: 10,
        filter: 'id >= 0',
        output_fields: ['id', 'email'],
      }),
    ),
  'a partition': async (client) => [
    await client.createPartition({ collection_name, partition_name: 'p' }),
    await client.hasPartition({ collection_name, partition_name: 'p' }),
    await client.insert({
      collection_name,
      partition_name: 'p',
      data: [{ ...customers()[2], id: 50 }] as never,
    }),
    await client.query({
      collection_name,
      partition_names: ['p'],
      filter: 'id > 0',
      output_fields: ['email'],
    }),
    await client.releasePartitions({ collection_name, partition_names: ['p'] }),
    await client.dropPartition({ collection_name, partition_name: 'p' }),
  ],
  upsert: async (client) =>
    await client.upsert({
      collection_name,
      data: [{ ...customers()[1], city: 'Trier' }] as never,
    }),
  'query after it': async (client) =>
    await client.query({ collection_name, filter: 'id == 1', output_fields: ['city', 'vec'] }),
  alias: async (client) => await client.createAlias({ collection_name, alias: 'clients' }),
  'query by it': async (client) =>
    await client.query({ collection_name: 'clients', filter: 'id == 2', output_fields: ['email'] }),
  'which it is': async (client) => [
    await client.describeAlias({ collection_name, alias: 'clients' }),
    await client.listAliases({ collection_name }),
  ],
  'drop it': async (client) => await client.dropAlias({ alias: 'clients' }),
  delete: async (client) => await client.delete({ collection_name, filter: 'id in [5, 6]' }),
  'count after it': async (client) => await client.count({ collection_name }),
  statistics: async (client) => await client.getCollectionStatistics({ collection_name }),
  flush: async (client) => await client.flushSync({ collection_names: [collection_name] }),
  databases: async (client) => (await client.listDatabases()).db_names,
  rename: async (client) =>
    await client.renameCollection({ collection_name, new_collection_name: 'renamed' }),
  'query of what is gone': async (client) =>
    await client.query({ collection_name, filter: 'id == 2', output_fields: ['email'] }),
  drop: async (client) => await client.dropCollection({ collection_name: 'renamed' }),
};

async function collect(pages: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

/** Numbers that are times, and what a server makes up anew. */
const VOLATILE =
  /"(?:timestamp|created_timestamp|created_utc_timestamp|flush_ts|session_ts|cost|time|request_time|collectionID|collection_id|update_timestamp)": ?"?\d+"?/g;

export async function runOrdinaryCalls(client: MilvusClient): Promise<string> {
  const lines: string[] = [];
  for (const [name, call] of Object.entries(CALLS)) {
    lines.push(`${name}: ${await outcome(client, call)}`);
  }
  return lines.join('\n');
}

async function outcome(client: MilvusClient, call: Call): Promise<string> {
  try {
    return show(await call(client));
  } catch (error) {
    return `threw ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === 'bigint') return `${one}n`;
    return Object.is(one, -0) ? '-0' : one;
  });
  return (text ?? 'undefined').replaceAll(VOLATILE, '"time":0');
}
