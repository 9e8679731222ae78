/**
 * What drivers, ORMs, dashboards and administration tools send all day, where nothing is masked: through
 * the gateway it gives the same answers as direct, also where masked columns may not steer.
 */

const COLUMNS = 'information_schema.COLUMNS';
const KEYS = 'information_schema.KEY_COLUMN_USAGE';

/** On connecting. */
const START: readonly (readonly string[])[] = [
  ['SELECT 1'],
  ['SELECT @@version_comment LIMIT 1', 'SELECT DATABASE()', 'SELECT @@max_allowed_packet'],
  [
    'SET NAMES utf8mb4',
    'SET AUTOCOMMIT = 1',
    "SET time_zone = '+00:00'",
    'SELECT @@session.time_zone',
  ],
  [
    "SET @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'), @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483",
    'SELECT @@sql_mode',
  ],
  ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', 'SET sql_auto_is_null = 0'],
  ['SET character_set_results = NULL', 'SELECT @@character_set_results'],
  [
    "SET sql_mode = 'STRICT_TRANS_TABLES'",
    'set session transaction read only',
    'START TRANSACTION READ ONLY',
    'COMMIT',
  ],
  [
    '/* mysql-connector-java-8.0.30 */SELECT @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@collation_server AS collation_server, @@init_connect AS init_connect, @@sql_mode AS sql_mode, @@wait_timeout AS wait_timeout',
  ],
  [
    "SHOW VARIABLES LIKE 'lower_case_%'",
    "SHOW SESSION VARIABLES LIKE 'sql_mode'",
    "SHOW VARIABLES WHERE Variable_name IN ('version', 'license')",
  ],
  [
    'SELECT VERSION(), CURRENT_USER(), CONNECTION_ID() > 0',
    'SELECT @@tx_isolation',
    'SHOW ENGINES',
    'SHOW PLUGINS',
    'SHOW COLLATION',
    'SHOW CHARACTER SET',
  ],
  [
    'SELECT @@global.gtid_domain_id',
    'SELECT @@in_transaction',
    'SELECT USER()',
    "SHOW GLOBAL STATUS LIKE 'Com_shutdown'",
  ],
];

