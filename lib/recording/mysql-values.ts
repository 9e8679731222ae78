/**
 * Values of recorded MySQL packets as readable text: the reader of one packet's fields, the names of
 * the types, text and binary values. Nothing is decided on what is read here, so it is lenient: what
 * the packet does not hold is left out, and bytes that are no text become `\x` and hex.
 * Layouts: https://mariadb.com/kb/en/clientserver-protocol/ and the MySQL Internals manual.
 */

import { decodeCutText, decodeText, toHex } from './value-text.ts';
import type { ViewValue } from './view.ts';

/** Reads within one packet; past its end it gives nothing and remembers that it had to. */
export class PacketReader {
  readonly #body: Buffer;
  #offset: number;
  isShort = false;

  constructor(body: Buffer, offset = 0) {
    this.#body = body;
    this.#offset = offset;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#body.length;
  }

  get left(): number {
    return this.#body.length - this.#offset;
  }

  /** `size`: 1 to 6 bytes, little-endian. */
  readUInt(size: number): number {
    return this.#has(size) ? this.#body.readUIntLE(this.#offset - size, size) : 0;
  }

  skip(size: number): void {
    this.#has(size);
  }

  /** Length-encoded; 0 where there is none (0xfb is NULL, 0xff is no length). */
  readLength(): number {
    return Number(this.readBigLength() ?? 0n);
  }

  /** Undefined: NULL. */
  readBigLength(): bigint | undefined {
    const first = this.readUInt(1);
    switch (first) {
      case 0xfb:
        return undefined;
      case 0xfc:
        return BigInt(this.readUInt(2));
      case 0xfd:
        return BigInt(this.readUInt(3));
      case 0xfe:
        return this.#has(8) ? this.#body.readBigUInt64LE(this.#offset - 8) : 0n;
      case 0xff:
        this.isShort = true;
        return 0n;
      default:
        return BigInt(first);
    }
  }

  /** What is there of the next `size` bytes. */
  readBytes(size: number): Buffer {
    const end = this.#offset + size;
    if (end > this.#body.length) this.isShort = true;
    const bytes = this.#body.subarray(this.#offset, end);
    this.#offset = Math.min(end, this.#body.length);
    return bytes;
  }

  readRest(): Buffer {
    return this.readBytes(this.left);
  }

  /** Up to a NUL, or to the end where there is none. */
  readString(): string {
    const end = this.#body.indexOf(0, this.#offset);
    if (end < 0) return decodeText(this.readRest());
    const text = decodeText(this.#body.subarray(this.#offset, end));
    this.#offset = end + 1;
    return text;
  }

  readLengthBytes(): Buffer {
    return this.readBytes(this.readLength());
  }

  readLengthText(): string {
    return decodeText(this.readLengthBytes());
  }

  #has(size: number): boolean {
    if (this.#offset + size > this.#body.length) {
      this.isShort = true;
      this.#offset = this.#body.length;
      return false;
    }
    this.#offset += size;
    return true;
  }
}

/** What it takes to read a value. */
export interface ValueType {
  readonly type: number;
  readonly isUnsigned: boolean;
  /** Collation id; 63 is binary. */
  readonly charset: number;
  /** Digits of a second's fraction; above 6: as many as there are. */
  readonly decimals: number;
}

const BINARY_CHARSET = 63;
/** Collations of latin1, which MySQL reads as windows-1252. */
const LATIN1_CHARSETS: ReadonlySet<number> = new Set([5, 8, 15, 31, 47, 48, 49, 94, 1032, 1071]);
const LATIN1_HIGH = /[\u0080-\u009f]/g;
/** What windows-1252 has from 0x80 to 0x9f; in its gaps, the control characters of latin1. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'.split('');
/** A binary value without any of these is text in all likelihood. */
const UNPRINTABLE = /(?![\t\n\r])\p{Cc}/u;

const TINY = 1;
const SHORT = 2;
const LONG = 3;
const FLOAT = 4;
const DOUBLE = 5;
const NULL = 6;
const TIMESTAMP = 7;
const LONGLONG = 8;
const INT24 = 9;
const DATE = 10;
const TIME = 11;
const DATETIME = 12;
const YEAR = 13;
const BIT = 16;
const VECTOR = 242;
const GEOMETRY = 255;

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'decimal'],
  [TINY, 'tinyint'],
  [SHORT, 'smallint'],
  [LONG, 'int'],
  [FLOAT, 'float'],
  [DOUBLE, 'double'],
  [NULL, 'null'],
  [TIMESTAMP, 'timestamp'],
  [LONGLONG, 'bigint'],
  [INT24, 'mediumint'],
  [DATE, 'date'],
  [TIME, 'time'],
  [DATETIME, 'datetime'],
  [YEAR, 'year'],
  [15, 'varchar'],
  [BIT, 'bit'],
  [VECTOR, 'vector'],
  [245, 'json'],
  [246, 'decimal'],
  [247, 'enum'],
  [248, 'set'],
  [249, 'tinyblob'],
  [250, 'mediumblob'],
  [251, 'longblob'],
  [252, 'blob'],
  [253, 'varchar'],
  [254, 'char'],
  [GEOMETRY, 'geometry'],
]);

