/**
 * Carries out what one session of HTTP exchanges commands: recording, decisions, alarms, the order of it all. The
 * counterpart of session-driver.ts, with the same promises: recorded before forwarded, a recorder that fails
 * ends the session, a fault in here ends this session only. It knows no product; exchange-legs.ts has the halves.
 */

import type { Fact, RequestHead, SessionCommand, SessionEvent } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import type { ClientHalf, ClientHalfEvents } from '../net/http/half.ts';
import { readReason } from '../net/reason.ts';
import type { RecordedNote } from '../recording/recording.ts';
import { Alarms } from './alarms.ts';
import type { Decided, ExchangeDriverParts } from './driver-parts.ts';
import { UNRECORDED } from './driver-recording.ts';
import { ExchangeClient } from './exchange-client.ts';
import { Deadlines } from './exchange-deadlines.ts';
import { ExchangeLegs, type ToServer } from './exchange-legs.ts';
import { Outbox } from './exchange-outbox.ts';
import { ExchangeRecording } from './exchange-recording.ts';
import { ExchangeUpstreams } from './exchange-upstreams.ts';

/** How long a client gets to take the answers that it was given before a close, milliseconds. */
const CLOSE_TIMEOUT = 10_000;
/** How long a client that has got everything may take to close its side, milliseconds. */
const LINGER_TIMEOUT = 2_000;
/** A client that has closed its side (HTTP/1.1) may still wait, or be gone: so long it gets (GW-14), milliseconds. */
const HALF_CLOSE_TIMEOUT = 5_000;
const CLOSE_ALARM = 'driver: close';
const LOST_ALARM = 'driver: lost';
const SLOW_ALARM = 'driver: slow';

type DecideCommand = Extract<SessionCommand, { kind: 'decide' }>;
type ReadingCommand = Extract<SessionCommand, { kind: 'reading' }>;
type RecordCommand = Extract<SessionCommand, { kind: 'record' }>;

export class ExchangeDriver {
  readonly #parts: ExchangeDriverParts;
  readonly #client: ExchangeClient;
  readonly #upstreams: ExchangeUpstreams;
  readonly #legs: ExchangeLegs;
  readonly #outbox: Outbox;
  readonly #recording: ExchangeRecording;
  readonly #alarms = new Alarms();
  readonly #deadlines = new Deadlines();
  #hasCaller = false;
  #isHttp2 = false;
  #isClosing = false;
  #isOver = false;
  #endReason = 'closed';

