/**
 * Attempts of alice (tenant a; e-mails, phones and notes masked strictly, `secrets` blocked) to get what is
 * not hers: raw requests, REST and gRPC. Oracles are pairs that must not be told apart.
 */

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Json } from '../support/qdrant-emulator-filter.ts';
import { encodeRpc } from '../support/qdrant-messages.ts';
import type { QdrantWay, RawAnswer, RawRequest } from './qdrant-lab.ts';
import { framed, sendRest, sendRpc } from './qdrant-lab.ts';

/** What alice must never see: masked values, records of tenant b, the other collection. */
export const SECRET = /@example\.com|555-010|note of|\bbob\b|\bflo\b|"code"|code\b.{0,8}x/s;

export interface Attempt {
  readonly name: string;
  readonly send: (way: QdrantWay) => Promise<RawAnswer>;
  /** Asked direct it gives something secret, so it proves something. */
  readonly isProven?: boolean;
}

const POINTS = '/collections/customers/points';
const all = { with_payload: true, limit: 100 };

export function rest(
  name: string,
  line: string,
  body: Json | string = '',
  more: Partial<RawRequest> = {},
): Attempt {
  const [method = '', path = ''] = line.split(' ');
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { name, send: async (way) => await sendRest(way, { method, path, body: text, ...more }) };
}

export function proven(attempt: Attempt): Attempt {
  return { ...attempt, isProven: true };
}

export function rpc(
  name: string,
  method: string,
  frame: Buffer,
  headers: Record<string, string> = {},
): Attempt {
  return { name, send: async (way) => await sendRpc(way, `/qdrant.${method}`, frame, headers) };
}

const scrollText = JSON.stringify(all);
const inPieces = Array.from(Buffer.from(scrollText), (byte) => Buffer.from([byte]));

const READS: readonly Attempt[] = [
  rest('scroll', `POST ${POINTS}/scroll`, all),
  rest('scroll of an alias', 'POST /collections/clients/points/scroll', all),
  rest('scroll with slashes', `POST //collections//customers///points/scroll/`, all),
  rest('scroll with an escape in the name', 'POST /collections/c%75stomers/points/scroll', all),
  rest('scroll for others', `POST ${POINTS}/scroll`, {
    ...all,
    filter: { should: [{ key: 'tenant', match: { value: 'b' } }, { must_not: [{ has_id: [1] }] }] },
  }),
  rest('query', `POST ${POINTS}/query`, { ...all, query: [1, 0] }),
  rest('query in a prefetch', `POST ${POINTS}/query`, {
    ...all,
    prefetch: [{ prefetch: { limit: 50 }, query: [1, 0], limit: 50 }],
    query: { fusion: 'rrf' },
  }),
  rest('batch', `POST ${POINTS}/query/batch`, { searches: [{ ...all, query: [0, 1] }] }),
  rest('old search', `POST ${POINTS}/search`, { vector: [1, 0], top: 50, with_payload: true }),
  rest('groups', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: 'city',
    group_size: 9,
    with_payload: true,
  }),
  rest('by ids', `POST ${POINTS}`, { ids: [1, 2, 3, 4, 5, 6] }),
  rest('by one id', `GET ${POINTS}/2`),
  rest('own record', `GET ${POINTS}/1`),
  rest('facet of authors', 'POST /collections/customers/facet', { key: 'author.name', limit: 50 }),
  rest('from a stored point', `POST ${POINTS}/recommend`, { ...all, positive: [2] }),
  rest('facet of a masked field', 'POST /collections/customers/facet', { key: 'email' }),
  rest('groups by a masked field', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: 'author.phone',
  }),
  rest('groups by a quoted field', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: '"email"',
  }),
].map(proven);

const SECOND: readonly Attempt[] = [
  rest('the other collection', 'POST /collections/secrets/points/scroll', all),
  rest('looked up with groups', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: 'city',
    with_lookup: 'secrets',
  }),
  rest('looked up as an object', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: 'city',
    with_lookup: { collection: 'secrets' },
  }),
].map(proven);

