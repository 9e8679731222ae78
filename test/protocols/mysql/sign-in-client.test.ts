/** The sign-in event by event: what is sent, recorded and refused, however the bytes are cut. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { Decision, SessionOptions } from '../../../protocols/contract.ts';
import { nativeResponse } from '../../../protocols/mysql/auth-native.ts';
import { CAPABILITY } from '../../../protocols/mysql/capabilities.ts';
import { encodeGreeting, parseGreeting } from '../../../protocols/mysql/greeting.ts';
import {
  encodeHead,
  encodeResponse,
  parseHead,
} from '../../../protocols/mysql/handshake-response.ts';
import { encodePacket } from '../../../protocols/mysql/packet.ts';
import { parseErr } from '../../../protocols/mysql/refusal.ts';
import { stateAnswer } from '../../support/mysql-session.ts';
import { sentTo } from '../../support/play.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';
import { INSPECT_ALL, INSPECT_NOTHING, options, SignInTalk } from './sign-in-fixture.ts';

const NATIVE = 'mysql_native_password';
const GREETING = {
  version: '5.5.5-10.11.19-MariaDB',
  connectionId: 31,
  nonce: Buffer.from('abcdefgh123456789012'),
  capabilities: (0x81ff_fffen & ~CAPABILITY.mysql) | (0x1dn << 32n),
  collation: 45,
  status: 2,
  plugin: NATIVE,
};
const ALL = 0xff_ffff_ffffn & ~CAPABILITY.mysql & ~CAPABILITY.ssl;
const OK = Buffer.of(0, 0, 0, 2, 0, 0, 0);
/** The server's answer to the question that comes behind it (MY-56). */
const TOLD = stateAnswer({ deprecatesEof: true });
const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
const verifier = { ...makeVerifier('pw'), nativeHash: sha1(sha1(Buffer.from('pw'))) };
const login = { user: 'weir', password: 'up', database: undefined };
const PROVE: Decision = { kind: 'prove', verifier, isKnown: true, login, inspection: INSPECT_ALL };

/** The same in every run. */
const random = (size: number): Buffer => Buffer.alloc(size, 0x41);

function response(own: Partial<Parameters<typeof encodeResponse>[0]> = {}): Buffer {
  return encodeResponse({
    capabilities: ALL,
    packetSizeMax: 1 << 24,
    collation: 45,
    user: Buffer.from('ann'),
    authResponse: nativeResponse('pw', random(20)),
    database: Buffer.from('shop'),
    plugin: NATIVE,
    attributes: Buffer.alloc(0),
    ...own,
  });
}

function greeted(
  own: Partial<SessionOptions> = {},
  decision: Decision | undefined = PROVE,
): SignInTalk {
  const talk = new SignInTalk(options({ random, ...own }), () => decision);
  talk.event({ kind: 'opened', side: 'client' });
  talk.event({ kind: 'opened', side: 'server' });
  talk.server(encodePacket(encodeGreeting(GREETING), 0));
  return talk;
}

/** Sequence id and ERR of the last packet. */
function lastErr(talk: SignInTalk): {
  sequence: number;
  errno: number;
  state: string;
  message: string;
} {
  const bytes = talk.toClient;
  let offset = 0;
  while (offset + 4 + bytes.readUIntLE(offset, 3) < bytes.length)
    offset += 4 + bytes.readUIntLE(offset, 3);
  return { sequence: bytes[offset + 3] ?? -1, ...parseErr(bytes.subarray(offset + 4)) };
}

t.test('both legs get the same flags, and only those that were offered (MY-3)', async (t) => {
  const talk = greeted();
  const shown = parseGreeting(talk.toClient.subarray(4));
  t.same(shown.nonce, random(20), 'a nonce of our own');
  t.equal(shown.version, GREETING.version);
  t.equal(shown.connectionId, 31, 'the server’s own id (MY-17)');
  talk.client(encodePacket(response(), 1));
  const head = parseHead(talk.toServer.subarray(4));
  talk.server(encodePacket(OK, 2));
  talk.server(TOLD);
  t.equal(head?.capabilities, talk.signIn.done?.capabilities);
  t.equal(talk.signIn.done?.capabilities, shown.capabilities & ALL);
  const state = { database: 'shop', status: 2, charset: 'utf8mb4' };
  t.match(talk.signIn.done, { user: 'ann', charset: 45, state });
  t.same(talk.toClient.subarray(-11), encodePacket(OK, 2));
});

