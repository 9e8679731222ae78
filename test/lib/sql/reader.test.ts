import t, { type Test } from 'tap';
import type { AnalysisResult, SqlReader } from '../../../lib/sql/analysis.ts';
import { createPostgresReader } from '../../../lib/sql/reader.ts';
import { SENSITIVE } from './exposure-cases.ts';

function open(t: Test, options?: Parameters<typeof createPostgresReader>[0]): SqlReader {
  const reader = createPostgresReader({ workers: 1, deadlineMs: 60_000, ...options });
  t.teardown(() => reader.close());
  return reader;
}

function effects(result: AnalysisResult): readonly string[] {
  return result.kind === 'analysis' ? result.effects.map(({ effect }) => effect) : [result.kind];
}

t.test('the second time the answer is there at once', async (t) => {
  const reader = open(t);
  const first = reader.analyze('DELETE FROM t');
  t.ok(first instanceof Promise);
  t.same(effects(await first), ['delete']);
  const second = reader.analyze('DELETE FROM t');
  t.notOk(second instanceof Promise);
  t.equal(second, await first);
});

t.test('a text of a known shape is answered at once, if no literal mattered', async (t) => {
  const reader = open(t);
  await reader.analyze("SELECT a FROM t WHERE b = 'x' AND c = 1");
  t.notOk(reader.analyze("SELECT a FROM t WHERE b = 'yy' AND c = 22") instanceof Promise);
  t.ok(reader.analyze("SELECT a FROM t WHERE b = E'x' AND c = 1") instanceof Promise);
  await reader.analyze("SELECT set_config('a.b', 'c', false)");
  const other = reader.analyze("SELECT set_config('client_encoding', 'sjis', false)");
  t.ok(other instanceof Promise);
  const result = await other;
  t.equal(result.kind === 'analysis' && result.lexerHazards.length, 1);
});

t.test('the version of the sensitive relations is part of the key', async (t) => {
  const reader = open(t);
  const sql = 'SELECT lower(email) FROM users';
  const plain = await reader.analyze(sql);
  const judged = await reader.analyze(sql, SENSITIVE);
  t.equal(plain.kind === 'analysis' && plain.exposure, undefined);
  t.ok(judged.kind === 'analysis' && judged.exposure?.untraceable);
  const next = reader.analyze(sql, { version: 'test-2', relations: [] });
  t.ok(next instanceof Promise, 'not the answer of another version');
  const empty = await next;
  t.equal(empty.kind === 'analysis' && empty.exposure?.untraceable, undefined);
  t.notOk(reader.analyze('SELECT lower(email) FROM users', SENSITIVE) instanceof Promise);
  t.equal(
    reader.analyze(`${sql}\u0000test-1`).valueOf(),
    reader.analyze('\u0000'),
    'a zero byte is no way in',
  );
});

t.test('two askers share one reading', async (t) => {
  const reader = open(t);
  const [one, two] = [reader.analyze('SELECT 12 FROM x'), reader.analyze('SELECT 12 FROM x')];
  t.equal(one, two);
  await one;
});

t.test('zero bytes, half characters and large texts are refused (PG-24, PG-74)', async (t) => {
  const reader = open(t, { parseSizeMax: 1000 });
  t.match(reader.analyze('SELECT 1\u0000; DROP TABLE t'), { kind: 'refused', reason: /zero byte/ });
  t.match(reader.analyzeRoutine('sql', 'x\u0000'), { kind: 'refused' });
  t.match(reader.analyze("SELECT '\ud800'"), { kind: 'refused', reason: /well-formed/ });
  t.match(reader.analyze(`SELECT '${'x'.repeat(1000)}'`), {
    kind: 'refused',
    reason: /larger than 1000/,
  });
  t.match(
    reader.analyze(`SELECT '${'\u00e9'.repeat(600)}'`),
    { kind: 'refused' },
    'bytes, not characters',
  );
  t.equal(await reader.analyzeView('SELECT 1\u0000', SENSITIVE), undefined);
});

