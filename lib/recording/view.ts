/**
 * What a recording shows to people and programs: one event for each message on the wire. The JSON
 * replay prints these objects as they are, so their field names are stable (docs/RECORDING.md).
 * A protocol is made readable by a `View`; the names here are those of PostgreSQL, the first one,
 * wherever MySQL has the same thing, so that whoever reads the JSON of one can read that of the other.
 */

import type { HeaderList, Side } from '../../protocols/contract.ts';
import type { ViewField } from './protobuf-tree.ts';

export interface ViewColumn {
  readonly name: string;
  /** OID and attribute number of the table column; 0 where it is none. */
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly format: 'text' | 'binary';
  /** MySQL: the type by name, such as `int unsigned`. */
  readonly typeName?: string;
  /** MySQL: `database.table.column`, as the server says; missing where it names none. */
  readonly origin?: string;
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
  | ({
      readonly event: 'query';
      readonly text: string;
      /** MySQL: query attributes by name. */
      readonly attributes?: Readonly<Record<string, ViewValue>>;
    } & Cuttable)
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
      /** Empty for the unnamed one, and in MySQL, which has none. */
      readonly portal: string;
      /** MySQL: the number of the statement; `last` for MariaDB's "the one just prepared". */
      readonly statement?: string;
      /** The text of the statement, where its Parse is in the recording. */
      readonly text?: string;
      readonly parameters?: readonly ViewValue[];
      /** MariaDB's bulk execution: how many sets of parameters there are; the first is shown. */
      readonly sets?: number;
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
      readonly describes: 'result' | 'statement' | 'portal' | 'table';
      /** Not on the wire here: known from an earlier description of the statement (PG-40). */
      readonly inferred?: true;
      readonly columns: readonly ViewColumn[];
    }
  | ({ readonly event: 'row'; readonly values: readonly ViewValue[] } & Cuttable)
  | ({ readonly event: 'complete'; readonly tag: string } & Outcome)
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
  | MysqlFact
  | ExchangeFact
  /** The framing is lost: what follows from this side cannot be shown. */
  | { readonly event: 'out-of-step'; readonly problem: string };

/** What only MySQL has. */
export type MysqlFact =
  | {
      readonly event: 'greeting';
      readonly version: string;
      /** Connection id, as in KILL. */
      readonly thread: number;
      readonly method: string;
    }
  | { readonly event: 'change-user'; readonly parameters: ViewParameters }
  /** A command without an event of its own, by the name that the protocol gives it. */
  | ({ readonly event: 'command'; readonly name: string; readonly argument?: string } & Cuttable)
  | {
      readonly event: 'prepared';
      readonly statement: string;
      readonly parameters: number;
      readonly columns: number;
    }
  /** A parameter that is sent ahead of its Execute, in pieces (COM_STMT_SEND_LONG_DATA). */
  | ({
      readonly event: 'long-data';
      readonly statement: string;
      readonly parameter: number;
      readonly text: string;
    } & Cuttable)
  | { readonly event: 'fetch'; readonly statement: string; readonly rowsMax: number }
  /** LOAD DATA LOCAL: the server asks for a file of the client (MY-34). */
  | { readonly event: 'file-request'; readonly file: string }
  | {
      readonly event: 'progress';
      readonly stage: number;
      readonly stages: number;
      readonly percent: number;
      readonly info: string;
    }
  | { readonly event: 'statistics'; readonly text: string }
  /** Something is not as the protocol has it; what follows is shown all the same. */
  | { readonly event: 'problem'; readonly problem: string };

/** HTTP and gRPC: `exchange` numbers a request and its answer within the session. */
export type ExchangeFact =
  | {
      readonly event: 'request';
      readonly exchange: number;
      readonly method: string;
      /** Path and query. */
      readonly target: string;
      readonly authority: string;
      readonly version: '1.1' | '2';
      /** Values that are secrets were never recorded. */
      readonly headers: HeaderList;
    }
  | {
      readonly event: 'answer';
      readonly exchange: number;
      readonly status: number;
      readonly reason?: string;
      readonly headers: HeaderList;
    }
  /** A whole body, inflated. */
  | ({
      readonly event: 'body';
      readonly exchange: number;
      readonly format: 'json' | 'text' | 'binary';
      readonly text: string;
    } & Cuttable)
  /** `fields`: read without a schema; `text` in their place where the bytes are no message. */
  | ({
      readonly event: 'grpc-message';
      readonly exchange: number;
      readonly fields?: readonly ViewField[];
      readonly text?: string;
    } & Cuttable)
  | { readonly event: 'end'; readonly exchange: number; readonly trailers: HeaderList }
  | {
      readonly event: 'cancelled';
      readonly exchange: number;
      /** Of RST_STREAM. */
      readonly code?: number;
      readonly reason: string;
    };

export type ViewExchangeFact = ExchangeFact | Extract<ViewFact, { event: 'out-of-step' }>;

/** What MySQL tells at the end of a result. */
interface Outcome {
  readonly affectedRows?: number;
  readonly insertId?: string;
  readonly warnings?: number;
  readonly info?: string;
  readonly status?: 'idle' | 'transaction';
}

export type ViewParameters = Readonly<Record<string, string>>;

export interface ViewDiagnostic {
  readonly severity: string;
  /** SQLSTATE; empty in MySQL's errors before the sign-in. */
  readonly code: string;
  /** MySQL: the number of the error. */
  readonly number?: string;
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
