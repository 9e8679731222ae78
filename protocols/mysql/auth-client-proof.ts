/**
 * The client proves to the gateway that it knows its password (auth = "gateway"): by
 * mysql_native_password where the user has such a verifier, else by giving the password itself inside of
 * TLS or encrypted with the gateway's RSA key (MY-7, MY-8). Users that do not exist go the same way.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Rsa, SessionOptions, Verifier } from '../contract.ts';
import {
  CACHING_SHA2,
  FULL_NEEDED,
  KEY_REQUEST,
  moreData,
  readClearPassword,
  xorRepeated,
} from './auth-caching-sha2.ts';
import { NATIVE_PASSWORD, nativeHash, verifyNative } from './auth-native.ts';
import { CLEAR_PASSWORD, encodeAuthSwitch } from './auth-switch.ts';
import type { Refusal } from './refusal.ts';

export interface ClientProofOptions {
  readonly user: string;
  readonly verifier: Verifier;
  /** False: the exchange runs to its end and fails. */
  readonly isKnown: boolean;
  readonly isSecure: boolean;
  /** The client understands AuthSwitchRequest. */
  readonly canSwitch: boolean;
  readonly rsa: Rsa | undefined;
  readonly deriveKey: SessionOptions['deriveKey'];
  /** What the client got already: the greeting's plugin and nonce. Plugin undefined: none that counts. */
  readonly offered: { readonly plugin: string | undefined; readonly nonce: Buffer };
  readonly newNonce: () => Buffer;
}

export type ProofStep =
  | { readonly kind: 'ask'; readonly payload: Buffer }
  | { readonly kind: 'proved' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type State = 'native' | 'scramble' | 'password' | 'encrypted';

export class ClientProof {
  readonly #options: ClientProofOptions;
  #nonce: Buffer;
  #state: State = 'native';

  constructor(options: ClientProofOptions) {
    this.#options = options;
    this.#nonce = options.offered.nonce;
  }

  /** What the client sent with its user name. */
  start(plugin: string | undefined, response: Buffer): ProofStep {
    const { isSecure, offered } = this.#options;
    if (plugin === CLEAR_PASSWORD && isSecure && response.length > 0) return this.#check(response);
    const wanted = this.#choose(plugin);
    this.#state = wanted === NATIVE_PASSWORD ? 'native' : 'scramble';
    if (wanted === CACHING_SHA2 && !isSecure && this.#options.rsa === undefined) {
      return refused('this user can sign in through TLS only: connect with TLS');
    }
    // A response to another plugin's offer is empty or worthless, and clients wait for a switch then.
    const named = plugin ?? NATIVE_PASSWORD;
    if (named === wanted && offered.plugin === wanted) return this.step(response);
    if (!this.#options.canSwitch) {
      return refused(`this user signs in by ${wanted}, which this client does not support`);
    }
    this.#nonce = this.#options.newNonce();
    return { kind: 'ask', payload: encodeAuthSwitch(wanted, this.#nonce) };
  }

  /** One packet of the client. */
  step(payload: Buffer): ProofStep {
    switch (this.#state) {
      case 'native':
        return this.#checkNative(payload);
      case 'scramble':
        // An empty password is told by an empty packet or a lone NUL.
        if (payload.length < 2) return this.#failed('NO');
        this.#state = 'password';
        return { kind: 'ask', payload: moreData(FULL_NEEDED) };
      case 'password':
        return this.#options.isSecure ? this.#check(payload) : this.#onPlain(payload);
      case 'encrypted':
        return this.#checkEncrypted(payload);
    }
  }

  /** Newer clients have no mysql_native_password any more; with TLS they need none (MY-7). */
  #choose(plugin: string | undefined): string {
    const hasNative = this.#options.verifier.nativeHash !== undefined;
    const canDoWithout = this.#options.isSecure && plugin === CACHING_SHA2;
    return hasNative && !canDoWithout ? NATIVE_PASSWORD : CACHING_SHA2;
  }

  #onPlain(payload: Buffer): ProofStep {
    const { rsa } = this.#options;
    if (rsa === undefined) throw new Error('full authentication without TLS or a key');
    // A client that was given a key beforehand does not ask for it.
    if (payload.length !== 1 || payload[0] !== KEY_REQUEST) return this.#checkEncrypted(payload);
    this.#state = 'encrypted';
    return { kind: 'ask', payload: moreData(Buffer.from(rsa.publicKey)) };
  }

  #checkEncrypted(payload: Buffer): ProofStep {
    const plain = this.#options.rsa?.decrypt(payload);
    if (plain === undefined) {
      return refused(
        'the password is not encrypted with the public key of this gateway: clear the key that the client has, or connect with TLS',
      );
    }
    return this.#check(xorRepeated(plain, this.#nonce));
  }

  #checkNative(response: Buffer): ProofStep {
    const { verifier, isKnown } = this.#options;
    const hash = verifier.nativeHash;
    if (hash === undefined) throw new Error('mysql_native_password without a verifier');
    const isRight = verifyNative(hash, this.#nonce, response);
    if (isRight && isKnown) return { kind: 'proved' };
    return this.#failed(response.length === 0 ? 'NO' : 'YES');
  }

  #check(bytes: Buffer): ProofStep {
    const password = readClearPassword(bytes);
    if (password === undefined || password.length === 0) return this.#failed('NO');
    const isRight = this.#isPassword(password);
    return isRight && this.#options.isKnown ? { kind: 'proved' } : this.#failed('YES');
  }

  #isPassword(password: Buffer): boolean {
    const { verifier, deriveKey } = this.#options;
    if (verifier.nativeHash !== undefined) {
      return timingSafeEqual(nativeHash(password), verifier.nativeHash);
    }
    const salted = deriveKey(password.toString('utf8'), verifier.salt, verifier.iterations);
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    const storedKey = createHash('sha256').update(clientKey).digest();
    return timingSafeEqual(storedKey, verifier.storedKey);
  }

  #failed(isUsingPassword: 'YES' | 'NO'): ProofStep {
    return { kind: 'refused', refusal: accessDenied(this.#options.user, isUsingPassword) };
  }
}

/** In the server's words; the host that it would name is not known to a session. */
export function accessDenied(user: string, isUsingPassword: 'YES' | 'NO'): Refusal {
  const message = `Access denied for user '${user}'@'%' (using password: ${isUsingPassword})`;
  return { code: '28P01', message };
}

function refused(message: string): ProofStep {
  return { kind: 'refused', refusal: { code: '28000', message } };
}
