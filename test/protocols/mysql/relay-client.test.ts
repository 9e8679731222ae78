import t from 'tap';
import type { Decision, Operation } from '../../../protocols/contract.ts';
import {
  COM,
  command,
  execute,
  frame,
  lenenc,
  uint16,
  uint32,
} from '../../support/mysql-packets.ts';
import {
  INSPECT_NOTHING,
  INSPECT_STATEMENTS,
  type MysqlTalk,
  ok,
  outline,
  payloadsOf,
  prepared,
  err,
  shape,
  signedIn,
  stateAnswer,
  eof,
} from '../../support/mysql-session.ts';
import { CAPABILITY } from '../../support/mysql-packets.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';

const query = (sql: string | Buffer): Buffer => frame(command(COM.query, sql));
const prepare = (sql: string): Buffer => frame(command(COM.prepare, sql));
const LAST = 0xffff_ffff;
const BLOCK: Decision = { kind: 'block', rule: 'no-drop', code: '42501', reason: 'not this one' };

function blocking(pattern: RegExp): (operation: Operation) => Decision {
  return (operation) =>
    operation.kind === 'statement' && pattern.test(operation.text)
      ? BLOCK
      : { kind: 'allow', isSensitive: false };
}

function textsIn(talk: MysqlTalk): string[] {
  return operationsIn(talk.log).flatMap((one) => (one.kind === 'statement' ? [one.text] : []));
}

/** What the client is told at last. */
function lastError(bytes: Buffer): string {
  const last = payloadsOf(bytes).at(-1) ?? Buffer.alloc(0);
  return last[0] === 0xff ? `${last.readUInt16LE(1)} ${last.toString('utf8', 4)}` : '';
}

t.test('an allowed statement goes on to the byte, a held one does not', async (t) => {
  const talk = signedIn({ decide: () => undefined });
  const sql = query('select /* hint */  1');
  t.equal(sentTo('server', talk.client(sql)).length, 0);
  t.same(sentTo('server', talk.decided({ kind: 'allow' })), sql);
  t.same(recordedFrom('client', talk.log), sql);
});

t.test('a blocked query is answered here, and the session goes on (MY-15, MY-44)', async (t) => {
  const talk = signedIn({ decide: blocking(/drop/) });
  const commands = talk.client(query('drop table t'));
  t.equal(sentTo('server', commands).length, 0);
  t.equal(outline(sentTo('client', commands)), '1:ff');
  t.match(lastError(sentTo('client', commands)), /^1142 42000not this one/);
  t.ok(commands.some((one) => one.kind === 'record' && one.by === 'gateway'));
  t.notOk(talk.session.isBusy);
  t.same(sentTo('server', talk.client(query('select 1'))), query('select 1'));
});

t.test('under inspection one command at a time is at the server (GW-3)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  t.same(sentTo('server', talk.client(query('select 1'), query('select 2'))), query('select 1'));
  t.same(textsIn(talk), ['select 1']);
  t.same(sentTo('server', talk.server(ok())), query('select 2'));
  t.same(textsIn(talk), ['select 1', 'select 2']);
});

t.test('what is sent ahead is held up to a limit, and the driver pauses (GW-12)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.client(query('select 1'));
  const many = Buffer.concat(Array.from({ length: 5000 }, () => query('select 2 as something')));
  const paused = talk.client(many);
  t.match(paused, [{ kind: 'reading', side: 'client', isPaused: true }]);
  for (let left = 5001; left > 0; left -= 1) talk.server(ok());
  t.equal(textsIn(talk).length, 5001);
  t.ok(
    talk.log.some((one) => one.kind === 'reading' && !one.isPaused),
    'and reads on',
  );
  t.notOk(talk.session.isBusy);
  talk.client(query('select 1'));
  let isClosed = false;
  for (let size = 0; size < 4 && !isClosed; size += 1)
    isClosed = hasClosed(talk.client(Buffer.alloc(512 * 1024, 1)));
  t.ok(isClosed, 'a driver that does not pause is no reason to keep without limit');
});

