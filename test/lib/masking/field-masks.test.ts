import { createHmac } from 'node:crypto';
import t from 'tap';
import type { MaskConfig } from '../../../lib/config/config.ts';
import { createFieldMasks, findMaskedSteering } from '../../../lib/masking/field-masks.ts';

const HASH_KEY = Buffer.from('key');

function mask(part: Partial<MaskConfig>): MaskConfig {
  return {
    name: 'm',
    connections: ['*'],
    columns: [],
    with: 'redact',
    mode: 'mask',
    except: [],
    ...part,
  };
}

function masksOf(...parts: Partial<MaskConfig>[]) {
  const masks = createFieldMasks(parts.map(mask), { hashKey: HASH_KEY });
  if (masks === undefined) throw new Error('no masks');
  return masks;
}

function isMasked(field: string, ...path: string[]): boolean {
  return masksOf({ fields: [field] }).maskOf(path) !== undefined;
}

t.test('nothing to mask', async (t) => {
  t.equal(createFieldMasks([], { hashKey: undefined }), undefined);
  t.equal(createFieldMasks([mask({ columns: ['a.b.c'] })], { hashKey: undefined }), undefined);
});

t.test('paths: the value, what lies in it, and nothing else', async (t) => {
  t.ok(isMasked('email', 'email'));
  t.ok(isMasked('author', 'author', 'phone', 'home'), 'something it lies in');
  t.ok(isMasked('author.phone', 'author', 'phone'));
  t.ok(isMasked('author.phone', 'author.phone'), 'a name with a dot');
  t.ok(isMasked('tags[].name', 'tags', 'name'), "as Qdrant's clients write it");
  t.ok(isMasked('a[0][]."b c".d', 'a', 'b c', 'd'));
  t.ok(isMasked('tags[].name', 'tags[].name'), 'a name with brackets');
  t.notOk(isMasked('tags[].name', 'tags'));
  t.ok(isMasked('author.phone', 'author.phone', 'home'));
  t.ok(isMasked('a.b.c', 'a', 'b.c') && isMasked('a.b.c', 'a.b', 'c'));
  t.notOk(isMasked('email', 'Email'), 'case counts');
  t.notOk(isMasked('email', 'emails') || isMasked('email', 'author', 'email'));
  t.notOk(isMasked('author.phone', 'author') || isMasked('author.phone', 'phone'));
  t.notOk(isMasked('email', 'toString') || isMasked('email', '__proto__'));
});

t.test('globs', async (t) => {
  t.ok(isMasked('*.email', 'a', 'email') && isMasked('*.email', 'a', 'b', 'email'));
  t.ok(isMasked('*.email', 'email'), 'the top is a depth, too');
  t.notOk(isMasked('*.email', 'email2') || isMasked('*.email', 'xemail'));
  t.ok(isMasked('*', 'x') && isMasked('*', 'x', 'y') && isMasked('*', '#document'));
  t.ok(isMasked('mail*', 'mailbox') && isMasked('a.*.z', 'a', 'b', 'c', 'z'));
  t.notOk(isMasked('*', '#id') || isMasked('*', '#element'), 'ids are no content');
  t.ok(isMasked('#id', '#id') && isMasked('#document', '#document'));
});

t.test('whole branches pass where nothing below can match', async (t) => {
  const below = (field: string, ...path: string[]) =>
    masksOf({ fields: [field] }).mayMaskBelow(path);
  t.ok(below('author.phone') && below('author.phone', 'author'));
  t.ok(below('author.phone', 'author', 'phone', 'x'), 'in a masked one');
  t.notOk(below('author.phone', 'title') || below('author.phone', 'authors'));
  t.ok(below('*.email', 'a', 'b') && below('a*', 'abc') && below('*', 'x'));
  t.notOk(below('a*', 'b'));
  t.notOk(masksOf({ detect: ['email'] }).mayMaskBelow([]), 'no mask by name at all');
  const cached = masksOf({ fields: ['author.phone'] });
  t.same([cached.mayMaskBelow(['author']), cached.mayMaskBelow(['author'])], [true, true]);
});

t.test('what stands in for a text is what SQL puts there', async (t) => {
  const through = (kind: MaskConfig['with'], text: string) =>
    masksOf({ fields: ['a'], with: kind }).maskOf(['a'])?.(text);
  t.equal(through('redact', 'secret'), '***');
  t.equal(through('null', 'secret'), null);
  t.equal(through('partial', '4111111111111111'), '***1111');
  t.equal(through('partial', 'short'), '***');
  t.equal(through('partial', 'Größe Äöüß'), '***Äöüß');
  const hash = createHmac('sha256', HASH_KEY).update('secret').digest('hex').slice(0, 16);
  t.equal(through('hash', 'secret'), hash);
});

t.test('the first mask that fits holds', async (t) => {
  const masks = masksOf({ fields: ['a.b'], with: 'partial' }, { fields: ['a'], with: 'redact' });
  t.equal(masks.maskOf(['a', 'b'])?.('123456789'), '***6789');
  t.equal(masks.maskOf(['a', 'c'])?.('123456789'), '***');
  t.equal(masks.maskOf(['a', 'b'])?.('123456789'), '***6789', 'the second time, too');
});

t.test('content', async (t) => {
  const { detect } = masksOf(
    { detect: ['email'] },
    { detect: ['credit-card'], with: 'partial' },
    { detect: ['ip'], with: 'null' },
    { detect: ['iban'], with: 'hash' },
  );
  const text = 'ann@example.com paid with 4111 1111 1111 1111 from 10.0.0.1!';
  t.equal(detect?.(text), '*** paid with ***1111 from !');
  t.equal(detect?.('DE89370400440532013000').length, 16);
  const clean = 'nothing here';
  t.equal(detect?.(clean), clean);
  t.equal(masksOf({ fields: ['a'] }).detect, undefined);
});

t.test('many paths are told right when the memory of them is full', async (t) => {
  const masks = masksOf({ fields: ['x*'] });
  for (let index = 0; index < 25_000; index += 1) {
    const isOdd = index % 2 === 1;
    const name = `${isOdd ? 'x' : 'y'}${index}`;
    if ((masks.maskOf([name]) !== undefined) !== isOdd) t.fail(name);
  }
  t.ok(masks.maskOf(['x1']) !== undefined && masks.maskOf(['y2']) === undefined);
});

t.test('steering: the field, one that holds it, one that lies in it', async (t) => {
  const steers = (field: string, ...path: string[]) =>
    findMaskedSteering([mask({ name: 'contacts', fields: [field] })], [['#id'], path]);
  t.same(steers('author.phone', 'author', 'phone'), { mask: 'contacts', field: 'author.phone' });
  t.same(steers('author.phone', 'author'), { mask: 'contacts', field: 'author' });
  t.same(steers('author', 'author', 'phone'), { mask: 'contacts', field: 'author.phone' });
  t.same(steers('author.phone', 'author.phone'), { mask: 'contacts', field: 'author.phone' });
  t.ok(steers('*.email', 'email') && steers('*.email', 'a') && steers('a'), 'the whole record');
  t.equal(steers('author.phone', 'authors'), undefined);
  t.equal(steers('email', 'mail'), undefined);
  t.equal(steers('*x', '#id'), undefined, 'ids are not masked');
  t.equal(steers('*x', '#score'), undefined);
});
