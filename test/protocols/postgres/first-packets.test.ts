import t from 'tap';
import type { SessionCommand } from '../../../protocols/contract.ts';
import { hasClosed, operationsIn, sentTo } from '../../support/play.ts';
import { SessionTalk } from '../../support/postgres-session.ts';
import {
  cancelRequest,
  decodeFields,
  gssRequest,
  int32,
  sslRequest,
  startup,
} from '../../support/raw-postgres.ts';
import type { TranscriptOptions } from '../../support/transcript.ts';

const START = startup({ user: 'ann', database: 'shop' });
const HELLO = Buffer.from('1603010200010001fc0303', 'hex');
const BINDING = Buffer.alloc(32, 1);

function newTalk(options: TranscriptOptions = {}): SessionTalk {
  const talk = new SessionTalk(options, () => undefined);
  talk.opened('client');
  return talk;
}

function fieldsOf(commands: readonly SessionCommand[]): Record<string, string> {
  const sent = sentTo('client', commands);
  return decodeFields(sent.subarray(sent.indexOf('E') + 5));
}

t.test('versions: older ones in their own words, newer ones with 0A000 (PG-1)', async (t) => {
  for (const version of [0x0001_0000, 0x0002_0000]) {
    const commands = newTalk().client(Buffer.concat([int32(8), int32(version)]));
    t.match(
      sentTo('client', commands).toString(),
      /^EFATAL: {2}unsupported frontend protocol [12]\.0: server supports 3\.0 to 3\.2\n\0$/,
    );
    t.ok(hasClosed(commands));
  }
  const commands = newTalk().client(Buffer.concat([int32(9), int32(0x0004_0000), Buffer.of(0)]));
  t.match(fieldsOf(commands), {
    S: 'FATAL',
    C: '0A000',
    M: 'unsupported frontend protocol 4.0: server supports 3.0 to 3.2',
  });
});

