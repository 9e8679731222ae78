/**
 * TLS on either leg of the transport suite, ALPN with it, and REST over HTTP/2: the same answers as direct, masks
 * and refusals included.
 */

import http2, { type ClientHttp2Session } from 'node:http2';
import https from 'node:https';
import { createCertificateFolder } from '../support/certificates.ts';
import { makeCertificate } from '../support/gateway-process.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import {
  EMAIL,
  KEY,
  MASKED_KEY,
  startTransportGateway,
  TransportServer,
  type Way,
} from './store-transport-lab.ts';
import type { TransportLab } from './store-transport.ts';
import { Call, openGrpc, say, Talk, until } from './store-transport-talk.ts';

/** ALPN says what is spoken on TLS; on the same port plain text is told that it must not be. */
export async function checkTls(context: SuiteContext, server: TransportServer): Promise<void> {
  const { cert, key } = await makeCertificate(context);
  const tls = `tls = { cert = ${JSON.stringify(cert)}, key = ${JSON.stringify(key)}, mode = "require" }`;
  const { way } = await startTransportGateway(context, server, 'sessions_max = 10', tls);
  await context.check('TLS: h2 by ALPN', async () => {
    const session = http2.connect(`https://127.0.0.1:${way.grpcPort}`, {
      rejectUnauthorized: false,
    });
    session.on('error', () => undefined);
    const call = new Call(session, 'echo');
    call.stream.end('hello');
    const shown = await call.shown();
    assertSameText(String(session.alpnProtocol), 'h2', 'ALPN');
    if (!shown.includes('| 5 |')) throw new Error(shown);
    session.destroy();
  });
  for (const protocols of [['http/1.1'], []]) {
    await context.check(`TLS: HTTP/1.1 by ALPN ${protocols.join()}`, async () => {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const agent = new https.Agent({ ALPNProtocols: protocols, rejectUnauthorized: false });
        const request = https.get({
          host: '127.0.0.1',
          port: way.restPort,
          path: '/snapshots/sized',
          headers: { 'api-key': KEY },
          agent,
        });
        request.on('error', reject);
        request.on('response', (response) => resolve(response.resume().statusCode));
      });
      assertSameText(String(status), '200', 'the status');
    });
  }
  await context.check('TLS required: plain text is told so, and never forwarded', async () => {
    const asked = server.asked;
    const talk = new Talk(way);
    talk.socket.write(say('GET /snapshots/sized'));
    const [answer = ''] = await talk.answers(1);
    if (!answer.startsWith('HTTP/1.1 426 ')) throw new Error(answer);
    const session = openGrpc(way);
    const call = new Call(session, 'echo');
    call.stream.end('x');
    await call.shown();
    assertSameText(String(server.asked), String(asked), 'requests at the server');
    session.destroy();
  });
}

interface Answered {
  readonly head: string;
  readonly body: string;
  readonly code: number;
}

interface Asking {
  readonly key?: string;
  readonly body?: string;
  /** Resets the request as soon as it is out. */
  readonly isCancelled?: boolean;
}

function ask2(
  session: ClientHttp2Session,
  line: string,
  { key = KEY, body, isCancelled = false }: Asking = {},
): Promise<Answered> {
  const [method = '', path = ''] = line.split(' ');
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve) => {
    const stream = session.request({ ':method': method, ':path': path, 'api-key': key, ...type });
    const chunks: Buffer[] = [];
    let head = '';
    stream.on('response', ({ date: _date, ...headers }) => (head = JSON.stringify(headers)));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({ head, body: Buffer.concat(chunks).toString(), code: stream.rstCode }),
    );
    stream.end(body);
    if (isCancelled) setImmediate(() => stream.close(8));
  });
}

const QUERY = 'POST /collections/docs/points/query';
const REQUESTS: readonly (readonly [name: string, line: string, body?: string])[] = [
  ['an answer of 3 MB', 'GET /snapshots/sized?size=3000000'],
  ['an empty answer', 'GET /snapshots/sized?size=0'],
  ['an upload of 300 kB', 'POST /snapshots/upload', 'x'.repeat(300_000)],
  ['a search', QUERY, '{"query":[0.5],"limit":3}'],
  ['a reset of the server', 'GET /snapshots/reset'],
];

