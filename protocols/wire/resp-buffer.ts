/**
 * Bytes that wait for the rest of their message. Chunks of one byte cost no more than big ones: the room
 * doubles. What was handed out before stays valid, since nothing is ever moved within a buffer.
 */

const NOTHING = Buffer.alloc(0);

export class RespBuffer {
  #bytes: Buffer = NOTHING;
  #end = 0;
  /** Only room that this buffer made itself may be written to: a chunk may be a view of a pool. */
  #isOwn = false;

  get size(): number {
    return this.#end;
  }

  /** All of it; valid also after later calls. */
  get bytes(): Buffer {
    return this.#end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#end);
  }

  add(chunk: Buffer): void {
    if (this.#end === 0) {
      this.#bytes = chunk;
      this.#end = chunk.length;
      this.#isOwn = false;
      return;
    }
    const size = this.#end + chunk.length;
    if (!this.#isOwn || size > this.#bytes.length) this.#grow(size);
    chunk.copy(this.#bytes, this.#end);
    this.#end = size;
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    if (count === 0) return;
    if (count >= this.#end) {
      this.#bytes = NOTHING;
      this.#end = 0;
      this.#isOwn = false;
      return;
    }
    this.#bytes = this.#bytes.subarray(count);
    this.#end -= count;
  }

  /** All of it, once. */
  take(): Buffer {
    const { bytes } = this;
    this.drop(this.#end);
    return bytes;
  }

  #grow(size: number): void {
    const room = Buffer.allocUnsafeSlow(Math.max(size, this.#end * 2));
    this.#bytes.copy(room, 0, 0, this.#end);
    this.#bytes = room;
    this.#isOwn = true;
  }
}
