import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  FacetResponseSchema,
  NullValue,
  QueryResponseSchema,
  ScoredPointSchema,
  type Value,
  ValueSchema,
} from '@qdrant/js-client-grpc';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import type { FieldPath } from '../../../protocols/store.ts';
import {
  OTHER_FIELDS,
  PROTO_DEPTH_MAX,
  type ProtoAction,
  type ProtoLeaf,
  type ProtoPlan,
  dropField,
  encodeBytes,
  encodeString,
  encodeVarint,
  keepField,
  mapPlan,
  readFields,
  refuseField,
  rewriteMessage,
} from '../../../protocols/wire/protobuf.ts';

type Payload = Readonly<Record<string, MessageInitShape<typeof ValueSchema>>>;

/** `secret` texts, wherever they are, become their path; others stay. */
const leaf: ProtoLeaf = (bytes, path) => {
  const text = bytes.toString('utf8');
  return text.startsWith('secret') ? Buffer.from(`[${path.join('.')}]`) : bytes;
};

/** Value: 4 string, 6 Struct { 1 map }, 7 ListValue { 1 Value } (vector.md 2.1). */
const VALUE = new Map<number, ProtoAction>([[4, leaf]]);
VALUE.set(6, new Map([[1, mapPlan(VALUE)]]));
VALUE.set(7, new Map([[1, VALUE]]));
const POINT: ProtoPlan = new Map([[2, mapPlan(VALUE)]]);
const QUERY: ProtoPlan = new Map([[1, POINT]]);

const text = (value: string): MessageInitShape<typeof ValueSchema> => ({
  kind: { case: 'stringValue', value },
});
const list = (
  ...values: MessageInitShape<typeof ValueSchema>[]
): MessageInitShape<typeof ValueSchema> => ({
  kind: { case: 'listValue', value: { values } },
});
const struct = (fields: Payload): MessageInitShape<typeof ValueSchema> => ({
  kind: { case: 'structValue', value: { fields } },
});

function answer(payloads: readonly Payload[]): Buffer {
  const result = payloads.map((payload, index) => ({
    id: { pointIdOptions: { case: 'num' as const, value: BigInt(index) } },
    payload,
    score: -0,
    version: 18_446_744_073_709_551_615n,
    vectors: {
      vectorsOptions: {
        case: 'vector' as const,
        value: { vector: { case: 'dense' as const, value: { data: [1.5, -0, 3e-30, index] } } },
      },
    },
  }));
  return Buffer.from(
    toBinary(QueryResponseSchema, create(QueryResponseSchema, { result, time: 0.25 })),
  );
}

t.test(
  'payloads of an answer as the official descriptors read them, all else to the byte',
  async (t) => {
    const payloads = (mark: (path: string) => string): Payload[] => [
      { email: text(mark('email')), n: { kind: { case: 'integerValue', value: -1n } } },
      {},
      {
        a: struct({
          'b.c': list(text(mark('a.b.c')), text('public'), struct({ d: text(mark('a.b.c.d')) })),
        }),
      },
      {
        long: text(mark('long')),
        none: { kind: { case: 'nullValue', value: NullValue.NULL_VALUE } },
      },
    ];
    const plain = answer(payloads(() => 'secret'.repeat(40)));
    const masked = rewriteMessage(plain, QUERY);
    t.ok(masked.equals(answer(payloads((path) => `[${path}]`))));
    const unchanged = answer(payloads(() => 'public'));
    t.equal(rewriteMessage(unchanged, QUERY), unchanged, 'the same Buffer');
    const vectors = (bytes: Buffer): unknown =>
      fromBinary(QueryResponseSchema, bytes).result.map((point) => point.vectors);
    t.same(vectors(masked), vectors(plain));
  },
);

