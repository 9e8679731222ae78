/**
 * The half of an exchange whose connection is being made: what is said to it waits, and it counts as full, so
 * that a body waits with its sender.
 */
import type { HeaderList } from '../../../protocols/contract.ts';
import type { Half } from './half.ts';

export class LateHalf implements Half {
  #half: Half | undefined;
  #waiting: Buffer[] = [];
  #trailers: HeaderList | undefined;
  #isPaused = false;
  #isAbandoned = false;

  get isFull(): boolean {
    return this.#half?.isFull ?? this.#waiting.length > 0;
  }

  get queuedSize(): number {
    return this.#half?.queuedSize ?? this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  /** Nobody wants it any more. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Whoever waits for a drain must be told by the caller. */
  become(half: Half): void {
    this.#half = half;
    if (this.#isPaused) half.setPaused(true);
    for (const bytes of this.#waiting) half.send(bytes);
    this.#waiting = [];
    if (this.#trailers !== undefined) half.end(this.#trailers);
  }

  send(bytes: Buffer): void {
    if (this.#half !== undefined) this.#half.send(bytes);
    else if (!this.#isAbandoned) this.#waiting.push(bytes);
  }

  end(trailers: HeaderList): void {
    if (this.#half === undefined) this.#trailers = trailers;
    else this.#half.end(trailers);
  }

  abandon(code: number): void {
    this.#isAbandoned = true;
    this.#waiting = [];
    this.#half?.abandon(code);
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#half?.setPaused(isPaused);
  }
}
