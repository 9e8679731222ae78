/**
 * Attempts of the `mysql-block` suite: each would delete, truncate or drop something watched, in every
 * disguise of MY-35 and MY-38..MY-62 that one or more commands with texts can wear.
 */

export interface MysqlBlockCase {
  readonly trap: string;
  readonly steps: readonly (string | Buffer)[];
  /** Only as texts of their own: it means something else prepared or among others. */
  readonly isTextOnly?: boolean;
  /** Number of the collation in the handshake. */
  readonly collation?: number;
  /** The refusal may come for another reason than the rule: a character set, a setting (MY-61, MY-62). */
  readonly isHazard?: boolean;
}

const DELETE = 'DELETE FROM watched.victims WHERE id > 5';

function each(trap: string, texts: readonly string[]): MysqlBlockCase[] {
  return texts.map((text) => ({ trap, steps: [text] }));
}

/** Only as a text of its own. */
function alone(trap: string, texts: readonly string[]): MysqlBlockCase[] {
  return texts.map((text) => ({ trap, steps: [text], isTextOnly: true }));
}

const PLAIN = each('plain', [
  DELETE,
  'TRUNCATE watched.parts',
  'TRUNCATE TABLE watched.old_engine',
  'DROP TABLE watched.dependents',
  'DROP TABLES IF EXISTS watched.dependents, watched.nothing RESTRICT',
  'DROP VIEW watched.seen',
  'DROP DATABASE spare',
  'DROP SCHEMA IF EXISTS spare',
  'DROP INDEX by_v ON watched.victims',
  'DROP TRIGGER watched.kept_trigger',
  'DROP PROCEDURE watched.kept',
  'DROP FUNCTION IF EXISTS watched.kept_function',
  'DROP EVENT watched.sleeping',
  'DROP SEQUENCE watched.numbers',
  "DROP USER spare@'%'",
  'DROP ROLE spare_role',
]);

const VERSION_COMMENTS = each('MY-38', [
  `/*! ${DELETE} */`,
  `/*!50000 ${DELETE} */`,
  `/*!50699 ${DELETE} */`,
  `/*!100000 ${DELETE} */`,
  '/*!101100 TRUNCATE watched.parts*/',
  `/*M! ${DELETE} */`,
  `/*M!100000 ${DELETE} */`,
  `/*M!50701 ${DELETE} */`,
  `/*!50000 DELETE */ FROM watched.victims`,
  'DELETE /*!50000 FROM */ watched.victims',
  '/*!50000 drop table*/ /*! if exists */ watched.dependents',
  '/*! DELETE /* plain */ FROM watched.victims */',
  '/*!99999 not run */ DELETE FROM watched.victims',
  '/*M!999999\\- enable the sandbox mode */ DELETE FROM watched.victims',
  '/*!50701 SELECT 1 */ DELETE FROM watched.victims',
  "SELECT 1 /*!99999 + '*/; DELETE FROM watched.victims -- '",
  "SELECT '/*', 1; DELETE FROM watched.victims -- */",
]);

const DYNAMIC: readonly MysqlBlockCase[] = [
  ...[
    [`PREPARE s FROM '${DELETE}'`, 'EXECUTE s'],
    ["SET @q = CONCAT('del', 'ete from watched.victims')", 'PREPARE s FROM @q', 'EXECUTE s'],
    [
      'SET @q = 0x44454c4554452046524f4d20776174636865642e76696374696d73',
      'PREPARE s FROM @q',
      'EXECUTE s',
    ],
    ["SELECT 'delete from watched.victims' INTO @q", 'EXECUTE IMMEDIATE @q'],
    ["PREPARE s FROM CONCAT('drop', ' view watched.seen')", 'EXECUTE s'],
    ['PREPARE s FROM "/*!50000 DELETE FROM watched.victims */"', 'EXECUTE s'],
    [
      "CREATE TABLE lab.texts AS SELECT 'DELETE FROM watched.victims' AS t",
      'SELECT t INTO @q FROM lab.texts',
      'EXECUTE IMMEDIATE @q',
    ],
  ].map((steps) => ({ trap: 'MY-39', steps })),
  ...each('MY-39', [
    `EXECUTE IMMEDIATE '${DELETE}'`,
    "EXECUTE IMMEDIATE CONCAT('delete', ' from watched.victims')",
    "EXECUTE IMMEDIATE 'DELETE FROM watched.victims WHERE id > ?' USING 5",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE CONCAT('delete', ' from watched.victims'); END",
    "BEGIN NOT ATOMIC PREPARE s FROM 'delete from watched.victims'; EXECUTE s; END",
  ]),
];

