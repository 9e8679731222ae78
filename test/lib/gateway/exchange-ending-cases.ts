/** How exchanges and connections end: cancel, death of either side, GOAWAY, half-close, shutdown, deadlines. */
import http from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import t from 'tap';
import { until } from './duplex-pair.ts';
import { refuse, RelaySession, startExchanges } from './exchange-rig.ts';
import {
  connectClient,
  fetchHttp1,
  fetchHttp2,
  RawSocket,
  serveHttp1,
  serveHttp2,
} from './exchange-servers.ts';

t.test('a cancelled stream is cancelled upstream, with its code; others go on', async (t) => {
  const codes: number[] = [];
  let started = 0;
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    if (headers[':path'] === '/fast') {
      stream.respond({ ':status': 200 });
      stream.end('fast');
      return;
    }
    started += 1;
    stream.on('close', () => codes.push(stream.rstCode ?? -1));
    if (headers[':path'] === '/part') {
      stream.respond({ ':status': 200 });
      stream.write('part');
    }
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  const waiting = session.request({ ':path': '/slow' });
  const part = session.request({ ':path': '/part' });
  waiting.on('error', () => undefined);
  part.on('error', () => undefined);
  let got = '';
  part.on('data', (bytes: Buffer) => (got += bytes.toString()));
  t.ok(await until(() => started === 2 && got === 'part'));
  waiting.close(8);
  t.ok(await until(() => codes.length === 1));
  part.close(11);
  t.ok(await until(() => codes.length === 2));
  t.same(codes, [8, 11]);
  t.equal((await fetchHttp2(session, { path: '/fast' })).body.toString(), 'fast');
  const cancelled = rig.events().filter(({ kind }) => kind === 'cancelled');
  t.match(cancelled, [
    { from: 'client', code: 8 },
    { from: 'client', code: 11 },
  ]);
});

t.test('a reset of the server reaches the client with its code', async (t) => {
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    if (headers[':path'] === '/late') {
      // Without trailers to wait for, Node would end the stream before it resets it.
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.write('part', () => stream.close(11));
    } else {
      stream.close(7);
    }
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  await t.rejects(fetchHttp2(session, { path: '/early' }), /REFUSED|reset 7|code/);
  await t.rejects(fetchHttp2(session, { path: '/late' }), /ENHANCE|reset 11|code/);
  t.match(
    rig.events().filter(({ kind }) => kind === 'cancelled'),
    [
      { from: 'server', code: 7 },
      { from: 'server', code: 11 },
    ],
  );
});

t.test('the death of a client ends its exchanges upstream (GW-14)', async (t) => {
  const closed: string[] = [];
  let started = 0;
  const http2Port = await serveHttp2(t, (stream) => {
    started += 1;
    stream.on('close', () => closed.push('h2'));
  });
  const http1Port = await serveHttp1(t, (_request, response) => {
    started += 1;
    response.on('close', () => closed.push('h1'));
  });
  const rig2 = await startExchanges(t, { upstreamPort: http2Port });
  const session = connectClient(t, rig2.port);
  session.request({ ':path': '/1' }).on('error', () => undefined);
  session.request({ ':path': '/2' }).on('error', () => undefined);
  const rig1 = await startExchanges(t, { upstreamPort: http1Port });
  const raw = new RawSocket(rig1.port);
  raw.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.ok(await until(() => started === 3));
  session.destroy();
  raw.socket.resetAndDestroy();
  t.ok(await until(() => closed.length === 3));
  t.ok(await rig2.allOver());
  t.ok(await rig1.allOver());
  t.match(rig2.kinds().slice(-3), ['cancelled', 'cancelled', 'closed']);
  t.match(rig1.kinds().slice(-2), ['cancelled', 'closed']);
  t.equal(rig1.recorders[0]?.ends.length, 1);
  t.same([...rig1.troubles, ...rig2.troubles], []);
});

t.test(
  'the death of a server within an answer is told, and the next request finds it again',
  async (t) => {
    let requests = 0;
    let lastSocket: net.Socket | undefined;
    const upstreamPort = await serveHttp2(
      t,
      (stream) => {
        requests += 1;
        stream.respond({ ':status': 200 });
        if (requests === 1) stream.write('part', () => lastSocket?.destroy());
        else stream.end('whole');
      },
      (socket) => (lastSocket = socket),
    );
    const rig = await startExchanges(t, { upstreamPort });
    const session = connectClient(t, rig.port);
    await t.rejects(fetchHttp2(session));
    const [lost] = rig.events().filter(({ kind }) => kind === 'cancelled');
    t.match(lost, { from: 'server', code: undefined });
    t.equal((await fetchHttp2(session)).body.toString(), 'whole');
    const http1Port = await serveHttp1(t, (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('part', () => response.socket?.destroy());
    });
    const rig1 = await startExchanges(t, { upstreamPort: http1Port });
    await t.rejects(fetchHttp1(rig1.port), /aborted|socket hang up|ECONNRESET/);
    t.match(
      rig1.events().filter(({ kind }) => kind === 'cancelled'),
      [{ from: 'server', code: undefined }],
    );
  },
);

