import t from 'tap';
import type { Exposure, SensitiveRelations } from '../../../../lib/sql/analysis.ts';
import { ALLOWED, HARMLESS, SENSITIVE, SYSTEM } from './exposure-cases.ts';
import { UNTRACEABLE } from './exposure-refusals.ts';
import { exposureOf as judge, READING } from './read-statements.ts';

function exposureOf(sql: string, sensitive: SensitiveRelations = SENSITIVE): Exposure {
  return judge(sql, sensitive);
}

function lettersOf(exposure: Exposure): string | undefined {
  const letters = { masked: 'm', clear: 'c', star: '*' } as const;
  return exposure.outputs[0]?.map((kind) => letters[kind]).join('');
}

t.test('allowed statements tell which of their outputs are masked (MY-64)', async (t) => {
  t.ok(ALLOWED.length >= 120);
  for (const [verdict, outputs, sql] of ALLOWED) {
    const exposure = exposureOf(sql);
    t.ok(exposure.touches, sql);
    t.equal(exposure.untraceable, undefined, sql);
    t.equal(exposure.steers !== undefined, verdict === 'S', `${sql}: ${exposure.steers}`);
    t.equal(lettersOf(exposure), outputs, sql);
  }
});

t.test('what takes on masked values is refused (MY-67)', async (t) => {
  t.ok(UNTRACEABLE.length >= 80);
  for (const sql of UNTRACEABLE) {
    const exposure = exposureOf(sql);
    t.ok(exposure.untraceable, sql);
    t.ok(exposure.touches, sql);
  }
});

t.test('everyday statements on other tables are left alone', async (t) => {
  t.ok(HARMLESS.length >= 50);
  for (const [outputs, sql] of HARMLESS) {
    const exposure = exposureOf(sql);
    t.same(
      { ...exposure, outputs: lettersOf(exposure) },
      { touches: exposure.touches, untraceable: undefined, steers: undefined, outputs },
      sql,
    );
    const isOfServer = /information_schema\.processlist/.test(sql);
    t.equal(exposure.touches, isOfServer, sql);
  }
});

t.test('statements, statistics and messages of others are masked (MY-66)', async (t) => {
  for (const [outputs, sql] of SYSTEM) {
    const exposure = exposureOf(sql);
    t.equal(exposure.untraceable, undefined, sql);
    t.equal(lettersOf(exposure), outputs, sql);
  }
});

t.test('without masks nothing is masked, refused or touched', async (t) => {
  const none: SensitiveRelations = { version: '0', relations: [], plain: SENSITIVE.plain ?? [] };
  for (const sql of [...UNTRACEABLE, ...SYSTEM.map(([, text]) => text)]) {
    const exposure = exposureOf(sql, none);
    t.equal(exposure.untraceable, undefined, sql);
    t.equal(exposure.steers, undefined, sql);
    t.notOk(exposure.touches, sql);
    t.notOk(
      exposure.outputs.some((kinds) => kinds?.includes('masked')),
      sql,
    );
  }
});

t.test('names without a database belong to the current one, which USE changes', async (t) => {
  const elsewhere = { ...READING, database: 'other' };
  t.notOk(judge('SELECT ssn FROM orders', SENSITIVE, elsewhere).untraceable);
  t.equal(lettersOf(judge('SELECT * FROM users', SENSITIVE, elsewhere)), '*');
  t.equal(lettersOf(judge('SELECT * FROM app.users', SENSITIVE, elsewhere)), 'ccmm');
  const after = judge('USE app; SELECT * FROM users', SENSITIVE, elsewhere);
  t.same(after.outputs, [undefined, ['clear', 'clear', 'masked', 'masked']]);
  // Without a current database the server refuses the name; until it does, it may be any.
  const nowhere = { ...READING, database: undefined };
  t.equal(lettersOf(judge('SELECT * FROM users', SENSITIVE, nowhere)), 'ccmm');
});

t.test('columns of tables that nobody knows are masked by name alone', async (t) => {
  t.equal(lettersOf(exposureOf('SELECT ssn, other FROM made_a_moment_ago')), 'mc');
  t.ok(exposureOf('INSERT INTO orders (note) SELECT ssn FROM made_a_moment_ago').untraceable);
  t.equal(lettersOf(exposureOf('SELECT ssn FROM (SELECT 1 AS ssn) q')), 'c');
});

