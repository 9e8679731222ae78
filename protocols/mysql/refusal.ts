/**
 * How Weir says no in MySQL's words: ERR packets with an error number and a SQLSTATE of the server's own
 * list. Weir's codes are SQLSTATEs as Postgres has them; here they get the numbers that drivers know.
 * None of those that make drivers retry or fail over stands for a blocked statement (GW-18).
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
 */

import type { Decision } from '../contract.ts';
import { FieldReader, u16 } from './fields.ts';
import { encodePacket, HEADER_SIZE } from './packet.ts';

export interface Refusal {
  /** SQLSTATE or the like, as the rest of Weir names it. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly rule?: string | undefined;
  /** Instead of the number that `code` stands for. */
  readonly error?: ErrorNumber | undefined;
}

export interface ErrorNumber {
  readonly errno: number;
  /** Five characters. */
  readonly state: string;
}

export interface ErrText extends ErrorNumber {
  readonly message: string;
}

export const ERR_HEADER = 0xff;
/** MYSQL_ERRMSG_SIZE of the server; clients have a buffer of that size, its end included. */
const TEXT_SIZE_MAX = 511;
const STATE_MARK = 0x23; // '#'
const STATE_SIZE = 5;
const BLANK = '*';

/** ER_UNKNOWN_ERROR. */
const UNKNOWN: ErrorNumber = { errno: 1105, state: 'HY000' };
/** ER_HANDSHAKE_ERROR, for a client that breaks the connection phase. */
export const BAD_HANDSHAKE: ErrorNumber = { errno: 1043, state: '08S01' };
/** ER_NET_READ_INTERRUPTED, for a sign-in that takes too long. */
export const READ_TIMEOUT: ErrorNumber = { errno: 1159, state: '08S01' };

const NUMBERS: ReadonlyMap<string, ErrorNumber> = new Map([
  // CR_CONN_HOST_ERROR, which is what MySQL Router says of a server that it cannot reach.
  ['08001', { errno: 2003, state: 'HY000' }],
  ['08006', { errno: 2003, state: 'HY000' }],
  ['08P01', { errno: 1835, state: 'HY000' }], // ER_MALFORMED_PACKET
  ['0A000', { errno: 1235, state: '42000' }], // ER_NOT_SUPPORTED_YET
  ['22021', { errno: 1300, state: 'HY000' }], // ER_INVALID_CHARACTER_STRING
  ['28000', { errno: 1045, state: '28000' }], // ER_ACCESS_DENIED_ERROR
  ['28P01', { errno: 1045, state: '28000' }],
  ['3D000', { errno: 1049, state: '42000' }], // ER_BAD_DB_ERROR
  ['42501', { errno: 1142, state: '42000' }], // ER_TABLEACCESS_DENIED_ERROR
  ['42601', { errno: 1064, state: '42000' }], // ER_PARSE_ERROR
  ['54000', { errno: 1153, state: '08S01' }], // ER_NET_PACKET_TOO_LARGE
  ['57014', { errno: 1317, state: '70100' }], // ER_QUERY_INTERRUPTED
  ['57P01', { errno: 1053, state: '08S01' }], // ER_SERVER_SHUTDOWN
]);
/** Classes of codes that one number stands for. */
const CLASSES: ReadonlyMap<string, ErrorNumber> = new Map([
  ['53', { errno: 1040, state: '08004' }], // ER_CON_COUNT_ERROR
  ['42', { errno: 1064, state: '42000' }],
]);

export function refusalOf(decision: Extract<Decision, { kind: 'block' }>): Refusal {
  return {
    code: decision.code,
    message: decision.reason,
    hint: decision.hint,
    rule: decision.rule,
  };
}

export function numberOf(code: string): ErrorNumber {
  return NUMBERS.get(code) ?? CLASSES.get(code.slice(0, 2)) ?? UNKNOWN;
}

/** What the client reads: number, state and one line of text. */
export function errTextOf(refusal: Refusal): ErrText {
  const hint = refusal.hint === undefined ? '' : ` (${refusal.hint})`;
  return {
    ...(refusal.error ?? numberOf(refusal.code)),
    message: cleanText(`${refusal.message}${hint}`),
  };
}

/**
 * ERR packet, header included. Without state until the client has said that it speaks protocol 4.1: so
 * in place of the greeting (MY-1) and up to the HandshakeResponse (MY-15).
 */
export function encodeErr(err: ErrText, sequence: number, withState: boolean): Buffer {
  return encodePacket(encodeErrPayload(err, withState), sequence);
}

export function encodeErrPayload({ errno, state, message }: ErrText, withState: boolean): Buffer {
  return Buffer.concat([
    Buffer.of(ERR_HEADER),
    u16(errno),
    Buffer.from(withState ? `#${state}` : ''),
    Buffer.from(cleanText(message)),
  ]);
}

/**
 * A whole ERR packet as a recording keeps it: without its text where that may quote a secret of the
 * statement's (GW-16). Every length stays what it was.
 */
export function shownError(packet: Buffer, isSecret: boolean): Buffer {
  if (!isSecret) return packet;
  const start = HEADER_SIZE + 1 + 2;
  const hasState = packet[start] === STATE_MARK && packet.length > start + STATE_SIZE;
  return Buffer.from(packet).fill(BLANK, hasState ? start + 1 + STATE_SIZE : start);
}

/** The parts of a server's ERR payload; the state is empty where there is none. */
export function parseErr(payload: Buffer): ErrText {
  const reader = new FieldReader(payload, 'server', 1);
  const errno = reader.u16();
  const rest = reader.rest();
  const hasState = rest[0] === STATE_MARK && rest.length > STATE_SIZE;
  const state = hasState ? rest.toString('latin1', 1, 1 + STATE_SIZE) : '';
  return { errno, state, message: rest.toString('utf8', hasState ? 1 + STATE_SIZE : 0) };
}

/** One line that fits the buffers of clients, cut between characters. */
function cleanText(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const bytes = Buffer.from(line);
  if (bytes.length <= TEXT_SIZE_MAX) return line;
  // A character that is cut in two is left out.
  return bytes.toString('utf8', 0, TEXT_SIZE_MAX).replace(/\uFFFD+$/, '');
}
