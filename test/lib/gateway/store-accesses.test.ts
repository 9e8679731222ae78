import t from 'tap';
import type { StoreNames } from '../../../lib/catalog/store-names.ts';
import { resolveAccesses } from '../../../lib/gateway/store-accesses.ts';
import type { StoreName } from '../../../protocols/store.ts';

const A: StoreName = { kind: 'collection', path: ['a'] };
const B: StoreName = { kind: 'collection', path: ['b'] };

function namesOf(resolve: StoreNames['resolve']): StoreNames {
  return { resolve, invalidate: () => undefined, close: () => undefined };
}

t.test('at once where all is known, each name asked for once', async (t) => {
  const asked: StoreName[] = [];
  const names = namesOf((name) => {
    asked.push(name);
    return [B];
  });
  const accesses = [
    { effect: 'read', target: A },
    { effect: 'upsert', target: A },
    { effect: 'describe', target: undefined },
  ] as const;
  t.same(resolveAccesses(accesses, names), [
    { effect: 'read', target: A, meanings: [B] },
    { effect: 'upsert', target: A, meanings: [B] },
    { effect: 'describe', target: undefined, meanings: [] },
  ]);
  t.same(asked, [A]);
});

t.test('it waits where one has to be looked up, and fails where one cannot be', async (t) => {
  const accesses = [
    { effect: 'read', target: A },
    { effect: 'read', target: B },
  ] as const;
  const slow = namesOf(async (name) => [name]);
  t.same(await resolveAccesses(accesses, slow), [
    { effect: 'read', target: A, meanings: [A] },
    { effect: 'read', target: B, meanings: [B] },
  ]);
  const broken = namesOf((name) => (name === A ? [A] : Promise.reject(new Error('down'))));
  await t.rejects(Promise.resolve(resolveAccesses(accesses, broken)), /down/);
});
