/**
 * The shape of a statement: its text with plain strings and numbers replaced by placeholders, or undefined
 * for anything that is not entirely plain. Two texts of one shape have the same tree but for the values
 * of their literals, on every server and in every mode. It is a key, never a lexer: whatever could be
 * read in two ways (a backslash, a double quote, a comment, `1e5`) has no shape.
 */

const TEXT_LENGTH_MAX = 64 << 10;

/** Placeholders are control characters, which no text with a shape holds. */
const STRING = '\u0001';
const NUMBER = '\u0002';

/** What a character can begin, by its code. No entry: the text has no shape. */
const REFUSED = 0;
const VERBATIM = 1;
const WORD = 2;
const DIGIT = 3;
const QUOTE = 4;
const NAME_QUOTE = 5;
/** Verbatim unless the next character makes it something else: `--`, `/*`, `.5`, `@'a'`. */
const WATCHED = 6;

const CLASSES = classify();

function classify(): Uint8Array {
  const classes = new Uint8Array(128);
  const set = (characters: string, value: number): void => {
    for (const character of characters) classes[character.charCodeAt(0)] = value;
  };
  set(' \t\n\r()[],;:+*<>=~!%^|?{}&', VERBATIM);
  set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$', WORD);
  set('0123456789', DIGIT);
  set("'", QUOTE);
  set('`', NAME_QUOTE);
  set('-/.@', WATCHED);
  return classes;
}

function classOf(text: string, index: number): number {
  // Past the end the code is NaN, which is not below anything.
  const code = text.charCodeAt(index);
  return code < 128 ? (CLASSES[code] ?? REFUSED) : REFUSED;
}

export function shapeOf(text: string): string | undefined {
  const { length } = text;
  if (length > TEXT_LENGTH_MAX) return undefined;
  let shape = '';
  let kept = 0;
  let index = 0;
  while (index < length) {
    const kind = classOf(text, index);
    const end = kind === VERBATIM ? index + 1 : tokenEnd(text, index, kind);
    if (end < 0) return undefined;
    if (kind === QUOTE || kind === DIGIT) {
      shape += text.slice(kept, index) + (kind === QUOTE ? STRING : NUMBER);
      kept = end;
    }
    index = end;
  }
  return kept === 0 ? text : shape + text.slice(kept);
}

/** Where the token that begins here ends; -1: it could be read in two ways. */
function tokenEnd(text: string, index: number, kind: number): number {
  if (kind === WORD) return wordEnd(text, index);
  if (kind === WATCHED) return isPlainSign(text, index) ? index + 1 : -1;
  if (kind === QUOTE) return stringEnd(text, index);
  if (kind === DIGIT) return numberEnd(text, index);
  return kind === NAME_QUOTE ? nameEnd(text, index) : -1;
}

/** A word, whole. Not one with a prefix to a string (N'', x'', _utf8''). */
function wordEnd(text: string, start: number): number {
  let index = start + 1;
  let kind = classOf(text, index);
  while (kind === WORD || kind === DIGIT) {
    index += 1;
    kind = classOf(text, index);
  }
  // A letter outside of ASCII would go on with the word.
  const isCut = kind === REFUSED && index < text.length;
  return kind === QUOTE || isCut ? -1 : index;
}

/** Not the beginning of a comment, of a number or of a variable whose name is a literal. */
function isPlainSign(text: string, index: number): boolean {
  const sign = text[index];
  const next = text[index + 1];
  if (sign === '-') return next !== '-';
  if (sign === '/') return next !== '*';
  if (sign === '@' && next === "'") return false;
  return classOf(text, index + 1) !== DIGIT && next !== '.';
}

/** A name in backticks, kept as it is: to the one that is not doubled. */
function nameEnd(text: string, start: number): number {
  let end = text.indexOf('`', start + 1);
  while (end >= 0 && text[end + 1] === '`') end = text.indexOf('`', end + 2);
  return end < 0 || !isPlain(text, start + 1, end) ? -1 : end + 1;
}

/** A string without a backslash; not one beside another, which the server makes one of. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf("'", start + 1);
  while (end >= 0 && text[end + 1] === "'") end = text.indexOf("'", end + 2);
  if (end < 0 || !isPlain(text, start + 1, end)) return -1;
  let after = end + 1;
  while (
    text[after] === ' ' ||
    text[after] === '\n' ||
    text[after] === '\r' ||
    text[after] === '\t'
  )
    after += 1;
  return text[after] === "'" ? -1 : end + 1;
}

/** Digits with at most one point between them. Not 1e5, 0x1F, 1., 1..2 or 1a. */
function numberEnd(text: string, start: number): number {
  let index = start + 1;
  while (classOf(text, index) === DIGIT) index += 1;
  if (text[index] === '.') {
    index += 1;
    const first = index;
    while (classOf(text, index) === DIGIT) index += 1;
    if (index === first) return -1;
  }
  const kind = classOf(text, index);
  const goesOn = kind === WORD || text[index] === '.' || text.charCodeAt(index) >= 128;
  return goesOn ? -1 : index;
}

/** Inside quotes: no backslash and no control characters but tab and line breaks. */
function isPlain(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const code = text.charCodeAt(index);
    const isBreak = code === 0x09 || code === 0x0a || code === 0x0d;
    if (code === 0x5c || code === 0x7f || (code < 0x20 && !isBreak)) return false;
  }
  return true;
}
