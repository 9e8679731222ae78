import t from 'tap';

import { encodeBytes, encodeString } from '../../../protocols/wire/protobuf.ts';
import type { ReadRequest } from '../../../protocols/wire/store-product.ts';
import { readRest, readRpc } from '../../support/qdrant-pipe.ts';
import { encodeRpc } from '../../support/qdrant-messages.ts';

function must(read: ReadRequest | string): ReadRequest {
  if (typeof read === 'string') throw new Error(read);
  return read;
}

/** `effect name`, and `*` for what cannot be told. */
function accesses({ accesses: all }: ReadRequest): string[] {
  return all.map(({ effect, target }) => `${effect} ${target?.path.join('/') ?? '*'}`);
}

t.test('a scroll reads records and gives out one after the other', async (t) => {
  const read = must(readRest('POST /collections/c/points/scroll', {}));
  t.same(accesses(read), ['read c', 'export c']);
  const shard = must(readRest('POST /collections/c/shards/0/points/scroll', {}));
  t.same(accesses(shard), ['read c', 'export c', 'admin c']);
  const rpc = must(readRpc('qdrant.Points/Scroll', encodeRpc('Scroll', {})));
  t.same(accesses(rpc), ['read customers', 'export customers']);
});

t.test('a collection made from another one is a copy', async (t) => {
  const copy = must(readRest('PUT /collections/copy', { init_from: { collection: 'customers' } }));
  t.same(accesses(copy), ['create copy', 'export customers']);
  t.type(copy.carries, 'string');
  t.equal(must(readRest('PUT /collections/new', { vectors: {} })).carries, undefined);
  const name = encodeString(1, 'copy');
  const made = Buffer.concat([name, encodeString(13, 'customers')]);
  t.type(must(readRpc('qdrant.Collections/Create', made)).carries, 'string');
  t.equal(must(readRpc('qdrant.Collections/Create', name)).carries, undefined);
});

t.test('an archive may be that of any collection', async (t) => {
  const lines = [
    'PUT /collections/mine/snapshots/recover',
    'PUT /collections/mine/shards/0/snapshots/recover',
    'PUT /collections/mine/shards/0/snapshot/partial/recover',
    'POST /collections/mine/shards/0/snapshot/partial/recover_from',
  ];
  for (const line of lines) {
    const read = must(readRest(line));
    t.same(accesses(read), ['admin mine', 'read *', 'export *'], line);
    t.type(read.carries, 'string', line);
  }
});

t.test('what holds for records of others by update_filter alone says so', async (t) => {
  const needs = (line: string, body: object): boolean | undefined =>
    must(readRest(line, JSON.stringify(body))).needsConditionalWrites;
  const points = [{ id: 1, vector: [1] }];
  const C = '/collections/c/points';
  t.equal(needs(`PUT ${C}`, { points }), true);
  t.equal(needs(`PUT ${C}/vectors`, { points }), true);
  t.equal(needs(`POST ${C}/batch`, { operations: [{ upsert: { points } }] }), true);
  t.equal(needs(`POST ${C}/delete`, { points: [1] }), false);
  t.equal(needs(`POST ${C}/payload`, { payload: {}, points: [1] }), false);
  const rpc = must(readRpc('qdrant.Points/Upsert', encodeRpc('Upsert', {})));
  t.equal(rpc.needsConditionalWrites, true);
});

t.test('variables of formulas are computed with over gRPC, too', async (t) => {
  const variable = (number: number, name: string): Buffer => encodeString(number, name);
  const distance = encodeBytes(4, encodeString(2, 'home'));
  const sum = Buffer.concat(
    [variable(2, 'salary'), variable(6, 'born'), distance, variable(2, '$score')].map((one) =>
      encodeBytes(1, one),
    ),
  );
  const formula = encodeBytes(1, encodeBytes(8, sum));
  const message = Buffer.concat([encodeString(1, 'c'), encodeBytes(3, encodeBytes(8, formula))]);
  const { computes, steering } = must(readRpc('qdrant.Points/Query', message));
  t.same(computes, [['salary'], ['born'], ['home']]);
  t.same(steering, computes);
});
