/**
 * Attempts on a block rule for one database that once got through, or were feared to: other names for a
 * routine, settings that change how an inner text is read, code and rows that hang on something else.
 * Each is done direct first and must change something there; through the gateway nothing may change. Then
 * the wire and the recordings: mysql-red-team-wire.ts, mysql-red-team-secrets.ts.
 */

import type { RuleConfig } from '../../lib/config/config.ts';
import { MysqlEnd } from '../support/mysql-client.ts';
import type { Suite, SuiteContext } from './harness.ts';
import {
  connectLab,
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
  waitLonger,
} from './mysql-lab.ts';
import { checkMysqlSecrets } from './mysql-red-team-secrets.ts';
import { checkMysqlWire } from './mysql-red-team-wire.ts';

const RULE: RuleConfig = {
  name: 'keep-watched',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['watched.*'],
  action: 'block',
};

/** Run by root before each attempt: what must stay, and what others made before. */
const DATABASES = `
DROP DATABASE IF EXISTS watched; DROP DATABASE IF EXISTS lab; CREATE DATABASE watched; CREATE DATABASE lab;
USE lab;
CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent SELECT seq FROM seq_1_to_5;
CREATE TABLE own (id INT PRIMARY KEY); INSERT INTO own VALUES (1), (2), (3);
CREATE TABLE watched.victims (id INT PRIMARY KEY); INSERT INTO watched.victims SELECT seq FROM seq_1_to_30;
CREATE TABLE watched.doubles (id INT); INSERT INTO watched.doubles VALUES (1), (1);
CREATE TABLE watched.plain (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO watched.plain VALUES (1), (2);
CREATE TABLE watched.child (p INT, FOREIGN KEY (p) REFERENCES lab.parent (id) ON DELETE CASCADE);
CREATE TABLE grandchild (p INT, FOREIGN KEY (p) REFERENCES lab.parent (id) ON DELETE SET NULL);
INSERT INTO watched.child SELECT seq FROM seq_1_to_5;
CREATE VIEW own_view AS SELECT * FROM own;
DELIMITER //
CREATE PROCEDURE purge_it() DELETE FROM watched.victims WHERE id > 5//
CREATE FUNCTION purge_now() RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END//
CREATE FUNCTION point(n INT) RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END//
CREATE FUNCTION polygon() RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END//
CREATE FUNCTION json_table() RETURNS INT BEGIN DELETE FROM watched.victims WHERE id > 5; RETURN 1; END//
CREATE PROCEDURE fréquent() DELETE FROM watched.victims WHERE id > 5//
DELIMITER ;
CREATE EVENT sleeper ON SCHEDULE EVERY 1 SECOND DISABLE DO DELETE FROM watched.victims WHERE id > 5;
`;

const STATE = `
SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'watched' ORDER BY 1;
SELECT COUNT(*) FROM watched.victims; SELECT COUNT(*) FROM watched.doubles;
SELECT COUNT(*) FROM watched.plain; SELECT COUNT(*) FROM watched.child;
`;

const HIDDEN_CALL = String.raw`'SELECT \'\\\' , lab.purge_now() -- \''`;
const SEEN = 'SELECT * FROM watched.victims';

