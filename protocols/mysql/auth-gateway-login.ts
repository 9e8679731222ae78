/**
 * The gateway signs in upstream with its own credential: mysql_native_password, caching_sha2_password
 * (fast, and full through TLS or RSA), ed25519, and the clear password inside of TLS. Nothing of it is
 * recorded (GW-16).
 */

import type { Rsa, UpstreamLogin } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import {
  CACHING_SHA2,
  FAST_OK,
  FULL_NEEDED,
  KEY_REQUEST,
  MORE_DATA,
  cachingSha2Response,
  clearPassword,
  xorRepeated,
} from './auth-caching-sha2.ts';
import { ED25519, signEd25519 } from './auth-ed25519.ts';
import { NATIVE_PASSWORD, nativeResponse } from './auth-native.ts';
import {
  AUTH_PACKET_COUNT_MAX,
  AUTH_SWITCH,
  CLEAR_PASSWORD,
  parseAuthSwitch,
} from './auth-switch.ts';
import { NONCE_SIZE } from './greeting.ts';
import { ERR_HEADER, type ErrText, type Refusal } from './refusal.ts';

const ED25519_NONCE_SIZE = 32;

export interface GatewayLoginOptions {
  readonly login: UpstreamLogin;
  readonly isSecure: boolean;
  readonly rsa: Rsa | undefined;
  /** The greeting's. */
  readonly plugin: string;
  readonly nonce: Buffer;
}

export type LoginStep =
  | { readonly kind: 'send'; readonly payload: Buffer }
  | { readonly kind: 'wait' }
  | { readonly kind: 'ok' }
  | { readonly kind: 'err' };

export class GatewayLogin {
  readonly #options: GatewayLoginOptions;
  #plugin: string;
  #nonce: Buffer;
  #awaitsKey = false;
  #count = 0;

  constructor(options: GatewayLoginOptions) {
    this.#options = options;
    this.#plugin = options.plugin;
    this.#nonce = options.nonce.subarray(0, NONCE_SIZE);
  }

  /** For the HandshakeResponse. Where the greeting's plugin is none of ours the server will switch. */
  first(): { plugin: string; response: Buffer } {
    // ed25519 signs a nonce of its own, which comes with the switch.
    if (this.#plugin !== CACHING_SHA2) this.#plugin = NATIVE_PASSWORD;
    return { plugin: this.#plugin, response: this.#respond() };
  }

  /** A packet of the server. */
  answer(payload: Buffer): LoginStep {
    this.#count += 1;
    if (this.#count > AUTH_PACKET_COUNT_MAX) throw loginError('it comes to no end');
    switch (payload[0]) {
      case 0x00:
        return { kind: 'ok' };
      case ERR_HEADER:
        return { kind: 'err' };
      case AUTH_SWITCH:
        return { kind: 'send', payload: this.#switch(payload) };
      case MORE_DATA:
        return this.#onMoreData(payload.subarray(1));
      case undefined:
      default:
        throw loginError(`it sends 0x${payload[0]?.toString(16) ?? ''}, which Weir does not know`);
    }
  }

  #switch(payload: Buffer): Buffer {
    const request = parseAuthSwitch(payload);
    if (request === undefined) throw loginError('it asks for the password hash of before 4.1');
    this.#plugin = request.plugin;
    this.#awaitsKey = false;
    const size = this.#plugin === ED25519 ? ED25519_NONCE_SIZE : NONCE_SIZE;
    if (this.#plugin !== CLEAR_PASSWORD && request.content.length < size) {
      throw loginError(`its nonce for ${this.#plugin} has ${request.content.length} bytes`);
    }
    this.#nonce = request.content.subarray(0, size);
    return this.#respond();
  }

  #respond(): Buffer {
    const password = this.#options.login.password ?? '';
    switch (this.#plugin) {
      case NATIVE_PASSWORD:
        return nativeResponse(password, this.#nonce);
      case CACHING_SHA2:
        return cachingSha2Response(password, this.#nonce);
      case ED25519:
        return signEd25519(password, this.#nonce);
      case CLEAR_PASSWORD:
        if (this.#options.isSecure) return clearPassword(password);
        throw loginError('it asks for a clear-text password, which Weir gives through TLS only');
      default:
        throw loginError(`it asks for ${this.#plugin}, which Weir cannot do`);
    }
  }

  #onMoreData(content: Buffer): LoginStep {
    if (this.#plugin !== CACHING_SHA2) throw loginError(`${this.#plugin} has no second step`);
    if (this.#awaitsKey) {
      this.#awaitsKey = false;
      return { kind: 'send', payload: this.#encrypt(content.toString('latin1')) };
    }
    if (content.length !== 1) throw loginError('it sends a key that was not asked for');
    if (content[0] === FAST_OK) return { kind: 'wait' };
    if (content[0] !== FULL_NEEDED) throw loginError(`it asks for step ${content[0]}`);
    if (this.#options.isSecure) return { kind: 'send', payload: clearPassword(this.#password()) };
    if (this.#options.rsa === undefined) {
      throw loginError('it asks for the password, and the connection to it has no TLS');
    }
    this.#awaitsKey = true;
    return { kind: 'send', payload: Buffer.of(KEY_REQUEST) };
  }

  #encrypt(key: string): Buffer {
    const clear = xorRepeated(clearPassword(this.#password()), this.#nonce);
    try {
      const encrypted = this.#options.rsa?.encrypt(key, clear);
      if (encrypted !== undefined) return encrypted;
    } catch {
      // The reason is the same for all that goes wrong here: what came is no key to encrypt with.
      throw loginError('its public key is none');
    }
    throw new Error('a key came, and Weir has no RSA');
  }

  #password(): string {
    if (this.#options.login.password !== undefined) return this.#options.login.password;
    throw loginError('it asks for a password, and the connection has none (password = ...)');
  }
}

/** An ERR that tells of the gateway's own account in Weir's words; undefined: the client may read it. */
export function refusalOfLogin(err: ErrText, user: string): Refusal | undefined {
  if (err.state !== '28000' && !err.message.includes(`'${user}'`)) return undefined;
  const message = `Weir could not sign in to the database (error ${err.errno})`;
  const error = err.state === '' ? undefined : { errno: err.errno, state: err.state };
  return { code: '28000', message, error };
}

function loginError(what: string): ProtocolError {
  return new ProtocolError(
    'MYSQL_UPSTREAM_SIGN_IN',
    'server',
    `Weir cannot sign in to the database: ${what}`,
  );
}
