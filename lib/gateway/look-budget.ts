/**
 * How often one principal's unknown names may send the gateway to the catalog before its time. Each look
 * reads the whole catalog and everybody on that database waits for it, so made-up names must not buy
 * one each. Who has spent the budget gets what the last look found, which is at most as old as a
 * catalog may be anyway.
 */

/** Far more than people who make tables past the gateway need, and a small load for any server. */
const LOOKS_MAX = 20;
const WINDOW_TIME = 5_000;

export class LookBudget {
  readonly #now: () => number;
  #startedAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** True, and one less is left; or false. */
  take(): boolean {
    const now = this.#now();
    if (now - this.#startedAt >= WINDOW_TIME) {
      this.#startedAt = now;
      this.#count = 0;
    }
    if (this.#count >= LOOKS_MAX) return false;
    this.#count += 1;
    return true;
  }
}