const COMPOUND = each('MY-42', [
  `BEGIN NOT ATOMIC ${DELETE}; END`,
  `IF 1 THEN ${DELETE}; END IF`,
  `IF 0 THEN SELECT 1; ELSEIF 1 THEN SELECT 2; ${DELETE}; END IF`,
  `FOR i IN 1..2 DO ${DELETE}; END FOR`,
  `FOR r IN (SELECT 1 AS a) DO ${DELETE}; END FOR`,
  `BEGIN NOT ATOMIC a: LOOP ${DELETE}; LEAVE a; END LOOP; END`,
  `REPEAT ${DELETE}; UNTIL 1 END REPEAT`,
  `WHILE (SELECT COUNT(*) FROM watched.victims) > 5 DO ${DELETE}; END WHILE`,
  `CASE 1 WHEN 1 THEN ${DELETE}; END CASE`,
  `CASE WHEN 0 THEN SELECT 1; ELSE ${DELETE}; END CASE`,
  `BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION ${DELETE}; SIGNAL SQLSTATE '45000'; END`,
  `BEGIN NOT ATOMIC DECLARE x INT DEFAULT lab.purge_function(); SELECT x; END`,
  `BEGIN NOT ATOMIC BEGIN IF 1 THEN BEGIN ${DELETE}; END; END IF; END; END`,
  'IF lab.purge_function() THEN SELECT 1; END IF',
]);

const WRAPPED = each('MY-43', [
  `SET STATEMENT max_statement_time = 50 FOR ${DELETE}`,
  `ANALYZE ${DELETE}`,
  `ANALYZE FORMAT=JSON ${DELETE}`,
  'SET STATEMENT sort_buffer_size = 100000, max_statement_time = 50 FOR TRUNCATE watched.parts',
  `SET STATEMENT max_statement_time = 50 FOR EXECUTE IMMEDIATE '${DELETE}'`,
]);

const OTHER_FORMS = each('MY-45', [
  'DELETE v FROM watched.victims v JOIN watched.dependents d ON d.victim = v.id',
  'DELETE FROM v USING watched.victims v JOIN watched.dependents d ON d.victim = v.id',
  'DELETE watched.victims.* FROM watched.victims WHERE id > 5',
  'DELETE LOW_PRIORITY QUICK IGNORE FROM watched.victims WHERE id > 5',
  'DELETE FROM watched.victims WHERE id > 5 ORDER BY id LIMIT 3 RETURNING id',
  'DELETE FROM watched.parts PARTITION (p1)',
  'DELETE FROM watched.seen WHERE id > 5',
  'DELETE FROM lab.seen_from_afar WHERE id > 5',
  'DELETE HISTORY FROM watched.history',
  "REPLACE INTO watched.victims (id, v) VALUES (1, 'replaced')",
  'REPLACE watched.victims (id, v) SELECT id, v FROM watched.victims WHERE id < 3',
  'REPLACE DELAYED INTO watched.old_engine SET id = 1, v = 9',
  'CREATE OR REPLACE TABLE watched.part_shape (id INT)',
  'CREATE OR REPLACE TABLE watched.part_shape AS SELECT 1 AS id',
  'CREATE OR REPLACE TABLE watched.part_shape LIKE watched.old_engine',
  'CREATE OR REPLACE SEQUENCE watched.numbers START 7',
  'CREATE OR REPLACE DATABASE spare',
  'ALTER TABLE watched.victims DROP COLUMN keep',
  'ALTER TABLE watched.victims DROP keep',
  'ALTER TABLE watched.victims ADD extra INT, DROP INDEX by_v',
  'ALTER TABLE watched.dependents DROP FOREIGN KEY to_victim',
  'ALTER TABLE watched.victims DROP CONSTRAINT short',
  'ALTER TABLE watched.old_engine DROP PRIMARY KEY',
  'ALTER TABLE watched.parts DROP PARTITION p1',
  'ALTER TABLE watched.parts TRUNCATE PARTITION p2',
  'ALTER TABLE watched.parts EXCHANGE PARTITION p1 WITH TABLE watched.part_shape',
  'ALTER IGNORE TABLE watched.doubles ADD UNIQUE (id)',
  'ALTER TABLE watched.history DROP SYSTEM VERSIONING',
]);

