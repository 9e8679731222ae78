/** Small servers and clients for exchange tests: real HTTP/1.1 and HTTP/2, and raw sockets for what is neither. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2, {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import net from 'node:net';
import type { Teardown } from '../../support/servers.ts';
import { until } from './duplex-pair.ts';

export async function listenOn(t: Teardown, server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function serveHttp1(
  t: Teardown,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  return listenOn(t, http.createServer({ keepAliveTimeout: 0 }, answer));
}

export function serveHttp2(
  t: Teardown,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  onSocket: (socket: net.Socket) => void = () => undefined,
): Promise<number> {
  const server = http2.createServer();
  server.on('connection', onSocket);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  server.on('sessionError', () => undefined);
  return listenOn(t, server);
}

export interface Fetched {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | NodeJS.Dict<string>;
}

export interface Fetching {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
}

export function fetchHttp1(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: Fetching = {},
  agent: http.Agent | false = false,
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          trailers: response.trailers,
        }),
      );
    });
    request.end(body);
  });
}

export function connectClient(t: Teardown, port: number): ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 1024 * 1024 },
  });
  session.on('error', () => undefined);
  t.teardown(async () => session.destroy());
  return session;
}

export function fetchHttp2(
  session: ClientHttp2Session,
  { method = 'GET', path = '/', headers = {}, body }: Fetching = {},
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...headers, ':method': method, ':path': path });
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (got) => (head = got));
    stream.on('trailers', (got) => (trailers = got));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      if (stream.rstCode !== 0) return reject(new Error(`reset ${stream.rstCode}`));
      const status = head[':status'] ?? 0;
      resolve({ status, headers: head, body: Buffer.concat(chunks), trailers });
    });
    stream.end(body);
  });
}

/** Speaks bytes, and keeps what it hears. */
export class RawSocket {
  readonly socket: net.Socket;
  text = '';
  hasEnded = false;
  isClosed = false;

  constructor(port: number) {
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes: Buffer) => (this.text += bytes.toString('latin1')));
    this.socket.on('end', () => (this.hasEnded = true));
    this.socket.on('close', () => (this.isClosed = true));
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async writeBytewise(text: string): Promise<void> {
    for (const byte of Buffer.from(text, 'latin1')) {
      this.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** All that came until it was closed. */
  async untilClosed(): Promise<string> {
    await until(() => this.hasEnded || this.isClosed);
    this.socket.destroy();
    return this.text;
  }
}
