/**
 * What a recording shows to people and programs: one event for each message on the wire. The JSON
 * replay prints these objects as they are, so their field names are stable (docs/RECORDING.md).
 * A protocol is made readable by a `View`; the names here are those of PostgreSQL, the first one.
 */

import type { Side } from '../../protocols/contract.ts';

export interface ViewColumn {
  readonly name: string;
  /** OID and attribute number of the table column; 0 where it is none. */
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly format: 'text' | 'binary';
}

/** Text as it is, binary and undecodable values as `\x` and hex, null for NULL. */
export type ViewValue = string | null;

/** `cut`: the message was longer than what a view holds; `size` is that of the whole body. */
interface Cuttable {
  readonly size: number;
  readonly cut?: true;
}

export type ViewFact =
  | { readonly event: 'startup'; readonly protocol: string; readonly parameters: ViewParameters }
  | { readonly event: 'ssl-request' | 'gssenc-request' | 'cancel-request' }
  | { readonly event: 'negotiation-reply'; readonly reply: string }
  /** A password, SASL or GSS message; its bytes were never recorded (GW-16) and are never shown. */
  | ({ readonly event: 'credential' } & Cuttable)
  | ({ readonly event: 'query'; readonly text: string } & Cuttable)
  | ({ readonly event: 'parse'; readonly statement: string; readonly text: string } & Cuttable)
  | ({
      readonly event: 'bind';
      readonly portal: string;
      readonly statement: string;
      readonly parameters: readonly ViewValue[];
    } & Cuttable)
  | {
      readonly event: 'describe' | 'close';
      readonly target: 'statement' | 'portal';
      readonly name: string;
    }
  | {
      readonly event: 'execute';
      readonly portal: string;
      /** The text of the statement, where its Parse is in the recording. */
      readonly text?: string;
      readonly parameters?: readonly ViewValue[];
      /** 0: all rows. */
      readonly rowsMax: number;
    }
  | { readonly event: 'sync' | 'flush' | 'terminate' | 'copy-done' }
  | ({ readonly event: 'copy-data'; readonly text: string } & Cuttable)
  | { readonly event: 'copy-fail'; readonly message: string }
  | { readonly event: 'function-call'; readonly routine: number }
  | { readonly event: 'authentication'; readonly method: string }
  | { readonly event: 'protocol-negotiation'; readonly protocol: string }
  | { readonly event: 'parameter'; readonly name: string; readonly value: string }
  /** The cancel key itself is a secret. */
  | { readonly event: 'cancel-key' }
  | {
      readonly event: 'columns';
      readonly describes: 'result' | 'statement' | 'portal';
      /** Not on the wire here: known from an earlier description of the statement (PG-40). */
      readonly inferred?: true;
      readonly columns: readonly ViewColumn[];
    }
  | ({ readonly event: 'row'; readonly values: readonly ViewValue[] } & Cuttable)
  | { readonly event: 'complete'; readonly tag: string }
  | { readonly event: 'empty-query' | 'suspended' }
  | {
      readonly event: 'acknowledgement';
      readonly of: 'parse' | 'bind' | 'close' | 'no-data' | 'types';
    }
  | ({ readonly event: 'error' | 'notice' } & ViewDiagnostic)
  | { readonly event: 'ready'; readonly status: 'idle' | 'transaction' | 'failed' }
  | {
      readonly event: 'copy-start';
      readonly direction: 'in' | 'out' | 'both';
      readonly format: 'text' | 'binary';
      readonly columns: number;
    }
  | { readonly event: 'notification'; readonly channel: string; readonly payload: string }
  | { readonly event: 'function-result'; readonly value: ViewValue }
  /** A message this view does not know; it is shown, not skipped. */
  | { readonly event: 'unknown'; readonly type: string; readonly size: number }
  | { readonly event: 'unreadable'; readonly type: string; readonly size: number }
  /** The framing is lost: what follows from this side cannot be shown. */
  | { readonly event: 'out-of-step'; readonly problem: string };

export type ViewParameters = Readonly<Record<string, string>>;

export interface ViewDiagnostic {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** 1-based character position in the statement. */
  readonly position?: string;
  readonly where?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

export type ViewEvent = ViewFact & { readonly from: Side; readonly by?: 'gateway' };

export interface View {
  /** Gives the messages that `bytes` completed, in order. Never throws on what it reads. */
  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ViewEvent[];
  /** Bytes that it holds of unfinished messages; bounded, whatever a message's length says. */
  readonly heldSize: number;
}
