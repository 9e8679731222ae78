/** Weir's question for the state of a session, and COM_RESET_CONNECTION, packet by packet. */

import t from 'tap';
import { COM, command, frame } from '../../support/mysql-packets.ts';
import {
  INSPECT_NOTHING,
  INSPECT_STATEMENTS,
  MysqlTalk,
  eof,
  err,
  greeting,
  ok,
  okPayload,
  outline,
  response,
  signedIn,
  stateAnswer,
  textRow,
  type ToldState,
  variableState,
} from '../../support/mysql-session.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';

/** Bit 0: a MySQL server. */
const CAPABILITIES = 0x8_8209;
const DEPRECATE_EOF = 0x100_0000;
const QUERY_ATTRIBUTES = 0x800_0000;
const MYSQL_8 = '8.0.36';
const query = (sql: string): Buffer => frame(command(COM.query, sql));
const execute = (id: number): Buffer =>
  frame(command(COM.execute, Buffer.of(id, 0, 0, 0), Buffer.of(0, 1, 0, 0, 0)));
const RESET = frame(command(COM.resetConnection));

/** Up to the question. */
function asked(capabilities = CAPABILITIES): { talk: MysqlTalk; question: Buffer } {
  const talk = new MysqlTalk({}, () => ({ kind: 'allow', inspection: INSPECT_STATEMENTS }));
  talk.event({ kind: 'opened', side: 'client' });
  talk.event({ kind: 'opened', side: 'server' });
  talk.server(greeting(MYSQL_8, capabilities));
  talk.client(response(capabilities, 45));
  const question = sentTo('server', talk.server(ok(2)));
  talk.log.length = 0;
  return { talk, question };
}

t.test('the OK waits for the answer, and is what it was (MY-56)', async (t) => {
  const { talk, question } = asked();
  t.equal(question.toString('latin1', 3, 5), '\0\x03', 'a command of its own');
  t.match(question.toString(), /SELECT @@character_set_client/);
  const answer = stateAnswer({ user: 'ann@here' });
  for (const byte of answer.subarray(0, -1)) talk.server(Buffer.of(byte));
  t.equal(sentTo('client', talk.log).length, 0);
  talk.server(answer.subarray(-1));
  t.same(sentTo('client', talk.log), ok(2));
  t.same(recordedFrom('server', talk.log), ok(2));
  t.equal(recordedFrom('client', talk.log).length, 0, 'not the client’s traffic');
});

t.test('what a client sends ahead waits for the answer', async (t) => {
  const { talk } = asked();
  talk.client(query('select 1'));
  t.equal(operationsIn(talk.log).length, 0);
  talk.server(stateAnswer({ modes: 'NO_BACKSLASH_ESCAPES', status: 0x202, database: null }));
  const reading = { noBackslashEscapes: true, database: undefined, ansiQuotes: false };
  t.match(operationsIn(talk.log)[0], { text: 'select 1', reading });
});

t.test('query attributes and the end of EOF packets, as agreed on (MY-20, MY-29)', async (t) => {
  const { talk, question } = asked(CAPABILITIES | DEPRECATE_EOF | QUERY_ATTRIBUTES);
  t.equal(question.toString('latin1', 4, 13), '\x03\0\x01SELECT');
  talk.server(stateAnswer({ deprecatesEof: true }));
  t.same(sentTo('client', talk.log), ok(2));
});

t.test('an answer that is none ends the session without an OK', async (t) => {
  const whole = stateAnswer();
  const row = textRow(8, [
    'utf8mb4',
    'utf8mb4',
    'STRICT_TRANS_TABLES',
    '73686F70',
    '616E6E406C6F63616C686F7374',
  ]);
  const rowStart = whole.indexOf(row);
  t.ok(rowStart > 0);
  const cases: readonly [string, Buffer][] = [
    ['OK', ok(1)],
    ['no row', Buffer.concat([whole.subarray(0, rowStart), eof(8)])],
    ['two rows', Buffer.concat([whole.subarray(0, rowStart), row, frame(row.subarray(4), 9)])],
    ['a file is asked for', frame(Buffer.from('\xfbfile', 'latin1'), 1)],
    ['other columns', frame(Buffer.of(4), 1)],
    ['out of order', frame(Buffer.of(5), 3)],
  ];
  for (const [name, bytes] of cases) {
    const { talk } = asked();
    talk.server(bytes);
    t.ok(hasClosed(talk.log), name);
    t.equal(outline(sentTo('client', talk.log)), '2:ff', name);
  }
  const { talk } = asked();
  const failed = err(1, 1184, '08S01', 'Aborting connection 7 (init_connect command failed)');
  talk.server(failed);
  t.ok(hasClosed(talk.log));
  t.same(sentTo('client', talk.log).subarray(4), failed.subarray(4), 'the server’s own words');
});

