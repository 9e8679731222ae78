import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto';
import t from 'tap';
import { createRsa } from '../../../lib/gateway/rsa.ts';

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };

t.test('what a client encrypts with our key is read back, nothing else (MY-8)', async (t) => {
  const rsa = await createRsa();
  t.match(rsa.publicKey, /^-----BEGIN PUBLIC KEY-----\n/, 'SPKI, as servers send it');
  const secret = publicEncrypt({ key: rsa.publicKey, ...OAEP }, Buffer.from('hunter2\0'));
  t.equal(rsa.decrypt(secret)?.toString(), 'hunter2\0');
  const broken = Buffer.from(secret);
  broken.writeUInt8(broken.readUInt8(9) ^ 1, 9);
  for (const bytes of [broken, secret.subarray(1), Buffer.alloc(0), Buffer.alloc(300)]) {
    t.equal(rsa.decrypt(bytes), undefined);
  }
  const other = await createRsa();
  t.equal(other.decrypt(secret), undefined, 'each start has a key of its own');
});

t.test("the gateway encrypts with a server's key, and says so where it is none", async (t) => {
  const rsa = await createRsa();
  const server = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = server.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const bytes = rsa.encrypt(pem, Buffer.from('secret'));
  t.equal(privateDecrypt({ key: server.privateKey, ...OAEP }, bytes).toString(), 'secret');
  t.throws(() => rsa.encrypt('no key', Buffer.from('secret')));
  const elliptic = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
  t.throws(() => rsa.encrypt(elliptic.toString(), Buffer.from('secret')), /another kind/);
});
