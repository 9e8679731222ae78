import { createHash } from 'node:crypto';
import t from 'tap';
import { makeSampleRows } from '../../../lib/demo/sample-rows.ts';

const rows = makeSampleRows();

/** The check of ISO/IEC 7812-1 over a whole number, written the other way round than the source. */
function isLuhnValid(number: string): boolean {
  const parity = number.length % 2;
  let sum = 0;
  for (let index = 0; index < number.length; index++) {
    const digit = Number(number[index]);
    sum += index % 2 === parity ? ([0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit] ?? Number.NaN) : digit;
  }
  return sum % 10 === 0;
}

t.test('the rows are the same every time and everywhere', async (t) => {
  const hash = (value: unknown): string =>
    createHash('sha256').update(JSON.stringify(value)).digest('hex');
  t.equal(hash(makeSampleRows()), hash(rows));
  t.equal(rows.customers.length, 320);
  t.equal(rows.orders.length, 3000);
  t.ok(rows.order_items.length > 6000);
  t.ok(rows.payments.length > 1500);
});

t.test('card numbers are valid, and only from the published test ranges', async (t) => {
  const numbers = new Set(rows.payments.map((payment) => String(payment['card_number'])));
  t.ok(numbers.size > 250);
  t.same(
    [...numbers].filter((number) => !isLuhnValid(number)),
    [],
  );
  const ranges = /^(?:4242424242|4111111111|5555555555|6011111111|3782822463)/;
  t.same(
    [...numbers].filter((number) => !ranges.test(number)),
    [],
  );
});

t.test('nobody can be reached or found by what a customer says', async (t) => {
  const shapes = {
    email: /^[a-z]+\.[a-z]+@example\.(?:com|org|net)$/,
    phone: /^\+1-\d{3}-555-01\d\d$/,
    national_id: /^9\d\d-[0-4]\d-\d{4}$/,
  };
  for (const [column, shape] of Object.entries(shapes)) {
    const values = rows.customers.map((customer) => String(customer[column]));
    t.same(
      values.filter((value) => !shape.test(value)),
      [],
      column,
    );
  }
});

t.test('what has to be unique is', async (t) => {
  for (const column of ['id', 'email', 'national_id', 'full_name']) {
    t.equal(
      new Set(rows.customers.map((customer) => customer[column])).size,
      rows.customers.length,
      column,
    );
  }
});
