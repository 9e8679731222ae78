/**
 * One side's socket as the driver uses it: reading that can be paused for several reasons at once, and
 * writes gathered over one turn of the event loop's work. It knows nothing of protocols.
 */

import type { Duplex } from 'node:stream';

export type PauseReason = 'decision' | 'peer' | 'session' | 'sync';

export interface LegEvents {
  readonly onBytes: (bytes: Buffer) => void;
  /** `reason` undefined: the peer ended in order. Called at most twice: end, then close. */
  readonly onClosed: (reason: string | undefined) => void;
  readonly onDrain: () => void;
}

/** Up to this size several sends become one write: a copy is cheaper than a system call. */
const JOIN_SIZE_MAX = 64 * 1024;

export class Leg {
  #socket: Duplex;
  readonly #events: LegEvents;
  readonly #pauses = new Set<PauseReason>();
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #isFinished = false;
  #hasEnded = false;

  constructor(socket: Duplex, events: LegEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#listen();
  }

  get socket(): Duplex {
    return this.#socket;
  }

  /** Bytes written that the peer has not taken yet. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** How many sends wait for `flush`. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** The plain socket was wrapped by TLS; everything goes through that from now on. */
  replaceSocket(socket: Duplex): void {
    this.#socket = socket;
    this.#listen();
  }

  /** Stops listening to the socket, so that TLS can have its bytes. */
  detach(): void {
    this.#socket.removeListener('data', this.#onData);
    this.#socket.removeListener('end', this.#onEnd);
    this.#socket.removeListener('close', this.#onClose);
    this.#socket.removeListener('error', this.#onError);
    this.#socket.removeListener('drain', this.#events.onDrain);
    this.#socket.on('error', ignore);
  }

  pause(reason: PauseReason): void {
    if (this.#pauses.size === 0) this.#socket.pause();
    this.#pauses.add(reason);
  }

  resume(reason: PauseReason): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#socket.resume();
  }

  setPaused(reason: PauseReason, isPaused: boolean): void {
    if (isPaused) this.pause(reason);
    else this.resume(reason);
  }

  /** Keeps `bytes` until `flush`. */
  send(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingSize += bytes.length;
  }

  /** Drops what waits for `flush`. */
  discard(): void {
    this.#pending = [];
    this.#pendingSize = 0;
  }

  /** Writes the first `count` of what is pending. */
  flush(count = this.#pending.length): void {
    const pending = this.#pending.splice(0, count);
    if (pending.length === 0) return;
    const size = this.#pending.length === 0 ? this.#pendingSize : sizeOf(pending);
    this.#pendingSize -= size;
    if (this.#isFinished || this.#socket.destroyed) return;
    const [first] = pending;
    if (pending.length === 1 && first !== undefined) {
      this.#socket.write(first);
    } else if (size <= JOIN_SIZE_MAX) {
      this.#socket.write(Buffer.concat(pending, size));
    } else {
      this.#socket.cork();
      for (const bytes of pending) this.#socket.write(bytes);
      this.#socket.uncork();
    }
  }

  /** Sends what is pending and then the end; reading goes on. */
  finish(): void {
    this.flush();
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#isFinished = true;
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onClose);
    this.#socket.on('error', this.#onError);
    this.#socket.on('drain', this.#events.onDrain);
    if (this.#pauses.size > 0) this.#socket.pause();
  }

  readonly #onData = (bytes: Buffer): void => this.#events.onBytes(bytes);

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#events.onClosed(undefined);
  };

  readonly #onError = (error: Error): void => this.#events.onClosed(error.message);

  readonly #onClose = (): void => {
    if (!this.#hasEnded) this.#events.onClosed('the connection was closed');
  };
}

function sizeOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

function ignore(): void {
  // A socket whose bytes belong to TLS now reports its errors through TLS.
}