const SHAPES: readonly Attempt[] = [
  rest('lookup as a list', `POST ${POINTS}/query/groups`, {
    query: [1, 0],
    group_by: 'city',
    with_lookup: ['secrets', true],
  }),
  rest('order as a list', `POST ${POINTS}/query`, { query: ['email'], with_payload: true }),
  rest('two filters', `POST ${POINTS}/scroll`, '{"filter":{"must":[]},"filter":null,"limit":100}'),
  rest('an unknown member', `POST ${POINTS}/scroll`, { ...all, also: 'secrets' }),
  rest('UTF-16', `POST ${POINTS}/scroll`, '', { body: Buffer.from(scrollText, 'utf16le') }),
  rest('a BOM', `POST ${POINTS}/scroll`, `\ufeff${scrollText}`),
  rest('a snapshot', 'GET /collections/customers/snapshots/x'),
  rest('a snapshot made', 'POST /collections/customers/snapshots'),
  rest('all of the storage', 'POST /snapshots'),
  rest('a snapshot put in', 'PUT /collections/customers/snapshots/recover', {
    location: 'http://127.0.0.1:9/x',
  }),
  rest('one shard', 'POST /collections/customers/shards/0/points/scroll', all),
  proven(rest('telemetry', 'GET /telemetry')),
  rest('slow requests', 'GET /profiler/slow_requests'),
  rest('audit log', 'POST /audit/logs', {}),
  rest('metrics', 'GET /metrics'),
  rest('an unknown route', `POST ${POINTS}/everything`, all),
  rest('the wrong case', 'POST /Collections/customers/points/scroll', all),
  rest('an escaped slash', 'POST /collections%2Fcustomers/points/scroll', all),
  rest('dots', 'POST /collections/x/../secrets/points/scroll', all),
  rest('a parameter of a path', 'POST /collections/secrets;x/points/scroll', all),
  rest('an escaped word', `POST /collections/secrets/%70oints/scroll`, all),
  rest('an unknown parameter', `POST ${POINTS}/scroll?collection=secrets`, all),
  rest('HEAD', `HEAD ${POINTS}/2`),
  rest('another method by header', `POST ${POINTS}/2`, '', {
    headers: { 'x-http-method-override': 'GET' },
  }),
  rest('two keys', 'POST /collections/secrets/points/scroll', all, {
    headers: { authorization: 'Bearer the-key-of-the-store' },
  }),
  rest('gRPC over HTTP/1.1', 'POST /qdrant.Points/Scroll', '', {
    headers: { 'content-type': 'application/grpc' },
  }),
  rest('gRPC-web', 'POST /qdrant.Points/Scroll', '', {
    headers: { 'content-type': 'application/grpc-web+proto' },
  }),
  rest('an alias onto it', 'POST /collections/aliases', {
    actions: [{ create_alias: { collection_name: 'secrets', alias_name: 'mine' } }],
  }),
  rest('the new alias', 'POST /collections/mine/points/scroll', all),
  rest('made from it', 'PUT /collections/copy', { init_from: { collection: 'secrets' } }),
];

const CODINGS: readonly Attempt[] = [
  ...(
    [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const
  ).map(([coding, compress]) =>
    proven(
      rest(`scroll in ${coding}`, `POST ${POINTS}/scroll`, '', {
        body: compress(scrollText),
        headers: { 'content-encoding': coding },
      }),
    ),
  ),
  proven(rest('scroll in pieces', `POST ${POINTS}/scroll`, '', { body: inPieces })),
  rest('a bomb', `POST ${POINTS}/scroll`, '', {
    body: gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)),
    headers: { 'content-encoding': 'gzip' },
  }),
  rest('zstd', `POST ${POINTS}/scroll`, all, { headers: { 'content-encoding': 'zstd' } }),
  rest('gzip that is none', `POST ${POINTS}/scroll`, all, {
    headers: { 'content-encoding': 'gzip' },
  }),
  rest('an answer in gzip', `POST ${POINTS}/scroll`, all, {
    headers: { 'accept-encoding': 'gzip, br, zstd' },
  }),
];

