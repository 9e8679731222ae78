/**
 * The grammar of RFC 8259 over bytes, and nothing laxer: no comments, no NaN, no trailing commas, no bare
 * control characters. Servers may read more than that; what they could read in another way is refused here.
 */

import { isUtf8 } from 'node:buffer';

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { isDigit, numberEnd, skipFractions } from './json-number.ts';

/** serde_json reads 128 levels, and an answer puts some of its own around a stored value (vector.md 2.1). */
export const JSON_DEPTH_MAX = 192;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const MINUS = 0x2d;
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

function spaceEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at] ?? 0)) at++;
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

/** Keys of one document whose text is remembered, a power of two; longer ones than this are made anew. */
const KEY_SLOT_MASK = 63;
const KEY_SIZE_MAX = 32;

interface KnownKey {
  readonly start: number;
  readonly size: number;
  readonly text: string;
}

function isSame(bytes: Buffer, one: number, other: number, size: number): boolean {
  for (let at = 0; at < size; at++) if (bytes[one + at] !== bytes[other + at]) return false;
  return true;
}

/** A place in a document. Its methods take one part of the grammar or throw. */
export class JsonScanner {
  readonly bytes: Buffer;
  at = 0;
  /** Of the string that was taken last: HAS_WIDE, HAS_ESCAPE. */
  traits = 0;
  readonly #blame: Side;
  readonly #view: DataView;
  readonly #keys: (KnownKey | undefined)[] = [];

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

  /** Takes the string at the present place and gives its text: that of a key, which records repeat. */
  takeKey(): string {
    const start = this.at;
    this.takeString();
    const size = this.at - start;
    if (this.traits !== 0 || size > KEY_SIZE_MAX) return this.text(start);
    const { bytes } = this;
    const slot =
      (size * 31 + (bytes[start + 1] ?? 0) * 7 + (bytes[this.at - 2] ?? 0)) & KEY_SLOT_MASK;
    const known = this.#keys[slot];
    if (known?.size === size && isSame(bytes, known.start, start, size)) return known.text;
    const text = this.text(start);
    this.#keys[slot] = { start, size, text };
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
    let at = this.at + 1;
    for (let count = 0; ; ) {
      const run = skipFractions(bytes, view, at);
      count += run.count;
      at = numberEnd(bytes, view, spaceEnd(bytes, run.end));
      if (at < 0) return 0;
      count++;
      at = spaceEnd(bytes, at);
      const byte = bytes[at++];
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
