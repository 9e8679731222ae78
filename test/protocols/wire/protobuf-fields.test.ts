import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  PROTO_FIELDS_MAX,
  type ProtoField,
  decodeString,
  encodeBytes,
  encodeString,
  encodeVarint,
  forEachField,
  readFields,
  spliceFields,
  toInt64,
} from '../../../protocols/wire/protobuf.ts';

function codeOf(hex: string): string {
  try {
    readFields(Buffer.from(hex, 'hex'), 'server');
    return 'none';
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.blame}`;
    throw error;
  }
}

t.test('fields, with their spans', async (t) => {
  const bytes = new BinaryWriter()
    .uint32((1 << 3) | 0)
    .uint64(300)
    .uint32((2 << 3) | 2)
    .string('né')
    .uint32((3 << 3) | 1)
    .double(0.5)
    .uint32(((536_870_911 << 3) | 5) >>> 0)
    .float(-0)
    .finish();
  const fields = readFields(Buffer.from(bytes));
  t.match(fields, [
    { number: 1, wireType: 0, start: 0, end: 3, value: 300 },
    { number: 2, wireType: 2, start: 3, end: 8 },
    { number: 3, wireType: 1, start: 8, end: 17 },
    { number: 536_870_911, wireType: 5, start: 17, end: 26 },
  ]);
  const values = fields.map(({ value }) =>
    value instanceof Buffer ? value.toString('hex') : value,
  );
  t.same(values, [300, '6ec3a9', '000000000000e03f', '00000080']);
  const seen: ProtoField[] = [];
  forEachField(Buffer.from(bytes), (field) => seen.push(field));
  t.same(seen, fields);
  t.same(readFields(Buffer.alloc(0)), []);
});

t.test('numbers of 64 bits to the digit', async (t) => {
  const numbers = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(
      fc.oneof(numbers, fc.nat().map(BigInt)),
      fc.integer({ min: 1, max: 536_870_911 }),
      (value, number) => {
        const theirs = Buffer.from(
          new BinaryWriter()
            .uint32((number << 3) >>> 0)
            .uint64(value)
            .finish(),
        );
        t.ok(encodeVarint(number, value).equals(theirs));
        const [field] = readFields(theirs);
        t.equal(BigInt(field?.wireType === 0 ? field.value : -1), value);
        t.equal(
          typeof field?.value,
          value <= BigInt(Number.MAX_SAFE_INTEGER) ? 'number' : 'bigint',
        );
        t.equal(field?.number, number);
      },
    ),
  );
  for (const value of [0n, -1n, -5n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const bytes = encodeVarint(1, value);
    t.equal(new BinaryReader(bytes.subarray(1)).int64().toString(), value.toString());
    const [field] = readFields(bytes);
    t.equal(toInt64(field?.wireType === 0 ? field.value : 7), value);
  }
  t.same(encodeVarint(2, -7), encodeVarint(2, -7n));
  t.same(encodeVarint(2, 2 ** 53 - 1), encodeVarint(2, 2n ** 53n - 1n));
});

t.test('what parsers disagree on is refused', async (t) => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    PROTO_FIELD: ['00', '0200', '0700', '8080808010', 'ffffffffffffffffff01'],
    PROTO_WIRE_TYPE: ['0b', '0b0c', '0c', '0e', '0f', '0b0a00'],
    PROTO_VARINT: [
      '088000',
      '08ff00',
      '8800',
      '888000',
      '0a8000',
      '0a810061',
      '08ffffffffffffffffff02',
      '08ffffffffffffffffff7f',
      '0880808080808080808080',
      '08ffffffffffffffffffff01',
      '0880808080808080808000',
    ],
    PROTO_TRUNCATED: [
      '08',
      '0880',
      '80',
      '0a',
      '0a01',
      '0a0261',
      '09',
      '0900000000000000',
      '0d',
      '0d000000',
      '0affffffff0f',
      '0affffffffffffffffff01',
      '0a8080808080808010',
      '08ffffffffffffffff',
    ],
    none: ['', '0800', '08ffffffffffffffffff01', '0a00', '0a0161', '8001ff01', 'f8ffffff0f00'],
  };
  for (const [code, all] of Object.entries(cases)) {
    for (const hex of all) t.equal(codeOf(hex), code === 'none' ? code : `${code} server`, hex);
  }
});

t.test('the number of fields is limited', async (t) => {
  const count = PROTO_FIELDS_MAX + 1;
  t.equal(codeOf('0800'.repeat(count)), 'PROTO_FIELDS server');
  let seen = 0;
  forEachField(Buffer.from('0800'.repeat(count), 'hex'), () => (seen += 1));
  t.equal(seen, count);
});

t.test('texts and bytes', async (t) => {
  const theirs = new BinaryWriter()
    .uint32((5 << 3) | 2)
    .string('né'.repeat(100))
    .finish();
  t.ok(encodeString(5, 'né'.repeat(100)).equals(theirs));
  t.same(encodeBytes(5, Buffer.from('né'.repeat(100))), encodeString(5, 'né'.repeat(100)));
  t.equal(decodeString(Buffer.from('né')), 'né');
  t.throws(() => decodeString(Buffer.from('c3', 'hex'), 'server'), {
    code: 'PROTO_UTF8',
    blame: 'server',
  });
});

t.test('fields are replaced, inserted and taken out', async (t) => {
  const parts = [encodeString(1, 'a'), encodeVarint(2, 7), encodeString(3, 'c')];
  const bytes = Buffer.concat(parts);
  const fields = readFields(bytes);
  t.equal(spliceFields(bytes, []), bytes);
  const [first, second] = fields;
  if (first === undefined || second === undefined) throw new Error('there are three');
  const { length } = bytes;
  const edits = [
    { start: length, end: length, bytes: encodeVarint(9, 1) },
    { start: second.start, end: second.end, bytes: Buffer.alloc(0) },
    { start: first.start, end: first.end, bytes: encodeString(1, 'long'.repeat(50)) },
  ];
  const wanted = [encodeString(1, 'long'.repeat(50)), encodeString(3, 'c'), encodeVarint(9, 1)];
  t.same(spliceFields(bytes, edits), Buffer.concat(wanted));
  t.throws(
    () =>
      spliceFields(bytes, [
        { start: 1, end: 3, bytes },
        { start: 2, end: 4, bytes },
      ]),
    RangeError,
  );
  t.throws(() => spliceFields(bytes, [{ start: 0, end: length + 1, bytes }]), RangeError);
});

t.test('any bytes: fields that make up the whole, or ProtocolError', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (random) => {
      const bytes = Buffer.from(random);
      if (codeOf(bytes.toString('hex')) !== 'none') return;
      const fields = readFields(bytes);
      t.same(Buffer.concat(fields.map(({ start, end }) => bytes.subarray(start, end))), bytes);
      // Theirs must see the same fields.
      const reader = new BinaryReader(bytes);
      for (const field of fields) {
        const [number, wireType] = reader.tag();
        t.same([number, wireType], [field.number, field.wireType]);
        reader.skip(wireType);
        t.equal(reader.pos, field.end);
      }
    }),
    { numRuns: 2000 },
  );
});
