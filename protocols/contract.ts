/**
 * The vocabulary shared by every protocol and by the code that drives them.
 *
 * A session is a state machine with one door: `handle(event)` in, commands out. It never touches a
 * socket, a clock or a file, so the same events always give the same commands, and a recorded
 * session can be replayed by feeding it back.
 */

import type {
  FieldMasks,
  Restrictions,
  StoreCall,
  StoreCredential,
  StoreLogin,
  StoreRequest,
} from './store.ts';

export type Side = 'client' | 'server';

/** What a session must look at. Both off: it follows the framing and records, nothing more. */
export interface Inspection {
  /** Each statement waits for a decision. */
  readonly statements: boolean;
  /** Each result shape waits for a decision, and diagnostics of sensitive statements are redacted. */
  readonly results: boolean;
}

/** One column of a result, as the server describes it. */
export interface ResultColumn {
  readonly name: string;
  /** The server's identity of the column it comes from: (table, attribute); 0 where there is none. */
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly typeModifier: number;
  readonly format: 'text' | 'binary';
  /** Of protocols that name a column's origin and describe it with more than a number (MySQL). */
  readonly details?: ColumnDetails;
}

/** What a MySQL column definition says; names as the server gives them, never to be trusted (MY-64). */
export interface ColumnDetails {
  readonly schema: string;
  readonly originalTable: string;
  readonly originalName: string;
  readonly charset: number;
  /** Largest length of a value as text, bytes. */
  readonly length: number;
  readonly flags: number;
  readonly decimals: number;
  /** MariaDB's extended type name: `json`, `uuid`, `inet6`; empty where there is none. */
  readonly extendedType: string;
}

/** The state of a session that decides how the server reads a text (MY-28, MY-61, MY-63). */
export interface Reading {
  /** Default database of names without one; undefined: none. */
  readonly database: string | undefined;
  readonly server: {
    readonly flavor: 'mysql' | 'mariadb';
    /** As in version comments: 101119 is 10.11.19, 80036 is 8.0.36. */
    readonly version: number;
    /** It only speaks the protocol (Dolt, TiDB, a proxy), so that its lexer may be another one. */
    readonly isLookalike?: boolean;
  };
  /** sql_mode ANSI_QUOTES; undefined: cannot be known, so both readings count. */
  readonly ansiQuotes: boolean | undefined;
  readonly noBackslashEscapes: boolean;
}

/** What a decision on a statement learned and the decision on its result needs. Opaque to sessions. */
export type Trace = object;

/** What a client asks or a server offers, in no protocol's terms. `id` is unique in its session. */
export type Operation =
  | {
      readonly kind: 'sign-in';
      readonly id: number;
      readonly user: string;
      readonly database: string;
      readonly isSecure: boolean;
      readonly isReplication: boolean;
      /** What the client wants set from the start, by name and value as it wrote them. */
      readonly settings: readonly { readonly name: string; readonly value: string }[];
    }
  | {
      readonly kind: 'statement';
      readonly id: number;
      readonly text: string;
      /** Parameter types that the client declares, by the server's numbers, 0 where it leaves one open. */
      readonly parameterTypes?: readonly number[];
      readonly reading?: Reading;
    }
  /** A server-side routine called by number, past the statement parser. */
  | { readonly kind: 'call'; readonly id: number; readonly routine: number }
  | { readonly kind: 'cancel'; readonly id: number; readonly key: Buffer }
  /** What is asked of a vector database or key-value store. */
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly request: StoreRequest;
      readonly isSecure: boolean;
      /** Where each request brings its own (HTTP); undefined there: it brings none. */
      readonly credential?: StoreCredential;
      /** The one who signed in to this session asks (Redis); `credential` is left out then. */
      readonly isSignedIn?: boolean;
      /** With `isSignedIn`: as whom. A sign-in that fails leaves a session with the user before (AUTH). */
      readonly user?: string;
    }
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly columns: readonly ResultColumn[];
      /** The traces of the statements that may have made this result; empty: unknown. */
      readonly traces: readonly Trace[];
    };

