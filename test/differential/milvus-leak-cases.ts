/**
 * What is tried against Milvus Lite: filters that ask for a masked value, messages and heads that a server may
 * read in another way than the gateway. Data only; `milvus-leaks.ts` sends them, direct first.
 */

import { deflateSync, gzipSync } from 'node:zlib';
import { encodeMessage, type Message } from '../support/milvus-codec.ts';
import { encodeString } from '../../protocols/wire/protobuf.ts';
import { COLLECTION } from './milvus-calls.ts';
import { frameOf, type RpcRequest } from './milvus-raw.ts';

const collection_name = COLLECTION;

/** Pairs of filters on a masked field: one holds and the other does not, so that the answers tell which. */
export const ORACLES: readonly (readonly [string, string])[] = [
  ['email == "user3@example.com"', 'email == "nobody@example.com"'],
  ['email like "user3%"', 'email like "nobody%"'],
  ['email in ["user3@example.com"]', 'email in ["nobody"]'],
  ['(id > 0) and (id == 77 or email > "user3")', '(id > 0) and (id == 77 or email > "z")'],
  ['id in [1] or email\t==\n"user3@example.com"', 'id in [1] or email\t==\n"nobody"'],
  ['id in [1] || email == "user3@example.com"', 'id in [1] || email == "nobody"'],
  ['id > 0 && !(email == "user3@example.com")', 'id > 0 && !(email == "nobody")'],
  ['email == email', 'email != email'],
  ['text_match(email, "user3")', 'text_match(email, "nobody")'],
  ['phone like "+49%"', 'phone like "+1%"'],
  ['$meta["phone"] like "+49%"', '$meta["phone"] like "+1%"'],
  ["$meta['phone'] != ''", "$meta['phone'] == ''"],
  ['exists $meta["phone"]', 'exists $meta["phone"] and id == 77'],
  ['info["email"] == "info3@example.com"', 'info["email"] == "nobody"'],
  ['info["email"] like "info3%"', 'info["email"] like "nobody%"'],
  ['exists info["email"]', 'exists info["nothing"] and exists info["email"]'],
  ['info is not null', 'info is null'],
  ['age > 25', 'age > 1000'],
  ['not (age <= 25)', 'not (age <= 1000)'],
  ['age + 1 > 26', 'age + 1 > 1000'],
  ['age is not null', 'age is null'],
  ['active and id == 2', 'active and id == 3'],
  ['score > 1.5', 'score > 1000'],
];

/** Expressions of a whole Milvus, which the Lite one does not read. */
export const FOREIGN_ORACLES: readonly string[] = [
  '$meta["ph\\x6fne"] != ""',
  'info["em\\x61il"] == "info3@example.com"',
  '20 < age < 26',
  'age in {ages}',
  '"a" == "\\u0022 or email like \\u0022user3"',
  'id > 0 /* email */',
  'array_length(email) > 1',
  'json_contains(info, "x")',
];

export interface Trick {
  readonly rpc: string;
  /** `QueryRequest` for `Query` unless it is told. */
  readonly type?: string;
  readonly message: Message;
  /** Behind the message: fields of newer servers, or what comes twice. */
  readonly more?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly coding?: 'gzip' | 'deflate';
  readonly path?: string;
  readonly pieceSize?: number;
  /** Direct it gives no secret away: what else shows that it works there, or why nothing can. */
  readonly proof?: { readonly differs: Message } | { readonly none: string };
  /** By the gateway: 7 is not allowed, 3 cannot be read; 0 is masked; 403: it is no gRPC. */
  readonly status: '0' | '3' | '7' | '403';
}

const VECTOR = Buffer.alloc(16);
VECTOR.writeFloatLE(1, 12);
const PLACEHOLDERS = encodeMessage('common.PlaceholderGroup', {
  placeholders: [{ tag: '$0', type: 101, values: [VECTOR] }],
});

const pair = (key: string, value: string): Message => ({ key, value });
export const query: Message = { collection_name, expr: 'id >= 0', output_fields: ['*'] };
export const oracle: Message = {
  ...query,
  expr: 'email == "user3@example.com"',
  output_fields: ['id'],
};
const wrong: Message = { ...oracle, expr: 'email == "nobody"' };
const params = [pair('topk', '12'), pair('anns_field', 'vec'), pair('params', '{}')];
const search: Message = {
  collection_name,
  placeholder_group: PLACEHOLDERS,
  nq: 1,
  dsl_type: 1,
  output_fields: ['id'],
  search_params: params,
};
const hybrid = (part: Message, output_fields = ['id']): Message => ({
  collection_name,
  requests: [{ ...search, ...part }],
  rank_params: [pair('strategy', 'rrf'), pair('params', '{"k":60}'), pair('limit', '12')],
  output_fields,
});
const boosted = (filter: string): Message => ({
  ...search,
  function_score: {
    functions: [
      {
        name: 'b',
        type: 3,
        params: [pair('reranker', 'boost'), pair('filter', filter), pair('weight', '0.01')],
      },
    ],
  },
});
/** `expr` of QueryRequest. */
const EXPRESSION = 4;
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const LACKS = { none: 'Milvus Lite lacks it' } as const;
const PATHS = { none: 'this server takes exact paths only' } as const;
const MEMBER = { sourceid: Buffer.from('@@milvus-member@@').toString('base64') };

