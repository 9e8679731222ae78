/**
 * Several statements in a row that show a masked value when sent direct: writes, messages of prepared
 * statements, the default database and the modes that texts are read in (MY-61..MY-67).
 */

export const MYSQL_LEAK_SEQUENCES: readonly (readonly string[])[] = [
  // What is like a column of its own name is another database's or another letter's.
  [
    'UPDATE other.vault, lab.vault SET other.vault.token = lab.vault.token',
    'SELECT token FROM other.vault',
  ],
  [
    'USE other',
    'UPDATE vault JOIN lab.vault ON 1 SET other.vault.token = lab.vault.token',
    'SELECT token FROM vault',
  ],
  [
    'CREATE TABLE own (id INT, `to\u212aen` VARCHAR(60))',
    'INSERT INTO own VALUES (1, 1)',
    'UPDATE own, vault SET `to\u212aen` = token',
    'SELECT * FROM own',
  ],
  [
    'CREATE TABLE own (id INT, t VARCHAR(60), UNIQUE (id))',
    'INSERT INTO own VALUES (1, 1)',
    'INSERT INTO own SELECT 1, 2 FROM vault ON DUPLICATE KEY UPDATE t = token',
    'SELECT * FROM own',
  ],
  [
    'CREATE TABLE own (id INT PRIMARY KEY, token VARCHAR(60))',
    'INSERT INTO own VALUES (1, 1)',
    'INSERT INTO own (id) SELECT id FROM vault ON DUPLICATE KEY UPDATE own.token = vault.token',
    'SELECT * FROM own',
  ],
  ['UPDATE vault SET label = token, token = label', 'SELECT label FROM vault'],
  ['UPDATE vault SET label = DEFAULT, label = token', 'SELECT label FROM vault'],
  ['UPDATE vault v1 JOIN vault v2 USING (id) SET v1.label = v2.token', 'SELECT label FROM vault'],
  [
    'UPDATE (SELECT token AS t, id FROM vault) q JOIN mine USING (id) SET mine.a = q.t',
    'SELECT a FROM mine',
  ],
  ['UPDATE v_plain, vault SET v_plain.a = vault.token', 'SELECT a FROM v_plain'],
  ['UPDATE mine SET a = (SELECT MAX(token) FROM vault)', 'SELECT a FROM mine'],
  ['REPLACE INTO mine SET id = 1, a = (SELECT token FROM vault)', 'SELECT * FROM mine'],
  ['INSERT INTO mine VALUES (8, (SELECT MAX(token) FROM vault), 1) RETURNING a'],
  ['INSERT INTO mine SELECT 8, x, 1 FROM (SELECT token x FROM vault) q', 'SELECT a FROM mine'],
  [
    'INSERT INTO mine WITH q AS (SELECT token x FROM vault) SELECT 8, x, 1 FROM q',
    'SELECT a FROM mine',
  ],
  ['INSERT INTO mine SELECT 8, "x", 1 UNION SELECT 9, token, 1 FROM vault', 'SELECT a FROM mine'],
  [
    'INSERT INTO mine VALUES (1, "", "") ON DUPLICATE KEY UPDATE a = (SELECT token FROM vault)',
    'SELECT a FROM mine',
  ],
  // Messages of statements that were prepared before.
  ["PREPARE s FROM 'UPDATE mine, users SET b = 1 WHERE CAST(ssn AS SIGNED)'", 'EXECUTE s'],
  ["EXECUTE IMMEDIATE 'UPDATE mine, users SET b = 1 WHERE CAST(ssn AS SIGNED)'"],
  ["EXECUTE IMMEDIATE 'SELECT UPPER(ssn) FROM users'"],
  ["PREPARE s FROM 'SELECT id FROM users WHERE ssn = 5'", 'EXECUTE s', 'SHOW WARNINGS'],
  ["PREPARE s FROM 'DO CAST((SELECT token FROM vault) AS SIGNED)'", 'EXECUTE s', 'SHOW WARNINGS'],
  [
    "PREPARE s FROM 'SELECT ? FROM users'",
    'EXECUTE s USING (SELECT token FROM vault)',
    'SELECT UPPER(token) FROM vault',
  ],
  [
    "PREPARE s FROM 'SHOW WARNINGS'",
    'DO CAST((SELECT token FROM vault) AS SIGNED)',
    'EXECUTE s',
    'SELECT UPPER(token) FROM vault',
  ],
  ["EXECUTE IMMEDIATE CONCAT('SELECT UPPER(ssn)', ' FROM users')"],
  ["SET @t = 'vault'", "EXECUTE IMMEDIATE CONCAT('SELECT UPPER(token) FROM ', @t)"],
  // The default database of what was looked up before.
  ['USE other', 'SELECT lab.shifted()'],
  ['USE other', 'CALL lab.shift_list()'],
  ['USE other', 'SELECT lab.ansi_ssn()', 'SELECT t2 FROM v_far'],
  [
    "EXECUTE IMMEDIATE 'USE other'",
    "EXECUTE IMMEDIATE 'USE lab'",
    'WITH q (a, b, c, d) AS (SELECT * FROM vault) SELECT c FROM q',
  ],
  ['USE other; USE lab; WITH q (a, b, c, d) AS (SELECT * FROM vault) SELECT c FROM q'],
  [
    'SET session_track_schema = OFF',
    'USE other',
    'USE lab',
    'SELECT * FROM (SELECT * FROM vault) q',
  ],
  ['USE other', "PREPARE s FROM 'USE lab'", 'EXECUTE s', 'SELECT UPPER(token) FROM vault'],
  // The reading of a text that is read once more.
  [
    'CREATE TABLE own (a INT)',
    'INSERT INTO own VALUES (1)',
    `PREPARE s FROM 'SELECT UPPER("ssn") FROM users, own'`,
    "SET sql_mode = 'ANSI_QUOTES'",
    'ALTER TABLE own ADD b INT',
    'EXECUTE s',
    'SELECT UPPER("ssn") FROM users',
  ],
  ["SET sql_mode = 'ANSI_QUOTES'", 'SELECT UPPER("ssn") FROM users'],
  ['SET sql_mode = \'ANSI_QUOTES\'; SELECT UPPER("ssn") FROM users'],
  ["SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", 'SELECT UPPER("ssn") FROM users'],
  ["EXECUTE IMMEDIATE 'SET sql_mode = ''ANSI_QUOTES'''", 'SELECT UPPER("ssn") FROM users'],
  [
    "BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; END",
    'SELECT UPPER("ssn") FROM users',
    'SELECT UPPER(ssn) FROM users',
  ],
  [
    'SET STATEMENT sql_mode = \'ANSI_QUOTES\' FOR SELECT UPPER("ssn") FROM users',
    "SET sql_mode = 'ANSI'",
    'SELECT UPPER("ssn") FROM users',
  ],
  [
    "SET sql_mode = 'ANSI_QUOTES', @x = (SELECT 1 UNION SELECT 2)",
    "SET sql_mode = 'ANSI_QUOTES'",
    'SELECT UPPER("ssn") FROM users',
  ],
  [
    "SET sql_mode = 'ANSI_QUOTES', GLOBAL gtid_slave_pos = '0-1-1,0-1-2'",
    "SET sql_mode = 'ANSI_QUOTES'",
    'SELECT UPPER("ssn") FROM users',
  ],
  ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SELECT '\\', UPPER(ssn) FROM users -- '"],
  ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\', UPPER(ssn) FROM users -- '"],
  ['SET sql_mode = 4', 'SELECT UPPER("ssn") FROM users'],
  ['SET sql_mode = 0x414E5349', 'SELECT UPPER("ssn") FROM users'],
  ['SET sql_mode = PIPES_AS_CONCAT', "SELECT '' || ssn FROM users"],
  ["SET sql_mode = 'IGNORE_SPACE'", 'SELECT UPPER (ssn) FROM users'],
];