const CODE: readonly MysqlBlockCase[] = [
  ...[
    [`CREATE PROCEDURE lab.mine() ${DELETE}`, 'CALL lab.mine()'],
    [`CREATE OR REPLACE PROCEDURE lab.purge_it() ${DELETE}`, 'CALL lab.purge_it()'],
    [`CREATE FUNCTION lab.mine() RETURNS INT BEGIN ${DELETE}; RETURN 1; END`, 'SELECT lab.mine()'],
    [
      `CREATE TRIGGER lab.mine AFTER INSERT ON lab.sink FOR EACH ROW ${DELETE}`,
      'INSERT INTO lab.sink (n) VALUES (1)',
    ],
    [`CREATE EVENT lab.mine ON SCHEDULE AT CURRENT_TIMESTAMP DO ${DELETE}`, 'SELECT SLEEP(1.5)'],
    [
      'CREATE EVENT lab.mine ON SCHEDULE EVERY 1 SECOND DO CALL lab.purge_it()',
      'SELECT SLEEP(1.5)',
    ],
    [
      `ALTER EVENT watched.sleeping ON SCHEDULE EVERY 1 SECOND ENABLE DO ${DELETE}`,
      'SELECT SLEEP(1.5)',
    ],
    ['CREATE VIEW lab.mine AS SELECT lab.purge_function() AS n', 'SELECT * FROM lab.mine'],
    ['CREATE VIEW lab.mine AS SELECT * FROM watched.victims', 'DELETE FROM lab.mine WHERE id > 5'],
    [
      `CREATE PROCEDURE lab.mine(IN t TEXT) EXECUTE IMMEDIATE t`,
      "CALL lab.mine('DELETE FROM watched.victims')",
    ],
  ].map((steps) => ({ trap: 'MY-46', steps, isTextOnly: true })),
  ...each('MY-46', [
    'CALL lab.purge_it()',
    'CALL lab.purge_it',
    'CALL `lab` . `purge_it` ( )',
    "CALL lab.purge_dynamic('delete from watched.victims')",
    "CALL lab.purge_dynamic(CONCAT('del', 'ete from watched.victims'))",
    'CALL lab.purge_outer()',
    'CALL lab.purge_truncate()',
    'CALL lab.purge_handler()',
    'CALL lab.purge_cursor()',
    'CALL watched.purge_here()',
    'SELECT lab.purge_function()',
    'SELECT purge_function()',
    'SELECT `purge_function`()',
    'SELECT 1 FROM lab.own JOIN (SELECT 1 AS n) q ON lab.purge_with(5) = q.n + 4',
    'SELECT * FROM (SELECT lab.purge_with(5) AS n) q',
    'WITH q AS (SELECT lab.purge_with(5) AS n) SELECT * FROM q',
    'SELECT lab.purge_nested(5)',
    'SELECT lab.purge_sum(id) FROM lab.own',
    'SELECT id FROM lab.own ORDER BY lab.purge_with(id + 4)',
    'SELECT id FROM lab.own WHERE lab.purge_with(5) > 0',
    'SELECT COUNT(*) FROM lab.own GROUP BY lab.purge_with(5)',
    'INSERT INTO lab.sink (n) VALUES (lab.purge_with(5))',
    'UPDATE lab.own SET id = id + lab.purge_with(100) * 0 + lab.purge_with(5) WHERE id = 3',
    'INSERT INTO lab.purging_insert VALUES (5)',
    'INSERT INTO lab.purging_insertable VALUES (5)',
    'INSERT INTO lab.purging_insert SELECT 5',
    'UPDATE lab.purging_update SET n = 2',
    'SELECT * FROM lab.purging_view',
    'CREATE TABLE lab.made AS SELECT * FROM lab.purging_view',
  ]),
  ...each('MY-47', [
    'DO lab.purge_function()',
    'SET @x = lab.purge_function()',
    'SET @x = (SELECT lab.purge_with(5))',
    'VALUES (lab.purge_function())',
    'SELECT lab.purge_function() INTO @x',
    'SET SESSION sort_buffer_size = 100000 + lab.purge_function()',
    'SHOW TABLES FROM lab WHERE lab.purge_function() = 1',
    'EXPLAIN SELECT * FROM (SELECT lab.purge_function() AS n) q',
  ]),
];

