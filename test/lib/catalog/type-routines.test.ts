import t from 'tap';
import { buildTypeRoutines } from '../../../lib/catalog/type-routines.ts';

const none = { base: 0, element: 0, subtype: 0, relation: 0 };
const check = { oid: 1, schema: 'public', name: 'check', language: 'sql', definition: '' };

t.test('routines are found through bases, elements and columns, in loops too', async (t) => {
  const found = buildTypeRoutines(
    {
      types: [
        { ...none, oid: 10 },
        { ...none, oid: 11, base: 10 },
        { ...none, oid: 12, element: 11 },
        { ...none, oid: 13, relation: 90 },
        { ...none, oid: 14, subtype: 10 },
        { ...none, oid: 15 },
      ],
      typeCalls: [
        { type: 10, callee: 1 },
        // A check that casts to the domain 11.
        { type: 15, callee: 11 },
      ],
      columns: [
        { relation: 90, type: 12 },
        { relation: 90, type: 13 },
      ],
    },
    new Map([[1, [check]]]),
  );
  t.equal(found.isEmpty, false);
  for (const type of [10, 11, 12, 13, 14, 15]) t.same(found.of(type), [check], `${type}`);
  t.same(found.of(23), []);
});

t.test('a database without such routines has none', async (t) => {
  const found = buildTypeRoutines(
    { types: [{ ...none, oid: 10 }], typeCalls: [{ type: 10, callee: 7 }], columns: [] },
    new Map(),
  );
  t.equal(found.isEmpty, true);
  t.same(found.of(10), []);
});
