/**
 * Column definitions (ColumnDefinition41): the description of one column of a result, in front of its
 * rows. What it says of the column's origin is a cross-check and never trusted (MY-64).
 *
 *   catalog "def" | schema | table | original table | name | original name, each with its length,
 *   [MariaDB's extended metadata: length, entries] | length 0x0c | 2 charset | 4 length | 1 type |
 *   2 flags | 1 decimals | 2 unused | [COM_FIELD_LIST: default value with its length]
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
 * https://mariadb.com/kb/en/result-set-packets/#column-definition-packet
 */

import { isUtf8 } from 'node:buffer';
import type { ResultColumn } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { FieldReader } from './fields.ts';

/** Entry of the extended metadata that names a type: `json`, `uuid`, `inet6`. */
const EXTENDED_FORMAT = 1;
const EXTENDED_TYPE = 0;
const FIXED_SIZE = 0x0c;
const NULL_MARK = Buffer.of(0xfb);

export interface DefinitionOptions {
  readonly format: ResultColumn['format'];
  readonly hasExtendedMetadata: boolean;
}

export function decodeColumnDefinition(payload: Buffer, options: DefinitionOptions): ResultColumn {
  const reader = new FieldReader(payload, 'server');
  reader.lenencBytes();
  const schema = readName(reader);
  reader.lenencBytes();
  const originalTable = readName(reader);
  const name = readName(reader);
  const originalName = readName(reader);
  const extendedType = options.hasExtendedMetadata ? readExtendedType(reader) : '';
  if (reader.lenencInteger() !== FIXED_SIZE) throw malformed('its fixed part has an odd size');
  const charset = reader.u16();
  const length = reader.u32();
  const type = reader.u8();
  const flags = reader.u16();
  const decimals = reader.u8();
  return {
    name,
    table: 0,
    attribute: 0,
    type,
    typeModifier: -1,
    format: options.format,
    details: {
      schema,
      originalTable,
      originalName,
      charset,
      length,
      flags,
      decimals,
      extendedType,
    },
  };
}

/** The answer to COM_FIELD_LIST without the column's default value, which may be data (MY-66). */
export function withoutDefault(payload: Buffer, hasExtendedMetadata: boolean): Buffer {
  const reader = new FieldReader(payload, 'server');
  for (let index = 0; index < 6; index++) reader.lenencBytes();
  if (hasExtendedMetadata) reader.lenencBytes();
  reader.lenencBytes();
  if (reader.isAtEnd) return payload;
  return Buffer.concat([payload.subarray(0, reader.offset), NULL_MARK]);
}

function readExtendedType(reader: FieldReader): string {
  const entries = new FieldReader(reader.lenencBytes(), 'server');
  let found = '';
  while (!entries.isAtEnd) {
    const kind = entries.u8();
    const value = entries.lenencBytes().toString('latin1');
    if (kind === EXTENDED_TYPE || (kind === EXTENDED_FORMAT && found === '')) found = value;
  }
  return found;
}

/** Names come in character_set_results: of those that Weir lets be set, UTF-8 or one byte each (MY-65). */
function readName(reader: FieldReader): string {
  const bytes = reader.lenencBytes();
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('MYSQL_COLUMN_DEFINITION', 'server', `a column definition: ${what}`);
}
