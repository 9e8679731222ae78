/**
 * Rows of COM_STMT_EXECUTE and COM_STMT_FETCH: a bitmap of NULLs, then the other values in the formats of
 * their types. To mask a value means to rebuild the row: a constant may be longer or shorter, and NULL
 * takes its bytes away and sets its bit (MY-68).
 *
 *   0x00 | bitmap of (columns + 7 + 2) / 8 bytes, first column at bit 2 | values
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 */

import type { MaskingPlan, ResultColumn } from '../contract.ts';
import type { RowWriter } from './row-writer.ts';
import { readLength, rowShape } from './text-row.ts';

const ROW_HEADER = 0x00;
const BIT_OFFSET = 2;
const TYPE_NULL = 6;

/** Bytes of values that have no length in front, by type. */
const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [1, 1], // TINY
  [2, 2], // SHORT
  [13, 2], // YEAR
  [9, 4], // INT24
  [3, 4], // LONG
  [8, 8], // LONGLONG
  [4, 4], // FLOAT
  [5, 8], // DOUBLE
  [TYPE_NULL, 0],
]);

/** Types of which we know that their values have a length in front: texts, dates and times, the rest. */
const COUNTED_TYPES: ReadonlySet<number> = new Set([
  0, 7, 10, 11, 12, 14, 15, 16, 17, 18, 19, 242, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254,
  255,
]);

/** Size of a value of that type without a length; undefined: it has a length in front. */
export function fixedSizeOf(type: number): number | undefined {
  const size = FIXED_SIZES.get(type);
  if (size === undefined && !COUNTED_TYPES.has(type))
    throw rowShape(`nobody knows how values of type ${type} are written`);
  return size;
}

/** Writes the row between the writer's `begin` and `close`. NULL stays NULL. */
export function maskBinaryRow(
  writer: RowWriter,
  payload: Buffer,
  shape: { readonly plan: MaskingPlan; readonly columns: readonly ResultColumn[] },
): void {
  const { plan, columns } = shape;
  const bitmapEnd = 1 + ((columns.length + 7 + BIT_OFFSET) >> 3);
  if (payload[0] !== ROW_HEADER || payload.length < bitmapEnd) throw rowShape('no binary row');
  writer.copy(payload, 0, bitmapEnd);
  let copied = bitmapEnd;
  let offset = bitmapEnd;
  for (const [index, column] of columns.entries()) {
    const bit = index + BIT_OFFSET;
    if (((payload[1 + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0) continue;
    const start = offset;
    const fixedSize = fixedSizeOf(column.type);
    let valueStart = offset;
    if (fixedSize === undefined) {
      const length = readLength(payload, offset);
      if (length.value === undefined) throw rowShape('a NULL that the bitmap does not know');
      valueStart = offset + length.size;
      offset = valueStart + length.value;
    } else {
      offset += fixedSize;
    }
    if (offset > payload.length) throw rowShape('a value is longer than its row');
    const mask = plan[index];
    if (mask === undefined) continue;
    writer.copy(payload, copied, start);
    copied = offset;
    putMasked(writer, mask(payload.subarray(valueStart, offset)), { fixedSize, bit });
  }
  // The row is not the one that was described: its values cannot be told apart, so none may pass.
  if (offset !== payload.length) throw rowShape('bytes follow the last value of a row');
  writer.copy(payload, copied, payload.length);
}

function putMasked(
  writer: RowWriter,
  masked: Buffer | null,
  { fixedSize, bit }: { readonly fixedSize: number | undefined; readonly bit: number },
): void {
  if (masked === null) writer.setBits(1 + (bit >> 3), 1 << (bit & 7));
  else if (fixedSize === undefined) writer.lenenc(masked);
  else if (masked.length === fixedSize) writer.copy(masked, 0, masked.length);
  else throw new Error(`a mask gave ${masked.length} bytes where the type has ${fixedSize}`);
}
