/**
 * A password as SCRAM hashes it: RFC 4013 the way PostgreSQL does it. A text that SASLprep forbids
 * is taken as it is, byte for byte, by the server and by libpq alike, and so it is here.
 *
 * Limits: RFC 3454 speaks of Unicode 3.2 and Node knows a newer one. A character that was not
 * assigned then (most emoji) makes PostgreSQL take the password as it is; here it is recognised by
 * script and block only roughly. It matters only where the same password also holds a character
 * that normalisation changes. Right-to-left is judged by script (Hebrew, Arabic, Syriac, Thaana).
 */

type Ranges = readonly (readonly [from: number, to: number])[];

/** RFC 3454 C.1.2, mapped to the ASCII space. */
const SPACES: Ranges = [
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200b],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
];
/** RFC 3454 B.1, mapped to nothing. U+200B is a space by C.1.2 first, as in PostgreSQL. */
const NOTHINGS: Ranges = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x1806, 0x1806],
  [0x180b, 0x180d],
  [0x200c, 0x200d],
  [0x2060, 0x2060],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
];
/** RFC 4013 2.3: controls (C.2), private use (C.3), surrogates (C.5), not assigned and non-characters (A.1, C.4). */
const FORBIDDEN_CATEGORIES = /[\p{Cc}\p{Co}\p{Cs}\p{Cn}]/u;
/** The rest of C.2, and C.6 to C.9: unfit for plain or canonical text, display controls, tags. */
const FORBIDDEN: Ranges = [
  [0x340, 0x341],
  [0x6dd, 0x6dd],
  [0x70f, 0x70f],
  [0x180e, 0x180e],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2061, 0x2063],
  [0x206a, 0x206f],
  [0x2ff0, 0x2ffb],
  [0xfff9, 0xfffd],
  [0x1d173, 0x1d17a],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
];
/** Left empty by Unicode 3.2 in the higher planes: all but Old Italic, Gothic, Deseret, music, mathematics. */
const AFTER_UNICODE_3_2: Ranges = [
  [0x10000, 0x102ff],
  [0x10324, 0x1032f],
  [0x1034b, 0x103ff],
  [0x1044e, 0x1cfff],
  [0x1d200, 0x1d3ff],
  [0x1d800, 0x1ffff],
];
/** RFC 3454 D.1. */
const RIGHT_TO_LEFT: Ranges = [
  [0x5be, 0x5be],
  [0x5c0, 0x5c0],
  [0x5c3, 0x5c3],
  [0x5d0, 0x5f4],
  [0x61b, 0x64a],
  [0x66d, 0x66f],
  [0x671, 0x6d5],
  [0x6dd, 0x6dd],
  [0x6e5, 0x6e6],
  [0x6fa, 0x72c],
  [0x780, 0x7a5],
  [0x7b1, 0x7b1],
  [0x200f, 0x200f],
  [0xfb1d, 0xfb1d],
  [0xfb1f, 0xfb28],
  [0xfb2a, 0xfdfc],
  [0xfe70, 0xfefc],
];
/** RFC 3454 D.2, roughly. */
const LEFT_TO_RIGHT = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Lo}]/u;

export function preparePassword(password: string): string {
  // ASCII is never looked at, by PostgreSQL either.
  if (Buffer.byteLength(password) === password.length) return password;
  const mapped = Array.from(password, mapCharacter).join('');
  if (mapped === '' || isForbidden(mapped)) return password;
  return mapped.normalize('NFKC');
}

function mapCharacter(character: string): string {
  if (isIn(SPACES, character)) return ' ';
  return isIn(NOTHINGS, character) ? '' : character;
}

/**
 * RFC 3454 looks at the normalised text. PostgreSQL looks at the one before, and what counts is
 * that both ends of a SCRAM exchange do the same.
 */
function isForbidden(mapped: string): boolean {
  if (FORBIDDEN_CATEGORIES.test(mapped)) return true;
  const characters = Array.from(mapped);
  return (
    characters.some((one) => isIn(FORBIDDEN, one) || isIn(AFTER_UNICODE_3_2, one)) ||
    breaksDirection(characters)
  );
}

/** RFC 3454 section 6: with right-to-left text, nothing left-to-right, and it stands at both ends. */
function breaksDirection(characters: readonly string[]): boolean {
  if (!characters.some((one) => isRightToLeft(one))) return false;
  if (characters.some((one) => LEFT_TO_RIGHT.test(one) && !isRightToLeft(one))) return true;
  return !isRightToLeft(characters.at(0)) || !isRightToLeft(characters.at(-1));
}

function isRightToLeft(character: string | undefined): boolean {
  return character !== undefined && isIn(RIGHT_TO_LEFT, character);
}

function isIn(ranges: Ranges, character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return ranges.some(([from, to]) => code >= from && code <= to);
}
