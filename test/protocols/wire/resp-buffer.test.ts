import t from 'tap';
import { RespBuffer } from '../../../protocols/wire/resp-buffer.ts';

void t.test('what was handed out stays as it was', async (t) => {
  const buffer = new RespBuffer();
  const own = Buffer.from('abc');
  buffer.add(own);
  t.equal(buffer.bytes, own, 'a single chunk is not copied');
  const before = buffer.bytes;
  for (const byte of Buffer.from('defghij')) buffer.add(Buffer.of(byte));
  const middle = buffer.bytes;
  buffer.drop(4);
  buffer.add(Buffer.from('k'));
  t.equal(String(before) + String(middle) + String(buffer.bytes), 'abcabcdefghijefghijk');
  t.equal(String(own), 'abc');
  t.equal(buffer.size, 7);
  t.equal(String(buffer.take()), 'efghijk');
  t.equal(buffer.size, 0);
  buffer.drop(3);
  t.equal(buffer.take().length, 0);
});

void t.test('a view of a pool is never written to', async (t) => {
  const pool = Buffer.from('abcXYZ');
  const buffer = new RespBuffer();
  buffer.add(pool.subarray(0, 3));
  buffer.add(Buffer.from('def'));
  t.equal(String(pool), 'abcXYZ');
  t.equal(String(buffer.bytes), 'abcdef');
});
