/** Mail addresses, IBANs and IPv6 addresses in a text. Each looks around one place of it. */

import { isIPv6 } from 'node:net';
import type { DigitGroup, Place } from './detect-numbers.ts';

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const IPV6_LENGTH_MAX = 45;
/** `::1`; the bare `::` is in every other program text. */
const IPV6_LENGTH_MIN = 3;
/** Of a domain that is an address, `[2001:db8::1]`. */
const LITERAL_LENGTH_MAX = 64;
const DASH = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;
/** Of a local part in quotes. */
const QUOTED_LENGTH_MAX = 66;

/** The address around the `@` at `at`; nothing before `from` belongs to it. */
export function emailAt(text: string, at: number, from: number): Place | undefined {
  const start = startOfLocal(text, at, from);
  if (start === undefined) return undefined;
  const end = endOfDomain(text, at + 1);
  return end === undefined ? undefined : { start, end };
}

function startOfLocal(text: string, at: number, from: number): number | undefined {
  if (text.charAt(at - 1) === '"') {
    const open = text.lastIndexOf('"', at - 2);
    return open >= Math.max(from, at - QUOTED_LENGTH_MAX) && open < at - 2 ? open : undefined;
  }
  let start = at;
  while (start > from && isLocal(text, start - 1)) start -= 1;
  // What stands around an address is not of it: 'ann@example.com', {ann@example.com}, =ann@example.com.
  while (start < at && !isLetterOrDigit(text, start)) start += 1;
  return start < at ? start : undefined;
}

/** By code: what of ASCII is in a local part (RFC 5322 atext, and dots). */
const LOCAL = new Uint8Array(0x80);
for (const character of ".!#$%&'*+/=?^_`{|}~-") LOCAL[character.charCodeAt(0)] = 1;

/** Letters beyond ASCII too (RFC 6531). */
function isLocal(text: string, at: number): boolean {
  return LOCAL[text.charCodeAt(at)] === 1 || isLetterOrDigit(text, at);
}

/** Labels with a dot between them; the last one starts with a letter and has two characters at least. */
function endOfDomain(text: string, from: number): number | undefined {
  if (text.charAt(from) === '[') {
    const end = text.slice(from, from + LITERAL_LENGTH_MAX).indexOf(']');
    return end < 2 ? undefined : from + end + 1;
  }
  let end: number | undefined;
  let label = from;
  for (let at = from; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DASH || code === UNDERSCORE || isLetterOrDigit(text, at)) continue;
    const isLast = label > from && at - label >= 2 && !isDigit(text.charCodeAt(label));
    if (isLast) end = trimDashes(text, label, at);
    if (code !== DOT || at === label) return end;
    label = at + 1;
  }
}

function trimDashes(text: string, from: number, end: number): number {
  let last = end;
  while (last > from + 1 && '-_'.includes(text.charAt(last - 1))) last -= 1;
  return last;
}

function isLetterOrDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x80) {
    const folded = code | 0x20;
    return isDigit(code) || (folded >= 0x61 && folded <= 0x7a);
  }
  // Halves of a surrogate pair are letters often enough.
  return (code >= 0xd800 && code <= 0xdfff) || /[\p{L}\p{N}\p{M}]/u.test(text.charAt(at));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The run of hex digits, colons and dots around `at`, and the address in it, if it is one. */
export function ipv6Around(
  text: string,
  at: number,
  from: number,
): { readonly place: Place | undefined; readonly end: number } {
  let start = at;
  while (start > from && isOfIpv6(text.charCodeAt(start - 1))) start -= 1;
  let end = at + 1;
  while (end < text.length && isOfIpv6(text.charCodeAt(end))) end += 1;
  return { place: ipv6In(text, start, end), end };
}

function ipv6In(text: string, first: number, end: number): Place | undefined {
  let start = first;
  // `host:2001:db8::1`
  if (text.charAt(start) === ':' && text.charAt(start + 1) !== ':') start += 1;
  else if (start > 0 && isWordCode(text, start - 1)) return undefined;
  let last = end;
  while (last > start && isTail(text, last)) last -= 1;
  // Letters go on: it is a word with colons in it.
  if (last === end && end < text.length && isWordCode(text, end)) return undefined;
  const size = last - start;
  if (size < IPV6_LENGTH_MIN || size > IPV6_LENGTH_MAX) return undefined;
  return isIPv6(text.slice(start, last)) ? { start, end: last } : undefined;
}

/** A dot or one colon that ends a sentence or a line, not the `::` of an address. */
function isTail(text: string, end: number): boolean {
  const last = text.charAt(end - 1);
  return last === '.' || (last === ':' && text.charAt(end - 2) !== ':');
}

function isOfIpv6(code: number): boolean {
  const folded = code | 0x20;
  return isDigit(code) || (folded >= 0x61 && folded <= 0x66) || code === 0x3a || code === 0x2e;
}

function isWordCode(text: string, at: number): boolean {
  return isLetterOrDigit(text, at) || text.charAt(at) === '_';
}

/** Lengths by country, of the IBAN registry. */
const IBAN_LENGTHS: Readonly<Record<number, string>> = {
  15: 'NO',
  16: 'BE',
  18: 'DK FI FK FO GL NL SD',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU MN XK',
  21: 'CH HR LI LV',
  22: 'BG BH CR DE GB GE IE ME RS VA',
  23: 'AE GI IL IQ OM SO TL',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM',
  28: 'AL AZ BY CY DO GT HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
};
const LENGTH_BY_COUNTRY: ReadonlyMap<string, number> = new Map(
  Object.entries(IBAN_LENGTHS).flatMap(([length, countries]) =>
    countries.split(' ').map((country) => [country, Number(length)]),
  ),
);

/** Two letters before a group of digits, as many characters as the country has, and ISO 7064 mod 97. */
export function ibanAt(text: string, groups: readonly DigitGroup[]): Place | undefined {
  const [group] = groups;
  const start = (group?.start ?? 0) - 2;
  if (start < 0 || (start > 0 && isWordCode(text, start - 1))) return undefined;
  const length = LENGTH_BY_COUNTRY.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return undefined;
  let compact = '';
  let at = start;
  while (compact.length < length) {
    const character = text.charAt(at);
    if (isAscii(text, at)) compact += character.toUpperCase();
    // One space or dash between groups, never behind the country.
    else if (!isIbanGap(character) || compact.length < 4 || !isAscii(text, at - 1)) {
      return undefined;
    }
    at += 1;
  }
  if (at < text.length && isWordCode(text, at)) return undefined;
  return remainder97(compact.slice(4) + compact.slice(0, 4)) === 1 ? { start, end: at } : undefined;
}

function isIbanGap(character: string): boolean {
  return character !== '' && ' -\u00a0\u202f'.includes(character);
}

function isAscii(text: string, at: number): boolean {
  return text.charCodeAt(at) < 0x80 && isLetterOrDigit(text, at);
}

/** Letters count as 10 to 35. */
function remainder97(text: string): number {
  let rest = 0;
  for (const character of text) {
    const value = parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
