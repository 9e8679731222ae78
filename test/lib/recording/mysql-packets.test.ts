import t from 'tap';
import { CAPABILITY, COM, frame, lenenc, uint16 } from '../../support/mysql-packets.ts';
import {
  afterSignIn,
  ask,
  BASIC,
  greeting,
  ok,
  query,
  reply,
  response,
  sized,
  view,
} from './mysql-capture.ts';

const QUERY_ATTRIBUTES = 0x800_0000;

t.test('a sign-in is shown, a credential never (GW-16)', async (t) => {
  const proof = Buffer.from('20 bytes of a secret');
  const attributes = { program_name: 'shop', my_password: 'hunter2' };
  const events = view([
    ['server', frame(greeting(BASIC))],
    ['client', frame(response({ proof, attributes }), 1)],
    ['server', frame(Buffer.from('\xfecaching_sha2_password\0nonce', 'latin1'), 2)],
    ['client', frame(Buffer.from('scrambled'), 3)],
    ['server', frame(Buffer.of(1, 4), 4)],
    ['client', frame(Buffer.from('hunter2\0'), 5)],
    ['server', frame(ok(), 6)],
  ]);
  t.same(
    events.map(({ event }) => event),
    [
      'greeting',
      'startup',
      'authentication',
      'credential',
      'authentication',
      'credential',
      'authentication',
    ],
  );
  t.match(events[0], { version: '11.8.2-MariaDB', thread: 77 });
  t.same(events[1], {
    event: 'startup',
    from: 'client',
    protocol: '10',
    parameters: {
      user: 'alice',
      database: 'shop',
      method: 'mysql_native_password',
      collation: '45',
      '@program_name': 'shop',
      '@my_password': '(not shown)',
    },
  });
  t.match(events[2], { method: 'caching_sha2_password' });
  t.match([events[4], events[6]], [{ method: 'full' }, { method: 'ok' }]);
  t.notMatch(JSON.stringify(events), /secret|scrambled|hunter2/);
});

t.test('an SSLRequest is 32 bytes of the response (MY-4)', async (t) => {
  const capabilities = BASIC | CAPABILITY.ssl;
  const events = view([
    ['server', frame(greeting(capabilities))],
    ['client', frame(response({ capabilities }).subarray(0, 32), 1)],
    ['client', frame(response({ capabilities }), 2)],
    ['server', frame(ok(), 3)],
    query('SELECT 1'),
  ]);
  t.match(events.slice(1), [
    { event: 'ssl-request' },
    { event: 'startup', parameters: { user: 'alice' } },
    { event: 'authentication', method: 'ok' },
    { event: 'query', text: 'SELECT 1' },
  ]);
});

t.test('an error before the greeting has no SQLSTATE (MY-1, MY-15)', async (t) => {
  const early = Buffer.concat([Buffer.of(0xff), uint16(1040), Buffer.from('Too many')]);
  t.match(view([['server', frame(early)]]), [
    { event: 'error', number: '1040', code: '', message: 'Too many' },
  ]);
});

t.test('what changes in the session is told by the server (MY-26, MY-27)', async (t) => {
  const variable = Buffer.concat([sized('autocommit'), sized('OFF')]);
  const schema = sized('lab');
  const changes = Buffer.concat([
    Buffer.of(0),
    sized(variable),
    Buffer.of(1),
    sized(schema),
    Buffer.of(2),
    sized('1'),
  ]);
  const status = 0x4002;
  const packet = Buffer.concat([ok({ status }), sized('note'), sized(changes)]);
  const events = afterSignIn([query('SET'), reply(packet)], {
    capabilities: BASIC | CAPABILITY.sessionTrack,
  });
  t.match(events.slice(1), [
    { event: 'parameter', name: 'autocommit', value: 'OFF' },
    { event: 'parameter', name: 'database', value: 'lab' },
    { event: 'complete', info: 'note' },
  ]);
});

t.test(
  'query attributes are read where both sides have them, and only there (MY-3, MY-20)',
  async (t) => {
    const attribute = [
      lenenc(1),
      lenenc(1),
      Buffer.of(0, 1),
      uint16(253),
      sized('trace'),
      sized('ab'),
    ];
    const asked = ask(COM.query, ...attribute, 'SELECT 1');
    t.match(afterSignIn([asked], { capabilities: BASIC | QUERY_ATTRIBUTES }), [
      { event: 'query', text: 'SELECT 1', attributes: { trace: 'ab' } },
    ]);
    const none = ask(COM.query, lenenc(0), lenenc(1), 'SELECT 2');
    const [bare] = afterSignIn([none], { capabilities: BASIC | QUERY_ATTRIBUTES });
    t.match(bare, { text: 'SELECT 2' });
    t.notOk(bare !== undefined && 'attributes' in bare);
    t.match(afterSignIn([query('SELECT 3')], { claimed: QUERY_ATTRIBUTES }), [
      { text: 'SELECT 3' },
    ]);
  },
);
