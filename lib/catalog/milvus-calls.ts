/**
 * Unary calls over gRPC to Milvus, on one HTTP/2 connection that is made when it is needed and made anew when
 * it is lost. Each call gives up by itself. Knows frames and statuses, no messages.
 */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';
import { isIP } from 'node:net';
import { GatewayError } from '../errors.ts';
import { NAMES_TIME_MAX, type StoreNamesSettings } from './store-names.ts';

/** The description of a collection with its schema; real ones are a few kilobytes. */
const ANSWER_SIZE_MAX = 4 * 1024 * 1024;
const FRAME_HEAD_SIZE = 5;

export class MilvusSideCalls {
  readonly #settings: StoreNamesSettings;
  #session: ClientHttp2Session | undefined;
  #isClosed = false;

  constructor(settings: StoreNamesSettings) {
    this.#settings = settings;
  }

  close(): void {
    this.#isClosed = true;
    this.#session?.destroy();
    this.#session = undefined;
  }

  /** The message of the answer; rejects where there is none. */
  async ask(path: string, message: Buffer, database: string): Promise<Buffer> {
    const session = this.#open();
    return await new Promise<Buffer>((done, fail) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-accept-encoding': 'identity',
        dbname: database,
        ...this.#authorization(),
      });
      const timer = setTimeout(() => {
        stream.destroy(new Error('it took too long'));
        // A peer that is gone without a word would hold the next calls up, too.
        session.destroy();
      }, NAMES_TIME_MAX);
      const end = (result: Buffer | Error): void => {
        clearTimeout(timer);
        if (Buffer.isBuffer(result)) done(result);
        else fail(failure(result.message, result));
      };
      collect(stream, end);
      stream.end(frame(message));
    });
  }

  #authorization(): Record<string, string> {
    const { login } = this.#settings;
    if (login === undefined || login.secret === '') return {};
    const text = login.user === undefined ? login.secret : `${login.user}:${login.secret}`;
    return { authorization: Buffer.from(text, 'utf8').toString('base64') };
  }

  #open(): ClientHttp2Session {
    if (this.#isClosed) throw failure('the gateway closes');
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = this.#connect();
    this.#session = session;
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    // Calls under way are told by their own streams.
    session.on('error', forget);
    session.on('goaway', forget);
    session.on('close', forget);
    session.unref();
    return session;
  }

  #connect(): ClientHttp2Session {
    const { host, port, tls } = this.#settings;
    const name = isIP(host) === 6 ? `[${host}]` : host;
    if (tls === undefined) return connect(`http://${name}:${port}`);
    return connect(`https://${name}:${port}`, {
      rejectUnauthorized: tls.isVerified,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    });
  }
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_SIZE);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function collect(stream: ClientHttp2Stream, end: (result: Buffer | Error) => void): void {
  const pieces: Buffer[] = [];
  let size = 0;
  let status: string | undefined;
  let text = '';
  const note = (headers: IncomingHttpHeaders): void => {
    status = textOf(headers['grpc-status']) ?? status;
    text = textOf(headers['grpc-message']) ?? text;
  };
  stream.on('response', (headers) => {
    if (headers[':status'] !== 200) stream.destroy(new Error(`status ${headers[':status']}`));
    else note(headers);
  });
  stream.on('trailers', note);
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
    if (size > ANSWER_SIZE_MAX) stream.destroy(new Error('its answer is too long'));
  });
  stream.on('error', end);
  stream.on('close', () => {
    if (status !== '0') end(new Error(status === undefined ? 'no answer' : `${status} ${text}`));
    else end(unframe(Buffer.concat(pieces)));
  });
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Exactly one message, not compressed. */
function unframe(bytes: Buffer): Buffer | Error {
  const isWhole =
    bytes.length >= FRAME_HEAD_SIZE &&
    bytes[0] === 0 &&
    bytes.readUInt32BE(1) === bytes.length - FRAME_HEAD_SIZE;
  return isWhole ? bytes.subarray(FRAME_HEAD_SIZE) : new Error('an answer that is not one message');
}

function failure(why: string, cause?: unknown): GatewayError {
  return new GatewayError('STORE_NAMES', `Milvus cannot be asked what a name means: ${why}`, {
    cause,
  });
}
