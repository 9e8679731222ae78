/**
 * A stand-in for what Milvus Lite lacks: REST and gRPC on one port, groups, buckets, highlights, aliases by
 * number, streams. It is no database: it answers what it is told to, and keeps what it was asked. Its messages
 * are those of the official SDK's descriptors.
 */

import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { type Message, encodeMessage, methods } from './milvus-codec.ts';

export interface EmulatedRequest {
  /** `Search`, or `/v2/vectordb/entities/search`. */
  readonly name: string;
  readonly headers: IncomingHttpHeaders;
  /** One message without its frame, or the body. */
  readonly body: Buffer;
}

export interface MilvusEmulator {
  readonly port: number;
  readonly requests: EmulatedRequest[];
  /** What is answered from now on: a message of the RPC's own type, or bytes as they are. */
  readonly rpc: Map<string, Message | Buffer>;
  readonly rest: Map<string, string>;
  stop(): Promise<void>;
}

/** As an answer of DescribeCollection. */
export const described = (name: string): Message => ({
  status: { reason: '' },
  schema: { name, fields: [{ name: 'id', data_type: 5, is_primary_key: true }] },
  collection_name: name,
  db_name: 'default',
});

const SUCCESS: Message = { status: { reason: '' } };
/** Every connection over HTTP/2 begins with it (RFC 9113, 3.4). */
const PREFACE_START = 'PRI';

export async function startMilvusEmulator(): Promise<MilvusEmulator> {
  const requests: EmulatedRequest[] = [];
  const rpc = new Map<string, Message | Buffer>();
  const rest = new Map<string, string>();
  const sockets = new Set<Socket>();
  const http2 = createHttp2();
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => stream.destroy());
    void readAll(stream).then((bytes) => {
      const path = String(headers[':path']);
      const name = path.split('/').at(-1) ?? '';
      requests.push({ name, headers, body: bytes.subarray(5) });
      answerRpc(stream, name, rpc.get(name));
    });
  });
  const http1 = createHttp((request, response) => {
    void readAll(request).then((body) => {
      const name = request.url ?? '';
      requests.push({ name, headers: request.headers, body });
      const text = rest.get(name.split('?')[0] ?? '') ?? '{"code":0,"data":{}}';
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.end(text);
    });
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.once('readable', () => {
      const bytes: unknown = socket.read();
      if (!Buffer.isBuffer(bytes)) return;
      socket.unshift(bytes);
      const isHttp2 = bytes.toString('latin1', 0, 3) === PREFACE_START;
      (isHttp2 ? http2 : http1).emit('connection', socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port, requests, rpc, rest, stop };
}

async function readAll(source: IncomingMessage | ServerHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function answerRpc(
  stream: ServerHttp2Stream,
  name: string,
  told: Message | Buffer | undefined,
): void {
  const method = methods[name];
  const headers = { ':status': 200, 'content-type': 'application/grpc' };
  if (method === undefined) {
    stream.respond({ ...headers, 'grpc-status': '12' }, { endStream: true });
    return;
  }
  const message = Buffer.isBuffer(told) ? told : encodeAnswer(method.responseType, told);
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(frame);
}

/** Of a method that answers with a bare status, nothing is success. */
function encodeAnswer(type: string, told: Message | undefined): Buffer {
  const isStatus = type.split('.').at(-1) === 'Status';
  return encodeMessage(type, told ?? (isStatus ? {} : SUCCESS));
}
