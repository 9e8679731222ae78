/**
 * What the transport suite stands on: a server that answers on routes of Qdrant as the test wants (HTTP/1.1 on one
 * port, gRPC on another), and a gateway in a process of its own in front of it. How a snapshot is called says how
 * its download behaves; for gRPC a header says it.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2, { type ServerHttp2Stream } from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { gzipSync } from 'node:zlib';
import { loadConfig } from '../../lib/config/load.ts';
import { makeTemporary, type RunningTarget, startServing } from '../support/gateway-process.ts';
import type { SuiteContext } from './harness.ts';

export const KEY = 'key-of-alice';
export const MASKED_KEY = 'key-of-petra';
/** Bidirectional, and streamed through. */
export const STREAMING = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const PIECE = Buffer.alloc(64 * 1024, 'vectors ');
/** In the answer to a search over HTTP/2; masked for whoever has `MASKED_KEY`. */
export const EMAIL = 'ann@hidden.example';
/** Of an answer that inflates to this many bytes. */
const BOMB_SIZE = 256 * 1024 * 1024;

export interface Way {
  readonly name: 'direct' | 'through';
  readonly restPort: number;
  readonly grpcPort: number;
  readonly scheme?: 'http' | 'https';
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The first bytes of a client that speaks HTTP/2 (RFC 9113 section 3.4). */
const PREFACE = 'PRI *';

export interface TransportServerOptions {
  /** Both ports speak TLS alone, and HTTP/1.1 or HTTP/2 as ALPN says. */
  readonly certificate?: Certificate;
  /** The port of REST speaks HTTP/2 as well, as the first bytes say. Such a server cannot hold a client back. */
  readonly hasRest2?: boolean;
}

export class TransportServer {
  readonly sockets = new Set<net.Socket>();
  /** Codes of streams that were reset, and `closed` for sockets that were lost within an answer. */
  readonly lost: string[] = [];
  readonly timeouts: string[] = [];
  readonly te: string[] = [];
  connections = 0;
  written = 0;
  asked = 0;
  readonly #rest: net.Server;
  readonly #grpc: net.Server;
  readonly #scheme: 'http' | 'https';
  readonly #http1 = http.createServer({ keepAliveTimeout: 0 }, (request, response) =>
    this.#onRest(request, response),
  );
  readonly #http2 = http2.createServer();
  readonly #bomb = gzipSync(Buffer.alloc(BOMB_SIZE, ' '));
  /** Requests of REST over HTTP/2. */
  readonly log: string[] = [];

