/** What both legs of an exchange have in common where it is an HTTP/2 stream: bodies, trailers, RST_STREAM. */
import http2, {
  type ClientHttp2Stream,
  type Http2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { HeaderList, Side } from '../../../protocols/contract.ts';
import { readReason } from '../reason.ts';
import type { HalfEvents } from './half.ts';
import { readTrailers, toHttp2Headers } from './heads.ts';
import { Inflow } from './inflow.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE } = http2.constants;

export type Http2Stream = ClientHttp2Stream | ServerHttp2Stream;

export class StreamReader {
  readonly #stream: Http2Stream;
  readonly #session: Http2Session | undefined;
  readonly #inflow: Inflow;
  readonly #events: HalfEvents;
  readonly #from: Side;
  #trailers: HeaderList = [];
  #isWhole = false;
  #hasEnded = false;
  #isOver = false;
  #reason: string | undefined;

  constructor(stream: Http2Stream, from: Side, events: HalfEvents) {
    this.#stream = stream;
    this.#session = stream.session;
    this.#events = events;
    this.#from = from;
    this.#inflow = new Inflow(events);
    stream.on('trailers', (_headers: object, _flags: number, raw?: readonly string[]) => {
      this.#trailers = readTrailers(raw ?? []);
    });
    // Node ends what it reads for END_STREAM, for a reset with NO_ERROR and for a lost connection alike: what
    // tells them apart is that the stream is closed by then. A part of a body must never pass for all of it.
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) this.#isWhole = true;
      return push(chunk, encoding);
    };
    // A small request has ended before anybody was told of its head.
    const { state } = stream.state;
    this.#isWhole = stream.endAfterHeaders || state === NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
    stream.on('data', (bytes: Buffer) => this.#inflow.push(bytes));
    stream.on('end', () => this.#onEnd());
    stream.on('drain', events.onDrain);
    stream.on('error', (error: Error) => (this.#reason = readReason(error)));
    stream.once('close', () => this.#onClose());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  setPaused(isPaused: boolean): void {
    this.#inflow.setPaused(isPaused);
    // Bytes that are not read keep the stream's window shut (RFC 9113, 5.2).
    if (isPaused) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#isOver = true;
    this.#inflow.stop();
    if (!this.#stream.destroyed) this.#stream.resume();
  }

  #onEnd(): void {
    // A server may reset with NO_ERROR behind its whole answer (RFC 9113, 8.1); a client that does so before it
    // has got one has given up.
    const { aborted, rstCode } = this.#stream;
    if (!this.#isWhole || rstCode !== 0 || (aborted && this.#from === 'client')) return;
    this.#hasEnded = true;
    this.#inflow.end(this.#trailers);
  }

  #onClose(): void {
    if (this.#isOver) return;
    const { aborted, rstCode } = this.#stream;
    const isInOrder = this.#from === 'server' || (rstCode === 0 && !aborted);
    if (this.#hasEnded && isInOrder) return;
    this.stop();
    // Node gives the streams of a lost connection a code that nobody sent.
    const isLost = this.#session?.destroyed === true;
    const reason = isLost ? 'the connection was lost' : `the stream was reset (${rstCode})`;
    this.#events.onCancelled(isLost ? undefined : rstCode, this.#reason ?? reason);
  }
}

/**
 * For streams that were opened with `waitForTrailers`. Trailers that Node takes for wrong (a name twice that may
 * stand once) reset the stream: it must not end as if there had been none.
 */
export function sendTrailers(stream: Http2Stream, trailers: HeaderList): void {
  try {
    // Without any it is an empty DATA frame that ends the stream.
    stream.sendTrailers(toHttp2Headers(trailers));
  } catch {
    stream.close(NGHTTP2_INTERNAL_ERROR);
  }
}
