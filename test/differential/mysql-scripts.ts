/** What the mariadb program is given in the `mysql-clients` suite, by name. */

/** With the options that each is run with besides. */
export interface CliScript {
  readonly args: readonly string[];
  readonly input: string;
}

const EVERYTHING = `
SELECT * FROM alltypes ORDER BY id;
SELECT id, name, mood FROM people WHERE id < 5 ORDER BY id;
SELECT NULL, '', 'a\\tb\\nc\\\\', 1 AS \`a b\`;
`;

export const CLI_SCRIPTS: Readonly<Record<string, CliScript>> = {
  batch: { args: ['--batch'], input: EVERYTHING },
  table: { args: ['-t', '--column-type-info'], input: EVERYTHING },
  XML: { args: ['-X'], input: EVERYTHING },
  HTML: { args: ['-H'], input: EVERYTHING },
  vertical: { args: ['-E'], input: EVERYTHING },
  'raw without names': { args: ['-N', '-r', '--batch'], input: EVERYTHING },
  'quick, unbuffered': {
    args: ['--quick', '-n'],
    input: 'SELECT seq, REPEAT("x", seq % 100) FROM seq_1_to_5000; SELECT 1;',
  },
  'several statements at once': {
    args: ['-t'],
    input: `DELIMITER //
SELECT 1 AS a; SELECT 2 AS b; DO 0; SELECT id FROM people WHERE id < 3//
INSERT INTO sink (n) VALUES (1), (2); SELECT ROW_COUNT(), LAST_INSERT_ID(); UPDATE sink SET n = n + 1//
SET @d = 21; CALL two_results(2, @t, @d); SELECT @t, @d//
DELIMITER ;
SELECT * FROM audit;`,
  },
  warnings: {
    args: ['-t', '--show-warnings', '-vvv'],
    input: `DROP TABLE IF EXISTS nothing_here;
SELECT CAST('abc' AS SIGNED), 1 / 0, CAST('12x' AS DECIMAL);
INSERT INTO sink (n) VALUES (1), (2), (3);
UPDATE people SET note = 'w' WHERE id < 4;
SHOW WARNINGS; SHOW ERRORS; SHOW COUNT(*) WARNINGS;
CREATE TABLE copied AS SELECT * FROM people WHERE id < 10;
ALTER TABLE copied ADD COLUMN more INT;`,
  },
  'errors do not end the session': {
    args: ['--force', '-t'],
    input: `SELEKT;
SELECT * FROM missing;
BEGIN;
INSERT INTO sink (n) VALUES (1);
INSERT INTO people (id, name) VALUES (1, 'x');
COMMIT;
SELECT n FROM sink;
CALL fails_late();
SELECT 'ä' COLLATE latin1_swedish_ci;
SELECT * FROM people WHERE id = (SELECT id FROM people);
SELECT 1;;
SELECT exp(1000) FROM people;
SELECT 'end';`,
  },
  transactions: {
    args: ['-t'],
    input: `SET autocommit = 0;
INSERT INTO sink (n) VALUES (1); SAVEPOINT a; INSERT INTO sink (n) VALUES (2); ROLLBACK TO a; COMMIT;
SELECT n FROM sink; SET autocommit = 1;
START TRANSACTION READ ONLY; SELECT 1; COMMIT;
START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT COUNT(*) FROM people; COMMIT AND CHAIN; ROLLBACK RELEASE;`,
  },
  'prepared in SQL': {
    args: ['-t'],
    input: `PREPARE s FROM 'SELECT ? + ? AS n'; SET @a = 1, @b = 2; EXECUTE s USING @a, @b; DEALLOCATE PREPARE s;
SET @q = CONCAT('SELECT COUNT(*) AS n FROM ', 'people'); PREPARE s FROM @q; EXECUTE s; DROP PREPARE s;
EXECUTE IMMEDIATE 'SELECT ? AS x' USING 5;
HANDLER people OPEN; HANDLER people READ by_name FIRST; HANDLER people READ by_name NEXT LIMIT 2; HANDLER people CLOSE;`,
  },
  'names and character sets': {
    args: ['-t'],
    input: `SELECT 'äöü 日本 😀' AS \`ö 日\`, HEX('ä'), CHARSET('x'), @@character_set_client;
SET NAMES latin1; SELECT @@character_set_client, HEX(name) FROM people WHERE id = 2;
SET NAMES utf8mb4; SET SESSION sql_mode = 'ANSI_QUOTES'; SELECT "id" FROM "people" WHERE id < 3;
SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'a\\'; SET SESSION sql_mode = DEFAULT;
/*!50003 SELECT 'executed' */; /*!99999 SELECT 'not executed' */; SELECT 1 /*M! + 1 */, 2 /*!100000 + 1 */;`,
  },
  'SHOW and DESCRIBE': {
    args: ['-t'],
    input: `SHOW TABLES; SHOW FULL COLUMNS FROM people; DESCRIBE alltypes; SHOW CREATE TABLE people; SHOW INDEX FROM people;
SHOW CREATE PROCEDURE two_results; SHOW CREATE VIEW cheerful; SHOW TRIGGERS LIKE 'sink'; SHOW GRANTS; SHOW VARIABLES LIKE 'max_allowed_packet';
EXPLAIN SELECT * FROM people WHERE name = 'x'; EXPLAIN EXTENDED SELECT id FROM cheerful; SHOW WARNINGS;
SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'lab' ORDER BY 1, ORDINAL_POSITION; HELP 'SELECT';`,
  },
  'status, use, connect, source': {
    args: ['-t', '--comments'],
    input: `status
use information_schema
SELECT DATABASE();
use lab
connect lab
SELECT DATABASE(), /* a comment */ 1;
use missing_database
SELECT 'not reached';`,
  },
  'large values': {
    args: ['-N', '--batch', '--max-allowed-packet=64M'],
    input: `INSERT INTO sink (body) VALUES (REPEAT('0123456789abcdef', 1310720));
SELECT LENGTH(body), MD5(body) FROM sink; SELECT body FROM sink;
SELECT REPEAT('a', 16777210), REPEAT('b', 5); SELECT REPEAT('a', 16777211); SELECT REPEAT('a', 16777212), 1;
SELECT '${'x'.repeat(300_000)}' AS x;`,
  },
  'many columns and rows': {
    args: ['-N', '--batch'],
    input: `SELECT ${Array.from({ length: 300 }, (_, index) => `${index} AS c${index}`).join(', ')};
SELECT ${Array.from({ length: 251 }, (_, index) => String(index)).join(', ')};
SELECT seq FROM seq_1_to_70000;`,
  },
};
