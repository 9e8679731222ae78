import t from 'tap';
import {
  decodeText,
  findFacts,
  NO_FACTS,
  UNKNOWN,
} from '../../../protocols/mysql/statement-text.ts';

const facts = (text: string) => findFacts(text, { noBackslashEscapes: false });

t.test('texts are read in the charset that they are in (MY-37)', async (t) => {
  t.equal(decodeText(Buffer.from('caf\u00e9'), 'utf8mb4'), 'caf\u00e9');
  t.equal(decodeText(Buffer.from([0x63, 0xe9, 0x80, 0x81]), 'latin1'), 'c\u00e9\u20ac\u0081');
  t.equal(decodeText(Buffer.from([0x27, 0xbf, 0x27]), 'utf8mb4'), "'\ufffd'", 'no quote is lost');
  t.equal(decodeText(Buffer.from([0xe9]), 'ascii'), undefined);
  t.equal(decodeText(Buffer.from([0xbf, 0x5c]), undefined), undefined);
  t.equal(decodeText(Buffer.from('select 1'), undefined), 'select 1');
});

t.test('USE, plain or hidden (MY-63)', async (t) => {
  for (const [text, database] of [
    ['use a', 'a'],
    [' /* c */ USE `a``b` ; ', 'a`b'],
    ['use`a`', 'a'],
    ['select 1; use a', UNKNOWN],
    ['/*! use a */', UNKNOWN],
    ['select 1 from t use index (i)', undefined],
    ["select 'then use it'", undefined],
    ['-- use a\nselect 1', undefined],
    ['begin not atomic use a; end', UNKNOWN],
  ] as const)
    t.equal(facts(text).change.database, database, text);
});

t.test('charsets, plain or not (MY-61)', async (t) => {
  for (const [text, charset] of [
    ['SET NAMES utf8mb4', 'utf8mb4'],
    ["set names 'latin1' collate latin1_bin;", 'latin1'],
    ['set character set latin1', 'latin1'],
    ['set @@session.character_set_client = latin1', 'latin1'],
    ['/*!40101 SET NAMES utf8 */', UNKNOWN],
    ['set @a = 1, names gbk', UNKNOWN],
    ['set names default', UNKNOWN],
    ['update t set names = 1', undefined],
    ['set @a = 1; insert into names values (1)', undefined],
    ["set session_track_system_variables = ''", UNKNOWN],
  ] as const)
    t.equal(facts(text).change.charset, charset, text);
});

t.test('definitions', async (t) => {
  for (const text of [
    'create table t (a int)',
    ' /* x */ DROP TABLE t',
    'select 1; alter table t x',
  ])
    t.ok(facts(text).changesSchema, text);
  for (const text of ["select 'drop'", 'insert into t values (1)', 'select `create` from t'])
    t.notOk(facts(text).changesSchema, text);
});

t.test('files are asked for by LOAD DATA LOCAL only (MY-34)', async (t) => {
  t.ok(facts("load/**/data low_priority local infile 'f' into table t").asksForFile);
  t.ok(facts("load xml local infile 'f' into table t").asksForFile);
  t.notOk(facts("load data infile 'f' into table t").asksForFile);
  t.notOk(facts("select 'load data local infile'").asksForFile);
});

t.test('dynamic SQL that may be a USE (MY-39)', async (t) => {
  t.ok(facts("prepare s from 'use a'").mayHideUse);
  t.ok(facts('prepare s from @a').mayHideUse);
  t.ok(facts("execute immediate concat('u', 'se a')").mayHideUse);
  t.notOk(facts("prepare s from 'select 1'").mayHideUse);
  t.ok(facts('execute s').executesPrepared);
});

t.test('a USE is found however a literal spells it (MY-39, MY-63)', async (t) => {
  for (const text of [
    "execute immediate 'u' 'se a'",
    "execute immediate 'u'/*x*/\n'se a'",
    `execute immediate 'u'"se a"`,
    "execute immediate 'u' /*!50000 'se a' */",
    "/*! execute immediate 'u' */ 'se a'",
    String.raw`execute immediate 'us\e a'`,
    String.raw`prepare s from "\u\s\e a"`,
    String.raw`prepare s from '\nuse a'`,
    "prepare s from n'u' 'se a'",
    "prepare s from 'u' 'se a'",
    "prepare s from 'use `index`'",
    "prepare s from 'use index\u00e9'",
    "prepare s from 'use indexes'",
    "set statement max_statement_time = 1 for prepare s from 'use a'",
  ])
    t.ok(facts(text).mayHideUse, text);
  for (const text of [
    "execute immediate 'select * from t use index (i)'",
    "prepare s from 'select * from t USE KEY FOR JOIN () where a = ''x'' '",
    "prepare s from 'select * from t use\nindex (i)';",
    "execute immediate 'select ?' using 'a'",
    String.raw`prepare s from 'select \'a\''`,
    'deallocate prepare s',
  ])
    t.notOk(facts(text).mayHideUse, text);
});

t.test('dynamic SQL that may set a character set (MY-39, MY-61)', async (t) => {
  for (const text of [
    "execute immediate 'set names latin1'",
    String.raw`prepare s from '\set character_set_client = latin1'`,
    "execute immediate 's' 'et names latin1'",
    'prepare s from @a',
  ])
    t.ok(facts(text).mayHideCharset, text);
  t.notOk(facts("prepare s from 'select names from t'").mayHideCharset);
  t.notOk(facts("execute immediate 'set @a = 1'").mayHideCharset);
  t.equal(facts('select 1; set names latin1').change.charset, UNKNOWN);
  t.equal(facts('select 1;set names latin1').change.charset, UNKNOWN);
});

t.test('SET STATEMENT runs what stands behind FOR (MY-43, MY-63)', async (t) => {
  const before = 'set statement max_statement_time = 1 for';
  t.equal(facts(`${before} use a`).change.database, UNKNOWN);
  t.ok(facts(`${before} execute s`).executesPrepared);
  t.ok(facts(`${before} drop table a`).changesSchema);
  t.ok(
    facts('begin not atomic declare exit handler for sqlexception execute s; end').executesPrepared,
  );
});

t.test('a long text without any of the words costs nothing more', async (t) => {
  t.equal(facts(`insert into t values ('${'x'.repeat(100_000)}')`), NO_FACTS);
});

t.test('hostile texts are searched in linear time', async (t) => {
  const count = 200_000;
  for (const part of ['load data local ', 'set set ', '-', '#', '/*', "'", ' ', ';', 'use ', '`'])
    facts(`use ${part.repeat(count)}`);
  t.pass('it ends');
});
