import t from 'tap';

import { readDemands, readFieldPath, touches } from '../../../protocols/qdrant/field-path.ts';

t.test('names of fields are read as the server reads them, lists left out', async (t) => {
  const cases: [string, string[]][] = [
    ['email', ['email']],
    ['author.phone', ['author', 'phone']],
    ['tags[].name', ['tags', 'name']],
    ['a[0][12].b', ['a', 'b']],
    ['"quoted.key".b', ['quoted.key', 'b']],
    ['a."b c"[]', ['a', 'b c']],
    ['prénom-1_x', ['prénom-1_x']],
    ['"".a', ['', 'a']],
  ];
  for (const [text, path] of cases) t.same(readFieldPath(text), path, text);
});

t.test('what the server would not read is an error', async (t) => {
  for (const text of [
    '',
    '.',
    'a.',
    '.a',
    'a b',
    'a[',
    'a[x]',
    '"a',
    'a"b"',
    'a..b',
    '$score',
    'a\\b',
    'a[]b',
  ]) {
    t.throws(() => readFieldPath(text), { code: 'QDRANT_FIELD' }, text);
  }
});

t.test('demands need a field that can be filtered by', async (t) => {
  t.same(readDemands([{ field: 'meta.tenant', value: 'a' }]), [
    { path: ['meta', 'tenant'], key: 'meta.tenant', value: 'a' },
  ]);
  t.equal(readDemands([{ field: 'not a field', value: 'a' }]), undefined);
  t.equal(readDemands([{ field: 'tags[]', value: 'a' }]), undefined);
});

t.test('a change touches what is at it, above it and below it', async (t) => {
  t.ok(touches(['meta'], ['meta', 'tenant']));
  t.ok(touches(['meta', 'tenant'], ['meta', 'tenant']));
  t.ok(touches(['tenant', 'x'], ['tenant']));
  t.notOk(touches(['meta', 'other'], ['meta', 'tenant']));
});
