/**
 * Server to client, once signed in: every packet in its order, matched with the command that it answers.
 * Rows are masked by the plan for their columns, errors of poisoned statements name the rule, texts that
 * may quote masked data are redacted, addresses of other servers are taken out. Everything else passes
 * byte for byte; where Weir changed the number of packets the rest of the answer is renumbered (MY-11).
 */

import type { Decision } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { Outflow } from '../wire/outflow.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { COMMAND } from './commands.ts';
import { withoutDefault } from './column-definition.ts';
import { followOk, onAnswered, onPrepared } from './answers.ts';
import { redactError } from './diagnostics.ts';
import { FieldReader } from './fields.ts';
import { withoutRedirect } from './ok-packet.ts';
import { encodePacket, HEADER_SIZE } from './packet.ts';
import { PacketStream, type TakenPacket } from './packet-stream.ts';
import { encodeErr, errTextOf, parseErr, refusalOf, shownError } from './refusal.ts';
import type { RelayState, Running } from './relay-state.ts';
import { KIND_HEAD_SIZE, type PacketKind } from './replies.ts';
import { ResultShape } from './result-shape.ts';
import { maskRows, renumber } from './rows.ts';

const ERROR_HEADER = 0xff;
const SYNTAX_ERROR = 1064;
/** Dolt's engine has one number for all errors of its parser and many others. */
const UNKNOWN_ERROR = 1105;
/** Servers stop at 4096 columns. */
const COLUMNS_MAX = 65_535;
/** An ERR packet that nobody asked for. */
const ERR_SIZE_MAX = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** What is looked at as a whole. */
type WholeKind = Exclude<PacketKind, 'row' | 'column' | 'parameter'>;

export class ServerRelay {
  readonly #state: RelayState;
  readonly #stream = new PacketStream('server');
  readonly #toClient = new Outflow();
  /** The description of a result, until it is decided on. */
  #collected: ResultShape | undefined;
  /** Of the packet that now passes in pieces. */
  #passing: { readonly shift: number; readonly isSwallowed: boolean } | undefined;

  constructor(state: RelayState) {
    this.#state = state;
  }

  /** True while the client has got only the first part of a packet. */
  get isMidPacket(): boolean {
    return this.#stream.isMidPacket && this.#passing?.isSwallowed !== true;
  }

