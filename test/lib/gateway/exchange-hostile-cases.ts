/** Clients that break HTTP, on raw sockets: nothing of it reaches the server, and others are not hurt. */
import http2 from 'node:http2';
import t from 'tap';
import { until } from './duplex-pair.ts';
import { startExchanges } from './exchange-rig.ts';
import {
  connectClient,
  fetchHttp1,
  fetchHttp2,
  RawSocket,
  serveHttp1,
  serveHttp2,
} from './exchange-servers.ts';

const HOST = 'host: a\r\n';

/** What two readers could understand in two ways; the one status that it gets. */
const SMUGGLING: readonly (readonly [name: string, bytes: string, status: RegExp])[] = [
  [
    'TE and CL',
    `POST / HTTP/1.1\r\n${HOST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    /400/,
  ],
  [
    'CL and TE',
    `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n`,
    /400/,
  ],
  [
    'two CL',
    `POST / HTTP/1.1\r\n${HOST}content-length: 4\r\ncontent-length: 5\r\n\r\nabcde`,
    /400/,
  ],
  [
    'two equal CL',
    `POST / HTTP/1.1\r\n${HOST}content-length: 4\r\ncontent-length: 4\r\n\r\nabcd`,
    /400/,
  ],
  ['CL list', `POST / HTTP/1.1\r\n${HOST}content-length: 4, 4\r\n\r\nabcd`, /400/],
  ['CL with sign', `POST / HTTP/1.1\r\n${HOST}content-length: +4\r\n\r\nabcd`, /400/],
  [
    'CL too large',
    `POST / HTTP/1.1\r\n${HOST}content-length: 99999999999999999999\r\n\r\nabcd`,
    /400/,
  ],
  [
    'TE other',
    `POST / HTTP/1.1\r\n${HOST}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    /400|501/,
  ],
  [
    'TE not last',
    `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    /400|501/,
  ],
  [
    'TE twice',
    `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    /400|501/,
  ],
  [
    'TE obscured',
    `POST / HTTP/1.1\r\n${HOST}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    /400|501/,
  ],
  ['TE in 1.0', `POST / HTTP/1.0\r\n${HOST}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, /400/],
  ['LF only', 'POST / HTTP/1.1\nhost: a\ncontent-length: 4\n\nabcd', /400/],
  ['LF in head', `GET / HTTP/1.1\r\n${HOST}x: a\nb: c\r\n\r\n`, /400/],
  ['folded', `GET / HTTP/1.1\r\n${HOST}x: a\r\n b\r\n\r\n`, /400/],
  ['blank before colon', `GET / HTTP/1.1\r\n${HOST}content-length : 4\r\n\r\nabcd`, /400/],
  ['NUL in value', `GET / HTTP/1.1\r\n${HOST}x: a\0b\r\n\r\n`, /400/],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', /400/],
  ['two hosts', `GET / HTTP/1.1\r\n${HOST}host: b\r\n\r\n`, /400/],
  ['two keys', `GET / HTTP/1.1\r\n${HOST}authorization: a\r\nauthorization: b\r\n\r\n`, /400/],
  ['absolute target', `GET http://other/ HTTP/1.1\r\n${HOST}\r\n`, /400/],
  ['target of all', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, /400/],
  ['target not ASCII', `GET /\u00e9 HTTP/1.1\r\n${HOST}\r\n`, /400/],
  ['chunk size', `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\nxyz\r\n`, /400/],
  [
    'websocket',
    `GET / HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    /501/,
  ],
  ['CONNECT', `CONNECT other:80 HTTP/1.1\r\n${HOST}\r\n`, /501/],
  ['huge header', `GET / HTTP/1.1\r\n${HOST}x: ${'y'.repeat(70_000)}\r\n\r\n`, /431/],
  ['many headers', `GET / HTTP/1.1\r\n${HOST}${'x: y\r\n'.repeat(400)}\r\n`, /431/],
  ['garbage', '\u0001\u0002\u0003\u0004\r\n\r\n', /400/],
  ['HTTP/3 by name', `GET / HTTP/3.0\r\n${HOST}\r\n`, /400/],
];

t.test('what could be read in two ways is refused, and never forwarded', async (t) => {
  const seen: string[] = [];
  const upstreamPort = await serveHttp1(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const rig = await startExchanges(t, { upstreamPort });
  for (const [name, bytes, status] of SMUGGLING) {
    const raw = new RawSocket(rig.port);
    // One byte behind it would be the next request.
    raw.write(`${bytes}GET /smuggled HTTP/1.1\r\n${HOST}\r\n`);
    const text = await raw.untilClosed();
    const [line = ''] = text.split('\r\n');
    t.match(line, status, `${name}: ${line}`);
    t.notMatch(text, /200 OK/, name);
  }
  t.notOk(
    seen.some((line) => line.includes('smuggled')),
    seen.join(),
  );
  t.equal((await fetchHttp1(rig.port)).status, 200, 'others are served');
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});

t.test(
  'h2c offered by a client is ignored, as by servers that have never heard of it',
  async (t) => {
    const upstreamPort = await serveHttp1(t, ({ headers }, response) => {
      response.end(`${headers.upgrade} ${String(headers['http2-settings'])}`);
    });
    const rig = await startExchanges(t, { upstreamPort });
    const raw = new RawSocket(rig.port);
    raw.write(
      `GET / HTTP/1.1\r\n${HOST}connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n\r\n`,
    );
    t.ok(await until(() => raw.text.endsWith('undefined undefined')), raw.text);
    raw.socket.destroy();
  },
);

t.test('single bytes, chunks of one byte and pipelining change nothing', async (t) => {
  const upstreamPort = await serveHttp1(t, (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => response.end(`[${request.url} ${text}]`));
  });
  const rig = await startExchanges(t, { upstreamPort });
  const one = `POST /1 HTTP/1.1\r\n${HOST}content-length: 3\r\n\r\nabc`;
  const two = `POST /2 HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n`;
  const three = `GET /3 HTTP/1.1\r\n${HOST}\r\n`;
  const whole = new RawSocket(rig.port);
  whole.write(one + two + three);
  const bytewise = new RawSocket(rig.port);
  await bytewise.writeBytewise(one + two + three);
  for (const raw of [whole, bytewise]) {
    t.ok(await until(() => raw.text.endsWith('[/3 ]')), raw.text);
    t.same(raw.text.match(/\[.*?\]/g), ['[/1 abc]', '[/2 de]', '[/3 ]']);
    raw.socket.destroy();
  }
  const many = new RawSocket(rig.port);
  many.write(three.repeat(250));
  t.ok(await until(() => (many.text.match(/\[\/3 \]/g)?.length ?? 0) === 250));
  many.socket.destroy();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});

t.test('HTTP/2 in single bytes, and heads that break it', async (t) => {
  let requests = 0;
  const upstreamPort = await serveHttp2(t, (stream) => {
    requests += 1;
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const rig = await startExchanges(t, { upstreamPort });
  const bytewise = new RawSocket(rig.port);
  await bytewise.writeBytewise('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  bytewise.socket.write(Buffer.from('000000040000000000', 'hex'));
  t.ok(await until(() => bytewise.text.length > 9), 'it answers with its settings');
  bytewise.socket.destroy();
  const broken = new RawSocket(rig.port);
  broken.write('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n');
  await broken.untilClosed();
  const session = connectClient(t, rig.port);
  for (const path of ['http://other/', '*', '/\u00e9', '']) {
    const answer = await fetchHttp2(session, { path }).catch(String);
    t.match(typeof answer === 'string' ? answer : `${answer.status}`, /400|PROTOCOL_ERROR/, path);
  }
  t.equal((await fetchHttp2(session, { headers: { ':authority': 'a', host: 'b' } })).status, 400);
  const connect = session.request({ ':method': 'CONNECT', ':authority': 'other:80' });
  connect.on('error', () => undefined);
  let status: number | undefined;
  connect.on('response', (headers) => (status = headers[':status']));
  connect.resume();
  t.ok(await until(() => connect.closed));
  t.not(status, 200);
  t.equal(requests, 0);
  t.equal((await fetchHttp2(session)).status, 200);
});

t.test('rapid resets end that connection, and only that (CVE-2023-44487)', async (t) => {
  let open = 0;
  let openMax = 0;
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    if (headers[':path'] === '/fine') {
      stream.respond({ ':status': 200 });
      stream.end('fine');
      return;
    }
    open += 1;
    openMax = Math.max(openMax, open);
    stream.on('close', () => (open -= 1));
  });
  const rig = await startExchanges(t, { upstreamPort, isQuiet: true });
  const attacker = connectClient(t, rig.port);
  const ended = { isIt: false };
  attacker.on('close', () => (ended.isIt = true));
  for (let round = 0; round < 200 && !ended.isIt && !attacker.closed; round += 1) {
    for (let count = 0; count < 50 && !attacker.closed && !attacker.destroyed; count += 1) {
      const stream = attacker.request({ ':path': '/slow' });
      stream.on('error', () => undefined);
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(await until(() => ended.isIt), 'it is cut off');
  t.ok(openMax <= 256, `${openMax} streams at the server at most`);
  t.ok(await until(() => open === 0));
  const other = connectClient(t, rig.port);
  t.equal((await fetchHttp2(other, { path: '/fine' })).body.toString(), 'fine');
});

t.test('no more streams at once than are allowed', async (t) => {
  let open = 0;
  let openMax = 0;
  const upstreamPort = await serveHttp2(t, (stream) => {
    open += 1;
    openMax = Math.max(openMax, open);
    setTimeout(() => {
      open -= 1;
      if (stream.destroyed) return;
      stream.respond({ ':status': 200 });
      stream.end('ok');
    }, 20);
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  // Its settings tell the client.
  await fetchHttp2(session);
  t.equal(session.remoteSettings.maxConcurrentStreams, 256);
  const all = await Promise.all(Array.from({ length: 600 }, () => fetchHttp2(session)));
  t.ok(all.every(({ status }) => status === 200));
  t.ok(openMax <= 256, `${openMax} at once`);
});
