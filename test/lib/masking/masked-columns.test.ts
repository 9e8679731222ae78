import t from 'tap';
import type { CatalogSnapshot } from '../../../lib/catalog/catalog.ts';
import { MaskedColumns } from '../../../lib/masking/masked-columns.ts';
import { fakeMask, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

/** `oid.attribute` of every masked column. */
function maskedIn(masked: MaskedColumns): readonly string[] {
  return [...masked.byOid]
    .flatMap(([oid, columns]) => [...columns.keys()].map((number) => `${oid}.${number}`))
    .toSorted();
}

function configured(snapshot: CatalogSnapshot, ...columns: string[]): MaskedColumns {
  const masked = new MaskedColumns(snapshot);
  masked.addConfigured([fakeMask(columns)]);
  return masked;
}

const users = fakeRelation(20_001, 'users', ['id', 'email', 'Email', 'ssn']);
const staff = fakeRelation(20_002, 'staff', ['email', 'ssn'], { schema: 'hr' });

t.test('column patterns match real names, case included (PG-85)', async (t) => {
  const snapshot = fakeSnapshot([users, staff]);
  const cases: readonly [pattern: string, expected: readonly string[]][] = [
    ['public.users.email', ['20001.2']],
    ['public.users."Email"', ['20001.3']],
    ['public.USERS.email', []],
    ['*.*.ssn', ['20001.4', '20002.2']],
    ['hr.*.*', ['20002.1', '20002.2']],
    ['*.user*.*mail', ['20001.2', '20001.3']],
    ['public.users', []],
  ];
  for (const [pattern, expected] of cases.slice(0, -1)) {
    t.same(maskedIn(configured(snapshot, pattern)), expected, pattern);
  }
  for (const wrong of ['public.users', 'a.b.c.d', '', 'a..c']) {
    t.throws(() => configured(snapshot, wrong), /not a column pattern/, wrong);
  }
});

t.test('the first mask of a column counts; patterns that match nothing are told', async (t) => {
  const masked = new MaskedColumns(fakeSnapshot([users]));
  const unmatched = masked.addConfigured([
    fakeMask(['public.users.email', 'public.nobody.x'], { name: 'first', with: 'hash' }),
    fakeMask(['*.*.email'], { name: 'second', with: 'null' }),
  ]);
  t.same(masked.get(20_001, 2), { mask: 'first', with: 'hash', column: 'public.users.email' });
  t.same(unmatched, ['public.nobody.x']);
});

t.test('a star for the schema does not mean the system catalog', async (t) => {
  const settings = fakeRelation(2000, 'pg_settings', ['name'], { schema: 'pg_catalog' });
  t.same(maskedIn(configured(fakeSnapshot([settings]), '*.*.name')), []);
  t.same(maskedIn(configured(fakeSnapshot([settings]), 'pg_catalog.*.name')), ['2000.1']);
});

t.test('inheritance: down to all children, up to all parents, not down again', async (t) => {
  const snapshot = fakeSnapshot([
    // Children first: the order in the catalog must not matter.
    fakeRelation(20_005, 'grandchild', ['ssn', 'x', 'id'], { parents: [20_003] }),
    fakeRelation(20_003, 'child', ['x', 'ssn', 'own', 'id'], { parents: [20_002, 20_006] }),
    fakeRelation(20_004, 'sibling', ['id', 'own', 'ssn'], { parents: [20_002] }),
    fakeRelation(20_002, 'parent', ['id', 'ssn', 'own']),
    fakeRelation(20_006, 'other_parent', ['own', 'id', 'ssn']),
  ]);
  const down = configured(snapshot, 'public.parent.ssn');
  down.spreadInheritance();
  t.same(
    maskedIn(down),
    ['20002.2', '20003.2', '20004.3', '20005.1', '20006.3'],
    'by name, whatever the number',
  );
  const up = configured(snapshot, 'public.child.own');
  up.spreadInheritance();
  t.same(maskedIn(up), ['20002.3', '20003.3', '20006.1'], 'the sibling has rows of its own');
  t.equal(
    up.get(20_002, 3)?.column,
    'public.child.own',
    'the name tells where the values are from',
  );
});

t.test('generated columns of masked columns are redacted (PG-80)', async (t) => {
  const computed = fakeRelation(20_001, 'users', [
    'id',
    'email',
    { attribute: 3, name: 'lowered', computedFrom: [2] },
    { attribute: 4, name: 'doubled', computedFrom: [1] },
    { attribute: 5, name: 'whole', computedFrom: [0] },
  ]);
  const masked = new MaskedColumns(fakeSnapshot([computed]));
  masked.addConfigured([fakeMask(['*.users.email'], { with: 'partial' })]);
  masked.spreadInheritance();
  t.same(maskedIn(masked), ['20001.2', '20001.3', '20001.5']);
  t.equal(masked.get(20_001, 3)?.with, 'redact');
});

t.test('the TOAST table of a masked table holds its long values', async (t) => {
  const toast = fakeRelation(20_009, 'pg_toast_20001', ['chunk_id', 'chunk_seq', 'chunk_data'], {
    schema: 'pg_toast',
    kind: 't',
    reads: [20_001],
  });
  const masked = configured(fakeSnapshot([users, toast]), 'public.users.email');
  masked.spreadToast();
  t.same(maskedIn(masked), ['20001.2', '20009.3']);
});

t.test('statistics and the statements of others are masked (PG-82)', async (t) => {
  const snapshot = fakeSnapshot([
    fakeRelation(12_001, 'pg_stats', ['tablename', 'most_common_vals', 'histogram_bounds'], {
      schema: 'pg_catalog',
    }),
    fakeRelation(20_001, 'pg_stats', ['most_common_vals']),
    fakeRelation(20_002, 'pg_stat_statements', ['calls', 'query'], { schema: 'extensions' }),
  ]);
  const masked = new MaskedColumns(snapshot);
  masked.addSystem();
  t.same(
    maskedIn(masked),
    ['12001.2', '12001.3', '20002.2'],
    'a table of a user that has the name is no system view',
  );
});

t.test('columns that are computed from computed ones are masked too (MySQL)', async (t) => {
  const snapshot = fakeSnapshot([
    fakeRelation(1, 't', [
      { attribute: 1, name: 'last', computedFrom: [2] },
      { attribute: 2, name: 'middle', computedFrom: [3] },
      { attribute: 3, name: 'first', computedFrom: [4] },
      'ssn',
      { attribute: 5, name: 'other', computedFrom: [6] },
      'clear',
    ]),
  ]);
  const masked = configured(snapshot, 'public.t.ssn');
  masked.spreadInheritance();
  t.same(maskedIn(masked), ['1.1', '1.2', '1.3', '1.4']);
});

t.test('a catalog with a loop in it comes to an end', async (t) => {
  const snapshot = fakeSnapshot([
    fakeRelation(20_001, 'a', ['x'], { parents: [20_002] }),
    fakeRelation(20_002, 'b', ['x'], { parents: [20_001] }),
  ]);
  const masked = configured(snapshot, 'public.a.x');
  masked.spreadInheritance();
  t.same(maskedIn(masked), ['20001.1', '20002.1']);
});
