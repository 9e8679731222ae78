/**
 * More attempts of alice in Qdrant, from a hostile review: names in other dress, numbers and members that could
 * be read in two ways, second collections deep inside, writes over records of others, odd protobuf.
 */

import { gzipSync } from 'node:zlib';
import { encodeBytes, encodeString, encodeVarint } from '../../protocols/wire/protobuf.ts';
import type { Json } from '../support/qdrant-emulator-filter.ts';
import { encodeRpc } from '../support/qdrant-messages.ts';
import { type Attempt, proven, rest, rpc } from './qdrant-leak-cases.ts';
import { framed } from './qdrant-lab.ts';

const C = '/collections/customers';
const POINTS = `${C}/points`;
const SECRETS = '/collections/secrets/points';
const all = { with_payload: true, limit: 100 };
const text = JSON.stringify(all);

const NAMES: readonly Attempt[] = [
  'POST /collections/secret%73/points/scroll',
  'POST /collections/%73%65%63%72%65%74%73/points/scroll',
  'POST /./collections/secrets/points/scroll',
  'POST /collections/secrets/./points/scroll',
  'POST /collections/customers/../secrets/points/scroll',
  'POST /collections/customers/%2e%2e/secrets/points/scroll',
  'POST /collections/customers%2F..%2Fsecrets/points/scroll',
  'POST /collections/customers%5C..%5Csecrets/points/scroll',
  'POST /collections/secrets%00/points/scroll',
  'POST /collections/secrets%20/points/scroll',
  'POST /collections/secrets%2520/points/scroll',
  'POST /collections//secrets//points//scroll//',
  'POST /collections/secrets/points/scroll?',
  'POST /collections/secrets/points/scroll?timeout=1&timeout=2',
  'POST /collections/customers/points/scroll?collection_name=secrets',
  'POST http://127.0.0.1/collections/secrets/points/scroll',
  'POST /collections/secrets/points/scroll#x',
  'POST \\collections\\secrets\\points\\scroll',
].map((line) => rest(`name: ${line}`, line, all));

const HEADERS: readonly Attempt[] = [
  ...['x-original-url', 'x-rewrite-url', 'x-forwarded-path'].map((name) =>
    rest(`header: ${name}`, `POST ${POINTS}/scroll`, all, {
      headers: { [name]: `${SECRETS}/scroll` },
    }),
  ),
  ...['x-http-method', 'x-method-override', 'x-http-method-override'].map((name) =>
    rest(`header: ${name}`, `POST ${POINTS}/2`, '', { headers: { [name]: 'GET' } }),
  ),
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/grpc-web+json',
    'application/connect+json',
  ].map((type) =>
    rest(`content type: ${type}`, `POST ${POINTS}/scroll`, all, {
      headers: { 'content-type': type },
    }),
  ),
  ...['gzip, identity', 'identity, gzip', 'gzip;q=1', 'x-gzip', 'GZIP', 'compress', 'br, gzip'].map(
    (coding) =>
      rest(`coding: ${coding}`, `POST ${POINTS}/scroll`, '', {
        body: gzipSync(text),
        headers: { 'content-encoding': coding },
      }),
  ),
  rest('coding: two members', `POST ${POINTS}/scroll`, '', {
    body: Buffer.concat([gzipSync(text), gzipSync(' ')]),
    headers: { 'content-encoding': 'gzip' },
  }),
  rest('key in the query', `GET ${POINTS}/2?api-key=the-key-of-the-store`, ''),
  rest('two different keys', `POST ${SECRETS}/scroll`, all, {
    headers: { 'api-key': ['key-of-alice', 'key-of-free'] },
  }),
  rest('key and another bearer', `POST ${SECRETS}/scroll`, all, {
    headers: { authorization: 'Bearer key-of-free' },
  }),
  rest('connection names the key', `POST ${SECRETS}/scroll`, all, {
    headers: { connection: 'api-key, close' },
  }),
];

const BODIES: readonly Attempt[] = [
  ['limit in exponents', '{"with_payload":true,"limit":1e2}'],
  ['a limit without end', '{"with_payload":true,"limit":1e999}'],
  ['a limit below nothing', '{"with_payload":true,"limit":-1}'],
  ['a limit as text', '{"with_payload":true,"limit":"100"}'],
  ['a key twice, escaped', `{"limit":100,"filter":{"must":[]},"filt\\u0065r":null}`],
  ['half a pair', '{"limit":100,"\\ud800":1}'],
  ['NUL in a key', '{"limit":100,"filter\\u0000":{}}'],
  ['too deep', `{"filter":${'{"must":'.repeat(5000)}{}${'}'.repeat(5000)}}`],
  ['something behind', `${text}{}`],
  ['a list', `[${text}]`],
  ['a comment', `/* */${text}`],
  ['a name without quotes', '{with_payload:true}'],
  ['a comma too many', '{"with_payload":true,}'],
].map(([name = '', body = '']) => rest(`body: ${name}`, `POST ${POINTS}/scroll`, body));