t.test('a server that cannot be reached is a cancelled exchange, no lost session', async (t) => {
  const rig = await startExchanges(t, {
    upstreamPort: 1,
    session: () =>
      new RelaySession((event) =>
        event.kind === 'cancelled' ? refuse(event.exchange, 502, event.reason) : undefined,
      ),
  });
  const session = connectClient(t, rig.port);
  t.match((await fetchHttp2(session)).body.toString(), /cannot connect to 127\.0\.0\.1:1/);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.equal((await fetchHttp1(rig.port, { method: 'POST', body: 'x' }, agent)).status, 502);
  t.equal((await fetchHttp1(rig.port, { method: 'POST', body: 'x' }, agent)).status, 502);
  t.equal(rig.drivers.length, 2, 'one connection for both');
  t.match(rig.troubles, [{ code: 'UPSTREAM_CONNECT' }, {}, {}]);
  agent.destroy();
});

t.test('after GOAWAY what runs goes on, and what comes is asked on a new connection', async (t) => {
  const sessions = new Set<ServerHttp2Session>();
  let held: ServerHttp2Stream | undefined;
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    const { session } = stream;
    if (session !== undefined) sessions.add(session as ServerHttp2Session);
    stream.respond({ ':status': 200 });
    if (headers[':path'] !== '/held') return void stream.end('new');
    held = stream;
    session?.goaway(0, stream.id ?? 0);
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  const first = fetchHttp2(session, { path: '/held' });
  t.ok(await until(() => held !== undefined));
  // The GOAWAY is on its way behind the head of the answer.
  t.ok(await until(() => rig.kinds().includes('response')));
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.equal((await fetchHttp2(session, { path: '/next' })).body.toString(), 'new');
  t.equal(sessions.size, 2);
  held?.end('old');
  t.equal((await first).body.toString(), 'old');
  t.same(rig.troubles, []);
});

t.test('a server that closes a connection at rest has the client closed, as direct', async (t) => {
  const upstreamPort = await serveHttp1(t, (request, response) => {
    response.end('ok', () => {
      if (request.url === '/close') setTimeout(() => request.socket.end(), 50);
    });
  });
  const rig = await startExchanges(t, { upstreamPort });
  const raw = new RawSocket(rig.port);
  raw.write('GET /close HTTP/1.1\r\nhost: a\r\n\r\n');
  t.match(await raw.untilClosed(), /ok$/);
  t.ok(await rig.allOver());
});

t.test(
  'a server that announces the end of its connection has a new one for the next',
  async (t) => {
    const upstreamPort = await serveHttp1(t, (_request, response) => {
      response.setHeader('connection', 'close');
      response.end('ok');
    });
    const rig = await startExchanges(t, { upstreamPort });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 5; count += 1) {
      t.equal((await fetchHttp1(rig.port, {}, agent)).body.toString(), 'ok');
    }
    t.equal(rig.drivers.length, 1);
    agent.destroy();
  },
);

t.test('a client that has said all and listens on gets its answer', async (t) => {
  const upstreamPort = await serveHttp1(t, (_request, response) => {
    setTimeout(() => response.end('late'), 300);
  });
  const rig = await startExchanges(t, { upstreamPort });
  const raw = new RawSocket(rig.port);
  raw.socket.end('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.match(await raw.untilClosed(), /late$/);
  t.ok(await rig.allOver());
});

t.test('a client that has gone in order is not worked for without end (GW-14)', async (t) => {
  let isCut = false;
  const upstreamPort = await serveHttp1(t, (_request, response) => {
    response.on('close', () => (isCut = true));
  });
  const rig = await startExchanges(t, { upstreamPort });
  const raw = new RawSocket(rig.port);
  raw.socket.end('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.ok(await rig.allOver());
  t.ok(await until(() => isCut));
});

t.test('at shutdown who waits is told, and who rests is closed', async (t) => {
  const upstreamPort = await serveHttp2(t, (stream) => void stream.resume());
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  const idle = new RawSocket(rig.port);
  const waiting = fetchHttp2(session);
  t.ok(await until(() => rig.kinds().includes('request') && rig.drivers.length === 2));
  for (const driver of rig.drivers) {
    driver.dispatch({ kind: 'stopped', code: '57P01', reason: 'shutting down' });
  }
  const answer = await waiting;
  t.equal(answer.status, 503);
  t.equal(answer.body.toString(), 'shutting down');
  await idle.untilClosed();
  t.ok(await rig.allOver());
  t.same(
    rig.recorders.flatMap(({ ends }) => ends),
    ['shutting down'],
  );
});

t.test('who asks for nothing, or too slowly, is closed', async (t) => {
  const upstreamPort = await serveHttp1(t, (_request, response) => response.end('ok'));
  const rig = await startExchanges(t, { upstreamPort, signInTimeout: 150 });
  const silent = new RawSocket(rig.port);
  const lone = new RawSocket(rig.port);
  lone.write('P');
  const loris = new RawSocket(rig.port);
  const drip = setInterval(() => loris.write('x'), 20);
  loris.write('GET / HTTP/1.1\r\nx-a: ');
  const body = new RawSocket(rig.port);
  body.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n');
  const bodyDrip = setInterval(() => body.write('x'), 20);
  const preface = new RawSocket(rig.port);
  preface.write('PRI * HTTP/2.0\r\n\r\n');
  const all = [silent, lone, loris, body, preface];
  for (const raw of all) await raw.untilClosed();
  clearInterval(drip);
  clearInterval(bodyDrip);
  t.ok(await rig.allOver());
  t.equal(rig.drivers.length, all.length);
});
