/** Query and Parse: their text, or why it cannot be read the way that the server would read it. */

import { decodeStatement } from './encodings.ts';
import { FRONTEND, HEADER_SIZE } from './message.ts';
import type { Refusal } from './refusal.ts';
import type { RelayState } from './relay-state.ts';

export interface StatementMessage {
  readonly kind: 'query' | 'parse';
  /** Name of the prepared statement, byte for byte (latin1); empty: unnamed, or a query. */
  readonly name: string;
  readonly text: string;
  /** Set: the text is not certain, so the statement must not reach the server. */
  readonly refusal: Refusal | undefined;
}

const BACKSLASH = '\\';

export function readStatement(message: Buffer, state: RelayState): StatementMessage {
  const kind = message[0] === FRONTEND.query ? 'query' : 'parse';
  const nameEnd = kind === 'parse' ? message.indexOf(0, HEADER_SIZE) : HEADER_SIZE - 1;
  const textEnd = nameEnd < 0 ? -1 : message.indexOf(0, nameEnd + 1);
  const name =
    kind === 'parse' && nameEnd > 0 ? message.toString('latin1', HEADER_SIZE, nameEnd) : '';
  if (textEnd < 0)
    return refused(kind, name, { code: '08P01', message: 'invalid string in message' });
  // What stands behind the text's NUL could be read by another parser than ours (PG-24).
  if (kind === 'query' && textEnd !== message.length - 1) {
    return refused(kind, name, { code: '08P01', message: 'invalid message format' });
  }
  const text = decodeStatement(message.subarray(nameEnd + 1, textEnd), state.clientEncoding);
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
  return { kind, name, text, refusal: undefined };
}

function refused(kind: 'query' | 'parse', name: string, refusal: Refusal): StatementMessage {
  return { kind, name, text: '', refusal };
}
