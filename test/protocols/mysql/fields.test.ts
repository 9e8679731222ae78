import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  FieldReader,
  lenencBytes,
  lenencInteger,
  nulBytes,
  u16,
  u24,
  u32,
  u64,
  u8,
} from '../../../protocols/mysql/fields.ts';

t.test('every field comes back, and nothing is left', async (t) => {
  const bytes = Buffer.concat([
    u8(1),
    u16(0xfffe),
    u24(0xfffffd),
    u32(0xfffffffc),
    u64(2n ** 64n - 1n),
    lenencInteger(250),
    lenencInteger(251),
    lenencInteger(0xffff),
    lenencInteger(0x10000),
    lenencInteger(0xffffff),
    lenencInteger(0x1000000),
    lenencInteger(2n ** 63n),
    lenencBytes(Buffer.from('abc')),
    Buffer.of(0xfb),
    nulBytes('name'),
    Buffer.from('rest'),
  ]);
  const reader = new FieldReader(bytes, 'server');
  t.same(
    [reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u64()],
    [1, 0xfffe, 0xfffffd, 0xfffffffc, 2n ** 64n - 1n],
  );
  const integers = Array.from({ length: 6 }, () => reader.lenencInteger());
  t.same(integers, [250, 251, 0xffff, 0x10000, 0xffffff, 0x1000000]);
  t.equal(reader.lenencBigint(), 2n ** 63n);
  t.equal(reader.lenencBytesOrNull()?.toString(), 'abc');
  t.equal(reader.lenencBytesOrNull(), null);
  t.equal(reader.nulBytes().toString(), 'name');
  t.equal(reader.peek(), 'r'.charCodeAt(0));
  t.equal(reader.rest().toString(), 'rest');
  t.ok(reader.isAtEnd);
  t.equal(reader.peek(), undefined);
  reader.back(4);
  t.equal(reader.restSize, 4);
});

t.test('lengths are the shortest that fit', async (t) => {
  t.same(
    [250, 251, 0x10000, 0x1000000].map((value) => lenencInteger(value).length),
    [1, 3, 4, 9],
  );
});

t.test('hostile bytes give ProtocolError and nothing else', async (t) => {
  const reads = [
    (reader: FieldReader) => reader.lenencBytes(),
    (reader: FieldReader) => reader.lenencBytesOrNull(),
    (reader: FieldReader) => reader.nulBytes(),
    (reader: FieldReader) => reader.u32(),
    (reader: FieldReader) => reader.u64(),
    (reader: FieldReader) => reader.lenencInteger(),
  ];
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 24 }),
      fc.array(fc.nat(5), { maxLength: 8 }),
      (bytes, order) => {
        const reader = new FieldReader(Buffer.from(bytes), 'client');
        try {
          for (const index of order) reads[index]?.(reader);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
        return reader.offset <= bytes.length;
      },
    ),
  );
  const huge = Buffer.from('feffffffffffffffff', 'hex');
  t.throws(() => new FieldReader(huge, 'server').lenencBytes(), {
    code: 'MYSQL_FIELD',
    blame: 'server',
  });
  t.throws(() => new FieldReader(Buffer.of(0xff), 'client').lenencInteger(), ProtocolError);
  t.throws(() => new FieldReader(Buffer.of(0xfb), 'client').lenencInteger(), ProtocolError);
  t.throws(() => nulBytes('a\0b'), Error);
});