/** A SCRAM verifier in the parts of PostgreSQL's own text form. */
export interface Verifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
  /** SHA1(SHA1(password)), for mysql_native_password; undefined where the user has none. */
  readonly nativeHash?: Buffer;
  /** SHA-256 of keys that prove the same as the password, where clients send it bare (Redis); compare all of them in constant time. */
  readonly keyHashes?: readonly Buffer[];
}

/** The gateway's own credential on the upstream leg. Never recorded, never logged. */
export interface UpstreamLogin {
  readonly user: string;
  readonly password: string | undefined;
  /** Undefined: the client's own database name goes through. */
  readonly database: string | undefined;
}

/** One entry for each column or field: undefined keeps it; null in or out is the protocol's NULL. */
export type MaskingPlan = readonly (MaskValue | undefined)[];
export type MaskValue = (value: Buffer) => Buffer | null;

export type Decision =
  | {
      readonly kind: 'allow';
      /**
       * Touches masked data: its diagnostics are redacted. For statements, and for results of those that turned
       * out to do so after they were prepared.
       */
      readonly isSensitive?: boolean;
      readonly trace?: Trace;
      /** Only for results; absent: nothing to mask. */
      readonly plan?: MaskingPlan;
      /** Only for sign-ins. */
      readonly inspection?: Inspection;
      /** Only for requests to stores. */
      readonly store?: StoreAllowance;
    }
  /** To a sign-in: the client must prove that it knows the secret, then the gateway logs in upstream. */
  | {
      readonly kind: 'prove';
      readonly verifier: Verifier;
      /** False: `verifier` is a mock, the exchange runs to its end and fails (PG-15). */
      readonly isKnown: boolean;
      readonly login: UpstreamLogin;
      readonly inspection: Inspection;
    }
  | {
      readonly kind: 'block';
      /** The rule that said no; undefined where Weir itself cannot go on. */
      readonly rule: string | undefined;
      /** SQLSTATE or the like; the protocol maps it. */
      readonly code: string;
      readonly reason: string;
      readonly hint?: string;
      /** 1-based character position in the statement, for syntax errors. */
      readonly position?: number;
    };

/** Under what an allowed request to a store goes on. */
export interface StoreAllowance {
  /** Undefined: none. */
  readonly restrictions: Restrictions | undefined;
  /** Undefined: nothing in the answer is masked. */
  readonly masks: FieldMasks | undefined;
  /** Undefined with auth = "passthrough", where the caller's own credential goes through. */
  readonly login: StoreLogin | undefined;
}

/** In their order on the wire, names in lower case. Values are latin1 text, as Node gives them. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface RequestHead {
  readonly version: '1.1' | '2';
  readonly method: string;
  /** Path and query as they came: `/collections/a%20b?x=1`. */
  readonly target: string;
  /** Host or :authority; empty: none. */
  readonly authority: string;
  /** Without pseudo headers, `host` and what concerns one hop only. */
  readonly headers: HeaderList;
  /** No body follows, so no `body` and `ended` events but one `ended` at once. */
  readonly isWhole: boolean;
}

export interface ResponseHead {
  readonly status: number;
  /** HTTP/1.1 reason phrase; undefined: the usual one. */
  readonly reason?: string;
  readonly headers: HeaderList;
}

/**
 * HTTP and gRPC: one exchange is a request and its answer. Numbers are unique in a session, from 1.
 * Framing, flow control, keep-alive and hop-by-hop headers are the driver's.
 */
