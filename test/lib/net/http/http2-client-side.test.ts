/** HTTP/2 as clients speak it to the gateway: limits, flow, and how streams end. Floods are in the cases. */
import http2 from 'node:http2';
import net from 'node:net';
import t from 'tap';
import { HEAD_SIZE_MAX, STREAM_WINDOW, STREAMS_MAX } from '../../../../lib/net/http/limits.ts';
import { until } from '../../gateway/duplex-pair.ts';
import { connectClient, fetchHttp2 } from '../../gateway/exchange-servers.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  GET,
  hpack,
  PREFACE,
  RawHttp2,
  word,
} from './raw-http2.ts';
import './http2-hostile-cases.ts';
import { connectRaw, startHttp2 } from './http2-rig.ts';
import { echo, type Told } from './sides-rig.ts';

t.test('the preface cut at every byte', async (t) => {
  const rig = await startHttp2(t);
  for (let cut = 1; cut <= PREFACE.length; cut += 1) {
    const socket = net.connect({ host: '127.0.0.1', port: rig.port, noDelay: true });
    const client = new RawHttp2(socket);
    socket.write(PREFACE.slice(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 2));
    socket.write(PREFACE.slice(cut));
    client.say(FRAME.settings, 0, 0);
    client.ask(1);
    t.ok(await until(() => client.of(FRAME.headers, 1).length === 1), `${cut}`);
    socket.destroy();
  }
});

t.test('its own settings say the limits', async (t) => {
  const rig = await startHttp2(t);
  const session = connectClient(t, rig.port);
  await fetchHttp2(session);
  t.match(session.remoteSettings, {
    maxConcurrentStreams: STREAMS_MAX,
    maxHeaderListSize: HEAD_SIZE_MAX,
    initialWindowSize: STREAM_WINDOW,
  });
});

t.test('more streams at once than allowed are refused, one by one', async (t) => {
  const rig = await startHttp2(t, () => undefined);
  const raw = await connectRaw(rig.port);
  raw.say(FRAME.settings, ACK, 0);
  for (let count = 0; count < STREAMS_MAX + 20; count += 1) raw.ask(1 + 2 * count);
  t.ok(await until(() => raw.of(FRAME.reset).length + raw.of(FRAME.goaway).length > 0));
  t.ok(await until(() => rig.asked().length >= STREAMS_MAX));
  t.equal(rig.asked().length, STREAMS_MAX);
  raw.socket.destroy();
  t.ok(await until(() => rig.asked().every(({ isDone }) => isDone)));
  t.ok(await until(() => rig.clients[0]?.closed.length === 1));
});

t.test('cancel: its code is told once; the session goes on', async (t) => {
  const rig = await startHttp2(t, (told, what) => {
    if (told.head.target === '/') echo(told, what);
  });
  const raw = await connectRaw(rig.port);
  raw.say(FRAME.headers, END_HEADERS, 1, hpack([...GET.slice(0, 3), [':path', '/open']]));
  t.ok(await until(() => rig.asked().length === 1));
  raw.say(FRAME.reset, 0, 1, word(11));
  t.ok(await until(() => rig.asked()[0]?.isDone === true));
  t.match(rig.asked()[0], { code: 11, trailers: undefined });
  raw.ask(3);
  t.ok(await until(() => raw.of(FRAME.headers, 3).length === 1));
  raw.socket.resetAndDestroy();
  t.ok(await until(() => rig.clients[0]?.closed.length === 1));
});

t.test('reset with NO_ERROR by a client is a cancel too', async (t) => {
  const rig = await startHttp2(t, () => undefined);
  const raw = await connectRaw(rig.port);
  raw.ask(1);
  t.ok(await until(() => rig.asked()[0]?.trailers !== undefined));
  raw.say(FRAME.reset, 0, 1, word(0));
  t.ok(await until(() => rig.asked()[0]?.isDone === true));
  t.equal(rig.asked()[0]?.code, 0);
});

t.test('a window that stays shut makes the half full; opened, everything comes', async (t) => {
  const size = 3_000_000;
  const rig = await startHttp2(t, ({ half, head }, what) => {
    if (what === 'head') return;
    half.answer({ status: 200, headers: [] });
    half.send(Buffer.alloc(head.target === '/large' ? size : 10));
    half.end([['x-sum', '1']]);
  });
  const raw = await connectRaw(rig.port);
  raw.ask(1, [...GET.slice(0, 3), [':path', '/large']]);
  t.ok(await until(() => rig.asked()[0]?.half.isFull === true));
  raw.ask(3);
  await until(() => raw.of(FRAME.headers, 3).length === 1);
  t.equal(raw.of(FRAME.headers, 3).length, 1, 'another stream has its head');
  t.equal(
    raw.of(FRAME.data).reduce((sum, { payload }) => sum + payload.length, 0),
    65_535,
  );
  raw.say(FRAME.window, 0, 0, word(10 * size));
  raw.say(FRAME.window, 0, 1, word(10 * size));
  const sizeOf = (stream: number) =>
    raw.of(FRAME.data, stream).reduce((sum, { payload }) => sum + payload.length, 0);
  t.ok(await until(() => sizeOf(1) === size && sizeOf(3) === 10));
  t.ok(await until(() => raw.of(FRAME.headers, 1).length === 2), 'trailers');
});