/** By what is tried; the steps are texts of their own. */
const ATTEMPTS: Readonly<Record<string, readonly string[]>> = {
  // Routines are looked up by a collation in which an accent is nothing (MY-63).
  'an accent in the name of a procedure': ['CALL lab.`pürge_it`()'],
  'an accent in the name of a function': ['SELECT pürge_nòw()'],
  'the accent left out': ['CALL lab.frequent()'],
  // MariaDB takes these names for its own with some numbers of arguments only (MY-46).
  'point() with one argument': ['SELECT point(1)'],
  'polygon() without arguments': ['SELECT polygon ()'],
  'json_table() outside of FROM': ['SELECT json_table()'],
  // The mode changes between the block and the text in it (MY-62).
  'NO_BACKSLASH_ESCAPES inside of a block': [
    `BEGIN NOT ATOMIC SET sql_mode = 'NO_BACKSLASH_ESCAPES'; EXECUTE IMMEDIATE ${HIDDEN_CALL}; END`,
  ],
  'ANSI_QUOTES inside of a condition': [
    String.raw`IF 1 THEN SET sql_mode = 'ANSI_QUOTES'; EXECUTE IMMEDIATE 'SELECT 1 AS "a\\", lab.purge_now() -- "'; END IF`,
  ],
  'USE inside of a block': [
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE watched'; EXECUTE IMMEDIATE 'TRUNCATE victims'; END",
  ],
  'USE prepared inside of a block': [
    "BEGIN NOT ATOMIC PREPARE a FROM 'USE watched'; EXECUTE a; EXECUTE IMMEDIATE 'TRUNCATE victims'; END",
  ],
  // A literal goes through this character set, and swe7 has no backslash (MY-61).
  'collation_connection without a backslash': [
    'SET collation_connection = swe7_swedish_ci',
    `EXECUTE IMMEDIATE ${HIDDEN_CALL}`,
  ],
  'SET CHARACTER SET in a database of such a charset': [
    'CREATE DATABASE lab7 CHARACTER SET swe7',
    'USE lab7',
    'SET CHARACTER SET utf8mb4',
    `EXECUTE IMMEDIATE ${HIDDEN_CALL}`,
  ],
  // Bodies that are there and begin to run, or are of another database (MY-46).
  'ALTER EVENT ... ENABLE': ['ALTER EVENT lab.sleeper ENABLE', 'SELECT SLEEP(2.2)'],
  'ALTER EVENT ... ON SCHEDULE': [
    'ALTER EVENT lab.sleeper ON SCHEDULE AT CURRENT_TIMESTAMP ENABLE',
    'SELECT SLEEP(1.5)',
  ],
  'CREATE EVENT in another database': [
    'CREATE EVENT watched.later ON SCHEDULE AT CURRENT_TIMESTAMP DO TRUNCATE victims',
    'SELECT SLEEP(1.5)',
  ],
  'CREATE PROCEDURE in another database': [
    'CREATE PROCEDURE watched.later() DELETE FROM victims',
    'CALL watched.later()',
  ],
  // What hangs on something else (MY-45).
  'ON DELETE CASCADE': ['DELETE FROM parent WHERE id = 2'],
  'REPLACE and ON DELETE CASCADE': ['REPLACE INTO lab.parent VALUES (3)'],
  'a multi-table DELETE and ON DELETE CASCADE': [
    'DELETE p FROM parent p JOIN own o ON o.id = p.id',
  ],
  'RENAME TABLE, then DROP': ['RENAME TABLE watched.plain TO lab.moved', 'DROP TABLE lab.moved'],
  'ALTER TABLE ... RENAME, then DROP': [
    'ALTER TABLE watched.plain RENAME moved',
    'DROP TABLE moved',
  ],
  'RENAME TABLE as a swap': [
    'RENAME TABLE lab.own TO lab.o2, watched.plain TO lab.own',
    'DELETE FROM lab.own',
  ],
  'ENGINE=MERGE': ['ALTER TABLE watched.plain ENGINE = MERGE'],
  "ENGINE='MRG_MYISAM'": ["ALTER TABLE watched.plain COMMENT 'x', ENGINE 'MRG_MYISAM' UNION = ()"],
  'ALTER IGNORE TABLE': ['ALTER IGNORE TABLE watched.doubles ADD UNIQUE (id)'],
  'ALTER ONLINE IGNORE TABLE': ['ALTER IGNORE TABLE watched.doubles ADD PRIMARY KEY (id)'],
  // Made and used in one text, which no catalog can tell (GW-7).
  'a view made in the same text': [`CREATE VIEW lab.v AS ${SEEN}; DELETE FROM lab.v`],
  'a view replaced in the same text': [
    `CREATE OR REPLACE VIEW lab.own_view AS ${SEEN}; DELETE FROM lab.own_view`,
  ],
  'a view altered in the same text': [`ALTER VIEW lab.own_view AS ${SEEN}; DELETE FROM own_view`],
  'a view made in the same block': [
    `BEGIN NOT ATOMIC CREATE VIEW lab.v AS ${SEEN}; EXECUTE IMMEDIATE 'DELETE FROM lab.v'; END`,
  ],
  'a view renamed in the same text': [
    `CREATE VIEW lab.v AS ${SEEN}`,
    'RENAME TABLE lab.own_view TO lab.w, lab.v TO lab.own_view; DELETE FROM lab.own_view',
  ],
};

