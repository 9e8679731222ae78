/**
 * What stands in the place of a masked value of a MySQL result, by mask, type and format; the same
 * meaning as in values.ts. NULL stays NULL, and a column that the server calls NOT NULL never gets one.
 */

import { createHmac } from 'node:crypto';
import type { MaskValue, ResultColumn } from '../../protocols/contract.ts';
import { mysqlConstantFor } from './mysql-constants.ts';
import { detailsOf, encodingOf, isNotNull, lengthMaxOf, valueKindOf } from './mysql-types.ts';
import { endOf, HASH_LENGTH, KEPT_COUNT, PARTIAL_LENGTH_MIN, REDACTED } from './value-texts.ts';
import { hashUuid, type MaskKind, type ValueOptions } from './values.ts';

const NO_BYTES = Buffer.alloc(0);
const ZERO_UUID = Buffer.from('00000000-0000-0000-0000-000000000000');
const ZERO_INET4 = Buffer.from('0.0.0.0');
const ZERO_INET6 = Buffer.from('::');
const REDACTED_JSON = Buffer.from(JSON.stringify(REDACTED));

export function maskMysqlValueFor(
  kind: MaskKind,
  column: ResultColumn,
  options: ValueOptions,
): MaskValue {
  switch (kind) {
    case 'null':
      return isNotNull(column) ? redact(column) : () => null;
    case 'redact':
      return redact(column);
    case 'partial':
      return showEnd(column);
    case 'hash':
      return hash(column, options);
  }
}

function redact(column: ResultColumn): MaskValue {
  const constant = redacted(column);
  return () => constant;
}

function redacted(column: ResultColumn): Buffer | null {
  switch (valueKindOf(column)) {
    case 'text':
      // What is no ASCII has no stars that would decode; nothing decodes everywhere.
      return isWide(column) ? NO_BYTES : fit(Buffer.from(REDACTED), column);
    case 'bytes':
      return fit(Buffer.from(REDACTED), column);
    case 'enum':
      // Its members are data and nothing tells them; the empty text is the server's own "none of them".
      return isNotNull(column) ? NO_BYTES : null;
    case 'set':
      return NO_BYTES;
    case 'json':
      return REDACTED_JSON;
    case 'uuid':
      return ZERO_UUID;
    case 'inet4':
      return ZERO_INET4;
    case 'inet6':
      return ZERO_INET6;
    case 'other':
      return mysqlConstantFor(column);
  }
}

function isWide(column: ResultColumn): boolean {
  return encodingOf(detailsOf(column).charset) === 'wide';
}

/** Characters are told apart in UTF-8 and in encodings of one byte; elsewhere nothing is shown. */
function showEnd(column: ResultColumn): MaskValue {
  const encoding = encodingOf(detailsOf(column).charset);
  const canShow = encoding === 'utf8' || encoding === 'single';
  if (valueKindOf(column) !== 'text' || !canShow) return redact(column);
  const hidden = fit(Buffer.from(REDACTED), column);
  return (value) => {
    const end = encoding === 'utf8' ? endOf(value) : endOfBytes(value);
    return end === undefined ? hidden : fit(Buffer.concat([Buffer.from(REDACTED), end]), column);
  };
}

function endOfBytes(value: Buffer): Buffer | undefined {
  return value.length < PARTIAL_LENGTH_MIN ? undefined : value.subarray(-KEPT_COUNT);
}

function hash(column: ResultColumn, { hashKey }: ValueOptions): MaskValue {
  // The configuration is refused when it has such a mask and no key.
  if (hashKey === undefined) throw new Error('a mask with = "hash" without a hash key');
  const kind = valueKindOf(column);
  if (kind === 'uuid') return hashUuid('text', hashKey);
  if (kind !== 'text' || isWide(column)) return redact(column);
  const isSingle = encodingOf(detailsOf(column).charset) === 'single';
  return (value) => {
    // Equal texts give equal hashes, whatever the client's character set is.
    const text = isSingle ? Buffer.from(value.toString('latin1')) : value;
    const digest = createHmac('sha256', hashKey).update(text).digest('hex');
    return fit(Buffer.from(digest.slice(0, HASH_LENGTH)), column);
  };
}

/** Not longer than the column, in characters (MY-70). */
function fit(masked: Buffer, column: ResultColumn): Buffer {
  const lengthMax = lengthMaxOf(column);
  if (lengthMax === undefined || masked.length <= lengthMax) return masked;
  if (encodingOf(detailsOf(column).charset) !== 'utf8') return masked.subarray(0, lengthMax);
  return Buffer.from(Array.from(masked.toString('utf8')).slice(0, lengthMax).join(''));
}
