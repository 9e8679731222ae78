/**
 * Cuts one direction of a recorded PostgreSQL session into messages, however the bytes were cut
 * when they were recorded. Of a long message only its head is kept. This reads recordings for
 * people; the gateway's own framing, which decides, is protocols/postgres and shares nothing with it.
 */

/** Kept of each message; the rest is counted and dropped, so a 1 GB value costs this much. */
export const HEAD_SIZE_MAX: number = 256 * 1024;
/** The server's own limit on a message is 1 GB; more means that we are not at a message. */
const MESSAGE_SIZE_MAX = 0x4000_0000;
const TYPED_HEADER_SIZE = 5;
const UNTYPED_HEADER_SIZE = 4;
/** As PostgreSQL: MAX_STARTUP_PACKET_LENGTH in src/include/libpq/pqcomm.h, plus the length itself. */
const STARTUP_SIZE_MAX = 10_004;
const LENGTH_SIZE = 4;

export interface SplitMessage {
  /** The type letter; undefined for the messages before the start-up, which have none. */
  readonly type: string | undefined;
  /** The body, or its head; valid until the next call. */
  readonly body: Buffer;
  /** Of the whole body, bytes. */
  readonly size: number;
  readonly by: 'gateway' | undefined;
}

export class MessageSplitter {
  /** While set, messages have no type letter. The view clears it at the start-up message. */
  isUntyped: boolean;
  readonly #header = Buffer.alloc(TYPED_HEADER_SIZE);
  #headerFilled = 0;
  #type: string | undefined;
  #size = 0;
  #left = 0;
  #isInBody = false;
  #head: Buffer | undefined;
  #headFilled = 0;
  #by: 'gateway' | undefined;
  #problem: string | undefined;

  constructor(isUntyped: boolean) {
    this.isUntyped = isUntyped;
  }

  /** Set once and for good: the bytes cannot be followed. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get heldSize(): number {
    return this.#head?.length ?? 0;
  }

  /** True between two messages. */
  get isAtBoundary(): boolean {
    return !this.#isInBody && this.#headerFilled === 0;
  }

  /** Gives the offset behind the message, or undefined when `bytes` ends within it. */
  next(
    bytes: Buffer,
    offset: number,
    by: 'gateway' | undefined,
  ): { message: SplitMessage; offset: number } | undefined {
    let position = offset;
    if (!this.#isInBody) {
      if (this.#headerFilled === 0) this.#by = by;
      position = this.#readHeader(bytes, position);
      if (!this.#isInBody) return undefined;
    }
    const available = Math.min(this.#left, bytes.length - position);
    const isWhole = available === this.#size;
    if (isWhole && this.#size <= HEAD_SIZE_MAX) {
      const body = bytes.subarray(position, position + available);
      return { message: this.#finish(body), offset: position + available };
    }
    this.#keep(bytes, position, available);
    this.#left -= available;
    if (this.#left > 0) return undefined;
    const body = this.#head?.subarray(0, this.#headFilled) ?? bytes.subarray(0, 0);
    return { message: this.#finish(body), offset: position + available };
  }

  #readHeader(bytes: Buffer, offset: number): number {
    const headerSize = this.isUntyped ? UNTYPED_HEADER_SIZE : TYPED_HEADER_SIZE;
    const size = Math.min(headerSize - this.#headerFilled, bytes.length - offset);
    bytes.copy(this.#header, this.#headerFilled, offset, offset + size);
    this.#headerFilled += size;
    if (this.#headerFilled < headerSize) return offset + size;
    const length = this.#header.readUInt32BE(headerSize - LENGTH_SIZE);
    const sizeMax = this.isUntyped ? STARTUP_SIZE_MAX : MESSAGE_SIZE_MAX;
    if (length < LENGTH_SIZE || length > sizeMax) {
      this.#problem = `a message length of ${length} cannot be`;
      return bytes.length;
    }
    this.#type = this.isUntyped ? undefined : String.fromCharCode(this.#header[0] ?? 0);
    this.#size = length - LENGTH_SIZE;
    this.#left = this.#size;
    this.#isInBody = true;
    return offset + size;
  }

  #keep(bytes: Buffer, position: number, available: number): void {
    const room = Math.min(this.#size, HEAD_SIZE_MAX) - this.#headFilled;
    const size = Math.min(room, available);
    if (size <= 0) return;
    const needed = this.#headFilled + size;
    if (this.#head === undefined || this.#head.length < needed) {
      // Grows with what really came: a length alone must not allocate anything.
      const grown = Buffer.allocUnsafe(Math.min(HEAD_SIZE_MAX, Math.max(needed * 2, 1024)));
      this.#head?.copy(grown, 0, 0, this.#headFilled);
      this.#head = grown;
    }
    bytes.copy(this.#head, this.#headFilled, position, position + size);
    this.#headFilled = needed;
  }

  #finish(body: Buffer): SplitMessage {
    const message = { type: this.#type, body, size: this.#size, by: this.#by };
    this.#isInBody = false;
    this.#headerFilled = 0;
    this.#headFilled = 0;
    this.#head = undefined;
    this.#left = 0;
    return message;
  }
}
