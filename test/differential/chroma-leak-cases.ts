/** Ways to get at what one may not see in Chroma, or to change it: requests, in every dress we know of. */

import { BODIES } from './chroma-leak-bodies.ts';
import { type Attempt, FOLDER, type Ids, on, post } from './chroma-leak-lab.ts';

const ALL = ['documents', 'metadatas', 'uris'];

/** One request with this body; `target` is a collection and what is asked of it: `notes/get`. */
function one(
  name: string,
  target: `${keyof Ids}/${string}`,
  body: unknown,
  some: Partial<Attempt> = {},
): Attempt {
  const [collection = '', what = ''] = target.split('/');
  const idOf = (ids: Ids): string =>
    Object.entries(ids).find(([key]) => key === collection)?.[1] ?? '';
  return { name, requests: (ids) => [post(on(idOf(ids), what), body)], ...some };
}

const PROVEN = { isProven: true };
const QUERY = { query_embeddings: [[1, 1, -0.3]], n_results: 10 };

const READS: readonly Attempt[] = [
  one('get all', 'customers/get', { include: ALL }, PROVEN),
  one('get by id', 'customers/get', { ids: ['zebra-id1', 'own1'], include: ALL }, PROVEN),
  one('get by a wider filter', 'customers/get', { where: { n: { $gt: 0 } }, include: ALL }, PROVEN),
  one('get by the opposite', 'customers/get', { where: { tenant: { $ne: 'acme' } } }, PROVEN),
  one(
    'get by or',
    'customers/get',
    { where: { $or: [{ tenant: 'other' }, { tenant: 'acme' }] } },
    PROVEN,
  ),
  one('get by text', 'customers/get', { where_document: { $regex: '.*' }, include: ALL }, PROVEN),
  one('get by not text', 'customers/get', { where_document: { $not_contains: 'mine' } }, PROVEN),
  one(
    'get with nulls',
    'customers/get',
    { ids: null, where: null, where_document: null, limit: null },
    PROVEN,
  ),
  one('get pages', 'customers/get', { limit: 1, offset: 2, include: [] }, PROVEN),
  one('query', 'customers/query', { ...QUERY, include: ALL }, PROVEN),
  one('query among ids', 'customers/query', { ...QUERY, ids: ['zebra-id1'], include: ALL }, PROVEN),
  one('search', 'customers/search', { searches: [{}, { filter: {} }] }),
  one('masked notes', 'notes/get', { include: ALL }, PROVEN),
  one('masked notes of a query', 'notes/query', { ...QUERY, include: ALL }, PROVEN),
  one('the vault', 'vault/get', {}, PROVEN),
  one('the vault by a query', 'vault/query', QUERY, PROVEN),
  one('peek into the vault', 'vault/get', { limit: 1, include: [] }, PROVEN),
  one('search the vault', 'vault/search', { searches: [{}] }),
  {
    name: 'count under a filter',
    requests: ({ customers }) => [{ method: 'GET', path: on(customers, 'count') }],
  },
];

const RIGHT = ['zebra1@example.org', 'nobody@example.org'] as const;

/** The answer must be the same whether the guess is right or wrong. */
function oracle(
  name: string,
  build: (guess: string) => unknown,
  guesses: readonly [string, string] = RIGHT,
  what = 'get',
): Attempt {
  return {
    name: `oracle: ${name}`,
    requests: ({ notes }, guess) => [post(on(notes, what), build(guess))],
    oracle: guesses,
    isProven: what !== 'search',
  };
}

