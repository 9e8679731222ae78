import t from 'tap';
import type { ResultColumn } from '../../../protocols/contract.ts';
import { planResult } from '../../../lib/masking/plan.ts';
import { computeSensitive, type Sensitive } from '../../../lib/masking/sensitive.ts';
import type { OutputKind } from '../../../lib/sql/analysis.ts';
import { fakeMask, fakeReader, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

const TABLE = 20_001;
const CLEAR_TABLE = 20_002;
const snapshot = fakeSnapshot([
  fakeRelation(TABLE, 'users', ['id', 'email']),
  fakeRelation(CLEAR_TABLE, 'orders', ['id']),
]);
const options = { hashKey: undefined };

function column(table: number, attribute: number, more: Partial<ResultColumn> = {}): ResultColumn {
  return { name: 'c', table, attribute, type: 25, typeModifier: -1, format: 'text', ...more };
}

function sensitive(): Promise<Sensitive> {
  return computeSensitive(
    snapshot,
    [fakeMask(['public.users.email'], { with: 'partial' })],
    fakeReader({}),
  );
}

/** What each column becomes: 'clear', NULL or the masked text of a longer value. */
function masksOf(
  found: Sensitive,
  columns: readonly ResultColumn[],
  outputs?: readonly OutputKind[] | 'untraced',
) {
  const { plan } = planResult(found, columns, outputs, options);
  return columns.map((_, index) => {
    const mask = plan?.[index];
    return mask === undefined ? 'clear' : (mask(Buffer.from('123456789'))?.toString() ?? null);
  });
}

t.test('the identity of a column decides, not its name (PG-77)', async (t) => {
  const found = await sensitive();
  t.same(
    masksOf(found, [
      column(TABLE, 1, { name: 'email' }),
      column(TABLE, 2, { name: 'x' }),
      column(CLEAR_TABLE, 1, { name: 'email' }),
    ]),
    ['clear', '***6789', 'clear'],
  );
  const { masked } = planResult(found, [column(TABLE, 2, { name: 'x' })], undefined, options);
  t.same(masked, ['public.users.email'], 'the record names the column, not its alias');
});

t.test('nothing to mask is no plan', async (t) => {
  const found = await sensitive();
  t.same(planResult(found, [column(TABLE, 1)], undefined, options), {
    plan: undefined,
    masked: [],
  });
  t.same(planResult(found, [], undefined, options), { plan: undefined, masked: [] });
});

t.test('a whole row of a table with masked columns is NULL (PG-78)', async (t) => {
  const found = await sensitive();
  const rows = [
    column(TABLE, 0, { type: 16_999 }),
    column(CLEAR_TABLE, 0, { type: 16_998 }),
    column(30_000, 0),
  ];
  t.same(masksOf(found, rows), [null, 'clear', null]);
});

t.test('tables and columns that the catalog does not know are masked (GW-7)', async (t) => {
  const found = await sensitive();
  t.same(masksOf(found, [column(30_000, 1), column(TABLE, 3), column(CLEAR_TABLE, 2)]), [
    '***',
    '***',
    '***',
  ]);
});

t.test('system columns are clear', async (t) => {
  const found = await sensitive();
  t.same(masksOf(found, [column(TABLE, -6, { type: 26 })]), ['clear']);
});

t.test('without masks nothing is masked, known or not', async (t) => {
  const none = await computeSensitive(snapshot, [], fakeReader({}));
  t.same(masksOf(none, [column(30_000, 1), column(0, 0)], ['masked', 'masked']), [
    'clear',
    'clear',
  ]);
});

t.test('columns without identity follow the analysis of the statement', async (t) => {
  const found = await sensitive();
  const plain = (count: number, name = 'c') =>
    Array.from({ length: count }, () => column(0, 0, { name }));
  const cases: readonly [
    what: string,
    outputs: readonly OutputKind[] | 'untraced' | undefined,
    columns: readonly ResultColumn[],
    expected: string,
  ][] = [
    ['nothing sensitive in it', undefined, plain(2), 'cc'],
    ['nobody knows the statement', 'untraced', plain(2), 'mm'],
    ['one by one', ['clear', 'masked', 'clear'], plain(3), 'cmc'],
    ['counts that differ', ['clear', 'clear'], plain(3), 'mmm'],
    ['no outputs but columns', [], plain(1), 'm'],
    ['left of a star', ['masked', 'star'], plain(3), 'mcc'],
    ['right of a star', ['star', 'masked'], plain(3), 'ccm'],
    ['a star of nothing', ['clear', 'star', 'masked'], plain(2), 'cm'],
    ['fewer columns than outputs', ['clear', 'star', 'clear', 'clear'], plain(2), 'mm'],
    ['between stars', ['star', 'masked', 'star', 'clear'], plain(4), 'mmmc'],
    ['a masked name in a star', ['star', 'clear'], plain(2, 'email'), 'mc'],
  ];
  for (const [what, outputs, columns, expected] of cases) {
    const shown = masksOf(found, columns, outputs).map((mask) => (mask === 'clear' ? 'c' : 'm'));
    t.equal(shown.join(''), expected, what);
  }
});

t.test('identity wins over the analysis', async (t) => {
  const found = await sensitive();
  t.same(masksOf(found, [column(TABLE, 2), column(TABLE, 1)], ['clear', 'masked']), [
    '***6789',
    'clear',
  ]);
});