t.test('charsets and modes that cannot be followed (MY-61, MY-65)', async (t) => {
  const cases: readonly [ToldState, string][] = [
    [{ charset: 'gbk' }, 'in gbk'],
    [{ charset: 'sjis', results: 'utf8mb4' }, 'in sjis'],
    [{ results: 'utf16' }, 'in utf16'],
    [{ charset: 'u\0t\0f\x008\0', results: 'u\0t\0f\x001\x006\0' }, 'without ASCII'],
    [{ modes: 'PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE' }, 'has ORACLE'],
    [{ modes: 'A_MODE_TO_COME' }, 'has A_MODE_TO_COME'],
  ];
  for (const [told, message] of cases) {
    const { talk } = asked();
    talk.server(stateAnswer(told));
    t.ok(hasClosed(talk.log), message);
    t.ok(sentTo('client', talk.log).includes(message), message);
  }
  for (const told of [
    { results: null },
    { charset: 'utf8' },
    { charset: 'latin1' },
    { modes: '' },
  ]) {
    const { talk } = asked();
    talk.server(stateAnswer(told));
    t.same(sentTo('client', talk.log), ok(2), JSON.stringify(told));
  }
});

t.test('MySQL: ANSI_QUOTES is known until a text may have set it (MY-28)', async (t) => {
  const talk = signedIn({
    version: MYSQL_8,
    capabilities: 1,
    inspection: INSPECT_STATEMENTS,
    told: { modes: 'ANSI_QUOTES' },
  });
  const ansiQuotes = (sql: string): unknown => {
    talk.client(query(sql));
    const asks = operationsIn(talk.log).at(-1);
    talk.server(ok());
    return asks?.kind === 'statement' ? asks.reading?.ansiQuotes : 'nothing';
  };
  t.equal(ansiQuotes('select "a"'), true);
  t.equal(ansiQuotes('set names utf8mb4'), true);
  t.equal(ansiQuotes('set sql_mode=\'\' ; select "a"'), undefined);
  t.equal(ansiQuotes('select "a"'), undefined);
  talk.client(RESET);
  talk.server(ok(), stateAnswer({ modes: '' }));
  t.equal(ansiQuotes('select "a"'), false, 'asked anew');
  t.equal(ansiQuotes('execute s'), false, 'it is read before it is run');
  t.equal(ansiQuotes('select "a"'), undefined);
});

t.test('COM_RESET_CONNECTION: a server that says no leaves everything as it is', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.client(frame(command(COM.prepare, 'select 1')));
  talk.server(frame(Buffer.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1));
  talk.log.length = 0;
  const sent = talk.client(RESET, query('select 2'));
  t.same(sentTo('server', sent), RESET, 'what comes behind it waits');
  t.ok(talk.session.isBusy);
  talk.server(err(1, 1047, '08S01', 'Unknown command'));
  t.match(operationsIn(talk.log).at(-1), { text: 'select 2' });
  t.equal(outline(sentTo('client', talk.log)), '1:ff');
  talk.server(ok());
  talk.client(execute(1));
  t.match(operationsIn(talk.log).at(-1), { text: 'select 1' }, 'its statement is still known');
});

t.test('COM_RESET_CONNECTION: the state is the server’s, and a client may have left', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.log.length = 0;
  talk.client(RESET, query('select 2'));
  const early = talk.event({ kind: 'closed', side: 'client' });
  t.notOk(
    early.some(({ kind }) => kind === 'finish'),
    'the question is still to be asked',
  );
  t.match(sentTo('server', talk.server(ok())).toString(), /SELECT @@/);
  talk.server(stateAnswer({ charset: 'latin1', database: 'other' }));
  t.match(operationsIn(talk.log).at(-1), { text: 'select 2', reading: { database: 'other' } });
  t.equal(outline(sentTo('client', talk.log)), '1:00');
  t.match(talk.log.at(-1), { kind: 'finish', side: 'server' }, 'behind its last command');
  const refused = signedIn({ inspection: INSPECT_STATEMENTS });
  refused.client(RESET);
  refused.server(ok(), stateAnswer({ charset: 'gbk' }));
  t.ok(hasClosed(refused.log));
});

t.test('COM_RESET_CONNECTION: its OK names no other server (MY-18)', async (t) => {
  const capabilities = 0x80_0001;
  const talk = signedIn({ inspection: INSPECT_STATEMENTS, capabilities });
  talk.log.length = 0;
  talk.client(RESET);
  talk.server(ok(1, { state: variableState('redirect_url', 'mysql://elsewhere') }), stateAnswer());
  t.equal(outline(sentTo('client', talk.log)), '1:00');
  t.notOk(sentTo('client', talk.log).includes('elsewhere'));
});

t.test('nobody inspects: nothing is asked', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  talk.client(RESET);
  t.same(sentTo('client', talk.server(frame(okPayload(), 1))), ok());
  t.notOk(sentTo('server', talk.log).includes('SELECT'));
});
