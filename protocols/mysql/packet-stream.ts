/**
 * Collects chunks of one direction of the command phase and walks its packets. A whole packet is
 * gathered only where the caller asks; everything else is passed over in place, so that 1 GB of rows or
 * of one value is never held (GW-13). A packet here is a logical one: a header of 16 MB - 1 says that
 * the next header belongs to it, and an empty packet ends a whole multiple (MY-13).
 *
 * `view` is what is here; `offset` is how far it has been walked. The caller takes slices of `view`.
 */

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { HEADER_SIZE, PACKET_SIZE_MAX } from './packet.ts';

const EMPTY = Buffer.alloc(0);
/** What sockets may still deliver after they were paused. */
const PAUSE_SLACK = 256 * 1024;
const ERROR_HEADER = 0xff;
const END_HEADER = 0xfe;

export type Gathered = 'whole' | 'more' | 'too-large';

export interface TakenPacket {
  /** As it came, headers included. */
  readonly raw: Buffer;
  readonly payload: Buffer;
  /** Of its first header. */
  readonly sequence: number;
}

export class PacketStream {
  view: Buffer = EMPTY;
  offset = 0;
  /** Payload bytes still to come of the part of a packet that is now passed. */
  #restSize = 0;
  /** The part now passed is a full one: the packet goes on behind it. */
  #goesOn = false;
  /** Sequence id of the header passed last. */
  lastSequence = 0;
  /** Chunks that wait behind `view` until `#wanted` bytes are here. */
  #waiting: Buffer[] = [];
  #waitingSize = 0;
  #wanted = 0;
  /** Size with headers of what `gather` found whole. */
  #wholeSize = 0;
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
    // A large packet in small chunks is joined once it is whole, not at every chunk.
    if (left + this.#waitingSize >= this.#wanted && this.#wanted > 0) this.#join();
  }

  /** True once the next header is here. */
  peek(): boolean {
    return this.#has(HEADER_SIZE);
  }

  /** Payload length in the next header. Only after `peek` said yes, as the two below. */
  get length(): number {
    return this.view.readUIntLE(this.offset, 3);
  }

  get sequence(): number {
    return this.view.readUInt8(this.offset + 3);
  }

  /** The first `size` bytes of the next payload, or all of a shorter one; undefined: not here yet. */
  head(size: number): Buffer | undefined {
    const wanted = HEADER_SIZE + Math.min(size, this.length);
    if (!this.#has(wanted)) return undefined;
    return this.view.subarray(this.offset + HEADER_SIZE, this.offset + wanted);
  }

  /** Whether the next packet is here with all of its parts. */
  gather(sizeMax: number): Gathered {
    let size = 0;
    for (let payloadSize = 0; ; ) {
      if (!this.#has(size + HEADER_SIZE)) return 'more';
      const length = this.view.readUIntLE(this.offset + size, 3);
      payloadSize += length;
      if (payloadSize > sizeMax) return 'too-large';
      size += HEADER_SIZE + length;
      if (!this.#has(size)) return 'more';
      if (length < PACKET_SIZE_MAX) break;
    }
    this.#wholeSize = size;
    return 'whole';
  }

  /** What `gather` found: the bytes as they came, and the payload without headers. Passes over it. */
  takeWhole(): TakenPacket {
    const { sequence } = this;
    const start = this.offset;
    const end = start + this.#wholeSize;
    const raw = this.view.subarray(start, end);
    this.offset = end;
    if (raw.length < HEADER_SIZE + PACKET_SIZE_MAX) {
      this.lastSequence = sequence;
      return { raw, payload: raw.subarray(HEADER_SIZE), sequence };
    }
    const parts: Buffer[] = [];
    for (let at = 0; at < raw.length; ) {
      const length = raw.readUIntLE(at, 3);
      this.lastSequence = raw.readUInt8(at + 3);
      parts.push(raw.subarray(at + HEADER_SIZE, at + HEADER_SIZE + length));
      at += HEADER_SIZE + length;
    }
    return { raw, payload: Buffer.concat(parts), sequence };
  }

  /** Passes over the next header; its payload follows with `takePart`. */
  takeHeader(): void {
    this.#restSize = this.length;
    this.#goesOn = this.#restSize === PACKET_SIZE_MAX;
    this.lastSequence = this.sequence;
    this.offset += HEADER_SIZE;
  }

  /** Passes over what is here of the payload of the header taken last; says how many bytes that are. */
  takePart(): number {
    if (this.offset === this.view.length && this.#waitingSize > 0) this.#join();
    const here = Math.min(this.#restSize, this.view.length - this.offset);
    this.offset += here;
    this.#restSize -= here;
    return here;
  }

  /** True while payload bytes of the header taken last are still to come. */
  get isInPart(): boolean {
    return this.#restSize > 0;
  }

  /** True while a packet that was begun with `takeHeader` is not over. */
  get isMidPacket(): boolean {
    return this.#restSize > 0 || this.#goesOn;
  }

  /** True where not one byte waits that was not walked. */
  get isEmpty(): boolean {
    return this.offset === this.view.length && this.#waitingSize === 0;
  }

  /**
   * Passes over rows that are here whole, in one go: large results are runs of them, and a step for
   * each would cost more than all the rest. What is odd is left for the caller to look at.
   */
  passRows(): void {
    const { view } = this;
    let offset = this.offset;
    while (offset + HEADER_SIZE < view.length) {
      const length = view.readUIntLE(offset, 3);
      const next = offset + HEADER_SIZE + length;
      const first = view[offset + HEADER_SIZE];
      if (length === 0 || length === PACKET_SIZE_MAX || next > view.length) break;
      if (first === ERROR_HEADER || first === END_HEADER) break;
      this.lastSequence = view[offset + 3] ?? 0;
      offset = next;
    }
    this.offset = offset;
  }

  /** Bytes that came and were not walked. */
  get heldSize(): number {
    return this.view.length - this.offset + this.#waitingSize;
  }

  /** To be called while nothing is walked: what waits here must not grow without limit. */
  refuseHeldAbove(sizeMax: number): void {
    if (this.heldSize <= sizeMax + PAUSE_SLACK) return;
    throw new ProtocolError(
      'MYSQL_HELD_SIZE',
      this.#from,
      `${this.heldSize} bytes wait behind a command, and the limit is ${sizeMax}`,
    );
  }

  /** Everything that was not walked, as one piece; nothing is left here. */
  takeRest(): Buffer {
    if (this.#waitingSize > 0) this.#join();
    const rest = this.view.subarray(this.offset);
    this.view = EMPTY;
    this.offset = 0;
    return rest;
  }

  #has(size: number): boolean {
    const here = this.view.length - this.offset;
    if (here >= size) return true;
    if (here + this.#waitingSize >= size && this.#waitingSize > 0) {
      this.#join();
      return true;
    }
    this.#wanted = size;
    return false;
  }

  #join(): void {
    this.view = Buffer.concat([this.view.subarray(this.offset), ...this.#waiting]);
    this.offset = 0;
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#wanted = 0;
  }
}
