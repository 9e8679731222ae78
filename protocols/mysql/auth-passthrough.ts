/**
 * The client signs in to the database itself; the gateway relays the exchange without looking into it
 * (MY-9). Only caching_sha2_password depends on whether a leg has TLS: where the two differ the gateway
 * takes the password off one leg and puts it on the other (MY-8). What cannot be relayed is refused with
 * the reason instead of failing later.
 */

import type { Rsa } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import {
  CACHING_SHA2,
  FAST_OK,
  FULL_NEEDED,
  KEY_REQUEST,
  MORE_DATA,
  moreData,
  readClearPassword,
  xorRepeated,
} from './auth-caching-sha2.ts';
import {
  AUTH_PACKET_COUNT_MAX,
  AUTH_SWITCH,
  CLEAR_PASSWORD,
  parseAuthSwitch,
} from './auth-switch.ts';
import { NONCE_SIZE } from './greeting.ts';
import { ERR_HEADER, type Refusal } from './refusal.ts';

/** Sends the password itself inside of TLS, like caching_sha2_password, but in its first packet. */
const SHA256_PASSWORD = 'sha256_password';

export interface PassthroughOptions {
  readonly isClientSecure: boolean;
  readonly isUpstreamSecure: boolean;
  readonly rsa: Rsa | undefined;
  readonly nonce: Buffer;
}