t.test('however the bytes are cut, the same comes out', async (t) => {
  const play = (cuts: readonly number[]): string => {
    const talk = greeted();
    const bytes = Buffer.concat([encodePacket(response(), 1), Buffer.from('rest')]);
    const ends = [...new Set(cuts.filter((cut) => cut < bytes.length))].toSorted((a, b) => a - b);
    for (const [index, end] of [...ends, bytes.length].entries())
      talk.client(bytes.subarray(ends[index - 1] ?? 0, end));
    const ok = Buffer.concat([encodePacket(OK, 2), TOLD]);
    for (const byte of ok) talk.server(Buffer.of(byte));
    const rest = talk.signIn.done?.clientRest.toString();
    return [talk.toClient.toString('hex'), talk.toServer.toString('hex'), rest].join();
  };
  const whole = play([]);
  t.match(whole, /rest$/);
  fc.assert(
    fc.property(fc.array(fc.nat(150), { maxLength: 8 }), (cuts) => play(cuts) === whole),
    { numRuns: 50 },
  );
});

t.test('TLS is offered as the gateway has it, whatever the server does (MY-5)', async (t) => {
  for (const clientTls of ['off', 'allow', 'require'] as const) {
    for (const flags of [GREETING.capabilities, GREETING.capabilities & ~CAPABILITY.ssl]) {
      const talk = new SignInTalk(options({ random, clientTls }), () => PROVE);
      talk.event({ kind: 'opened', side: 'client' });
      talk.server(encodePacket(encodeGreeting({ ...GREETING, capabilities: flags }), 0));
      const shown = parseGreeting(talk.toClient.subarray(4));
      t.equal((shown.capabilities & CAPABILITY.ssl) !== 0n, clientTls !== 'off', clientTls);
    }
  }
});

t.test('TLS: what is behind the request belongs to it, and numbering goes on (MY-4)', async (t) => {
  const talk = greeted({ clientTls: 'require' });
  const head = { capabilities: ALL | CAPABILITY.ssl, packetSizeMax: 1, collation: 45 };
  const commands = talk.client(
    Buffer.concat([encodePacket(encodeHead(head), 1), Buffer.from('hello')]),
  );
  t.match(commands.at(-1), { kind: 'secure', side: 'client', bytes: Buffer.from('hello') });
  t.equal(sentTo('client', commands).length, 0, 'no answer');
  talk.event({ kind: 'secured', side: 'client', alpn: undefined, channelBinding: undefined });
  talk.client(encodePacket(response({ capabilities: ALL | CAPABILITY.ssl }), 2));
  t.notOk(talk.isClosed);
  talk.server(encodePacket(OK, 2));
  talk.server(TOLD);
  t.equal(talk.signIn.done?.isSecure, true);
  t.equal((talk.signIn.done?.capabilities ?? 0n) & CAPABILITY.ssl, 0n);
  const around = greeted({ clientTls: 'allow' });
  around.client(encodePacket(encodeHead(head), 1));
  around.client(Buffer.from('plain'));
  t.ok(around.isClosed, 'plain bytes around the handshake');
});

t.test('what a client must not do, in the words of a server', async (t) => {
  const ssl = { capabilities: ALL | CAPABILITY.ssl, packetSizeMax: 1, collation: 45 };
  const cases: readonly [string, Partial<SessionOptions>, Buffer, number][] = [
    ['TLS that is off', {}, encodePacket(encodeHead(ssl), 1), 1043],
    ['no TLS where it is required', { clientTls: 'require' }, encodePacket(response(), 1), 3159],
    [
      'a client of before 4.1',
      {},
      encodePacket(Buffer.from('85000000726f6f740000', 'hex'), 1),
      1251,
    ],
    ['packets out of order', {}, encodePacket(response(), 5), 1835],
    ['a huge packet', {}, Buffer.of(0xff, 0xff, 0xff, 1), 1835],
    ['gbk under inspection (MY-37)', {}, encodePacket(response({ collation: 28 }), 1), 1115],
    ['a wrong password', {}, encodePacket(response({ authResponse: Buffer.alloc(20) }), 1), 1045],
    ['an empty password', {}, encodePacket(response({ authResponse: Buffer.alloc(0) }), 1), 1045],
  ];
  for (const [name, own, bytes, errno] of cases) {
    const talk = greeted(own);
    talk.client(bytes);
    t.ok(talk.isClosed, name);
    t.equal(lastErr(talk).errno, errno, name);
    t.equal(talk.toServer.length, 0, `${name}: nothing goes upstream`);
  }
});

t.test('before the greeting an ERR has no state, and never is there silence (MY-1)', async (t) => {
  const talk = new SignInTalk(options(), () => PROVE);
  talk.event({ kind: 'opened', side: 'client' });
  talk.event({ kind: 'closed', side: 'server', reason: 'connection refused' });
  t.match(lastErr(talk), { sequence: 0, errno: 2003, state: '', message: /connection refused/ });

  const busy = new SignInTalk(options(), () => PROVE);
  busy.event({ kind: 'opened', side: 'client' });
  const err = encodePacket(Buffer.from('\xff\x10\x04Too many connections', 'latin1'), 0);
  busy.server(err);
  t.same(busy.toClient, err, 'as the server said it');
  t.ok(busy.isClosed);

  const late = greeted();
  late.event({ kind: 'woke', alarm: 'sign-in' });
  t.match(lastErr(late), { sequence: 1, errno: 1159, state: '' });
});

