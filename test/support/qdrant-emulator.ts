/**
 * An emulated Qdrant 1.19: REST on one port, gRPC (h2c) on another, made of the official clients' own
 * descriptors, since no package carries the real server (vector.md 0.1). What the gateway must keep from it,
 * it would give: it notes each request that reaches it.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

import { EmulatedError, QdrantEngine } from './qdrant-emulator-engine.ts';
import { asText } from './qdrant-emulator-filter.ts';
import { answerRest } from './qdrant-emulator-rest.ts';
import type { RpcMethods } from './qdrant-emulator-rpc.ts';
import { answerRpc, loadQdrantServices, methodsOf } from './qdrant-emulator-rpc.ts';

export interface QdrantEmulator {
  readonly engine: QdrantEngine;
  readonly restPort: number;
  readonly grpcPort: number;
  /** Lines of what came in: `POST /collections/a/points/query`, `/qdrant.Points/Query`. */
  readonly seen: string[];
  /** Credentials that came with them. */
  readonly keys: Set<string>;
  close(): Promise<void>;
}

export interface EmulatorOptions {
  /** Asked for in `api-key` or as a bearer token; undefined: none is. */
  readonly apiKey?: string;
  readonly restPort?: number;
  readonly grpcPort?: number;
}

const OPEN = new Set(['/', '/healthz', '/livez', '/readyz', '/qdrant.Qdrant/HealthCheck']);
const GRPC_NOT_FOUND = 5;
const GRPC_INVALID = 3;
const GRPC_UNIMPLEMENTED = 12;
const GRPC_UNAUTHENTICATED = 16;

export async function startQdrantEmulator(options: EmulatorOptions = {}): Promise<QdrantEmulator> {
  const emulator = new Emulator(options, methodsOf(await loadQdrantServices()));
  await emulator.listen();
  return emulator;
}

class Emulator implements QdrantEmulator {
  readonly engine = new QdrantEngine();
  readonly seen: string[] = [];
  readonly keys = new Set<string>();
  readonly #options: EmulatorOptions;
  readonly #methods: RpcMethods;
  readonly #rest: Server;
  readonly #grpc: Http2Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: EmulatorOptions, methods: RpcMethods) {
    this.#options = options;
    this.#methods = methods;
    this.#rest = createServer((request, response) => this.#onRest(request, response));
    this.#grpc = createHttp2Server();
    this.#grpc.on('stream', (stream, headers) => {
      this.#onRpc(stream, asText(headers[':path']), keyOf(headers), headers['grpc-encoding']);
    });
    for (const server of [this.#rest, this.#grpc]) {
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      });
    }
  }

  get restPort(): number {
    return portOf(this.#rest);
  }

  get grpcPort(): number {
    return portOf(this.#grpc);
  }

  async listen(): Promise<void> {
    const { restPort = 0, grpcPort = 0 } = this.#options;
    await new Promise<void>((done) => this.#rest.listen(restPort, '127.0.0.1', done));
    await new Promise<void>((done) => this.#grpc.listen(grpcPort, '127.0.0.1', done));
  }

  async close(): Promise<void> {
    const closed = [this.#rest, this.#grpc].map(
      async (server) => await new Promise<void>((done) => server.close(() => done())),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #isKnown(path: string, key: string): boolean {
    if (key !== '') this.keys.add(key);
    const { apiKey } = this.#options;
    return apiKey === undefined || OPEN.has(path) || key === apiKey;
  }

  #onRest(request: IncomingMessage, response: ServerResponse): void {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      this.seen.push(`${method} ${url}`);
      if (!this.#isKnown(url, keyOf(headers))) {
        response.writeHead(401).end('Must provide an API key or an Authorization bearer token');
        return;
      }
      const body = inflated(Buffer.concat(pieces), headers['content-encoding']);
      const answer = answerRest(this.engine, method, url, body);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  }

  #onRpc(stream: ServerHttp2Stream, path: string, key: string, encoding: unknown): void {
    const pieces: Buffer[] = [];
    // A client that gives up resets the stream; there is nobody to tell then.
    stream.on('error', () => stream.destroy());
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      this.seen.push(path);
      if (!this.#isKnown(path, key)) {
        fail(stream, GRPC_UNAUTHENTICATED, 'Must provide an API key');
        return;
      }
      try {
        const framed = Buffer.concat(pieces);
        const message =
          framed[0] === 1 ? inflated(framed.subarray(5), encoding) : framed.subarray(5);
        respond(stream, answerRpc(this.engine, this.#methods, path, message));
      } catch (error) {
        fail(stream, codeOf(error), error instanceof Error ? error.message : asText(error));
      }
    });
  }
}

function keyOf(headers: Readonly<Record<string, unknown>>): string {
  const bearer = /^Bearer (.+)$/.exec(asText(headers['authorization'] ?? ''));
  return asText(headers['api-key'] ?? bearer?.[1] ?? '');
}

function inflated(body: Buffer, encoding: unknown): Buffer {
  if (encoding === 'gzip') return gunzipSync(body);
  if (encoding === 'deflate') return inflateSync(body);
  return encoding === 'br' ? brotliDecompressSync(body) : body;
}

function codeOf(error: unknown): number {
  if (!(error instanceof EmulatedError)) return GRPC_INVALID;
  if (error.status === 501) return GRPC_UNIMPLEMENTED;
  return error.status === 404 ? GRPC_NOT_FOUND : GRPC_INVALID;
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(Buffer.concat([head, message]));
}

function fail(stream: ServerHttp2Stream, code: number, message: string): void {
  const status = { 'grpc-status': asText(code), 'grpc-message': message };
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...status },
    { endStream: true },
  );
}

function portOf(server: Server | Http2Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}