  onBytes(bytes: Buffer): void {
    this.#stream.push(bytes);
    if (this.#isHolding) this.#stream.refuseHeldAbove(this.#state.options.rowSizeMax);
    this.run();
  }

  /** True when the decision was for an operation of this side. */
  onDecided(id: number, decision: Decision): boolean {
    const collected = this.#collected;
    if (collected === undefined || collected.id !== id) return false;
    this.#collected = undefined;
    const { running } = collected;
    if (decision.kind === 'block') {
      this.#refuseResult(running, collected.sequence, decision);
    } else {
      const plan = (decision.kind === 'allow' ? decision.plan : undefined) ?? 'clear';
      running.shape = { plan, columns: collected.columns };
      if (running.statement !== undefined && running.reader.isBinary)
        running.statement.cursor = running.shape;
      for (const packet of collected.packets) this.#emit(packet, running);
    }
    this.run();
    return true;
  }

  run(): void {
    try {
      while (!this.#isHolding && !this.#state.out.isClosing && this.#step());
    } finally {
      // What was walked before a fault was right, however the bytes were cut.
      this.#flush();
    }
  }

  get #isHolding(): boolean {
    return this.#collected?.id !== undefined;
  }

  /** One packet, or what is here of one. False: more bytes are needed. */
  #step(): boolean {
    const stream = this.#stream;
    if (stream.isMidPacket) return this.#passPart();
    if (!stream.peek()) return false;
    const head = stream.head(KIND_HEAD_SIZE);
    if (head === undefined) return false;
    const [running] = this.#state.running;
    // Numbered 0 it answers nothing: the server ends the connection, perhaps just as a command comes in.
    const isUnsolicited = head[0] === ERROR_HEADER && stream.sequence === 0;
    if (running === undefined || (running.reader.isFirst && isUnsolicited))
      return this.#onUnsolicited(head);
    const kind = running.reader.kindOf(head, stream.length);
    if (kind === 'row') return this.#onRow(running);
    if (kind === 'parameter') return this.#passDefinition(running);
    if (kind === 'column') return this.#onColumn(running);
    if (!this.#gather()) return false;
    return this.#onWhole(running, kind, stream.takeWhole());
  }

  #onWhole(running: Running, kind: WholeKind, packet: TakenPacket): boolean {
    switch (kind) {
      case 'ok':
      case 'end':
        return this.#onOk(running, kind, packet);
      case 'error':
        return this.#onError(running, packet);
      case 'progress':
        // More of the command follows (MY-31).
        running.reader.onProgress();
        break;
      case 'raw':
        running.reader.onRaw();
        break;
      case 'prepared':
        onPrepared(this.#state, running, packet.payload);
        break;
      case 'infile':
        return this.#onInfile(running, packet);
      case 'count':
        return this.#onCount(running, packet);
    }
    this.#emit(packet.raw, running);
    this.#finishIfOver(running, true);
    return true;
  }

  #onOk(running: Running, kind: 'ok' | 'end', packet: TakenPacket): boolean {
    const { capabilities } = this.#state;
    const isOk = followOk(this.#state, running, kind, packet.payload);
    const shown = isOk ? withoutRedirect(packet.payload, capabilities) : packet.payload;
    if (shown === packet.payload) this.#emit(packet.raw, running);
    else this.#emit(encodePacket(shown, packet.sequence), running);
    this.#finishIfOver(running, true);
    return true;
  }

  #onError(running: Running, { raw, payload, sequence }: TakenPacket): boolean {
    const { refusal } = running;
    const err = parseErr(payload);
    running.reader.onError();
    // Only the error of the poison itself is ours; a killed connection has one of its own.
    if (refusal !== undefined && isSyntaxError(err)) {
      this.#flush();
      this.#state.out.answerError(refusal, sequence + running.shift, running.isSecret());
    } else if (running.isSensitive && this.#state.inspection.results) {
      const { database } = this.#state.session.reading;
      const redacted = redactError(err, [running.text, database]);
      const isSame = redacted.message === err.message;
      this.#emitError(isSame ? raw : encodeErr(redacted, sequence, err.state !== ''), running);
    } else this.#emitError(raw, running);
    this.#finishIfOver(running, false);
    return true;
  }

