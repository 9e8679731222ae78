/**
 * Gathers what goes out in one direction: ranges of received chunks as they are, and bytes of our own
 * between them. Neighbouring ranges of one chunk become one slice, so a chunk that nothing is changed
 * in leaves as one write.
 */

/** Up to this size several pieces are copied into one write; above it a copy costs more than a write. */
const JOIN_SIZE_MAX = 256 * 1024;

export class Outflow {
  #pieces: Buffer[] = [];
  #size = 0;
  #view: Buffer | undefined;
  #start = 0;
  #end = 0;

  /** The bytes of `view` from `start` up to `end`. */
  addRange(view: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.#view === view && this.#end === start) {
      this.#end = end;
      return;
    }
    this.#closeRange();
    this.#view = view;
    this.#start = start;
    this.#end = end;
  }

  add(bytes: Buffer): void {
    this.#closeRange();
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }

  /** Everything gathered since the last call, in order; usually one buffer. */
  take(): readonly Buffer[] {
    this.#closeRange();
    const pieces = this.#pieces;
    if (pieces.length === 0) return pieces;
    this.#pieces = [];
    const size = this.#size;
    this.#size = 0;
    return pieces.length > 1 && size <= JOIN_SIZE_MAX ? [Buffer.concat(pieces, size)] : pieces;
  }

  #closeRange(): void {
    if (this.#view === undefined) return;
    this.#pieces.push(
      this.#start === 0 && this.#end === this.#view.length
        ? this.#view
        : this.#view.subarray(this.#start, this.#end),
    );
    this.#size += this.#end - this.#start;
    this.#view = undefined;
  }
}
