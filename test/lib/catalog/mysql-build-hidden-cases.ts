/** What a MySQL catalog says of things that its reader may not see, or that servers call by other names. */
import t from 'tap';
import { buildMysqlSnapshot, type MysqlRows } from '../../../lib/catalog/mysql-build.ts';
import { mentionedNames } from '../../../lib/catalog/mysql-texts.ts';

const NONE: MysqlRows = {
  schemas: [{ name: 'shop' }],
  tables: [],
  columns: [],
  views: [],
  routines: [],
  parameters: [],
  triggers: [],
  cascades: [],
  loadables: undefined,
};

function build(rows: Partial<MysqlRows>) {
  return buildMysqlSnapshot({ ...NONE, ...rows }, { flavor: 'mariadb', version: 101_119 }, 1);
}

const routine = (name: string) => ({
  schema: 'shop',
  name,
  type: 'PROCEDURE',
  language: 'SQL',
  definition: 'SELECT 1',
  modes: '',
});

const column = (schema: string, table: string) => ({
  schema,
  table,
  name: 'a',
  position: 1,
  extra: '',
  expression: null,
  default_expression: null,
});

const view = (definition: string): Partial<MysqlRows> => ({
  tables: [
    { schema: 'shop', name: 'v', type: 'VIEW' },
    { schema: 'shop', name: 't', type: 'BASE TABLE' },
    { schema: 'mysql', name: 'event', type: 'BASE TABLE' },
  ],
  columns: [column('shop', 't'), column('mysql', 'event')],
  views: [{ schema: 'shop', name: 'v', definition }],
  routines: [routine('known')],
});

t.test('a table without columns is one that is being made or dropped', async (t) => {
  const half = { ...view('select 1 AS `a`'), columns: [] };
  const isHalf = (rows: Partial<MysqlRows>, name: string) =>
    build(rows).relationsNamed(name)[0]?.isHalf;
  t.equal(isHalf(half, 't'), true);
  t.equal(isHalf(half, 'v'), undefined, 'columns of views come from their texts');
  const others = { ...half, columns: [column('other', 't'), column('shop', 'T')] };
  t.equal(isHalf(others, 't'), true, 'columns of other tables are not its own');
  t.equal(isHalf({ ...half, columns: [column('shop', 't')] }, 't'), undefined);
});

t.test('routines are found by names with and without accents (MY-63)', async (t) => {
  const snapshot = build({ routines: [routine('purge'), routine('fréquent'), routine('other')] });
  const found = (name: string): string[] => snapshot.routinesNamed(name).map((one) => one.name);
  t.same(found('purgé'), ['purge']);
  t.same(found('pürgë'), ['purge']);
  t.same(found('frequent'), ['fréquent']);
  t.same(found('fréquent'), ['fréquent']);
  t.same(found('purge'), ['purge']);
  t.same(found('purged'), []);
  t.same(found('purgéd'), []);
});

t.test('a view that uses what is not listed calls something unreadable', async (t) => {
  const calls = (definition: string) => build(view(definition)).relationsNamed('v')[0]?.calls;
  t.match(calls('select `secret`.`f`() AS `a`'), [{ name: 'f', definition: undefined }]);
  t.match(calls('select 1 AS `a` from `secret`.`inner_view`'), [{ definition: undefined }]);
  t.match(calls('select `x`.`a` from (`shop`.`t` `x` join `secret`.`u`)'), [{ name: 'u' }]);
  t.match(calls('select `shop`.`known`()'), [{ name: 'known', language: 'sql' }]);
  for (const harmless of [
    'select `x`.`a` AS `a` from `shop`.`t` `x`',
    'select extract(year from `x`.`a`) AS `y` from `shop`.`t` `x`',
    "select trim(both 'a' from `q`.`a`) AS `y` from (select 1 AS `a`) `q`",
    'with `q`(`a`) as (select 1)select `q`.`a` AS `a` from `q`',
    'select `mariadb_schema`.`decode`(1) AS `a`',
  ])
    t.equal(calls(harmless), undefined, harmless);
});

t.test('writing through a view on the system tables is writing there (MY-46)', async (t) => {
  const relation = (definition: string) => build(view(definition)).relationsNamed('v')[0];
  t.match(relation('select `mysql`.`event`.`name` AS `name` from `mysql`.`event`'), {
    callsOnWrite: [{ definition: undefined }],
  });
  t.equal(relation('select `shop`.`t`.`a` AS `a` from `shop`.`t`')?.callsOnWrite, undefined);
});

t.test('ON DELETE CASCADE takes rows along, SET NULL and ON UPDATE do not (MY-45)', async (t) => {
  const key = (table: string, on_delete: string) => ({
    schema: 'shop',
    table,
    referenced_schema: 'shop',
    referenced_table: 'parent',
    on_delete,
  });
  const names = ['parent', 'taken', 'emptied', 'moved'];
  const snapshot = build({
    tables: names.map((name) => ({ schema: 'shop', name, type: 'BASE TABLE' })),
    columns: names.map((name) => column('shop', name)),
    cascades: [key('taken', 'CASCADE'), key('emptied', 'SET NULL'), key('moved', 'RESTRICT')],
  });
  const oids = names.map((name) => snapshot.relationsNamed(name)[0]?.oid);
  const [parent] = snapshot.relationsNamed('parent');
  t.same(parent?.cascades, oids.slice(1));
  t.same(parent?.deletesIn, [oids[1]]);
});

t.test('sources are what stands behind FROM and JOIN', async (t) => {
  const { sources } = mentionedNames(
    'select `a`.`b`.`c` from ((`a`.`b` left join `d`.`e` `f` on(`f`.`x` = `g`.`y`)) straight_join `h`.`i`)',
  );
  t.same(sources, [
    ['a', 'b'],
    ['d', 'e'],
    ['h', 'i'],
  ]);
});
