/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as PostgreSQL speaks them: the server's
 * side towards our clients and the client's side towards the upstream. Pure: nonces are handed in.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from '../errors.ts';
import type { Verifier } from '../contract.ts';

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
export const SCRAM_SHA_256_PLUS = 'SCRAM-SHA-256-PLUS';
export const NONCE_SIZE = 18;

/** A hostile upstream could ask for billions of rounds and stall every session (PG-16). */
const ITERATIONS_MAX = 100_000;
const BINDING_TYPE = 'tls-server-end-point';

export type ScramOutcome =
  | { readonly kind: 'continue'; readonly message: string }
  /** The proof is right: `message` is the server-final-message. */
  | { readonly kind: 'proved'; readonly message: string }
  | { readonly kind: 'failed' }
  /** The client broke the mechanism's rules: SQLSTATE and text as PostgreSQL gives them. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface ScramServerOptions {
  readonly verifier: Verifier;
  /** False: the exchange runs to its end and fails (PG-15). */
  readonly isKnown: boolean;
  readonly mechanism: string;
  /** True when -PLUS was offered to this client. */
  readonly isPlusOffered: boolean;
  readonly channelBinding: Buffer | undefined;
  readonly nonce: string;
}

/** The server's side of one exchange: `first`, then `final`. */
export class ScramServer {
  readonly #options: ScramServerOptions;
  #gs2Header = '';
  #clientFirstBare = '';
  #serverFirst = '';
  #nonce = '';

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  /** client-first-message: gs2-header, then `n=user,r=nonce`. The user name in it is ignored (PG-14). */
  first(message: string): ScramOutcome {
    const match = /^(p=([^,]*)|[ny]),(a=[^,]*)?,(.*)$/s.exec(message);
    if (match === null) return malformed('The message is not a SCRAM client-first-message.');
    const [, flag = '', binding, authzid, bare = ''] = match;
    const refusal = this.#checkBinding(flag, binding, authzid);
    if (refusal !== undefined) return refusal;

    const attributes = /^n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?$/.exec(bare);
    if (attributes === null) return malformed('The SCRAM message has no usable nonce.');
    this.#gs2Header = message.slice(0, message.length - bare.length);
    this.#clientFirstBare = bare;
    this.#nonce = `${attributes[1]}${this.#options.nonce}`;
    const { salt, iterations } = this.#options.verifier;
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    return { kind: 'continue', message: this.#serverFirst };
  }

  /** client-final-message: `c=binding,r=nonce,p=proof`. */
  final(message: string): ScramOutcome {
    const match = /^(c=([^,]*),r=([^,]*)(?:,[^p][^,]*)*),p=([^,]*)$/.exec(message);
    if (match === null) return malformed('The message is not a SCRAM client-final-message.');
    const [, withoutProof = '', binding = '', nonce = '', proof = ''] = match;
    if (nonce !== this.#nonce) return malformed('The nonce of the SCRAM exchange does not match.');
    if (binding !== this.#expectedBinding()) {
      return { kind: 'refused', code: '28000', message: 'SCRAM channel binding check failed' };
    }
    const { storedKey, serverKey } = this.#options.verifier;
    const authMessage = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    const clientKey = xor(Buffer.from(proof, 'base64'), hmac(storedKey, authMessage));
    const isRight = clientKey !== undefined && timingSafeEqual(sha256(clientKey), storedKey);
    if (!isRight || !this.#options.isKnown) return { kind: 'failed' };
    return { kind: 'proved', message: `v=${hmac(serverKey, authMessage).toString('base64')}` };
  }

  #checkBinding(
    flag: string,
    binding: string | undefined,
    authzid: string | undefined,
  ): ScramOutcome | undefined {
    const isPlus = this.#options.mechanism === SCRAM_SHA_256_PLUS;
    if (isPlus !== flag.startsWith('p=')) {
      return malformed(
        'The client selected a mechanism that does not fit its channel binding flag.',
      );
    }
    if (isPlus && binding !== BINDING_TYPE) {
      return malformed(`Unsupported SCRAM channel-binding type "${(binding ?? '').slice(0, 40)}".`);
    }
    if (flag === 'y' && this.#options.isPlusOffered) {
      const message = 'SCRAM channel binding negotiation error';
      return { kind: 'refused', code: '28000', message };
    }
    if (authzid !== undefined) {
      const message = 'client uses authorization identity, but it is not supported';
      return { kind: 'refused', code: '0A000', message };
    }
    return undefined;
  }

  #expectedBinding(): string {
    const data =
      this.#options.mechanism === SCRAM_SHA_256_PLUS ? this.#options.channelBinding : undefined;
    return Buffer.concat([Buffer.from(this.#gs2Header), data ?? Buffer.alloc(0)]).toString(
      'base64',
    );
  }
}

export interface ScramClientOptions {
  readonly password: string;
  /** Mechanisms that the server offers. */
  readonly mechanisms: readonly string[];
  /** tls-server-end-point hash of the server's certificate; undefined without TLS. */
  readonly channelBinding: Buffer | undefined;
  readonly nonce: string;
  readonly deriveKey: (password: string, salt: Buffer, iterations: number) => Buffer;
}

/** The client's side of one exchange: `first`, then `final`, then `verify`. */
export class ScramClient {
  readonly mechanism: string;
  readonly #options: ScramClientOptions;
  readonly #gs2Header: string;
  #serverSignature = '';

  constructor(options: ScramClientOptions) {
    this.#options = options;
    const isPlus =
      options.channelBinding !== undefined && options.mechanisms.includes(SCRAM_SHA_256_PLUS);
    this.mechanism = isPlus ? SCRAM_SHA_256_PLUS : SCRAM_SHA_256;
    // `y`: we could bind and the server did not offer it, which a server that did will notice.
    const plain = options.channelBinding === undefined ? 'n,,' : 'y,,';
    this.#gs2Header = isPlus ? `p=${BINDING_TYPE},,` : plain;
  }

  first(): string {
    return `${this.#gs2Header}${this.#firstBare()}`;
  }

  final(serverFirst: string): string {
    const match = /^r=([^,]+),s=([^,]+),i=(\d{1,9})(?:,.*)?$/.exec(serverFirst);
    const [, nonce = '', salt = '', iterationsText = '0'] = match ?? [];
    const iterations = Number(iterationsText);
    if (!nonce.startsWith(this.#options.nonce) || nonce.length === this.#options.nonce.length) {
      throw scramError('the nonce does not continue ours');
    }
    if (iterations < 1 || iterations > ITERATIONS_MAX) {
      throw scramError(`${iterations} iterations are outside of 1 to ${ITERATIONS_MAX}`);
    }
    const salted = this.#options.deriveKey(
      this.#options.password,
      Buffer.from(salt, 'base64'),
      iterations,
    );
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${this.#binding()},r=${nonce}`;
    const authMessage = `${this.#firstBare()},${serverFirst},${withoutProof}`;
    const proof = xor(clientKey, hmac(sha256(clientKey), authMessage));
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64');
    return `${withoutProof},p=${proof?.toString('base64')}`;
  }

  /** server-final-message: proves that the server knows the verifier, so it is the real one. */
  verify(serverFinal: string): void {
    if (serverFinal !== `v=${this.#serverSignature}`) {
      throw scramError('the signature is wrong: it does not know the password');
    }
  }

  #firstBare(): string {
    return `n=,r=${this.#options.nonce}`;
  }

  #binding(): string {
    const isPlus = this.mechanism === SCRAM_SHA_256_PLUS;
    const data = isPlus ? (this.#options.channelBinding ?? Buffer.alloc(0)) : Buffer.alloc(0);
    return Buffer.concat([Buffer.from(this.#gs2Header), data]).toString('base64');
  }
}

/** md5 authentication: "md5" + md5(md5(password + user) + salt), hex. */
export function md5Response(user: string, password: string, salt: Buffer): string {
  const inner = createHash('md5').update(password).update(user).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

function malformed(detail: string): ScramOutcome {
  return { kind: 'refused', code: '08P01', message: `malformed SCRAM message: ${detail}` };
}

function scramError(what: string): ProtocolError {
  return new ProtocolError(
    'PG_SCRAM',
    'server',
    `the server's SCRAM message is not acceptable: ${what}`,
  );
}

/** `text` is the peer's bytes read as latin1, so that user names in any encoding stay what they were. */
function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Undefined where the lengths differ. */
function xor(left: Buffer, right: Buffer): Buffer | undefined {
  if (left.length !== right.length) return undefined;
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
