/**
 * What stands in the place of a masked value, by mask, type and format. Each function is made once for
 * a column of a result and is called for every value that is not NULL: NULL stays NULL (PG-87).
 */

import { createHmac } from 'node:crypto';
import type { MaskValue, ResultColumn } from '../../protocols/contract.ts';
import type { MaskConfig } from '../config/config.ts';
import { constantFor } from './value-constants.ts';
import { hashText, isCharacterType, redactText, showEndOfText } from './value-texts.ts';
import { TYPE } from './value-types.ts';

export type MaskKind = MaskConfig['with'];
export type MaskedColumn = Pick<ResultColumn, 'type' | 'typeModifier' | 'format'>;

export interface ValueOptions {
  /** Needed for `hash`. */
  readonly hashKey: Buffer | undefined;
}

/** One byte, the type in quotes: `"char"`. */
const STAR = Buffer.from('*');

const toNull: MaskValue = () => null;

export function maskValueFor(
  kind: MaskKind,
  column: MaskedColumn,
  options: ValueOptions,
): MaskValue {
  switch (kind) {
    case 'null':
      return toNull;
    case 'redact':
      return redact(column);
    case 'partial':
      return isCharacterType(column.type) ? showEndOfText(column) : redact(column);
    case 'hash':
      return hash(column, options);
  }
}

function redact(column: MaskedColumn): MaskValue {
  if (isCharacterType(column.type)) return redactText(column);
  if (column.type === TYPE.char) return () => STAR;
  // Types of users and extensions, enums (their labels are data) and rows: no constant is valid for all.
  const constant = constantFor(column) ?? null;
  return () => constant;
}

function hash(column: MaskedColumn, { hashKey }: ValueOptions): MaskValue {
  // The configuration is refused when it has such a mask and no key.
  if (hashKey === undefined) throw new Error('a mask with = "hash" without a hash key');
  if (isCharacterType(column.type)) return hashText(column, hashKey);
  return column.type === TYPE.uuid ? hashUuid(column.format, hashKey) : redact(column);
}

/** The same uuid for the same value in both formats; marked as version 8 (RFC 9562, vendor-made). */
export function hashUuid(format: MaskedColumn['format'], hashKey: Buffer): MaskValue {
  return (value) => {
    const bytes =
      format === 'binary'
        ? value
        : Buffer.from(value.toString('latin1').replaceAll('-', ''), 'hex');
    const digest = createHmac('sha256', hashKey).update(bytes).digest().subarray(0, 16);
    digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6);
    digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
    if (format === 'binary') return digest;
    const hex = digest.toString('hex');
    const groups = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ];
    return Buffer.from(groups.join('-'));
  };
}
