/**
 * What Milvus Lite lacks, with the emulator behind the gateway: groups, buckets, highlights, numbers as the
 * server would tell them, and requests as they arrive there. REST, on the same port, is in `milvus-rest.ts`.
 */

import { type Message, decodeMessage, encodeMessage, methods } from '../support/milvus-codec.ts';
import { described } from '../support/milvus-emulator.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { connectMilvus, type EmulatedLab as Lab, openEmulatedLab } from './milvus-lab.ts';
import { askRpc } from './milvus-raw.ts';
import { runRest, SECRET } from './milvus-rest.ts';

const text = (name: string, ...data: string[]): Message => ({
  type: 21,
  field_name: name,
  scalars: { string_data: { data } },
});
const HITS: Message = {
  status: { reason: `${SECRET} was seen` },
  results: {
    num_queries: 1,
    top_k: 1,
    fields_data: [text('email', SECRET), text('city', 'Ulm')],
    scores: [0.25],
    ids: { int_id: { data: [9_007_199_254_740_993n] } },
    topks: [1],
    group_by_field_value: text('email', SECRET),
    group_by_field_values: [text('', SECRET)],
    highlight_results: [{ field_name: 'city', datas: [{ fragments: [`<b>ann</b>@example.com`] }] }],
    agg_buckets: [
      {
        key: [{ field_name: 'email', string_val: SECRET }],
        count: 1,
        metrics: { best: { string_val: SECRET }, n: { int_val: 7 } },
        hits: [
          {
            score: 0.5,
            fields: [
              { field_name: 'email', string_val: SECRET },
              { field_name: 'age', int_val: 43 },
              { field_name: '$meta', bytes_val: `{"email":"${SECRET}","ok":1}` },
            ],
          },
        ],
        sub_groups: [{ key: [{ field_name: 'age', int_val: 43 }], count: 1 }],
      },
    ],
  },
};

async function runRpc(context: SuiteContext, { emulator, through }: Lab): Promise<void> {
  const alice = through('alice');
  emulator.rpc.set('DescribeCollection', described('customers'));
  // Field 99 of the results: a text that no descriptor has.
  const unknown = encodeMessage('SearchResults', HITS);
  emulator.rpc.set('Search', Buffer.concat([unknown, Buffer.from('\x9a\x06\x03ann', 'latin1')]));
  await context.check('groups, buckets and highlights are masked', async () => {
    const body = encodeMessage('SearchRequest', { collection_name: 'customers', dsl_type: 1 });
    const answer = await askRpc(alice, { rpc: 'Search', body });
    const shown = answer.body.toString('latin1');
    if (answer.status !== '0') throw new Error(answer.message);
    if (shown.includes('ann')) throw new Error(shown);
    const { results } = decodeMessage('SearchResults', answer.body);
    const kept = results as { ids: unknown; scores: unknown; agg_buckets: unknown }; // By its descriptor.
    assertSameText(JSON.stringify(kept.ids), '{"int_id":{"data":["9007199254740993"]}}', 'ids');
    assertSameText(JSON.stringify(kept.scores), '[0.25]', 'scores');
    if (JSON.stringify(kept.agg_buckets).includes('"43"')) throw new Error('a number came back');
  });
  await context.check('what the answer calls otherwise cannot be asked for', async () => {
    const chains = [{ name: 'c', ops: [{ op: 'map', inputs: ['email'], outputs: ['x'] }] }];
    const message = { collection_name: 'customers', function_chains: chains };
    const body = encodeMessage('SearchRequest', message);
    const answer = await askRpc(alice, { rpc: 'Search', body });
    if (answer.status !== '7') throw new Error(`${answer.status} ${answer.message}`);
  });
  await context.check('a number is the collection that the server says it is', async () => {
    emulator.rpc.set('DescribeCollection', described('vault'));
    const body = encodeMessage('DescribeCollectionRequest', { collectionID: 4711 });
    const answer = await askRpc(alice, { rpc: 'DescribeCollection', body });
    if (answer.status !== '7') throw new Error(`${answer.status} ${answer.message}`);
    emulator.rpc.set('DescribeCollection', described('customers'));
  });
  await context.check('an iterator on the number of another collection is refused', async () => {
    emulator.rpc.set('DescribeCollection', described('vault'));
    const query_params = [{ key: 'collection_id', value: '4712' }];
    const body = encodeMessage('QueryRequest', { collection_name: 'other_one', query_params });
    const answer = await askRpc(alice, { rpc: 'Query', body });
    if (answer.status !== '7') throw new Error(`${answer.status} ${answer.message}`);
    emulator.rpc.set('DescribeCollection', described('customers'));
  });
  await context.check('heartbeats are not there, health is, with no key', async () => {
    const body = Buffer.alloc(0);
    const beat = '/milvus.proto.milvus.ClientTelemetryService/ClientHeartbeat';
    const one = await askRpc(alice, { rpc: '', path: beat, body });
    assertSameText(one.status, '12', 'ClientHeartbeat');
    const health = { rpc: '', path: '/grpc.health.v1.Health/Check', body };
    const two = await askRpc({ ...alice, key: undefined }, health);
    assertSameText(two.status, '12', 'the emulator has none, and was asked');
  });
}

