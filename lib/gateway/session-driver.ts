/**
 * Carries out what one session commands: sockets, TLS, recording, decisions, alarms. It is the same for
 * every protocol and knows none. A fault in here ends this session only.
 */

import type { Fact, SessionCommand, SessionEvent, Side } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import type { RecordedNote } from '../recording/recording.ts';
import { Alarms } from './alarms.ts';
import type { Decided, DriverParts } from './driver-parts.ts';
import { DriverRecording, UNRECORDED } from './driver-recording.ts';
import { Leg } from './leg.ts';

/** How long a peer gets to take what was sent before a close, milliseconds. */
const CLOSE_TIMEOUT = 10_000;
/** How long a client that has got everything may take to close its side, milliseconds. */
const LINGER_TIMEOUT = 2_000;
/** How long the answer to a client that has closed its side may take, milliseconds. */
const HALF_CLOSE_TIMEOUT = 1_000;
const LOST_ALARM = 'driver: lost';
const CLOSE_ALARM = 'driver: close';

type DecideCommand = Extract<SessionCommand, { kind: 'decide' }>;

export class SessionDriver {
  readonly #parts: DriverParts;
  readonly #client: Leg;
  #server: Leg | undefined;
  readonly #recording = new DriverRecording();
  readonly #alarms = new Alarms();
  #isClosing = false;
  #isOver = false;
  #isAbandoned = false;
  #isServerGone = false;
  #hasSaidGoodbye = false;
  #endReason = 'closed';
  /** durability = "synced": what is sent to the server waits for the disk. */
  #isSyncing = false;
  #isFinishDue = false;
  /** The client has got a part of what was for it, perhaps of a message. */
  #isCut = false;

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
    const waiting = this.#carryOutAll(commands);
    // A loop and no recursion: one chunk may hold thousands of statements that are decided at once.
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waiting.unshift(...this.#carryOutAll(this.#decide(next)));
    }
  }

  /** Operations come back, to be decided after the rest. */
  #carryOutAll(commands: readonly SessionCommand[]): DecideCommand[] {
    const operations: DecideCommand[] = [];
    let done = 0;
    try {
      for (const command of commands) {
        if (command.kind === 'decide') operations.push(command);
        else this.#carryOut(command);
        done += 1;
      }
    } catch (error) {
      this.#isCut = commands
        .slice(done)
        .some((left) => left.kind === 'send' && left.to === 'client');
      throw error;
    }
    return operations;
  }

  #carryOut(command: Exclude<SessionCommand, DecideCommand>): void {
    switch (command.kind) {
      case 'record':
        this.#recording.append(command.from, command.bytes, command.by);
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
        this.#finishSide(command.side);
        break;
      case 'wake':
        this.#alarms.set(command.alarm, command.after, () =>
          this.dispatch({ kind: 'woke', alarm: command.alarm }),
        );
        break;
      case 'reading':
        this.#leg(command.side)?.setPaused('session', command.isPaused);
        break;
      case 'close':
        this.#close();
        break;
      default:
        throw new Error(`"${command.kind}" is no command of a session of bytes`);
    }
  }

  #finishSide(side: Side): void {
    this.#flush();
    if (side === 'server' && this.#isSyncing) this.#isFinishDue = true;
    else this.#leg(side)?.finish();
  }

  /** What the session makes of the decision; nothing yet where that takes a while. */
  #decide({ operation, holds }: DecideCommand): readonly SessionCommand[] {
    const { id } = operation;
    if (operation.kind === 'sign-in' && !this.#startRecording()) {
      return this.#deliver(id, { decision: UNRECORDED, note: undefined });
    }
    const decided = this.#parts.decide(operation);
    if (!(decided instanceof Promise)) return this.#deliver(id, decided);
    // What came before may go on its way while this waits.
    this.#flush();
    this.#leg(holds)?.pause('decision');
    void decided.then(
      (late) => {
        if (this.#isOver) return;
        this.#leg(holds)?.resume('decision');
        try {
          this.#apply(this.#deliver(id, late));
          this.#flush();
        } catch (error) {
          this.#fail(error);
        }
      },
      (error: unknown) => this.#fail(error),
    );
    return [];
  }

  #deliver(id: number, { decision, note }: Decided): readonly SessionCommand[] {
    if (this.#isClosing) return [];
    if (note !== undefined) this.#recording.note(note);
    return this.#parts.session.handle({ kind: 'decided', id, decision });
  }

  #startRecording(): boolean {
    try {
      this.#recording.start(this.#parts.startRecording);
      return true;
    } catch (error) {
      this.#parts.onTrouble(error);
      this.#endRecording('it could not be started');
      return false;
    }
  }

  #onFact(fact: Fact): void {
    if (fact.kind === 'goodbye') this.#hasSaidGoodbye = true;
    if (fact.kind === 'refused') {
      this.#endReason = `refused: ${fact.reason}`;
      this.#recording.note({ kind: 'refused', code: fact.code, reason: fact.reason });
    }
    this.#parts.onFact(fact);
  }

  /** Cuts both sides off at once. */
  destroy(reason: string): void {
    this.#finishOver(reason);
  }

  /** Called by the owner once it knows who signed in. */
  note(note: RecordedNote): void {
    this.#recording.note(note);
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
      side === 'client'
        ? this.#parts.secureClient(leg.socket, bytes)
        : this.#parts.secureServer(leg.socket);
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
      if (side === 'server') return;
      if (reason === undefined) this.#overOnceTaken();
      else this.#finishOver(this.#endReason);
      return;
    }
    if (side === 'client') {
      this.#endReason = reason === undefined ? 'client closed' : `client lost: ${reason}`;
    } else {
      this.#isServerGone = true;
      const lost = reason === undefined ? 'server closed' : `server lost: ${reason}`;
      this.#endReason = this.#hasSaidGoodbye ? 'client closed' : lost;
    }
    this.dispatch(
      reason === undefined ? { kind: 'closed', side } : { kind: 'closed', side, reason },
    );
    if (side === 'client' && !this.#hasSaidGoodbye) this.#awaitAnswer();
  }

  /**
   * A killed client ends in order too, and none of note half-closes in the middle of a statement: the
   * answer has to come soon, or the statement is cancelled before it changes things for nobody (GW-14).
   */
  #awaitAnswer(): void {
    this.#alarms.set(LOST_ALARM, HALF_CLOSE_TIMEOUT, () => {
      if (this.#isOver || this.#isClosing || !this.isBusy) return;
      this.#endReason = 'client lost: it closed in the middle of a statement';
      this.#close();
    });
  }

  #flush(): void {
    this.#client.flush();
    if (this.#client.isFull) this.#server?.pause('peer');
    this.#flushServer();
  }

  #flushServer(): void {
    const server = this.#server;
    if (server === undefined || this.#isSyncing || server.pendingCount === 0) return;
    const synced = this.#recording.synced();
    const due = server.pendingCount;
    if (synced === undefined) {
      this.#forward(server, due);
      return;
    }
    // The request is on the disk before it is forwarded; what comes meanwhile waits for a flush of its own.
    this.#client.pause('sync');
    this.#isSyncing = true;
    void synced.then(
      () => {
        this.#isSyncing = false;
        this.#forward(server, due);
        this.#flushServer();
        if (this.#isSyncing) return;
        this.#client.resume('sync');
        if (this.#isFinishDue) server.finish();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #forward(server: Leg, count: number): void {
    server.flush(count);
    if (server.isFull) this.#client.pause('peer');
  }

  /** Our own fault or the recorder's: the client is told where that is possible, and it is over. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#parts.onTrouble(error);
    const isRecordable = !(error instanceof GatewayError && error.code.startsWith('RECORDING_'));
    const reason = isRecordable
      ? 'internal error in Weir'
      : 'Weir cannot record this session any longer';
    this.#endReason = reason;
    this.#server?.discard();
    try {
      // Nothing may pass any more but the session's last word, and not even that within a message (GW-13).
      const commands = this.#isCut
        ? []
        : this.#parts.session.handle({ kind: 'stopped', code: '58030', reason });
      for (const command of commands) {
        if (command.kind === 'record' && isRecordable) this.#carryOut(command);
        if (command.kind === 'send' && command.to === 'client') this.#client.send(command.bytes);
      }
    } catch (second) {
      this.#parts.onTrouble(second);
    }
    this.#endRecording(reason);
    this.#close();
  }

  /** Sends what is left and ends both sides; whoever does not take it in time is cut off. */
  #close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    if (this.#server !== undefined && !this.#isServerGone && this.isBusy) this.#isAbandoned = true;
    // What is not on the disk by now is not forwarded any more.
    this.#flushServer();
    if (this.#isSyncing) this.#server?.discard();
    this.#server?.finish();
    this.#client.finish();
    this.#client.socket.resume();
    this.#overAfter(CLOSE_TIMEOUT);
    this.#overOnceTaken();
  }

  /** Cutting a socket that has unread or unsent bytes resets it, and the client could lose our last word. */
  #overOnceTaken(): void {
    const { socket } = this.#client;
    if (socket.destroyed) this.#finishOver(this.#endReason);
    else if (!socket.writableFinished) socket.once('finish', () => this.#overOnceTaken());
    else if (socket.readableEnded) this.#finishOver(this.#endReason);
    else this.#overAfter(LINGER_TIMEOUT);
  }

  #overAfter(milliseconds: number): void {
    this.#alarms.set(CLOSE_ALARM, milliseconds, () => this.#finishOver(this.#endReason));
  }

  #finishOver(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#alarms.clear();
    this.#client.destroy();
    this.#server?.destroy();
    this.#endRecording(reason);
    this.#parts.onOver(this.#isAbandoned);
  }

  #endRecording(reason: string): void {
    try {
      this.#recording.end(reason);
    } catch (error) {
      this.#parts.onTrouble(error);
    }
  }

  #leg(side: Side): Leg | undefined {
    return side === 'client' ? this.#client : this.#server;
  }
}
