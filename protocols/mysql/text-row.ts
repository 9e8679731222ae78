/**
 * Rows of COM_QUERY: each value a text with its length in front, or 0xfb for NULL (MY-69). Values that
 * have a mask are replaced, everything else is copied as it is.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
 */

import type { MaskingPlan } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { RowWriter } from './row-writer.ts';

const NULL_MARK = 0xfb;

/** Writes the row between the writer's `begin` and `close`. NULL stays NULL. */
export function maskTextRow(writer: RowWriter, payload: Buffer, plan: MaskingPlan): void {
  let copied = 0;
  let offset = 0;
  for (const mask of plan) {
    const start = offset;
    const length = readLength(payload, offset);
    const valueStart = offset + length.size;
    offset = valueStart + (length.value ?? 0);
    if (offset > payload.length) throw rowShape('a value is longer than its row');
    if (mask === undefined || length.value === undefined) continue;
    writer.copy(payload, copied, start);
    const masked = mask(payload.subarray(valueStart, offset));
    if (masked === null) writer.byte(NULL_MARK);
    else writer.lenenc(masked);
    copied = offset;
  }
  // The row is not the one that was described: its values cannot be told apart, so none may pass.
  if (offset !== payload.length) throw rowShape('bytes follow the last value of a row');
  writer.copy(payload, copied, payload.length);
}

export interface Length {
  /** Undefined: NULL. */
  readonly value: number | undefined;
  /** Bytes that the length itself takes. */
  readonly size: number;
}

const NULL_LENGTH: Length = { value: undefined, size: 1 };

/** The length in front of the value at `offset`. */
export function readLength(payload: Buffer, offset: number): Length {
  const first = payload[offset];
  if (first === undefined) throw rowShape('a row ends before its last value');
  if (first < NULL_MARK) return { value: first, size: 1 };
  if (first === NULL_MARK) return NULL_LENGTH;
  const size = first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
  if (first === 0xff || offset + size > payload.length) throw rowShape('a length is malformed');
  if (size === 9) return { value: Number(payload.readBigUInt64LE(offset + 1)), size };
  return { value: payload.readUIntLE(offset + 1, size - 1), size };
}

export function rowShape(what: string): ProtocolError {
  return new ProtocolError('MYSQL_ROW_SHAPE', 'server', what);
}
