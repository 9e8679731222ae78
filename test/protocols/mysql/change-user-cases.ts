/** COM_CHANGE_USER packet by packet: what is asked, refused and recorded. The real servers are in change-user.test.ts. */

import t from 'tap';
import type { Decision } from '../../../protocols/contract.ts';
import { COM, command, frame, uint16 } from '../../support/mysql-packets.ts';
import {
  INSPECT_NOTHING,
  INSPECT_STATEMENTS,
  greeting,
  MysqlTalk,
  ok,
  outline,
  response,
  signedIn,
  stateAnswer,
} from '../../support/mysql-session.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';

const PROOF = Buffer.alloc(20, 0x51);
const query = (sql: string): Buffer => frame(command(COM.query, sql));

function changeUser(collation = 45): Buffer {
  const body = Buffer.concat([
    Buffer.from('bob\0'),
    Buffer.of(PROOF.length),
    PROOF,
    Buffer.from('other\0'),
    uint16(collation),
    Buffer.from('mysql_native_password\0'),
  ]);
  return frame(command(COM.changeUser, body));
}

function talked(): MysqlTalk {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.log.length = 0;
  return talk;
}

t.test('the server is asked before the client gets its OK (MY-56)', async (t) => {
  const talk = talked();
  talk.client(changeUser(), query('select 1'));
  t.match(sentTo('server', talk.server(ok(1))).toString(), /SELECT @@character_set_client/);
  t.equal(sentTo('client', talk.log).length, 0);
  talk.server(stateAnswer({ charset: 'latin1', database: 'third' }));
  t.equal(outline(sentTo('client', talk.log)), '1:00');
  t.match(operationsIn(talk.log).at(-1), { text: 'select 1', reading: { database: 'third' } });
  const refused = talked();
  refused.client(changeUser());
  refused.server(ok(1), stateAnswer({ modes: 'ORACLE' }));
  t.ok(hasClosed(refused.log));
  t.equal(outline(sentTo('client', refused.log)), '1:ff');
});

t.test(
  'a charset that cannot be read is refused before the server hears of it (MY-37)',
  async (t) => {
    const talk = talked();
    talk.client(changeUser(28));
    t.ok(hasClosed(talk.log));
    t.equal(sentTo('server', talk.log).length, 0);
  },
);

t.test('its proof is not recorded (GW-16)', async (t) => {
  const talk = talked();
  talk.client(changeUser());
  t.ok(recordedFrom('client', talk.log).includes('bob'));
  t.notOk(recordedFrom('client', talk.log).includes(PROOF));
});

/** Up to the client's response, under auth = "gateway". */
function proving(decision: Decision): MysqlTalk {
  const talk = new MysqlTalk({ auth: 'gateway' }, () => decision);
  talk.event({ kind: 'opened', side: 'client' });
  talk.event({ kind: 'opened', side: 'server' });
  talk.server(greeting('5.5.5-10.11.6-MariaDB', 0x8_8208));
  return talk;
}

t.test('auth = "gateway": nobody signs in without a proof', async (t) => {
  const talk = proving({ kind: 'allow', inspection: INSPECT_STATEMENTS });
  t.throws(() => talk.client(response(0x8_8208, 45)), { message: /has to be proved/ });
  const verifier = makeVerifier('pw');
  const login = { user: 'weir', password: 'up', database: undefined };
  const asked = proving({
    kind: 'prove',
    verifier,
    isKnown: true,
    login,
    inspection: INSPECT_NOTHING,
  });
  asked.client(response(0x8_8208, 45));
  t.equal(sentTo('server', asked.log).length, 0, 'the server hears nothing before it');
});

t.test('a sign-in that takes too long is ended, a session is not', async (t) => {
  const slow = proving({ kind: 'allow' });
  t.ok(hasClosed(slow.event({ kind: 'woke', alarm: 'sign-in' })));
  t.notOk(hasClosed(talked().event({ kind: 'woke', alarm: 'sign-in' })));
});
