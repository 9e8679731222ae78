import fc from 'fast-check';
import t from 'tap';
import { lex } from '../../../../lib/sql/mysql/lexer.ts';
import { shapeOf } from '../../../../lib/sql/mysql/shape.ts';
import { BYTES, NUMBER, STRING } from '../../../../lib/sql/mysql/tokens.ts';
import { MARIADB } from './analyze.ts';

t.test('literals make no difference', async (t) => {
  const same = [
    "SELECT a FROM t WHERE b = 'x' AND c = 1",
    "SELECT a FROM t WHERE b = 'it''s' AND c = 22.5",
    "SELECT a FROM t WHERE b = 'größe' AND c = 0",
    "SELECT a FROM t WHERE b = '\"#-- /*' AND c = 7",
  ];
  const shapes = new Set(same.map(shapeOf));
  t.equal(shapes.size, 1);
  t.not([...shapes][0], undefined);
  t.not(shapeOf('SELECT a FROM t'), shapeOf('SELECT b FROM t'));
  t.not(shapeOf('SELECT `a` FROM t'), shapeOf('SELECT `b` FROM t'));
  t.not(shapeOf('SELECT @a'), shapeOf('SELECT @b'));
  t.equal(shapeOf(''), '');
});

t.test('what could be read in two ways has no shape', async (t) => {
  const texts = [
    'SELECT "a"',
    "SELECT 'a\\'b'",
    "SELECT 'a' 'b'",
    "SELECT 'a' \n 'b'",
    "SELECT n'a'",
    "SELECT x'1F'",
    "SELECT _utf8'a'",
    'SELECT 0x1F',
    'SELECT 1e5',
    'SELECT 1.',
    'SELECT .5',
    'SELECT 1..2',
    'SELECT 1a',
    'SELECT t.1',
    'SELECT 1é',
    'SELECT é',
    'SELECT aé',
    'SELECT 1 -- x',
    'SELECT 1--1',
    'SELECT 1 # x',
    'SELECT 1 /* x */',
    'SELECT 1 /*! x */',
    "SELECT @'a'",
    'SELECT @`a\\`',
    "SELECT 'a",
    'SELECT `a',
    'SELECT \\N',
    'SELECT \u0001',
    "SELECT 'a\u0001'",
    'SELECT 1\u00a02',
  ];
  for (const text of texts) t.equal(shapeOf(text), undefined, text);
  t.equal(shapeOf(`SELECT '${'x'.repeat(70_000)}'`), undefined);
});

/** Tokens without the content of literals, under every mode that matters. */
function skeleton(text: string): string {
  const modes = [false, true].flatMap((ansiQuotes) =>
    [false, true].map((noBackslashEscapes) => ({ ansiQuotes, noBackslashEscapes })),
  );
  return modes
    .map((mode) => {
      const { tokens } = lex(text, { ...MARIADB, ...mode, sixDigits: true });
      const words = Array.from({ length: tokens.count }, (_, index) => {
        const kind = tokens.kind(index);
        const isLiteral = kind === STRING || kind === NUMBER || kind === BYTES;
        return isLiteral ? `${kind}` : tokens.raw(index);
      });
      return words.join('\n');
    })
    .join('\n\n');
}

t.test('texts of one shape have the same tokens but for their literals', async (t) => {
  const piece = fc.constantFrom(
    ...'SELECT FROM a t . , ( ) = < > + - * / % @ @v ; ` `b` AND IN x n _utf8 ? : { } | & $ é " \\ #'.split(
      ' ',
    ),
    ' ',
    ' ',
    '\n',
  );
  const literal = fc.oneof(
    fc.nat(99_999).map(String),
    fc.string({ maxLength: 4 }).map((text) => `'${text.replaceAll("'", "''")}'`),
    fc.constantFrom('1.5', '007', "''", "''''"),
  );
  const parts = fc.array(fc.oneof(piece, fc.constant(undefined)), { maxLength: 16 });
  const values = fc.array(literal, { minLength: 16, maxLength: 16 });
  let shaped = 0;
  fc.assert(
    fc.property(parts, values, values, (words, ones, others) => {
      const fill = (literals: readonly string[]): string =>
        words.map((word, index) => word ?? ` ${literals[index]} `).join('');
      const [one, other] = [fill(ones), fill(others)];
      const shape = shapeOf(one);
      if (shape === undefined || shape !== shapeOf(other)) return;
      shaped += 1;
      if (skeleton(one) !== skeleton(other)) throw new Error(`${one} | ${other}`);
    }),
    { numRuns: 3000 },
  );
  t.ok(shaped > 100, `${shaped} pairs had a shape`);
});
