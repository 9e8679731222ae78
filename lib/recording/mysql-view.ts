/**
 * Turns the recorded bytes of both directions of a MySQL or MariaDB session into readable events. It
 * follows just enough of the protocol to name things: which reply belongs to which command, which
 * statement an Execute runs, how its rows are read. It decides nothing and never throws on what it reads.
 */

import type { Side } from '../../protocols/contract.ts';
import { HEAD_SIZE_MAX } from './message-splitter.ts';
import {
  COM_CHANGE_USER,
  COM_QUERY,
  COM_QUIT,
  COM_STMT_BULK_EXECUTE,
  COM_STMT_CLOSE,
  COM_STMT_EXECUTE,
  COM_STMT_FETCH,
  COM_STMT_PREPARE,
  COM_STMT_RESET,
  COM_STMT_SEND_LONG_DATA,
  decodeOther,
  decodePiece,
  decodeQuery,
  type KnownStatement,
  nameCommand,
  readBulkParameters,
  readParameters,
  type ReplyKind,
  replyOf,
} from './mysql-commands.ts';
import {
  type Capabilities,
  decodeChangeUser,
  decodeError,
  decodeGreeting,
  decodeHandshakeResponse,
  isSslRequest,
} from './mysql-packets.ts';
import { firstByteOf, ReplyReader, unreadable } from './mysql-replies.ts';
import { PacketSplitter, type SplitPacket } from './mysql-splitter.ts';
import { PacketReader } from './mysql-values.ts';
import { cuttable, decodeCutText, decodeText } from './value-text.ts';
import type { View, ViewEvent, ViewFact } from './view.ts';

/** Prepared statements whose text and columns are remembered; the oldest go first. */
const STATEMENTS_COUNT_MAX = 500;
/** Kept of each statement's text to show it again at Execute, characters. */
const TEXT_LENGTH_MAX = 16 * 1024;
/** Replies that are awaited at once; a client that pipelines more only loses what belongs together. */
const AWAITED_COUNT_MAX = 20_000;
/** Kept of each parameter that is sent ahead, and how many of one statement. */
const LONG_DATA_SIZE_MAX = 1024;
const LONG_DATA_COUNT_MAX = 16;
/** Packets that wait for the answer to a PREPARE; more of them are shown without their parameters. */
const WAITING_COUNT_MAX = 1000;
/** A side whose packets are out of order this often is not followed any further. */
const PROBLEMS_MAX = 20;
/** MariaDB: the statement that was prepared last (MY-22). */
const LAST_STATEMENT = 0xffff_ffff;

export function createMysqlView(): View {
  return new MysqlView();
}

type Emit = (from: Side, fact: ViewFact, by: 'gateway' | undefined) => void;

class MysqlView implements View {
  readonly #splitters = { client: new PacketSplitter(), server: new PacketSplitter() };
  readonly #statements = new Map<number, KnownStatement>();
  #lastStatement: KnownStatement | undefined;
  #isGreeted = false;
  #hasResponded = false;
  #offered: Capabilities | undefined;
  #capabilities: Capabilities = { flags: 0, extended: 0 };
  #awaited: ReplyReader[] = [];
  #waiting: SplitPacket[] = [];
  #waitingSize = 0;
  readonly #problems = { client: 0, server: 0 };

  get heldSize(): number {
    const { client, server } = this.#splitters;
    return client.heldSize + server.heldSize + this.#waitingSize;
  }

  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ViewEvent[] {
    const events: ViewEvent[] = [];
    const emit: Emit = (side, fact, maker) => {
      events.push(
        maker === undefined ? { ...fact, from: side } : { ...fact, from: side, by: maker },
      );
    };
    let offset = 0;
    while (offset < bytes.length && this.#problems[from] < PROBLEMS_MAX) {
      const found = this.#splitters[from].next(bytes, offset, by);
      if (found === undefined) break;
      offset = found.offset;
      if (from === 'client') this.#takeClient(found.packet, emit);
      else this.#takeServer(found.packet, emit);
    }
    return events;
  }

