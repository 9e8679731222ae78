/** One HTTP/2 connection to the server, on a socket that is connected: each request a stream of it. */
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { HeaderList, RequestHead } from '../../../protocols/contract.ts';
import type { Half, ServerHalfEvents, ServerSide } from './half.ts';
import { isGrpc, readResponse, toHttp2Headers } from './heads.ts';
import { sendTrailers, StreamReader } from './http2-half.ts';
import { CONNECTION_WINDOW, http2Options, OUTFLOW_SIZE_MAX } from './limits.ts';
import { LIVENESS_PERIOD, watchServer } from './liveness.ts';

const { NGHTTP2_CANCEL } = http2.constants;

export interface Http2Connecting {
  readonly socket: Duplex;
  readonly scheme: 'http' | 'https';
  /** The server's own name and port, as a client of its own would write them. */
  readonly authority: string;
  readonly heldSizeMax: number;
  readonly livenessPeriod?: number;
  /** Once, when it is over or about to be (GOAWAY); what was asked goes on where it can. */
  readonly onRetired: () => void;
  readonly onClosed: () => void;
}

export function connectHttp2(connecting: Http2Connecting): ServerSide {
  return new Http2ServerSide(connecting);
}

class Http2ServerSide implements ServerSide {
  readonly #session: ClientHttp2Session;
  readonly #connecting: Http2Connecting;
  #isRetired = false;

  constructor(connecting: Http2Connecting) {
    const { socket, scheme, authority, heldSizeMax } = connecting;
    const { livenessPeriod = LIVENESS_PERIOD } = connecting;
    this.#connecting = connecting;
    const session = http2.connect(`${scheme}://${authority}`, {
      ...http2Options(heldSizeMax),
      createConnection: () => socket,
    });
    this.#session = session;
    session.once('connect', () => {
      // Told in a turn of its own: destroyed by then, it would throw, and nobody is there to catch that.
      if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW);
    });
    watchServer(session, livenessPeriod);
    // Each stream tells what became of it.
    session.on('error', ignore);
    session.on('goaway', () => this.#retire());
    session.once('close', () => {
      this.#retire();
      connecting.onClosed();
    });
  }

  get isUsable(): boolean {
    return !this.#isRetired && !this.#session.closed && !this.#session.destroyed;
  }

  ask(head: RequestHead, events: ServerHalfEvents): Half {
    const { scheme, authority } = this.#connecting;
    // gRPC servers refuse a request that does not say so, and it never passes from the client's hop.
    const hop: HeaderList = isGrpc(head.headers) ? [['te', 'trailers']] : [];
    const headers = {
      ...toHttp2Headers([...head.headers, ...hop]),
      ':method': head.method,
      ':path': head.target,
      ':scheme': scheme,
      ':authority': authority,
    };
    const stream = this.#session.request(headers, {
      endStream: head.isWhole,
      waitForTrailers: !head.isWhole,
    });
    return new Http2ServerHalf(stream, head.isWhole, events);
  }

  destroy(): void {
    this.#session.destroy();
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#connecting.onRetired();
  }
}

class Http2ServerHalf implements Half {
  readonly #stream: ClientHttp2Stream;
  readonly #reader: StreamReader;
  readonly #isWhole: boolean;
  #trailers: HeaderList = [];

  constructor(stream: ClientHttp2Stream, isWhole: boolean, events: ServerHalfEvents) {
    this.#stream = stream;
    this.#isWhole = isWhole;
    this.#reader = new StreamReader(stream, 'server', events);
    stream.on('response', (headers, _flags, raw?: readonly string[]) => {
      if (this.#reader.isOver) return;
      events.onResponse(readResponse(headers[':status'] ?? 0, undefined, raw ?? []));
    });
    stream.once('wantTrailers', () => sendTrailers(stream, this.#trailers));
  }

  get isFull(): boolean {
    return this.queuedSize >= OUTFLOW_SIZE_MAX;
  }

  get queuedSize(): number {
    return this.#stream.writableLength;
  }

  send(bytes: Buffer): void {
    if (!this.#isGone) this.#stream.write(bytes);
  }

  end(trailers: HeaderList): void {
    this.#trailers = trailers;
    if (!this.#isWhole && !this.#isGone) this.#stream.end();
  }

  setPaused(isPaused: boolean): void {
    if (!this.#reader.isOver) this.#reader.setPaused(isPaused);
  }

  abandon(code: number): void {
    this.#reader.stop();
    // NO_ERROR would leave the stream open until the server ends it by itself.
    if (!this.#stream.closed) this.#stream.close(code === 0 ? NGHTTP2_CANCEL : code);
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
}

function ignore(): void {
  // A session that nobody asks anything of may fail unheard.
}
