/**
 * Reads the fields of one message, never past its end. Every read that would leave the message
 * throws the error that the caller gave, so a decoder needs no checks of its own.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #fail: () => Error;
  #offset: number;

  /** `bytes` is exactly one message; reading starts at `offset`. */
  constructor(bytes: Buffer, offset: number, fail: () => Error) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#fail = fail;
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** A view of the next `size` bytes, not a copy. */
  slice(size: number): Buffer {
    if (size < 0) throw this.#fail();
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  /** The bytes up to the next NUL, without it. */
  cstring(): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw this.#fail();
    const start = this.#offset;
    this.#offset = end + 1;
    return this.#bytes.subarray(start, end);
  }

  rest(): Buffer {
    return this.slice(this.#bytes.length - this.#offset);
  }

  #take(size: number): number {
    const start = this.#offset;
    if (start + size > this.#bytes.length) throw this.#fail();
    this.#offset = start + size;
    return start;
  }
}
