/**
 * The lexer of MySQL and MariaDB, which is the security boundary: where it and the server disagree on
 * where a string, a name or a comment ends, a statement could hide (MY-38, MY-48, MY-61). It follows
 * lex_one_token in the servers' sql_lex.cc, for a text in an ASCII-compatible character set, and refuses
 * whatever is read differently by different servers or character sets.
 */

import { syntaxErrorAt } from './errors.ts';
import {
  BYTES,
  NAME,
  NULL_LITERAL,
  NUMBER,
  PARAMETER,
  QUOTED,
  SIGN,
  signCode,
  STRING,
  SYSTEM,
  TokenList,
  VARIABLE,
  WORD,
} from './tokens.ts';
import { type Server, readCommentHead, vetComment, skippedCommentEnd } from './version-comments.ts';

/** Everything besides the text that decides how it is cut into tokens. */
export interface Lexing {
  readonly server: Server;
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  /** MySQL takes six digits of a version comment, not five; see version-comments.ts. */
  readonly sixDigits: boolean;
}

export interface Lexed {
  readonly tokens: TokenList;
  /** It holds a `"`, so that ANSI_QUOTES matters. */
  readonly hasDoubleQuote: boolean;
  /** It holds a version comment that releases of MySQL read differently. */
  readonly hasAmbiguousComment: boolean;
}

const SPACE = 1;
const LETTER = 2;
const DIGIT = 4;
const HEXADECIMAL = 8;
const BINARY = 16;
const IDENTIFIER = LETTER | DIGIT;
const CLASSES = classify();

function classify(): Uint8Array {
  const classes = new Uint8Array(128);
  const add = (characters: string, kind: number): void => {
    for (const character of characters) {
      const code = character.charCodeAt(0);
      classes[code] = (classes[code] ?? 0) | kind;
    }
  };
  add(' \t\n\r\v\f', SPACE);
  add('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$', LETTER);
  add('0123456789', DIGIT);
  add('0123456789abcdefABCDEF', HEXADECIMAL);
  add('01', BINARY);
  return classes;
}

const LONG_SIGNS: readonly string[] = ['<=>', '->>'];
const SIGNS: readonly string[] = '<= >= <> != := || && << >> -> => ..'.split(' ');
const CODES = new Map([...LONG_SIGNS, ...SIGNS].map((sign) => [sign, signCode(sign)]));

/** What a sign of more than one character begins with. */
const BEGINS_LONG = new Set([...LONG_SIGNS, ...SIGNS].map((sign) => sign.charCodeAt(0)));

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
/** White space in latin1 and part of a name in UTF-8: outside of quotes it is refused. */
const NO_BREAK_SPACE = 0xa0;

export function lex(text: string, lexing: Lexing): Lexed {
  const lexer = new Lexer(text, lexing);
  lexer.run();
  return lexer;
}

class Lexer implements Lexed {
  readonly tokens: TokenList;
  hasDoubleQuote = false;
  hasAmbiguousComment = false;
  readonly #text: string;
  readonly #lexing: Lexing;
  #index = 0;
  /** Inside a version comment that is code. */
  #isInComment = false;

  constructor(text: string, lexing: Lexing) {
    this.#text = text;
    this.#lexing = lexing;
    this.tokens = new TokenList(text);
  }

  run(): void {
    const { length } = this.#text;
    while (this.#index < length) this.#step();
    if (this.#isInComment) this.#fail('a comment that does not end', length);
  }

  #fail(message: string, index: number): never {
    throw syntaxErrorAt(message, this.#text, index);
  }

  #code(index: number): number {
    // Past the end the code is NaN, which equals nothing and is below nothing.
    return this.#text.charCodeAt(index);
  }

  #is(index: number, kind: number): boolean {
    const code = this.#code(index);
    return code < 128 && ((CLASSES[code] ?? 0) & kind) !== 0;
  }

