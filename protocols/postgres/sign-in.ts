/**
 * From the first byte to the moment when statements may flow: transport, identity, upstream.
 *
 *   first packets -> (TLS) -> decide sign-in -> client proves -> upstream opened -> upstream signed in
 *                                            \-> passthrough: the server's own exchange is relayed
 *
 * With protocol 3.0 the upstream is opened only after the client has proved itself. A client that asks
 * for more has to learn first what the upstream speaks, so there it is opened before (PG-8).
 */

import { ProtocolError } from '../errors.ts';
import type { Decision, Inspection, SessionOptions, UpstreamLogin } from '../contract.ts';
import { ClientProof } from './client-proof.ts';
import { FirstPackets } from './first-packets.ts';
import { GatewayLogin } from './gateway-login.ts';
import { BACKEND, FRONTEND, HEADER_SIZE } from './message.ts';
import type { Outbox } from './outbox.ts';
import { PassthroughAuth } from './passthrough-auth.ts';
import { type Refusal, readField, refusalOf } from './refusal.ts';
import { NONCE_SIZE } from './scram.ts';
import { blankSecret } from './secrets.ts';
import {
  type StartupPacket,
  asksForReplication,
  findParameter,
  rewriteStartup,
} from './startup.ts';
import { UpstreamLeg } from './upstream-leg.ts';

/** libpq and PostgreSQL itself stop at this size for a password message (PG-16). */
const PASSWORD_SIZE_MAX = 65_535;

export interface SignedIn {
  readonly upstream: UpstreamLeg;
  readonly inspection: Inspection;
  /** Client bytes that came behind the sign-in. */
  readonly rest: Buffer;
}

export class SignIn {
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #first: FirstPackets;
  #upstream: UpstreamLeg | undefined;
  #packet: StartupPacket | undefined;
  #user = '';
  #database = '';
  #decisionId: number | undefined;
  #inspection: Inspection = { statements: true, results: true };
  #proof: ClientProof | undefined;
  #isProved = false;
  #login: GatewayLogin | undefined;
  #passthrough: PassthroughAuth | undefined;
  /** The upstream's Authentication message that waits until the client has proved itself. */
  #heldRequest: Buffer | undefined;
  /** Set once everything is done. */
  done: SignedIn | undefined;

  constructor(out: Outbox, options: SessionOptions) {
    this.#out = out;
    this.#options = options;
    this.#first = new FirstPackets(out, options);
  }

  onClientBytes(bytes: Buffer): void {
    this.#first.push(bytes);
    this.#stepClient();
  }

  onClientSecured(alpn: string | undefined, channelBinding: Buffer | undefined): void {
    this.#first.onSecured(alpn, channelBinding);
  }

  onServerOpened(): void {
    this.#upstream?.onOpened();
  }

  onServerSecured(channelBinding: Buffer | undefined): void {
    this.#upstream?.onSecured(channelBinding);
  }

  onServerBytes(bytes: Buffer): void {
    this.#upstream?.onBytes(bytes);
    this.#stepServer();
  }

  /** The upstream is gone before anything was agreed on. */
  onServerClosed(reason: string | undefined): void {
    if (this.#first.isCancel) {
      // A cancel has no answer; its end is the server's end (PG-12).
      this.#out.close();
      return;
    }
    const message = `Weir could not reach the database: ${reason ?? 'it closed the connection'}`;
    this.#out.refuse({ code: '08006', message });
  }

  /** A cancel is carried out though its client has closed already, as a server does (PG-12). */
  get outlivesClient(): boolean {
    return this.#first.isCancel;
  }

  onTimeout(): void {
    this.#out.refuse({ code: '57014', message: 'canceling authentication due to timeout' });
  }

