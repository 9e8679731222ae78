import t from 'tap';
import { readBody } from '../../../protocols/chroma/body.ts';
import {
  addField,
  addFilter,
  checkMembers,
  createSteering,
  readWhere,
  readWhereDocument,
  setMembers,
  type Steering,
} from '../../../protocols/chroma/filters.ts';
import { spliceJson } from '../../../protocols/wire/json.ts';
import { ACME } from '../../support/chroma-requests.ts';

function steer(where: string): Steering {
  const steering = createSteering();
  readWhere(readBody(Buffer.from(where)), steering);
  return steering;
}

t.test('every field of a filter steers, however deep it lies', async (t) => {
  t.same(steer('{"email":"x"}').fields, [['email']]);
  t.same(steer('{"em\\u0061il":{"$in":["x"]}}').fields, [['email']], 'escapes are read');
  const deep = '{"$and":[{"a":1},{"$or":[{"b":{"$gt":2}},{"$and":[{"c":{"$contains":"x"}}]}]}]}';
  t.same(steer(deep).fields, [['a'], ['b'], ['c']]);
  t.same(steer('{"#document":{"$regex":"x"}}').fields, [['#document']]);
  t.same(
    steer('{"a":1,"b":2}').fields,
    [['a'], ['b']],
    'more than one key, which the server refuses',
  );
});

t.test('a key with dots is one field and may be written as several', async (t) => {
  t.same(steer('{"author.phone":"x"}').fields, [['author.phone'], ['author', 'phone']]);
});

t.test("the server's own keys are the text and the URI, or may be anything", async (t) => {
  const steering = createSteering();
  for (const key of ['chroma:document', 'chroma:uri']) addField(steering, key);
  t.same(steering, { ...createSteering(), fields: [['#document'], ['#uri']] });
  addField(steering, 'chroma:other');
  t.type(steering.unclear, 'string');
});

t.test('what is unknown may steer by anything; what is wrong is refused', async (t) => {
  t.equal(steer('{"a":1}').unclear, undefined);
  t.type(steer('{"$nor":[{"a":1}]}').unclear, 'string');
  t.throws(() => steer('{"$and":{"a":1}}'), { code: 'CHROMA_BODY' });
  t.throws(() => steer('{"$and":[1,2]}'), { code: 'CHROMA_BODY' });
  t.throws(() => steer('{"$or":["a"]}'), { code: 'CHROMA_BODY' });
  const steering = createSteering();
  checkMembers(readBody(Buffer.from('{"where":1,"order_by":2}')), ['where'], steering);
  t.match(steering, { hasUnknown: true, unclear: /does not know/ });
});

t.test('a filter on documents steers by the text', async (t) => {
  const steering = createSteering();
  readWhereDocument(readBody(Buffer.from('{"where_document":null}')), steering);
  t.same(steering.fields, []);
  readWhereDocument(readBody(Buffer.from('{"where_document":{"$contains":"x"}}')), steering);
  t.same(steering.fields, [['#document']]);
});

t.test("a rule's filter narrows the own one, which keeps its bytes", async (t) => {
  const add = (text: string, key: 'where' | 'filter' = 'where'): string => {
    const bytes = Buffer.from(text);
    const body = readBody(bytes);
    const edits = setMembers(body, addFilter(body, key, ACME, bytes));
    return spliceJson(bytes, edits).toString();
  };
  const rule = '{"tenant":{"$eq":"acme"}}';
  t.equal(add('{}'), `{"where":${rule}}`);
  t.equal(add('{"limit":1}'), `{"where":${rule},"limit":1}`);
  t.equal(add('{"where":null}'), `{"where":${rule}}`);
  t.equal(add('{"where": {"n":1.0} }'), `{"where": {"$and":[{"n":1.0},${rule}]} }`);
  t.equal(
    add('{"where":{"$or":[{"a":"é"},{"tenant":"b"}]}}'),
    `{"where":{"$and":[{"$or":[{"a":"é"},{"tenant":"b"}]},${rule}]}}`,
  );
  t.equal(
    add('{"where":{}}'),
    `{"where":{"$and":[{},${rule}]}}`,
    'the server shall say what is wrong with it',
  );
  t.equal(add('{"filter":{}}', 'filter'), `{"filter":${rule}}`);
});

t.test('values of a rule are written as JSON, several of them together', async (t) => {
  const bytes = Buffer.from('{}');
  const filter = [
    { field: 'te"nant', value: 'a"}]}' },
    { field: 'b', value: 'x' },
  ];
  const body = readBody(bytes);
  const edits = setMembers(body, addFilter(body, 'where', filter, bytes));
  const text = spliceJson(bytes, edits).toString();
  t.same(JSON.parse(text), {
    where: { $and: [{ 'te"nant': { $eq: 'a"}]}' } }, { b: { $eq: 'x' } }] },
  });
});

t.test('a member is put in place or in front', async (t) => {
  const set = (text: string): string => {
    const bytes = Buffer.from(text);
    const edits = setMembers(readBody(bytes), { limit: '5', offset: '0' });
    return spliceJson(bytes, edits).toString();
  };
  t.equal(set('{}'), '{"limit":5,"offset":0}');
  t.equal(set('{ "a" : 1 }'), '{"limit":5,"offset":0, "a" : 1 }');
  t.equal(set('{"limit": 100 }'), '{"offset":0,"limit": 5 }');
  t.equal(set('{"limit":1,"offset":9}'), '{"limit":5,"offset":0}');
});