t.test('a value before its key, an entry without one, and entries that are none', async (t) => {
  const value = encodeBytes(2, encodeString(4, 'secret'));
  const point = (entry: Buffer): Buffer => encodeBytes(1, encodeBytes(2, entry));
  const read = (entry: Buffer): Record<string, Value> =>
    fromBinary(QueryResponseSchema, rewriteMessage(point(entry), QUERY)).result[0]?.payload ?? {};
  t.equal(read(Buffer.concat([value, encodeString(1, 'email')]))['email']?.kind.value, '[email]');
  t.equal(read(Buffer.concat([value]))['']?.kind.value, '[]');
  const twice = Buffer.concat([encodeString(1, 'k'), value, value]);
  t.notMatch(rewriteMessage(point(twice), QUERY).toString('latin1'), 'secret', 'two values');
  const wrong = [
    Buffer.concat([encodeString(1, 'public'), value, encodeString(1, 'email')]),
    Buffer.concat([encodeString(1, 'k'), value, encodeString(3, 'secret')]),
    Buffer.concat([encodeVarint(1, 7), value]),
    Buffer.concat([encodeString(1, 'k'), encodeVarint(2, 7)]),
  ];
  for (const entry of wrong) {
    t.throws(() => rewriteMessage(point(entry), QUERY), {
      code: 'PROTO_MAP_ENTRY',
      blame: 'server',
    });
  }
  const broken = Buffer.concat([encodeBytes(1, Buffer.from('ff', 'hex')), value]);
  t.throws(() => rewriteMessage(point(broken), QUERY), { code: 'PROTO_UTF8' });
  const mark = Buffer.concat([encodeString(1, '\ufffd'), value]);
  t.equal(read(mark)['\ufffd']?.kind.value, '[\ufffd]', 'the mark itself may be a key');
});

t.test('a singular message twice, a oneof twice: every occurrence is masked', async (t) => {
  const secret = encodeString(4, 'secret one');
  const value = Buffer.concat([
    secret,
    encodeBytes(7, encodeBytes(1, secret)),
    encodeVarint(3, 5),
    secret,
  ]);
  const entry = Buffer.concat([
    encodeString(1, 'k'),
    encodeBytes(2, value),
    encodeBytes(2, secret),
  ]);
  const bytes = encodeBytes(1, Buffer.concat([encodeBytes(2, entry), encodeBytes(2, entry)]));
  const masked = rewriteMessage(bytes, QUERY);
  t.notMatch(masked.toString('latin1'), 'secret');
  t.equal(fromBinary(QueryResponseSchema, masked).result[0]?.payload['k']?.kind.value, '[k]');
});

t.test('unknown fields stay, or go, or end it', async (t) => {
  const unknown = Buffer.concat([encodeString(900, 'secret'), encodeVarint(901, 1)]);
  const known = encodeString(1, 'secret');
  const bytes = encodeBytes(7, Buffer.concat([known, unknown]));
  const plan = (others?: ProtoAction): ProtoPlan => {
    const inner = new Map<number, ProtoAction>([[1, keepField]]);
    if (others !== undefined) inner.set(OTHER_FIELDS, others);
    return new Map([[7, inner]]);
  };
  t.equal(rewriteMessage(bytes, plan()), bytes);
  const kept = Buffer.concat([known, encodeVarint(901, 1)]);
  t.same(rewriteMessage(bytes, plan(dropField)), encodeBytes(7, kept));
  t.throws(() => rewriteMessage(bytes, plan(refuseField)), { code: 'PROTO_UNKNOWN_FIELD' });
  t.equal(rewriteMessage(encodeBytes(7, known), plan(refuseField)).length, 10);
  const facet = Buffer.concat([
    Buffer.from(toBinary(FacetResponseSchema, create(FacetResponseSchema, { time: 1 }))),
    unknown,
  ]);
  t.equal(rewriteMessage(facet, QUERY), facet);
});

t.test('lengths around a change are written anew, whatever their size', async (t) => {
  for (const [before, after] of [
    [0, 200],
    [127, 128],
    [128, 127],
    [20_000, 0],
    [0, 20_000],
    [3, 3],
  ] as const) {
    const nested = (value: Buffer): Buffer =>
      [1, 2, 3].reduce((inner, number) => {
        const around = encodeVarint(15, number);
        return Buffer.concat([around, encodeBytes(number, inner), around]);
      }, value);
    const plan = new Map([
      [3, new Map([[2, new Map([[1, (): Buffer => Buffer.alloc(after, 0x62)]])]])],
    ]);
    const bytes = nested(Buffer.alloc(before, 0x61));
    t.ok(
      rewriteMessage(bytes, plan).equals(nested(Buffer.alloc(after, 0x62))),
      `${before} to ${after}`,
    );
  }
});

