/**
 * The shape of a statement: its text with plain strings and numbers replaced by placeholders, or
 * undefined for anything that is not entirely plain. Two texts of one shape parse to the same tree
 * but for the values of their literals. It is a key, never a parser: whatever could be read in two
 * ways has no shape.
 */

const TEXT_LENGTH_MAX = 64 << 10;

/** Placeholders are control characters, which no text with a shape holds. */
const STRING = '\u0001';
const INTEGER = '\u0002';
const DECIMAL = '\u0003';

/** An integer literal with more digits may become another kind of node. */
const INTEGER_DIGITS_MAX = 9;

/** What a character can begin, by its code. No entry: the text has no shape. */
const REFUSED = 0;
const VERBATIM = 1;
const WORD = 2;
const DIGIT = 3;
const QUOTE = 4;
const NAME_QUOTE = 5;
const DOLLAR = 6;
/** Verbatim unless the next character makes it something else: `--`, `/*`, `U&'`, `.5`. */
const WATCHED = 7;

const CLASSES = classify();

function classify(): Uint8Array {
  const classes = new Uint8Array(128);
  const set = (characters: string, value: number): void => {
    for (const character of characters) classes[character.charCodeAt(0)] = value;
  };
  set(' \t\n\r()[],;:+*<>=~!@#%^|`?{}', VERBATIM);
  set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', WORD);
  set('0123456789', DIGIT);
  set("'", QUOTE);
  set('"', NAME_QUOTE);
  set('$', DOLLAR);
  set('-/&.', WATCHED);
  return classes;
}

function classOf(text: string, index: number): number {
  // Past the end the code is NaN, which is not below anything.
  const code = text.charCodeAt(index);
  return code < 128 ? (CLASSES[code] ?? REFUSED) : REFUSED;
}

export function shapeOf(text: string): string | undefined {
  const length = text.length;
  if (length > TEXT_LENGTH_MAX) return undefined;
  let shape = '';
  let kept = 0;
  let index = 0;
  while (index < length) {
    const kind = classOf(text, index);
    if (kind === VERBATIM) {
      index += 1;
      continue;
    }
    const end = tokenEnd(text, index, kind);
    if (end < 0) return undefined;
    if (kind === QUOTE || kind === DIGIT) {
      shape += text.slice(kept, index) + placeholderOf(text, index, end, kind);
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
  if (kind === NAME_QUOTE) return nameEnd(text, index);
  return kind === DOLLAR ? parameterEnd(text, index) : -1;
}

function placeholderOf(text: string, start: number, end: number, kind: number): string {
  if (kind === QUOTE) return STRING;
  const isInteger = end - start <= INTEGER_DIGITS_MAX && !text.slice(start, end).includes('.');
  return isInteger ? INTEGER : DECIMAL;
}

/** A word, whole. Not one with a prefix to a string (E'', N'', U&''), nor FLOAT(n), whose n is a type. */
function wordEnd(text: string, start: number): number {
  let index = start + 1;
  let kind = classOf(text, index);
  while (kind === WORD || kind === DIGIT) {
    index += 1;
    kind = classOf(text, index);
  }
  if (kind === QUOTE || kind === NAME_QUOTE || kind === DOLLAR) return -1;
  if (index - start === 5 && text.slice(start, index).toLowerCase() === 'float') return -1;
  return index;
}

/** Not the beginning of a comment, of U&'' or of a number. */
function isPlainSign(text: string, index: number): boolean {
  const sign = text[index];
  const next = text[index + 1];
  if (sign === '-') return next !== '-';
  if (sign === '/') return next !== '*';
  if (sign === '&') return next !== "'" && next !== '"';
  return classOf(text, index + 1) !== DIGIT && next !== '.';
}

/** A quoted name, kept as it is: to the quote that is not doubled. */
function nameEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end < 0) return -1;
  for (let index = start + 1; index < end; index += 1) if (!isPrintable(text, index)) return -1;
  return end + 1;
}

/** `$1`, kept as it is. `$$` and `$tag$` begin strings. */
function parameterEnd(text: string, start: number): number {
  let index = start + 1;
  while (classOf(text, index) === DIGIT) index += 1;
  if (index === start + 1) return -1;
  const next = classOf(text, index);
  return next === WORD || next === DOLLAR ? -1 : index;
}

/** A plain string. Not one that goes on after a line break, as SQL allows. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf("'", start + 1);
  while (end >= 0 && text[end + 1] === "'") end = text.indexOf("'", end + 2);
  if (end < 0) return -1;
  for (let index = start + 1; index < end; index += 1) if (!isPrintable(text, index)) return -1;
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

/** Digits with at most one point between them. Not 1e5, 0x1F, 1_000, 1., 1..2 or 1a. */
function numberEnd(text: string, start: number): number {
  let index = start + 1;
  while (classOf(text, index) === DIGIT) index += 1;
  if (text[index] === '.') {
    index += 1;
    const first = index;
    while (classOf(text, index) === DIGIT) index += 1;
    if (index === first) return -1;
  }
  const next = classOf(text, index);
  return next === WORD || next === DOLLAR || text[index] === '.' ? -1 : index;
}

/** Inside quotes: ASCII, no backslash, no control characters but tab and line breaks. */
function isPrintable(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (code === 0x5c || code > 0x7e) return false;
  return code >= 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