export type PassthroughStep =
  | { readonly kind: 'to-client'; readonly payload: Buffer; readonly by?: 'gateway' }
  | { readonly kind: 'to-server'; readonly payload: Buffer }
  | { readonly kind: 'ok' }
  | { readonly kind: 'err' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Full authentication between unequal legs: whose packet is next, and what it is. */
type Bridge = 'password' | 'server-key' | 'key-request' | 'encrypted';

export class PassthroughAuth {
  readonly #options: PassthroughOptions;
  #plugin: string | undefined;
  #nonce: Buffer;
  #bridge: Bridge | undefined;
  #password: Buffer | undefined;
  #count = 0;
  /** A packet that comes when it is not its turn could be taken for a command by the server. */
  awaitsClient = false;

  constructor(options: PassthroughOptions) {
    this.#options = options;
    this.#nonce = options.nonce.subarray(0, NONCE_SIZE);
  }

  /** What the client sent with its user name. Undefined: it may go on. */
  onFirst(plugin: string | undefined): Refusal | undefined {
    this.#plugin = plugin;
    return this.#refuse();
  }

  onServer(payload: Buffer): PassthroughStep {
    this.#count += 1;
    if (this.#count > AUTH_PACKET_COUNT_MAX) {
      throw new ProtocolError('MYSQL_AUTH_COUNT', 'server', 'the sign-in comes to no end');
    }
    switch (payload[0]) {
      case 0x00:
        return { kind: 'ok' };
      case ERR_HEADER:
        return { kind: 'err' };
      case AUTH_SWITCH:
        return this.#onSwitch(payload);
      case MORE_DATA:
        if (this.#plugin === CACHING_SHA2) return this.#onCachingSha2(payload);
        return this.#ask(payload);
      case undefined:
      default:
        return this.#ask(payload);
    }
  }

  /** Only where `awaitsClient`. */
  onClient(payload: Buffer): PassthroughStep {
    this.awaitsClient = false;
    switch (this.#bridge) {
      case undefined:
        return { kind: 'to-server', payload };
      case 'password':
        return this.#onPassword(payload);
      case 'key-request':
        return this.#onKeyRequest(payload);
      case 'encrypted':
        return this.#onEncrypted(payload);
      case 'server-key':
        throw new Error('the client was not asked');
    }
  }

  #ask(payload: Buffer): PassthroughStep {
    this.awaitsClient = true;
    return { kind: 'to-client', payload };
  }

  #onSwitch(payload: Buffer): PassthroughStep {
    const request = parseAuthSwitch(payload);
    if (request === undefined) {
      return refused('the database asks for the password hash of before MySQL 4.1');
    }
    this.#plugin = request.plugin;
    this.#nonce = request.content.subarray(0, NONCE_SIZE);
    this.#bridge = undefined;
    const refusal = this.#refuse();
    return refusal === undefined ? this.#ask(payload) : { kind: 'refused', refusal };
  }

  #onCachingSha2(payload: Buffer): PassthroughStep {
    const { isClientSecure, isUpstreamSecure, rsa } = this.#options;
    if (this.#bridge === 'server-key') return this.#encrypt(payload.toString('latin1', 1));
    const isStep = payload.length === 2;
    // The server is content and says so: its OK follows without a word of the client.
    if (isStep && payload[1] === FAST_OK) return { kind: 'to-client', payload };
    if (!isStep || payload[1] !== FULL_NEEDED || isClientSecure === isUpstreamSecure) {
      return this.#ask(payload);
    }
    if (rsa === undefined) {
      return refused(
        'caching_sha2_password cannot pass a gateway with TLS on one leg only unless the database remembers the password',
      );
    }
    this.#bridge = isClientSecure ? 'password' : 'key-request';
    return this.#ask(payload);
  }

  /** TLS to the client, none to the server: the password has to be encrypted for the server. */
  #onPassword(payload: Buffer): PassthroughStep {
    if (readClearPassword(payload) === undefined) return refused('the password has no end');
    this.#password = payload;
    this.#bridge = 'server-key';
    return { kind: 'to-server', payload: Buffer.of(KEY_REQUEST) };
  }

  #encrypt(key: string): PassthroughStep {
    const clear = xorRepeated(this.#password ?? Buffer.alloc(0), this.#nonce);
    this.#password = undefined;
    this.#bridge = undefined;
    try {
      const payload = this.#options.rsa?.encrypt(key, clear);
      if (payload !== undefined) return { kind: 'to-server', payload };
    } catch {
      // Whatever the reason: what came is no key that a password can be encrypted with.
    }
    throw new ProtocolError('MYSQL_SERVER_KEY', 'server', 'the public key of the server is none');
  }

  /** No TLS to the client, but to the server: the client encrypts for the gateway. */
  #onKeyRequest(payload: Buffer): PassthroughStep {
    if (payload.length !== 1 || payload[0] !== KEY_REQUEST) return this.#onEncrypted(payload);
    const { rsa } = this.#options;
    if (rsa === undefined) throw new Error('a bridge without a key');
    this.#bridge = 'encrypted';
    this.awaitsClient = true;
    return { kind: 'to-client', payload: moreData(Buffer.from(rsa.publicKey)), by: 'gateway' };
  }

  #onEncrypted(payload: Buffer): PassthroughStep {
    const plain = this.#options.rsa?.decrypt(payload);
    this.#bridge = undefined;
    if (plain === undefined) {
      return refused(
        'the password is not encrypted with the public key of this gateway: clear the key that the client has, or connect with TLS',
      );
    }
    return { kind: 'to-server', payload: xorRepeated(plain, this.#nonce) };
  }

  #refuse(): Refusal | undefined {
    const { isClientSecure, isUpstreamSecure } = this.#options;
    if (this.#plugin === CLEAR_PASSWORD && !isClientSecure) {
      return refusalOf('a clear-text password is relayed only if the client connects with TLS');
    }
    if (this.#plugin === CLEAR_PASSWORD && !isUpstreamSecure) {
      return refusalOf(
        'a clear-text password is relayed only with TLS to the database (upstream_tls)',
      );
    }
    if (this.#plugin === SHA256_PASSWORD && isClientSecure !== isUpstreamSecure) {
      return refusalOf('sha256_password cannot pass a gateway with TLS on one leg only');
    }
    return undefined;
  }
}

function refused(message: string): PassthroughStep {
  return { kind: 'refused', refusal: refusalOf(message) };
}

function refusalOf(message: string): Refusal {
  return { code: '28000', message };
}
