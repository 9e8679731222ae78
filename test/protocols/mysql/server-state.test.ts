/** What a real MariaDB makes of a session behind the client's back, and that the first statement is judged by it. */

import t from 'tap';
import type { Operation } from '../../../protocols/contract.ts';
import { mysql } from '../../../protocols/mysql/index.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';
import type { MysqlClient } from '../../support/mysql-client.ts';
import { CAPABILITY, COM, command } from '../../support/mysql-packets.ts';
import { connectMysql, type MysqlOptions } from '../../support/mysql-sign-in.ts';
import { INSPECT_ALL, INSPECT_NOTHING } from '../../support/mysql-session.ts';
import { recordedFrom } from '../../support/play.ts';
import { type Pair, startPair } from '../../support/pair.ts';
import { sessionOptions } from '../../support/transcript.ts';
import type { SessionCommand } from '../../../protocols/contract.ts';

const skip = mariadbMissing() ?? false;
const ACCOUNTS = `create database shop; create database other;
  create user ann@'%' identified by 'pw'; create user 'jürgen'@'%' identified by 'pw';
  create user late@'%' identified by 'pw' password expire;
  grant all on shop.* to ann@'%', 'jürgen'@'%', late@'%'; grant all on other.* to ann@'%', late@'%'`;
const EXPIRED_PASSWORDS = 0x40_0000;
const QUERY_ATTRIBUTES = 0x800_0000;
/** Generous: machines that run tests are slow and loaded. */
const WAIT = 60_000;
const modern = CAPABILITY.deprecateEof | CAPABILITY.sessionTrack | QUERY_ATTRIBUTES;

interface Lab extends Pair {
  readonly statements: Extract<Operation, { kind: 'statement' }>[];
  readonly commands: SessionCommand[];
  connect(own?: Partial<MysqlOptions>): Promise<MysqlClient>;
}

async function startLab(
  t: { teardown(stop: () => Promise<void>): void },
  upstreamPort: number,
  inspection = INSPECT_ALL,
): Promise<Lab> {
  const statements: Lab['statements'] = [];
  const commands: SessionCommand[] = [];
  const pair = await startPair({
    protocol: mysql,
    upstreamPort,
    sessionOptions: () => sessionOptions({ signInTimeout: WAIT }),
    onCommand: (one) => void commands.push(one),
    decide: (operation) => {
      if (operation.kind === 'statement') statements.push(operation);
      return operation.kind === 'sign-in' ? { kind: 'allow', inspection } : { kind: 'allow' };
    },
  });
  t.teardown(() => pair.close());
  const login = { port: pair.port, user: 'ann', password: 'pw', wait: WAIT };
  return { ...pair, statements, commands, connect: (own) => connectMysql({ ...login, ...own }) };
}

/** The error of the sign-in, or of what was done after it. */
async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return String(error);
  }
}

