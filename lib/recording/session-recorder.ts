/**
 * The recording of one session while it is written. Hot path: `append` runs for every chunk in both
 * directions. One buffer serves writing and hashing: frames are encoded behind each other, `strict`
 * writes each append at once, and the hash takes many frames in one call.
 *
 * Invariant: 0 <= hashed <= filled and 0 <= written <= filled, offsets into the batch buffer.
 * After the first file error the recorder is dead: everything later throws the same error, because
 * a session must never go on unrecorded.
 */

import { createHash, type Hash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Side } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import { describeCause } from './cause.ts';
import {
  DIGEST_ALGORITHM,
  encodeFrame,
  encodePreamble,
  FLAG_CONTINUED,
  FLAG_GATEWAY,
  FRAME_KINDS,
  FRAME_OVERHEAD_SIZE,
  FRAME_PAYLOAD_SIZE_MAX,
  type FrameDraft,
} from './format.ts';
import type { SharedParts } from './recorder-parts.ts';
import type { RecordedNote, SessionHeader, SessionRecorder } from './recording.ts';

/** A digest of everything so far is written this often, so that damage can be placed; bytes. */
const SEAL_INTERVAL = 1024 * 1024;
/** Of the words in the end frame, bytes. */
const REASON_SIZE_MAX = 4 * 1024;
const FILE_MODE = 0o600;
/** What waits before a frame that does not fit into the buffer goes with it, up to this size; bytes. */
const MOVED_SIZE_MAX = 4 * 1024;
/** Frames that do not fit into a batch buffer are encoded here; used only within one call. */
const SCRATCH = Buffer.allocUnsafeSlow(
  MOVED_SIZE_MAX + FRAME_PAYLOAD_SIZE_MAX + FRAME_OVERHEAD_SIZE,
);

interface Flush {
  /** How much of the file it covers, bytes. */
  readonly size: number;
  readonly done: Promise<void>;
}

export class FileSessionRecorder implements SessionRecorder {
  readonly #shared: SharedParts;
  readonly #path: string;
  readonly #fd: number;
  readonly #hash: Hash = createHash(DIGEST_ALGORITHM);
  readonly #startedAt: number;
  #lastAt = 0;
  #buffer: Buffer | undefined;
  #filled = 0;
  #written = 0;
  #hashed = 0;
  /** Bytes of the file, those still in the buffer included. */
  #size = 0;
  #flushedSize = 0;
  #sealedSize = 0;
  #isDirty = false;
  #isDirectoryFlushed = false;
  #flush: Flush | undefined;
  #nextFlush: Promise<void> | undefined;
  #failure: GatewayError | undefined;
  #state: 'open' | 'ended' | 'closed' = 'open';

  private constructor(shared: SharedParts, path: string, fd: number) {
    this.#shared = shared;
    this.#path = path;
    this.#fd = fd;
    this.#startedAt = shared.clock.microseconds();
  }

  /** Creates the file and writes its header; throws GatewayError RECORDING_OPEN. */
  static create(shared: SharedParts, path: string, header: SessionHeader): FileSessionRecorder {
    let session: FileSessionRecorder | undefined;
    try {
      // Exclusive: a recording that is there is never written over.
      session = new FileSessionRecorder(shared, path, shared.fs.openSync(path, 'wx', FILE_MODE));
      session.#writeHeader(header);
      return session;
    } catch (cause) {
      if (session !== undefined) session.#discard();
      const message = `cannot create the recording ${path}: ${describeCause(cause)}`;
      throw new GatewayError('RECORDING_OPEN', message, { cause });
    }
  }

