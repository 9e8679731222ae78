import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createMysqlView } from '../../../lib/recording/mysql-view.ts';
import type { ViewColumn, ViewEvent } from '../../../lib/recording/view.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';
import { type MysqlClient, NEWEST_STATEMENT } from '../../support/mysql-client.ts';
import { CAPABILITY, COM, command, execute, uint32 } from '../../support/mysql-packets.ts';
import { connectMysql } from '../../support/mysql-sign-in.ts';
import { type Chunk, startTap, type Tap, view } from './mysql-capture.ts';

const SCHEMA = `
CREATE DATABASE lab CHARACTER SET utf8mb4;
USE lab;
CREATE TABLE types (
  id INT UNSIGNED PRIMARY KEY, ti TINYINT, si SMALLINT UNSIGNED, mi MEDIUMINT, bi BIGINT,
  ub BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(10,2), da DATE, dt DATETIME(3), ts TIMESTAMP NULL,
  tm TIME(2), y YEAR, v VARCHAR(30), l VARCHAR(30) CHARACTER SET latin1, c CHAR(4), x TEXT, b BLOB,
  vb VARBINARY(8), e ENUM('one','two'), s SET('a','b'), j JSON, bt BIT(10), g GEOMETRY
);
INSERT INTO types VALUES (4000000000, -5, 65535, -8000000, -9007199254740993, 18446744073709551615,
  1.1, 0.25, -12.50, '2024-02-29', '1999-12-31 23:59:59.125', '2020-01-01 00:00:00', '-49:30:00.25',
  1999, 'Bö "x"', 'Zoë €5', 'ab', 'text', x'00ff', 'plain', 'two', 'a,b', '{"a": 1}', b'1000000001',
  POINT(1, 2));
INSERT INTO types (id, dt, tm, da) VALUES (1, '2024-02-29 00:00:00', '00:00:00', '2024-02-29');
DELIMITER //
CREATE PROCEDURE two() BEGIN SELECT 1 AS one; SELECT 'b' AS two; END //
DELIMITER ;
`;
const ROW = [
  '4000000000',
  '-5',
  '65535',
  '-8000000',
  '-9007199254740993',
  '18446744073709551615',
  '1.1',
  '0.25',
  '-12.50',
  '2024-02-29',
  '1999-12-31 23:59:59.125',
  '2020-01-01 00:00:00',
  '-49:30:00.25',
  '1999',
  'Bö "x"',
  'Zoë €5',
  'ab',
  'text',
  '\\x00ff',
  'plain',
  'two',
  'a,b',
  '{"a": 1}',
  '\\x0201',
  /^\\x0{8}01/,
];
const ROW_OF_NULLS = ['1', '2024-02-29 00:00:00.000', '00:00:00.00', '2024-02-29'];
const TYPE_NAMES = [
  'int unsigned',
  'tinyint',
  'smallint unsigned',
  'mediumint',
  'bigint',
  'bigint unsigned',
  'float',
  'double',
  'decimal',
  'date',
  'datetime',
  'timestamp',
  'time',
  'year',
  'varchar',
  'varchar',
  'char',
  'text',
  'blob',
  'varbinary',
  'enum',
  'set',
  'text',
  'bit',
  'geometry',
];

/** Everything that a client can ask for, one after the other, and some of it at once. */
async function talk(client: MysqlClient): Promise<void> {
  await client.query('SELECT * FROM types ORDER BY id DESC');
  await client.query('SELECT nothing FROM types');
  await client.query("UPDATE types SET v = 'ä' WHERE id = 1; SELECT v FROM types WHERE id = 1");
  await client.query('CALL two()');
  await client.query("BEGIN; INSERT IGNORE INTO types (id, ti) VALUES (2, '5 apples')");
  await client.run(command(COM.initDb, 'lab'));
  await client.run(command(COM.ping));
  await prepared(client);
  await client.run(command(COM.resetConnection));
  client.send(command(COM.statistics));
  await client.next();
  client.send(command(COM.quit));
  await client.ended();
}

