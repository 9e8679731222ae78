import t from 'tap';
import { chromaProduct, readCredential } from '../../../protocols/chroma/product.ts';
import type { HeaderList } from '../../../protocols/contract.ts';
import { headOf } from '../../support/chroma-requests.ts';

const credentialOf = (
  ...headers: (readonly [string, string])[]
): ReturnType<typeof readCredential> => readCredential(headOf('GET', '/api/v2/version', headers));

t.test('credentials come in the headers of the clients', async (t) => {
  const key = { user: undefined, secret: 'key' };
  t.same(credentialOf(['x-chroma-token', 'key']), key);
  t.same(credentialOf(['authorization', 'Bearer key']), key);
  t.same(credentialOf(['authorization', 'bearer  key']), key);
  const basic = Buffer.from('ann:pass:word').toString('base64');
  t.same(credentialOf(['authorization', `Basic ${basic}`]), { user: 'ann', secret: 'pass:word' });
  t.same(credentialOf(['authorization', 'Bearer key'], ['x-chroma-token', 'key']), key);
});

t.test('no credential, or two that differ, is none', async (t) => {
  t.equal(credentialOf(), undefined);
  t.equal(credentialOf(['x-chroma-token', '']), undefined);
  t.equal(credentialOf(['authorization', 'Digest x']), undefined);
  t.equal(credentialOf(['authorization', 'Bearer a b']), undefined);
  t.equal(credentialOf(['authorization', 'Bearer a'], ['x-chroma-token', 'b']), undefined);
  t.equal(credentialOf(['x-chroma-token', 'a'], ['x-chroma-token', 'b']), undefined);
  const basic = Buffer.from('no colon').toString('base64');
  t.equal(credentialOf(['authorization', `Basic ${basic}`]), undefined);
});

t.test("the store's own credential takes the place of all of the caller's", async (t) => {
  const headers: HeaderList = [
    ['accept', '*/*'],
    ['authorization', 'Bearer a'],
    ['x-chroma-token', 'b'],
  ];
  t.same(chromaProduct.withLogin(headers, { user: undefined, secret: 's' }), [
    ['accept', '*/*'],
    ['authorization', 'Bearer s'],
    ['x-chroma-token', 's'],
  ]);
  const basic = Buffer.from('u:s').toString('base64');
  t.same(chromaProduct.withLogin(headers, { user: 'u', secret: 's' }), [
    ['accept', '*/*'],
    ['authorization', `Basic ${basic}`],
  ]);
  t.same(chromaProduct.withLogin(headers, { user: undefined, secret: '' }), [['accept', '*/*']]);
  for (const name of ['authorization', 'x-chroma-token'])
    t.ok(chromaProduct.secretHeaders.has(name));
});
