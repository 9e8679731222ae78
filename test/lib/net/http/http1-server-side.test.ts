/** HTTP/1.1 as the gateway speaks it to a server that answers byte by byte what the test says, broken or not. */
import net from 'node:net';
import t from 'tap';
import { connectHttp1 } from '../../../../lib/net/http/http1-server-side.ts';
import { valueOf } from '../../../../lib/net/http/heads.ts';
import { connectUpstream } from '../../../../lib/net/upstream.ts';
import { until } from '../../gateway/duplex-pair.ts';
import { listenOn } from '../../gateway/exchange-servers.ts';
import type { Teardown } from '../../../support/servers.ts';
import { askSide, requestOf } from './sides-rig.ts';

interface RawServer {
  readonly port: number;
  readonly sockets: net.Socket[];
  /** What all connections have said so far. */
  text: () => string;
}

/** Sends `answers`, one for each empty line that ends a head. */
async function answerRaw(t: Teardown, answers: readonly string[]): Promise<RawServer> {
  const sockets: net.Socket[] = [];
  let text = '';
  let answered = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    let heads = 0;
    let own = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      own += bytes.toString('latin1');
      for (; heads < own.split('\r\n\r\n').length - 1; heads += 1) {
        socket.write(answers[answered] ?? '', 'latin1');
        answered += 1;
      }
    });
  });
  return { port: await listenOn(t, server), sockets, text: () => text };
}

async function start(t: Teardown, answers: readonly string[]) {
  const server = await answerRaw(t, answers);
  let idleClosed = 0;
  const side = connectHttp1({
    authority: 'store:6333',
    open: () => connectUpstream({ host: '127.0.0.1', port: server.port, timeoutMs: 20_000 }),
    onIdleClosed: () => (idleClosed += 1),
  });
  t.teardown(async () => side.destroy());
  return { ...server, side, idleClosed: () => idleClosed };
}

const NEXT = /(?=(?:POST|PUT|DELETE) )/;
const TWICE = [
  ['x', '1'],
  ['x', '2'],
] as const;
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

t.test('what is sent: the store as host, framing as it came, one connection', async (t) => {
  const rig = await start(t, [OK, OK, OK, OK]);
  const get = askSide(rig.side, requestOf('GET /a', { headers: TWICE }));
  t.ok(await until(() => get.trailers !== undefined));
  const post = askSide(rig.side, requestOf('POST /b'));
  t.ok(await until(() => post.trailers !== undefined));
  const sized = askSide(
    rig.side,
    requestOf('PUT /c', { headers: [['content-length', '3']], isWhole: false }),
  );
  sized.half.send(Buffer.from('abc'));
  sized.half.end([]);
  t.ok(await until(() => sized.trailers !== undefined));
  const chunked = askSide(rig.side, requestOf('DELETE /d', { isWhole: false }));
  chunked.half.send(Buffer.from('de'));
  chunked.half.end([['x-sum', '7']]);
  t.ok(await until(() => chunked.trailers !== undefined && rig.text().endsWith('7\r\n\r\n')));
  t.equal(rig.sockets.length, 1);
  const [first = '', second = '', third = '', fourth = ''] = rig.text().split(NEXT);
  t.equal(
    first,
    'GET /a HTTP/1.1\r\nhost: store:6333\r\nx: 1\r\nx: 2\r\nConnection: keep-alive\r\n\r\n',
  );
  t.match(second, /content-length: 0\r\n/);
  t.match(third, /content-length: 3\r\n[^]*\r\n\r\nabc$/);
  t.notMatch(third, /transfer-encoding/);
  t.match(fourth, /transfer-encoding: chunked\r\n[^]*\r\n\r\n2\r\nde\r\n0\r\nx-sum: 7\r\n\r\n$/);
});

