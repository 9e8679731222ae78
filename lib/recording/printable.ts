/**
 * Makes recorded text safe to print. A recording holds what a hostile client or database sent, and
 * must not be able to drive the terminal of whoever looks at it: move the cursor, rewrite lines that
 * were printed, set the title or the clipboard, or turn the reading direction.
 */

/** Controls (C0, DEL, C1), format characters (bidi, zero width, tags), line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;
const COMBINING = /\p{M}/gu;

/** One line: every unsafe character becomes `\n`, `\x1b` or `\u{202e}`. */
export function escapeLine(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** Line feeds and tabs stay: for text whose lines the caller indents or quotes. */
export function escapeLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}

/** The same value, in ASCII escapes where a terminal could act: JSON stays JSON. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (character) => {
    const units = character.split('');
    return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  });
}

/** Terminal columns, near enough to align a table. Of escaped text. */
export function displayWidth(text: string): number {
  const characters = Array.from(text).length;
  const wide = text.match(WIDE)?.length ?? 0;
  const combining = text.match(COMBINING)?.length ?? 0;
  return characters + wide - combining;
}

/** At most `lengthMax` UTF-16 units, with a mark where something was left out. */
export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

function escapeCharacter(character: string): string {
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default: {
      const code = character.codePointAt(0) ?? 0;
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u{${code.toString(16)}}`;
    }
  }
}
