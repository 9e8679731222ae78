/**
 * Client to server, once signed in: every command in its order. Under inspection one command is at the
 * server at a time, statements are held until they are decided, and blocked ones are answered here, but
 * for a PREPARE, which the server itself must fail (MY-22, MY-44). Without inspection commands are
 * followed and recorded, and pass as they come (MY-33).
 */

import type { Decision } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { ClientPackets, type Way } from './client-packets.ts';
import { COMMAND, type Handling, handlingOf, initDbName, statementTextOf } from './commands.ts';
import { PREPARED_HEAD_SIZE, readPrepared } from './execute.ts';
import { type Held, NOTHING_HELD, UNINSPECTED, poisonPrepare } from './held-command.ts';
import { encodePacket } from './packet.ts';
import type { PacketStream } from './packet-stream.ts';
import { findQueryText } from './query-attributes.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { type RelayState, expectReply } from './relay-state.ts';
import type { ReplyShape } from './replies.ts';
import { SecretBlanker } from './statement-secrets.ts';
import type { Statement } from './statements.ts';
import { NO_FACTS } from './statement-text.ts';

/** What is looked at of a text that nobody decides on. */
const TEXT_HEAD_SIZE = 64 * 1024;
/** Commands that stand for statements hold a name or two. */
const COMMAND_SIZE_MAX = 64 * 1024;
/** Above this much behind an unanswered command the driver is asked to read no more. */
const PAUSE_SIZE = 64 * 1024;
const UNKNOWN_COMMAND = { errno: 1047, state: '08S01' } as const;
const NEEDS_REPREPARE = { errno: 1615, state: 'HY000' } as const;

export class ClientRelay {
  readonly #state: RelayState;
  readonly #packets: ClientPackets;
  readonly #stream: PacketStream;
  #held: Held | undefined;
  #isPaused = false;
  /** COM_CHANGE_USER or COM_RESET_CONNECTION comes next: a phase of its own takes over. */
  wantsChangeUser = false;

  constructor(state: RelayState) {
    this.#state = state;
    this.#packets = new ClientPackets(state.out);
    this.#stream = this.#packets.stream;
  }

