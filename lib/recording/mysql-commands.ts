/**
 * The commands of a MySQL client as readable facts: their names, what kind of reply each has, and the
 * bodies of those that carry a text or values. Parameters of prepared statements are read with what
 * the statement's PREPARE told, which `mysql-view.ts` keeps.
 */

import {
  type Capabilities,
  hasBit,
  type KnownColumn,
  QUERY_ATTRIBUTES,
  readBinaryValues,
} from './mysql-packets.ts';
import type { SplitPacket } from './mysql-splitter.ts';
import { PacketReader, type ValueType } from './mysql-values.ts';
import { cuttable, decodeCutText, decodeText, toHex } from './value-text.ts';
import type { ViewFact, ViewValue } from './view.ts';

/** How the server answers a command (MY-19). */
export type ReplyKind =
  | 'none'
  | 'status'
  | 'reset'
  | 'text-result'
  | 'binary-result'
  | 'binary-rows'
  | 'columns'
  | 'prepare'
  | 'words'
  | 'sign-in'
  | 'stream';

export const COM_QUIT = 0x01;
export const COM_QUERY = 0x03;
export const COM_CHANGE_USER = 0x11;
export const COM_STMT_PREPARE = 0x16;
export const COM_STMT_EXECUTE = 0x17;
export const COM_STMT_SEND_LONG_DATA = 0x18;
export const COM_STMT_CLOSE = 0x19;
export const COM_STMT_RESET = 0x1a;
export const COM_STMT_FETCH = 0x1c;
export const COM_STMT_BULK_EXECUTE = 0xfa;

/** Those whose replies are no mere OK, EOF or ERR, or whose name is worth showing. */
const COMMANDS: ReadonlyMap<number, readonly [string, ReplyKind]> = new Map([
  [0x00, ['COM_SLEEP', 'status']],
  [COM_QUIT, ['COM_QUIT', 'none']],
  [0x02, ['COM_INIT_DB', 'status']],
  [COM_QUERY, ['COM_QUERY', 'text-result']],
  [0x04, ['COM_FIELD_LIST', 'columns']],
  [0x05, ['COM_CREATE_DB', 'status']],
  [0x06, ['COM_DROP_DB', 'status']],
  [0x07, ['COM_REFRESH', 'status']],
  [0x08, ['COM_SHUTDOWN', 'status']],
  [0x09, ['COM_STATISTICS', 'words']],
  [0x0a, ['COM_PROCESS_INFO', 'text-result']],
  [0x0c, ['COM_PROCESS_KILL', 'status']],
  [0x0d, ['COM_DEBUG', 'status']],
  [0x0e, ['COM_PING', 'status']],
  [COM_CHANGE_USER, ['COM_CHANGE_USER', 'sign-in']],
  [0x12, ['COM_BINLOG_DUMP', 'stream']],
  [0x13, ['COM_TABLE_DUMP', 'stream']],
  [0x15, ['COM_REGISTER_SLAVE', 'status']],
  [COM_STMT_PREPARE, ['COM_STMT_PREPARE', 'prepare']],
  [COM_STMT_EXECUTE, ['COM_STMT_EXECUTE', 'binary-result']],
  [COM_STMT_SEND_LONG_DATA, ['COM_STMT_SEND_LONG_DATA', 'none']],
  [COM_STMT_CLOSE, ['COM_STMT_CLOSE', 'none']],
  [COM_STMT_RESET, ['COM_STMT_RESET', 'status']],
  [0x1b, ['COM_SET_OPTION', 'status']],
  [COM_STMT_FETCH, ['COM_STMT_FETCH', 'binary-rows']],
  [0x1e, ['COM_BINLOG_DUMP_GTID', 'stream']],
  [0x1f, ['COM_RESET_CONNECTION', 'reset']],
  [0x20, ['COM_CLONE', 'stream']],
  [0x21, ['COM_SUBSCRIBE_GROUP_REPLICATION', 'stream']],
  [COM_STMT_BULK_EXECUTE, ['COM_STMT_BULK_EXECUTE', 'binary-result']],
]);
/** Their argument is a text. */
const TEXT_ARGUMENTS: ReadonlySet<string> = new Set([
  'COM_INIT_DB',
  'COM_CREATE_DB',
  'COM_DROP_DB',
  'COM_FIELD_LIST',
]);
/** Theirs is a number of up to four bytes. */
const NUMBER_ARGUMENTS: ReadonlySet<string> = new Set(['COM_PROCESS_KILL', 'COM_SET_OPTION']);

export function nameCommand(code: number): string {
  return COMMANDS.get(code)?.[0] ?? `command 0x${code.toString(16).padStart(2, '0')}`;
}

export function replyOf(code: number): ReplyKind {
  return COMMANDS.get(code)?.[1] ?? 'status';
}

/** A command that has no event of its own. */
export function decodeOther(packet: SplitPacket): ViewFact {
  const name = nameCommand(packet.body[0] ?? 0);
  const argument = readArgument(name, packet.body);
  const cut = cuttable(packet);
  return { event: 'command', name, ...(argument !== '' && { argument }), ...cut };
}

function readArgument(name: string, body: Buffer): string {
  if (TEXT_ARGUMENTS.has(name)) return new PacketReader(body, 1).readString();
  if (!NUMBER_ARGUMENTS.has(name)) return '';
  return String(new PacketReader(body, 1).readUInt(Math.min(4, Math.max(1, body.length - 1))));
}

export interface ParameterType extends ValueType {
  /** Of query attributes; empty for parameters of a statement. */
  readonly name: string;
}

