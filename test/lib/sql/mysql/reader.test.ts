import t, { type Test } from 'tap';
import type { AnalysisResult } from '../../../../lib/sql/analysis.ts';
import { createMysqlReader, type MysqlReader } from '../../../../lib/sql/mysql/reader.ts';
import { MARIADB, MYSQL } from './analyze.ts';
import { SENSITIVE } from './exposure-cases.ts';

function open(t: Test, options?: Parameters<typeof createMysqlReader>[0]): MysqlReader {
  const reader = createMysqlReader({ workers: 1, deadlineMs: 60_000, ...options });
  t.teardown(() => reader.close());
  return reader;
}

function effects(result: AnalysisResult): readonly string[] {
  return result.kind === 'analysis' ? result.effects.map(({ effect }) => effect) : [result.kind];
}

t.test(
  'the second time the answer is there at once, and for every text of its shape',
  async (t) => {
    const reader = open(t);
    const first = reader.analyze("DELETE FROM t WHERE a = 'x'", undefined, MARIADB);
    t.ok(first instanceof Promise);
    t.same(effects(await first), ['delete', 'read']);
    t.equal(reader.analyze("DELETE FROM t WHERE a = 'x'", undefined, MARIADB), await first);
    t.equal(reader.analyze("DELETE FROM t WHERE a = 'yy'", undefined, MARIADB), await first);
    // Here a literal is the name of a column.
    await reader.analyze("SELECT x FROM (SELECT 'x') AS d", undefined, MARIADB);
    t.ok(reader.analyze("SELECT x FROM (SELECT 'y') AS d", undefined, MARIADB) instanceof Promise);
  },
);

t.test('everything that decides how a text is read is part of the key', async (t) => {
  const reader = open(t);
  const sql = 'SELECT a FROM users';
  await reader.analyze(sql, undefined, MARIADB);
  const readings = [
    { ...MARIADB, database: 'other' },
    { ...MARIADB, database: undefined },
    { ...MARIADB, ansiQuotes: true },
    { ...MARIADB, ansiQuotes: undefined },
    { ...MARIADB, noBackslashEscapes: true },
    { ...MARIADB, server: { flavor: 'mariadb' as const, version: 110_000 } },
    { ...MARIADB, server: { ...MARIADB.server, flavor: 'mysql' as const } },
    MYSQL,
  ];
  for (const reading of readings) {
    const answer = reader.analyze(sql, undefined, reading);
    t.ok(answer instanceof Promise, JSON.stringify(reading));
    const result = await answer;
    const [effect] = result.kind === 'analysis' ? result.effects : [];
    t.equal(effect?.object?.schema, reading.database);
  }
  const masked = reader.analyze(sql, SENSITIVE, MARIADB);
  t.ok(masked instanceof Promise);
  t.match(await masked, { exposure: { touches: true } });
  t.ok(reader.analyze(sql, { ...SENSITIVE, version: 'other' }, MARIADB) instanceof Promise);
  t.ok(reader.analyze(sql) instanceof Promise);
});

t.test('threads are told of the relations without masks as well', async (t) => {
  const reader = open(t);
  const known = { schema: 'app', name: 'made', columns: ['id', 'ssn'] };
  const sensitive = { ...SENSITIVE, version: 'with one more', plain: [known] };
  for (const sql of ['SELECT * FROM app.made', 'SELECT id, ssn FROM app.made']) {
    const result = await reader.analyze(sql, sensitive, MARIADB);
    const exposure = result.kind === 'analysis' ? result.exposure : undefined;
    t.same(exposure?.outputs, [['clear', 'clear']], sql);
  }
});

t.test('what cannot be read is refused, and the reader goes on', async (t) => {
  const reader = open(t, { parseSizeMax: 1000 });
  t.match(reader.analyze('SELECT 1;\u0000'), { kind: 'refused' });
  t.match(reader.analyze(`SELECT '${'x'.repeat(1000)}'`), { kind: 'refused' });
  t.match(reader.analyze("SELECT '\ud800'"), { kind: 'refused' });
  t.match(await reader.analyze(`SELECT ${'('.repeat(900)}`), { kind: 'refused' });
  t.match(await reader.analyze('SELECT FROM'), { kind: 'syntax-error' });
  t.same(effects(await reader.analyze('SELECT 1')), ['read']);
});

t.test('routines and views', async (t) => {
  const reader = open(t);
  const definition = 'CREATE PROCEDURE p() DELETE FROM users';
  const first = reader.analyzeRoutine('sql', definition, SENSITIVE, MARIADB);
  t.same(effects(await first), ['delete']);
  t.notOk(reader.analyzeRoutine('sql', definition, SENSITIVE, MARIADB) instanceof Promise);
  t.match(reader.analyzeRoutine('sql', 'a\u0000b'), { kind: 'refused' });
  t.equal((await reader.analyzeView('select 1 AS `a`,2 AS `b`', SENSITIVE))?.length, 2);
  t.equal(await reader.analyzeView('select', SENSITIVE), undefined);
  t.equal(await reader.analyzeView('\u0000', SENSITIVE), undefined);
});

t.test('what the second reader sees is counted', async (t) => {
  const reader = open(t);
  await reader.analyze('SELECT a FROM t', undefined, MARIADB);
  t.equal(reader.disagreements, 0);
});

t.test('askers of the same text share one reading', async (t) => {
  const reader = open(t);
  const [first, second] = [reader.analyze('SELECT 1 -- a'), reader.analyze('SELECT 1 -- a')];
  t.equal(first, second);
  await first;
});