const LEXING: readonly MysqlBlockCase[] = [
  ...each('MY-48', [
    'drop/**/table/**/watched.dependents',
    'DELETE--\t\n FROM watched.victims',
    'DELETE -- a comment\nFROM watched.victims',
    'DELETE # a comment\nFROM watched.victims',
    'DELETE\u000bFROM\fwatched.victims',
    'dElEtE fRoM`watched`.`victims`',
    'DELETE FROM watched . victims',
    'DELETE FROM watched.`victims`WHERE`id`>5',
    '-- x\nDELETE FROM watched.victims',
    '\n\n/* x */ # y\n DELETE FROM watched.victims;',
    'SELECT \'it\'\'s\', "a""b"; DELETE FROM watched.victims',
    "SELECT 'a\\'b'; DELETE FROM watched.victims",
    'SELECT `a``b` FROM (SELECT 1 AS `a``b`) q; DELETE FROM watched.victims',
    'SELECT 1--1; DELETE FROM watched.victims',
    'SELECT 3 --1; DELETE FROM watched.victims',
    "SELECT N'a', _latin1'b', x'41', 0x41, b'1'; DELETE FROM watched.victims",
    "SELECT 'a' -- '\n; DELETE FROM watched.victims -- '",
    'SELECT 1e5, .5, 1.e3; DELETE FROM watched.victims',
  ]),
  ...alone('MY-35', [
    'DELETE FROM watched.victims;\0',
    'SELECT 1; DELETE FROM watched.victims',
    'CALL lab.harmless(); DELETE FROM watched.victims',
  ]),
  // The first statement would run before the server finds the second broken.
  {
    trap: 'MY-35',
    steps: ['DELETE FROM watched.victims; SELEKT'],
    isTextOnly: true,
    isHazard: true,
  },
];

const raw = (text: string): Buffer => Buffer.from(text, 'latin1');
/** In a multi-byte character set `\\xbf\\x5c` is one character; byte by byte it escapes the quote behind it. */
const HIDDEN = raw("SELECT '\xbf\\'; DELETE FROM watched.victims; -- '");
const HIDDEN_SJIS = raw("SELECT '\x95\\'; DELETE FROM watched.victims; -- '");
const NO_ESCAPES = "SELECT 'a\\'; DELETE FROM watched.victims; -- '";
const ANSI = 'SELECT 1 AS "a\\"; DELETE FROM watched.victims; -- "';

