/**
 * Server to client, once signed in: every message in its order, matched with the message it answers.
 * Rows are masked by the plan for their description, errors of poisoned statements name the rule, and
 * diagnostics that may quote masked data are redacted. Everything else passes byte for byte.
 */

import { ProtocolError } from '../errors.ts';
import type { Decision, MaskingPlan, Trace } from '../contract.ts';
import { Outflow } from '../wire/outflow.ts';
import { redactDiagnostic, redactNotification } from './diagnostics.ts';
import type { MessageBuffer } from './message-buffer.ts';
import { BACKEND, HEADER_SIZE, int32, readBody } from './message.ts';
import { encodeError, readField, refusalOf } from './refusal.ts';
import { type RelayState, followNames, mayQuoteMasked } from './relay-state.ts';
import type { Expected } from './replies.ts';
import { decodeRowDescription, maskRows } from './rows.ts';
import { blankKey } from './secrets.ts';
import { CANCEL_REQUEST } from './startup.ts';

const STATUS_IDLE = 0x49; // 'I'
/** Command tags after which the catalog is not what it was. */
const SCHEMA_TAG = /^(?:CREATE|ALTER|DROP|REFRESH|IMPORT)\b/;
/** Tags of statements that may prepare or deallocate under names that are not told (PG-38). */
const HIDES_NAMES = new Set(['PREPARE', 'DO', 'CALL']);
const SYNTAX_ERROR = '42601';

interface Held {
  readonly id: number;
  readonly message: Buffer;
  readonly entry: Expected;
}

export class ServerRelay {
  readonly #state: RelayState;
  readonly #buffer: MessageBuffer;
  readonly #toClient = new Outflow();
  /** The plan for the rows of the simple query now answered; undefined: not described. */
  #queryPlan: MaskingPlan | 'clear' | undefined;
  #held: Held | undefined;
  #hasSchemaChange = false;

  constructor(state: RelayState, buffer: MessageBuffer) {
    this.#state = state;
    this.#buffer = buffer;
  }

  /** True while the client has got only the first part of a message. */
  get isMidMessage(): boolean {
    return this.#buffer.restSize > 0;
  }

