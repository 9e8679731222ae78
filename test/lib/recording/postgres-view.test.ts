import fc from 'fast-check';
import t from 'tap';
import { createPostgresView } from '../../../lib/recording/postgres-view.ts';
import type { ViewEvent } from '../../../lib/recording/view.ts';
import type { Side } from '../../../protocols/contract.ts';
import {
  bind,
  complete,
  dataRow,
  describe,
  errorResponse,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  ready,
  rowDescription,
  SSL_REQUEST,
  shopSession,
  startup,
  SYNC,
  text,
  untyped,
} from './session-fixture.ts';

type Chunk = readonly [Side, Buffer];

function view(chunks: readonly Chunk[]): ViewEvent[] {
  const viewer = createPostgresView();
  return chunks.flatMap(([from, bytes]) => viewer.push(from, bytes, undefined));
}

const START: readonly Chunk[] = [['client', startup({ user: 'alice', database: 'shop' })]];

function afterStart(...chunks: Chunk[]): ViewEvent[] {
  return view([...START, ...chunks]).slice(1);
}

t.test('the messages before the start-up, and their one-byte replies (PG-1, PG-2)', async (t) => {
  t.match(
    view([
      ['client', untyped(80877104)],
      ['server', Buffer.from('N')],
      ['client', SSL_REQUEST],
      ['server', Buffer.from('S')],
      ['client', startup({ user: 'alice' })],
      ['server', message('S', 'server_version', '18.1')],
    ]),
    [
      { event: 'gssenc-request' },
      { event: 'negotiation-reply', reply: 'N' },
      { event: 'ssl-request' },
      { event: 'negotiation-reply', reply: 'S' },
      { event: 'startup', protocol: '3.0', parameters: { user: 'alice' } },
      { event: 'parameter', name: 'server_version', value: '18.1' },
    ],
  );
  t.match(view([['client', untyped(80877102, int32(1), int32(2))]]), [{ event: 'cancel-request' }]);
});

t.test('credentials and cancel keys are never shown (GW-16)', async (t) => {
  const events = afterStart(
    ['client', message('p', 'SCRAM-SHA-256', 'n,,n=,r=nonce')],
    ['server', message('K', int32(7), int32(0x5ec7e7))],
  );
  t.same(events, [
    { event: 'credential', size: 28, from: 'client' },
    { event: 'cancel-key', from: 'server' },
  ]);
});

t.test('every message has a readable form', async (t) => {
  const cases: readonly [Side, Buffer, object][] = [
    ['client', query('SELECT 1'), { event: 'query', text: 'SELECT 1' }],
    ['client', parse('s', 'SELECT $1'), { event: 'parse', statement: 's', text: 'SELECT $1' }],
    ['client', bind('p', 's', ['a', null]), { event: 'bind', parameters: ['a', null] }],
    ['client', describe('S', 's'), { event: 'describe', target: 'statement', name: 's' }],
    ['client', execute('q', 5), { event: 'execute', portal: 'q', rowsMax: 5 }],
    ['client', message('C', Buffer.from('P'), 'p'), { event: 'close', target: 'portal' }],
    ['client', SYNC, { event: 'sync' }],
    ['client', message('H'), { event: 'flush' }],
    ['client', message('d', Buffer.from('1\ta\n')), { event: 'copy-data', text: '1\ta\n' }],
    ['client', message('d', Buffer.from([1, 0])), { event: 'copy-data', text: '\\x0100' }],
    ['client', message('c'), { event: 'copy-done' }],
    ['client', message('f', 'no'), { event: 'copy-fail', message: 'no' }],
    ['client', message('F', int32(952), int16(0)), { event: 'function-call', routine: 952 }],
    ['client', message('X'), { event: 'terminate' }],
    ['client', message('?', 'x'), { event: 'unknown', type: '?', size: 2 }],
    ['client', message('E'), { event: 'unreadable', type: 'E' }],
    ['server', message('R', int32(10)), { event: 'authentication', method: 'sasl' }],
    ['server', message('v', int32(0x0003_0002), int32(0)), { protocol: '3.2' }],
    ['server', complete('INSERT 0 1'), { event: 'complete', tag: 'INSERT 0 1' }],
    ['server', message('I'), { event: 'empty-query' }],
    ['server', message('s'), { event: 'suspended' }],
    ['server', message('1'), { event: 'acknowledgement', of: 'parse' }],
    ['server', ready('T'), { event: 'ready', status: 'transaction' }],
    [
      'server',
      errorResponse({ S: 'ERROR', C: '42P01', M: 'no table', H: 'look', P: '8' }),
      { event: 'error', code: '42P01', message: 'no table', hint: 'look', position: '8' },
    ],
    ['server', message('N', text('MNote'), Buffer.alloc(1)), { event: 'notice', message: 'Note' }],
    ['server', message('G', Buffer.alloc(1), int16(3)), { event: 'copy-start', direction: 'in' }],
    ['server', message('A', int32(1), 'jobs', 'go'), { channel: 'jobs', payload: 'go' }],
    ['server', message('V', int32(-1)), { event: 'function-result', value: null }],
  ];
  for (const [from, bytes, expected] of cases) {
    const events = afterStart([from, bytes]);
    t.equal(events.length, 1);
    t.match(events[0], { from, ...expected });
  }
});

