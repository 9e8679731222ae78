import t from 'tap';
import {
  CACHING_SHA2,
  clearPassword,
  xorRepeated,
} from '../../../protocols/mysql/auth-caching-sha2.ts';
import {
  PassthroughAuth,
  type PassthroughOptions,
} from '../../../protocols/mysql/auth-passthrough.ts';
import { encodeAuthSwitch } from '../../../protocols/mysql/auth-switch.ts';
import { rsa } from './sign-in-fixture.ts';

const NONCE = Buffer.from('greeting nonce 01234');
const FULL = Buffer.of(1, 4);

function authOf(own: Partial<PassthroughOptions> = {}): PassthroughAuth {
  const auth = new PassthroughAuth({
    isClientSecure: true,
    isUpstreamSecure: true,
    rsa,
    nonce: NONCE,
    ...own,
  });
  auth.onFirst(CACHING_SHA2);
  return auth;
}

t.test('between equal legs every packet is relayed as it is (MY-8, MY-9)', async (t) => {
  for (const isSecure of [false, true]) {
    const auth = authOf({ isClientSecure: isSecure, isUpstreamSecure: isSecure });
    t.notOk(auth.awaitsClient);
    t.same(auth.onServer(FULL), { kind: 'to-client', payload: FULL });
    t.ok(auth.awaitsClient);
    const payload = Buffer.from('whatever');
    t.same(auth.onClient(payload), { kind: 'to-server', payload });
    t.notOk(auth.awaitsClient, 'one packet for one');
    t.same(auth.onServer(Buffer.of(1, 3)), { kind: 'to-client', payload: Buffer.of(1, 3) });
    t.notOk(auth.awaitsClient, 'the OK follows');
    t.same(auth.onServer(Buffer.of(0, 0, 0, 2, 0, 0, 0)), { kind: 'ok' });
  }
});

t.test('TLS to the client only: the password is encrypted for the server (MY-8)', async (t) => {
  const auth = authOf({ isUpstreamSecure: false });
  auth.onServer(FULL);
  t.same(auth.onClient(clearPassword('pw')), { kind: 'to-server', payload: Buffer.of(2) });
  const step = auth.onServer(Buffer.from(`\x01${rsa.publicKey}`));
  const sent = step.kind === 'to-server' ? step.payload : Buffer.alloc(0);
  t.equal(xorRepeated(rsa.decrypt(sent) ?? Buffer.alloc(0), NONCE).toString(), 'pw\0');
  const other = authOf({ isUpstreamSecure: false });
  other.onServer(FULL);
  other.onClient(clearPassword('pw'));
  t.throws(() => other.onServer(Buffer.from('\x01no key')), { code: 'MYSQL_SERVER_KEY' });
});

t.test('TLS to the server only: the client encrypts for the gateway (MY-8)', async (t) => {
  const auth = authOf({ isClientSecure: false });
  const fresh = Buffer.from('another nonce 012345');
  auth.onServer(encodeAuthSwitch(CACHING_SHA2, fresh));
  auth.onClient(Buffer.alloc(32));
  auth.onServer(FULL);
  const key = auth.onClient(Buffer.of(2));
  t.match(key, { kind: 'to-client', by: 'gateway', payload: Buffer.from(`\x01${rsa.publicKey}`) });
  t.ok(auth.awaitsClient);
  const encrypted = rsa.encrypt(rsa.publicKey, xorRepeated(clearPassword('pw'), fresh));
  t.same(auth.onClient(encrypted), { kind: 'to-server', payload: clearPassword('pw') });
  const wrong = authOf({ isClientSecure: false });
  wrong.onServer(FULL);
  t.match(wrong.onClient(Buffer.alloc(256, 1)), { kind: 'refused' });
});

t.test('what cannot be relayed is refused with the reason', async (t) => {
  const plain = { isClientSecure: false, isUpstreamSecure: false };
  t.match(authOf(plain).onFirst('mysql_clear_password')?.message, /connects with TLS/);
  t.equal(authOf().onFirst('mysql_clear_password'), undefined);
  const half = authOf({ isUpstreamSecure: false });
  t.match(half.onFirst('mysql_clear_password')?.message, /TLS to the database/);
  t.match(authOf({ isUpstreamSecure: false }).onFirst('sha256_password')?.message, /one leg only/);
  t.match(authOf({ rsa: undefined, isUpstreamSecure: false }).onServer(FULL), { kind: 'refused' });
  t.match(authOf().onServer(Buffer.of(0xfe)), { kind: 'refused' }, 'old passwords (MY-7)');
  const endless = authOf();
  t.throws(() => Array.from({ length: 100 }, () => endless.onServer(FULL)), {
    code: 'MYSQL_AUTH_COUNT',
  });
});
