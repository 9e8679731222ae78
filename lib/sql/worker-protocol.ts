/** What the main thread and a worker thread say to each other. */

import type { Reading } from '../../protocols/contract.ts';
import type { AnalysisResult, SensitiveRelations, ViewColumn } from './analysis.ts';

/** Whose SQL a thread reads; it loads the parser of that one alone. */
export type Dialect = 'postgres' | 'mysql';

/** `reading`: what besides the text decides how the server reads it, where the dialect has that (MySQL). */
export type ReadTask =
  | { readonly kind: 'statement'; readonly text: string; readonly reading?: Reading }
  | {
      readonly kind: 'routine';
      readonly text: string;
      readonly language: string;
      readonly reading?: Reading;
    }
  | { readonly kind: 'view'; readonly text: string };

export interface WorkerRequest {
  readonly task: ReadTask;
  /** Place in the shared board where the thread says that it has begun. */
  readonly slot: number;
  /** Undefined: nothing is sensitive. A version alone: the thread may know its content already. */
  readonly sensitive: SensitiveRelations | SensitiveVersion | undefined;
}

/** Content that a thread was given before, by its version: it need not be copied again. */
export interface SensitiveVersion {
  readonly version: string;
  readonly relations?: undefined;
}

export type WorkerReply =
  | {
      readonly kind: 'result';
      readonly result: AnalysisResult;
      /** What a second reader of the dialect saw and the first did not (MySQL). */
      readonly disagreements?: number;
    }
  /** The thread does not know this version: send the content with it. */
  | { readonly kind: 'needs-sensitive' }
  | { readonly kind: 'view'; readonly columns: readonly ViewColumn[] | undefined };

/**
 * Shared with the pool, two entries for each slot: the thread that took it, and its state: 0 not
 * begun, a positive number the time when it began (milliseconds since `epoch`), or one of the below.
 */
export interface WorkerBoard {
  readonly board: Int32Array;
  readonly epoch: number;
  readonly dialect: Dialect;
}

export const SLOT_FINISHED = -1;
export const SLOT_FAULT = -2;
