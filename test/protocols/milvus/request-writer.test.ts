import t from 'tap';
import { milvus } from '../../../protocols/milvus/index.ts';
import { withService, writeRequest } from '../../../protocols/milvus/request-writer.ts';
import { decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';

const write = (rpc: string, message: object | string): Buffer | string =>
  writeRequest(rpc, typeof message === 'string' ? message : JSON.stringify(message));

t.test('a request is what its fields say', async (t) => {
  const query = {
    collection_name: 'customers',
    output_fields: ['a', 'b'],
    base: { msg_type: 500 },
    not_return_all_meta: true,
  };
  t.same(write('x.Service/Query', query), encodeMessage('QueryRequest', query));
  const pairs = { query_params: { limit: 5, params: { ef: 1 }, x: 'y' } };
  const written = write('Query', pairs);
  t.same(decodeMessage('QueryRequest', Buffer.isBuffer(written) ? written : Buffer.of(0)), {
    query_params: [
      { key: 'limit', value: '5' },
      { key: 'params', value: '{"ef":1}' },
      { key: 'x', value: 'y' },
    ],
  });
});

t.test('maps, numbers of every kind, and lists of them', async (t) => {
  const text =
    '{"expr_template_values":{"a":{"int64_val":9007199254740993},"b":{"float_val":-1.5}}}';
  const values = encodeMessage('QueryRequest', {
    expr_template_values: {
      a: { int64_val: 9_007_199_254_740_993n },
      b: { float_val: -1.5 },
    },
  });
  t.same(write('Query', text), values);
  const ids = write('BatchDescribeCollection', '{"collectionID":[1, 9007199254740993]}');
  const known = decodeMessage('BatchDescribeCollectionRequest', Buffer.from(ids));
  t.same(known, { collectionID: ['1', '9007199254740993'] });
  const vector = '{"fields_data":[{"vectors":{"dim":2,"float_vector":{"data":[0.5,2]}}}]}';
  const inserted = decodeMessage('InsertRequest', Buffer.from(write('Insert', vector)));
  t.match(inserted, { fields_data: [{ vectors: { dim: '2' } }] });
  t.match(JSON.stringify(inserted), /\[0\.5,2\]|0\.5/);
  t.same(write('Search', '{"placeholder_group":"CgA="}'), Buffer.of(0x32, 2, 0x0a, 0));
});

t.test('what is no such request is told', async (t) => {
  t.match(write('Query', { collectionName: 'c' }), /no field "collectionName"; it has .*expr/);
  t.match(write('Query', { expr: 5 }), /expr takes a text/);
  t.match(write('Search', { nq: 'x' }), /nq takes a number/);
  t.match(write('Search', { nq: 1.5 }), /nq takes a whole number/);
  t.match(write('Query', { output_fields: 'a' }), /output_fields takes a list/);
  t.match(write('Query', { base: 5 }), /MsgBase takes an object/);
  t.match(write('Query', '{"expr":'), /JSON/);
  t.match(write('Nothing', {}), /no message/);
});

t.test('`weir explain` takes them by the name of the RPC alone', async (t) => {
  t.equal(
    withService('POST /v2/vectordb/entities/query {}'),
    'POST /v2/vectordb/entities/query {}',
  );
  t.match(milvus.readCall?.('Query {"collection_name":"c","expr":"email > 1"}'), {
    route: 'milvus.proto.milvus.MilvusService/Query',
    accesses: [{ effect: 'read', target: { path: ['default', 'c'] } }],
    steering: [['email']],
  });
  t.match(milvus.readCall?.('Query hex:1a0163'), {
    accesses: [{ target: { path: ['default', 'c'] } }],
  });
  t.match(milvus.readCall?.('RenameCollection {"oldName":"a","newName":"b"}'), {
    carries: /another name/,
  });
  t.match(milvus.readCall?.('Query {"skip_rls":true}'), /no field "skip_rls"/);
});
