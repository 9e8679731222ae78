import t from 'tap';
import {
  blankKey,
  blankSecret,
  blankStatementSecrets,
} from '../../../protocols/postgres/secrets.ts';
import { recordedFrom, sentTo } from '../../support/play.ts';
import { signedIn } from '../../support/postgres-session.ts';
import { int32, message, parse, query } from '../../support/raw-postgres.ts';

/** Every way in which PostgreSQL lets one write a string. */
const LITERALS = [
  "'hunter2'",
  "E'hunter2'",
  "e'\\\\hunter2'",
  "'it''s hunter2'",
  "U&'hunter2'",
  "U&'hun!0074er2 hunter2' UESCAPE '!'",
  "N'hunter2'",
  '$$hunter2$$',
  '$x$hunter2$x$',
  '$Ünïcode$hunter2$Ünïcode$',
  "'hun'\n'hunter2'",
  "/* a */ 'hunter2' /* b */",
  "-- it's\n'hunter2'",
  "'a $$ hunter2'",
];

const STATEMENTS: readonly ((literal: string) => string)[] = [
  (literal) => `CREATE ROLE r PASSWORD ${literal}`,
  (literal) => `create role r login encrypted\npassword ${literal} valid until 'x'`,
  (literal) => `ALTER USER r WITH PaSsWoRd ${literal}`,
  (literal) => `ALTER ROLE "o'r" PASSWORD ${literal}`,
  (literal) => `CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'bob', password ${literal})`,
  (literal) => `ALTER USER MAPPING FOR u SERVER s OPTIONS (SET "password" ${literal})`,
  (literal) => `ALTER USER MAPPING FOR u SERVER s OPTIONS (U&"p\\0061ssword" ${literal})`,
  (literal) => `CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (passwd ${literal})`,
  (literal) => `CREATE SUBSCRIPTION s CONNECTION ${literal} PUBLICATION p`,
  (literal) => `ALTER SUBSCRIPTION s CONNECTION ${literal}`,
  (literal) => `SELECT dblink_connect(${literal})`,
  (literal) => `SELECT * FROM public."dblink"(${literal}, 'select 1') AS t(a int)`,
  (literal) => `SELECT 'first'; ALTER ROLE r PASSWORD ${literal}; SELECT 'last'`,
  (literal) => `ALTER ROLE r SET my.secret TO ${literal}`,
];

t.test('no secret survives in the recording, in whatever literal (GW-16)', async (t) => {
  for (const make of STATEMENTS) {
    for (const literal of LITERALS) {
      const sql = make(literal);
      for (const bytes of [query(sql), parse('name', sql, [23])]) {
        const shown = blankStatementSecrets(bytes);
        t.notMatch(shown.toString('latin1'), 'hunter2', sql);
        t.equal(shown.length, bytes.length, 'lengths stay');
        t.same(shown.subarray(0, 5), bytes.subarray(0, 5), 'and the header');
      }
    }
  }
});

t.test('a secret inside of a connection string', async (t) => {
  for (const sql of [
    "select f('host=h password=hunter2 user=u')",
    'select f($$password=hunter2$$)',
    "do 'begin perform dblink(''password=hunter2''); end'",
  ]) {
    t.notMatch(blankStatementSecrets(query(sql)).toString(), 'hunter2', sql);
  }
});

t.test('other statements are recorded as they are', async (t) => {
  for (const sql of [
    "select 'hunter2'",
    'select password from users',
    'select $1',
    'drop role r',
    '',
  ]) {
    const bytes = query(sql);
    t.equal(blankStatementSecrets(bytes), bytes, sql);
  }
});

t.test('the name of a Parse and what stands behind its text stay', async (t) => {
  const shown = blankStatementSecrets(parse('s1', "alter role r password 'hunter2'", [23]));
  const blanked = parse('s1', `alter role r password ${'*'.repeat("'hunter2'".length)}`, [23]);
  t.same(shown, blanked);
});

t.test('the server gets what the recording does not', async (t) => {
  const talk = signedIn();
  const bytes = query("alter role r password 'hunter2'");
  const commands = talk.client(bytes);
  t.same(sentTo('server', commands), bytes);
  t.notMatch(recordedFrom('client', commands).toString(), 'hunter2');
});

t.test('password messages and keys', async (t) => {
  t.equal(
    blankSecret(message('p', Buffer.from('hunter2\0'))).toString('latin1'),
    'p\0\0\0\f********',
  );
  const key = message('K', int32(77), Buffer.alloc(32, 9));
  t.same(blankKey(key), message('K', int32(77), Buffer.alloc(32)));
  t.equal(blankKey(message('S', Buffer.from('a\0b\0'))).length, 9);
});
