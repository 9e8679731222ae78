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
import { encodeMessage } from '../../support/milvus-codec.ts';

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