  constructor({ certificate, hasRest2 = false }: TransportServerOptions = {}) {
    this.#scheme = certificate === undefined ? 'http' : 'https';
    if (certificate !== undefined) {
      const [cert, key] = [readFileSync(certificate.cert), readFileSync(certificate.key)];
      const open = (): net.Server =>
        tls.createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) =>
          this.#serve(socket, socket.alpnProtocol === 'h2'),
        );
      [this.#rest, this.#grpc] = [open(), open()];
      return;
    }
    this.#rest = hasRest2 ? net.createServer((socket) => this.#sniff(socket)) : this.#http1;
    this.#grpc = this.#http2;
    for (const server of [this.#rest, this.#grpc])
      server.on('connection', (socket: net.Socket) => this.#count(socket));
  }

  async listen(context: SuiteContext): Promise<void> {
    this.#http2.on('stream', (stream, headers) => {
      const path = String(headers[':path']);
      if (path.startsWith('/grpc.')) this.#onRpc(stream, headers);
      else this.#onRest2(stream, String(headers[':method']), path);
    });
    this.#http2.on('sessionError', () => undefined);
    for (const server of [this.#rest, this.#grpc]) {
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    }
    context.teardown(async () => {
      this.killAll();
      this.#rest.close();
      this.#grpc.close();
    });
  }

  #sniff(socket: net.Socket): void {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      const isHttp2 = first.toString('latin1').startsWith(PREFACE);
      this.#serve(socket, isHttp2);
      if (!isHttp2) socket.resume();
    });
  }

  #serve(socket: net.Socket, isHttp2: boolean): void {
    if (this.#scheme === 'https') this.#count(socket);
    (isHttp2 ? this.#http2 : this.#http1).emit('connection', socket);
  }

  #count(socket: net.Socket): void {
    if (this.sockets.has(socket)) return;
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }

  get way(): Way {
    const ports = { restPort: portOf(this.#rest), grpcPort: portOf(this.#grpc) };
    return { name: 'direct', ...ports, scheme: this.#scheme };
  }

  killAll(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  #onRest(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const size = Number(new URLSearchParams(query).get('size') ?? 5);
    response.on('close', () => {
      if (!response.writableFinished) this.lost.push('closed');
    });
    if (path === '/collections') {
      return answerJson(request, response, { collections: [{ name: 'docs' }] });
    }
    if (path === '/aliases') return answerJson(request, response, { aliases: [] });
    this.asked += 1;
    if (path.endsWith('/points/query')) return this.#answerBomb(request, response);
    if (request.method === 'POST') return this.#upload(request, response, query);
    request
      .resume()
      .once('end', () => this.#download(response, path.split('/').at(-1) ?? '', size));
  }

  #answerBomb(request: IncomingMessage, response: ServerResponse): void {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(this.#bomb);
    });
  }

  /** REST over HTTP/2, as much of it as the suite asks for. */
  #onRest2(stream: ServerHttp2Stream, method: string, url: string): void {
    this.log.push(`${method} ${url}`);
    const [path = '', query = ''] = url.split('?');
    const type = { ':status': 200, 'content-type': 'application/json' };
    let size = 0;
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (stream.rstCode !== 0) this.lost.push(String(stream.rstCode));
    });
    stream.on('data', (bytes: Buffer) => (size += bytes.length));
    stream.on('end', () => {
      if (path === '/snapshots/reset') return stream.close(11);
      if (path === '/snapshots/silent') return undefined;
      if (path === '/snapshots/sized') {
        stream.respond({ ...type, 'x-kind': ['a', 'b'] });
        return this.#pour(stream, Number(new URLSearchParams(query).get('size') ?? 5));
      }
      stream.respond(type);
      const point = { id: 1, version: 0, score: 0.5, payload: { email: EMAIL, note: 'clear' } };
      const result = path.endsWith('/points/query') ? { points: [point] } : { size };
      stream.end(JSON.stringify({ result, status: 'ok', time: 0 }));
    });
  }

  #upload(request: IncomingMessage, response: ServerResponse, query: string): void {
    const hash = createHash('sha256');
    let size = 0;
    request.on('data', (bytes: Buffer) => {
      size += bytes.length;
      hash.update(bytes);
    });
    if (query.includes('later')) {
      request.pause();
      this.readOn = () => request.resume();
    }
    request.on('end', () => {
      const { trailers } = request;
      response.end(JSON.stringify({ size, hash: hash.digest('hex'), trailers }));
    });
  }

  /** Reads an upload that was to be read later. */
  readOn: () => void = () => undefined;

  #download(response: ServerResponse, how: string, size: number): void {
    switch (how) {
      case 'empty':
        return void response.writeHead(204).end();
      case 'same':
        return void response.writeHead(304, { etag: '"x"' }).end();
      case 'failed':
        return void response.writeHead(500, 'Oh No', { 'x-a': ['1', '2'] }).end('failed');
      case 'chunks':
        for (const piece of 'chunks') response.write(piece);
        return void response.end();
      case 'trailers':
        response.writeHead(200, { trailer: 'x-sum' }).write('part');
        response.addTrailers({ 'x-sum': '7' });
        return void response.end();
      case 'closing':
        response.shouldKeepAlive = false;
        return void response.end('the last of its connection');
      case 'silent':
        return undefined;
      case 'half':
        return void response.writeHead(200, { 'content-length': 100 }).write('half');
      case 'dies':
        response.writeHead(200, { 'content-length': 100 }).write('half', () => {
          setTimeout(() => response.socket?.resetAndDestroy(), 50);
        });
        return undefined;
      default:
        response.writeHead(200, { 'content-length': size });
        this.#pour(response, size);
    }
  }

  #pour(to: ServerResponse | ServerHttp2Stream, size: number): void {
    let left = size;
    const more = (): void => {
      while (left > 0) {
        const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
        left -= piece.length;
        this.written += piece.length;
        if (!to.write(piece) && left > 0) return void to.once('drain', more);
      }
      to.end();
    };
    more();
  }

  #onRpc(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    this.asked += 1;
    const how = String(headers['x-how'] ?? 'echo');
    this.te.push(String(headers['te']));
    this.timeouts.push(String(headers['grpc-timeout']));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (stream.rstCode !== 0) this.lost.push(String(stream.rstCode));
    });
    const type = { ':status': 200, 'content-type': 'application/grpc' };
    if (how === 'only') {
      stream.resume();
      stream.respond({ ...type, 'grpc-status': '7', 'grpc-message': 'no' }, { endStream: true });
      return;
    }
    if (how === 'silent') return void stream.resume();
    stream.respond(type, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': '0', 'x-details-bin': 'AAEC' }),
    );
    if (how === 'reset') return void stream.once('data', () => stream.close(11));
    if (how === 'away') stream.session?.goaway(0);
    if (how.startsWith('pour')) {
      stream.resume();
      return this.#pour(stream, Number(how.slice(4)));
    }
    // Node's own client ends its side before it resets: whoever answers that end is done by then, and no reset matters.
    if (how === 'held') return void stream.on('data', (bytes: Buffer) => stream.write(bytes));
    stream.pipe(stream);
  }
}

function answerJson(request: IncomingMessage, response: ServerResponse, result: object): void {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ result, status: 'ok', time: 0 }));
  });
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

export interface TransportGateway {
  readonly target: RunningTarget;
  readonly way: Way;
}

export async function startTransportGateway(
  context: SuiteContext,
  server: TransportServer,
  limits: string,
  more = '',
): Promise<TransportGateway> {
  const dataDir = await makeTemporary(context, 'weir-transport-');
  const file = join(dataDir, 'weir.toml');
  await writeFile(file, describeConfig(server.way, dataDir, `limits = { ${limits} }\n${more}`));
  const request = { kind: 'gateway', config: loadConfig(file) } as const;
  const target = await startServing(context, request, { dataDir, environment: {} });
  return { target, way: { name: 'through', restPort: target.port, grpcPort: target.port } };
}

function describeConfig(way: Way, dataDir: string, more: string): string {
  const { restPort, grpcPort, scheme = 'http' } = way;
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
  return `data_dir = ${JSON.stringify(dataDir)}
[[connection]]
name = "store"
protocol = "qdrant"
listen = "127.0.0.1:0"
upstream = "${scheme}://127.0.0.1:${restPort}"
upstream_grpc = "${scheme}://127.0.0.1:${grpcPort}"
auth = "gateway"
${more}
[[user]]
name = "alice"
groups = []
keys = ["sha256:${hash(KEY)}"]
[[user]]
name = "petra"
groups = ["privacy"]
keys = ["sha256:${hash(MASKED_KEY)}"]
[[mask]]
name = "contacts"
fields = ["email"]
with = "redact"
objects = ["qdrant:*"]
except = ["alice"]
`;
}
