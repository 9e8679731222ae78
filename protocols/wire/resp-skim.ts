/**
 * Finds the ends of the replies of a Redis server, RESP2 and RESP3, without holding them: nested arrays,
 * maps, sets, pushes, attributes, streamed strings and aggregates
 * (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md). It keeps one number for each level.
 */

import { ProtocolError } from '../errors.ts';

/** Replies of Redis are flat, of scripts they have at most some dozens of levels. */
export const DEPTH_MAX = 512;
/** A level has one number here, so this only has to be one that can be counted down. */
const LENGTH_MAX = 2 ** 40;
/** Of a line that holds a length. */
const LENGTH_LINE_MAX = 16;
const CR = 0x0d;
const LF = 0x0a;

const STREAMED = -1;

/** What is left to read of the line or string that the skimmer is in. */
type Within =
  | { readonly kind: 'none' }
  /** Up to CR: `+ - : , # _ (`. */
  | { readonly kind: 'line' }
  /** The bytes of a string, and the CR LF behind it. */
  | { readonly kind: 'bytes'; left: number };

const NONE: Within = { kind: 'none' };
const LINE: Within = { kind: 'line' };

export class RespSkimmer {
  /** Elements that are left on each level; STREAMED: until `.`. */
  readonly #left: number[] = [];
  #within: Within = NONE;
  /** A length line that is not whole, and whether its CR has come. */
  #line = '';
  #mustEndLine = false;
  /** In a streamed string: chunks follow, up to one of length 0. */
  #isInChunks = false;
  #isInFrame = false;

  /** In the middle of a reply. */
  get isInFrame(): boolean {
    return this.#isInFrame;
  }

  /**
   * Reads on from `offset`; gives the offset behind the reply, or undefined where all of the chunk belongs to
   * it and more will. Throws RESP_REPLY, RESP_DEPTH.
   */
  skim(bytes: Buffer, offset: number): number | undefined {
    let at = offset;
    while (at < bytes.length) {
      this.#isInFrame = true;
      at = this.#step(bytes, at);
      if (!this.#isInFrame) return at;
    }
    return undefined;
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#mustEndLine) {
      if (bytes[at] !== LF) throw broken('RESP_REPLY', 'CR without LF');
      this.#mustEndLine = false;
      if (this.#line === '') this.#endElement();
      else this.#readHeader();
      return at + 1;
    }
    const within = this.#within;
    switch (within.kind) {
      case 'bytes':
        return this.#skipBytes(within, bytes, at);
      case 'line':
        return this.#skipLine(bytes, at);
      case 'none':
        return this.#readType(bytes, at);
    }
  }

  /** Strings end with CR LF, which count as their last two bytes. */
  #skipBytes(within: { left: number }, bytes: Buffer, at: number): number {
    const end = Math.min(at + within.left, bytes.length);
    const left = within.left - (end - at);
    if (within.left > 1 && left <= 1) {
      const cr = end - (left === 1 ? 1 : 2);
      if (bytes[cr] !== CR) throw broken('RESP_REPLY', 'a string does not end with its length');
    }
    if (left === 0) {
      if (bytes[end - 1] !== LF)
        throw broken('RESP_REPLY', 'a string does not end with its length');
      this.#within = NONE;
      if (!this.#isInChunks) this.#endElement();
    } else {
      within.left = left;
    }
    return end;
  }

  #skipLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(CR, at);
    if (end < 0) return bytes.length;
    this.#within = NONE;
    this.#mustEndLine = true;
    return end + 1;
  }

  #readType(bytes: Buffer, at: number): number {
    if (this.#line === '') {
      const type = String.fromCharCode(bytes[at] ?? 0);
      if (this.#isInChunks && type !== ';') throw broken('RESP_REPLY', 'a chunk was expected');
      if ('+-:,#_('.includes(type)) {
        this.#within = LINE;
        return at + 1;
      }
      if (!'$=!*%~>|;.'.includes(type)) throw broken('RESP_REPLY', `no type of a reply: ${type}`);
      this.#line = type;
      return at + 1;
    }
    const end = bytes.indexOf(CR, at);
    const stop = end < 0 ? bytes.length : end;
    this.#line += bytes.toString('latin1', at, Math.min(stop, at + LENGTH_LINE_MAX + 1));
    if (this.#line.length > LENGTH_LINE_MAX || stop - at > LENGTH_LINE_MAX) {
      throw broken('RESP_REPLY', 'a length is no number');
    }
    if (end < 0) return bytes.length;
    this.#mustEndLine = true;
    return end + 1;
  }

  #readHeader(): void {
    const type = this.#line.charAt(0);
    const text = this.#line.slice(1);
    this.#line = '';
    if (type === '.') {
      this.#endStreamed(text);
    } else if (text === '?' && '$*%~>'.includes(type)) {
      if (type === '$') this.#isInChunks = true;
      else this.#push(STREAMED);
    } else {
      this.#readCounted(type, lengthOf(text));
    }
  }

  #readCounted(type: string, length: number): void {
    switch (type) {
      case '$':
      case '=':
      case '!':
        if (length < 0) this.#endElement();
        else this.#within = { kind: 'bytes', left: length + 2 };
        break;
      case ';':
        if (!this.#isInChunks || length < 0) throw broken('RESP_REPLY', 'a chunk without a string');
        if (length > 0) {
          this.#within = { kind: 'bytes', left: length + 2 };
        } else {
          this.#isInChunks = false;
          this.#endElement();
        }
        break;
      default:
        this.#readAggregate(type, length);
    }
  }

  #readAggregate(type: string, length: number): void {
    const perEntry = type === '%' || type === '|' ? 2 : 1;
    // The reply that an attribute speaks of follows it: one more element.
    const following = type === '|' ? 1 : 0;
    const count = Math.max(length, 0) * perEntry + following;
    if (count === 0) this.#endElement();
    else this.#push(count);
  }

  #push(count: number): void {
    if (this.#left.length >= DEPTH_MAX) {
      throw broken('RESP_DEPTH', `a reply has more than ${DEPTH_MAX} levels`);
    }
    this.#left.push(count);
  }

  #endStreamed(text: string): void {
    if (text !== '' || this.#left.pop() !== STREAMED)
      throw broken('RESP_REPLY', 'an end of nothing');
    this.#endElement();
  }

  #endElement(): void {
    const { length } = this.#left;
    for (let level = length - 1; level >= 0; level -= 1) {
      const left = this.#left[level] ?? STREAMED;
      if (left === STREAMED) return;
      if (left > 1) {
        this.#left[level] = left - 1;
        return;
      }
      this.#left.pop();
    }
    this.#isInFrame = false;
  }
}

function lengthOf(text: string): number {
  if (!/^(?:-1|\d+)$/.test(text)) throw broken('RESP_REPLY', 'a length is no number');
  const length = Number(text);
  if (length > LENGTH_MAX) throw broken('RESP_REPLY', `a length of ${text} is too large`);
  return length;
}

function broken(code: string, message: string): ProtocolError {
  return new ProtocolError(code, 'server', message);
}
