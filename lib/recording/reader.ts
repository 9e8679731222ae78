/**
 * Reads a recording from its start, frame by frame, and judges it on the way: checksums, seals, order,
 * end. Memory is bounded by one window whatever the file holds. What is damaged or cut off is still
 * given up to the last whole frame, and the last event says where and why the reading stopped.
 */

import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Side } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import { describeCause } from './cause.ts';
import {
  checkPreamble,
  decodeFrame,
  DIGEST_ALGORITHM,
  DIGEST_SIZE,
  type Frame,
  FRAME_OVERHEAD_SIZE,
  FRAME_PAYLOAD_SIZE_MAX,
  isDamage,
  PREAMBLE_SIZE,
  type RecordingHeader,
  sideOf,
} from './format.ts';
import type { RecordedNote } from './recording.ts';

/** Twice the largest frame: a whole frame always fits, and a read is never small. */
export const WINDOW_SIZE: number = 2 * (FRAME_PAYLOAD_SIZE_MAX + FRAME_OVERHEAD_SIZE);

/** Enough for nearly every header: listing sessions reads no more than this of each file. */
const HEADER_READ_SIZE = 8 * 1024;

export interface WireEvent {
  readonly kind: 'wire';
  /** Microseconds since the start of the session. */
  readonly at: number;
  readonly from: Side;
  readonly by: 'gateway' | undefined;
  /** Valid until the next event is asked for. */
  readonly bytes: Buffer;
}

export interface NoteEvent {
  readonly kind: 'note';
  readonly at: number;
  readonly note: RecordedNote;
}

/** How the reading ended; always the last event. */
export interface FinishEvent {
  readonly kind: 'finish';
  /** Time of the last whole frame. */
  readonly at: number;
  /** `unended`: whole frames to the end of the file, but no end frame; `torn`: and a piece of one more. */
  readonly state: 'ended' | 'unended' | 'torn' | 'damaged';
  /** Bytes of the file up to which everything is whole; where the trouble starts. */
  readonly offset: number;
  /** Whole frames, the header frame included. */
  readonly frames: number;
  readonly problem?: string;
  /** Why the session ended. */
  readonly reason?: string;
  /** BLAKE2b-512 of the file up to the end frame, hex; only of an ended recording. */
  readonly root?: string;
}

export type RecordedEvent = WireEvent | NoteEvent | FinishEvent;

export interface Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  /** Once. The file is closed when the iteration ends or is left. */
  events(): AsyncGenerator<RecordedEvent, void, undefined>;
  close(): Promise<void>;
}

