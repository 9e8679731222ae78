/** Effects and hazards of texts that once got past a block rule; part of analysis.test.ts. */
import t from 'tap';
import { analysisOf, effectsOf, hazardsOf } from './analyze.ts';

const MODE = "SET sql_mode = 'NO_BACKSLASH_ESCAPES'";

t.test('a block that changes how its own texts are read is a hazard (MY-62)', async (t) => {
  for (const text of [
    `BEGIN NOT ATOMIC ${MODE}; EXECUTE IMMEDIATE 'SELECT 1'; END`,
    `BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; ${MODE}; END`,
    "IF 1 THEN EXECUTE IMMEDIATE 'USE shop'; EXECUTE IMMEDIATE 'DO 1'; END IF",
    `CREATE PROCEDURE p() BEGIN ${MODE}; PREPARE s FROM 'SELECT 1'; END`,
    `EXECUTE IMMEDIATE 'BEGIN NOT ATOMIC ${MODE.replaceAll("'", "''")}; EXECUTE IMMEDIATE ''DO 1''; END'`,
  ])
    t.match(hazardsOf(text), [/ beside PREPARE or EXECUTE IMMEDIATE in one block$/], text);
  for (const text of [
    MODE,
    `BEGIN NOT ATOMIC ${MODE}; SELECT 1; END`,
    `EXECUTE IMMEDIATE '${MODE.replaceAll("'", "''")}'`,
    "PREPARE s FROM 'USE shop'",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'SELECT 1'; EXECUTE IMMEDIATE 'SELECT 2'; END",
  ])
    t.same(hazardsOf(text), [], text);
});

t.test('an inner text is also read without what a charset may lose (MY-61)', async (t) => {
  const { functions } = analysisOf(String.raw`EXECUTE IMMEDIATE 'SELECT \'\\\', f() -- \''`);
  t.match(functions, [{ name: 'f' }]);
  t.same(effectsOf("PREPARE s FROM 'SELECT `a` FROM t'"), ['session', 'read:t']);
});

t.test('bodies are of their own database, and those not told are unknown (MY-46)', async (t) => {
  t.ok(effectsOf('CREATE PROCEDURE b.p() DELETE FROM t').includes('delete:b.t'));
  t.ok(
    effectsOf('CREATE EVENT b.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t').includes('delete:b.t'),
  );
  const trigger = 'CREATE TRIGGER g AFTER INSERT ON b.t FOR EACH ROW DELETE FROM u';
  t.ok(effectsOf(trigger).includes('delete:b.u'));
  t.ok(effectsOf('ALTER EVENT e ENABLE').includes('unknown:e'));
  t.notOk(effectsOf('ALTER EVENT e DO SELECT 1').includes('unknown:e'));
  for (const name of ['init_connect', 'init_slave', 'event_scheduler'])
    t.ok(effectsOf(`SET GLOBAL ${name} = 'x'`).includes('unknown'), name);
  t.notOk(effectsOf("SET GLOBAL time_zone = '+00:00'").includes('unknown'));
});

t.test('names that the server may take for stored functions (MY-46)', async (t) => {
  for (const text of ['SELECT point(1)', 'SELECT POLYGON ()', 'SELECT json_table()'])
    t.equal(analysisOf(text).functions.length, 1, text);
  t.same(analysisOf('SELECT lower(a), st_x(b) FROM t').functions, []);
});

t.test('rows that are lost, and tables that go by another name (MY-45)', async (t) => {
  t.ok(effectsOf('ALTER TABLE t ENGINE = Merge').includes('delete:t'));
  t.ok(effectsOf("ALTER TABLE t ENGINE 'blackhole'").includes('delete:t'));
  t.ok(effectsOf('ALTER IGNORE TABLE t ADD UNIQUE (a)').includes('delete:t'));
  t.notOk(effectsOf('ALTER TABLE t ENGINE = InnoDB').includes('delete:t'));
  t.ok(effectsOf('RENAME TABLE t TO b.u').includes('drop:t'));
  t.ok(effectsOf('ALTER TABLE t RENAME TO b.u').includes('drop:t'));
  t.notOk(effectsOf('ALTER TABLE t RENAME COLUMN a TO b').includes('drop:t'));
});

t.test('what a text makes and then uses is known to no catalog (GW-7)', async (t) => {
  const isUnknown = (text: string): boolean =>
    effectsOf(text).some((effect) => effect.startsWith('unknown'));
  const view = 'CREATE VIEW v AS SELECT * FROM t';
  t.ok(isUnknown(`${view}; DELETE FROM V`));
  t.ok(isUnknown(`ALTER VIEW v AS SELECT * FROM t; INSERT INTO app.v VALUES (1)`));
  t.ok(isUnknown(`BEGIN NOT ATOMIC ${view}; EXECUTE IMMEDIATE 'TRUNCATE v'; END`));
  t.ok(isUnknown('RENAME TABLE a TO b; SELECT * FROM b'));
  t.notOk(isUnknown(`${view}; SELECT * FROM v`));
  t.notOk(isUnknown(`${view}; DELETE FROM w`));
  t.notOk(isUnknown('CREATE TABLE a (b INT); INSERT INTO a VALUES (1)'));
});
