import t from 'tap';
import { redactDiagnostic, redactNotification } from '../../../protocols/postgres/diagnostics.ts';
import { errorOf } from '../../support/postgres-session.ts';
import { cstring, decodeFields, int32, message } from '../../support/raw-postgres.ts';

const SECRET = '222-33-4444';
const redacted = (bytes: Buffer): Record<string, string> =>
  decodeFields(redactDiagnostic(bytes).subarray(5));

/** PG-81: what leaked in real servers. */
const LEAKS: readonly [string, string, Record<string, string>][] = [
  ['22P02', `invalid input syntax for type integer: "${SECRET}"`, { F: 'numutils.c' }],
  [
    '23505',
    'duplicate key value violates unique constraint "k"',
    { D: `Key (ssn)=(${SECRET}) already exists.`, F: 'nbtinsert.c' },
  ],
  [
    '23514',
    'new row violates check constraint',
    { D: `Failing row contains (${SECRET}).`, F: 'execMain.c' },
  ],
  ['22007', 'bad', { H: SECRET, W: `COPY t, line 1, column a: "${SECRET}"`, q: SECRET, F: 'x.c' }],
  ['P0001', SECRET, { F: 'pl_exec.c' }],
  ['99999', SECRET, {}],
  [
    '42703',
    `column "${SECRET}" does not exist`,
    { q: `select "${SECRET}"`, F: 'parse_relation.c' },
  ],
  [
    '42704',
    'type "x" does not exist',
    { W: `SQL statement "select '${SECRET}'::x"`, F: 'parse_type.c' },
  ],
];

t.test('texts that may quote a value are gone, the rest is kept (GW-11, PG-81)', async (t) => {
  for (const [code, text, fields] of LEAKS) {
    const bytes = errorOf(code, text, {
      ...fields,
      s: 'public',
      t: 'people',
      c: 'ssn',
      n: 'k',
      P: '8',
      L: '1',
      R: 'f',
    });
    t.notMatch(redactDiagnostic(bytes).toString(), SECRET, code);
    t.match(redacted(bytes), { S: 'ERROR', V: 'ERROR', C: code, P: '8' });
    if (fields['F'] !== 'pl_exec.c')
      t.match(redacted(bytes), { s: 'public', t: 'people', c: 'ssn', n: 'k' });
  }
});

t.test(
  'RAISE puts any text under any SQLSTATE and into any field, whatever the language',
  async (t) => {
    for (const file of [
      'pl_exec.c',
      'plperl.c',
      'plpy_elog.c',
      'plpy_plpymodule.c',
      'pltcl.c',
      'plv8.cc',
    ]) {
      const bytes = errorOf('42601', SECRET, {
        F: file,
        c: SECRET,
        t: SECRET,
        n: SECRET,
        d: SECRET,
        s: SECRET,
      });
      t.notMatch(redactDiagnostic(bytes).toString(), SECRET, file);
    }
  },
);

t.test('texts that speak of the statement and the catalog only stay (PG-81)', async (t) => {
  for (const code of ['42601', '42P01', '42703', '42501', '25P02', '57014', '40001', '40P01']) {
    const bytes = errorOf(code, 'as it is', { F: 'parse_relation.c', H: 'hint' });
    t.equal(redactDiagnostic(bytes), bytes, code);
  }
});

t.test('notices keep their type, hostile layouts do no harm', async (t) => {
  const notice = message('N', Buffer.from(`SNOTICE\0C00000\0M${SECRET}\0Fpl_exec.c\0\0`));
  t.equal(redactDiagnostic(notice)[0], 'N'.charCodeAt(0));
  for (const body of ['', '\0', 'M', `M${SECRET}`, `C22P02\0M${SECRET}`]) {
    t.notMatch(
      redactDiagnostic(message('E', Buffer.from(body))).toString(),
      SECRET,
      JSON.stringify(body),
    );
  }
});

t.test('the payload of a notification is data, its channel is not (GW-11)', async (t) => {
  const bytes = message('A', int32(5), cstring('channel'), cstring(SECRET));
  t.same(
    redactNotification(bytes),
    message('A', int32(5), cstring('channel'), cstring('redacted by Weir')),
  );
  const empty = message('A', int32(5), cstring('channel'), cstring(''));
  t.equal(redactNotification(empty), empty);
});
