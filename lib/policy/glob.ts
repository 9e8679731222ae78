/**
 * The patterns of rules and masks. `*` stands for any run of characters, the empty one included;
 * every other character stands for itself, case included. There is nothing else to it (no `?`, no
 * classes), so a name can be written as it is. A part in double quotes is a name without globs.
 */

export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  // Greedy with one resume point: at most pattern * text steps, unlike a regular expression's backtracking.
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next;
      next += 1;
      resume = at;
    } else if (next < pattern.length && pattern[next] === text[at]) {
      next += 1;
      at += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      next = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[next] === '*') next += 1;
  return next === pattern.length;
}

export function matchesAnyGlob(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text));
}

/** One dot-separated part of a pattern. */
export interface PatternPart {
  readonly text: string;
  /** Written in double quotes: stars in it are stars. */
  readonly isLiteral: boolean;
}

export function matchesPart(part: PatternPart, text: string): boolean {
  return part.isLiteral ? part.text === text : matchesGlob(part.text, text);
}

/** True when the part is nothing but stars, so that it matches every name there is. */
export function matchesEverything(part: PatternPart): boolean {
  return !part.isLiteral && /^\*+$/.test(part.text);
}

/**
 * `public."Odd.name".*` -> three parts. A part is bare (no dot, no quote) or quoted (`""` is one
 * quote). Undefined: not a pattern.
 */
export function splitPattern(pattern: string): readonly PatternPart[] | undefined {
  const parts: PatternPart[] = [];
  const part = /(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/y;
  while (part.lastIndex < pattern.length) {
    const match = part.exec(pattern);
    if (match === null) return undefined;
    const quoted = match[1];
    if (quoted === undefined) parts.push({ text: match[2] ?? '', isLiteral: false });
    else parts.push({ text: quoted.replaceAll('""', '"'), isLiteral: true });
    if (match[3] === '') return parts;
  }
  // Empty, or it ends with a dot.
  return undefined;
}

/** Some text that starts with `prefix` matches. */
export function canMatchBelow(pattern: string, prefix: string): boolean {
  // live[i]: the first i characters of the pattern can have matched what was read of the prefix.
  let live = closeOverStars(pattern, [true]);
  for (const character of prefix) {
    const next: boolean[] = [];
    for (const [index, isLive] of live.entries()) {
      if (!isLive) continue;
      if (pattern[index] === '*') next[index] = true;
      else if (pattern[index] === character) next[index + 1] = true;
    }
    live = closeOverStars(pattern, next);
    if (!live.includes(true)) return false;
  }
  // Whatever the pattern has left, some text goes on with it.
  return true;
}

/** A star may stand for nothing. */
function closeOverStars(pattern: string, live: readonly (boolean | undefined)[]): boolean[] {
  const closed: boolean[] = [];
  for (let index = 0; index <= pattern.length; index += 1) {
    closed[index] =
      live[index] === true || (closed[index - 1] === true && pattern[index - 1] === '*');
  }
  return closed;
}