  /** True while there is something to do before the server may hear that the client has finished. */
  get isHolding(): boolean {
    if (this.#held !== undefined) return true;
    return this.#state.running.length > 0 && !this.#stream.isEmpty;
  }

  onBytes(bytes: Buffer): void {
    this.#stream.push(bytes);
    this.run();
    // A driver reads no more while we hold; one that does must not make us keep without limit.
    if (this.#held !== undefined || this.#isPaused)
      this.#stream.refuseHeldAbove(this.#state.options.statementSizeMax);
  }

  /** True when the decision was for an operation of this side. */
  onDecided(id: number, decision: Decision): boolean {
    const held = this.#held;
    if (held?.id !== id) return false;
    this.#held = undefined;
    if (decision.kind === 'block') this.#refuseHeld(held, refusalOf(decision));
    else this.#release(held, decision);
    this.run();
    return true;
  }

  /** Walks on: after more bytes, a decision, or an answer that was waited for. */
  run(): void {
    try {
      while (this.#isFree && this.#step());
    } finally {
      // What was walked before a fault was right, however the bytes were cut.
      this.#flush();
    }
    this.#pauseOrResume();
  }

  /** Everything that was not walked, for the connection phase of COM_CHANGE_USER. */
  takeRest(): Buffer {
    this.wantsChangeUser = false;
    return this.#stream.takeRest();
  }

  get #isFree(): boolean {
    return this.#held === undefined && !this.wantsChangeUser && !this.#state.out.isClosing;
  }

  /** Held data is bounded: what a client sends ahead waits in its socket (GW-12). */
  #pauseOrResume(): void {
    const isWaiting = this.#state.running.length > 0 && !this.#packets.isPassing;
    const isPaused = isWaiting && this.#stream.heldSize > PAUSE_SIZE;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#state.out.push({ kind: 'reading', side: 'client', isPaused });
  }

  /** One packet, or what is here of one. False: more bytes, or an answer, are needed. */
  #step(): boolean {
    if (this.#packets.isPassing) return this.#packets.pass();
    const stream = this.#stream;
    if (!stream.peek()) return false;
    if (this.#state.file !== undefined) return this.#startFilePart(this.#state.file.shift);
    const isBusy = this.#state.running.length > 0;
    if (isBusy && this.#state.inspection.statements) return false;
    if (stream.sequence !== 0) {
      const what = `a command with sequence id ${stream.sequence}`;
      throw new ProtocolError('MYSQL_SEQUENCE', 'client', what);
    }
    const head = stream.head(PREPARED_HEAD_SIZE);
    if (head === undefined) return this.#refuseEarly(stream.head(1));
    // Servers take an empty packet for COM_SLEEP.
    const command = head[0] ?? COMMAND.sleep;
    const handling = handlingOf(command);
    if (handling === undefined) return this.#refuseUnknown(command);
    return this.#onCommand(command, handling, head, isBusy);
  }

  /** A command that nobody knows is refused by its first byte. */
  #refuseEarly(head: Buffer | undefined): boolean {
    const command = head?.[0];
    if (command === undefined || handlingOf(command) !== undefined) return false;
    return this.#refuseUnknown(command);
  }

  #refuseUnknown(command: number): false {
    this.#flush();
    const message = `unknown command 0x${command.toString(16)}`;
    if (this.#state.running.length === 0) this.#state.out.sequence = this.#stream.sequence + 1;
    this.#state.out.refuse({ code: '08P01', message, error: UNKNOWN_COMMAND });
    return false;
  }

  #onCommand(command: number, handling: Handling, head: Buffer, isBusy: boolean): boolean {
    switch (handling.kind) {
      case 'text':
        return this.#state.inspection.statements
          ? this.#onText(command, handling.shape)
          : this.#passText(command, handling.shape);
      case 'as-statement':
        if (this.#state.inspection.statements)
          return this.#onStatementLike(command, handling.shape);
        return this.#relay(command, handling.shape);
      case 'prepared':
        return this.#onPrepared(command, handling.shape, head);
      case 'relayed':
        if (command === COMMAND.quit) this.#state.out.note({ kind: 'goodbye' });
        return this.#relay(command, handling.shape);
      case 'change-user':
        if (isBusy) return false;
        this.wantsChangeUser = true;
        return false;
      case 'unknown':
      case 'refused': {
        // Answers keep their order: this one waits for those before it.
        if (isBusy) return false;
        const refusal: Refusal =
          handling.kind === 'unknown'
            ? { code: '08P01', message: 'Unknown command', error: UNKNOWN_COMMAND }
            : { code: '42501', message: handling.reason };
        return this.#swallow(refusal);
      }
    }
  }

  #onText(command: number, shape: ReplyShape): boolean {
    const { statementSizeMax } = this.#state.options;
    const gathered = this.#stream.gather(statementSizeMax);
    if (gathered === 'more') return false;
    if (gathered === 'too-large') {
      const message = `the statement is larger than the limit of ${statementSizeMax} bytes`;
      return this.#swallow({ code: '42501', message }, command === COMMAND.prepare);
    }
    const { raw, payload } = this.#stream.takeWhole();
    const hasSecret = this.#packets.recordStatement(raw);
    const isQuery = command === COMMAND.query;
    const start = isQuery ? findQueryText(payload, this.#hasAttributes) : 1;
    const read = this.#state.session.read(payload.subarray(start));
    if ('refusal' in read) {
      this.#refuseUnread(command, { code: '42501', message: read.refusal });
      return true;
    }
    this.#hold({ ...NOTHING_HELD, ...read, command, shape, raw, hasSecret });
    return false;
  }

  get #hasAttributes(): boolean {
    return has(this.#state.capabilities, CAPABILITY.queryAttributes);
  }

  /** COM_INIT_DB and the like: decided on as the statement that does the same. */
  #onStatementLike(command: number, shape: ReplyShape): boolean {
    const gathered = this.#stream.gather(COMMAND_SIZE_MAX);
    if (gathered === 'more') return false;
    if (gathered === 'too-large') {
      const what = `command 0x${command.toString(16)} with more than ${COMMAND_SIZE_MAX} bytes`;
      throw new ProtocolError('MYSQL_PACKET_SIZE', 'client', what);
    }
    const { raw, payload } = this.#stream.takeWhole();
    this.#packets.record(raw);
    const { session } = this.#state;
    const text = statementTextOf(payload, (bytes) => session.readName(bytes));
    if (text === undefined) {
      const message = `command 0x${command.toString(16)} is not allowed through Weir`;
      this.#refuseUnread(command, { code: '42501', message });
      return true;
    }
    const name = command === COMMAND.initDb ? initDbName(payload) : undefined;
    const database = name === undefined ? undefined : session.readName(name);
    this.#hold({ ...NOTHING_HELD, text, reading: session.reading, command, shape, raw, database });
    return false;
  }

  #onPrepared(command: number, shape: ReplyShape | undefined, head: Buffer): boolean {
    const named = readPrepared(head);
    const { statements, inspection, session } = this.#state;
    const statement = named === undefined ? undefined : statements.find(named.statementId);
    const asksCursor = named?.asksCursor === true;
    if (command === COMMAND.close && named !== undefined) statements.close(named.statementId);
    if (command === COMMAND.reset && statement !== undefined) statement.cursor = undefined;
    if (shape === 'execute' && inspection.statements && statement?.text !== undefined) {
      const { text, reading = session.reading } = statement;
      if (session.readsOtherwise(text, reading)) {
        const message = 'the statement would be read in another way now; prepare it again';
        return this.#swallow({ code: '42501', message, error: NEEDS_REPREPARE });
      }
      // Decided anew: rules, catalog and masks may have changed since it was prepared.
      const held = { ...NOTHING_HELD, text, reading, command, shape, statement, asksCursor };
      this.#hold(held);
      return false;
    }
    this.#expect(command, shape, { statement, asksCursor, text: String(named?.statementId) });
    this.#passPrepared(statement);
    return true;
  }

