/** What both directions of a signed-in session share. */

import type { Inspection, SessionOptions } from '../contract.ts';
import type { Outbox } from './outbox.ts';
import { type Expected, Replies } from './replies.ts';
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
  /** Either had another value than the common one, and may go back to it (GW-3). */
  wasNonStandardStrings: boolean;
  wasOtherEncoding: boolean;
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
    wasNonStandardStrings: false,
    wasOtherEncoding: false,
    isTouched: false,
  };
}

/** The server has done what `head` asks: what it made or closed is known from now on (PG-37). */
export function followNames(state: RelayState, head: Expected): void {
  const { statements } = state;
  if (head.kind === 'parse') {
    // No statement in the entry: nothing is known of it, and it is treated so.
    if (head.statement === undefined) statements.removeStatement(head.name ?? '');
    else statements.addStatement(head.name ?? '', head.statement);
  } else if (head.kind === 'bind') {
    statements.addPortal(head.portal ?? '', head.name ?? '');
    if (statements.statement(head.name ?? '')?.isSensitive !== false) state.isTouched = true;
  } else if (head.kind === 'close') {
    if (head.portal !== undefined) statements.removePortal(head.portal);
    if (head.name !== undefined) statements.removeStatement(head.name);
  }
}

/** True where a diagnostic of the server, here and now, may quote masked data (GW-11). */
export function mayQuoteMasked(state: RelayState): boolean {
  if (!state.inspection.results) return false;
  const { head } = state.replies;
  return state.isTouched || (head !== undefined && isSensitive(state, head));
}

/** What is unknown counts as sensitive, except a Query or Parse whose decision did not say so. */
function isSensitive({ statements }: RelayState, head: Expected): boolean {
  if (head.kind === 'query' || head.kind === 'parse') return head.statement?.isSensitive === true;
  if (head.kind === 'bind') return statements.statement(head.name ?? '')?.isSensitive !== false;
  if (head.kind === 'describe' || head.kind === 'execute') {
    return (
      head.portal !== undefined && statements.portal(head.portal).statement?.isSensitive !== false
    );
  }
  return head.kind === 'call';
}
