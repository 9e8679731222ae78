/** One line about a session, read from its recording: who, where, how long, what was blocked. */

import type { RecordingHeader } from './format.ts';
import { playBack } from './playback.ts';
import type { FinishEvent, Recording } from './reader.ts';
import { type RecordingState, stateOf } from './state.ts';

export interface SessionSummary {
  readonly header: RecordingHeader;
  /** Undefined: nobody signed in. */
  readonly principal: string | undefined;
  readonly database: string | undefined;
  /** To the last whole frame, microseconds. */
  readonly duration: number;
  /** Queries, Executes and requests that the client sent. */
  readonly statements: number;
  /** Decisions to block, and refusals. */
  readonly blocked: number;
  readonly state: RecordingState;
  readonly finish: FinishEvent;
}

const ASKING: ReadonlySet<string> = new Set(['query', 'execute', 'request']);

/** Reads the recording to its end. */
export async function summariseSession(recording: Recording): Promise<SessionSummary> {
  let principal: string | undefined;
  let database: string | undefined;
  let statements = 0;
  let blocked = 0;
  for await (const event of playBack(recording)) {
    switch (event.kind) {
      case 'message':
        if (ASKING.has(event.message.event)) statements += 1;
        break;
      case 'note':
        if (event.note.kind === 'signed-in') {
          principal = event.note.principal;
          database = event.note.database;
        } else if (event.note.kind === 'refused') {
          blocked += 1;
        } else if (event.note.kind === 'decision' && event.note.outcome === 'block') {
          blocked += 1;
        }
        break;
      case 'finish': {
        const { header } = recording;
        const state = stateOf(header, event);
        const who = { principal, database };
        return { header, ...who, duration: event.at, statements, blocked, state, finish: event };
      }
    }
  }
  throw new Error('a recording is read to a finish event'); // Else the reader is wrong.
}
