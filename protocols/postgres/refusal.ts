/**
 * How Weir says no in PostgreSQL's words. A blocked statement is replaced by one that cannot be parsed,
 * the server itself then fails the transaction and skips to the next Sync, and its error is rewritten
 * to name the rule (PG-31). So transaction state and pipelines behave as after any error.
 */

import type { Decision } from '../contract.ts';
import { BACKEND, FRONTEND, encodeMessage, int32 } from './message.ts';

export interface Refusal {
  /** SQLSTATE; 42501 insufficient_privilege for a rule (GW-18). */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly position?: number | undefined;
  readonly rule?: string | undefined;
}

const TEXT_SIZE_MAX = 4096;
const NO_BYTES = Buffer.alloc(0);

export function refusalOf(decision: Extract<Decision, { kind: 'block' }>): Refusal {
  return {
    code: decision.code,
    message: decision.reason,
    hint: decision.hint,
    position: decision.position,
    rule: decision.rule,
  };
}

/** ErrorResponse with the given severity; the text is ASCII unless the client reads UTF-8. */
export function encodeError(severity: 'ERROR' | 'FATAL', refusal: Refusal, isUtf8 = true): Buffer {
  const fields = [
    `S${severity}`,
    `V${severity}`,
    `C${refusal.code}`,
    `M${cleanText(refusal.message, isUtf8)}`,
  ];
  if (refusal.hint !== undefined) fields.push(`H${cleanText(refusal.hint, isUtf8)}`);
  if (refusal.position !== undefined) fields.push(`P${refusal.position}`);
  return encodeMessage(BACKEND.errorResponse, ...fields, Buffer.from([0]));
}

/** Query that fails in the server's parser whatever its settings: no statement starts with ")". */
export function poisonQuery(refusal: Refusal): Buffer {
  return encodeMessage(FRONTEND.query, poisonText(refusal));
}

/** Parse of the same name with the poison text and no parameter types. */
export function poisonParse(name: Buffer, refusal: Refusal): Buffer {
  return encodeMessage(
    FRONTEND.parse,
    name,
    Buffer.from([0]),
    poisonText(refusal),
    Buffer.from([0, 0]),
  );
}

/** FunctionCall of routine 0, which does not exist; no arguments, text result. */
export function poisonCall(): Buffer {
  return encodeMessage(FRONTEND.functionCall, int32(0), Buffer.alloc(6));
}

/** ErrorResponse of the oldest form, for clients that speak protocol 1 or 2 (PG-1): no length word. */
export function encodeAncientError(text: string): Buffer {
  return Buffer.concat([Buffer.from([BACKEND.errorResponse]), Buffer.from(`${text}\0`)]);
}

/** The fields of an ErrorResponse or NoticeResponse by their letter; NO_BYTES where one is absent. */
export function readField(message: Buffer, letter: string): string {
  let offset = 5;
  while (offset < message.length && message[offset] !== 0) {
    const end = message.indexOf(0, offset);
    if (end < 0) break;
    if (message[offset] === letter.charCodeAt(0))
      return message.toString('latin1', offset + 1, end);
    offset = end + 1;
  }
  return NO_BYTES.toString();
}

/** Rule names are plain by configuration; anything else is left out of what the server may log. */
function poisonText(refusal: Refusal): string {
  const rule = (refusal.rule ?? '').replaceAll(/[^\w-]/g, '');
  return rule === '' ? ') refused by Weir' : `) refused by Weir, rule ${rule}`;
}

function cleanText(text: string, isUtf8: boolean): string {
  const clipped = text.replaceAll('\0', ' ').slice(0, TEXT_SIZE_MAX);
  return isUtf8 ? clipped : clipped.replaceAll(/[^\x20-\x7e\n]/g, '?');
}
