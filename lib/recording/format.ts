/**
 * The recording file, byte by byte: the one place that knows the layout, for writer and reader.
 * docs/RECORDING.md says the same for people who write a reader in another language; change both.
 * No file access here: frames go into and come out of buffers that the caller owns.
 */

import { crc32 } from 'node:zlib';
import type { Side } from '../../protocols/contract.ts';
import type { SessionHeader } from './recording.ts';

/** As in PNG: a first byte that is no text, and line ends that a careless text copy would change. */
export const MAGIC: Buffer = Buffer.from('\x89WEIR\r\n\x1a', 'latin1');
export const FORMAT_VERSION = 1;
/** Magic, u16 version, u16 reserved. */
export const PREAMBLE_SIZE = 12;

/** u32 payload length, u8 kind, u8 flags, u48 microseconds since the start of the session. */
export const FRAME_HEAD_SIZE = 12;
/** CRC-32 of head and payload. */
export const FRAME_TAIL_SIZE = 4;
export const FRAME_OVERHEAD_SIZE = FRAME_HEAD_SIZE + FRAME_TAIL_SIZE;
/** A reader needs to hold no more than one frame of this size; a longer one is damage. */
export const FRAME_PAYLOAD_SIZE_MAX = 256 * 1024;
/**
 * BLAKE2b-512: where the processor has no SHA instructions it is five times as fast as SHA-256, and the
 * digest is the dearest part of recording a large result. `b2sum` checks it.
 */
export const DIGEST_ALGORITHM = 'blake2b512';
export const DIGEST_SIZE = 64;
export const RECORDING_SUFFIX = '.weir';

/** Letters, so that a hex dump can be read by eye. */
export const FRAME_KINDS = {
  header: 0x48,
  client: 0x43,
  server: 0x53,
  note: 0x4e,
  seal: 0x23,
  end: 0x45,
} as const;
export type FrameKind = keyof typeof FRAME_KINDS;

/** The bytes were made by Weir, not by the peer on whose side they stand (GW-16). */
export const FLAG_GATEWAY = 1;
/** The next frame of the same side goes on with the same append. */
export const FLAG_CONTINUED = 2;
const FLAGS_KNOWN = FLAG_GATEWAY | FLAG_CONTINUED;

/** The process that writes a recording: whoever finds no end frame can tell open from cut off. */
export interface Writer {
  readonly host: string;
  readonly pid: number;
  /** Start time of the process as its system counts it; guards against a process id used again. */
  readonly started?: string;
}

/** The JSON of the header frame. */
export interface RecordingHeader extends SessionHeader {
  readonly writer: Writer;
  readonly durability: string;
}

export interface Frame {
  readonly kind: FrameKind;
  /** Microseconds since the start of the session. */
  readonly at: number;
  readonly isByGateway: boolean;
  readonly isContinued: boolean;
  /** Where the payload lies in the buffer that was decoded. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** The whole frame, bytes. */
  readonly size: number;
}

export interface Damage {
  readonly problem: string;
}

const KIND_BY_CODE: ReadonlyMap<number, FrameKind> = new Map([
  [FRAME_KINDS.header, 'header'],
  [FRAME_KINDS.client, 'client'],
  [FRAME_KINDS.server, 'server'],
  [FRAME_KINDS.note, 'note'],
  [FRAME_KINDS.seal, 'seal'],
  [FRAME_KINDS.end, 'end'],
]);
const TWO_32 = 2 ** 32;

export function encodePreamble(): Buffer {
  const preamble = Buffer.alloc(PREAMBLE_SIZE);
  MAGIC.copy(preamble);
  preamble.writeUInt16BE(FORMAT_VERSION, MAGIC.length);
  return preamble;
}

