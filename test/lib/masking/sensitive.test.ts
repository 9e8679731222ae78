/** Masks by identity, on real servers, with the real reader of SQL. */

import t, { type Test } from 'tap';
import type pg from 'pg';
import type { Catalog } from '../../../lib/catalog/catalog.ts';
import { planResult } from '../../../lib/masking/plan.ts';
import { computeSensitive, createSensitiveFinder } from '../../../lib/masking/sensitive.ts';
import { createPostgresReader } from '../../../lib/sql/reader.ts';
import type { SqlReader } from '../../../lib/sql/analysis.ts';
import { analyzeStatements } from '../../../lib/sql/mysql/analysis.ts';
import { catalogOf, connectTo, relationNamed, SERVERS } from '../../support/catalog-server.ts';
import { fakeMask, fakeReader, fakeRelation, fakeSnapshot } from '../../support/fake-catalog.ts';

const SCHEMA = `
  CREATE TABLE users (gone int, id int, email text, ssn varchar(11), lowered text GENERATED ALWAYS AS (lower(email)) STORED);
  ALTER TABLE users DROP COLUMN gone;
  INSERT INTO users VALUES (1, 'ann.secret@example.org', '111-22-3333');
  CREATE TABLE plain (id int, note text);
  INSERT INTO plain VALUES (1, 'a note that is clear');
  CREATE VIEW v1 AS SELECT id, email AS contact FROM users;
  CREATE VIEW v2 AS SELECT contact AS c, id, upper(contact) AS shouted, 'constant' || id AS made FROM v1;
  CREATE VIEW joined AS SELECT u.email, p.note FROM users u JOIN plain p ON p.id = u.id;
  CREATE VIEW in_cte AS WITH users AS (SELECT email AS note FROM public.users) SELECT users.note FROM users;
  CREATE VIEW united AS SELECT email FROM users UNION ALL SELECT note FROM plain;
  CREATE VIEW starred AS SELECT * FROM users;
  CREATE MATERIALIZED VIEW stored AS SELECT email, id FROM users;
  CREATE VIEW unrelated AS SELECT note FROM plain;
  CREATE TABLE people (id int, email text) PARTITION BY LIST (id);
  CREATE TABLE people_1 (email text, id int);
  ALTER TABLE people ATTACH PARTITION people_1 FOR VALUES IN (1);
  INSERT INTO people VALUES (1, 'part.secret@example.org');
  CREATE TABLE animals (id int, tag text);
  CREATE TABLE dogs (email text) INHERITS (animals);
  INSERT INTO dogs VALUES (1, 'dog', 'dog.secret@example.org');
  CREATE VIEW over_parts AS SELECT email FROM people;
  CREATE FUNCTION first_email() RETURNS text LANGUAGE sql AS 'SELECT email FROM public.users LIMIT 1';
  CREATE VIEW calling AS SELECT first_email() AS f, note FROM plain;
  CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)';
  CREATE VIEW harmless AS SELECT shout(note) AS s FROM plain;
  ANALYZE;
  CREATE VIEW own_stats AS SELECT tablename, histogram_bounds::text AS vals FROM pg_stats;
`;

const MASKS = [fakeMask(['*.*.email']), fakeMask(['public.users.ssn'], { with: 'partial' })];

/** Rows of a query as a client of Weir would see them, by identity alone. */
async function seen(client: pg.Client, catalog: Catalog, reader: SqlReader, query: string) {
  const { fields, rows } = await client.query({ text: query, rowMode: 'array' });
  const found = await computeSensitive(await catalog.snapshot(), MASKS, reader);
  const columns = fields.map((field) => ({
    name: field.name,
    table: field.tableID,
    attribute: field.columnID,
    type: field.dataTypeID,
    typeModifier: field.dataTypeModifier,
    format: 'text' as const,
  }));
  const { plan } = planResult(found, columns, undefined, { hashKey: undefined });
  return rows.map((row: unknown) =>
    Array.isArray(row)
      ? row.map((value: unknown, index) => {
          const mask = plan?.[index];
          const text = typeof value === 'string' ? value : JSON.stringify(value);
          if (mask === undefined || value === null) return text;
          return mask(Buffer.from(text))?.toString() ?? 'NULL';
        })
      : [],
  );
}

