/**
 * Cuts one direction of a recorded MySQL session into packets, however the bytes were cut when they
 * were recorded, and joins the 16 MB parts of one packet (MY-13). Of a long packet only its head is
 * kept. This reads recordings for people; the gateway's own framing, which decides, is
 * protocols/mysql and shares nothing with it.
 */

import { HEAD_SIZE_MAX } from './message-splitter.ts';

/** u24 length of the payload, little-endian; u8 sequence id. */
const HEADER_SIZE = 4;
/** A part of this length is followed by one more of the same packet, if only an empty one. */
export const PART_LENGTH_MAX = 0xff_ffff;

export interface SplitPacket {
  /** The payload, or its head; valid until the next call. */
  readonly body: Buffer;
  /** Of the whole payload, bytes. */
  readonly size: number;
  /** Sequence id of the first part. */
  readonly sequence: number;
  /** Sequence id of the last part. */
  readonly lastSequence: number;
  readonly by: 'gateway' | undefined;
}

export class PacketSplitter {
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #headerFilled = 0;
  #isInPart = false;
  /** Of the part, still to come. */
  #left = 0;
  #isPartFull = false;
  /** Parts of the packet that have begun. */
  #parts = 0;
  #sequence = 0;
  #lastSequence = 0;
  #size = 0;
  #head: Buffer | undefined;
  #headFilled = 0;
  #by: 'gateway' | undefined;

  get heldSize(): number {
    return this.#head?.length ?? 0;
  }

  /** Gives the offset behind the packet, or undefined when `bytes` ends within it. */
  next(
    bytes: Buffer,
    offset: number,
    by: 'gateway' | undefined,
  ): { packet: SplitPacket; offset: number } | undefined {
    let position = offset;
    for (;;) {
      if (!this.#isInPart) {
        if (this.#parts === 0 && this.#headerFilled === 0) this.#by = by;
        position = this.#readHeader(bytes, position);
        if (!this.#isInPart) return undefined;
      }
      const available = Math.min(this.#left, bytes.length - position);
      const isWhole = this.#parts === 1 && available === this.#size && !this.#isPartFull;
      if (isWhole && available <= HEAD_SIZE_MAX) {
        const body = bytes.subarray(position, position + available);
        return { packet: this.#finish(body), offset: position + available };
      }
      this.#keep(bytes, position, available);
      position += available;
      this.#left -= available;
      if (this.#left > 0) return undefined;
      this.#isInPart = false;
      if (this.#isPartFull) continue;
      const body = this.#head?.subarray(0, this.#headFilled) ?? bytes.subarray(0, 0);
      return { packet: this.#finish(body), offset: position };
    }
  }

  #readHeader(bytes: Buffer, offset: number): number {
    const size = Math.min(HEADER_SIZE - this.#headerFilled, bytes.length - offset);
    bytes.copy(this.#header, this.#headerFilled, offset, offset + size);
    this.#headerFilled += size;
    if (this.#headerFilled < HEADER_SIZE) return offset + size;
    const length = this.#header.readUIntLE(0, 3);
    this.#headerFilled = 0;
    this.#lastSequence = this.#header[3] ?? 0;
    if (this.#parts === 0) this.#sequence = this.#lastSequence;
    this.#parts += 1;
    this.#size += length;
    this.#left = length;
    this.#isPartFull = length === PART_LENGTH_MAX;
    this.#isInPart = true;
    return offset + size;
  }

  #keep(bytes: Buffer, position: number, available: number): void {
    const room = HEAD_SIZE_MAX - this.#headFilled;
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

  #finish(body: Buffer): SplitPacket {
    const packet = {
      body,
      size: this.#size,
      sequence: this.#sequence,
      lastSequence: this.#lastSequence,
      by: this.#by,
    };
    this.#isInPart = false;
    this.#parts = 0;
    this.#size = 0;
    this.#left = 0;
    this.#head = undefined;
    this.#headFilled = 0;
    return packet;
  }
}
