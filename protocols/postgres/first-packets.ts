/**
 * The client's first bytes: TLS at once or on request, GSSENC, cancel, start-up packet, and whatever
 * else strangers send (PG-1 to PG-7). Holds the client's bytes until the sign-in is over.
 */

import type { SessionOptions } from '../contract.ts';
import { HEADER_SIZE } from './message.ts';
import { ProtocolError } from '../errors.ts';
import type { Outbox } from './outbox.ts';
import { encodeAncientError } from './refusal.ts';
import { type StartupPacket, TLS_HANDSHAKE, decodeFirstPacket } from './startup.ts';

/** What a client may send before it is signed in and has to be kept: it should wait for answers. */
const HELD_SIZE_MAX = 1024 * 1024;
const ALPN = 'postgresql';
const YES = Buffer.from('S');
const NO = Buffer.from('N');

type Opening =
  | { readonly kind: 'cancel'; readonly key: Buffer }
  | { readonly kind: 'startup'; readonly packet: StartupPacket };

export class FirstPackets {
  isSecure = false;
  isCancel = false;
  cancelRequest: Buffer | undefined;
  /** tls-server-end-point hash of our certificate; undefined without TLS or where none is defined. */
  channelBinding: Buffer | undefined;
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  #held: Buffer = Buffer.alloc(0);
  #isSecuring: 'direct' | 'asked' | undefined;
  #asked = new Set<string>();

  constructor(out: Outbox, options: SessionOptions) {
    this.#out = out;
    this.#options = options;
  }

  push(bytes: Buffer): void {
    if (this.#isSecuring !== undefined) {
      // The driver gives bytes to the TLS engine now; plain ones would be taken for secured ones (PG-4).
      throw new ProtocolError('PG_TLS_ORDER', 'client', 'bytes came around the TLS handshake');
    }
    if (this.#held.length + bytes.length > HELD_SIZE_MAX) {
      throw new ProtocolError(
        'PG_SIGN_IN_SIZE',
        'client',
        `more than ${HELD_SIZE_MAX} bytes before the sign-in`,
      );
    }
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
  }