t.test(
  'binary values are hex, by the formats of the Bind where the description has none (PG-40, PG-42)',
  async (t) => {
    const events = afterStart(
      ['client', Buffer.concat([parse('s', 'SELECT id'), describe('S', 's'), SYNC])],
      [
        'server',
        Buffer.concat([
          message('1'),
          message('t', int16(0)),
          rowDescription({ name: 'id', type: 23 }),
          ready(),
        ]),
      ],
      ['client', Buffer.concat([bind('', 's', [], [1]), execute(''), SYNC])],
      ['server', Buffer.concat([message('2'), dataRow(int32(7)), complete('SELECT 1'), ready()])],
    );
    t.match(
      events.filter(({ event }) => event === 'columns'),
      [
        { describes: 'statement', columns: [{ name: 'id', format: 'text' }] },
        { describes: 'result', inferred: true, columns: [{ name: 'id', format: 'binary' }] },
      ],
    );
    t.match(
      events.find(({ event }) => event === 'row'),
      { values: ['\\x00000007'] },
    );
  },
);

t.test('an Execute shows the statement it runs', async (t) => {
  const events = afterStart([
    'client',
    Buffer.concat([parse('s', 'DELETE FROM t'), bind('p', 's', ['1']), execute('p')]),
  ]);
  t.match(events.at(-1), { event: 'execute', text: 'DELETE FROM t', parameters: ['1'] });
});

t.test('an error skips what the segment still asked for (PG-28)', async (t) => {
  const again = Buffer.concat([bind('', 's', [], [1]), execute(''), SYNC]);
  const events = afterStart(
    ['client', Buffer.concat([parse('s', 'SELECT'), describe('S', 's'), again, again])],
    ['server', Buffer.concat([errorResponse({ M: 'no' }), ready()])],
    ['server', Buffer.concat([message('2'), dataRow('a'), complete('SELECT 1'), ready()])],
  );
  t.match(
    events.find(({ event }) => event === 'row'),
    { values: ['\\x61'] },
  );
});

t.test('text that is no UTF-8 is shown as hex, not as something else', async (t) => {
  const [event] = afterStart(['client', message('Q', Buffer.from([0x53, 0xff, 0]))]);
  t.match(event, { event: 'query', text: '\\x53ff' });
});

t.test('the same events however the bytes were cut', async () => {
  const chunks = shopSession().flatMap((step): Chunk[] =>
    'note' in step ? [] : [[step.from, step.bytes]],
  );
  const whole = JSON.stringify(view(chunks));
  fc.assert(
    fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sizes) => {
      const viewer = createPostgresView();
      const events: ViewEvent[] = [];
      for (const [from, bytes] of chunks) {
        for (let start = 0; start < bytes.length; ) {
          const size = sizes.next().value ?? 1;
          events.push(...viewer.push(from, bytes.subarray(start, start + size), undefined));
          start += size;
        }
      }
      return JSON.stringify(events) === whole;
    }),
    { numRuns: 60 },
  );
});

t.test('hostile bytes never throw', async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom<Side>('client', 'server'), fc.uint8Array({ maxLength: 80 })),
      ),
      fc.boolean(),
      (pieces, isStarted) => {
        const viewer = createPostgresView();
        if (isStarted) viewer.push('client', startup({ user: 'a' }), undefined);
        for (const [from, bytes] of pieces) viewer.push(from, Buffer.from(bytes), undefined);
        return true;
      },
    ),
    { numRuns: 500 },
  );
  const types = 'QPBDECdfFRvSKTDCEZAGVNpX'.split('');
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom<Side>('client', 'server'),
      (type, body, from) => afterStart([from, message(type, Buffer.from(body))]).length === 1,
    ),
    { numRuns: 500 },
  );
});

t.test('lost framing is said once', async (t) => {
  const bad = Buffer.concat([Buffer.from('Q'), int32(2), Buffer.alloc(50)]);
  const events = afterStart(['client', bad], ['client', bad]);
  t.match(events, [{ event: 'out-of-step', from: 'client' }]);
  t.equal(events.length, 1);
});

t.test('a message of 200 MB costs its head', async (t) => {
  const viewer = createPostgresView();
  viewer.push('client', startup({ user: 'a' }), undefined);
  const fieldSize = 200 * 1024 * 1024;
  const head = [Buffer.from('D'), int32(fieldSize + 10), int16(1), int32(fieldSize)];
  viewer.push('server', Buffer.concat(head), undefined);
  const piece = Buffer.alloc(64 * 1024, 0x61);
  let highWater = 0;
  const events: ViewEvent[] = [];
  for (let sent = 0; sent < fieldSize; sent += piece.length) {
    events.push(...viewer.push('server', piece, undefined));
    highWater = Math.max(highWater, viewer.heldSize);
  }
  t.ok(highWater <= 256 * 1024, `held ${highWater} bytes at most`);
  t.equal(events.length, 1);
  t.match(events[0], { event: 'row', cut: true, size: fieldSize + 6 });
  t.match(viewer.push('server', complete('SELECT 1'), undefined), [{ event: 'complete' }]);
});