t.test('names beyond ASCII are taken for what a server may take them for (MY-63)', async (t) => {
  const sensitive: SensitiveRelations = {
    version: 'k',
    relations: [
      {
        schema: 'app',
        name: 'keys',
        masked: ['k', 'größe'],
        clear: ['id'],
        columns: ['id', 'k', 'größe'],
      },
    ],
    plain: [],
  };
  const outputs = (sql: string): string | undefined => lettersOf(exposureOf(sql, sensitive));
  // The Kelvin sign is a k for Unicode, and perhaps for the next server.
  t.equal(outputs('SELECT `\u212A` FROM `keys`'), 'm');
  t.equal(outputs('SELECT q.`\u212A` FROM (SELECT * FROM `keys`) q'), 'm');
  t.equal(outputs('SELECT größe FROM `keys`'), 'm');
  // No server knows the first, and what none knows is not trusted to be clear.
  t.equal(outputs('SELECT GRÖSSE, GRÖßE FROM `keys`'), 'mm');
  t.equal(outputs('SELECT grö\u017Fe FROM `keys`'), 'm');
  t.equal(outputs('SELECT `k ` FROM `keys`'), 'm');
  t.equal(outputs('SELECT id FROM `keys`'), 'c');
});

t.test('names that servers make up may be any name (MY-64)', async (t) => {
  const masked = [
    "SELECT a FROM (SELECT UPPER(ssn) AS ' a' FROM users) q",
    'SELECT z FROM (SELECT +z FROM (SELECT UPPER(ssn) AS z FROM users) a) b',
    'SELECT (SELECT z FROM (SELECT +x FROM (SELECT UPPER(ssn) AS x FROM users) a) b) FROM (SELECT 1 AS z) c',
    'SELECT `1` FROM (VALUES (1), ((SELECT MAX(ssn) FROM users))) q',
    "SELECT x FROM (SELECT 'x' UNION SELECT ssn FROM users) q",
  ];
  for (const sql of masked) t.equal(lettersOf(exposureOf(sql)), 'm', sql);
  const named = 'SELECT a FROM (SELECT name AS a, UPPER(ssn) FROM users) q';
  t.equal(lettersOf(exposureOf(named)), 'c');
  const joined = exposureOf('SELECT * FROM (SELECT 1) a NATURAL JOIN users').outputs[0];
  t.ok(joined?.includes('masked'));
});

t.test('the order within PERCENTILE_DISC is its value', async (t) => {
  const value = 'SELECT PERCENTILE_DISC(1) WITHIN GROUP (ORDER BY ssn) OVER () FROM users';
  t.equal(lettersOf(exposureOf(value)), 'm');
  t.equal(lettersOf(exposureOf('SELECT GROUP_CONCAT(name ORDER BY ssn) FROM users')), 'c');
});

t.test('a column of the same name in another database is another column', async (t) => {
  const other = 'UPDATE other.users, app.users SET other.users.ssn = app.users.ssn';
  t.type(exposureOf(other).untraceable, 'string');
  t.equal(exposureOf('UPDATE users SET ssn = ssn').untraceable, undefined);
});

t.test('a statement for each of several, each with its own outputs', async (t) => {
  const exposure = exposureOf(
    'SELECT ssn FROM users; SELECT 1; DELETE FROM orders; SELECT * FROM users',
  );
  t.same(exposure.outputs, [
    ['masked'],
    ['clear'],
    undefined,
    ['clear', 'clear', 'masked', 'masked'],
  ]);
  t.ok(exposureOf('SELECT 1; UPDATE users SET name = ssn; SELECT 2').untraceable);
});

t.test('a reason names the construct and the column, never a literal', async (t) => {
  const { untraceable } = exposureOf("UPDATE users SET name = concat('secret', ssn)");
  t.match(untraceable, /UPDATE.*ssn/);
  t.notMatch(untraceable, 'secret');
  t.match(exposureOf("SELECT id FROM users WHERE email = 'secret'").steers, /WHERE.*email/);
});

t.test('work is bounded', async (t) => {
  // Each level doubles the columns: 2 to the power of 40 in the end.
  let sql = 'SELECT *, users.* FROM users';
  for (let level = 0; level < 40; level += 1) sql = `SELECT *, q${level}.* FROM (${sql}) q${level}`;
  t.throws(() => exposureOf(sql), /too many/);
});
