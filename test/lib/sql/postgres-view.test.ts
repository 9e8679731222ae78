import t from 'tap';
import { analyzeViewDefinition } from '../../../lib/sql/postgres-analysis.ts';
import { loadParser } from '../../../lib/sql/postgres-parse.ts';
import { SENSITIVE } from './exposure-cases.ts';

await loadParser();

const view = (sql: string) => analyzeViewDefinition(sql, SENSITIVE);
const column = (name: string, relation: string | undefined) => ({ kind: 'column', name, relation });
const expression = (isTainted: boolean) => ({ kind: 'expression', isTainted });

t.test('bare columns are told by relation and name', async (t) => {
  t.same(view(' SELECT id,\n    email\n   FROM users;'), [
    column('id', 'users'),
    column('email', 'users'),
  ]);
  t.same(
    view('SELECT u.email AS contact, o.note FROM public.users u JOIN orders o ON o.user_id = u.id'),
    [column('email', 'users'), column('note', 'orders')],
  );
  t.same(view('SELECT email FROM users JOIN orders USING (id)'), [column('email', undefined)]);
});

t.test('expressions are tainted by any masked column in them', async (t) => {
  t.same(view('SELECT lower(email), upper(name), 1, count(*), u.ssn::text FROM users u'), [
    expression(true),
    expression(false),
    expression(false),
    expression(false),
    expression(true),
  ]);
  t.same(
    view(
      "SELECT (SELECT max(email) FROM users), EXISTS (SELECT 1 FROM users WHERE ssn = '1'), row_to_json(u), u FROM users u",
    ),
    [expression(true), expression(true), expression(true), expression(true)],
  );
});

t.test('columns of sub-selects are tainted by name', async (t) => {
  t.same(view('SELECT s.e, s.i FROM (SELECT email AS e, id AS i FROM users) s'), [
    expression(true),
    expression(false),
  ]);
  t.same(view('WITH q(x) AS (SELECT ssn FROM users) SELECT q.x FROM q'), [expression(true)]);
  t.same(view('SELECT b FROM users u(a, b, c, d)'), [expression(true)]);
});

t.test('what cannot be told is undefined', async (t) => {
  for (const sql of [
    'SELECT email FROM users UNION SELECT note FROM orders',
    'SELECT * FROM users',
    'VALUES (1)',
    'SELECT (',
    'SELECT 1; SELECT 2',
    'DELETE FROM users',
  ])
    t.equal(view(sql), undefined, sql);
});
