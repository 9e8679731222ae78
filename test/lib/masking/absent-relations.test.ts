/** What a mask names stays masked while the catalog does not show it. */

import t from 'tap';
import type { CatalogSnapshot } from '../../../lib/catalog/catalog.ts';
import { ABSENT_COUNT_MAX, absentRelations } from '../../../lib/masking/absent-relations.ts';
import { planMysqlResult } from '../../../lib/masking/mysql-plan.ts';
import { detailsOf, MYSQL_TYPE } from '../../../lib/masking/mysql-types.ts';
import { createSensitiveFinder, type Sensitive } from '../../../lib/masking/sensitive.ts';
import { analyzeStatements } from '../../../lib/sql/mysql/analysis.ts';
import { createPostgresReader } from '../../../lib/sql/reader.ts';
import { fakeMask, fakeReader, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

const SHOP = { schema: 'shop' };
const READING = {
  database: 'shop',
  server: { flavor: 'mariadb', version: 101_119 },
  ansiQuotes: false,
  noBackslashEscapes: false,
} as const;
const CATALOG = {};
const USERS = fakeRelation(1, 'users', ['id', 'ssn', 'name'], SHOP);
const ORDERS = fakeRelation(2, 'orders', ['id', 'total'], SHOP);
const VIEW = fakeRelation(3, 'shouted', ['loud', 'id'], {
  ...SHOP,
  kind: 'v',
  definition: 'd',
  reads: [1],
});
const VIEWS = {
  d: [
    { kind: 'expression', isTainted: true },
    { kind: 'column', name: 'id', relation: 'shop.users' },
  ],
} as const;

function snapshotOf(version: number, relations = [ORDERS], schemas = ['shop']): CatalogSnapshot {
  return { ...fakeSnapshot(relations, { version, schemas }), source: CATALOG };
}

/** What a client of MySQL gets in each column of a result of `names`. */
function shown(sensitive: Sensitive, text: string, names: readonly string[]): readonly string[] {
  const { result } = analyzeStatements(text, {
    sensitive: sensitive.relations,
    reading: READING,
  });
  if (result.kind !== 'analysis') throw new Error(`${text}: ${result.kind}`);
  const { exposure } = result;
  if (exposure?.untraceable !== undefined) return ['refused'];
  const columns = names.map((name) => ({
    name,
    table: 0,
    attribute: 0,
    type: MYSQL_TYPE.varString,
    typeModifier: -1,
    format: 'text' as const,
    details: { ...detailsOf({}), originalName: name, charset: 45, length: 400 },
  }));
  const rows = exposure === undefined ? 'unknown' : exposure.touches ? 'traced' : 'clean';
  const options = { hashKey: undefined };
  const { plan } = planMysqlResult(sensitive, columns, [{ rows, exposure }], options);
  return names.map((_, index) => plan?.[index]?.(Buffer.from('123'))?.toString() ?? 'clear');
}

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['SELECT ssn FROM users', ['ssn'], ['***']],
  ['SELECT ssn AS name FROM users', ['name'], ['***']],
  ['SELECT UPPER(ssn), 1 FROM shop.users', ['UPPER(ssn)', '1'], ['***', 'clear']],
  ['SELECT * FROM users', ['id', 'ssn', 'name'], ['***', '***', '***']],
  ['SELECT q.b FROM (SELECT * FROM users) q (a, b, c)', ['b'], ['***']],
  ['SELECT total FROM orders', ['total'], ['clear']],
  ['SELECT id FROM nobody_knows', ['id'], ['clear']],
  ['INSERT INTO orders SELECT * FROM users', [], ['refused']],
];

t.test('MySQL: a catalog that was read while the table was being made anew', async (t) => {
  const masks = [fakeMask(['shop.users.ssn'])];
  for (const schemas of [['shop'], []]) {
    const find = createSensitiveFinder(fakeReader({ views: VIEWS }), 'mysql');
    const sensitive = await find(snapshotOf(1, [ORDERS], schemas), masks);
    for (const [text, names, expected] of CASES)
      t.same(shown(sensitive, text, names), expected, `${text}, databases: ${schemas.join()}`);
  }
});

t.test('MySQL: a table that was listed without its columns', async (t) => {
  const half = { ...USERS, columns: [], isHalf: true };
  const find = createSensitiveFinder(fakeReader({ views: VIEWS }), 'mysql');
  const sensitive = await find(snapshotOf(1, [half, ORDERS, VIEW]), [
    fakeMask(['*.*.ssn', 'a.b.c']),
  ]);
  t.same(shown(sensitive, 'SELECT ssn FROM users', ['ssn']), ['***']);
  t.same(shown(sensitive, 'SELECT UPPER(ssn) FROM users', ['x']), ['***']);
  t.same(shown(sensitive, 'SELECT loud, id FROM shouted', ['x', 'y']), ['***', '***'], 'a view');
  const named = await find(snapshotOf(2, [half, ORDERS]), [fakeMask(['shop.users.ssn'])]);
  for (const [text, names, expected] of CASES) t.same(shown(named, text, names), expected, text);
  const renamed = { ...half, name: 'fresh' };
  const fresh = await find(snapshotOf(3, [renamed]), [fakeMask(['shop.f*.*'])]);
  t.same(shown(fresh, 'SELECT anything FROM fresh', ['anything']), ['***'], 'by its globs');
});