t.test('syntax errors are told and kept', async (t) => {
  const reader = open(t);
  t.match(await reader.analyze('SELECT ('), { kind: 'syntax-error', position: 9 });
  t.match(reader.analyze('SELECT ('), { kind: 'syntax-error' });
});

t.test('routines and views are read by the workers, too', async (t) => {
  const reader = open(t);
  const definition =
    'CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE sql AS $f$ delete from t $f$';
  t.same(effects(await reader.analyzeRoutine('sql', definition)), ['delete']);
  t.notOk(reader.analyzeRoutine('sql', definition) instanceof Promise);
  t.same(await reader.analyzeView('SELECT email FROM users', SENSITIVE), [
    { kind: 'column', name: 'email', relation: 'users' },
  ]);
});

t.test(
  'a text that breaks the parser is refused, the others are answered, and it goes on (PG-74)',
  async (t) => {
    const reader = open(t);
    const breaking = `SELECT a${'+a'.repeat(120_000)}`;
    const others = Array.from({ length: 12 }, (_, index) => `DELETE FROM t${index}`);
    const answers = await Promise.all([
      ...others.slice(0, 4).map((sql) => reader.analyze(sql)),
      reader.analyze(breaking),
      ...others.slice(4).map((sql) => reader.analyze(sql)),
    ]);
    t.match(answers[4], { kind: 'refused', reason: /failed on this statement/ });
    for (const [index, answer] of answers.entries())
      if (index !== 4) t.same(effects(answer), ['delete'], `text ${index}`);
    for (let round = 0; round < 3; round += 1)
      t.equal((await reader.analyze(`${breaking}+${round}`)).kind, 'refused');
    t.same(effects(await reader.analyze('WITH x AS (DELETE FROM t RETURNING 1) TABLE x')), [
      'delete',
      'read',
    ]);
    // 60,000 terms fit the parser's stack of 8 MB, but not a reading in good time of what is in them.
    t.match(await reader.analyze(`SELECT a${'+a'.repeat(60_000)}`), { kind: 'refused' });
    t.same(effects(await reader.analyze('TRUNCATE t')), ['truncate']);
  },
);

t.test(
  'a text that takes too long is refused and its thread ended; the rest is answered',
  async (t) => {
    // Some 5 s of work on an idle machine of 2024, and innocents that take nothing like 1 s anywhere.
    const reader = open(t, { deadlineMs: 1000, parseSizeMax: 64 << 20 });
    const row = "(1,'x',2.5,now()),";
    const slow = `INSERT INTO t VALUES ${row.repeat(300_000)}(1)`;
    const [late, ...others] = await Promise.all([
      reader.analyze(slow),
      ...Array.from({ length: 5 }, (_, index) => reader.analyze(`TRUNCATE t${index}`)),
    ]);
    t.match(late, { kind: 'refused', reason: /too long/ });
    for (const answer of others) t.same(effects(answer), ['truncate']);
    t.same(effects(await reader.analyze('DELETE FROM t')), ['delete']);
  },
);

t.test(
  'a text that only waits is answered, though several before it break the parser (PG-74)',
  async (t) => {
    const reader = open(t);
    const breaking = Array.from({ length: 4 }, (_, index) =>
      reader.analyze(`SELECT b${index}${'+a'.repeat(120_000)}`),
    );
    const waiting = reader.analyze('DELETE FROM waiting');
    for (const answer of breaking) t.match(await answer, { kind: 'refused' });
    t.same(effects(await waiting), ['delete']);
  },
);

t.test('after closing, everything is refused', async (t) => {
  const reader = createPostgresReader({ workers: 1 });
  const waiting = reader.analyze('SELECT 1 FROM waiting');
  await reader.close();
  t.ok((await waiting).kind);
  t.match(await reader.analyze('SELECT 1'), { kind: 'refused', reason: /closed/ });
});
