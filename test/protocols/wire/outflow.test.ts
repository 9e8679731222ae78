import fc from 'fast-check';
import t from 'tap';
import { Outflow } from '../../../protocols/wire/outflow.ts';

t.test('neighbouring ranges of one chunk leave as one slice of it', async (t) => {
  const chunk = Buffer.from('abcdef');
  const out = new Outflow();
  out.addRange(chunk, 1, 3);
  out.addRange(chunk, 3, 5);
  const [only, ...more] = out.take();
  t.same(only, Buffer.from('bcde'));
  t.equal(only?.buffer, chunk.buffer);
  t.same(more, []);
  out.addRange(chunk, 0, 6);
  t.equal(out.take()[0], chunk, 'a whole chunk is the chunk itself');
  t.same(out.take(), []);
});

t.test('ranges with a gap and bytes of our own keep their order', async (t) => {
  const chunk = Buffer.from('abcdef');
  const out = new Outflow();
  out.addRange(chunk, 0, 2);
  out.add(Buffer.from('-'));
  out.addRange(chunk, 2, 3);
  out.addRange(chunk, 4, 6);
  out.addRange(chunk, 6, 6);
  t.equal(Buffer.concat([...out.take()]).toString(), 'ab-cef');
});

t.test('few bytes are joined into one write, many are not copied', async (t) => {
  const out = new Outflow();
  out.add(Buffer.from('a'));
  out.add(Buffer.from('b'));
  t.same(out.take(), [Buffer.from('ab')]);
  const large = Buffer.alloc(300_000);
  out.add(Buffer.from('a'));
  out.add(large);
  t.equal(out.take()[1], large);
});

t.test('whatever goes in comes out', async (t) => {
  const seed = Date.now() % 0x7fff_ffff;
  const chunk = Buffer.from(Array.from({ length: 64 }, (_, index) => index));
  const step = fc.oneof(
    fc.record({ start: fc.nat({ max: 32 }), size: fc.nat({ max: 32 }) }),
    fc.uint8Array({ maxLength: 8 }),
    fc.constant('take' as const),
  );
  const result = fc.check(
    fc.property(fc.array(step), (steps) => {
      const out = new Outflow();
      const wanted: Buffer[] = [];
      const got: Buffer[] = [];
      for (const one of steps) {
        if (one === 'take') got.push(...out.take());
        else if (one instanceof Uint8Array) {
          out.add(Buffer.from(one));
          wanted.push(Buffer.from(one));
        } else {
          out.addRange(chunk, one.start, one.start + one.size);
          wanted.push(chunk.subarray(one.start, one.start + one.size));
        }
      }
      return Buffer.concat([...got, ...out.take()]).equals(Buffer.concat(wanted));
    }),
    { seed },
  );
  t.notOk(result.failed, `seed ${seed}`, { counterexample: result.counterexample });
});
