/** Does a list of patterns over connection names speak of a name? The same as lib/policy's globs. */

export function matchesName(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}

/** `*` is any run of characters. In steps of pattern times name, however many stars there are. */
function matchesGlob(pattern: string, name: string): boolean {
  // ends[i]: the pattern read so far can match the first i characters.
  let ends = [true, ...Array.from(name, () => false)];
  for (const character of pattern) {
    const next = ends.map(() => false);
    for (let index = 0; index <= name.length; index += 1) {
      next[index] =
        character === '*'
          ? ends[index] === true || next[index - 1] === true
          : index > 0 && ends[index - 1] === true && name[index - 1] === character;
    }
    ends = next;
  }
  return ends.at(-1) === true;
}