  onBytes(bytes: Buffer): void {
    this.#buffer.push(bytes);
    if (this.#held !== undefined) this.#buffer.refuseHeldAbove(this.#state.options.rowSizeMax);
    this.run();
  }

  /** True when the decision was for an operation of this side. */
  onDecided(id: number, decision: Decision): boolean {
    const held = this.#held;
    if (held?.id !== id) return false;
    this.#held = undefined;
    if (decision.kind === 'block') {
      this.#state.out.refuse(refusalOf(decision), this.#state.clientEncoding === 'UTF8');
      return true;
    }
    if (decision.kind === 'allow' && decision.isSensitive === true) this.#state.isTouched = true;
    this.#setPlan(held, (decision.kind === 'allow' ? decision.plan : undefined) ?? 'clear');
    this.run();
    return true;
  }

  run(): void {
    try {
      while (this.#held === undefined && !this.#state.out.isClosing && this.#step());
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
    if (tag === BACKEND.dataRow) return this.#onDataRow(size);
    if (tag === BACKEND.copyData) {
      this.#passRun(tag, size);
      return true;
    }
    if (!this.#isWholeNeeded(tag)) {
      if (tag === BACKEND.functionCallResponse) this.#state.replies.onAnswer();
      this.#pass(size);
      return true;
    }
    if (!this.#buffer.gather(size, this.#state.options.rowSizeMax)) return false;
    const start = this.#buffer.offset;
    this.#buffer.pass(size);
    const shown = this.#onMessage(tag, this.#buffer.view.subarray(start, start + size));
    if (shown === 'as-is') this.#toClient.addRange(this.#buffer.view, start, start + size);
    else if (shown !== 'nothing') this.#toClient.add(shown);
    return true;
  }

  /** Everything that moves our state, and what may have to be rewritten; the rest is passed in pieces. */
  #isWholeNeeded(tag: number): boolean {
    switch (tag) {
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
        return this.#state.inspection.results;
      case BACKEND.copyDone:
      case BACKEND.copyBothResponse:
      case BACKEND.functionCallResponse:
      case BACKEND.parameterDescription:
      case BACKEND.negotiateProtocolVersion:
        return false;
      default:
        return KNOWN_TAGS.has(tag);
    }
  }

  /** What the client gets of a message that is not a row. */
  #onMessage(tag: number, message: Buffer): Buffer | 'as-is' | 'nothing' {
    switch (tag) {
      case BACKEND.readyForQuery:
        return this.#onReady(message);
      case BACKEND.errorResponse:
        return this.#onError(message);
      case BACKEND.noticeResponse:
        return mayQuoteMasked(this.#state) ? redactDiagnostic(message) : 'as-is';
      case BACKEND.notificationResponse:
        return redactNotification(message);
      case BACKEND.commandComplete:
        return this.#onCommandComplete(message);
      case BACKEND.emptyQueryResponse:
      case BACKEND.portalSuspended:
        return this.#onStatementEnd();
      case BACKEND.parameterStatus:
        return this.#onParameterStatus(message);
      case BACKEND.backendKeyData:
        return this.#onKeyData(message);
      default:
        return this.#onReply(tag, message);
    }
  }

  #onReply(tag: number, message: Buffer): Buffer | 'as-is' | 'nothing' {
    switch (tag) {
      case BACKEND.rowDescription:
      case BACKEND.noData:
        return this.#onDescription(message);
      case BACKEND.parseComplete:
      case BACKEND.bindComplete:
      case BACKEND.closeComplete:
        return this.#onComplete(tag);
      case BACKEND.copyInResponse:
        this.#state.replies.onCopyIn();
        return 'as-is';
      case BACKEND.copyOutResponse:
        // COPY names no columns: what it may give out was decided when its statement came (PG-51).
        return 'as-is';
      default:
        throw unexpected(message, this.#state.replies.head);
    }
  }

  #onReady(message: Buffer): 'as-is' {
    const { head } = this.#state.replies;
    if (!this.#state.replies.onReady()) throw unexpected(message, head);
    this.#queryPlan = undefined;
    if (message[HEADER_SIZE] === STATUS_IDLE) {
      this.#state.statements.forgetPortals();
      // Told again at the end of its transaction: before that nobody else could see the change.
      if (this.#hasSchemaChange) this.#state.out.note({ kind: 'schema-changed' });
      this.#hasSchemaChange = false;
      if (this.#state.replies.size === 0) this.#state.isTouched = false;
    }
    return 'as-is';
  }

  #onError(message: Buffer): Buffer | 'as-is' | 'nothing' {
    const head = this.#state.replies.head;
    const refusal = head !== undefined && 'refusal' in head ? head.refusal : undefined;
    const isSensitive = mayQuoteMasked(this.#state);
    this.#queryPlan = undefined;
    this.#state.described.clear();
    this.#state.replies.onError();
    // Only the error of the poison itself is ours; the head is the poisoned message (PG-31).
    const isPoison = head?.kind === 'call' || readField(message, 'C') === SYNTAX_ERROR;
    if (refusal !== undefined && isPoison && readField(message, 'V') !== 'FATAL') {
      this.#flush();
      this.#state.out.answer(encodeError('ERROR', refusal, this.#state.clientEncoding === 'UTF8'));
      return 'nothing';
    }
    return isSensitive ? redactDiagnostic(message) : 'as-is';
  }

  #onCommandComplete(message: Buffer): 'as-is' {
    this.#followTag(message.toString('latin1', HEADER_SIZE, message.length - 1));
    return this.#onStatementEnd();
  }

  #followTag(tag: string): void {
    if (SCHEMA_TAG.test(tag)) {
      this.#hasSchemaChange = true;
      this.#state.out.note({ kind: 'schema-changed' });
    } else if (tag.startsWith('DEALLOCATE') || tag === 'DISCARD ALL' || HIDES_NAMES.has(tag)) {
      this.#state.statements.forgetStatements();
    }
  }

  /** CommandComplete, EmptyQueryResponse, PortalSuspended: an Execute is over, a Query goes on. */
  #onStatementEnd(): 'as-is' {
    const head = this.#state.replies.head;
    this.#state.replies.onAnswer();
    this.#queryPlan = undefined;
    if (head?.kind === 'execute') this.#state.replies.pop();
    else if (head?.kind !== 'query') throw unexpected(undefined, head);
    return 'as-is';
  }

  #onComplete(tag: number): 'as-is' {
    const head = this.#state.replies.head;
    if (head === undefined || head.kind !== COMPLETES[tag]) throw unexpected(undefined, head);
    this.#state.replies.pop();
    if (this.#state.inspection.results) followNames(this.#state, head);
    return 'as-is';
  }

  /** RowDescription or NoData: of a Describe, or in front of the rows of a simple query. */
  #onDescription(message: Buffer): 'as-is' | 'nothing' {
    const head = this.#state.replies.head;
    const isRows = message[0] === BACKEND.rowDescription;
    if (head?.kind !== 'describe' && !(head?.kind === 'query' && isRows))
      throw unexpected(message, head);
    const isOfPortal = head.kind === 'describe' && head.portal !== undefined;
    if (!this.#state.inspection.results || (head.kind === 'describe' && !isOfPortal)) {
      if (head.kind === 'describe') this.#state.replies.pop();
      return 'as-is';
    }
    const id = this.#state.out.nextId();
    const held: Held = { id, message, entry: head };
    if (!isRows) {
      this.#setPlan(held, 'clear');
      return 'nothing';
    }
    this.#held = held;
    this.#flush();
    const columns = decodeRowDescription(message);
    this.#state.out.decide({ kind: 'result', id, columns, traces: this.#tracesOf(head) }, 'server');
    return 'nothing';
  }

  #tracesOf(entry: Expected): readonly Trace[] {
    const statement =
      entry.kind === 'query'
        ? entry.statement
        : entry.kind === 'describe'
          ? this.#state.statements.portal(entry.portal ?? '').statement
          : undefined;
    return statement?.trace === undefined ? [] : [statement.trace];
  }