  onSecured(alpn: string | undefined, channelBinding: Buffer | undefined): void {
    // Direct TLS needs ALPN, so that no other protocol's client can be led here (PG-6).
    if (this.#isSecuring === 'direct' && alpn !== ALPN) this.#out.close();
    this.#isSecuring = undefined;
    this.isSecure = true;
    this.channelBinding = channelBinding;
  }

  /** The packet that opens a session or a cancel; undefined: wait, or it is over. */
  next(): Opening | undefined {
    while (this.#held.length > 0 && !this.#out.isClosing && this.#isSecuring === undefined) {
      const opening = this.#step();
      if (opening === 'wait') return undefined;
      if (opening !== 'again') return opening;
    }
    return undefined;
  }

  /** One whole tagged message; undefined: more bytes are needed. */
  takeMessage(sizeMax: number): Buffer | undefined {
    if (this.#held.length < HEADER_SIZE) return undefined;
    const size = this.#held.readInt32BE(1) + 1;
    if (size < HEADER_SIZE || size > sizeMax) {
      throw new ProtocolError(
        'PG_MESSAGE_LENGTH',
        'client',
        `a message of ${size} bytes before the sign-in`,
      );
    }
    return this.#held.length < size ? undefined : this.#take(size);
  }

  takeRest(): Buffer {
    return this.#take(this.#held.length);
  }

  #step(): Opening | 'wait' | 'again' {
    if (this.#held[0] === TLS_HANDSHAKE && !this.isSecure && this.#asked.size === 0) {
      this.#startTls('direct');
      return 'wait';
    }
    const first = decodeFirstPacket(this.#held);
    if (first === undefined) return 'wait';
    switch (first.kind) {
      case 'ssl':
        return this.#onSslRequest(this.#take(first.size));
      case 'gssenc':
        return this.#onGssencRequest(this.#take(first.size));
      case 'cancel':
        this.isCancel = true;
        // Whoever asks to cancel gets no answer at all, not even an error (PG-12).
        this.#out.isMute = true;
        this.cancelRequest = this.#take(first.size);
        return { kind: 'cancel', key: first.key };
      case 'startup':
        return this.#onStartup(this.#take(first.size), first.packet);
      case 'bad-version':
        this.#out.recordClient(this.#take(first.size));
        this.#refuseVersion(first.major, first.minor);
        return 'wait';
      case 'bad-layout':
        this.#out.refuse({
          code: '08P01',
          message: 'invalid startup packet layout: expected terminator as last byte',
        });
        return 'wait';
      case 'bad-length':
        this.#out.note({
          kind: 'refused',
          code: '08P01',
          reason: 'invalid length of startup packet',
        });
        this.#out.close();
        return 'wait';
    }
  }

  #onSslRequest(packet: Buffer): 'wait' | 'again' {
    this.#out.recordClient(packet);
    // Each request at most once, and no TLS inside TLS (PG-2, PG-6).
    if (this.isSecure || this.#asked.has('ssl')) {
      this.#out.close();
      return 'wait';
    }
    this.#asked.add('ssl');
    if (this.#options.clientTls === 'off') {
      this.#out.answer(NO);
      return this.#refuseStuffing('SSL');
    }
    this.#out.answer(YES);
    this.#startTls('asked');
    return 'wait';
  }

  /** Never forwarded: a server that says yes would take the bytes out of our sight (PG-5). */
  #onGssencRequest(packet: Buffer): 'wait' | 'again' {
    this.#out.recordClient(packet);
    if (this.isSecure || this.#asked.has('gssenc')) {
      this.#out.refuse({
        code: '0A000',
        message: 'unsupported frontend protocol 1234.5680: server supports 3.0 to 3.2',
      });
      return 'wait';
    }
    this.#asked.add('gssenc');
    this.#out.answer(NO);
    return this.#refuseStuffing('GSSAPI encryption');
  }

  /** Bytes sent along with a request that was answered N may be an attacker's (PG-4, CVE-2021-23222). */
  #refuseStuffing(request: string): 'wait' | 'again' {
    if (this.#held.length === 0) return 'again';
    this.#out.refuse({
      code: '08P01',
      message: `received unencrypted data after ${request} request`,
    });
    return 'wait';
  }

  #onStartup(bytes: Buffer, packet: StartupPacket): Opening | 'wait' {
    this.#out.recordClient(bytes);
    if (this.#options.clientTls === 'require' && !this.isSecure) {
      this.#out.refuse({
        code: '28000',
        message: 'this gateway requires TLS: connect with sslmode=require or higher',
      });
      return 'wait';
    }
    if (!packet.parameters.some(({ name, value }) => name === 'user' && value.length > 0)) {
      this.#out.refuse({
        code: '28000',
        message: 'no PostgreSQL user name specified in startup packet',
      });
      return 'wait';
    }
    return { kind: 'startup', packet };
  }

  #startTls(how: 'direct' | 'asked'): void {
    if (this.#options.clientTls === 'off') {
      this.#out.note({
        kind: 'refused',
        code: '08P01',
        reason: 'TLS handshake, and TLS is off on this connection',
      });
      this.#out.close();
      return;
    }
    this.#isSecuring = how;
    this.#out.push({ kind: 'secure', side: 'client', bytes: this.takeRest() });
  }

  #refuseVersion(major: number, minor: number): void {
    const message = `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`;
    if (major > 3) {
      this.#out.refuse({ code: '0A000', message });
      return;
    }
    this.#out.note({ kind: 'refused', code: '0A000', reason: message });
    this.#out.answer(encodeAncientError(`FATAL:  ${message}\n`));
    this.#out.close();
  }

  #take(size: number): Buffer {
    const bytes = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return bytes;
  }
}
