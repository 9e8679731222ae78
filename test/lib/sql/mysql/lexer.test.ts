import t from 'tap';
import { MysqlSyntaxError } from '../../../../lib/sql/mysql/errors.ts';
import { lex, type Lexing } from '../../../../lib/sql/mysql/lexer.ts';
import * as kinds from '../../../../lib/sql/mysql/tokens.ts';

const LEXING: Lexing = {
  server: { flavor: 'mariadb', version: 101_119 },
  ansiQuotes: false,
  noBackslashEscapes: false,
  sixDigits: true,
};

const LETTERS = new Map<number, string>([
  [kinds.WORD, 'w'],
  [kinds.NAME, 'n'],
  [kinds.QUOTED, 'q'],
  [kinds.STRING, 's'],
  [kinds.NUMBER, '#'],
  [kinds.BYTES, 'x'],
  [kinds.PARAMETER, '?'],
  [kinds.VARIABLE, 'v'],
  [kinds.SYSTEM, '@'],
  [kinds.SIGN, 'o'],
  [kinds.NULL_LITERAL, '0'],
]);

/** Tokens as letter and text: `w:select #:1`; a refusal as `!`. */
function tokens(text: string, lexing: Partial<Lexing> = {}): string {
  try {
    const list = lex(text, { ...LEXING, ...lexing }).tokens;
    const words = Array.from({ length: list.count }, (_, index) => {
      return `${LETTERS.get(list.kind(index))}:${list.raw(index)}`;
    });
    return words.join(' ');
  } catch (error) {
    if (error instanceof MysqlSyntaxError) return '!';
    throw error;
  }
}

/** What a MariaDB 10.11 server made of each was looked at, one by one. */
const ATOMS: readonly (readonly [string, string])[] = [
  ['1--1', '#:1 o:- o:- #:1'],
  ['1-- 1', '#:1'],
  ['1--', '#:1'],
  ['1--\t1\n2', '#:1 #:2'],
  ['1--\u00011', '#:1'],
  ['1--\u007f1', '#:1'],
  ['1#1\n2', '#:1 #:2'],
  ['1/**/2', '#:1 #:2'],
  ['1/*/*/2', '#:1 #:2'],
  ['/* /* */ 1', '#:1'],
  ['/* 1', '!'],
  ['*/', 'o:* o:/'],
  ['1e5', '#:1e5'],
  ['1e+5', '#:1e+5'],
  ['1.5e-3', '#:1.5e-3'],
  ['.5', '#:.5'],
  ['1.', '#:1.'],
  ['1..2', '#:1 o:.. #:2'],
  ['2.from', '#:2. w:from'],
  ['1.5from', '#:1.5 w:from'],
  // The exponent ends the number, and what follows is a keyword; others take it all for a name.
  ['1e5from', '!'],
  ['1e5x', '!'],
  ['1e+5x', '!'],
  // MySQL drops the number here and runs what follows.
  ['1.e(1)', '!'],
  ['.1e(1)', '!'],
  ['1e', 'w:1e'],
  ['1ex', 'w:1ex'],
  ['1e+x', 'w:1e o:+ w:x'],
  ['2fast', 'w:2fast'],
  ['0x1F', 'x:0x1F'],
  ['0X1F', 'w:0X1F'],
  ['0xAG', 'w:0xAG'],
  ['0x', 'w:0x'],
  ['0b01', 'x:0b01'],
  ['0b12', 'w:0b12'],
  ['0b12e5x', '!'],
  ["x'1F'", "x:x'1F'"],
  ["X'1f'", "x:X'1f'"],
  ["x'1'", '!'],
  ["x'G1'", '!'],
  ["b'01'", "x:b'01'"],
  ["b'2'", '!'],
  ["n'a'", "s:n'a'"],
  ["_utf8'a'", "w:_utf8 s:'a'"],
  ["'a''b'", "s:'a''b'"],
  ["'a\\'b'", "s:'a\\'b'"],
  ["'a\\\\'", "s:'a\\\\'"],
  ["'a' 'b'", "s:'a' s:'b'"],
  ["'a", '!'],
  ["'a\\'", '!'],
  ['"a""b"', 's:"a""b"'],
  ['`a``b`', 'q:`a``b`'],
  ['`a\\`', 'q:`a\\`'],
  ['`a', '!'],
  ['\\N', '0:\\N'],
  ['\\n', '!'],
  ['a$b_1', 'w:a$b_1'],
  ['größe', 'w:größe'],
  ['a\u00a0b', '!'],
  ['--\u00a0a', '!'],
  ["'\u00a0'", "s:'\u00a0'"],
  ['t.select', 'n:t o:. n:select'],
  ['select.a', 'n:select o:. n:a'],
  ['t.1a', 'n:t o:. n:1a'],
  ['t.1e5from', 'n:t o:. n:1e5from'],
  ['t . select', 'w:t o:. w:select'],
  ['`t`.select', 'q:`t` o:. n:select'],
  ['@a', 'v:@a'],
  ['@a.b$c', 'v:@a.b$c'],
  ["@'a b'", "v:@'a b'"],
  ['@`a``b`', 'v:@`a``b`'],
  ['@"a"', 'v:@"a"'],
  ['@é', '!'],
  ['@', 'v:@'],
  ['@@a', '@:@@ w:a'],
  ['@@global.a', '@:@@ n:global o:. n:a'],
  ['a<=>b', 'w:a o:<=> w:b'],
  ["a->>'$.b'", "w:a o:->> s:'$.b'"],
  ['a:=b', 'w:a o::= w:b'],
  ['a||b&&c', 'w:a o:|| w:b o:&& w:c'],
  ['?', '?:?'],
  ['\u0001', '!'],
  ['\u007f', '!'],
  ['\u0000', '!'],
];

