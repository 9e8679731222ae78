/** What both directions of a session share: the answers that are owed, in order, and what is known of the server. */

import type { FieldMasks } from '../store.ts';
import type { RespNode } from '../wire/resp-value.ts';
import type { CommandSpec } from './command-table.ts';
import type { KnownCursor } from './read-search.ts';
import type { Applied } from './read-command.ts';
import type { Schema } from './schema.ts';

/** Answers owed before the client is read no further; below the second number it is read on. */
export const PENDING_MAX = 20_000;
export const PENDING_LOW = 10_000;
/** Channels and patterns of one client, whose names are held: as many as clients of Redis' own tests have. */
export const SUBSCRIPTIONS_MAX = 100_000;
/** Commands between MULTI and EXEC: what their answers are masked by is held. Bulk loads come in thousands. */
export const QUEUED_MAX = 200_000;
/** Open cursors that are remembered; the oldest go first, and then cannot be read under masks. */
const CURSORS_MAX = 1000;

export type Pending =
  /** Weir answers by itself, in the right place. */
  | { readonly kind: 'local'; readonly bytes: Buffer; readonly closes?: boolean }
  /** A refused command: the server got something in its place that fails. */
  | { readonly kind: 'poison'; readonly bytes: Buffer }
  /** A question of Weir's own. */
  | { readonly kind: 'own'; readonly onReply: (reply: RespNode | undefined, bytes: Buffer) => void }
  | PendingReply;

export interface PendingReply {
  readonly kind: 'reply';
  readonly spec: CommandSpec;
  readonly applied: Applied;
  /** Of (P|S)SUBSCRIBE and their opposites: how many were named; none: all. */
  readonly named: number;
  /** Confirmations that are still to come; undefined: none came yet. */
  left: number | undefined;
  /** HELLO: the version that it asks for. */
  readonly version: 2 | 3 | undefined;
}

export class RelayState {
  readonly pending: Pending[] = [];
  /** Protocol version of the answers that come now. */
  version: 2 | 3 = 2;
  /** As the client has it, ahead of the answers. */
  isInMulti = false;
  /** A command between MULTI and EXEC goes by an index. */
  hasQueuedIndex = false;
  /** As the server has said it. */
  isServerInMulti = false;
  readonly queued: PendingReply[] = [];
  /** By kind and name: under which masks its messages come. */
  readonly subscriptions = new Map<string, FieldMasks | undefined>();
  /** A command that changes what an index stands for is under way: the next one waits for it. */
  isChangingSchema = false;
  readonly schemas = new Map<string, Schema | undefined>();
  readonly #cursors = new Map<string, KnownCursor>();

  cursor(id: string): KnownCursor | undefined {
    return this.#cursors.get(id);
  }

  rememberCursor(id: string, cursor: KnownCursor): void {
    this.#cursors.set(id, cursor);
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size > CURSORS_MAX && oldest !== undefined) this.#cursors.delete(oldest);
  }

  /** Someone else asks from now on, who may not read what was opened before. */
  forgetCursors(): void {
    this.#cursors.clear();
  }

  countOf(kind: string): number {
    return [...this.subscriptions.keys()].filter((key) => key.startsWith(`${kind} `)).length;
  }

  /** RESET: as a connection that was just made. */
  reset(): void {
    this.version = 2;
    this.isServerInMulti = false;
    this.isChangingSchema = false;
    this.queued.length = 0;
    this.subscriptions.clear();
  }
}

/** SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites: answered by one message for each name. */
export function isSubscription({ name }: CommandSpec): boolean {
  return /^[ps]?(?:un)?subscribe$/.test(name);
}
