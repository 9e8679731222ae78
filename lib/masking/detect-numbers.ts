/** Card, phone and social security numbers and IPv4 addresses, from groups of digits in a text. */

export interface DigitGroup {
  readonly start: number;
  readonly end: number;
  /** Nothing but separators stands between it and the one before. */
  readonly isJoined: boolean;
}

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** `) - ` is the longest that people write between two groups of one number. */
const GAP_MAX = 3;
/** Spaces and dashes as word processors put them in, too. */
const SEPARATORS = ' \u00a0\u2009\u202f-\u2010\u2011\u2012\u2013./()';
const SPACES = ' \u00a0\u2009\u202f';
const DASHES = '-\u2010\u2011\u2012\u2013';

const CARD_DIGITS = { min: 13, max: 19 } as const;
/** ISO 7812 numbers of payment cards: what their first four digits may be. */
const CARD_RANGES: readonly (readonly [number, number])[] = [
  [2200, 2204],
  [2221, 2720],
  [3000, 6999],
  [8100, 8299],
  [9792, 9792],
];
/** In print: 4-4-4-4, 4-6-5, and a last group of any length. */
const CARD_GROUP_MIN = 3;

const IPV4_PARTS = 4;
/** E.164 allows 15; fewer than eight are anything. */
const INTERNATIONAL = { min: 8, max: 15 } as const;
/** With the leading zero of national numbers. */
const NATIONAL = { min: 9, max: 12 } as const;
/** Without anything between them, where other numbers are frequent. */
const NATIONAL_BARE = { min: 10, max: 11 } as const;

/** Only looks for the next digit: cheaper than a match of the whole group, or than a new expression for each text. */
const DIGIT = /[0-9]/g;