  append(from: Side, bytes: Buffer, by?: 'gateway', isMoreComing = false): void {
    this.#assertOpen();
    const size = bytes.length;
    const kind = from === 'client' ? FRAME_KINDS.client : FRAME_KINDS.server;
    const flags = by === undefined ? 0 : FLAG_GATEWAY;
    const at = this.#now();
    for (let start = 0; start < size; start += FRAME_PAYLOAD_SIZE_MAX) {
      const end = Math.min(size, start + FRAME_PAYLOAD_SIZE_MAX);
      const isContinued = end < size;
      const draftFlags = isContinued ? flags | FLAG_CONTINUED : flags;
      this.#put({ kind, flags: draftFlags, at, source: bytes, start, end });
    }
    if (this.#shared.durability !== 'relaxed' && !isMoreComing) this.#writeOut();
    this.#markDirty();
  }

  note(note: RecordedNote): void {
    this.#assertOpen();
    const json = Buffer.from(JSON.stringify(note), 'utf8');
    // Notes hold names and reasons, never values: one frame is far more than they need.
    if (json.length > FRAME_PAYLOAD_SIZE_MAX) {
      throw this.#fail(`a note of ${json.length} bytes does not fit into one frame`, undefined);
    }
    this.#put(draftOf(FRAME_KINDS.note, this.#now(), json));
    if (this.#shared.durability !== 'relaxed') this.#writeOut();
    this.#markDirty();
  }

  synced(): Promise<void> | undefined {
    if (this.#shared.durability !== 'synced') return undefined;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#writeOut();
    const flush = this.#flush;
    if (flush === undefined) {
      return this.#flushedSize === this.#size ? undefined : this.#startFlush();
    }
    if (flush.size === this.#size) return flush.done;
    // One flush more covers all who ask while the present one runs.
    this.#nextFlush ??= flush.done.then(() => {
      this.#nextFlush = undefined;
      if (this.#flush !== undefined) return this.#flush.done;
      return this.#flushedSize === this.#size ? undefined : this.#startFlush();
    });
    return this.#nextFlush;
  }

  /** Throws GatewayError RECORDING_WRITE when the end could not be written; the file is closed in any case. */
  end(reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    try {
      if (this.#failure === undefined) this.#putEnd(reason);
    } finally {
      this.#releaseBuffer();
      if (this.#flush === undefined) this.#flushOrClose();
    }
  }

  /** Ends the recording, and resolves when nothing of it is under way any more. */
  async finish(reason: string): Promise<void> {
    this.end(reason);
    while (this.#flush !== undefined) await this.#flush.done;
  }

  /** Called in the background for a session that was dirty. */
  settle(): void {
    this.#isDirty = false;
    if (this.#state !== 'open' || this.#failure !== undefined) return;
    try {
      this.#drain();
    } catch {
      return; // The failure is kept: the next append throws it.
    }
    this.#releaseBuffer();
    if (this.#shared.durability === 'relaxed') return;
    if (this.#flush !== undefined) this.#markDirty();
    else if (this.#flushedSize < this.#size) void this.#startFlush();
  }

  #writeHeader(header: SessionHeader): void {
    const preamble = encodePreamble();
    const { writer, durability } = this.#shared;
    const json = Buffer.from(JSON.stringify({ ...header, writer, durability }), 'utf8');
    const bytes = Buffer.allocUnsafe(preamble.length + json.length + FRAME_OVERHEAD_SIZE);
    preamble.copy(bytes);
    encodeFrame(bytes, preamble.length, draftOf(FRAME_KINDS.header, 0, json));
    this.#size = bytes.length;
    this.#write(bytes, 0, bytes.length);
    this.#hash.update(bytes);
    this.#markDirty();
  }

  #put(draft: FrameDraft): void {
    const size = draft.end - draft.start + FRAME_OVERHEAD_SIZE;
    const buffer = (this.#buffer ??= this.#shared.takeBuffer());
    if (buffer.length - this.#filled < size) this.#putLarge(buffer, draft);
    else this.#filled = encodeFrame(buffer, this.#filled, draft);
    this.#size += size;
    if (this.#size - this.#sealedSize >= SEAL_INTERVAL) this.#putSeal();
  }

  /** With what little waits before it, in one write: a large piece of a body comes behind its small head. */
  #putLarge(buffer: Buffer, draft: FrameDraft): void {
    if (this.#hashed < this.#written) {
      this.#hash.update(buffer.subarray(this.#hashed, this.#written));
      this.#hashed = this.#written;
    }
    const isMovable =
      this.#hashed === this.#written && this.#filled - this.#written <= MOVED_SIZE_MAX;
    if (!isMovable) this.#drain();
    const moved = buffer.copy(SCRATCH, 0, this.#written, this.#filled);
    const end = encodeFrame(SCRATCH, moved, draft);
    this.#filled = 0;
    this.#written = 0;
    this.#hashed = 0;
    this.#write(SCRATCH, 0, end);
    this.#hash.update(SCRATCH.subarray(0, end));
  }

  #putSeal(): void {
    // Before the call below, or it would ask for a seal itself.
    this.#sealedSize = this.#size;
    // The time of the append it may stand within: times never go back.
    this.#put(draftOf(FRAME_KINDS.seal, this.#lastAt, this.#digest()));
  }

  #putEnd(reason: string): void {
    const at = this.#now();
    const text = Buffer.from(reason, 'utf8').subarray(0, REASON_SIZE_MAX);
    const payload = Buffer.concat([this.#digest(), text]);
    this.#sealedSize = this.#size;
    this.#put(draftOf(FRAME_KINDS.end, at, payload));
    this.#drain();
  }

  /** Digest of every byte of the file so far. */
  #digest(): Buffer {
    this.#hashPending();
    return this.#hash.copy().digest();
  }

  #hashPending(): void {
    if (this.#buffer === undefined || this.#hashed === this.#filled) return;
    this.#hash.update(this.#buffer.subarray(this.#hashed, this.#filled));
    this.#hashed = this.#filled;
  }

  #writeOut(): void {
    if (this.#buffer === undefined || this.#written === this.#filled) return;
    this.#write(this.#buffer, this.#written, this.#filled);
    this.#written = this.#filled;
  }

  /** Writes and hashes what the buffer holds, and starts it afresh. */
  #drain(): void {
    this.#writeOut();
    this.#hashPending();
    this.#filled = 0;
    this.#written = 0;
    this.#hashed = 0;
  }

  #write(buffer: Buffer, start: number, end: number): void {
    let offset = start;
    try {
      while (offset < end) {
        const size = this.#shared.fs.writeSync(this.#fd, buffer, offset, end - offset);
        if (size <= 0) throw new Error('the file takes no more bytes');
        offset += size;
      }
    } catch (cause) {
      throw this.#fail(describeCause(cause), cause);
    }
  }

  /** One fdatasync of all that was written; callers share it. Never two at once for one file. */
  #startFlush(): Promise<void> {
    const size = this.#size;
    const done = this.#runFlush(size);
    // Where nobody waits, the failure is found by the next append.
    done.catch(() => undefined);
    this.#flush = { size, done };
    return done;
  }

  async #runFlush(size: number): Promise<void> {
    try {
      await this.#flushFile();
      this.#flushedSize = size;
      this.#isDirectoryFlushed = true;
    } catch (cause) {
      // After a failed flush the kernel may have dropped the pages: trying again proves nothing.
      throw this.#fail(describeCause(cause), cause);
    } finally {
      this.#flush = undefined;
      if (this.#state === 'ended') this.#flushOrClose();
    }
  }

  async #flushFile(): Promise<void> {
    await this.#flushDescriptor(this.#fd);
    if (this.#shared.durability !== 'synced' || this.#isDirectoryFlushed) return;
    // A file whose directory entry is lost in a power cut is lost whole: day and parent, once.
    for (const path of [dirname(this.#path), dirname(dirname(this.#path))]) {
      const fd = this.#shared.fs.openSync(path, 'r');
      try {
        await this.#flushDescriptor(fd);
      } finally {
        this.#shared.fs.closeSync(fd);
      }
    }
  }

  #flushDescriptor(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#shared.fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  #now(): number {
    const at = Math.floor(this.#shared.clock.microseconds() - this.#startedAt);
    if (at > this.#lastAt) this.#lastAt = at;
    return this.#lastAt;
  }

  #markDirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#shared.onDirty(this);
  }

  #releaseBuffer(): void {
    if (this.#buffer === undefined) return;
    this.#shared.giveBuffer(this.#buffer);
    this.#buffer = undefined;
    this.#filled = 0;
    this.#written = 0;
    this.#hashed = 0;
  }

  #assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'open') throw new Error('append to a recording that has ended');
  }

  #fail(problem: string, cause: unknown): GatewayError {
    const message = `the recording ${this.#path} cannot be written: ${problem}`;
    this.#failure ??= new GatewayError('RECORDING_WRITE', message, { cause });
    return this.#failure;
  }

  /** The recording has ended: the last flush, and then the end of the descriptor. */
  #flushOrClose(): void {
    const isFlushDue = this.#shared.durability !== 'relaxed' && this.#flushedSize < this.#size;
    if (isFlushDue && this.#failure === undefined) void this.#startFlush();
    else this.#close();
  }

  /** A file without a whole header helps nobody, and on a full disk there would be many. */
  #discard(): void {
    this.#state = 'ended';
    this.#close();
    try {
      this.#shared.fs.unlinkSync(this.#path);
    } catch {
      // The error that brought us here says more than this one.
    }
  }

  /** Never while a flush is under way: its descriptor number could belong to another file by then. */
  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#shared.onClosed(this);
    try {
      this.#shared.fs.closeSync(this.#fd);
    } catch (cause) {
      this.#fail(describeCause(cause), cause);
    }
  }
}

/** A frame that is no wire frame: no flags, and its payload whole. */
function draftOf(kind: number, at: number, source: Buffer): FrameDraft {
  return { kind, flags: 0, at, source, start: 0, end: source.length };
}
