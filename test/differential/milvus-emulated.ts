/**
 * What Milvus Lite lacks, with the emulator behind the gateway: REST beside gRPC on one port, groups, buckets,
 * highlights, aliases and numbers as the server would tell them, and requests as they arrive there.
 */

import { gzipSync } from 'node:zlib';
import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { type Message, decodeMessage, encodeMessage } from '../support/milvus-codec.ts';
import type { MilvusEmulator } from '../support/milvus-emulator.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { type MilvusLab, type MilvusWay, connectMilvus, openEmulatedLab } from './milvus-lab.ts';
import { askRest, askRpc } from './milvus-raw.ts';

type Lab = MilvusLab & { readonly emulator: MilvusEmulator };

const SECRET = 'ann@example.com';
const text = (name: string, ...data: string[]): Message => ({
  type: 21,
  field_name: name,
  scalars: { string_data: { data } },
});
const described = (name: string): Message => ({
  status: { reason: '' },
  schema: { name, fields: [{ name: 'id', data_type: 5, is_primary_key: true }] },
  collection_name: name,
  db_name: 'default',
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

const ROWS = `{"code":0,"cost":0,"data":[{"id":9007199254740993,"email":"${SECRET}","vec":[0.1,-0.0,1.0],"info":"{\\"email\\":\\"${SECRET}\\",\\"n\\":1}","max(email)":"${SECRET}","note":"see ${SECRET}","age":43,"tenant":"other"}]}`;
const MASKED = `{"code":0,"cost":0,"data":[{"id":9007199254740993,"email":"***","vec":[0.1,-0.0,1.0],"info":"{\\"email\\":\\"***\\",\\"n\\":1}","max(email)":"***","note":"see ***","age":null,"tenant":"other"}]}`;

async function runRest(context: SuiteContext, lab: Lab): Promise<void> {
  const { emulator, through, direct } = lab;
  const alice = through('alice');
  emulator.rpc.set('DescribeCollection', described('customers'));
  for (const path of ['query', 'search', 'get', 'hybrid_search', 'advanced_search']) {
    emulator.rest.set(`/v2/vectordb/entities/${path}`, ROWS);
    await context.check(`REST ${path}: only what has a mask is another one`, async () => {
      const body = '{"collectionName":"customers"}';
      const asked = { path: `/v2/vectordb/entities/${path}`, body };
      assertSameText((await askRest(through('free'), asked)).text, ROWS, 'free');
      assertSameText((await askRest(alice, asked)).text, MASKED, 'alice');
    });
  }
  await context.check('HttpClient: the same as direct', async () => {
    const run = async (way: MilvusWay): Promise<string> => {
      const client = new HttpClient({
        endpoint: `http://127.0.0.1:${way.port}`,
        ...(way.key === undefined ? {} : { token: way.key }),
      });
      const found = [
        await client.listCollections({}),
        await client.describeCollection({ collectionName: 'customers' }),
        await client.query({ collectionName: 'customers', filter: 'id > 0', outputFields: ['*'] }),
        await client.search({
          collectionName: 'customers',
          data: [[1]],
          limit: 1,
          outputFields: [],
        }),
        await client.insert({ collectionName: 'customers', data: [{ id: 1 }] as never }),
      ];
      return JSON.stringify(found);
    };
    assertSameText(await run(through('free')), await run(direct), 'HttpClient');
  });
  await context.check('HttpClient: a refusal is one', async () => {
    const client = new HttpClient({
      endpoint: `http://127.0.0.1:${alice.port}`,
      token: alice.key ?? '',
    });
    const outcome = await client
      .dropCollection({ collectionName: 'customers' })
      .then(JSON.stringify, String);
    if (!outcome.includes('403') && !outcome.includes('not allowed')) throw new Error(outcome);
  });
}

const REST_TRICKS: Readonly<Record<string, { path: string; body?: string; method?: string }>> = {
  'a filter on a masked field': {
    path: 'entities/query',
    body: `{"collectionName":"customers","filter":"email == '${SECRET}'"}`,
  },
  'a delete by it': {
    path: 'entities/delete',
    body: `{"collectionName":"customers","filter":"email == '${SECRET}'"}`,
  },
  'groups of it': {
    path: 'entities/search',
    body: '{"collectionName":"customers","data":[[1]],"groupingField":"email"}',
  },
  'a part with it': {
    path: 'entities/hybrid_search',
    body: '{"collectionName":"customers","search":[{"data":[[1]],"filter":"age > 3"}]}',
  },
  'another case': {
    path: 'entities/query',
    body: '{"collectionName":"customers","CollectionName":"vault"}',
  },
  'letters that fold': {
    path: 'collections/describe',
    body: '{"collectionName":"customers","col\\u017fectionName":"v","aliaſName":"vault"}',
  },
  'a key twice': {
    path: 'entities/query',
    body: '{"collectionName":"customers","collectionName":"vault"}',
  },
  'text behind it': {
    path: 'entities/query',
    body: '{"collectionName":"customers"}{"collectionName":"vault"}',
  },
  'UTF-16': { path: 'entities/query', body: '\ufeff{"collectionName":"customers"}' },
  'an unknown key': {
    path: 'entities/query',
    body: '{"collectionName":"customers","highlighter":{}}',
  },
  'an unknown parameter': {
    path: 'entities/search',
    body: '{"collectionName":"customers","data":[[1]],"searchParams":{"by":"email"}}',
  },
  'groups in a list of their own': {
    path: 'entities/search',
    body: '{"collectionName":"customers","data":[[1]],"searchParams":{"group_by_fields":["email"]}}',
  },
  'groups among numbers': {
    path: 'entities/search',
    body: '{"collectionName":"customers","data":[[1]],"searchParams":{"params":{"group_by_field":"email"}}}',
  },
  'a blocked collection': { path: 'entities/query', body: '{"collectionName":"vault"}' },
  'its drop': { path: 'collections/drop', body: '{"collectionName":"vault"}' },
  'its new name': {
    path: 'collections/rename',
    body: '{"collectionName":"vault","newCollectionName":"x"}',
  },
  'an alias of it': { path: 'aliases/alter', body: '{"collectionName":"vault","aliasName":"x"}' },
  'a path with escapes': { path: 'entities/qu%65ry', body: '{"collectionName":"customers"}' },
  'a path with a slash': { path: 'entities/query/', body: '{"collectionName":"customers"}' },
  'a path with a query': { path: 'entities/query?x=1', body: '{"collectionName":"customers"}' },
  'a method that is not there': {
    path: 'entities/query',
    method: 'PUT',
    body: '{"collectionName":"customers"}',
  },
  'an unknown route': { path: 'entities/everything', body: '{"collectionName":"customers"}' },
  users: { path: 'users/list', body: '{}' },
};

async function runRestTricks(context: SuiteContext, { emulator, through }: Lab): Promise<void> {
  for (const [name, { path, ...asked }] of Object.entries(REST_TRICKS)) {
    emulator.rest.set(`/v2/vectordb/${path}`, ROWS);
    await context.check(`REST trick: ${name}`, async () => {
      emulator.rpc.set('DescribeCollection', described('customers'));
      const before = emulator.requests.filter(({ name: one }) => one.startsWith('/')).length;
      const answer = await askRest(through('alice'), { path: `/v2/vectordb/${path}`, ...asked });
      const after = emulator.requests.filter(({ name: one }) => one.startsWith('/')).length;
      if (answer.status < 400 || after > before) throw new Error(`${answer.status} ${answer.text}`);
    });
  }
  await context.check('REST trick: gzip around a filter', async () => {
    const body = gzipSync(`{"collectionName":"customers","filter":"email == '${SECRET}'"}`);
    const headers = { 'content-encoding': 'gzip' };
    const asked = { path: '/v2/vectordb/entities/query', body, headers };
    const answer = await askRest(through('alice'), asked);
    if (answer.status !== 403) throw new Error(`${answer.status} ${answer.text}`);
  });
  await context.check('REST trick: another database in a header', async () => {
    const headers = { 'db-name': 'a,b' };
    const body = '{"collectionName":"customers"}';
    const asked = { path: '/v2/vectordb/entities/query', body, headers };
    const answer = await askRest(through('alice'), asked);
    if (answer.status !== 400) throw new Error(`${answer.status} ${answer.text}`);
  });
}

async function runRestFilters(context: SuiteContext, { emulator, through }: Lab): Promise<void> {
  emulator.rpc.set('DescribeCollection', described('tenants'));
  const ask = async (
    path: string,
    body: object,
  ): Promise<{ status: number; text: string; got: string }> => {
    const target = `/v2/vectordb/entities/${path}`;
    const count = emulator.requests.length;
    const answer = await askRest(through('bob'), { path: target, body: JSON.stringify(body) });
    const got = emulator.requests.slice(count).find(({ name }) => name === target);
    return { ...answer, got: got?.body.toString('utf8') ?? '' };
  };
  const base = { collectionName: 'tenants' };
  const filter = 'tenant == \\"other\\"';
  await context.check('REST: the filter and the limit are written into the request', async () => {
    const query = await ask('query', { ...base, filter: 'id > 0', limit: 50 });
    assertSameText(
      query.got,
      `{"collectionName":"tenants","filter":"(id > 0) and ${filter}","limit":4}`,
      'query',
    );
    const search = await ask('search', { ...base, data: [[1]] });
    assertSameText(
      search.got,
      `{"filter":"${filter}","limit":4,"collectionName":"tenants","data":[[1]]}`,
      'search',
    );
    const remove = await ask('delete', { ...base, filter: 'id > 0' });
    assertSameText(
      remove.got,
      `{"collectionName":"tenants","filter":"(id > 0) and ${filter}"}`,
      'delete',
    );
  });
  await context.check('REST: what came back by ids is looked at', async () => {
    emulator.rest.set(
      '/v2/vectordb/entities/get',
      '{"code":0,"data":[{"id":1,"tenant":"acme"},{"id":2,"tenant":"other"}]}',
    );
    const get = await ask('get', { ...base, id: [1, 2], outputFields: ['id'] });
    assertSameText(get.text, '{"code":0,"data":[{"id":2,"tenant":"other"}]}', 'get');
    assertSameText(
      get.got,
      '{"collectionName":"tenants","id":[1,2],"outputFields":["id","tenant"]}',
      'asked',
    );
  });
  await context.check(
    'REST: inserts are checked, upserts and deletes by ids are refused',
    async () => {
      const right = await ask('insert', { ...base, data: [{ id: 1, tenant: 'other' }] });
      assertSameText(String(right.status), '200', right.text);
      for (const [path, body] of [
        ['insert', { ...base, data: [{ id: 1, tenant: 'acme' }] }],
        ['insert', { ...base, data: [{ id: 1 }] }],
        ['upsert', { ...base, data: [{ id: 1, tenant: 'other' }] }],
        ['delete', { ...base, id: [1] }],
      ] as const) {
        const answer = await ask(path, body);
        if (answer.status !== 403 || answer.got !== '') throw new Error(`${path} ${answer.text}`);
      }
    },
  );
}

export async function runEmulated(context: SuiteContext, policy: string): Promise<void> {
  const lab = await openEmulatedLab(context, policy);
  await context.check('the Node SDK connects', async () => {
    await connectMilvus(context, lab.through('alice'));
  });
  await runRpc(context, lab);
  await runHybrid(context, lab);
  await runRest(context, lab);
  await runRestTricks(context, lab);
  await runRestFilters(context, lab);
}
