/**
 * More ways to get at what one may not see in Chroma, from a hostile review: metadata of collections as a
 * carrier, paths that climb, members and filters in other dress, headers.
 */

import { gzipSync } from 'node:zlib';
import type { RawRequest } from './chroma-lab.ts';
import { type Attempt, FOLDER, type Ids, on, post } from './chroma-leak-lab.ts';

const ALL = ['documents', 'metadatas', 'uris', 'embeddings'];

function each(name: string, requests: Attempt['requests'], some: Partial<Attempt> = {}): Attempt {
  return { name, requests, ...some };
}

const put = (path: string, body: unknown): RawRequest => ({
  method: 'PUT',
  path,
  body: JSON.stringify(body),
});
const ask = (path: string): RawRequest => ({ method: 'GET', path });
const note = { new_metadata: { email: 'zebra7@example.org', about: 'ask zebra8@example.org' } };

const CARRIERS: readonly Attempt[] = [
  each(
    'metadata of collections in a list',
    ({ notes }) => [put(`${FOLDER}/${notes}`, note), ask(FOLDER), ask(`${FOLDER}?limit=100`)],
    { isProven: true },
  ),
  each(
    'metadata of one collection',
    ({ notes }) => [
      put(`${FOLDER}/${notes}`, note),
      ask(`${FOLDER}/notes`),
      ask(`${FOLDER}/by-id/${notes}`),
      post(FOLDER, { name: 'notes', get_or_create: true }),
    ],
    { isProven: true },
  ),
  each('climbing paths', () => [
    { method: 'DELETE', path: `${FOLDER}/..` },
    { method: 'DELETE', path: `${FOLDER}/%2e%2e` },
    { method: 'DELETE', path: '/api/v2/tenants/default_tenant/databases/..' },
    ask(`${FOLDER}/../collections/vault`),
    ask('/api/v2/tenants/..'),
    ask('/api/v2/collections/..'),
  ]),
];

/** As the collection that is closed and as the one that is cut down; each alone would do. */
function both(
  name: string,
  body: unknown,
  headers?: RawRequest['headers'],
  proven = true,
): Attempt {
  const requests = ({ customers, vault }: Ids): RawRequest[] =>
    [customers, vault].map((id) => post(on(id, 'get'), body, headers));
  return each(name, requests, proven ? { isProven: true } : {});
}

const BODIES: readonly Attempt[] = [
  both('a filter that fits all', { where: { $and: [] }, include: ALL }),
  both('all of nothing, in pairs', { where: { $and: [{ $and: [] }, { $and: [] }] } }),
  both('one of anything', { where: { $or: [{ tenant: { $ne: 'x' } }, { tenant: 'other' }] } }),
  both('not in nothing', { where: { tenant: { $nin: ['nobody'] } }, include: ALL }),
  both('a tenant in a list', { where: { tenant: { $in: ['acme', 'other'] } } }),
  both('of any text', { where_document: { $or: [{ $regex: '.' }, { $contains: 'a' }] } }),
  both('a limit of null', { limit: null, offset: null, ids: null, include: ALL }),
  both('a large limit', { limit: 2147483647, include: ALL }),
  both('a limit in exponents', '{"limit":1e2,"include":["documents"]}', {}, false),
  both('a limit without end', '{"limit":1e999}', {}, false),
  both('a limit below nothing', '{"limit":-1}', {}, false),
  both('an escaped include', '{"inclu\\u0064e":["documents"]}'),
  both('two includes', '{"include":[],"inclu\\u0064e":["documents"]}', {}, false),
  both('NUL in a key', '{"where\\u0000":{},"include":["documents"]}', {}),
  both('a list for the body', [null, null, null, ['documents']], {}, false),
  both('a list for a filter', { where: [{ tenant: 'other' }] }, {}, false),
  both('a filter in a text', { where: '{"tenant":"other"}' }, {}, false),
  both('an unknown member', { where_metadata: { tenant: 'other' }, include: ['documents'] }, {}),
  both(
    'gzip of two members',
    Buffer.concat([gzipSync('{}'), gzipSync(' ')]),
    {
      'content-encoding': 'gzip',
    },
    false,
  ),
];

