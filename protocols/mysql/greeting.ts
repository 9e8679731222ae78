/**
 * The server's first packet, HandshakeV10: read from the upstream, and written for the client with
 * Weir's edits (MY-2). Version text, connection id and status go through unchanged (MY-17, MY-57).
 *
 *   1 protocol 10 | version NUL | 4 connection id | 8 nonce, first part | 0 | 2 capabilities, low |
 *   1 collation | 2 status | 2 capabilities, high | 1 nonce length + 1 | 6 zero | 4 zero, or MariaDB's
 *   extended capabilities | nonce, second part, NUL | plugin NUL
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */

import { ProtocolError } from '../errors.ts';
import { CAPABILITY, extendedBits, has, joinBits, lowBits } from './capabilities.ts';
import { FieldReader, nulBytes, u16, u32, u8 } from './fields.ts';

const PROTOCOL_10 = 10;
const NONCE_FIRST_SIZE = 8;
/** What every 4.1 server sends behind the first 8 bytes, its NUL included. */
const NONCE_SECOND_SIZE_MIN = 13;
export const NONCE_SIZE = 20;
const NATIVE = 'mysql_native_password';

export interface Greeting {
  /** Raw, as text clients branch on it. */
  readonly version: string;
  readonly connectionId: number;
  /** Without its NUL. */
  readonly nonce: Buffer;
  readonly capabilities: bigint;
  /** Lowest byte of the server's default collation. */
  readonly collation: number;
  readonly status: number;
  readonly plugin: string;
}

/** The first release of MySQL that can say what changes in a session. */
const SESSION_TRACK_SINCE = 50_700;

export interface ServerIdentity {
  readonly flavor: 'mysql' | 'mariadb';
  /** As in version comments: 101119 is 10.11.19, 80036 is 8.0.36. */
  readonly version: number;
  /** It does not offer what every MySQL since 5.7 does: it only speaks the protocol (MY-38). */
  readonly isLookalike: boolean;
  readonly versionText: string;
  readonly connectionId: number;
}

export function parseGreeting(payload: Buffer): Greeting {
  const reader = new FieldReader(payload, 'server');
  const protocol = reader.u8();
  if (protocol !== PROTOCOL_10) {
    throw greetingError(`it speaks protocol ${protocol}, and Weir speaks 10`);
  }
  const version = reader.nulBytes().toString('latin1');
  const connectionId = reader.u32();
  const first = reader.bytes(NONCE_FIRST_SIZE);
  reader.u8();
  const low = reader.u16();
  // Servers before 4.1 end here.
  if (reader.isAtEnd) throw greetingError('it is older than 4.1');
  const collation = reader.u8();
  const status = reader.u16();
  const high = reader.u16();
  const nonceLength = reader.u8();
  reader.bytes(6);
  const capabilities = joinBits(low + high * 0x1_0000, reader.u32());
  requireFlags(capabilities);
  const secondSize = Math.max(NONCE_SECOND_SIZE_MIN, nonceLength - NONCE_FIRST_SIZE);
  const second = reader.bytes(Math.min(secondSize, reader.restSize));
  const nonce = Buffer.concat([first, withoutEnd(second)]);
  if (nonce.length < NONCE_SIZE) throw greetingError(`its nonce has ${nonce.length} bytes`);
  const plugin = has(capabilities, CAPABILITY.pluginAuth) ? readPlugin(reader) : NATIVE;
  return { version, connectionId, nonce, capabilities, collation, status, plugin };
}

export function encodeGreeting(greeting: Greeting): Buffer {
  const { capabilities, nonce } = greeting;
  const hasPlugin = has(capabilities, CAPABILITY.pluginAuth);
  const isMariadb = !has(capabilities, CAPABILITY.mysql);
  const low = lowBits(capabilities);
  return Buffer.concat([
    u8(PROTOCOL_10),
    nulBytes(Buffer.from(greeting.version, 'latin1')),
    u32(greeting.connectionId),
    nonce.subarray(0, NONCE_FIRST_SIZE),
    u8(0),
    u16(low & 0xffff),
    u8(greeting.collation),
    u16(greeting.status),
    u16(low >>> 16),
    u8(hasPlugin ? nonce.length + 1 : 0),
    Buffer.alloc(6),
    u32(isMariadb ? extendedBits(capabilities) : 0),
    nonce.subarray(NONCE_FIRST_SIZE),
    u8(0),
    hasPlugin ? nulBytes(greeting.plugin) : Buffer.alloc(0),
  ]);
}

/** Random bytes as the servers make them: ASCII without NUL and `$`, which end strings in clients. */
export function nonceOf(random: Buffer): Buffer {
  return Buffer.from(
    random.map((byte) => {
      const ascii = byte & 0x7f;
      return ascii === 0 || ascii === 0x24 ? ascii + 1 : ascii;
    }),
  );
}

/**
 * A MariaDB server may be told to name any version; that it leaves bit 0 clear it cannot hide. Its
 * `5.5.5-` prefix is for old replicas and no part of the number.
 */
export function identityOf(greeting: Greeting): ServerIdentity {
  const isMariadb =
    /mariadb/i.test(greeting.version) || !has(greeting.capabilities, CAPABILITY.mysql);
  const text = isMariadb ? greeting.version.replace(/^5\.5\.5-/, '') : greeting.version;
  const [, major = '0', minor = '0', patch = '0'] =
    /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?/.exec(text) ?? [];
  const version = Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
  const isWhole = has(greeting.capabilities, CAPABILITY.sessionTrack);
  return {
    flavor: isMariadb ? 'mariadb' : 'mysql',
    version,
    isLookalike: !isMariadb && !isWhole && version >= SESSION_TRACK_SINCE,
    versionText: greeting.version,
    connectionId: greeting.connectionId,
  };
}

function requireFlags(capabilities: bigint): void {
  const needed = CAPABILITY.protocol41 | CAPABILITY.secureConnection;
  if ((capabilities & needed) !== needed) throw greetingError('it is older than 4.1');
}

function withoutEnd(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Some servers leave the end of the name out (MySQL bug 59453). */
function readPlugin(reader: FieldReader): string {
  const name = withoutEnd(reader.rest()).toString('latin1');
  return name === '' ? NATIVE : name;
}

function greetingError(what: string): ProtocolError {
  return new ProtocolError(
    'MYSQL_GREETING',
    'server',
    `Weir cannot speak to the database: ${what}`,
  );
}
