import t from 'tap';
import { createNameCache } from '../../../lib/catalog/store-names.ts';

interface Rig {
  readonly asked: string[];
  now: number;
}

function createRig(options: { countMax?: number; loadingMax?: number } = {}) {
  const rig: Rig & { answer(key: string): Promise<string> } = {
    asked: [],
    now: 0,
    answer: async (key) => `${key} at ${rig.now}`,
  };
  const cache = createNameCache<string>({
    load: (key) => {
      rig.asked.push(key);
      return rig.answer(key);
    },
    now: () => rig.now,
    ...options,
  });
  return { rig, cache };
}

t.test('an answer is known at once for five seconds, counted from the question', async (t) => {
  const { rig, cache } = createRig();
  let finish: (value: string) => void = () => undefined;
  rig.answer = () =>
    new Promise((done) => {
      finish = done;
    });
  const first = cache.get('a');
  t.ok(first instanceof Promise);
  rig.now = 3000;
  finish('slow');
  t.equal(await first, 'slow');
  t.equal(cache.get('a'), 'slow', 'without a promise');
  rig.now = 4999;
  t.equal(cache.get('a'), 'slow');
  rig.now = 5000;
  rig.answer = async () => 'new';
  t.equal(await cache.get('a'), 'new');
  t.same(rig.asked, ['a', 'a']);
});

t.test('one question at a time for each key', async (t) => {
  const { rig, cache } = createRig();
  const answers = await Promise.all([cache.get('a'), cache.get('b'), cache.get('a')]);
  t.same(answers, ['a at 0', 'b at 0', 'a at 0']);
  t.same(rig.asked, ['a', 'b']);
});

t.test('what was asked before an invalidation is not kept after it', async (t) => {
  const { rig, cache } = createRig();
  let finish: (value: string) => void = () => undefined;
  rig.answer = () =>
    new Promise((done) => {
      finish = done;
    });
  const old = cache.get('a');
  const finishOld = finish;
  cache.invalidate();
  const fresh = cache.get('a');
  finish('new');
  t.equal(await fresh, 'new');
  finishOld('old');
  t.equal(await old, 'old', 'whoever asked then gets what was then');
  rig.now = 5000;
  rig.answer = async () => 'newer';
  t.equal(await cache.get('a'), 'newer');
  t.equal(cache.get('a'), 'newer');
});

t.test('soon after an invalidation every answer is asked anew', async (t) => {
  const { rig, cache } = createRig();
  // The change was asked for by a client that hung up: nobody tells when the server came to it.
  cache.invalidate();
  rig.answer = async () => 'before the change';
  t.equal(await cache.get('a'), 'before the change');
  rig.now = 1;
  rig.answer = async () => 'after it';
  t.equal(await cache.get('a'), 'after it');
  rig.now = 4999;
  const late = cache.get('a');
  t.ok(late instanceof Promise);
  await late;
  rig.now = 5000;
  t.equal(await cache.get('a'), 'after it');
  t.equal(cache.get('a'), 'after it', 'kept again');
});

t.test('a failure is told and not kept', async (t) => {
  const { rig, cache } = createRig();
  rig.answer = async () => {
    throw new Error('down');
  };
  await t.rejects(Promise.resolve(cache.get('a')), /down/);
  rig.answer = async () => 'up';
  t.equal(await cache.get('a'), 'up');
});

t.test('what is kept and what is asked at once is bounded', async (t) => {
  const { rig, cache } = createRig({ countMax: 2, loadingMax: 2 });
  await cache.get('a');
  await cache.get('b');
  await cache.get('c');
  t.equal(cache.get('c'), 'c at 0');
  t.equal(cache.get('b'), 'b at 0');
  await cache.get('a');
  t.same(rig.asked, ['a', 'b', 'c', 'a'], 'the oldest went');
  rig.answer = () => new Promise(() => undefined);
  void cache.get('x');
  void cache.get('y');
  await t.rejects(Promise.resolve(cache.get('z')), { code: 'STORE_NAMES' });
});

t.test('after its end nothing is told', async (t) => {
  const { cache } = createRig();
  await cache.get('a');
  cache.close();
  await t.rejects(Promise.resolve(cache.get('a')), { code: 'STORE_NAMES' });
});
