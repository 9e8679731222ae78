/**
 * RowDescription and DataRow: reading the shape of a result and rewriting its values.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-DATAROW
 */

import { ProtocolError } from '../errors.ts';
import type { MaskingPlan, ResultColumn } from '../contract.ts';
import { BACKEND, HEADER_SIZE, MESSAGE_LENGTH_MAX, readBody } from './message.ts';

/**
 * RowDescription: Int16 count, then for each column: String name, Int32 table oid, Int16 attribute,
 * Int32 type oid, Int16 type size, Int32 type modifier, Int16 format.
 */
export function decodeRowDescription(message: Buffer): ResultColumn[] {
  const reader = readBody(message, 'server');
  const count = reader.uint16();
  const columns: ResultColumn[] = [];
  for (let index = 0; index < count; index++) {
    const name = reader.cstring().toString();
    const table = reader.uint32();
    const attribute = reader.int16();
    const type = reader.uint32();
    reader.int16();
    const typeModifier = reader.int32();
    const format = reader.int16() === 0 ? 'text' : 'binary';
    columns.push({ name, table, attribute, type, typeModifier, format });
  }
  if (!reader.isAtEnd) {
    throw new ProtocolError('PG_MESSAGE_LAYOUT', 'server', 'bytes follow the last column of a row description');
  }
  return columns;
}

/**
 * DataRow: Int16 count, then for each value Int32 length (-1: NULL) and its bytes. Gives a new message
 * in which each value that has a mask is replaced; NULL stays NULL (PG-87).
 */
export function maskDataRow(message: Buffer, plan: MaskingPlan): Buffer {
  const reader = readBody(message, 'server');
  const count = reader.uint16();
  if (count !== plan.length) {
    // The row is not the one that was described: its values cannot be told apart, so none may pass.
    throw new ProtocolError(
      'PG_ROW_SHAPE',
      'server',
      `a row has ${count} values where ${plan.length} columns were described`,
    );
  }
  const values: (Buffer | null)[] = [];
  let size = HEADER_SIZE + 2;
  for (const mask of plan) {
    const length = reader.int32();
    const value = length < 0 ? null : reader.slice(length);
    const shown = value === null || mask === undefined ? value : mask(value);
    values.push(shown);
    size += 4 + (shown?.length ?? 0);
  }
  if (!reader.isAtEnd || size > MESSAGE_LENGTH_MAX) {
    throw new ProtocolError('PG_ROW_SHAPE', 'server', 'bytes follow the last value of a row');
  }
  return encodeDataRow(values, size);
}

function encodeDataRow(values: readonly (Buffer | null)[], size: number): Buffer {
  const row = Buffer.allocUnsafe(size);
  row.writeUInt8(BACKEND.dataRow, 0);
  row.writeInt32BE(size - 1, 1);
  row.writeUInt16BE(values.length, HEADER_SIZE);
  let offset = HEADER_SIZE + 2;
  for (const value of values) {
    offset = row.writeInt32BE(value === null ? -1 : value.length, offset);
    if (value !== null) offset += value.copy(row, offset);
  }
  return row;
}