const near = { ...all, query: [1, 0] };
const own = { must: [{ key: 'tenant', match: { value: 'a' } }] };
const SELECTORS: readonly Attempt[] = [
  { include: ['email', 'author'] },
  { exclude: ['city'] },
  ['email', 'author.phone', 'notes[].by', 'notes'],
].flatMap((selector) => [
  proven(
    rest(`selector ${JSON.stringify(selector)}`, `POST ${POINTS}/scroll`, {
      limit: 9,
      with_payload: selector,
    }),
  ),
  rest(`selector by id ${JSON.stringify(selector)}`, `POST ${POINTS}`, {
    ids: [1, 2, 3, 4],
    with_payload: selector,
  }),
]);

const QUOTED: readonly Attempt[] = ['include', 'exclude'].map((kind) =>
  rest(`quoted in ${kind}`, `POST ${POINTS}/scroll`, {
    ...all,
    with_payload: { [kind]: ['"email"', 'author."phone"'] },
  }),
);

const TENANTS: readonly Attempt[] = [
  rest('min_should', `POST ${POINTS}/scroll`, {
    ...all,
    filter: {
      min_should: { conditions: [{ key: 'tenant', match: { value: 'b' } }], min_count: 0 },
    },
  }),
  rest('not mine', `POST ${POINTS}/query`, { ...near, filter: { must_not: [own] } }),
  rest('a filter of null', `POST ${POINTS}/scroll`, { ...all, filter: null }),
  rest('one condition for a list', `POST ${POINTS}/query`, {
    ...near,
    filter: { should: { must_not: own } },
  }),
  rest('only in the prefetch', `POST ${POINTS}/query`, {
    ...all,
    prefetch: { query: [1, 0], filter: { should: [own, { must_not: own }] } },
    query: { fusion: 'dbsf' },
  }),
  rest('sampled', `POST ${POINTS}/query`, { ...all, query: { sample: 'random' } }),
  rest('ordered', `POST ${POINTS}/query`, { ...all, query: { order_by: 'age' } }),
  rest('recommended by vectors', `POST ${POINTS}/recommend`, { ...all, positive: [[1, 0]] }),
  rest('discovered', `POST ${POINTS}/discover`, { ...all, target: [1, 0], context: [] }),
  rest('a batch', `POST ${POINTS}/search/batch`, {
    searches: [
      { vector: [1, 0], ...all, filter: own },
      { vector: [1, 0], ...all },
    ],
  }),
].map(proven);

const IDS: readonly Attempt[] = [
  rest('context of an id', `POST ${POINTS}/discover`, {
    ...all,
    target: [1, 0],
    context: [{ positive: 2, negative: 4 }],
  }),
  rest('nearest to an id', `POST ${POINTS}/query`, { ...all, query: 2 }),
  rest('nearest in an object', `POST ${POINTS}/query`, { ...all, query: { nearest: 2 } }),
  rest('in a prefetch', `POST ${POINTS}/query`, {
    ...all,
    prefetch: [{ query: { recommend: { positive: [2] } } }],
    query: { fusion: 'rrf' },
  }),
  rest('lookup deep inside', `POST ${POINTS}/query/batch`, {
    searches: [
      near,
      {
        ...all,
        prefetch: [{ prefetch: [{ query: 'Paris', lookup_from: { collection: 'secrets' } }] }],
        query: { fusion: 'rrf' },
      },
    ],
  }),
  rest('lookup and its payload', `POST ${POINTS}/search/groups`, {
    vector: [1, 0],
    limit: 3,
    group_size: 1,
    group_by: 'city',
    with_lookup: { collection: 'secrets', with_payload: ['code'] },
  }),
  rest('matrix', `POST ${POINTS}/search/matrix/pairs`, { sample: 100, limit: 100 }),
];

const point = (id: number, tenant: Json): Json => ({ id, vector: [9, 9], payload: { tenant } });
const WRITES: readonly Attempt[] = [
  rest('over another record', `PUT ${POINTS}`, { points: [point(2, 'a')] }),
  rest('over it with a filter of mine', `PUT ${POINTS}`, {
    points: [point(2, 'a')],
    update_filter: { should: [own, { must_not: own }] },
  }),
  rest('insert only', `PUT ${POINTS}`, { points: [point(2, 'a')], update_mode: 'insert_only' }),
  rest('a list of tenants', `PUT ${POINTS}`, { points: [point(99, ['a', 'b'])] }),
  rest('a batch of columns', `PUT ${POINTS}`, {
    batch: {
      ids: [2, 4],
      vectors: [
        [9, 9],
        [9, 9],
      ],
      payloads: [{ tenant: 'a' }, { tenant: 'a' }],
    },
  }),
  rest('vectors', `PUT ${POINTS}/vectors`, { points: [{ id: 2, vector: [9, 9] }] }),
  rest('payload by ids', `POST ${POINTS}/payload`, { payload: { city: 'X' }, points: [2, 4] }),
  rest('payload by a filter', `POST ${POINTS}/payload`, { payload: { city: 'X' }, filter: {} }),
  rest('payload over the tenant', `POST ${POINTS}/payload`, {
    payload: { tenant: 'b' },
    points: [1],
  }),
  rest('payload under a key', `POST ${POINTS}/payload`, {
    payload: { x: 'b' },
    key: 'tenant',
    points: [2],
  }),
  rest('overwrite', `PUT ${POINTS}/payload`, { payload: { tenant: 'a' }, points: [2, 4] }),
  rest('clear', `POST ${POINTS}/payload/clear`, { points: [2] }),
  rest('take keys away', `POST ${POINTS}/payload/delete`, { keys: ['city'], points: [2, 4] }),
  rest('take the tenant away', `POST ${POINTS}/payload/delete`, { keys: ['"tenant"'], filter: {} }),
  rest('delete by ids', `POST ${POINTS}/delete`, { points: [2, 4, 6] }),
  rest('delete by a filter', `POST ${POINTS}/delete`, { filter: { must_not: [own] } }),
  rest('delete by both', `POST ${POINTS}/delete`, { points: [2], filter: own }),
  rest('a batch of operations', `POST ${POINTS}/batch`, {
    operations: [
      { upsert: { points: [point(2, 'a')] } },
      { delete: { points: [4] } },
      { set_payload: { payload: { city: 'X' }, points: [6] } },
      { update_vectors: { points: [{ id: 2, vector: [9, 9] }] } },
    ],
  }),
  rest('a clear in a batch', `POST ${POINTS}/batch`, {
    operations: [{ clear_payload: { points: [2] } }],
  }),
];