t.test('without inspection commands pass as they come (MY-33, MY-60)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  const close = frame(command(COM.close, uint32(1)));
  const all = Buffer.concat([
    query('select 1'),
    close,
    query('select 2'),
    frame(command(COM.ping)),
  ]);
  t.same(sentTo('server', talk.client(all)), all);
  t.same(textsIn(talk), []);
  talk.server(ok(), ok());
  t.ok(talk.session.isBusy, 'the close has no answer, so one is still owed');
  talk.server(ok());
  t.notOk(talk.session.isBusy);
});

t.test('an answer of our own keeps its place among the others', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  const unknown = frame(command(0x0f));
  const first = talk.client(query('select 1'), unknown, query('select 2'));
  t.same(sentTo('server', first), query('select 1'));
  const commands = talk.server(ok());
  t.equal(outline(sentTo('client', commands)), '1:00 1:ff');
  t.same(sentTo('server', commands), query('select 2'));
  t.match(lastError(sentTo('client', commands)), /^1047 /);
});

t.test('a blocked PREPARE fails in the server too (MY-22)', async (t) => {
  const talk = signedIn({ decide: blocking(/drop/) });
  talk.client(prepare('select 1'));
  talk.server(prepared(1, []));
  const commands = talk.client(prepare('drop table t'), frame(execute(LAST)));
  const [poison] = payloadsOf(sentTo('server', commands));
  t.equal(poison?.toString(), '\u0016) refused by Weir, rule no-drop');
  const answered = talk.server(err(1, 1064, '42000', 'You have an error near ) refused'));
  t.match(lastError(sentTo('client', answered)), /^1142 42000not this one/);
  t.same(sentTo('server', answered), frame(execute(LAST)), 'only now, and -1 names nothing');
  talk.server(err(1, 1243, 'HY000', 'Unknown prepared statement handler (4294967295) given to x'));
  t.equal(textsIn(talk).length, 2, 'no text is known of it');
});

t.test('EXECUTE is decided anew by the text of its PREPARE (MY-23)', async (t) => {
  let isBlocked = false;
  const talk = signedIn({ decide: () => (isBlocked ? BLOCK : { kind: 'allow' }) });
  talk.client(prepare('select ssn from v'));
  talk.server(prepared(5, ['ssn']));
  isBlocked = true;
  const commands = talk.client(frame(execute(5)));
  t.equal(sentTo('server', commands).length, 0);
  t.equal(outline(sentTo('client', commands)), '1:ff');
  isBlocked = false;
  t.same(sentTo('server', talk.client(frame(execute(5)))), frame(execute(5)));
  t.same(textsIn(talk), Array(3).fill('select ssn from v'));
});

t.test('a text that would be read in another way is not executed (MY-23)', async (t) => {
  const talk = signedIn();
  talk.client(prepare("select 'a\\'"));
  talk.server(prepared(1, []));
  talk.client(query("set sql_mode='NO_BACKSLASH_ESCAPES'"));
  talk.server(ok(1, { status: 0x202 }));
  const commands = talk.client(frame(execute(1)));
  t.equal(sentTo('server', commands).length, 0);
  t.match(lastError(sentTo('client', commands)), /^1615 /);
});

t.test('query attributes hide no statement (MY-20)', async (t) => {
  const talk = signedIn({ hasAttributes: true, decide: blocking(/drop/) });
  const plain = frame(Buffer.concat([Buffer.of(3, 0, 1), Buffer.from('select 1')]));
  t.same(sentTo('server', talk.client(plain)), plain);
  talk.server(ok());
  const attribute = [
    lenenc(1),
    lenenc(1),
    Buffer.of(0, 1),
    uint16(0xfd),
    lenenc(1),
    Buffer.from('k'),
  ];
  const value = Buffer.concat([lenenc(8), Buffer.from('select 2')]);
  const body = [Buffer.of(3), ...attribute, value, Buffer.from('drop table t')];
  t.equal(sentTo('server', talk.client(frame(Buffer.concat(body)))).length, 0);
  t.same(textsIn(talk), ['select 1', 'drop table t']);
  const broken = frame(Buffer.from([3, 1, 2, 0x73]));
  t.ok(hasClosed(talk.client(broken)), 'what cannot be read ends the session');
});

