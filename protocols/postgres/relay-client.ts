/**
 * Client to server, once signed in: every message in its order, statements held until they are
 * decided, blocked ones replaced by poison (PG-31), and a Describe put before an Execute whose rows
 * nobody has described (PG-40).
 */

import { ProtocolError } from '../errors.ts';
import type { Decision } from '../contract.ts';
import { Outflow } from '../wire/outflow.ts';
import { MessageBuffer } from './message-buffer.ts';
import { FRONTEND, HEADER_SIZE, encodeMessage } from './message.ts';
import { type Refusal, poisonCall, poisonParse, poisonQuery, refusalOf } from './refusal.ts';
import type { RelayState } from './relay-state.ts';
import {
  EXPECT_BIND,
  EXPECT_CALL,
  EXPECT_CLOSE,
  EXPECT_DESCRIBE,
  EXPECT_EXECUTE,
  EXPECT_PARSE,
  EXPECT_QUERY,
  EXPECT_SYNC,
  REPLIES_MAX,
} from './replies.ts';
import { blankStatementSecrets } from './secrets.ts';
import { type StatementMessage, readStatement } from './statement-message.ts';
import type { Statement } from './statements.ts';

/** Names in front of a Bind, Execute, Describe or Close; PostgreSQL cuts identifiers at 63 bytes. */
const NAMES_SIZE_MAX = 64 * 1024;
/** PostgreSQL looks names up by their first 63 bytes only. */
const NAME_SIZE_MAX = 63;
/** Stands for a name that is cut: no statement has it, since names hold no NUL. */
const UNKNOWN_NAME = '\0';
const PORTAL = 0x50; // 'P'

interface Held {
  readonly id: number;
  readonly message: Buffer;
  readonly statement: StatementMessage | undefined;
}

export class ClientRelay {
  readonly #state: RelayState;
  readonly #buffer = new MessageBuffer('client');
  readonly #toServer = new Outflow();
  readonly #recorded = new Outflow();
  #held: Held | undefined;

  constructor(state: RelayState) {
    this.#state = state;
  }

  /** True while a statement waits for its decision. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  onBytes(bytes: Buffer): void {
    this.#buffer.push(bytes);
    // A driver reads no more while we hold; one that does must not make us keep without limit.
    if (this.#held !== undefined)
      this.#buffer.refuseHeldAbove(this.#state.options.statementSizeMax);
    this.#run();
  }

  /** True when the decision was for an operation of this side. */
  onDecided(id: number, decision: Decision): boolean {
    const held = this.#held;
    if (held?.id !== id) return false;
    this.#held = undefined;
    if (decision.kind === 'block') this.#poison(held, refusalOf(decision));
    else this.#release(held, decision);
    this.#run();
    return true;
  }

