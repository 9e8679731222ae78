import t from 'tap';
import { readRestBody, setMember, textMember } from '../../../protocols/milvus/rest-body.ts';

const read = (text: string, known?: ReadonlySet<string>) => readRestBody(Buffer.from(text), known);

t.test('keys that Go would take for known ones are errors', async (t) => {
  t.equal(textMember(read('{"collectionName":"c","x":1}'), 'collectionName'), 'c');
  for (const key of [
    'CollectionName',
    'COLLECTIONNAME',
    'dbname',
    'collectionName\u0000x'.slice(0, 3),
    'alia\u017fName',
  ]) {
    const text = JSON.stringify({ [key]: 'x' });
    if (key === 'col') t.ok(read(text), 'only a part of one');
    else t.throws(() => read(text), { code: 'MILVUS_KEY_CASE' }, key);
  }
  t.throws(() => read('{"filter":"x"}', new Set(['limit'])), { code: 'MILVUS_UNKNOWN_KEY' });
  t.throws(() => read('{"dbName":"a","dbName":"b"}'), { code: 'JSON_DUPLICATE_KEY' });
  t.throws(() => read('[1]'), { code: 'MILVUS_BODY' });
  t.throws(() => read(''), { code: 'JSON_SYNTAX' });
  t.throws(() => textMember(read('{"dbName":5}'), 'dbName'), { code: 'MILVUS_BODY' });
  t.equal(textMember(read('{"dbName":null}'), 'dbName'), '');
});

t.test('members are set in place or put first', async (t) => {
  t.same(setMember(read('{"limit": 5}'), 'limit', '3'), { start: 10, end: 11, text: '3' });
  t.same(setMember(read('{"a":5}'), 'limit', '3'), { start: 1, end: 1, text: '"limit":3,' });
});
