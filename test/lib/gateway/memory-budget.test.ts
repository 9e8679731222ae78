import t from 'tap';
import { budgetOf, MemoryBudget } from '../../../lib/gateway/memory-budget.ts';

t.test('sessions share what there is', async (t) => {
  const budget = new MemoryBudget(100);
  const [one, other] = [budget.lease(), budget.lease()];
  t.ok(one.take(60));
  t.notOk(other.take(41), 'not more than is left');
  t.ok(other.take(40));
  t.notOk(one.take(1));
  one.give(10);
  t.ok(other.take(10));
  t.equal(budget.taken, 100);
});

t.test('what a session held comes back with its end, once', async (t) => {
  const budget = new MemoryBudget(100);
  const lease = budget.lease();
  t.ok(lease.take(70));
  lease.give(20);
  lease.close();
  t.equal(budget.taken, 0);
  lease.close();
  lease.give(20);
  t.equal(budget.taken, 0, 'what is given late was given back already');
  t.notOk(lease.take(1), 'a session that is over holds nothing');
  t.ok(budget.lease().take(100));
});

t.test('one session at its limit always fits in', async (t) => {
  t.equal(budgetOf(2 ** 50), 2 ** 50);
  t.ok(budgetOf(0) >= 512 * 1024 * 1024);
});
