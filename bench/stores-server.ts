/**
 * What stands behind and beside Weir in the bench of stores, each in a process of its own: a dumb server with
 * canned answers, and a bare relay in Node that passes on what it gets and looks at nothing.
 */

import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
} from 'node:http';
import {
  connect,
  createServer as createServer2,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { jsonAnswer, protoAnswer } from './stores-answers.ts';

export type StoreTransport = 'rest' | 'grpc';
/** The name of a collection says how large the answer is: 1 hit, or about 350 kB. */
export const COLLECTIONS = ['small', 'large'] as const;
const LARGE_COUNTS = { rest: 38, grpc: 100 } as const;

/** Room for an answer in one go; Node's own windows are 64 kB (vector.md section 4). */
export const WINDOW = 16 * 1024 * 1024;

/** Gives the port. */
export async function startCannedStore(transport: StoreTransport): Promise<number> {
  return listen(transport === 'rest' ? createServer(cannedRest()) : cannedGrpc());
}

export async function startRelay(transport: StoreTransport, upstreamPort: number): Promise<number> {
  return listen(
    transport === 'rest' ? createServer(restRelay(upstreamPort)) : grpcRelay(upstreamPort),
  );
}

function listen(server: Server | Http2Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
}

/** Names are asked for by the gateway: they are answered as Qdrant does. */
function cannedRest(): RequestListener {
  const ok = (result: unknown): Buffer =>
    Buffer.from(JSON.stringify({ result, status: 'ok', time: 0 }));
  const names = ok({ collections: COLLECTIONS.map((name) => ({ name })) });
  const aliases = ok({ aliases: [] });
  const small = jsonAnswer(1);
  const large = jsonAnswer(LARGE_COUNTS.rest);
  return (asked, answer) => {
    const { url = '' } = asked;
    asked.resume().once('end', () => {
      const body = url.endsWith('/aliases')
        ? aliases
        : url === '/collections'
          ? names
          : url.includes('/large/')
            ? large
            : small;
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      answer.end(body);
    });
  };
}

/** A message in its frame (gRPC over HTTP/2: a flag, four bytes of length). */
export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function cannedGrpc(): Http2Server {
  const small = frame(protoAnswer(1));
  const large = frame(protoAnswer(LARGE_COUNTS.grpc));
  const server = createServer2({ settings: { initialWindowSize: WINDOW } });
  server.on('session', (session) => session.setLocalWindowSize(WINDOW));
  server.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => stream.destroy());
    stream.once('end', () => {
      const body = Buffer.concat(chunks).includes('large') ? large : small;
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      answerWith(stream, head, body, () => ({ 'grpc-status': '0' }));
    });
  });
  return server;
}

function answerWith(
  stream: ServerHttp2Stream,
  head: OutgoingHttpHeaders,
  body: Buffer,
  trailers: () => OutgoingHttpHeaders,
): void {
  if (stream.destroyed) return;
  stream.respond(head, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers()));
  stream.end(body);
}

function restRelay(port: number): RequestListener {
  const agent = new Agent({ keepAlive: true });
  return (asked, answer) => {
    const { method, url, rawHeaders } = asked;
    const options = { host: '127.0.0.1', port, agent, method, path: url };
    const onward = request({ ...options, headers: rawHeaders }, (answered: IncomingMessage) => {
      answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  };
}

/** One session to the server for each of a client. Whole messages are written at once: the faster way (vector.md 4). */
function grpcRelay(port: number): Http2Server {
  const server = createServer2({ settings: { initialWindowSize: WINDOW } });
  server.on('session', (session) => {
    session.setLocalWindowSize(WINDOW);
    const upstream = connect(`http://127.0.0.1:${port}`, {
      settings: { initialWindowSize: WINDOW },
    });
    upstream.once('connect', () => upstream.setLocalWindowSize(WINDOW));
    upstream.on('error', () => session.destroy());
    session.once('close', () => upstream.close());
    session.on('stream', (stream, headers) => {
      const onward = upstream.request(headers);
      const chunks: Buffer[] = [];
      let head: OutgoingHttpHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      onward.once('response', ({ ...fields }) => (head = fields));
      onward.once('trailers', (fields) => (trailers = fields));
      onward.on('data', (chunk: Buffer) => chunks.push(chunk));
      onward.once('end', () => answerWith(stream, head, Buffer.concat(chunks), () => trailers));
      onward.on('error', () => stream.destroy());
      stream.on('error', () => onward.destroy());
      stream.pipe(onward);
    });
  });
  return server;
}
