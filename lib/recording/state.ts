/** What became of a recorded session, from how its file ends and whether its writer still runs. */

import type { RecordingHeader } from './format.ts';
import type { FinishEvent } from './reader.ts';
import { isWriterRunning } from './writer-process.ts';

/**
 * - `ended`: the end frame is there and its digest is right
 * - `open`: the gateway process that writes it still runs
 * - `cut off`: nobody writes it any more and there is no end frame
 * - `unfinished`: no end frame, written on another host: open or cut off, this host cannot tell
 * - `damaged`: bytes were altered
 */
export type RecordingState = 'ended' | 'open' | 'cut off' | 'unfinished' | 'damaged';

export function stateOf(header: RecordingHeader, finish: FinishEvent): RecordingState {
  if (finish.state === 'ended' || finish.state === 'damaged') return finish.state;
  const isRunning = isWriterRunning(header.writer);
  if (isRunning === true) return 'open';
  return isRunning === undefined && finish.state === 'unended' ? 'unfinished' : 'cut off';
}

/** One sentence for people, with the place. */
export function describeFinish(finish: FinishEvent, state: RecordingState): string {
  const place = `after ${finish.frames} whole frames, at offset ${finish.offset}`;
  switch (state) {
    case 'ended':
      return `session ended: ${finish.reason ?? ''}`;
    case 'open':
      return `the session is still open; played up to what is recorded, ${place}`;
    case 'cut off':
      return `the recording is cut off ${place}: ${finish.problem ?? 'there is no end frame'}`;
    case 'unfinished':
      return `the recording has no end frame ${place}: still open on another host, or cut off`;
    case 'damaged':
      return `the recording is damaged ${place}: ${finish.problem ?? 'unreadable'}`;
  }
}
