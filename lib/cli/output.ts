/**
 * Where a command prints, and how it stops early: Ctrl-C, or a reader that has seen enough
 * (`bin/replay last | head`). Waits for a slow reader, so that nothing gathers in memory.
 */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface CommandIo {
  readonly stdout: CommandOutput;
  readonly stderr: { write(text: string): unknown };
}

/** `process.stdout`, or what a test puts in its place. */
export type CommandOutput = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** As shells count a program that SIGINT ended. */
export const EXIT_INTERRUPTED = 130;

export class Output {
  readonly #stdout: CommandOutput;
  readonly #stop = new AbortController();
  #isInterrupted = false;
  readonly #onInterrupt = (): void => {
    this.#isInterrupted = true;
    this.#stop.abort();
  };
  /** EPIPE and the like: whoever reads has gone, which is no error of ours. */
  readonly #onError = (): void => this.#stop.abort();

  constructor(io: CommandIo) {
    this.#stdout = io.stdout;
    io.stdout.on('error', this.#onError);
    process.once('SIGINT', this.#onInterrupt);
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Nothing more can or should be printed. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async print(text: string): Promise<void> {
    if (text === '' || this.isStopped) return;
    if (this.#stdout.write(text)) return;
    try {
      await once(this.#stdout, 'drain', { signal: this.#stop.signal });
    } catch {
      this.#stop.abort();
    }
  }

  /** Milliseconds; ends early when the output is stopped. */
  async pause(duration: number): Promise<void> {
    try {
      await sleep(duration, undefined, { signal: this.#stop.signal });
    } catch {
      this.#stop.abort();
    }
  }

  release(): void {
    process.removeListener('SIGINT', this.#onInterrupt);
    this.#stdout.removeListener('error', this.#onError);
  }
}
