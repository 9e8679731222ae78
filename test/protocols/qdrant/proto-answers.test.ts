import t from 'tap';

import { encodeBytes, encodeString } from '../../../protocols/wire/protobuf.ts';
import type { JsonObject } from '../../support/qdrant-emulator-filter.ts';
import { fieldMasks, readRpc } from '../../support/qdrant-pipe.ts';
import { askRpc, dense, encodeRpc } from '../../support/qdrant-messages.ts';

const masks = fieldMasks(['email', 'author', 'notes', 'age']);
const SECRET = /@example|555|note of|"(ann|bob|cy|di|ed|flo)"/;
const all = { withPayload: { enable: true } };

t.test('masked fields are masked in every place where they come back', async (t) => {
  const reads: [string, JsonObject][] = [
    ['Get', { ids: [{ num: 1 }], ...all }],
    ['Scroll', all],
    ['Query', { ...all, query: dense(1, 0) }],
    ['QueryBatch', { queryPoints: [{ ...all, query: dense(1, 0) }] }],
    ['Search', { ...all, vector: [1, 0], limit: 3 }],
    ['Recommend', { ...all, positive: [{ num: 1 }], limit: 3 }],
    ['QueryGroups', { ...all, query: dense(1, 0), groupBy: 'email' }],
    ['QueryGroups', { query: dense(1, 0), groupBy: '"author"."name"' }],
    ['Facet', { key: 'email' }],
    ['Facet', { key: 'author.phone' }],
  ];
  for (const [rpc, request] of reads) {
    t.match(askRpc(rpc, request).text, SECRET, `${rpc} has them`);
    const masked = askRpc(rpc, request, { masks }).text;
    t.notMatch(masked, SECRET, rpc);
    t.match(masked, /\*\*\*/, rpc);
  }
});

t.test('texts that hold JSON are masked inside, as in REST', async (t) => {
  const read = readRpc('qdrant.Points/Get', encodeRpc('Get', { ids: [{ num: 1 }], ...all }));
  if (typeof read === 'string') throw new Error(read);
  const some = fieldMasks(['author.phone'], (text) => text.replaceAll('ann@example.com', '@@@'));
  const shown = (text: string): string => {
    const entry = Buffer.concat([encodeString(1, 'author'), encodeBytes(2, encodeString(4, text))]);
    const answer = encodeBytes(1, encodeBytes(2, entry));
    const masked = read.maskAnswer?.(answer, some, { status: 200, headers: [] });
    return masked?.toString('utf8') ?? '';
  };
  t.match(shown('{"phone":"555-0100","n":1}'), '{"phone":"***","n":1}');
  t.match(shown('[{"phone":"555-0100"},"ann@example.com"]'), '[{"phone":"***"},"@@@"]');
  t.match(shown('"{\\"phone\\":\\"555-0100\\"}"'), '***', 'text in text');
  t.match(shown('{"phone" ann@example.com'), '***', 'nearly JSON');
  t.match(shown('{phone} ann@example.com'), '{phone} @@@', 'no JSON');
});

t.test('numbers under a mask go, ids and scores and vectors stay', async (t) => {
  const ordered = askRpc('Scroll', { orderBy: { key: 'age' } }, { masks }).text;
  t.notMatch(ordered, /"int":"2\d"|"integerValue":"2\d"/);
  t.match(ordered, /"nullValue"/);
  t.notMatch(
    askRpc('QueryGroups', { query: dense(1, 0), groupBy: 'age' }, { masks }).text,
    /"(?:integer|unsigned)Value":"2\d"/,
  );
  t.notMatch(askRpc('Facet', { key: 'age' }, { masks }).text, /"integerValue":"2\d"/);
  const request = { query: dense(1, 0), withVectors: { enable: true }, ...all };
  const plain = askRpc('Query', request).answer;
  const masked = askRpc('Query', request, { masks }).answer;
  const rest = (answer: JsonObject): unknown =>
    JSON.parse(JSON.stringify(answer), (key, value: unknown) =>
      key === 'payload' ? undefined : value,
    );
  t.same(rest(masked), rest(plain));
});

t.test(
  'text that no schema knows is taken out of a masked answer, vectors are not entered',
  async (t) => {
    const read = readRpc('qdrant.Points/Query', encodeRpc('Query', { query: dense(1) }));
    if (typeof read === 'string') throw new Error(read);
    const vectors = encodeBytes(6, Buffer.from([0xff, 0xff, 0xff, 0xff]));
    const entry = Buffer.concat([
      encodeBytes(2, encodeString(4, 'ann@example.com')),
      encodeString(1, 'email'),
    ]);
    const point = Buffer.concat([
      vectors,
      encodeBytes(2, entry),
      encodeString(90, 'ann@example.com'),
    ]);
    const head = { status: 200, headers: [] };
    const masked = read.maskAnswer?.(encodeBytes(1, point), masks, head) ?? Buffer.alloc(0);
    t.notOk(masked.includes('ann@example.com'), 'value before key, and a field of a newer server');
    t.ok(masked.includes(vectors), 'bytes that are no message pass where vectors stand');
    const same = encodeBytes(
      1,
      encodeBytes(
        2,
        Buffer.concat([encodeString(1, 'city'), encodeBytes(2, encodeString(4, 'Rome'))]),
      ),
    );
    t.equal(read.maskAnswer?.(same, masks, head), same, 'the same buffer where nothing changes');
    t.throws(() => read.maskAnswer?.(Buffer.from([0x0a, 0x7f, 0x01]), masks, head), {
      name: 'ProtocolError',
    });
  },
);

t.test('detectors look at all texts that have no mask by name', async (t) => {
  const detect = fieldMasks([], (text) => text.replaceAll(/[\w.]+@[\w.]+/g, '[email]'));
  for (const [rpc, request] of [
    ['Query', { ...all, query: dense(1, 0) }],
    ['Facet', { key: 'email' }],
    ['QueryGroups', { query: dense(1, 0), groupBy: 'email' }],
  ] as const) {
    const { text } = askRpc(rpc, request, { masks: detect });
    t.notMatch(text, /@example/, rpc);
    t.match(text, /\[email\]/, rpc);
  }
});
