/**
 * HandshakeResponse41 and the SSLRequest, which is its first 32 bytes alone (MY-4): read from the client
 * by the flags that it set, and written for the upstream by those that both legs speak (MY-3).
 *
 *   4 capabilities | 4 largest packet | 1 collation | 19 zero | 4 zero, or MariaDB's extended flags |
 *   user NUL | authentication: length, bytes | [database NUL] | [plugin NUL] | [attributes: length, pairs]
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 */

import { ProtocolError } from '../errors.ts';
import { CAPABILITY, extendedBits, has, joinBits, lowBits } from './capabilities.ts';
import { FieldReader, lenencBytes, nulBytes, u32, u8 } from './fields.ts';

/** Size of an SSLRequest, and of what comes before the user's name. */
export const FIXED_SIZE = 32;
/** MySQL's own limit for all attributes of a connection. */
const ATTRIBUTES_SIZE_MAX = 64 * 1024;
const BLANK = 0x2a; // '*'
const SECRET_NAME = /pass|pwd|secret|token|credential/i;
const EMPTY = Buffer.alloc(0);

export interface ResponseHead {
  readonly capabilities: bigint;
  /** Its own limit for packets that it reads: relayed, and no business of ours (MY-58). */
  readonly packetSizeMax: number;
  readonly collation: number;
}

export interface HandshakeResponse extends ResponseHead {
  readonly user: Buffer;
  readonly authResponse: Buffer;
  /** Empty: none. */
  readonly database: Buffer;
  /** Undefined: the client does not speak of plugins. */
  readonly plugin: string | undefined;
  /** As the client wrote them, without their length; undefined: none were sent. */
  readonly attributes: Buffer | undefined;
}

export interface ParsedResponse {
  readonly response: HandshakeResponse;
  /** The payload with its secrets blanked, every length as it was (GW-16). */
  readonly shown: Buffer;
}

/** Undefined: older than protocol 4.1, so the packet has another form. */
export function parseHead(payload: Buffer): ResponseHead | undefined {
  const reader = new FieldReader(payload, 'client');
  const lowest = reader.u16();
  const needed = Number(CAPABILITY.protocol41 | CAPABILITY.secureConnection);
  if ((lowest & needed) !== needed || payload.length < FIXED_SIZE) return undefined;
  const low = lowest + reader.u16() * 0x1_0000;
  const packetSizeMax = reader.u32();
  const collation = reader.u8();
  reader.bytes(19);
  return { capabilities: joinBits(low, reader.u32()), packetSizeMax, collation };
}

export function parseResponse(payload: Buffer, head: ResponseHead): ParsedResponse {
  const { capabilities } = head;
  const reader = new FieldReader(payload, 'client', FIXED_SIZE);
  const user = reader.nulBytes();
  const authResponse = has(capabilities, CAPABILITY.lenencAuth)
    ? reader.lenencBytes()
    : reader.bytes(reader.u8());
  const authEnd = reader.offset;
  const database = has(capabilities, CAPABILITY.connectWithDb) ? readLast(reader) : EMPTY;
  const plugin = has(capabilities, CAPABILITY.pluginAuth)
    ? readLast(reader).toString('latin1')
    : undefined;
  const shown = Buffer.from(payload);
  shown.fill(BLANK, authEnd - authResponse.length, authEnd);
  const attributes = readAttributes(reader, capabilities, shown);
  const response = { ...head, user, authResponse, database, plugin, attributes };
  return { response, shown };
}

/** The payload for the upstream. `capabilities` is what goes there, TLS included. */
export function encodeResponse(response: HandshakeResponse): Buffer {
  const { capabilities, authResponse, attributes } = response;
  return Buffer.concat([
    encodeHead(response),
    nulBytes(response.user),
    has(capabilities, CAPABILITY.lenencAuth)
      ? lenencBytes(authResponse)
      : Buffer.concat([u8(shortLength(authResponse)), authResponse]),
    has(capabilities, CAPABILITY.connectWithDb) ? nulBytes(response.database) : EMPTY,
    has(capabilities, CAPABILITY.pluginAuth) ? nulBytes(response.plugin ?? '') : EMPTY,
    has(capabilities, CAPABILITY.connectAttrs) ? lenencBytes(attributes ?? EMPTY) : EMPTY,
  ]);
}

/** An SSLRequest, and the first 32 bytes of every response. */
export function encodeHead({ capabilities, packetSizeMax, collation }: ResponseHead): Buffer {
  const isMysql = has(capabilities, CAPABILITY.mysql);
  return Buffer.concat([
    u32(lowBits(capabilities)),
    u32(packetSizeMax),
    u8(collation),
    Buffer.alloc(19),
    u32(isMysql ? 0 : extendedBits(capabilities)),
  ]);
}

/**
 * Connection attributes as they stand at the end of a payload; the values of those that look like secrets
 * are blanked in `shown`. They say what program this is: claims of the client, never settings.
 */
export function readAttributes(
  reader: FieldReader,
  capabilities: bigint,
  shown: Buffer,
): Buffer | undefined {
  if (!has(capabilities, CAPABILITY.connectAttrs) || reader.isAtEnd) return undefined;
  const attributes = reader.lenencBytes();
  if (attributes.length > ATTRIBUTES_SIZE_MAX) {
    throw new ProtocolError(
      'MYSQL_ATTRIBUTES_SIZE',
      'client',
      `connection attributes of ${attributes.length} bytes, and the limit is ${ATTRIBUTES_SIZE_MAX}`,
    );
  }
  const start = reader.offset - attributes.length;
  const pairs = new FieldReader(attributes, 'client');
  while (!pairs.isAtEnd) {
    const name = pairs.lenencBytes().toString('latin1');
    const value = pairs.lenencBytes();
    const end = start + pairs.offset;
    if (SECRET_NAME.test(name)) shown.fill(BLANK, end - value.length, end);
  }
  return attributes;
}

/** A string whose end some clients leave out where nothing follows it. */
export function readLast(reader: FieldReader): Buffer {
  if (reader.isAtEnd) return EMPTY;
  const rest = reader.rest();
  const end = rest.indexOf(0);
  if (end < 0) return rest;
  reader.back(rest.length - end - 1);
  return rest.subarray(0, end);
}

function shortLength(authResponse: Buffer): number {
  if (authResponse.length <= 0xff) return authResponse.length;
  throw new ProtocolError(
    'MYSQL_AUTH_LENGTH',
    'client',
    'an authentication response of more than 255 bytes, and the database takes none',
  );
}
