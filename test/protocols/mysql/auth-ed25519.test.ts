import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import t from 'tap';
import { ed25519PublicKey, signEd25519 } from '../../../protocols/mysql/auth-ed25519.ts';

const NONCE = Buffer.alloc(32, 0xa7);

t.test('the public key is the one that MariaDB keeps', async (t) => {
  // SHOW CREATE USER of MariaDB 10.11 for the password foo.
  t.equal(
    ed25519PublicKey('foo').toString('base64'),
    'vubFBzIrapbfHct1/J72dnUryz5VS7lA6XHH8sIx4TI=',
  );
});

t.test('signatures fit the key, for passwords of any length', async (t) => {
  for (const password of ['x', 'zoé', 'x'.repeat(32), 'x'.repeat(100)]) {
    const spki = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      ed25519PublicKey(password),
    ]);
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    t.ok(verify(null, NONCE, key, signEd25519(password, NONCE)), password);
  }
  t.equal(signEd25519('', NONCE).length, 0);
});

t.test('a password of 32 bytes is a seed, and node signs the same', async (t) => {
  const seed = '0123456789abcdef0123456789abcdef';
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.from(seed),
  ]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  t.same(signEd25519(seed, NONCE), sign(null, NONCE, key));
});