/** What looks alike and is nobody's business: no error through the gateway. */
const ALLOWED: readonly string[] = [
  'DELETE FROM lab.own WHERE id = 1',
  'SELECT point(1, 2), polygon(linestring(point(0, 0), point(1, 0), point(1, 1), point(0, 0)))',
  "EXECUTE IMMEDIATE 'SELECT \\'it\\\\\\'s\\', `id` FROM own'",
  'PREPARE s FROM \'SELECT "a\\\\b", @x, ?\'',
  'SET collation_connection = utf8mb4_general_ci',
  "BEGIN NOT ATOMIC SET sql_mode = 'ANSI_QUOTES'; SELECT 1; END",
  'SET sql_mode = DEFAULT',
  'ALTER TABLE lab.own ENGINE = MyISAM',
  'CREATE VIEW lab.v1 AS SELECT * FROM own; SELECT * FROM lab.v1',
  'CREATE TABLE lab.t1 (a INT); INSERT INTO lab.t1 VALUES (1); DELETE FROM lab.t1',
  'RENAME TABLE lab.t1 TO lab.t2',
  'DELETE FROM lab.t2',
  'UPDATE lab.parent SET id = 50 WHERE id = 99',
  'SELECT * FROM lab.own_view',
];

/** Puts everything back, and lets the gateway see a change, so that it reads the catalog again. */
async function restore(lab: MysqlLab): Promise<void> {
  await lab.server.sql(`DROP DATABASE IF EXISTS lab7; SET FOREIGN_KEY_CHECKS = 0; ${DATABASES}`);
  const client = await connectLab(lab.through);
  const [result] = await client.query("ALTER TABLE lab.own COMMENT = 'restored'");
  client.close();
  if (result?.end.kind === 'error') throw new Error(JSON.stringify(result.end));
}

/** Something that cannot be read any more has changed as well. */
function readState(lab: MysqlLab): Promise<string> {
  return lab.server.sql(STATE).catch((error: unknown) => String(error));
}

async function attempt(way: MysqlWay, steps: readonly string[]): Promise<string[]> {
  const client = await connectLab(way);
  const seen: string[] = [];
  try {
    for (const step of steps)
      for (const { end } of await client.query(step))
        seen.push(end.kind === 'error' ? `${end.code} ${end.message}` : 'ok');
  } catch (error) {
    // A session that is ended has refused all that follows.
    if (!(error instanceof MysqlEnd)) throw error;
  } finally {
    client.close();
  }
  return seen;
}

async function checkAttempts(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const [name, steps] of Object.entries(ATTEMPTS)) {
    await restore(lab);
    const before = await readState(lab);
    const doesHarmDirect = async (tried: readonly string[]): Promise<boolean> => {
      await attempt(lab.direct, tried);
      return (await readState(lab)) !== before;
    };
    let isPotent = await doesHarmDirect(steps);
    const longer = steps.map(waitLonger);
    if (!isPotent && longer.join() !== steps.join()) {
      await restore(lab);
      isPotent = await doesHarmDirect(longer);
    }
    if (!isPotent) {
      context.fail(name, 'does no harm even direct');
      continue;
    }
    await restore(lab);
    await context.check(name, async () => {
      const seen = await attempt(lab.through, steps);
      if ((await readState(lab)) !== before)
        throw new Error(`something changed: ${seen.join('; ')}`);
    });
  }
}

async function checkAllowed(context: SuiteContext, lab: MysqlLab): Promise<void> {
  await restore(lab);
  // These two would stand in for the server's own.
  await lab.admin('DROP FUNCTION point; DROP FUNCTION polygon');
  const client = await connectLab(lab.through);
  await client.query("ALTER TABLE lab.own COMMENT = 'once more'");
  for (const text of ALLOWED) {
    await context.check(`let through: ${text.slice(0, 70)}`, async () => {
      const bad = (await client.query(text)).find(({ end }) => end.kind === 'error');
      if (bad !== undefined) throw new Error(JSON.stringify(bad.end));
    });
  }
  client.close();
}

async function runMysqlRedTeamBlocks(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-red-team-blocks')) return;
  const lab = await openMysqlLab(context, {
    rules: [RULE],
    args: ['--event-scheduler=ON', '--log-bin-trust-function-creators=ON'],
    grant: 'ALL ON *.*',
  });
  context.progress('attempts on a rule');
  await checkAttempts(context, lab);
  await checkAllowed(context, lab);
  context.progress('on the wire');
  await checkMysqlWire(context);
  context.progress('secrets in recordings');
  await checkMysqlSecrets(context);
}

export const mysqlRedTeamBlocks: Suite = {
  name: 'mysql-red-team-blocks',
  about: 'what once got past a block rule on MariaDB, hostile peers, and secrets in recordings',
  run: runMysqlRedTeamBlocks,
};