async function runHybrid(context: SuiteContext, { emulator, through }: Lab): Promise<void> {
  emulator.rpc.set('DescribeCollection', described('tenants'));
  const sub = (dsl: string): Message => ({ collection_name: 'tenants', dsl, dsl_type: 1, nq: 1 });
  await context.check('each part of a hybrid search gets the filter', async () => {
    const message = {
      collection_name: 'tenants',
      requests: [sub(''), sub('id > 3 or id < 2')],
      rank_params: [{ key: 'limit', value: '50' }],
    };
    const body = encodeMessage('HybridSearchRequest', message);
    await askRpc(through('bob'), { rpc: 'HybridSearch', body });
    const got = emulator.requests.findLast(({ name }) => name === 'HybridSearch');
    if (got === undefined) throw new Error('it did not get there');
    const { requests, rank_params } = decodeMessage('HybridSearchRequest', got.body);
    const texts = (requests as { dsl: string }[]).map(({ dsl }) => dsl); // By its descriptor.
    assertSameText(
      texts.join('\n'),
      'tenant == "other"\n(id > 3 or id < 2) and tenant == "other"',
      'expressions',
    );
    assertSameText(JSON.stringify(rank_params), '[{"key":"limit","value":"4"}]', 'limit');
  });
  for (const [name, more] of Object.entries({
    'by ids': { ids: { int_id: { data: [1] } } },
    'with parts of its own': { sub_reqs: [{ dsl: 'id > 0' }] },
    'in the old form': { dsl: '{"bool":{}}', dsl_type: 0 },
  })) {
    await context.check(`a search ${name} cannot carry a filter`, async () => {
      const body = encodeMessage('SearchRequest', { collection_name: 'tenants', ...more });
      const answer = await askRpc(through('bob'), { rpc: 'Search', body });
      if (answer.status !== '7') throw new Error(`${answer.status} ${answer.message}`);
    });
  }
}

/** Each reaches the server direct; what lies in `sealed` would be found under another name, or outside. */
const CARRYING: Readonly<Record<string, readonly [collection: string, message: Message]>> = {
  RenameCollection: ['sealed', { oldName: 'sealed', newName: 'x' }],
  RestoreSnapshot: ['mine', { name: 'of_sealed', collection_name: 'mine' }],
  RestoreExternalSnapshot: [
    'mine',
    { target_collection_name: 'mine', snapshot_metadata_uri: 's3://snapshots/of_sealed' },
  ],
  ExportSnapshot: ['sealed', { name: 's', collection_name: 'sealed', target_s3_path: 's3://x' }],
  Import: ['mine', { collection_name: 'mine', files: ['insert_log/of_sealed'] }],
  RefreshExternalCollection: ['mine', { collection_name: 'mine', external_source: 's3://files' }],
  BatchUpdateManifest: ['mine', { collection_name: 'mine' }],
  CreateCollection: [
    'mine',
    {
      collection_name: 'mine',
      schema: encodeMessage('schema.CollectionSchema', { external_source: 's3://files' }),
    },
  ],
  AddCollectionFunction: [
    'sealed',
    { collection_name: 'sealed', functionSchema: { name: 'f', input_field_names: ['city'] } },
  ],
  Search: [
    'sealed',
    {
      collection_name: 'sealed',
      function_score: {
        functions: [
          {
            input_field_names: ['city'],
            params: [
              { key: 'reranker', value: 'model' },
              { key: 'endpoint', value: 'http://mine.test' },
            ],
          },
        ],
      },
    },
  ],
  UpdateReplicateConfiguration: ['sealed', {}],
};

async function runCarrying(context: SuiteContext, lab: Lab): Promise<void> {
  const { emulator, through, direct } = lab;
  const dora = through('dora');
  const count = (rpc: string): number =>
    emulator.requests.filter(({ name }) => name === rpc).length;
  for (const [rpc, [name, message]] of Object.entries(CARRYING)) {
    await context.check(`out of a mask: ${rpc}`, async () => {
      emulator.rpc.set('DescribeCollection', described(name));
      const type = methods[rpc]?.requestType.split('.').at(-1) ?? '';
      const asked = { rpc, body: encodeMessage(type, message) };
      assertSameText((await askRpc(direct, asked)).status, '0', 'direct');
      const before = count(rpc);
      const answer = await askRpc(dora, asked);
      assertSameText(`${answer.status} ${count(rpc) - before}`, '7 0', answer.message);
      if (!answer.message.includes('"sealed" would not hold')) throw new Error(answer.message);
      assertSameText((await askRpc(through('free'), asked)).status, '0', 'free');
    });
  }
  await context.check('what carries nothing is allowed beside it', async () => {
    emulator.rpc.set('DescribeCollection', described('sealed'));
    const alias = encodeMessage('CreateAliasRequest', { collection_name: 'sealed', alias: 'a' });
    assertSameText((await askRpc(dora, { rpc: 'CreateAlias', body: alias })).status, '0', 'alias');
    const search = encodeMessage('SearchRequest', { collection_name: 'sealed', dsl_type: 1 });
    assertSameText((await askRpc(dora, { rpc: 'Search', body: search })).status, '0', 'search');
  });
}

async function runEmulated(context: SuiteContext): Promise<void> {
  const lab = await openEmulatedLab(context);
  await context.check('the Node SDK connects', async () => {
    await connectMilvus(context, lab.through('alice'));
  });
  await runRpc(context, lab);
  await runHybrid(context, lab);
  await runRest(context, lab);
  await runCarrying(context, lab);
}

export const milvusEmulated: Suite = {
  name: 'milvus-emulated',
  about:
    'what Milvus Lite lacks, with an emulator: REST, groups, buckets, highlights, numbers; leaks',
  run: runEmulated,
};
