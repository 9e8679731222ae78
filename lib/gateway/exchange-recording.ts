/**
 * The recording of one session of HTTP exchanges: begun with its first request, and known to be on or not, since
 * nothing is forwarded without it. A recorder that fails throws here, and whoever calls ends the session.
 */

import type { Side } from '../../protocols/contract.ts';
import type { RecordedNote, SessionRecorder } from '../recording/recording.ts';
import { DriverRecording } from './driver-recording.ts';

export interface ExchangeRecordingParts {
  /** Throws GatewayError where the session cannot be recorded. */
  readonly open: () => SessionRecorder;
  readonly onTrouble: (error: unknown) => void;
}

export class ExchangeRecording {
  readonly #parts: ExchangeRecordingParts;
  readonly #recording = new DriverRecording();
  #state: 'not yet' | 'on' | 'cannot be' = 'not yet';

  constructor(parts: ExchangeRecordingParts) {
    this.#parts = parts;
  }

  get isOn(): boolean {
    return this.#state === 'on';
  }

  /** Everyone who asks anything is on record; what cannot be is answered so, by a state that is not on. */
  start(): void {
    if (this.#state !== 'not yet') return;
    try {
      this.#recording.start(this.#parts.open);
      this.#state = 'on';
    } catch (error) {
      this.#state = 'cannot be';
      this.#parts.onTrouble(error);
      this.end('it could not be started');
    }
  }

  /** `isMoreComing`: the next call is another one, and nothing is forwarded before it. */
  append(
    { from, bytes, by }: { from: Side; bytes: Buffer; by?: 'gateway' },
    isMoreComing: boolean,
  ): void {
    this.#recording.append(from, bytes, by, isMoreComing);
  }

  /** Many exchanges of one session are decided on at once: the recording says which one this is about. */
  note(note: RecordedNote, exchange?: number): void {
    const isAbout = note.kind === 'decision' && exchange !== undefined;
    this.#recording.note(isAbout ? { ...note, exchange } : note);
  }

  synced(): Promise<void> | undefined {
    return this.#recording.synced();
  }

  /** Once; later calls do nothing. */
  end(reason: string): void {
    try {
      this.#recording.end(reason);
    } catch (error) {
      this.#parts.onTrouble(error);
    }
  }
}
