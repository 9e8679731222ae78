import fc from 'fast-check';
import t from 'tap';
import {
  displayWidth,
  escapeJson,
  escapeLine,
  escapeLines,
  shorten,
} from '../../../lib/recording/printable.ts';

/** Written as numbers: what a terminal or a bidi renderer acts on. */
const UNSAFE_RANGES: readonly (readonly [number, number])[] = [
  [0, 0x1f],
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2064],
  [0x2066, 0x206f],
  [0xfeff, 0xfeff],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
];

function isUnsafe(code: number): boolean {
  return UNSAFE_RANGES.some(([first, last]) => code >= first && code <= last);
}

function unsafeIn(value: string): number[] {
  return Array.from(value, (character) => character.codePointAt(0) ?? 0).filter(isUnsafe);
}

const anyText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
    fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCodePoint(code)),
    fc.integer({ min: 0x2000, max: 0x2070 }).map((code) => String.fromCodePoint(code)),
  ),
});

t.test('no character that drives a terminal comes through', async (t) => {
  fc.assert(fc.property(anyText, (value) => unsafeIn(escapeLine(value)).length === 0));
  fc.assert(
    fc.property(anyText, (value) =>
      unsafeIn(escapeLines(value)).every((code) => code === 0x0a || code === 0x09),
    ),
  );
  t.equal(
    escapeLine('a\x1b]0;pwned\x07\r\n\u009b2J\u202eb'),
    'a\\x1b]0;pwned\\x07\\r\\n\\x9b2J\\u{202e}b',
  );
  t.equal(escapeLine('Zoë 日本 €'), 'Zoë 日本 €');
});

t.test('escaped JSON is the same value', async () => {
  fc.assert(
    fc.property(anyText, (value) => {
      const json = escapeJson(JSON.stringify({ value }));
      return unsafeIn(json).length === 0 && JSON.parse(json).value === value;
    }),
  );
});

t.test('widths and shortening', async (t) => {
  t.equal(displayWidth('abc'), 3);
  t.equal(displayWidth('日本'), 4);
  t.equal(displayWidth('e\u0301'), 1);
  t.equal(shorten('abcdef', 6), 'abcdef');
  t.equal(shorten('abcdefg', 6), 'abcde…');
});