const scroll = Buffer.from(encodeRpc('Scroll', { limit: 100, withPayload: { enable: true } }));
const secrets = encodeString(1, 'secrets');
const group = Buffer.from([0x0b, 0x0c]);
const lookupIn = encodeBytes(8, encodeString(1, 'secrets'));
const GRPC: readonly Attempt[] = [
  ['a field of a newer server', Buffer.concat([scroll, encodeString(77, 'secrets')])],
  ['the name of another wire type', Buffer.concat([scroll, encodeVarint(1, 1)])],
  ['a group', Buffer.concat([scroll, group])],
  ['the field 0', Buffer.concat([scroll, Buffer.from([0x02, 0x00])])],
  [
    'a varint that is too long',
    Buffer.concat([scroll, Buffer.from([0x20]), Buffer.alloc(11, 0x80)]),
  ],
  [
    'two filters',
    Buffer.concat([scroll, encodeBytes(2, Buffer.alloc(0)), encodeBytes(2, Buffer.alloc(0))]),
  ],
  ['two payload selectors', Buffer.concat([scroll, encodeBytes(6, encodeVarint(1, 1))])],
  ['a name that is no text', Buffer.concat([encodeBytes(1, Buffer.from([0xff])), scroll])],
  ['the name first empty', Buffer.concat([encodeString(1, ''), scroll])],
].map(([name, message]) =>
  rpc(`gRPC: ${String(name)}`, 'Points/Scroll', framed(Buffer.from(message ?? ''))),
);

const payload = { withPayload: { enable: true } };
const GRPC_READS: readonly Attempt[] = [
  rpc(
    'gRPC: a lookup in a prefetch',
    'Points/Query',
    framed(
      Buffer.concat([
        Buffer.from(encodeRpc('Query', payload)),
        encodeBytes(2, Buffer.concat([encodeBytes(1, lookupIn), lookupIn])),
      ]),
    ),
  ),
  rpc(
    'gRPC: a batch with another name inside',
    'Points/QueryBatch',
    framed(
      Buffer.from(
        encodeRpc('QueryBatch', { queryPoints: [{ collectionName: 'secrets', ...payload }] }),
      ),
    ),
  ),
  rpc('gRPC: nothing but a name', 'Collections/Delete', framed(secrets)),
  rpc('gRPC: the wrong case', 'points/scroll', framed(scroll)),
  rpc('gRPC: two slashes', '/Points/Scroll', framed(scroll)),
  rpc('gRPC: an escape', 'Points/%53croll', framed(scroll)),
  rpc(
    'gRPC: an unknown flag',
    'Points/Scroll',
    Buffer.concat([Buffer.from([2]), framed(scroll).subarray(1)]),
  ),
  rpc(
    'gRPC: two members of gzip',
    'Points/Scroll',
    framed(Buffer.concat([gzipSync(scroll), gzipSync(secrets)]), true),
    {
      'grpc-encoding': 'gzip',
    },
  ),
  rpc('gRPC: another coding', 'Points/Scroll', framed(scroll, true), { 'grpc-encoding': 'snappy' }),
  rpc('gRPC: as JSON', 'Points/Scroll', framed(Buffer.from(text)), {
    'content-type': 'application/grpc+json',
  }),
  rpc(
    'gRPC: by ids without the tenant',
    'Points/Get',
    framed(
      encodeRpc('Get', {
        ids: [{ num: 2 }, { num: 4 }],
        withPayload: { exclude: { fields: ['tenant'] } },
      }),
    ),
  ),
];

export const MORE: readonly Attempt[] = [
  ...NAMES,
  ...HEADERS,
  ...BODIES,
  ...SELECTORS,
  ...QUOTED,
  ...TENANTS,
  ...IDS,
  ...WRITES,
  ...GRPC,
  ...GRPC_READS,
];