t.test('impossible lengths close without a word, a broken layout with 08P01 (PG-1)', async (t) => {
  for (const bytes of [int32(7), int32(10_005), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
    const commands = newTalk().client(bytes);
    t.equal(sentTo('client', commands).length, 0);
    t.ok(hasClosed(commands));
  }
  t.match(fieldsOf(newTalk().client(Buffer.concat([int32(8), int32(0x0003_0000)]))), {
    C: '08P01',
  });
  t.match(fieldsOf(newTalk().client(startup({ database: 'shop' }))), {
    C: '28000',
    M: /no PostgreSQL user name/,
  });
});

t.test(
  'SSLRequest and GSSENCRequest in any order before the start-up, each once (PG-2, PG-5)',
  async (t) => {
    const talk = newTalk();
    t.equal(sentTo('client', talk.client(gssRequest())).toString(), 'N');
    t.equal(sentTo('client', talk.client(sslRequest())).toString(), 'N', 'TLS is off');
    t.match(operationsIn(talk.client(START)), [
      { kind: 'sign-in', user: 'ann', database: 'shop', isSecure: false },
    ]);
    const other = newTalk();
    other.client(sslRequest());
    t.equal(sentTo('client', other.client(gssRequest())).toString(), 'N');
    t.match(fieldsOf(other.client(gssRequest())), { C: '0A000' }, 'a second GSSENCRequest');
    const third = newTalk();
    third.client(sslRequest());
    t.ok(hasClosed(third.client(sslRequest())), 'a second SSLRequest');
  },
);

t.test('TLS required: asked for with S, and nobody signs in without (PG-2)', async (t) => {
  const talk = newTalk({ clientTls: 'require' });
  const commands = talk.client(START);
  t.match(fieldsOf(commands), { S: 'FATAL', C: '28000', M: /requires TLS/ });
  t.equal(operationsIn(commands).length, 0);
  t.match(newTalk({ clientTls: 'require' }).client(sslRequest()), [
    { kind: 'record' },
    { kind: 'record' },
    { kind: 'send', bytes: Buffer.from('S') },
    { kind: 'secure', side: 'client' },
  ]);
});

t.test(
  'bytes behind SSLRequest go to the TLS engine and are never read as plain (PG-3, PG-4)',
  async (t) => {
    for (const rest of [HELLO, START]) {
      const talk = newTalk({ clientTls: 'allow' });
      const commands = talk.client(sslRequest(), rest);
      t.match(commands.at(-1), { kind: 'secure', side: 'client', bytes: rest });
      t.equal(operationsIn(commands).length, 0);
    }
  },
);

t.test('plain bytes during the handshake end the session (PG-4)', async (t) => {
  const talk = newTalk({ clientTls: 'allow' });
  talk.client(sslRequest());
  const commands = talk.client(START);
  t.ok(hasClosed(commands));
  t.equal(operationsIn(talk.log).length, 0);
});

t.test(
  'bytes behind GSSENCRequest, or behind an SSLRequest that is answered N, are refused (PG-4)',
  async (t) => {
    const gss = newTalk().client(gssRequest(), START);
    t.equal(sentTo('client', gss)[0], 'N'.charCodeAt(0));
    t.match(fieldsOf(gss), {
      C: '08P01',
      M: 'received unencrypted data after GSSAPI encryption request',
    });
    const ssl = newTalk().client(sslRequest(), START);
    t.equal(sentTo('client', ssl)[0], 'N'.charCodeAt(0));
    t.match(fieldsOf(ssl), { C: '08P01', M: 'received unencrypted data after SSL request' });
  },
);

t.test('direct TLS needs ALPN "postgresql"; on request it is welcome (PG-6, PG-7)', async (t) => {
  for (const [first, alpn, isFine] of [
    [HELLO, 'postgresql', true],
    [HELLO, undefined, false],
    [HELLO, 'h2', false],
    [sslRequest(), undefined, true],
    [sslRequest(), 'postgresql', true],
  ] as const) {
    const talk = newTalk({ clientTls: 'allow' });
    talk.client(first);
    const commands = talk.event({ kind: 'secured', side: 'client', alpn, channelBinding: BINDING });
    t.equal(hasClosed(commands), !isFine, `${alpn}`);
    if (isFine) t.match(operationsIn(talk.client(START)), [{ kind: 'sign-in', isSecure: true }]);
  }
  t.ok(hasClosed(newTalk().client(HELLO)), 'closed where TLS is off');
});

t.test('no TLS inside of TLS (PG-6)', async (t) => {
  for (const request of [sslRequest(), gssRequest(), HELLO]) {
    const talk = newTalk({ clientTls: 'allow' });
    talk.client(HELLO);
    talk.event({ kind: 'secured', side: 'client', alpn: 'postgresql', channelBinding: BINDING });
    t.ok(hasClosed(talk.client(request)), request.toString('hex'));
  }
});

t.test('a cancel: decided by its key, passed on, never answered (PG-12)', async (t) => {
  for (const size of [4, 32]) {
    const key = Buffer.alloc(4 + size, 9);
    const talk = newTalk();
    t.match(operationsIn(talk.client(cancelRequest(key))), [{ kind: 'cancel', key }]);
    t.match(talk.decided(1, { kind: 'allow' }), [{ kind: 'open', side: 'server' }]);
    t.same(sentTo('server', talk.opened('server')), cancelRequest(key));
    t.match(talk.event({ kind: 'closed', side: 'server' }), [{ kind: 'close' }]);
    t.equal(sentTo('client', talk.log).length, 0);
  }
  const unknown = newTalk();
  unknown.client(cancelRequest(Buffer.alloc(8)));
  t.match(unknown.decided(1, { kind: 'block', rule: undefined, code: '57014', reason: 'no' }), [
    { kind: 'close' },
  ]);
});

t.test('a cancel whose client closes at once is carried out (PG-12)', async (t) => {
  for (const isEarly of [true, false]) {
    const talk = newTalk();
    talk.client(cancelRequest(Buffer.alloc(8, 9)));
    if (isEarly) t.same(talk.event({ kind: 'closed', side: 'client' }), []);
    talk.decided(1, { kind: 'allow' });
    if (!isEarly) t.same(talk.event({ kind: 'closed', side: 'client' }), []);
    t.same(sentTo('server', talk.opened('server')), cancelRequest(Buffer.alloc(8, 9)));
    t.match(talk.event({ kind: 'closed', side: 'server' }), [{ kind: 'close' }]);
  }
  const reset = newTalk();
  reset.client(cancelRequest(Buffer.alloc(8)));
  t.ok(hasClosed(reset.event({ kind: 'closed', side: 'client', reason: 'ECONNRESET' })));
  const none = newTalk();
  t.ok(hasClosed(none.event({ kind: 'closed', side: 'client' })), 'nothing was asked for');
});

t.test('a cancel over TLS, and after it was asked for in vain (PG-2, PG-12)', async (t) => {
  const talk = newTalk({ clientTls: 'require' });
  talk.client(sslRequest());
  talk.event({ kind: 'secured', side: 'client', alpn: undefined, channelBinding: BINDING });
  t.match(operationsIn(talk.client(cancelRequest(Buffer.alloc(8)))), [{ kind: 'cancel' }]);
  const plain = newTalk();
  plain.client(sslRequest());
  t.match(operationsIn(plain.client(cancelRequest(Buffer.alloc(8)))), [{ kind: 'cancel' }]);
});

t.test('a cancel that fails is silent as well (PG-12)', async (t) => {
  const late = newTalk();
  late.client(cancelRequest(Buffer.alloc(8)));
  late.decided(1, { kind: 'allow' });
  late.opened('server');
  late.event({ kind: 'woke', alarm: 'sign-in' });
  t.equal(sentTo('client', late.log).length, 0);
  t.ok(hasClosed(late.log));
  const refused = newTalk({ upstreamTls: true });
  refused.client(cancelRequest(Buffer.alloc(8)));
  refused.decided(1, { kind: 'allow' });
  refused.opened('server');
  refused.server(Buffer.from('N'));
  t.equal(sentTo('client', refused.log).length, 0);
  t.ok(hasClosed(refused.log));
});

t.test('what a stranger may make us keep is limited', async (t) => {
  const talk = newTalk();
  talk.client(START);
  let count = 0;
  while (count < 64 && !hasClosed(talk.client(Buffer.alloc(65_536)))) count++;
  t.ok(count < 20, `${count} chunks of 64 kB`);
});
