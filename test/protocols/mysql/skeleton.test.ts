import t from 'tap';
import { skim } from '../../../protocols/mysql/skeleton.ts';

const plain = { noBackslashEscapes: false };

t.test('comments go, code stays (MY-48)', async (t) => {
  for (const [text, code] of [
    ['select 1 -- x\n, 2', 'select 1 , 2'],
    ['select 1--2', 'select 1--2'],
    ['select 1 # x\n, 2', 'select 1 , 2'],
    ['drop/**/table t', 'drop table t'],
    ['/*!50000 drop */ table', '/*! drop */ table'],
    ['/*M!100000 drop */ table', '/*! drop */ table'],
    ['select 1 /* never ends', 'select 1'],
  ] as const)
    t.equal(skim(text, plain), code, text);
});

t.test('long or odd literals are emptied, short ones stay', async (t) => {
  t.equal(skim("select 'utf8mb4'", plain), "select 'utf8mb4'");
  t.equal(skim("select 'a;b', 1", plain), "select '', 1");
  t.equal(skim(`select '${'x'.repeat(300)}' as b`, plain), "select '' as b");
  t.equal(skim("select 'it''s', \"x\"", plain), 'select \'\', "x"');
  t.equal(skim("select 'then use it'", plain), "select ''", 'words of a text are no code');
  t.equal(skim('use `a b`', plain), 'use `a b`');
});

t.test('a backslash escapes or not, as the session says (MY-61)', async (t) => {
  t.equal(skim("select 'a\\'; drop' as b", plain), "select '' as b");
  t.equal(skim("select 'a\\'; drop", { noBackslashEscapes: true }), "select ''; drop");
});