t.test('a statement above the limit is read over and refused (MY-58)', async (t) => {
  const talk = signedIn({ options: { statementSizeMax: 1024 } });
  const large = query(`select '${'x'.repeat(5000)}'`);
  t.equal(sentTo('client', talk.client(large.subarray(0, 3000))).length, 0, 'once it is over');
  const commands = talk.client(large.subarray(3000));
  t.equal(sentTo('server', commands).length, 0);
  t.match(lastError(sentTo('client', commands)), /^1142 .*limit of 1024/);
  const poisoned = talk.client(prepare(`select '${'x'.repeat(5000)}'`));
  t.equal(outline(sentTo('server', poisoned)), '0:16');
  t.match(sentTo('server', poisoned).toString(), /refused by Weir/);
  talk.server(err(1, 1064, '42000', 'syntax'));
  t.same(sentTo('server', talk.client(query('select 1'))), query('select 1'));
});

t.test('a blocked statement of two packets is answered with number 2 (MY-11, MY-13)', async (t) => {
  const talk = signedIn({ decide: blocking(/drop/), options: { statementSizeMax: 2 ** 26 } });
  const large = query(`drop table t -- ${'x'.repeat(0xffffff)}`);
  t.equal(outline(sentTo('client', talk.client(large))), '2:ff');
  const prepareLarge = frame(command(COM.prepare, `drop table t -- ${'x'.repeat(0xffffff)}`));
  t.equal(
    outline(sentTo('server', talk.client(prepareLarge))),
    '0:16',
    'the poison is a short one',
  );
  t.equal(outline(sentTo('client', talk.server(err(1, 1064, '42000', 'no')))), '2:ff');
});

t.test('commands that do what statements do are decided as such (MY-19)', async (t) => {
  const talk = signedIn({ decide: () => BLOCK });
  const cases: readonly (readonly [Buffer, string])[] = [
    [command(COM.initDb, 'a`b'), 'USE `a``b`'],
    [command(COM.createDb, 'x'), 'CREATE DATABASE `x`'],
    [command(COM.dropDb, 'x'), 'DROP DATABASE `x`'],
    [command(COM.fieldList, 'people\0%'), 'SHOW COLUMNS FROM `people`'],
    [command(COM.refresh, Buffer.of(0x81)), 'FLUSH PRIVILEGES; RESET MASTER'],
    [command(COM.shutdown, Buffer.of(0)), 'SHUTDOWN'],
    [command(COM.processInfo), 'SHOW PROCESSLIST'],
    [command(COM.processKill, uint32(7)), 'KILL 7'],
  ];
  for (const [payload, text] of cases) {
    const commands = talk.client(frame(payload));
    t.equal(textsIn(talk).at(-1), text);
    t.equal(sentTo('server', commands).length, 0, text);
    t.equal(outline(sentTo('client', commands)), '1:ff', text);
  }
  for (const payload of [command(COM.debug), command(COM.initDb, 'a\0b')]) {
    const count = textsIn(talk).length;
    t.match(lastError(sentTo('client', talk.client(frame(payload)))), /^1142 /);
    t.equal(textsIn(talk).length, count, 'there is no statement for it');
  }
});

t.test('replication and unknown commands are answered here (MY-19)', async (t) => {
  const talk = signedIn();
  for (const [number, errno] of [
    [COM.binlogDump, 1142],
    [COM.tableDump, 1142],
    [COM.registerSlave, 1142],
    [0x1e, 1142],
    [0x20, 1142],
    [0x21, 1142],
    [COM.sleep, 1047],
    [0x1d, 1047],
    [0xfe, 1047],
  ] as const) {
    const commands = talk.client(frame(command(number, Buffer.alloc(40))));
    t.equal(sentTo('server', commands).length, 0);
    t.equal(lastError(sentTo('client', commands)).slice(0, 4), String(errno), `0x${number}`);
    t.notOk(hasClosed(commands));
  }
  const unknown = talk.client(frame(Buffer.from([0x77, 1, 2, 3])));
  t.match(lastError(sentTo('client', unknown)), /^1047 /);
  t.ok(hasClosed(unknown), 'of one that nobody knows nobody knows how it ends');
});

