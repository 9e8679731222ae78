import t from 'tap';
import type { RuleConfig } from '../../lib/config/config.ts';
import { mariadbMissing, startMariadb } from '../support/mariadb-server.ts';
import { startMysqlGateway } from '../support/mysql-gateway.ts';
import type { MysqlClient } from '../support/mysql-client.ts';
import { CAPABILITY, COM, command } from '../support/mysql-packets.ts';
import { connectMysql } from '../support/mysql-sign-in.ts';

/** Deleting is forbidden in the other database only, so that all depends on knowing which one is meant. */
const RULE: RuleConfig = {
  name: 'keep-other',
  connections: ['*'],
  principals: ['*'],
  effects: ['delete'],
  objects: ['other.victims'],
  action: 'block',
};
const WAIT = 60_000;
const MODERN = CAPABILITY.deprecateEof | CAPABILITY.sessionTrack | CAPABILITY.multiStatements;

/** Each ends in the other database, with the server telling it or not (MY-27, MY-63). */
const FORMS: readonly (readonly string[])[] = [
  ['USE other'],
  ['SET session_track_schema = 0; USE other'],
  ['SET session_track_schema = 0', 'USE other'],
  ['SET session_track_schema = 00', 'SET @a = 1; USE other'],
  ['SET SESSION session_track_schema = OFF', 'DO 1; USE other'],
  ['SET @@session_track_schema = FALSE, @b = 1; USE other'],
  ['SET @@session.session_track_schema = (SELECT 0)', 'SELECT 1; USE `other`'],
  ['SET @a = 0', 'SET session_track_schema = @a', 'BEGIN; USE other; COMMIT'],
  ['/*!50700 SET session_track_schema = 0 */', '/*M! USE other */'],
  ['/*M!100000 SET session_track_schema = 0 */; /*M!100000 USE other */'],
  ["PREPARE s FROM 'SET session_track_schema = 0'", 'EXECUTE s', 'SET @a = 1; USE other'],
  ["EXECUTE IMMEDIATE 'SET session_track_schema = 0'", "PREPARE s FROM 'USE other'", 'EXECUTE s'],
  ["EXECUTE IMMEDIATE CONCAT('SET session_', 'track_schema = 0')", "EXECUTE IMMEDIATE 'USE other'"],
  ["SET session_track_system_variables = ''", 'SET @a = 1; USE other'],
  ['SET STATEMENT session_track_schema = 0 FOR USE other'],
  ['CALL hide()', 'SET @a = 1; USE other'],
  ['CALL hide(); USE other'],
  ['SET session_track_schema = 1', 'SET session_track_schema = 0.0', 'DO 1; USE other'],
];

t.test(
  'the database is known, or nothing is done there',
  { skip: mariadbMissing() ?? false },
  async (t) => {
    const server = await startMariadb();
    t.teardown(() => server.stop());
    await server.sql(`CREATE DATABASE shop; CREATE DATABASE other;
    CREATE TABLE shop.victims (a INT); CREATE TABLE other.victims (a INT);
    INSERT INTO other.victims VALUES (1), (2);
    CREATE PROCEDURE shop.hide() SET session_track_schema = 0;
    CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app'; GRANT ALL ON *.* TO app@'127.0.0.1'`);
    const alice = { user: 'alice', password: 'alice-secret' };
    const gateway = await startMysqlGateway(t, {
      users: [alice],
      rules: [RULE],
      upstreamPort: server.port,
      upstream: { user: 'app', password: 'app' },
    });
    const connect = (port: number, login: object, capabilities: number): Promise<MysqlClient> =>
      connectMysql({ port, ...alice, ...login, database: 'shop', capabilities, wait: WAIT });
    const rows = async (): Promise<string> =>
      (await server.sql('SELECT COUNT(*) AS n FROM other.victims')).replace(/\D/g, '');

    t.test('the server itself runs these', async (t) => {
      const client = await connect(server.port, { user: 'app', password: 'app' }, MODERN);
      await client.query('SET session_track_schema = 0; USE other');
      await client.query('DELETE FROM victims');
      client.close();
      t.equal(await rows(), '0');
      await server.sql('INSERT INTO other.victims VALUES (1), (2)');
    });

    for (const form of FORMS) {
      for (const capabilities of [MODERN, MODERN & ~CAPABILITY.sessionTrack]) {
        t.test(`${form.join(' / ')}, capabilities ${capabilities}`, async (t) => {
          const client = await connect(gateway.port, {}, capabilities);
          // The server has told of a database before, so its silence could be taken for no change.
          await client.run(command(COM.initDb, 'shop'));
          await client.query('USE shop');
          for (const text of form) await client.query(text);
          await client.query('DELETE FROM victims');
          client.close();
          t.equal(await rows(), '2');
        });
      }
    }

    t.test('in its own database it may', async (t) => {
      const client = await connect(gateway.port, {}, MODERN);
      const [result] = await client.query('DELETE FROM victims');
      t.equal(result?.end.kind, 'ok');
      client.close();
    });
  },
);
