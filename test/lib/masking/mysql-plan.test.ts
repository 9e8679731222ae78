import t from 'tap';
import { planMysqlResult, type ResultOrigin } from '../../../lib/masking/mysql-plan.ts';
import { detailsOf, MYSQL_TYPE } from '../../../lib/masking/mysql-types.ts';
import { computeSensitive } from '../../../lib/masking/sensitive.ts';
import type { ColumnSource, OutputKind } from '../../../lib/sql/analysis.ts';
import type { ResultColumn } from '../../../protocols/contract.ts';
import { fakeMask, fakeReader, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

const SHOP = { schema: 'shop' };
const snapshot = fakeSnapshot([
  fakeRelation(1, 'users', ['id', 'email', 'ssn'], SHOP),
  fakeRelation(2, 'orders', ['id', 'total'], SHOP),
]);
const MASKS = [
  fakeMask(['shop.users.email'], { name: 'mail', with: 'partial' }),
  fakeMask(['shop.users.ssn'], { name: 'ssn', with: 'redact' }),
];
const OPTIONS = { hashKey: undefined };

function column(schema = '', originalTable = '', originalName = ''): ResultColumn {
  const details = {
    ...detailsOf({}),
    schema,
    originalTable,
    originalName,
    charset: 45,
    length: 400,
  };
  const type = MYSQL_TYPE.varString;
  return { name: 'c', table: 0, attribute: 0, type, typeModifier: -1, format: 'text', details };
}

function traced(
  outputs: readonly (readonly OutputKind[] | undefined)[],
  sources?: readonly (readonly (ColumnSource | undefined)[] | undefined)[],
): ResultOrigin {
  return { rows: 'traced', exposure: sources === undefined ? { outputs } : { outputs, sources } };
}

const CLEAN: ResultOrigin = { rows: 'clean', exposure: { outputs: [undefined] } };
const UNKNOWN: ResultOrigin = { rows: 'unknown', exposure: { outputs: [['clear']] } };

async function shown(origins: readonly ResultOrigin[], columns: readonly ResultColumn[]) {
  const sensitive = await computeSensitive(snapshot, MASKS, fakeReader({}), 'mysql');
  const { plan } = planMysqlResult(sensitive, columns, origins, OPTIONS);
  return columns.map((_, index) => {
    const mask = plan?.[index];
    return mask === undefined ? 'clear' : mask(Buffer.from('123456789'))?.toString();
  });
}

const PLAIN = [column(), column()];

t.test('what was read of the statement decides (MY-64)', async (t) => {
  const cases: readonly [string, readonly ResultOrigin[], readonly string[]][] = [
    ['column by column', [traced([['clear', 'masked']])], ['clear', '***']],
    ['no statement is known', [], ['***', '***']],
    ['a statement that touches nothing masked', [CLEAN], ['clear', 'clear']],
    ['several of them', [CLEAN, CLEAN], ['clear', 'clear']],
    ['code that nobody could read', [UNKNOWN], ['***', '***']],
    ['rows that hold nothing masked (SHOW)', [traced([undefined])], ['clear', 'clear']],
    ['another count than the server has', [traced([['clear']])], ['***', '***']],
    ['a star of something unknown', [traced([['star']])], ['***', '***']],
    ['everything masked', [traced([['star', 'masked', 'star']])], ['***', '***']],
    ['behind a star', [traced([['star', 'clear']])], ['***', 'clear']],
    [
      'of two statements',
      [
        traced([
          ['clear', 'clear'],
          ['clear', 'masked'],
        ]),
      ],
      ['clear', '***'],
    ],
    [
      'of which one has another length',
      [traced([['clear', 'masked'], ['masked']])],
      ['clear', '***'],
    ],
    ['of which none has this length', [traced([['clear'], undefined])], ['***', '***']],
    ['one clean, one traced', [CLEAN, traced([['masked', 'clear']])], ['***', 'clear']],
  ];
  for (const [what, origins, expected] of cases)
    t.same(await shown(origins, PLAIN), expected, what);
});

t.test('a column definition can add a mask and never takes one away', async (t) => {
  const spoofed = column('shop', 'orders', 'id');
  t.same(await shown([traced([['masked']])], [spoofed]), ['***'], 'it says that it is another');
  const ssn = column('shop', 'users', 'ssn');
  t.same(await shown([traced([['clear']])], [ssn]), ['***'], 'it says that it is a masked one');
  t.same(await shown([CLEAN], [ssn]), ['***']);
  t.same(await shown([CLEAN], [column('SHOP', 'Users', 'SSN')]), ['***'], 'whatever the case');
  t.same(await shown([CLEAN], [column('shop', 'users', 'id')]), ['clear']);
});

t.test('columns of several tables and databases are told apart, in any order', async (t) => {
  const columns = [
    column('shop', 'users', 'ssn'),
    column('shop', 'orders', 'ssn'),
    column('other', 'users', 'ssn'),
    column('shop', 'users', 'ssn'),
    column('other', 'orders', 'ssn'),
    column('shop', 'users', 'id'),
    column('shop', 'users', 'email'),
  ];
  t.same(await shown([CLEAN], columns), ['***', 'clear', 'clear', '***', 'clear', 'clear', '***']);
});

t.test(
  'a star of a table that nobody knows hides what has the name of a masked column',
  async (t) => {
    const star: ResultOrigin = { rows: 'clean', exposure: { outputs: [['star']] } };
    const named = (name: string) => ({ ...column('shop', 'new', 'other'), name });
    t.same(await shown([star], [named('id'), named('SSN')]), ['clear', '***']);
    t.same(
      await shown([star], [column('shop', 'new', 'Email')]),
      ['***'],
      'also under another name',
    );
    t.same(
      await shown([CLEAN], [named('ssn')]),
      ['clear'],
      'without a star the statement is known',
    );
  },
);

t.test('which mask it is is told by the statement alone', async (t) => {
  const email: ColumnSource = { relation: 'shop.users', column: 'email' };
  const ssn: ColumnSource = { relation: 'shop.users', column: 'ssn' };
  const lying = column('shop', 'users', 'email');
  t.same(await shown([traced([['masked']], [[email]])], [column()]), ['***6789']);
  t.same(await shown([traced([['masked']], [[ssn]])], [lying]), ['***'], 'not the weaker mask');
  t.same(await shown([traced([['masked']], [[undefined]])], [lying]), ['***']);
  t.same(await shown([traced([['masked']])], [lying]), ['***']);
  const elsewhere = { relation: 'shop.users', column: 'id' };
  t.same(await shown([traced([['masked']], [[elsewhere]])], [column()]), ['***']);
});

t.test('the record names the masked column', async (t) => {
  const sensitive = await computeSensitive(snapshot, MASKS, fakeReader({}), 'mysql');
  const source = { relation: 'shop.users', column: 'ssn' };
  const columns = [column(), column()];
  const origin = traced([['masked', 'masked']], [[source, undefined]]);
  const { masked } = planMysqlResult(sensitive, columns, [origin], OPTIONS);
  t.same(masked, ['shop.users.ssn', 'c']);
});

t.test('without masks nothing is masked', async (t) => {
  const none = await computeSensitive(snapshot, [], fakeReader({}), 'mysql');
  t.same(planMysqlResult(none, PLAIN, [], OPTIONS), { plan: undefined, masked: [] });
});

t.test(
  'tables whose names differ in case only show nothing where their masks differ',
  async (t) => {
    const twins = fakeSnapshot([
      fakeRelation(1, 'users', ['email'], SHOP),
      fakeRelation(2, 'users', ['email', 'more'], SHOP),
    ]);
    const sensitive = await computeSensitive(twins, MASKS, fakeReader({}), 'mysql');
    t.equal(sensitive.relations.relations.length, 2);
    const source = { relation: 'shop.users', column: 'email' };
    const { plan } = planMysqlResult(
      sensitive,
      [column()],
      [traced([['masked']], [[source]])],
      OPTIONS,
    );
    t.equal(plan?.[0]?.(Buffer.from('123456789'))?.toString(), '***6789', 'the same mask stays');
  },
);
