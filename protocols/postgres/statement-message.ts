/** Query and Parse: their text and the types that they declare, or why it cannot be read the way that the server would read it. */

import { decodeStatement } from './encodings.ts';
import { FRONTEND, HEADER_SIZE } from './message.ts';
import type { Refusal } from './refusal.ts';
import type { RelayState } from './relay-state.ts';

export interface StatementMessage {
  readonly kind: 'query' | 'parse';
  /** Name of the prepared statement, byte for byte (latin1); empty: unnamed, or a query. */
  readonly name: string;
  readonly text: string;
  /** Oids of the parameters' types, 0 where the server is to find it out; none for a query. */
  readonly parameterTypes: readonly number[];
  /** Set: the text is not certain, so the statement must not reach the server. */
  readonly refusal: Refusal | undefined;
}

const BACKSLASH = '\\';
const SHORTAGE = 'insufficient data left in message';
const EXCESS = 'invalid message format';

export function readStatement(message: Buffer, state: RelayState): StatementMessage {
  const kind = message[0] === FRONTEND.query ? 'query' : 'parse';
  const nameEnd = kind === 'parse' ? message.indexOf(0, HEADER_SIZE) : HEADER_SIZE - 1;
  const textEnd = nameEnd < 0 ? -1 : message.indexOf(0, nameEnd + 1);
  const name =
    kind === 'parse' && nameEnd > 0 ? message.toString('latin1', HEADER_SIZE, nameEnd) : '';
  if (textEnd < 0)
    return refused(kind, name, { code: '08P01', message: 'invalid string in message' });
  const parameterTypes = readParameterTypes(kind, message, textEnd + 1);
  if (typeof parameterTypes === 'string')
    return refused(kind, name, { code: '08P01', message: parameterTypes });
  const bytes = message.subarray(nameEnd + 1, textEnd);
  const inFlight = refusalInFlight(kind, bytes, state);
  if (inFlight !== undefined) return refused(kind, name, inFlight);
  const text = decodeStatement(bytes, state.clientEncoding);
  if (text === undefined) {
    return refused(kind, name, {
      code: '22021',
      message: `Weir cannot read this statement as ${state.clientEncoding || 'the client encoding'}, so it was not sent`,
      hint: "Use SET client_encoding = 'UTF8'.",
    });
  }
  if (!state.isStandardStrings && text.includes(BACKSLASH)) {
    // With the setting off a backslash in '...' escapes the quote behind it (PG-66).
    return refused(kind, name, {
      code: '42501',
      message: 'Weir does not read backslashes while standard_conforming_strings is off',
      hint: 'Use SET standard_conforming_strings = on.',
    });
  }
  return { kind, name, text, parameterTypes, refusal: undefined };
}

/**
 * Behind the text, a Parse has an Int16 count and an Int32 for each type: values of declared types are
 * made at Bind, by code of the types' own (PG-62). A Query has nothing. Where anything else stands there,
 * which another parser than ours could read (PG-24), it gives what the server says of it.
 */
function readParameterTypes(
  kind: 'query' | 'parse',
  message: Buffer,
  start: number,
): readonly number[] | string {
  if (kind === 'query') return start === message.length ? [] : EXCESS;
  if (message.length < start + 2) return SHORTAGE;
  const count = message.readUInt16BE(start);
  const end = start + 2 + 4 * count;
  if (message.length !== end) return message.length < end ? SHORTAGE : EXCESS;
  return Array.from({ length: count }, (_, index) => message.readUInt32BE(start + 2 + 4 * index));
}

/**
 * What is in flight may set back a setting that decides how these bytes are read (RESET, DISCARD,
 * ROLLBACK, the end of SET LOCAL), and nobody knows before the server says so (GW-3). It matters only in
 * a session that had another value once: there such a statement has to wait for the answers before it.
 */
function refusalInFlight(
  kind: 'query' | 'parse',
  bytes: Buffer,
  state: RelayState,
): Refusal | undefined {
  if (state.replies.size === 0) return undefined;
  const isStrings = state.wasNonStandardStrings && bytes.includes(BACKSLASH);
  const isEncoding = state.wasOtherEncoding && bytes.some((byte) => byte >= 0x80);
  if (!isStrings && !isEncoding) return undefined;
  return {
    code: '42501',
    message: `Weir does not read this ${kind === 'query' ? 'query' : 'statement'} before earlier ones are answered, because they may change how it is read`,
    hint: `Send it after their answers, or connect with ${isStrings ? 'standard_conforming_strings = on' : "client_encoding = 'UTF8'"}.`,
  };
}

function refused(kind: 'query' | 'parse', name: string, refusal: Refusal): StatementMessage {
  return { kind, name, text: '', parameterTypes: [], refusal };
}
