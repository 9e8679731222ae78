import t from 'tap';
import { SCRAM_SHA_256, ScramServer } from '../../../protocols/postgres/scram.ts';
import { hasClosed, recordedFrom, sentTo } from '../../support/play.ts';
import { makeVerifier, PASSWORD } from '../../support/postgres-lab.ts';
import { authenticationOk, errorOf, SessionTalk } from '../../support/postgres-session.ts';
import { int32, message } from '../../support/raw-postgres.ts';
import {
  type SignInOptions,
  proving,
  started,
  sasl,
  messagesTo,
  refusalIn,
  prove,
} from '../../support/sign-in-talk.ts';

/** A gateway login in front of which the client has proved itself. */
function atLogin(own: SignInOptions = {}): SessionTalk {
  const { talk } = started(proving(own), own);
  prove(talk, PASSWORD);
  talk.opened('server');
  return talk;
}

t.test('the gateway logs in with SCRAM, md5 and clear text', async (t) => {
  const scram = atLogin();
  const first = messagesTo('server', scram.server(sasl(SCRAM_SHA_256)))[0]?.body ?? Buffer.alloc(0);
  const server = new ScramServer({
    verifier: makeVerifier('upstream'),
    isKnown: true,
    mechanism: SCRAM_SHA_256,
    isPlusOffered: false,
    channelBinding: undefined,
    nonce: 'srv',
  });
  const continued = server.first(first.toString('latin1', first.indexOf(0) + 5));
  const final = messagesTo(
    'server',
    scram.server(
      message('R', int32(11), Buffer.from('message' in continued ? continued.message : '')),
    ),
  )[0];
  const proved = server.final(final?.body.toString('latin1') ?? '');
  t.equal(proved.kind, 'proved');
  scram.server(message('R', int32(12), Buffer.from('message' in proved ? proved.message : '')));
  t.same(sentTo('client', scram.server(authenticationOk())), authenticationOk());

  const md5 = messagesTo(
    'server',
    atLogin().server(message('R', int32(5), Buffer.of(1, 2, 3, 4))),
  )[0];
  t.match(md5?.body.toString(), /^md5[0-9a-f]{32}\0$/);
  const clear = messagesTo('server', atLogin().server(message('R', int32(3))))[0];
  t.equal(clear?.body.toString(), 'upstream\0');
});

t.test('a false server does not pass for the real one (PG-16)', async (t) => {
  const skips = atLogin();
  skips.server(sasl(SCRAM_SHA_256));
  t.ok(hasClosed(skips.server(authenticationOk())), 'it ends SCRAM without its proof');
  const lies = atLogin();
  lies.server(sasl(SCRAM_SHA_256));
  lies.server(message('R', int32(11), Buffer.from('r=zzz,s=AAAA,i=4096')));
  t.ok(hasClosed(lies.log), 'a nonce that does not continue ours');
  for (const bytes of [
    message('R', int32(7)),
    message('R', int32(99)),
    sasl('OAUTHBEARER'),
    message('R', int32(11), Buffer.from('r=')),
    message('R', Buffer.of(0)),
    message('D', Buffer.of(0, 0)),
  ]) {
    t.ok(hasClosed(atLogin().server(bytes)), bytes.toString('hex'));
  }
  t.ok(
    hasClosed(atLogin({ hasNoPassword: true }).server(message('R', int32(3)))),
    'no password to give',
  );
});

t.test(
  "the server's refusal of the gateway's credential is not shown, other ones are (PG-21)",
  async (t) => {
    const refused = atLogin().server(
      errorOf('28P01', 'password authentication failed for user "weir"'),
    );
    t.notMatch(sentTo('client', refused).toString(), 'weir"');
    t.match(refusalIn(refused), { C: '28000' });
    const full = errorOf('53300', 'sorry, too many clients already');
    t.match(sentTo('client', atLogin().server(full)).toString(), 'too many clients');
    const notice = message('N', Buffer.from('SNOTICE\0C00000\0Mhello\0\0'));
    t.same(sentTo('client', atLogin().server(notice)), notice);
  },
);

t.test('an upstream that cannot be reached (PG-21)', async (t) => {
  const { talk } = started(proving());
  prove(talk, PASSWORD);
  t.match(refusalIn(talk.event({ kind: 'closed', side: 'server', reason: 'ECONNREFUSED' })), {
    C: '08006',
    M: /could not reach the database: ECONNREFUSED/,
  });
});

t.test('nothing that could sign in is recorded (GW-16)', async (t) => {
  const talk = atLogin();
  talk.server(message('R', int32(3)));
  talk.server(authenticationOk());
  const recorded = Buffer.concat([
    recordedFrom('client', talk.log),
    recordedFrom('server', talk.log),
  ]).toString('latin1');
  t.notMatch(recorded, /upstream|p=|correct/);
  t.match(recorded, /p\0\0\0.\*+/, 'the message is there, blanked');
});
