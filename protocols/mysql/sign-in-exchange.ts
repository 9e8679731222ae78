/**
 * The part of a sign-in in which identity is proved, the same at the beginning and for COM_CHANGE_USER:
 * the client proves itself to the gateway and the gateway signs in upstream, or the client's exchange
 * with the server is relayed. Packets go by two legs that number them by themselves (MY-11).
 */

import type { Decision, SessionOptions, UpstreamLogin } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { ClientProof, type ProofStep } from './auth-client-proof.ts';
import { GatewayLogin, refusalOfLogin } from './auth-gateway-login.ts';
import { PassthroughAuth, type PassthroughStep } from './auth-passthrough.ts';
import { NONCE_SIZE, nonceOf } from './greeting.ts';
import type { Outbox } from './outbox.ts';
import { ERR_HEADER, parseErr } from './refusal.ts';
import type { SignInClient } from './sign-in-client.ts';
import type { SignInUpstream } from './sign-in-upstream.ts';

export interface Offer {
  /** Undefined: the client was offered nothing that its answer could belong to. */
  readonly plugin: string | undefined;
  readonly nonce: Buffer;
}

export interface ExchangeParts {
  readonly out: Outbox;
  readonly options: SessionOptions;
  readonly client: SignInClient;
  readonly upstream: SignInUpstream;
}

export interface ExchangeStart {
  readonly user: string;
  /** What the client was offered. */
  readonly toClient: Offer;
  /** What the upstream offered. */
  readonly fromServer: { readonly plugin: string; readonly nonce: Buffer };
  /** The client understands AuthSwitchRequest. */
  readonly canSwitch: boolean;
  readonly plugin: string | undefined;
  readonly authResponse: Buffer;
}

/** What goes upstream in place of the client's own: the gateway's credential. */
export interface OwnLogin {
  readonly login: UpstreamLogin;
  readonly plugin: string;
  readonly response: Buffer;
}

export class SignInExchange {
  readonly #parts: ExchangeParts;
  readonly #start: ExchangeStart;
  /** Sends the first packet upstream; undefined: the client's own. */
  readonly #respond: (own: OwnLogin | undefined) => void;
  #proof: ClientProof | undefined;
  #upstreamLogin: UpstreamLogin | undefined;
  #login: GatewayLogin | undefined;
  #passthrough: PassthroughAuth | undefined;

  constructor(
    parts: ExchangeParts,
    start: ExchangeStart,
    respond: (own: OwnLogin | undefined) => void,
  ) {
    this.#parts = parts;
    this.#start = start;
    this.#respond = respond;
  }

  get isPassthrough(): boolean {
    return this.#passthrough !== undefined;
  }

  prove(decision: Extract<Decision, { kind: 'prove' }>): void {
    const { options, client } = this.#parts;
    const { user, toClient, canSwitch, plugin, authResponse } = this.#start;
    this.#upstreamLogin = decision.login;
    this.#proof = new ClientProof({
      user,
      verifier: decision.verifier,
      isKnown: decision.isKnown,
      isSecure: client.isSecure,
      canSwitch,
      rsa: options.rsa,
      deriveKey: options.deriveKey,
      offered: toClient,
      newNonce: () => nonceOf(options.random(NONCE_SIZE)),
    });
    this.#onProofStep(this.#proof.start(plugin, authResponse));
  }

  passThrough(): void {
    const { out, options, client } = this.#parts;
    if (options.auth === 'gateway') throw new Error('an allowed sign-in has to be proved');
    this.#passthrough = new PassthroughAuth({
      isClientSecure: client.isSecure,
      isUpstreamSecure: options.upstreamTls,
      rsa: options.rsa,
      nonce: this.#start.toClient.nonce,
    });
    const refusal = this.#passthrough.onFirst(this.#start.plugin);
    if (refusal === undefined) this.#respond(undefined);
    else out.refuse(refusal);
  }

  /** Takes one packet of the client. False: none is here, or it is not its turn. */
  stepClient(): boolean {
    const isAsked = this.#proof !== undefined || this.#passthrough?.awaitsClient === true;
    const payload = isAsked ? this.#parts.client.readSecret() : undefined;
    if (payload === undefined) return false;
    if (this.#proof !== undefined) this.#onProofStep(this.#proof.step(payload));
    else if (this.#passthrough !== undefined)
      this.#onPassthroughStep(this.#passthrough.onClient(payload));
    return true;
  }

  /** A packet of the server. True: it is the OK that ends the sign-in, and still to be relayed. */
  onServer(payload: Buffer): boolean {
    if (this.#login !== undefined) return this.#onLoginPacket(this.#login, payload);
    if (this.#passthrough === undefined) {
      this.#onEarlyPacket(payload);
      return false;
    }
    const step = this.#passthrough.onServer(payload);
    if (step.kind === 'ok') return true;
    if (step.kind === 'err') this.relayErr(payload);
    else this.#onPassthroughStep(step);
    return false;
  }

  /** The server's own words, and the end. */
  relayErr(payload: Buffer): void {
    const { out, client } = this.#parts;
    const { errno, message } = parseErr(payload);
    const reason = `the database refused the sign-in: ${errno} ${message}`;
    out.note({ kind: 'refused', code: '08006', reason });
    client.relay(payload);
    out.close();
  }

  #onProofStep(step: ProofStep): void {
    if (step.kind === 'refused') this.#parts.out.refuse(step.refusal);
    else if (step.kind === 'ask') this.#parts.client.answer(step.payload);
    else this.#startLogin();
  }

  /** The client is who it says; now the gateway says who it is itself. */
  #startLogin(): void {
    const login = this.#upstreamLogin;
    if (login === undefined) throw new Error('proved without a decision');
    this.#proof = undefined;
    this.#login = new GatewayLogin({
      login,
      isSecure: this.#parts.options.upstreamTls,
      rsa: this.#parts.options.rsa,
      ...this.#start.fromServer,
    });
    this.#respond({ login, ...this.#login.first() });
  }

  /** The server's own refusal goes to the client, unless it speaks of the gateway's credential. */
  #onLoginPacket(login: GatewayLogin, payload: Buffer): boolean {
    const step = login.answer(payload);
    if (step.kind === 'ok') return true;
    if (step.kind === 'send') this.#parts.upstream.send(step.payload);
    if (step.kind !== 'err') return false;
    const refusal = refusalOfLogin(parseErr(payload), this.#upstreamLogin?.user ?? '');
    if (refusal === undefined) this.relayErr(payload);
    else this.#parts.out.refuse(refusal);
    return false;
  }

  #onPassthroughStep(step: PassthroughStep): void {
    const { out, client, upstream } = this.#parts;
    if (step.kind === 'refused') out.refuse(step.refusal);
    else if (step.kind === 'to-server') upstream.send(step.payload);
    else if (step.kind === 'to-client' && step.by === 'gateway') client.answer(step.payload);
    else if (step.kind === 'to-client') client.relay(step.payload);
  }

  /** As long as nothing was sent to it, a server says nothing but that it ends the connection. */
  #onEarlyPacket(payload: Buffer): void {
    if (payload[0] !== ERR_HEADER) {
      throw new ProtocolError('MYSQL_SIGN_IN_PACKET', 'server', 'a packet came before its time');
    }
    const err = parseErr(payload);
    this.#parts.out.refuse({ code: '08006', message: `the database: ${err.message}`, error: err });
  }
}
