import t from 'tap';
import { RowQuotas } from '../../../lib/gateway/row-quotas.ts';

const QUOTA = { rule: 'r', rowsPerHour: 100 };
const MINUTE = 60_000;

function createRig() {
  const clock = { now: 1_000_000_000 };
  const quotas = new RowQuotas(() => clock.now);
  const take = (asked: number | undefined, who = 'alice') => quotas.take(who, [QUOTA], asked);
  return { clock, quotas, take };
}

t.test('what is granted is counted, and no more is granted than is left', async (t) => {
  const { quotas, take } = createRig();
  t.same(take(60), { kind: 'granted', limit: 60 });
  t.equal(quotas.left('alice', QUOTA), 40);
  t.same(take(60), { kind: 'granted', limit: 40 });
  t.match(take(1), { kind: 'spent', rule: 'r', reason: /100 records an hour of rule "r"/ });
  t.match(take(undefined), { kind: 'spent' });
  t.same(take(60, 'bob'), { kind: 'granted', limit: 60 }, 'each principal has their own');
});

t.test('a request without a number gets and costs what is left', async (t) => {
  const { quotas, take } = createRig();
  take(30);
  t.same(take(undefined), { kind: 'granted', limit: 70 });
  t.equal(quotas.left('alice', QUOTA), 0);
});

t.test('an hour slides', async (t) => {
  const { clock, take, quotas } = createRig();
  take(70);
  clock.now += 30 * MINUTE;
  take(30);
  t.match(take(1), { kind: 'spent' });
  clock.now += 29 * MINUTE;
  t.equal(quotas.left('alice', QUOTA), 0);
  clock.now += 1 * MINUTE;
  t.equal(quotas.left('alice', QUOTA), 70, 'the first are an hour old');
  clock.now += 600 * MINUTE;
  t.equal(quotas.left('alice', QUOTA), 100);
  t.same(take(200), { kind: 'granted', limit: 100 });
});

t.test(
  'of several rules the smallest rest holds, and nothing is counted where one is spent',
  async (t) => {
    const { quotas } = createRig();
    const small = { rule: 's', rowsPerHour: 10 };
    t.same(quotas.take('alice', [QUOTA, small], 50), { kind: 'granted', limit: 10 });
    t.same([quotas.left('alice', QUOTA), quotas.left('alice', small)], [90, 0]);
    t.match(quotas.take('alice', [QUOTA, small], 50), { kind: 'spent', rule: 's' });
    t.equal(quotas.left('alice', QUOTA), 90);
    t.same(quotas.take('alice', [], 50), { kind: 'granted', limit: 50 });
  },
);

t.test('a request for no record costs nothing', async (t) => {
  const { quotas, take } = createRig();
  t.same(take(0), { kind: 'granted', limit: 0 });
  t.equal(quotas.left('alice', QUOTA), 100);
});

t.test('callers that are counted are bounded; beyond that nothing is granted', async (t) => {
  const { clock, take } = createRig();
  for (let index = 0; index < 50_000; index += 1) take(1, `user ${index}`);
  t.match(take(1, 'one more'), { kind: 'spent' });
  t.match(take(1, 'user 1'), { kind: 'granted' }, 'who is counted goes on');
  clock.now += 61 * MINUTE;
  t.match(take(1, 'one more'), { kind: 'granted' }, 'those of an hour ago went');
});
