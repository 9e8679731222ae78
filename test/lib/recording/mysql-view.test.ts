import t from 'tap';
import { createMysqlView } from '../../../lib/recording/mysql-view.ts';
import {
  CAPABILITY,
  COM,
  command,
  execute,
  frame,
  lenenc,
  uint16,
  uint32,
} from '../../support/mysql-packets.ts';
import {
  afterSignIn,
  ask,
  BASIC,
  type Chunk,
  column,
  endOfRows,
  eof,
  err,
  ok,
  packets,
  prepareOk,
  query,
  reply,
  signIn,
  sized,
} from './mysql-capture.ts';

t.test('each command has a readable form (MY-19)', async (t) => {
  const cases: readonly [Chunk, object][] = [
    [query('SELECT 1'), { event: 'query', text: 'SELECT 1', size: 9 }],
    [ask(COM.initDb, 'shop'), { event: 'command', name: 'COM_INIT_DB', argument: 'shop' }],
    [ask(COM.fieldList, 'orders\0%'), { name: 'COM_FIELD_LIST', argument: 'orders' }],
    [ask(COM.processKill, uint32(12)), { name: 'COM_PROCESS_KILL', argument: '12' }],
    [ask(COM.setOption, uint16(1)), { name: 'COM_SET_OPTION', argument: '1' }],
    [ask(COM.ping), { event: 'command', name: 'COM_PING' }],
    [ask(COM.resetConnection), { name: 'COM_RESET_CONNECTION' }],
    [ask(COM.prepare, 'SELECT ?'), { event: 'parse', text: 'SELECT ?' }],
    [ask(COM.close, uint32(3)), { event: 'close', target: 'statement', name: '3' }],
    [ask(COM.fetch, uint32(3), uint32(50)), { event: 'fetch', statement: '3', rowsMax: 50 }],
    [ask(COM.longData, uint32(3), uint16(1), 'abc'), { event: 'long-data', parameter: 1 }],
    [ask(COM.quit), { event: 'terminate' }],
    [ask(0x77, 'x'), { event: 'command', name: 'command 0x77' }],
    [['client', frame(Buffer.alloc(0))], { event: 'unreadable', type: 'empty' }],
  ];
  for (const [chunk, expected] of cases) {
    const events = afterSignIn([chunk]);
    t.equal(events.length, 1);
    t.match(events[0], { from: 'client', ...expected });
  }
});

t.test('each reply has a readable form', async (t) => {
  const progress = Buffer.from('\xff\xff\xff\x01\x02\x05\x39\x30\x00\x04copy', 'latin1');
  const events = afterSignIn([
    query('INSERT'),
    reply(ok({ status: 3, warnings: 2, info: 'Records: 1' })),
    query('ALTER'),
    reply(progress, ok()),
    query('SELECT'),
    reply(err(1146, 'no table', '42S02')),
    ask(COM.statistics),
    reply(Buffer.from('Uptime: 5')),
    ask(COM.setOption, uint16(0)),
    reply(eof()),
    ask(COM.fieldList, 'orders\0'),
    reply(column({ name: 'id', type: 3 }), eof()),
  ]);
  t.match(
    events.filter(({ from }) => from === 'server'),
    [
      {
        event: 'complete',
        tag: 'OK, 0 rows affected, 2 warnings, Records: 1',
        affectedRows: 0,
        warnings: 2,
        status: 'transaction',
      },
      { event: 'progress', stage: 2, stages: 5, percent: 12.345, info: 'copy' },
      { event: 'complete', status: 'idle' },
      { event: 'error', number: '1146', code: '42S02', message: 'no table' },
      { event: 'statistics', text: 'Uptime: 5' },
      { event: 'complete' },
      { event: 'columns', describes: 'table', columns: [{ name: 'id', typeName: 'int' }] },
      { event: 'complete', tag: '' },
    ],
  );
});

