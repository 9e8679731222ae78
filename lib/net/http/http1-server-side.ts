/**
 * One HTTP/1.1 connection to the server that is kept for the next request, with Node's own client and pool
 * of one. How a socket is opened (TLS, name) is the business of whoever makes it.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { HeaderList, RequestHead } from '../../../protocols/contract.ts';
import { KEEP_ALIVE_DELAY } from '../listener.ts';
import { readReason } from '../reason.ts';
import type { Half, ServerHalfEvents, ServerSide } from './half.ts';
import { readResponse, readTrailers, toHttp1Headers, toHttp1Trailers, valueOf } from './heads.ts';
import { Inflow } from './inflow.ts';
import { HEAD_SIZE_MAX, OUTFLOW_SIZE_MAX } from './limits.ts';

/** Methods for which "no body" has to be said. */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

export interface Http1Connecting {
  /** The server's own name and port, as a client of its own would write them. */
  readonly authority: string;
  readonly open: () => Promise<Socket>;
  /** The server closed a connection that was at rest, as it would have closed the client's. */
  readonly onIdleClosed: () => void;
}

export function connectHttp1(connecting: Http1Connecting): ServerSide {
  return new Http1ServerSide(connecting);
}

class Http1ServerSide implements ServerSide {
  readonly #connecting: Http1Connecting;
  readonly #agent: http.Agent;
  #isOver = false;
  /** The one under way; an older one may close later. */
  #current: ClientRequest | undefined;
  #isAnnounced = false;

  constructor(connecting: Http1Connecting) {
    this.#connecting = connecting;
    const agent = new http.Agent({
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE_DELAY,
      maxSockets: 1,
    });
    // The way that Node has for sockets of one's own: it may come later, by the callback.
    agent.createConnection = (_options, callback) => {
      void this.#open(callback);
      return undefined;
    };
    this.#agent = agent;
  }

  get isUsable(): boolean {
    return !this.#isOver;
  }

  ask(head: RequestHead, events: ServerHalfEvents): Half {
    this.#isAnnounced = false;
    const request = http.request({
      agent: this.#agent,
      insecureHTTPParser: false,
      maxHeaderSize: HEAD_SIZE_MAX,
      method: head.method,
      path: head.target,
      headers: headersOf(head, this.#connecting.authority),
    });
    request.once('response', () => (this.#isAnnounced = !request.shouldKeepAlive));
    this.#current = request;
    request.once('close', () => {
      if (this.#current === request) this.#current = undefined;
    });
    return new Http1ServerHalf(request, events);
  }

  destroy(): void {
    this.#isOver = true;
    this.#agent.destroy();
  }

  async #open(callback?: (error: Error | null, socket: Duplex) => void): Promise<void> {
    let socket: Socket;
    try {
      socket = await this.#connecting.open();
    } catch (error) {
      // The type wants a stream even where there is none.
      callback?.(toError(error), new Duplex());
      return;
    }
    if (this.#isOver) socket.destroy();
    else this.#watch(socket);
    callback?.(null, socket);
  }

  #watch(socket: Socket): void {
    socket.once('close', () => {
      const isIdle = this.#current === undefined && !this.#isAnnounced;
      if (isIdle && !this.#isOver) this.#connecting.onIdleClosed();
    });
  }
}

class Http1ServerHalf implements Half {
  readonly #request: ClientRequest;
  readonly #events: ServerHalfEvents;
  readonly #inflow: Inflow;
  #response: IncomingMessage | undefined;
  #isPaused = false;
  #isOver = false;

  constructor(request: ClientRequest, events: ServerHalfEvents) {
    this.#request = request;
    this.#events = events;
    // A length that is not true would let the server read the rest as the next request.
    // Node has it for requests as well; its types do not.
    Object.assign(request, { strictContentLength: true });
    this.#inflow = new Inflow({
      onBody: events.onBody,
      onEnded: (trailers) => {
        this.#isOver = true;
        events.onEnded(trailers);
      },
    });
    request.once('response', (response) => this.#onResponse(response));
    request.on('drain', events.onDrain);
    request.on('error', (error: Error) => this.#onLost(readReason(error)));
    // Without a listener Node would cut the connection by itself, and say nothing.
    request.once('upgrade', (_response, socket) => {
      socket.destroy();
      this.#onLost('the server left HTTP');
    });
    request.once('close', () => {
      // With a response its own 'close' says more.
      if (this.#response === undefined) this.#onLost('the server closed the connection');
    });
  }

  get isFull(): boolean {
    return this.queuedSize >= OUTFLOW_SIZE_MAX;
  }

  get queuedSize(): number {
    return this.#request.writableLength;
  }

  send(bytes: Buffer): void {
    if (!this.#isOver) this.#request.write(bytes);
  }

  end(trailers: HeaderList): void {
    if (this.#isOver) return;
    if (trailers.length > 0 && this.#request.chunkedEncoding) {
      this.#request.addTrailers(toHttp1Trailers(trailers));
    }
    this.#request.end();
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#inflow.setPaused(isPaused);
    if (isPaused) this.#response?.pause();
    else this.#response?.resume();
  }

  abandon(): void {
    this.#isOver = true;
    this.#inflow.stop();
    this.#request.destroy();
  }

  #onResponse(response: IncomingMessage): void {
    this.#response = response;
    response.on('error', ignore);
    if (this.#isOver) return void response.resume();
    const { statusCode = 0, statusMessage, rawHeaders } = response;
    this.#events.onResponse(readResponse(statusCode, statusMessage, rawHeaders));
    response.on('data', (bytes: Buffer) => this.#inflow.push(bytes));
    response.on('end', () => this.#inflow.end(readTrailers(response.rawTrailers)));
    response.once('close', () => {
      if (!response.complete) this.#onLost('the server closed the connection within its answer');
    });
    if (this.#isPaused) response.pause();
  }

  #onLost(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inflow.stop();
    this.#events.onCancelled(undefined, reason);
  }
}

/** Names and values in turns. */
function headersOf(head: RequestHead, authority: string): string[] {
  const lines = ['host', authority, ...toHttp1Headers(head.headers)];
  if (valueOf(head.headers, 'content-length') !== undefined) return lines;
  // Node's defaults go by the method; what came says it better.
  if (!head.isWhole) lines.push('transfer-encoding', 'chunked');
  else if (BODY_METHODS.has(head.method)) lines.push('content-length', '0');
  return lines;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function ignore(): void {
  // Told by 'close'.
}
