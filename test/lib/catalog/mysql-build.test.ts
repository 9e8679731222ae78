import t from 'tap';
import { buildMysqlSnapshot, type MysqlRows } from '../../../lib/catalog/mysql-build.ts';
import './mysql-build-hidden-cases.ts';

const SERVER = { flavor: 'mysql', version: 80_036 } as const;
const NONE: MysqlRows = {
  schemas: [{ name: 'Shop' }],
  tables: [],
  columns: [],
  views: [],
  routines: [],
  parameters: [],
  triggers: [],
  cascades: [],
  loadables: undefined,
};

function table(name: string, type = 'BASE TABLE') {
  return { schema: 'Shop', name, type };
}

function column(of: string, name: string, position: number, more: object = {}) {
  return {
    schema: 'Shop',
    table: of,
    name,
    position,
    extra: '',
    expression: null,
    default_expression: null,
    ...more,
  };
}

function build(rows: Partial<MysqlRows>) {
  return buildMysqlSnapshot({ ...NONE, ...rows }, SERVER, 1);
}

t.test('names are folded, databases are schemas', async (t) => {
  const snapshot = build({ tables: [table('Users')], columns: [column('Users', 'Id', 1)] });
  const [users] = snapshot.relationsNamed('users');
  t.match(users, {
    schema: 'shop',
    name: 'users',
    kind: 'r',
    columns: [{ attribute: 1, name: 'id' }],
  });
  t.ok(snapshot.hasSchema('shop'));
  t.same(snapshot.server, SERVER);
  t.equal(snapshot.relation(users?.oid ?? 0), users);
});

t.test('tables whose names differ in case only stay apart, and a view reads both', async (t) => {
  const snapshot = build({
    tables: [table('users'), table('Users'), table('v', 'VIEW')],
    columns: [column('users', 'a', 1), column('Users', 'b', 1)],
    views: [
      { schema: 'Shop', name: 'v', definition: 'select `Shop`.`users`.`a` from `Shop`.`users`' },
    ],
  });
  const both = snapshot.relationsNamed('users');
  t.same(
    both.map(({ columns }) => columns.map(({ name }) => name)),
    [['a'], ['b']],
  );
  const [view] = snapshot.relationsNamed('v');
  t.same(
    view?.reads,
    both.map(({ oid }) => oid),
  );
});

t.test('columns that are computed from others, or perhaps from all', async (t) => {
  const generated = (expression: string | null) => ({ extra: 'VIRTUAL GENERATED', expression });
  const snapshot = build({
    tables: [table('t')],
    columns: [
      column('t', 'A', 1),
      column('t', 'b', 2, generated('(`a` + 1)')),
      column('t', 'c', 3, generated(null)),
      column('t', 'd', 4, { default_expression: Buffer.from('concat(`A`)') }),
      column('t', 'e', 5, { extra: 'STORED GENERATED INVISIBLE', expression: '(1)' }),
      column('t', 'f', 6, { extra: 'DEFAULT_GENERATED on update CURRENT_TIMESTAMP' }),
    ],
  });
  t.same(snapshot.relationsNamed('t')[0]?.columns, [
    { attribute: 1, name: 'a' },
    { attribute: 2, name: 'b', computedFrom: [1] },
    { attribute: 3, name: 'c', computedFrom: [0] },
    { attribute: 4, name: 'd', computedFrom: [1] },
    { attribute: 5, name: 'e', isInvisible: true },
    { attribute: 6, name: 'f' },
  ]);
});

t.test('a view that may not be read calls something that cannot be read', async (t) => {
  for (const views of [[], [{ schema: 'Shop', name: 'v', definition: '' }]]) {
    const [view] = build({ tables: [table('v', 'VIEW')], views }).relationsNamed('v');
    t.equal(view?.definition, undefined);
    t.match(view?.calls, [{ name: 'v', definition: undefined }]);
    t.same(view?.reads, [-1], 'and reads something unknown');
  }
});

