/**
 * The answers that the server still owes, in order: one entry for each frontend message that has one.
 * It follows the server's own rules for errors and COPY, so that an answer is never taken for that of
 * another message (PG-28, PG-29, PG-31, PG-50).
 */

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
  /** The server drops messages up to the next Sync (PG-28), and none of those has been sent yet. */
  #isSkipping = false;
  #isCopyIn = false;

  get head(): Expected | undefined {
    return this.#entries[this.#head];
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** A frontend message with an answer goes to the server now. */
  expect(entry: Expected): void {
    if (this.#isSkipping) {
      // What the server drops is never answered; only a Sync ends it.
      if (entry.kind !== 'sync') return;
      this.#isSkipping = false;
    } else if (this.#isCopyIn && entry.kind === 'sync') {
      return; // Ignored by the server between CopyInResponse and the end of the COPY (PG-50).
    }
    this.#entries.push(entry);
  }

  /** CopyDone or CopyFail goes to the server now. */
  expectCopyEnd(): void {
    if (this.#isSkipping) return;
    // With the COPY open this ends what it swallows; before its CopyInResponse it marks that place.
    if (this.#isCopyIn) this.#isCopyIn = false;
    else if (this.size > 0) this.#entries.push(EXPECT_COPY_END);
  }

  /** The head has been answered. */
  pop(): void {
    this.#head++;
    this.#dropCopyEnds();
    if (this.#head < COMPACT_AT || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /**
   * An ErrorResponse came. In a simple query or a function call ReadyForQuery still follows; in the
   * extended protocol the server now drops everything up to the next Sync.
   */
  onError(): void {
    this.#isCopyIn = false;
    const head = this.head;
    if (head === undefined || isEndedByReady(head)) return;
    while (this.head !== undefined && this.head.kind !== 'sync') this.pop();
    this.#isSkipping = this.head === undefined;
  }

  /** CopyInResponse came: Syncs that are already behind it will not be answered (PG-50). */
  onCopyIn(): void {
    const index = this.#head + 1;
    while (this.#entries[index]?.kind === 'sync') this.#entries.splice(index, 1);
    const isEnded = this.#entries[index]?.kind === 'copy-end';
    if (isEnded) this.#entries.splice(index, 1);
    this.#isCopyIn = !isEnded && this.#entries[index] === undefined;
  }

  /** The COPY FROM has been taken to its end, or the statement has. */
  onCopyEnded(): void {
    this.#isCopyIn = false;
  }

  #dropCopyEnds(): void {
    while (this.#entries[this.#head]?.kind === 'copy-end') this.#head++;
  }
}

/** True for what ends with a ReadyForQuery of its own. */
export function isEndedByReady(entry: Expected): boolean {
  return (
    entry.kind === 'query' ||
    entry.kind === 'sync' ||
    entry.kind === 'call' ||
    entry.kind === 'start'
  );
}
