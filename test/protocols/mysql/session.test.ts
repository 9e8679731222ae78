import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mysql } from '../../../protocols/mysql/index.ts';
import { golden } from '../../support/golden.ts';
import { COM, command, frame } from '../../support/mysql-packets.ts';
import {
  INSPECT_NOTHING,
  MysqlTalk,
  ok,
  outline,
  shape,
  signedIn,
  stateAnswer,
} from '../../support/mysql-session.ts';
import { describeCommands, hasClosed, replay, sentTo } from '../../support/play.ts';
import { readTranscript } from '../../support/transcript.ts';

const FOLDER = 'test/fixtures/transcripts/mysql';
const query = (sql: string): Buffer => frame(command(COM.query, sql));

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.transcript'))) {
  t.test(`${file} gives the commands that were reviewed`, async (t) => {
    const commands = describeCommands(replay(mysql, readTranscript(join(FOLDER, file))));
    t.equal(commands, golden(join(FOLDER, file.replace(/transcript$/, 'expected')), commands));
  });
}

t.test('the client opens, and so does the server side (MY-1)', async (t) => {
  const commands = new MysqlTalk().event({ kind: 'opened', side: 'client' });
  t.equal(commands.filter(({ kind }) => kind === 'open').length, 1);
});

t.test('a decision that answers nothing is a bug, and says so', async (t) => {
  t.throws(() => signedIn().event({ kind: 'decided', id: 99, decision: { kind: 'allow' } }), {
    message: /answers no held operation/,
  });
});

t.test('what comes after the end changes nothing', async (t) => {
  const talk = signedIn({ decide: () => undefined });
  talk.client(query('select 1'));
  t.ok(hasClosed(talk.event({ kind: 'closed', side: 'server' })));
  t.same(talk.decided({ kind: 'allow' }), []);
});

t.test('a session is busy while an answer is owed', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  t.notOk(talk.session.isBusy);
  talk.client(query('select 1'));
  t.ok(talk.session.isBusy);
  talk.server(shape(1, ['a']));
  t.ok(talk.session.isBusy);
});

t.test('a stopped session has its last word at the number that the client expects', async (t) => {
  const idle = signedIn();
  const said = idle.event({ kind: 'stopped', code: '57P01', reason: 'shutting down' });
  t.equal(outline(sentTo('client', said)), '0:ff', 'between commands it is a word of its own');
  const busy = signedIn();
  busy.client(query('select 1'));
  const answered = busy.event({ kind: 'stopped', code: '57P01', reason: 'shutting down' });
  t.equal(outline(sentTo('client', answered)), '1:ff', 'else it is the answer');
});

t.test('COM_CHANGE_USER is a sign-in of its own, and clears what was known (MY-19)', async (t) => {
  const users: string[] = [];
  const talk = signedIn({ inspection: { statements: true, results: false } });
  const { decide } = talk;
  talk.decide = (operation) => {
    if (operation.kind === 'sign-in') users.push(operation.user);
    return decide(operation);
  };
  const change = Buffer.concat([
    Buffer.from('bob\0'),
    Buffer.of(0),
    Buffer.from('other\0'),
    Buffer.of(45, 0),
    Buffer.from('mysql_native_password\0'),
  ]);
  const sent = talk.client(
    query('select 1'),
    frame(command(COM.changeUser, change)),
    query('select 2'),
  );
  t.same(
    sentTo('server', sent),
    query('select 1'),
    'not before the answers to what came before it',
  );
  talk.server(ok());
  t.same(users, ['bob']);
  t.ok(talk.session.isBusy);
  const done = talk.server(ok(1), stateAnswer({ database: 'other' }));
  t.ok(sentTo('server', done).includes('select 2'), 'what was sent ahead belongs to the new user');
  const asked = talk.log.findLast((one) => one.kind === 'decide');
  t.match(asked, { operation: { kind: 'statement', reading: { database: 'other' } } });
});
