/**
 * What the `mysql-red-team` suite adds to the database of `mysql-mask`: more places where the same
 * secrets lie or pass through. Its own masks stand beside those of `mysql-mask`.
 */

import type { MaskConfig } from '../../lib/config/config.ts';
import { MYSQL_MASK_DATABASE, MYSQL_MASKS } from './mysql-mask-database.ts';

const [PERSONAL] = MYSQL_MASKS;

export function redTeamMasks(mode: MaskConfig['mode']): readonly MaskConfig[] {
  if (PERSONAL === undefined) throw new Error('the mask suite has no mask');
  const columns = [
    ...PERSONAL.columns,
    'lab.vault.token',
    'lab.vault.pin',
    'lab.history.ssn',
    'lab.derived.ssn',
    'lab.ranged.pin',
    'lab.counted.pin',
  ];
  return [{ ...PERSONAL, columns, mode }];
}

const SSN = '943-71-2086';
const PIN = 73_910_428;

/** Most attacks change something, so this is run some hundred times. */
const QUICK = 'SET default_storage_engine = MyISAM; DROP DATABASE IF EXISTS own;';

/** Run by root in an empty database. */
export const MYSQL_RED_TEAM_DATABASE = `${QUICK}
${MYSQL_MASK_DATABASE.replace(', FULLTEXT KEY words (ssn)', '')}
CREATE TABLE vault (id INT PRIMARY KEY, label VARCHAR(40), token VARCHAR(40), pin INT) ENGINE = InnoDB;
INSERT INTO vault VALUES (1, 'first', '${SSN}', ${PIN});
CREATE TABLE other.vault (id INT PRIMARY KEY, label VARCHAR(40), token VARCHAR(40), pin INT);
INSERT INTO other.vault VALUES (1, 'other', 'nothing', 1);
CREATE TABLE history (id INT, ssn VARCHAR(40)) WITH SYSTEM VERSIONING;
INSERT INTO history VALUES (1, '${SSN}'); UPDATE history SET ssn = 'gone';
CREATE TABLE derived (id INT, ssn VARCHAR(40), gen VARCHAR(60) AS (CONCAT('g', ssn)) VIRTUAL, kept VARCHAR(60) AS (UPPER(gen)) STORED, copy VARCHAR(60) DEFAULT (ssn));
INSERT INTO derived (id, ssn) VALUES (1, '${SSN}');
CREATE TABLE ranged (id INT, pin INT) PARTITION BY RANGE (pin) (PARTITION p0 VALUES LESS THAN (80000000));
INSERT INTO ranged VALUES (1, ${PIN});
CREATE TABLE counted (pin INT PRIMARY KEY, name VARCHAR(40)); INSERT INTO counted VALUES (${PIN}, 'x');
CREATE TABLE mine (id INT PRIMARY KEY, a VARCHAR(60), b VARCHAR(60)) ENGINE = InnoDB; INSERT INTO mine VALUES (1, 'one', 'two');
CREATE TABLE checked (id INT, t VARCHAR(60), CONSTRAINT short CHECK (CHAR_LENGTH(t) < 5));
CREATE TABLE keyed (t VARCHAR(60) PRIMARY KEY);
CREATE VIEW v_cte AS WITH q (p, r) AS (SELECT id, ssn FROM users) SELECT p, r AS shown FROM q;
CREATE VIEW v_union AS SELECT id, text AS shown FROM notes UNION ALL SELECT id, ssn FROM users;
CREATE VIEW v_nested AS SELECT CONCAT(shown, '') AS deeper FROM v_cte;
CREATE VIEW v_sub AS SELECT id, (SELECT MAX(ssn) FROM users) AS top FROM notes;
CREATE VIEW v_call AS SELECT id, get_ssn(id) AS called FROM notes;
CREATE VIEW v_names (x1, x2) AS SELECT ssn, name FROM users;
CREATE VIEW other.v_far AS SELECT token AS t2 FROM lab.vault;
CREATE VIEW v_plain AS SELECT id, a FROM mine;
DELIMITER //
SET sql_mode = 'ANSI_QUOTES'//
CREATE FUNCTION ansi_ssn() RETURNS VARCHAR(60) READS SQL DATA RETURN (SELECT UPPER("ssn") FROM users WHERE id = 1)//
CREATE PROCEDURE ansi_list() SELECT UPPER("ssn") AS x FROM users//
SET sql_mode = DEFAULT//
CREATE FUNCTION shifted() RETURNS VARCHAR(60) READS SQL DATA RETURN (WITH q (a, b, c, d) AS (SELECT * FROM vault) SELECT c FROM q)//
CREATE PROCEDURE shift_list() WITH q (a, b, c, d) AS (SELECT * FROM vault) SELECT c FROM q//
CREATE PROCEDURE through_temp() BEGIN CREATE TEMPORARY TABLE passing AS SELECT ssn AS s FROM users; SELECT s FROM passing; END//
CREATE PROCEDURE into_user_variable() SELECT ssn INTO @kept FROM users WHERE id = 1//
DELIMITER ;
`;
