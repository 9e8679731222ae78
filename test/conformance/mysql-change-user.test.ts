/** COM_CHANGE_USER through a whole gateway: another principal, other rules and masks, one recording. */

import { createConnection } from 'mysql2/promise';
import t from 'tap';
import type { MaskConfig, RuleConfig } from '../../lib/config/config.ts';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { listRecordings } from '../../lib/recording/library.ts';
import { playBack } from '../../lib/recording/playback.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import { mariadbMissing, startMariadb } from '../support/mariadb-server.ts';
import { makeMysqlConfig } from '../support/mysql-gateway.ts';

const USERS = [
  { user: 'alice', password: 'alice-secret', groups: ['analysts'] },
  { user: 'petra', password: 'petra-secret', groups: ['privacy'] },
];
const MASKS: readonly MaskConfig[] = [
  {
    name: 'contact-data',
    connections: ['*'],
    columns: ['shop.people.ssn'],
    with: 'redact',
    mode: 'mask',
    except: ['group:privacy'],
  },
];
const RULES: readonly RuleConfig[] = [
  {
    name: 'analysts-only-read',
    connections: ['*'],
    principals: ['group:analysts'],
    effects: ['delete'],
    objects: ['*'],
    action: 'block',
  },
];

t.test(
  'each user has rules and masks of its own',
  { skip: mariadbMissing() ?? false },
  async (t) => {
    const server = await startMariadb();
    t.teardown(() => server.stop());
    await server.sql(`create database shop; create table shop.people (id int, ssn varchar(20));
    insert into shop.people values (1, '111-22-3333'), (2, '444-55-6666')`);
    const dataDir = await makeTemporary(t, 'weir-change-user-');
    process.env['WEIR_TEST_UPSTREAM_PASSWORD'] = server.rootPassword;
    const upstream = { user: server.rootUser, password: server.rootPassword };
    const own = { upstreamPort: server.port, upstream, users: USERS, masks: MASKS, rules: RULES };
    const log: string[] = [];
    const write = (details: object, message: string): void =>
      void log.push(`${message} ${JSON.stringify(details)}`);
    const config = makeMysqlConfig({ ...own, limits: { sessionsMax: 1 } }, dataDir);
    const gateway = await createGateway(config, {
      log: { info: write, warn: write, error: write },
    });
    t.teardown(() => gateway.close());
    await gateway.listen();
    const port = gateway.addresses[0]?.port ?? 0;
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'alice',
      password: 'alice-secret',
      database: 'shop',
    });
    connection.on('error', () => undefined);
    const read = async (): Promise<string> => {
      const [rows] = await connection.query({ sql: 'select ssn from people', rowsAsArray: true });
      return JSON.stringify(rows);
    };
    const masked = await read();
    t.notMatch(masked, /111-22/);
    await t.rejects(connection.query('delete from people where id = 2'), {
      message: /analysts-only-read/,
    });
    await connection.changeUser({ user: 'petra', password: 'petra-secret', database: 'shop' });
    t.equal(await read(), '[["111-22-3333"],["444-55-6666"]]', 'nobody masks for petra');
    await connection.query('delete from people where id = 2');
    await connection.changeUser({ user: 'alice', password: 'alice-secret', database: 'shop' });
    t.notMatch(await read(), /111-22/, 'and alice sees masks again');
    await t.rejects(connection.query('delete from people where id = 1'), {
      message: /analysts-only-read/,
    });
    await t.rejects(connection.changeUser({ user: 'petra', password: 'wrong' }), {
      message: /Access denied/,
    });
    connection.destroy();
    await gateway.close();

    const [stored, ...others] = await listRecordings(dataDir);
    t.same(others, [], 'one session is one recording');
    const recording = await openRecording(stored?.path ?? '');
    const principals: string[] = [];
    for await (const event of playBack(recording)) {
      if (event.kind === 'note' && event.note.kind === 'signed-in')
        principals.push(event.note.principal);
    }
    await recording.close();
    t.same(principals, ['alice', 'petra', 'alice'], 'the one that failed is none');
  },
);
