/**
 * The fields of a protobuf message as they lie there, one level of them. For recordings: the gateway's own
 * reader, which decides, is protocols/wire and shares nothing with it.
 */

export interface RawField {
  readonly number: number;
  /** Varint; 8 and 4 bytes; length-delimited. */
  readonly value: bigint | Buffer;
  readonly wireType: 0 | 1 | 2 | 5;
}

/** Real schemas stay far below; random bytes read as a message do not. */
const FIELD_NUMBER_MAX = 20_000;
const VARINT_SIZE_MAX = 10;

/** Undefined: this is no message, or one with groups, which nobody uses. */
export function readRaw(bytes: Buffer): RawField[] | undefined {
  const fields: RawField[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    if (tag === undefined) return undefined;
    const number = Number(tag.value >> 3n);
    if (number === 0 || number > FIELD_NUMBER_MAX) return undefined;
    const read = readValue(bytes, tag.end, number, Number(tag.value & 7n));
    if (read === undefined) return undefined;
    fields.push(read.field);
    at = read.end;
  }
  return fields;
}

function readValue(
  bytes: Buffer,
  at: number,
  number: number,
  wireType: number,
): { field: RawField; end: number } | undefined {
  switch (wireType) {
    case 0: {
      const varint = readVarint(bytes, at);
      return varint && { field: { number, wireType, value: varint.value }, end: varint.end };
    }
    case 1:
    case 5: {
      const end = at + (wireType === 1 ? 8 : 4);
      if (end > bytes.length) return undefined;
      return { field: { number, wireType, value: bytes.subarray(at, end) }, end };
    }
    case 2: {
      const length = readVarint(bytes, at);
      if (length === undefined || length.value > BigInt(bytes.length - length.end))
        return undefined;
      const end = length.end + Number(length.value);
      return { field: { number, wireType, value: bytes.subarray(length.end, end) }, end };
    }
    default:
      return undefined;
  }
}

export function readVarint(bytes: Buffer, at: number): { value: bigint; end: number } | undefined {
  let small = 0;
  let large = 0n;
  for (let index = 0; index < VARINT_SIZE_MAX; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    // Nearly all varints are short, and BigInt is slow.
    if (index < 4) small += (byte & 0x7f) * 2 ** (7 * index);
    else large |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt(small) | large, end: at + index + 1 };
  }
  return undefined;
}
