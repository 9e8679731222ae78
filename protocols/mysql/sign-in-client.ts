/**
 * The client's leg up to the end of the sign-in: packets in their order, TLS on request (MY-4), and what
 * of it the recording may keep (GW-16). What the packets mean is the sign-in's business.
 */

import type { SessionOptions } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import {
  FIXED_SIZE,
  type HandshakeResponse,
  type ResponseHead,
  parseHead,
  parseResponse,
} from './handshake-response.ts';
import type { Outbox } from './outbox.ts';
import { encodePacket, PacketReader } from './packet.ts';
import { BAD_HANDSHAKE } from './refusal.ts';

/** Connection attributes are up to 64 KB; tickets and tokens of plugins stay below that. */
export const SIGN_IN_PACKET_SIZE_MAX = 128 * 1024;
const BLANK = 0x2a; // '*'

export class SignInClient {
  isSecure: boolean;
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #reader = new PacketReader('client', SIGN_IN_PACKET_SIZE_MAX);
  #isSecuring = false;

  constructor(out: Outbox, options: SessionOptions, isSecure = false) {
    this.#out = out;
    this.#options = options;
    this.isSecure = isSecure;
  }

  push(bytes: Buffer): void {
    if (this.#isSecuring) {
      // The driver gives bytes to the TLS engine now; plain ones would be taken for secured ones (MY-4).
      throw new ProtocolError('MYSQL_TLS_ORDER', 'client', 'bytes came around the TLS handshake');
    }
    this.#reader.push(bytes);
  }

  onSecured(): void {
    this.#isSecuring = false;
    this.isSecure = true;
  }

  /** The response to the greeting; undefined: it is not here yet, or it was an SSLRequest, or it is over. */
  readResponse(): HandshakeResponse | undefined {
    if (this.#isSecuring) return undefined;
    const payload = this.#read();
    if (payload === undefined) return undefined;
    const head = parseHead(payload);
    if (head === undefined) {
      this.#out.refuse({
        code: '0A000',
        message:
          'Client does not support authentication protocol requested by server; consider upgrading MySQL client',
        // ER_NOT_SUPPORTED_AUTH_MODE
        error: { errno: 1251, state: '08004' },
      });
      return undefined;
    }
    if (!this.isSecure && has(head.capabilities, CAPABILITY.ssl)) {
      this.#startTls(payload);
      return undefined;
    }
    return this.#readRest(payload, head);
  }

  /** One packet of the exchange that follows; what it holds is nobody's to read (GW-16). */
  readSecret(): Buffer | undefined {
    const payload = this.#read();
    if (payload === undefined) return undefined;
    this.#record(Buffer.alloc(payload.length, BLANK));
    return payload;
  }

  /** A packet that is recorded as far as `parse` lets it be shown. */
  readShown<T>(
    parse: (payload: Buffer) => { readonly value: T; readonly shown: Buffer },
  ): T | undefined {
    const payload = this.#read();
    if (payload === undefined) return undefined;
    const { value, shown } = parse(payload);
    this.#record(shown);
    return value;
  }

  /** The server's words. */
  relay(payload: Buffer): void {
    this.#out.toClient(this.#encode(payload));
  }

  /** Weir's own. */
  answer(payload: Buffer): void {
    this.#out.answer(this.#encode(payload));
  }

  takeRest(): Buffer {
    return this.#reader.takeRest();
  }

  #encode(payload: Buffer): Buffer {
    const packet = encodePacket(payload, this.#out.sequence);
    this.#out.sequence = (this.#out.sequence + 1) & 0xff;
    return packet;
  }

  #read(): Buffer | undefined {
    const packet = this.#reader.read();
    if (packet === undefined) return undefined;
    if (packet.sequence !== this.#out.sequence) {
      throw new ProtocolError(
        'MYSQL_SEQUENCE',
        'client',
        `packet ${packet.sequence} came where ${this.#out.sequence} was expected`,
      );
    }
    this.#out.sequence = (packet.sequence + 1) & 0xff;
    return packet.payload;
  }

  #record(shown: Buffer): void {
    this.#out.recordClient(encodePacket(shown, (this.#out.sequence - 1) & 0xff));
  }

  #readRest(payload: Buffer, head: ResponseHead): HandshakeResponse | undefined {
    this.#out.hasState = true;
    const { response, shown } = parseResponse(payload, head);
    this.#record(shown);
    if (this.#options.clientTls === 'require' && !this.isSecure) {
      this.#out.refuse({
        code: '28000',
        message: 'this gateway requires TLS: connect with --ssl or the like of your client',
        // ER_SECURE_TRANSPORT_REQUIRED
        error: { errno: 3159, state: 'HY000' },
      });
      return undefined;
    }
    return response;
  }

  /** The first 32 bytes of a response, and no answer: what comes behind them is TLS already (MY-4). */
  #startTls(payload: Buffer): void {
    this.#record(payload.subarray(0, FIXED_SIZE));
    if (payload.length !== FIXED_SIZE || this.#options.clientTls === 'off') {
      this.#out.refuse({
        code: '08P01',
        message: 'Bad handshake: TLS was not offered, or more was sent than the request for it',
        error: BAD_HANDSHAKE,
      });
      return;
    }
    this.#isSecuring = true;
    this.#out.push({ kind: 'secure', side: 'client', bytes: this.#reader.takeRest() });
  }
}
