/**
 * What must not reach the recording (GW-16): password messages, cancel keys, and passwords inside
 * statements. Secrets are overwritten in place, so that every length stays what it was.
 */

import { BACKEND, FRONTEND, HEADER_SIZE } from './message.ts';

const BLANK = 0x2a; // '*'

/** The message with its body blanked. */
export function blankSecret(message: Buffer): Buffer {
  const blank = Buffer.alloc(message.length, BLANK);
  message.copy(blank, 0, 0, HEADER_SIZE);
  return blank;
}

/** BackendKeyData with its key zeroed; the process id stays. */
export function blankKey(message: Buffer): Buffer {
  if (message[0] !== BACKEND.backendKeyData) return message;
  const blank = Buffer.from(message);
  blank.fill(0, HEADER_SIZE + 4);
  return blank;
}

/**
 * CREATE ROLE ... PASSWORD, OPTIONS (password ...), SUBSCRIPTION ... CONNECTION, connection strings; and
 * U&"..." identifiers, which can spell any of these names in escapes.
 */
const TRIGGER = /password|passwd|dblink|subscription|secret|u&"/i;
/** Where a literal begins: a quote, or the opening of a dollar quote ($1 is a parameter). */
const LITERAL_START = /'|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/;

/**
 * A Query or Parse message with its secrets blanked; the message itself where it has none. It errs on
 * one side: from the first literal behind a trigger word everything up to the end of the text goes,
 * because where a literal ends depends on settings that this function does not know.
 */
export function blankStatementSecrets(message: Buffer): Buffer {
  const start = textStart(message);
  const nul = message.indexOf(0, start);
  const text = message.toString('latin1', start, nul < 0 ? message.length : nul);
  const trigger = TRIGGER.exec(text);
  if (trigger === null) return message;
  const triggerEnd = trigger.index + trigger[0].length;
  const literal = LITERAL_START.exec(text.slice(triggerEnd));
  // The trigger may stand inside of a literal that began before it: then the secret follows at once.
  const isInside = LITERAL_START.test(text.slice(0, trigger.index));
  if (literal === null && !isInside) return message;
  const from = isInside ? triggerEnd : triggerEnd + (literal?.index ?? 0);
  const blank = Buffer.from(message);
  blank.fill(BLANK, start + from, start + text.length);
  return blank;
}

/** The text of a Parse comes behind the statement's name. */
function textStart(message: Buffer): number {
  if (message[0] !== FRONTEND.parse) return HEADER_SIZE;
  const nameEnd = message.indexOf(0, HEADER_SIZE);
  return nameEnd < 0 ? HEADER_SIZE : nameEnd + 1;
}