t.test('answers in every framing, cut at every byte', async (t) => {
  const texts = [
    'HTTP/1.1 200 Fine\r\nX-A: 1\r\ncontent-length: 5\r\n\r\nhello',
    'HTTP/1.1 200 Fine\r\nX-A: 1\r\ntransfer-encoding: chunked\r\n\r\n3;e=x\r\nhel\r\n2\r\nlo\r\n0\r\nx-sum: 7\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 200 Fine\r\nX-A: 1\r\ncontent-length: 5\r\n\r\nhello',
  ];
  for (const text of texts) {
    for (let cut = 0; cut < text.length; cut += 1) {
      const rig = await start(t, [text.slice(0, cut)]);
      const heard = askSide(rig.side, requestOf('GET /'));
      t.ok(await until(() => rig.sockets[0]?.bytesRead !== undefined && rig.text() !== ''));
      rig.sockets[0]?.write(text.slice(cut), 'latin1');
      const isWhole = await until(() => heard.trailers !== undefined);
      if (!isWhole) t.fail(`${cut}: ${heard.cancelled}`);
      const { status, reason, headers, body } = heard;
      t.match({ status, reason, body }, { status: 200, reason: 'Fine', body: 'hello' }, `${cut}`);
      t.equal(valueOf(headers, 'x-a'), '1');
      rig.side.destroy();
    }
  }
});

t.test(
  'an answer until the end of the connection is whole with its end, and only then',
  async (t) => {
    const rig = await start(t, ['HTTP/1.1 200 OK\r\n\r\nuntil ']);
    const heard = askSide(rig.side, requestOf('GET /'));
    t.ok(await until(() => heard.body === 'until '));
    t.equal(heard.trailers, undefined);
    rig.sockets[0]?.end('the end');
    t.ok(await until(() => heard.trailers !== undefined));
    t.equal(heard.body, 'until the end');
  },
);