  /** Framing alone finds no fault: any four bytes are a header. The sequence ids tell. */
  #report(side: Side, found: number, expected: number, emit: Emit): void {
    this.#problems[side] += 1;
    const problem = `sequence id ${found} where ${expected} was expected`;
    const isLast = this.#problems[side] >= PROBLEMS_MAX;
    emit(side, { event: isLast ? 'out-of-step' : 'problem', problem }, undefined);
  }

  // The client's packets.

  #takeClient(packet: SplitPacket, emit: Emit): void {
    if (this.#waiting.length === 0 && !this.#mustWait(packet)) {
      this.#readClient(packet, emit);
      return;
    }
    // A pipelined Execute of what is just being prepared: how to read it comes with the answer.
    this.#waiting.push({ ...packet, body: Buffer.from(packet.body) });
    this.#waitingSize += packet.body.length;
    if (this.#waitingSize > HEAD_SIZE_MAX || this.#waiting.length > WAITING_COUNT_MAX) {
      this.#releaseWaiting(emit, true);
    }
  }

  #mustWait({ body }: SplitPacket): boolean {
    const isExecute = body[0] === COM_STMT_EXECUTE || body[0] === COM_STMT_BULK_EXECUTE;
    if (!isExecute || statementId(body) !== LAST_STATEMENT) return false;
    return this.#awaited.some(({ kind, isDone }) => kind === 'prepare' && !isDone);
  }

  #releaseWaiting(emit: Emit, isForced: boolean): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (first === undefined || (!isForced && this.#mustWait(first))) return;
      this.#waiting.shift();
      this.#waitingSize -= first.body.length;
      this.#readClient(first, emit);
    }
  }

  #readClient(packet: SplitPacket, emit: Emit): void {
    const [head] = this.#awaited;
    const show = (fact: ViewFact): void => emit('client', fact, packet.by);
    if (!this.#hasResponded) show(this.#readResponse(packet));
    else if (head?.isAwaitingFile === true) {
      show(readFilePiece(packet, head));
    } else if (head?.kind === 'sign-in' && packet.sequence !== 0) {
      head.nextSequence = following(packet);
      show({ event: 'credential', ...cuttable(packet) });
    } else {
      if (packet.sequence !== 0) this.#report('client', packet.sequence, 0, emit);
      show(this.#readCommand(packet));
    }
  }

  #readResponse(packet: SplitPacket): ViewFact {
    if (isSslRequest(packet)) return { event: 'ssl-request' };
    this.#hasResponded = true;
    const { parameters, capabilities } = decodeHandshakeResponse(packet.body);
    const offered = this.#offered ?? capabilities;
    // MY-3: a client may claim what it was not offered.
    this.#capabilities = {
      flags: (capabilities.flags & offered.flags) >>> 0,
      extended: (capabilities.extended & offered.extended) >>> 0,
    };
    this.#await('sign-in', undefined, packet);
    return { event: 'startup', protocol: '10', parameters };
  }

  #readCommand(packet: SplitPacket): ViewFact {
    const code = packet.body[0];
    if (code === undefined) return unreadable(packet);
    const statement = this.#statementOf(code, packet);
    const kind = replyOf(code);
    // MY-60: some commands are never answered.
    if (kind !== 'none') this.#await(kind, statement, packet);
    return this.#decodeCommand(code, packet, statement);
  }

  #await(kind: ReplyKind, statement: KnownStatement | undefined, packet: SplitPacket): void {
    if (this.#awaited.length >= AWAITED_COUNT_MAX) this.#awaited = [];
    const reply = new ReplyReader(kind, this.#capabilities, statement);
    reply.nextSequence = following(packet);
    this.#awaited.push(reply);
  }

  #statementOf(code: number, packet: SplitPacket): KnownStatement | undefined {
    switch (code) {
      case COM_STMT_PREPARE: {
        const statement = newStatement(decodeRest(packet).slice(0, TEXT_LENGTH_MAX));
        this.#lastStatement = statement;
        return statement;
      }
      case COM_STMT_EXECUTE:
      case COM_STMT_BULK_EXECUTE:
      case COM_STMT_FETCH:
      case COM_STMT_RESET:
      case COM_STMT_SEND_LONG_DATA: {
        const id = statementId(packet.body);
        return id === LAST_STATEMENT ? this.#lastStatement : this.#statements.get(id);
      }
      default:
        return undefined;
    }
  }

  #decodeCommand(
    code: number,
    packet: SplitPacket,
    statement: KnownStatement | undefined,
  ): ViewFact {
    const name = nameStatement(packet.body);
    const cut = cuttable(packet);
    switch (code) {
      case COM_QUIT:
        return { event: 'terminate' };
      case COM_QUERY:
        return decodeQuery(packet, this.#capabilities);
      case COM_CHANGE_USER: {
        const parameters = decodeChangeUser(packet.body, this.#capabilities);
        return { event: 'change-user', parameters };
      }
      case COM_STMT_PREPARE:
        return { event: 'parse', statement: '', text: decodeRest(packet), ...cut };
      case COM_STMT_EXECUTE:
      case COM_STMT_BULK_EXECUTE:
        return this.#decodeExecute(packet, statement);
      case COM_STMT_FETCH: {
        const rowsMax = new PacketReader(packet.body, 5).readUInt(4);
        return { event: 'fetch', statement: name, rowsMax };
      }
      case COM_STMT_SEND_LONG_DATA:
        return readLongData(packet, statement);
      case COM_STMT_CLOSE:
        this.#statements.delete(statementId(packet.body));
        return { event: 'close', target: 'statement', name };
      case COM_STMT_RESET:
        statement?.longData.clear();
        return { event: 'command', name: nameCommand(code), argument: name, ...cut };
      default:
        return decodeOther(packet);
    }
  }

  #decodeExecute(packet: SplitPacket, statement: KnownStatement | undefined): ViewFact {
    const fact = {
      event: 'execute',
      portal: '',
      statement: nameStatement(packet.body),
      rowsMax: 0,
    } as const;
    if (statement === undefined) return fact;
    const { text } = statement;
    if (packet.body[0] === COM_STMT_BULK_EXECUTE) {
      return { ...fact, text, ...readBulkParameters(packet, statement) };
    }
    const parameters = readParameters(packet, statement, this.#capabilities);
    statement.longData.clear();
    return { ...fact, text, ...(parameters && { parameters }) };
  }

  // The server's packets.

  #takeServer(packet: SplitPacket, emit: Emit): void {
    const show = (fact: ViewFact): void => emit('server', fact, packet.by);
    if (!this.#isGreeted) {
      show(this.#readGreeting(packet));
      return;
    }
    const [head] = this.#awaited;
    if (head === undefined) {
      // MY-32: a server says why it goes, to a client that asked nothing.
      const isError = packet.body[0] === 0xff;
      show(isError ? decodeError(packet.body) : unasked(packet));
      return;
    }
    const { nextSequence } = head;
    if (nextSequence !== undefined && packet.sequence !== nextSequence) {
      this.#report('server', packet.sequence, nextSequence, emit);
    }
    head.nextSequence = following(packet);
    for (const fact of head.read(packet)) show(fact);
    if (!head.isDone) return;
    this.#awaited.shift();
    this.#finishReply(head);
    this.#releaseWaiting(emit, false);
  }

  #readGreeting(packet: SplitPacket): ViewFact {
    this.#isGreeted = true;
    if (packet.body[0] === 0xff) return decodeError(packet.body);
    const greeting = decodeGreeting(packet.body);
    if (greeting === undefined) return unreadable(packet);
    this.#offered = greeting.capabilities;
    return greeting.fact;
  }

  #finishReply(reply: ReplyReader): void {
    const { kind, statement, isOk } = reply;
    if (!isOk) return;
    if (kind === 'prepare' && statement?.id !== undefined) {
      remember(this.#statements, statement.id, statement);
    }
    // MY-23: another user, or a session as new, has no statements.
    if (kind === 'sign-in' || kind === 'reset') this.#statements.clear();
  }
}

