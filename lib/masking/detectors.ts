/**
 * Finds personal data in running text by its form: mail addresses, phone and card numbers, IBANs, social
 * security numbers, network addresses. What each kind takes for one is in the files beside (`detect-*.ts`).
 * The cost grows with the length of the text and with nothing else, and what is kept is bounded.
 *
 * Limits: ASCII digits only; nothing that is written out ("at", "dot") or encoded; what has the form may
 * still be something else (an order number that happens to pass Luhn).
 */

import type { DetectorName } from '../config/config.ts';
import { emailAt, ibanAt, ipv6Around } from './detect-names.ts';
import {
  canBeNumber,
  cardAt,
  createGroupReader,
  type DigitGroup,
  ipv4At,
  phoneAt,
  ssnAt,
} from './detect-numbers.ts';

export interface Found {
  readonly start: number;
  /** Behind the last character. */
  readonly end: number;
  readonly kind: DetectorName;
}

export type Kinds = ReadonlySet<DetectorName>;

/** Places in one text; from there on the rest of it counts as one, so that no text makes more of them. */
export const FOUND_MAX = 100_000;
/** Groups of digits that are looked at together: a card has five, a phone number may have seven. */
const GROUPS_AHEAD = 8;

const NUMBERS = ['credit-card', 'iban', 'ssn', 'phone', 'ip'] as const;

/** In their order, none overlapping; what overlaps is one place, of the kind that starts first. */
export function findContent(text: string, kinds: Kinds): readonly Found[] {
  const found: Found[] = [];
  if (kinds.has('email')) findEmails(text, found);
  if (kinds.has('ip')) findIpv6(text, found);
  if (NUMBERS.some((kind) => kinds.has(kind))) findNumbers(text, kinds, found);
  return found.length < 2 ? found : join(found);
}

/** False: no place is kept any more, the rest of the text is one. */
function keep(text: string, place: Found, found: Found[]): boolean {
  if (found.length < FOUND_MAX) {
    found.push(place);
    return true;
  }
  found.push({ ...place, end: text.length });
  return false;
}

/** An address goes from one `@` at most to the places of its neighbours, so no character is seen twice. */
function findEmails(text: string, found: Found[]): void {
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const place = emailAt(text, at, from);
    if (place === undefined) continue;
    from = place.end;
    if (!keep(text, { ...place, kind: 'email' }, found)) return;
  }
}

function findIpv6(text: string, found: Found[]): void {
  let from = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', from)) {
    const { place, end } = ipv6Around(text, at, from);
    from = end;
    if (place !== undefined && !keep(text, { ...place, kind: 'ip' }, found)) return;
  }
}

function findNumbers(text: string, kinds: Kinds, found: Found[]): void {
  const next = createGroupReader(text);
  const first = next();
  // Most texts have none.
  if (first === undefined) return;
  const finders = findersOf(kinds);
  const ahead: DigitGroup[] = [first];
  let isMore = true;
  for (;;) {
    while (isMore && ahead.length < GROUPS_AHEAD) {
      const group = next();
      if (group === undefined) isMore = false;
      else ahead.push(group);
    }
    if (ahead.length === 0) return;
    const count = countJoined(ahead);
    const place = canBeNumber(text, ahead, count)
      ? numberAt(text, ahead.slice(0, count), finders)
      : undefined;
    if (place !== undefined && !keep(text, place, found)) return;
    const end = place?.end ?? 0;
    ahead.shift();
    while (ahead[0] !== undefined && ahead[0].start < end) ahead.shift();
  }
}

/** Of the groups that belong to the first one: nothing but separators between them. */
function countJoined(ahead: readonly DigitGroup[]): number {
  let count = 1;
  while (ahead[count]?.isJoined === true) count += 1;
  return count;
}

const FINDERS = {
  'credit-card': cardAt,
  iban: ibanAt,
  ssn: ssnAt,
  phone: phoneAt,
  ip: ipv4At,
} as const;

type Finder = (typeof NUMBERS)[number];

/** The same set comes with every text. */
const finders = new WeakMap<Kinds, readonly Finder[]>();

function findersOf(kinds: Kinds): readonly Finder[] {
  const known = finders.get(kinds);
  if (known !== undefined) return known;
  const made = NUMBERS.filter((kind) => kinds.has(kind));
  finders.set(kinds, made);
  return made;
}

/** The longest of what starts with the first group. */
function numberAt(
  text: string,
  groups: readonly DigitGroup[],
  kinds: readonly Finder[],
): Found | undefined {
  let longest: Found | undefined;
  for (const kind of kinds) {
    const place = FINDERS[kind](text, groups);
    if (place === undefined) continue;
    if (longest === undefined || place.end > longest.end) longest = { ...place, kind };
  }
  return longest;
}

function join(found: readonly Found[]): readonly Found[] {
  const isInOrder = found.every(({ start }, at) => at === 0 || start >= (found[at - 1]?.end ?? 0));
  if (isInOrder) return found;
  const ordered = found.toSorted((one, other) => one.start - other.start || other.end - one.end);
  const places: Found[] = [];
  for (const place of ordered) {
    const last = places.at(-1);
    if (last === undefined || place.start >= last.end) places.push(place);
    else if (place.end > last.end) places[places.length - 1] = { ...last, end: place.end };
  }
  return places;
}
