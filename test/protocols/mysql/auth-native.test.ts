import t from 'tap';
import { nativeHash, nativeResponse, verifyNative } from '../../../protocols/mysql/auth-native.ts';

const NONCE = Buffer.from('01234567890123456789');

t.test('the hash is the one that servers print', async (t) => {
  const hash = nativeHash(Buffer.from('password')).toString('hex').toUpperCase();
  t.equal(hash, '2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', "PASSWORD('password')");
});

t.test('a response proves the password, for its nonce only', async (t) => {
  const hash = nativeHash(Buffer.from('secret'));
  const response = nativeResponse('secret', NONCE);
  t.ok(verifyNative(hash, NONCE, response));
  t.notOk(verifyNative(hash, Buffer.from('11234567890123456789'), response));
  t.notOk(verifyNative(hash, NONCE, nativeResponse('other', NONCE)));
  t.notOk(verifyNative(hash, NONCE, hash), 'the stored hash is no response');
  t.notOk(verifyNative(hash, NONCE, Buffer.alloc(0)));
  t.notOk(verifyNative(hash, NONCE, Buffer.alloc(21)));
  t.equal(nativeResponse('', NONCE).length, 0);
});
