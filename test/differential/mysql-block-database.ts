/**
 * The database of the `mysql-block` suite: a watched database that must not lose anything, and code made
 * beforehand by someone else that deletes when it runs, in every way that MariaDB offers.
 */

/** The rows of all tables, past triggers and foreign keys; also run alone where nothing but rows has changed. */
export const MYSQL_BLOCK_ROWS = `
USE watched; SET SESSION foreign_key_checks = 0;
DELETE FROM watched.victims; DELETE FROM watched.dependents; DELETE FROM watched.parts; DELETE FROM watched.part_shape;
DELETE FROM watched.old_engine; DELETE FROM watched.doubles; DELETE FROM lab.own; DELETE FROM lab.sink;
DELETE FROM lab.purging_insert; DELETE FROM lab.purging_update;
INSERT INTO watched.victims (id, v) SELECT seq, CONCAT('row ', seq) FROM seq_1_to_30;
INSERT INTO watched.dependents SELECT seq, seq FROM seq_1_to_10;
INSERT INTO watched.parts SELECT seq, 'p' FROM seq_1_to_19;
INSERT INTO watched.old_engine SELECT seq, 'm' FROM seq_1_to_5;
INSERT INTO watched.doubles VALUES (1, 'a'), (1, 'b'), (2, 'c');
INSERT INTO lab.purging_update VALUES (1);
INSERT INTO lab.own VALUES (1), (2), (3);
SET SESSION foreign_key_checks = 1;
`;

/** Run by root through the mariadb program. */
export const MYSQL_BLOCK_DATABASE = `
SET NAMES utf8mb4; SET timestamp = 1700000000;
DROP DATABASE IF EXISTS watched; DROP DATABASE IF EXISTS spare; DROP DATABASE IF EXISTS lab;
CREATE DATABASE watched; CREATE DATABASE spare; CREATE DATABASE lab;
CREATE OR REPLACE USER spare@'%' IDENTIFIED BY 'x'; CREATE OR REPLACE ROLE spare_role;
USE watched;
CREATE TABLE victims (id INT PRIMARY KEY, v VARCHAR(50), keep INT DEFAULT 1, KEY by_v (v), CONSTRAINT short CHECK (CHAR_LENGTH(v) < 100)) ENGINE=InnoDB;
CREATE TABLE dependents (id INT PRIMARY KEY, victim INT, CONSTRAINT to_victim FOREIGN KEY (victim) REFERENCES victims (id) ON DELETE CASCADE) ENGINE=InnoDB;
CREATE TABLE parts (id INT, v VARCHAR(20)) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN (20));
CREATE TABLE part_shape (id INT, v VARCHAR(20)) ENGINE=InnoDB;
CREATE TABLE old_engine (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=MyISAM;
CREATE TABLE doubles (id INT, v VARCHAR(20)) ENGINE=InnoDB;
CREATE TABLE history (id INT, v VARCHAR(20)) ENGINE=InnoDB WITH SYSTEM VERSIONING;
INSERT INTO history VALUES (1, 'old'); SET timestamp = 1700000100; UPDATE history SET v = 'new';
CREATE TABLE spare.left_over (id INT);
CREATE VIEW seen AS SELECT * FROM victims;
CREATE SEQUENCE numbers;
CREATE EVENT sleeping ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1;
DELIMITER //
CREATE PROCEDURE kept() SELECT 1//
CREATE FUNCTION kept_function() RETURNS INT DETERMINISTIC RETURN 1//
CREATE TRIGGER kept_trigger BEFORE UPDATE ON old_engine FOR EACH ROW SET NEW.v = NEW.v//
CREATE PROCEDURE purge_here() DELETE FROM victims WHERE id > 5//
DELIMITER ;
USE lab;
CREATE TABLE sink (n INT, v VARCHAR(20)) ENGINE=InnoDB;
CREATE TABLE \`delete\` (\`drop\` VARCHAR(20), truncate VARCHAR(20));
INSERT INTO \`delete\` VALUES ('DROP TABLE x', 'TRUNCATE y');
CREATE TABLE purging_insert (n INT);
CREATE TABLE purging_update (n INT);
CREATE TABLE own (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE VIEW seen_from_afar AS SELECT * FROM watched.victims;
DELIMITER //
CREATE PROCEDURE purge_it() BEGIN DELETE FROM watched.victims WHERE id > 5; END//
CREATE PROCEDURE purge_dynamic(IN t TEXT) BEGIN EXECUTE IMMEDIATE t; END//
CREATE PROCEDURE purge_outer() BEGIN CALL purge_it(); END//
CREATE PROCEDURE purge_truncate() TRUNCATE watched.parts//
CREATE PROCEDURE purge_handler() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION DELETE FROM watched.victims WHERE id > 5; SIGNAL SQLSTATE '45000'; END//
CREATE PROCEDURE purge_cursor() BEGIN DECLARE x INT; DECLARE c CURSOR FOR SELECT purge_function(); OPEN c; FETCH c INTO x; CLOSE c; END//
CREATE FUNCTION purge_function() RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END//
CREATE FUNCTION purge_with(n INT) RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > n; RETURN n; END//
CREATE FUNCTION purge_nested(n INT) RETURNS INT RETURN purge_with(n)//
CREATE AGGREGATE FUNCTION purge_sum(x INT) RETURNS INT BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN 1; LOOP FETCH GROUP NEXT ROW; DELETE FROM watched.victims WHERE id > 5; END LOOP; END//
CREATE TRIGGER purge_on_insert AFTER INSERT ON purging_insert FOR EACH ROW DELETE FROM watched.victims WHERE id > NEW.n//
CREATE TRIGGER purge_on_update BEFORE UPDATE ON purging_update FOR EACH ROW SET NEW.n = purge_function()//
CREATE PROCEDURE harmless() SELECT 'harmless' AS a//
CREATE FUNCTION harmless_function(n INT) RETURNS INT DETERMINISTIC RETURN n + 1//
DELIMITER ;
CREATE VIEW purging_view AS SELECT purge_function() AS n;
CREATE VIEW purging_insertable AS SELECT n FROM purging_insert;
${MYSQL_BLOCK_ROWS}`;

/** Everything that must stay as it is; the last result is of rows, all others of structure. */
export const MYSQL_BLOCK_STATE = `
SELECT 'database', SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('watched', 'spare') ORDER BY 2;
SELECT 'user', User FROM mysql.user WHERE User IN ('spare', 'spare_role') ORDER BY 2;
SELECT 'table', TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('watched', 'spare') ORDER BY 2;
SELECT 'sequence', start_value FROM watched.numbers;
SELECT 'column', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLUMN_KEY, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'watched' ORDER BY 2, 3;
SELECT 'constraint', TABLE_NAME, CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'watched' ORDER BY 2, 3;
SELECT 'index', TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'watched' ORDER BY 2, 3;
SELECT 'partition', TABLE_NAME, PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'watched' ORDER BY 2, 3;
SELECT 'routine', ROUTINE_NAME, MD5(ROUTINE_DEFINITION) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'watched' ORDER BY 2;
SELECT 'trigger', TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'watched' ORDER BY 2;
SELECT 'event', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'watched' ORDER BY 2;
SELECT 'old rows', COUNT(*) FROM watched.history FOR SYSTEM_TIME ALL;
CHECKSUM TABLE watched.victims, watched.dependents, watched.parts, watched.part_shape, watched.old_engine, watched.doubles, watched.history;
`;
