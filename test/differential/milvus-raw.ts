/** Bare requests to Milvus, which official clients would not send: any message, any path, any header. */

import { once } from 'node:events';
import { type ClientHttp2Stream, connect } from 'node:http2';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { MilvusWay } from './milvus-lab.ts';

/** For one answer; a loaded machine takes its time. */
const ANSWER_TIME_MAX = 60_000;

export interface RpcRequest {
  readonly rpc: string;
  readonly body: Buffer;
  readonly coding?: 'gzip' | 'deflate';
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Instead of one frame around the body: these bytes. */
  readonly frames?: Buffer;
  /** Sent in pieces of that many bytes, each in a DATA frame of its own. */
  readonly pieceSize?: number;
}

export interface RpcAnswer {
  /** `grpc-status`, or the number of HTTP where there is none. */
  readonly status: string;
  readonly message: string;
  /** The first message, without its frame. */
  readonly body: Buffer;
}

export async function askRpc({ port, key }: MilvusWay, asked: RpcRequest): Promise<RpcAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': asked.path ?? `/milvus.proto.milvus.MilvusService/${asked.rpc}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(key === undefined ? {} : { authorization: Buffer.from(key).toString('base64') }),
      ...(asked.coding === undefined ? {} : { 'grpc-encoding': asked.coding }),
      ...asked.headers,
    });
    stream.setTimeout(ANSWER_TIME_MAX, () => stream.destroy(new Error('no answer came')));
    const found: Record<string, string | undefined> = {};
    const note = (headers: object): void => void Object.assign(found, headers);
    stream.on('response', note);
    stream.on('trailers', note);
    const sent = send(stream, asked);
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(Buffer.from(piece));
    await sent;
    return {
      status: String(found['grpc-status'] ?? found[':status']),
      message: decodeURIComponent(found['grpc-message'] ?? ''),
      body: Buffer.concat(pieces).subarray(5),
    };
  } finally {
    session.destroy();
  }
}

export function frameOf(body: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** An answer may come before all is sent. */
async function send(stream: ClientHttp2Stream, asked: RpcRequest): Promise<void> {
  const bytes = asked.frames ?? frameOf(asked.body, asked.coding === undefined ? 0 : 1);
  const size = asked.pieceSize ?? Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length && stream.writable; at += size) {
    await new Promise<void>((done) => {
      stream.write(bytes.subarray(at, at + size), () => done());
    });
  }
  stream.end();
}

export interface RestRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export async function askRest(
  { port, key }: MilvusWay,
  { method = 'POST', path, body, headers }: RestRequest,
): Promise<{ readonly status: number; readonly text: string }> {
  const all: OutgoingHttpHeaders = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    'content-type': 'application/json',
    ...Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : [...value],
      ]),
    ),
  };
  const asked = request({ host: '127.0.0.1', port, method, path, headers: all, agent: false });
  asked.setTimeout(ANSWER_TIME_MAX, () => asked.destroy(new Error('no answer came')));
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage]; // As the event's documentation says.
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(Buffer.from(piece));
  return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') };
}