t.test('init_connect (MY-56, MY-61, MY-65)', { skip }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(ACCOUNTS);
  const lab = await startLab(t, server.port);
  const start = (statement: string): Promise<string> =>
    server.sql(`set global init_connect = ${JSON.stringify(statement)}`);

  /** The first statement of a new session, as it is decided on. */
  const first = async (own: Partial<MysqlOptions> = {}): Promise<unknown> => {
    const client = await lab.connect(own);
    lab.statements.length = 0;
    await client.query("select 'é'");
    client.close();
    return lab.statements[0];
  };

  t.test('the first statement is read by what it left', async (t) => {
    const cases: readonly [string, string, object][] = [
      ['', "select 'é'", { noBackslashEscapes: false, ansiQuotes: false, database: undefined }],
      ['set names latin1', "select 'Ã©'", {}],
      ["set sql_mode='NO_BACKSLASH_ESCAPES'", "select 'é'", { noBackslashEscapes: true }],
      ["set sql_mode='ANSI_QUOTES'", "select 'é'", { ansiQuotes: true }],
      ['use other', "select 'é'", { database: 'other' }],
      ['set character_set_results=NULL', "select 'é'", {}],
    ];
    for (const [statement, text, reading] of cases) {
      await start(statement);
      for (const capabilities of [0, modern])
        t.match(await first({ capabilities }), { text, reading }, statement);
    }
    await start('use other');
    t.match(await first({ database: 'shop' }), { reading: { database: 'other' } });
  });

  t.test('what cannot be followed is refused, and nobody gets an OK', async (t) => {
    const cases: readonly [string, RegExp][] = [
      ['set names gbk', /1235 .*reads statements in gbk \(character_set_client\)/],
      ['set character_set_results=utf16', /1235 .*writes results in .*\(character_set_results\)/],
      ['set character_set_results=sjis', /1235 .*writes results in sjis/],
      ["set sql_mode='ORACLE'", /1235 .*has ORACLE in its sql_mode/],
      ["set sql_mode='MSSQL'", /1235 .*has MSSQL in its sql_mode/],
      // In the server's own words, which a client gets directly as the answer to its first command.
      ['select * from nosuch.nosuch', /1184 |MysqlEnd|closed/],
    ];
    for (const [statement, message] of cases) {
      await start(statement);
      for (const capabilities of [0, modern])
        t.match(await errorOf(lab.connect({ capabilities })), message, statement);
    }
    await start('set names gbk');
    const free = await startLab(t, server.port, INSPECT_NOTHING);
    const client = await free.connect();
    t.ok(await client.query('select 1'), 'no business of ours where nobody inspects');
    client.close();
  });

  t.test('the question is no traffic of the client’s', async (t) => {
    t.notOk(recordedFrom('client', lab.commands).includes('@@'));
    t.notOk(recordedFrom('server', lab.commands).includes('STRICT_TRANS_TABLES'));
    t.same(lab.errors, []);
  });

  t.test('COM_RESET_CONNECTION: asked anew, statements are gone (MY-56)', async (t) => {
    await start('');
    for (const capabilities of [0, modern]) {
      await server.sql("set global sql_mode=''");
      const client = await lab.connect({ capabilities, database: 'shop' });
      const prepared = await client.prepare('select 1');
      await server.sql("set global sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
      await client.query('use other');
      t.match(await client.run(command(COM.resetConnection)), [{ end: { kind: 'ok' } }]);
      await client.query("select 'é'");
      t.match(lab.statements.at(-1), {
        text: "select 'é'",
        reading: { noBackslashEscapes: true, ansiQuotes: true, database: 'other' },
      });
      t.ok('id' in prepared);
      await server.sql("set global sql_mode='ORACLE'");
      client.send(command(COM.resetConnection));
      const refused = await client.next();
      t.match(refused.toString('latin1'), /has ORACLE in its sql_mode/);
      t.equal(refused[0], 0xff);
      client.close();
      await server.sql("set global sql_mode=''");
    }
  });

  t.test('an expired password: it can be changed, and that is all', async (t) => {
    await start('');
    const client = await lab.connect({ user: 'late', capabilities: EXPIRED_PASSWORDS });
    const ask = async (sql: string): Promise<string> => {
      client.send(command(COM.query, sql));
      const reply = await client.next();
      return reply[0] === 0xff ? reply.toString('utf8', 9) : 'ok';
    };
    t.match(await ask('select 1'), /password has expired/);
    t.match(await ask("set password = password('x'); select 1"), /password has expired/);
    t.match(await ask("/*!50000 set password = password('x') */"), /password has expired/);
    t.equal(await ask("set password = password('a;b')"), 'ok');
    t.match(await ask('select 1'), /connect again/);
    client.close();
    const again = await lab.connect({ user: 'late', password: 'a;b' });
    t.ok(await again.query('select 1'));
    again.close();
  });
});

t.test('character-set-client-handshake = OFF', { skip }, async (t) => {
  const server = await startMariadb({ args: ['--skip-character-set-client-handshake'] });
  t.teardown(() => server.stop());
  await server.sql(ACCOUNTS);
  const lab = await startLab(t, server.port);
  const LATIN1 = 8;
  const client = await lab.connect({ collation: LATIN1 });
  await client.query("select 'é'");
  t.match(lab.statements.at(-1), { text: "select 'é'" }, 'utf8mb4, whatever the client said');
  client.close();
  const other = await lab.connect({ user: 'jürgen' });
  t.ok(await other.query('select 1'));
  other.close();
  // In latin1 these bytes are another name than the one that the server signs in.
  t.match(
    await errorOf(lab.connect({ user: 'jürgen', collation: LATIN1 })),
    /1045 .*reads the user name in another character set/,
  );
  t.same(lab.errors, []);
});
