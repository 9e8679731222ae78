import { fail } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { MysqlSyntaxError, TooDeepError } from '../../../../lib/sql/mysql/errors.ts';
import { parseText } from '../../../../lib/sql/mysql/parse.ts';
import { analyze, MARIADB, MYSQL } from './analyze.ts';
import { FORMS, STARTUPS } from './effect-cases.ts';

const LEXING = { ...MARIADB, ansiQuotes: false, sixDigits: true };

function parse(text: string): ReturnType<typeof parseText>['statements'] {
  return parseText(text, LEXING).statements;
}

function shape(text: string): unknown {
  return parse(text)[0];
}

t.test('select lists have their stars, aliases and texts', async (t) => {
  t.match(shape("SELECT *, t.*, d.t.*, a, b c, d AS 'e', f + 1 FROM t"), {
    query: {
      body: {
        items: [
          { value: { kind: 'star', table: undefined } },
          { value: { kind: 'star', table: 't', schema: undefined } },
          { value: { kind: 'star', table: 't', schema: 'd' } },
          { value: { kind: 'column', name: 'a' }, alias: undefined },
          { alias: 'c' },
          { alias: 'e' },
          { value: { kind: 'operator', operator: '+' }, text: 'f + 1' },
        ],
      },
    },
  });
});

t.test('joins keep their conditions where they belong', async (t) => {
  t.match(shape('SELECT 1 FROM a LEFT JOIN b JOIN c ON x ON y'), {
    query: {
      body: {
        from: [
          {
            kind: 'join',
            type: 'left',
            left: { name: { name: 'a' } },
            right: { kind: 'join', on: [{ name: 'x' }] },
            on: [{ name: 'y' }],
          },
        ],
      },
    },
  });
  t.match(shape('SELECT 1 FROM a NATURAL JOIN b JOIN c USING (d, e)'), {
    query: { body: { from: [{ using: ['d', 'e'], left: { isNatural: true } }] } },
  });
});

t.test('parentheses hold a query, an expression or tables, whatever they begin with', async (t) => {
  const texts = [
    '(SELECT 1)',
    '((SELECT 1) UNION (SELECT 2)) ORDER BY 1',
    'SELECT ((SELECT 1) + 1), ((SELECT 2)), (((1)))',
    'SELECT ((SELECT 1) UNION SELECT 2)',
    'SELECT 1 FROM ((SELECT 1) UNION (SELECT 2)) d',
    'SELECT 1 FROM ((SELECT 1) a JOIN (t, u) ON 1)',
    'SELECT 1 WHERE (a, b) IN ((1, 2), (SELECT 3, 4))',
    'SELECT 1 FROM ((t))',
    'INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = (VALUES(a) + 1)',
    'SELECT (VALUES (1))',
    'INSERT INTO t (SELECT 1)',
    'INSERT INTO t (a) (SELECT 1)',
  ];
  for (const text of texts) t.equal(parse(text).length, 1, text);
});

t.test('words that are names here and keywords there', async (t) => {
  const texts = [
    'SELECT from.ssn FROM users AS `from`',
    'SELECT a offset, b value, c date FROM t full',
    'SELECT date, time, timestamp FROM t',
    'SELECT a FROM t LIMIT 5 OFFSET 2',
    'SELECT a FROM t OFFSET 2 ROWS FETCH NEXT 1 ROW ONLY',
    'SELECT next, previous, row FROM t',
    'CREATE VIEW v AS SELECT a FROM t GROUP BY a WITH CHECK OPTION',
    'SELECT a FROM t FOR UPDATE SKIP LOCKED',
  ];
  for (const text of texts) t.equal(parse(text).length, 1, text);
});

t.test('what is no SQL is a syntax error', async (t) => {
  const texts = [
    'SELECT',
    'SELECT 1 FROM',
    'SELECT 1)',
    'SELECT (1',
    'DROP',
    'DROP TABLE',
    'FOO BAR',
    'DELETE users',
    'INSERT INTO',
    'GRANT SELECT ON t (SELECT 1) TO u; SELECT',
    'ALTER USER u IDENTIFIED BY (SELECT a FROM b)',
    'SELECT 1 SELECT 2',
    'CREATE PACKAGE p AS END',
    'CREATE PROCEDURE p(a int DEFAULT f()) SELECT 1',
    'CREATE TABLE t (a int, b int AS (SELECT 1))',
    'DELIMITER //',
    'BEGIN DELETE FROM t; END',
  ];
  for (const text of texts) t.throws(() => parse(text), MysqlSyntaxError, text);
});