t.test('answers that are none are told as lost, and the next request is asked anew', async (t) => {
  const cases: readonly (readonly [name: string, answer: string])[] = [
    ['garbage', 'nonsense\r\n\r\n'],
    [
      'TE and CL',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two CL', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
    ['bad chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['huge head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(64 * 1024)}\r\n\r\n`],
    ['LF in head', 'HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n'],
    [
      '101',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    ],
    ['no HTTP', 'SSH-2.0-x\r\n'],
  ];
  for (const [name, answer] of cases) {
    const rig = await start(t, [answer, OK]);
    const heard = askSide(rig.side, requestOf('GET /'));
    t.ok(await until(() => heard.cancelled !== undefined), name);
    t.equal(heard.trailers, undefined, `${name} has no end`);
    t.equal(heard.code, undefined);
    const next = askSide(rig.side, requestOf('GET /next'));
    t.ok(await until(() => next.trailers !== undefined), `${name}: ${next.cancelled}`);
    t.equal(rig.sockets.length, 2, name);
    rig.side.destroy();
  }
});

t.test('what a server says behind its answer is no answer to the next request', async (t) => {
  const rig = await start(t, [`${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`, OK]);
  const first = askSide(rig.side, requestOf('GET /'));
  t.ok(await until(() => first.trailers !== undefined));
  t.equal(first.body, 'ok');
  const next = askSide(rig.side, requestOf('GET /next'));
  t.ok(await until(() => next.trailers !== undefined || next.cancelled !== undefined));
  t.notMatch(next.body, 'poison');
});

t.test('HEAD, 204 and 304 have no body, whatever they say', async (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
    OK,
  ];
  const rig = await start(t, answers);
  for (const [line, status] of [
    ['HEAD /', 200],
    ['GET /204', 204],
    ['GET /304', 304],
    ['GET /', 200],
  ] as const) {
    const heard = askSide(rig.side, requestOf(line));
    t.ok(await until(() => heard.trailers !== undefined), line);
    t.equal(heard.status, status);
    t.equal(heard.size, line === 'GET /' ? 2 : 0);
  }
  t.equal(rig.sockets.length, 1, 'all on one connection');
});

t.test('a server that breaks off: before its head, within its body', async (t) => {
  for (const answer of [
    '',
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n',
  ]) {
    for (const isReset of [true, false]) {
      const rig = await start(t, [answer]);
      const heard = askSide(rig.side, requestOf('GET /'));
      t.ok(await until(() => rig.text() !== '' && heard.body === (answer === '' ? '' : 'abc')));
      if (isReset) rig.sockets[0]?.resetAndDestroy();
      else rig.sockets[0]?.end();
      t.ok(await until(() => heard.cancelled !== undefined), answer);
      t.equal(heard.trailers, undefined, 'a part is no whole');
      t.equal(rig.idleClosed(), 0);
    }
  }
});

t.test('at rest: closed by the server is told, announced or ours is not', async (t) => {
  const rig = await start(t, [OK]);
  const heard = askSide(rig.side, requestOf('GET /'));
  t.ok(await until(() => heard.trailers !== undefined));
  rig.sockets[0]?.end();
  t.ok(await until(() => rig.idleClosed() === 1));
  const announced = await start(t, [
    'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
    OK,
  ]);
  const first = askSide(announced.side, requestOf('GET /'));
  t.ok(await until(() => first.trailers !== undefined));
  announced.sockets[0]?.end();
  const second = askSide(announced.side, requestOf('GET /'));
  t.ok(await until(() => second.trailers !== undefined));
  t.equal(announced.sockets.length, 2);
  t.equal(announced.idleClosed(), 0);
});

t.test('abandon ends the connection; the next request has one of its own', async (t) => {
  const rig = await start(t, ['', OK]);
  const first = askSide(rig.side, requestOf('GET /'));
  t.ok(await until(() => rig.text() !== ''));
  first.half.abandon(8);
  // At once, before the first has heard of its end.
  const second = askSide(rig.side, requestOf('GET /second'));
  t.ok(await until(() => second.trailers !== undefined));
  t.ok(
    await until(() => rig.sockets[0]?.destroyed === true || rig.sockets[0]?.readableEnded === true),
  );
  t.equal(first.cancelled, undefined, 'who left hears nothing');
  t.equal(rig.idleClosed(), 0);
});

t.test('paused, nothing is told, and the server is not read', async (t) => {
  const rig = await start(t, ['HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n']);
  const heard = askSide(rig.side, requestOf('GET /'));
  t.ok(await until(() => heard.status === 200));
  heard.half.setPaused(true);
  const piece = Buffer.alloc(1024 * 1024);
  let sent = 0;
  const more = (): void => {
    while (sent < 100 && rig.sockets[0]?.write(piece) === true) sent += 1;
    sent += 1;
  };
  rig.sockets[0]?.on('drain', more);
  more();
  let last = -1;
  while (last !== sent) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(sent < 40, `${sent} MB were taken`);
  t.equal(heard.size, 0);
  heard.half.setPaused(false);
  t.ok(await until(() => heard.size > 1_000_000));
});

t.test(
  'a request that is shorter or longer than it says is never sent as if it were whole',
  async (t) => {
    const rig = await start(t, []);
    const sized = { headers: [['content-length', '3']], isWhole: false } as const;
    const long = askSide(rig.side, requestOf('POST /', sized));
    t.throws(() => long.half.send(Buffer.from('abcd')));
    long.half.abandon(8);
    const short = askSide(rig.side, requestOf('POST /', sized));
    short.half.send(Buffer.from('ab'));
    t.throws(() => short.half.end([]));
    short.half.abandon(8);
  },
);

t.test('no connection: told as lost, with the reason', async (t) => {
  const side = connectHttp1({
    authority: 'store',
    open: () => Promise.reject(new Error('nobody listens')),
    onIdleClosed: () => t.fail('there was none'),
  });
  const heard = askSide(side, requestOf('GET /'));
  t.ok(await until(() => heard.cancelled !== undefined));
  t.match(heard.cancelled, 'nobody listens');
  side.destroy();
});

t.test('destroyed while it connects: the socket is closed when it comes', async (t) => {
  const server = await answerRaw(t, []);
  let open: ((socket: net.Socket) => void) | undefined;
  const side = connectHttp1({
    authority: 'store',
    open: () => new Promise((resolve) => (open = resolve)),
    onIdleClosed: () => undefined,
  });
  askSide(side, requestOf('GET /'));
  t.ok(await until(() => open !== undefined));
  side.destroy();
  t.notOk(side.isUsable);
  const socket = await connectUpstream({ host: '127.0.0.1', port: server.port, timeoutMs: 20_000 });
  open?.(socket);
  t.ok(await until(() => socket.destroyed));
});
