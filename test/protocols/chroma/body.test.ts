import t from 'tap';
import {
  hasOthers,
  optional,
  optionalCount,
  optionalFlag,
  optionalItems,
  optionalObject,
  optionalText,
  optionalTexts,
  readBody,
  requiredText,
} from '../../../protocols/chroma/body.ts';

const read = (text: string): ReturnType<typeof readBody> => readBody(Buffer.from(text));
const WRONG = { code: 'CHROMA_BODY', blame: 'client' };

t.test(
  'only an object is a body: the server would read an array as its members in order',
  async (t) => {
    t.throws(() => read('[["id"],[[1,2]]]'), WRONG);
    t.throws(() => read('"text"'), WRONG);
    t.throws(() => read('null'), WRONG);
    t.throws(() => read(''), { code: 'JSON_SYNTAX' });
    t.throws(() => read('{"ids":["a"],"ids":["b"]}'), { code: 'JSON_DUPLICATE_KEY' });
    t.throws(() => read('{"ids":["a"],"\\u0069ds":["b"]}'), { code: 'JSON_DUPLICATE_KEY' });
  },
);

t.test('null is as good as nothing', async (t) => {
  const body = read('{"a":null}');
  t.equal(optional(body, 'a'), undefined);
  t.equal(optionalText(body, 'a'), undefined);
  t.equal(optionalCount(body, 'a'), undefined);
  t.equal(optionalItems(body, 'a'), undefined);
  t.equal(optionalObject(body, 'a'), undefined);
  t.equal(optionalFlag(body, 'a'), false);
  t.throws(() => requiredText(body, 'a'), WRONG);
});

t.test('values are what they must be', async (t) => {
  const body = read(
    '{"text":"x","count":7,"texts":["a","\\u0062"],"flag":true,"other":{"k":1},"packed":[1]}',
  );
  t.equal(requiredText(body, 'text'), 'x');
  t.equal(optionalCount(body, 'count'), 7);
  t.same(optionalTexts(body, 'texts'), ['a', 'b']);
  t.equal(optionalFlag(body, 'flag'), true);
  t.equal(optionalObject(body, 'other')?.members.size, 1);
  t.throws(() => optionalText(body, 'count'), WRONG);
  t.throws(() => optionalCount(body, 'text'), WRONG);
  t.throws(() => optionalTexts(body, 'packed'), WRONG);
  t.throws(() => optionalFlag(body, 'text'), WRONG);
  t.throws(() => optionalObject(body, 'texts'), WRONG);
  for (const number of ['-1', '1.0', '1e3', '99999999999']) {
    t.throws(() => optionalCount(read(`{"n":${number}}`), 'n'), WRONG, number);
  }
});

t.test('members that nobody knows are seen', async (t) => {
  t.equal(hasOthers(read('{"a":1}'), ['a', 'b']), false);
  t.equal(hasOthers(read('{"a":1,"c":2}'), ['a', 'b']), true);
});
