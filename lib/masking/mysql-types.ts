/** What a MySQL column definition says, as far as masking tells it apart: types, flags and character sets. */

import type { ColumnDetails, ResultColumn } from '../../protocols/contract.ts';

/** Numbers of the protocol (enum_field_types in MySQL's field_types.h, the same in MariaDB). */
export const MYSQL_TYPE = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  vector: 242,
  json: 245,
  newDecimal: 246,
  enumeration: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const FLAG = { notNull: 0x1, enumeration: 0x100, set: 0x800 } as const;

const NO_DETAILS: ColumnDetails = {
  schema: '',
  originalTable: '',
  originalName: '',
  charset: 63,
  length: 0,
  flags: 0,
  decimals: 0,
  extendedType: '',
};

export function detailsOf(column: Pick<ResultColumn, 'details'>): ColumnDetails {
  return column.details ?? NO_DETAILS;
}

/** The server promised that it has no NULL, and drivers rely on it (MY-70). */
export function isNotNull(column: Pick<ResultColumn, 'details'>): boolean {
  return (detailsOf(column).flags & FLAG.notNull) !== 0;
}

/** `text` in the form that the bytes have; enumerations hold data in their names and are none of these. */
export type ValueKind =
  | 'text'
  | 'bytes'
  | 'enum'
  | 'set'
  | 'json'
  | 'uuid'
  | 'inet4'
  | 'inet6'
  | 'other';

const STRING_TYPES: ReadonlySet<number> = new Set<number>([
  MYSQL_TYPE.varchar,
  MYSQL_TYPE.varString,
  MYSQL_TYPE.string,
  MYSQL_TYPE.tinyBlob,
  MYSQL_TYPE.mediumBlob,
  MYSQL_TYPE.longBlob,
  MYSQL_TYPE.blob,
]);

export function valueKindOf(column: Pick<ResultColumn, 'type' | 'details'>): ValueKind {
  const { flags, charset, extendedType } = detailsOf(column);
  if (column.type === MYSQL_TYPE.json) return 'json';
  if (column.type === MYSQL_TYPE.enumeration || (flags & FLAG.enumeration) !== 0) return 'enum';
  if (column.type === MYSQL_TYPE.set || (flags & FLAG.set) !== 0) return 'set';
  if (!STRING_TYPES.has(column.type)) return 'other';
  switch (extendedType) {
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return extendedType;
    default:
      return encodingOf(charset) === 'binary' ? 'bytes' : 'text';
  }
}

/** `single`: one byte a character, ASCII among them. `wide`: two or four bytes, ASCII not among them. */
export type Encoding = 'utf8' | 'single' | 'binary' | 'wide' | 'other';

const BINARY_CHARSET = 63;
const WIDE_RANGES = [
  [35, 35],
  [54, 56],
  [60, 62],
  [90, 90],
  [101, 124],
  [128, 151],
  [159, 183],
] as const;
const UTF8MB3_RANGES = [
  [33, 33],
  [76, 76],
  [83, 83],
  [192, 223],
] as const;
const UTF8MB4_RANGES = [
  [45, 46],
  [224, 247],
  [255, 323],
] as const;
/** latin1 and ascii. */
const SINGLE_IDS: ReadonlySet<number> = new Set([5, 8, 11, 15, 31, 47, 48, 49, 65, 94]);

/** MariaDB numbers its NO PAD collations 1024 above, and from 2048 on 256 for each of five encodings. */
const NO_PAD_FIRST = 1024;
const UCA1400_FIRST = 2048;
const UCA1400_MAX_SIZES = [3, 4, undefined, undefined, undefined];

/** Bytes of the longest character in a UTF-8 encoding; undefined: it is none. */
function utf8SizeMax(charset: number): number | undefined {
  if (charset >= UCA1400_FIRST) return UCA1400_MAX_SIZES[(charset - UCA1400_FIRST) >> 8];
  const id = charset % NO_PAD_FIRST;
  if (isIn(UTF8MB3_RANGES, id)) return 3;
  return isIn(UTF8MB4_RANGES, id) ? 4 : undefined;
}

export function encodingOf(charset: number): Encoding {
  if (charset === BINARY_CHARSET) return 'binary';
  if (utf8SizeMax(charset) !== undefined) return 'utf8';
  if (charset >= UCA1400_FIRST) return 'wide';
  const id = charset % NO_PAD_FIRST;
  if (isIn(WIDE_RANGES, id)) return 'wide';
  return SINGLE_IDS.has(id) ? 'single' : 'other';
}

/** Characters that a value of the column can have; undefined: the server did not say. */
export function lengthMaxOf(column: Pick<ResultColumn, 'details'>): number | undefined {
  const { length, charset } = detailsOf(column);
  return length === 0 ? undefined : Math.floor(length / (utf8SizeMax(charset) ?? 1));
}

function isIn(ranges: readonly (readonly [number, number])[], id: number): boolean {
  return ranges.some(([first, last]) => id >= first && id <= last);
}
