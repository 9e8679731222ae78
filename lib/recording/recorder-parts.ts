/** What the recordings of one recorder have in common, and what it may be given in the place of the real world. */

import type { Writer } from './format.ts';
import type { FileSessionRecorder } from './session-recorder.ts';

export type Durability = 'relaxed' | 'strict' | 'synced';

/** The file functions a recorder uses; tests put a full or failing disk in their place. */
export interface RecordingFs {
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown;
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(fd: number, buffer: Buffer, offset: number, length: number): number;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  closeSync(fd: number): void;
  unlinkSync(path: string): void;
}

/** Monotonic, in microseconds, from any start. */
export interface RecorderClock {
  microseconds(): number;
}

/** What all sessions of a recorder have in common. */
export interface SharedParts {
  readonly fs: RecordingFs;
  readonly clock: RecorderClock;
  readonly durability: Durability;
  readonly writer: Writer;
  takeBuffer(): Buffer;
  giveBuffer(buffer: Buffer): void;
  /** The session has something to settle in the background. */
  onDirty(session: FileSessionRecorder): void;
  onClosed(session: FileSessionRecorder): void;
}
