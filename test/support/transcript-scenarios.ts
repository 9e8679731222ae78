/** What the recorded conversations are: one scenario for each transcript of the Postgres protocol. */

import { PASSWORD } from './postgres-lab.ts';
import { connectRaw, openSocket, RawClient, type RawOptions, pause } from './raw-client.ts';
import {
  bind,
  cancelRequest,
  closeNamed,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  functionCall,
  gssRequest,
  message,
  parse,
  PROTOCOL_3_2,
  query,
  sslRequest,
  startup,
  sync,
  terminate,
} from './raw-postgres.ts';

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** PostgreSQL's major version; 18 where it does not matter. */
  readonly server?: 15 | 18;
  /** Set: the gateway verifies its own users and logs in with this one. */
  readonly upstreamUser?: string;
  readonly steps: (port: number, comment: (text: string) => void) => Promise<void>;
}

type Steps = (client: RawClient, comment: (text: string) => void) => Promise<void>;

function signedIn(options: Omit<RawOptions, 'port'>, steps: Steps): Scenario['steps'] {
  return async (port, comment) => {
    comment('Sign-in.');
    const client = await connectRaw({ port, ...options });
    await client.until('Z');
    await steps(client, comment);
    comment('The client leaves.');
    client.send(terminate());
    await client.ended(500);
    client.close();
  };
}

const asPostgres = (steps: Steps): Scenario['steps'] => signedIn({}, steps);
const asAlice = { user: 'alice', password: PASSWORD };

async function selectOne(client: RawClient): Promise<void> {
  await client.query('select 1');
}

const signIns: readonly Scenario[] = [
  {
    name: 'sign-in-gateway-scram',
    about: 'SCRAM against the gateway, then SCRAM of the gateway against the server (PG-14)',
    upstreamUser: 'scramu',
    steps: signedIn(asAlice, selectOne),
  },
  {
    name: 'sign-in-gateway-md5-15',
    about: 'SCRAM against the gateway, md5 of the gateway against the server',
    server: 15,
    upstreamUser: 'md5u',
    steps: signedIn(asAlice, selectOne),
  },
  {
    name: 'sign-in-gateway-cleartext',
    about: 'the gateway logs in with a clear-text password',
    upstreamUser: 'plainu',
    steps: signedIn(asAlice, selectOne),
  },
  {
    name: 'sign-in-wrong-password',
    about: 'the proof is wrong: 28P01 and no upstream connection (PG-15)',
    upstreamUser: 'scramu',
    steps: async (port) => {
      await connectRaw({ port, user: 'alice', password: 'wrong' }).catch(() => undefined); // refused, as wanted
    },
  },
  {
    name: 'sign-in-3.2',
    about:
      'protocol 3.2 with an unknown option: `v` of the server, then a key of 32 bytes (PG-8, PG-11)',
    upstreamUser: 'scramu',
    steps: signedIn(
      { ...asAlice, version: PROTOCOL_3_2, parameters: { '_pq_.weir': 'x' } },
      selectOne,
    ),
  },
  {
    name: 'sign-in-3.2-on-15',
    about: 'an older server answers 3.2 with `v` of 3.0 (PG-8)',
    server: 15,
    upstreamUser: 'scramu',
    steps: signedIn({ ...asAlice, version: PROTOCOL_3_2 }, selectOne),
  },
  {
    name: 'sign-in-passthrough-scram',
    about: 'the exchange of client and server is relayed, and blanked in the recording (GW-16)',
    steps: signedIn({ user: 'scramu', password: PASSWORD }, selectOne),
  },
  {
    name: 'sign-in-passthrough-md5',
    about: 'md5 relayed (PG-17)',
    steps: signedIn({ user: 'md5u', password: PASSWORD }, selectOne),
  },
  {
    name: 'sign-in-unknown-setting',
    about: 'the server refuses after AuthenticationOk (PG-9, PG-21)',
    steps: async (port) => {
      await connectRaw({ port, parameters: { nosuch_setting: '1' } }).catch(() => undefined); // refused, as wanted
      await pause(50);
    },
  },
  {
    name: 'gssenc-ssl-then-plain',
    about:
      'GSSENCRequest and SSLRequest are answered N, the same socket goes on in plain text (PG-2, PG-5)',
    steps: async (port) => {
      const socket = await openSocket(port);
      socket.write(gssRequest());
      await pause(50);
      socket.write(sslRequest());
      await pause(50);
      socket.removeAllListeners('data');
      socket.write(startup({ user: 'postgres', database: 'postgres' }));
      await pause(100);
      socket.end(terminate());
      await pause(50);
    },
  },
  {
    name: 'cancel-request',
    about: 'no session, no answer: the server hears its own key and hangs up (PG-12)',
    steps: async (port) => {
      const client = new RawClient(await openSocket(port));
      client.send(cancelRequest(Buffer.from('0000303900000001', 'hex')));
      await client.ended();
    },
  },
];

