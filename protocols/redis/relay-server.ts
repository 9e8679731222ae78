/**
 * The server's answers: each belongs to the oldest command that has none, messages of channels and other pushes
 * come between. What nothing is changed in streams through; the rest is held up to a limit, masked and recorded
 * as the client sees it.
 */

import type { SessionOptions } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { RespBuffer } from '../wire/resp-buffer.ts';
import { RespSkimmer } from '../wire/resp-skim.ts';
import { encodeError, readReply, type RespNode, spliceReply } from '../wire/resp-value.ts';
import { itemsOf, textOf } from './answers.ts';
import { hidingFields, ReplyMasker, VALUE } from './masking.ts';
import type { Outbox } from './outbox.ts';
import {
  isSubscription,
  type Pending,
  type PendingReply,
  QUEUED_MAX,
  type RelayState,
  SUBSCRIPTIONS_MAX,
} from './relay-state.ts';
import { shownAnswer } from './secrets.ts';

const PUSH = 0x3e;
const ERROR = 0x2d;
const MESSAGES = new Set(['message', 'pmessage', 'smessage']);

type Mode = 'stream' | 'hold' | 'swallow';

export class ServerRelay {
  readonly #out: Outbox;
  readonly #state: RelayState;
  readonly #options: SessionOptions;
  readonly #skimmer = new RespSkimmer();
  readonly #held = new RespBuffer();
  #mode: Mode = 'stream';
  #isPush = false;

  constructor(out: Outbox, state: RelayState, options: SessionOptions) {
    this.#out = out;
    this.#state = state;
    this.#options = options;
  }

  /** The client has got a part of an answer. */
  get isMidAnswer(): boolean {
    return this.#skimmer.isInFrame && this.#mode === 'stream';
  }

  onBytes(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#out.isClosing) {
      if (!this.#skimmer.isInFrame) this.#begin(chunk[at] ?? 0);
      const end = this.#skimmer.skim(chunk, at);
      const stop = end ?? chunk.length;
      if (this.#mode === 'stream') this.#out.pass(chunk, at, stop);
      else if (this.#mode === 'hold') this.#hold(chunk.subarray(at, stop));
      at = stop;
      if (end !== undefined) this.#finish();
    }
  }

  /** Answers of Weir's own whose turn has come. */
  flushLocal(): void {
    const { pending } = this.#state;
    for (let head = pending[0]; head?.kind === 'local'; head = pending[0]) {
      pending.shift();
      this.#out.answer(head.bytes);
      if (head.closes === true) this.#out.close();
    }
  }

  #begin(first: number): void {
    this.#isPush = first === PUSH;
    const [head] = this.#state.pending;
    const isSubscribed = this.#state.subscriptions.size > 0;
    if (head === undefined && !this.#isPush && !isSubscribed) {
      throw new ProtocolError('REDIS_UNASKED', 'server', 'an answer came that nobody asked for');
    }
    const isHeld = this.#isPush || isSubscribed || this.#mustHold(head, first);
    this.#mode = isHeld ? 'hold' : 'stream';
  }

  #mustHold(head: Pending | undefined, first: number): boolean {
    if (head?.kind !== 'reply') return true;
    const { spec, applied } = head;
    const { isServerInMulti, queued } = this.#state;
    if (spec.name === 'exec') return first === ERROR || queued.some(isWatched);
    return isServerInMulti ||
      isWatched(head) ||
      isSubscription(spec) ||
      applied.answer !== undefined
      ? true
      : CHANGING.has(spec.name);
  }

  #hold(bytes: Buffer): void {
    if (this.#held.size + bytes.length <= this.#options.rowSizeMax) {
      this.#held.add(bytes);
      return;
    }
    if (this.#isPush) throw new ProtocolError('REDIS_PUSH_SIZE', 'server', 'a message is too long');
    this.#held.take();
    this.#mode = 'swallow';
  }

  #finish(): void {
    const bytes = this.#held.take();
    if (this.#mode === 'hold') {
      const node = readReply(bytes);
      if (!this.#onMessage(bytes, node)) this.#onReply(bytes, node);
    } else {
      this.#onUnread();
    }
    this.flushLocal();
  }