/** Undefined: a recording that this reader understands. */
export function checkPreamble(bytes: Buffer): Damage | undefined {
  if (bytes.length < PREAMBLE_SIZE || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return { problem: 'this is not a Weir recording: it does not start with the magic bytes' };
  }
  const version = bytes.readUInt16BE(MAGIC.length);
  if (version !== FORMAT_VERSION) {
    return { problem: `format version ${version}; this Weir reads version ${FORMAT_VERSION}` };
  }
  if (bytes.readUInt16BE(MAGIC.length + 2) !== 0) {
    return { problem: 'the two reserved bytes after the version are not zero' };
  }
  return undefined;
}

/** A frame to be written; the payload is `source[start..end)`. */
export interface FrameDraft {
  /** One of FRAME_KINDS. */
  readonly kind: number;
  readonly flags: number;
  readonly at: number;
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Writes one frame at `offset` and gives the offset behind it. The caller made sure that it fits.
 * The hot path: nothing is allocated but one view.
 */
export function encodeFrame(into: Buffer, offset: number, draft: FrameDraft): number {
  const { at, source, start, end } = draft;
  const payloadStart = offset + FRAME_HEAD_SIZE;
  const payloadEnd = payloadStart + end - start;
  into.writeUInt32BE(end - start, offset);
  into[offset + 4] = draft.kind;
  into[offset + 5] = draft.flags;
  into.writeUInt16BE(Math.floor(at / TWO_32), offset + 6);
  into.writeUInt32BE(at >>> 0, offset + 8);
  // `set` costs half of `copy`, and nearly every append is whole.
  if (end - start === source.length) into.set(source, payloadStart);
  else source.copy(into, payloadStart, start, end);
  into.writeUInt32BE(crc32(into.subarray(offset, payloadEnd)), payloadEnd);
  return payloadEnd + FRAME_TAIL_SIZE;
}

/**
 * Reads the frame at `offset` of `bytes[..end)`. Undefined: the frame is not all there yet. The
 * head is judged before the payload is waited for, so that a wild length is never believed.
 */
export function decodeFrame(
  bytes: Buffer,
  offset: number,
  end: number,
): Frame | Damage | undefined {
  if (end - offset < FRAME_HEAD_SIZE) return undefined;
  const length = bytes.readUInt32BE(offset);
  if (length > FRAME_PAYLOAD_SIZE_MAX) {
    return { problem: `payload length ${length} is above the limit of ${FRAME_PAYLOAD_SIZE_MAX}` };
  }
  const code = bytes.readUInt8(offset + 4);
  const kind = KIND_BY_CODE.get(code);
  if (kind === undefined) return { problem: `unknown frame kind 0x${code.toString(16)}` };
  const flags = bytes.readUInt8(offset + 5);
  if ((flags & ~FLAGS_KNOWN) !== 0) return { problem: `unknown flags 0x${flags.toString(16)}` };
  if (flags !== 0 && sideOf(kind) === undefined) {
    return { problem: `flags 0x${flags.toString(16)} on a frame that holds no wire bytes` };
  }
  const payloadStart = offset + FRAME_HEAD_SIZE;
  const payloadEnd = payloadStart + length;
  if (end < payloadEnd + FRAME_TAIL_SIZE) return undefined;
  if (crc32(bytes.subarray(offset, payloadEnd)) !== bytes.readUInt32BE(payloadEnd)) {
    return { problem: 'the checksum does not match: a byte of this frame was altered' };
  }
  return {
    kind,
    at: bytes.readUIntBE(offset + 6, 6),
    isByGateway: (flags & FLAG_GATEWAY) !== 0,
    isContinued: (flags & FLAG_CONTINUED) !== 0,
    payloadStart,
    payloadEnd,
    size: length + FRAME_OVERHEAD_SIZE,
  };
}

export function isDamage(decoded: Frame | Damage): decoded is Damage {
  return 'problem' in decoded;
}

/** The side whose wire bytes a frame of this kind holds. */
export function sideOf(kind: FrameKind): Side | undefined {
  return kind === 'client' || kind === 'server' ? kind : undefined;
}
