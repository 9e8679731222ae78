/** What a session driver is given: the client's socket and the ways to everything outside. Types only. */

import type { Duplex } from 'node:stream';
import type { Decision, Fact, Operation, ProtocolSession } from '../../protocols/contract.ts';
import type { RecordedNote, SessionRecorder } from '../recording/recording.ts';

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
