/**
 * Prepared statements as the server has them, by the numbers that it gave (MY-23): entered when it says
 * that it made one, gone when the client closes it. Their number is bounded, and so is what their texts
 * take; what is not kept is unknown, which is the careful answer everywhere.
 */

import type { MaskingPlan, Reading, ResultColumn, Trace } from '../contract.ts';
import type { TextFacts } from './statement-text.ts';

/** The shape and masks of rows that COM_STMT_FETCH will bring (MY-24, MY-71). */
export interface Shape {
  readonly plan: MaskingPlan | 'clear';
  readonly columns: readonly ResultColumn[];
}

export interface Statement {
  /** Undefined: not inspected. */
  readonly text: string | undefined;
  readonly reading: Reading | undefined;
  readonly facts: TextFacts;
  /** Its text sets a password or the like, so its parameters do not belong in a recording (GW-16). */
  hasSecret: boolean;
  isSensitive: boolean;
  trace: Trace | undefined;
  /** Rows that may still be fetched; undefined: there is no cursor that we saw. */
  cursor: Shape | undefined;
}

/** Statements that one client may keep; each costs it one in the server as well (max_prepared_stmt_count). */
const STATEMENTS_MAX = 20_000;
/** Characters of all their texts together. */
const TEXTS_SIZE_MAX = 32 * 1024 * 1024;
/** MariaDB: the statement that was prepared last (MY-22). */
export const LAST_STATEMENT = 0xffff_ffff;

export class Statements {
  readonly #byId = new Map<number, Statement>();
  #lastId: number | undefined;
  #textsSize = 0;

  find(id: number): Statement | undefined {
    return this.#byId.get(this.#realId(id));
  }

  /** Undefined where the limits are reached: then nothing is known of it. */
  add(id: number, statement: Statement): void {
    this.#remove(id);
    this.#lastId = id;
    const size = statement.text?.length ?? 0;
    if (this.#byId.size >= STATEMENTS_MAX || this.#textsSize + size > TEXTS_SIZE_MAX) return;
    this.#byId.set(id, statement);
    this.#textsSize += size;
  }

  /** The server failed to prepare one: then -1 names none. */
  onFailed(): void {
    this.#lastId = undefined;
  }

  close(id: number): void {
    const real = this.#realId(id);
    this.#remove(real);
    if (real === this.#lastId) this.#lastId = undefined;
  }

  /** COM_RESET_CONNECTION and COM_CHANGE_USER take all of them away. */
  clear(): void {
    this.#byId.clear();
    this.#lastId = undefined;
    this.#textsSize = 0;
  }

  get size(): number {
    return this.#byId.size;
  }

  #realId(id: number): number {
    return id === LAST_STATEMENT ? (this.#lastId ?? id) : id;
  }

  #remove(id: number): void {
    this.#textsSize -= this.#byId.get(id)?.text?.length ?? 0;
    this.#byId.delete(id);
  }
}
