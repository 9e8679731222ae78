import t from 'tap';
import { encodeBytes, encodeString, encodeVarint } from '../../../protocols/wire/protobuf.ts';
import {
  messagesOf,
  numberOf,
  pairsOf,
  readMessage,
  textOf,
  textsOf,
} from '../../../protocols/milvus/request-reader.ts';
import { accessesAt } from '../../../protocols/milvus/names.ts';
import { encodeMessage, type Message } from '../../support/milvus-codec.ts';

const query = encodeMessage('QueryRequest', {
  base: { msg_type: 500 },
  collection_name: 'c',
  output_fields: ['a', 'b'],
  query_params: [{ key: 'limit', value: '5' }],
  expr_template_values: { x: { array_val: { string_data: { data: ['1'] } } } },
});

t.test('fields by their names', async (t) => {
  const message = readMessage(query, 'QueryRequest');
  t.equal(textOf(message, 'collection_name'), 'c');
  t.equal(textOf(message, 'db_name'), '', 'what did not come is empty');
  t.same(textsOf(message, 'output_fields'), ['a', 'b']);
  t.same([...pairsOf(message, 'query_params')], [['limit', '5']]);
  t.equal(numberOf(messagesOf(message, 'base')[0] ?? message, 'msg_type'), 500);
});

t.test('what the descriptors do not have is an error, at any depth', async (t) => {
  const read =
    (...more: Buffer[]) =>
    () =>
      readMessage(Buffer.concat([query, ...more]), 'QueryRequest');
  t.throws(read(encodeVarint(16, 1)), { code: 'MILVUS_UNKNOWN_FIELD' }, 'skip_rls');
  t.throws(read(encodeString(17, 'x')), { code: 'MILVUS_UNKNOWN_FIELD' });
  t.throws(read(encodeBytes(9, encodeString(3, 'x'))), { code: 'MILVUS_UNKNOWN_FIELD' });
  t.throws(read(encodeBytes(13, encodeBytes(2, encodeString(9, 'x')))), {
    code: 'MILVUS_UNKNOWN_FIELD',
  });
  t.throws(read(encodeBytes(13, encodeString(3, 'x'))), { code: 'PROTO_MAP_ENTRY' });
  t.throws(read(encodeString(3, 'other')), { code: 'MILVUS_FIELD_TWICE' });
  t.throws(read(encodeVarint(4, 1)), { code: 'PROTO_WIRE_TYPE' });
  t.throws(read(Buffer.from([0x0b])), { code: 'PROTO_WIRE_TYPE' }, 'a group');
  t.throws(read(Buffer.from([0x32, 0x05, 0x61])), { code: 'PROTO_TRUNCATED' });
});

t.test('of a choice only one may come, at any depth', async (t) => {
  const both = (type: string, message: Message) => () =>
    readMessage(encodeMessage(type, message), type);
  const search = { placeholder_group: Buffer.of(0x0a, 0), ids: { int_id: { data: [1] } } };
  t.throws(both('SearchRequest', search), { code: 'MILVUS_CHOICE' });
  const scalars = { string_data: { data: ['acme'] }, bytes_data: { data: ['x'] } };
  const fields_data = [{ field_name: 'tenant', scalars }];
  t.throws(both('InsertRequest', { fields_data }), { code: 'MILVUS_CHOICE' });
  const vectors = { dim: 1, float_vector: { data: [1] } };
  const two = [{ field_name: 'tenant', vectors, scalars: { string_data: { data: ['acme'] } } }];
  t.throws(both('InsertRequest', { fields_data: two }), { code: 'MILVUS_CHOICE' });
  t.ok(both('InsertRequest', { fields_data: [{ field_name: 'v', vectors }] })());
  const val = { string_val: 'a', int64_val: 1 };
  t.throws(both('QueryRequest', { expr_template_values: { x: val } }), { code: 'MILVUS_CHOICE' });
});

t.test('a list may be packed or not, or both', async (t) => {
  const inside = Buffer.concat([encodeVarint(3, 7), encodeBytes(3, Buffer.of(8, 9))]);
  t.equal(readMessage(inside, 'BatchDescribeCollectionRequest').fields.get(3)?.length, 2);
  const broken = encodeBytes(3, Buffer.of(0x80));
  const place = { effects: ['describe'], ids: 'collectionID', otherwise: 'store' } as const;
  const ids = (bytes: Buffer) =>
    accessesAt(place, readMessage(bytes, 'BatchDescribeCollectionRequest'), 'default').map(
      ({ target }) => target?.path[1],
    );
  t.same(ids(inside), ['7', '8', '9']);
  t.throws(() => ids(broken), { code: 'PROTO_TRUNCATED' });
});

t.test('texts are UTF-8, in keys of parameters too', async (t) => {
  const bad = Buffer.of(0xc3, 0x28);
  const name = readMessage(encodeBytes(3, bad), 'QueryRequest');
  t.throws(() => textOf(name, 'collection_name'), { code: 'PROTO_UTF8' });
  const pair = readMessage(encodeBytes(9, encodeBytes(1, bad)), 'QueryRequest');
  t.throws(() => pairsOf(pair, 'query_params'), { code: 'PROTO_UTF8' });
});

t.test('a parameter that comes twice is an error', async (t) => {
  const twice = encodeMessage('QueryRequest', {
    query_params: [
      { key: 'limit', value: '1' },
      { key: 'limit', value: '2' },
    ],
  });
  t.throws(() => pairsOf(readMessage(twice, 'QueryRequest'), 'query_params'), {
    code: 'MILVUS_PARAMETER_TWICE',
  });
});