export type ExchangeEvent =
  | { readonly kind: 'request'; readonly exchange: number; readonly head: RequestHead }
  | { readonly kind: 'response'; readonly exchange: number; readonly head: ResponseHead }
  | {
      readonly kind: 'body';
      readonly exchange: number;
      readonly from: Side;
      readonly bytes: Buffer;
    }
  /** That side has said everything. */
  | {
      readonly kind: 'ended';
      readonly exchange: number;
      readonly from: Side;
      readonly trailers: HeaderList;
    }
  /** That side gave up: RST_STREAM with `code`, or its connection is lost or could not be made (code undefined). */
  | {
      readonly kind: 'cancelled';
      readonly exchange: number;
      readonly from: Side;
      readonly code: number | undefined;
      readonly reason: string;
    };

export type ExchangeCommand =
  /** Opens the exchange towards the server. */
  | { readonly kind: 'ask'; readonly exchange: number; readonly head: RequestHead }
  | { readonly kind: 'answer'; readonly exchange: number; readonly head: ResponseHead }
  | { readonly kind: 'body'; readonly exchange: number; readonly to: Side; readonly bytes: Buffer }
  | {
      readonly kind: 'end';
      readonly exchange: number;
      readonly to: Side;
      readonly trailers: HeaderList;
    }
  /** RST_STREAM with `code` (HTTP/2) or the end of the connection (HTTP/1.1). */
  | {
      readonly kind: 'abandon';
      readonly exchange: number;
      readonly to: Side;
      readonly code: number;
    };

export type SessionEvent =
  | ExchangeEvent
  /** The client side opens first; the server side after an `open` command. */
  | { readonly kind: 'opened'; readonly side: Side }
  | { readonly kind: 'received'; readonly from: Side; readonly bytes: Buffer }
  /** `reason` is there when it did not end by itself: refused, reset, timed out. */
  | { readonly kind: 'closed'; readonly side: Side; readonly reason?: string }
  | {
      readonly kind: 'secured';
      readonly side: Side;
      readonly alpn: string | undefined;
      /** tls-server-end-point hash of the server certificate of that leg (PG-14); undefined: none defined. */
      readonly channelBinding: Buffer | undefined;
    }
  | { readonly kind: 'decided'; readonly id: number; readonly decision: Decision }
  /** The gateway ends this session: it shuts down, or it cannot record. `code` is a SQLSTATE or the like. */
  | { readonly kind: 'stopped'; readonly code: string; readonly reason: string }
  /** An alarm set with `wake` rang. */
  | { readonly kind: 'woke'; readonly alarm: string };

export type SessionCommand =
  | ExchangeCommand
  | { readonly kind: 'open'; readonly side: 'server' }
  | { readonly kind: 'send'; readonly to: Side; readonly bytes: Buffer }
  /** Start TLS; `bytes` were received already and belong to the TLS engine (PG-3, MY-4). */
  | { readonly kind: 'secure'; readonly side: Side; readonly bytes: Buffer }
  /** Nothing more will be sent to that side; the other direction goes on (half-close). */
  | { readonly kind: 'finish'; readonly side: Side }
  /** Close both sides after what was sent has been flushed. */
  | { readonly kind: 'close' }
  /** The driver reads no more from `holds` (HTTP: of `exchange`) until it has delivered the decision. */
  | {
      readonly kind: 'decide';
      readonly operation: Operation;
      readonly holds: Side;
      readonly exchange?: number;
    }
  /** The driver reads no more from `side`, or reads on: what came is enough until the other side answers. */
  | {
      readonly kind: 'reading';
      readonly side: Side;
      readonly isPaused: boolean;
      /** HTTP: that exchange only. */
      readonly exchange?: number;
    }
  /** One alarm for each name: set again replaces, `after` undefined clears. Milliseconds. */
  | { readonly kind: 'wake'; readonly alarm: string; readonly after: number | undefined }
  /** What the client sent or saw, secrets removed (GW-16); comes before the send that it allows. */
  | {
      readonly kind: 'record';
      readonly from: Side;
      readonly bytes: Buffer;
      readonly by?: 'gateway';
    }
  | { readonly kind: 'note'; readonly fact: Fact };

