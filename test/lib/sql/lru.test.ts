import t from 'tap';
import { Lru } from '../../../lib/sql/lru.ts';

t.test('it forgets what was used longest ago', async (t) => {
  const cache = new Lru<number>({ countMax: 2, sizeMax: 100 });
  cache.set('a', 1, 1);
  cache.set('b', 2, 1);
  t.equal(cache.get('a'), 1);
  cache.set('c', 3, 1);
  t.equal(cache.get('b'), undefined);
  t.equal(cache.get('a'), 1);
  t.equal(cache.count, 2);
});

t.test('it is bounded by bytes as well', async (t) => {
  const cache = new Lru<number>({ countMax: 100, sizeMax: 10 });
  for (let index = 0; index < 50; index += 1) cache.set(`k${index}`, index, 3);
  t.equal(cache.count, 3);
  t.equal(cache.size, 9);
  cache.set('k49', 0, 1);
  t.equal(cache.size, 7, 'setting again counts once');
  cache.set('huge', 0, 11);
  t.equal(cache.get('huge'), undefined);
  cache.clear();
  t.equal(cache.size, 0);
});