t.test('atoms', async (t) => {
  for (const [text, wanted] of ATOMS) t.equal(tokens(text), wanted, JSON.stringify(text));
});

t.test('version comments (MY-38)', async (t) => {
  const mariadb: readonly (readonly [string, string])[] = [
    ['/*! 1 */', '#:1'],
    ['/*!1 */', '#:1'],
    ['/*!5000 1 */', '#:5000 #:1'],
    ['/*!50000 1 */', '#:1'],
    ['/*!50699 1 */', '#:1'],
    ['/*!50700 1 */', ''],
    ['/*!80000 1 */', ''],
    ['/*!99999 1 */', ''],
    ['/*!100000 1 */', '#:1'],
    ['/*!101119 1 */', '#:1'],
    ['/*!101120 1 */', ''],
    ['/*!999999 1 */', ''],
    ['/*M! 1 */', '#:1'],
    ['/*M!50701 1 */', '#:1'],
    ['/*M!100000 1 */', '#:1'],
    ['/*M!999999 1 */', ''],
    ['/*M!999999\\- enable the sandbox mode */', ''],
    ['/*m! 1 */', ''],
    ['/* ! 1 */', ''],
    ['/*! 1 /* c */ 2 */ 3', '#:1 #:2 #:3'],
    ['/*! /*! 1 */ */', '!'],
    ['/*! 1', '!'],
    // One level nests in what is skipped, and no more.
    ['/*!999999 a /* b */ c */ 1', '#:1'],
    ['/*!999999 a /* b /* c */ d */ 1', '#:1'],
    ['/*!999999 a /*/ b */ c */ 1', '#:1'],
    ['/*!999999 a', '!'],
    ["/*! ' */ ' */", "s:' */ '"],
  ];
  for (const [text, wanted] of mariadb) t.equal(tokens(text), wanted, text);
  const server = { flavor: 'mysql', version: 80_036 } as const;
  const mysql: readonly (readonly [string, string, boolean])[] = [
    ['/*!80036 1 */', '#:1', true],
    ['/*!80037 1 */', '', true],
    ['/*!50700 1 */', '#:1', true],
    ['/*M! 1 */', '', true],
    ['/*!080036 1 */', '#:1', true],
    ['/*!080036 1 */', '#:6 #:1', false],
    ['/*!800361 1 */', '', true],
  ];
  for (const [text, wanted, sixDigits] of mysql)
    t.equal(tokens(text, { server, sixDigits }), wanted, text);
});

t.test('modes', async (t) => {
  t.equal(tokens('"a\\"', { ansiQuotes: true }), 'q:"a\\"');
  t.equal(tokens('@"a\\"', { ansiQuotes: true }), 'v:@"a\\"');
  t.equal(tokens("'a\\'", { noBackslashEscapes: true }), "s:'a\\'");
  t.equal(tokens("@'a\\'", { noBackslashEscapes: true }), "v:@'a\\'");
});

t.test('a quote in an optimizer hint may take its end along', async (t) => {
  t.equal(tokens('SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1'), 'w:SELECT #:1');
  t.equal(tokens("SELECT /*+ SET_VAR(a = 'b') */ 1"), 'w:SELECT #:1');
  t.equal(tokens('SELECT /*+ QB_NAME(`*/ 1 -- `) */ ssn FROM users'), '!');
});

t.test('many dots and many tokens are no burden', async (t) => {
  const dots = `a${'.a'.repeat(50_000)}`;
  t.equal(lex(dots, LEXING).tokens.count, 100_001);
  t.equal(lex('+'.repeat(300_000), LEXING).tokens.count, 300_000);
});
