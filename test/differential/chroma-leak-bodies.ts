/** One and the same request to Chroma in other bytes: read as it is meant, or refused. */

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { RawRequest } from './chroma-lab.ts';
import { type Attempt, on, post } from './chroma-leak-lab.ts';

const TEXT = '{"include":["documents","metadatas"]}';

/** To a collection that is cut down, and to one that is closed. */
function dressed(
  name: string,
  body: Buffer | string,
  headers?: RawRequest['headers'],
  isProven = false,
): Attempt {
  return {
    name: `body: ${name}`,
    isProven,
    requests: ({ customers, vault }) =>
      [customers, vault].map((id) => post(on(id, 'get'), body, headers)),
  };
}

const DEEP = 20_000;
export const BODIES: readonly Attempt[] = [
  dressed('gzip', gzipSync(TEXT), { 'content-encoding': 'gzip' }),
  dressed('deflate', deflateSync(TEXT), { 'content-encoding': 'deflate' }),
  dressed('brotli', brotliCompressSync(TEXT), { 'content-encoding': 'br' }),
  dressed('said to be gzip', TEXT, { 'content-encoding': 'gzip' }, true),
  dressed('said to be zstd', TEXT, { 'content-encoding': 'zstd' }, true),
  dressed('twice coded', gzipSync(gzipSync(TEXT)), { 'content-encoding': 'gzip, gzip' }),
  dressed('a bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)), { 'content-encoding': 'gzip' }),
  dressed('chunked', TEXT, { 'transfer-encoding': 'chunked' }, true),
  dressed('other type', TEXT, { 'content-type': 'text/plain' }),
  dressed('vendor type', TEXT, { 'content-type': 'application/vnd.x+json' }, true),
  dressed('other charset', TEXT, { 'content-type': 'application/json; charset=utf-16' }, true),
  dressed('UTF-16', Buffer.from(TEXT, 'utf16le')),
  dressed('byte order mark', `\ufeff${TEXT}`),
  dressed(
    'no UTF-8',
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from('"}')]),
  ),
  dressed('half a pair', '{"x":"\\ud800"}'),
  dressed('something behind', `${TEXT}{}`),
  dressed('filter twice', '{"where":{"tenant":"acme"},"where":{"tenant":"other"}}'),
  dressed('filter twice, escaped', '{"where":{"tenant":"acme"},"wh\\u0065re":{"tenant":"other"}}'),
  dressed('comments', '{/* */"include":["documents"]}'),
  dressed('deep', `{"where":${'{"$and":['.repeat(DEEP)}{"a":1}${']}'.repeat(DEEP)}}`),
  dressed(
    'longer than the limit',
    `{"include":["documents"],"x":"${'x'.repeat(9 * 1024 * 1024)}"}`,
    {},
    true,
  ),
  dressed('upgrade', TEXT, { connection: 'upgrade', upgrade: 'h2c' }, true),
  dressed('expect', TEXT, { expect: '100-continue' }, true),
  dressed('compressed answer', TEXT, { 'accept-encoding': 'gzip, br' }, true),
  dressed('part of the answer', TEXT, { range: 'bytes=0-1000' }, true),
];