/** Query and what is seen of its first row. */
const QUERIES: readonly [query: string, row: readonly string[]][] = [
  ['SELECT id, email, ssn FROM users', ['1', '***', '***3333']],
  ['SELECT lowered AS x FROM users', ['***']],
  ['SELECT x.e FROM (SELECT email AS e FROM users) x', ['***']],
  ['SELECT * FROM v1', ['1', '***']],
  ['SELECT * FROM v2', ['***', '1', '***', 'constant1']],
  ['SELECT * FROM joined', ['***', 'a note that is clear']],
  ['SELECT * FROM in_cte', ['***']],
  ['SELECT * FROM united', ['***']],
  ['SELECT email FROM starred', ['***']],
  ['SELECT * FROM stored', ['***', '1']],
  ['SELECT * FROM unrelated', ['a note that is clear']],
  ['SELECT * FROM people', ['1', '***']],
  ['SELECT * FROM people_1', ['***', '1']],
  ['SELECT * FROM over_parts', ['***']],
  ['SELECT * FROM dogs', ['1', 'dog', '***']],
  ['SELECT id, tag FROM animals', ['1', 'dog']],
  ['SELECT f FROM calling', ['***']],
  ['SELECT note FROM calling', ['a note that is clear']],
  ['SELECT * FROM harmless', ['A NOTE THAT IS CLEAR']],
  ['SELECT tableoid > 0, ctid FROM users', ['true', '(0,1)']],
  ['SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()', ['***']],
  ["SELECT tablename FROM pg_stats WHERE tablename = 'users'", ['users']],
  [
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'users' AND attname = 'email'",
    ['null'],
  ],
  [
    "SELECT histogram_bounds FROM pg_stats WHERE tablename = 'many' AND attname = 'email'",
    ['NULL'],
  ],
  ["SELECT vals FROM own_stats WHERE tablename = 'many'", ['***']],
  ['SELECT u FROM users u', ['NULL']],
];

/** DDL, then a query and what is seen: the catalog is read again. */
const CHANGES: readonly [ddl: string, query: string, row: readonly string[]][] = [
  [
    "ALTER TABLE plain ADD COLUMN email text DEFAULT 'late.secret@example.org'",
    'SELECT email FROM plain',
    ['***'],
  ],
  [
    'ALTER TABLE plain RENAME COLUMN email TO mail',
    'SELECT mail FROM plain',
    ['late.secret@example.org'],
  ],
  ['ALTER TABLE plain RENAME COLUMN mail TO email', 'SELECT email FROM plain', ['***']],
  [
    'CREATE OR REPLACE VIEW unrelated AS SELECT email AS note FROM users',
    'SELECT note FROM unrelated',
    ['***'],
  ],
  ['ALTER TABLE users RENAME TO persons', 'SELECT contact FROM v1', ['***']],
  [
    'CREATE TABLE "Users" ("EMAIL" text); INSERT INTO "Users" VALUES (\'x\')',
    'SELECT * FROM "Users"',
    ['x'],
  ],
];

async function checkAll(
  t: Test,
  client: pg.Client,
  catalog: Catalog,
  reader: SqlReader,
): Promise<void> {
  for (const [query, row] of QUERIES)
    t.same((await seen(client, catalog, reader, query))[0], row, query);
  for (const [ddl, query, row] of CHANGES) {
    await client.query(ddl);
    t.same((await seen(client, catalog, reader, query))[0], row, `${ddl} / ${query}`);
  }
  await client.query('BEGIN');
  await client.query("CREATE TEMP TABLE t AS SELECT 'x' AS y");
  t.same(
    (await seen(client, catalog, reader, 'SELECT y FROM t'))[0],
    ['***'],
    'a table nobody knows yet (GW-7)',
  );
  await client.query('ROLLBACK');
}