  #isName(index: number): boolean {
    const code = this.#code(index);
    if (code < 128) return ((CLASSES[code] ?? 0) & IDENTIFIER) !== 0;
    if (code === NO_BREAK_SPACE) this.#fail('a no-break space outside of quotes', index);
    return code >= 128;
  }

  /** The end of what is of this kind from `index` on. */
  #run(index: number, kind: number): number {
    let end = index;
    while (this.#is(end, kind)) end += 1;
    return end;
  }

  #nameEnd(index: number): number {
    let end = index;
    while (this.#isName(end)) end += 1;
    return end;
  }

  #push(kind: number, end: number, code = 0): void {
    this.tokens.push(kind, this.#index, end, code);
    this.#index = end;
  }

  #step(): void {
    const start = this.#index;
    const code = this.#code(start);
    if (this.#is(start, SPACE)) this.#index = this.#run(start + 1, SPACE);
    else if (this.#isName(start)) this.#name(code);
    else if (code === QUOTE) this.#push(STRING, this.#stringEnd(start, QUOTE));
    else if (code === DOUBLE_QUOTE) this.#doubleQuoted();
    else if (code === BACKTICK) this.#push(QUOTED, this.#quotedEnd(start, BACKTICK));
    else if (!this.#comment(code)) this.#sign(code);
  }

  #name(code: number): void {
    const start = this.#index;
    const isAfterDot = this.#isAfterDot();
    if (this.#is(start, DIGIT) && !isAfterDot) {
      this.#numberOrName();
      return;
    }
    if (this.#code(start + 1) === QUOTE && !isAfterDot && this.#prefixed(code | 0x20)) return;
    this.#push(isAfterDot ? NAME : WORD, this.#nameEnd(start + 1));
    this.#markBeforeDot();
  }

  /** A name directly before a dot and a name is no keyword, whatever it spells. */
  #markBeforeDot(): void {
    while (this.#code(this.#index) === DOT && this.#isName(this.#index + 1)) {
      this.tokens.retype(this.tokens.count - 1, NAME);
      this.#push(SIGN, this.#index + 1, DOT);
      this.#push(NAME, this.#nameEnd(this.#index));
    }
  }

  /** Directly after a sign `.`: what follows is a name even if it is made of digits. */
  #isAfterDot(): boolean {
    const last = this.tokens.count - 1;
    return this.tokens.sign(last) === DOT && this.tokens.end(last) === this.#index;
  }

  /** x'..', b'..' and n'..'; `letter` in lower case. */
  #prefixed(letter: number): boolean {
    const start = this.#index;
    if (letter === 0x6e) {
      this.#push(STRING, this.#stringEnd(start + 1, QUOTE));
      return true;
    }
    if (letter !== 0x78 && letter !== 0x62) return false;
    const end = this.#run(start + 2, letter === 0x78 ? HEXADECIMAL : BINARY);
    const isWhole = letter === 0x62 || (end - start) % 2 === 0;
    if (this.#code(end) !== QUOTE || !isWhole) this.#fail('digits of a binary literal', end);
    this.#push(BYTES, end + 1);
    return true;
  }

  #doubleQuoted(): void {
    this.hasDoubleQuote = true;
    const start = this.#index;
    if (this.#lexing.ansiQuotes) this.#push(QUOTED, this.#quotedEnd(start, DOUBLE_QUOTE));
    else this.#push(STRING, this.#stringEnd(start, DOUBLE_QUOTE));
  }

  /** The end of a string whose opening quote is at `start`. */
  #stringEnd(start: number, quote: number): number {
    if (this.#lexing.noBackslashEscapes) return this.#quotedEnd(start, quote);
    for (let index = start + 1; index < this.#text.length; index += 1) {
      const code = this.#code(index);
      if (code === BACKSLASH) index += 1;
      else if (code === quote) {
        if (this.#code(index + 1) !== quote) return index + 1;
        index += 1;
      }
    }
    return this.#fail('a string that does not end', start);
  }

  /** The same where a backslash is an ordinary character. */
  #quotedEnd(start: number, quote: number): number {
    const mark = String.fromCharCode(quote);
    let end = this.#text.indexOf(mark, start + 1);
    while (end >= 0 && this.#code(end + 1) === quote) end = this.#text.indexOf(mark, end + 2);
    return end < 0 ? this.#fail('a quoted text that does not end', start) : end + 1;
  }

  /** Begins with a digit and does not stand after a dot: `12`, `1.5`, `1e5`, `0x1F`, `2fast`. */
  #numberOrName(): void {
    const start = this.#index;
    const based = this.#basedEnd(start);
    if (based > 0) {
      this.#push(BYTES, based);
      return;
    }
    const digits = this.#run(start, DIGIT);
    if (this.#code(digits) === DOT && this.#code(digits + 1) !== DOT) {
      this.#push(NUMBER, this.#fractionEnd(digits));
      return;
    }
    if (!this.#isName(digits)) {
      this.#push(NUMBER, digits);
      return;
    }
    const exponent = this.#exponentEnd(digits);
    if (exponent > 0) this.#push(NUMBER, this.#exact(exponent));
    else {
      this.#push(WORD, this.#exactName(digits));
      this.#markBeforeDot();
    }
  }

  /** 0x1F and 0b01, lower case only and followed by nothing of a name; -1: it is something else. */
  #basedEnd(start: number): number {
    if (this.#code(start) !== 0x30) return -1;
    const letter = this.#code(start + 1);
    if (letter !== 0x78 && letter !== 0x62) return -1;
    const end = this.#run(start + 2, letter === 0x78 ? HEXADECIMAL : BINARY);
    return end === start + 2 || this.#isName(end) ? -1 : end;
  }

  /** From the dot at `index`: digits and an exponent. Of `1.e(1)` the servers see only `(1)`. */
  #fractionEnd(index: number): number {
    const end = this.#run(index + 1, DIGIT);
    if ((this.#code(end) | 0x20) !== 0x65) return end;
    const exponent = this.#exponentEnd(end);
    return exponent > 0 ? exponent : this.#fail('an exponent without digits', end);
  }

  /** `e5`, `e+5`, `E-5` at `index`; -1: no exponent. */
  #exponentEnd(index: number): number {
    if ((this.#code(index) | 0x20) !== 0x65) return -1;
    const sign = this.#code(index + 1);
    const first = sign === 0x2b || sign === 0x2d ? index + 2 : index + 1;
    return this.#is(first, DIGIT) ? this.#run(first, DIGIT) : -1;
  }

  /** `1e5from` is a number and a keyword for one server and could be a name for another. */
  #exact(end: number): number {
    return this.#isName(end) ? this.#fail('a number with a name right behind it', end) : end;
  }

  /** `0b12e5x` changes its mind in the middle (a fault of the servers' lexers), so it is refused. */
  #exactName(digits: number): number {
    const end = this.#nameEnd(digits);
    const isOdd = /^0b[0-9]*e[0-9]/i.test(this.#text.slice(this.#index, end));
    return isOdd ? this.#fail('a name that could be a number', this.#index) : end;
  }

  #comment(code: number): boolean {
    const start = this.#index;
    const next = this.#code(start + 1);
    if (this.#lexing.server.isLookalike === true) vetComment(this.#text, start);
    if (code === 0x23 || (code === 0x2d && next === 0x2d && this.#isLineComment(start + 2))) {
      const end = this.#text.indexOf('\n', start);
      this.#index = end < 0 ? this.#text.length : end + 1;
      return true;
    }
    if (this.#isInComment && code === 0x2a && next === 0x2f) {
      this.#isInComment = false;
      this.#index += 2;
      return true;
    }
    if (code !== 0x2f || next !== 0x2a) return false;
    this.#blockComment();
    return true;
  }

  /** After `--`: white space, a control character or the end. `1--1` is 1 minus -1 (MY-48). */
  #isLineComment(index: number): boolean {
    const code = this.#code(index);
    if (code === NO_BREAK_SPACE) this.#fail('a no-break space outside of quotes', index);
    return Number.isNaN(code) || code <= 0x20 || code === 0x7f;
  }

  #blockComment(): void {
    const start = this.#index;
    const { server, sixDigits } = this.#lexing;
    const head = readCommentHead(this.#text, start, server, sixDigits);
    if (head === undefined) {
      const end = this.#text.indexOf('*/', start + 2);
      if (end < 0) this.#fail('a comment that does not end', start);
      if (this.#code(start + 2) === 0x2b) this.#checkHint(start + 3, end);
      this.#index = end + 2;
      return;
    }
    // The servers forget the outer one at the end of the inner one; nobody writes that in earnest.
    if (this.#isInComment) this.#fail('a version comment inside another', start);
    if (head.isAmbiguous) this.hasAmbiguousComment = true;
    this.#index = start + head.length;
    if (head.isCode) {
      this.#isInComment = true;
      return;
    }
    const end = skippedCommentEnd(this.#text, this.#index);
    if (end < 0) this.#fail('a comment that does not end', start);
    this.#index = end;
  }

  /** MySQL reads optimizer hints with quotes, so one that is left open takes the end of the comment along. */
  #checkHint(start: number, end: number): void {
    let index = start;
    while (index < end) {
      const code = this.#code(index);
      if (code === QUOTE || code === DOUBLE_QUOTE || code === BACKTICK) {
        const close = this.#text.indexOf(String.fromCharCode(code), index + 1);
        const isPlain = close > 0 && close < end && !this.#text.slice(index, close).includes('\\');
        if (!isPlain) this.#fail('a quote in an optimizer hint', index);
        index = close;
      }
      index += 1;
    }
  }

  #sign(code: number): void {
    const start = this.#index;
    if (code === 0x40) this.#variable();
    else if (code === 0x3f) this.#push(PARAMETER, start + 1);
    else if (code === DOT && this.#is(start + 1, DIGIT))
      this.#push(NUMBER, this.#fractionEnd(start));
    else if (code === BACKSLASH && this.#code(start + 1) === 0x4e)
      this.#push(NULL_LITERAL, start + 2);
    else if (code < 0x20 || code === 0x7f || code === BACKSLASH)
      this.#fail('a character that begins nothing', start);
    else if (!BEGINS_LONG.has(code)) this.#push(SIGN, start + 1, code);
    else {
      const long = CODES.get(this.#text.slice(start, start + 3));
      const short = long ?? CODES.get(this.#text.slice(start, start + 2));
      const length = long !== undefined ? 3 : short !== undefined ? 2 : 1;
      this.#push(SIGN, start + length, short ?? code);
    }
  }

  #variable(): void {
    const start = this.#index;
    const next = this.#code(start + 1);
    if (next === 0x40) this.#push(SYSTEM, start + 2);
    else if (next === BACKTICK) this.#push(VARIABLE, this.#quotedEnd(start + 1, BACKTICK));
    else if (next === DOUBLE_QUOTE) {
      this.hasDoubleQuote = true;
      const end = this.#lexing.ansiQuotes
        ? this.#quotedEnd(start + 1, DOUBLE_QUOTE)
        : this.#stringEnd(start + 1, DOUBLE_QUOTE);
      this.#push(VARIABLE, end);
    } else if (next === QUOTE) this.#push(VARIABLE, this.#stringEnd(start + 1, QUOTE));
    else {
      let end = start + 1;
      while (this.#is(end, IDENTIFIER) || this.#code(end) === DOT) end += 1;
      // Whether such a letter belongs to the name depends on the character set.
      if (this.#code(end) >= 128) this.#fail('a letter outside of ASCII in @name', end);
      this.#push(VARIABLE, end);
    }
  }
}
