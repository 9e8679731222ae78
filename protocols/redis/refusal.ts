/**
 * How Weir says no in Redis' words: one error line, whose first word clients show as the code (vector.md
 * 2.10). A refused command is `-NOPERM`, as by the server's own ACLs.
 */

import type { Decision } from '../contract.ts';
import { encodeRequest } from '../wire/resp-request.ts';
import { encodeError } from '../wire/resp-value.ts';

export interface Refusal {
  /** SQLSTATE or the like, as the rest of Weir names it. */
  readonly code: string;
  readonly message: string;
}

/** A refusal may quote what was asked. */
const TEXT_SIZE_MAX = 4096;

const WORDS: ReadonlyMap<string, string> = new Map([
  ['28000', 'WRONGPASS'],
  ['28P01', 'WRONGPASS'],
  ['42501', 'NOPERM'],
  ['53400', 'NOPERM'],
]);

export const WRONG_PASSWORD: Refusal = {
  code: '28P01',
  message: 'invalid username-password pair or user is disabled.',
};

export function forbidden(message: string): Refusal {
  return { code: '42501', message };
}

export function refusalOf({ code, reason, hint }: Extract<Decision, { kind: 'block' }>): Refusal {
  return { code, message: hint === undefined ? reason : `${reason}. ${hint}` };
}

export function encodeRefusal({ code, message }: Refusal): Buffer {
  return encodeError(WORDS.get(code) ?? 'ERR', message.slice(0, TEXT_SIZE_MAX));
}

/** As the server has it for a command before the sign-in. */
export const NO_AUTH = encodeError('NOAUTH', 'Authentication required.');
export const NO_AUTH_HELLO = encodeError(
  'NOAUTH',
  'HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);

/**
 * No server knows it, so it fails a transaction as any command does that cannot be queued, and EXEC answers
 * EXECABORT. It goes in the place of a command that is refused between MULTI and EXEC.
 */
export const POISON_WORDS = ['WEIR.REFUSED'] as const;
export const POISON = encodeRequest(POISON_WORDS);