  onDecided(id: number, decision: Decision): void {
    if (id !== this.#decisionId) throw new Error(`decision ${id} answers no held operation`);
    this.#decisionId = undefined;
    if (this.#first.isCancel) this.#onCancelDecided(decision);
    else if (decision.kind === 'block') this.#out.refuse(refusalOf(decision));
    else if (decision.kind === 'prove') this.#startProof(decision);
    else this.#startPassthrough(decision.inspection ?? this.#inspection);
    if (!this.#out.isClosing) this.#stepClient();
  }

  #stepClient(): void {
    while (!this.#out.isClosing && this.done === undefined && this.#decisionId === undefined) {
      if (this.#packet === undefined && !this.#first.isCancel) {
        if (!this.#stepFirstPacket()) return;
      } else if (!this.#stepPassword()) {
        return;
      }
    }
  }

  /** False: nothing more to do with the bytes that are here. */
  #stepFirstPacket(): boolean {
    const first = this.#first.next();
    if (first === undefined) return false;
    if (first.kind === 'cancel') {
      this.#decisionId = this.#out.nextId();
      this.#out.decide({ kind: 'cancel', id: this.#decisionId, key: first.key }, 'client');
      return false;
    }
    this.#packet = first.packet;
    this.#user = findParameter(first.packet, 'user') ?? '';
    this.#database = findParameter(first.packet, 'database') ?? '';
    if (this.#database === '') this.#database = this.#user;
    this.#decisionId = this.#out.nextId();
    this.#out.decide(
      {
        kind: 'sign-in',
        id: this.#decisionId,
        user: this.#user,
        database: this.#database,
        isSecure: this.#first.isSecure,
        isReplication: asksForReplication(first.packet),
        settings: first.packet.parameters.map(({ name, value }) => ({
          name,
          value: value.toString('latin1'),
        })),
      },
      'client',
    );
    return false;
  }

  #onCancelDecided(decision: Decision): void {
    // An unknown key is not answered at all: neither is the server's "no" (PG-12).
    if (decision.kind !== 'allow' || this.#first.cancelRequest === undefined) this.#out.close();
    else this.#openUpstream(this.#first.cancelRequest);
  }

  #startProof(decision: Extract<Decision, { kind: 'prove' }>): void {
    const packet = this.#startupPacket();
    this.#inspection = decision.inspection;
    this.#proof = new ClientProof({
      user: this.#user,
      verifier: decision.verifier,
      isKnown: decision.isKnown,
      channelBinding: this.#first.channelBinding,
      nonce: this.#options.random(NONCE_SIZE).toString('base64'),
    });
    this.#login = new GatewayLogin(decision.login, this.#options);
    this.#loginStartup = upstreamStartup(packet, decision.login, this.#database);
    const asksForMore =
      packet.minor > 0 || packet.parameters.some(({ name }) => name.startsWith('_pq_.'));
    if (asksForMore) this.#openUpstream(this.#loginStartup);
    else this.#out.answer(this.#proof.request());
  }

  #loginStartup: Buffer = Buffer.alloc(0);

  #startPassthrough(inspection: Inspection): void {
    this.#inspection = inspection;
    this.#passthrough = new PassthroughAuth({
      isClientSecure: this.#first.isSecure,
      isUpstreamSecure: this.#options.upstreamTls,
    });
    this.#openUpstream(this.#startupPacket().bytes);
  }

  #openUpstream(firstBytes: Buffer): void {
    this.#upstream = new UpstreamLeg(this.#out, this.#options.upstreamTls, firstBytes);
  }

  /** One 'p' message of the client. False: it is not here yet, or it is not its turn. */
  #stepPassword(): boolean {
    const awaitsPassword =
      this.#passthrough?.awaitsPassword ?? (this.#proof !== undefined && !this.#isProved);
    if (!awaitsPassword) return false;
    const message = this.#first.takeMessage(HEADER_SIZE + PASSWORD_SIZE_MAX);
    if (message === undefined) return false;
    if (message[0] === FRONTEND.terminate) {
      this.#out.close();
      return false;
    }
    if (message[0] !== FRONTEND.password) {
      this.#out.refuse({
        code: '08P01',
        message: `expected password response, got message type ${message[0]}`,
      });
      return false;
    }
    this.#out.recordClient(blankSecret(message));
    if (this.#passthrough !== undefined) this.#relayPassword(this.#passthrough, message);
    else this.#stepProof(message);
    return true;
  }

  #relayPassword(passthrough: PassthroughAuth, message: Buffer): void {
    const refusal = passthrough.onPassword(message);
    if (refusal === undefined) this.#out.toServer(message);
    else this.#out.refuse(refusal);
  }

  #stepProof(message: Buffer): void {
    const step = this.#proof?.step(message);
    if (step === undefined) return;
    if (step.kind === 'refused') {
      this.#out.refuse(step.refusal);
      return;
    }
    this.#out.answer(step.bytes);
    if (step.kind !== 'proved') return;
    this.#isProved = true;
    if (this.#upstream === undefined) this.#openUpstream(this.#loginStartup);
    else if (this.#heldRequest !== undefined) this.#answerUpstream(this.#heldRequest);
    this.#stepServer();
  }

  #stepServer(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    while (!this.#out.isClosing && this.done === undefined) {
      if (this.#heldRequest !== undefined && !this.#isProved) return;
      const message = upstream.nextMessage();
      if (message === undefined) return;
      this.#onServerMessage(message);
    }
    if (this.#passthrough !== undefined) this.#stepClient();
  }

  #onServerMessage(message: Buffer): void {
    switch (message[0]) {
      case BACKEND.authentication:
        this.#onAuthentication(message);
        break;
      case BACKEND.errorResponse:
        this.#onUpstreamError(message);
        break;
      case BACKEND.negotiateProtocolVersion:
      case BACKEND.noticeResponse:
        this.#out.toClient(message);
        break;
      case undefined:
      default:
        throw new ProtocolError(
          'PG_SIGN_IN_MESSAGE',
          'server',
          `message type ${message[0]} does not belong into a sign-in`,
        );
    }
  }

  #onAuthentication(message: Buffer): void {
    if (this.#passthrough !== undefined) {
      const step = this.#passthrough.onRequest(message);
      if (step.kind === 'refused') {
        this.#out.refuse(step.refusal);
        return;
      }
      this.#out.toClient(step.bytes);
      if (step.kind === 'ok') this.#finish();
      else this.#stepClient();
      return;
    }
    if (this.#isProved) {
      this.#answerUpstream(message);
      return;
    }
    // Opened early (PG-8): the version is settled now, so the client may prove itself.
    this.#heldRequest = message;
    if (this.#proof !== undefined) this.#out.answer(this.#proof.request());
  }

  #answerUpstream(message: Buffer): void {
    this.#heldRequest = undefined;
    const answer = this.#login?.answer(message, this.#upstream?.channelBinding);
    if (answer === 'ok') {
      this.#out.toClient(message);
      this.#finish();
    } else if (answer !== undefined) {
      this.#out.toServer(answer);
    }
  }

  /** The server's own refusal goes to the client, unless it speaks of the gateway's credential. */
  #onUpstreamError(message: Buffer): void {
    const code = readField(message, 'C');
    if (this.#passthrough === undefined && code.startsWith('28')) {
      const text = `Weir could not sign in to the database (SQLSTATE ${code})`;
      this.#out.refuse({ code: '28000', message: text } satisfies Refusal);
      return;
    }
    this.#out.note({ kind: 'refused', code, reason: 'the database refused the sign-in' });
    this.#out.toClient(message);
    this.#out.close();
  }

  #finish(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) throw new Error('signed in without an upstream');
    this.#out.note({ kind: 'signed-in', user: this.#user, database: this.#database });
    this.done = { upstream, inspection: this.#inspection, rest: this.#first.takeRest() };
  }

  #startupPacket(): StartupPacket {
    if (this.#packet === undefined) throw new Error('a decision came before the start-up packet');
    return this.#packet;
  }
}

function upstreamStartup(packet: StartupPacket, login: UpstreamLogin, database: string): Buffer {
  return rewriteStartup(packet, login.user, login.database ?? database);
}
