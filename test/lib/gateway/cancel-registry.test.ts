import { inspect } from 'node:util';
import t from 'tap';
import { CancelRegistry } from '../../../lib/gateway/cancel-registry.ts';

t.test('a session is found by its whole key, of any length (PG-11, PG-12)', async (t) => {
  const registry = new CancelRegistry();
  const short = { isBusy: true };
  const long = { isBusy: false };
  registry.add(Buffer.from('pid4key4'), short);
  registry.add(Buffer.alloc(36, 7), long);
  t.equal(registry.find(Buffer.from('pid4key4')), short);
  t.equal(registry.find(Buffer.alloc(36, 7)), long);
  t.equal(registry.find(Buffer.from('pid4key5')), undefined);
  t.equal(registry.find(Buffer.from('pid4key')), undefined, 'a part of a key is no key');
  t.equal(registry.find(Buffer.alloc(0)), undefined);
});

t.test('a key that was taken back finds nothing (PG-12)', async (t) => {
  const registry = new CancelRegistry();
  const key = Buffer.from('pid4key4');
  const remove = registry.add(key, { isBusy: true });
  remove();
  remove();
  t.equal(registry.find(key), undefined);
});

t.test('taking back an old entry leaves the new one of the same key', async (t) => {
  const registry = new CancelRegistry();
  const key = Buffer.from('pid4key4');
  const second = { isBusy: true };
  const removeFirst = registry.add(key, { isBusy: false });
  registry.add(key, second);
  removeFirst();
  t.equal(registry.find(key), second);
});

t.test('it does not depend on the caller keeping the key, and never shows it', async (t) => {
  const registry = new CancelRegistry();
  const key = Buffer.from('pid4key4');
  const target = { isBusy: true };
  registry.add(key, target);
  key.fill(0);
  t.equal(registry.find(Buffer.from('pid4key4')), target);
  t.notMatch(inspect(registry, { depth: 10, showHidden: true }), 'pid4key4');
});
