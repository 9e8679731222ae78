/**
 * Query attributes stand between COM_QUERY's number and its text where the capability was agreed on
 * (MY-20). To look for the text in the wrong place would be to judge attribute bytes, or to let a
 * statement hide behind them.
 *
 *   0x03 | lenenc count | lenenc sets (1) | [bitmap of (count + 7) / 8 | 0x01 |
 *   for each: 2 type, lenenc name | values of those that are not NULL] | text
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
 */

import { ProtocolError } from '../errors.ts';
import { fixedSizeOf } from './binary-row.ts';
import { FieldReader } from './fields.ts';

/** Attributes of one statement; drivers send a handful, and the count must not be believed. */
const ATTRIBUTES_MAX = 65_535;

/** Where the text begins in the payload of a COM_QUERY. */
export function findQueryText(payload: Buffer, hasAttributes: boolean): number {
  if (!hasAttributes) return 1;
  const reader = new FieldReader(payload, 'client', 1);
  const count = reader.lenencInteger();
  const sets = reader.lenencInteger();
  if (sets !== 1 || count > ATTRIBUTES_MAX) throw malformed(`${sets} sets of ${count} attributes`);
  if (count === 0) return reader.offset;
  const nulls = reader.bytes((count + 7) >> 3);
  // The types have to be there: a statement of its own has no earlier ones.
  if (reader.u8() !== 1) throw malformed('attributes without types');
  const types: number[] = [];
  for (let index = 0; index < count; index++) {
    types.push(reader.u16() & 0xff);
    reader.lenencBytes();
  }
  for (const [index, type] of types.entries()) {
    if (((nulls[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) continue;
    const size = fixedSizeOf(type);
    if (size === undefined) reader.lenencBytes();
    else reader.bytes(size);
  }
  return reader.offset;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('MYSQL_QUERY_ATTRIBUTES', 'client', `query attributes: ${what}`);
}