  /** Streamed through, or too long to be held. */
  #onUnread(): void {
    const { pending } = this.#state;
    const head = pending.shift();
    if (head?.kind === 'reply' && head.spec.name === 'exec') this.#endMulti();
    if (head?.kind === 'reply' && head.spec.marks.has('schema')) this.#onSchemaChanged();
    if (this.#mode !== 'swallow') return;
    if (head?.kind === 'own') head.onReply(undefined, Buffer.alloc(0));
    else
      this.#out.answer(
        encodeError(
          'ERR',
          `Weir cannot mask an answer of more than ${this.#options.rowSizeMax} bytes`,
        ),
      );
  }

  /** True: it is no answer to a command, or one of several to a subscription. */
  #onMessage(bytes: Buffer, node: RespNode): boolean {
    const [head] = this.#state.pending;
    // In RESP3 messages are pushes. In RESP2 one who is subscribed gets no lists but messages and `pong`.
    const { subscriptions, version } = this.#state;
    const isSubscribed = subscriptions.size > 0 || isOwnSubscription(head);
    const mayBe = this.#isPush || (version === 2 && isSubscribed);
    if (!mayBe || node.kind !== 'list') return this.#isPush;
    const kind = textOf(node.items[0]).toLowerCase();
    if (MESSAGES.has(kind)) this.#onChannelMessage(bytes, node.items);
    else if (/^[ps]?(?:un)?subscribe$/.test(kind)) this.#onConfirmation(bytes, kind, node.items);
    else if (this.#isPush) this.#out.toClient(bytes);
    else return false;
    return true;
  }

  #onChannelMessage(bytes: Buffer, items: readonly RespNode[]): void {
    const kind = textOf(items[0]).replace('message', 'subscribe');
    const masks = this.#state.subscriptions.get(subscriptionKey(kind, items[1]));
    const payload = items.at(-1);
    if (masks === undefined || payload === undefined) {
      this.#out.toClient(bytes);
      return;
    }
    const masker = new ReplyMasker(masks, this.#state.version);
    masker.value(payload, VALUE, []);
    this.#out.toClient(spliceReply(bytes, masker.edits));
  }

  #onConfirmation(bytes: Buffer, kind: string, items: readonly RespNode[]): void {
    const { subscriptions, pending } = this.#state;
    const [head] = pending;
    const isAsked = isOwnSubscription(head) && head.spec.name === kind;
    const isEnd = kind.includes('un');
    const base = kind.replace('un', '');
    if (isAsked) {
      head.left ??= head.named > 0 ? head.named : Math.max(1, this.#state.countOf(base));
      head.left -= 1;
      if (head.left === 0) pending.shift();
    }
    const key = subscriptionKey(base, items[1]);
    if (isEnd) subscriptions.delete(key);
    else if (isAsked) subscriptions.set(key, head.applied.masks);
    if (subscriptions.size > SUBSCRIPTIONS_MAX) throw tooMany('channels');
    this.#out.toClient(bytes);
  }

  #onReply(bytes: Buffer, node: RespNode): void {
    const head = this.#state.pending.shift();
    if (head === undefined) {
      throw new ProtocolError('REDIS_UNASKED', 'server', 'an answer came that nobody asked for');
    }
    switch (head.kind) {
      case 'own':
        head.onReply(node, bytes);
        break;
      case 'poison':
      case 'local':
        this.#out.answer(head.bytes);
        break;
      case 'reply':
        this.#follow(head, node);
        this.#mask(head, bytes, node);
    }
  }

  /** What the answer says of the state of the server. */
  #follow(head: PendingReply, node: RespNode): void {
    const state = this.#state;
    const { name, marks } = head.spec;
    const isError = node.kind === 'error';
    if (name === 'multi' && !isError) state.isServerInMulti = true;
    else if (name === 'discard' && !isError) this.#endMulti();
    else if (name === 'reset' && !isError) state.reset();
    else if (name === 'hello' && !isError) state.version = head.version ?? state.version;
    if (marks.has('schema')) this.#onSchemaChanged();
  }

  #onSchemaChanged(): void {
    this.#state.schemas.clear();
    this.#state.isChangingSchema = false;
    this.#out.note({ kind: 'schema-changed' });
  }

  #endMulti(): void {
    this.#state.isServerInMulti = false;
    this.#state.queued.length = 0;
  }

  #mask(head: PendingReply, bytes: Buffer, node: RespNode): void {
    const isQueued =
      node.kind === 'text' && node.isStatus && node.bytes.toString('latin1') === 'QUEUED';
    if (head.spec.name === 'exec') {
      this.#maskExec(bytes, node);
    } else if (isQueued && (this.#state.isServerInMulti || !head.spec.marks.has('code'))) {
      this.#state.isServerInMulti = true;
      this.#state.queued.push(head);
      if (this.#state.queued.length > QUEUED_MAX) throw tooMany('commands between MULTI and EXEC');
      this.#out.toClient(bytes);
    } else {
      this.#send(bytes, node, [[head, node]]);
    }
  }

  /** One item for each queued command; where that is not so, nobody can say what is what. */
  #maskExec(bytes: Buffer, node: RespNode): void {
    const queued = [...this.#state.queued];
    if (node.kind === 'error') {
      const text = node.bytes.toString('latin1');
      if (/^(?:EXECABORT|ERR EXEC without)/.test(text)) this.#endMulti();
      this.#out.toClient(bytes);
      return;
    }
    this.#endMulti();
    const items = itemsOf(node);
    if (node.kind !== 'null' && items.length !== queued.length) {
      this.#out.answer(
        encodeError('ERR', 'Weir cannot tell which answer of EXEC is of which command'),
      );
      return;
    }
    const parts = queued.flatMap((head, index): [PendingReply, RespNode][] => {
      const item = items[index];
      return item === undefined ? [] : [[head, item]];
    });
    for (const [head, item] of parts) this.#follow(head, item);
    this.#send(bytes, node, parts);
  }

  /** `parts`: the command that each part of the answer is of. */
  #send(
    bytes: Buffer,
    node: RespNode,
    parts: readonly (readonly [PendingReply, RespNode])[],
  ): void {
    const edits = parts.flatMap(([head, part]) => this.#editsOf(head, part));
    for (const attribute of node.attributes ?? []) {
      // Attributes speak of the answer in no form that anyone knows: none of their strings while masks hold.
      if (edits.length > 0)
        edits.push({ start: attribute.start, end: attribute.end, bytes: Buffer.from('_\r\n') });
    }
    const masked = spliceReply(bytes, edits);
    const isSecret = parts.some(([{ spec }]) => spec.marks.has('secretAnswer'));
    if (isSecret) this.#out.toClient(masked, shownAnswer(masked, readReply(masked)));
    else this.#out.toClient(masked);
  }

  #editsOf({ applied }: PendingReply, node: RespNode) {
    const { answer, masks, hidden, vectors, opensCursor } = applied;
    if (opensCursor !== undefined) {
      const id = itemsOf(node)[1];
      if (id?.kind === 'number') this.#state.rememberCursor(id.text, opensCursor);
    }
    const all = hidden === undefined ? masks : hidingFields(masks, hidden);
    if (answer === undefined || all === undefined) return [];
    const masker = new ReplyMasker(all, this.#state.version, vectors);
    answer(node, masker);
    return [...masker.edits];
  }
}

/** It comes in the middle of the server's bytes, which nobody reads on: so it ends the session at once. */
function tooMany(what: string): ProtocolError {
  return new ProtocolError('REDIS_TOO_MANY', 'server', `too many ${what}`);
}

/** Byte for byte: two channels must never be one here. */
function subscriptionKey(kind: string, name: RespNode | undefined): string {
  return `${kind} ${name?.kind === 'text' ? name.bytes.toString('latin1') : ''}`;
}

/** Commands whose answer changes what the next ones mean. */
const CHANGING = new Set(['multi', 'discard', 'reset', 'hello']);

function isWatched({ applied, spec }: PendingReply): boolean {
  const isChanged = applied.answer !== undefined || applied.opensCursor !== undefined;
  return (
    isChanged ||
    spec.marks.has('secretAnswer') ||
    spec.marks.has('schema') ||
    CHANGING.has(spec.name)
  );
}

function isOwnSubscription(head: Pending | undefined): head is PendingReply {
  return head?.kind === 'reply' && isSubscription(head.spec);
}
