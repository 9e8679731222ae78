import t from 'tap';

import { encodeBytes, encodeString } from '../../../protocols/wire/protobuf.ts';
import type { JsonObject } from '../../support/qdrant-emulator-filter.ts';
import { toPayload } from '../../support/qdrant-emulator-rpc.ts';
import { readRpc, restrictions } from '../../support/qdrant-pipe.ts';
import { askRpc, encodeRpc, filledEngine, keyword } from '../../support/qdrant-messages.ts';

const rules = { restrictions: restrictions({ filter: [{ field: 'tenant', value: 'a' }] }) };
const own = toPayload({ tenant: 'a' });

function write(rpc: string, request: JsonObject): { why: string; foreign: string; owned: string } {
  const engine = filledEngine();
  const { refused = 'done' } = askRpc(rpc, request, rules, engine);
  const show = (ids: number[]): string => JSON.stringify(engine.retrieve('customers', ids));
  return { why: refused, foreign: show([2, 4, 6]), owned: show([1, 3, 5, 7]) };
}

const untouched = write('Count', {});
const point = (num: number, payload: JsonObject): JsonObject => ({
  id: { num },
  vectors: { vector: { dense: { data: [9, 9] } } },
  payload,
});
const ids = (...nums: number[]): JsonObject => ({ points: { ids: nums.map((num) => ({ num })) } });

t.test('writes reach no record of others', async (t) => {
  const writes: [string, JsonObject][] = [
    ['Upsert', { points: [point(2, own), point(1, own)] }],
    ['Upsert', { points: [point(2, own), point(1, own)], updateFilter: { must: [] } }],
    ['Delete', { points: ids(1, 2, 4) }],
    ['Delete', { points: { filter: {} } }],
    [
      'Delete',
      { points: { filter: { should: [keyword('tenant', 'b'), keyword('tenant', 'a')] } } },
    ],
    ['SetPayload', { payload: toPayload({ x: 1 }), pointsSelector: ids(1, 2) }],
    ['SetPayload', { payload: toPayload({ x: 1 }), pointsSelector: { filter: {} } }],
    ['OverwritePayload', { payload: own, pointsSelector: ids(1, 2) }],
  ];
  for (const [rpc, request] of writes) {
    const { why, foreign, owned } = write(rpc, request);
    t.equal(why, 'done', rpc);
    t.equal(foreign, untouched.foreign, `${rpc} ${JSON.stringify(request)}`);
    t.not(owned, untouched.owned, `${rpc} changes its own`);
  }
});

t.test('records and fields stay within the filter', async (t) => {
  for (const payload of [
    {},
    toPayload({ tenant: 'b' }),
    toPayload({ tenant: ['a'] }),
    toPayload({ tenant: { a: 'a' } }),
  ]) {
    t.match(
      write('Upsert', { points: [point(7, own), point(8, payload)] }).why,
      /fields of the filter/,
    );
    t.match(
      write('OverwritePayload', { payload, pointsSelector: ids(1) }).why,
      /fields of the filter/,
    );
  }
  const refused: [string, JsonObject][] = [
    ['SetPayload', { payload: toPayload({ tenant: 'b' }), pointsSelector: ids(1) }],
    ['SetPayload', { payload: toPayload({ x: 1 }), key: 'tenant[]', pointsSelector: ids(1) }],
    ['DeletePayload', { keys: ['city', '"tenant"'], pointsSelector: ids(1) }],
    ['ClearPayload', { points: ids(1) }],
  ];
  for (const [rpc, request] of refused) {
    const { why, owned } = write(rpc, request);
    t.match(why, /filter of the rule/, rpc);
    t.equal(owned, untouched.owned);
  }
});

t.test('every operation of a batch is held to the filter', async (t) => {
  const operations: [JsonObject, RegExp | undefined][] = [
    [{ upsert: { points: [point(2, own)] } }, undefined],
    [{ deletePoints: { points: ids(1, 2) } }, undefined],
    [{ deleteDeprecated: ids(1, 2) }, undefined],
    [{ setPayload: { payload: toPayload({ x: 1 }), pointsSelector: ids(2) } }, undefined],
    [{ updateVectors: { points: [] } }, undefined],
    [{ deleteVectors: { pointsSelector: ids(2), vectors: { names: ['v'] } } }, undefined],
    [{ upsert: { points: [point(7, {})] } }, /fields of the filter/],
    [{ overwritePayload: { payload: {}, pointsSelector: ids(1) } }, /fields of the filter/],
    [{ deletePayload: { keys: ['tenant'], pointsSelector: ids(1) } }, /may not be changed/],
    [{ clearPayload: { points: ids(1) } }, /may not be changed/],
    [{ clearPayloadDeprecated: ids(1) }, /may not be changed/],
  ];
  for (const [operation, expected] of operations) {
    const read = readRpc(
      'qdrant.Points/UpdateBatch',
      encodeRpc('UpdateBatch', { operations: [operation] }),
    );
    if (typeof read === 'string') throw new Error(read);
    const restricted = read.restrict(rules.restrictions);
    const [kind = ''] = Object.keys(operation);
    if (expected !== undefined) t.match(restricted, expected, kind);
    else if (typeof restricted === 'string') t.fail(`${kind}: ${restricted}`);
    else t.ok(restricted.body?.includes('tenant'), `${kind} carries the filter`);
  }
});

t.test('messages that could be read in two ways are refused', async (t) => {
  const both = Buffer.concat([encodeBytes(1, Buffer.alloc(0)), encodeBytes(2, Buffer.alloc(0))]);
  const selector = Buffer.concat([encodeString(1, 'c'), encodeBytes(3, both)]);
  t.match(readRpc('qdrant.Points/Delete', selector), /at once/);
  const entry = (key: string, value: string): Buffer =>
    encodeBytes(3, Buffer.concat([encodeString(1, key), encodeBytes(2, encodeString(4, value))]));
  const twice = Buffer.concat([entry('tenant', 'a'), entry('tenant', 'b')]);
  const upsert = Buffer.concat([encodeString(1, 'c'), encodeBytes(3, twice)]);
  const read = readRpc('qdrant.Points/Upsert', upsert);
  if (typeof read === 'string') throw new Error(read);
  t.match(read.restrict(rules.restrictions), /fields of the filter/, 'a key that comes twice');
  const value = Buffer.concat([encodeString(4, 'a'), encodeString(4, 'b')]);
  const oneof = encodeBytes(3, Buffer.concat([encodeString(1, 'tenant'), encodeBytes(2, value)]));
  const second = readRpc(
    'qdrant.Points/Upsert',
    Buffer.concat([encodeString(1, 'c'), encodeBytes(3, oneof)]),
  );
  if (typeof second === 'string') throw new Error(second);
  t.match(second.restrict(rules.restrictions), /fields of the filter/, 'a value that comes twice');
  for (const bad of [
    Buffer.from([0x0b]),
    Buffer.from([0x0a, 0x05, 0x61]),
    Buffer.from([0x00, 0x00]),
    Buffer.from([0x0a, 0x01, 0xff]),
  ]) {
    t.type(readRpc('qdrant.Points/Upsert', bad), 'string', bad.toString('hex'));
  }
  let deep: Buffer = Buffer.alloc(0);
  for (let level = 0; level < 3000; level += 1) deep = encodeBytes(2, encodeBytes(4, deep));
  const nested = Buffer.concat([encodeString(1, 'c'), encodeBytes(2, deep)]);
  t.match(readRpc('qdrant.Points/Count', nested), /deep/);
});
