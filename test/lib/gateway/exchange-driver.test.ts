/** HTTP exchanges through a driver: order, bodies, trailers, decisions. More is in the files of cases. */
import http from 'node:http';
import t from 'tap';
import type { RequestHead } from '../../../protocols/contract.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { allow, block } from './driver-rig.ts';
import { createGate, settle, until } from './duplex-pair.ts';
import { record, refuse, RelaySession, startExchanges } from './exchange-rig.ts';
import {
  connectClient,
  fetchHttp1,
  fetchHttp2,
  RawSocket,
  serveHttp1,
  serveHttp2,
} from './exchange-servers.ts';
import './exchange-ending-cases.ts';
import './exchange-hostile-cases.ts';
import './exchange-outflow-cases.ts';
import './exchange-recording-cases.ts';

/** Bytes: far more than sockets and windows hold. */
const TOO_MUCH = 200_000_000;

t.test('HTTP/1.1 passes both ways, one connection upstream', async (t) => {
  const seen: string[] = [];
  const ports = new Set<number | undefined>();
  const upstreamPort = await serveHttp1(t, (request, response) => {
    ports.add(request.socket.remotePort);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push(
        `${method} ${url} ${headers.host} ${String(headers['x-a'])} ${String(headers['te'])} ${body}`,
      );
      response.writeHead(201, 'Made', { 'content-type': 'text/x', 'x-b': ['1', '2'] });
      response.end(`got ${body}`);
    });
  });
  const rig = await startExchanges(t, { upstreamPort });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { 'x-a': 'b', te: 'trailers', connection: 'keep-alive, x-hop', 'x-hop': 'no' };
  const first = await fetchHttp1(
    rig.port,
    { method: 'POST', path: '/a%20b?c=d', headers, body: 'hello' },
    agent,
  );
  t.equal(first.status, 201);
  t.equal(first.body.toString(), 'got hello');
  t.same(first.headers['x-b'], '1, 2');
  await fetchHttp1(rig.port, { path: '/2' }, agent);
  await fetchHttp1(rig.port, { method: 'POST', path: '/3' }, agent);
  t.same(seen, [
    `POST /a%20b?c=d 127.0.0.1:${upstreamPort} b undefined hello`,
    `GET /2 127.0.0.1:${upstreamPort} undefined undefined `,
    `POST /3 127.0.0.1:${upstreamPort} undefined undefined `,
  ]);
  t.equal(ports.size, 1, 'one connection upstream');
  t.equal(rig.drivers.length, 1);
  agent.destroy();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
  const [request] = rig.events().filter(({ kind }) => kind === 'request');
  t.match(request, {
    head: { version: '1.1', authority: `127.0.0.1:${rig.port}`, isWhole: false },
  });
});

t.test('what has no body passes as direct: HEAD, 204, 304, and a 100 before a body', async (t) => {
  const upstreamPort = await serveHttp1(t, (request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url === '/204') return response.writeHead(204).end();
      if (request.url === '/304') return response.writeHead(304, { etag: '"x"' }).end();
      response.writeHead(200, { 'content-length': 5 });
      return response.end('12345');
    });
  });
  const rig = await startExchanges(t, { upstreamPort });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const head = await fetchHttp1(rig.port, { method: 'HEAD' }, agent);
  t.equal(head.headers['content-length'], '5');
  t.equal(head.body.length, 0);
  t.equal((await fetchHttp1(rig.port, { path: '/204' }, agent)).status, 204);
  t.equal((await fetchHttp1(rig.port, { path: '/304' }, agent)).headers.etag, '"x"');
  t.equal((await fetchHttp1(rig.port, {}, agent)).body.toString(), '12345');
  agent.destroy();
  const raw = new RawSocket(rig.port);
  raw.write('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n');
  t.ok(await until(() => raw.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n')), raw.text);
  raw.write('ab');
  t.ok(await until(() => raw.text.endsWith('12345')));
  raw.socket.destroy();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});

t.test('a request that is refused by its head is not asked for its body', async (t) => {
  const rig = await startExchanges(t, {
    upstreamPort: 1,
    session: () =>
      new RelaySession((event) =>
        event.kind === 'request' ? refuse(event.exchange, 403, 'no') : [],
      ),
  });
  const raw = new RawSocket(rig.port);
  raw.write('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 200\r\n\r\n');
  t.ok(await until(() => raw.text.endsWith('no')));
  t.match(raw.text, /^HTTP\/1\.1 403 /);
  t.match(await raw.untilClosed(), /connection: close/i, 'what it may still send is no request');
  const session = connectClient(t, rig.port);
  const refused = await fetchHttp2(session, { method: 'POST', body: Buffer.alloc(3_000_000) });
  t.equal(refused.status, 403);
  t.equal((await fetchHttp2(session)).status, 403, 'the connection stays usable');
});