async function prepared(client: MysqlClient): Promise<void> {
  const all = await client.prepare('SELECT * FROM types WHERE id > ? OR v = ? ORDER BY id DESC');
  if (!('id' in all)) throw new Error(all.message);
  await client.execute(execute(all.id, ['0', null]));
  // A cursor, and its rows one by one (MY-24).
  const opened = await client.execute(execute(all.id, ['0', 'x'], 1));
  for (let rest = 3; rest > 0; rest -= 1) {
    client.send(command(COM.fetch, uint32(all.id), uint32(1)));
    await client.readRows(opened[0]?.columns ?? [], { isBinary: true });
  }
  // MariaDB's connectors do not wait for the PREPARE (MY-22).
  const text = 'SELECT CAST(? AS CHAR) AS piped';
  client.sendAll([command(COM.prepare, text), execute(NEWEST_STATEMENT, ['p'])]);
  client.startReply();
  await client.readPrepared();
  client.startReply();
  await client.readResults({ isBinary: true });
  client.send(command(COM.close, uint32(all.id)));
}

async function capture(tap: Tap, capabilities: number): Promise<readonly Chunk[]> {
  tap.chunks.length = 0;
  const login = { user: 'root', password: 'root-secret', database: 'lab', capabilities };
  const client = await connectMysql({ port: tap.port, ...login });
  try {
    await talk(client);
  } finally {
    client.close();
  }
  return [...tap.chunks];
}

/** Cut anew, at random places. */
function recut(chunks: readonly Chunk[], sizes: Iterator<number>): ViewEvent[] {
  const viewer = createMysqlView();
  const events: ViewEvent[] = [];
  for (const [from, bytes] of chunks) {
    for (let start = 0; start < bytes.length; ) {
      const size: number = sizes.next().value ?? 1;
      events.push(...viewer.push(from, bytes.subarray(start, start + size), undefined));
      start += size;
    }
  }
  return events;
}

function rowsOf(events: readonly ViewEvent[]): ViewEvent[] {
  return events.filter(({ event }) => event === 'row');
}

function columnsOf(events: readonly ViewEvent[]): readonly (readonly ViewColumn[])[] {
  return events.flatMap((event) => (event.event === 'columns' ? [event.columns] : []));
}

function checkTypes(t: Test, events: readonly ViewEvent[]): void {
  const [first, second, ...others] = rowsOf(events);
  t.match(first, { values: ROW }, 'text');
  t.match(second, { values: [ROW_OF_NULLS[0], null, null] });
  const binary = others.filter((row) => row.event === 'row' && row.values.length === ROW.length);
  t.equal(binary.length, 6, 'an Execute, and the fetches of a cursor');
  t.match(binary[0], { values: ROW }, 'binary');
  t.match(binary[3], { values: ROW }, 'fetched');
  const nulls = binary[2]?.event === 'row' ? binary[2].values : [];
  t.same([nulls[0], nulls[10], nulls[12], nulls[9]], ROW_OF_NULLS);
  const [columns = []] = columnsOf(events);
  t.same(
    columns.map(({ typeName }) => typeName),
    TYPE_NAMES,
  );
  t.match(columns[0], { name: 'id', origin: 'lab.types.id', format: 'text' });
}

t.test(
  'a session with MariaDB, with and without EOF packets',
  {
    skip: mariadbMissing() ?? false,
  },
  async (t) => {
    const server = await startMariadb();
    t.teardown(() => server.stop());
    await server.sql(SCHEMA);
    const tap = await startTap(t, server.port);
    for (const capabilities of [0, CAPABILITY.deprecateEof | CAPABILITY.sessionTrack]) {
      const chunks = await capture(tap, capabilities);
      const events = view(chunks);
      checkTypes(t, events);
      const wrong = ['unknown', 'unreadable', 'problem', 'out-of-step'];
      t.same(
        events.filter(({ event }) => wrong.includes(event)),
        [],
      );
      const told = JSON.stringify(events);
      const parts = [
        '"number":"1054","message":"Unknown column',
        'affected, Rows matched: 1  Changed: ',
        '"tag":"OK, 1 row affected, 1 warning"',
        '"status":"transaction"',
        '"values":["ä"]',
        '"values":["b"]',
        '"statement":"last","rowsMax":0,"text":"SELECT CAST(? AS CHAR) AS piped","parameters":["p"]',
        '"values":["p"]',
        '"event":"statistics","text":"Uptime',
      ];
      t.same(
        parts.filter((part) => !told.includes(part)),
        [],
      );
      t.notOk(told.includes('root-secret'));

      const whole = JSON.stringify(events);
      fc.assert(
        fc.property(
          fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
          (sizes) => JSON.stringify(recut(chunks, sizes)) === whole,
        ),
        { numRuns: 40 },
      );
    }
  },
);
