import t from 'tap';
import { asRow, numberIn, optionalTextIn, textIn } from '../../../lib/catalog/catalog-rows.ts';

t.test('values of the expected kind pass', async (t) => {
  const row = asRow({ oid: 12, big: '4294967295', name: 'x', none: null });
  t.equal(numberIn(row, 'oid'), 12);
  t.equal(numberIn(row, 'big'), 4_294_967_295);
  t.equal(textIn(row, 'name'), 'x');
  t.equal(optionalTextIn(row, 'name'), 'x');
  t.equal(optionalTextIn(row, 'none'), undefined);
});

t.test('anything else is an error of the outside world', async (t) => {
  const wrong = { name: 'GatewayError', code: 'CATALOG_ANSWER' };
  for (const value of [null, undefined, 1, 'row']) t.throws(() => asRow(value), wrong);
  const row = asRow({ a: 'x', b: null, c: 1.5, d: {} });
  for (const key of ['a', 'b', 'c', 'd', 'missing']) t.throws(() => numberIn(row, key), wrong, key);
  for (const key of ['b', 'c', 'd', 'missing']) t.throws(() => textIn(row, key), wrong, key);
  t.throws(() => optionalTextIn(row, 'missing'), wrong);
});