t.test(
  'routines get their heads back; those of ORACLE mode and packages are unreadable',
  async (t) => {
    const routine = (name: string, type: string, modes = 'ANSI_QUOTES') => {
      return { schema: 'Shop', name, type, language: 'SQL', definition: 'BEGIN END', modes };
    };
    const parameter = (position: number, mode: string | null, data_type: string) => {
      return {
        schema: 'Shop',
        name: 'P',
        type: 'PROCEDURE',
        position,
        mode,
        parameter: `a\`${position}`,
        data_type,
      };
    };
    const snapshot = build({
      routines: [
        routine('P', 'PROCEDURE'),
        routine('f', 'FUNCTION'),
        routine('o', 'PROCEDURE', 'PIPES_AS_CONCAT,ORACLE'),
        routine('k', 'PACKAGE BODY'),
        { ...routine('hidden', 'FUNCTION'), definition: null },
      ],
      parameters: [
        parameter(1, 'IN', 'int(11)'),
        parameter(2, 'OUT', 'text'),
        { ...parameter(0, null, 'int(11)'), name: 'f', type: 'FUNCTION', parameter: null },
      ],
      loadables: [{ name: 'Sys_Exec' }],
    });
    t.match(snapshot.routinesNamed('p'), [
      {
        schema: 'shop',
        definition: 'CREATE PROCEDURE `Shop`.`P`(IN `a``1` int(11), OUT `a``2` text)\nBEGIN END',
        reading: { database: 'Shop', server: SERVER, ansiQuotes: true, noBackslashEscapes: false },
      },
    ]);
    t.match(snapshot.routinesNamed('f'), [
      { definition: 'CREATE FUNCTION `Shop`.`f`() RETURNS int(11)\nBEGIN END' },
    ]);
    for (const name of ['o', 'k', 'hidden', 'sys_exec']) {
      const [found] = snapshot.routinesNamed(name);
      t.equal(found?.name, name);
      t.equal(found?.definition, undefined, name);
    }
  },
);

t.test('triggers and cascades belong to their tables', async (t) => {
  const trigger = {
    schema: 'Shop',
    table: 'A',
    name: 't',
    timing: 'BEFORE',
    event: 'INSERT',
    modes: '',
  };
  const snapshot = build({
    tables: [table('A'), table('b')],
    triggers: [
      { ...trigger, definition: 'SET NEW.x = 1' },
      { ...trigger, name: 'u', definition: null },
    ],
    cascades: [
      { schema: 'Shop', table: 'b', referenced_schema: 'Shop', referenced_table: 'A' },
      { schema: 'Shop', table: 'gone', referenced_schema: 'Shop', referenced_table: 'b' },
    ],
  });
  const [a] = snapshot.relationsNamed('a');
  const [b] = snapshot.relationsNamed('b');
  t.same(
    a?.triggers?.map(({ definition }) => definition),
    [
      'CREATE TRIGGER `Shop`.`t` BEFORE INSERT ON `Shop`.`A` FOR EACH ROW\nSET NEW.x = 1',
      undefined,
    ],
  );
  t.same(a?.cascades, [b?.oid]);
  t.same(b?.cascades, [-1], 'a table that nobody knows');
});

t.test('a view whose text is kept as it was written (Dolt)', async (t) => {
  const rows = (definition: string): MysqlRows => ({
    ...NONE,
    tables: [table('users'), table('v', 'VIEW')],
    columns: [column('users', 'email', 1)],
    routines: [
      { schema: 'Shop', name: 'f', type: 'FUNCTION', language: 'SQL', definition: 'RETURN 1' },
    ],
    views: [{ schema: 'Shop', name: 'v', definition }],
  });
  const viewOf = (definition: string, isLookalike: boolean) => {
    const server = { ...SERVER, isLookalike };
    const snapshot = buildMysqlSnapshot(rows(definition), server, 1);
    const [users] = snapshot.relationsNamed('users');
    const [view] = snapshot.relationsNamed('v');
    return { view, users: users?.oid ?? 0 };
  };
  const plain = viewOf('SELECT *, f(1) FROM users', true);
  t.same(plain.view?.reads, [plain.users], 'a bare name is a relation of its own database');
  t.match(plain.view?.calls, [{ name: 'f' }]);
  t.same(viewOf('select 1 AS `users`', false).view?.reads, [], 'a printed one has no bare names');
  for (const text of ['SELECT /*!99999 email AS */ id FROM users', 'SELECT "email" FROM users'])
    t.equal(viewOf(text, true).view?.definition, undefined, text);
});