t.test('paused, a request is not read beyond its window', async (t) => {
  const rig = await startHttp2(t, (told, what) => {
    if (what === 'head') told.half.setPaused(true);
  });
  const session = connectClient(t, rig.port);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined);
  let written = 0;
  for (let count = 0; count < 200; count += 1) {
    stream.write(Buffer.alloc(100_000), () => (written += 100_000));
  }
  t.ok(await until(() => rig.asked().length === 1));
  let last = -1;
  while (last !== written) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(written <= 2 * STREAM_WINDOW, `${written} bytes were taken`);
  rig.asked()[0]?.half.setPaused(false);
  t.ok(await until(() => (rig.asked()[0]?.size ?? 0) === 20_000_000), 'then all of it comes');
});

t.test('trailers only is one frame for gRPC; others get head and trailers', async (t) => {
  const rig = await startHttp2(t, ({ half, head }, what) => {
    if (what === 'head') return;
    half.answer({ status: 200, headers: [['content-type', head.target.slice(1)]] });
    half.end([['grpc-status', '7']]);
  });
  const raw = await connectRaw(rig.port);
  raw.ask(1, [...GET.slice(0, 3), [':path', '/application/grpc']]);
  raw.ask(3, [...GET.slice(0, 3), [':path', '/text/plain']]);
  t.ok(await until(() => raw.of(FRAME.headers, 3).length === 2));
  t.equal(raw.of(FRAME.headers, 1).length, 1);
  t.ok(((raw.of(FRAME.headers, 1)[0]?.flags ?? 0) & END_STREAM) !== 0);
});

t.test(
  'a head or trailers that HTTP/2 cannot have reset the stream, not the session',
  async (t) => {
    const rig = await startHttp2(t, ({ half, head }, what) => {
      if (what === 'head') return;
      const twice = [
        ['content-length', '1'],
        ['content-length', '1'],
      ] as const;
      half.answer({ status: 200, headers: head.target === '/head' ? twice : [] });
      if (head.target !== '/') half.send(Buffer.from('x'));
      half.end(head.target === '/trailers' ? twice : []);
    });
    const session = connectClient(t, rig.port);
    await t.rejects(fetchHttp2(session, { path: '/head' }));
    await t.rejects(fetchHttp2(session, { path: '/trailers' }));
    t.equal((await fetchHttp2(session)).status, 200);
  },
);

t.test('abandon resets with its code; finish lets what runs end', async (t) => {
  const open: Told[] = [];
  const rig = await startHttp2(t, (told, what) => {
    if (what === 'ended') open.push(told);
  });
  const raw = await connectRaw(rig.port);
  raw.ask(1);
  raw.ask(3);
  t.ok(await until(() => open.length === 2));
  open[0]?.half.abandon(13);
  t.ok(await until(() => raw.codeOf(1) === 13));
  t.equal(open[0]?.cancelled, undefined, 'who abandons hears nothing');
  rig.clients[0]?.side.finish();
  t.ok(await until(() => raw.of(FRAME.goaway).length === 1));
  const [, last] = open;
  if (last !== undefined) echo(last, 'ended');
  t.ok(await until(() => raw.isClosed));
  t.equal(raw.of(FRAME.headers, 3).length, 1);
  t.ok(await until(() => rig.clients[0]?.closed.length === 1));
  t.same(rig.clients[0]?.closed, [undefined]);
});

t.test('a client that goes away with an error is told of', async (t) => {
  const rig = await startHttp2(t, () => undefined);
  const raw = await connectRaw(rig.port);
  raw.ask(1);
  t.ok(await until(() => rig.asked().length === 1));
  raw.say(FRAME.goaway, 0, 0, Buffer.concat([word(0), word(2)]));
  t.ok(await until(() => rig.clients[0]?.closed.length === 1));
  t.match(rig.clients[0]?.closed[0], /GOAWAY|2/);
  t.ok(rig.asked()[0]?.isDone);
});

t.test('expect: 100-continue', async (t) => {
  const rig = await startHttp2(t);
  const session = connectClient(t, rig.port);
  const stream = session.request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
  let isContinued = false;
  let status: number | undefined;
  stream.on('continue', () => {
    isContinued = true;
    stream.end('body');
  });
  stream.on('response', (headers) => (status = headers[':status']));
  stream.resume();
  t.ok(await until(() => status === 200));
  t.ok(isContinued);
  t.equal(rig.asked()[0]?.body, 'body');
  const other = await fetchHttp2(session, { headers: { expect: 'more' } });
  t.equal(other.status, http2.constants.HTTP_STATUS_EXPECTATION_FAILED);
});

t.test(
  'after a fault of the connection Node hears nothing more: its place is free again',
  async (t) => {
    const rig = await startHttp2(
      t,
      (told, what) => void (told.head.target === '/' && echo(told, what)),
      200,
    );
    for (const end of ['stays', 'ends', 'resets'] as const) {
      const raw = await connectRaw(rig.port);
      raw.ask(1);
      raw.ask(3, [...GET.slice(0, 3), [':path', '/open']]);
      t.ok(await until(() => raw.of(FRAME.headers, 1).length === 1));
      raw.socket.write(Buffer.alloc(100, 0xff));
      t.ok(await until(() => raw.of(FRAME.goaway).length === 1));
      if (end === 'ends') raw.socket.end();
      if (end === 'resets') raw.socket.resetAndDestroy();
      t.ok(await until(() => rig.clients.every(({ closed }) => closed.length === 1)), end);
      t.ok(rig.asked().every(({ isDone }) => isDone));
      t.ok(rig.clients.every(({ socket }) => socket.destroyed));
    }
  },
);
