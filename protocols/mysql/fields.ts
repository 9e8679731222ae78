/**
 * The field types of MySQL payloads, both ways: fixed little-endian integers, length-encoded integers
 * and strings, NUL-terminated strings. A read never leaves its payload.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html
 */

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';

const LENENC_NULL = 0xfb;
const LENENC_2 = 0xfc;
const LENENC_3 = 0xfd;
const LENENC_8 = 0xfe;

export class FieldReader {
  readonly #bytes: Buffer;
  readonly #blame: Side;
  #offset: number;

  /** `bytes` is exactly one payload, sent by `blame`; reading starts at `offset`. */
  constructor(bytes: Buffer, blame: Side, offset = 0) {
    this.#bytes = bytes;
    this.#blame = blame;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Bytes that are left. */
  get restSize(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The next byte, not taken; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  u24(): number {
    return this.#bytes.readUIntLE(this.#take(3), 3);
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** A length-encoded integer that fits a JavaScript number; NULL (0xfb) and 0xff are not allowed. */
  lenencInteger(): number {
    const value = this.lenencBigint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#fail('a length above 2^53');
    return Number(value);
  }

  /** A length-encoded integer of any size, such as an insert id. */
  lenencBigint(): bigint {
    const first = this.u8();
    if (first < LENENC_NULL) return BigInt(first);
    if (first === LENENC_2) return BigInt(this.u16());
    if (first === LENENC_3) return BigInt(this.u24());
    if (first === LENENC_8) return this.u64();
    throw this.#fail(`0x${first.toString(16)} begins no length-encoded integer`);
  }

  /** A string with its length in front: a view, not a copy. */
  lenencBytes(): Buffer {
    return this.bytes(this.lenencInteger());
  }

  /** A length-encoded string that may be NULL (0xfb), as in text rows; null then. */
  lenencBytesOrNull(): Buffer | null {
    if (this.peek() !== LENENC_NULL) return this.lenencBytes();
    this.#take(1);
    return null;
  }

  /** The bytes up to the next NUL, which is taken, too. */
  nulBytes(): Buffer {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw this.#fail('a string without its end');
    const start = this.#offset;
    this.#offset = end + 1;
    return this.#bytes.subarray(start, end);
  }

  /** A view of the next `size` bytes. */
  bytes(size: number): Buffer {
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  rest(): Buffer {
    return this.bytes(this.restSize);
  }

  /** Gives back the last `size` bytes that were taken. */
  back(size: number): void {
    if (size < 0 || size > this.#offset) throw new Error(`${size} bytes were not taken`);
    this.#offset -= size;
  }

  #take(size: number): number {
    const start = this.#offset;
    if (size < 0 || size > this.restSize) {
      throw this.#fail(`${size} bytes wanted at ${start} of ${this.#bytes.length}`);
    }
    this.#offset = start + size;
    return start;
  }

  #fail(what: string): ProtocolError {
    return new ProtocolError('MYSQL_FIELD', this.#blame, `a packet is malformed: ${what}`);
  }
}

export function u8(value: number): Buffer {
  return Buffer.of(value);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(value, 0, 3);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** In the shortest form, as servers write it. */
export function lenencInteger(value: number | bigint): Buffer {
  if (value < LENENC_NULL) return u8(Number(value));
  if (value <= 0xffff) return Buffer.concat([u8(LENENC_2), u16(Number(value))]);
  if (value <= 0xffffff) return Buffer.concat([u8(LENENC_3), u24(Number(value))]);
  return Buffer.concat([u8(LENENC_8), u64(BigInt(value))]);
}

export function lenencBytes(bytes: Buffer): Buffer {
  return Buffer.concat([lenencInteger(bytes.length), bytes]);
}

/** The bytes and their end; they must not hold a NUL themselves. */
export function nulBytes(bytes: Buffer | string): Buffer {
  const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  if (content.includes(0)) throw new Error('a NUL inside of a NUL-terminated string');
  return Buffer.concat([content, Buffer.of(0)]);
}
