/**
 * The grammar of RFC 8259 over bytes, and nothing laxer: no comments, no NaN, no trailing commas, no bare
 * control characters. Servers may read more than that; what they could read in another way is refused here.
 */

import { isUtf8 } from 'node:buffer';

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';

/** serde_json reads 128 levels, and an answer puts some of its own around a stored value (vector.md 2.1). */
export const JSON_DEPTH_MAX = 192;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
/** `0.` as a number of two bytes, the first one the lower. */
const ZERO_POINT = 0x2e30;
const LETTER_E = 0x65;
/** The bit that makes a letter a small one. */
const LOWER_CASE = 0x20;
/** Of the four bytes in a word; -2 ** 31 and more, as numbers of 32 bits are. */
const HIGH_BITS = 0x80808080 | 0;
const BACKSLASH = 0x5c;
export const LETTER_N = 0x6e;
const LETTER_U = 0x75;
/** What `peek` gives behind the last byte. */
const END = -1;

/** What the bytes of a string tell about it, as bits. */
export const HAS_WIDE = 2;
export const HAS_ESCAPE = 4;

/** Bytes in strings: 1 plain, 2 beyond ASCII, 0 ends the run (quote, backslash, control character). */
const STRING_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) return 0;
  return byte < 0x80 ? 1 : HAS_WIDE;
});

const ESCAPED = new Set(Buffer.from('"\\/bfnrtu'));
const LITERALS = {
  true: Buffer.from('true'),
  false: Buffer.from('false'),
  null: Buffer.from('null'),
};

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function spaceEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at] ?? 0)) at++;
  return at;
}

/**
 * Four bytes at once: a byte above `9` gets its high bit from the sum, one below `0` from the difference.
 * The lowest such bit is right (what is carried out of a byte has marked that byte before), and tells where.
 */
function digitsEnd(bytes: Buffer, view: DataView, start: number): number {
  const { length } = bytes;
  let at = start;
  while (at + 4 <= length) {
    const word = view.getInt32(at, true);
    const others = ((word + 0x46464646) | (word - 0x30303030)) & HIGH_BITS;
    if (others !== 0) return at + lowestByte(others);
    at += 4;
  }
  while (at < length && isDigit(bytes[at] ?? 0)) at++;
  return at;
}

/** The end of plain ASCII in a string, or some bytes before it: four at once, as with digits. */
function plainEnd(bytes: Buffer, view: DataView, start: number): number {
  let at = start;
  while (at + 4 <= bytes.length) {
    const word = view.getInt32(at, true);
    const quotes = (word ^ 0x22222222) - 0x01010101;
    const backslashes = (word ^ 0x5c5c5c5c) - 0x01010101;
    if (((word | (word - 0x20202020) | quotes | backslashes) & HIGH_BITS) !== 0) break;
    at += 4;
  }
  return at;
}

/** -1: no number starts there. */
function numberEnd(bytes: Buffer, view: DataView, start: number): number {
  const { length } = bytes;
  let at = start;
  if (at < length && bytes[at] === MINUS) at++;
  if (at < length && bytes[at] === ZERO) at++;
  else {
    const first = at;
    at = digitsEnd(bytes, view, first);
    if (at === first) return -1;
  }
  if (at < length && bytes[at] === POINT) {
    const first = at + 1;
    at = digitsEnd(bytes, view, first);
    if (at === first) return -1;
  }
  if (at >= length || ((bytes[at] ?? 0) | LOWER_CASE) !== LETTER_E) return at;
  const sign = bytes[at + 1];
  const first = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
  at = digitsEnd(bytes, view, first);
  return at === first ? -1 : at;
}

/** As far as `fractionEnd` may look: a sign, `0.` and three words of digits. */
const FRACTION_REACH = 15;

/**
 * The end of a number of the form `0.12345678` or `-0.12345678`, as most parts of embeddings are: nearly no
 * branch depends on the digits, which is more than twice as fast as `numberEnd`. -1: it has another form.
 */
function fractionEnd(bytes: Buffer, view: DataView, start: number): number {
  const hasSign = (((bytes[start] ?? 0) ^ MINUS) - 1) >>> 31;
  let at = start + hasSign;
  if (view.getInt16(at, true) !== ZERO_POINT) return -1;
  at += 2;
  let word = view.getInt32(at, true);
  let others = ((word + 0x46464646) | (word - 0x30303030)) & HIGH_BITS;
  // A digit has to follow the point.
  if (others !== 0) return (others & 0x80) === 0 ? at + lowestByte(others) : -1;
  word = view.getInt32(at + 4, true);
  others = ((word + 0x46464646) | (word - 0x30303030)) & HIGH_BITS;
  return others !== 0 ? at + 4 + lowestByte(others) : digitsEnd(bytes, view, at + 8);
}

/** Which of the four bytes of a word has the lowest bit that is set. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

/** A place in a document. Its methods take one part of the grammar or throw. */
export class JsonScanner {
  readonly bytes: Buffer;
  at = 0;
  /** Of the string that was taken last: HAS_WIDE, HAS_ESCAPE. */
  traits = 0;
  readonly #blame: Side;
  readonly #view: DataView;

  constructor(bytes: Buffer, blame: Side) {
    this.bytes = bytes;
    this.#blame = blame;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#checkEncoding();
  }

