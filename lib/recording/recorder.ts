/**
 * Starts recordings and does what is due to all of them in the background: the flush to the disk,
 * the hand-back of idle buffers, the end at shutdown. One session's file is `session-recorder.ts`.
 */

import { closeSync, fdatasync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { describeCause } from './cause.ts';
import { RECORDING_SUFFIX } from './format.ts';
import type { Durability, RecorderClock, RecordingFs, SharedParts } from './recorder-parts.ts';
import type { Recorder, SessionHeader, SessionRecorder } from './recording.ts';
import { FileSessionRecorder } from './session-recorder.ts';
import { describeThisProcess } from './writer-process.ts';

export type { Durability, RecorderClock, RecordingFs };

export interface RecorderOptions {
  readonly dataDir: string;
  readonly durability: Durability;
  readonly clock?: RecorderClock;
  readonly fs?: RecordingFs;
}

export const RECORDINGS_DIRECTORY = 'recordings';
const DIRECTORY_MODE = 0o700;
/** Session ids become file names: nothing that could leave the directory. */
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;
const STARTED_AT = /^\d{4}-\d{2}-\d{2}T/;

/** How long relaxed frames may wait in memory, milliseconds. */
const GATHER_INTERVAL = 50;
/** Strict recordings reach the disk itself at most this often, milliseconds. */
const FLUSH_INTERVAL = 200;
/** Frames gathered between two writes (relaxed) or two hash updates (the others), bytes. */
const GATHER_SIZE = 64 * 1024;
const BATCH_SIZE = 8 * 1024;
/** Idle buffers kept for the next busy sessions. */
const POOL_COUNT_MAX = 256;

const NODE_FS: RecordingFs = {
  mkdirSync,
  openSync,
  writeSync,
  fdatasync,
  closeSync,
  unlinkSync,
};
const MONOTONIC_CLOCK: RecorderClock = { microseconds: () => performance.now() * 1000 };

export function createRecorder(options: RecorderOptions): Recorder {
  return new DirectoryRecorder(options);
}

class DirectoryRecorder implements Recorder {
  readonly #dataDir: string;
  readonly #shared: SharedParts;
  readonly #open = new Set<FileSessionRecorder>();
  #dirty: FileSessionRecorder[] = [];
  readonly #pool: Buffer[] = [];
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RecorderOptions) {
    this.#dataDir = options.dataDir;
    const isRelaxed = options.durability === 'relaxed';
    this.#interval = isRelaxed ? GATHER_INTERVAL : FLUSH_INTERVAL;
    const batchSize = isRelaxed ? GATHER_SIZE : BATCH_SIZE;
    this.#shared = {
      fs: options.fs ?? NODE_FS,
      clock: options.clock ?? MONOTONIC_CLOCK,
      durability: options.durability,
      writer: describeThisProcess(),
      takeBuffer: () => this.#pool.pop() ?? Buffer.allocUnsafeSlow(batchSize),
      giveBuffer: (buffer) => {
        if (this.#pool.length < POOL_COUNT_MAX) this.#pool.push(buffer);
      },
      onDirty: (session) => this.#addDirty(session),
      onClosed: (session) => this.#open.delete(session),
    };
  }

  start(header: SessionHeader): SessionRecorder {
    if (this.#isClosed) {
      throw new GatewayError('RECORDING_OPEN', 'the recorder is closed: the gateway is stopping');
    }
    const path = this.#createDirectory(header);
    const session = FileSessionRecorder.create(this.#shared, path, header);
    this.#open.add(session);
    return session;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty = [];
    const ends = [...this.#open].map((session) => session.finish('gateway stopped'));
    const failed = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** The path of the file to create; its directory is there afterwards. */
  #createDirectory(header: SessionHeader): string {
    if (!SESSION_ID.test(header.session) || !STARTED_AT.test(header.startedAt)) {
      throw new GatewayError(
        'RECORDING_OPEN',
        `session id "${header.session}" or start "${header.startedAt}" cannot name a recording`,
      );
    }
    const day = join(this.#dataDir, RECORDINGS_DIRECTORY, header.startedAt.slice(0, 10));
    try {
      this.#shared.fs.mkdirSync(day, { recursive: true, mode: DIRECTORY_MODE });
    } catch (cause) {
      const message = `cannot create the recordings directory ${day}: ${describeCause(cause)}`;
      throw new GatewayError('RECORDING_OPEN', message, { cause });
    }
    return join(day, header.session + RECORDING_SUFFIX);
  }

  #addDirty(session: FileSessionRecorder): void {
    this.#dirty.push(session);
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#sweep(), this.#interval);
  }

  #sweep(): void {
    this.#timer = undefined;
    const due = this.#dirty;
    this.#dirty = [];
    // A session that is still busy with its last flush puts itself back on the list.
    for (const session of due) session.settle();
  }
}
