/** `weir explain` on connections of protocol mysql, against a real server and with the real reader of SQL. */

import t from 'tap';
import type { Config, MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import { createExplainer } from '../../../lib/gateway/explainer.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';
import { makeMysqlConfig } from '../../support/mysql-gateway.ts';

const RULE: RuleConfig = {
  name: 'no-delete',
  connections: ['*'],
  principals: ['*'],
  effects: ['delete', 'drop'],
  objects: ['Shop.*'],
  action: 'block',
};
const MASK: MaskConfig = {
  name: 'mail',
  connections: ['*'],
  columns: ['shop.CUSTOMERS.email'],
  with: 'partial',
  mode: 'mask',
  except: ['petra'],
};

const SCHEMA = `CREATE DATABASE shop; CREATE DATABASE other; USE shop;
  CREATE TABLE Customers (id int PRIMARY KEY, Email varchar(100));
  CREATE TABLE log (who int, FOREIGN KEY (who) REFERENCES Customers (id) ON DELETE CASCADE);
  CREATE TABLE notes (id int);
  CREATE VIEW v AS SELECT id, Email AS contact FROM Customers;
  DELIMITER $$
  CREATE PROCEDURE purge_notes() BEGIN DELETE FROM notes; END $$
  CREATE FUNCTION harmless(a int) RETURNS int RETURN a + 1 $$
  CREATE FUNCTION leak() RETURNS text READS SQL DATA RETURN (SELECT max(Email) FROM Customers) $$
  CREATE TRIGGER tr AFTER INSERT ON notes FOR EACH ROW DELETE FROM log $$
  DELIMITER ;`;

async function explain(config: Config, text: string, user = 'alice', database = 'shop') {
  const [connection] = config.connections;
  if (connection === undefined) throw new Error('a configuration without a connection');
  const explainer = await createExplainer(config, connection);
  try {
    return await explainer.explain(user, database, text);
  } finally {
    await explainer.close();
  }
}

t.test('explaining statements for MySQL', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(SCHEMA);
  process.env['WEIR_TEST_UPSTREAM_PASSWORD'] = server.rootPassword;
  const upstream = { user: server.rootUser, password: server.rootPassword };
  const options = { upstreamPort: server.port, upstream };

  t.test('by rules: what it names, calls and sets off', async (t) => {
    const config = makeMysqlConfig({ ...options, rules: [RULE] }, '.');
    const cases: readonly [string, 'allow' | 'block'][] = [
      ['SELECT * FROM customers', 'allow'],
      ['DELETE FROM notes', 'block'],
      ['delete from NOTES where id = 1', 'block'],
      ['DELETE FROM other.notes', 'allow'],
      ['/*!50000 DROP TABLE notes */', 'block'],
      ['CALL purge_notes()', 'block'],
      ['SELECT harmless(1)', 'allow'],
      ['INSERT INTO notes VALUES (1)', 'block'],
      ['INSERT INTO customers VALUES (1, NULL)', 'allow'],
      ['DROP DATABASE shop', 'block'],
      ['DROP DATABASE other', 'allow'],
      ['SHOW TABLES', 'allow'],
      ["SET NAMES utf8mb4, @@SESSION.sql_mode = 'STRICT_ALL_TABLES'", 'allow'],
      ['SET NAMES gbk', 'block'],
    ];
    for (const [text, kind] of cases) {
      const { decision, unread } = await explain(config, text);
      t.equal(unread, undefined);
      t.equal(decision.kind, kind, `${text}: ${decision.kind === 'block' ? decision.reason : ''}`);
    }
    t.match((await explain(config, 'DELETE FROM notes', 'alice', 'other')).decision.kind, 'allow');
  });

  t.test('by masks: through views and routines', async (t) => {
    const config = makeMysqlConfig({ ...options, masks: [MASK] }, '.');
    const outputs = async (text: string) => {
      const { analysis, decision } = await explain(config, text);
      if (decision.kind === 'block') return decision.reason;
      return analysis?.kind === 'analysis' ? analysis.exposure?.outputs : undefined;
    };
    t.same(await outputs('SELECT * FROM customers'), [['clear', 'masked']]);
    t.same(await outputs('SELECT contact, id FROM v'), [['masked', 'clear']]);
    t.same(await outputs('SELECT x FROM (SELECT email AS x FROM Customers) q'), [['masked']]);
    t.same(await outputs('SELECT id FROM notes'), [['clear']]);
    t.match(await outputs('SELECT leak()'), /cannot be traced/);
    const { decision } = await explain(config, 'SELECT leak()', 'petra');
    t.equal(decision.kind, 'allow');
  });

  t.test('a server that cannot be asked is told, and the text judged alone', async (t) => {
    const config = makeMysqlConfig({ ...options, upstreamPort: 1, rules: [RULE] }, '.');
    const { decision, unread } = await explain(config, 'DELETE FROM notes');
    t.match(unread, /the catalog cannot be read/);
    t.match(decision, { kind: 'block', rule: 'no-delete' });
    t.match((await explain(config, '/*!99999 DROP TABLE notes */')).decision.kind, 'block');
  });
});
