/**
 * Carries out what one session commands: sockets, TLS, recording, decisions, alarms. It is the same for
 * every protocol and knows none. A fault in here ends this session only.
 */

import type { Duplex } from 'node:stream';
import type {
  Decision,
  Fact,
  Operation,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  Side,
} from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import type { RecordedNote, SessionRecorder } from '../recording/recording.ts';
import { Leg } from './leg.ts';

export interface Secured {
  readonly socket: Duplex;
  readonly alpn: string | undefined;
  readonly channelBinding: Buffer | undefined;
}

/** What a decision tells the recording beside itself. */
export interface Decided {
  readonly decision: Decision;
  readonly note: RecordedNote | undefined;
}

export interface DriverParts {
  readonly session: ProtocolSession;
  readonly client: Duplex;
  readonly openUpstream: () => Promise<Duplex>;
  readonly secureClient: (socket: Duplex, bytes: Buffer) => Promise<Secured>;
  readonly secureServer: (socket: Duplex) => Promise<Secured>;
  /** Never rejects: what cannot be decided is blocked. */
  readonly decide: (operation: Operation) => Decided | Promise<Decided>;
  /** Throws GatewayError where the session cannot be recorded. */
  readonly startRecording: () => SessionRecorder;
  readonly onFact: (fact: Fact) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Once, when both sides are gone. `isAbandoned`: the server was still at work for this client. */
  readonly onOver: (isAbandoned: boolean) => void;
}

/** How long a peer gets to take what was sent before a close, milliseconds. */
const CLOSE_TIMEOUT = 10_000;
/** How long a client that has got everything may take to close its side, milliseconds. */
const LINGER_TIMEOUT = 2_000;
const CLOSE_ALARM = 'driver: close';
/** Records before the recording is started: start-up packets, each at most 10 kB. */
const EARLY_RECORDS_MAX = 64;

