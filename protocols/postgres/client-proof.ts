/**
 * The client proves to the gateway that it knows its password: the server's side of SCRAM-SHA-256 and
 * -PLUS, message by message (PG-14, PG-15, PG-16).
 */

import type { Verifier } from '../contract.ts';
import { BACKEND, encodeMessage, int32, readBody } from './message.ts';
import type { Refusal } from './refusal.ts';
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramServer, type ScramOutcome } from './scram.ts';

const AUTH_SASL = 10;
const AUTH_SASL_CONTINUE = 11;
const AUTH_SASL_FINAL = 12;

export interface ClientProofOptions {
  readonly user: string;
  readonly verifier: Verifier;
  readonly isKnown: boolean;
  readonly channelBinding: Buffer | undefined;
  readonly nonce: string;
}

export type ProofStep =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  | { readonly kind: 'proved'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export class ClientProof {
  readonly #options: ClientProofOptions;
  readonly #mechanisms: readonly string[];
  #scram: ScramServer | undefined;

  constructor(options: ClientProofOptions) {
    this.#options = options;
    this.#mechanisms =
      options.channelBinding === undefined ? [SCRAM_SHA_256] : [SCRAM_SHA_256_PLUS, SCRAM_SHA_256];
  }

  /** AuthenticationSASL: what the client may choose from. */
  request(): Buffer {
    const names = this.#mechanisms.map((name) => `${name}\0`).join('');
    return encodeMessage(BACKEND.authentication, int32(AUTH_SASL), Buffer.from(`${names}\0`));
  }

  /** One 'p' message of the client, whole. */
  step(message: Buffer): ProofStep {
    if (this.#scram !== undefined) {
      const final = readBody(message, 'client').rest().toString('latin1');
      return this.#stepOf(this.#scram.final(final), AUTH_SASL_FINAL);
    }
    // SASLInitialResponse: String mechanism, Int32 length, Byte[n] client-first-message.
    const reader = readBody(message, 'client');
    const mechanism = reader.cstring().toString('latin1');
    if (!this.#mechanisms.includes(mechanism)) {
      return refused('08P01', 'client selected an invalid SASL authentication mechanism');
    }
    const length = reader.int32();
    if (length < 0) return refused('08P01', 'malformed SCRAM message');
    const first = reader.slice(length).toString('latin1');
    const { verifier, isKnown, channelBinding, nonce } = this.#options;
    const isPlusOffered = channelBinding !== undefined;
    this.#scram = new ScramServer({
      verifier,
      isKnown,
      mechanism,
      isPlusOffered,
      channelBinding,
      nonce,
    });
    return this.#stepOf(this.#scram.first(first), AUTH_SASL_CONTINUE);
  }

  #stepOf(outcome: ScramOutcome, code: number): ProofStep {
    switch (outcome.kind) {
      case 'continue':
        return { kind: 'answer', bytes: authentication(code, outcome.message) };
      case 'proved':
        return { kind: 'proved', bytes: authentication(code, outcome.message) };
      case 'refused':
        return refused(outcome.code, outcome.message);
      case 'failed':
        return refused('28P01', `password authentication failed for user "${this.#options.user}"`);
    }
  }
}

function authentication(code: number, text: string): Buffer {
  return encodeMessage(BACKEND.authentication, int32(code), Buffer.from(text, 'latin1'));
}

function refused(code: string, message: string): ProofStep {
  return { kind: 'refused', refusal: { code, message } };
}