/** Section 5 of the survey of parsers: each is read or refused, and none takes more than linear time. */
const LARGE: readonly (readonly [string, string, 'analysis' | 'refused' | 'syntax-error'])[] = [
  ['1 MB INSERT', `INSERT INTO t VALUES ${'(1,"abc",2.5),'.repeat(70_000)}(1)`, 'analysis'],
  ['1 MB literal', `SELECT '${'x'.repeat(1 << 20)}'`, 'analysis'],
  ['IN list of 100,000', `SELECT 1 WHERE a IN (${'1,'.repeat(100_000)}1)`, 'analysis'],
  ['100,000 AND', `SELECT 1 WHERE ${'a AND '.repeat(100_000)}a`, 'analysis'],
  ['100,000 +', `SELECT ${'a+'.repeat(100_000)}a`, 'analysis'],
  ['100,000 NOT', `SELECT ${'NOT '.repeat(100_000)}a`, 'analysis'],
  ['100,000 minus', `SELECT ${'- '.repeat(100_000)}1`, 'analysis'],
  ['50,000 IS NULL', `SELECT a ${'IS NULL '.repeat(50_000)}`, 'analysis'],
  ['50,000 quantified', `SELECT a ${'= ANY (SELECT 1) '.repeat(50_000)}`, 'analysis'],
  ['20,000 UNION', `${'SELECT 1 UNION '.repeat(20_000)}SELECT 1`, 'analysis'],
  ['300,000 parentheses', `SELECT ${'('.repeat(300_000)}1`, 'refused'],
  ['1,000 closed parentheses', `SELECT ${'('.repeat(1000)}1${')'.repeat(1000)}`, 'refused'],
  ['1,000 subqueries', `SELECT ${'(SELECT '.repeat(1000)}1${')'.repeat(1000)}`, 'refused'],
  ['1,000 CASE', `SELECT ${'CASE WHEN '.repeat(1000)}1`, 'refused'],
  ['1,000 calls', `SELECT ${'f('.repeat(1000)}1${')'.repeat(1000)}`, 'refused'],
  ['1,000 derived tables', `SELECT 1 FROM ${'(SELECT 1 FROM '.repeat(1000)}t`, 'refused'],
  ['1,000 tables in parentheses', `SELECT 1 FROM ${'('.repeat(1000)}t`, 'refused'],
  ['500 joins', `SELECT 1 FROM t ${'JOIN u '.repeat(500)}`, 'refused'],
  ['500 outer joins', `SELECT 1 FROM t ${'LEFT JOIN u '.repeat(500)}`, 'refused'],
  ['60 joins', `SELECT 1 FROM t ${'JOIN u ON a = b '.repeat(60)}`, 'analysis'],
  ['100,000 statements', 'SELECT 1;'.repeat(100_000), 'analysis'],
  ['1,000 blocks', `BEGIN NOT ATOMIC ${'BEGIN '.repeat(1000)}`, 'refused'],
  [
    '30,000 tables',
    `DROP TABLE ${Array.from({ length: 30_000 }, (_, i) => `t${i}`).join()}`,
    'refused',
  ],
  ['100,000 names', `SELECT a${'.a'.repeat(100_000)}`, 'syntax-error'],
  ['50,000 comments', `SELECT ${'/* x */'.repeat(50_000)} 1`, 'analysis'],
];

for (const [name, text, wanted] of LARGE) {
  t.test(`${name}: ${wanted}`, async (t) => {
    t.equal(analyze(text).kind, wanted);
  });
}

const PIECES: readonly string[] = [
  ...FORMS.map(([, text]) => text),
  ...STARTUPS,
  ..."SELECT FROM WHERE ( ) , ; ' \" ` \\ /* */ /*!50000 -- # @ @@ := . * = + - 1 1e5 0x1 x'1' ? { } a t.b UNION JOIN ON AS IN NOT CASE WHEN THEN END BEGIN IF DO SET VALUES ( (SELECT CREATE TABLE PROCEDURE WITH INTO".split(
    ' ',
  ),
];

t.test('whatever comes in, nothing but the two errors of its own comes out', async (t) => {
  const word = fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 }));
  const texts = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
  const cut = fc
    .tuple(fc.constantFrom(...PIECES), fc.nat(200), fc.nat(200), fc.string({ maxLength: 3 }))
    .map(([text, from, to, extra]) => text.slice(0, from) + extra + text.slice(to));
  fc.assert(
    fc.property(fc.oneof(texts, cut), fc.boolean(), (text, isMysql) => {
      const result = analyze(text, isMysql ? MYSQL : MARIADB);
      if (!['analysis', 'syntax-error', 'refused'].includes(result.kind)) fail(text);
    }),
    { numRuns: 2000 },
  );
  t.throws(() => parse(`SELECT ${'('.repeat(1000)}`), TooDeepError);
});
