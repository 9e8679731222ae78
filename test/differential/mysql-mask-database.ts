/** The database of the `mysql-mask` suite: secrets that are found again in any encoding, and where they lie. */

import type { MaskConfig } from '../../lib/config/config.ts';
import { findSecret } from './mask-database.ts';

export const MYSQL_MASKS: readonly MaskConfig[] = [
  {
    name: 'personal',
    connections: ['*'],
    columns: [
      'lab.users.ssn',
      '*.users.email',
      'lab.users.pin',
      'lab.users.card',
      'lab.users.doc',
      'lab.users.raw',
      'lab.typed.c_*',
      'lab.parted.ssn',
    ],
    with: 'redact',
    mode: 'mask',
    except: [],
  },
];

const SSN = '943-71-2086';
const SSN_2 = '518-26-9437';
const EMAIL = 'zelda.quux@hidden.example';
const CARD = '4929-7731-0086';
const DOC = 'jsonsecret-77aa';
const RAW = 'rawsecret-xyz9';
const PIN = 73_910_428;
const BIG = 7_391_042_873_910_428n;
const DECIMAL = '48151623.42';
const DOUBLE = 739_104.287_5;

/** Run by root through the mariadb program in an empty database. */
export const MYSQL_MASK_DATABASE = `
SET NAMES utf8mb4;
DROP DATABASE IF EXISTS other; SET GLOBAL init_connect = '';
CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, email VARCHAR(60) UNIQUE, ssn VARCHAR(40), pin INT, card VARCHAR(20), doc JSON, raw BLOB, FULLTEXT KEY words (ssn));
INSERT INTO users VALUES (1, 'Ann', '${EMAIL}', '${SSN}', ${PIN}, '${CARD}', '{"k": "${DOC}"}', '${RAW}'),
  (2, 'Bob', NULL, '${SSN_2}', NULL, NULL, NULL, NULL), (3, 'Cid', 'c@clear.example', NULL, 5, 'x', '{}', '');
CREATE TABLE parted (id INT, ssn VARCHAR(40)) PARTITION BY HASH (id) PARTITIONS 2;
INSERT INTO parted VALUES (1, '${SSN}');
CREATE TABLE part_shape (id INT, ssn VARCHAR(40));
CREATE TABLE typed (
  id INT PRIMARY KEY, name VARCHAR(20), c_tiny TINYINT, c_small SMALLINT, c_medium MEDIUMINT, c_int INT, c_intu INT UNSIGNED ZEROFILL,
  c_big BIGINT, c_bigu BIGINT UNSIGNED, c_float FLOAT, c_double DOUBLE, c_decimal DECIMAL(20,2), c_bit BIT(24), c_date DATE,
  c_datetime DATETIME, c_datetime6 DATETIME(6), c_timestamp TIMESTAMP NULL, c_time TIME, c_time6 TIME(6), c_year YEAR,
  c_char CHAR(30), c_short CHAR(2), c_varchar VARCHAR(60), c_binary BINARY(16), c_varbinary VARBINARY(60), c_tinytext TINYTEXT, c_text TEXT,
  c_longtext LONGTEXT, c_blob BLOB, c_longblob LONGBLOB, c_enum ENUM('small','${DOC}'), c_set SET('one','${RAW}'), c_json JSON,
  c_uuid UUID, c_inet6 INET6, c_point POINT, c_latin1 VARCHAR(40) CHARSET latin1, c_utf16 VARCHAR(40) CHARSET utf16, c_notnull INT NOT NULL,
  c_notnull_text VARCHAR(40) NOT NULL, c_notnull_date DATE NOT NULL
) CHARSET utf8mb4;
INSERT INTO typed VALUES (1, 'Ann', 77, 28391, 7391042, ${PIN}, ${PIN}, ${BIG}, ${BIG}, 7391.25, ${DOUBLE}, ${DECIMAL}, 0xA7C3D5, '1987-11-23',
  '1987-11-23 21:43:57', '1987-11-23 21:43:57.739104', '1987-11-23 21:43:57', '17:53:29', '17:53:29.739104', 1987,
  '${SSN}', 'zq', '${EMAIL}', '${RAW}', '${RAW}', '${SSN}', '${SSN_2}', '${EMAIL}', '${RAW}', '${RAW}', '${DOC}', '${RAW}', '{"k": "${DOC}"}',
  '7391cafe-0428-7391-0428-73910428cafe', '2001:db8:7391:428::7391', ST_GeomFromText('POINT(${DOUBLE} 428.5)'), '${SSN}', '${SSN_2}', ${PIN}, '${CARD}', '1987-11-23');
INSERT INTO typed (id, name, c_notnull, c_notnull_text, c_notnull_date) VALUES (2, 'Bob', 5, 'x', '1987-11-23');
CREATE VIEW v_users AS SELECT id, name, ssn AS number FROM users;
CREATE VIEW v_over AS SELECT number AS n2, id FROM v_users;
CREATE VIEW v_text AS SELECT id, UPPER(ssn) AS u FROM users;
CREATE ALGORITHM=TEMPTABLE VIEW v_copied AS SELECT id, ssn AS name FROM users;
CREATE TABLE notes (id INT PRIMARY KEY, text VARCHAR(60)); INSERT INTO notes VALUES (1, 'a note');
CREATE TABLE sink (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(200), n BIGINT, j JSON);
CREATE SEQUENCE counter;
DELIMITER //
CREATE FUNCTION get_ssn(i INT) RETURNS VARCHAR(40) READS SQL DATA RETURN (SELECT ssn FROM users WHERE id = i)//
CREATE PROCEDURE give(OUT o VARCHAR(40)) SELECT ssn INTO o FROM users WHERE id = 1//
CREATE PROCEDURE list_all() BEGIN SELECT id FROM users; SELECT ssn FROM users; END//
CREATE PROCEDURE list_dynamic(q TEXT) EXECUTE IMMEDIATE q//
CREATE PROCEDURE list_cursor() BEGIN DECLARE x VARCHAR(60); DECLARE c CURSOR FOR SELECT ssn FROM users; OPEN c; FETCH c INTO x; CLOSE c; SELECT x; END//
CREATE PROCEDURE shout() BEGIN DECLARE x VARCHAR(60); SELECT ssn INTO x FROM users WHERE id = 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = x; END//
CREATE PROCEDURE warn() BEGIN DECLARE x VARCHAR(60); SELECT ssn INTO x FROM users WHERE id = 1; SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = x; END//
DELIMITER ;
CREATE DATABASE other;
CREATE TABLE other.users AS SELECT * FROM users;
CREATE VIEW other.seen AS SELECT email AS e FROM other.users;
`;

