import t from 'tap';
import { ByteReader } from '../../../protocols/wire/byte-reader.ts';

const BYTES = Buffer.from('ff80007f800000008000000161620000', 'hex');
const newReader = (bytes = BYTES, offset = 0): ByteReader =>
  new ByteReader(bytes, offset, () => new RangeError('past the end'));

t.test('every kind of field, in order', async (t) => {
  const reader = newReader();
  t.equal(reader.uint8(), 0xff);
  t.equal(reader.uint16(), 0x8000);
  t.equal(reader.int16(), 0x7f80);
  t.equal(reader.int32(), 0x80);
  t.equal(reader.uint8(), 0);
  t.equal(reader.offset, 10);
  t.equal(newReader(BYTES, 8).uint32(), 0x8000_0001 >>> 0);
  t.equal(newReader(BYTES, 8).int32(), 0x8000_0001 | 0);
  t.equal(newReader(BYTES, 1).int16(), -0x8000);
  const strings = newReader(BYTES, 12);
  t.equal(strings.cstring().toString(), 'ab');
  t.equal(strings.cstring().toString(), '');
  t.ok(strings.isAtEnd);
});

t.test('slices are views; rest is what is left', async (t) => {
  const reader = newReader();
  const slice = reader.slice(2);
  t.equal(slice.buffer, BYTES.buffer);
  t.same(slice, BYTES.subarray(0, 2));
  t.same(reader.rest(), BYTES.subarray(2));
  t.same(reader.rest(), Buffer.alloc(0));
});

t.test('no read leaves the message, whatever its size', async (t) => {
  const reads: readonly [number, (reader: ByteReader) => unknown][] = [
    [1, (reader) => reader.uint8()],
    [2, (reader) => reader.int16()],
    [2, (reader) => reader.uint16()],
    [4, (reader) => reader.int32()],
    [4, (reader) => reader.uint32()],
    [3, (reader) => reader.slice(3)],
  ];
  for (const [size, read] of reads) {
    for (let length = 0; length < size; length++) {
      // The memory behind the message is there, and must not be read.
      t.throws(() => read(newReader(BYTES.subarray(0, length))), RangeError);
    }
    t.doesNotThrow(() => read(newReader(BYTES.subarray(0, size))));
  }
  t.throws(() => newReader().slice(-1), RangeError);
  t.throws(
    () => newReader(BYTES.subarray(0, 2)).cstring(),
    RangeError,
    'a NUL behind the message does not count',
  );
  const reader = newReader(BYTES.subarray(0, 3));
  t.throws(() => reader.int32(), RangeError);
  t.equal(reader.offset, 0, 'a failed read takes nothing');
});