t.test('passwords are not recorded (GW-16)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  const sql = query("create user 'x' identified by 'sesame'");
  t.same(sentTo('server', talk.client(sql)), sql);
  talk.server(ok());
  talk.client(prepare('set password = ?'));
  talk.server(prepared(1, [], 1));
  talk.client(frame(execute(1, ['sesame'])));
  talk.server(ok());
  const recorded = recordedFrom('client', talk.log);
  t.notOk(recorded.includes('sesame'));
  t.equal(recorded.length, sentTo('server', talk.log).length, 'lengths stay');
});

t.test('a file goes to the server up to an empty packet (MY-34)', async (t) => {
  const talk = signedIn({
    capabilities: CAPABILITY.localFiles,
    options: { localInfile: true },
  });
  talk.client(query("load data local infile 'f' into table t"));
  t.equal(
    outline(sentTo('client', talk.server(frame(Buffer.from('\u00fbf', 'latin1'), 1)))),
    '1:fb',
  );
  const data = Buffer.concat([
    frame(Buffer.from('\u0003drop table t'), 2),
    frame(Buffer.alloc(0), 3),
  ]);
  t.same(sentTo('server', talk.client(data)), data, 'what looks like a command is data');
  t.equal(textsIn(talk).length, 1);
  talk.server(ok(4));
  talk.client(query('select 1'));
  t.equal(textsIn(talk).length, 2);
});

t.test('a file that nobody asked for is not given (MY-34)', async (t) => {
  for (const localInfile of [true, false]) {
    const talk = signedIn({ capabilities: CAPABILITY.localFiles, options: { localInfile } });
    talk.client(query(localInfile ? "select 'load'" : "load data local infile 'f' into table t"));
    const commands = talk.server(frame(Buffer.from('\u00fb/etc/passwd', 'latin1'), 1));
    t.ok(hasClosed(commands));
    t.notOk(sentTo('client', commands).includes('passwd'));
  }
});

t.test('a command out of order ends the session', async (t) => {
  const talk = signedIn();
  const commands = talk.client(frame(command(COM.ping), 3));
  t.match(lastError(sentTo('client', commands)), /^1156 /);
  t.ok(hasClosed(commands));
});

t.test('a half-closed client gets its answers first (GW-14)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.client(query('select 1'), query('select 2'));
  t.notOk(talk.event({ kind: 'closed', side: 'client' }).some(({ kind }) => kind === 'finish'));
  const commands = talk.server(ok());
  t.same(sentTo('server', commands), query('select 2'));
  t.match(commands.at(-1), { kind: 'finish', side: 'server' });
});

t.test('COM_RESET_CONNECTION takes statements and charset back (MY-23)', async (t) => {
  const talk = signedIn();
  talk.client(prepare('select 1'));
  talk.server(prepared(1, []));
  talk.client(query('set names latin1'));
  talk.server(ok());
  talk.client(frame(command(COM.resetConnection)));
  talk.server(ok(), stateAnswer());
  const count = textsIn(talk).length;
  talk.client(frame(execute(1)));
  t.equal(textsIn(talk).length, count, 'its text is forgotten');
  talk.server(err(1, 1243, 'HY000', 'Unknown prepared statement handler (1) given to x'));
  talk.client(query("select '\u00e9'"));
  t.equal(textsIn(talk).at(-1), "select '\u00e9'");
});

t.test('definitions that change make the catalog stale', async (t) => {
  const isNoted = (talk: MysqlTalk): boolean =>
    talk.log.some((one) => one.kind === 'note' && one.fact.kind === 'schema-changed');
  for (const inspection of [INSPECT_NOTHING, INSPECT_STATEMENTS]) {
    const direct = signedIn({ inspection });
    direct.client(query('/* x */ create table t (a int)'));
    t.notOk(isNoted(direct), 'not before it is done');
    direct.server(ok());
    t.ok(isNoted(direct));
    const late = signedIn({ inspection });
    late.client(prepare('drop table t'));
    late.server(prepared(1, []));
    t.notOk(isNoted(late));
    late.client(frame(execute(1)));
    late.server(ok());
    t.ok(isNoted(late));
    const none = signedIn({ inspection });
    none.client(query("select 'drop table t'"));
    none.server(shape(1, ['x']), eof(4));
    t.notOk(isNoted(none));
  }
});
