import t from 'tap';
import type { ObjectEffect } from '../../../../lib/sql/analysis.ts';
import { parseText } from '../../../../lib/sql/mysql/parse.ts';
import { addSecondOpinion } from '../../../../lib/sql/mysql/second-reader.ts';
import { analyzeStatements } from '../../../../lib/sql/mysql/analysis.ts';
import { MARIADB, MYSQL } from './analyze.ts';

function opinion(
  text: string,
  effects: readonly ObjectEffect[],
  reading = MARIADB,
): ReturnType<typeof addSecondOpinion> {
  const { statements } = parseText(text, { ...reading, ansiQuotes: false, sixDigits: true });
  return addSecondOpinion(text, [statements], effects, reading);
}

t.test('what it sees and we lack is added and counted', async (t) => {
  for (const reading of [MARIADB, MYSQL]) {
    const { effects, disagreements } = opinion('DELETE FROM db.t', [], reading);
    t.equal(disagreements, 2);
    t.match(effects, [
      { effect: 'delete', object: { schema: 'db', name: 't' }, via: 'the second reader' },
      { effect: 'delete', object: undefined },
    ]);
  }
  t.match(opinion('DROP TABLE t', []).effects, [{ effect: 'drop', object: { schema: 'app' } }, {}]);
  t.equal(opinion('TRUNCATE t', []).disagreements, 2);
});

t.test('it never takes anything away', async (t) => {
  const known: readonly ObjectEffect[] = [{ effect: 'drop', object: undefined }];
  t.same(opinion('SELECT 1', known).effects.slice(0, 1), known);
});

t.test('where it fails, and where it cannot be compared, nothing follows', async (t) => {
  const texts = [
    'ANALYZE DELETE FROM t',
    'EXPLAIN DELETE FROM t',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    'DROP TEMPORARY TABLE t',
    `SELECT '${'x'.repeat(3000)}' FROM t`,
  ];
  for (const text of texts) t.equal(opinion(text, []).disagreements, 0, text);
});

t.test('on plain statements both see the same', async (t) => {
  const texts = [
    'SELECT a FROM t WHERE b = 1',
    'SELECT x.a FROM t AS x JOIN db.u ON x.i = u.i',
    'WITH w AS (SELECT a FROM t) SELECT a FROM w',
    'SELECT a FROM (SELECT a FROM t) AS d',
    'INSERT INTO t (a) VALUES (1)',
    'INSERT INTO t SELECT a FROM u',
    'REPLACE INTO t VALUES (1)',
    'UPDATE t SET a = 1 WHERE b = 2',
    'UPDATE t AS x JOIN u ON x.i = u.i SET x.a = 1',
    'DELETE FROM t WHERE a = 1',
    'DELETE x FROM t AS x JOIN u ON x.i = u.i',
    'DROP TABLE a, b',
    'DROP VIEW v',
    'DROP DATABASE d',
    'TRUNCATE TABLE t',
    'ALTER TABLE t DROP COLUMN a',
    'CREATE TABLE t (a int)',
    'CREATE INDEX i ON t (a)',
    'CALL p(1)',
    'RENAME TABLE a TO b',
    'SELECT 1; DELETE FROM t',
  ];
  for (const text of texts) {
    const { disagreements } = analyzeStatements(text, { sensitive: undefined, reading: MARIADB });
    t.equal(disagreements, 0, text);
  }
});
