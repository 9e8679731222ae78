/**
 * The tokens of a text as arrays of numbers: one pass, no object for each token. What a token says
 * is cut out of the text when somebody asks.
 */

export const END = 0;
/** A bare word: a keyword or a name. */
export const WORD = 1;
/** A bare name that can be no keyword, because it stands beside a dot: `select.from`. */
export const NAME = 2;
/** A name in backticks, or in double quotes under ANSI_QUOTES. */
export const QUOTED = 3;
/** A string; also N'...'. */
export const STRING = 4;
export const NUMBER = 5;
/** x'1F', 0x1F, b'01', 0b01. */
export const BYTES = 6;
/** `?`. */
export const PARAMETER = 7;
/** `@name`, `@'name'`, and the host of an account: `'u'@'h'` are a STRING and a VARIABLE. */
export const VARIABLE = 8;
/** `@@`; the name comes after it. */
export const SYSTEM = 9;
/** An operator or another sign; `codes` holds its characters, eight bits each. */
export const SIGN = 10;
/** `\N`, which is NULL. */
export const NULL_LITERAL = 11;

/** Tokens of one text. A text of the largest size read has fewer, so this catches our own bugs. */
const TOKENS_MAX = 1 << 23;
const FIRST_CAPACITY_MAX = 1 << 16;

export class TokenList {
  readonly text: string;
  count = 0;
  #kinds: Uint8Array;
  #starts: Int32Array;
  #ends: Int32Array;
  #codes: Int32Array;

  constructor(text: string) {
    this.text = text;
    // About four characters make a token; the arrays grow where that is wrong.
    const capacity = Math.min(FIRST_CAPACITY_MAX, (text.length >> 2) + 16);
    this.#kinds = new Uint8Array(capacity);
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity);
    this.#codes = new Int32Array(capacity);
  }

  push(kind: number, start: number, end: number, code = 0): void {
    if (this.count >= this.#kinds.length) this.#grow();
    this.#kinds[this.count] = kind;
    this.#starts[this.count] = start;
    this.#ends[this.count] = end;
    this.#codes[this.count] = code;
    this.count += 1;
  }

  retype(index: number, kind: number): void {
    this.#kinds[index] = kind;
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2;
    if (capacity > TOKENS_MAX) throw new Error('more tokens than a text can have');
    this.#kinds = enlarge(this.#kinds, new Uint8Array(capacity));
    this.#starts = enlarge(this.#starts, new Int32Array(capacity));
    this.#ends = enlarge(this.#ends, new Int32Array(capacity));
    this.#codes = enlarge(this.#codes, new Int32Array(capacity));
  }

  /** END past the last token. */
  kind(index: number): number {
    return index < this.count ? (this.#kinds[index] ?? END) : END;
  }

  start(index: number): number {
    return index < this.count ? (this.#starts[index] ?? 0) : this.text.length;
  }

  end(index: number): number {
    return index < this.count ? (this.#ends[index] ?? 0) : this.text.length;
  }

  /** The sign's code; 0 for what is no sign. */
  sign(index: number): number {
    return index < this.count ? (this.#codes[index] ?? 0) : 0;
  }

  raw(index: number): string {
    return this.text.slice(this.start(index), this.end(index));
  }
}

function enlarge<T extends Uint8Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** The code of a sign, to compare with `TokenList.sign`. */
export function signCode(characters: string): number {
  let code = 0;
  for (const character of characters) code = code * 256 + character.charCodeAt(0);
  return code;
}

/** A name as it is meant: quotes taken away, doubled ones made single. */
export function unquoteName(raw: string): string {
  const quote = raw[0];
  if (quote !== '`' && quote !== '"') return raw;
  const inner = raw.slice(1, -1);
  return inner.includes(quote) ? inner.replaceAll(quote + quote, quote) : inner;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\u0000',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\u001a',
};

/** The content of a string literal. `\%` and `\_` keep their backslash, as in LIKE patterns. */
export function unquoteString(raw: string, noBackslashEscapes: boolean): string {
  const start = raw[0] === 'n' || raw[0] === 'N' ? 1 : 0;
  const quote = raw[start] ?? "'";
  const inner = raw.slice(start + 1, -1);
  if (noBackslashEscapes || !inner.includes('\\')) return inner.replaceAll(quote + quote, quote);
  let content = '';
  for (let index = 0; index < inner.length; index += 1) {
    const character = inner.charAt(index);
    if (character !== '\\' && character !== quote) content += character;
    else {
      index += 1;
      content += character === quote ? quote : unescape(inner.charAt(index));
    }
  }
  return content;
}

function unescape(character: string): string {
  if (character === '%' || character === '_') return `\\${character}`;
  return ESCAPES[character] ?? character;
}
