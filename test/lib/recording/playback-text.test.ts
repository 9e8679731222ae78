import t, { type Test } from 'tap';
import { playBack } from '../../../lib/recording/playback.ts';
import { createCsvFormat } from '../../../lib/recording/playback-data.ts';
import { createTextFormat } from '../../../lib/recording/playback-text.ts';
import { openRecording } from '../../../lib/recording/reader.ts';
import { COM, execute, frame, lenenc } from '../../support/mysql-packets.ts';
import {
  ask,
  type Chunk,
  column,
  endOfRows,
  err,
  ok,
  packets,
  prepareOk,
  query,
  reply,
  signIn,
  sized,
} from './mysql-capture.ts';
import { recordSession, type Step } from './session-fixture.ts';

const COLUMNS = [
  lenenc(2),
  column({ name: 'id', type: 3, table: 'customers' }),
  column({ name: 'email', table: 'customers' }),
];

function steps(...list: (Chunk | Step)[]): Step[] {
  return list.map((step, index) => {
    const at = index * 1000;
    if ('note' in step || 'bytes' in step) return { ...step, at };
    return { at, from: step[0], bytes: step[1] };
  });
}

/** A session with a mask, a block, a prepared statement and a file. */
const SHOP: readonly Step[] = steps(
  ...signIn({ attributes: { program_name: 'mariadb' } }),
  { at: 0, note: { kind: 'signed-in', principal: 'alice', user: 'app', database: '' } },
  query('SELECT id,\n  email FROM customers'),
  {
    at: 0,
    note: {
      kind: 'decision',
      operation: 'result',
      outcome: 'mask',
      masked: ['shop.customers.email'],
    },
  },
  reply(
    ...COLUMNS,
    Buffer.concat([sized('7'), sized('***')]),
    Buffer.concat([sized('10'), Buffer.of(0xfb)]),
    endOfRows(),
  ),
  query('DROP TABLE customers'),
  {
    at: 0,
    note: {
      kind: 'decision',
      operation: 'statement',
      outcome: 'block',
      rule: 'no-destruction',
      reason: 'drop on customers',
    },
  },
  {
    at: 0,
    from: 'server',
    by: 'gateway',
    bytes: reply(err(1142, 'drop is not allowed', '42000'))[1],
  },
  ask(COM.prepare, 'UPDATE t SET a = ?'),
  reply(prepareOk(1, 0, 1), column({ name: '?' })),
  ['client', frame(execute(1, ["O'Brien"]))],
  reply(ok({ warnings: 1 })),
  ask(COM.initDb, 'shop'),
  reply(ok()),
  query('LOAD DATA LOCAL INFILE "a"'),
  reply(Buffer.from('\xfba.csv', 'latin1')),
  packets('client', [Buffer.from('1\n2\n'), Buffer.alloc(0)], 2),
  packets('server', [ok()], 4),
  ask(COM.quit),
);

const EXPECTED = `session session-1
connection shop (mysql), client 127.0.0.1:50123, started 2026-03-04T05:06:07.890Z

  +0.000s  the server is 11.8.2-MariaDB, connection 77
  +0.001s  client connects: user=alice database=shop method=mysql_native_password collation=45 @program_name=mariadb
  +0.003s  signed in as alice (database user app)
  +0.004s  alice> SELECT id,
               email FROM customers
  +0.005s  masked: shop.customers.email
 id | email
----+--------
  7 | ***
 10 | (null)
(2 rows)
  +0.007s  alice> DROP TABLE customers
  +0.008s  BLOCKED by rule "no-destruction": drop on customers
  +0.009s  ERROR 1142 (42000): drop is not allowed (from Weir)
  +0.012s  alice> UPDATE t SET a = ?
             with ?1 = 'O'Brien'
  +0.013s  OK, 0 rows affected, 1 warning
  +0.014s  alice> COM_INIT_DB shop
  +0.015s  OK
  +0.016s  alice> LOAD DATA LOCAL INFILE "a"
  +0.017s  the server asks for the file a.csv
             1
             2
  +0.018s  copy data of the client ends (2 lines)
  +0.019s  OK, 0 rows affected
  +0.020s  session ended: client closed
`;

async function play(t: Test, make: 'text' | 'csv'): Promise<string> {
  const { path } = await recordSession(t, SHOP, {
    header: { protocol: 'mysql' },
    reason: 'client closed',
  });
  const recording = await openRecording(path);
  const format =
    make === 'csv'
      ? createCsvFormat()
      : createTextFormat(recording.header, { hasColour: false, rowsMax: 100 });
  let shown = format.begin();
  for await (const event of playBack(recording)) shown += format.show(event);
  return shown;
}

t.test('a MySQL session reads like a PostgreSQL one', async (t) => {
  t.equal(await play(t, 'text'), EXPECTED);
});

t.test('its results are CSV', async (t) => {
  t.equal(await play(t, 'csv'), 'id,email\r\n7,***\r\n10,\r\n');
});
