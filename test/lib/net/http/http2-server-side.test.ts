/** HTTP/2 as the gateway speaks it to a server: real ones, and one that says the frames that the test wants. */
import http2 from 'node:http2';
import net from 'node:net';
import t from 'tap';
import { connectHttp2 } from '../../../../lib/net/http/http2-server-side.ts';
import { STREAM_WINDOW } from '../../../../lib/net/http/limits.ts';
import { LIVENESS_PERIOD } from '../../../../lib/net/http/liveness.ts';
import { connectUpstream } from '../../../../lib/net/upstream.ts';
import { until } from '../../gateway/duplex-pair.ts';
import { listenOn, serveHttp2 } from '../../gateway/exchange-servers.ts';
import type { Teardown } from '../../../support/servers.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  hpack,
  type Lines,
  PREFACE,
  RawHttp2,
  word,
} from './raw-http2.ts';
import { askSide, HELD_SIZE_MAX, requestOf } from './sides-rig.ts';

const GRPC = [['content-type', 'application/grpc']] as const;
const OK: Lines = [[':status', '200']];

async function connect(t: Teardown, port: number, livenessPeriod = LIVENESS_PERIOD) {
  const told = { retired: 0, closed: 0 };
  const socket = await connectUpstream({ host: '127.0.0.1', port, timeoutMs: 20_000 });
  const side = connectHttp2({
    socket,
    scheme: 'http',
    authority: 'store:6334',
    heldSizeMax: HELD_SIZE_MAX,
    livenessPeriod,
    onRetired: () => (told.retired += 1),
    onClosed: () => (told.closed += 1),
  });
  t.teardown(async () => side.destroy());
  return { side, socket, told };
}

/** A server of frames, with the first connection to it. */
async function startRaw(t: Teardown, livenessPeriod?: number) {
  const ends: RawHttp2[] = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    const end = new RawHttp2(socket, PREFACE.length);
    end.say(FRAME.settings, 0, 0);
    end.say(FRAME.settings, ACK, 0);
    ends.push(end);
  });
  const client = await connect(t, await listenOn(t, server), livenessPeriod);
  await until(() => ends.length === 1);
  const [end] = ends;
  if (end === undefined) throw new Error('nobody connected');
  return { ...client, end };
}

function answerHead(end: RawHttp2, stream: number, lines: Lines = OK, flags = 0): void {
  end.say(FRAME.headers, END_HEADERS | flags, stream, hpack(lines));
}

