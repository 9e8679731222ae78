/**
 * Inflates whole bodies and messages for sessions, which may not use zlib themselves. As strict as it gets:
 * one gzip member with a right checksum and nothing behind it. A lenient reader here and another lenient
 * reader in the store could see two different requests in the same bytes.
 */

import {
  brotliDecompressSync,
  crc32,
  type InputType,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
} from 'node:zlib';
import type { ContentCoding } from '../../protocols/contract.ts';

const GZIP_HEAD_SIZE = 10;
/** CRC-32 and length, little-endian (RFC 1952). */
const GZIP_TAIL_SIZE = 8;
const GZIP_FLAGS = { headChecksum: 2, extra: 4, name: 8, comment: 16 } as const;
const GZIP_FLAGS_KNOWN = 31;

/** For `SessionOptions.inflate`: undefined where the bytes are not exactly that, or hold more than `sizeMax`. */
export function inflate(coding: ContentCoding, bytes: Buffer, sizeMax: number): Buffer | undefined {
  try {
    switch (coding) {
      case 'gzip':
        return gunzip(bytes, sizeMax);
      case 'deflate':
        return run(inflateSync, bytes, sizeMax);
      case 'br':
        return run(brotliDecompressSync, bytes, sizeMax);
    }
  } catch {
    // zlib throws on broken input and on output beyond the limit; here both mean "cannot be read".
    return undefined;
  }
}

/** What `info` makes of the result; the types of Node do not know it. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

type Inflate = (bytes: InputType, options: ZlibOptions) => Buffer;

function run(inflater: Inflate, bytes: Buffer, sizeMax: number): Buffer | undefined {
  // zlib refuses a limit of 0, and an empty body is no compressed body anyway.
  const options = { maxOutputLength: Math.max(1, sizeMax), info: true };
  const result: unknown = inflater(bytes, options);
  if (!isInflated(result)) throw new Error('zlib gave no information on its input');
  const { buffer, engine } = result;
  return engine.bytesWritten === bytes.length && buffer.length <= sizeMax ? buffer : undefined;
}

function gunzip(bytes: Buffer, sizeMax: number): Buffer | undefined {
  const start = skipGzipHead(bytes);
  const end = bytes.length - GZIP_TAIL_SIZE;
  if (start === undefined || end < start) return undefined;
  const inflated = run(inflateRawSync, bytes.subarray(start, end), sizeMax);
  if (inflated === undefined) return undefined;
  const isRight =
    bytes.readUInt32LE(end) === crc32(inflated) && bytes.readUInt32LE(end + 4) === inflated.length;
  return isRight ? inflated : undefined;
}

/** Where the compressed data starts. Optional parts of the head are skipped as RFC 1952 has them. */
function skipGzipHead(bytes: Buffer): number | undefined {
  if (bytes.length < GZIP_HEAD_SIZE + GZIP_TAIL_SIZE) return undefined;
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return undefined;
  const flags = bytes.readUInt8(3);
  if ((flags & ~GZIP_FLAGS_KNOWN) !== 0) return undefined;
  let at = GZIP_HEAD_SIZE;
  if ((flags & GZIP_FLAGS.extra) !== 0) {
    if (at + 2 > bytes.length) return undefined;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const flag of [GZIP_FLAGS.name, GZIP_FLAGS.comment]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if ((flags & GZIP_FLAGS.headChecksum) !== 0) at += 2;
  return at <= bytes.length ? at : undefined;
}

function isInflated(value: unknown): value is Inflated {
  return (
    typeof value === 'object' &&
    value !== null &&
    'buffer' in value &&
    Buffer.isBuffer(value.buffer) &&
    'engine' in value &&
    typeof value.engine === 'object' &&
    value.engine !== null &&
    'bytesWritten' in value.engine
  );
}
