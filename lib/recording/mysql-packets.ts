/**
 * MySQL and MariaDB packets as readable facts, for people who look at a recording. Nothing is decided
 * on what is read here, so it is lenient where protocols/mysql is strict: what a packet does not hold
 * is left out. What a packet means in its place is in `mysql-view.ts` and `mysql-replies.ts`.
 * Layouts: https://mariadb.com/kb/en/clientserver-protocol/ and
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
 */

import type { SplitPacket } from './mysql-splitter.ts';
import {
  decodeTextValue,
  isUnsigned,
  nameType,
  PacketReader,
  readBinaryValue,
  type ValueType,
} from './mysql-values.ts';
import { cuttable, decodeText } from './value-text.ts';
import type { ViewColumn, ViewDiagnostic, ViewFact, ViewParameters, ViewValue } from './view.ts';

const CONNECT_WITH_DB = 0x8;
const PROTOCOL_41 = 0x200;
export const SSL = 0x800;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH = 0x8_0000;
const CONNECT_ATTRS = 0x10_0000;
const LENENC_AUTH = 0x20_0000;
const SESSION_TRACK = 0x80_0000;
export const DEPRECATE_EOF = 0x100_0000;
export const QUERY_ATTRIBUTES = 0x800_0000;
/** Clear on MariaDB's side and on that of its clients: then four reserved bytes are more flags. */
const MYSQL = 0x1;
const MARIADB_EXTENDED_METADATA = 1 << 3;
export const MARIADB_CACHE_METADATA = 1 << 4;

export const STATUS_IN_TRANSACTION = 0x1;
export const STATUS_MORE_RESULTS = 0x8;
export const STATUS_CURSOR_EXISTS = 0x40;
export const STATUS_LAST_ROW_SENT = 0x80;
const STATUS_SESSION_CHANGED = 0x4000;

/** Size of an SSLRequest, which is a response to the greeting cut off behind its fixed part (MY-4). */
const SSL_REQUEST_SIZE = 32;
/** Names and values of connection attributes that are shown; longer ones are nobody's. */
const ATTRIBUTES_COUNT_MAX = 64;
const ATTRIBUTE_LENGTH_MAX = 256;
/** MySQL's names have 64 characters and aliases 256; longer ones come from nowhere good. */
const NAME_LENGTH_MAX = 1024;
/** Attributes are the client's own words: what it calls a secret is not shown (GW-16). */
const SECRET_NAME = /pass|secret|token|credential/i;

/** What both sides have agreed to, as far as a reader has to know (MY-3). */
export interface Capabilities {
  readonly flags: number;
  /** MariaDB's, from bit 32 on. */
  readonly extended: number;
}

export interface Greeting {
  readonly fact: ViewFact;
  readonly capabilities: Capabilities;
}

/** Undefined: no greeting of protocol 10. */
export function decodeGreeting(body: Buffer): Greeting | undefined {
  const reader = new PacketReader(body);
  if (reader.readUInt(1) !== 10) return undefined;
  const version = reader.readString();
  const thread = reader.readUInt(4);
  reader.skip(9);
  const low = reader.readUInt(2);
  reader.skip(3);
  const flags = (low | (reader.readUInt(2) << 16)) >>> 0;
  const nonceLength = reader.readUInt(1);
  reader.skip(6);
  const extended = reader.readUInt(4);
  if (reader.isShort) return undefined;
  reader.readBytes(Math.max(13, nonceLength - 8));
  const method = reader.readString();
  return {
    fact: { event: 'greeting', version, thread, method },
    capabilities: { flags, extended: (flags & MYSQL) === 0 ? extended : 0 },
  };
}

export function isSslRequest(packet: SplitPacket): boolean {
  return packet.size === SSL_REQUEST_SIZE && (packet.body.readUInt32LE(0) & SSL) !== 0;
}

export interface HandshakeResponse {
  readonly parameters: ViewParameters;
  readonly capabilities: Capabilities;
}