export function decodeQuery(packet: SplitPacket, { flags }: Capabilities): ViewFact {
  const reader = new PacketReader(packet.body, 1);
  const attributes = (flags & QUERY_ATTRIBUTES) === 0 ? undefined : readAttributes(reader);
  const rest = reader.readRest();
  const cut = cuttable(packet);
  const text = cut.cut === true ? decodeCutText(rest) : decodeText(rest);
  return { event: 'query', text, ...(attributes && { attributes }), ...cut };
}

/** MY-20: ahead of the text stands a list of values by name; undefined: it is empty. */
function readAttributes(reader: PacketReader): Record<string, ViewValue> | undefined {
  const count = reader.readLength();
  reader.readLength(); // Sets of them, of which there is one.
  if (count === 0) return undefined;
  const bitmap = reader.readBytes(Math.floor((count + 7) / 8));
  reader.skip(1);
  const types = readTypes(reader, count, true);
  const values = readBinaryValues(reader, types, (index) => hasBit(bitmap, index)) ?? [];
  return Object.fromEntries(types.map(({ name }, index) => [name, values[index] ?? null]));
}

/** A prepared statement as far as the recording tells of it. */
export interface KnownStatement {
  /** The server's number; undefined until PREPARE is answered. */
  id: number | undefined;
  readonly text: string;
  parameterCount: number | undefined;
  /** Of the newest Execute that sent them (MY-21). */
  types: readonly ParameterType[];
  columns: readonly KnownColumn[];
  /** Heads of parameters that were sent ahead. */
  readonly longData: Map<number, Buffer>;
}

const FLAG_HAS_COUNT = 0x08;
/** COM_STMT_EXECUTE: command, statement id, flags, iteration count. */
const EXECUTE_HEADER_SIZE = 10;

/** The parameters of an Execute; undefined: they cannot be told. */
export function readParameters(
  packet: SplitPacket,
  statement: KnownStatement,
  { flags }: Capabilities,
): readonly ViewValue[] | undefined {
  const { parameterCount, longData } = statement;
  if (parameterCount === undefined) return undefined;
  const hasNames = (flags & QUERY_ATTRIBUTES) !== 0;
  const reader = new PacketReader(packet.body, EXECUTE_HEADER_SIZE);
  const hasCount = hasNames && ((packet.body[5] ?? 0) & FLAG_HAS_COUNT) !== 0;
  if (parameterCount === 0 && !hasCount) return [];
  const count = hasNames ? reader.readLength() : parameterCount;
  const bitmap = reader.readBytes(Math.floor((count + 7) / 8));
  if (reader.readUInt(1) === 1) statement.types = readTypes(reader, count, hasNames);
  if (statement.types.length < count) return undefined;
  const values: ViewValue[] = [];
  for (const [index, type] of statement.types.slice(0, count).entries()) {
    const ahead = longData.get(index);
    if (ahead !== undefined) {
      values.push(decodeCutText(ahead));
      continue;
    }
    const one = readBinaryValues(reader, [type], () => hasBit(bitmap, index));
    if (one === undefined) return undefined;
    if (one.length === 0) break;
    values.push(...one);
  }
  return values.slice(0, parameterCount);
}

const UNSIGNED_BIT = 0x80;
/** Digits of a fraction: as many as were sent. */
const DECIMALS_AS_SENT = 31;
const CHARSET_UTF8MB4 = 45;
const BLOB_TYPES: ReadonlySet<number> = new Set([249, 250, 251, 252]);

function readTypes(reader: PacketReader, count: number, hasNames: boolean): ParameterType[] {
  const types: ParameterType[] = [];
  for (let index = 0; index < count && !reader.isShort; index += 1) {
    const type = reader.readUInt(1);
    const isUnsigned = (reader.readUInt(1) & UNSIGNED_BIT) !== 0;
    const name = hasNames ? reader.readLengthText() : '';
    const charset = BLOB_TYPES.has(type) ? 63 : CHARSET_UTF8MB4;
    types.push({ name, type, isUnsigned, charset, decimals: DECIMALS_AS_SENT });
  }
  return types;
}

const BULK_HAS_TYPES = 0x80;
const BULK_NULL = 1;

/** MariaDB's COM_STMT_BULK_EXECUTE: the first set of parameters, and how many there are. */
export function readBulkParameters(
  packet: SplitPacket,
  statement: KnownStatement,
): { readonly parameters: readonly ViewValue[]; readonly sets: number } | undefined {
  const count = statement.parameterCount;
  if (count === undefined || count === 0) return undefined;
  const reader = new PacketReader(packet.body, 5);
  const flags = reader.readUInt(2);
  if ((flags & BULK_HAS_TYPES) !== 0) statement.types = readTypes(reader, count, false);
  if (statement.types.length < count) return undefined;
  let parameters: readonly ViewValue[] | undefined;
  let sets = 0;
  while (!reader.isAtEnd && !reader.isShort) {
    const values: ViewValue[] = [];
    for (const type of statement.types.slice(0, count)) {
      // Each value has an indicator ahead of it; DEFAULT and IGNORE have no value either.
      const indicator = reader.readUInt(1);
      const one = readBinaryValues(reader, [type], () => indicator !== 0);
      if (one === undefined) return undefined;
      values.push(indicator > BULK_NULL ? '(default)' : (one[0] ?? null));
    }
    parameters ??= values;
    sets += 1;
  }
  return parameters === undefined ? undefined : { parameters, sets };
}

/** Bytes that a client sends out of a file, or ahead of an Execute: text, unless a zero byte tells. */
export function decodePiece(bytes: Buffer): string {
  return bytes.includes(0) ? toHex(bytes) : decodeCutText(bytes);
}