SERVERS.forEach(({ name, skip, start }, index) => {
  t.test(
    `${name}: no masked value is seen by identity (PG-76, PG-77, PG-82..85)`,
    { skip },
    async (t) => {
      const server = await start(t, { port: 27410 + index });
      const client = await connectTo(t, server);
      await client.query(SCHEMA);
      await client.query(
        `CREATE TABLE many AS SELECT 'mail.' || n || '@example.org' AS email FROM generate_series(1, 500) n`,
      );
      await client.query('ANALYZE many');
      const reader = createPostgresReader({ workers: 1 });
      t.teardown(() => reader.close());
      await checkAll(t, client, catalogOf(t, server, { maxAgeMs: 0 }), reader);
      const snapshot = await catalogOf(t, server).snapshot();
      const { relations } = await computeSensitive(snapshot, MASKS, reader);
      const persons = relations.relations.find((relation) => relation.name === 'persons');
      t.same(persons, {
        schema: 'public',
        name: 'persons',
        masked: ['email', 'lowered'],
        clear: ['id', 'ssn'],
      });
      const toast = snapshot
        .relations()
        .find(
          (relation) =>
            relation.kind === 't' &&
            relation.reads.includes(relationNamed(snapshot, 'public', 'persons').oid),
        );
      t.ok(
        relations.relations.some((relation) => relation.name === toast?.name),
        'its TOAST table is sensitive',
      );
    },
  );
});

t.test('an answer is computed once and then given at once', async (t) => {
  let reads = 0;
  const base = fakeReader({ views: { d: [{ kind: 'expression', isTainted: false }] } });
  const reader: SqlReader = {
    ...base,
    analyzeView: (...call) => {
      reads += 1;
      return base.analyzeView(...call);
    },
  };
  const relations = [
    fakeRelation(20_001, 'users', ['email']),
    fakeRelation(20_002, 'v', ['x'], { kind: 'v', definition: 'd', reads: [20_001] }),
  ];
  const snapshot = fakeSnapshot(relations);
  const find = createSensitiveFinder(reader);
  const [first, second] = await Promise.all([find(snapshot, MASKS), find(snapshot, MASKS)]);
  t.equal(first, second);
  t.equal(find(snapshot, [...MASKS]), first, 'equal masks, another array');
  t.equal(reads, 1);
  const others = await find(snapshot, [fakeMask(['*.*.nothing'])]);
  t.not(others.relations.version, first.relations.version);
  t.same(others.unmatched, ['*.*.nothing']);
  const again = await find(fakeSnapshot(relations), MASKS);
  t.not(again, first, 'another snapshot is another answer');
  t.equal(again.relations.version, first.relations.version, 'of the same content');
  t.equal(reads, 1, 'a view whose text did not change is not read again');
});

t.test('a failure is not kept', async (t) => {
  let isBroken = true;
  const good = fakeReader({ views: { d: [{ kind: 'expression', isTainted: false }] } });
  const find = createSensitiveFinder({
    ...good,
    analyzeView: (...call) =>
      isBroken ? Promise.reject(new Error('worker died')) : good.analyzeView(...call),
  });
  const snapshot = fakeSnapshot([
    fakeRelation(20_001, 'users', ['email']),
    fakeRelation(20_002, 'v', ['x'], { kind: 'v', definition: 'd', reads: [20_001] }),
  ]);
  await t.rejects(Promise.resolve(find(snapshot, MASKS)), /worker died/);
  isBroken = false;
  t.same(
    (await find(snapshot, MASKS)).relations.relations.map((relation) => relation.name),
    ['users'],
  );
});

