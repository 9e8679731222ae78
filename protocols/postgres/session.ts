/**
 * One client's stay, as a state machine: sign-in, then relay. The parts do the work; this file hands
 * them their events and keeps the order.
 */

import type {
  Decision,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { Outbox } from './outbox.ts';
import { ClientRelay } from './relay-client.ts';
import { ServerRelay } from './relay-server.ts';
import { type RelayState, createRelayState } from './relay-state.ts';
import { SignIn, type SignedIn } from './sign-in.ts';

const SIGN_IN_ALARM = 'sign-in';

interface Relay {
  readonly state: RelayState;
  readonly client: ClientRelay;
  readonly server: ServerRelay;
}

export class PostgresSession implements ProtocolSession {
  readonly #options: SessionOptions;
  readonly #out = new Outbox();
  readonly #signIn: SignIn;
  #relay: Relay | undefined;
  #isClientFinished = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#signIn = new SignIn(this.#out, options);
  }

  get isBusy(): boolean {
    return this.#relay !== undefined && this.#relay.state.replies.size > 0;
  }

  handle(event: SessionEvent): SessionCommand[] {
    if (this.#out.isClosing) return [];
    try {
      this.#handle(event);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end(error.blame === 'client' ? '08P01' : '08006', `${error.message} (${error.code})`);
    }
    return this.#out.take();
  }

  /** The last word, unless the client is in the middle of a message: then there can be none (GW-13). */
  #end(code: string, reason: string): void {
    if (this.#relay?.server.isMidMessage === true) {
      this.#out.note({ kind: 'refused', code, reason });
      this.#out.close();
    } else {
      this.#out.refuse(
        { code, message: reason },
        this.#relay === undefined || this.#relay.state.clientEncoding === 'UTF8',
      );
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
        if (event.side === 'server') this.#signIn.onServerOpened();
        else this.#setAlarm(this.#options.signInTimeout);
        break;
      case 'secured':
        if (event.side === 'client') this.#signIn.onClientSecured(event.alpn, event.channelBinding);
        else this.#signIn.onServerSecured(event.channelBinding);
        break;
      case 'closed':
        this.#onClosed(event);
        break;
      case 'stopped':
        this.#end(event.code, event.reason);
        break;
      case 'woke':
        if (this.#relay === undefined) this.#signIn.onTimeout();
        break;
      default:
        throw new Error(`"${event.kind}" is no event of a session of bytes`);
    }
  }

  #onClientBytes(bytes: Buffer): void {
    if (this.#relay !== undefined) {
      this.#relay.client.onBytes(bytes);
      return;
    }
    this.#signIn.onClientBytes(bytes);
    this.#startRelay();
  }

  #onServerBytes(bytes: Buffer): void {
    if (this.#relay !== undefined) {
      this.#relay.server.onBytes(bytes);
      return;
    }
    this.#signIn.onServerBytes(bytes);
    this.#startRelay();
  }

  #onDecided(id: number, decision: Decision): void {
    if (this.#relay === undefined) {
      this.#signIn.onDecided(id, decision);
      this.#startRelay();
      return;
    }
    const { client, server } = this.#relay;
    if (client.onDecided(id, decision)) this.#finishServer();
    else if (!server.onDecided(id, decision))
      throw new Error(`decision ${id} answers no held operation`);
  }

  #onClosed(event: Extract<SessionEvent, { kind: 'closed' }>): void {
    if (event.side === 'server' && this.#relay === undefined) {
      this.#signIn.onServerClosed(event.reason);
    } else if (event.side === 'client' && event.reason === undefined && this.#relay !== undefined) {
      // A half-close: the server works off what it has and then closes, as it would directly (GW-14).
      this.#isClientFinished = true;
      this.#finishServer();
    } else if (event.reason !== undefined || !this.#signIn.outlivesClient) {
      this.#out.close();
    }
  }

  #finishServer(): void {
    if (!this.#isClientFinished || this.#relay === undefined || this.#relay.client.isHolding)
      return;
    this.#out.push({ kind: 'finish', side: 'server' });
  }

  #startRelay(): void {
    const signedIn: SignedIn | undefined = this.#signIn.done;
    if (signedIn === undefined || this.#out.isClosing) return;
    this.#setAlarm(undefined);
    const state = createRelayState(this.#out, this.#options, signedIn.inspection);
    const client = new ClientRelay(state);
    const server = new ServerRelay(state, signedIn.upstream.buffer);
    this.#relay = { state, client, server };
    server.run();
    if (signedIn.rest.length > 0) client.onBytes(signedIn.rest);
  }

  #setAlarm(after: number | undefined): void {
    this.#out.push({ kind: 'wake', alarm: SIGN_IN_ALARM, after });
  }
}