function unasked(packet: SplitPacket): ViewFact {
  return { event: 'unknown', type: firstByteOf(packet), size: packet.size };
}

function following(packet: SplitPacket): number {
  return (packet.lastSequence + 1) & 0xff;
}

function statementId(body: Buffer): number {
  return new PacketReader(body, 1).readUInt(4);
}

function nameStatement(body: Buffer): string {
  const id = statementId(body);
  return id === LAST_STATEMENT ? 'last' : String(id);
}

function newStatement(text: string): KnownStatement {
  const longData = new Map<number, Buffer>();
  return { id: undefined, text, parameterCount: undefined, types: [], columns: [], longData };
}

function decodeRest(packet: SplitPacket): string {
  const bytes = packet.body.subarray(1);
  return packet.body.length < packet.size ? decodeCutText(bytes) : decodeText(bytes);
}

/** MY-34: what a client sends of a file, up to an empty packet, is no command whatever it looks like. */
function readFilePiece(packet: SplitPacket, reply: ReplyReader): ViewFact {
  reply.nextSequence = following(packet);
  if (packet.size > 0) {
    return { event: 'copy-data', text: decodePiece(packet.body), ...cuttable(packet) };
  }
  reply.isAwaitingFile = false;
  return { event: 'copy-done' };
}

function readLongData(packet: SplitPacket, statement: KnownStatement | undefined): ViewFact {
  const reader = new PacketReader(packet.body, 5);
  const parameter = reader.readUInt(2);
  const bytes = reader.readRest();
  const known = statement?.longData.get(parameter);
  if (
    statement !== undefined &&
    (known !== undefined || statement.longData.size < LONG_DATA_COUNT_MAX)
  ) {
    const head = known ?? Buffer.alloc(0);
    const more = bytes.subarray(0, LONG_DATA_SIZE_MAX - head.length);
    statement.longData.set(parameter, Buffer.concat([head, more]));
  }
  const text = decodePiece(bytes);
  const name = nameStatement(packet.body);
  return { event: 'long-data', statement: name, parameter, text, ...cuttable(packet) };
}

function remember(map: Map<number, KnownStatement>, id: number, known: KnownStatement): void {
  // Set again, a number moves to the end, so the first one is the oldest.
  map.delete(id);
  map.set(id, known);
  const [oldest] = map.keys();
  if (map.size > STATEMENTS_COUNT_MAX && oldest !== undefined) map.delete(oldest);
}