  #setPlan(held: Held, plan: MaskingPlan | 'clear'): void {
    if (held.entry.kind !== 'describe') {
      this.#queryPlan = plan;
      this.#toClient.add(held.message);
      return;
    }
    this.#state.replies.pop();
    this.#state.statements.portal(held.entry.portal ?? '').plan = plan;
    // The client did not ask for the description that we put in (PG-40).
    if (held.entry.isInjected !== true) this.#toClient.add(held.message);
  }

  #onDataRow(size: number): boolean {
    const plan = this.#state.inspection.results ? this.#rowPlan() : 'clear';
    if (plan === 'clear') {
      this.#passRun(BACKEND.dataRow, size);
      return true;
    }
    if (!this.#buffer.gather(size, this.#state.options.rowSizeMax)) return false;
    this.#toClient.add(maskRows(this.#buffer, plan));
    return true;
  }

  #rowPlan(): MaskingPlan | 'clear' {
    const head = this.#state.replies.head;
    const plan =
      head?.kind === 'execute'
        ? this.#state.statements.portal(head.portal ?? '').plan
        : head?.kind === 'query'
          ? this.#queryPlan
          : undefined;
    if (plan !== undefined) return plan;
    // Rows whose columns nobody described cannot be masked, so they cannot pass.
    throw new ProtocolError('PG_ROW_WITHOUT_SHAPE', 'server', 'a row came without its description');
  }

  #onParameterStatus(message: Buffer): 'as-is' {
    const reader = readBody(message, 'server');
    const name = reader.cstring().toString('latin1');
    const value = reader.cstring().toString('latin1');
    if (name === 'client_encoding') {
      this.#state.clientEncoding = value.toUpperCase();
      if (this.#state.clientEncoding !== 'UTF8') this.#state.wasOtherEncoding = true;
    } else if (name === 'standard_conforming_strings') {
      this.#state.isStandardStrings = value === 'on';
      if (value !== 'on') this.#state.wasNonStandardStrings = true;
    }
    return 'as-is';
  }

  /** The client gets the upstream's own key, so that process ids agree (GW-1); nobody else does. */
  #onKeyData(message: Buffer): 'nothing' {
    const key = Buffer.from(message.subarray(HEADER_SIZE));
    const request = Buffer.concat([int32(8 + key.length), int32(CANCEL_REQUEST), key]);
    this.#state.out.note({ kind: 'cancel-key', key, request });
    this.#flush();
    this.#state.out.toClient(message, blankKey(message));
    return 'nothing';
  }

  /** The message of `size` bytes that comes next, and those of the same kind behind it. */
  #passRun(tag: number, size: number): void {
    this.#pass(size);
    if (this.#buffer.restSize > 0) return;
    const start = this.#buffer.offset;
    this.#buffer.passRun(tag);
    this.#toClient.addRange(this.#buffer.view, start, this.#buffer.offset);
  }

  #pass(size: number): void {
    const start = this.#buffer.offset;
    this.#buffer.pass(size);
    this.#toClient.addRange(this.#buffer.view, start, this.#buffer.offset);
  }

  #flush(): void {
    for (const bytes of this.#toClient.take()) this.#state.out.toClient(bytes);
  }
}

const KNOWN_TAGS = new Set<number>(Object.values(BACKEND));

const COMPLETES: Readonly<Record<number, Expected['kind']>> = {
  [BACKEND.parseComplete]: 'parse',
  [BACKEND.bindComplete]: 'bind',
  [BACKEND.closeComplete]: 'close',
};

function unexpected(message: Buffer | undefined, head: Expected | undefined): ProtocolError {
  const what = message === undefined ? 'a message' : `message type ${message[0]}`;
  return new ProtocolError(
    'PG_UNEXPECTED_MESSAGE',
    'server',
    `${what} came where ${head === undefined ? 'nothing' : `the answer to ${head.kind}`} was expected`,
  );
}
