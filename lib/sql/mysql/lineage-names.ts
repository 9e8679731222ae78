/**
 * How names are compared (MY-63). Columns and aliases ignore case. MariaDB 10.11 knows É for é and
 * neither ſ for s nor the Kelvin sign for k; which letters count as equal depends on server and
 * version, so names that are not plain ASCII are compared loosely where that is the stricter answer.
 */

const ASCII = /^[\x20-\x7E]*$/;

/** The form under which a name is looked up. */
export function foldName(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase().trimEnd();
  const folded = Array.from(name, (char) => {
    // A few letters become two in lower case; the server keeps the first (İ is an i).
    const [first = char] = Array.from(char.toLowerCase());
    return first;
  });
  return folded.join('').trimEnd();
}

/** Servers take away what cannot be seen at the start of an alias: ` a` is `a`. */
export function shownAlias(alias: string): string {
  let start = 0;
  while (start < alias.length && isUnseen(alias.charCodeAt(start))) start += 1;
  return alias.slice(start);
}

function isUnseen(code: number): boolean {
  return code <= 0x20 || code === 0x7f;
}

/** All of it plain ASCII: then servers agree with each other and with this file. */
export function isAsciiName(name: string): boolean {
  return ASCII.test(name);
}

/** True only where every server takes one for the other. */
export function isSameName(a: string, b: string): boolean {
  return a === b || (ASCII.test(a) && ASCII.test(b) && a.toLowerCase() === b.toLowerCase());
}

/** False only where no server takes one for the other: any letter beyond ASCII may be any letter. */
export function mayBeSameName(a: string, b: string): boolean {
  const left = foldName(shownAlias(a));
  const right = foldName(shownAlias(b));
  if (left === right) return true;
  if (ASCII.test(left) && ASCII.test(right)) return false;
  const ours = Array.from(left);
  const theirs = Array.from(right);
  return (
    ours.length === theirs.length &&
    ours.every((char, index) => {
      const other = theirs[index] ?? '';
      return char === other || !ASCII.test(char) || !ASCII.test(other);
    })
  );
}

/** A set of names that is asked loosely. */
export class NameSet {
  readonly #folded = new Set<string>();
  /** Those that need the loose comparison for every question. */
  readonly #foreign: string[] = [];

  constructor(names: Iterable<string>) {
    for (const name of names) {
      const folded = foldName(name);
      this.#folded.add(folded);
      if (!ASCII.test(folded)) this.#foreign.push(folded);
    }
  }

  has(name: string): boolean {
    const folded = foldName(name);
    if (this.#folded.has(folded)) return true;
    if (this.#foreign.some((foreign) => mayBeSameName(foreign, folded))) return true;
    if (ASCII.test(folded)) return false;
    return [...this.#folded].some((known) => mayBeSameName(known, folded));
  }
}
