import t from 'tap';
import { buildSnapshot } from '../../lib/catalog/snapshot.ts';
import type { CatalogSnapshot } from '../../lib/catalog/catalog.ts';
import type { Reach } from '../../lib/gateway/reach.ts';
import { RoutineReader } from '../../lib/gateway/routine-reader.ts';
import type { StatementAnalysis } from '../../lib/sql/analysis.ts';
import { analysis, FakeReader, functionName, routine } from '../lib/gateway/catalog-fixture.ts';

function reach(
  statement: StatementAnalysis,
  snapshot: CatalogSnapshot | undefined,
  reader: FakeReader,
): Reach[] {
  const reaches = new Map<number, Reach>();
  const context = { snapshot, parameterTypes: [], sensitive: undefined, isMysql: true, reaches };
  // The fake reader answers at once.
  if (new RoutineReader(reader).lookUp(statement, context) !== undefined) throw new Error('waits');
  return [...reaches.values()];
}

t.test('MySQL without a catalog: no name counts as the server’s own (MY-46)', async (t) => {
  const reader = new FakeReader({});
  // Names of functions that PostgreSQL brings along, a database of the name of one of its schemas.
  const statement = analysis({
    functions: [functionName('lower'), functionName('set_config'), functionName('f', 'pg_catalog')],
  });
  const found = reach(statement, undefined, reader);
  t.same(
    found.map(({ routine: name, effects }) => [name, effects[0]?.effect]),
    [
      ['lower', 'unknown'],
      ['set_config', 'unknown'],
      ['f', 'unknown'],
    ],
  );
});

t.test('MySQL: what the catalog does not show is unknown, in a statement as well', async (t) => {
  const server = { flavor: 'mysql', version: 80_036 } as const;
  const routines = [routine(1, 'known', { schema: 'shop' })];
  const snapshot = buildSnapshot({ version: 1, relations: [], routines, operators: [], server });
  const reader = new FakeReader({ 'sql: body of known': analysis() });
  const names = [
    functionName('known', 'shop'),
    functionName('shop', 'shop'),
    // Called in backticks or with a space, so that it could be a stored one.
    functionName('count', 'shop'),
    functionName('sys_exec', 'shop'),
  ];
  const found = reach(analysis({ functions: names }), snapshot, reader);
  t.match(
    found.filter(({ effects }) => effects.length > 0),
    [{ routine: 'sys_exec', effects: [{ effect: 'unknown' }], untraceable: /does not show/ }],
  );
  t.equal(found.length, 2);
});