/** Schemas of tables, as ORMs and tools read them. */
const SCHEMAS: readonly (readonly string[])[] = [
  // Rails
  [
    'SHOW FULL FIELDS FROM `mine`',
    'SHOW KEYS FROM `mine`',
    'SHOW CREATE TABLE `mine`',
    'SHOW FULL FIELDS FROM `users`',
    'SHOW KEYS FROM `users`',
  ],
  [
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users' AND table_type = 'BASE TABLE'",
  ],
  [
    `SELECT column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' AND table_schema = DATABASE() AND table_name = 'users' ORDER BY seq_in_index`,
  ],
  [
    `SELECT fk.referenced_table_name AS 'to_table', fk.column_name AS 'column', rc.update_rule FROM information_schema.referential_constraints rc JOIN ${KEYS} fk USING (constraint_schema, constraint_name) WHERE fk.referenced_column_name IS NOT NULL AND fk.table_schema = DATABASE() AND fk.table_name = 'mine'`,
  ],
  // Django
  [
    "SELECT column_name, data_type, character_maximum_length, extra FROM information_schema.columns WHERE table_name = 'users' AND table_schema = DATABASE()",
    'SELECT * FROM `mine` LIMIT 1',
    'SHOW FULL TABLES',
    'SHOW INDEX FROM `users`',
  ],
  [
    `SELECT kc.\`constraint_name\`, kc.\`column_name\`, c.\`constraint_type\` FROM ${KEYS} AS kc, information_schema.table_constraints AS c WHERE kc.table_schema = DATABASE() AND c.table_schema = kc.table_schema AND c.constraint_name = kc.constraint_name AND kc.table_name = 'users' ORDER BY kc.ordinal_position`,
  ],
  // Hibernate, Connector/J
  [
    "SELECT TABLE_SCHEMA TABLE_CAT, NULL TABLE_SCHEM, TABLE_NAME, IF(TABLE_TYPE='BASE TABLE' or TABLE_TYPE='SYSTEM VERSIONED', 'TABLE', TABLE_TYPE) as TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'lab' ORDER BY TABLE_TYPE, TABLE_NAME",
  ],
  ['select next_not_cached_value, minimum_value, increment from counter'],
  // Prisma, TypeORM, Sequelize
  [
    'SELECT DATABASE() AS `db_name`',
    `SELECT DISTINCT BINARY table_info.table_name AS table_name, table_info.create_options FROM information_schema.tables AS table_info JOIN ${COLUMNS} AS column_info ON BINARY column_info.table_name = BINARY table_info.table_name WHERE table_info.table_schema = 'lab' AND column_info.table_schema = 'lab' AND table_info.table_type = 'BASE TABLE' ORDER BY BINARY table_info.table_name`,
  ],
  [
    `SELECT * FROM ${COLUMNS} WHERE TABLE_SCHEMA = 'lab' AND TABLE_NAME IN ('users', 'mine') ORDER BY 2, 3, 5`,
  ],
  // DBeaver, phpMyAdmin, Metabase
  ['SHOW DATABASES', 'SHOW FULL TABLES FROM `lab`'],
  [
    "SELECT * FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'lab' AND 1 = 0",
    "SHOW PROCEDURE STATUS WHERE Db = 'nothing'",
    'SHOW TRIGGERS FROM `lab`',
    'SHOW EVENTS FROM `lab`',
  ],
  ['SHOW FULL COLUMNS FROM `lab`.`users`', 'SHOW CREATE VIEW `v_plain`'],
  [
    "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA, (SELECT DB_first_level FROM (SELECT DISTINCT SUBSTRING_INDEX(SCHEMA_NAME, '_', 1) DB_first_level FROM information_schema.SCHEMATA WHERE TRUE) t ORDER BY DB_first_level ASC LIMIT 0, 100) t2 WHERE TRUE AND 1 = LOCATE(CONCAT(DB_first_level, '_'), CONCAT(SCHEMA_NAME, '_')) ORDER BY SCHEMA_NAME",
  ],
  ['DESCRIBE users', 'DESC mine a', 'EXPLAIN SELECT * FROM mine', 'SHOW WARNINGS'],
  [
    'SELECT PLUGIN_NAME FROM information_schema.PLUGINS ORDER BY 1',
    'SELECT COUNT(*) > 0 FROM mysql.help_topic',
  ],
];