/** The client's answer to the greeting; its proof is passed over, whatever bytes stand in its place. */
export function decodeHandshakeResponse(body: Buffer): HandshakeResponse {
  const reader = new PacketReader(body);
  const flags = reader.readUInt(4);
  if ((flags & PROTOCOL_41) === 0) {
    // HandshakeResponse320: two bytes of flags, three of a size. Nobody sends it any more.
    const old = new PacketReader(body, 5);
    return { parameters: { user: old.readString() }, capabilities: { flags, extended: 0 } };
  }
  reader.skip(4);
  const charset = reader.readUInt(1);
  reader.skip(19);
  const extended = reader.readUInt(4);
  const user = reader.readString();
  if ((flags & LENENC_AUTH) !== 0) reader.readLengthBytes();
  else if ((flags & SECURE_CONNECTION) !== 0) reader.readBytes(reader.readUInt(1));
  else reader.readString();
  const database = (flags & CONNECT_WITH_DB) === 0 ? '' : reader.readString();
  const method = (flags & PLUGIN_AUTH) === 0 ? '' : reader.readString();
  const attributes = (flags & CONNECT_ATTRS) === 0 ? {} : readAttributes(reader);
  return {
    parameters: signInParameters({ user, database, charset, method }, attributes),
    capabilities: { flags, extended: (flags & MYSQL) === 0 ? extended : 0 },
  };
}

/** The body of COM_CHANGE_USER behind its command byte. */
export function decodeChangeUser(body: Buffer, { flags }: Capabilities): ViewParameters {
  const reader = new PacketReader(body, 1);
  const user = reader.readString();
  if ((flags & SECURE_CONNECTION) === 0) reader.readString();
  else reader.readBytes(reader.readUInt(1));
  const database = reader.readString();
  const charset = reader.readUInt(2);
  const method = (flags & PLUGIN_AUTH) === 0 ? '' : reader.readString();
  const attributes = (flags & CONNECT_ATTRS) === 0 ? {} : readAttributes(reader);
  return signInParameters({ user, database, charset, method }, attributes);
}

interface SignIn {
  readonly user: string;
  readonly database: string;
  readonly charset: number;
  readonly method: string;
}

function signInParameters(signIn: SignIn, attributes: ViewParameters): ViewParameters {
  const { user, database, charset, method } = signIn;
  return {
    user,
    ...(database !== '' && { database }),
    ...(method !== '' && { method }),
    collation: String(charset),
    // An attribute cannot take the place of what the server goes by.
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`@${name}`, value])),
  };
}

function readAttributes(reader: PacketReader): ViewParameters {
  const block = new PacketReader(reader.readLengthBytes());
  const attributes: [string, string][] = [];
  while (!block.isAtEnd && attributes.length < ATTRIBUTES_COUNT_MAX) {
    const name = block.readLengthText().slice(0, ATTRIBUTE_LENGTH_MAX);
    const value = block.readLengthText().slice(0, ATTRIBUTE_LENGTH_MAX);
    attributes.push([name, SECRET_NAME.test(name) ? '(not shown)' : value]);
  }
  return Object.fromEntries(attributes);
}

/** What an OK or EOF packet tells. */
export interface Ending {
  readonly facts: readonly ViewFact[];
  readonly status: number;
}

/** What an OK or EOF packet is about: a statement, the rows ahead of it, or a mere command. */
type Ended = 'statement' | 'rows' | 'command';

export function decodeOk(body: Buffer, { flags }: Capabilities, ended: Ended): Ending {
  const reader = new PacketReader(body, 1);
  const affectedRows = reader.readLength();
  const insertId = reader.readBigLength() ?? 0n;
  const status = reader.readUInt(2);
  const warnings = reader.readUInt(2);
  const isTracked = (flags & SESSION_TRACK) !== 0;
  const info = isTracked ? reader.readLengthText() : readLastText(reader.readRest());
  const isChanged = isTracked && (status & STATUS_SESSION_CHANGED) !== 0;
  const changes = isChanged ? readChanges(reader.readLengthBytes()) : [];
  const outcome = { affectedRows, insertId: String(insertId), warnings, info };
  const complete = completeFact(outcome, status, ended);
  return { facts: [...changes, complete], status };
}

