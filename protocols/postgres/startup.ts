/**
 * The packets without a tag with which every connection begins: Int32 length (itself included), Int32
 * code, body. https://www.postgresql.org/docs/current/protocol-message-formats.html (PG-1, PG-9)
 */

import { ByteReader } from '../wire/byte-reader.ts';
import { cstring, int32 } from './message.ts';

export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;
export const CANCEL_REQUEST = 80877102;
/** PostgreSQL's MAX_STARTUP_PACKET_LENGTH plus the length word (PG-1). */
export const STARTUP_SIZE_MAX = 10_004;
/** First byte of a TLS record that carries a handshake: a client that starts TLS at once (PG-6). */
export const TLS_HANDSHAKE = 0x16;

export const SSL_REQUEST_PACKET = Buffer.concat([int32(8), int32(SSL_REQUEST)]);

export interface StartupPacket {
  readonly bytes: Buffer;
  readonly major: number;
  readonly minor: number;
  /** In the client's order; names and values as bytes, since no encoding is agreed on yet. */
  readonly parameters: readonly { readonly name: string; readonly value: Buffer }[];
}

export type FirstPacket =
  | { readonly kind: 'ssl'; readonly size: number }
  | { readonly kind: 'gssenc'; readonly size: number }
  | { readonly kind: 'cancel'; readonly size: number; readonly key: Buffer; readonly bytes: Buffer }
  | { readonly kind: 'startup'; readonly size: number; readonly packet: StartupPacket }
  | {
      readonly kind: 'bad-version';
      readonly size: number;
      readonly major: number;
      readonly minor: number;
    }
  | { readonly kind: 'bad-length' }
  | { readonly kind: 'bad-layout' };

/** The packet at the start of `bytes`; undefined: more bytes are needed. */
export function decodeFirstPacket(bytes: Buffer): FirstPacket | undefined {
  if (bytes.length < 4) return undefined;
  const size = bytes.readInt32BE(0);
  if (size < 8 || size > STARTUP_SIZE_MAX) return { kind: 'bad-length' };
  if (bytes.length < size) return undefined;

  const packet = bytes.subarray(0, size);
  const code = packet.readInt32BE(4);
  if (code === SSL_REQUEST) return size === 8 ? { kind: 'ssl', size } : { kind: 'bad-length' };
  if (code === GSSENC_REQUEST)
    return size === 8 ? { kind: 'gssenc', size } : { kind: 'bad-length' };
  if (code === CANCEL_REQUEST) {
    // Process id and a key of 4 bytes (3.0) or up to 256 (3.2).
    if (size < 16 || size > 12 + 256) return { kind: 'bad-length' };
    return { kind: 'cancel', size, key: packet.subarray(8), bytes: packet };
  }
  const major = code >>> 16;
  const minor = code & 0xffff;
  if (major !== 3) return { kind: 'bad-version', size, major, minor };
  const parameters = decodeParameters(packet);
  if (parameters === undefined) return { kind: 'bad-layout' };
  return { kind: 'startup', size, packet: { bytes: packet, major, minor, parameters } };
}

/** Pairs of NUL-terminated strings, then one NUL at the very end. */
function decodeParameters(packet: Buffer): StartupPacket['parameters'] | undefined {
  class Layout extends Error {}
  const reader = new ByteReader(packet, 8, () => new Layout());
  const parameters: { name: string; value: Buffer }[] = [];
  try {
    for (let name = reader.cstring(); name.length > 0; name = reader.cstring()) {
      parameters.push({ name: name.toString('latin1'), value: reader.cstring() });
    }
  } catch (error) {
    if (error instanceof Layout) return undefined;
    throw error;
  }
  return reader.isAtEnd ? parameters : undefined;
}

export function findParameter(packet: StartupPacket, name: string): string | undefined {
  return packet.parameters.findLast((parameter) => parameter.name === name)?.value.toString();
}

/** The same packet for another user and database, everything else as the client sent it (PG-9). */
export function rewriteStartup(packet: StartupPacket, user: string, database: string): Buffer {
  const parts: Buffer[] = [];
  for (const { name, value } of packet.parameters) {
    if (name === 'database') continue;
    parts.push(Buffer.from(name, 'latin1'), Buffer.from([0]));
    parts.push(name === 'user' ? Buffer.from(user) : value, Buffer.from([0]));
  }
  parts.push(cstring('database'), cstring(database), Buffer.from([0]));
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(8 + body.length), packet.bytes.subarray(4, 8), body]);
}

/** True for `replication=true|database|on|1|yes` (PG-53). */
export function asksForReplication(packet: StartupPacket): boolean {
  const value = findParameter(packet, 'replication');
  if (value === undefined) return false;
  // PostgreSQL takes every unambiguous prefix of these, in any case; the rest of its booleans is no.
  const text = value.toLowerCase();
  const isNo = ['false', 'no', 'off', '0'].some((no) => no.startsWith(text)) && text !== 'o';
  return text === '' || !isNo;
}
