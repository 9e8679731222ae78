/**
 * The server leg up to its start-up packet: open, TLS, send the packet; then whole messages, one at a
 * time. What those messages mean is the sign-in's business, not this file's.
 */

import { ProtocolError } from '../errors.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { Outbox } from './outbox.ts';
import { SSL_REQUEST_PACKET } from './startup.ts';

/** Authentication and start-up messages are small; a notice may be long. */
const START_MESSAGE_SIZE_MAX = 1024 * 1024;
const ACCEPTS_TLS = 0x53; // 'S'

export class UpstreamLeg {
  readonly buffer = new MessageBuffer('server');
  /** tls-server-end-point hash of the server's certificate; undefined without TLS. */
  channelBinding: Buffer | undefined;
  readonly #out: Outbox;
  readonly #wantsTls: boolean;
  readonly #firstBytes: Buffer;
  #state: 'opening' | 'asking-tls' | 'securing' | 'started' = 'opening';

  /** `firstBytes` is what the server gets first: a start-up packet or a cancel request. */
  constructor(out: Outbox, wantsTls: boolean, firstBytes: Buffer) {
    this.#out = out;
    this.#wantsTls = wantsTls;
    this.#firstBytes = firstBytes;
    out.push({ kind: 'open', side: 'server' });
  }

  onOpened(): void {
    if (this.#wantsTls) {
      this.#state = 'asking-tls';
      this.#out.toServer(SSL_REQUEST_PACKET);
    } else {
      this.#start();
    }
  }

  onSecured(channelBinding: Buffer | undefined): void {
    this.channelBinding = channelBinding;
    this.#start();
  }

  onBytes(bytes: Buffer): void {
    if (this.#state === 'started') {
      this.buffer.push(bytes);
      return;
    }
    // Anything behind the one-byte answer was put there by somebody on the wire (PG-4).
    if (this.#state !== 'asking-tls' || bytes.length !== 1) {
      throw new ProtocolError(
        'PG_TLS_ANSWER',
        'server',
        'the server sent bytes before TLS was set up',
      );
    }
    if (bytes[0] !== ACCEPTS_TLS) {
      throw new ProtocolError(
        'PG_TLS_REFUSED',
        'server',
        'the server does not accept TLS, which the configuration requires (upstream_tls)',
      );
    }
    this.#state = 'securing';
    this.#out.push({ kind: 'secure', side: 'server', bytes: Buffer.alloc(0) });
  }

  /** The next whole message, walked; undefined: more bytes are needed. */
  nextMessage(): Buffer | undefined {
    if (this.buffer.peekTag() === undefined) return undefined;
    const size = this.buffer.peekSize();
    if (!this.buffer.gather(size, START_MESSAGE_SIZE_MAX)) return undefined;
    const start = this.buffer.offset;
    this.buffer.pass(size);
    return this.buffer.view.subarray(start, start + size);
  }

  #start(): void {
    this.#state = 'started';
    this.#out.toServer(this.#firstBytes);
  }
}
