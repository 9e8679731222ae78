import t from 'tap';
import { foldAnswers, foldMask, foldRule } from '../../../lib/gateway/mysql-names.ts';
import type { AnalysisResult, SqlReader } from '../../../lib/sql/analysis.ts';
import { fakeMask } from '../../support/fake-catalog.ts';
import { analysis, FakeReader } from './catalog-fixture.ts';

t.test('patterns of rules and masks lose their case and nothing else', async (t) => {
  const rule = foldRule({
    name: 'No',
    connections: ['Shop'],
    principals: ['Alice'],
    effects: ['drop'],
    objects: ['Shop.Orders*', '"Odd.Name".T', '*'],
    action: 'block',
  });
  t.same(rule.objects, ['shop.orders*', '"odd.name".t', '*']);
  t.match(rule, { name: 'No', connections: ['Shop'], principals: ['Alice'] });
  t.same(foldMask(fakeMask(['Shop.Users.SSN'])).columns, ['shop.users.ssn']);
});

t.test('what statements name is folded, once for each answer of the reader', async (t) => {
  const given = analysis({
    effects: [
      { effect: 'drop', object: { kind: 'relation', schema: 'Shop', name: 'Orders' } },
      { effect: 'drop', object: { kind: 'database', schema: undefined, name: 'Shop' } },
      { effect: 'session', object: undefined },
    ],
    functions: [{ kind: 'function', schema: 'Shop', name: 'F' }],
  });
  const reader = foldAnswers(new FakeReader({ 'SELECT 1': given, 'sql: body': given }));
  const found = await reader.analyze('SELECT 1');
  t.match(found, {
    effects: [
      { object: { kind: 'relation', schema: 'shop', name: 'orders' } },
      { object: { kind: 'schema', schema: undefined, name: 'shop' } },
      { effect: 'session', object: undefined },
    ],
    functions: [{ schema: 'shop', name: 'f' }],
  });
  t.equal(await reader.analyze('SELECT 1'), found);
  t.equal(await reader.analyzeRoutine('sql', 'body'), found);
});

t.test('answers that come later, views, and errors', async (t) => {
  const slow = new FakeReader({ a: analysis(), b: { kind: 'refused', reason: 'No' } });
  slow.isSlow = true;
  t.ok(foldAnswers(slow).analyze('a') instanceof Promise);
  const refused: AnalysisResult = { kind: 'refused', reason: 'No' };
  t.same(await foldAnswers(slow).analyze('b'), refused);
  let isClosed = false;
  const views: SqlReader = {
    analyze: () => refused,
    analyzeRoutine: () => refused,
    analyzeView: async () => [
      { kind: 'column', name: 'Mail', relation: 'Shop.Users' },
      { kind: 'column', name: 'Id', relation: undefined },
      { kind: 'expression', isTainted: true },
    ],
    close: async () => void (isClosed = true),
  };
  const folding = foldAnswers(views);
  t.same(await folding.analyzeView('', { version: '', relations: [] }), [
    { kind: 'column', name: 'mail', relation: 'shop.users' },
    { kind: 'column', name: 'id', relation: undefined },
    { kind: 'expression', isTainted: true },
  ]);
  await folding.close();
  t.ok(isClosed);
});
