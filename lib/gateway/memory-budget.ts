/**
 * Bytes that the sessions of this process hold together: whole requests and answers of stores, to be judged or
 * masked. Each session has a limit of its own; as many sessions as there may be, each at its limit, would be
 * more than any machine has. What a session took comes back when it is over, however it ended.
 */
import { totalmem } from 'node:os';

/** Enough for a few of the largest requests and answers, whatever the machine. Bytes. */
const BUDGET_MIN = 512 * 1024 * 1024;
/** The rest is for what is on its way: buffers of sockets, parsers, catalogs, other programs. */
const MEMORY_SHARE = 0.25;

export interface MemoryLease {
  /** False: all sessions together hold too much already. */
  take(size: number): boolean;
  give(size: number): void;
  /** Gives back what is left of it. */
  close(): void;
}

export class MemoryBudget {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  lease(): MemoryLease {
    let held = 0;
    let isClosed = false;
    const give = (size: number): void => {
      if (isClosed) return;
      held -= size;
      this.#taken -= size;
    };
    return {
      take: (size) => {
        if (isClosed || this.#taken + size > this.#max) return false;
        held += size;
        this.#taken += size;
        return true;
      },
      give,
      close: () => {
        give(held);
        isClosed = true;
      },
    };
  }
}

/** `sessionMax`: what one session may hold at most, which must fit in. Bytes. */
export function budgetOf(sessionMax: number): number {
  // 0: the process may use whatever the machine has.
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(BUDGET_MIN, sessionMax, Math.floor(memory * MEMORY_SHARE));
}
