import t from 'tap';
import { DecisionCache } from '../../../lib/gateway/decision-cache.ts';
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
