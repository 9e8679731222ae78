/**
 * Messages of the PostgreSQL protocol version 3: their tags and how one is put together.
 * Layout: Byte1 tag, Int32 length (itself included, the tag not), body.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

import { ProtocolError } from '../errors.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import type { Side } from '../contract.ts';

/** Tag and length word. */
export const HEADER_SIZE = 5;
/** PostgreSQL's own limit (MaxAllocSize): no message body is larger (PG-23). */
export const MESSAGE_LENGTH_MAX = 0x3fffffff;

/** Tags that the frontend sends. */
export const FRONTEND = {
  bind: 0x42, // 'B'
  close: 0x43, // 'C'
  copyData: 0x64, // 'd'
  copyDone: 0x63, // 'c'
  copyFail: 0x66, // 'f'
  describe: 0x44, // 'D'
  execute: 0x45, // 'E'
  flush: 0x48, // 'H'
  functionCall: 0x46, // 'F'
  parse: 0x50, // 'P'
  password: 0x70, // 'p'
  query: 0x51, // 'Q'
  sync: 0x53, // 'S'
  terminate: 0x58, // 'X'
} as const;

/** Tags that the backend sends. */
export const BACKEND = {
  authentication: 0x52, // 'R'
  backendKeyData: 0x4b, // 'K'
  bindComplete: 0x32, // '2'
  closeComplete: 0x33, // '3'
  commandComplete: 0x43, // 'C'
  copyBothResponse: 0x57, // 'W'
  copyData: 0x64, // 'd'
  copyDone: 0x63, // 'c'
  copyInResponse: 0x47, // 'G'
  copyOutResponse: 0x48, // 'H'
  dataRow: 0x44, // 'D'
  emptyQueryResponse: 0x49, // 'I'
  errorResponse: 0x45, // 'E'
  functionCallResponse: 0x56, // 'V'
  negotiateProtocolVersion: 0x76, // 'v'
  noData: 0x6e, // 'n'
  noticeResponse: 0x4e, // 'N'
  notificationResponse: 0x41, // 'A'
  parameterDescription: 0x74, // 't'
  parameterStatus: 0x53, // 'S'
  parseComplete: 0x31, // '1'
  portalSuspended: 0x73, // 's'
  readyForQuery: 0x5a, // 'Z'
  rowDescription: 0x54, // 'T'
} as const;

export function encodeMessage(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? cstring(part) : part)),
  );
  const message = Buffer.allocUnsafe(HEADER_SIZE + body.length);
  message.writeUInt8(tag, 0);
  message.writeInt32BE(4 + body.length, 1);
  body.copy(message, HEADER_SIZE);
  return message;
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value | 0, 0);
  return bytes;
}

/** A reader over the body of one whole message. */
export function readBody(message: Buffer, blame: Side): ByteReader {
  return new ByteReader(message, HEADER_SIZE, () => malformed(message, blame));
}

function malformed(message: Buffer, blame: Side): ProtocolError {
  const tag = String.fromCharCode(message[0] ?? 0);
  return new ProtocolError(
    'PG_MESSAGE_LAYOUT',
    blame,
    `a '${tag}' message of ${message.length} bytes ends before its last field`,
  );
}
