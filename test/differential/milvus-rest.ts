/**
 * REST of Milvus through the gateway, with the emulator behind it: rows that are masked, requests that are cut
 * down, and tricks. Each trick is first sent direct, where it gives the secret away.
 */

import { gzipSync } from 'node:zlib';
import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { described } from '../support/milvus-emulator.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import type { EmulatedLab as Lab, MilvusWay } from './milvus-lab.ts';
import { askRest } from './milvus-raw.ts';

export const SECRET = 'ann@example.com';

const ROWS = `{"code":0,"cost":0,"data":[{"id":9007199254740993,"email":"${SECRET}","vec":[0.1,-0.0,1.0],"info":"{\\"email\\":\\"${SECRET}\\",\\"n\\":1}","max(email)":"${SECRET}","note":"see ${SECRET}","age":43,"tenant":"other"}]}`;
const MASKED = `{"code":0,"cost":0,"data":[{"id":9007199254740993,"email":"***","vec":[0.1,-0.0,1.0],"info":"{\\"email\\":\\"***\\",\\"n\\":1}","max(email)":"***","note":"see ***","age":null,"tenant":"other"}]}`;

async function runRows(context: SuiteContext, lab: Lab): Promise<void> {
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

interface RestTrick {
  /** Below `/v2/vectordb/`, or whole. */
  readonly path: string;
  readonly status: 400 | 403 | 413;
  readonly method?: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PLAIN = '{"collectionName":"customers"}';
const ORACLE = `{"collectionName":"customers","filter":"email == '${SECRET}'"}`;
/** The head of a query on customers, to which something is added. */
const customers = (more: string): string => `{"collectionName":"customers",${more}}`;
const ranked = (score: string): string => customers(`"data":[[1]],"functionScore":${score}`);
const BOMB_SIZE = 64 * 1024 * 1024;

/** 403: it is read and not allowed. 400: there is more than one way to read it. */
const REST_TRICKS: Readonly<Record<string, RestTrick>> = {
  'a filter on a masked field': { status: 403, path: 'entities/query', body: ORACLE },
  'a delete by it': { status: 403, path: 'entities/delete', body: ORACLE },
  'the same in v1': { status: 403, path: '/v1/vector/query', body: ORACLE },
  'groups of it': {
    status: 403,
    path: 'entities/search',
    body: customers('"data":[[1]],"groupingField":"email"'),
  },
  'an aggregate': {
    status: 403,
    path: 'entities/query',
    body: customers('"outputFields":["max(email)"]'),
  },
  'a part with it': {
    status: 403,
    path: 'entities/hybrid_search',
    body: customers('"search":[{"data":[[1]],"filter":"age > 3"}]'),
  },
  'a ranking by it': {
    status: 403,
    path: 'entities/search',
    body: ranked('{"functions":[{"name":"b","params":{"filter":"email > \'b\'"}}]}'),
  },
  'a ranking in another case': {
    status: 400,
    path: 'entities/search',
    body: ranked('{"Functions":[{"name":"b","params":{"filter":"email > \'b\'"}}]}'),
  },
  'its parameters in another case': {
    status: 400,
    path: 'entities/search',
    body: ranked('{"functions":[{"name":"b","PARAMS":{"filter":"email > \'b\'"}}]}'),
  },
  'a ranking that sends texts elsewhere': {
    status: 403,
    path: 'entities/search',
    body: ranked('{"functions":[{"name":"b","params":{"endpoint":"http://mine.test"}}]}'),
  },
  'another case': {
    status: 400,
    path: 'entities/query',
    body: customers('"CollectionName":"vault"'),
  },
  'letters that fold': {
    status: 400,
    path: 'collections/describe',
    body: customers('"col\\u017fectionName":"v","alia\u017fName":"vault"'),
  },
  'a key twice': {
    status: 400,
    path: 'entities/query',
    body: customers('"collectionName":"vault"'),
  },
  'a key twice, once with an escape': {
    status: 400,
    path: 'entities/query',
    body: customers('"collection\\u004eame":"vault"'),
  },
  'text behind it': {
    status: 400,
    path: 'entities/query',
    body: `${PLAIN}{"collectionName":"vault"}`,
  },
  'UTF-16': { status: 400, path: 'entities/query', body: Buffer.from(PLAIN, 'utf16le') },
  'a byte order mark': { status: 400, path: 'entities/query', body: `\ufeff${PLAIN}` },
  'no UTF-8': {
    status: 400,
    path: 'entities/query',
    body: Buffer.from('{"collectionName":"vaul\xff"}', 'latin1'),
  },
  'a name that is no text': {
    status: 400,
    path: 'entities/query',
    body: '{"collectionName":["vault"]}',
  },
  'an unknown key': { status: 400, path: 'entities/query', body: customers('"highlighter":{}') },
  'an unknown parameter': {
    status: 403,
    path: 'entities/search',
    body: customers('"data":[[1]],"searchParams":{"by":"email"}'),
  },
  'groups in a list of their own': {
    status: 403,
    path: 'entities/search',
    body: customers('"data":[[1]],"searchParams":{"group_by_fields":["email"]}'),
  },
  'groups among numbers': {
    status: 403,
    path: 'entities/search',
    body: customers('"data":[[1]],"searchParams":{"params":{"group_by_field":"email"}}'),
  },
  'a blocked collection': {
    status: 403,
    path: 'entities/query',
    body: '{"collectionName":"vault"}',
  },
  'its drop': { status: 403, path: 'collections/drop', body: '{"collectionName":"vault"}' },
  'its new name': {
    status: 403,
    path: 'collections/rename',
    body: '{"collectionName":"vault","newCollectionName":"x"}',
  },
  'an alias of it': {
    status: 403,
    path: 'aliases/alter',
    body: '{"collectionName":"vault","aliasName":"x"}',
  },
  'an import of files': {
    status: 403,
    path: 'jobs/import/create',
    body: '{"collectionName":"mine","files":[["customers.parquet"]]}',
  },
  'a collection that reads files': {
    status: 403,
    path: 'collections/create',
    body: '{"collectionName":"mine","schema":{"externalSource":"s3://files"}}',
  },
  'a path with escapes': { status: 403, path: 'entities/qu%65ry', body: PLAIN },
  'a path with a slash': { status: 403, path: 'entities/query/', body: PLAIN },
  'a path with two': { status: 403, path: '//v2/vectordb/entities/query', body: PLAIN },
  'a path with dots': { status: 403, path: 'collections/../entities/query', body: PLAIN },
  'a path with a query': { status: 403, path: 'entities/query?x=1', body: PLAIN },
  'a method that is not there': {
    status: 403,
    path: 'entities/query',
    method: 'PUT',
    body: PLAIN,
  },
  'another method by a header': {
    status: 403,
    path: 'entities/query',
    method: 'PATCH',
    headers: { 'x-http-method-override': 'POST' },
    body: PLAIN,
  },
  'a query that Go reads otherwise': {
    status: 400,
    path: '/v1/vector/collections/describe?collectionName=vault&dbName=default%zz',
    method: 'GET',
  },
  'a query with a name twice': {
    status: 400,
    path: '/v1/vector/collections/describe?collectionName=customers&collectionName=vault',
    method: 'GET',
  },
  'an unknown route': { status: 403, path: 'entities/everything', body: PLAIN },
  'the management of the server': { status: 403, path: '/expr', body: PLAIN },
  users: { status: 403, path: 'users/list', body: '{}' },
  'gzip around a filter': {
    status: 403,
    path: 'entities/query',
    body: gzipSync(ORACLE),
    headers: { 'content-encoding': 'gzip' },
  },
  'gzip twice': {
    status: 400,
    path: 'entities/query',
    body: gzipSync(gzipSync(PLAIN)),
    headers: { 'content-encoding': 'gzip, gzip' },
  },
  'a coding that is none': {
    status: 400,
    path: 'entities/query',
    body: gzipSync(PLAIN),
    headers: { 'content-encoding': 'zstd' },
  },
  'gzip that is a bomb': {
    status: 400,
    path: 'entities/query',
    body: gzipSync(Buffer.alloc(BOMB_SIZE, ' ')),
    headers: { 'content-encoding': 'gzip' },
  },
  'a member of the cluster': {
    status: 403,
    path: 'entities/query',
    headers: { sourceid: Buffer.from('@@milvus-member@@').toString('base64') },
    body: PLAIN,
  },
  'another database in a header': {
    status: 400,
    path: 'entities/query',
    headers: { 'db-name': 'a,b' },
    body: PLAIN,
  },
  'gRPC by its content type': {
    status: 403,
    path: 'entities/query',
    headers: { 'content-type': 'application/grpc+proto' },
    body: PLAIN,
  },
};

/** Without the gateway it gets to the server, and the secret comes back; through it, it gets nowhere. */
async function runRestTricks(context: SuiteContext, lab: Lab): Promise<void> {
  const { emulator, through, direct } = lab;
  emulator.rpc.set('DescribeCollection', described('customers'));
  const count = (): number => emulator.requests.filter(({ name }) => name.startsWith('/')).length;
  for (const [name, { path, status, ...asked }] of Object.entries(REST_TRICKS)) {
    const target = path.startsWith('/') ? path : `/v2/vectordb/${path}`;
    emulator.rest.set(target.split('?')[0] ?? '', ROWS);
    await context.check(`REST trick: ${name}`, async () => {
      const open = await askRest(direct, { path: target, ...asked });
      if (!open.text.includes(SECRET)) throw new Error(`it proves nothing: ${open.text}`);
      const before = count();
      const answer = await askRest(through('alice'), { path: target, ...asked });
      if (count() > before) throw new Error(`it got to the server: ${answer.text}`);
      assertSameText(String(answer.status), String(status), answer.text);
    });
  }
  await context.check('REST trick: two keys, of which one is another user', async () => {
    const keys = [`Bearer ${through('alice').key}`, `Bearer ${through('free').key}`];
    for (const authorization of [keys, keys.toReversed()]) {
      const asked = {
        path: '/v2/vectordb/entities/query',
        body: PLAIN,
        headers: { authorization },
      };
      const answer = await askRest({ ...direct, port: through('alice').port }, asked);
      assertSameText(String(answer.status), '400', answer.text);
    }
  });
  await context.check('REST: the gateway still answers', async () => {
    const asked = { path: '/v2/vectordb/entities/query', body: PLAIN };
    assertSameText((await askRest(through('alice'), asked)).text, MASKED, 'alice');
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

export async function runRest(context: SuiteContext, lab: Lab): Promise<void> {
  await runRows(context, lab);
  await runRestTricks(context, lab);
  await runRestFilters(context, lab);
}
