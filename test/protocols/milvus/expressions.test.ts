import t from 'tap';
import {
  filterExpression,
  readExpression,
  restrictExpression,
} from '../../../protocols/milvus/expressions.ts';

/** Paths with dots between their names; `?` where it cannot be told. */
const TABLE: readonly (readonly [text: string, fields: string])[] = [
  ['', ''],
  ['id > 3', 'id'],
  ['a == 1 and b != 2 OR not c', 'a b c'],
  ['email like "a%" && x in ["b", "c"]', 'email x'],
  ['info["a"]["b"] > 1e-5', 'info.a.b'],
  ['info[ "a" ] == 0x1F', 'info.a'],
  ["info['a'][0] == .5", 'info.a'],
  ['$meta["email"] == "x"', 'email'],
  ['exists $meta["a"]["b"]', 'exists a.b'],
  ['json_contains_any(tags, ["x", "y"])', 'tags'],
  ['text_match(body, "some \\"words\\"")', 'body'],
  ['20 < age <= 30', 'age'],
  ['age in {ages} and x == {y}', 'age x'],
  ['array_length(a) == 2', 'a'],
  ['people[0][email] == "x"', 'people.email'],
  ['match_any(people, $[email] == "x")', 'people email people.email'],
  ['a is not null', 'a is null'],
  ['threshold > 3', 'threshold'],
  ['city in ["a"] and x in["b"]', 'city x in.b'],
  ['ts + interval "P1D" > iso "2025-01-01"', 'ts interval iso'],
  ["name == 'it\\'s'", 'name'],
  ['r"a\\" == b', '?'],
  ['name == "a\nb"', '?'],
  ['name == "a\\u0022"', '?'],
  ['name == "a', '?'],
  ['$meta == 1', '?'],
  ['$metax["a"] == 1', '?'],
  ['$meta["a\\x62"] == 1', '?'],
  ['info["a\\x62"] == 1', '?'],
  ['info["a"]["\\x62"] == 1', '?'],
  ['a == 1) or (b == 1', '?'],
  ['(a == 1', '?'],
  ['[a)', '?'],
  ['a == 1 // b', 'a b'],
  ['a; b', '?'],
  ['a.b == 1', '?'],
  ['é == 1', '?'],
  ['a == 1x', '?'],
  ['{a b}', '?'],
  ['a == `b`', '?'],
  ['a # b', '?'],
  ['a == 1\u00a0', '?'],
];

t.test('fields of expressions', async (t) => {
  for (const [text, expected] of TABLE) {
    const read = readExpression(text);
    const found = read.kind === 'clear' ? read.fields.map((path) => path.join('.')).join(' ') : '?';
    t.equal(found, expected, text);
  }
});

t.test('many fields are not followed for ever', async (t) => {
  const many = Array.from({ length: 2000 }, (_, index) => `f${index} > 0`).join(' or ');
  t.equal(readExpression(many).kind, 'unclear');
});

t.test('a filter is written so that nothing in it ends it', async (t) => {
  const write = (field: string, value: string) => filterExpression([{ field, value }]);
  t.same(write('tenant', 'acme'), { text: 'tenant == "acme"' });
  t.same(write('info.tenant', "it's ü"), { text: `info["tenant"] == "it's ü"` });
  for (const value of ['a"', 'a\\', 'a\nb', 'a\0', '{x}']) t.hasProp(write('tenant', value), 'why');
  for (const field of ['', 'a b', '1a', 'and', 'a"', 'a."b']) t.hasProp(write(field, 'x'), 'why');
  const two = filterExpression([
    { field: 'a', value: '1' },
    { field: 'b', value: '2' },
  ]);
  t.same(two, { text: 'a == "1" and b == "2"' });
});

t.test('an expression is restricted where it can be read', async (t) => {
  t.same(restrictExpression(' ', 'a == "1"'), { text: 'a == "1"' });
  t.same(restrictExpression('x or y', 'a == "1"'), { text: '(x or y) and a == "1"' });
  t.hasProp(restrictExpression('x) or (y', 'a == "1"'), 'why');
  t.hasProp(restrictExpression('x == "', 'a == "1"'), 'why');
});