const FLAG_UNSIGNED = 0x20;
const FLAG_ENUM = 0x100;
const FLAG_SET = 0x800;
/** Of binary values, bytes. Of these alone the flag for unsigned tells something. */
const INTEGER_SIZES: ReadonlyMap<number, number> = new Map([
  [TINY, 1],
  [SHORT, 2],
  [LONG, 4],
  [INT24, 4],
  [LONGLONG, 8],
]);

export function isUnsigned(flags: number): boolean {
  return (flags & FLAG_UNSIGNED) !== 0;
}

export function nameType(type: number, flags: number, charset: number): string {
  if ((flags & FLAG_ENUM) !== 0) return 'enum';
  if ((flags & FLAG_SET) !== 0) return 'set';
  const name = TYPE_NAMES.get(type) ?? `type ${type}`;
  if (INTEGER_SIZES.has(type)) return isUnsigned(flags) ? `${name} unsigned` : name;
  if (charset === BINARY_CHARSET) {
    return name.replace('varchar', 'varbinary').replace(/^char$/, 'binary');
  }
  return name.replace('blob', 'text');
}

/** `isCut`: the packet has more of it than the view holds. */
export function decodeTextValue(bytes: Buffer, column: ValueType, isCut: boolean): string {
  const { type, charset } = column;
  if (type === BIT || type === GEOMETRY || type === VECTOR) return toHex(bytes);
  if (LATIN1_CHARSETS.has(charset)) return decodeLatin1(bytes);
  const text = isCut ? decodeCutText(bytes) : decodeText(bytes);
  // Numbers and dates are of the binary character set too, and always printable.
  return charset === BINARY_CHARSET && UNPRINTABLE.test(text) ? toHex(bytes) : text;
}

/** Not by TextDecoder: that of Node 20 takes windows-1252 for ISO 8859-1. */
function decodeLatin1(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(LATIN1_HIGH, (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character);
}

/**
 * The next value of a binary row or of an Execute, as the text protocol would have it. Undefined: of
 * a type whose length is unknown, so that nothing behind it can be read either.
 */
export function readBinaryValue(reader: PacketReader, column: ValueType): ViewValue | undefined {
  const integerSize = INTEGER_SIZES.get(column.type);
  if (integerSize !== undefined) return readInteger(reader, integerSize, column.isUnsigned);
  switch (column.type) {
    case YEAR:
      return String(reader.readUInt(2)).padStart(4, '0');
    case FLOAT: {
      const bytes = reader.readBytes(4);
      return bytes.length < 4 ? '' : floatText(bytes.readFloatLE());
    }
    case DOUBLE: {
      const bytes = reader.readBytes(8);
      return bytes.length < 8 ? '' : String(bytes.readDoubleLE());
    }
    case NULL:
      return null;
    case DATE:
    case DATETIME:
    case TIMESTAMP:
      return readMoment(reader, column);
    case TIME:
      return readTime(reader, column.decimals);
    default: {
      // Types between those of numbers and those of strings are never sent.
      if (!TYPE_NAMES.has(column.type)) return undefined;
      const size = reader.readLength();
      const bytes = reader.readBytes(size);
      return decodeTextValue(bytes, column, bytes.length < size);
    }
  }
}

function readInteger(reader: PacketReader, size: number, isPositive: boolean): string {
  const bytes = reader.readBytes(size);
  if (bytes.length < size) return '';
  if (size === 8) return String(isPositive ? bytes.readBigUInt64LE() : bytes.readBigInt64LE());
  return String(isPositive ? bytes.readUIntLE(0, size) : bytes.readIntLE(0, size));
}

/** The shortest text that gives the same 32 bits again. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits += 1) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

function readMoment(reader: PacketReader, { type, decimals }: ValueType): string {
  const fields = new PacketReader(reader.readBytes(reader.readUInt(1)));
  const day = [fields.readUInt(2), fields.readUInt(1), fields.readUInt(1)];
  const [year = '', month = '', date = ''] = day.map((field) => String(field).padStart(2, '0'));
  const text = `${year.padStart(4, '0')}-${month}-${date}`;
  return type === DATE ? text : `${text} ${readClock(fields, decimals)}`;
}

function readTime(reader: PacketReader, decimals: number): string {
  const fields = new PacketReader(reader.readBytes(reader.readUInt(1)));
  const sign = fields.readUInt(1) === 1 ? '-' : '';
  const days = fields.readUInt(4);
  return sign + readClock(fields, decimals, days * 24);
}

/** Hours, minutes, seconds and, where they are there, microseconds. */
function readClock(fields: PacketReader, decimals: number, hoursBefore = 0): string {
  const parts = [fields.readUInt(1) + hoursBefore, fields.readUInt(1), fields.readUInt(1)];
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':');
  const micros = fields.readUInt(4);
  const digits = decimals <= 6 ? decimals : micros === 0 ? 0 : 6;
  return digits === 0 ? clock : `${clock}.${String(micros).padStart(6, '0').slice(0, digits)}`;
}
