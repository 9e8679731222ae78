/** What the recorded conversations are: one scenario for each transcript of the MySQL protocol. */

import type { Decision, Operation } from '../../protocols/contract.ts';
import { pause } from './raw-client.ts';
import type { MysqlClient } from './mysql-client.ts';
import { CAPABILITY, COM, command, execute, frame, uint16, uint32 } from './mysql-packets.ts';
import { connectMysql, openMysqlSocket, type MysqlOptions } from './mysql-sign-in.ts';
import { constantMask } from './transcript.ts';

export const PASSWORD = 'sesame-open';

export interface MysqlScenario {
  readonly name: string;
  readonly about: string;
  readonly steps: (port: number, comment: (text: string) => void) => Promise<void>;
}

export const MYSQL_SETUP = `
  create database shop; use shop;
  create table people (id int primary key, name varchar(20), ssn varchar(11));
  insert into people values (1, 'Ann', '111-22-3333'), (2, 'Bob', null);
  create procedure two() begin select 1 as one; select id, ssn from people; end;
  create user ann@'127.0.0.1' identified via mysql_native_password using password('${PASSWORD}');
  grant all on shop.* to ann@'127.0.0.1';
`;

/** Blocks "forbidden", masks every column named ssn, finds what names it sensitive. */
export function scenarioPolicy(operation: Operation): Decision {
  if (operation.kind === 'sign-in')
    return { kind: 'allow', inspection: { statements: true, results: true } };
  if (operation.kind === 'statement') {
    if (operation.text.includes('forbidden'))
      return { kind: 'block', rule: 'no-forbidden', code: '42501', reason: 'forbidden by a rule' };
    return { kind: 'allow', isSensitive: operation.text.includes('ssn') };
  }
  if (operation.kind !== 'result') return { kind: 'allow' };
  const plan = operation.columns.map(({ name }) =>
    name === 'ssn' ? constantMask('***') : undefined,
  );
  return plan.some((mask) => mask !== undefined) ? { kind: 'allow', plan } : { kind: 'allow' };
}

type Steps = (client: MysqlClient, comment: (text: string) => void) => Promise<void>;

function signedIn(steps: Steps, own: Partial<MysqlOptions> = {}): MysqlScenario['steps'] {
  return async (port, comment) => {
    comment('Sign-in.');
    const login = { user: 'ann', password: PASSWORD, database: 'shop' };
    const client = await connectMysql({ port, ...login, ...own });
    await steps(client, comment);
    comment('The client leaves.');
    client.send(command(COM.quit));
    await client.ended(500);
    client.close();
  };
}

const modern = { capabilities: CAPABILITY.deprecateEof | CAPABILITY.sessionTrack };

/** Packets up to an EOF, whatever they hold. */
async function drainRows(client: MysqlClient): Promise<void> {
  while ((await client.next())[0] !== 0xfe);
}

async function prepareId(client: MysqlClient, sql: string): Promise<number> {
  const prepared = await client.prepare(sql);
  if (!('id' in prepared)) throw new Error(`${sql}: ${prepared.message}`);
  return prepared.id;
}

