/**
 * What goes to the server, in its order. With durability = "synced" it waits until what asked for it is on the
 * disk; otherwise it goes at the end of the turn that made it.
 */

import type { ToServer } from './exchange-legs.ts';

export interface OutboxParts {
  /** Undefined: nothing to wait for. */
  readonly synced: () => Promise<void> | undefined;
  readonly forward: (command: ToServer) => void;
  /** Clients wait meanwhile, so that what is held here stays small. */
  readonly onWaiting: (isWaiting: boolean) => void;
  readonly onFailed: (error: unknown) => void;
}

export class Outbox {
  readonly #parts: OutboxParts;
  #commands: ToServer[] = [];
  #isSyncing = false;
  #isStopped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  get isWaiting(): boolean {
    return this.#isSyncing;
  }

  push(command: ToServer): void {
    this.#commands.push(command);
  }

  /** Nothing is forwarded any more. */
  stop(): void {
    this.#isStopped = true;
    this.#commands = [];
  }

  flush(): void {
    if (this.#isSyncing || this.#commands.length === 0) return;
    const synced = this.#parts.synced();
    if (synced === undefined) {
      this.#forward(this.#commands.length);
      return;
    }
    // What comes meanwhile waits for a flush of its own.
    const due = this.#commands.length;
    this.#isSyncing = true;
    this.#parts.onWaiting(true);
    void synced.then(
      () => this.#onSynced(due),
      (error: unknown) => this.#parts.onFailed(error),
    );
  }

  #onSynced(due: number): void {
    this.#isSyncing = false;
    try {
      this.#forward(due);
      this.flush();
    } catch (error) {
      this.#parts.onFailed(error);
      return;
    }
    if (!this.#isSyncing) this.#parts.onWaiting(false);
  }

  #forward(count: number): void {
    if (this.#isStopped) return;
    for (const command of this.#commands.splice(0, count)) this.#parts.forward(command);
  }
}
