import t from 'tap';
import {
  type Asked,
  maskDescription,
  maskDescriptions,
  maskQueryResults,
  maskSearchResults,
} from '../../../protocols/milvus/answers.ts';
import type { FieldMasks } from '../../../protocols/store.ts';
import { encodeBytes } from '../../../protocols/wire/protobuf.ts';
import {
  decodeMessage,
  encodeMessage,
  findType,
  type Message,
  type TypeJson,
  type Value,
} from '../../support/milvus-codec.ts';

const asked: Asked = {
  groups: [],
  // As the request named it.
  metrics: new Map([['k', ['amount']]]),
  hasChains: false,
  goesInside: false,
};
/** Of all fields a few are masked. */
const masksOf = (...names: string[]): FieldMasks => ({
  maskOf: ([first = '']) => (names.includes(first) ? () => '***' : undefined),
  mayMaskBelow: ([first = '']) => first === '' || names.includes(first),
  detect: undefined,
});

const NUMBERS = new Set(['int32', 'int64', 'uint32', 'uint64', 'float', 'double']);
/** Buckets hold buckets, and lists hold lists. */
const DEPTH_MAX = 6;

/** A message in which every field of its descriptor is there. */
function sample(type: TypeJson, around: readonly TypeJson[] = []): Message {
  const inner = [...around, type];
  const fields = Object.entries(type.fields ?? {}).flatMap(([name, field]): [string, Value][] => {
    const value = valueOf(field.type, inner);
    if (value === undefined) return [];
    if (field.keyType !== undefined) return [[name, { k: value }]];
    return [[name, field.rule === 'repeated' ? [value] : value]];
  });
  return Object.fromEntries(fields);
}

function valueOf(type: string, around: readonly TypeJson[]): Value | undefined {
  if (NUMBERS.has(type)) return 1;
  if (type === 'bool') return true;
  if (type === 'string') return 'text';
  if (type === 'bytes') return Buffer.from('{"a":1}');
  const inside = findType(type, around);
  if (inside.values !== undefined) return 1;
  return around.length > DEPTH_MAX ? undefined : sample(inside, around);
}

const KINDS: Readonly<Record<string, (bytes: Buffer, masks: FieldMasks) => Buffer>> = {
  SearchResults: (bytes, masks) => maskSearchResults(bytes, masks, asked),
  QueryResults: (bytes, masks) => maskQueryResults(bytes, masks, asked),
  DescribeCollectionResponse: maskDescription,
  BatchDescribeCollectionResponse: maskDescriptions,
};

t.test('every field of the installed SDK is known, so that none is taken out', async (t) => {
  for (const [name, mask] of Object.entries(KINDS)) {
    const whole = encodeMessage(name, sample(findType(name)));
    t.ok(whole.length > 300, `${name} has ${whole.length} bytes`);
    t.same(mask(whole, masksOf()), whole, name);
  }
});

t.test('what it does not have is taken out of records', async (t) => {
  const data = Buffer.concat([
    encodeMessage('schema.SearchResultData', { scores: [1] }),
    encodeBytes(99, Buffer.from('secret')),
  ]);
  const answer = Buffer.concat([encodeBytes(2, data), encodeBytes(98, Buffer.from('secret'))]);
  const masked = maskSearchResults(answer, masksOf(), asked);
  t.same(decodeMessage('SearchResults', masked), { results: { scores: [1] } });
});

const column = (field_name: string, ...data: string[]): Message => ({
  type: 21,
  field_name,
  scalars: { string_data: { data } },
});

t.test('each of several columns, groups and results of one name is masked', async (t) => {
  const masks = masksOf('email');
  const results = {
    fields_data: [column('email', 'a@x'), column('email', 'b@x'), column('city', 'Ulm')],
    group_by_field_value: column('email', 'c@x'),
  };
  const one = encodeMessage('SearchResults', { results });
  // Readers merge two of a message: nothing of either may come through.
  const twice = maskSearchResults(Buffer.concat([one, one]), masks, asked);
  t.notOk(twice.includes('@x'));
  t.equal(twice.toString('latin1').split('Ulm').length, 3);
});

t.test('a name is behind its values, or nowhere', async (t) => {
  const masks = masksOf('email');
  const values = encodeMessage('schema.FieldData', { scalars: { string_data: { data: ['a@x'] } } });
  const name = encodeMessage('schema.FieldData', { field_name: 'email' });
  const of = (...parts: Buffer[]) => encodeBytes(2, Buffer.concat(parts));
  const mask = (bytes: Buffer) => maskQueryResults(bytes, masks, asked).includes('a@x');
  t.notOk(mask(of(values, name)), 'behind them');
  t.notOk(mask(of(values)), 'nowhere');
  t.throws(() => mask(of(name, values, name)), { name: 'ProtocolError' }, 'twice');
});

t.test('highlights go by their field', async (t) => {
  const highlight = (field_name: string, masks: FieldMasks): string => {
    const highlight_results = [{ field_name, datas: [{ fragments: ['<b>ann</b>@x'] }] }];
    const answer = encodeMessage('SearchResults', { results: { highlight_results } });
    return JSON.stringify(decodeMessage('SearchResults', maskSearchResults(answer, masks, asked)));
  };
  t.match(highlight('city', masksOf('email')), 'ann');
  t.match(highlight('email', masksOf('email')), '***');
  const detecting = { ...masksOf('email'), detect: (text: string) => text };
  t.notMatch(highlight('city', detecting), 'ann', 'a detector is not trusted with a fragment');
});

t.test('function chains are withheld', async (t) => {
  const chained = { ...asked, hasChains: true };
  t.throws(() => maskSearchResults(Buffer.alloc(0), masksOf('a'), chained), {
    code: 'MILVUS_CHAIN',
  });
});

t.test('default values of masked fields are left out', async (t) => {
  const field = (name: string): Message => ({ name, default_value: { string_data: 'a@x' } });
  const schema = {
    fields: [field('email'), field('city')],
    struct_array_fields: [{ name: 's', fields: [field('email')] }],
  };
  const answer = encodeMessage('DescribeCollectionResponse', { schema });
  const masked = maskDescription(answer, masksOf('email')).toString('latin1');
  t.equal(masked.split('a@x').length, 2, 'that of city stays');
});
