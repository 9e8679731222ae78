import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createExchangeView } from '../../../lib/recording/exchange-view.ts';
import { playBack } from '../../../lib/recording/playback.ts';
import { createJsonFormat } from '../../../lib/recording/playback-data.ts';
import { createTextFormat } from '../../../lib/recording/playback-text.ts';
import { openRecording } from '../../../lib/recording/reader.ts';
import { summariseSession } from '../../../lib/recording/summary.ts';
import type { ViewEvent } from '../../../lib/recording/view.ts';
import { newSession } from '../../conformance/exchanges.ts';
import { storeScripts } from '../../conformance/store-scripts.ts';
import { playEvents } from '../../support/play.ts';
import { encodeBodyHead, encodeCancel } from '../../../protocols/wire/exchange-record.ts';
import {
  type Capture,
  exchangeSteps,
  GRPC_HEADERS,
  qdrantAnswer,
  qdrantQuery,
} from './exchange-capture.ts';
import { recordSession, type Step } from './session-fixture.ts';

const VECTOR = Array.from({ length: 768 }, (_, index) => index / 8);
const QUERY: Capture = {
  exchange: 1,
  line: 'POST /collections/people/points/query',
  headers: [
    ['api-key', 'secret'],
    ['content-type', 'application/json'],
    ['user-agent', 'qdrant-js'],
  ],
  body: JSON.stringify({ query: VECTOR, limit: 3 }),
  note: {
    principal: 'ann',
    route: 'POST /collections/{c}/points/query',
    objects: ['qdrant:people'],
    masked: ['email'],
  },
  answer: '{"result":{"points":[{"id":9007199254740993,"score":-0.0,"payload":{"email":"***"}}]}}',
};

function view(steps: readonly Step[], size = Number.POSITIVE_INFINITY): ViewEvent[] {
  const all = createExchangeView();
  return steps.flatMap((one) => {
    if (!('bytes' in one)) return [];
    const events: ViewEvent[] = [];
    for (let at = 0; at < one.bytes.length; at += size) {
      events.push(...all.push(one.from, one.bytes.subarray(at, at + size), one.by));
    }
    return events;
  });
}

async function show(t: Test, steps: readonly Step[], format: 'text' | 'json'): Promise<string> {
  const { path } = await recordSession(t, steps, {
    header: { protocol: 'qdrant', connection: 'qdrant' },
    reason: 'client closed',
  });
  const recording = await openRecording(path);
  const options = { hasColour: false, rowsMax: 10 };
  const { header } = recording;
  const shown = format === 'text' ? createTextFormat(header, options) : createJsonFormat(header);
  let text = shown.begin();
  for await (const event of playBack(recording)) text += shown.show(event);
  return text;
}

t.test('requests and answers, however the bytes were cut', async (t) => {
  const steps = exchangeSteps(QUERY);
  const events = view(steps);
  t.match(events, [
    {
      event: 'request',
      from: 'client',
      exchange: 1,
      method: 'POST',
      target: '/collections/people/points/query',
      headers: [['api-key', '(not recorded)']],
    },
    { event: 'body', from: 'client', format: 'json', text: QUERY.body },
    { event: 'end', from: 'client', trailers: [] },
    { event: 'answer', from: 'server', status: 200 },
    { event: 'body', from: 'server', format: 'json', text: QUERY.answer },
    { event: 'end', from: 'server' },
  ]);
  t.same(view(steps, 1), events, 'byte by byte');
  t.same(view(steps, 7), events);
});

t.test('on a screen: vectors in short, numbers as they were, who was allowed what', async (t) => {
  const text = await show(t, exchangeSteps(QUERY), 'text');
  t.match(text, 'client> #1 POST /collections/people/points/query\n');
  t.match(text, '"query": [0, 0.125, ... 768 numbers]');
  t.match(
    text,
    '#1 allowed for ann: POST /collections/{c}/points/query on qdrant:people, masked: email',
  );
  t.match(text, '"id": 9007199254740993, "score": -0.0');
  t.match(text, '#1 answer 200\n');
  t.notMatch(text, 'secret');
  const lines = text.split('\n').map((line) => line.length);
  t.ok(Math.max(...lines) < 160, 'no endless lines');
});

t.test('for programs: all of it', async (t) => {
  const lines = (await show(t, exchangeSteps(QUERY), 'json')).trim().split('\n');
  const events = lines.map((line): Record<string, unknown> => JSON.parse(line));
  const bodies = events.filter(({ event }) => event === 'body').map(({ text }) => text);
  t.same(bodies, [QUERY.body, QUERY.answer]);
});

const RPC: Capture = {
  exchange: 2,
  line: 'POST /qdrant.Points/Query',
  headers: GRPC_HEADERS,
  body: qdrantQuery('people', VECTOR),
  answerHeaders: GRPC_HEADERS,
  answer: qdrantAnswer([42, '7a1c0000-0000-4000-8000-000000000000']),
  trailers: [['grpc-status', '0']],
};

