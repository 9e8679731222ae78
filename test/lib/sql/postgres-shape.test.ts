import fc from 'fast-check';
import t from 'tap';
import { loadParser, parseStatements } from '../../../lib/sql/postgres-parse.ts';
import { shapeOf } from '../../../lib/sql/postgres-shape.ts';

await loadParser();

t.test('literals are all that two texts of a shape differ in', async (t) => {
  const shape = shapeOf("SELECT a FROM t WHERE b = 'x' AND c = 5 LIMIT 10");
  t.equal(shape, 'SELECT a FROM t WHERE b = \u0001 AND c = \u0002 LIMIT \u0002');
  t.equal(shapeOf("SELECT a FROM t WHERE b = 'it''s; DROP' AND c = 77 LIMIT 1"), shape);
  t.not(shapeOf("SELECT a FROM t WHERE b = 'x'  AND c = 5 LIMIT 10"), shape, 'spaces count');
  t.not(shapeOf('SELECT a FROM t WHERE b = 1 AND c = 5 LIMIT 10'), shape, 'so do kinds');
  t.not(shapeOf('SELECT 1.5'), shapeOf('SELECT 15'));
  t.not(shapeOf('SELECT 1234567890'), shapeOf('SELECT 1'), 'a large integer is another node');
  t.equal(shapeOf('SELECT $1, "a""1" FROM t2'), 'SELECT $1, "a""1" FROM t2');
});

t.test('what could be read in two ways has no shape', async (t) => {
  for (const sql of [
    "SELECT E'x'",
    "SELECT e'x'",
    "SELECT N'x'",
    "SELECT B'1'",
    "SELECT X'1F'",
    "SELECT U&'x'",
    'SELECT U&"x"',
    "SELECT u & 'x' & 'y' &'z'",
    'SELECT $$x$$',
    'SELECT $a$x$a$',
    'SELECT a$1',
    "SELECT 'a\\'",
    "SELECT 'a'\n'b'",
    "SELECT 'a' 'b'",
    "SELECT '\u00e9'",
    'SELECT \u00e9',
    'SELECT 1 -- x',
    'SELECT /* x */ 1',
    'SELECT 1e5',
    'SELECT 0x1F',
    'SELECT 1_000',
    'SELECT 1.',
    'SELECT .5',
    'SELECT 1..2',
    'SELECT 1a',
    'SELECT $1a',
    "SELECT 'x",
    'SELECT "x',
    'SELECT CAST(a AS float(5))',
    'SELECT 1\u0000',
    'SELECT\u000b1',
    'SELECT\u00a01',
    `SELECT '${'x'.repeat(70_000)}'`,
    "SELECT 'a\u0001b'",
    'SELECT\u00011',
  ])
    t.equal(shapeOf(sql), undefined, JSON.stringify(sql.slice(0, 60)));
});

/** The tree without literals and positions. */
function bareTree(sql: string): string | undefined {
  try {
    return JSON.stringify(
      parseStatements(sql).map(({ type, tree }) => ({ type, tree })),
      (key, value: unknown) => {
        if (key === 'location' || key.startsWith('rexpr_list_') || key.startsWith('list_'))
          return undefined;
        if (key === 'sval' || key === 'ival' || key === 'fval')
          return isNamed(value) ? value : typeof value;
        return value;
      },
    );
  } catch {
    return undefined;
  }
}

/** A name is a String node: its text stays. Constants are objects under the same keys. */
function isNamed(value: unknown): boolean {
  return typeof value === 'string';
}

function blank(tree: string | undefined): string | undefined {
  return tree
    ?.replaceAll(/\{"A_Const":\{[^{}]*\}\}/g, '#')
    .replaceAll(/\{"Integer":\{[^{}]*\}\}/g, '#');
}