t.test('HTTP/2: trailers, trailers only, several streams on one connection', async (t) => {
  let sessions = 0;
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    const path = headers[':path'];
    stream.resume();
    stream.on('end', () => {
      if (path === '/only') {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' },
          { endStream: true },
        );
        return;
      }
      stream.respond({ ':status': 200, 'x-te': headers['te'] ?? '' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(`answer to ${path}`);
    });
    sessions += stream.id === 1 ? 1 : 0;
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  const headers = { 'content-type': 'application/grpc', te: 'trailers' };
  const paths = Array.from({ length: 40 }, (_, index) => `/${index}`);
  const all = await Promise.all(
    paths.map((path) => fetchHttp2(session, { method: 'POST', path, headers, body: 'x' })),
  );
  t.same(
    all.map(({ body }) => body.toString()),
    paths.map((path) => `answer to ${path}`),
  );
  t.ok(all.every(({ trailers }) => trailers['grpc-status'] === '0'));
  t.ok(all.every(({ headers: got }) => got['x-te'] === 'trailers'));
  const only = await fetchHttp2(session, { method: 'POST', path: '/only', headers, body: 'x' });
  t.equal(only.headers['grpc-status'], '7');
  t.same(only.trailers, {});
  t.equal(sessions, 1, 'one connection upstream');
  session.close();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});

t.test('trailers and an unknown length pass in HTTP/1.1 too', async (t) => {
  const upstreamPort = await serveHttp1(t, (request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('part');
      response.addTrailers({ 'x-sum': request.trailers['x-in'] ?? '' });
      response.end();
    });
  });
  const rig = await startExchanges(t, { upstreamPort });
  const raw = new RawSocket(rig.port);
  raw.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
  raw.write('3\r\nabc\r\n0\r\nx-in: seven\r\n\r\n');
  t.ok(await until(() => raw.text.endsWith('\r\n\r\n') && raw.text.includes('x-sum: seven')));
  t.match(raw.text, /transfer-encoding: chunked/i);
  raw.socket.destroy();
  t.ok(await rig.allOver());
});

t.test('gRPC goes to an address of its own where it has one', async (t) => {
  const upstreamPort = await serveHttp2(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('rest');
  });
  const grpcPort = await serveHttp2(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('grpc');
  });
  const rig = await startExchanges(t, { upstreamPort, grpcPort });
  const session = connectClient(t, rig.port);
  const headers = { 'content-type': 'application/grpc+proto' };
  t.equal((await fetchHttp2(session, { headers })).body.toString(), 'grpc');
  t.equal((await fetchHttp2(session)).body.toString(), 'rest');
});

t.test('large bodies pass whole, in few pieces', async (t) => {
  const large = Buffer.alloc(5_000_000, 'vector ');
  const upstreamPort = await serveHttp2(t, (stream) => {
    let size = 0;
    stream.on('data', (chunk: Buffer) => (size += chunk.length));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'x-size': `${size}` });
      stream.end(large);
    });
  });
  const rig = await startExchanges(t, { upstreamPort, isQuiet: true });
  const session = connectClient(t, rig.port);
  const got = await fetchHttp2(session, { method: 'POST', body: large });
  t.equal(got.headers['x-size'], `${large.length}`);
  t.ok(got.body.equals(large));
  const pieces = rig.kinds().filter((kind) => kind === 'body').length;
  t.ok(pieces < 300, `${pieces} pieces of body, 610 frames`);
});

t.test('a client that does not read stops the reading of the server (GW-12)', async (t) => {
  let written = 0;
  const upstreamPort = await serveHttp1(t, (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      let isTaken = true;
      while (isTaken && written < TOO_MUCH) {
        isTaken = response.write(chunk);
        written += chunk.length;
      }
    };
    response.on('drain', more);
    more();
  });
  const rig = await startExchanges(t, { upstreamPort, isQuiet: true });
  const raw = new RawSocket(rig.port);
  raw.socket.pause();
  raw.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.ok(await until(() => written > 0));
  let last = -1;
  while (last !== written) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.ok(written < 30_000_000, `${written} bytes were taken of the server`);
  raw.socket.destroy();
  t.ok(await rig.allOver());
});

t.test('a server that does not read stops the reading of the client (GW-12)', async (t) => {
  const upstreamPort = await serveHttp1(t, (request) => void request.pause());
  const rig = await startExchanges(t, { upstreamPort, isQuiet: true });
  const raw = new RawSocket(rig.port);
  raw.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${TOO_MUCH}\r\n\r\n`);
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  const more = (): void => {
    let isTaken = true;
    while (isTaken && written < TOO_MUCH) {
      isTaken = raw.socket.write(chunk);
      written += chunk.length;
    }
  };
  raw.socket.on('drain', more);
  more();
  let last = -1;
  while (last !== written) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.ok(written < 30_000_000, `${written} bytes were taken of the client`);
  raw.socket.destroy();
  for (const driver of rig.drivers) driver.destroy('test over');
  t.ok(await rig.allOver());
});

t.test('while a decision is awaited only its exchange waits', async (t) => {
  const gate = createGate<Decided>();
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(headers[':path']);
  });
  const asked = (exchange: number) =>
    ({
      kind: 'decide',
      holds: 'client',
      exchange,
      operation: {
        kind: 'request',
        id: exchange,
        request: { route: 'r', accesses: [], steering: [] },
        isSecure: false,
      },
    }) as const;
  const heads = new Map<number, RequestHead>();
  const rig = await startExchanges(t, {
    upstreamPort,
    session: () =>
      new RelaySession((event) => {
        if (event.kind === 'request') {
          heads.set(event.exchange, event.head);
          return [record('client', event.head.target), asked(event.exchange)];
        }
        if (event.kind === 'ended' && event.from === 'client') return [];
        if (event.kind !== 'decided') return undefined;
        const head = heads.get(event.id);
        if (event.decision.kind === 'block') return refuse(event.id, 403, event.decision.reason);
        return head === undefined ? [] : [{ kind: 'ask', exchange: event.id, head }];
      }),
    decide: ({ id }) => (id === 1 ? gate.passed : id === 2 ? allow() : block('42501')),
  });
  const session = connectClient(t, rig.port);
  const first = fetchHttp2(session, { path: '/first' });
  t.equal((await fetchHttp2(session, { path: '/second' })).body.toString(), '/second');
  const third = await fetchHttp2(session, { path: '/third' });
  t.equal(third.status, 403);
  t.ok(rig.log.includes('note decision'), 'the decision is on record');
  await settle();
  gate.open(allow());
  t.equal((await first).body.toString(), '/first');
  session.close();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});
