import { createHash } from 'node:crypto';
import t from 'tap';
import {
  cachingSha2Response,
  clearPassword,
  moreData,
  readClearPassword,
  xorRepeated,
} from '../../../protocols/mysql/auth-caching-sha2.ts';

const NONCE = Buffer.from('greeting nonce 01234');
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

t.test(
  'a server that remembers SHA256(SHA256(password)) finds it in the response (MY-8)',
  async (t) => {
    for (const password of ['secret', 'pässwörd', 'x'.repeat(300)]) {
      const remembered = sha256(sha256(Buffer.from(password)));
      const response = cachingSha2Response(password, NONCE);
      t.equal(response.length, 32);
      const once = xorRepeated(response, sha256(Buffer.concat([remembered, NONCE])));
      t.same(sha256(once), remembered, password);
      t.not(cachingSha2Response(password, Buffer.from('another nonce 012345')), response);
    }
    t.equal(cachingSha2Response('', NONCE).length, 0, 'an empty password has no response');
  },
);

t.test('a clear password ends with the only NUL of its packet', async (t) => {
  t.same(readClearPassword(clearPassword('pw')), Buffer.from('pw'));
  t.same(readClearPassword(clearPassword('')), Buffer.alloc(0));
  for (const bytes of ['', 'pw', 'p\0w\0', 'pw\0\0', '\0pw'])
    t.equal(readClearPassword(Buffer.from(bytes)), undefined, JSON.stringify(bytes));
});

t.test('XOR with the nonce, as often as it is needed', async (t) => {
  const bytes = Buffer.from('longer than the nonce is, by far');
  const mixed = xorRepeated(bytes, NONCE);
  t.equal(mixed[20], (bytes[20] ?? 0) ^ (NONCE[0] ?? 0));
  t.same(xorRepeated(mixed, NONCE), bytes);
});

t.test('more data: a step, or a key', async (t) => {
  t.same(moreData(4), Buffer.of(1, 4));
  t.same(moreData(Buffer.from('key')), Buffer.from('\x01key'));
});