export function decodeEof(body: Buffer): Ending {
  const reader = new PacketReader(body, 1);
  const warnings = reader.readUInt(2);
  const status = reader.readUInt(2);
  const outcome = { affectedRows: 0, insertId: '0', warnings, info: '' };
  return { facts: [completeFact(outcome, status, 'rows')], status };
}

/** The manual says that the text has no length where sessions are not tracked; servers send one. */
function readLastText(bytes: Buffer): string {
  const reader = new PacketReader(bytes);
  const text = reader.readLengthText();
  return reader.isShort || !reader.isAtEnd ? decodeText(bytes) : text;
}

const OK_TEXTS: Readonly<Record<Ended, (rows: number) => string>> = {
  statement: (rows) => `OK, ${count(rows, 'row')} affected`,
  rows: () => '',
  command: () => 'OK',
};

function completeFact(
  outcome: { affectedRows: number; insertId: string; warnings: number; info: string },
  status: number,
  ended: Ended,
): ViewFact {
  const { affectedRows, insertId, warnings, info } = outcome;
  const words = [
    OK_TEXTS[ended](affectedRows),
    ended === 'statement' && insertId !== '0' ? `last insert id ${insertId}` : '',
    warnings > 0 ? count(warnings, 'warning') : '',
    info,
  ];
  return {
    event: 'complete',
    tag: words.filter((word) => word !== '').join(', '),
    ...(ended === 'statement' && { affectedRows }),
    ...(insertId !== '0' && { insertId }),
    warnings,
    ...(info !== '' && { info }),
    status: (status & STATUS_IN_TRANSACTION) === 0 ? 'idle' : 'transaction',
  };
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

const CHANGE_SYSTEM_VARIABLE = 0;
const CHANGE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'database'],
  [3, 'gtids'],
  [4, 'transaction characteristics'],
  [5, 'transaction state'],
]);

/** What changed in the session, as settings that the server tells (MY-27). */
function readChanges(bytes: Buffer): ViewFact[] {
  const reader = new PacketReader(bytes);
  const facts: ViewFact[] = [];
  while (!reader.isAtEnd) {
    const type = reader.readUInt(1);
    const change = new PacketReader(reader.readLengthBytes());
    const name = CHANGE_NAMES.get(type);
    if (type === CHANGE_SYSTEM_VARIABLE) {
      while (!change.isAtEnd) {
        const variable = change.readLengthText();
        facts.push({ event: 'parameter', name: variable, value: change.readLengthText() });
      }
    } else if (name !== undefined) {
      facts.push({ event: 'parameter', name, value: change.readLengthText() });
    }
  }
  return facts;
}

const ERROR_PROGRESS = 0xffff;
const HASH = 0x23;

/** An ERR packet; MariaDB's progress reports have its form and are none (MY-31). */
export function decodeError(body: Buffer): ViewFact {
  const reader = new PacketReader(body, 1);
  const number = reader.readUInt(2);
  if (number === ERROR_PROGRESS) {
    reader.skip(1);
    const stage = reader.readUInt(1);
    const stages = reader.readUInt(1);
    const percent = reader.readUInt(3) / 1000;
    return { event: 'progress', stage, stages, percent, info: reader.readLengthText() };
  }
  // MY-15: before the capabilities are known there is no SQLSTATE.
  const hasState = body[3] === HASH && body.length >= 9;
  const code = hasState ? reader.readBytes(6).toString('latin1').slice(1) : '';
  const message = reader.readRest().toString('utf8');
  const diagnostic: ViewDiagnostic = { severity: 'ERROR', code, number: String(number), message };
  return { event: 'error', ...diagnostic };
}

/** A column as it is shown, and what it takes to read its values. */
export interface KnownColumn extends ValueType {
  readonly shown: ViewColumn;
}