const statements: readonly Scenario[] = [
  {
    name: 'simple-query',
    about: 'rows, an error, an empty query (PG-45), no columns (PG-49)',
    steps: asPostgres(async (client, comment) => {
      await client.query("select 1 as one, 'two' as two, null as three");
      await client.query('select nosuch');
      comment('Empty queries.');
      await client.exchange([query(''), query('-- ping'), query(';')], 3);
      await client.query('select');
      await client.query('create table if not exists people (id int)');
    }),
  },
  {
    name: 'multi-statement',
    about: 'several results in one Query, with an error in the middle (PG-33, PG-35)',
    steps: asPostgres(async (client) => {
      await client.query("select 1; select email from people where id = 1; select 'x'");
      await client.query('select 1; select 1/0; select 2');
      await client.query('begin; select 1/0; rollback');
      await client.query('rollback');
    }),
  },
  {
    name: 'pipeline-error',
    about:
      'an error in a pipeline: everything up to Sync is dropped, a Query too (PG-27, PG-28, PG-29)',
    steps: asPostgres(async (client, comment) => {
      const select = (sql: string): Buffer[] => [
        parse('', sql),
        bind('', ''),
        describe('P'),
        execute(),
      ];
      await client.exchange(
        [
          ...select('select 1'),
          ...select('selekt 2'),
          ...select('select 3'),
          sync(),
          ...select('select 4'),
          sync(),
        ],
        2,
      );
      comment('An error without Sync or Flush comes at once; a Query behind it is never answered.');
      client.send(parse('', 'selekt'));
      await client.until('E');
      client.send(query('select 99'));
      await pause(50);
      await client.exchange([flush(), closeNamed('S', 'x'), sync()]);
    }),
  },
  {
    name: 'prepared-statements',
    about:
      'names, parameters, binary results, DEALLOCATE, the unnamed statement after a Query (PG-36, PG-37, PG-42)',
    steps: asPostgres(async (client) => {
      const values = ['1', 'x'];
      client.send(
        parse('s1', 'select id, email, $2::text from people where id = $1::int'),
        describe('S', 's1'),
        flush(),
      );
      await client.until('T');
      await client.exchange([
        bind('', 's1', { values, resultFormats: [1] }),
        describe('P'),
        execute(),
        sync(),
      ]);
      await client.exchange([bind('', 's1', { values }), execute(), closeNamed('S', 's1'), sync()]);
      await client.exchange(
        [parse('', 'select 5'), sync(), query('select 6'), bind('', ''), execute(), sync()],
        3,
      );
      await client.query('deallocate all');
    }),
  },
  {
    name: 'declared-types',
    about:
      'types of parameters that the client declares, one left open, one that does not exist (PG-62)',
    steps: asPostgres(async (client) => {
      const values = ['1', 'x', '{2,3}'];
      client.send(
        parse('d', 'select $1, $2::text, $3', [20, 0, 1007]),
        describe('S', 'd'),
        flush(),
      );
      await client.until('T');
      await client.exchange([bind('', 'd', { values }), execute(), sync()]);
      await client.exchange([parse('', 'select $1', [4_000_000_000]), sync()]);
    }),
  },
  {
    name: 'portal-suspended',
    about: 'rows in slices, two portals by turns (PG-43)',
    steps: asPostgres(async (client) => {
      await client.query('begin');
      await client.exchange([
        parse('', "select g, 'p' || g as email from generate_series(1, 5) g"),
        bind('p1', ''),
        bind('p2', ''),
        execute('p1', 2),
        execute('p2', 1),
        execute('p1', 2),
        execute('p1', 2),
        sync(),
      ]);
      await client.query('commit');
    }),
  },
  {
    name: 'masked-result',
    about:
      'a masked column in a simple query and behind an Execute without Describe (PG-40), through a view and a cursor',
    steps: asPostgres(async (client) => {
      await client.query('select id, email from people order by id');
      await client.exchange([
        parse('', 'select email, id from people order by id'),
        bind('', ''),
        execute(),
        sync(),
      ]);
      await client.exchange([
        parse('', 'select address from addresses'),
        bind('', '', { resultFormats: [1] }),
        describe('P'),
        execute(),
        sync(),
      ]);
      await client.exchange(
        [
          query('begin'),
          query('declare c cursor for select email from people'),
          query('fetch 2 from c'),
        ],
        3,
      );
      await client.exchange([execute('c', 1), sync()]);
      await client.query('commit');
      await client.query("insert into people values (9, 'x', 'ann@example.org')");
    }),
  },
  {
    name: 'blocked-in-transaction',
    about: 'a blocked statement fails the transaction as any error does (PG-30, PG-31)',
    steps: asPostgres(async (client, comment) => {
      await client.exchange(
        [query('begin'), query('drop table people'), query('select 1'), query('rollback')],
        4,
      );
      comment('In a pipeline: what came before in it is rolled back.');
      const insert = [parse('', "insert into loaded values (1, 'lost')"), bind('', ''), execute()];
      await client.exchange([
        ...insert,
        parse('', 'truncate loaded'),
        bind('', ''),
        execute(),
        sync(),
      ]);
      await client.query('select count(*) from loaded');
      comment('An earlier error in the pipeline stays what it is.');
      await client.exchange([parse('', 'selekt'), parse('', 'drop table people'), sync()]);
      await client.query('select 1; drop table people');
      comment('A function by its number (PG-46).');
      await client.exchange([functionCall(1299)]);
    }),
  },
];