export class SessionDriver {
  readonly #parts: DriverParts;
  readonly #client: Leg;
  #server: Leg | undefined;
  #recorder: SessionRecorder | undefined;
  #early: { from: Side; bytes: Buffer; by: 'gateway' | undefined }[] | undefined = [];
  readonly #alarms = new Map<string, NodeJS.Timeout>();
  #isClosing = false;
  #isOver = false;
  #isAbandoned = false;
  #isServerGone = false;
  #endReason = 'closed';
  /** durability = "synced": sends to the server wait here for the disk. */
  #syncing: Promise<void> | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#client = new Leg(parts.client, this.#eventsOf('client'));
  }

  /** To be called once, when everything that may be asked of the parts is ready. */
  start(): void {
    this.dispatch({ kind: 'opened', side: 'client' });
  }

  get isBusy(): boolean {
    return this.#parts.session.isBusy;
  }

  dispatch(event: SessionEvent): void {
    if (this.#isOver || this.#isClosing) return;
    try {
      this.#apply(this.#parts.session.handle(event));
      this.#flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  #apply(commands: readonly SessionCommand[]): void {
    const operations: { operation: Operation; holds: Side }[] = [];
    for (const command of commands) {
      if (command.kind === 'decide') operations.push(command);
      else this.#carryOut(command);
    }
    for (const { operation, holds } of operations) this.#decide(operation, holds);
  }

  #carryOut(command: Exclude<SessionCommand, { kind: 'decide' }>): void {
    switch (command.kind) {
      case 'record':
        this.#record(command.from, command.bytes, command.by);
        break;
      case 'send':
        this.#leg(command.to)?.send(command.bytes);
        break;
      case 'note':
        this.#onFact(command.fact);
        break;
      case 'open':
        this.#openServer();
        break;
      case 'secure':
        this.#secure(command.side, command.bytes);
        break;
      case 'finish':
        this.#flush();
        this.#leg(command.side)?.finish();
        break;
      case 'wake':
        this.#setAlarm(command.alarm, command.after);
        break;
      case 'close':
        this.#close();
        break;
    }
  }

  #decide(operation: Operation, holds: Side): void {
    if (operation.kind === 'sign-in' && !this.#startRecording(operation.id)) return;
    const decided = this.#parts.decide(operation);
    if (!(decided instanceof Promise)) {
      this.#deliver(operation.id, decided);
      return;
    }
    // What came before may go on its way while this waits.
    this.#flush();
    this.#leg(holds)?.pause('decision');
    void decided.then((late) => {
      if (this.#isOver) return;
      this.#leg(holds)?.resume('decision');
      try {
        this.#deliver(operation.id, late);
        this.#flush();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #deliver(id: number, { decision, note }: Decided): void {
    if (this.#isClosing) return;
    if (note !== undefined) this.#recorder?.note(note);
    this.#apply(this.#parts.session.handle({ kind: 'decided', id, decision }));
  }

  /** A client that asks to sign in is on record from its first byte; strangers and cancels are not. */
  #startRecording(id: number): boolean {
    try {
      this.#recorder = this.#parts.startRecording();
      for (const { from, bytes, by } of this.#early ?? []) this.#recorder.append(from, bytes, by);
      this.#early = undefined;
      return true;
    } catch (error) {
      this.#parts.onTrouble(error);
      this.#recorder = undefined;
      this.#early = undefined;
      const reason = 'Weir cannot record this session, so it is refused';
      this.#deliver(id, {
        decision: { kind: 'block', rule: undefined, code: '58030', reason },
        note: undefined,
      });
      return false;
    }
  }

  #record(from: Side, bytes: Buffer, by: 'gateway' | undefined): void {
    if (this.#recorder !== undefined) {
      this.#recorder.append(from, bytes, by);
    } else if (this.#early !== undefined && this.#early.length < EARLY_RECORDS_MAX) {
      this.#early.push({ from, bytes: Buffer.from(bytes), by });
    }
  }

  #onFact(fact: Fact): void {
    if (fact.kind === 'refused') {
      this.#endReason = `refused: ${fact.reason}`;
      this.#recorder?.note({ kind: 'refused', code: fact.code, reason: fact.reason });
    }
    this.#parts.onFact(fact);
  }

  /** Cuts both sides off at once. */
  destroy(reason: string): void {
    this.#finishOver(reason);
  }

  /** Called by the owner once it knows who signed in. */
  note(note: RecordedNote): void {
    this.#recorder?.note(note);
  }

  #openServer(): void {
    void this.#parts.openUpstream().then(
      (socket) => {
        if (this.#isOver || this.#isClosing) {
          socket.destroy();
          return;
        }
        this.#server = new Leg(socket, this.#eventsOf('server'));
        this.dispatch({ kind: 'opened', side: 'server' });
      },
      (error: unknown) => this.#onOutside('server', error),
    );
  }

  #secure(side: Side, bytes: Buffer): void {
    const leg = this.#leg(side);
    if (leg === undefined) throw new Error(`TLS on the ${side} side, which is not open`);
    leg.flush();
    leg.detach();
    const secured =
      side === 'client' ? this.#parts.secureClient(leg.socket, bytes) : this.#parts.secureServer(leg.socket);
    void secured.then(
      ({ socket, alpn, channelBinding }) => {
        if (this.#isOver) {
          socket.destroy();
          return;
        }
        leg.replaceSocket(socket);
        this.dispatch({ kind: 'secured', side, alpn, channelBinding });
      },
      (error: unknown) => this.#onOutside(side, error),
    );
  }

  /** The network said no: the session hears of it as a closed side. */
  #onOutside(side: Side, error: unknown): void {
    this.#parts.onTrouble(error);
    const reason = error instanceof Error ? error.message : String(error);
    if (side === 'client') this.#finishOver(reason);
    else this.dispatch({ kind: 'closed', side, reason });
  }

  #setAlarm(alarm: string, after: number | undefined): void {
    clearTimeout(this.#alarms.get(alarm));
    this.#alarms.delete(alarm);
    if (after === undefined) return;
    this.#alarms.set(alarm, setTimeout(() => this.dispatch({ kind: 'woke', alarm }), after));
  }

  #eventsOf(side: Side) {
    const other: Side = side === 'client' ? 'server' : 'client';
    return {
      onBytes: (bytes: Buffer): void => this.dispatch({ kind: 'received', from: side, bytes }),
      onClosed: (reason: string | undefined): void => this.#onClosed(side, reason),
      // Reading one side stops while the other does not take what came of it (GW-12).
      onDrain: (): void => this.#leg(other)?.resume('peer'),
    };
  }

  #onClosed(side: Side, reason: string | undefined): void {
    if (this.#isOver) return;
    if (this.#isClosing) {
      if (side === 'client') this.#finishOver(this.#endReason);
      return;
    }
    if (side === 'client') {
      this.#endReason = reason === undefined ? 'client closed' : `client lost: ${reason}`;
    } else {
      this.#isServerGone = true;
      this.#endReason = reason === undefined ? 'server closed' : `server lost: ${reason}`;
    }
    this.dispatch(reason === undefined ? { kind: 'closed', side } : { kind: 'closed', side, reason });
  }

  #flush(): void {
    this.#client.flush();
    if (this.#client.isFull) this.#server?.pause('peer');
    const server = this.#server;
    if (server === undefined) return;
    const synced = this.#syncing ?? this.#recorder?.synced();
    if (synced === undefined) {
      server.flush();
      if (server.isFull) this.#client.pause('peer');
      return;
    }
    if (this.#syncing !== undefined) return;
    // The request is on the disk before it is forwarded; what comes meanwhile waits with it.
    this.#client.pause('sync');
    this.#syncing = synced;
    void synced.then(
      () => {
        this.#syncing = undefined;
        server.flush();
        this.#client.resume('sync');
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Our own fault or the recorder's: the client is told where that is possible, and it is over. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#parts.onTrouble(error);
    this.#recorder = undefined;
    this.#early = undefined;
    const isOurs = !(error instanceof GatewayError);
    const reason = isOurs ? 'internal error in Weir' : 'Weir cannot record this session any longer';
    this.#endReason = reason;
    try {
      // Without a recorder nothing may pass, so only the session's last word is sent.
      const commands = this.#parts.session.handle({ kind: 'stopped', code: '58030', reason });
      for (const command of commands) {
        if (command.kind === 'send' && command.to === 'client') this.#client.send(command.bytes);
      }
    } catch (second) {
      this.#parts.onTrouble(second);
    }
    this.#close();
  }

  /** Sends what is left and ends both sides; whoever does not take it in time is cut off. */
  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (this.#server !== undefined && !this.#isServerGone && this.isBusy) this.#isAbandoned = true;
    this.#server?.finish();
    this.#client.finish();
    this.#client.socket.resume();
    this.#overAfter(CLOSE_TIMEOUT);
    const { socket } = this.#client;
    if (socket.destroyed || socket.readableEnded) this.#finishOver(this.#endReason);
    // Cutting a socket that has unread bytes resets it, and the client could lose our last word.
    else if (socket.writableFinished) this.#overAfter(LINGER_TIMEOUT);
    else socket.once('finish', () => this.#overAfter(LINGER_TIMEOUT));
  }

  #overAfter(milliseconds: number): void {
    clearTimeout(this.#alarms.get(CLOSE_ALARM));
    const timer = setTimeout(() => this.#finishOver(this.#endReason), milliseconds);
    this.#alarms.set(CLOSE_ALARM, timer);
  }

  #finishOver(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#alarms.values()) clearTimeout(timer);
    this.#alarms.clear();
    this.#client.destroy();
    this.#server?.destroy();
    try {
      this.#recorder?.end(reason);
    } catch (error) {
      this.#parts.onTrouble(error);
    }
    this.#parts.onOver(this.#isAbandoned);
  }

  #leg(side: Side): Leg | undefined {
    return side === 'client' ? this.#client : this.#server;
  }
}
