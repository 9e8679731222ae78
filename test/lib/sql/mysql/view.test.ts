import t from 'tap';
import type { ViewColumn } from '../../../../lib/sql/analysis.ts';
import { traceView } from '../../../../lib/sql/mysql/view.ts';
import { SENSITIVE } from './exposure-cases.ts';
import { parse, READING } from './read-statements.ts';

function columnsOf(definition: string): readonly ViewColumn[] | undefined {
  const context = { sensitive: SENSITIVE, reading: READING, parse };
  return traceView(parse(definition) ?? [], context);
}

const column = (name: string, relation: string): ViewColumn => ({ kind: 'column', name, relation });
const CLEAR: ViewColumn = { kind: 'expression', isTainted: false };
const TAINTED: ViewColumn = { kind: 'expression', isTainted: true };

t.test('columns of tables keep their origin, whatever their new names (MY-64)', async (t) => {
  t.same(
    columnsOf('select `app`.`users`.`ssn` AS `x`,`app`.`users`.`id` AS `y` from `app`.`users`'),
    [column('ssn', 'app.users'), column('id', 'app.users')],
  );
  t.same(
    columnsOf('CREATE ALGORITHM=UNDEFINED VIEW v AS SELECT EMAIL, o.note FROM users u, orders o'),
    [column('email', 'app.users'), column('note', 'app.orders')],
  );
  t.same(columnsOf('SELECT * FROM users'), [
    column('id', 'app.users'),
    column('name', 'app.users'),
    column('email', 'app.users'),
    column('ssn', 'app.users'),
  ]);
  t.same(columnsOf('SELECT q.a FROM (SELECT ssn AS a FROM users LIMIT 1) q'), [
    column('ssn', 'app.users'),
  ]);
  t.same(columnsOf('WITH q (a) AS (SELECT id FROM users) SELECT a FROM q'), [
    column('id', 'app.users'),
  ]);
});

t.test('expressions are tainted by any masked column in them', async (t) => {
  t.same(columnsOf('SELECT lower(ssn), upper(name), 1 FROM users'), [TAINTED, CLEAR, CLEAR]);
  t.same(columnsOf('SELECT note FROM orders UNION SELECT ssn FROM users'), [TAINTED]);
  t.same(columnsOf('SELECT (SELECT max(email) FROM users) AS m, o.id FROM orders o'), [
    TAINTED,
    column('id', 'app.orders'),
  ]);
});

t.test('a view over tables that are not in the catalog given', async (t) => {
  t.same(columnsOf('select `b`.`t`.`c` AS `c` from `b`.`t`'), [column('c', 'b.t')]);
  t.equal(columnsOf('SELECT * FROM b.t'), undefined, 'how many columns, nobody knows');
});

t.test('what is no query is no view', async (t) => {
  t.equal(columnsOf('DELETE FROM users'), undefined);
  t.equal(columnsOf('SELECT 1; SELECT 2'), undefined);
});
