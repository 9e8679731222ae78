/** The database that the client and driver suites of MySQL work on: every type, routines, a view, a trigger. */

/** Run through the mariadb program by root in an empty database. */
export const MYSQL_SAMPLE = `
SET NAMES utf8mb4;
-- Triggers show when they were made.
SET timestamp = 1700000000;
DROP DATABASE IF EXISTS lab_other;
CREATE TABLE people (
  id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, email VARCHAR(60) UNIQUE, born DATE,
  pay DECIMAL(12,3), mood ENUM('happy','sad','ok'), tags SET('a','b','c'), note TEXT, photo BLOB,
  KEY by_name (name)
) CHARSET utf8mb4;
INSERT INTO people SELECT seq, CONCAT('person ', seq), CONCAT('p', seq, '@example.org'),
  '1970-01-01' + INTERVAL seq DAY, seq * 1.125, ELT(seq % 3 + 1, 'happy', 'sad', 'ok'), seq % 8,
  IF(seq % 4 = 0, NULL, REPEAT('n', seq % 50)), UNHEX(LPAD(HEX(seq), 8, '0')) FROM seq_1_to_300;
UPDATE people SET name = 'Zoë \\'quote\\' \\\\ "dq" 日本 😀' WHERE id = 2;
CREATE TABLE alltypes (
  id INT PRIMARY KEY, c_tiny TINYINT, c_tinyu TINYINT UNSIGNED, c_bool BOOL, c_small SMALLINT, c_medium MEDIUMINT,
  c_int INT, c_intu INT UNSIGNED ZEROFILL, c_big BIGINT, c_bigu BIGINT UNSIGNED, c_float FLOAT, c_double DOUBLE,
  c_decimal DECIMAL(30,10), c_bit BIT(12), c_date DATE, c_datetime DATETIME, c_datetime6 DATETIME(6),
  c_timestamp TIMESTAMP(3) NULL, c_time TIME, c_time6 TIME(6), c_year YEAR, c_char CHAR(5), c_varchar VARCHAR(200),
  c_binary BINARY(4), c_varbinary VARBINARY(40), c_tinytext TINYTEXT, c_text TEXT, c_mediumtext MEDIUMTEXT,
  c_longtext LONGTEXT, c_tinyblob TINYBLOB, c_blob BLOB, c_longblob LONGBLOB, c_enum ENUM('x','y'),
  c_set SET('p','q','r'), c_json JSON, c_uuid UUID, c_inet6 INET6, c_point POINT, c_latin1 VARCHAR(20) CHARSET latin1
) CHARSET utf8mb4;
INSERT INTO alltypes VALUES
 (1, -128, 255, 1, -32768, -8388608, -2147483648, 42, -9223372036854775808, 18446744073709551615, 1.5, -2.25e100,
  12345678901234567890.0123456789, b'101010101010', '2024-02-29', '2024-02-29 23:59:59', '1999-12-31 23:59:59.999999',
  '2020-06-01 12:00:00.123', '-838:59:59', '12:34:56.654321', 1999, 'abc', 'värchär 日本', 'ab', x'00ff10', 'tiny', 'text',
  'medium', 'long', x'0001', x'fffe', x'8000', 'y', 'p,r', '{"a": [1, null, "ä"]}', '6ccd780c-baba-1026-9564-5b8c656024db',
  '2001:db8::ff00:42:8329', ST_GeomFromText('POINT(1 2)'), 'café'),
 (2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'0', '0001-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001',
  '1970-01-01 00:00:01', '00:00:00', '00:00:00.000001', 1901, '', '', '', '', '', '', '', '', '', '', '', 'x', '', '[]',
  '00000000-0000-0000-0000-000000000000', '::', ST_GeomFromText('POINT(0 0)'), '');
INSERT INTO alltypes (id) VALUES (3);
CREATE TABLE sink (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v VARCHAR(100) CHARSET utf8mb4, body LONGBLOB, at TIMESTAMP(6) NULL) ENGINE=InnoDB;
CREATE TABLE bools (id INT PRIMARY KEY, flag BOOL NOT NULL DEFAULT 0);
CREATE VIEW cheerful AS SELECT id, name FROM people WHERE mood = 'happy';
CREATE TABLE audit (what VARCHAR(100));
DELIMITER //
CREATE TRIGGER after_sink AFTER INSERT ON sink FOR EACH ROW INSERT INTO audit VALUES (CONCAT('sink ', NEW.n))//
CREATE PROCEDURE two_results(IN first INT, OUT total INT, INOUT doubled INT)
BEGIN
  SELECT id, name FROM people WHERE id <= first ORDER BY id;
  SELECT COUNT(*) AS n FROM people;
  SET total = first + 100;
  SET doubled = doubled * 2;
END//
CREATE PROCEDURE fails_late() BEGIN SELECT 'before' AS a; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'on purpose', MYSQL_ERRNO = 4711; END//
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2//
DELIMITER ;
ANALYZE TABLE people, alltypes;
`;