function int(size: 4 | 8, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes.subarray(0, size);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function wide(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (letter) => Buffer.from([0, 0, 0, ...Buffer.from(letter)])),
  );
}

/** What the types of `typed` hold, as text and in the binary protocol; texts are those of `mask-database.ts`. */
const FORMS: readonly Buffer[] = [
  ...[
    String(BIG),
    '48151623',
    '739104.28',
    '7391.25',
    '1987-11-23',
    '19871123',
    '21:43:57',
    '17:53:29',
  ].map((text) => Buffer.from(text)),
  ...['7391cafe', '2001:db8:7391', '7391042', '28391'].map((text) => Buffer.from(text)),
  ...[SSN, SSN_2, EMAIL, CARD, DOC].map(wide),
  int(4, BigInt(PIN)),
  int(8, BIG),
  double(DOUBLE),
  // The date's year, month and day; hours, minutes and seconds.
  Buffer.of(0xc3, 0x07, 11, 23),
  Buffer.of(17, 53, 29),
  Buffer.of(0xa7, 0xc3, 0xd5),
];

/** The first form of a secret that occurs in these bytes. */
export function findMysqlSecret(bytes: Buffer): string | undefined {
  return findSecret(bytes) ?? FORMS.find((form) => bytes.includes(form))?.toString('latin1');
}
