/**
 * How long a client may take to say what it wants, so that slow ones do not keep a place from others
 * (slow-loris). One look in each period, no timer for each request. It only judges; the driver acts.
 */

export interface Progress {
  /** Requests that are under way, answers included. */
  readonly openCount: number;
  /** Requests that have come so far. */
  readonly requestCount: number;
  /** Numbers of those under way whose client has not said everything, and is not held by us. */
  readonly unfinished: readonly number[];
  /** Bytes that the client has sent so far. */
  readonly byteCount: number;
  /** A caller was let through: it is somebody's place, and only standing still is too slow. */
  readonly isKnown: boolean;
  /** HTTP/2 keeps itself alive with frames that ask for nothing. */
  readonly hasKeepAliveFrames: boolean;
}

export type Slowness = 'idle' | 'slow' | undefined;

const NOTHING: Progress = {
  openCount: 0,
  requestCount: 0,
  unfinished: [],
  byteCount: 0,
  isKnown: false,
  hasKeepAliveFrames: false,
};

export class Deadlines {
  #last: Progress = NOTHING;
  #partialHeads = 0;

  /** Called once in each period. `idle`: it asks for nothing; `slow`: it has begun and does not go on. */
  look(now: Progress): Slowness {
    const last = this.#last;
    this.#last = now;
    const hasMoved = now.byteCount !== last.byteCount;
    const isStale = now.unfinished.some((id) => last.unfinished.includes(id));
    if (isStale && (!now.isKnown || !hasMoved)) return 'slow';
    if (now.openCount > 0 || now.requestCount !== last.requestCount) {
      this.#partialHeads = 0;
      return undefined;
    }
    if (!now.isKnown) return hasMoved && now.requestCount > 0 ? 'slow' : 'idle';
    // Bytes and no request: a head that is not whole, if the next look finds the same.
    this.#partialHeads = hasMoved && !now.hasKeepAliveFrames ? this.#partialHeads + 1 : 0;
    return this.#partialHeads > 1 ? 'slow' : undefined;
  }
}