const HEADERS: readonly Attempt[] = [
  ...['x-original-url', 'x-rewrite-url', 'x-http-method-override', 'x-chroma-tenant'].map((name) =>
    both(`header ${name}`, { include: ['documents'] }, { [name]: 'default_tenant' }),
  ),
  both('another host', { include: ['documents'] }, { host: 'vault.example.org' }),
  both('a cookie with a key', { include: ['documents'] }, { cookie: 'x-chroma-token=key-of-free' }),
  both(
    'basic beside the token',
    { include: ['documents'] },
    {
      authorization: `Basic ${Buffer.from('free:key-of-free').toString('base64')}`,
    },
  ),
  both(
    'a proxy key beside the token',
    { include: ['documents'] },
    {
      'proxy-authorization': 'Bearer key-of-free',
    },
  ),
  both('connection names the token', { include: ['documents'] }, { connection: 'x-chroma-token' }),
  both('not modified', { include: ['documents'] }, { 'if-none-match': '*' }),
];

const vector = [1, 1, -0.3];
const QUERY_BODIES: readonly [string, object][] = [
  ['n_results', { query_embeddings: [vector], n_results: 2147483647, include: ALL }],
  ['n_results of null', { query_embeddings: [vector], n_results: null, include: ALL }],
  ['many queries', { query_embeddings: [vector, vector, vector], include: ALL }],
  [
    'ids and a filter',
    { query_embeddings: [vector], ids: ['zebra-id1'], where: { n: 1 }, include: ALL },
  ],
  ['ids of null', { query_embeddings: [vector], ids: null, where: null, include: ALL }],
];
const QUERIES = QUERY_BODIES.map(([name, body]) =>
  each(
    `query: ${name}`,
    ({ customers }) => [post(`${on(customers, 'query')}?limit=100&offset=0`, body)],
    { isProven: true },
  ),
);

const WRITES: readonly Attempt[] = [
  each('delete by everything', ({ customers }) => [
    post(on(customers, 'delete'), { where: { $and: [] } }),
    post(on(customers, 'delete'), { where: { $or: [{ n: { $gt: 0 } }, { $and: [] }] } }),
    post(on(customers, 'delete'), { ids: ['zebra-id1'], where: { tenant: 'other' } }),
    post(on(customers, 'delete'), { ids: [], where_document: { $regex: '.' } }),
    post(on(customers, 'delete'), {}),
  ]),
  each('add with fewer tenants than records', ({ customers }) => [
    post(on(customers, 'add'), {
      ids: ['x', 'y'],
      embeddings: [vector, vector],
      metadatas: [{ tenant: 'acme' }],
    }),
    post(on(customers, 'add'), {
      ids: ['x'],
      embeddings: [vector],
      metadatas: [{ tenant: ['acme', 'other'] }],
    }),
    post(on(customers, 'add'), { ids: ['x'], embeddings: [vector], metadatas: [null] }),
  ]),
  each('settings of the cut-down collection', ({ customers }) => [
    put(`${FOLDER}/${customers}`, { new_name: 'mine' }),
    { method: 'DELETE', path: `${FOLDER}/customers` },
  ]),
];

/** The server keeps texts and URIs among the metadata, under keys of its own, and filters by them. */
const OWN_KEYS: readonly Attempt[] = [
  ['equal', '{"chroma:document":GUESS}'],
  ['in', '{"$or":[{"chroma:document":{"$in":[GUESS]}},{"chroma:uri":"x"}]}'],
  ['not equal', '{"chroma:document":{"$ne":GUESS}}'],
  ['escaped', '{"chroma\\u003adocument":GUESS}'],
].map(([name = '', where = '']) =>
  each(
    `oracle: the server's own key for the text, ${name}`,
    ({ notes }, guess) => {
      const text = where.replace('GUESS', JSON.stringify(guess));
      return [post(on(notes, 'get'), `{"where":${text},"include":[]}`)];
    },
    { isProven: true, oracle: ['the ZEBRA is in here', 'a horse is in here'] },
  ),
);

export const MORE: readonly Attempt[] = [
  ...CARRIERS,
  ...BODIES,
  ...HEADERS,
  ...QUERIES,
  ...WRITES,
  ...OWN_KEYS,
];
