/** What both directions of a signed-in session share. */

import type { Inspection, SessionOptions } from '../contract.ts';
import type { Outbox } from './outbox.ts';
import { Replies } from './replies.ts';
import { Statements } from './statements.ts';

export interface RelayState {
  readonly out: Outbox;
  readonly options: SessionOptions;
  readonly inspection: Inspection;
  readonly replies: Replies;
  readonly statements: Statements;
  /** Portals whose description is on its way; those of an Execute are asked for (PG-40). */
  readonly described: Set<string>;
  /** Server parameters that decide how a text is read (PG-10, PG-66). */
  clientEncoding: string;
  isStandardStrings: boolean;
  /** A sensitive statement ran in this transaction: every diagnostic may quote its data. */
  isTouched: boolean;
}

export function createRelayState(
  out: Outbox,
  options: SessionOptions,
  inspection: Inspection,
): RelayState {
  return {
    out,
    options,
    inspection,
    replies: new Replies(),
    statements: new Statements(),
    described: new Set(),
    // Unknown until the server says so: then only ASCII without backslashes is read.
    clientEncoding: '',
    isStandardStrings: false,
    isTouched: false,
  };
}
