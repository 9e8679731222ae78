/**
 * HTTP/1.1 on sockets that were accepted elsewhere, with Node's own parser and writer: one server for all
 * connections of a door, which never listens. One exchange at a time on each connection; what a client
 * pipelines waits. Deadlines are the driver's.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HeaderList, ResponseHead } from '../../../protocols/contract.ts';
import { readReason } from '../reason.ts';
import type { ClientHalf, ClientHalfEvents, ClientSide, ClientSideEvents } from './half.ts';
import {
  type BadHead,
  isBadHead,
  readHttp1Request,
  readTrailers,
  toHttp1Headers,
  toHttp1Trailers,
} from './heads.ts';
import { Inflow } from './inflow.ts';
import { HEAD_SIZE_MAX, OUTFLOW_SIZE_MAX, PIPELINED_MAX } from './limits.ts';

/** Answers to what Node's parser does not read, in its own words. */
const PARSER_ANSWERS: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
]);

export class Http1Server {
  readonly #server: http.Server;
  readonly #connections = new WeakMap<Duplex, Http1ClientSide>();

  constructor() {
    const server = http.createServer({
      // Never lenient, whatever the process was started with: two readers of one request are a hole.
      insecureHTTPParser: false,
      maxHeaderSize: HEAD_SIZE_MAX,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
    // Node would drop the lines above the limit without a word; heads.ts refuses the request.
    server.maxHeadersCount = 0;
    // Not in the types: a client that has said all may still wait for its answer.
    Object.assign(server, { httpAllowHalfOpen: true });
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      this.#connections.get(request.socket)?.onRequest(request, response);
    server.on('request', onRequest);
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    server.on('connect', (_request, socket: Duplex) =>
      this.#connections.get(socket)?.onUnreadable(501, 'CONNECT'),
    );
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      // A lost connection is told by its 'close'.
      if (error.code === 'ECONNRESET') return void socket.destroy();
      const status = PARSER_ANSWERS.get(error.code ?? '') ?? 400;
      this.#connections.get(socket)?.onUnreadable(status, readReason(error));
    });
    this.#server = server;
  }

  serve(socket: Duplex, events: ClientSideEvents): ClientSide {
    const side = new Http1ClientSide(socket, events);
    this.#connections.set(socket, side);
    this.#server.emit('connection', socket);
    return side;
  }
}

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

class Http1ClientSide implements ClientSide {
  readonly #socket: Duplex;
  readonly #events: ClientSideEvents;
  readonly #waiting: Waiting[] = [];
  #half: Http1ClientHalf | undefined;
  #isFinishing = false;
  #reason: string | undefined;