const streams: readonly Scenario[] = [
  {
    name: 'copy-simple',
    about: 'COPY in and out in simple queries, also two in one Query, also one that fails (PG-50)',
    steps: asPostgres(async (client) => {
      client.send(query('copy loaded from stdin'));
      await client.until('G');
      await client.exchange([copyData('1\tone\n2\ttw'), copyData('o\n'), copyDone()]);
      await client.query('copy loaded to stdout');
      client.send(query('copy loaded from stdin; copy loaded from stdin; select 1'));
      await client.until('G');
      client.send(copyData('3\tthree\n'), copyDone());
      await client.until('G');
      await client.exchange([copyDone()]);
      client.send(query('copy loaded from stdin'));
      await client.until('G');
      await client.exchange([copyData('x\ty\n'), copyFail('enough'), copyDone()]);
      await client.query('truncating is blocked: truncate loaded');
    }),
  },
  {
    name: 'copy-eager-sync',
    about: 'Sync sent before the COPY data is ignored by the server (PG-50)',
    steps: asPostgres(async (client, comment) => {
      const copy = (sql: string): Buffer[] => [parse('', sql), bind('', ''), execute(), sync()];
      client.send(...copy('copy loaded from stdin'));
      await client.until('G');
      await client.exchange([copyData('5\tfive\n'), copyDone(), sync()]);
      comment('A COPY that fails before it reads: now the early Sync is answered.');
      client.send(...copy('copy loaded_view from stdin'));
      await client.until('Z');
      await client.exchange([sync()]);
      await selectOne(client);
    }),
  },
  {
    name: 'notices-and-notifications',
    about: 'messages that answer nothing, anywhere (PG-47), and parameters that change (PG-10)',
    steps: asPostgres(async (client) => {
      await client.query('listen weir');
      await client.query("do $$ begin raise notice 'seen %', 1; end $$");
      await client.exchange(
        [query('begin'), query("select pg_notify('weir', 'payload')"), query('commit')],
        3,
      );
      await client.exchange(
        [query('begin'), query("set application_name = 'other'"), query('rollback')],
        3,
      );
      await client.query('set standard_conforming_strings = off');
      await client.query(String.raw`select 'a\'b'`);
    }),
  },
  {
    name: 'unknown-message',
    about: 'a message that PostgreSQL does not know ends the session (PG-23)',
    steps: asPostgres(async (client, comment) => {
      comment('What follows is the unknown message.');
      client.send(message('z', Buffer.from('what is this')));
      await client.ended();
    }),
  },
  {
    name: 'length-over-limit',
    about: 'a statement that says it is larger than the limit is refused by its header (PG-23)',
    steps: asPostgres(async (client, comment) => {
      comment('What follows is the header of a Query of 512 MB and its first bytes.');
      client.send(
        Buffer.concat([Buffer.from('Q'), Buffer.from('20000000', 'hex'), Buffer.from("select '")]),
      );
      await client.ended();
    }),
  },
];

export const scenarios: readonly Scenario[] = [...signIns, ...statements, ...streams];
