import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { cacheKey, DecisionCache, ShapeDecisions } from '../../../lib/gateway/decision-cache.ts';
import { computeSensitive } from '../../../lib/masking/sensitive.ts';
import { fakeReader } from '../../support/fake-catalog.ts';
import { analysis, snapshotOf } from './catalog-fixture.ts';
import { allow } from './driver-rig.ts';

t.test('a decision is found by exact text and version', async (t) => {
  const cache = new DecisionCache();
  const decided = allow();
  cache.set('SELECT 1', 1, decided);
  t.equal(cache.get('SELECT 1', 1), decided);
  t.equal(cache.get('SELECT 2', 1), undefined);
  t.equal(cache.get('select 1', 1), undefined);
  t.equal(cache.get('SELECT 1', 2), undefined, 'another version of the catalog');
});

t.test('a newer version empties it, an older one changes nothing', async (t) => {
  const cache = new DecisionCache();
  cache.set('old', 1, allow());
  cache.set('new', 2, allow());
  cache.set('late', 1, allow());
  t.equal(cache.get('old', 2), undefined);
  t.equal(cache.get('old', 1), undefined);
  t.equal(cache.get('late', 1), undefined);
  t.equal(cache.get('late', 2), undefined, 'a decision made on an old catalog is never kept');
  t.ok(cache.get('new', 2));
});

t.test('long texts are not kept', async (t) => {
  const cache = new DecisionCache();
  cache.set('x'.repeat(4096), 0, allow());
  cache.set('y'.repeat(4097), 0, allow());
  t.ok(cache.get('x'.repeat(4096), 0));
  t.equal(cache.get('y'.repeat(4097), 0), undefined);
});

t.test('it holds 20,000 and the oldest goes', async (t) => {
  const cache = new DecisionCache();
  for (let index = 0; index <= 20_000; index += 1) cache.set(`${index}`, 0, allow());
  t.equal(cache.get('0', 0), undefined);
  t.ok(cache.get('1', 0));
  t.ok(cache.get('20000', 0));
});

t.test('the oldest goes in a later version as well, and setting again drops nothing', async (t) => {
  const cache = new DecisionCache();
  for (let index = 0; index < 20_010; index += 1) cache.set(`${index}`, 1, allow());
  for (let index = 0; index < 20_000; index += 1) cache.set(`${index}`, 2, allow());
  cache.set('7', 2, allow());
  t.ok(cache.get('0', 2), 'there was room');
  for (let index = 20_000; index < 20_005; index += 1) cache.set(`${index}`, 2, allow());
  const kept = Array.from({ length: 20_005 }, (_, index) => cache.get(`${index}`, 2) !== undefined);
  t.same(kept.slice(0, 6), [false, false, false, false, false, true]);
  t.equal(kept.filter((isKept) => isKept).length, 20_000);
});

t.test('what belongs to an older version is freed', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const cache = new DecisionCache();
  const addOld = (): WeakRef<object> => {
    const decided = allow();
    cache.set('old', 1, decided);
    return new WeakRef(decided);
  };
  const old = addOld();
  cache.set('new', 2, allow());
  for (let round = 0; round < 50 && old.deref() !== undefined; round += 1) {
    await setImmediate();
    collect();
  }
  t.equal(old.deref(), undefined);
  t.ok(cache.get('new', 2));
});

t.test('a decision for a shape is found by the same analysis on the same basis', async (t) => {
  const decisions = new ShapeDecisions();
  const [read, decided] = [analysis({ isShapeStable: true }), allow()];
  const computed = () => computeSensitive(snapshotOf(), [], fakeReader({}));
  const basis = { snapshot: snapshotOf(), sensitive: await computed() };
  decisions.set(read, basis, decided);
  t.equal(decisions.get(read, { ...basis }), decided);
  t.equal(decisions.get({ ...read }, basis), undefined, 'an analysis that is only equal');
  t.equal(decisions.get(read, { ...basis, snapshot: snapshotOf() }), undefined, 'a catalog alike');
  t.equal(decisions.get(read, { ...basis, snapshot: undefined }), undefined);
  t.equal(decisions.get(read, { ...basis, sensitive: await computed() }), undefined, 'other masks');
  t.equal(decisions.get(read, { ...basis, sensitive: undefined }), undefined);
  t.equal(decisions.get(read, basis), decided, 'asking changes nothing');
  const later = { ...basis, snapshot: snapshotOf() };
  decisions.set(analysis({ isShapeStable: true }), later, allow());
  t.equal(decisions.get(read, basis), undefined, 'a new basis takes the place of the old one');
  t.equal(decisions.get(read, later), undefined, 'and nothing of that holds on it');
});

t.test('without a catalog and masks there is a basis, too', async (t) => {
  const decisions = new ShapeDecisions();
  const [read, decided] = [analysis({ isShapeStable: true }), allow()];
  const none = { snapshot: undefined, sensitive: undefined };
  decisions.set(read, none, decided);
  t.equal(decisions.get(read, none), decided);
  t.equal(decisions.get(read, { ...none, snapshot: snapshotOf() }), undefined);
});

t.test('what a literal changes is not kept for a shape', async (t) => {
  const decisions = new ShapeDecisions();
  const read = analysis({ isShapeStable: false });
  const none = { snapshot: undefined, sensitive: undefined };
  decisions.set(read, none, allow());
  t.equal(decisions.get(read, none), undefined);
});

t.test('what the protocol told with a text is part of its key', async (t) => {
  const reading = {
    database: 'shop',
    server: { flavor: 'mysql', version: 80_036 },
    ansiQuotes: undefined,
    noBackslashEscapes: false,
  } as const;
  const keys = [
    cacheKey('a', {}),
    cacheKey('a', { parameterTypes: [1] }),
    cacheKey('a', { parameterTypes: [2, 1] }),
    cacheKey('a', { parameterTypes: [21] }),
    cacheKey('a', { reading }),
    cacheKey('a', { reading: { ...reading, database: 'other' } }),
    cacheKey('a', { reading: { ...reading, database: undefined } }),
    cacheKey('a', { reading: { ...reading, ansiQuotes: true } }),
    cacheKey('a', { reading: { ...reading, ansiQuotes: false } }),
    cacheKey('a', { reading: { ...reading, noBackslashEscapes: true } }),
    cacheKey('a', { reading: { ...reading, server: { flavor: 'mariadb', version: 80_036 } } }),
    cacheKey('a', { reading: { ...reading, server: { flavor: 'mysql', version: 50_700 } } }),
    cacheKey('a\u00001\u0000', {}),
  ];
  t.equal(new Set(keys).size, keys.length);
  t.equal(cacheKey('a', { parameterTypes: [] }), 'a');
  t.equal(cacheKey('a', { parameterTypes: [1, 2, 1] }), cacheKey('a', { parameterTypes: [2, 1] }));
});
