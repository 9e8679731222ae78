/**
 * The client signs in to the database itself; the gateway relays the exchange. What a gateway that
 * ends TLS cannot relay is refused with the reason instead of failing later (PG-13, PG-17, PG-19).
 */

import { BACKEND, encodeMessage, int32, readBody } from './message.ts';
import { decodeMechanisms } from './gateway-login.ts';
import type { Refusal } from './refusal.ts';
import { SCRAM_SHA_256_PLUS } from './scram.ts';

const AUTH_OK = 0;
const AUTH_CLEARTEXT = 3;
const AUTH_MD5 = 5;
const AUTH_SASL = 10;
const AUTH_SASL_CONTINUE = 11;
const AUTH_SASL_FINAL = 12;

export interface Legs {
  readonly isClientSecure: boolean;
  readonly isUpstreamSecure: boolean;
}

export type PassthroughStep =
  | { readonly kind: 'relay'; readonly bytes: Buffer }
  | { readonly kind: 'ok'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export class PassthroughAuth {
  readonly #legs: Legs;
  #isSaslStart = false;
  awaitsPassword = false;

  constructor(legs: Legs) {
    this.#legs = legs;
  }

  /** An Authentication message of the server. */
  onRequest(message: Buffer): PassthroughStep {
    const kind = readBody(message, 'server').int32();
    this.awaitsPassword = kind !== AUTH_OK && kind !== AUTH_SASL_FINAL;
    this.#isSaslStart = kind === AUTH_SASL;
    switch (kind) {
      case AUTH_OK:
        return { kind: 'ok', bytes: message };
      case AUTH_MD5:
      case AUTH_SASL_CONTINUE:
      case AUTH_SASL_FINAL:
        return { kind: 'relay', bytes: message };
      case AUTH_CLEARTEXT:
        if (this.#legs.isClientSecure) return { kind: 'relay', bytes: message };
        return refused(
          'the database asks for a clear-text password, which Weir relays over TLS only',
        );
      case AUTH_SASL:
        return this.#offer(decodeMechanisms(message));
      default:
        // GSSAPI and SSPI are bound to the host name that the client dialled (PG-19).
        return refused(`authentication method ${kind} is not supported through the gateway`);
    }
  }

  /** A 'p' message of the client; a refusal where the server could only fail without saying why. */
  onPassword(message: Buffer): Refusal | undefined {
    this.awaitsPassword = false;
    const isStart = this.#isSaslStart;
    this.#isSaslStart = false;
    if (!isStart || !this.#legs.isClientSecure || !this.#legs.isUpstreamSecure) return undefined;

    const reader = readBody(message, 'client');
    reader.cstring();
    const length = reader.int32();
    // 'y': the client could bind, so the server will hear of a -PLUS that we had to hide (PG-13).
    if (length < 1 || reader.uint8() !== 'y'.charCodeAt(0)) return undefined;
    return {
      code: '28000',
      message: 'SCRAM cannot pass a gateway that ends TLS on both legs',
      hint: 'Use auth = "gateway", or a plain upstream leg on a trusted host, or channel_binding=disable in the client.',
    };
  }

  /** -PLUS binds to a certificate that the client does not see, so it is never offered (PG-13). */
  #offer(mechanisms: readonly string[]): PassthroughStep {
    const left = mechanisms.filter((name) => name !== SCRAM_SHA_256_PLUS);
    if (left.length === 0) return refused('the database offers channel-bound SCRAM only');
    const names = left.map((name) => `${name}\0`).join('');
    const bytes = encodeMessage(
      BACKEND.authentication,
      int32(AUTH_SASL),
      Buffer.from(`${names}\0`),
    );
    return { kind: 'relay', bytes };
  }
}

function refused(message: string): PassthroughStep {
  return { kind: 'refused', refusal: { code: '28000', message } };
}