export type Fact =
  | { readonly kind: 'signed-in'; readonly user: string; readonly database: string }
  /** `key` finds this session's upstream for a cancel; `request` is what asks the upstream to cancel. */
  | { readonly kind: 'cancel-key'; readonly key: Buffer; readonly request: Buffer }
  /** The session refused by itself: broken sign-in, transport not allowed, ... */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** The client said that it ends the session; what closes next is no loss. */
  | { readonly kind: 'goodbye' }
  /** A definition changed: what is known of the catalog is stale. */
  | { readonly kind: 'schema-changed' }
  /** HTTP: the first request of a caller was let through. */
  | { readonly kind: 'called'; readonly exchange: number };

export interface ProtocolSession {
  /** Synchronous and deterministic. A peer that breaks its protocol ends the session by commands. */
  handle(event: SessionEvent): SessionCommand[];
  /** True while the server owes this client an answer. */
  readonly isBusy: boolean;
}

export interface SessionOptions {
  readonly auth: 'gateway' | 'passthrough';
  readonly clientTls: 'off' | 'allow' | 'require';
  readonly upstreamTls: boolean;
  /** Largest statement the session holds in memory, bytes. */
  readonly statementSizeMax: number;
  /** From connect to signed in, milliseconds. */
  readonly signInTimeout: number;
  /** Largest row (or other whole message) that is held to be rewritten, bytes. */
  readonly rowSizeMax: number;
  /** Injected, so that a session stays a function of its events. */
  readonly random: (size: number) => Buffer;
  /** PBKDF2-HMAC-SHA-256, 32 bytes; injected so that it can be cached. */
  readonly deriveKey: (password: string, salt: Buffer, iterations: number) => Buffer;
  /** RSA-OAEP for passwords on a plain connection (MY-8); injected, as it draws random numbers. */
  readonly rsa?: Rsa;
  /** The client may be asked for its files (MY-34). */
  readonly localInfile?: boolean;
  /**
   * HTTP and gRPC: what `bytes` hold under that coding, all of them and nothing behind; undefined where they
   * cannot be read so, or hold more than `sizeMax` bytes (bombs). Synchronous and pure, but not allowed to
   * protocols by itself. Absent: compressed requests are refused, compressed answers to be masked withheld.
   */
  readonly inflate?: (coding: ContentCoding, bytes: Buffer, sizeMax: number) => Buffer | undefined;
  /**
   * HTTP and gRPC: this credential was right before, or is a key of the configuration. From others only small
   * requests are held and read before it is decided who they are. Absent: everybody counts as known.
   */
  readonly knows?: (credential: StoreCredential) => boolean;
  /** HTTP and gRPC: what the sessions of this process hold together. Absent: each has only its own limit. */
  readonly memory?: SharedMemory;
}

/** Bytes that are asked for before they are held, and given back after. */
export interface SharedMemory {
  /** False: nothing more may be held at the moment. */
  take(size: number): boolean;
  give(size: number): void;
}

/** Compressions that Node 20 can read (vector.md section 4). `deflate` is zlib's form (RFC 1950). */
export type ContentCoding = 'gzip' | 'deflate' | 'br';

export interface Rsa {
  /** PEM (SPKI) of the gateway's own key, made anew at each start. */
  readonly publicKey: string;
  /** Undefined: not encrypted with our key. */
  decrypt(bytes: Buffer): Buffer | undefined;
  /** Throws where `publicKey` is none. */
  encrypt(publicKey: string, bytes: Buffer): Buffer;
}

/** The one value that a protocol folder exports. */
export interface Protocol {
  readonly name: string;
  readonly defaultPort: number;
  /** What its sessions are driven by: bytes (by default), or heads and bodies of HTTP/1.1 and HTTP/2. */
  readonly transport?: 'bytes' | 'http';
  createSession(options: SessionOptions): ProtocolSession;
  /** Stores: a request as people write it for `weir explain`; a text says in one sentence why it cannot be read. */
  readonly readCall?: (text: string) => StoreCall | string;
}
