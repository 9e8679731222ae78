/**
 * A client's connection from its first byte to the HTTP that it speaks: plain or TLS, HTTP/1.1 or HTTP/2. What
 * does not fit what the configuration allows is told and closed.
 */

import type { Duplex } from 'node:stream';
import type { SessionOptions } from '../../protocols/contract.ts';
import { readSpoken, type Spoken } from '../net/http/first-bytes.ts';
import type { ClientSide, ClientSideEvents } from '../net/http/half.ts';
import type { Http1Server } from '../net/http/http1-client-side.ts';
import { serveHttp2 } from '../net/http/http2-client-side.ts';
import type { Secured } from './driver-parts.ts';

export interface ExchangeClientParts {
  readonly socket: Duplex;
  readonly clientTls: SessionOptions['clientTls'];
  readonly secureClient: (socket: Duplex, bytes: Buffer) => Promise<Secured>;
  readonly http1: Http1Server;
  readonly heldSizeMax: number;
  readonly events: ClientSideEvents;
  readonly onSecured: (alpn: string | undefined, channelBinding: Buffer | undefined) => void;
  /** It never came to HTTP. */
  readonly onFailed: (error: unknown) => void;
  /** The client will say nothing more, and may still listen. */
  readonly onHalfClosed: () => void;
}

/** RFC 9110, 15.5.22: what says to a client in plain text that it must not be. */
const PLAIN_REFUSED =
  'HTTP/1.1 426 Upgrade Required\r\nupgrade: TLS/1.2, HTTP/1.1\r\nconnection: upgrade, close\r\ncontent-length: 0\r\n\r\n';

export class ExchangeClient {
  readonly #parts: ExchangeClientParts;
  #socket: Duplex;
  #side: ClientSide | undefined;
  #isOver = false;

  constructor(parts: ExchangeClientParts) {
    this.#parts = parts;
    this.#socket = parts.socket;
  }

  /** The socket as it is now: of TLS, where that was started. */
  get socket(): Duplex {
    return this.#socket;
  }

  start(): void {
    const { socket, onFailed } = this.#parts;
    const onClosed = (): void => onFailed(undefined);
    socket.once('close', onClosed);
    // A client that ends before it has said what it speaks has nothing to wait for.
    socket.once('end', onClosed);
    readSpoken(socket, (spoken) => {
      socket.removeListener('close', onClosed);
      socket.removeListener('end', onClosed);
      if (!this.#isOver) this.#onSpoken(spoken);
    });
  }

  finish(): void {
    if (this.#side === undefined) this.destroy();
    else this.#side.finish();
  }

  destroy(): void {
    this.#isOver = true;
    this.#side?.destroy();
    this.#socket.destroy();
  }

  #onSpoken(spoken: Spoken): void {
    const { clientTls, events, socket, onFailed } = this.#parts;
    if (spoken === 'tls') {
      if (clientTls === 'off') {
        events.onRefused('TLS is not configured on this connection');
        onFailed(undefined);
      } else {
        void this.#secure();
      }
    } else if (clientTls === 'require') {
      events.onRefused('TLS is required on this connection');
      if (spoken === '1.1') socket.end(PLAIN_REFUSED, () => onFailed(undefined));
      else onFailed(undefined);
    } else {
      this.#serve(spoken);
    }
  }

  async #secure(): Promise<void> {
    const { secureClient, onSecured, onFailed } = this.#parts;
    try {
      const { socket, alpn, channelBinding } = await secureClient(this.#socket, NO_BYTES);
      this.#socket = socket;
      if (this.#isOver) return void socket.destroy();
      onSecured(alpn, channelBinding);
      // Without ALPN it is HTTP/1.1 (RFC 9113, 3.3).
      this.#serve(alpn === 'h2' ? '2' : '1.1');
    } catch (error) {
      onFailed(error);
    }
  }

  #serve(version: '1.1' | '2'): void {
    const { http1, heldSizeMax, events, onHalfClosed } = this.#parts;
    const socket = this.#socket;
    socket.once('end', onHalfClosed);
    this.#side =
      version === '2' ? serveHttp2({ socket, heldSizeMax, events }) : http1.serve(socket, events);
  }
}

/** What was read is back in the socket. */
const NO_BYTES = Buffer.alloc(0);
