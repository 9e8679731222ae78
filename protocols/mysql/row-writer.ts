/**
 * Masked rows as packets, one behind the other in one buffer that grows: a result may have millions of
 * them. It writes headers and numbers them; what stands in a row is the caller's.
 */

import { HEADER_SIZE, PACKET_SIZE_MAX, countPackets, encodePacket } from './packet.ts';

/** To begin with; doubled when it is too small. */
const BUFFER_SIZE = 16 * 1024;
const LENENC_SIZE_MAX = 9;

export class RowWriter {
  #out: Buffer;
  #end = 0;
  #rowStart = 0;

  /** `sizeHint`: about how many bytes will come. */
  constructor(sizeHint = BUFFER_SIZE) {
    this.#out = Buffer.allocUnsafe(sizeHint + BUFFER_SIZE);
  }

  begin(): void {
    this.#rowStart = this.#end;
    this.#reserve(HEADER_SIZE);
    this.#end += HEADER_SIZE;
  }

  copy(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.#reserve(to - from);
    bytes.copy(this.#out, this.#end, from, to);
    this.#end += to - from;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#out[this.#end] = value;
    this.#end += 1;
  }

  /** A value with its length in front. */
  lenenc(value: Buffer): void {
    this.#reserve(LENENC_SIZE_MAX + value.length);
    const size = value.length;
    if (size < 0xfb) {
      this.#out[this.#end] = size;
      this.#end += 1;
    } else if (size <= 0xffff) {
      this.#out[this.#end] = 0xfc;
      this.#end = this.#out.writeUInt16LE(size, this.#end + 1);
    } else if (size <= 0xffffff) {
      this.#out[this.#end] = 0xfd;
      this.#end = this.#out.writeUIntLE(size, this.#end + 1, 3);
    } else {
      this.#out[this.#end] = 0xfe;
      this.#end = this.#out.writeBigUInt64LE(BigInt(size), this.#end + 1);
    }
    this.copy(value, 0, size);
  }

  /** Place of the next byte within the row's payload. */
  get rowOffset(): number {
    return this.#end - this.#rowStart - HEADER_SIZE;
  }

  /** Sets bits of a byte of the row that was written already. */
  setBits(rowOffset: number, bits: number): void {
    const at = this.#rowStart + HEADER_SIZE + rowOffset;
    this.#out[at] = (this.#out[at] ?? 0) | bits;
  }

  /** Numbers the row; says how many packets it takes (MY-11, MY-13). */
  close(sequence: number): number {
    const size = this.#end - this.#rowStart - HEADER_SIZE;
    if (size < PACKET_SIZE_MAX) {
      this.#out.writeUIntLE(size, this.#rowStart, 3);
      this.#out[this.#rowStart + 3] = sequence & 0xff;
      return 1;
    }
    const payload = Buffer.from(this.#out.subarray(this.#rowStart + HEADER_SIZE, this.#end));
    const packets = encodePacket(payload, sequence);
    this.#end = this.#rowStart;
    this.copy(packets, 0, packets.length);
    return countPackets(size);
  }

  /** Every row that was closed, as one buffer. */
  take(): Buffer {
    return this.#out.subarray(0, this.#end);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#end + size));
    this.#out.copy(larger, 0, 0, this.#end);
    this.#out = larger;
  }
}