/** Digits that stand together, from the start of the text to its end; undefined behind the last ones. */
export function createGroupReader(text: string): () => DigitGroup | undefined {
  let before = -1;
  return () => {
    DIGIT.lastIndex = Math.max(before, 0);
    if (!DIGIT.test(text)) return undefined;
    const start = DIGIT.lastIndex - 1;
    let end = start + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    const isJoined = before >= 0 && isGap(text, before, start);
    before = end;
    return { start, end, isJoined };
  };
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Most groups in a text are days, prices, counts: too few digits and dots for anything, and no letters before. */
export function canBeNumber(text: string, groups: readonly DigitGroup[], count: number): boolean {
  const [first] = groups;
  if (count >= IPV4_PARTS || first === undefined) return true;
  let size = 0;
  for (let index = 0; index < count; index += 1) size += sizeOf(groups[index]);
  return size >= INTERNATIONAL.min || isAsciiLetter(text.charCodeAt(first.start - 1));
}

function isAsciiLetter(code: number): boolean {
  const folded = code | 0x20;
  return folded >= 0x61 && folded <= 0x7a;
}

function isGap(text: string, start: number, end: number): boolean {
  if (end - start > GAP_MAX) return false;
  for (let at = start; at < end; at += 1) {
    if (!SEPARATORS.includes(text.charAt(at))) return false;
  }
  return true;
}

/** Luhn over some groups together, the longest that fit: what stands beside a card number is often a number. */
export function cardAt(text: string, groups: readonly DigitGroup[]): Place | undefined {
  const [first] = groups;
  if (first === undefined || goesOn(text, first.start)) return undefined;
  let digits = '';
  let end: number | undefined;
  for (const [index, group] of groups.entries()) {
    if (index > 0) {
      const isPrinted = sizeOf(groups[index - 1]) >= CARD_GROUP_MIN;
      if (!isPrinted || group.start - (groups[index - 1]?.end ?? 0) !== 1) break;
    }
    if (digits.length + sizeOf(group) > CARD_DIGITS.max) break;
    digits += text.slice(group.start, group.end);
    if (digits.length >= CARD_DIGITS.min && isCard(digits)) end = group.end;
  }
  return end === undefined ? undefined : { start: first.start, end };
}

function isCard(digits: string): boolean {
  const head = Number(digits.slice(0, 4));
  return CARD_RANGES.some(([from, to]) => head >= from && head <= to) && passesLuhn(digits);
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30;
    const value = index % 2 === 0 ? digit : digit * 2;
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** `123-45-6789`, with the same dash or space twice, and not in the middle of a longer number. */
export function ssnAt(text: string, groups: readonly DigitGroup[]): Place | undefined {
  const [area, group, serial, next] = groups;
  if (area === undefined || group === undefined || serial === undefined) return undefined;
  if (sizeOf(area) !== 3 || sizeOf(group) !== 2 || sizeOf(serial) !== 4) return undefined;
  const gap = text.slice(area.end, group.start);
  const isSeparator = gap.length === 1 && (SPACES + DASHES).includes(gap);
  if (!isSeparator || text.slice(group.end, serial.start) !== gap) return undefined;
  if (goesOn(text, area.start) || (next && text.slice(serial.end, next.start)) === '-') {
    return undefined;
  }
  return isGivenOut(text, area, group, serial) ? { start: area.start, end: serial.end } : undefined;
}

/** Area 000, 666 and from 900, group 00 and serial 0000 never were. */
function isGivenOut(
  text: string,
  area: DigitGroup,
  group: DigitGroup,
  serial: DigitGroup,
): boolean {
  const value = Number(text.slice(area.start, area.end));
  const isArea = value > 0 && value !== 666 && value < 900;
  return isArea && !isZero(text, group) && !isZero(text, serial);
}

function isZero(text: string, { start, end }: DigitGroup): boolean {
  return Number(text.slice(start, end)) === 0;
}

/** `192.0.2.1`, and so every version number of four parts. */
export function ipv4At(text: string, groups: readonly DigitGroup[]): Place | undefined {
  const parts = groups.slice(0, IPV4_PARTS);
  const [first, , , last] = parts;
  if (first === undefined || last === undefined || goesOn(text, first.start)) return undefined;
  if (isWord(text.charAt(first.start - 1)) || isWord(text.charAt(last.end))) return undefined;
  const isAddress = parts.every((part, index) => {
    const isByte = sizeOf(part) <= 3 && Number(text.slice(part.start, part.end)) <= 255;
    return isByte && (index === 0 || text.slice(parts[index - 1]?.end, part.start) === '.');
  });
  const next = groups[IPV4_PARTS];
  if (!isAddress || (next !== undefined && text.slice(last.end, next.start) === '.')) {
    return undefined;
  }
  return { start: first.start, end: last.end };
}

/** `+49 30 123456`, `0049...`, `030 123456`, `(212) 555-0123`. */
export function phoneAt(text: string, groups: readonly DigitGroup[]): Place | undefined {
  const [first] = groups;
  if (first === undefined) return undefined;
  const before = text.charAt(first.start - 1);
  if (before === '+') return within(groups, INTERNATIONAL, first.start - 1);
  if (isWord(before) || goesOn(text, first.start)) return undefined;
  const start = before === '(' ? first.start - 1 : first.start;
  const head = text.slice(first.start, first.start + 3);
  if (/^00[1-9]/.test(head)) {
    const { min, max } = INTERNATIONAL;
    return within(groups, { min: min + 2, max: max + 2 }, start);
  }
  if (/^0[1-9]/.test(head)) {
    if (isDate(text, groups)) return undefined;
    return within(groups, sizeOf(first) >= NATIONAL.min ? NATIONAL_BARE : NATIONAL, start);
  }
  return northAmerican(text, groups, start);
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** As many groups as there is room for. */
function within(
  groups: readonly DigitGroup[],
  { min, max }: Range,
  start: number,
): Place | undefined {
  let size = 0;
  let end: number | undefined;
  for (const group of groups) {
    size += sizeOf(group);
    if (size > max) break;
    if (size >= min) end = group.end;
  }
  return end === undefined ? undefined : { start, end };
}

/** `01.02.2024`, `01/02/24`: two, two and four or two digits, and that is all. */
function isDate(text: string, [day, month, year, next]: readonly DigitGroup[]): boolean {
  if (sizeOf(day) !== 2 || sizeOf(month) !== 2) return false;
  const gap = text.slice(day?.end, month?.start);
  if (!['.', '/', '-'].includes(gap) || text.slice(month?.end, year?.start) !== gap) return false;
  if (sizeOf(year) === 4) return true;
  const hasMore = next !== undefined && text.slice(year?.end, next.start) === gap;
  return sizeOf(year) === 2 && !hasMore;
}

/** Three, three and four digits, perhaps behind a 1; area and exchange start with 2 to 9. */
function northAmerican(
  text: string,
  groups: readonly DigitGroup[],
  start: number,
): Place | undefined {
  const [first] = groups;
  const hasPrefix = sizeOf(first) === 1 && text.charAt(first?.start ?? 0) === '1';
  const [area, exchange, line] = hasPrefix ? groups.slice(1) : groups;
  if (sizeOf(area) !== 3 || sizeOf(exchange) !== 3 || sizeOf(line) !== 4) return undefined;
  const heads = [area, exchange].map((group) => text.charAt(group?.start ?? 0));
  if (line === undefined || !heads.every((digit) => digit >= '2')) return undefined;
  return { start, end: line.end };
}

function sizeOf(group: DigitGroup | undefined): number {
  return group === undefined ? 0 : group.end - group.start;
}

/** A longer number starts before: `1-2`, `3.4`, `5/6`. */
function goesOn(text: string, start: number): boolean {
  const gap = text.charAt(start - 1);
  if (gap !== '.' && gap !== '/' && !(gap !== '' && DASHES.includes(gap))) return false;
  return isDigit(text.charCodeAt(start - 2));
}

function isWord(character: string): boolean {
  return character !== '' && /[\p{L}\p{N}_]/u.test(character);
}
