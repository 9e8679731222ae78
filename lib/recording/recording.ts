/** What the gateway asks of the recorder. The file format is in `format.ts` and docs/RECORDING.md. */

import type { Side } from '../../protocols/contract.ts';

/** What is known of a session when it starts. Secrets never get here. */
export interface SessionHeader {
  readonly session: string;
  readonly connection: string;
  readonly protocol: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly startedAt: string;
  readonly clientAddress: string;
  /** SHA-256 of the configuration in force, hex. */
  readonly policyVersion: string;
}

/** Things other than wire bytes that a recording holds, in their order between them. */
export type RecordedNote =
  | {
      readonly kind: 'signed-in';
      readonly principal: string;
      readonly user: string;
      readonly database: string;
    }
  | {
      readonly kind: 'decision';
      readonly operation: 'sign-in' | 'statement' | 'call' | 'cancel' | 'result' | 'request';
      readonly outcome: 'allow' | 'block' | 'mask';
      readonly rule?: string;
      readonly reason?: string;
      /** Names of the masked columns of a result, never values. */
      readonly masked?: readonly string[];
      /** HTTP: the exchange that it is about. */
      readonly exchange?: number;
      /** Of requests to stores: who asked, what was asked, of what (`qdrant:customers`, canonical). */
      readonly principal?: string;
      readonly route?: string;
      readonly objects?: readonly string[];
    }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string };

export interface SessionRecorder {
  /**
   * Appends wire bytes as the client sent (`from: 'client'`) or saw (`'server'`) them. With strict
   * durability the bytes have left the process (survive kill -9) when it returns; throws GatewayError
   * RECORDING_WRITE when it cannot, and the session must end then. Copies `bytes` if it keeps them.
   * `isMoreComing`: the next call is an append, and nothing is forwarded before it, so this one need not
   * leave the process by itself.
   */
  append(from: Side, bytes: Buffer, by?: 'gateway', isMoreComing?: boolean): void;
  note(note: RecordedNote): void;
  /** durability = "synced": resolves when everything appended so far is on the disk; undefined: nothing to wait for. */
  synced(): Promise<void> | undefined;
  end(reason: string): void;
}

export interface Recorder {
  /** Throws GatewayError RECORDING_OPEN: then the session is refused. */
  start(header: SessionHeader): SessionRecorder;
  close(): Promise<void>;
}
