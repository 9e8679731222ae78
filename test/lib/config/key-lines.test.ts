import t from 'tap';
import { locateKeys } from '../../../lib/config/key-lines.ts';

const TOML = `# comment with [brackets] and key = "value"
top = 1
"quoted key" = 2
a.b.c = { x = 1, y = [
  10,
  { z = 3 },   # the second
] }
text = """
[not.a.table]
not = "a key" \\"""
"""
'literal' = '''
x = 1
''''
date = 1979-05-27T07:32:00Z

[[item]]
name = "first" # item 0
[item.sub]
key = 1
[[item]]
name = "second"
list = [ "a", "]", '#',
  "d" ]
[item.sub]
key = 2
[[item.deep]]
v = 1
[[item.deep]]
v = 2
[table . "with space"]
k = "\\"]"
`;

t.test('finds the line of every key', async (t) => {
  const find = locateKeys(TOML);
  const expected: readonly [readonly (string | number)[], number][] = [
    [['top'], 2],
    [['quoted key'], 3],
    [['a', 'b', 'c'], 4],
    [['a', 'b', 'c', 'y'], 4],
    [['a', 'b', 'c', 'y', 0], 5],
    [['a', 'b', 'c', 'y', 1, 'z'], 6],
    [['text'], 8],
    [['literal'], 12],
    [['date'], 15],
    [['item'], 17],
    [['item', 0], 17],
    [['item', 0, 'name'], 18],
    [['item', 0, 'sub', 'key'], 20],
    [['item', 1], 21],
    [['item', 1, 'list', 2], 23],
    [['item', 1, 'list', 3], 24],
    [['item', 1, 'sub', 'key'], 26],
    [['item', 1, 'deep', 0, 'v'], 28],
    [['item', 1, 'deep', 1, 'v'], 30],
    [['table', 'with space', 'k'], 32],
  ];
  for (const [path, line] of expected) t.equal(find(path), line, path.join('.'));
});

t.test('what is not there is told by the nearest table around it', async (t) => {
  const find = locateKeys(TOML);
  t.equal(find(['item', 1, 'absent', 'deeper']), 21);
  t.equal(find(['item', 1, 'sub', 'absent']), 25);
  t.equal(find(['absent']), 1);
  t.equal(find([]), 1);
  t.equal(find(['not']), 1, 'nothing inside a text is a key');
  t.equal(locateKeys('')(['x']), 1);
});

t.test('ends on texts that are no TOML', async (t) => {
  for (const text of [
    '[',
    '[[a',
    'a',
    'a =',
    '= 1',
    'a = [',
    'a = {',
    'a = "',
    '"""',
    '[a]]]',
    '?',
  ]) {
    t.equal(typeof locateKeys(text)(['a']), 'number', text);
  }
});
