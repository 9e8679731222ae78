/**
 * The server's leg up to the end of the sign-in: open, greeting, TLS, packets in their order. TLS waits
 * until the client's flags are known: MySQL takes those of the SSLRequest and does not look at the ones
 * that follow inside of TLS (`parse_client_handshake_packet`), and both legs speak with the same flags.
 */

import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { type Greeting, parseGreeting } from './greeting.ts';
import { type HandshakeResponse, encodeHead, encodeResponse } from './handshake-response.ts';
import type { Outbox } from './outbox.ts';
import { PacketReader, encodePacket } from './packet.ts';
import { SIGN_IN_PACKET_SIZE_MAX } from './sign-in-client.ts';

export class SignInUpstream {
  readonly #out: Outbox;
  readonly #wantsTls: boolean;
  readonly #reader = new PacketReader('server', SIGN_IN_PACKET_SIZE_MAX);
  #sequence = 0;
  #isSecuring = false;
  /** What goes out once TLS is there. */
  #held: HandshakeResponse | undefined;

  constructor(out: Outbox, wantsTls: boolean) {
    this.#out = out;
    this.#wantsTls = wantsTls;
  }

  open(): void {
    this.#out.push({ kind: 'open', side: 'server' });
  }

  push(bytes: Buffer): void {
    if (this.#isSecuring) {
      throw new ProtocolError('MYSQL_TLS_ORDER', 'server', 'bytes came around the TLS handshake');
    }
    this.#reader.push(bytes);
  }

  readGreeting(payload: Buffer): Greeting {
    const greeting = parseGreeting(payload);
    if (!this.#wantsTls || has(greeting.capabilities, CAPABILITY.ssl)) return greeting;
    throw new ProtocolError(
      'MYSQL_TLS_REFUSED',
      'server',
      'the server does not offer TLS, which the configuration requires (upstream_tls)',
    );
  }

  /** The response to the greeting, after TLS where it is wanted. */
  respond(response: HandshakeResponse): void {
    if (!this.#wantsTls) {
      this.send(encodeResponse(response));
      return;
    }
    // Bytes between greeting and TLS were put there by somebody on the wire.
    if (this.#reader.takeRest().length > 0) {
      throw new ProtocolError('MYSQL_TLS_ORDER', 'server', 'bytes came before the TLS handshake');
    }
    const capabilities = response.capabilities | CAPABILITY.ssl;
    this.#held = { ...response, capabilities };
    this.#isSecuring = true;
    this.send(encodeHead(this.#held));
    this.#out.push({ kind: 'secure', side: 'server', bytes: Buffer.alloc(0) });
  }

  onSecured(): void {
    const response = this.#held;
    if (response === undefined) throw new Error('TLS that was not asked for');
    this.#isSecuring = false;
    this.#held = undefined;
    this.send(encodeResponse(response));
  }

  /** The next whole packet's payload; undefined: more bytes are needed. */
  read(): Buffer | undefined {
    const packet = this.#reader.read();
    if (packet === undefined) return undefined;
    if (packet.sequence !== this.#sequence) {
      throw new ProtocolError(
        'MYSQL_SEQUENCE',
        'server',
        `packet ${packet.sequence} came where ${this.#sequence} was expected`,
      );
    }
    this.#sequence = (packet.sequence + 1) & 0xff;
    return packet.payload;
  }

  send(payload: Buffer): void {
    this.#out.toServer(encodePacket(payload, this.#sequence));
    this.#sequence = (this.#sequence + 1) & 0xff;
  }

  /** Numbering begins anew with each command, and its answer goes on from there (MY-11). */
  sendCommand(payload: Buffer): void {
    this.#sequence = 0;
    this.send(payload);
  }

  takeRest(): Buffer {
    return this.#reader.takeRest();
  }
}
