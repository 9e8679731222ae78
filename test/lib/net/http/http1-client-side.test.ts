/** HTTP/1.1 as clients speak it to the gateway, on raw sockets: framing, order, what leaves HTTP, how it ends. */
import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { Http1Server } from '../../../../lib/net/http/http1-client-side.ts';
import { PIPELINED_MAX } from '../../../../lib/net/http/limits.ts';
import { until } from '../../gateway/duplex-pair.ts';
import { fetchHttp1, RawSocket } from '../../gateway/exchange-servers.ts';
import { type Answering, echo, startClientSides, type Told } from './sides-rig.ts';
import type { Teardown } from '../../../support/servers.ts';

const HOST = 'host: a\r\n';
const CHUNKED = `POST /c HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`;

function start(t: Teardown, answer: Answering = echo) {
  const http1 = new Http1Server();
  return startClientSides(t, (socket, events) => http1.serve(socket, events), answer);
}

function countOf(text: string, part: string): number {
  return text.split(part).length - 1;
}

t.test(
  'chunks: extensions are read over, trailers are told, those of one hop are not',
  async (t) => {
    const rig = await start(t);
    const raw = new RawSocket(rig.port);
    raw.write(`${CHUNKED}3;ext="a;b"\r\nabc\r\n2;x\r\nde\r\n0;last\r\n`);
    raw.write('X-Sum: 7\r\nte: trailers\r\nkeep-alive: x\r\n\r\n');
    t.ok(await until(() => raw.text.endsWith('0\r\nx-sum: 7\r\n\r\n')), raw.text);
    const [told] = rig.asked();
    t.equal(told?.body, 'abcde');
    t.same(told?.trailers, [['x-sum', '7']]);
    raw.write(`GET /next HTTP/1.1\r\n${HOST}\r\n`);
    t.ok(await until(() => raw.text.includes('x-target: /next')), 'the connection goes on');
  },
);

