import t from 'tap';
import type { StoreAccess } from '../../../protocols/store.ts';
import {
  ACME,
  BY_ID,
  COLLECTION,
  COLLECTIONS,
  readChroma,
  restrictedBody,
} from '../../support/chroma-requests.ts';
import { DATABASE, TENANT } from '../../support/chroma-server.ts';

const T = '/api/v2/tenants';

/** `drop collection t/d/name`, one for each access. */
function accessesOf(method: string, target: string, body: unknown = ''): string[] {
  return readChroma(method, target, body).accesses.map(describe);
}

function describe({ effect, target }: StoreAccess): string {
  return target === undefined ? effect : `${effect} ${target.kind} ${target.path.join('/')}`;
}

const own = (name: string): string => `collection ${TENANT}/${DATABASE}/${name}`;
const byId = `id ${BY_ID.path.join('/')}`;

t.test('what concerns no data has no accesses and streams through', async (t) => {
  for (const path of [
    '',
    '/heartbeat',
    '/healthcheck',
    '/version',
    '/pre-flight-checks',
    '/auth/identity',
  ]) {
    const request = readChroma('GET', `/api/v2${path}`);
    t.same(request.accesses, [], path);
    t.equal(request.maskAnswer, undefined);
  }
});

t.test('tenants, databases and collections are named with all their parts', async (t) => {
  t.same(accessesOf('POST', T, { name: 'acme' }), ['create container acme']);
  t.same(accessesOf('GET', `${T}/acme`), ['describe container acme']);
  t.same(accessesOf('PATCH', `${T}/acme`, { resource_name: 'r' }), ['alter container acme']);
  t.same(accessesOf('GET', `${T}/acme/databases`), ['describe container acme']);
  t.same(accessesOf('POST', `${T}/acme/databases`, { name: 'docs' }), [
    'create container acme/docs',
  ]);
  t.same(accessesOf('GET', `${T}/acme/databases/docs`), ['describe container acme/docs']);
  t.same(accessesOf('DELETE', `${T}/acme/databases/docs`), ['drop container acme/docs']);
  t.same(accessesOf('GET', `${T}/acme/databases/docs/collections_count`), [
    'describe container acme/docs',
  ]);
  t.same(accessesOf('GET', COLLECTIONS), [`describe container ${TENANT}/${DATABASE}`]);
  t.same(accessesOf('GET', `${COLLECTIONS}/a%2Fb`), [`describe ${own('a/b')}`]);
  t.same(accessesOf('GET', `${COLLECTIONS}/by-id/${BY_ID.path[2].toUpperCase()}`), [
    `describe ${byId}`,
  ]);
  t.same(accessesOf('GET', '/api/v2/collections/r:d:c'), ['describe id r:d:c']);
  t.same(accessesOf('DELETE', `${COLLECTIONS}/customers`), [`drop ${own('customers')}`]);
  t.same(accessesOf('POST', '/api/v2/reset'), ['drop', 'admin']);
});

t.test('second names in one request count', async (t) => {
  t.same(accessesOf('POST', COLLECTIONS, { name: 'a' }), [`create ${own('a')}`]);
  const both = accessesOf('POST', COLLECTIONS, { name: 'a', get_or_create: true });
  t.same(both, [`create ${own('a')}`, `describe ${own('a')}`]);
  t.same(accessesOf('PUT', COLLECTION, { new_metadata: { a: 1 } }), [`alter ${byId}`]);
  const renamed = [
    `alter ${byId}`,
    `read ${byId}`,
    `export ${byId}`,
    `create ${own('b')}`,
    `upsert ${own('b')}`,
  ];
  t.same(
    accessesOf('PUT', COLLECTION, { new_name: 'b' }),
    renamed,
    'it may be read under the new name',
  );
  const fork = [`read ${byId}`, `export ${byId}`, `create ${own('b')}`, `upsert ${own('b')}`];
  t.same(accessesOf('POST', `${COLLECTION}/fork`, { new_name: 'b' }), fork);
  const attach = { name: 'f', function_id: 'x', output_collection: 'out' };
  const attached = accessesOf('POST', `${COLLECTION}/functions/attach`, attach);
  t.ok(attached.includes(`upsert ${own('out')}`) && attached.includes(`export ${byId}`));
  const detach = `${COLLECTION}/attached_functions/f/detach`;
  t.same(accessesOf('POST', detach, {}), [`alter ${byId}`]);
  t.same(accessesOf('POST', detach, { delete_output: true }), [`alter ${byId}`, 'drop']);
});

t.test('what carries records to another name says so', async (t) => {
  const carries = (method: string, target: string, body: unknown): boolean =>
    readChroma(method, target, body).carries !== undefined;
  t.ok(carries('POST', `${COLLECTION}/fork`, { new_name: 'b' }));
  t.ok(carries('PUT', COLLECTION, { new_name: 'b' }));
  t.ok(carries('POST', `${COLLECTION}/functions/attach`, { name: 'f', output_collection: 'o' }));
  t.notOk(carries('PUT', COLLECTION, { new_metadata: {} }));
});

t.test('what changes names says so', async (t) => {
  const changes = (method: string, target: string, body: unknown = ''): boolean =>
    readChroma(method, target, body).changesNames === true;
  t.ok(changes('POST', COLLECTIONS, { name: 'a' }));
  t.ok(changes('PUT', COLLECTION, { new_name: 'b' }));
  t.ok(changes('DELETE', `${COLLECTIONS}/a`));
  t.ok(changes('POST', '/api/v2/reset'));
  t.notOk(changes('GET', COLLECTIONS));
});

t.test('bodies that name nothing, or name it twice, are refused', async (t) => {
  t.throws(() => readChroma('POST', COLLECTIONS, {}), { code: 'CHROMA_BODY' });
  t.throws(() => readChroma('POST', COLLECTIONS, ['a', null, null, null, true]), {
    code: 'CHROMA_BODY',
  });
  t.throws(() => readChroma('POST', COLLECTIONS, '{"name":"a","name":"b"}'), {
    code: 'JSON_DUPLICATE_KEY',
  });
  t.throws(() => readChroma('PUT', COLLECTION, { new_name: 1 }), { code: 'CHROMA_BODY' });
  t.throws(() => readChroma('POST', `${COLLECTIONS}/customers/fork`, { new_name: 'b' }), {
    code: 'CHROMA_UUID',
  });
});

t.test('what reaches the records of others cannot go on under a filter', async (t) => {
  const under = (method: string, target: string, body: unknown = ''): string | undefined =>
    restrictedBody(readChroma(method, target, body), { filter: ACME });
  const refused: [string, string, unknown?][] = [
    ['DELETE', `${COLLECTIONS}/a`],
    ['DELETE', `${T}/acme/databases/docs`],
    ['POST', '/api/v2/reset'],
    ['POST', `${COLLECTION}/fork`, { new_name: 'b' }],
    ['PUT', COLLECTION, { new_name: 'b' }],
    ['GET', `${COLLECTION}/count`],
    ['GET', `${COLLECTION}/indexing_status`],
    ['POST', `${COLLECTION}/functions/attach`, { name: 'f', output_collection: 'o' }],
  ];
  for (const [method, target, body] of refused)
    t.match(under(method, target, body), /^refused: a rule/, target);
  t.equal(under('GET', COLLECTIONS), undefined);
  t.equal(under('POST', COLLECTIONS, { name: 'a' }), undefined);
  t.equal(restrictedBody(readChroma('GET', `${COLLECTION}/count`), { limitMax: 5 }), undefined);
});
