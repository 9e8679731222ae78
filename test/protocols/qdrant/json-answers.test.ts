import t from 'tap';

import { QdrantEngine } from '../../support/qdrant-emulator-engine.ts';
import type { Json } from '../../support/qdrant-emulator-filter.ts';
import {
  fieldMasks,
  fillCustomers,
  pipeRest,
  readRest,
  resultOf,
} from '../../support/qdrant-pipe.ts';

const engine = new QdrantEngine();
fillCustomers(engine);

const C = '/collections/customers';
const masks = fieldMasks(['email', 'author', 'notes', 'age']);
const SECRET = /@example|555|note of|"(ann|bob|cy|di|ed|flo)"/;
const all = { with_payload: true };

t.test('masked fields are masked in every place where they come back', async (t) => {
  const reads: [string, Json][] = [
    [`GET ${C}/points/1`, ''],
    [`POST ${C}/points`, { ids: [1, 2] }],
    [`POST ${C}/points/scroll`, {}],
    [`POST ${C}/points/query`, { ...all, query: [1, 0] }],
    [`POST ${C}/points/query/batch`, { searches: [{ ...all, query: [1, 0] }] }],
    [`POST ${C}/points/search`, { ...all, vector: [1, 0], limit: 3 }],
    [`POST ${C}/points/search/batch`, { searches: [{ ...all, vector: [1, 0], limit: 3 }] }],
    [`POST ${C}/points/recommend`, { ...all, positive: [1], limit: 3 }],
    [`POST ${C}/points/query/groups`, { ...all, query: [1, 0], group_by: 'email' }],
    [`POST ${C}/points/query/groups`, { query: [1, 0], group_by: 'author.name' }],
    [`POST ${C}/points/query/groups`, { query: [1, 0], group_by: '"author".phone' }],
    [`POST ${C}/facet`, { key: 'email' }],
    [`POST ${C}/facet`, { key: 'author.name' }],
  ];
  for (const [line, body] of reads) {
    t.match(JSON.stringify(resultOf(pipeRest(engine, line, body))), SECRET, `${line} has them`);
    const masked = JSON.stringify(resultOf(pipeRest(engine, line, body, { masks })));
    t.notMatch(masked, SECRET, `${line} ${JSON.stringify(body)}`);
    t.match(masked, /\*\*\*/, line);
  }
});

t.test('order values and numeric groups under a mask are null', async (t) => {
  const ordered = resultOf(
    pipeRest(engine, `POST ${C}/points/scroll`, { order_by: 'age' }, { masks }),
  );
  t.match(JSON.stringify(ordered), /"order_value":null/);
  t.notMatch(JSON.stringify(ordered), /"order_value":2\d|"age":2\d/);
  const groups = { query: [1, 0], group_by: 'age' };
  t.notMatch(
    JSON.stringify(resultOf(pipeRest(engine, `POST ${C}/points/query/groups`, groups, { masks }))),
    /"id":2\d/,
  );
  const facet = pipeRest(engine, `POST ${C}/facet`, { key: 'age' }, { masks });
  t.notMatch(JSON.stringify(resultOf(facet)), /"value":2\d/);
});

t.test('ids, scores and vectors keep every byte', async (t) => {
  const read = readRest(`POST ${C}/points/query`, { query: [1], with_payload: true });
  if (typeof read === 'string') throw new Error(read);
  const answer = (email: string): string =>
    `{"result":{"points":[{"id":9007199254740993,"version":3,"score":-0.0,"payload":{"email":${email},"n":1.0,"big":1E400},"vector":{"v":[0.1000, 1e-7],"s":{"indices":[1],"values":[-0.0]}}}]}, "status":"ok","time":1.50e-3}`;
  const body = Buffer.from(answer('"ann@example.com"'));
  const head = { status: 200, headers: [] };
  t.equal(read.maskAnswer?.(body, masks, head).toString(), answer('"***"'));
  t.equal(
    read.maskAnswer?.(body, fieldMasks(['other']), head),
    body,
    'the same buffer where nothing changes',
  );
  const escaped = Buffer.from('{"result":{"points":[{"payload":{"em\\u0061il":"x"}}]}}');
  t.equal(
    read.maskAnswer?.(escaped, masks, head).toString(),
    '{"result":{"points":[{"payload":{"em\\u0061il":"***"}}]}}',
  );
  t.throws(() => read.maskAnswer?.(Buffer.from('{"result":'), masks, head), {
    name: 'ProtocolError',
  });
});

t.test('errors pass, texts in them under the detectors', async (t) => {
  const read = readRest(`POST ${C}/points/query`, { query: [1] });
  if (typeof read === 'string') throw new Error(read);
  const detect = fieldMasks([], (text) => text.replaceAll('ann@example.com', '[email]'));
  const error = Buffer.from('{"status":{"error":"Wrong input: ann@example.com"},"time":0.0}');
  t.match(read.maskAnswer?.(error, detect, { status: 400, headers: [] }).toString(), /\[email\]/);
  const plain = Buffer.from('Payload too large');
  t.equal(read.maskAnswer?.(plain, masks, { status: 413, headers: [] }), plain);
  const quoting = Buffer.from('Got: ann@example.com');
  t.equal(
    read.maskAnswer?.(quoting, detect, { status: 400, headers: [] }).toString(),
    'Got: [email]',
    'an error that is only text',
  );
  const newer = Buffer.from(
    '{"result":{"points":[{"id":"ann@example.com","snippet":"ann@example.com"}]}}',
  );
  t.equal(
    read.maskAnswer?.(newer, detect, { status: 200, headers: [] }).toString(),
    '{"result":{"points":[{"id":"ann@example.com","snippet":"[email]"}]}}',
    'a member that this version does not know',
  );
});

t.test(
  'archives and logs are withheld where masks are in force, and may steer by anything',
  async (t) => {
    for (const line of [
      `GET ${C}/snapshots/x.snapshot`,
      'GET /snapshots/x',
      `GET ${C}/shards/0/snapshot`,
      'GET /profiler/slow_requests',
      'POST /audit/logs',
    ]) {
      const read = readRest(line);
      if (typeof read === 'string') throw new Error(`${line}: ${read}`);
      t.type(read.steersAny, 'string', line);
      t.throws(() => read.maskAnswer?.(Buffer.from('x'), masks, { status: 200, headers: [] }), {
        code: 'QDRANT_UNMASKABLE',
      });
    }
  },
);

t.test('metadata of a collection is masked like a payload', async (t) => {
  const read = readRest(`GET ${C}`);
  if (typeof read === 'string') throw new Error(read);
  const body = Buffer.from(
    '{"result":{"config":{"metadata":{"email":"ann@example.com"}},"payload_schema":{"email":{"data_type":"keyword"}}}}',
  );
  t.equal(
    read.maskAnswer?.(body, masks, { status: 200, headers: [] }).toString(),
    body.toString().replace('ann@example.com', '***'),
  );
});
