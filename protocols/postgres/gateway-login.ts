/**
 * The gateway signs in upstream with its own credential: the client's side of SCRAM, md5 and cleartext.
 * Nothing of it is recorded (GW-16).
 */

import { ProtocolError } from '../errors.ts';
import type { SessionOptions, UpstreamLogin } from '../contract.ts';
import { FRONTEND, encodeMessage, int32, readBody } from './message.ts';
import { NONCE_SIZE, ScramClient, md5Response } from './scram.ts';

const AUTH_OK = 0;
const AUTH_CLEARTEXT = 3;
const AUTH_MD5 = 5;
const AUTH_SASL = 10;
const AUTH_SASL_CONTINUE = 11;
const AUTH_SASL_FINAL = 12;

export class GatewayLogin {
  readonly #login: UpstreamLogin;
  readonly #options: SessionOptions;
  #scram: ScramClient | undefined;
  #isVerified = false;

  constructor(login: UpstreamLogin, options: SessionOptions) {
    this.#login = login;
    this.#options = options;
  }

  /** An Authentication message: what to answer, or 'ok' when the server is satisfied; undefined: wait. */
  answer(message: Buffer, channelBinding: Buffer | undefined): Buffer | 'ok' | undefined {
    const reader = readBody(message, 'server');
    const kind = reader.int32();
    switch (kind) {
      case AUTH_OK:
        // A server that skips the end of SCRAM has not proved that it knows the password.
        if (this.#scram !== undefined && !this.#isVerified)
          throw loginError('it ended SCRAM without its proof');
        return 'ok';
      case AUTH_CLEARTEXT:
        return encodeMessage(FRONTEND.password, this.#password());
      case AUTH_MD5:
        return encodeMessage(
          FRONTEND.password,
          md5Response(this.#login.user, this.#password(), reader.slice(4)),
        );
      case AUTH_SASL:
        return this.#startScram(decodeMechanisms(message), channelBinding);
      case AUTH_SASL_CONTINUE:
        return encodeMessage(
          FRONTEND.password,
          Buffer.from(this.#currentScram().final(reader.rest().toString('latin1'))),
        );
      case AUTH_SASL_FINAL:
        this.#currentScram().verify(reader.rest().toString('latin1'));
        this.#isVerified = true;
        return undefined;
      default:
        throw loginError(`it asks for authentication method ${kind}, which Weir cannot do`);
    }
  }

  #startScram(mechanisms: readonly string[], channelBinding: Buffer | undefined): Buffer {
    const scram = new ScramClient({
      password: this.#password(),
      mechanisms,
      channelBinding,
      nonce: this.#options.random(NONCE_SIZE).toString('base64'),
      deriveKey: this.#options.deriveKey,
    });
    if (!mechanisms.includes(scram.mechanism)) {
      throw loginError(`it offers only ${mechanisms.join(', ')}`);
    }
    this.#scram = scram;
    const first = Buffer.from(scram.first());
    return encodeMessage(FRONTEND.password, scram.mechanism, int32(first.length), first);
  }

  #currentScram(): ScramClient {
    if (this.#scram === undefined) throw loginError('its SCRAM messages come in the wrong order');
    return this.#scram;
  }

  #password(): string {
    if (this.#login.password !== undefined) return this.#login.password;
    throw loginError('it asks for a password, and the connection has none (password = ...)');
  }
}

/** AuthenticationSASL: Int32 10, then mechanism names, then an empty one. */
export function decodeMechanisms(message: Buffer): string[] {
  const reader = readBody(message, 'server');
  reader.int32();
  const mechanisms: string[] = [];
  for (let name = reader.cstring(); name.length > 0; name = reader.cstring()) {
    mechanisms.push(name.toString('latin1'));
  }
  return mechanisms;
}

function loginError(what: string): ProtocolError {
  return new ProtocolError(
    'PG_UPSTREAM_SIGN_IN',
    'server',
    `Weir cannot sign in to the database: ${what}`,
  );
}