/** Undefined: this is no column definition. */
export function decodeColumn(
  packet: SplitPacket,
  { extended }: Capabilities,
  format: 'text' | 'binary',
): KnownColumn | undefined {
  const reader = new PacketReader(packet.body);
  reader.readLengthBytes(); // The catalog, `def` for ever.
  const schema = reader.readLengthText();
  reader.readLengthBytes();
  const table = reader.readLengthText();
  const name = reader.readLengthText().slice(0, NAME_LENGTH_MAX);
  const column = reader.readLengthText();
  const hasExtension = (extended & MARIADB_EXTENDED_METADATA) !== 0;
  const extension = hasExtension ? readTypeExtension(reader.readLengthBytes()) : undefined;
  reader.readLength();
  const charset = reader.readUInt(2);
  reader.skip(4);
  const type = reader.readUInt(1);
  const flags = reader.readUInt(2);
  const decimals = reader.readUInt(1);
  if (reader.isShort) return undefined;
  const origin = [schema, table, column].join('.').slice(0, NAME_LENGTH_MAX);
  const typeName = extension ?? nameType(type, flags, charset);
  const identity = { name, table: 0, attribute: 0, type, format, typeName };
  const shown = table === '' ? identity : { ...identity, origin };
  return { shown, type, isUnsigned: isUnsigned(flags), charset, decimals };
}

/** MariaDB's name of a type such as json, uuid or inet6; kind 0 of its extensions. */
function readTypeExtension(bytes: Buffer): string | undefined {
  const reader = new PacketReader(bytes);
  while (!reader.isAtEnd) {
    const kind = reader.readUInt(1);
    const value = reader.readLengthText();
    if (kind === 0 || kind === 1) return value.slice(0, NAME_LENGTH_MAX);
  }
  return undefined;
}

const NULL_MARK = 0xfb;
/** What is not described is shown as text. */
const UNKNOWN: ValueType = { type: 253, isUnsigned: false, charset: 45, decimals: 0 };

/** Undefined: the row is broken, and not by our keeping only its head. */
export function decodeTextRow(
  packet: SplitPacket,
  columns: readonly ValueType[],
): ViewFact | undefined {
  const { body, size } = packet;
  const reader = new PacketReader(body);
  const values: ViewValue[] = [];
  for (let index = 0; !reader.isAtEnd; index += 1) {
    const isNull = body[body.length - reader.left] === NULL_MARK;
    const length = reader.readLength();
    if (isNull) {
      values.push(null);
      continue;
    }
    const bytes = reader.readBytes(length);
    values.push(decodeTextValue(bytes, columns[index] ?? UNKNOWN, bytes.length < length));
  }
  if (reader.isShort && body.length === size) return undefined;
  return { event: 'row', values, ...cuttable(packet) };
}

/** MY-68: a zero byte, a bitmap of NULLs that starts at bit 2, the values that are not NULL. */
export function decodeBinaryRow(
  packet: SplitPacket,
  columns: readonly ValueType[],
): ViewFact | undefined {
  const reader = new PacketReader(packet.body, 1);
  const nulls = reader.readBytes(Math.floor((columns.length + 9) / 8));
  const values = readBinaryValues(reader, columns, (index) => hasBit(nulls, index + 2));
  const isWhole = packet.body.length === packet.size;
  if (values === undefined || (isWhole && (reader.isShort || !reader.isAtEnd))) return undefined;
  return { event: 'row', values, ...cuttable(packet) };
}

export function hasBit(bitmap: Buffer, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** As many as the packet holds; undefined where a type is unknown. */
export function readBinaryValues(
  reader: PacketReader,
  types: readonly ValueType[],
  isNull: (index: number) => boolean,
): ViewValue[] | undefined {
  const values: ViewValue[] = [];
  for (const [index, type] of types.entries()) {
    if (isNull(index)) {
      values.push(null);
      continue;
    }
    if (reader.isShort) break;
    const value = readBinaryValue(reader, type);
    if (value === undefined) return undefined;
    // What is left of a number whose end was dropped says nothing.
    if (reader.isShort && value === '') break;
    values.push(value);
  }
  return values;
}