  constructor(parts: ExchangeDriverParts) {
    this.#parts = parts;
    const { startRecording, onTrouble } = parts;
    this.#recording = new ExchangeRecording({ open: startRecording, onTrouble });
    this.#client = new ExchangeClient({
      socket: parts.client,
      clientTls: parts.clientTls,
      secureClient: parts.secureClient,
      http1: parts.http1,
      heldSizeMax: parts.heldSizeMax,
      events: {
        onRequest: (half, head) => this.#onRequest(half, head),
        onRefused: (reason) => this.#onRefused(reason),
        onClosed: (reason) => this.#onClientClosed(reason),
      },
      onSecured: (alpn, channelBinding) =>
        this.dispatch({ kind: 'secured', side: 'client', alpn, channelBinding }),
      onFailed: (error) => this.#onClientFailed(error),
      onHalfClosed: () => this.#onHalfClosed(),
    });
    this.#upstreams = new ExchangeUpstreams({
      upstreamOf: parts.upstreamOf,
      heldSizeMax: parts.heldSizeMax,
      onTrouble,
      onIdleClosed: () => this.#onServerIdleClosed(),
    });
    this.#legs = new ExchangeLegs({
      upstreams: this.#upstreams,
      outflowMax: parts.heldSizeMax,
      dispatch: (event) => this.dispatch(event),
      onIdle: () => this.#onIdle(),
    });
    this.#outbox = new Outbox({
      synced: () => this.#recording.synced(),
      forward: (command) => this.#forward(command),
      onWaiting: (isWaiting) => this.#legs.setAllPaused('client', 'sync', isWaiting),
      onFailed: (error) => this.#fail(error),
    });
  }

  /** To be called once, when everything that may be asked of the parts is ready. */
  start(): void {
    this.#watch();
    this.dispatch({ kind: 'opened', side: 'client' });
    if (!this.#isOver) this.#client.start();
  }

  get isBusy(): boolean {
    return this.#parts.session.isBusy;
  }

  dispatch(event: SessionEvent): void {
    if (this.#isOver || this.#isClosing) return;
    try {
      this.#apply(this.#parts.session.handle(event));
      this.#outbox.flush();
      if (event.kind === 'stopped') {
        this.#endReason = event.reason;
        this.#close();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Cuts both sides off at once. */
  destroy(reason: string): void {
    this.#finishOver(reason);
  }

  /** Called by the owner once it knows who asks. */
  note(note: RecordedNote): void {
    this.#recording.note(note);
  }

  #apply(commands: readonly SessionCommand[]): void {
    const waiting = this.#carryOutAll(commands);
    // A loop and no recursion, as in session-driver.ts.
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      waiting.unshift(...this.#carryOutAll(this.#decide(next)));
    }
  }

  /** Operations come back, to be decided after the rest. */
  #carryOutAll(commands: readonly SessionCommand[]): DecideCommand[] {
    const operations: DecideCommand[] = [];
    for (const [index, command] of commands.entries()) {
      if (command.kind === 'decide') operations.push(command);
      else if (command.kind !== 'record') this.#carryOut(command);
      // What is recorded in one go is written in one go.
      else this.#recording.append(command, commands[index + 1]?.kind === 'record');
    }
    return operations;
  }

  #carryOut(command: Exclude<SessionCommand, DecideCommand | RecordCommand>): void {
    switch (command.kind) {
      case 'ask':
        this.#outbox.push(command);
        break;
      case 'answer':
        this.#legs.toClient(command);
        break;
      case 'body':
      case 'end':
      case 'abandon':
        if (command.to === 'server') this.#outbox.push(command);
        else this.#legs.toClient(command);
        break;
      case 'note':
        this.#onFact(command.fact);
        break;
      case 'wake':
        this.#alarms.set(command.alarm, command.after, () =>
          this.dispatch({ kind: 'woke', alarm: command.alarm }),
        );
        break;
      case 'reading':
        this.#setReading(command);
        break;
      case 'close':
        this.#outbox.flush();
        this.#close();
        break;
      case 'open':
      case 'send':
      case 'secure':
      case 'finish':
        throw new Error(`"${command.kind}" is no command of an HTTP session`);
    }
  }

  #setReading({ exchange, side, isPaused }: ReadingCommand): void {
    if (exchange === undefined) this.#legs.setAllPaused(side, 'session', isPaused);
    else this.#legs.setPaused(exchange, side, 'session', isPaused);
  }

  /** What the session makes of the decision; nothing yet where that takes a while. */
  #decide({ operation, holds, exchange }: DecideCommand): readonly SessionCommand[] {
    const { id } = operation;
    if (!this.#recording.isOn) {
      return this.#deliver(id, exchange, { decision: UNRECORDED, note: undefined });
    }
    const decided = this.#parts.decide(operation);
    if (!(decided instanceof Promise)) return this.#deliver(id, exchange, decided);
    // What came before may go on its way while this waits.
    this.#outbox.flush();
    if (exchange !== undefined) this.#legs.setPaused(exchange, holds, 'decision', true);
    void decided.then(
      (late) => {
        if (this.#isOver || this.#isClosing) return;
        if (exchange !== undefined) this.#legs.setPaused(exchange, holds, 'decision', false);
        try {
          this.#apply(this.#deliver(id, exchange, late));
          this.#outbox.flush();
        } catch (error) {
          this.#fail(error);
        }
      },
      (error: unknown) => this.#fail(error),
    );
    return [];
  }

  #deliver(
    id: number,
    exchange: number | undefined,
    { decision, note }: Decided,
  ): readonly SessionCommand[] {
    if (this.#isClosing) return [];
    if (note !== undefined) this.#recording.note(note, exchange);
    return this.#parts.session.handle({ kind: 'decided', id, decision });
  }

  #forward(command: ToServer): void {
    // Whatever the session makes of it: no request without a recording.
    if (!this.#recording.isOn) {
      throw new GatewayError('RECORDING_OPEN', 'a request without a recording');
    }
    this.#legs.toServer(command);
  }

  #onRequest(half: ClientHalf, head: RequestHead): ClientHalfEvents {
    this.#isHttp2 = head.version === '2';
    this.#recording.start();
    return this.#legs.add(half, head);
  }

  #onFact(fact: Fact): void {
    if (fact.kind === 'called') this.#hasCaller = true;
    if (fact.kind === 'refused') {
      this.#recording.note({ kind: 'refused', code: fact.code, reason: fact.reason });
    }
    this.#parts.onFact(fact);
  }

  /** No request that a session could be told of. */
  #onRefused(reason: string): void {
    if (this.#isOver) return;
    this.#endReason = `refused: ${reason}`;
    try {
      this.#onFact({ kind: 'refused', code: 'HTTP', reason });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** It never came to HTTP. */
  #onClientFailed(error: unknown): void {
    if (this.#isOver) return;
    if (error !== undefined) this.#parts.onTrouble(error);
    this.#finishOver(error === undefined ? this.#endReason : readReason(error));
  }

  #onClientClosed(reason: string | undefined): void {
    if (this.#isOver) return;
    if (!this.#isClosing && this.#endReason === 'closed') {
      this.#endReason = reason === undefined ? 'client closed' : `client lost: ${reason}`;
    }
    this.dispatch(
      reason === undefined
        ? { kind: 'closed', side: 'client' }
        : { kind: 'closed', side: 'client', reason },
    );
    this.#finishOver(this.#endReason);
  }

  /** A killed client ends in order too, and nobody should work for it for long. */
  #onHalfClosed(): void {
    if (this.#isHttp2 || this.#legs.openCount === 0) return;
    this.#alarms.set(LOST_ALARM, HALF_CLOSE_TIMEOUT, () => {
      this.#endReason = 'client lost: it closed while it was owed an answer';
      this.#client.destroy();
    });
  }

  /** As the server would have closed the client's own connection: the next request comes on a new one. */
  #onServerIdleClosed(): void {
    if (this.#isOver || this.#isClosing || this.#isHttp2 || this.#legs.openCount > 0) return;
    this.#endReason = 'server closed';
    this.#close();
  }

  #onIdle(): void {
    this.#alarms.set(LOST_ALARM, undefined, () => undefined);
    if (this.#isClosing) this.#overAfter(LINGER_TIMEOUT);
  }

  /** One look in each period finds clients that are too slow, or ask for nothing. */
  #watch(): void {
    this.#alarms.set(SLOW_ALARM, this.#parts.signInTimeout, () => {
      if (this.#isClosing) return;
      const { socket } = this.#client;
      const slowness = this.#deadlines.look({
        openCount: this.#legs.openCount,
        requestCount: this.#legs.requestCount,
        unfinished: this.#legs.unfinished,
        byteCount: readCount(socket),
        isKnown: this.#hasCaller,
        hasKeepAliveFrames: this.#isHttp2,
      });
      if (slowness === undefined) {
        this.#watch();
        return;
      }
      this.#endReason = slowness === 'idle' ? 'client idle' : 'client too slow';
      if (slowness === 'idle') this.#close();
      else this.#finishOver(this.#endReason);
    });
  }

  /** Our own fault or the recorder's: clients that have no answer yet are told, and it is over. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#parts.onTrouble(error);
    const isRecordable = !(error instanceof GatewayError && error.code.startsWith('RECORDING_'));
    const reason = isRecordable
      ? 'internal error in Weir'
      : 'Weir cannot record this session any longer';
    this.#endReason = reason;
    this.#outbox.stop();
    try {
      this.#sayLastWords(reason, isRecordable);
    } catch (second) {
      this.#parts.onTrouble(second);
    }
    this.#recording.end(reason);
    this.#close();
  }

  /** Nothing may pass any more but whole answers of our own: none where one has begun (GW-13). */
  #sayLastWords(reason: string, isRecordable: boolean): void {
    if (this.#isClosing) return;
    const begun = new Set(this.#legs.answering);
    const commands = this.#parts.session.handle({ kind: 'stopped', code: '58030', reason });
    for (const command of commands) {
      if (command.kind === 'record' && isRecordable) this.#recording.append(command, false);
      const isWord =
        command.kind === 'answer' ||
        ((command.kind === 'body' || command.kind === 'end') && command.to === 'client');
      if (isWord && !begun.has(command.exchange)) this.#legs.toClient(command);
    }
  }

  /** Sends what was answered and ends both sides; whoever does not take it in time is cut off. */
  #close(): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#outbox.stop();
    this.#legs.stop();
    this.#upstreams.destroy();
    this.#overAfter(this.#legs.openCount > 0 ? CLOSE_TIMEOUT : LINGER_TIMEOUT);
    this.#client.finish();
  }

  #overAfter(milliseconds: number): void {
    this.#alarms.set(CLOSE_ALARM, milliseconds, () => this.#finishOver(this.#endReason));
  }

  #finishOver(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#alarms.clear();
    this.#legs.stop();
    this.#upstreams.destroy();
    this.#client.destroy();
    this.#recording.end(reason);
    // A request under way was cancelled with its connection; there is nothing more to tell the server.
    this.#parts.onOver(false);
  }
}

/** Of sockets; what else can be written to counts nothing. */
function readCount(socket: object): number {
  return 'bytesRead' in socket && typeof socket.bytesRead === 'number' ? socket.bytesRead : 0;
}