t.test('bodies that break their framing are refused and end the connection', async (t) => {
  const cases: readonly (readonly [name: string, text: string, status: string])[] = [
    ['no size', `${CHUNKED}\r\nabc\r\n0\r\n\r\n`, '400'],
    ['a sign', `${CHUNKED}+3\r\nabc\r\n0\r\n\r\n`, '400'],
    ['0x', `${CHUNKED}0x3\r\nabc\r\n0\r\n\r\n`, '400'],
    ['too large a size', `${CHUNKED}fffffffffffffffff\r\nabc`, '400'],
    ['more bytes than said', `${CHUNKED}3\r\nabcd\r\n0\r\n\r\n`, '400'],
    ['LF alone behind a size', `${CHUNKED}3\nabc\r\n0\r\n\r\n`, '400'],
    ['CR in an extension', `${CHUNKED}3;a\rb\r\nabc\r\n0\r\n\r\n`, '400'],
    ['long extensions', `${CHUNKED}3;${'x'.repeat(64 * 1024)}\r\nabc\r\n0\r\n\r\n`, '413'],
    ['long trailers', `${CHUNKED}0\r\nx: ${'y'.repeat(64 * 1024)}\r\n\r\n`, '431'],
  ];
  const rig = await start(t);
  for (const [name, text, status] of cases) {
    const raw = new RawSocket(rig.port);
    raw.write(`${text}GET /smuggled HTTP/1.1\r\n${HOST}\r\n`);
    const answer = await raw.untilClosed();
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${name}: ${answer.slice(0, 60)}`);
    t.notMatch(answer, 'smuggled', name);
  }
  t.ok(await until(() => rig.clients.every(({ closed }) => closed.length === 1)));
  t.ok(rig.asked().every(({ isDone }) => isDone));
  t.notOk(rig.asked().some(({ head }) => head.target === '/smuggled'));
  t.ok(rig.clients.every(({ refused }) => refused.length > 0));
});

t.test('a refused head is told once, answered, and what follows it is never read', async (t) => {
  const rig = await start(t);
  const raw = new RawSocket(rig.port);
  raw.write(`GET http://other/ HTTP/1.1\r\n${HOST}\r\nGET /smuggled HTTP/1.1\r\n${HOST}\r\n`);
  const answer = await raw.untilClosed();
  t.match(answer, /^HTTP\/1\.1 400 /);
  t.match(answer, /connection: close/i);
  t.equal(countOf(answer, 'HTTP/1.1'), 1);
  t.same(rig.clients[0]?.refused, ['a target that is no path']);
  t.same(rig.asked(), []);
});

const WISH = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n';

t.test('other protocols are refused; h2c is a wish, which nobody fulfils', async (t) => {
  const rig = await start(t);
  const raw = new RawSocket(rig.port);
  raw.write(`GET / HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
  t.match(await raw.untilClosed(), /^HTTP\/1\.1 501 /);
  // The bytes behind such a request belong to the new protocol, so Node's parser skips those that it has read:
  // a connection that went on could go on in the middle of a request.
  const behind = `POST /x HTTP/1.1\r\n${HOST}content-length: 99\r\n\r\n`;
  for (const [line, rest] of [
    ['GET', '\r\n'],
    ['POST', 'content-length: 2\r\n\r\nok'],
  ] as const) {
    const wishing = new RawSocket(rig.port);
    wishing.write(`${line} /wish HTTP/1.1\r\n${HOST}${WISH}${rest}${behind}`);
    const answer = await wishing.untilClosed();
    t.match(answer, /^HTTP\/1\.1 200 /, line);
    t.match(answer, /connection: close/i, 'it is the last of its connection');
    t.equal(countOf(answer, 'HTTP/1.1'), 1);
  }
  t.same(
    rig.asked().map(({ head }) => head.headers),
    [[], [['content-length', '2']]],
  );
});

t.test('pipelined requests are told and answered one after the other', async (t) => {
  const open: Told[] = [];
  const rig = await start(t, (told, what) => {
    if (what === 'ended') open.push(told);
  });
  const raw = new RawSocket(rig.port);
  const paths = Array.from({ length: 30 }, (_, index) => `/${index}`);
  raw.write(paths.map((p) => `POST ${p} HTTP/1.1\r\n${HOST}content-length: 1\r\n\r\nx`).join(''));
  for (const path of paths) {
    t.ok(await until(() => open.length === 1), path);
    t.equal(open[0]?.head.target, path);
    const told = open.pop();
    if (told !== undefined) echo(told, 'ended');
  }
  t.ok(await until(() => countOf(raw.text, 'HTTP/1.1 200') === paths.length));
  const order = [...raw.text.matchAll(/x-target: (\S+)/g)].map(([, path]) => path);
  t.same(order, paths);
});

t.test('as many requests as streams may be pipelined; beyond that it ends', async (t) => {
  const rig = await start(t, () => undefined);
  const one = `GET / HTTP/1.1\r\n${HOST}\r\n`;
  const most = new RawSocket(rig.port);
  most.write(one.repeat(PIPELINED_MAX + 1));
  const beyond = new RawSocket(rig.port);
  beyond.write(one.repeat(PIPELINED_MAX + 2));
  t.match(await beyond.untilClosed(), /^HTTP\/1\.1 400 /);
  t.ok(await until(() => rig.asked().length === 2));
  t.ok(await until(() => rig.asked()[1]?.isDone === true));
  t.match(rig.clients[1]?.refused, [/at once/]);
  t.same(rig.clients[0]?.refused, []);
  t.equal(most.text, '');
  t.notOk(most.isClosed);
});

t.test('a client that says more and more while it waits is not read', async (t) => {
  const rig = await start(t, () => undefined);
  const raw = new RawSocket(rig.port);
  raw.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  const piece = Buffer.from(
    `POST / HTTP/1.1\r\n${HOST}content-length: 10000000000\r\n\r\n${'x'.repeat(60_000)}`,
  );
  let taken = 0;
  const more = (): void => {
    while (taken < 100_000_000 && raw.socket.write(piece)) taken += piece.length;
  };
  raw.socket.on('drain', more);
  more();
  t.ok(await until(() => rig.asked().length === 1));
  let last = -1;
  while (last !== taken) {
    last = taken;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.ok(taken < 30_000_000, `${taken} bytes were taken`);
  t.same(rig.clients[0]?.refused, []);
});

t.test('expect: 100-continue is said once, and only when somebody reads the body', async (t) => {
  const rig = await start(t, (told, what) => {
    if (told.head.target === '/no') {
      if (what === 'head') told.half.answer({ status: 413, headers: [['content-length', '0']] });
      if (what === 'head') told.half.end([]);
    } else {
      echo(told, what);
    }
  });
  const expecting = `${HOST}expect: 100-continue\r\ncontent-length: 2\r\n\r\n`;
  const raw = new RawSocket(rig.port);
  raw.write(`POST /e HTTP/1.1\r\n${expecting}`);
  t.ok(await until(() => raw.text === 'HTTP/1.1 100 Continue\r\n\r\n'), raw.text);
  raw.write('ok');
  t.ok(await until(() => raw.text.includes('HTTP/1.1 200')));
  t.equal(countOf(raw.text, '100 Continue'), 1);
  raw.write(`POST /f HTTP/1.1\r\n${HOST}expect: more\r\ncontent-length: 2\r\n\r\n`);
  t.match(await raw.untilClosed(), /HTTP\/1\.1 417 /, 'what else may be expected is not known');
  t.same(rig.clients[0]?.refused, ['an unknown expectation']);
});

t.test('answers without a body, by status and by method', async (t) => {
  const rig = await start(t, ({ half, head }, what) => {
    if (what === 'head') return;
    const status = Number(head.target.slice(1));
    const headers = status === 200 ? ([['content-length', '7']] as const) : [];
    half.answer({ status, reason: 'Said So', headers });
    half.end([]);
  });
  const raw = new RawSocket(rig.port);
  for (const line of ['GET /204', 'GET /304', 'HEAD /200']) {
    raw.text = '';
    raw.write(`${line} HTTP/1.1\r\n${HOST}\r\n`);
    t.ok(await until(() => raw.text.endsWith('\r\n\r\n')), line);
    t.match(raw.text, /^HTTP\/1\.1 \d{3} Said So\r\n/);
    t.notMatch(raw.text, /transfer-encoding/i, line);
  }
  t.match(raw.text, /content-length: 7/, 'the length that GET would have');
});

t.test('an answer that is no longer than it said to be cannot be told to be', async (t) => {
  const rig = await start(t, ({ half }, what) => {
    if (what === 'head') return;
    half.answer({ status: 200, headers: [['content-length', '5']] });
    t.throws(() => half.send(Buffer.from('123456')), 'more would be read as the next answer');
    half.abandon(2);
  });
  const raw = new RawSocket(rig.port);
  raw.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  t.notMatch(await raw.untilClosed(), '123456');
});

t.test('HTTP/1.0: no chunks, and the connection ends with the answer', async (t) => {
  const rig = await start(t, (told, what) =>
    echo({ ...told, body: 'old', trailers: [['x', 'y']] }, what),
  );
  const raw = new RawSocket(rig.port);
  raw.write('GET /old HTTP/1.0\r\n\r\n');
  const answer = await raw.untilClosed();
  t.match(answer, /\r\n\r\nold$/);
  t.notMatch(answer, /transfer-encoding/i);
});

t.test('a half-closed client gets its answer; a lost one is told once, and done', async (t) => {
  const open: Told[] = [];
  const rig = await start(t, (told, what) => {
    if (what === 'ended') open.push(told);
  });
  const raw = new RawSocket(rig.port);
  raw.socket.end(`GET /half HTTP/1.1\r\n${HOST}\r\n`);
  t.ok(await until(() => open.length === 1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const half = open.pop();
  if (half !== undefined) echo(half, 'ended');
  t.match(await raw.untilClosed(), 'x-target: /half');
  const lost = new RawSocket(rig.port);
  lost.write(`POST /lost HTTP/1.1\r\n${HOST}content-length: 9\r\n\r\nabc`);
  t.ok(await until(() => rig.asked().length === 2));
  lost.socket.resetAndDestroy();
  const [, told] = rig.asked();
  t.ok(await until(() => told?.isDone === true));
  t.ok(told?.cancelled);
  t.equal(told?.trailers, undefined, 'half a request has no end');
  t.ok(await until(() => rig.clients[1]?.closed.length === 1));
});

t.test('finish: who rests is closed, who waits gets the answer and then the end', async (t) => {
  const open: Told[] = [];
  const rig = await start(t, (told, what) => {
    if (what === 'ended') open.push(told);
  });
  const resting = new RawSocket(rig.port);
  const waiting = new RawSocket(rig.port);
  waiting.write(`GET /w HTTP/1.1\r\n${HOST}\r\nGET /behind HTTP/1.1\r\n${HOST}\r\n`);
  t.ok(await until(() => open.length === 1 && rig.clients.length === 2));
  for (const { side } of rig.clients) side.finish();
  t.equal(await resting.untilClosed(), '');
  const [told] = open;
  if (told !== undefined) echo(told, 'ended');
  const answer = await waiting.untilClosed();
  t.match(answer, 'x-target: /w');
  t.match(answer, /connection: close/i);
  t.equal(rig.asked().length, 1, 'what was pipelined behind is not told');
});

t.test('a slow reader makes the half full, and a drain is told', async (t) => {
  const piece = Buffer.alloc(1024 * 1024);
  const rig = await start(t, ({ half }, what) => {
    if (what === 'head') return;
    half.answer({ status: 200, headers: [] });
    half.send(piece);
  });
  const raw = new RawSocket(rig.port);
  raw.socket.pause();
  raw.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  t.ok(await until(() => rig.asked().length === 1));
  const [told] = rig.asked();
  for (let count = 0; count < 64 && told?.half.isFull === false; count += 1) {
    told.half.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(told?.half.isFull);
  raw.socket.resume();
  t.ok(await until(() => (told?.drains ?? 0) > 0 && told?.half.isFull === false));
});

t.test('many requests of real clients on one connection', async (t) => {
  const rig = await start(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; count < 50; count += 1) {
    const body = 'x'.repeat(count * 100);
    const got = await fetchHttp1(rig.port, { method: 'POST', path: `/${count}`, body }, agent);
    t.equal(got.body.toString(), body);
  }
  t.equal(rig.clients.length, 1);
  agent.destroy();
  t.ok(await until(() => rig.clients[0]?.closed.length === 1));
  t.same(rig.clients[0]?.closed, [undefined]);
});

t.test('many closed at once leave nothing open', async (t) => {
  const rig = await start(t, () => undefined);
  const sockets = Array.from({ length: 100 }, () => {
    const socket = net.connect({ host: '127.0.0.1', port: rig.port });
    socket.on('error', () => undefined);
    socket.write(`POST / HTTP/1.1\r\n${HOST}content-length: 3\r\n\r\na`);
    return socket;
  });
  t.ok(await until(() => rig.asked().length === 100));
  for (const socket of sockets) socket.resetAndDestroy();
  t.ok(await until(() => rig.clients.every(({ closed }) => closed.length === 1)));
  t.ok(rig.asked().every(({ isDone }) => isDone));
  t.ok(rig.clients.every(({ socket }) => socket.destroyed));
});
