/**
 * One constant for each MySQL type, in text and in binary, that a client decodes without complaint (GW-8)
 * and that says nothing of the value. The forms are those of reference part B5: content alone, without
 * the length that the protocol puts in front. Character types are in mysql-values.ts.
 */

import type { ResultColumn } from '../../protocols/contract.ts';
import { detailsOf, isNotNull, MYSQL_TYPE } from './mysql-types.ts';

interface Constant {
  readonly text: string;
  readonly binary: Buffer;
}

function zeros(text: string, size: number): Constant {
  return { text, binary: Buffer.alloc(size) };
}

function hex(text: string, binary: string): Constant {
  return { text, binary: Buffer.from(binary.replaceAll(' ', ''), 'hex') };
}

const CONSTANTS: ReadonlyMap<number, Constant> = new Map<number, Constant>([
  [MYSQL_TYPE.tiny, zeros('0', 1)],
  [MYSQL_TYPE.short, zeros('0', 2)],
  [MYSQL_TYPE.int24, zeros('0', 4)],
  [MYSQL_TYPE.long, zeros('0', 4)],
  [MYSQL_TYPE.longlong, zeros('0', 8)],
  [MYSQL_TYPE.float, zeros('0', 4)],
  [MYSQL_TYPE.double, zeros('0', 8)],
  [MYSQL_TYPE.year, hex('1970', 'b207')],
  // A date of zeros would be smaller, and drivers stumble over it.
  [MYSQL_TYPE.date, hex('1970-01-01', 'b207 01 01')],
  [MYSQL_TYPE.newDate, hex('1970-01-01', 'b207 01 01')],
]);

/** The first second that a TIMESTAMP can hold. */
const FIRST_SECOND = '1970-01-01 00:00:01';
const FIRST_SECOND_BINARY = Buffer.from('b2070101000001', 'hex');
/** SRID 0, then POINT(0 0) as WKB, little-endian. */
const POINT = Buffer.concat([Buffer.alloc(4), Buffer.from('0101000000', 'hex'), Buffer.alloc(16)]);
/** More digits behind the point are not counted: "as many as there are". */
const SCALE_MAX = 38;
const FRACTION_MAX = 6;
/** VECTOR(16383). */
const VECTOR_SIZE_MAX = 65_532;
/** BIT(64). */
const BIT_LENGTH_MAX = 64;

/** Null: NULL is the only value that is known to be accepted. */
export function mysqlConstantFor(column: ResultColumn): Buffer | null {
  const { decimals, length } = detailsOf(column);
  switch (column.type) {
    case MYSQL_TYPE.decimal:
    case MYSQL_TYPE.newDecimal:
      return Buffer.from(zeroDecimal(decimals));
    case MYSQL_TYPE.timestamp:
    case MYSQL_TYPE.datetime:
      if (column.format === 'binary') return FIRST_SECOND_BINARY;
      return Buffer.from(FIRST_SECOND + fraction(decimals));
    case MYSQL_TYPE.time:
      // In binary an empty value is midnight.
      return column.format === 'binary'
        ? Buffer.alloc(0)
        : Buffer.from(`00:00:00${fraction(decimals)}`);
    case MYSQL_TYPE.bit:
      return Buffer.alloc(Math.ceil(Math.min(Math.max(length, 1), BIT_LENGTH_MAX) / 8));
    case MYSQL_TYPE.geometry:
      return POINT;
    case MYSQL_TYPE.vector:
      if (!isNotNull(column)) return null;
      return Buffer.alloc(Math.min(length - (length % 4), VECTOR_SIZE_MAX));
    default:
      return simpleConstantFor(column);
  }
}

function simpleConstantFor(column: ResultColumn): Buffer | null {
  const constant = CONSTANTS.get(column.type);
  // A type of tomorrow: nobody knows what its driver accepts.
  if (constant === undefined) return isNotNull(column) ? Buffer.alloc(0) : null;
  return column.format === 'text' ? Buffer.from(constant.text) : constant.binary;
}

function zeroDecimal(decimals: number): string {
  return decimals > 0 && decimals <= SCALE_MAX ? `0.${'0'.repeat(decimals)}` : '0';
}

function fraction(decimals: number): string {
  return decimals > 0 && decimals <= FRACTION_MAX ? `.${'0'.repeat(decimals)}` : '';
}