t.test('a planned field of another wire type ends it', async (t) => {
  t.throws(() => rewriteMessage(encodeVarint(1, 7), QUERY), { code: 'PROTO_WIRE_TYPE' });
  t.throws(() => rewriteMessage(Buffer.from('0b0c', 'hex'), new Map(), [], 'client'), {
    code: 'PROTO_WIRE_TYPE',
    blame: 'client',
  });
});

t.test('depth is limited over all calls under way, and counted anew for the next', async (t) => {
  const lists = (depth: number): Buffer => {
    let value = encodeString(4, 'secret');
    for (let level = 0; level < depth; level += 1) value = encodeBytes(7, encodeBytes(1, value));
    return value;
  };
  const plan: ProtoPlan = VALUE;
  // Each list is two levels, and the value itself is one.
  const most = Math.floor((PROTO_DEPTH_MAX - 1) / 2);
  t.equal(rewriteMessage(lists(most), plan).includes('secret'), false);
  t.throws(() => rewriteMessage(lists(most + 1), plan), { code: 'PROTO_DEPTH' });
  t.throws(() => rewriteMessage(lists(30_000), plan), { code: 'PROTO_DEPTH' });
  // A leaf that calls the rewriter itself, as masks by path do.
  const own: ProtoLeaf = (bytes, path) =>
    rewriteMessage(
      bytes,
      new Map([[7, (inner: Buffer) => rewriteMessage(inner, new Map([[1, own]]), path)]]),
      path,
    );
  t.throws(() => own(lists(30_000), []), { code: 'PROTO_DEPTH' });
  t.equal(rewriteMessage(lists(most), plan).includes('secret'), false, 'no level is left over');
});

const scalar = fc.oneof(
  fc.constantFrom('secret', 'secret and more', '').map(text),
  fc.string({ unit: 'grapheme' }).map(text),
  fc.double().map((value) => ({ kind: { case: 'doubleValue' as const, value } })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ kind: { case: 'integerValue' as const, value } })),
);
const { tree } = fc.letrec<{ tree: MessageInitShape<typeof ValueSchema> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }).map((values) => list(...values)),
    fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4, noNullPrototype: true }).map(struct),
  ),
}));

/** Masks what `fromBinary` made, by the names that its classes give. */
function maskValue(value: Value, path: FieldPath): void {
  const { kind } = value;
  if (kind.case === 'stringValue' && kind.value.startsWith('secret'))
    kind.value = `[${path.join('.')}]`;
  if (kind.case === 'listValue') for (const one of kind.value.values) maskValue(one, path);
  if (kind.case !== 'structValue') return;
  for (const [key, one] of Object.entries(kind.value.fields)) maskValue(one, [...path, key]);
}

t.test('any payload: as if it were decoded, masked and encoded', async (t) => {
  const payload = fc.dictionary(fc.string(), tree, { maxKeys: 5, noNullPrototype: true });
  const property = fc.property(payload, (fields) => {
    const bytes = Buffer.from(
      toBinary(ScoredPointSchema, create(ScoredPointSchema, { payload: fields })),
    );
    const expected = fromBinary(ScoredPointSchema, bytes);
    for (const [key, value] of Object.entries(expected.payload)) maskValue(value, [key]);
    return rewriteMessage(bytes, POINT).equals(toBinary(ScoredPointSchema, expected));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }));
});

t.test(
  'any change of an answer: it throws ProtocolError, or what comes out has its fields',
  async (t) => {
    const bytes = answer([
      { email: text('secret'), a: list(text('secret'), struct({ k: text('x') })) },
      {},
    ]);
    const property = fc.property(
      fc.nat(bytes.length),
      fc.nat(3),
      fc.uint8Array({ maxLength: 3 }),
      (at, gone, added) => {
        const changed = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + gone)]);
        try {
          const masked = rewriteMessage(changed, QUERY);
          return readFields(masked).length === readFields(changed).length;
        } catch (error) {
          if (error instanceof ProtocolError) return true;
          throw error;
        }
      },
    );
    t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }));
  },
);
