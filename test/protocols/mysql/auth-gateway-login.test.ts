import t from 'tap';
import {
  CACHING_SHA2,
  cachingSha2Response,
  clearPassword,
} from '../../../protocols/mysql/auth-caching-sha2.ts';
import { signEd25519 } from '../../../protocols/mysql/auth-ed25519.ts';
import {
  GatewayLogin,
  type GatewayLoginOptions,
  refusalOfLogin,
} from '../../../protocols/mysql/auth-gateway-login.ts';
import { nativeResponse } from '../../../protocols/mysql/auth-native.ts';
import { encodeAuthSwitch } from '../../../protocols/mysql/auth-switch.ts';
import { rsa } from './sign-in-fixture.ts';

const NATIVE = 'mysql_native_password';
const NONCE = Buffer.from('greeting nonce 01234');
const OTHER = Buffer.from('another nonce 012345');

function loginOf(own: Partial<GatewayLoginOptions> = {}): GatewayLogin {
  const login = { user: 'weir', password: 'up', database: undefined };
  return new GatewayLogin({ login, isSecure: false, rsa, plugin: NATIVE, nonce: NONCE, ...own });
}

t.test('the greeting’s plugin, or the one that the server switches to (MY-7)', async (t) => {
  t.same(loginOf().first(), { plugin: NATIVE, response: nativeResponse('up', NONCE) });
  const sha2 = loginOf({ plugin: CACHING_SHA2 });
  t.same(sha2.first(), { plugin: CACHING_SHA2, response: cachingSha2Response('up', NONCE) });
  t.same(sha2.answer(Buffer.of(1, 3)), { kind: 'wait' });
  t.same(sha2.answer(Buffer.of(0, 0, 0, 2, 0, 0, 0)), { kind: 'ok' });
  t.equal(loginOf({ plugin: 'sha256_password' }).first().plugin, NATIVE);
  const payload = nativeResponse('up', OTHER);
  t.same(sha2.answer(encodeAuthSwitch(NATIVE, OTHER)), { kind: 'send', payload });
  const long = Buffer.alloc(32, 0);
  const request = Buffer.concat([Buffer.from('\xfeclient_ed25519\0', 'latin1'), long]);
  t.same(
    sha2.answer(request),
    { kind: 'send', payload: signEd25519('up', long) },
    'NULs belong to it',
  );
});

t.test('the password itself goes through TLS or RSA and no other way (MY-8)', async (t) => {
  const secure = loginOf({ plugin: CACHING_SHA2, isSecure: true });
  secure.first();
  t.same(secure.answer(Buffer.of(1, 4)), { kind: 'send', payload: clearPassword('up') });
  const clear = encodeAuthSwitch('mysql_clear_password', Buffer.alloc(0));
  t.same(secure.answer(clear), { kind: 'send', payload: clearPassword('up') });
  t.throws(() => loginOf().answer(clear), { code: 'MYSQL_UPSTREAM_SIGN_IN' });
  const bare = loginOf({ plugin: CACHING_SHA2, rsa: undefined });
  bare.first();
  t.throws(() => bare.answer(Buffer.of(1, 4)), /has no TLS/);
  const plain = loginOf({ plugin: CACHING_SHA2 });
  plain.first();
  t.same(plain.answer(Buffer.of(1, 4)), { kind: 'send', payload: Buffer.of(2) });
  t.throws(() => plain.answer(Buffer.from('\x01no key')), /public key is none/);
});

t.test('a server that asks for the impossible is told apart from one that says no', async (t) => {
  for (const payload of [
    Buffer.of(0xfe),
    Buffer.alloc(0),
    Buffer.of(2),
    Buffer.of(1, 4),
    encodeAuthSwitch('auth_gssapi_client', OTHER),
    encodeAuthSwitch(NATIVE, Buffer.from('short')),
  ]) {
    t.throws(() => loginOf().answer(payload), { code: 'MYSQL_UPSTREAM_SIGN_IN', blame: 'server' });
  }
  const endless = loginOf();
  const again = encodeAuthSwitch(NATIVE, OTHER);
  t.throws(() => Array.from({ length: 100 }, () => endless.answer(again)), /comes to no end/);
  t.match(loginOf().answer(Buffer.of(0xff, 1, 1)), { kind: 'err' });
});

t.test('the gateway’s account is not told to clients', async (t) => {
  const denied = { errno: 1045, state: '28000', message: "Access denied for user 'weir'@'x'" };
  t.match(refusalOfLogin(denied, 'weir'), {
    message: 'Weir could not sign in to the database (error 1045)',
  });
  const database = {
    errno: 1044,
    state: '42000',
    message: "Access denied for user 'weir'@'%' to database 'd'",
  };
  t.match(refusalOfLogin(database, 'weir'), { error: { errno: 1044 } });
  t.equal(
    refusalOfLogin({ errno: 1049, state: '42000', message: "Unknown database 'd'" }, 'weir'),
    undefined,
  );
});
