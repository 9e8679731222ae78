import t from 'tap';
import { LookBudget } from '../../../lib/gateway/look-budget.ts';

t.test('so many looks in a window, and again in the next one', async (t) => {
  let now = 0;
  const budget = new LookBudget(() => now);
  const takeAll = (): number => {
    let taken = 0;
    while (budget.take() && taken < 1000) taken += 1;
    return taken;
  };
  t.equal(takeAll(), 20);
  now = 4_999;
  t.notOk(budget.take());
  now = 5_000;
  t.equal(takeAll(), 20);
});
