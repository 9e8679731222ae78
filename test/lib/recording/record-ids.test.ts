import t from 'tap';
import { idsInJson, idsInMessage } from '../../../lib/recording/record-ids.ts';
import { encodeBytes, encodeString, encodeVarint } from '../../../protocols/wire/protobuf.ts';
import { qdrantAnswer } from './exchange-capture.ts';

const message = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

t.test('JSON: Qdrant, Chroma, Milvus', async (t) => {
  t.same(
    idsInJson(
      '{"result":{"points":[{"id":9007199254740993,"payload":{"n":[1]}},{"id":"a-b"}]}}',
      undefined,
    ),
    ['9007199254740993', 'a-b'],
  );
  t.same(idsInJson('{"ids":[["x","y\\u0041"],["z"]],"documents":[["42"]]}', undefined), [
    'x',
    'yA',
    'z',
  ]);
  t.same(idsInJson('{"data":[{"book":7,"distance":0.5}]}', undefined), []);
  t.same(idsInJson('{"data":[{"book":7,"distance":0.5}]}', 'book'), ['7']);
  t.equal(idsInJson('{"data":[', undefined), undefined);
});

t.test('Qdrant messages: every RPC that gives records', async (t) => {
  const point = encodeBytes(1, encodeVarint(1, 42));
  const hits = encodeBytes(2, point);
  const cases: Record<string, Buffer> = {
    Search: qdrantAnswer([42]).subarray(5),
    Get: message(encodeBytes(1, point)),
    QueryBatch: encodeBytes(1, encodeBytes(1, point)),
    // Field 1 is the offset of the next page, which was not seen.
    Scroll: message(encodeBytes(1, encodeVarint(1, 9)), encodeBytes(2, point)),
    QueryGroups: encodeBytes(1, encodeBytes(1, hits)),
    SearchGroups: encodeBytes(1, encodeBytes(1, encodeBytes(3, point))),
    SearchMatrixPairs: encodeBytes(1, encodeBytes(1, encodeBytes(2, encodeVarint(1, 42)))),
    SearchMatrixOffsets: encodeBytes(1, encodeBytes(4, encodeVarint(1, 42))),
  };
  for (const [method, bytes] of Object.entries(cases)) {
    t.same(idsInMessage(`/qdrant.Points/${method}`, bytes), ['42'], method);
  }
  t.same(idsInMessage('/qdrant.Points/Count', encodeBytes(1, encodeVarint(1, 42))), []);
  t.equal(idsInMessage('/qdrant.Points/Get', Buffer.from([0x0a, 0xff])), undefined, 'damaged');
});

t.test('Milvus messages: found by type, whatever the ids are called', async (t) => {
  const numbers = encodeBytes(
    1,
    Buffer.from([42, 65, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
  );
  const search = (ids: Buffer): Buffer => encodeBytes(2, encodeBytes(5, ids));
  const target = '/milvus.proto.milvus.MilvusService';
  t.same(idsInMessage(`${target}/Search`, search(encodeBytes(1, numbers))), ['42', '65', '-1']);
  const texts = message(encodeString(1, 'a'), encodeString(1, 'b'));
  t.same(idsInMessage(`${target}/HybridSearch`, search(encodeBytes(2, texts))), ['a', 'b']);
  const column = (name: string, data: Buffer): Buffer =>
    encodeBytes(2, message(encodeString(2, name), encodeBytes(3, data)));
  const query = message(
    column('age', encodeBytes(3, encodeBytes(1, Buffer.from([7])))),
    column('book', encodeBytes(3, encodeBytes(1, Buffer.from([42])))),
    encodeString(6, 'book'),
  );
  t.same(idsInMessage(`${target}/Query`, query), ['42'], 'not the ages');
});
