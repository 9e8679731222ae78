import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { inflate } from '../../../lib/gateway/inflate.ts';

const TEXT = Buffer.from('{"limit":10}'.repeat(50));
const GZIP = gzipSync(TEXT);

t.test('what was compressed comes back', async (t) => {
  t.same(inflate('gzip', GZIP, 10_000), TEXT);
  t.same(inflate('deflate', deflateSync(TEXT), 10_000), TEXT);
  t.same(inflate('br', brotliCompressSync(TEXT), 10_000), TEXT);
  t.same(inflate('gzip', gzipSync(''), 10), Buffer.alloc(0));
  t.same(inflate('gzip', GZIP, TEXT.length), TEXT, 'exactly at the limit');
});

t.test('nothing above the limit, bombs least of all', async (t) => {
  t.equal(inflate('gzip', GZIP, TEXT.length - 1), undefined);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  t.equal(inflate('gzip', bomb, 1024 * 1024), undefined);
  t.equal(inflate('br', brotliCompressSync(Buffer.alloc(1024 * 1024)), 1024), undefined);
});

t.test('two readers must not find two bodies in the same bytes', async (t) => {
  const second = gzipSync('{"other":1}');
  t.equal(inflate('gzip', Buffer.concat([GZIP, second]), 10_000), undefined, 'two members');
  t.equal(inflate('gzip', Buffer.concat([GZIP, Buffer.from('x')]), 10_000), undefined, 'a tail');
  t.equal(
    inflate('deflate', Buffer.concat([deflateSync(TEXT), Buffer.from('x')]), 10_000),
    undefined,
  );
  t.equal(
    inflate('br', Buffer.concat([brotliCompressSync(TEXT), Buffer.from('x')]), 10_000),
    undefined,
  );
  t.equal(inflate('deflate', deflateRawSync(TEXT), 10_000), undefined, 'raw deflate is not zlib');
  for (const at of [0, 3, GZIP.length - 1, GZIP.length - 6]) {
    const broken = Buffer.from(GZIP);
    broken[at] = (broken[at] ?? 0) ^ 0xff;
    t.equal(inflate('gzip', broken, 10_000), undefined, `byte ${at} changed`);
  }
  t.equal(inflate('gzip', GZIP.subarray(0, 20), 10_000), undefined, 'cut off');
  t.equal(inflate('gzip', Buffer.alloc(0), 10_000), undefined, 'empty');
});

t.test('the optional parts of a gzip head are skipped', async (t) => {
  const named = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3]),
    Buffer.from([2, 0, 9, 9]),
    Buffer.from('name\0comment\0'),
    Buffer.from([1, 1]),
    GZIP.subarray(10),
  ]);
  t.same(inflate('gzip', named, 10_000), TEXT);
});
