/** What a session driver is given: the client's socket and the ways to everything outside. Types only. */

import type { Duplex } from 'node:stream';
import type {
  Decision,
  Fact,
  Operation,
  ProtocolSession,
  SessionEvent,
  SessionOptions,
} from '../../protocols/contract.ts';
import type { Http1Server } from '../net/http/http1-client-side.ts';
import type { RecordedNote, SessionRecorder } from '../recording/recording.ts';
import type { HttpUpstream } from './exchange-upstreams.ts';

export interface Secured {
  readonly socket: Duplex;
  readonly alpn: string | undefined;
  readonly channelBinding: Buffer | undefined;
}

/** What a decision tells the recording beside itself. */
export interface Decided {
  readonly decision: Decision;
  readonly note: RecordedNote | undefined;
}

export interface DriverParts {
  readonly session: ProtocolSession;
  readonly client: Duplex;
  readonly openUpstream: () => Promise<Duplex>;
  readonly secureClient: (socket: Duplex, bytes: Buffer) => Promise<Secured>;
  readonly secureServer: (socket: Duplex) => Promise<Secured>;
  /** Never rejects: what cannot be decided is blocked. */
  readonly decide: (operation: Operation) => Decided | Promise<Decided>;
  /** Throws GatewayError where the session cannot be recorded. */
  readonly startRecording: () => SessionRecorder;
  readonly onFact: (fact: Fact) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Once, when both sides are gone. `isAbandoned`: the server was still at work for this client. */
  readonly onOver: (isAbandoned: boolean) => void;
}

/** What a driver of HTTP exchanges needs in place of bytes from and to the server. */
export interface HttpParts {
  readonly clientTls: SessionOptions['clientTls'];
  readonly http1: Http1Server;
  /** The same object for the same address each time. */
  readonly upstreamOf: (isGrpc: boolean) => HttpUpstream;
  /** Largest body that a session holds, bytes. */
  readonly heldSizeMax: number;
  /** For a first request to come in, and for each to go on, milliseconds. */
  readonly signInTimeout: number;
}

export type ExchangeDriverParts = HttpParts & Omit<DriverParts, 'openUpstream' | 'secureServer'>;

/** What the gateway does with a driver, of whatever kind. */
export interface Driver {
  readonly isBusy: boolean;
  /** To be called once, when everything that may be asked of the parts is ready. */
  start(): void;
  dispatch(event: SessionEvent): void;
  note(note: RecordedNote): void;
  /** Cuts both sides off at once. */
  destroy(reason: string): void;
}