/** Clear columns, also of tables that have masked ones. */
const WORK: readonly (readonly string[])[] = [
  [
    'SELECT id, name FROM users ORDER BY id',
    'SELECT COUNT(*) FROM users',
    'SELECT COUNT(*), name FROM users GROUP BY name',
  ],
  [
    'SELECT u.id, u.name, m.a FROM users u LEFT JOIN mine m ON m.id = u.id WHERE u.name LIKE "A%" ORDER BY u.name LIMIT 2 OFFSET 0',
  ],
  [
    'SELECT * FROM mine',
    'SELECT mine.* FROM mine JOIN notes USING (id)',
    'SELECT * FROM mine NATURAL JOIN notes',
  ],
  [
    'SELECT `COUNT(*)` FROM (SELECT COUNT(*) FROM mine) q',
    'SELECT `MAX(a)`, `1` FROM (SELECT MAX(a), 1 FROM mine) q',
  ],
  [
    "SELECT x FROM (SELECT 'x' UNION SELECT a FROM mine) q",
    'SELECT `1` FROM (VALUES (1), (2)) q',
    "SELECT a FROM (SELECT UPPER(a) AS ' a' FROM mine) q",
  ],
  [
    'WITH q (p, r) AS (SELECT id, a FROM mine) SELECT r FROM q',
    'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n',
  ],
  [
    'CREATE TEMPORARY TABLE mem AS SELECT id, a FROM mine',
    'SELECT * FROM mem',
    'SELECT UPPER(a) FROM mem',
    'INSERT INTO mem VALUES (5, "five")',
    'WITH q (x, y) AS (SELECT * FROM mem) SELECT y FROM q',
    'DROP TEMPORARY TABLE mem',
  ],
  [
    'CREATE TABLE own (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(40), ssn VARCHAR(20))',
    'INSERT INTO own (t, ssn) VALUES ("a", "b"), ("c", "d")',
    'SELECT LAST_INSERT_ID()',
    'SELECT * FROM own',
    'SELECT ssn FROM own',
    'UPDATE own SET t = ssn',
    'SELECT t FROM own',
    'DROP TABLE own',
  ],
  [
    'INSERT INTO mine VALUES (7, "x", "y") ON DUPLICATE KEY UPDATE a = VALUES(a), b = CONCAT(b, "!")',
    'REPLACE INTO mine VALUES (7, "z", "y")',
    'UPDATE mine SET a = b WHERE id = 7',
    'DELETE FROM mine WHERE id = 7 RETURNING a',
  ],
  [
    "UPDATE users SET name = 'Ann B.' WHERE id = 1",
    'SELECT name FROM users WHERE id = 1',
    "INSERT INTO users (id, name) VALUES (20, 'New')",
    'DELETE FROM users WHERE id = 20',
  ],
  [
    "PREPARE s FROM 'SELECT a FROM mine WHERE id = ?'",
    'SET @i = 1',
    'EXECUTE s USING @i',
    'DEALLOCATE PREPARE s',
  ],
  [
    'SET @n := 0',
    'SELECT @n := @n + 1 AS n, id FROM mine',
    'SELECT @n',
    'SELECT id INTO @i FROM mine LIMIT 1',
    'SELECT @i',
  ],
  [
    'START TRANSACTION',
    'SAVEPOINT active_record_1',
    "INSERT INTO notes VALUES (9, 'nine')",
    'RELEASE SAVEPOINT active_record_1',
    'ROLLBACK',
  ],
  [
    'CREATE VIEW own AS SELECT id, name FROM users',
    'SELECT * FROM own',
    'DROP VIEW own',
    'CREATE INDEX i ON mine (a)',
    'ALTER TABLE mine ADD COLUMN c INT, DROP INDEX i',
  ],
  [
    'CREATE FUNCTION own(x INT) RETURNS INT RETURN x + 1',
    'SELECT own(id) FROM mine',
    'DROP FUNCTION own',
    'CREATE PROCEDURE own() SELECT a FROM mine',
    'CALL own()',
    'DROP PROCEDURE own',
  ],
  ['BEGIN NOT ATOMIC DECLARE x INT DEFAULT 0; SELECT COUNT(*) INTO x FROM mine; SELECT x; END'],
  [
    "SELECT JSON_EXTRACT('{\"a\": 1}', '$.a'), GROUP_CONCAT(a ORDER BY id SEPARATOR ',') FROM mine",
    'SELECT MEDIAN(id) OVER () FROM mine',
    'SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY id) OVER () FROM users',
  ],
  [
    "SELECT DATE(`source`.`d`) AS `d`, COUNT(*) AS `count` FROM (SELECT CAST('2020-01-02' AS DATE) AS `d`, `mine`.`id` AS `id` FROM `mine`) AS `source` GROUP BY DATE(`source`.`d`) ORDER BY DATE(`source`.`d`) ASC",
  ],
  [
    'SELECT SQL_CALC_FOUND_ROWS id FROM mine LIMIT 1',
    'SELECT FOUND_ROWS()',
    'SELECT ROW_COUNT()',
    'DO 1',
    'DO SLEEP(0)',
  ],
  ['LOCK TABLES mine WRITE', 'SELECT * FROM mine', 'UNLOCK TABLES', 'CHECK TABLE mine'],
  ["SET sql_mode = 'ANSI_QUOTES'", 'SELECT "a" FROM "mine"', "SET sql_mode = ''", 'SELECT "a"'],
];

export const MYSQL_EVERYDAY: readonly (readonly string[])[] = [...START, ...SCHEMAS, ...WORK];