const ORACLES: readonly Attempt[] = [
  oracle('equal, ids only', (guess) => ({ where: { email: guess }, include: [] })),
  oracle('in', (guess) => ({ where: { email: { $in: [guess] } }, include: [] })),
  oracle('not equal', (guess) => ({ where: { email: { $ne: guess } }, include: [] })),
  oracle('deep', (guess) => ({
    where: { $and: [{ $or: [{ email: { $eq: guess } }, { x: 1 }] }] },
    include: [],
  })),
  oracle(
    'escaped key',
    (guess) => `{"where":{"\\u0065mail":${JSON.stringify(guess)}},"include":[]}`,
  ),
  oracle('key with a dot', (guess) => ({ where: { 'person.phone': guess }, include: [] }), [
    'zebra-555',
    '555-0',
  ]),
  oracle('text', (guess) => ({ where_document: { $contains: guess }, include: [] }), [
    'ZEBRA',
    'HORSE',
  ]),
  oracle('pattern', (guess) => ({ where_document: { $regex: guess }, include: [] }), [
    'Z.BRA',
    'H.RSE',
  ]),
  oracle('not text', (guess) => ({ where_document: { $not_contains: guess }, include: [] }), [
    'ZEBRA',
    'HORSE',
  ]),
  oracle(
    'text as a key',
    (guess) => ({ where: { '#document': { $contains: guess } }, include: [] }),
    ['ZEBRA', 'HORSE'],
  ),
  oracle(
    'deep text',
    (guess) => ({
      where_document: { $or: [{ $contains: guess }, { $contains: 'none' }] },
      include: [],
    }),
    ['ZEBRA', 'HORSE'],
  ),
  oracle('query', (guess) => ({ ...QUERY, where: { email: guess }, include: [] }), RIGHT, 'query'),
  oracle(
    'how many were deleted',
    (guess) => ({ where: { email: guess }, limit: 1 }),
    RIGHT,
    'delete',
  ),
  oracle('search', (guess) => ({ searches: [{ filter: { email: guess } }] }), RIGHT, 'search'),
  oracle(
    'groups',
    (guess) => ({
      searches: [
        {
          group_by: { keys: ['email'], aggregate: { $min_k: { keys: ['#score'], k: 1 } } },
          filter: { x: guess },
        },
      ],
    }),
    RIGHT,
    'search',
  ),
];

const NAMES: readonly Attempt[] = [
  {
    name: 'forms of the id',
    isProven: true,
    requests: ({ vault }) =>
      [
        vault.toUpperCase(),
        vault.replaceAll('-', ''),
        `urn:uuid:${vault}`,
        `%7B${vault}%7D`,
        `{${vault}}`,
        vault.replace('a', '%61'),
      ].map((id) => post(on(id, 'get'), {})),
  },
  {
    name: 'another database in the path',
    isProven: true,
    requests: ({ vault, customers }) =>
      [vault, customers].flatMap((id) => [
        post(`/api/v2/tenants/nobody/databases/nothing/collections/${id}/get`, { include: ALL }),
        post(`/api/v2/tenants/default_tenant/databases/another/collections/${id}/query`, {
          ...QUERY,
          include: ALL,
        }),
      ]),
  },
  {
    name: 'rename, then read',
    isProven: true,
    requests: ({ vault, customers, notes }) =>
      [vault, customers, notes].flatMap((id) => [
        {
          method: 'PUT',
          path: `${FOLDER}/${id}`,
          body: JSON.stringify({ new_name: `mine-${id.slice(0, 8)}` }),
        },
        post(on(id, 'get'), { include: ALL }),
      ]),
  },
  {
    name: 'rename from another database',
    isProven: true,
    requests: ({ vault }) => [
      {
        method: 'PUT',
        path: `/api/v2/tenants/nobody/databases/nothing/collections/${vault}`,
        body: '{"new_name":"mine"}',
      },
      post(on(vault, 'get'), {}),
    ],
  },
  {
    name: 'fork and functions',
    requests: ({ vault, customers, notes }) =>
      [vault, customers, notes].flatMap((id) => [
        post(on(id, 'fork'), { new_name: 'copied' }),
        post(on(id, 'functions/attach'), {
          name: 'f',
          function_id: 'record_counter',
          output_collection: 'out',
        }),
      ]),
  },
  {
    name: 'take a name that rules are about',
    requests: () => [
      post(FOLDER, { name: 'vault', get_or_create: true }),
      post(FOLDER, ['vault', null, null, null, true]),
    ],
  },
  {
    name: 'drops',
    requests: ({ customers }) => [
      { method: 'DELETE', path: `${FOLDER}/customers` },
      { method: 'DELETE', path: `${FOLDER}/v%61ult` },
      { method: 'DELETE', path: `${FOLDER}/${customers}` },
      { method: 'DELETE', path: '/api/v2/tenants/default_tenant/databases/default_database' },
      { method: 'POST', path: '/api/v2/reset' },
      { method: 'POST', path: '/api/v2/reset', headers: { 'x-http-method-override': 'GET' } },
    ],
  },
];

