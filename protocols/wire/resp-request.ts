/**
 * Reads what a Redis client sends: arrays of bulk strings, nothing else. Inline commands are refused, and
 * so is every spelling of a number that Redis itself does not write, since the bytes go on as they came
 * and the server must see the same commands in them (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 */

import { ProtocolError } from '../errors.ts';
import { RespBuffer } from './resp-buffer.ts';

/** PROTO_MAX_MULTIBULK of Redis: 1024 * 1024. */
export const ARGUMENT_COUNT_MAX = 1024 * 1024;
/** `$536870912` and a sign: longer lines are no lengths. */
const LINE_LENGTH_MAX = 16;
const CR = 0x0d;
const LF = 0x0a;
const ARRAY = 0x2a;
const BULK = 0x24;

export interface RequestLimits {
  readonly argumentCount: number;
  /** All of one request, its framing included. */
  readonly size: number;
}

/** One command. Arguments are views of `bytes`, the request as it came. */
export class RespRequest {
  readonly bytes: Buffer;
  readonly count: number;
  readonly #spans: readonly number[];

  /** `spans`: start and end of each argument. */
  constructor(bytes: Buffer, spans: readonly number[]) {
    this.bytes = bytes;
    this.#spans = spans;
    this.count = spans.length / 2;
  }

  /** Empty beyond the last one. */
  argument(index: number): Buffer {
    const start = this.#spans[index * 2] ?? 0;
    return this.bytes.subarray(start, this.#spans[index * 2 + 1] ?? start);
  }

  arguments(): Buffer[] {
    return Array.from({ length: this.count }, (_, index) => this.argument(index));
  }
}

export class RequestReader {
  readonly #held = new RespBuffer();
  /** Where reading goes on in the held bytes, and what was read of the request before that. */
  #offset = 0;
  #count: number | undefined;
  #size: number | undefined;
  #spans: number[] = [];

  get heldSize(): number {
    return this.#held.size;
  }

  add(chunk: Buffer): void {
    this.#held.add(chunk);
  }

  /** What came and was not read. */
  takeRest(): Buffer {
    this.#forget();
    return this.#held.take();
  }

  /** The next whole request; undefined: more bytes are needed. Throws RESP_REQUEST, RESP_INLINE, RESP_LENGTH. */
  next(limits: RequestLimits): RespRequest | undefined {
    for (;;) {
      if (this.#count === undefined) {
        const count = this.#readLength(ARRAY, limits.argumentCount);
        if (count === undefined) return undefined;
        if (count > 0) {
          this.#count = count;
        } else {
          // The server skips an empty array and a null without an answer.
          this.#held.drop(this.#offset);
          this.#offset = 0;
        }
        continue;
      }
      if (this.#spans.length / 2 === this.#count) return this.#finish();
      if (!this.#readArgument(limits)) return undefined;
    }
  }

  #readArgument(limits: RequestLimits): boolean {
    if (this.#size === undefined) {
      const size = this.#readLength(BULK, limits.size);
      if (size === undefined) return false;
      if (size < 0) throw broken('RESP_LENGTH', 'invalid bulk length');
      this.#size = size;
      if (this.#offset + size > limits.size) throw broken('RESP_LENGTH', 'the request is too long');
    }
    const end = this.#offset + this.#size;
    if (this.#held.size < end + 2) return false;
    const { bytes } = this.#held;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) {
      throw broken('RESP_REQUEST', 'a bulk string does not end with its length');
    }
    this.#spans.push(this.#offset, end);
    this.#offset = end + 2;
    this.#size = undefined;
    return true;
  }

  /** The number of a line that starts with `type`; undefined: it is not whole. */
  #readLength(type: number, max: number): number | undefined {
    const { bytes } = this.#held;
    const start = this.#offset;
    const first = bytes[start];
    if (first === undefined) return undefined;
    if (first !== type) throw wrongType(type, first);
    const end = bytes.indexOf(CR, start);
    if (end < 0 || end - start > LINE_LENGTH_MAX) {
      if (bytes.length - start > LINE_LENGTH_MAX)
        throw broken('RESP_LENGTH', 'a length is no number');
      return undefined;
    }
    const text = bytes.toString('latin1', start + 1, end);
    if (!/^(?:0|-1|[1-9]\d*)$/.test(text)) throw broken('RESP_LENGTH', 'a length is no number');
    const length = Number(text);
    if (length > max) throw broken('RESP_LENGTH', `a length of ${text} is above ${max}`);
    if (bytes.length < end + 2) return undefined;
    if (bytes[end + 1] !== LF) throw broken('RESP_REQUEST', 'a line does not end with CR LF');
    this.#offset = end + 2;
    return length;
  }

  #finish(): RespRequest {
    const request = new RespRequest(this.#held.bytes.subarray(0, this.#offset), this.#spans);
    this.#held.drop(this.#offset);
    this.#forget();
    return request;
  }

  #forget(): void {
    this.#offset = 0;
    this.#count = undefined;
    this.#size = undefined;
    this.#spans = [];
  }
}

function wrongType(type: number, found: number): ProtocolError {
  if (type === BULK) {
    return broken('RESP_REQUEST', `expected '$', got '${String.fromCharCode(found)}'`);
  }
  return broken('RESP_INLINE', "expected '*': inline commands are not supported through Weir");
}

function broken(code: string, message: string): ProtocolError {
  return new ProtocolError(code, 'client', message);
}

/** A command as clients send it. */
export function encodeRequest(parts: readonly (Buffer | string)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(pieces);
}