  #emitError(packet: Buffer, running: Running): void {
    if (running.isSwallowed) return;
    this.#flush();
    const bytes = (running.shift & 0xff) === 0 ? packet : renumber(packet, running.shift);
    this.#state.out.toClient(bytes, shownError(bytes, running.isSecret()));
    this.#state.out.sequence = this.#stream.lastSequence + running.shift + 1;
  }

  #onInfile(running: Running, { raw, sequence }: TakenPacket): boolean {
    const { out, options, running: queue } = this.#state;
    running.reader.onInfile();
    if (running.isSwallowed) {
      // The client thinks that this command is over: the server gets an empty file.
      out.toServer(encodePacket(EMPTY, sequence + 1));
      return true;
    }
    // A server may ask for any file of the client's, so only where the client's own text did (MY-34).
    const isWanted = options.localInfile === true && running.facts.asksForFile;
    if (!isWanted || queue.length > 1) {
      throw new ProtocolError('MYSQL_LOCAL_INFILE', 'server', 'the server asks for a file');
    }
    this.#state.file = { shift: running.shift };
    this.#emit(raw, running);
    return true;
  }

  #onCount(running: Running, packet: TakenPacket): boolean {
    const reader = new FieldReader(packet.payload, 'server');
    const count = reader.lenencInteger();
    // A byte behind the number would say that no definitions follow (MY-30); that was not agreed on.
    if (!reader.isAtEnd || count === 0 || count > COLUMNS_MAX) {
      throw new ProtocolError('MYSQL_COLUMN_COUNT', 'server', 'a column count is malformed');
    }
    running.reader.onCount(count);
    running.shape = undefined;
    if (this.#state.inspection.results && !running.isSwallowed) {
      this.#collected = new ResultShape(running, packet, this.#hasExtendedMetadata);
    } else {
      this.#emit(packet.raw, running);
    }
    return true;
  }

  #onColumn(running: Running): boolean {
    const isHeld = this.#collected !== undefined;
    // The default value of a column in the answer to COM_FIELD_LIST is data (MY-66).
    const isFieldList = running.command === COMMAND.fieldList && running.isSensitive;
    const isBlanked = isFieldList && this.#state.inspection.results;
    if (!isHeld && !isBlanked) return this.#passDefinition(running);
    if (!this.#gather()) return false;
    const packet = this.#stream.takeWhole();
    running.reader.onDefinition();
    if (this.#collected !== undefined) {
      this.#collect(this.#collected, packet);
      return true;
    }
    const { raw, payload, sequence } = packet;
    const shown = withoutDefault(payload, this.#hasExtendedMetadata);
    this.#emit(shown === payload ? raw : encodePacket(shown, sequence), running);
    return true;
  }

  #collect(collected: ResultShape, packet: TakenPacket): void {
    const { rowSizeMax } = this.#state.options;
    collected.add(packet);
    if (collected.size > rowSizeMax) throw tooLarge('the description of a result', rowSizeMax);
    const { running, columns } = collected;
    if (running.reader.definitionsLeft > 0) return;
    const id = this.#state.out.nextId();
    collected.id = id;
    this.#flush();
    this.#state.out.decide({ kind: 'result', id, columns, traces: running.traces }, 'server');
  }

  get #hasExtendedMetadata(): boolean {
    return has(this.#state.capabilities, CAPABILITY.mariadbExtendedMetadata);
  }

  #refuseResult(
    running: Running,
    sequence: number,
    decision: Extract<Decision, { kind: 'block' }>,
  ): void {
    this.#answer(encodeErr(errTextOf(refusalOf(decision)), sequence + running.shift, true));
    // The server does not know, and nothing of what it still sends may pass.
    running.isSwallowed = true;
  }

  #onRow(running: Running): boolean {
    const stream = this.#stream;
    if (this.#state.inspection.results && !running.isSwallowed && running.shape === undefined) {
      // Rows whose columns nobody described cannot be masked: a cursor that is not known (MY-71).
      const reason = 'Weir does not know the columns of these rows any more; execute again';
      this.#refuseResult(running, stream.sequence, {
        kind: 'block',
        rule: undefined,
        code: '42501',
        reason,
      });
    }
    const { shape } = running;
    if (running.isSwallowed || shape === undefined || shape.plan === 'clear') {
      if (!running.isSwallowed && (running.shift & 0xff) === 0) this.#passRows();
      else this.#startPassing(running);
      return true;
    }
    const gathered = maskRows(stream, running, this.#state.options.rowSizeMax);
    if (gathered === 'too-large') throw tooLarge('a row', this.#state.options.rowSizeMax);
    if (gathered === undefined) return false;
    this.#toClient.add(gathered);
    this.#state.out.sequence = stream.lastSequence + running.shift + 1;
    return true;
  }

  #passRows(): void {
    const stream = this.#stream;
    const start = stream.offset;
    stream.passRows();
    if (stream.offset === start) {
      const [running] = this.#state.running;
      if (running !== undefined) this.#startPassing(running);
      return;
    }
    this.#toClient.addRange(stream.view, start, stream.offset);
    this.#state.out.sequence = stream.lastSequence + 1;
  }

  #passDefinition(running: Running): true {
    running.reader.onDefinition();
    this.#startPassing(running);
    return true;
  }

  /** The packet that comes next goes on as its pieces come, never held. */
  #startPassing({ shift, isSwallowed }: Running): void {
    this.#passing = { shift, isSwallowed };
    this.#passHeader();
    if (!this.#stream.isMidPacket) this.#onPassed();
  }

  /** An answer is over once its last packet is: until then nothing else may go to the client. */
  #onPassed(): void {
    const [running] = this.#state.running;
    if (running !== undefined) this.#finishIfOver(running, true);
  }

  #passHeader(): void {
    const stream = this.#stream;
    const { shift, isSwallowed } = this.#passing ?? { shift: 0, isSwallowed: false };
    const start = stream.offset;
    stream.takeHeader();
    if (isSwallowed) return;
    const header = stream.view.subarray(start, start + HEADER_SIZE);
    if ((shift & 0xff) === 0) this.#toClient.addRange(stream.view, start, start + HEADER_SIZE);
    else this.#toClient.add(renumber(header, shift));
    this.#state.out.sequence = stream.lastSequence + shift + 1;
  }

  /** False: nothing more of it is here. */
  #passPart(): boolean {
    const stream = this.#stream;
    if (!stream.isInPart) {
      // The packet goes on behind a full part; an empty part ends it (MY-13).
      if (!stream.peek()) return false;
      this.#passHeader();
      if (!stream.isMidPacket) this.#onPassed();
      return true;
    }
    const size = stream.takePart();
    if (this.#passing?.isSwallowed !== true)
      this.#toClient.addRange(stream.view, stream.offset - size, stream.offset);
    if (!stream.isMidPacket) this.#onPassed();
    return size > 0;
  }

  /** An ERR in the name of nobody: the last word of a server that hangs up (MY-32). */
  #onUnsolicited(head: Buffer): boolean {
    if (head[0] !== ERROR_HEADER) {
      const what = 'a packet came where no command waits for an answer';
      throw new ProtocolError('MYSQL_UNEXPECTED_PACKET', 'server', what);
    }
    const gathered = this.#stream.gather(ERR_SIZE_MAX);
    if (gathered === 'more') return false;
    if (gathered === 'too-large') throw tooLarge('an error', ERR_SIZE_MAX);
    this.#toClient.add(this.#stream.takeWhole().raw);
    this.#flush();
    this.#state.out.close();
    return false;
  }

  #gather(): boolean {
    const { rowSizeMax } = this.#state.options;
    const gathered = this.#stream.gather(rowSizeMax);
    if (gathered === 'too-large') throw tooLarge('a packet that has to be held whole', rowSizeMax);
    return gathered === 'whole';
  }

  /** The bytes of a packet, headers included, with the numbers that the client expects. */
  #emit(bytes: Buffer, running: Running): void {
    if (running.isSwallowed) return;
    this.#toClient.add((running.shift & 0xff) === 0 ? bytes : renumber(bytes, running.shift));
    this.#state.out.sequence = this.#stream.lastSequence + running.shift + 1;
  }

  #answer(bytes: Buffer): void {
    this.#flush();
    this.#state.out.answer(bytes);
  }

  #finishIfOver(running: Running, isDone: boolean): void {
    if (!running.reader.isOver) return;
    onAnswered(this.#state, running, isDone);
  }

  #flush(): void {
    for (const bytes of this.#toClient.take()) this.#state.out.toClient(bytes);
  }
}

function tooLarge(what: string, sizeMax: number): ProtocolError {
  return new ProtocolError(
    'MYSQL_PACKET_SIZE',
    'server',
    `${what} is larger than the limit of ${sizeMax} bytes`,
  );
}

function isSyntaxError({ errno, message }: { errno: number; message: string }): boolean {
  return errno === SYNTAX_ERROR || (errno === UNKNOWN_ERROR && /\bsyntax error\b/i.test(message));
}