t.test('parameters: types once, values in every Execute (MY-21), long data ahead', async (t) => {
  const types = [uint16(3), uint16(253)];
  const again = command(COM.execute, uint32(5), Buffer.of(0), uint32(1), Buffer.of(0b10, 0));
  const events = afterSignIn([
    ask(COM.prepare, 'UPDATE t SET a = ?, b = ?'),
    reply(prepareOk(5, 0, 2), column({ name: '?' }), column({ name: '?' })),
    [
      'client',
      frame(
        Buffer.concat([
          command(COM.execute, uint32(5), Buffer.of(0), uint32(1)),
          Buffer.of(0, 1),
          ...types,
          uint32(0xffff_fffe),
          sized('first'),
        ]),
      ),
    ],
    reply(ok()),
    ['client', frame(Buffer.concat([again, uint32(7)]))],
    reply(ok()),
    ask(COM.longData, uint32(5), uint16(1), 'long '),
    ask(COM.longData, uint32(5), uint16(1), 'text'),
    [
      'client',
      frame(
        Buffer.concat([
          command(COM.execute, uint32(5), Buffer.of(0), uint32(1)),
          Buffer.of(0, 0),
          uint32(8),
        ]),
      ),
    ],
  ]);
  const executed = events.filter(({ event }) => event === 'execute');
  t.match(executed, [
    { text: 'UPDATE t SET a = ?, b = ?', statement: '5', parameters: ['-2', 'first'] },
    { parameters: ['7', null] },
    { parameters: ['8', 'long text'] },
  ]);
});

t.test('a pipelined Execute is read with what its PREPARE tells (MY-22)', async (t) => {
  const last = 0xffff_ffff;
  const events = afterSignIn([
    ask(COM.prepare, 'SELECT ?'),
    ['client', frame(execute(last, ['one']))],
    ask(COM.close, uint32(9)),
    reply(prepareOk(9, 0, 1), column({ name: '?' })),
    reply(ok()),
    ask(COM.prepare, 'DELETE ?'),
    ['client', frame(execute(last, ['two']))],
    reply(err(1142, 'not allowed', '42000')),
    reply(err(1243, 'unknown statement')),
  ]);
  t.match(
    events.map((event) => ({ ...event })),
    [
      { event: 'parse', text: 'SELECT ?' },
      { event: 'prepared', statement: '9', parameters: 1 },
      { event: 'execute', statement: 'last', text: 'SELECT ?', parameters: ['one'] },
      { event: 'close' },
      { event: 'complete' },
      { event: 'parse', text: 'DELETE ?' },
      { event: 'error', number: '1142' },
      { event: 'execute', text: 'DELETE ?' },
      { event: 'error', number: '1243' },
    ],
  );
});

t.test('a bulk Execute shows its first set (MariaDB)', async (t) => {
  const sets = ['a', 'b', 'c'].map((value) => Buffer.concat([Buffer.of(0), sized(value)]));
  const nothing = Buffer.of(1);
  const bulk = Buffer.concat([uint32(4), uint16(0x80), uint16(253), ...sets, nothing]);
  const events = afterSignIn([
    ask(COM.prepare, 'INSERT INTO t VALUES (?)'),
    reply(prepareOk(4, 0, 1), column({ name: '?' })),
    ask(COM.bulkExecute, bulk),
    reply(ok()),
  ]);
  t.match(
    events.find(({ event }) => event === 'execute'),
    { text: 'INSERT INTO t VALUES (?)', parameters: ['a'], sets: 4 },
  );
});

t.test('the rows of a cursor have the columns of its statement (MY-24)', async (t) => {
  const capabilities = BASIC & ~CAPABILITY.deprecateEof;
  const shape = column({ name: 'id', type: 3 });
  const row = Buffer.concat([Buffer.of(0, 0), uint32(41)]);
  const events = afterSignIn(
    [
      ask(COM.prepare, 'SELECT id'),
      reply(prepareOk(2, 1, 0), shape, eof()),
      ['client', frame(execute(2, [], 1))],
      reply(lenenc(1), shape, eof(0x42)),
      ask(COM.fetch, uint32(2), uint32(1)),
      reply(row, eof(0x42)),
      ask(COM.fetch, uint32(2), uint32(1)),
      reply(eof(0x82)),
      query('SELECT 1'),
    ],
    { capabilities },
  );
  t.match(
    events.filter(({ event }) => event !== 'columns'),
    [
      { event: 'parse' },
      { event: 'prepared' },
      { event: 'execute' },
      { event: 'suspended' },
      { event: 'fetch' },
      { event: 'row', values: ['41'] },
      { event: 'suspended' },
      { event: 'fetch' },
      { event: 'complete', tag: '' },
      { event: 'query' },
    ],
  );
  t.match(events.filter(({ event }) => event === 'columns').at(-1), {
    inferred: true,
    columns: [{ name: 'id', format: 'binary' }],
  });
});

