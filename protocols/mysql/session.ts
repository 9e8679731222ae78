/**
 * One client's stay, as a state machine: sign-in, then relay, with a phase of its own in between for each
 * COM_CHANGE_USER and, under inspection, each COM_RESET_CONNECTION. The parts do the work; this file hands them their events and keeps the order.
 */

import type {
  Decision,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { ChangeUser } from './change-user.ts';
import { COMMAND } from './commands.ts';
import { Outbox } from './outbox.ts';
import { HEADER_SIZE } from './packet.ts';
import { BAD_HANDSHAKE, type ErrorNumber } from './refusal.ts';
import { ClientRelay } from './relay-client.ts';
import { ServerRelay } from './relay-server.ts';
import { type RelayState, createRelayState } from './relay-state.ts';
import { ResetConnection } from './reset-connection.ts';
import { SessionState } from './session-state.ts';
import { SignIn, type SignedIn } from './sign-in.ts';

const SIGN_IN_ALARM = 'sign-in';
/** ER_SERVER_SHUTDOWN: what a server says when it ends a session by itself. */
const SHUTDOWN: ErrorNumber = { errno: 1053, state: '08S01' };
/** ER_NET_PACKETS_OUT_OF_ORDER. */
const OUT_OF_ORDER: ErrorNumber = { errno: 1156, state: '08S01' };

interface Relay {
  readonly signedIn: SignedIn;
  readonly state: RelayState;
  readonly client: ClientRelay;
  readonly server: ServerRelay;
}

export class MysqlSession implements ProtocolSession {
  readonly #options: SessionOptions;
  readonly #out = new Outbox();
  readonly #signIn: SignIn;
  #relay: Relay | undefined;
  #changeUser: ChangeUser | ResetConnection | undefined;
  #isClientFinished = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#signIn = new SignIn(this.#out, options);
  }

  get isBusy(): boolean {
    return this.#changeUser !== undefined || (this.#relay?.state.running.length ?? 0) > 0;
  }

  handle(event: SessionEvent): SessionCommand[] {
    if (this.#out.isClosing) return [];
    try {
      this.#handle(event);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#onBroken(error);
    }
    return this.#out.take();
  }

  #onBroken(error: ProtocolError): void {
    const reason = `${error.message} (${error.code})`;
    if (this.#relay === undefined || this.#changeUser !== undefined) {
      this.#out.refuse({ code: '08P01', message: reason, error: BAD_HANDSHAKE });
      return;
    }
    // A client that nobody owes an answer takes the error for the one to what it sent just now.
    if (error.blame === 'client' && !this.isBusy) this.#out.sequence = 1;
    const isOrder = error.code === 'MYSQL_SEQUENCE';
    const code = error.blame === 'client' ? '08P01' : '08006';
    this.#end(code, reason, isOrder ? OUT_OF_ORDER : undefined);
  }

  /** The last word, unless the client is in the middle of a packet: then there can be none (GW-13). */
  #end(code: string, reason: string, error?: ErrorNumber): void {
    if (this.#relay?.server.isMidPacket === true) {
      this.#out.note({ kind: 'refused', code, reason });
      this.#out.close();
    } else {
      this.#out.refuse({ code, message: reason, error });
    }
  }

  #handle(event: SessionEvent): void {
    switch (event.kind) {
      case 'received':
        if (event.from === 'client') this.#onClientBytes(event.bytes);
        else this.#onServerBytes(event.bytes);
        break;
      case 'decided':
        this.#onDecided(event.id, event.decision);
        break;
      case 'opened':
        this.#onOpened(event.side === 'client');
        break;
      case 'secured':
        if (event.side === 'client') this.#signIn.onClientSecured();
        else this.#signIn.onServerSecured();
        break;
      case 'closed':
        this.#onClosed(event);
        break;
      case 'stopped':
        this.#end(event.code, event.reason, SHUTDOWN);
        break;
      case 'woke':
        if (this.#relay === undefined) this.#signIn.onTimeout();
        break;
      default:
        throw new Error(`"${event.kind}" is no event of a session of bytes`);
    }
  }

  #onOpened(isClient: boolean): void {
    if (!isClient) return;
    this.#setAlarm(this.#options.signInTimeout);
    this.#signIn.onClientOpened();
  }

  #onClientBytes(bytes: Buffer): void {
    if (this.#changeUser !== undefined) this.#changeUser.onClientBytes(bytes);
    else if (this.#relay !== undefined) this.#relay.client.onBytes(bytes);
    else this.#signIn.onClientBytes(bytes);
    this.#afterStep();
  }

  #onServerBytes(bytes: Buffer): void {
    if (this.#changeUser !== undefined) {
      this.#changeUser.onServerBytes(bytes);
    } else if (this.#relay !== undefined) {
      this.#relay.server.onBytes(bytes);
      this.#relay.client.run();
    } else {
      this.#signIn.onServerBytes(bytes);
    }
    this.#afterStep();
  }

  #onDecided(id: number, decision: Decision): void {
    if (this.#changeUser !== undefined) {
      this.#changeUser.onDecided(id, decision);
    } else if (this.#relay === undefined) {
      this.#signIn.onDecided(id, decision);
    } else {
      const { client, server } = this.#relay;
      const isKnown = client.onDecided(id, decision) || server.onDecided(id, decision);
      if (!isKnown) throw new Error(`decision ${id} answers no held operation`);
      client.run();
    }
    this.#afterStep();
  }

  /** Hands over where one part is done and the next one begins. */
  #afterStep(): void {
    if (this.#out.isClosing) return;
    const signedIn = this.#changeUser?.done ?? (this.#relay === undefined && this.#signIn.done);
    if (signedIn !== undefined && signedIn !== false) this.#startRelay(signedIn);
    if (this.#changeUser instanceof ResetConnection) this.#resumeUnchanged(this.#changeUser);
    const relay = this.#relay;
    if (this.#changeUser === undefined && relay?.client.wantsChangeUser === true) {
      const rest = relay.client.takeRest();
      const isReset = rest[HEADER_SIZE] === COMMAND.resetConnection;
      const Phase = isReset ? ResetConnection : ChangeUser;
      this.#changeUser = new Phase(this.#out, this.#options, relay.signedIn);
      this.#onClientBytes(rest);
      return;
    }
    this.#finishServer();
  }

  #resumeUnchanged({ unchangedRest }: ResetConnection): void {
    if (unchangedRest === undefined) return;
    this.#changeUser = undefined;
    this.#out.sequence = 0;
    this.#relay?.client.onBytes(unchangedRest);
  }

  #startRelay(signedIn: SignedIn): void {
    this.#setAlarm(undefined);
    this.#changeUser = undefined;
    const { inspection, capabilities, server } = signedIn;
    const { flavor, version, isLookalike } = server;
    const own = isLookalike ? { flavor, version, isLookalike } : { flavor, version };
    const session = new SessionState(own, signedIn.state);
    this.#out.sequence = 0;
    const out = this.#out;
    const options = this.#options;
    const state = createRelayState({ out, options, inspection, capabilities, session });
    const client = new ClientRelay(state);
    const relay = { signedIn, state, client, server: new ServerRelay(state) };
    this.#relay = relay;
    if (signedIn.serverRest.length > 0) relay.server.onBytes(signedIn.serverRest);
    if (signedIn.clientRest.length > 0) this.#onClientBytes(signedIn.clientRest);
  }

  #onClosed(event: Extract<SessionEvent, { kind: 'closed' }>): void {
    if (event.side === 'server' && this.#relay === undefined) {
      this.#signIn.onServerClosed(event.reason);
    } else if (event.side === 'client' && event.reason === undefined && this.#relay !== undefined) {
      // A half-close: the server works off what it has and then closes, as it would directly (GW-14).
      this.#isClientFinished = true;
      this.#finishServer();
    } else {
      this.#out.close();
    }
  }

  #finishServer(): void {
    if (!this.#isClientFinished || this.#relay === undefined || this.#relay.client.isHolding)
      return;
    // The server may still have to answer a question of Weir's own.
    if (this.#changeUser !== undefined) return;
    this.#isClientFinished = false;
    this.#out.push({ kind: 'finish', side: 'server' });
  }

  #setAlarm(after: number | undefined): void {
    this.#out.push({ kind: 'wake', alarm: SIGN_IN_ALARM, after });
  }
}