t.test('gRPC messages as fields', async (t) => {
  const steps = exchangeSteps(RPC);
  const events = view(steps).filter(({ event }) => event === 'grpc-message');
  t.match(events, [
    {
      from: 'client',
      fields: [
        { field: 1, type: 'text', value: 'people' },
        { field: 3, type: 'message', value: [{ field: 1, type: 'floats', value: VECTOR }] },
      ],
    },
    {
      from: 'server',
      fields: [
        { field: 1, value: [{ field: 1, value: [{ type: 'number', value: '42' }] }, { field: 2 }] },
        { field: 1, type: 'message' },
      ],
    },
  ]);
  t.same(view(steps, 3), view(steps));
  const text = await show(t, steps, 'text');
  t.match(text, '#2 request: {1: "people", 3: {1: [0, 0.125, ... 768 numbers]}}');
  t.match(text, '{1: 42}');
  t.match(text, '#2 grpc-status: 0\n');
});

t.test('refusals of gRPC and REST, in words', async (t) => {
  const refused: Capture = {
    ...RPC,
    answer: '',
    by: 'gateway',
    note: { outcome: 'block', rule: 'no-search', reason: 'search on qdrant:people is not allowed' },
    trailers: [
      ['grpc-status', '7'],
      ['grpc-message', 'denied: 100%25'],
    ],
  };
  const text = await show(t, exchangeSteps(refused), 'text');
  t.match(text, '#2 request BLOCKED by rule "no-search": search on qdrant:people is not allowed');
  t.match(text, '#2 grpc-status: 7, grpc-message: denied: 100% (from Weir)');
});

t.test('compressed bodies are read, and said to be binary where they cannot be', async (t) => {
  const headers = [...(QUERY.headers ?? []), ['content-encoding', 'gzip'] as const];
  const zipped = view(exchangeSteps({ ...QUERY, headers, body: gzipSync('{"a":1}') }));
  t.match(zipped[1], { event: 'body', format: 'json', text: '{"a":1}' });
  const broken = view(exchangeSteps({ ...QUERY, headers, body: '{"a":1}' }));
  t.match(broken[1], { event: 'body', format: 'binary', text: '\\x7b2261223a317d' });
});

t.test('what drives a terminal is shown, not done', async (t) => {
  const text = await show(
    t,
    exchangeSteps({ ...QUERY, line: 'POST /\x1b[2J', answer: '{"a":"\x1b]0;x\x07\u202e"}' }),
    'text',
  );
  for (const unsafe of ['\x1b', '\x07', '\u202e']) t.notOk(text.includes(unsafe));
});

t.test('endless bodies, exchanges without an end and damage are bounded', async (t) => {
  const all = createExchangeView();
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  for (let round = 0; round < 80; round += 1) {
    all.push('client', encodeBodyHead(1 + (round % 8), piece.length), undefined);
    all.push('client', piece, undefined);
  }
  t.ok(all.heldSize <= 64 * 1024 * 1024, `${all.heldSize} bytes held`);
  const end = all.push('client', encodeCancel(1, { code: 8, reason: 'gone' }), undefined);
  t.match(end, [{ event: 'body' }, { event: 'cancelled', code: 8, reason: 'gone' }]);
  const damage = all.push('server', Buffer.alloc(20, 0xff), undefined);
  t.match(damage, [{ event: 'out-of-step' }]);
  t.equal(damage.length, 1);
});

t.test('a summary counts requests', async (t) => {
  const { path } = await recordSession(
    t,
    [...exchangeSteps(QUERY), ...exchangeSteps(RPC, 50_000)],
    { header: { protocol: 'qdrant' }, reason: 'client closed' },
  );
  t.match(await summariseSession(await openRecording(path)), { statements: 2, state: 'ended' });
});

t.test(
  'what sessions record of each product can be shown, and holds no key and no masked value',
  async (t) => {
    for (const script of storeScripts) {
      const commands = playEvents(newSession(script), script.events, script.decide);
      const steps = commands.flatMap((one, at): Step[] => {
        if (one.kind !== 'record') return [];
        const { from, bytes, by } = one;
        return [by === undefined ? { at, from, bytes } : { at, from, bytes, by }];
      });
      const events = view(steps);
      const asked = script.events.filter(({ kind }) => kind === 'request').length;
      const name = `${script.protocol.name}, ${script.name}`;
      t.equal(events.filter(({ event }) => event === 'request').length, asked, name);
      t.equal(events.filter(({ event }) => event === 'answer').length, asked, `${name}: answers`);
      t.same(
        events.filter(({ event }) => event === 'out-of-step'),
        [],
        `${name}: nothing is lost`,
      );
      const text = await show(t, steps, 'text');
      t.match(text, '***', `${name}: what is masked is there`);
      for (const secret of script.secrets) t.notOk(text.includes(secret), `${name}: ${secret}`);
    }
  },
);

t.test('exchanges that were broken off leave nothing behind', async (t) => {
  const all = createExchangeView();
  for (let exchange = 1; exchange <= 3; exchange += 1) {
    const steps = exchangeSteps({ ...QUERY, exchange }).slice(0, -1);
    for (const one of steps) if ('bytes' in one) all.push(one.from, one.bytes, one.by);
    t.ok(all.heldSize > 0);
    const told = all.push('client', encodeCancel(exchange, { code: 8, reason: 'gone' }), undefined);
    t.match(told, [{ event: 'body', from: 'server', exchange }, { event: 'cancelled' }]);
    t.equal(all.heldSize, 0);
  }
});