  #expect(
    command: number,
    shape: ReplyShape | undefined,
    { statement, asksCursor, text }: Pick<Held, 'statement' | 'asksCursor' | 'text'>,
  ): void {
    if (shape === undefined) return;
    const running = expectReply(this.#state, command, shape, {
      statement,
      asksCursor,
      facts: shape === 'execute' ? (statement?.facts ?? NO_FACTS) : NO_FACTS,
      text: statement?.text ?? text,
      isSensitive: shape !== 'simple' && statement?.isSensitive !== false,
      isSecret: () => statement?.hasSecret === true,
      traces: statement?.trace === undefined ? [] : [statement.trace],
    });
    if (shape === 'fetch') running.shape = statement?.cursor;
  }

  #relay(command: number, shape: ReplyShape | undefined): boolean {
    if (command === COMMAND.resetConnection && this.#state.inspection.statements) {
      this.wantsChangeUser = true;
      return false;
    }
    if (shape !== undefined) {
      const changesSchema = command === COMMAND.createDb || command === COMMAND.dropDb;
      expectReply(this.#state, command, shape, { facts: { ...NO_FACTS, changesSchema } });
    }
    this.#pass();
    return true;
  }

  /** The parameters of a statement that sets a password are secrets (GW-16). */
  #passPrepared(statement: Statement | undefined): void {
    const isSecret = statement?.hasSecret === true;
    this.#pass(isSecret ? { blanker: new SecretBlanker(true), shownSize: PREPARED_HEAD_SIZE } : {});
  }

  #pass(own: Partial<Way> = {}): void {
    this.#packets.startPassing({
      onPassed: () => {
        if (this.#state.running.length === 1)
          this.#state.out.sequence = this.#stream.lastSequence + 1;
      },
      ...own,
    });
  }

  /** A text that nobody decides on passes in pieces; its beginning tells what has to be known of it. */
  #passText(command: number, shape: ReplyShape): boolean {
    const head = this.#stream.head(TEXT_HEAD_SIZE);
    if (head === undefined) return false;
    const facts = this.#state.session.factsOf(head.toString('latin1', this.#guessTextStart(head)));
    const statement =
      shape === 'prepare'
        ? { ...UNINSPECTED, facts, hasSecret: false, cursor: undefined }
        : undefined;
    const blanker = new SecretBlanker();
    const own = statement === undefined ? { facts } : { statement };
    expectReply(this.#state, command, shape, { ...own, isSecret: () => blanker.isTriggered });
    const onPassed = (): void => {
      if (statement !== undefined) statement.hasSecret = blanker.isTriggered;
    };
    this.#pass({ blanker, onPassed });
    return true;
  }

  #guessTextStart(head: Buffer): number {
    if (head[0] !== COMMAND.query || !this.#hasAttributes) return 1;
    try {
      return findQueryText(head, true);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Nobody decides on this text: the server may say what is wrong with it.
      return 1;
    }
  }

  #hold(held: Omit<Held, 'id'>): void {
    const id = this.#state.out.nextId();
    this.#held = { ...held, id };
    this.#flush();
    const { text, reading } = held;
    this.#state.out.decide({ kind: 'statement', id, text, reading }, 'client');
  }

  #release(held: Held, decision: Decision): void {
    const { command, shape, text, raw, asksCursor, database, hasSecret } = held;
    const isSensitive = decision.kind !== 'allow' || decision.isSensitive !== false;
    const trace = decision.kind === 'allow' ? decision.trace : undefined;
    let { statement } = held;
    if (statement !== undefined) {
      statement.isSensitive = isSensitive;
      statement.trace = trace;
      this.#expect(command, shape, { statement, asksCursor, text });
      this.#passPrepared(statement);
      return;
    }
    const facts = this.#state.session.factsOf(text);
    if (shape === 'prepare') {
      const { reading } = held;
      statement = { text, reading, facts, hasSecret, isSensitive, trace, cursor: undefined };
    }
    expectReply(this.#state, command, shape, {
      // What is prepared does nothing yet.
      facts: statement === undefined ? facts : NO_FACTS,
      text,
      isSensitive,
      isSecret: () => hasSecret,
      traces: trace === undefined ? [] : [trace],
      statement,
      database,
    });
    this.#state.out.sequence = this.#stream.lastSequence + 1;
    if (raw !== undefined) this.#packets.send(raw);
  }

  #refuseHeld(held: Held, refusal: Refusal): void {
    if (held.statement !== undefined) this.#swallow(refusal);
    else this.#refuse(refusal, held.command === COMMAND.prepare, held.hasSecret);
  }

  /** Weir itself cannot read it: that is told to who looks at the session, as no decision is. */
  #refuseUnread(command: number, refusal: Refusal): void {
    this.#state.out.note({ kind: 'refused', code: refusal.code, reason: refusal.message });
    this.#refuse(refusal, command === COMMAND.prepare);
  }

  /** The packet walked last is answered here, at its sequence id plus one (MY-11, MY-44). */
  #refuse(refusal: Refusal, isPrepare: boolean, hasSecret = false): void {
    const { lastSequence } = this.#stream;
    this.#flush();
    if (!isPrepare) return this.#state.out.answerError(refusal, lastSequence + 1, hasSecret);
    // MariaDB would execute the statement before as number -1, had it not seen this one fail (MY-22).
    const own = { refusal, shift: lastSequence, isSecret: () => hasSecret };
    expectReply(this.#state, COMMAND.prepare, 'prepare', own);
    this.#state.out.toServer(encodePacket(poisonPrepare(refusal), 0));
  }

  /** Reads over the next packet without holding it, and refuses it then. */
  #swallow(refusal: Refusal, isPoisoned = false): true {
    const onPassed = (): void => this.#refuse(refusal, isPoisoned);
    this.#packets.startPassing({ to: 'nowhere', blanker: new SecretBlanker(), onPassed });
    return true;
  }

  #startFilePart(shift: number): true {
    const isEnd = this.#stream.length === 0;
    if (isEnd) this.#state.file = undefined;
    this.#packets.startPassing({ shift: -shift });
    return true;
  }

  #flush(): void {
    this.#packets.flush();
  }
}