t.test('MySQL: a pattern for every database and every table', async (t) => {
  const find = createSensitiveFinder(fakeReader({}), 'mysql');
  const inAnySchema = await find(snapshotOf(1), [fakeMask(['*.users.ssn'])]);
  for (const [text, names, expected] of CASES) t.same(shown(inAnySchema, text, names), expected);
  const anywhere = await find(snapshotOf(1), [fakeMask(['*.*.ssn'])]);
  t.same(shown(anywhere, 'SELECT UPPER(ssn) FROM users', ['UPPER(ssn)']), ['***']);
  t.same(shown(anywhere, 'SELECT ssn AS a, id FROM users', ['a', 'id']), ['***', 'clear']);
  t.same(shown(anywhere, 'SELECT * FROM users', ['ssn', 'id']), ['***', 'clear']);
  t.same(shown(anywhere, 'SELECT total, ssn FROM orders', ['total', 'ssn']), ['clear', '***']);
});

t.test('what was sensitive stays so until the catalog shows it again', async (t) => {
  const masks = [fakeMask(['*.*.s*n'])];
  const find = createSensitiveFinder(fakeReader({ views: VIEWS }), 'mysql');
  await find(snapshotOf(1, [USERS, ORDERS, VIEW]), masks);
  const gone = await find(snapshotOf(2), masks);
  const later = await find(snapshotOf(3), masks);
  for (const sensitive of [gone, later]) {
    t.same(shown(sensitive, 'SELECT LOWER(loud) FROM shouted', ['x']), ['***']);
    t.same(shown(sensitive, 'SELECT ssn, name FROM users', ['ssn', 'name']), ['***', 'clear']);
    t.same(shown(sensitive, 'SELECT * FROM users', ['id', 'ssn', 'name']), ['***', '***', '***']);
    t.ok(sensitive.relations.relations.every(({ isGone }) => isGone));
  }
  const other = fakeRelation(3, 'shouted', ['loud'], SHOP);
  const back = await find(snapshotOf(4, [ORDERS, other]), masks);
  t.same(shown(back, 'SELECT LOWER(loud) FROM shouted', ['x']), ['clear'], 'another thing now');
  t.same(shown(back, 'SELECT ssn FROM users', ['ssn']), ['***'], 'still gone');
  const late = await find(snapshotOf(1), masks);
  t.match(late.relations.relations, [{ name: 'users' }], 'an older snapshot forgets nothing');
});

t.test('catalogs do not share what was in them', async (t) => {
  const masks = [fakeMask(['*.*.ssn'])];
  const find = createSensitiveFinder(fakeReader({}));
  await find(snapshotOf(1, [USERS]), masks);
  const elsewhere = await find({ ...snapshotOf(2), source: {} }, masks);
  t.same(elsewhere.relations.relations, []);
  t.same((await find(fakeSnapshot([]), masks)).relations.relations, [], 'of no catalog');
});

t.test('PostgreSQL: an expression over a table that is not there', async (t) => {
  const reader = createPostgresReader();
  t.teardown(() => reader.close());
  const find = createSensitiveFinder(reader);
  const sensitive = await find(fakeSnapshot([]), [fakeMask(['public.users.ssn'])]);
  for (const text of ['SELECT upper(ssn) FROM users', 'SELECT upper(u::text) FROM users u']) {
    const result = await reader.analyze(text, sensitive.relations);
    if (result.kind !== 'analysis') throw new Error(result.kind);
    const { untraceable, outputs } = result.exposure ?? {};
    t.ok(untraceable !== undefined || outputs?.[0]?.includes('masked'), text);
  }
});

t.test('the number of what is remembered is bounded, and names of a mask come first', async (t) => {
  const before = Array.from({ length: ABSENT_COUNT_MAX + 10 }, (_, index) => ({
    schema: 'shop',
    name: `t${index}`,
    masked: ['a'],
    clear: [],
  }));
  const system = new Set(['mysql']);
  const masks = [fakeMask(['*.users.ssn'])];
  const snapshot = fakeSnapshot([], { schemas: ['shop', 'mysql'] });
  const absent = absentRelations(snapshot, masks, system, before);
  t.equal(absent.length, ABSENT_COUNT_MAX);
  t.same(absent[0], { schema: 'shop', name: 'users', masked: ['ssn'], clear: [] });
  t.notOk(
    absent.some(({ schema }) => schema === 'mysql'),
    'not in schemas of the server',
  );
});
