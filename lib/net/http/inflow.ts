/**
 * Pieces of a body, gathered over one turn of the event loop: each costs an event, a frame of the recording
 * and a write, and HTTP/2 brings 350 kB in 22 of them. Nothing is told while it is paused.
 */
import type { HeaderList } from '../../../protocols/contract.ts';
import { BATCH_SIZE_MAX, LONE_SIZE_MIN } from './limits.ts';

export interface InflowEvents {
  readonly onBody: (bytes: Buffer) => void;
  readonly onEnded: (trailers: HeaderList) => void;
}

export class Inflow {
  readonly #events: InflowEvents;
  #chunks: Buffer[] = [];
  #size = 0;
  #trailers: HeaderList | undefined;
  #isPaused = false;
  #isScheduled = false;
  #isOver = false;

  constructor(events: InflowEvents) {
    this.#events = events;
  }

  push(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#isPaused) return;
    if (this.#size >= BATCH_SIZE_MAX || bytes.length >= LONE_SIZE_MIN) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#onTurn);
    }
  }

  end(trailers: HeaderList): void {
    this.#trailers = trailers;
    if (!this.#isPaused) this.#flush();
  }

  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    // In a turn of its own: whoever resumes may be in the middle of something.
    if (!isPaused && !this.#isScheduled && (this.#size > 0 || this.#trailers !== undefined)) {
      this.#isScheduled = true;
      setImmediate(this.#onTurn);
    }
  }

  /** What was not told by now never is. */
  stop(): void {
    this.#isOver = true;
    this.#chunks = [];
    this.#size = 0;
    this.#trailers = undefined;
  }

  readonly #onTurn = (): void => {
    this.#isScheduled = false;
    if (!this.#isPaused) this.#flush();
  };

  #flush(): void {
    if (this.#isOver) return;
    const chunks = this.#chunks;
    const [first] = chunks;
    if (first !== undefined) {
      const bytes = chunks.length === 1 ? first : Buffer.concat(chunks, this.#size);
      this.#chunks = [];
      this.#size = 0;
      this.#events.onBody(bytes);
    }
    // What was told may have paused or stopped it.
    if (this.#isPaused || this.#trailers === undefined) return;
    const trailers = this.#trailers;
    this.stop();
    this.#events.onEnded(trailers);
  }
}