t.test('what is sent: method, path, the store as authority, te for gRPC only', async (t) => {
  const seen: string[] = [];
  const port = await serveHttp2(t, (stream, headers) => {
    const pseudo = [headers[':method'], headers[':path'], headers[':authority'], headers['te']];
    let body = '';
    let sum: unknown;
    stream.on('trailers', (trailers) => (sum = trailers['x-sum']));
    stream.on('data', (bytes: Buffer) => (body += bytes.toString()));
    stream.on('end', () => {
      seen.push([...pseudo, headers['grpc-timeout'], body, sum].join(' '));
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
  });
  const { side, told } = await connect(t, port);
  const whole = askSide(side, requestOf('GET /a'));
  t.ok(await until(() => whole.trailers !== undefined));
  const headers = [...GRPC, ['grpc-timeout', '5S']] as const;
  const body = askSide(side, requestOf('POST /b', { headers, isWhole: false }));
  body.half.send(Buffer.from('abc'));
  body.half.end([['x-sum', '7']]);
  t.ok(await until(() => body.trailers !== undefined));
  t.same(seen, ['GET /a store:6334    ', 'POST /b store:6334 trailers 5S abc 7']);
  t.ok(side.isUsable);
  side.destroy();
  t.ok(await until(() => told.closed === 1));
  t.notOk(side.isUsable);
});

t.test('answers: head, body, trailers; trailers only; interim heads are left out', async (t) => {
  const { side, end } = await startRaw(t);
  const full = askSide(side, requestOf('GET /'));
  t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
  answerHead(end, 1, [
    [':status', '103'],
    ['x', 'early'],
  ]);
  answerHead(end, 1, [
    [':status', '200'],
    ['x', '1'],
    ['x', '2'],
  ]);
  for (const byte of Buffer.from('body')) end.say(FRAME.data, 0, 1, Buffer.from([byte]));
  answerHead(end, 1, [['grpc-status', '0']], END_STREAM);
  t.ok(await until(() => full.trailers !== undefined));
  t.match(full, { status: 200, body: 'body', trailers: [['grpc-status', '0']] });
  t.same(full.headers, [
    ['x', '1'],
    ['x', '2'],
  ]);
  const only = askSide(side, requestOf('POST /', { headers: GRPC }));
  t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
  answerHead(end, 3, [...OK, ['grpc-status', '7']], END_STREAM);
  t.ok(await until(() => only.trailers !== undefined));
  t.same(only.headers, [['grpc-status', '7']]);
  t.same(only.trailers, []);
});

t.test('malformed answers are told as lost; the others go on, or are lost as well', async (t) => {
  const cases: readonly (readonly [name: string, say: (end: RawHttp2) => void])[] = [
    ['no status', (end) => answerHead(end, 1, [['x', '1']], END_STREAM)],
    ['status no number', (end) => answerHead(end, 1, [[':status', 'ok']], END_STREAM)],
    ['connection', (end) => answerHead(end, 1, [...OK, ['connection', 'x']], END_STREAM)],
    ['upper case', (end) => answerHead(end, 1, [...OK, ['X', '1']], END_STREAM)],
    [
      'too short a body',
      (end) => {
        answerHead(end, 1, [...OK, ['content-length', '5']]);
        end.say(FRAME.data, END_STREAM, 1, Buffer.from('abc'));
      },
    ],
    [
      'many lines',
      (end) => {
        answerHead(
          end,
          1,
          [...OK, ...Array.from({ length: 600 }, () => ['x', 'y'] as const)],
          END_STREAM,
        );
      },
    ],
    ['push', (end) => end.say(FRAME.push, END_HEADERS, 1, Buffer.concat([word(2), hpack(OK)]))],
  ];
  for (const [name, say] of cases) {
    const { side, end } = await startRaw(t);
    const heard = askSide(side, requestOf('GET /'));
    t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
    say(end);
    t.ok(await until(() => heard.cancelled !== undefined), name);
    t.equal(heard.trailers, undefined, `${name}: it has no end`);
    side.destroy();
  }
});

t.test(
  'after a fault of the connection Node hears nothing more: it is found out and told',
  async (t) => {
    const faults: readonly Buffer[] = [
      frame(FRAME.data, END_STREAM, 1, Buffer.from('a body without a head')),
      Buffer.alloc(100, 0xff),
      frame(FRAME.data, 0, 1, Buffer.alloc(20_000)),
      Buffer.from('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
    ];
    for (const fault of faults) {
      const { side, end, told } = await startRaw(t, 200);
      const heard = askSide(side, requestOf('GET /'));
      t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
      end.socket.write(fault);
      t.ok(await until(() => end.of(FRAME.goaway).length === 1 || end.isClosed));
      t.ok(await until(() => heard.cancelled !== undefined && told.closed === 1));
      t.match(
        [heard.status, heard.body, heard.trailers, heard.code],
        [0, '', undefined, undefined],
      );
      t.notOk(side.isUsable);
    }
  },
);

t.test('a part of an answer is never taken for all of it', async (t) => {
  const ends: readonly ((end: RawHttp2, close: () => void) => void)[] = [
    (end) => end.say(FRAME.reset, 0, 1, word(0)),
    (end) => end.socket.end(),
    (end) => end.socket.resetAndDestroy(),
    (end) => end.say(FRAME.goaway, 0, 0, Buffer.concat([word(0), word(0)])),
    (_end, close) => close(),
  ];
  for (const [index, finish] of ends.entries()) {
    for (const isPart of [true, false]) {
      const { side, end } = await startRaw(t);
      const heard = askSide(side, requestOf('GET /'));
      t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
      if (isPart) {
        answerHead(end, 1);
        end.say(FRAME.data, 0, 1, Buffer.from('part'));
        t.ok(await until(() => heard.body === 'part'));
      }
      finish(end, () => side.destroy());
      t.ok(await until(() => heard.cancelled !== undefined), `${index} ${isPart}`);
      t.equal(heard.trailers, undefined, 'it has no end');
    }
  }
});

t.test(
  "a server's reset is told with its code; with NO_ERROR behind its whole answer it is none",
  async (t) => {
    const { side, end } = await startRaw(t);
    const reset = askSide(side, requestOf('GET /'));
    t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
    answerHead(end, 1);
    end.say(FRAME.data, 0, 1, Buffer.from('part'));
    end.say(FRAME.reset, 0, 1, word(11));
    t.ok(await until(() => reset.cancelled !== undefined));
    t.equal(reset.code, 11);
    t.equal(reset.trailers, undefined);
    const early = askSide(side, requestOf('POST /', { isWhole: false }));
    early.half.send(Buffer.from('x'));
    t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
    answerHead(end, 3);
    end.say(FRAME.data, END_STREAM, 3, Buffer.from('enough'));
    end.say(FRAME.reset, 0, 3, word(0));
    t.ok(await until(() => early.trailers !== undefined));
    t.equal(early.body, 'enough');
    t.equal(early.cancelled, undefined);
    t.ok(side.isUsable);
  },
);

t.test('GOAWAY: nothing new is asked, what runs goes on, what was not taken is lost', async (t) => {
  const { side, end, told } = await startRaw(t);
  const running = askSide(side, requestOf('GET /1'));
  const untaken = askSide(side, requestOf('GET /2'));
  t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
  end.say(FRAME.goaway, 0, 0, Buffer.concat([word(1), word(0)]));
  t.ok(await until(() => told.retired === 1));
  t.notOk(side.isUsable);
  t.ok(await until(() => untaken.cancelled !== undefined), 'above the last stream it took');
  answerHead(end, 1);
  end.say(FRAME.data, END_STREAM, 1, Buffer.from('still'));
  t.ok(await until(() => running.trailers !== undefined));
  t.equal(running.body, 'still');
  t.ok(await until(() => told.closed === 1));
  t.equal(told.retired, 1, 'once');
});

t.test('one that is destroyed before it has begun ends, and nothing else does', async (t) => {
  const { side, told } = await connect(t, await serveHttp2(t, () => undefined));
  side.destroy();
  t.ok(await until(() => told.closed === 1));
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.notOk(side.isUsable);
});

t.test('a lost connection is told to each stream, with no code', async (t) => {
  const { side, end, told } = await startRaw(t);
  const all = [askSide(side, requestOf('GET /1')), askSide(side, requestOf('GET /2'))];
  t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
  answerHead(end, 1);
  end.say(FRAME.data, 0, 1, Buffer.from('part'));
  t.ok(await until(() => all[0]?.body === 'part'));
  end.socket.resetAndDestroy();
  t.ok(await until(() => all.every(({ cancelled }) => cancelled !== undefined)));
  t.ok(all.every(({ code, trailers }) => code === undefined && trailers === undefined));
  t.ok(await until(() => told.closed === 1));
});

t.test('abandon resets with the code that is given, never with NO_ERROR', async (t) => {
  const { side, end } = await startRaw(t);
  const first = askSide(side, requestOf('GET /1'));
  const second = askSide(side, requestOf('POST /2', { isWhole: false }));
  t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
  first.half.abandon(4);
  second.half.abandon(0);
  t.ok(await until(() => end.codeOf(1) === 4 && end.codeOf(3) === 8));
  answerHead(end, 1, OK, END_STREAM);
  const third = askSide(side, requestOf('GET /3'));
  t.ok(await until(() => end.of(FRAME.headers, 5).length === 1));
  answerHead(end, 5, OK, END_STREAM);
  t.ok(await until(() => third.trailers !== undefined));
  t.match([first.status, first.cancelled], [0, undefined], 'who left hears nothing');
});

t.test('more requests than the server allows at once wait for their turn', async (t) => {
  let open = 0;
  let openMax = 0;
  const server = http2.createServer({ settings: { maxConcurrentStreams: 5 } });
  server.on('stream', (stream) => {
    open += 1;
    openMax = Math.max(openMax, open);
    setTimeout(() => {
      open -= 1;
      stream.respond({ ':status': 200 });
      stream.end('ok');
    }, 5);
  });
  const { side } = await connect(t, await listenOn(t, server));
  const first = askSide(side, requestOf('GET /'));
  t.ok(await until(() => first.trailers !== undefined));
  const all = Array.from({ length: 60 }, () => askSide(side, requestOf('GET /')));
  t.ok(await until(() => all.every(({ trailers }) => trailers !== undefined)));
  t.ok(openMax <= 5, `${openMax} at once`);
});

t.test(
  'flow control: a slow server makes the half full, a paused half shuts the window',
  async (t) => {
    const { side, end } = await startRaw(t);
    const slow = askSide(side, requestOf('POST /', { isWhole: false }));
    slow.half.send(Buffer.alloc(1_000_000));
    t.ok(await until(() => end.of(FRAME.headers, 1).length === 1));
    t.ok(slow.half.isFull);
    const sizeOf = (): number =>
      end.of(FRAME.data, 1).reduce((sum, one) => sum + one.payload.length, 0);
    t.ok(await until(() => sizeOf() >= 65_535), 'as much as the window');
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.equal(sizeOf(), 65_535, 'no more than the window');
    end.say(FRAME.window, 0, 0, word(5_000_000));
    end.say(FRAME.window, 0, 1, word(5_000_000));
    t.ok(await until(() => sizeOf() === 1_000_000 && slow.drains > 0));
    const windowBefore = end.of(FRAME.window, 1).length;
    slow.half.setPaused(true);
    answerHead(end, 1);
    for (let sent = 0; sent < STREAM_WINDOW; sent += 16_384) {
      end.say(FRAME.data, 0, 1, Buffer.alloc(Math.min(16_384, STREAM_WINDOW - sent)));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.equal(slow.size, 0);
    t.equal(end.of(FRAME.window, 1).length, windowBefore, 'the window of the stream stays shut');
    const other = askSide(side, requestOf('GET /other'));
    t.ok(await until(() => end.of(FRAME.headers, 3).length === 1));
    answerHead(end, 3, OK, END_STREAM);
    t.ok(await until(() => other.trailers !== undefined), 'other streams go on');
    slow.half.setPaused(false);
    t.ok(await until(() => slow.size === STREAM_WINDOW));
  },
);

t.test('floods of a server end its connection or are not read', async (t) => {
  const { side, end, told } = await startRaw(t);
  const heard = askSide(side, requestOf('GET /'));
  const piece = Buffer.concat(
    Array.from({ length: 1000 }, () => Buffer.from('000000040000000000', 'hex')),
  );
  end.socket.pause();
  let isStalled = false;
  for (let round = 0; round < 20_000 && !end.isClosed && !isStalled; round += 1) {
    end.socket.write(piece);
    isStalled = !(await until(() => end.isClosed || end.socket.writableLength === 0, 2_000));
  }
  t.ok(isStalled || (await until(() => told.closed === 1)));
  if (!isStalled) t.ok(heard.cancelled);
});

t.test('a name that may stand once, twice: thrown by ask, and no stream is left', async (t) => {
  const { side, end } = await startRaw(t);
  const twice = [
    ['content-length', '1'],
    ['content-length', '1'],
  ] as const;
  t.throws(() => askSide(side, requestOf('POST /', { headers: twice, isWhole: false })));
  const next = askSide(side, requestOf('GET /'));
  t.ok(await until(() => end.of(FRAME.headers).length === 1));
  answerHead(end, end.of(FRAME.headers)[0]?.stream ?? 0, OK, END_STREAM);
  t.ok(await until(() => next.trailers !== undefined));
});