/** REST over HTTP/2 stays HTTP/2 (decision 0012). */
export async function checkRest2(context: SuiteContext): Promise<void> {
  const server = new TransportServer({ hasRest2: true });
  await server.listen(context);
  const gateway = await startTransportGateway(context, server, 'statement_size_max = 1048576');
  const lab: TransportLab = { server, ...gateway };
  const open = ({ restPort, scheme }: Way): ClientHttp2Session =>
    openGrpc({ ...lab.way, ...(scheme === undefined ? {} : { scheme }), grpcPort: restPort });
  const sessions = [lab.server.way, lab.way].map(open);
  const [direct, through] = sessions;
  if (direct === undefined || through === undefined) throw new Error('no sessions');
  for (const [name, line, body] of REQUESTS) {
    await context.check(`REST over HTTP/2, same as direct: ${name}`, async () => {
      const asking = body === undefined ? {} : { body };
      const seen = lab.server.log.length;
      const expected = await ask2(direct, line, asking);
      const found = await ask2(through, line, asking);
      assertSameText(JSON.stringify(found), JSON.stringify(expected), name);
      assertSameText(lab.server.log.slice(seen).join(), `${line},${line}`, 'asked over HTTP/2');
    });
  }
  await context.check('REST over HTTP/2: masked, and refused as over HTTP/1.1', async () => {
    const body = '{"query":[0.5],"limit":3,"with_payload":true}';
    const clear = await ask2(through, QUERY, { body });
    if (!clear.body.includes(EMAIL)) throw new Error(`not in clear for alice: ${clear.body}`);
    const masked = await ask2(through, QUERY, { body, key: MASKED_KEY });
    if (masked.body.includes(EMAIL)) throw new Error(`in clear: ${masked.body}`);
    if (!masked.body.includes('"note":"clear"')) throw new Error(masked.body);
    const unknown = await ask2(through, 'GET /no/such/route');
    if (!unknown.head.includes(':403')) throw new Error(`a strange route: ${unknown.head}`);
    const stranger = await ask2(through, QUERY, { body, key: 'not-a-key' });
    if (!stranger.head.includes(':401')) throw new Error(`a wrong key: ${stranger.head}`);
  });
  await context.check(
    'REST over HTTP/2: a cancel reaches the server, the session goes on',
    async () => {
      const lost = lab.server.lost.length;
      const asked = lab.server.log.length;
      const waiting = ask2(through, 'GET /snapshots/silent');
      await until(() => lab.server.log.length > asked, 'the request');
      const other = open(lab.way);
      const cancelled = other.request({ ':path': '/snapshots/silent', 'api-key': KEY });
      cancelled.on('error', () => undefined);
      cancelled.end();
      await until(() => lab.server.log.length > asked + 1, 'the other request');
      cancelled.close(8);
      await until(() => lab.server.lost.length > lost, 'the server hears of it');
      const next = await ask2(through, 'GET /snapshots/sized');
      assertSameText(next.body, 'vecto', 'the next answer');
      other.destroy();
      through.destroy();
      await waiting;
    },
  );
  for (const session of sessions) session.destroy();
}

const TLS_CALLS = ['echo', 'only', 'reset', 'pour3000000'];

/** Both addresses of the store behind TLS: HTTP/1.1, HTTP/2 and gRPC by ALPN, and no certificate but the right one. */
export async function checkTlsToStore(context: SuiteContext): Promise<void> {
  const folder = createCertificateFolder();
  context.teardown(async () => folder.remove());
  const certificate = folder.make('store');
  const stranger = folder.make('stranger');
  const server = new TransportServer({ certificate });
  await server.listen(context);
  const ca = (file: string): string => `upstream_ca = ${JSON.stringify(file)}`;
  const limits = 'statement_size_max = 1048576';
  const { way } = await startTransportGateway(context, server, limits, ca(certificate.cert));
  for (const how of TLS_CALLS) {
    await context.check(`TLS to the store, gRPC same as direct: ${how}`, async () => {
      const shown: string[] = [];
      for (const one of [server.way, way]) {
        const session = openGrpc(one);
        const call = new Call(session, how);
        call.stream.end('hello');
        shown.push(await call.shown());
        session.destroy();
      }
      assertSameText(shown[1] ?? '', shown[0] ?? '', how);
      if (!(shown[0] ?? '').includes('application/grpc')) throw new Error(`direct: ${shown[0]}`);
    });
  }
  await context.check('TLS to the store: HTTP/1.1, on one connection that is kept', async () => {
    const talk = new Talk(way);
    talk.socket.write(say('GET /snapshots/sized').repeat(3));
    const answers = await talk.answers(3);
    for (const answer of answers) {
      if (!answer.startsWith('HTTP/1.1 200') || !answer.endsWith('vecto')) throw new Error(answer);
    }
    talk.socket.destroy();
  });
  await context.check('TLS to the store: REST over HTTP/2, masked', async () => {
    const session = openGrpc({ ...way, grpcPort: way.restPort });
    const masked = await ask2(session, QUERY, { body: '{"query":[0.5]}', key: MASKED_KEY });
    session.destroy();
    if (masked.body.includes(EMAIL) || !masked.body.includes('clear')) throw new Error(masked.body);
  });
  const wrong = await startTransportGateway(context, server, limits, ca(stranger.cert));
  await context.check(
    'TLS to the store: another certificate is refused, nothing is asked',
    async () => {
      const asked = server.asked;
      const session = openGrpc(wrong.way);
      const call = new Call(session, 'echo');
      call.stream.end('hello');
      const shown = await call.shown();
      session.destroy();
      if (!shown.includes('grpc-status: 14')) throw new Error(shown);
      const talk = new Talk(wrong.way);
      talk.socket.write(say('GET /snapshots/sized'));
      const [answer = ''] = await talk.answers(1);
      talk.socket.destroy();
      if (!answer.startsWith('HTTP/1.1 500') || !answer.includes('could not reach the store'))
        throw new Error(answer);
      assertSameText(String(server.asked), String(asked), 'requests at the server');
    },
  );
}
