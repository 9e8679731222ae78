/**
 * The answers that the server still owes, in order: one entry for each frontend message that has one.
 * It follows the server's own rules for errors and COPY, so that an answer is never taken for that of
 * another message (PG-28, PG-29, PG-31, PG-50).
 */

import { ProtocolError } from '../errors.ts';
import type { Refusal } from './refusal.ts';
import type { Statement } from './statements.ts';

export type Expected =
  /** Start-up: everything up to the first ReadyForQuery. */
  | { readonly kind: 'start' }
  | { readonly kind: 'query'; readonly refusal?: Refusal; readonly statement?: Statement }
  | {
      readonly kind: 'parse';
      readonly refusal?: Refusal;
      readonly name?: string;
      readonly statement?: Statement;
    }
  | { readonly kind: 'bind'; readonly portal?: string; readonly name?: string }
  | { readonly kind: 'describe'; readonly portal?: string; readonly isInjected?: boolean }
  | { readonly kind: 'execute'; readonly portal?: string }
  | { readonly kind: 'close'; readonly portal?: string; readonly name?: string }
  | { readonly kind: 'call'; readonly refusal?: Refusal }
  | { readonly kind: 'sync' }
  /** CopyDone or CopyFail: has no answer of its own, but ends what a COPY FROM swallows (PG-50). */
  | { readonly kind: 'copy-end' };

/** Entries without content, shared, so that the common message costs no object. */
export const EXPECT_SYNC: Expected = { kind: 'sync' };
export const EXPECT_BIND: Expected = { kind: 'bind' };
export const EXPECT_DESCRIBE: Expected = { kind: 'describe' };
export const EXPECT_EXECUTE: Expected = { kind: 'execute' };
export const EXPECT_CLOSE: Expected = { kind: 'close' };
export const EXPECT_PARSE: Expected = { kind: 'parse' };
export const EXPECT_QUERY: Expected = { kind: 'query' };
export const EXPECT_CALL: Expected = { kind: 'call' };
const EXPECT_COPY_END: Expected = { kind: 'copy-end' };

/** Unanswered messages of one client: a pipeline longer than this is an attack on our memory. */
export const REPLIES_MAX = 1_000_000;
/** How many answered entries are kept before the array is cut. */
const COMPACT_AT = 1024;

export class Replies {
  #entries: Expected[] = [{ kind: 'start' }];
  #head = 0;
  /**
   * The server drops messages up to the next Sync (PG-28), and none of those has been sent yet.
   * 'perhaps': unless it answers a Sync that was sent into a COPY FROM.
   */
  #isSkipping: boolean | 'perhaps' = false;
  /** The COPY FROM of the head: 'ended' once something was sent that ends it. */
  #copy: 'none' | 'open' | 'ended' = 'none';
  /** Syncs sent into that COPY: ignored if the server reads them before the COPY is over (PG-50). */
  #copySyncs = 0;
  /** How many ReadyForQuery may come for such Syncs, now that the COPY has failed at an unknown place. */
  #spareReadys = 0;
  /** The same for when the failed Query has had its own. */
  #spareReadysNext = 0;

  get head(): Expected | undefined {
    return this.#entries[this.#head];
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** A frontend message with an answer goes to the server now. */
  expect(entry: Expected): void {
    if (entry.kind === 'sync') {
      // What the server drops is never answered; only a Sync ends it.
      this.#isSkipping = false;
      if (this.#copy === 'open') this.#copySyncs++;
      else this.#entries.push(entry);
      return;
    }
    if (this.#isSkipping === 'perhaps') throw afterFailedCopy();
    if (this.#isSkipping) return;
    if (this.#copy === 'open') this.#copy = 'ended';
    this.#entries.push(entry);
  }

  /** CopyDone or CopyFail goes to the server now. */
  expectCopyEnd(): void {
    if (this.#isSkipping !== false) return;
    // With the COPY open this ends what it swallows; before its CopyInResponse it marks that place.
    if (this.#copy === 'open') this.#copy = 'ended';
    else if (this.size > 0) this.#entries.push(EXPECT_COPY_END);
  }

  /** The head has been answered. */
  pop(): void {
    this.#spareReadys = 0;
    this.#advance();
  }

  /** A ReadyForQuery came. False: none was owed. */
  onReady(): boolean {
    const head = this.head;
    if (this.#spareReadys > 0 && head?.kind !== 'sync') {
      this.#spareReadys--;
      this.#isSkipping = false;
      return true;
    }
    if (head === undefined || !isEndedByReady(head)) return false;
    this.#advance();
    this.#spareReadys += this.#spareReadysNext;
    this.#spareReadysNext = 0;
    return true;
  }

  /**
   * An ErrorResponse came. In a simple query or a function call ReadyForQuery still follows; in the
   * extended protocol the server now drops everything up to the next Sync.
   */
  onError(): void {
    const spare = this.#copySyncs;
    this.onAnswer();
    const head = this.head;
    if (head === undefined) return;
    if (isEndedByReady(head)) {
      this.#spareReadysNext = spare;
      return;
    }
    let dropped = -1;
    for (; this.head !== undefined && this.head.kind !== 'sync'; dropped++) this.#advance();
    // Whether these were answered or dropped depends on where the COPY failed, which is not told.
    if (spare > 0 && dropped > 0) throw afterFailedCopy();
    this.#spareReadys = spare;
    if (this.head === undefined) this.#isSkipping = spare > 0 ? 'perhaps' : true;
  }

  /** CopyInResponse came: Syncs that are already behind it will not be answered (PG-50). */
  onCopyIn(): void {
    this.onAnswer();
    const index = this.#head + 1;
    while (this.#entries[index + this.#copySyncs]?.kind === 'sync') this.#copySyncs++;
    const isEnded = this.#entries[index + this.#copySyncs]?.kind === 'copy-end';
    this.#entries.splice(index, this.#copySyncs + (isEnded ? 1 : 0));
    this.#copy = isEnded || this.#entries[index] !== undefined ? 'ended' : 'open';
  }

  /** The head has got an answer: a COPY FROM before it is over, and so is what may come for its Syncs. */
  onAnswer(): void {
    this.#copy = 'none';
    this.#copySyncs = 0;
    this.#spareReadys = 0;
  }

  #advance(): void {
    this.#head++;
    while (this.#entries[this.#head]?.kind === 'copy-end') this.#head++;
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

function afterFailedCopy(): ProtocolError {
  return new ProtocolError(
    'PG_COPY_SYNC',
    'client',
    'a message other than Sync follows a COPY that failed with Syncs inside, so its answer could not be told',
  );
}

/** True for what ends with a ReadyForQuery of its own. */
function isEndedByReady(entry: Expected): boolean {
  return (
    entry.kind === 'query' ||
    entry.kind === 'sync' ||
    entry.kind === 'call' ||
    entry.kind === 'start'
  );
}