/** Each gives a secret away direct, unless its proof says otherwise. */
export const TRICKS: Readonly<Record<string, Trick>> = {
  'every field': { rpc: 'Query', message: query, status: '0' },
  'dynamic fields as a whole': {
    rpc: 'Query',
    message: { ...query, output_fields: ['$meta'] },
    status: '0',
  },
  'a dynamic field by its name': {
    rpc: 'Query',
    message: { ...query, output_fields: ['phone'] },
    status: '0',
  },
  'an iterator': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('iterator', 'True'), pair('limit', '5')] },
    status: '0',
  },
  'a search': { rpc: 'Search', message: { ...search, output_fields: ['*'] }, status: '0' },
  'a hybrid search': { rpc: 'HybridSearch', message: hybrid({}, ['*']), status: '0' },
  'a request in gzip': { rpc: 'Query', message: query, coding: 'gzip', status: '0' },
  'a request in deflate': { rpc: 'Query', message: query, coding: 'deflate', status: '0' },
  'an answer in gzip': {
    rpc: 'Query',
    message: query,
    headers: { 'grpc-accept-encoding': 'gzip,deflate' },
    status: '0',
  },
  'a request in single bytes': { rpc: 'Query', message: query, pieceSize: 1, status: '0' },
  'an oracle in single bytes': {
    rpc: 'Query',
    message: oracle,
    pieceSize: 1,
    proof: { differs: wrong },
    status: '7',
  },
  'a head cut in two': {
    rpc: 'Query',
    message: oracle,
    pieceSize: 3,
    proof: { differs: wrong },
    status: '7',
  },
  'gzip around an oracle': {
    rpc: 'Query',
    message: oracle,
    coding: 'gzip',
    proof: { differs: wrong },
    status: '7',
  },
  'deflate around an oracle': {
    rpc: 'Query',
    message: oracle,
    coding: 'deflate',
    proof: { differs: wrong },
    status: '7',
  },
  skip_rls: { rpc: 'Query', message: query, more: Buffer.of(0x80, 0x01, 0x01), status: '3' },
  'a field of a newer server': {
    rpc: 'Query',
    message: query,
    more: latin1('\x8a\x01\x01a'),
    status: '3',
  },
  'the name twice': { rpc: 'Query', message: query, more: latin1('\x1a\x05vault'), status: '3' },
  'the expression twice': {
    rpc: 'Query',
    message: { ...query, expr: 'id > 1000' },
    more: encodeString(EXPRESSION, 'email like "u%"'),
    status: '3',
  },
  'an overlong varint': {
    rpc: 'Query',
    message: query,
    more: Buffer.of(0xd0, 0x80, 0x00, 0x01),
    status: '3',
  },
  'a group': { rpc: 'Query', message: query, more: Buffer.of(0xa3, 0x06, 0xa4, 0x06), status: '3' },
  'a parameter twice': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('limit', '1'), pair('limit', '100')] },
    status: '3',
  },
  'another collection': {
    rpc: 'Query',
    message: { ...query, collection_name: 'vault' },
    status: '7',
  },
  'a member of the cluster': {
    rpc: 'Query',
    message: { ...query, collection_name: 'vault' },
    headers: MEMBER,
    status: '7',
  },
  'another collection in a part': {
    rpc: 'HybridSearch',
    message: hybrid({ collection_name: 'vault' }, ['*']),
    status: '7',
  },
  'an oracle in a part': {
    rpc: 'HybridSearch',
    message: hybrid({ dsl: 'email == "user3@example.com"' }),
    proof: { differs: hybrid({ dsl: 'email == "nobody"' }) },
    status: '7',
  },
  'groups of a masked field': {
    rpc: 'Search',
    message: { ...search, search_params: [...params, pair('group_by_field', 'email')] },
    status: '7',
  },
  'groups in JSON with escapes': {
    rpc: 'Search',
    message: { ...search, search_params: [...params, pair('group_by_field', '"\\u0065mail"')] },
    status: '7',
  },
  'a ranking by a masked field': {
    rpc: 'Search',
    message: boosted('email == "user3@example.com"'),
    proof: { differs: boosted('email == "nobody"') },
    status: '7',
  },
  'gRPC-web': {
    rpc: 'Query',
    message: query,
    headers: { 'content-type': 'application/grpc-web+proto' },
    status: '403',
  },
  'JSON on a gRPC path': {
    rpc: 'Query',
    message: query,
    headers: { 'content-type': 'application/grpc+json' },
    status: '403',
  },
  'flush of two collections': {
    rpc: 'Flush',
    message: { collection_names: [collection_name, 'vault'] },
    proof: { none: 'Milvus Lite says yes to every flush' },
    status: '7',
  },
  'a description of another': {
    rpc: 'DescribeCollection',
    message: { collection_name: 'vault' },
    proof: { differs: { collection_name: 'nobody' } },
    status: '7',
  },
  'an unknown parameter': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('having', 'email')] },
    status: '7',
  },
  'an order': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('order_by_fields', 'email')] },
    status: '7',
  },
  'groups of a query': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('group_by_fields', 'city,age')] },
    status: '7',
  },
  'an aggregate': {
    rpc: 'Query',
    message: { ...query, output_fields: ['max(email)'] },
    proof: LACKS,
    status: '7',
  },
  'a path with a query': {
    rpc: 'Query',
    message: query,
    path: '/milvus.proto.milvus.MilvusService/Query?x',
    proof: PATHS,
    status: '7',
  },
  'a path with two slashes': {
    rpc: 'Query',
    message: query,
    path: '//milvus.proto.milvus.MilvusService/Query',
    proof: PATHS,
    status: '7',
  },
  'a path with escapes': {
    rpc: 'Query',
    message: query,
    path: '/milvus.proto.milvus.MilvusService/Qu%65ry',
    proof: PATHS,
    status: '7',
  },
  'a dump of messages': {
    rpc: 'DumpMessages',
    message: { pchannel: 'by-dev-rootcoord-dml_0' },
    proof: LACKS,
    status: '7',
  },
  'a backup of users': {
    rpc: 'BackupRBAC',
    type: 'BackupRBACMetaRequest',
    message: {},
    proof: LACKS,
    status: '7',
  },
  'a snapshot to a bucket': {
    rpc: 'ExportSnapshot',
    message: { name: 's', collection_name, target_s3_path: 's3://mine' },
    proof: LACKS,
    status: '7',
  },
  'a query in a text': {
    rpc: 'Dummy',
    message: { request_type: '{"request_type":"query"}' },
    proof: LACKS,
    status: '7',
  },
  metrics: {
    rpc: 'GetMetrics',
    message: { request: '{"metric_type":"system_info"}' },
    proof: LACKS,
    status: '7',
  },
  'an RPC that is not there': {
    rpc: 'QueryEverything',
    type: 'QueryRequest',
    message: query,
    proof: LACKS,
    status: '7',
  },
};