  /** Not a byte order mark, not UTF-16 or UTF-32 (all of which have a NUL in their first bytes). */
  #checkEncoding(): void {
    const [first, second, third] = this.bytes;
    const hasMark = first === 0xef && second === 0xbb && third === 0xbf;
    if (hasMark) throw this.error('JSON_ENCODING', 'a byte order mark before JSON');
    if (first === 0 || second === 0 || !isUtf8(this.bytes)) {
      throw this.error('JSON_ENCODING', 'JSON that is not UTF-8');
    }
  }

  error(code: string, message: string): ProtocolError {
    return new ProtocolError(code, this.#blame, message);
  }

  /** The next byte that is no white space, not taken; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    const { length } = bytes;
    let { at } = this;
    while (at < length && isSpace(bytes[at] ?? END)) at++;
    this.at = at;
    return at < length ? (bytes[at] ?? END) : END;
  }

  take(byte: number): void {
    if (this.peek() !== byte) throw this.syntax();
    this.at++;
  }

  syntax(): ProtocolError {
    return this.error('JSON_SYNTAX', `no valid JSON at byte ${this.at}`);
  }

  /** After the outermost value nothing may come. */
  finish(): void {
    if (this.peek() !== END) throw this.syntax();
  }

  /** Refuses what is nested deeper than allowed; `depth` counts arrays and objects around. */
  checkDepth(depth: number): void {
    if (depth < JSON_DEPTH_MAX) return;
    throw this.error('JSON_DEPTH', `JSON deeper than ${JSON_DEPTH_MAX} levels`);
  }

  /** A string with its quotes, from its first quote on. */
  takeString(): void {
    const { bytes } = this;
    const { length } = bytes;
    let at = this.at + 1;
    let traits = 0;
    for (;;) {
      at = plainEnd(bytes, this.#view, at);
      while (at < length) {
        const trait = STRING_BYTES[bytes[at] ?? 0] ?? 0;
        if (trait === 0) break;
        traits |= trait;
        at++;
      }
      this.at = at;
      if (at >= length) throw this.syntax();
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) throw this.syntax();
      at = this.#escapeEnd(at);
      traits |= HAS_ESCAPE;
    }
    this.at = at + 1;
    this.traits = traits;
  }

  #escapeEnd(at: number): number {
    const letter = this.bytes[at + 1];
    if (letter === undefined || !ESCAPED.has(letter)) throw this.syntax();
    if (letter !== LETTER_U) return at + 2;
    if (!/^[0-9a-fA-F]{4}$/.test(this.bytes.toString('latin1', at + 2, at + 6)))
      throw this.syntax();
    return at + 6;
  }

  /** The text of the string from `start` to the present place, which was just taken. */
  text(start: number): string {
    if ((this.traits & HAS_ESCAPE) === 0) {
      const encoding = (this.traits & HAS_WIDE) === 0 ? 'latin1' : 'utf8';
      return this.bytes.toString(encoding, start + 1, this.at - 1);
    }
    const text: unknown = JSON.parse(this.bytes.toString('utf8', start, this.at));
    if (typeof text !== 'string') throw this.syntax();
    return text;
  }

  takeNumber(): void {
    const end = numberEnd(this.bytes, this.#view, this.at);
    if (end < 0) throw this.syntax();
    this.at = end;
  }

  takeLiteral(): 'true' | 'false' | 'null' {
    for (const name of ['true', 'false', 'null'] as const) {
      const literal = LITERALS[name];
      const end = this.at + literal.length;
      if (end > this.bytes.length || literal.compare(this.bytes, this.at, end) !== 0) continue;
      this.at = end;
      return name;
    }
    throw this.syntax();
  }

  /**
   * An array of nothing but numbers, whole: how many, and the place is behind it. 0: it is another array
   * (or an empty one), and the place is where it was. Vectors make most of an answer: this is their path.
   */
  takeNumbers(): number {
    const { bytes } = this;
    const view = this.#view;
    const reach = bytes.length - FRACTION_REACH;
    let at = this.at + 1;
    for (let count = 1; ; count++) {
      const end = at < reach ? fractionEnd(bytes, view, at) : -1;
      let byte = end < 0 ? END : bytes[end];
      if (byte === COMMA || byte === CLOSE_ARRAY) at = end;
      else {
        at = numberEnd(bytes, view, spaceEnd(bytes, at));
        if (at < 0) return 0;
        at = spaceEnd(bytes, at);
        byte = bytes[at];
      }
      at++;
      if (byte === COMMA) continue;
      if (byte !== CLOSE_ARRAY) return 0;
      this.at = at;
      return count;
    }
  }

  /** Any value, checked and not looked at. */
  skipValue(depth: number): void {
    const byte = this.peek();
    if (byte === QUOTE) this.takeString();
    else if (byte === OPEN_ARRAY) this.#skipArray(depth);
    else if (byte === OPEN_OBJECT) this.#skipObject(depth);
    else if (byte === MINUS || isDigit(byte)) this.takeNumber();
    else this.takeLiteral();
  }

  #skipArray(depth: number): void {
    this.checkDepth(depth);
    if (this.takeNumbers() > 0 || this.isEmpty(CLOSE_ARRAY)) return;
    do this.skipValue(depth + 1);
    while (this.hasNext(CLOSE_ARRAY));
  }

  #skipObject(depth: number): void {
    this.checkDepth(depth);
    if (this.isEmpty(CLOSE_OBJECT)) return;
    do {
      this.skipKey();
      this.skipValue(depth + 1);
    } while (this.hasNext(CLOSE_OBJECT));
  }

  /** Takes the opening bracket, and where nothing is between them the closing one too. */
  isEmpty(close: number): boolean {
    this.at++;
    if (this.peek() !== close) return false;
    this.at++;
    return true;
  }

  /** After a value: a comma (true) or the end of what it lies in (false). */
  hasNext(close: number): boolean {
    const byte = this.peek();
    if (byte !== COMMA && byte !== close) throw this.syntax();
    this.at++;
    return byte === COMMA;
  }

  /** A key and its colon. */
  skipKey(): void {
    if (this.peek() !== QUOTE) throw this.syntax();
    this.takeString();
    this.take(COLON);
  }
}
