/**
 * AuthSwitchRequest: 0xfe, plugin NUL, the plugin's data. A lone 0xfe asks for the password hash of before
 * 4.1, which is refused (MY-7).
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html
 */

import { FieldReader, nulBytes } from './fields.ts';

export const AUTH_SWITCH = 0xfe;
export const CLEAR_PASSWORD = 'mysql_clear_password';
/** Packets of one side in one exchange; the longest known one (parsec, dialogs) takes fewer. */
export const AUTH_PACKET_COUNT_MAX = 64;

export interface AuthSwitch {
  readonly plugin: string;
  /** The nonce, most often with a NUL behind it. */
  readonly content: Buffer;
}

/** Undefined: the request for the old password. */
export function parseAuthSwitch(payload: Buffer): AuthSwitch | undefined {
  if (payload.length === 1) return undefined;
  const reader = new FieldReader(payload, 'server', 1);
  return { plugin: reader.nulBytes().toString('latin1'), content: reader.rest() };
}

export function encodeAuthSwitch(plugin: string, nonce: Buffer): Buffer {
  return Buffer.concat([Buffer.of(AUTH_SWITCH), nulBytes(plugin), nulBytes(nonce)]);
}