  #run(): void {
    try {
      while (this.#held === undefined && !this.#state.out.isClosing && this.#step()) {
        if (this.#state.replies.size > REPLIES_MAX) {
          throw new ProtocolError(
            'PG_PIPELINE',
            'client',
            `more than ${REPLIES_MAX} unanswered messages`,
          );
        }
      }
    } finally {
      // What was walked before a fault was right, however the bytes were cut.
      this.#flush();
    }
  }

  /** One message, or what is here of one. False: more bytes are needed. */
  #step(): boolean {
    const rest = this.#buffer.restSize;
    if (rest > 0) {
      this.#pass(rest);
      return this.#buffer.restSize === 0;
    }
    const tag = this.#buffer.peekTag();
    if (tag === undefined) return false;
    const size = this.#buffer.peekSize();
    switch (tag) {
      case FRONTEND.query:
      case FRONTEND.parse:
        return this.#onStatement(size);
      case FRONTEND.functionCall:
        return this.#onFunctionCall(size);
      case FRONTEND.bind:
      case FRONTEND.describe:
      case FRONTEND.execute:
      case FRONTEND.close:
        return this.#onNamed(tag, size);
      default:
        return this.#onPlain(tag, size);
    }
  }

  #onPlain(tag: number, size: number): boolean {
    switch (tag) {
      case FRONTEND.sync:
        this.#state.described.clear();
        this.#state.replies.expect(EXPECT_SYNC);
        break;
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        this.#state.replies.expectCopyEnd();
        break;
      case FRONTEND.flush:
        // The server's error about it would skip to the next Sync, out of our sight.
        if (size !== HEADER_SIZE)
          throw new ProtocolError('PG_MESSAGE_LAYOUT', 'client', 'a Flush with a body');
        break;
      case FRONTEND.terminate:
        this.#state.out.note({ kind: 'goodbye' });
        break;
      case FRONTEND.copyData:
        break;
      default:
        this.#flush();
        this.#state.out.refuse({ code: '08P01', message: `invalid frontend message type ${tag}` });
        return false;
    }
    this.#pass(size);
    return true;
  }

  /** Bind, Describe, Execute and Close: their names matter only where results are inspected. */
  #onNamed(tag: number, size: number): boolean {
    if (!this.#state.inspection.results) {
      this.#state.replies.expect(PLAIN_EXPECTATIONS[tag] ?? EXPECT_SYNC);
      this.#pass(size);
      return true;
    }
    const headSize = Math.min(size, HEADER_SIZE + NAMES_SIZE_MAX);
    if (!this.#buffer.gather(headSize, headSize)) return false;
    const head = this.#buffer.view.subarray(this.#buffer.offset, this.#buffer.offset + headSize);
    if (tag === FRONTEND.bind) this.#expectBind(head);
    else if (tag === FRONTEND.execute) this.#expectExecute(readName(head, HEADER_SIZE));
    else this.#expectDescribeOrClose(tag, head);
    this.#pass(size);
    return true;
  }

  #expectBind(head: Buffer): void {
    const portal = readName(head, HEADER_SIZE);
    const name = readName(head, HEADER_SIZE + portal.length + 1);
    // Binding runs input functions, which can close a cursor and open another of its name.
    this.#state.described.clear();
    const statement = name.length > NAME_SIZE_MAX ? UNKNOWN_NAME : name;
    this.#state.replies.expect({ kind: 'bind', portal: cutName(portal), name: statement });
  }

  #expectExecute(fullName: string): void {
    const { described, replies } = this.#state;
    const portal = cutName(fullName);
    const isDescribed = described.has(fullName);
    // What runs may close any other cursor and open another of its name (PG-39).
    described.clear();
    described.add(fullName);
    if (!isDescribed) {
      const name = Buffer.from(fullName, 'latin1');
      const end = Buffer.from([0]);
      this.#toServer.add(encodeMessage(FRONTEND.describe, Buffer.from([PORTAL]), name, end));
      replies.expect({ kind: 'describe', portal, isInjected: true });
    }
    replies.expect({ kind: 'execute', portal });
  }

  #expectDescribeOrClose(tag: number, head: Buffer): void {
    const isPortal = head[HEADER_SIZE] === PORTAL;
    const fullName = readName(head, HEADER_SIZE + 1);
    const name = cutName(fullName);
    if (tag === FRONTEND.close) {
      this.#state.described.clear();
      this.#state.replies.expect(
        isPortal ? { kind: 'close', portal: name } : { kind: 'close', name },
      );
      return;
    }
    if (isPortal) this.#state.described.add(fullName);
    this.#state.replies.expect(isPortal ? { kind: 'describe', portal: name } : EXPECT_DESCRIBE);
  }

  #onStatement(size: number): boolean {
    if (!this.#buffer.gather(size, this.#state.options.statementSizeMax)) return false;
    const start = this.#buffer.offset;
    this.#buffer.pass(size);
    const message = this.#buffer.view.subarray(start, start + size);
    this.#record(message, start);
    if (!this.#state.inspection.statements) {
      this.#toServer.addRange(this.#buffer.view, start, start + size);
      this.#state.replies.expect(message[0] === FRONTEND.query ? EXPECT_QUERY : EXPECT_PARSE);
      return true;
    }
    const statement = readStatement(message, this.#state);
    const held: Held = { id: this.#state.out.nextId(), message, statement };
    if (statement.refusal !== undefined) {
      this.#state.out.note({
        kind: 'refused',
        code: statement.refusal.code,
        reason: statement.refusal.message,
      });
      this.#poison(held, statement.refusal);
      return true;
    }
    this.#hold(held);
    const { text, parameterTypes } = statement;
    const declared = parameterTypes.length === 0 ? {} : { parameterTypes };
    this.#state.out.decide({ kind: 'statement', id: held.id, text, ...declared }, 'client');
    return false;
  }

  /** FunctionCall runs a routine by its number, past every parser (PG-46). */
  #onFunctionCall(size: number): boolean {
    if (!this.#buffer.gather(size, this.#state.options.rowSizeMax)) return false;
    const start = this.#buffer.offset;
    this.#buffer.pass(size);
    const message = this.#buffer.view.subarray(start, start + size);
    this.#recorded.addRange(this.#buffer.view, start, start + size);
    const routine = message.length >= HEADER_SIZE + 4 ? message.readUInt32BE(HEADER_SIZE) : 0;
    const id = this.#state.out.nextId();
    this.#hold({ id, message, statement: undefined });
    this.#state.out.decide({ kind: 'call', id, routine }, 'client');
    return false;
  }

  #hold(held: Held): void {
    this.#held = held;
    this.#flush();
  }

  #release(held: Held, decision: Decision): void {
    this.#toServer.add(held.message);
    if (held.statement === undefined) {
      this.#state.replies.expect(EXPECT_CALL);
      return;
    }
    const statement = this.#statementOf(decision);
    const { kind, name } = held.statement;
    if (kind === 'query') {
      this.#state.described.clear();
      if (statement?.isSensitive === true) this.#state.isTouched = true;
      this.#state.replies.expect(statement === undefined ? EXPECT_QUERY : { kind, statement });
    } else if (statement === undefined) {
      this.#state.replies.expect(EXPECT_PARSE);
    } else {
      // A name that the server cuts is kept as unknown, under what the server makes of it.
      const kept = name.length > NAME_SIZE_MAX ? {} : { statement };
      this.#state.replies.expect({ kind, name: cutName(name), ...kept });
    }
  }

  #statementOf(decision: Decision): Statement | undefined {
    if (!this.#state.inspection.results || decision.kind !== 'allow') return undefined;
    return { isSensitive: decision.isSensitive ?? true, trace: decision.trace };
  }

  #poison(held: Held, refusal: Refusal): void {
    if (held.statement === undefined) {
      this.#toServer.add(poisonCall());
      this.#state.replies.expect({ kind: 'call', refusal });
    } else if (held.statement.kind === 'query') {
      this.#state.described.clear();
      this.#toServer.add(poisonQuery(refusal));
      this.#state.replies.expect({ kind: 'query', refusal });
    } else {
      this.#toServer.add(poisonParse(Buffer.from(held.statement.name, 'latin1'), refusal));
      this.#state.replies.expect({ kind: 'parse', refusal });
    }
  }

  #record(message: Buffer, start: number): void {
    const shown = blankStatementSecrets(message);
    if (shown === message)
      this.#recorded.addRange(this.#buffer.view, start, start + message.length);
    else this.#recorded.add(shown);
  }

  #pass(size: number): void {
    const start = this.#buffer.offset;
    this.#buffer.pass(size);
    this.#toServer.addRange(this.#buffer.view, start, this.#buffer.offset);
    this.#recorded.addRange(this.#buffer.view, start, this.#buffer.offset);
  }

  #flush(): void {
    for (const bytes of this.#recorded.take()) this.#state.out.recordClient(bytes);
    for (const bytes of this.#toServer.take()) this.#state.out.toServer(bytes);
  }
}

const PLAIN_EXPECTATIONS: Readonly<Record<number, typeof EXPECT_BIND>> = {
  [FRONTEND.bind]: EXPECT_BIND,
  [FRONTEND.describe]: EXPECT_DESCRIBE,
  [FRONTEND.execute]: EXPECT_EXECUTE,
  [FRONTEND.close]: EXPECT_CLOSE,
};

function cutName(name: string): string {
  return name.length > NAME_SIZE_MAX ? name.slice(0, NAME_SIZE_MAX) : name;
}

/** The NUL-terminated name at `offset`, byte for byte (latin1), since names have no agreed encoding. */
function readName(head: Buffer, offset: number): string {
  const end = head.indexOf(0, offset);
  if (end < 0) {
    throw new ProtocolError(
      'PG_NAME',
      'client',
      'a statement or portal name does not end within its message',
    );
  }
  return head.toString('latin1', offset, end);
}
