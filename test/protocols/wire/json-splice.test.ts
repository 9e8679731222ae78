import fc from 'fast-check';
import t from 'tap';
import { Splicer, spliceJson } from '../../../protocols/wire/json-splice.ts';

t.test('spans are replaced, texts inserted', async (t) => {
  const bytes = Buffer.from('{"a":1,"b":2}');
  t.equal(spliceJson(bytes, []), bytes, 'nothing to do: the same Buffer');
  const edits = [
    { start: 12, end: 12, text: ',"é":[]' },
    { start: 5, end: 6, text: '"long text"' },
    { start: 1, end: 1, text: '"x":0,' },
    { start: 1, end: 1, text: '"y":0,' },
  ];
  t.equal(spliceJson(bytes, edits).toString(), '{"x":0,"y":0,"a":"long text","b":2,"é":[]}');
  t.equal(bytes.toString(), '{"a":1,"b":2}', 'the original stays');
  t.equal(spliceJson(bytes, [{ start: 0, end: 13, text: '' }]).length, 0);
});

t.test('spans that overlap or lie outside are refused', async (t) => {
  const bytes = Buffer.from('0123456789');
  const wrong = [
    [
      { start: 2, end: 5, text: '' },
      { start: 4, end: 6, text: '' },
    ],
    [{ start: 5, end: 4, text: '' }],
    [{ start: 9, end: 11, text: '' }],
    [{ start: -1, end: 2, text: '' }],
  ];
  for (const edits of wrong) t.throws(() => spliceJson(bytes, edits), RangeError);
});

t.test('as strings would be spliced, whatever the sizes', async (t) => {
  const part = fc.record({
    kept: fc.string(),
    old: fc.string(),
    text: fc.string({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const bytes = Buffer.from(parts.map(({ kept, old }) => kept + old).join(''));
      const splicer = new Splicer(bytes);
      let at = 0;
      for (const { kept, old, text } of parts) {
        at += Buffer.byteLength(kept);
        const end = at + Buffer.byteLength(old);
        splicer.replace(at, end, text);
        at = end;
      }
      t.equal(splicer.finish().toString(), parts.map(({ kept, text }) => kept + text).join(''));
    }),
  );
});
