/**
 * Content codings of HTTP bodies and gRPC messages: which one is used, and which may be asked for. What
 * Node 20 cannot read (zstd, compress) is never asked for and never guessed at (vector.md 2.1 and 4). The
 * inflating itself is injected, since it is no matter of a pure protocol.
 */

import type { ContentCoding, HeaderList, SessionOptions } from '../contract.ts';

/** Readable in a message of gRPC, and named to a client that used another one. */
export const GRPC_CODINGS = 'identity,gzip,deflate';

/** `identity`: plain. Undefined: one that cannot be read, or several over each other. */
export type Coding = ContentCoding | 'identity';

/** Of a body, by its `content-encoding`. */
export function bodyCoding(headers: HeaderList): Coding | undefined {
  return onlyCoding(headers, 'content-encoding', ['gzip', 'deflate', 'br']);
}

/** Of compressed gRPC messages, by `grpc-encoding`. */
export function messageCoding(headers: HeaderList): Coding | undefined {
  return onlyCoding(headers, 'grpc-encoding', ['gzip', 'deflate']);
}

function onlyCoding(
  headers: HeaderList,
  name: string,
  readable: readonly ContentCoding[],
): Coding | undefined {
  const used = headers
    .filter(([one]) => one === name)
    .flatMap(([, value]) => value.split(','))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== 'identity' && word !== '');
  const [first] = used;
  if (first === undefined) return 'identity';
  if (used.length > 1) return undefined;
  // RFC 9110 8.4.1.3: a recipient takes x-gzip for gzip.
  return readable.find((one) => one === first || (one === 'gzip' && first === 'x-gzip'));
}

/** The client may be given gzip (RFC 9110 12.5.3): it says so, and not with the weight 0. */
export function acceptsGzip(headers: HeaderList): boolean {
  return headers
    .filter(([name]) => name === 'accept-encoding')
    .flatMap(([, value]) => value.split(','))
    .some((part) => {
      const [coding = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      return coding === 'gzip' && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one));
    });
}

/** What the bytes hold; undefined: they cannot be read, or hold more than `sizeMax`. */
export function readCoded(
  coding: Coding,
  bytes: Buffer,
  sizeMax: number,
  inflate: SessionOptions['inflate'],
): Buffer | undefined {
  if (coding === 'identity') return bytes;
  return inflate?.(coding, bytes, sizeMax);
}