const queries: readonly MysqlScenario[] = [
  {
    name: 'simple-query',
    about: 'rows, an error, an empty query, OK packets, EOF packets (MY-14, MY-35)',
    steps: signedIn(async (client) => {
      await client.query("select 1 as one, 'two' as two, null as three");
      await client.query('select nosuch');
      await client.query('');
      await client.query("insert into people values (3, 'Cy', null)");
      await client.query('delete from people where id = 3');
    }),
  },
  {
    name: 'deprecate-eof',
    about: 'no EOF packets, session tracking, USE and SET NAMES that are told (MY-27, MY-29)',
    steps: signedIn(async (client) => {
      await client.query('select id, name from people order by id');
      await client.query('use mysql');
      await client.run(command(COM.initDb, 'shop'));
      await client.query('set names latin1');
      await client.query('select 1; select 2');
    }, modern),
  },
  {
    name: 'masked-result',
    about: 'text and binary rows with a mask, an error whose text is data (MY-66, MY-68)',
    steps: signedIn(async (client) => {
      await client.query('select id, ssn from people order by id');
      await client.query('call two()');
      await client.execute(execute(await prepareId(client, 'select ssn, id from people')));
      await client.query("select extractvalue('<a/>', concat('~', ssn)) from people");
    }),
  },
  {
    name: 'blocked-in-transaction',
    about: 'an error of our own leaves the transaction as it is (MY-15, MY-44)',
    steps: signedIn(async (client) => {
      await client.query('begin');
      await client.query("insert into people values (4, 'Di', null)");
      await client.query("select 'forbidden'");
      await client.query('select count(*) from people');
      await client.query('rollback');
    }),
  },
];

const others: readonly MysqlScenario[] = [
  {
    name: 'prepared-statements',
    about: 'parameters, long data, a cursor, a blocked PREPARE and number -1 (MY-22, MY-24)',
    steps: signedIn(async (client, comment) => {
      const id = await prepareId(client, 'select name from people where id >= ? order by id');
      await client.execute(execute(id, ['1']));
      client.send(command(COM.longData, uint32(id), uint16(0), '2'));
      await client.execute(execute(id, ['']));
      await client.run(command(COM.reset, uint32(id)));
      comment('A cursor.');
      const cursor = await prepareId(client, 'select id, ssn from people order by id');
      await client.execute(execute(cursor, [], 1));
      client.send(command(COM.fetch, uint32(cursor), uint32(1)));
      await drainRows(client);
      comment('A blocked PREPARE.');
      await client.prepare("select 'forbidden'");
      await client.execute(execute(0xffff_ffff));
      client.send(command(COM.close, uint32(id)));
      await client.run(command(COM.ping));
    }),
  },
  {
    name: 'commands',
    about: 'commands without a statement (MY-19)',
    steps: signedIn(async (client) => {
      await client.run(command(COM.setOption, uint16(1)));
      await client.run(command(COM.sleep));
      await client.run(command(COM.binlogDump, Buffer.alloc(10)));
      client.send(command(COM.fieldList, 'people\0'));
      await drainRows(client);
      await client.run(command(COM.resetConnection));
      await client.query('select 1');
    }),
  },
  {
    name: 'pipelining',
    about: 'commands sent ahead are held and answered in their order (MY-33)',
    steps: signedIn(async (client) => {
      const texts = ['select 1', "select 'forbidden'", 'select nosuch', 'select 4'];
      client.sendAll(texts.map((text) => command(COM.query, text)));
      for (const _ of texts) {
        client.startReply();
        await client.readResults();
      }
    }),
  },
  {
    name: 'sign-in-wrong-password',
    about: 'the server refuses (MY-7)',
    steps: async (port) => {
      await connectMysql({ port, user: 'ann', password: 'wrong' }).catch(() => undefined); // refused, as wanted
    },
  },
  {
    name: 'unknown-message',
    about: 'a command that nobody knows ends the session',
    steps: signedIn(async (client) => {
      await client.query('select 1');
      client.socket.write(frame(Buffer.from('77000102030405060708', 'hex')));
      await client.ended();
    }),
  },
  {
    name: 'length-over-limit',
    about: 'a name of 16 MB is refused by its header',
    steps: signedIn(async (client) => {
      await client.query('select 1');
      client.socket.write(Buffer.from('feffff00024141414141414141414141414141414141', 'hex'));
      await client.ended();
    }),
  },
  {
    name: 'leaves-before-signing-in',
    about: 'a client that has read the greeting and goes (MY-1)',
    steps: async (port) => {
      const socket = await openMysqlSocket(port);
      await pause(100);
      socket.end();
      await pause(100);
    },
  },
];

export const mysqlScenarios: readonly MysqlScenario[] = [...queries, ...others];