const scrollFrame = encodeRpc('Scroll', { limit: 100, withPayload: { enable: true } });
const GRPC: readonly Attempt[] = [
  proven(rpc('gRPC scroll', 'Points/Scroll', framed(scrollFrame))),
  proven(
    rpc('gRPC scroll, compressed', 'Points/Scroll', framed(gzipSync(scrollFrame), true), {
      'grpc-encoding': 'gzip',
    }),
  ),
  proven(rpc('gRPC facet', 'Points/Facet', framed(encodeRpc('Facet', { key: 'email' })))),
  proven(
    rpc(
      'gRPC get',
      'Points/Get',
      framed(encodeRpc('Get', { ids: [{ num: 2 }], withPayload: { enable: true } })),
    ),
  ),
  proven(
    rpc(
      'gRPC other collection',
      'Points/Scroll',
      framed(encodeRpc('Scroll', { collectionName: 'secrets', withPayload: { enable: true } })),
    ),
  ),
  proven(
    rpc(
      'gRPC groups',
      'Points/QueryGroups',
      framed(
        encodeRpc('QueryGroups', {
          groupBy: 'email',
          query: { nearest: { dense: { data: [1] } } },
        }),
      ),
    ),
  ),
  rpc(
    'gRPC, a message twice',
    'Points/Scroll',
    Buffer.concat([framed(scrollFrame), framed(scrollFrame)]),
  ),
  rpc(
    'gRPC, a name twice',
    'Points/Scroll',
    framed(Buffer.concat([scrollFrame, encodeRpc('Scroll', { collectionName: 'secrets' })])),
  ),
  rpc('gRPC, compressed by nothing', 'Points/Scroll', framed(gzipSync(scrollFrame), true)),
  rpc('gRPC, cut off', 'Points/Scroll', framed(scrollFrame).subarray(0, -3)),
  rpc('gRPC between servers', 'PointsInternal/Scroll', framed(scrollFrame)),
  rpc('gRPC snapshot', 'Snapshots/CreateFull', framed(Buffer.alloc(0))),
  rpc('gRPC with a query', 'Points/Scroll?x=1', framed(scrollFrame)),
];

export const ATTEMPTS: readonly Attempt[] = [...READS, ...SECOND, ...SHAPES, ...CODINGS, ...GRPC];

export interface Oracle {
  readonly name: string;
  /** Asked for the right value and for a wrong one. */
  readonly ask: (way: QdrantWay, guess: string) => Promise<RawAnswer>;
  readonly right: string;
  readonly wrong: string;
}

function oracle(name: string, right: string, line: string, body: (guess: string) => Json): Oracle {
  const [method = '', path = ''] = line.split(' ');
  return {
    name,
    right,
    wrong: 'nobody',
    ask: async (way, guess) =>
      await sendRest(way, { method, path, body: JSON.stringify(body(guess)) }),
  };
}

const email = (guess: string): Json => ({ must: [{ key: 'email', match: { value: guess } }] });

export const ORACLES: readonly Oracle[] = [
  oracle('count by e-mail', 'ann@example.com', `POST ${POINTS}/count`, (guess) => ({
    filter: email(guess),
  })),
  oracle('scroll by e-mail', 'ann@example.com', `POST ${POINTS}/scroll`, (guess) => ({
    filter: { must_not: [{ must: email(guess) }] },
    with_payload: false,
  })),
  oracle('prefetch by e-mail', 'ann@example.com', `POST ${POINTS}/query`, (guess) => ({
    prefetch: { filter: email(guess), query: [1, 0] },
    query: { fusion: 'rrf' },
  })),
  oracle('nested phone', '555-0100', `POST ${POINTS}/count`, (guess) => ({
    filter: {
      must: [
        {
          nested: { key: 'author', filter: { must: [{ key: 'phone', match: { value: guess } }] } },
        },
        { key: 'author.phone', match: { value: guess } },
      ],
    },
  })),
  oracle('a record of another tenant', '2', `POST ${POINTS}/count`, (guess) => ({
    filter: { must: [{ has_id: [guess === '2' ? 2 : 999] }] },
  })),
  oracle('a name of another tenant', 'bob', `POST ${POINTS}/count`, (guess) => ({
    filter: { must: [{ key: 'author.name', match: { value: guess } }] },
  })),
  oracle('delete by e-mail', 'ann@example.com', `POST ${POINTS}/delete`, (guess) => ({
    filter: email(guess),
  })),
];
