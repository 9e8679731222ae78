/** Ways to a masked value by commands of the protocol and by what changes between them (MY-22, MY-56). */

import { closeStatement, type MysqlClient, type MysqlResult } from '../support/mysql-client.ts';
import { COM, command, execute } from '../support/mysql-packets.ts';

export interface MysqlWireLeak {
  readonly title: string;
  readonly act: (
    client: MysqlClient,
    admin: (sql: string) => Promise<string>,
  ) => Promise<readonly MysqlResult[]>;
}

const QUOTED = 'SELECT UPPER("ssn") FROM users, own';

/** A prepared statement may be read once more, when something that it names has changed. */
async function executeAgain(
  client: MysqlClient,
  text: string,
  change: () => Promise<unknown>,
): Promise<readonly MysqlResult[]> {
  const statement = await client.prepare(text);
  if ('kind' in statement) return [];
  await change();
  return client.execute(execute(statement.id));
}

export const MYSQL_WIRE_LEAKS: readonly MysqlWireLeak[] = [
  {
    title: 'a view that changes between prepare and execute',
    act: (client, admin) =>
      executeAgain(client, 'SELECT a FROM v_plain', async () => {
        await admin('CREATE OR REPLACE VIEW v_plain AS SELECT id, UPPER(ssn) AS a FROM users');
        // As old as a catalog may be (GW-7).
        await new Promise((resolve) => setTimeout(resolve, 7000));
      }),
  },
  {
    title: 'a prepared statement that is read again in another sql_mode',
    act: async (client) => {
      await client.query('CREATE TABLE own (a INT)');
      await client.query('INSERT INTO own VALUES (1)');
      return [
        ...(await executeAgain(client, QUOTED, async () => {
          await client.query("SET sql_mode = 'ANSI_QUOTES'");
          await client.query('ALTER TABLE own ADD b INT');
        })),
        ...(await client.query(QUOTED)),
      ];
    },
  },
  {
    title: 'a reset connection comes back with the global sql_mode',
    act: async (client) => {
      await client.query("SET GLOBAL sql_mode = 'ANSI_QUOTES'");
      await client.run(command(COM.resetConnection));
      const seen = await client.query('SELECT UPPER("ssn") FROM users');
      await client.query('SET GLOBAL sql_mode = DEFAULT');
      return seen;
    },
  },
  {
    title: 'the database of COM_INIT_DB',
    act: async (client) => {
      await client.query('USE other');
      await client.run(command(COM.initDb, 'lab'));
      return client.query('WITH q (a, b, c, d) AS (SELECT * FROM vault) SELECT c FROM q');
    },
  },
  {
    title: 'a closed and reused number of a prepared statement',
    act: async (client) => {
      const first = await client.prepare('SELECT a FROM mine');
      if ('kind' in first) return [];
      await client.execute(execute(first.id));
      client.send(closeStatement(first.id));
      const second = await client.prepare('SELECT UPPER(token) FROM vault');
      return 'kind' in second ? [] : client.execute(execute(second.id));
    },
  },
];