  constructor(socket: Duplex, events: ClientSideEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('error', (error: Error) => (this.#reason = readReason(error)));
    socket.once('close', () => {
      this.#waiting.length = 0;
      this.#half?.onLost(this.#reason ?? 'the client closed the connection');
      this.#half = undefined;
      events.onClosed(this.#reason);
    });
  }

  onRequest(request: IncomingMessage, response: ServerResponse): void {
    // Whatever is wrong with a message is told by the connection.
    request.on('error', ignore);
    response.on('error', ignore);
    if (this.#half === undefined && !this.#isFinishing) {
      this.#start({ request, response });
      return;
    }
    this.#waiting.push({ request, response });
    if (this.#waiting.length > PIPELINED_MAX) {
      this.onUnreadable(400, `more than ${PIPELINED_MAX} requests at once`);
    } else {
      this.#socket.pause();
    }
  }

  /** What comes after it cannot be told from it, so the connection ends. */
  onUnreadable(status: number, reason: string): void {
    this.#events.onRefused(reason);
    const isAnswering = this.#half?.hasAnswered === true;
    if (this.#socket.writable && !isAnswering) {
      const text = http.STATUS_CODES[status] ?? '';
      const line = `HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
      this.#socket.end(line, 'latin1', () => this.#socket.destroy());
    } else {
      this.#socket.destroy();
    }
  }

  finish(): void {
    this.#isFinishing = true;
    if (this.#half === undefined) this.#socket.end();
    else this.#half.makeLast();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #start({ request, response }: Waiting): void {
    const { method = '', url = '', httpVersionMinor, rawHeaders } = request;
    const read = readHttp1Request({ method, target: url, minor: httpVersionMinor }, rawHeaders);
    const half = new Http1ClientHalf(request, response, !isBadHead(read) && read.expectsContinue);
    this.#half = half;
    response.once('close', () => this.#onAnswered(half));
    if (isBadHead(read)) {
      this.#refuse(half, read);
      return;
    }
    // Behind a request with "upgrade" Node's parser skips what it has read, which would be of the new protocol;
    // it must not go on in the middle of the next request.
    if (request.headers.upgrade !== undefined) half.makeLast();
    half.start(this.#events.onRequest(half, read.head));
  }

  #refuse(half: Http1ClientHalf, { status, reason }: BadHead): void {
    this.#events.onRefused(reason);
    half.makeLast();
    half.answer({ status, headers: [['content-length', '0']] });
    half.end([]);
  }

  #onAnswered(half: Http1ClientHalf): void {
    if (this.#half !== half) return;
    if (!half.isAnswered) {
      // The socket's own 'close' tells it.
      this.#socket.destroy();
      return;
    }
    this.#half = undefined;
    half.onDone();
    // Node ends the socket behind an answer that said to be the last: what was pipelined behind its request is
    // not carried out (RFC 9112, 9.3.2 and 9.6), since nobody could be told.
    if (this.#isFinishing || this.#socket.writableEnded) {
      this.#waiting.length = 0;
      this.#socket.end();
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    else this.#socket.resume();
  }
}

class Http1ClientHalf implements ClientHalf {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #inflow: Inflow;
  #events: ClientHalfEvents | undefined;
  #owesContinue: boolean;
  #isPaused = false;
  #isOver = false;
  #isChunked = false;

  constructor(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    this.#request = request;
    this.#response = response;
    this.#owesContinue = expectsContinue;
    response.sendDate = false;
    // A length that is not true would let the client read the rest as the next answer.
    response.strictContentLength = true;
    this.#inflow = new Inflow({
      onBody: (bytes) => this.#events?.onBody(bytes),
      onEnded: (trailers) => this.#events?.onEnded(trailers),
    });
  }

  get hasAnswered(): boolean {
    return this.#response.headersSent;
  }

  get isAnswered(): boolean {
    return this.#response.writableFinished;
  }

  get isFull(): boolean {
    return this.queuedSize >= OUTFLOW_SIZE_MAX;
  }

  get queuedSize(): number {
    return this.#response.writableLength;
  }

  start(events: ClientHalfEvents): void {
    this.#events = events;
    this.#response.on('drain', events.onDrain);
    const request = this.#request;
    request.on('data', (bytes: Buffer) => this.#inflow.push(bytes));
    request.on('end', () => this.#inflow.end(readTrailers(request.rawTrailers)));
    if (this.#isPaused) request.pause();
    this.#continue();
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#inflow.setPaused(isPaused);
    if (this.#events === undefined) return;
    if (isPaused) this.#request.pause();
    else {
      this.#request.resume();
      this.#continue();
    }
  }

  answer({ status, reason, headers }: ResponseHead): void {
    if (this.#isOver) return;
    this.#owesContinue = false;
    const raw = toHttp1Headers(headers);
    if (reason === undefined) this.#response.writeHead(status, raw);
    else this.#response.writeHead(status, reason, raw);
    this.#isChunked = this.#response.chunkedEncoding;
  }

  send(bytes: Buffer): void {
    if (!this.#isOver) this.#response.write(bytes);
  }

  end(trailers: HeaderList): void {
    if (this.#isOver) return;
    // Trailers have a place behind chunks only.
    if (this.#isChunked && trailers.length > 0) {
      this.#response.addTrailers(toHttp1Trailers(trailers));
    }
    this.#response.end();
  }

  ignoreRest(): void {
    if (this.#request.readableEnded || this.#request.complete) return;
    this.#inflow.stop();
    this.#request.resume();
  }

  abandon(): void {
    this.#isOver = true;
    this.#inflow.stop();
    this.#response.destroy();
  }

  makeLast(): void {
    this.#response.shouldKeepAlive = false;
  }

  onLost(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inflow.stop();
    this.#events?.onCancelled(undefined, reason);
    this.#events?.onDone();
  }

  onDone(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inflow.stop();
    this.#events?.onDone();
  }

  /** The body is asked for as soon as somebody reads it, and not where the head alone was refused. */
  #continue(): void {
    if (!this.#owesContinue || this.#isPaused || this.#response.headersSent) return;
    this.#owesContinue = false;
    this.#response.writeContinue();
  }
}

function ignore(): void {
  // Told by the connection.
}