const ATOMS = [
  'SELECT ',
  'FROM ',
  't ',
  'WHERE ',
  'a',
  'b ',
  ' = ',
  '-',
  '- ',
  '+',
  ', ',
  '(',
  ')',
  ' AND ',
  'IN ',
  'LIMIT ',
  ';',
  '::int',
  '::varchar(',
  'e',
  'E',
  'x',
  'n',
  'u&',
  'INSERT INTO t VALUES (',
  'interval ',
  'date ',
  ' BETWEEN ',
  '[',
  ']',
  '.',
  '"q"',
  '"',
  '/',
  '*',
  '/*',
  '*/',
  '--',
  '\n',
  ' ',
  '$1',
  '$',
  '$$',
  '@',
  '&',
  'float(',
  'FLOAT',
  'OR ',
  'ORDER BY ',
  ':',
  '<',
  '>',
  '_',
  'CASE WHEN ',
  ' THEN ',
  ' END',
  'UNION ALL ',
  'NULL',
  '\t',
  '\\',
  ' ESCAPE ',
  ' LIKE ',
  'bit ',
  ' UESCAPE ',
  ' AT TIME ZONE ',
] as const;
const STRINGS = ["'x'", "'y''z'", "''", "'--'", "'/*'", "';'", "'\n'", "'5'"] as const;
const NUMBERS = ['0', '5', '77', '123456789', '1.5', '20.25'] as const;

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ATOMS) },
  { weight: 2, arbitrary: fc.constantFrom('\u0001', '\u0002') },
);

/** The same pieces with other literals in the same places. */
function fill(pieces: readonly string[], pick: () => number): string {
  return pieces
    .map((part) => {
      if (part === '\u0001') return STRINGS[pick() % STRINGS.length];
      if (part === '\u0002') return NUMBERS[pick() % NUMBERS.length];
      return part;
    })
    .join('');
}

t.test('property: one shape, one tree but for the literals', async (t) => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 2, maxLength: 14 }),
      fc.infiniteStream(fc.nat()),
      (pieces, numbers) => {
        const pick = (): number => numbers.next().value ?? 0;
        const start = `SELECT ${fill(pieces, pick)}`;
        const other = `SELECT ${fill(pieces, pick)}`;
        const shape = shapeOf(start);
        if (shape === undefined || shape !== shapeOf(other)) return true;
        const trees = [blank(bareTree(start)), blank(bareTree(other))];
        if (trees[0] !== undefined && trees[1] !== undefined && start !== other) compared += 1;
        return trees[0] === trees[1];
      },
    ),
    { numRuns: 8000 },
  );
  t.ok(compared > 20, `${compared} pairs parsed`);
});

t.test('property: a statement keeps its tree when its literals change', async (t) => {
  const templates = [
    'SELECT a, \u0001 FROM t WHERE b = \u0001 AND c IN (\u0002, \u0002) ORDER BY a LIMIT \u0002',
    'INSERT INTO t (a, b) VALUES (\u0002, \u0001), (-\u0002, \u0001) ON CONFLICT (a) DO UPDATE SET b = \u0001',
    'UPDATE t SET a = a + \u0002 WHERE b LIKE \u0001 AND c BETWEEN \u0002 AND \u0002',
    'SELECT interval \u0001, date \u0001, \u0001::timestamptz, x[\u0002], CASE WHEN a = \u0002 THEN \u0001 END FROM t',
    'SELECT CAST(a AS varchar(\u0002)), a::numeric(\u0002, \u0002), -\u0002 FROM t',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...templates), fc.infiniteStream(fc.nat()), (template, numbers) => {
      const pick = (): number => numbers.next().value ?? 0;
      const [one, two] = [fill(template.split(''), pick), fill(template.split(''), pick)];
      const sameShape = shapeOf(one) === shapeOf(two);
      return !sameShape || blank(bareTree(one)) === blank(bareTree(two));
    }),
    { numRuns: 1500 },
  );
  t.pass();
});

t.test('it takes a microsecond or two', async (t) => {
  const sql =
    "SELECT id, name FROM customers WHERE email = 'ann@example.com' AND id > 5 ORDER BY name LIMIT 10";
  const start = performance.now();
  for (let index = 0; index < 50_000; index += 1) shapeOf(sql);
  const each = ((performance.now() - start) * 1000) / 50_000;
  t.comment(`${each.toFixed(2)} us`);
  t.ok(each < 200);
});
