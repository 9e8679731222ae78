/**
 * RowDescription and DataRow: reading the shape of a result and rewriting its values.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-DATAROW
 */

import { ProtocolError } from '../errors.ts';
import type { MaskingPlan, ResultColumn } from '../contract.ts';
import { BACKEND, HEADER_SIZE, MESSAGE_LENGTH_MAX, readBody } from './message.ts';
import type { MessageBuffer } from './message-buffer.ts';

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
    throw new ProtocolError(
      'PG_MESSAGE_LAYOUT',
      'server',
      'bytes follow the last column of a row description',
    );
  }
  return columns;
}

/** Room for what masks add, so that the buffer of a chunk rarely has to grow. */
const GROWTH_SIZE = 4096;

/**
 * Rewrites rows into one buffer, run by run. DataRow: Int16 count, then for each value Int32 length
 * (-1: NULL) and its bytes. Each value that has a mask is replaced; NULL stays NULL (PG-87).
 */
export class RowMasker {
  readonly #plan: MaskingPlan;
  #out: Buffer;
  #end = 0;

  /** `sizeHint` is about the size of the rows to come, bytes. */
  constructor(plan: MaskingPlan, sizeHint: number) {
    this.#plan = plan;
    this.#out = Buffer.allocUnsafe(sizeHint + GROWTH_SIZE);
  }

  /** One whole DataRow message: `size` bytes of `view` from `start`. */
  add(view: Buffer, start: number, size: number): void {
    const end = start + size;
    const plan = this.#plan;
    if (size < HEADER_SIZE + 2 || view.readUInt16BE(start + HEADER_SIZE) !== plan.length) {
      // The row is not the one that was described: its values cannot be told apart, so none may pass.
      throw rowShapeError(`a row does not have the ${plan.length} values that were described`);
    }
    const rowStart = this.#end;
    let copied = start;
    let offset = start + HEADER_SIZE + 2;
    for (const mask of plan) {
      if (offset + 4 > end) throw rowShapeError('a row ends before its last value');
      const length = view.readInt32BE(offset);
      const next = length < 0 ? offset + 4 : offset + 4 + length;
      if (next > end) throw rowShapeError('a value is longer than its row');
      if (mask !== undefined && length >= 0) {
        this.#copy(view, copied, offset);
        this.#put(mask(view.subarray(offset + 4, next)));
        copied = next;
      }
      offset = next;
    }
    if (offset !== end) throw rowShapeError('bytes follow the last value of a row');
    this.#copy(view, copied, end);
    this.#closeRow(rowStart);
  }

  /** Every row added, as one buffer. */
  take(): Buffer {
    return this.#out.subarray(0, this.#end);
  }

  #put(value: Buffer | null): void {
    const size = value === null ? 0 : value.length;
    this.#reserve(4 + size);
    this.#out.writeInt32BE(value === null ? -1 : size, this.#end);
    if (value !== null) value.copy(this.#out, this.#end + 4);
    this.#end += 4 + size;
  }

  #copy(view: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    view.copy(this.#out, this.#end, from, to);
    this.#end += to - from;
  }

  /** The length that the row came with is no longer its own. */
  #closeRow(rowStart: number): void {
    const length = this.#end - rowStart - 1;
    if (length > MESSAGE_LENGTH_MAX)
      throw rowShapeError('a masked row is larger than a message can be');
    this.#out.writeInt32BE(length, rowStart + 1);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#end + size));
    this.#out.copy(larger, 0, 0, this.#end);
    this.#out = larger;
  }
}

/** Rows that are here whole, from the next message on, masked. The first of them is whole. */
export function maskRows(buffer: MessageBuffer, plan: MaskingPlan): Buffer {
  const start = buffer.offset;
  buffer.passRun(BACKEND.dataRow);
  const masker = new RowMasker(plan, buffer.offset - start);
  for (let offset = start; offset < buffer.offset; ) {
    const size = buffer.view.readInt32BE(offset + 1) + 1;
    masker.add(buffer.view, offset, size);
    offset += size;
  }
  return masker.take();
}

function rowShapeError(what: string): ProtocolError {
  return new ProtocolError('PG_ROW_SHAPE', 'server', what);
}