/** Throws GatewayError RECORDING_READ (no access) or RECORDING_FORMAT (no readable header). */
export async function openRecording(path: string): Promise<Recording> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new GatewayError('RECORDING_READ', `cannot open ${path}: ${describeCause(cause)}`, {
      cause,
    });
  }
  const reader = new FrameReader(path, file);
  try {
    const header = await reader.readHeader();
    return {
      path,
      header,
      events: () => reader.readEvents(),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

class FrameReader {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash(DIGEST_ALGORITHM);
  readonly #window = Buffer.allocUnsafe(WINDOW_SIZE);
  #start = 0;
  #end = 0;
  /** Offset in the file of `#window[#start]`. */
  #offset = 0;
  #frames = 0;
  #at = 0;
  #isClosed = false;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  async readHeader(): Promise<RecordingHeader> {
    await this.#fill(HEADER_READ_SIZE);
    const damage = checkPreamble(this.#window.subarray(0, Math.min(this.#end, PREAMBLE_SIZE)));
    if (damage !== undefined) throw this.#unusable(damage.problem);
    this.#advance(PREAMBLE_SIZE);
    const frame = await this.#nextFrame();
    if (frame === undefined) throw this.#unusable('cut off before the end of the header frame');
    const problem = isDamage(frame) ? frame.problem : undefined;
    if (isDamage(frame) || frame.kind !== 'header') {
      const found = problem ?? 'the first frame is no header';
      throw this.#unusable(found);
    }
    const json = this.#window.toString('utf8', frame.payloadStart, frame.payloadEnd);
    const header = parseJson(json);
    if (!isHeader(header)) throw this.#unusable('the header frame holds no session header');
    this.#advance(frame.size);
    this.#frames = 1;
    return header;
  }

  #unusable(problem: string): GatewayError {
    const message = `${this.#path}: at offset ${this.#offset}: ${problem}`;
    return new GatewayError('RECORDING_FORMAT', message);
  }

  async *readEvents(): AsyncGenerator<RecordedEvent, void, undefined> {
    try {
      for (;;) {
        const frame = await this.#nextFrame();
        if (frame === undefined) {
          yield this.#finish(this.#start === this.#end ? 'unended' : 'torn', {});
          return;
        }
        const problem = isDamage(frame) ? frame.problem : this.#judge(frame);
        if (isDamage(frame) || problem !== undefined) {
          yield this.#finish('damaged', problem === undefined ? {} : { problem });
          return;
        }
        if (frame.kind === 'end') {
          yield await this.#readEnd(frame);
          return;
        }
        const event = this.#toEvent(frame);
        if (event !== undefined && event.kind === 'finish') {
          yield event;
          return;
        }
        this.#at = frame.at;
        this.#frames += 1;
        this.#advance(frame.size);
        if (event !== undefined) yield event;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }

  async #nextFrame(): Promise<ReturnType<typeof decodeFrame>> {
    const frame = decodeFrame(this.#window, this.#start, this.#end);
    if (frame !== undefined) return frame;
    await this.#fill(WINDOW_SIZE);
    return decodeFrame(this.#window, this.#start, this.#end);
  }

  /** Moves the rest to the front and reads until the window holds `size` bytes or the file ends. */
  async #fill(size: number): Promise<void> {
    this.#window.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    while (this.#end < size) {
      const position = this.#offset + this.#end;
      const space = size - this.#end;
      const bytesRead = await this.#read(space, position);
      if (bytesRead === 0) return;
      this.#end += bytesRead;
    }
  }

  async #read(size: number, position: number): Promise<number> {
    try {
      return (await this.#file.read(this.#window, this.#end, size, position)).bytesRead;
    } catch (cause) {
      const message = `cannot read ${this.#path}: ${describeCause(cause)}`;
      throw new GatewayError('RECORDING_READ', message, { cause });
    }
  }

  #advance(size: number): void {
    this.#hash.update(this.#window.subarray(this.#start, this.#start + size));
    this.#start += size;
    this.#offset += size;
  }

  /** What a checksum cannot see: frames left out, moved or put in. */
  #judge(frame: Frame): string | undefined {
    if (frame.at < this.#at) {
      return `its time, ${frame.at} us, is before that of the frame ahead of it, ${this.#at} us`;
    }
    if (frame.kind === 'header') return 'a second header frame';
    if (frame.kind !== 'seal' && frame.kind !== 'end') return undefined;
    const sealed = this.#window.subarray(frame.payloadStart, frame.payloadStart + DIGEST_SIZE);
    if (sealed.length < DIGEST_SIZE || frame.payloadEnd - frame.payloadStart < DIGEST_SIZE) {
      return `a ${frame.kind} frame too short for its digest`;
    }
    if (!this.#hash.copy().digest().equals(sealed)) {
      return `the digest of the ${frame.kind} frame does not match the bytes ahead of it`;
    }
    return undefined;
  }

  #toEvent(frame: Frame): RecordedEvent | undefined {
    const from = sideOf(frame.kind);
    if (from !== undefined) {
      const bytes = this.#window.subarray(frame.payloadStart, frame.payloadEnd);
      const by = frame.isByGateway ? 'gateway' : undefined;
      return { kind: 'wire', at: frame.at, from, by, bytes };
    }
    if (frame.kind !== 'note') return undefined;
    const json = this.#window.toString('utf8', frame.payloadStart, frame.payloadEnd);
    const note = parseJson(json);
    if (!isNote(note)) {
      return this.#finish('damaged', { problem: 'a note frame that holds no note' });
    }
    return { kind: 'note', at: frame.at, note };
  }

  async #readEnd(frame: Frame): Promise<FinishEvent> {
    const digestEnd = frame.payloadStart + DIGEST_SIZE;
    const root = this.#window.toString('hex', frame.payloadStart, digestEnd);
    const reason = this.#window.toString('utf8', digestEnd, frame.payloadEnd);
    this.#at = frame.at;
    this.#frames += 1;
    this.#advance(frame.size);
    await this.#fill(WINDOW_SIZE);
    if (this.#start !== this.#end) {
      return this.#finish('damaged', { problem: 'there are bytes after the end frame', reason });
    }
    return this.#finish('ended', { reason, root });
  }

  #finish(
    state: FinishEvent['state'],
    rest: Pick<FinishEvent, 'problem' | 'reason' | 'root'>,
  ): FinishEvent {
    const { problem, ...others } = rest;
    const place = { at: this.#at, offset: this.#offset, frames: this.#frames };
    const torn = `the file ends ${this.#end - this.#start} bytes into a frame`;
    const found = state === 'torn' ? torn : problem;
    return { kind: 'finish', state, ...place, ...others, ...(found && { problem: found }) };
  }
}

/** Undefined: no JSON. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The checksum held, so what has the shape of a note is one that a Weir of this version wrote. */
function isNote(value: unknown): value is RecordedNote {
  const kinds: unknown[] = ['signed-in', 'decision', 'refused', 'ended'];
  return isObject(value) && kinds.includes(value['kind']);
}

function isHeader(value: unknown): value is RecordingHeader {
  if (!isObject(value)) return false;
  const names = ['session', 'connection', 'protocol', 'startedAt', 'clientAddress'];
  if (names.some((name) => typeof value[name] !== 'string')) return false;
  const writer = value['writer'];
  return (
    isObject(writer) && typeof writer['host'] === 'string' && Number.isSafeInteger(writer['pid'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