t.test('an old, a strange and a plain server are refused', async (t) => {
  for (const [own, greeting] of [
    [{}, Buffer.concat([Buffer.of(9), Buffer.from('3.23\0')])],
    [{}, Buffer.from('SSH-2.0-OpenSSH')],
    [
      { upstreamTls: true },
      encodeGreeting({ ...GREETING, capabilities: GREETING.capabilities & ~CAPABILITY.ssl }),
    ],
  ] as const) {
    const talk = new SignInTalk(options(own), () => PROVE);
    talk.event({ kind: 'opened', side: 'client' });
    talk.server(encodePacket(greeting, 0));
    t.equal(lastErr(talk).sequence, 0);
    t.ok(talk.isClosed);
  }
  const talk = greeted({ auth: 'passthrough' }, { kind: 'allow' });
  talk.client(encodePacket(response(), 1));
  talk.server(encodePacket(Buffer.of(0xfe), 2));
  t.match(lastErr(talk).message, /before MySQL 4.1/, 'old passwords (MY-7)');
});

t.test('an unknown user goes the same way as a known one', async (t) => {
  const play = (isKnown: boolean, password: string): string => {
    const talk = greeted({}, { ...PROVE, isKnown });
    talk.client(encodePacket(response({ authResponse: nativeResponse(password, random(20)) }), 1));
    return talk.toClient.toString('hex');
  };
  t.equal(play(false, 'pw'), play(true, 'wrong'));
});

t.test('a clear-text password is relayed through TLS only (MY-9)', async (t) => {
  const talk = greeted({ auth: 'passthrough' }, { kind: 'allow' });
  talk.client(encodePacket(response(), 1));
  talk.server(encodePacket(Buffer.from('\xfemysql_clear_password\0', 'latin1'), 2));
  t.match(lastErr(talk), { errno: 1045, message: /connects with TLS/ });
  const first = greeted({ auth: 'passthrough' }, { kind: 'allow' });
  first.client(encodePacket(response({ plugin: 'mysql_clear_password' }), 1));
  t.equal(first.toServer.length, 0);
});

t.test(
  'plugins that nobody knows are relayed, each packet in its turn (MY-9, MY-11)',
  async (t) => {
    const talk = greeted({ auth: 'passthrough', upstreamTls: true }, { kind: 'allow' });
    talk.client(encodePacket(response(), 1));
    talk.event({ kind: 'secured', side: 'server', alpn: undefined, channelBinding: undefined });
    talk.server(encodePacket(Buffer.from('\xfeparsec\0nonce', 'latin1'), 3));
    const early = talk.client(
      Buffer.concat([
        encodePacket(Buffer.from('salt?'), 3),
        encodePacket(Buffer.from('\x03drop'), 4),
      ]),
    );
    t.equal(
      sentTo('server', early).toString('latin1', 4),
      'salt?',
      'a second packet is not for the server yet',
    );
    t.equal(sentTo('server', early)[3], 4, 'the number of its own leg');
    t.notOk(talk.recorded.includes('salt?'), 'GW-16');
  },
);

t.test('the database of the gateway’s login is the session’s', async (t) => {
  const own = { ...PROVE, login: { ...login, database: 'fixed' }, inspection: INSPECT_NOTHING };
  const talk = greeted({}, own);
  talk.client(encodePacket(response(), 1));
  t.ok(talk.toServer.includes('fixed\0'));
  talk.server(encodePacket(OK, 2));
  t.equal(talk.signIn.done?.state.database, 'fixed');
});

t.test('a blocked sign-in is told why', async (t) => {
  const block: Decision = { kind: 'block', rule: 'r', code: '28000', reason: 'not at night' };
  const talk = greeted({}, block);
  talk.client(encodePacket(response(), 1));
  t.match(lastErr(talk), { sequence: 2, errno: 1045, state: '28000', message: 'not at night' });
});

t.test('changed bytes from either side end in an ERR and never in an exception', async () => {
  const bytes = encodePacket(response(), 1);
  const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(edits, edits, (fromClient, fromServer) => {
      const talk = new SignInTalk(options({ auth: 'passthrough', random }), () => ({
        kind: 'allow',
      }));
      talk.event({ kind: 'opened', side: 'client' });
      talk.server(changed(encodePacket(encodeGreeting(GREETING), 0), fromServer));
      talk.client(changed(bytes, fromClient));
      talk.server(changed(encodePacket(OK, 2), fromServer));
      return true;
    }),
    { numRuns: 200 },
  );
});

function changed(bytes: Buffer, edits: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [offset, value] of edits) if (offset < copy.length) copy[offset] = value;
  return copy;
}
