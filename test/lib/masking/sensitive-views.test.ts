import t from 'tap';
import type { CatalogRelation, CatalogRoutine } from '../../../lib/catalog/catalog.ts';
import { MaskedColumns } from '../../../lib/masking/masked-columns.ts';
import { addViews } from '../../../lib/masking/sensitive-views.ts';
import type { SqlReader, StatementAnalysis, ViewColumn } from '../../../lib/sql/analysis.ts';
import { fakeMask, fakeReader, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

const users = fakeRelation(20_001, 'users', ['id', 'email']);
const EMAIL: ViewColumn = { kind: 'column', name: 'email', relation: 'public.users' };
const CLEAR: ViewColumn = { kind: 'expression', isTainted: false };
const TAINTED: ViewColumn = { kind: 'expression', isTainted: true };

function view(
  oid: number,
  columns: readonly string[],
  more: Partial<CatalogRelation> = {},
): CatalogRelation {
  return fakeRelation(oid, `v${oid}`, columns, {
    kind: 'v',
    definition: `d${oid}`,
    reads: [20_001],
    ...more,
  });
}

async function masksOf(
  relations: readonly CatalogRelation[],
  reader: SqlReader,
  routines: readonly CatalogRoutine[] = [],
): Promise<Record<string, string>> {
  const snapshot = fakeSnapshot(relations, { routines });
  const masked = new MaskedColumns(snapshot);
  masked.addConfigured([fakeMask(['public.users.email'], { with: 'hash' })]);
  await addViews({ snapshot, masked, reader });
  const entries = [...masked.byOid]
    .filter(([oid]) => oid !== users.oid)
    .flatMap(([oid, columns]) =>
      [...columns].map(([number, mask]) => [`${oid}.${number}`, mask.with] as const),
    );
  return Object.fromEntries(entries);
}

t.test(
  'bare columns keep their mask, tainted expressions are redacted, others are clear',
  async (t) => {
    const id: ViewColumn = { kind: 'column', name: 'id', relation: 'users' };
    const reader = fakeReader({ views: { d1: [EMAIL, id, TAINTED, CLEAR] } });
    const masks = await masksOf(
      [users, view(1, ['a', 'b', 'c', 'd'], { definition: 'd1' })],
      reader,
    );
    t.same(masks, { '1.1': 'hash', '1.3': 'redact' });
  },
);

t.test('a view over a view over a table, in any order of the catalog', async (t) => {
  const upper = view(3, ['e'], { reads: [20_002] });
  const lower = view(20_002, ['mail']);
  const reader = fakeReader({
    views: { d20002: [EMAIL], d3: [{ kind: 'column', name: 'mail', relation: 'v20002' }] },
  });
  t.same(await masksOf([upper, lower, users], reader), { '3.1': 'hash', '20002.1': 'hash' });
});

t.test('views that read each other come to an end', async (t) => {
  const loop = [view(1, ['x'], { reads: [2] }), view(2, ['y'], { reads: [1, 20_001] })];
  const reader = fakeReader({
    views: { d1: [{ kind: 'column', name: 'y', relation: 'v2' }], d2: [EMAIL] },
  });
  t.same(await masksOf([users, ...loop], reader), { '1.1': 'hash', '2.1': 'hash' });
});

t.test('what cannot be told is redacted', async (t) => {
  const column = (name: string, relation?: string): ViewColumn => ({
    kind: 'column',
    name,
    relation,
  });
  const cases: readonly [
    name: string,
    answer: readonly ViewColumn[] | undefined,
    definition?: string | undefined,
  ][] = [
    ['the reader cannot tell', undefined],
    ['another number of columns', [CLEAR, CLEAR]],
    ['a column that its table does not have', [column('nickname', 'users')]],
    ['a table that the view does not read', [column('id', 'elsewhere')]],
    ['a name of no table', [column('nickname')]],
    [
      "a name that may be a CTE's",
      [column('id', 'users')],
      'WITH users AS (SELECT email AS id ...) ...',
    ],
  ];
  for (const [name, answer, definition = 'd1'] of cases) {
    const reader = fakeReader({ views: { [definition]: answer } });
    t.same(
      await masksOf([users, view(1, ['x'], { definition })], reader),
      { '1.1': 'redact' },
      name,
    );
  }
  const unreadable = view(1, ['x'], { definition: undefined });
  t.same(await masksOf([users, unreadable], fakeReader({})), { '1.1': 'redact' }, 'no definition');
  const unknownSource = view(1, ['x'], { reads: [20_001, 77] });
  t.same(
    await masksOf([users, unknownSource], fakeReader({})),
    { '1.1': 'redact' },
    'a source nobody knows',
  );
});

t.test('a column without its table takes the mask of any table that has it', async (t) => {
  const other = fakeRelation(20_005, 'other', ['id', 'email']);
  const reader = fakeReader({
    views: { d1: [{ kind: 'column', name: 'email', relation: undefined }] },
  });
  t.same(await masksOf([users, other, view(1, ['x'], { reads: [20_001, 20_005] })], reader), {
    '1.1': 'hash',
  });
});

t.test('views that read nothing masked are not even read', async (t) => {
  const other = fakeRelation(20_005, 'other', ['email']);
  t.same(await masksOf([users, other, view(1, ['x'], { reads: [20_005] })], fakeReader({})), {});
});

t.test('a routine in a view that reads masked tables taints its expressions (PG-62)', async (t) => {
  const routine = (oid: number, name: string): CatalogRoutine => ({
    oid,
    schema: 'public',
    name,
    language: 'sql',
    definition: name,
  });
  const analysis = (more: Partial<StatementAnalysis>, touches = false): StatementAnalysis => ({
    kind: 'analysis',
    statements: ['CreateFunctionStmt'],
    effects: [],
    functions: [],
    operators: [],
    types: [],
    takenOver: [],
    searchesCatalogLate: false,
    lexerHazards: [],
    isShapeStable: false,
    exposure: { touches, untraceable: undefined, steers: undefined, outputs: [] },
    ...more,
  });
  const calling = (name: string) => view(1, ['x'], { reads: [], calls: [routine(5, name)] });
  const inner = { kind: 'function', schema: 'public', name: 'reads' } as const;
  const reader = fakeReader({
    views: { d1: [CLEAR] },
    routines: {
      harmless: analysis({}),
      reads: analysis({}, true),
      nested: analysis({ functions: [inner] }),
      dynamic: analysis({ effects: [{ effect: 'unknown', object: undefined }] }),
      blind: analysis({ exposure: undefined }),
      broken: { kind: 'refused', reason: 'too large' },
    },
  });
  const known = [routine(6, 'reads')];
  t.same(await masksOf([users, calling('harmless')], reader, known), {});
  for (const name of ['reads', 'nested', 'dynamic', 'blind', 'broken']) {
    t.same(await masksOf([users, calling(name)], reader, known), { '1.1': 'redact' }, name);
  }
});
