/** What the `mysql-dolt` suite sends: a small database, and statements of the engine's own SQL. */

export const DOLT_DATABASE: readonly string[] = [
  'DROP VIEW IF EXISTS everyone',
  'DROP VIEW IF EXISTS contacts',
  'DROP VIEW IF EXISTS loud',
  'DROP PROCEDURE IF EXISTS wipe',
  'DROP PROCEDURE IF EXISTS names',
  'DROP TABLE IF EXISTS log',
  'DROP TABLE IF EXISTS people',
  'DROP TABLE IF EXISTS kinds',
  `CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(50), email VARCHAR(100), born DATE,
    copied VARCHAR(100) DEFAULT (CONCAT(email, '!')))`,
  `INSERT INTO people (id, name, email, born) VALUES
    (1, 'Ann', 'ann@secret.example', '1970-01-02'), (2, 'Bob', 'bob@secret.example', NULL),
    (3, 'Zoë', NULL, '2000-02-29')`,
  'CREATE TABLE log (id INT PRIMARY KEY, note VARCHAR(100))',
  "INSERT INTO log VALUES (1, 'a note'), (2, NULL)",
  `CREATE TABLE kinds (a TINYINT, b SMALLINT UNSIGNED, c BIGINT, d BIGINT UNSIGNED, e DECIMAL(20, 4),
    f FLOAT, g DOUBLE, h DATETIME(6), i TIMESTAMP NULL, j TIME, k YEAR, l CHAR(5), m TEXT, n BLOB,
    o JSON, p ENUM('x', 'y'), q SET('r', 's'), r BIT(9))`,
  `INSERT INTO kinds VALUES (-1, 65535, -9223372036854775808, 18446744073709551615, 12345.6789,
    1.5, 2.25, '2024-02-29 12:34:56.123456', '2024-01-01 00:00:00', '-12:34:56', 2024, 'ab', 'täxt',
    X'00FF10', '{"a": [1, null]}', 'y', 'r,s', B'100000001'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  'CREATE VIEW everyone AS SELECT * FROM people',
  'CREATE VIEW contacts AS SELECT id, name, email AS address FROM lab.people WHERE id < 3',
  'CREATE VIEW loud AS SELECT id, UPPER(email) AS shout FROM everyone',
  'CREATE PROCEDURE wipe() DELETE FROM log',
  'CREATE PROCEDURE names() SELECT id, name FROM people ORDER BY id',
];

/** Sent direct and through the gateway, as texts and prepared: rows, types, numbers and errors are compared. */
export const DOLT_SAME: readonly string[] = [
  'SELECT 1, NULL, 1.5, "text", CURRENT_USER() IS NULL, DATABASE(), VERSION()',
  'SELECT * FROM people ORDER BY id',
  'SELECT * FROM kinds',
  'SELECT * FROM everyone ORDER BY id',
  'SELECT COUNT(*) AS n, MAX(born) FROM people',
  'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n',
  'SELECT p.name, l.note FROM people p LEFT JOIN log l ON l.id = p.id ORDER BY p.id',
  'SELECT id FROM people UNION SELECT id + 10 FROM log ORDER BY 1',
  'SELECT nosuch FROM people',
  'SELECT * FROM nosuch',
  'SELEKT 1',
  'INSERT INTO log VALUES (1, "again")',
  "INSERT INTO log VALUES (3, 'three'), (4, 'vier ✓')",
  "UPDATE log SET note = CONCAT(note, '.') WHERE id > 2",
  'DELETE FROM log WHERE id > 2',
  'SHOW TABLES',
  'SHOW FULL COLUMNS FROM people',
  'SHOW CREATE TABLE people',
  'DESCRIBE people',
  'SHOW VARIABLES LIKE "sql_mode"',
  'SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = "lab" ORDER BY 1',
  'CALL names()',
  'SET @a = 41',
  'SELECT @a + 1 AS answer',
  '/*!50000 SELECT 1 */',
  'SELECT 1 /*!80000 + 1 */ AS two',
  'SET NAMES latin1',
  "SELECT 'z\u00eb', HEX('z\u00eb')",
  'SET NAMES utf8mb4',
  'START TRANSACTION',
  "INSERT INTO log VALUES (9, 'nine')",
  'ROLLBACK',
  'SELECT COUNT(*) FROM log',
];

/** For the mariadb program, with its own exit code and messages. */
export const DOLT_SCRIPT = `SELECT id, name, born FROM people ORDER BY id;
SHOW TABLES;
SELECT * FROM kinds\\G
SELECT nosuch FROM people;
BEGIN;
INSERT INTO log VALUES (7, 'sieben');
SELECT * FROM log;
ROLLBACK;
USE information_schema;
SELECT DATABASE();
USE lab;
DESCRIBE log;
SELECT 'last';
`;

/** Each destroys something direct, and is refused through the gateway (MY-35..MY-42). */
export const DOLT_BLOCKED: readonly (readonly string[])[] = [
  ['DELETE FROM log'],
  ['delete from lab.log where id = 1'],
  ['TRUNCATE log'],
  ['TRUNCATE TABLE lab.`log`'],
  ['DROP TABLE log'],
  ['DROP VIEW contacts'],
  ['DROP PROCEDURE names'],
  ['ALTER TABLE people DROP COLUMN born'],
  ['/*!50000 DELETE FROM log */'],
  ['/*!80031 DELETE FROM log */'],
  // No MySQL of its version would run these.
  ['/*!80099 DELETE FROM log */'],
  ['/*!99999 TRUNCATE log */'],
  ['-- x\nDELETE FROM log'],
  ['# x\nDELETE FROM log'],
  ["SELECT 1 --'\n; DELETE FROM log; -- '"],
  ["PREPARE s FROM 'DELETE FROM log'", 'EXECUTE s'],
  ["SET @t = 'DELETE FROM log'", 'PREPARE s FROM @t', 'EXECUTE s'],
  ['CALL wipe()'],
  ['BEGIN', 'DELETE FROM log', 'COMMIT'],
  ['USE information_schema', 'DELETE FROM lab.log'],
  ["SET sql_mode = 'ANSI_QUOTES'", 'DELETE FROM "log"'],
  ["SET sql_mode = CONCAT('ANSI', '_QUOTES')", 'DELETE FROM "log"'],
];

/** No rule and no mask is in their way, so they answer as direct. */
export const DOLT_ALLOWED: readonly string[] = [
  'SELECT \'DELETE FROM log\', `note` FROM log WHERE note <> "DROP TABLE x" ORDER BY id',
  'SELECT 1 /* DROP TABLE log */',
  "SELECT 'a--b', 'http://x'",
  '/*!40101 SET @saved = @@SQL_MODE */',
  "/*!40103 SET TIME_ZONE = '+00:00' */",
  "UPDATE log SET note = 'changed' WHERE id = 1",
  'SELECT COUNT(*) FROM log',
  'CALL names()',
];

export interface DoltMask {
  readonly sql: string;
  /** Refused instead of masked, as it cannot be traced. */
  readonly isRefused?: boolean;
}

/** Each shows an address direct; through the gateway none may come in any form. */
export const DOLT_MASKED: readonly DoltMask[] = [
  { sql: 'SELECT * FROM people ORDER BY id' },
  { sql: 'SELECT p.*, 1 AS one FROM people p ORDER BY p.id' },
  { sql: 'SELECT email, name FROM people ORDER BY id' },
  { sql: 'SELECT email AS name FROM people' },
  { sql: 'SELECT copied FROM people' },
  { sql: 'SELECT * FROM everyone ORDER BY id' },
  { sql: 'SELECT * FROM contacts' },
  { sql: 'SELECT address FROM contacts' },
  { sql: 'SELECT id, shout FROM loud' },
  { sql: 'WITH x AS (SELECT id, email AS e FROM people) SELECT e, id FROM x ORDER BY id' },
  { sql: 'SELECT * FROM (SELECT email, id FROM people) AS d ORDER BY id' },
  { sql: 'SELECT (SELECT MAX(email) FROM people) AS m' },
  { sql: 'SELECT UPPER(email) FROM people' },
  { sql: "SELECT CONCAT(name, ': ', email) FROM people" },
  { sql: 'SELECT GROUP_CONCAT(email) FROM people' },
  { sql: 'SELECT email FROM people UNION SELECT note FROM log' },
  { sql: 'SELECT name /*!99999 , email */ FROM people' },
  { sql: '/*!90000 SELECT email FROM people */' },
];

/** The same in several steps. */
export const DOLT_LEAKS: readonly (readonly string[])[] = [
  ["PREPARE s FROM 'SELECT email FROM people'", 'EXECUTE s'],
  ['SELECT email INTO @x FROM people WHERE id = 1', 'SELECT @x'],
  ["SET sql_mode = 'ANSI_QUOTES'", 'SELECT "email" FROM people'],
  ['CREATE TEMPORARY TABLE copy AS SELECT * FROM people', 'SELECT * FROM copy'],
  ['SET @x = (SELECT MAX(email) FROM people)', 'SELECT @x'],
];
