/**
 * One client's stay, as a state machine: TLS or not by the first byte, sign-in, then commands and answers in
 * their order. The parts do the work; this file hands them their events, and holds the client where it must wait.
 */

import type {
  Decision,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import {
  ARGUMENT_COUNT_MAX,
  type RequestLimits,
  RequestReader,
  type RespRequest,
} from '../wire/resp-request.ts';
import { encodeError } from '../wire/resp-value.ts';
import { lower } from './command-table.ts';
import { readSignIn, type SignInRequest } from './hello.ts';
import { Outbox } from './outbox.ts';
import { NO_AUTH, NO_AUTH_HELLO } from './refusal.ts';
import { ClientRelay, QUEUE_ALARM, SCHEMA_ALARM } from './relay-client.ts';
import { ServerRelay } from './relay-server.ts';
import { PENDING_LOW, PENDING_MAX, RelayState } from './relay-state.ts';
import { shownRequest } from './secrets.ts';
import { SignIn } from './sign-in.ts';
import { OK, Upstream } from './upstream.ts';

const SIGN_IN_ALARM = 'sign-in';
/** First byte of a TLS record that opens a handshake. */
const TLS_HANDSHAKE = 0x16;
/** As Redis has it for a client that has not signed in: 10 arguments of 16 KiB. */
const STRANGER_LIMITS: RequestLimits = { argumentCount: 10, size: 64 * 1024 };
/** What a client may send ahead while it is held, beside the largest request. */
const AHEAD_SIZE_MAX = 1024 * 1024;

export class RedisSession implements ProtocolSession {
  readonly #options: SessionOptions;
  readonly #out = new Outbox();
  readonly #state = new RelayState();
  readonly #reader = new RequestReader();
  readonly #upstream: Upstream;
  readonly #signIn: SignIn;
  readonly #client: ClientRelay;
  readonly #server: ServerRelay;
  #isSecure = false;
  #isTransportKnown = false;
  #isSecuring = false;
  /** A command that waits until all answers are there: it changes who asks. */
  #drains: (() => void) | undefined;
  #isPaused = false;
  #isClientFinished = false;
  #isEnding = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const out = this.#out;
    const state = this.#state;
    this.#upstream = new Upstream(out, options, state);
    const parts = { out, options, state, upstream: this.#upstream };
    this.#signIn = new SignIn(parts, () => {
      if (this.#signIn.identity !== undefined) this.#setAlarm(undefined);
    });
    this.#client = new ClientRelay({
      out,
      state,
      upstream: this.#upstream,
      isSecure: () => this.#isSecure,
      identity: () => this.#signIn.identity,
    });
    this.#server = new ServerRelay(out, state, options);
  }

  get isBusy(): boolean {
    return this.#state.pending.length > 0 || this.#isWaiting;
  }

  get #isWaiting(): boolean {
    const { isHolding } = this.#client;
    return isHolding || this.#signIn.isUnderWay || this.#drains !== undefined;
  }

  handle(event: SessionEvent): SessionCommand[] {
    if (this.#out.isClosing) return [];
    try {
      this.#handle(event);
      if (!this.#out.isClosing) this.#afterEvent();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#onBroken(error);
    }
    return this.#out.take();
  }

  #handle(event: SessionEvent): void {
    switch (event.kind) {
      case 'received':
        if (event.from === 'client') this.#onClientBytes(event.bytes);
        else this.#server.onBytes(event.bytes);
        break;
      case 'decided':
        this.#onDecided(event.id, event.decision);
        break;
      case 'opened':
        if (event.side === 'client') this.#setAlarm(this.#options.signInTimeout);
        else this.#upstream.onOpened();
        break;
      case 'secured':
        this.#onSecured(event.side === 'client');
        break;
      case 'closed':
        this.#onClosed(event);
        break;
      case 'stopped':
        this.#end(event.code, event.reason);
        break;
      case 'woke':
        this.#onWoke(event.alarm);
        break;
      default:
    }
  }

  /** Errors of a client come behind the answers that it still waits for. */
  #onBroken({ message, code, blame }: ProtocolError): void {
    const reason = `${message} (${code})`;
    if (blame === 'server') {
      this.#end('08006', reason);
      return;
    }
    this.#out.note({ kind: 'refused', code: '08P01', reason });
    const bytes = encodeError('ERR', `Protocol error: ${message}`);
    if (this.isBusy) {
      this.#isEnding = true;
      this.#state.pending.push({ kind: 'local', bytes, closes: true });
      this.#pause(true);
      return;
    }
    this.#out.answer(bytes);
    this.#out.close();
  }

  /** The last word, where the client waits for one and is not in the middle of an answer (GW-13). */
  #end(code: string, reason: string): void {
    const isAwaited = this.isBusy || this.#signIn.identity === undefined;
    if (isAwaited && !this.#server.isMidAnswer) {
      this.#out.refuse({ code, message: reason });
      return;
    }
    this.#out.note({ kind: 'refused', code, reason });
    this.#out.close();
  }

  #onClientBytes(bytes: Buffer): void {
    if (this.#isEnding) return;
    if (!this.#isTransportKnown && !this.#chooseTransport(bytes)) return;
    this.#reader.add(bytes);
    const max = this.#options.statementSizeMax + AHEAD_SIZE_MAX;
    if (this.#isWaiting && this.#reader.heldSize > max) {
      throw new ProtocolError('REDIS_AHEAD', 'client', 'too much was sent ahead of an answer');
    }
  }

  /** Redis has no STARTTLS: a client with TLS begins with it. */
  #chooseTransport(bytes: Buffer): boolean {
    const isTls = bytes[0] === TLS_HANDSHAKE;
    const { clientTls } = this.#options;
    if (isTls && clientTls !== 'off') {
      if (this.#isSecuring) return false;
      this.#isSecuring = true;
      this.#out.push({ kind: 'secure', side: 'client', bytes });
      return false;
    }
    this.#isTransportKnown = true;
    if (clientTls !== 'require') return true;
    this.#out.refuse({ code: '28000', message: 'this connection takes TLS only: use rediss://' });
    return false;
  }

  #onSecured(isClient: boolean): void {
    if (!isClient) {
      this.#upstream.onSecured();
      return;
    }
    this.#isSecure = true;
    this.#isTransportKnown = true;
  }

  #onDecided(id: number, decision: Decision): void {
    if (this.#signIn.isDecision(id)) this.#signIn.onDecided(id, decision);
    else this.#client.onDecided(id, decision);
  }

  /** Goes on with what has come, as far as nothing has to be waited for. */
  #afterEvent(): void {
    this.#server.flushLocal();
    for (;;) {
      if (this.#out.isClosing || this.#isEnding) return;
      if (this.#drains !== undefined && this.#isDrained) {
        const next = this.#drains;
        this.#drains = undefined;
        next();
        continue;
      }
      if (this.#isWaiting || this.#isFull) break;
      const limits = this.#signIn.identity === undefined ? this.#strangerLimits : this.#limits;
      const request = this.#reader.next(limits);
      if (request === undefined) break;
      this.#onRequest(request);
    }
    // While a decision is awaited it is the driver that holds the client.
    const isDeciding = this.#signIn.isDeciding || this.#client.isDeciding;
    this.#pause(this.#isFull || (this.#isWaiting && !isDeciding));
    this.#finishServer();
  }

  get #isDrained(): boolean {
    const isQuiet = !this.#signIn.isUnderWay && !this.#client.isHolding;
    return isQuiet && this.#state.pending.length === 0;
  }

  /** A client that sends more than it takes answers for is read no further for a while. */
  get #isFull(): boolean {
    const { length } = this.#state.pending;
    return length >= (this.#isPaused ? PENDING_LOW : PENDING_MAX);
  }

  get #limits(): RequestLimits {
    return { argumentCount: ARGUMENT_COUNT_MAX, size: this.#options.statementSizeMax };
  }

  /** With passthrough the server may have no passwords at all. */
  get #strangerLimits(): RequestLimits {
    return this.#options.auth === 'gateway' ? STRANGER_LIMITS : this.#limits;
  }

  #onRequest(request: RespRequest): void {
    this.#out.recordClient(shownRequest(request));
    this.#route(request);
  }

  #route(request: RespRequest): void {
    const name = lower(request.argument(0));
    const isSignedIn = this.#signIn.identity !== undefined;
    if ((name === 'auth' || name === 'hello') && !this.#state.isInMulti) {
      const asked = readSignIn(name, request.arguments());
      if (Buffer.isBuffer(asked)) this.#client.refuse(asked);
      else if (asked.credential !== undefined) this.#startSignIn(asked, request);
      else if (isSignedIn) this.#client.take(request);
      else this.#onStranger(request, NO_AUTH_HELLO);
    } else if (!isSignedIn) {
      this.#onStranger(request, NO_AUTH);
    } else if (name === 'reset') {
      this.#drains = () => this.#reset(request);
    } else {
      this.#client.take(request);
    }
  }

  /** All that was asked before is answered under the name that it was asked in. */
  #startSignIn(asked: SignInRequest, request: RespRequest): void {
    this.#drains = () => this.#signIn.start(asked, request, this.#isSecure);
  }

  #onStranger(request: RespRequest, refusal: Buffer): void {
    const name = lower(request.argument(0));
    if (this.#options.auth === 'passthrough') {
      this.#drains = () => {
        this.#signIn.startDefault(this.#isSecure);
        this.#drains = () => this.#route(request);
      };
    } else if (name === 'quit') {
      this.#out.note({ kind: 'goodbye' });
      this.#out.answer(OK);
      this.#out.close();
    } else if (name === 'reset') {
      this.#out.answer(Buffer.from('+RESET\r\n'));
    } else {
      this.#client.refuse(refusal);
    }
  }

  /** Nobody is signed in any more, here and at the server (RESET: "de-authenticates the connection"). */
  #reset(request: RespRequest): void {
    this.#client.take(request);
    this.#signIn.identity = undefined;
    this.#setAlarm(this.#options.signInTimeout);
  }

  #onClosed(event: Extract<SessionEvent, { kind: 'closed' }>): void {
    if (event.side === 'server' && this.#signIn.isUnderWay) {
      const why = event.reason ?? 'it closed the connection';
      this.#out.refuse({ code: '08006', message: `Weir could not reach the database: ${why}` });
    } else if (event.side === 'client' && event.reason === undefined && this.#upstream.isOpen) {
      // A half-close: the server works off what it has and then closes, as it would directly (GW-14).
      this.#isClientFinished = true;
    } else {
      this.#out.close();
    }
  }

  #finishServer(): void {
    if (!this.#isClientFinished || this.isBusy) return;
    this.#isClientFinished = false;
    this.#out.push({ kind: 'finish', side: 'server' });
  }

  #onWoke(alarm: string): void {
    if (alarm === SCHEMA_ALARM) this.#state.schemas.clear();
    else if (alarm === QUEUE_ALARM) this.#client.spoilTransaction();
    else if (this.#signIn.identity === undefined) {
      this.#out.refuse({ code: '57014', message: 'the sign-in took too long' });
    }
  }

  #pause(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#out.setReading(isPaused);
  }

  #setAlarm(after: number | undefined): void {
    this.#out.push({ kind: 'wake', alarm: SIGN_IN_ALARM, after });
  }
}
