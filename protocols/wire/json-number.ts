/**
 * Where the numbers of RFC 8259 end, four bytes at once: vectors make most of an answer, and nothing else of it
 * costs as much to check. Nothing is converted; what a number is worth is no matter here.
 */

const MINUS = 0x2d;
const PLUS = 0x2b;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
/** `0.` as a number of two bytes, the first one the lower. */
const ZERO_POINT = 0x2e30;
const LETTER_E = 0x65;
/** The bit that makes a letter a small one. */
const LOWER_CASE = 0x20;
/** Of the four bytes in a word; -2 ** 31 and more, as numbers of 32 bits are. */
const HIGH_BITS = 0x80808080 | 0;

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** As far as `skipFractions` may look at once: a sign, `0.`, two words of digits and the first one after them. */
const FRACTION_REACH = 15;

/** The high bit of each byte that is no digit, as in `digitsEnd`. */
function othersIn(word: number): number {
  return ((word + 0x46464646) | (word - 0x30303030)) & HIGH_BITS;
}

/** Which of the four bytes of a word has the lowest bit that is set. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
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
    const others = othersIn(word);
    if (others !== 0) return at + lowestByte(others);
    at += 4;
  }
  while (at < length && isDigit(bytes[at] ?? 0)) at++;
  return at;
}

/** -1: no number starts there. */
export function numberEnd(bytes: Buffer, view: DataView, start: number): number {
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

/** Numbers that were skipped, each with the comma behind it; `end` is where the next value starts. */
interface NumberRun {
  readonly count: number;
  readonly end: number;
}

/**
 * Skips numbers of the form `0.12345678,` or `-0.12345678,`, as most parts of embeddings are. One loop for all of
 * them, in which nearly no branch depends on the digits: three times as fast as `numberEnd`, which takes the rest.
 */
export function skipFractions(bytes: Buffer, view: DataView, start: number): NumberRun {
  const reach = bytes.length - FRACTION_REACH;
  let first = start;
  let count = 0;
  while (first < reach) {
    let at = first + (bytes[first] === MINUS ? 1 : 0) + 2;
    if (view.getInt16(at - 2, true) !== ZERO_POINT) break;
    let others = othersIn(view.getInt32(at, true));
    if (others !== 0) {
      // A digit has to follow the point.
      if ((others & 0x80) !== 0) break;
    } else {
      at += 4;
      others = othersIn(view.getInt32(at, true));
      if (others === 0) {
        at += 4;
        others = othersIn(view.getInt32(at, true));
        // More than twelve digits are for `numberEnd`.
        if (others === 0) break;
      }
    }
    at += lowestByte(others);
    if (bytes[at] !== COMMA) break;
    first = at + 1;
    count++;
  }
  return { count, end: first };
}
