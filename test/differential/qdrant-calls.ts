/** The ordinary calls of applications, with the official clients for REST and gRPC: what each of them shows. */

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { QdrantClient as QdrantGrpcClient, QuerySchema } from '@qdrant/js-client-grpc';
import type { QdrantClient as QdrantRestClient } from '@qdrant/js-client-rest';

export interface Shown {
  readonly name: string;
  readonly text: string;
}

type Call = readonly [name: string, call: () => Promise<unknown>];

/** In JSON, keys in order; an error by what the client says. */
export async function showAll(calls: readonly Call[]): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for (const [name, call] of calls) shown.push({ name, text: await show(call) });
  return shown;
}

async function show(call: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await call(), plain) ?? 'nothing';
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function plain(key: string, value: unknown): unknown {
  if (key === '$typeName' || key === '$unknown') return undefined;
  return typeof value === 'bigint' ? String(value) : value;
}

const C = 'customers';
const filter = { must: [{ key: 'city', match: { value: 'Paris' } }] };

export function restReads(client: QdrantRestClient): readonly Call[] {
  const vector = [1, 0];
  return [
    ['versionInfo', async () => await client.versionInfo()],
    ['getCollections', async () => await client.getCollections()],
    ['getAliases', async () => await client.getAliases()],
    ['collectionExists', async () => await client.collectionExists(C)],
    ['getCollection', async () => await client.getCollection(C)],
    ['retrieve', async () => await client.retrieve(C, { ids: [1, 2, 99] })],
    ['retrieve few', async () => await client.retrieve(C, { ids: [1], with_payload: ['city'] })],
    ['scroll', async () => await client.scroll(C, { limit: 4 })],
    ['scroll on', async () => await client.scroll(C, { limit: 4, offset: 5 })],
    ['scroll order', async () => await client.scroll(C, { order_by: 'age', limit: 3 })],
    ['count', async () => await client.count(C, { filter })],
    ['query', async () => await client.query(C, { query: vector, with_payload: true, limit: 3 })],
    ['query by id', async () => await client.query(C, { query: 2, with_vector: true })],
    ['query alias', async () => await client.query('clients', { query: vector, filter })],
    [
      'query prefetch',
      async () =>
        await client.query(C, { prefetch: [{ query: vector, filter }], query: { fusion: 'rrf' } }),
    ],
    [
      'queryBatch',
      async () =>
        await client.queryBatch(C, {
          searches: [
            { query: vector, limit: 1 },
            { query: [0, 1], filter },
          ],
        }),
    ],
    [
      'queryGroups',
      async () =>
        await client.queryGroups(C, {
          query: vector,
          group_by: 'city',
          group_size: 2,
          limit: 2,
          with_payload: true,
        }),
    ],
    [
      'queryGroups lookup',
      async () =>
        await client.queryGroups(C, {
          query: vector,
          group_by: 'city',
          limit: 2,
          with_lookup: 'secrets',
        }),
    ],
    ['search', async () => await client.search(C, { vector, limit: 2, filter })],
    ['searchBatch', async () => await client.searchBatch(C, { searches: [{ vector, limit: 2 }] })],
    ['recommend', async () => await client.recommend(C, { positive: [1], limit: 2 })],
    ['facet', async () => await client.facet(C, { key: 'email' })],
    ['missing', async () => await client.scroll('nowhere', {})],
  ];
}

export function restWrites(client: QdrantRestClient): readonly Call[] {
  const payload = { tenant: 'a', email: 'new@example.com' };
  return [
    [
      'createCollection',
      async () => await client.createCollection('fresh', { vectors: { size: 2, distance: 'Dot' } }),
    ],
    [
      'createPayloadIndex',
      async () =>
        await client.createPayloadIndex(C, { field_name: 'city', field_schema: 'keyword' }),
    ],
    [
      'upsert',
      async () => await client.upsert(C, { points: [{ id: 10, vector: [1, 1], payload }] }),
    ],
    [
      'upsert batch',
      async () =>
        await client.upsert(C, { batch: { ids: [11], vectors: [[1, 2]], payloads: [payload] } }),
    ],
    ['setPayload', async () => await client.setPayload(C, { payload: { x: 1 }, points: [10] })],
    ['overwritePayload', async () => await client.overwritePayload(C, { payload, points: [10] })],
    ['deletePayload', async () => await client.deletePayload(C, { keys: ['email'], points: [10] })],
    [
      'batchUpdate',
      async () =>
        await client.batchUpdate(C, {
          operations: [
            { delete: { points: [11] } },
            { set_payload: { payload: { y: 2 }, points: [10] } },
          ],
        }),
    ],
    [
      'delete',
      async () => await client.delete(C, { filter: { must: [{ key: 'x', match: { value: 1 } }] } }),
    ],
    [
      'updateCollectionAliases',
      async () =>
        await client.updateCollectionAliases({
          actions: [{ create_alias: { collection_name: 'fresh', alias_name: 'f' } }],
        }),
    ],
    ['after', async () => await client.scroll(C, { limit: 20, with_vector: true })],
    ['deleteCollection', async () => await client.deleteCollection('fresh')],
  ];
}

export function grpcCalls(client: QdrantGrpcClient): readonly Call[] {
  const points = client.api('points');
  const collections = client.api('collections');
  const collectionName = C;
  const query: MessageInitShape<typeof QuerySchema> = {
    variant: { case: 'nearest', value: { variant: { case: 'dense', value: { data: [1, 0] } } } },
  };
  const withPayload = { selectorOptions: { case: 'enable', value: true } } as const;
  const one = { pointIdOptions: { case: 'num', value: 1n } } as const;
  return [
    ['HealthCheck', async () => await client.api('service').healthCheck({})],
    ['List', async () => await collections.list({})],
    ['ListAliases', async () => await collections.listAliases({})],
    ['CollectionExists', async () => await collections.collectionExists({ collectionName })],
    ['Get', async () => await points.get({ collectionName, ids: [one], withPayload })],
    ['Scroll', async () => await points.scroll({ collectionName, limit: 3, withPayload })],
    ['Count', async () => await points.count({ collectionName })],
    ['Query', async () => await points.query({ collectionName, query, withPayload, limit: 3n })],
    [
      'QueryGroups',
      async () =>
        await points.queryGroups({ collectionName, query, groupBy: 'email', withPayload }),
    ],
    ['Facet', async () => await points.facet({ collectionName, key: 'email' })],
    [
      'Upsert',
      async () =>
        await points.upsert({
          collectionName,
          // Over a kilobyte, so that the client compresses it.
          points: Array.from({ length: 50 }, (_, index) => ({
            id: { pointIdOptions: { case: 'num' as const, value: BigInt(100 + index) } },
            vectors: {
              vectorsOptions: {
                case: 'vector' as const,
                value: { vector: { case: 'dense' as const, value: { data: [1, index] } } },
              },
            },
            payload: {
              tenant: { kind: { case: 'stringValue' as const, value: 'a' } },
              email: { kind: { case: 'stringValue' as const, value: `new${index}@example.com` } },
            },
          })),
        }),
    ],
    ['Count after', async () => await points.count({ collectionName })],
    ['missing', async () => await points.scroll({ collectionName: 'nowhere' })],
  ];
}