/** Bodies that are not exactly one message as it should be. */
const BOMB_SIZE = 64 * 1024 * 1024;
const QUERY = encodeMessage('QueryRequest', query);
const ask = (frames: Buffer, headers: Readonly<Record<string, string>> = {}): RpcRequest => ({
  rpc: 'Query',
  body: QUERY,
  frames,
  headers,
});

export const BROKEN_FRAMES: Readonly<Record<string, RpcRequest>> = {
  'no message': ask(Buffer.alloc(0)),
  'two messages': ask(
    Buffer.concat([frameOf(QUERY), frameOf(encodeMessage('QueryRequest', oracle))]),
  ),
  'half a message': ask(frameOf(QUERY).subarray(0, 20)),
  'bytes behind it': ask(Buffer.concat([frameOf(QUERY), Buffer.of(0, 0)])),
  'a flag that is none': ask(frameOf(QUERY, 2)),
  'compressed, but in nothing': ask(frameOf(gzipSync(QUERY), 1)),
  'compressed, but as itself': ask(frameOf(gzipSync(QUERY), 1), { 'grpc-encoding': 'identity' }),
  'in a coding that nobody has': ask(frameOf(gzipSync(QUERY), 1), { 'grpc-encoding': 'snappy' }),
  'in two codings': ask(frameOf(gzipSync(gzipSync(QUERY)), 1), { 'grpc-encoding': 'gzip, gzip' }),
  'gzip that is deflate': ask(frameOf(deflateSync(QUERY), 1), { 'grpc-encoding': 'gzip' }),
  'gzip that ends early': ask(frameOf(gzipSync(QUERY).subarray(0, -9), 1), {
    'grpc-encoding': 'gzip',
  }),
  'gzip that is a bomb': ask(frameOf(gzipSync(Buffer.alloc(BOMB_SIZE)), 1), {
    'grpc-encoding': 'gzip',
  }),
  'a length of gigabytes': ask(Buffer.concat([Buffer.of(0, 0xff, 0xff, 0xff, 0xff), QUERY])),
  'no UTF-8 in a name': ask(
    frameOf(Buffer.concat([QUERY, latin1('\x0a\x00'), latin1('\x42\x02\xc3\x28')])),
  ),
};
