/**
 * Collects chunks of one direction and walks its messages. Whole messages are gathered only where the
 * caller asks; everything else is passed over in place, so a 1 GB value is never held (GW-13).
 *
 * `view` is what is here; `offset` is how far it has been walked. The caller takes slices of `view`.
 */

import { ProtocolError } from '../errors.ts';
import type { Side } from '../contract.ts';
import { HEADER_SIZE, MESSAGE_LENGTH_MAX } from './message.ts';

const EMPTY = Buffer.alloc(0);
/** What sockets may still deliver after they were paused. */
const PAUSE_SLACK = 256 * 1024;

export class MessageBuffer {
  view: Buffer = EMPTY;
  offset = 0;
  /** Bytes of the message now passed over that have not come yet. */
  #passing = 0;
  /** Chunks that wait behind `view` until `#wanted` bytes are here. */
  #waiting: Buffer[] = [];
  #waitingSize = 0;
  #wanted = 0;
  readonly #from: Side;

  constructor(from: Side) {
    this.#from = from;
  }

  /** Only after everything walked so far was taken: slices of the old `view` stay valid. */
  push(chunk: Buffer): void {
    const left = this.view.length - this.offset;
    if (left === 0 && this.#waitingSize === 0) {
      this.view = chunk;
      this.offset = 0;
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingSize += chunk.length;
    // A large message in small chunks is joined once it is whole, not at every chunk.
    if (left + this.#waitingSize < this.#wanted) return;
    this.#join();
  }

  /** The tag of the next message once its header is here; undefined: more bytes are needed. */
  peekTag(): number | undefined {
    // A header that is here already is no reason to join the chunks behind it.
    if (this.view.length - this.offset < HEADER_SIZE) this.#joinIfEnough(HEADER_SIZE);
    if (this.view.length - this.offset < HEADER_SIZE) return undefined;
    return this.view[this.offset];
  }

  /** Size of the next message, header included. Only after `peekTag` gave a tag. */
  peekSize(): number {
    const length = this.view.readInt32BE(this.offset + 1);
    if (length < 4 || length > MESSAGE_LENGTH_MAX) {
      throw new ProtocolError(
        'PG_MESSAGE_LENGTH',
        this.#from,
        `message length ${length} is outside of 4 to ${MESSAGE_LENGTH_MAX}`,
      );
    }
    return length + 1;
  }

  /** True once the next `size` bytes are in `view`; false: wait. Over `sizeMax` nothing is gathered. */
  gather(size: number, sizeMax: number): boolean {
    if (size > sizeMax) {
      throw new ProtocolError(
        'PG_MESSAGE_TOO_LARGE',
        this.#from,
        `a message of ${size} bytes has to be held whole, and the limit is ${sizeMax}`,
      );
    }
    if (this.view.length - this.offset >= size) return true;
    this.#joinIfEnough(size);
    if (this.view.length - this.offset >= size) return true;
    this.#wanted = size;
    return false;
  }

  /** To be called while nothing is walked: what waits here must not grow without limit. */
  refuseHeldAbove(sizeMax: number): void {
    const held = this.view.length - this.offset + this.#waitingSize;
    if (held <= sizeMax + PAUSE_SLACK) return;
    throw new ProtocolError(
      'PG_HELD_SIZE',
      this.#from,
      `${held} bytes wait behind a decision, and the limit is ${sizeMax}`,
    );
  }

  /** Passes over a message of `size` bytes; those that have not come yet follow with `passRest`. */
  pass(size: number): void {
    const here = Math.min(size, this.view.length - this.offset);
    this.offset += here;
    this.#passing = size - here;
  }

  /**
   * Passes over messages of one tag that are here whole, in one go: large results are runs of them, and
   * a step for each would cost more than all the rest. What is odd is left for the caller to look at.
   */
  passRun(tag: number): void {
    const { view } = this;
    let offset = this.offset;
    while (offset + HEADER_SIZE <= view.length && view[offset] === tag) {
      const next = offset + 1 + view.readInt32BE(offset + 1);
      if (next < offset + HEADER_SIZE || next > view.length) break;
      offset = next;
    }
    this.offset = offset;
  }

  /** Size of what is still to come of a passed message; what is here of it is in `view`. */
  get restSize(): number {
    if (this.#passing > 0) this.#joinIfEnough(1);
    return this.#passing;
  }

  #joinIfEnough(size: number): void {
    if (this.#waitingSize > 0 && this.view.length - this.offset + this.#waitingSize >= size) {
      this.#join();
    }
  }

  #join(): void {
    this.view = Buffer.concat([this.view.subarray(this.offset), ...this.#waiting]);
    this.offset = 0;
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#wanted = 0;
  }
}
