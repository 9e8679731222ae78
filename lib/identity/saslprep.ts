/**
 * A password as SCRAM hashes it: RFC 4013 the way PostgreSQL does it. A text that SASLprep forbids
 * is taken as it is, byte for byte, by the server and by libpq alike, and so it is here.
 *
 * Limits: RFC 3454 speaks of Unicode 3.2 and Node knows a newer one. A character that was not
 * assigned then (most emoji) makes PostgreSQL take the password as it is; here it is recognised by
 * script and block only roughly. It matters only where the same password also holds a character
 * that normalisation changes. Right-to-left is judged by script (Hebrew, Arabic, Syriac, Thaana).
 */

/** RFC 3454 C.1.2, mapped to the ASCII space. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454 B.1, mapped to nothing. U+200B is a space by C.1.2 first, as in PostgreSQL. */
const NOTHINGS = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;
/**
 * RFC 4013 2.3: controls (C.2), private use (C.3), non-characters (C.4), surrogates (C.5), unfit
 * for plain text (C.6) or canonical form (C.7), display controls (C.8), tags (C.9); and A.1, what
 * is not assigned.
 */
const FORBIDDEN =
  /[\p{Cc}\p{Co}\p{Cs}\p{Cn}\u06dd\u070f\u180e\u2028\u2029\u2061-\u2063\u206a-\u206f\ufff9-\ufffd\u2ff0-\u2ffb\u0340\u0341\u200e\u200f\u202a-\u202e\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;
/** Planes that Unicode 3.2 left empty but for music, mathematics, old italic, gothic and deseret. */
const AFTER_UNICODE_3_2 =
  /[\u{10000}-\u{102ff}\u{10324}-\u{1032f}\u{1034b}-\u{103ff}\u{1044e}-\u{1cfff}\u{1d200}-\u{1d3ff}\u{1d800}-\u{1ffff}]/u;
const RIGHT_TO_LEFT =
  /[\u05be\u05c0\u05c3\u05d0-\u05f4\u061b-\u064a\u066d-\u066f\u0671-\u06d5\u06e5\u06e6\u06fa-\u072c\u0780-\u07b1\u200f\ufb1d\ufb1f-\ufdfc\ufe70-\ufefc]/u;
const LEFT_TO_RIGHT = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Lo}]/u;

export function preparePassword(password: string): string {
  if (/^[\0-\x7f]*$/.test(password)) return password;
  const mapped = password.replaceAll(SPACES, ' ').replaceAll(NOTHINGS, '');
  if (mapped === '') return password;
  // RFC 3454 looks at the normalised text. PostgreSQL looks at the one before, and what counts is
  // that both ends of a SCRAM exchange do the same.
  if (FORBIDDEN.test(mapped) || AFTER_UNICODE_3_2.test(mapped)) return password;
  return breaksDirection(mapped) ? password : mapped.normalize('NFKC');
}

/** RFC 3454 section 6: with right-to-left text, nothing left-to-right, and it stands at both ends. */
function breaksDirection(text: string): boolean {
  if (!RIGHT_TO_LEFT.test(text)) return false;
  const characters = [...text];
  const hasLeftToRight = characters.some(
    (one) => LEFT_TO_RIGHT.test(one) && !RIGHT_TO_LEFT.test(one),
  );
  const ends = [characters.at(0) ?? '', characters.at(-1) ?? ''];
  return hasLeftToRight || !ends.every((one) => RIGHT_TO_LEFT.test(one));
}