const ROUTES: readonly Attempt[] = [
  {
    name: 'routes that are in no table',
    requests: ({ vault }) =>
      [
        '/openapi.json',
        '/docs',
        '/docs/',
        '/api/v1/collections',
        `/api/v1/collections/${vault}`,
        '/api/v1/reset',
        '/metrics',
        on(vault, 'conditional/get'),
        on(vault, 'get/'),
        `${FOLDER}//${vault}/get`,
        `${FOLDER}/./${vault}/get`,
        `${FOLDER}/x/../${vault}/get`,
        `${FOLDER}/%2e%2e/collections/${vault}/get`,
        `/${on(vault, 'get')}`,
        on(vault, 'g%65t'),
        on(vault, 'GET'),
        `${on(vault, 'get')}?x=1`,
        `${on(vault, 'get')};x`,
        `${on(vault, 'get')}%20`,
        `http://127.0.0.1${on(vault, 'get')}`,
      ].map((path) => post(path, {})),
  },
  {
    name: 'methods that are in no table',
    requests: ({ vault }) =>
      ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'get'].map(
        (method) => ({
          method,
          path: on(vault, 'get'),
          body: '{}',
        }),
      ),
  },
];

const WRITES: readonly Attempt[] = [
  one('upsert over a record of others', 'customers/upsert', {
    ids: ['zebra-id1'],
    embeddings: [[0, 0, 0]],
    metadatas: [{ tenant: 'acme' }],
  }),
  one('update a record of others', 'customers/update', {
    ids: ['zebra-id1'],
    metadatas: [{ tenant: 'acme' }],
  }),
  one('add over a record of others', 'customers/add', {
    ids: ['zebra-id1'],
    embeddings: [[0, 0, 0]],
    metadatas: [{ tenant: 'acme' }],
  }),
  one('add for others', 'customers/add', {
    ids: ['x'],
    embeddings: [[0, 0, 0]],
    metadatas: [{ tenant: 'other' }],
  }),
  one('add for nobody', 'customers/add', { ids: ['x'], embeddings: [[0, 0, 0]] }),
  one('add as a list', 'customers/add', [['x'], [[0, 0, 0]], null, null, [{ tenant: 'other' }]]),
  one('update as a list', 'customers/update', [['zebra-id1'], null, ['gone'], null, null]),
  one(
    'add with the key twice',
    'customers/add',
    '{"ids":["x"],"embeddings":[[0,0,0]],"metadatas":[{"tenant":"acme","ten\\u0061nt":"other"}]}',
  ),
  one(
    'add with members twice',
    'customers/add',
    '{"ids":["x"],"embeddings":[[0,0,0]],"metadatas":[{"tenant":"acme"}],"metadatas":[{"tenant":"other"}]}',
  ),
  one('delete by id', 'customers/delete', { ids: ['zebra-id1', 'zebra-id2'] }),
  one('delete by filter', 'customers/delete', { where: { n: { $gt: 0 } } }),
  one('delete by the opposite', 'customers/delete', { where: { tenant: { $ne: 'acme' } } }),
  one('delete by text', 'customers/delete', { where_document: { $regex: '.*' } }),
  one('write into the vault', 'vault/add', { ids: ['x'], embeddings: [[0, 0, 0]] }),
  one('delete from the vault', 'vault/delete', { ids: ['zebra-v1'] }),
];

const HEADERS: readonly Attempt[] = [
  {
    name: 'two keys',
    requests: ({ vault }) => [post(on(vault, 'get'), {}, { authorization: 'Bearer key-of-free' })],
  },
  {
    name: 'no key',
    requests: ({ vault }) => [post(on(vault, 'get'), {}, { 'x-chroma-token': '' })],
  },
  {
    name: 'a wrong key',
    requests: ({ vault }) => [post(on(vault, 'get'), {}, { 'x-chroma-token': 'key-of-nobody' })],
  },
  {
    name: 'a name for a key',
    requests: ({ vault }) => [post(on(vault, 'get'), {}, { 'x-chroma-token': 'free' })],
  },
];

export const ATTEMPTS: readonly Attempt[] = [
  ...READS,
  ...ORACLES,
  ...NAMES,
  ...ROUTES,
  ...WRITES,
  ...BODIES,
  ...HEADERS,
];