t.test('for MySQL the reader gets every relation, with its columns in order', async (t) => {
  const shop = { schema: 'shop' };
  const snapshot = fakeSnapshot([
    fakeRelation(
      1,
      'users',
      ['id', 'ssn', { attribute: 3, name: 'hidden', isInvisible: true }],
      shop,
    ),
    fakeRelation(2, 'orders', ['id', { attribute: 2, name: 'note', isInvisible: true }], shop),
    fakeRelation(3, 'processlist', ['id', 'info'], { schema: 'information_schema' }),
    fakeRelation(4, 'v', ['x'], { ...shop, kind: 'v', definition: 'd', reads: [1, 2] }),
  ]);
  let given: unknown;
  const reader: SqlReader = {
    ...fakeReader({}),
    analyzeView: async (_definition, relations) => {
      given = relations;
      return [{ kind: 'column', name: 'ssn', relation: 'shop.users' }];
    },
  };
  const masks = [fakeMask(['shop.users.ssn'], { with: 'partial' })];
  const found = await computeSensitive(snapshot, masks, reader, 'mysql');
  const { relations } = found;
  t.same(relations.relations, [
    {
      schema: 'shop',
      name: 'users',
      masked: ['ssn'],
      clear: ['id', 'hidden'],
      columns: ['id', 'ssn'],
    },
    {
      schema: 'information_schema',
      name: 'processlist',
      masked: ['info'],
      clear: ['id'],
      columns: ['id', 'info'],
    },
    { schema: 'shop', name: 'v', masked: ['x'], clear: [], columns: ['x'] },
  ]);
  t.same(relations.plain, [{ schema: 'shop', name: 'orders', columns: ['id'] }]);
  t.match(
    given,
    {
      relations: [{ name: 'users' }],
      plain: [{ name: 'orders' }],
    },
    'a view is read with what it reads, clear relations too',
  );
  t.match(found.named(), [
    { relation: 'shop.users', column: 'ssn', mask: { with: 'partial' } },
    { relation: 'information_schema.processlist', column: 'info', mask: { with: 'redact' } },
    { relation: 'shop.v', column: 'x', mask: { with: 'partial', column: 'shop.users.ssn' } },
  ]);
  const wider = fakeSnapshot([
    fakeRelation(1, 'users', ['id', 'ssn'], shop),
    fakeRelation(5, 'more', []),
  ]);
  const other = await computeSensitive(wider, masks, reader, 'mysql');
  t.not(other.relations.version, relations.version, 'plain relations count for the version');
  const postgres = await computeSensitive(fakeSnapshot([]), masks, reader);
  t.equal(postgres.relations.plain, undefined);
});

t.test('a view whose columns are not shown is masked as a whole (MySQL)', async (t) => {
  const shop = { schema: 'shop' };
  const snapshot = fakeSnapshot([
    fakeRelation(1, 'users', ['id', 'email'], shop),
    fakeRelation(2, 'v', [], { ...shop, kind: 'v', definition: 'd', reads: [1] }),
  ]);
  const masks = [fakeMask(['shop.users.email'])];
  const { relations } = await computeSensitive(
    snapshot,
    masks,
    fakeReader({ views: { d: undefined } }),
    'mysql',
  );
  t.same(relations.plain, []);
  t.same(
    relations.relations.find(({ name }) => name === 'v'),
    { schema: 'shop', name: 'v', masked: [], clear: [] },
  );
  const outputsOf = (text: string) => {
    const reading = {
      database: 'shop',
      server: { flavor: 'mysql', version: 80_036 },
      ansiQuotes: false,
      noBackslashEscapes: false,
    } as const;
    const { result } = analyzeStatements(text, { sensitive: relations, reading });
    return result.kind === 'analysis' ? result.exposure?.outputs : result;
  };
  for (const text of ['SELECT anything FROM v', 'SELECT x.mail AS id FROM v x'])
    t.same(outputsOf(text), [['masked']], text);
  t.notMatch(outputsOf('SELECT * FROM v'), [['clear']]);
});
