import t from 'tap';
import { acceptsGzip, bodyCoding, messageCoding } from '../../../protocols/wire/content-coding.ts';

t.test('the coding of a body', async (t) => {
  const coding = (...values: string[]) =>
    bodyCoding(values.map((value) => ['content-encoding', value] as const));
  t.equal(coding(), 'identity');
  t.equal(coding('identity'), 'identity');
  t.equal(coding(' GZIP '), 'gzip');
  t.equal(coding('x-gzip'), 'gzip');
  t.equal(coding('deflate'), 'deflate');
  t.equal(coding('br'), 'br');
  t.equal(coding('zstd'), undefined);
  t.equal(coding('gzip, gzip'), undefined, 'over each other');
  t.equal(coding('gzip', 'br'), undefined, 'in two lines');
});

t.test('the coding of messages has no br', async (t) => {
  t.equal(messageCoding([['grpc-encoding', 'br']]), undefined);
  t.equal(messageCoding([['grpc-encoding', 'gzip']]), 'gzip');
  t.equal(messageCoding([]), 'identity');
});

t.test('gzip is asked for only where the client takes it', async (t) => {
  const accepts = (value: string): boolean => acceptsGzip([['accept-encoding', value]]);
  t.ok(accepts('gzip, deflate'));
  t.ok(accepts('br;q=1.0, gzip;q=0.5'));
  t.notOk(accepts('gzip;q=0'));
  t.notOk(accepts('gzip; q=0.000'));
  t.notOk(accepts('br'));
  t.notOk(acceptsGzip([]));
});
