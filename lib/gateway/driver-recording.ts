/**
 * The recording of one session as its driver uses it: what comes before it is started is kept for it,
 * and after its end nothing is recorded. A recorder that fails is closed like any other.
 */

import type { Decision, Side } from '../../protocols/contract.ts';
import type { RecordedNote, SessionRecorder } from '../recording/recording.ts';

interface EarlyRecord {
  readonly from: Side;
  readonly bytes: Buffer;
  readonly by: 'gateway' | undefined;
}

/** Records before the recording is started: start-up packets, each at most 10 kB. */
const EARLY_RECORDS_MAX = 64;

/** The answer to a sign-in that cannot be recorded. */
export const UNRECORDED: Decision = {
  kind: 'block',
  rule: undefined,
  code: '58030',
  reason: 'Weir cannot record this session, so it is refused',
};

export class DriverRecording {
  #recorder: SessionRecorder | undefined;
  #early: EarlyRecord[] | undefined = [];

  /**
   * A client that asks to sign in is on record from its first byte; one that signs in again, as another
   * user, goes on in the same recording. Throws what `open` and `append` throw.
   */
  start(open: () => SessionRecorder): void {
    if (this.#recorder !== undefined) return;
    const recorder = open();
    this.#recorder = recorder;
    for (const { from, bytes, by } of this.#early ?? []) recorder.append(from, bytes, by);
    this.#early = undefined;
  }

  /** `isMoreComing`: see SessionRecorder. */
  append(from: Side, bytes: Buffer, by: 'gateway' | undefined, isMoreComing = false): void {
    if (this.#recorder !== undefined) {
      this.#recorder.append(from, bytes, by, isMoreComing);
    } else if (this.#early !== undefined && this.#early.length < EARLY_RECORDS_MAX) {
      // Strangers and cancels are never recorded, so this is bounded and may be dropped.
      this.#early.push({ from, bytes: Buffer.from(bytes), by });
    }
  }

  note(note: RecordedNote): void {
    this.#recorder?.note(note);
  }

  synced(): Promise<void> | undefined {
    return this.#recorder?.synced();
  }

  /** Once; later calls do nothing. Throws when the end could not be written. */
  end(reason: string): void {
    const recorder = this.#recorder;
    this.#recorder = undefined;
    this.#early = undefined;
    recorder?.end(reason);
  }
}