const STATES: readonly MysqlBlockCase[] = [
  ...[
    ['SET NAMES gbk', HIDDEN],
    ['SET NAMES big5', HIDDEN],
    ["SET CHARACTER SET 'gbk'", HIDDEN],
    ['SET character_set_client = gbk', HIDDEN],
    ['SET SESSION character_set_client = 28', HIDDEN],
    ['SET @@session.character_set_client := @@character_set_client, NAMES gbk', HIDDEN],
    ["SET @c = 'gbk'", 'SET character_set_client = @c', HIDDEN],
    ['SET NAMES sjis', HIDDEN_SJIS],
    ['SET NAMES cp932', HIDDEN_SJIS],
    ["EXECUTE IMMEDIATE 'SET NAMES gbk'", HIDDEN],
    [raw("SET NAMES gbk; SELECT '\xbf\\'; DELETE FROM watched.victims; -- '")],
    ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", NO_ESCAPES],
    ["SET sql_mode = CONCAT('NO_BACKSLASH', '_ESCAPES')", NO_ESCAPES],
    ['SET sql_mode = 1048576', NO_ESCAPES],
    ["SET @@session.sql_mode = CONCAT_WS(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')", NO_ESCAPES],
    ["SET sql_mode = 'ANSI_QUOTES'", ANSI],
    ["SET sql_mode = 'ANSI'", ANSI],
    ["SET sql_mode = 'ORACLE'", ANSI],
    ["SET sql_mode = 'ORACLE'", 'BEGIN DELETE FROM watched.victims; END'],
    ["SET sql_mode = 'ORACLE'", "BEGIN EXECUTE IMMEDIATE 'DELETE FROM watched.victims'; END"],
    ["SET sql_mode = 'ORACLE'", 'DECLARE x INT; BEGIN x := lab.purge_function(); END'],
    [`SET sql_mode = 'NO_BACKSLASH_ESCAPES'; ${NO_ESCAPES}`],
    [`SET sql_mode = 'ANSI_QUOTES'; ${ANSI}`],
    [`SET STATEMENT sql_mode = 'NO_BACKSLASH_ESCAPES' FOR SELECT 1; SELECT 1; ${DELETE}`],
    ['SET autocommit = 0', DELETE, 'COMMIT'],
    ['START TRANSACTION READ ONLY', `COMMIT; ${DELETE}`],
    ["XA START 'x'", DELETE, "XA END 'x'", "XA COMMIT 'x' ONE PHASE"],
    ['SET GLOBAL read_only = 0', DELETE],
    ['LOCK TABLES watched.victims WRITE', DELETE, 'UNLOCK TABLES'],
  ].map((steps) => ({ trap: 'MY-61', steps, isTextOnly: true, isHazard: true })),
  { trap: 'MY-61', steps: [HIDDEN], collation: 28, isTextOnly: true, isHazard: true },
  { trap: 'MY-61', steps: [HIDDEN_SJIS], collation: 13, isTextOnly: true, isHazard: true },
];

export const MYSQL_BLOCK_CASES: readonly MysqlBlockCase[] = [
  ...PLAIN,
  ...VERSION_COMMENTS,
  ...DYNAMIC,
  ...COMPOUND,
  ...WRAPPED,
  ...OTHER_FORMS,
  ...CODE,
  ...LEXING,
  ...STATES,
];

/** What a rule on `watched.*` must find by its right name, from the database `lab` (MY-63). */
export const MYSQL_NAMED_CASES: readonly MysqlBlockCase[] = [
  ['USE watched', 'DELETE FROM victims WHERE id > 5'],
  ['USE watched; DELETE FROM victims WHERE id > 5'],
  ['USE `watched`', 'DELETE v FROM lab.own o JOIN victims v ON v.id = o.id'],
  ['USE watched', 'USE missing', 'DELETE FROM victims WHERE id > 5'],
  ["EXECUTE IMMEDIATE 'USE watched'", 'DELETE FROM victims WHERE id > 5'],
  ['USE watched', 'TRUNCATE parts'],
  ['CALL watched.purge_here()'],
  ['DELETE o, v FROM lab.own o JOIN watched.victims v ON v.id = o.id'],
  ['WITH own AS (SELECT 1) SELECT * FROM own; DELETE FROM watched.victims'],
  ['DELETE FROM lab.seen_from_afar WHERE id > 5'],
  ['DROP TABLE lab.own, watched.dependents'],
  ['RENAME TABLE watched.part_shape TO lab.part_shape', 'DROP TABLE lab.part_shape'],
].map((steps) => ({ trap: 'MY-63', steps, isTextOnly: true }));