t.test('several results, and an error that ends them (MY-25)', async (t) => {
  const events = afterSignIn([
    query('CALL p()'),
    reply(
      lenenc(1),
      column({ name: 'a' }),
      sized('1'),
      endOfRows(0xa),
      lenenc(1),
      column({ name: 'b' }),
      Buffer.of(0xfb),
      err(1690, 'out of range', '22003'),
    ),
    ask(COM.ping),
    reply(ok()),
  ]);
  t.match(
    events.slice(1).filter(({ event }) => event !== 'columns'),
    [
      { event: 'row', values: ['1'] },
      { event: 'complete' },
      { event: 'row', values: [null] },
      { event: 'error', number: '1690' },
      { event: 'command' },
      { event: 'complete', tag: 'OK' },
    ],
  );
});

t.test('a cached result has the columns of the PREPARE (MY-30)', async (t) => {
  const capabilities = BASIC & ~CAPABILITY.longPassword;
  const events = afterSignIn(
    [
      ask(COM.prepare, 'SELECT id'),
      reply(prepareOk(2, 1, 0), column({ name: 'id', type: 3 })),
      ['client', frame(execute(2))],
      reply(Buffer.of(1, 0), Buffer.concat([Buffer.of(0, 0), uint32(41)]), endOfRows()),
    ],
    { capabilities, extended: 1 << 4 },
  );
  t.match(events.slice(-3), [
    { event: 'columns', inferred: true, columns: [{ name: 'id' }] },
    { event: 'row', values: ['41'] },
    { event: 'complete' },
  ]);
});

t.test('the file that a client sends holds no commands (MY-34)', async (t) => {
  const events = afterSignIn([
    query('LOAD DATA LOCAL'),
    reply(Buffer.from('\xfbrows.csv', 'latin1')),
    packets('client', [Buffer.from('\x03,SELECT\n'), Buffer.from([1, 0]), Buffer.alloc(0)], 2),
    packets('server', [ok({ info: 'Records: 1' })], 5),
    query('SELECT 1'),
  ]);
  t.match(events.slice(1), [
    { event: 'file-request', file: 'rows.csv' },
    { event: 'copy-data', text: '\x03,SELECT\n' },
    { event: 'copy-data', text: '\\x0100' },
    { event: 'copy-done' },
    { event: 'complete', info: 'Records: 1' },
    { event: 'query' },
  ]);
});

t.test(
  'another user takes over: credentials again, and no statements (MY-19, MY-23)',
  async (t) => {
    const change = [Buffer.from('bob\0'), lenenc(3), '***', 'lab\0', uint16(45), 'x_plugin\0'];
    const events = afterSignIn([
      ask(COM.prepare, 'SELECT 1'),
      reply(prepareOk(1, 0, 0)),
      ask(COM.changeUser, ...change),
      reply(Buffer.from('\xfex_plugin\0nonce', 'latin1')),
      ['client', frame(Buffer.from('secret'), 2)],
      ['server', frame(ok(), 3)],
      ['client', frame(execute(1))],
    ]);
    t.match(events.slice(2), [
      { event: 'change-user', parameters: { user: 'bob', database: 'lab', method: 'x_plugin' } },
      { event: 'authentication', method: 'x_plugin' },
      { event: 'credential', size: 6 },
      { event: 'authentication', method: 'ok' },
      { event: 'execute', statement: '1' },
    ]);
    t.notMatch(JSON.stringify(events), /secret/);
    const executed = events.at(-1);
    t.notOk(executed !== undefined && 'text' in executed);
  },
);

t.test('an old EOF where it is deprecated is understood (MY-29)', async (t) => {
  const events = afterSignIn([
    query('SELECT'),
    reply(lenenc(1), column({ name: 'a' }), sized('1'), eof()),
    query('SELECT 1'),
  ]);
  t.match(events.slice(3), [{ event: 'complete', tag: '' }, { event: 'query' }]);
});

t.test('words of an idle server belong to no command (MY-32)', async (t) => {
  const events = afterSignIn([['server', frame(err(4031, 'idle for too long'))]]);
  t.match(events, [{ event: 'error', number: '4031' }]);
});

t.test('bytes that Weir made are marked', async (t) => {
  const viewer = createMysqlView();
  for (const [from, bytes] of [...signIn(), query('DROP')]) viewer.push(from, bytes, undefined);
  const [, refusal] = reply(err(1142, 'not allowed', '42000'));
  t.match(viewer.push('server', refusal, 'gateway'), [{ event: 'error', by: 'gateway' }]);
});
