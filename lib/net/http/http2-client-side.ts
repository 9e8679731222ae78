/** HTTP/2 on a socket that was accepted elsewhere: one session of `node:http2`, each stream an exchange. */
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { HeaderList, ResponseHead } from '../../../protocols/contract.ts';
import { readReason } from '../reason.ts';
import type { ClientHalf, ClientHalfEvents, ClientSide, ClientSideEvents } from './half.ts';
import {
  isBadHead,
  isGrpc,
  type ReadRequestHead,
  readHttp2Request,
  toHttp2Headers,
} from './heads.ts';
import { sendTrailers, StreamReader } from './http2-half.ts';
import { CONNECTION_WINDOW, http2Options, OUTFLOW_SIZE_MAX } from './limits.ts';
import { LIVENESS_PERIOD, watchClient } from './liveness.ts';

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_FLAG_END_STREAM } = http2.constants;

/** The server's date, or none, as direct. Node has the option; its types do not. */
const UNDATED = { sendDate: false } as const;

export interface Http2Serving {
  readonly socket: Duplex;
  readonly heldSizeMax: number;
  readonly events: ClientSideEvents;
  readonly livenessPeriod?: number;
}

export function serveHttp2(serving: Http2Serving): ClientSide {
  const { socket, heldSizeMax, events, livenessPeriod = LIVENESS_PERIOD } = serving;
  // Nothing can be asked without the other direction (WINDOW_UPDATE, SETTINGS), so its end is the end of both.
  socket.allowHalfOpen = false;
  const session = http2.performServerHandshake(socket, http2Options(heldSizeMax));
  // First, so that whatever becomes of the session has a listener.
  const side = new Http2ClientSide(session, events);
  session.setLocalWindowSize(CONNECTION_WINDOW);
  watchClient(session, livenessPeriod);
  return side;
}

class Http2ClientSide implements ClientSide {
  readonly #session: ServerHttp2Session;
  readonly #events: ClientSideEvents;
  #reason: string | undefined;
  #open = 0;
  #isClosed = false;

  constructor(session: ServerHttp2Session, events: ClientSideEvents) {
    this.#session = session;
    this.#events = events;
    session.on(
      'stream',
      (stream: ServerHttp2Stream, _headers: object, flags: number, raw?: readonly string[]) =>
        this.#onStream(stream, flags, raw ?? []),
    );
    session.on('error', (error: Error) => (this.#reason = readReason(error)));
    session.on('goaway', (code: number) => {
      if (code !== NGHTTP2_NO_ERROR) this.#reason = `the client sent GOAWAY (${code})`;
    });
    session.once('close', () => {
      this.#isClosed = true;
      this.#tellClosed();
    });
  }

  finish(): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    stream.on('error', ignore);
    // A stream that was reset in the same turn is over before anybody has seen it.
    if (stream.destroyed) return;
    const isWhole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const read = readHttp2Request(raw, isWhole);
    if (isBadHead(read)) {
      this.#events.onRefused(read.reason);
      stream.respond({ ':status': read.status }, { ...UNDATED, endStream: true });
      stream.resume();
      if (!isWhole) stream.close(NGHTTP2_NO_ERROR);
      return;
    }
    const half = new Http2ClientHalf(stream, read);
    const { head } = read;
    this.#open += 1;
    const events = this.#events.onRequest(half, head);
    half.start(events);
    // Behind the reader's own listener, which tells why.
    stream.once('close', () => {
      events.onDone();
      this.#open -= 1;
      this.#tellClosed();
    });
  }

  /** A session that is destroyed tells so before its streams do. */
  #tellClosed(): void {
    if (!this.#isClosed || this.#open > 0) return;
    this.#isClosed = false;
    this.#events.onClosed(this.#reason);
  }
}

class Http2ClientHalf implements ClientHalf {
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  readonly #isWhole: boolean;
  #reader: StreamReader | undefined;
  #owesContinue: boolean;
  #isPaused = false;
  #isOver = false;
  /** Told, and not sent until it is known what follows: the end may go into the same frame. */
  #head: ResponseHead | undefined;
  #trailers: HeaderList = [];
  #isBodiless = false;
  #owesTrailers = false;

  constructor(stream: ServerHttp2Stream, { head, expectsContinue }: ReadRequestHead) {
    this.#stream = stream;
    this.#isHead = head.method === 'HEAD';
    this.#isWhole = head.isWhole;
    this.#owesContinue = expectsContinue;
  }

  get isFull(): boolean {
    return this.queuedSize >= OUTFLOW_SIZE_MAX;
  }

  get queuedSize(): number {
    return this.#stream.writableLength;
  }

  start(events: ClientHalfEvents): void {
    // It may have been answered by its head alone.
    if (this.#isOver) return void this.#stream.resume();
    this.#reader = new StreamReader(this.#stream, 'client', events);
    if (this.#isPaused) this.#reader.setPaused(true);
    this.#continue();
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (this.#reader?.isOver === true) return;
    this.#reader?.setPaused(isPaused);
    this.#continue();
  }

  answer(head: ResponseHead): void {
    this.#owesContinue = false;
    this.#head = head;
    process.nextTick(() => this.#respond(false));
  }

  send(bytes: Buffer): void {
    this.#respond(false);
    if (this.#isGone || this.#isBodiless) return;
    this.#stream.write(bytes);
  }

  end(trailers: HeaderList): void {
    this.#trailers = trailers;
    this.#respond(true);
    if (!this.#isGone) this.#stream.end();
  }

  ignoreRest(): void {
    this.#isOver = true;
    this.#reader?.stop();
    this.#closeRest();
  }

  /** RFC 9113, 8.1: once the answer is whole, the client may save itself the rest. */
  #closeRest(): void {
    // Node takes no trailers, nor the end without any, of a stream that is being closed.
    if (this.#isWhole || this.#isGone || this.#owesTrailers) return;
    this.#stream.close(NGHTTP2_NO_ERROR);
  }

  abandon(code: number): void {
    this.#isOver = true;
    this.#head = undefined;
    this.#reader?.stop();
    if (!this.#stream.closed) this.#stream.close(code);
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #respond(isEnd: boolean): void {
    const head = this.#head;
    if (head === undefined || this.#isGone) return;
    this.#head = undefined;
    const { status, headers } = head;
    const trailers = this.#trailers;
    // "Trailers only" (gRPC over HTTP/2): nothing was said but how it ended.
    const isTrailersOnly = isEnd && trailers.length > 0 && isGrpc(headers);
    const lines = isTrailersOnly ? [...headers, ...trailers] : headers;
    const endStream = isEnd && (trailers.length === 0 || isTrailersOnly);
    this.#isBodiless = endStream || this.#isHead || status === 204 || status === 304;
    const options = this.#isBodiless ? { endStream: true } : { waitForTrailers: true };
    try {
      this.#stream.respond(
        { ...toHttp2Headers(lines), ':status': status },
        { ...UNDATED, ...options },
      );
    } catch {
      // The server said something in HTTP/1.1 or 2 that Node's HTTP/2 does not pass on (a name twice).
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    this.#owesTrailers = !this.#isBodiless;
    this.#stream.once('wantTrailers', () => {
      sendTrailers(this.#stream, this.#trailers);
      // Node sends them in a turn of their own.
      setImmediate(() => {
        this.#owesTrailers = false;
        if (this.#isOver) this.#closeRest();
      });
    });
  }

  #continue(): void {
    if (!this.#owesContinue || this.#isPaused || this.#isGone) return;
    this.#owesContinue = false;
    this.#stream.additionalHeaders({ ':status': 100 });
  }
}

function ignore(): void {
  // Told by 'close'.
}
