import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { postgres } from '../../../protocols/postgres/index.ts';
import { golden } from '../../support/golden.ts';
import { describeCommands, hasClosed, replay, sentTo } from '../../support/play.ts';
import {
  complete,
  description,
  ready,
  row,
  SessionTalk,
  signedIn,
} from '../../support/postgres-session.ts';
import { decodeFields, message, query, startup } from '../../support/raw-postgres.ts';
import { readTranscript } from '../../support/transcript.ts';

const FOLDER = 'test/fixtures/transcripts/postgres';

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.transcript'))) {
  t.test(`${file} gives the commands that were reviewed`, async (t) => {
    const commands = describeCommands(replay(postgres, readTranscript(join(FOLDER, file))));
    t.equal(commands, golden(join(FOLDER, file.replace(/transcript$/, 'expected')), commands));
  });
}

t.test('a decision that answers nothing is a bug, and says so', async (t) => {
  t.throws(() => new SessionTalk().decided(9, { kind: 'allow' }), /answers no held operation/);
  t.throws(() => signedIn().decided(99, { kind: 'allow' }), /answers no held operation/);
});

t.test('a decision that comes twice is a bug, one that comes after the end is late', async (t) => {
  const talk = signedIn({ decide: () => undefined });
  talk.client(query('select 1'));
  talk.decided(2, { kind: 'allow' });
  t.throws(() => talk.decided(2, { kind: 'allow' }), /answers no held operation/);
  talk.event({ kind: 'closed', side: 'server' });
  t.same(talk.decided(2, { kind: 'allow' }), []);
});

t.test(
  'a half-closed client still gets its answer; the server is told after the decision (GW-14)',
  async (t) => {
    const talk = signedIn({ decide: () => undefined });
    talk.client(query('select 1'));
    t.same(
      talk.event({ kind: 'closed', side: 'client' }),
      [],
      'nothing is finished while a statement is held',
    );
    const commands = talk.decided(2, { kind: 'allow', isSensitive: false });
    t.match(
      commands.map(({ kind }) => kind),
      ['send', 'finish'],
    );
    talk.decide = () => ({ kind: 'allow' });
    const answer = Buffer.concat([description('a'), row('1'), complete('SELECT 1'), ready()]);
    t.same(sentTo('client', talk.server(answer)), answer);
    t.ok(hasClosed(talk.event({ kind: 'closed', side: 'server' })));
  },
);

t.test('the server gone, a client reset: both sides end (GW-14)', async (t) => {
  t.match(signedIn().event({ kind: 'closed', side: 'server' }), [{ kind: 'close' }]);
  t.match(signedIn().event({ kind: 'closed', side: 'client', reason: 'reset' }), [
    { kind: 'close' },
  ]);
  const early = new SessionTalk();
  early.opened('client');
  t.match(early.event({ kind: 'closed', side: 'client' }), [{ kind: 'close' }]);
});

t.test("the server's last words reach the client before the end (PG-48)", async (t) => {
  const talk = signedIn();
  const fatal = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'));
  t.same(sentTo('client', talk.server(fatal)), fatal);
  t.match(talk.event({ kind: 'closed', side: 'server' }), [{ kind: 'close' }]);
});

t.test('a stop tells the client why, but never in the middle of a message (GW-13)', async (t) => {
  const stop = { kind: 'stopped', code: '57P01', reason: 'shutting down' } as const;
  const fields = decodeFields(sentTo('client', signedIn().event(stop)).subarray(5));
  t.match(fields, { S: 'FATAL', C: '57P01', M: 'shutting down' });
  const talk = signedIn({ inspection: { statements: false, results: false } });
  talk.client(query('select 1'));
  talk.server(description('a'), row('a value').subarray(0, 9));
  const commands = talk.event(stop);
  t.equal(sentTo('client', commands).length, 0, 'not a byte into the half row');
  t.ok(hasClosed(commands));
});

t.test('the alarm of the sign-in rings before it is over, and is off afterwards', async (t) => {
  const talk = new SessionTalk({ signInTimeout: 1234 });
  t.match(talk.opened('client'), [{ kind: 'wake', alarm: 'sign-in', after: 1234 }]);
  t.match(
    decodeFields(sentTo('client', talk.event({ kind: 'woke', alarm: 'sign-in' })).subarray(5)),
    { C: '57014' },
  );
  const second = new SessionTalk({}, () => ({
    kind: 'allow',
    inspection: { statements: true, results: true },
  }));
  second.opened('client');
  second.client(startup({ user: 'ann' }));
  second.opened('server');
  t.match(
    second.server(message('R', Buffer.alloc(4))).find(({ kind }) => kind === 'wake'),
    { alarm: 'sign-in', after: undefined },
  );
  t.same(second.event({ kind: 'woke', alarm: 'sign-in' }), []);
});

t.test('isBusy: while the server owes an answer', async (t) => {
  const talk = signedIn();
  t.notOk(talk.session.isBusy);
  talk.client(query('select 1'));
  t.ok(talk.session.isBusy);
  talk.server(complete('SELECT 0'), ready());
  t.notOk(talk.session.isBusy);
});
