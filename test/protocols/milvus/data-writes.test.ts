import t from 'tap';
import { readDelete, readInsert, readUpsert } from '../../../protocols/milvus/data-writes.ts';
import { readMessage } from '../../../protocols/milvus/request-reader.ts';
import type { Restrictions } from '../../../protocols/store.ts';
import { type Message, decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';

const place = {
  effects: ['upsert'],
  names: 'collection_name',
  db: 'db_name',
  otherwise: 'store',
} as const;
const context = { route: 'r', place, database: 'default' };
const acme: Restrictions = {
  filter: [{ field: 'tenant', value: 'acme' }],
  limitMax: undefined,
  hidesVectors: false,
};

const column = (field_name: string, ...data: string[]): Message => ({
  field_name,
  scalars: { string_data: { data } },
});
const dynamic = (...rows: string[]): Message => ({
  field_name: '$meta',
  is_dynamic: true,
  scalars: { json_data: { data: rows } },
});

function insert(num_rows: number, ...fields_data: Message[]): unknown {
  const bytes = encodeMessage('InsertRequest', { collection_name: 'c', num_rows, fields_data });
  return readInsert(readMessage(bytes, 'InsertRequest'), context).restrict(acme);
}

t.test('every row of an insert lies inside the filter', async (t) => {
  t.same(insert(2, column('tenant', 'acme', 'acme')), {});
  t.type(insert(2, column('tenant', 'acme', 'other')), 'string');
  t.type(insert(2, column('tenant', 'acme')), 'string', 'too few values');
  t.type(insert(2, { ...column('tenant', 'acme', 'acme'), valid_data: [true, false] }), 'string');
  t.type(insert(1, column('name', 'acme')), 'string', 'none at all');
  t.type(insert(0, column('name', 'acme')), 'string', 'records that are not counted');
  t.same(insert(0), {}, 'no records');
  t.type(insert(1, column('tenant', 'acme'), column('tenant', 'other')), 'string');
  t.type(insert(1, { field_name: 'tenant', scalars: { long_data: { data: [1] } } }), 'string');
});

t.test('so do rows of the dynamic column', async (t) => {
  t.same(insert(2, dynamic('{"tenant":"acme"}', '{"tenant":"acme","x":1}')), {});
  t.type(insert(2, dynamic('{"tenant":"acme"}', '{}')), 'string');
  t.type(insert(1, dynamic('{"tenant":"other"}')), 'string');
  t.type(insert(1, dynamic('{"tenant":["acme"]}')), 'string');
  t.same(insert(1, column('tenant', 'acme'), dynamic('{}')), {});
  t.type(insert(1, column('tenant', 'acme'), dynamic('{"tenant":"other"}')), 'string');
  t.throws(() => insert(1, dynamic('{"tenant":"acme","tenant":"other"}')), {
    code: 'JSON_DUPLICATE_KEY',
  });
});

t.test('an upsert is refused under a filter only', async (t) => {
  const message = readMessage(
    encodeMessage('UpsertRequest', { collection_name: 'c' }),
    'UpsertRequest',
  );
  t.type(readUpsert(message, context).restrict(acme), 'string');
  t.same(readUpsert(message, context).restrict({ ...acme, filter: [] }), {});
});

t.test('a delete gets the filter, and steers', async (t) => {
  const read = (expr: string) =>
    readDelete(
      readMessage(encodeMessage('DeleteRequest', { collection_name: 'c', expr }), 'DeleteRequest'),
      context,
    );
  const request = read('id in [1] or email == "x"');
  t.same(request.steering, [['id'], ['email']]);
  t.same(request.accesses, [
    { effect: 'upsert', target: { kind: 'collection', path: ['default', 'c'] } },
  ]);
  const restricted = request.restrict(acme);
  if (typeof restricted === 'string' || restricted.body === undefined)
    throw new Error('it was not restricted');
  t.match(decodeMessage('DeleteRequest', restricted.body), {
    collection_name: 'c',
    expr: '(id in [1] or email == "x") and tenant == "acme"',
  });
  t.type(read('').restrict(acme), 'string');
  t.type(read('a) or (b').restrict(acme), 'string');
  t.equal(typeof read('a) or (b').steersAny, 'string');
});
