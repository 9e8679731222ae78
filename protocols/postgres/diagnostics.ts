/**
 * Errors and notices are data: they quote values (GW-11, PG-81). What is redacted keeps its severity,
 * SQLSTATE, names of objects and position, and loses every text that may quote a value.
 */

import { BACKEND, HEADER_SIZE, encodeMessage } from './message.ts';
import { readField } from './refusal.ts';

/** Severity, SQLSTATE, position, source file and line, schema, table, column, type, constraint. */
const KEPT_FIELDS = new Set(Buffer.from('SVCPFLRstcdn'));
/** RAISE ... USING COLUMN = x and the like put any text into the name fields. */
const KEPT_FIELDS_OF_RAISE = new Set(Buffer.from('SVCPFLR'));
/** Source files of procedural languages, whose own code lets a function raise any text. */
const RAISE_SOURCE = /^(?:pl_|plperl|plpy|pltcl|plv8|plr|pllua)/i;

/**
 * SQLSTATEs whose text speaks of the statement and the catalog only, never of stored values: syntax
 * errors, unknown or ambiguous names, privileges, transaction and protocol state.
 */
const SAFE_CODES = new Set([
  '00000',
  '0A000',
  '08P01',
  '25001',
  '25006',
  '25P01',
  '25P02',
  '26000',
  '34000',
  '3B001',
  '3D000',
  '3F000',
  '40001',
  '40P01',
  '42501',
  '42601',
  '42602',
  '42701',
  '42702',
  '42703',
  '42704',
  '42710',
  '42723',
  '42725',
  '42803',
  '42883',
  '42P01',
  '42P02',
  '42P03',
  '42P05',
  '42P06',
  '42P07',
  '42P18',
  '53300',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);

/** The same diagnostic without its texts, or the message itself where they cannot quote a value. */
export function redactDiagnostic(message: Buffer): Buffer {
  const code = readField(message, 'C');
  // RAISE may use any SQLSTATE with any text, so only what the server's own code raised is trusted:
  // its source file is not the PL's (PL/pgSQL's RAISE comes from pl_exec.c).
  const isRaised = RAISE_SOURCE.test(readField(message, 'F'));
  // Inside a function the statement may have been built from values: SELECT "111-22-3333" is an
  // unknown name then, and the context quotes the whole statement.
  const isInner = readField(message, 'W') !== '' || readField(message, 'q') !== '';
  if (SAFE_CODES.has(code) && !isRaised && !isInner) return message;

  const kept = isRaised ? KEPT_FIELDS_OF_RAISE : KEPT_FIELDS;
  const fields: Buffer[] = [];
  let offset = HEADER_SIZE;
  while (offset < message.length && message[offset] !== 0) {
    const end = message.indexOf(0, offset);
    if (end < 0) break;
    if (kept.has(message[offset] ?? 0)) fields.push(message.subarray(offset, end + 1));
    offset = end + 1;
  }
  fields.push(
    Buffer.from(`Mtext redacted by Weir, because it may quote masked data (SQLSTATE ${code})\0`),
  );
  return encodeMessage(message[0] ?? BACKEND.noticeResponse, ...fields, Buffer.from([0]));
}

/** NotificationResponse: Int32 process, String channel, String payload; the payload is data. */
export function redactNotification(message: Buffer): Buffer {
  const channelEnd = message.indexOf(0, HEADER_SIZE + 4);
  if (channelEnd < 0 || message[channelEnd + 1] === 0) return message;
  return encodeMessage(
    BACKEND.notificationResponse,
    message.subarray(HEADER_SIZE, channelEnd + 1),
    'redacted by Weir',
  );
}
