/**
 * gRPC over HTTP/2 as far as a gateway needs it: message frames, status codes, `grpc-message`, refusals.
 * Sources: PROTOCOL-HTTP2.md and http-grpc-status-mapping.md of gRPC, vector.md sections 0.9 and 4. What is
 * in a message is protobuf (`protobuf.ts`) and no matter of this file.
 */

import type { HeaderList, ResponseHead, Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { StoreRefusal } from '../store.ts';
import type { WholeAnswer } from './store-product.ts';

export const GRPC_STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Compressed flag, u32 length (big-endian). */
export const FRAME_HEAD_SIZE = 5;

/** In a `grpc-message`; header blocks beyond 8 kB are refused by clients and proxies. */
const MESSAGE_SIZE_MAX = 2048;

/** `application/grpc` and its `+proto` form; not grpc-web, not Connect (vector.md section 4). */
export function isGrpcContentType(value: string | undefined): boolean {
  return value !== undefined && /^application\/grpc(?:\+proto)?[ \t]*(?:;|$)/i.test(value);
}

export function grpcStatusOf(kind: StoreRefusal['kind']): number {
  switch (kind) {
    case 'unauthenticated':
      return GRPC_STATUS.unauthenticated;
    case 'forbidden':
      return GRPC_STATUS.permissionDenied;
    case 'unreadable':
      return GRPC_STATUS.invalidArgument;
    case 'too-large':
    case 'too-many':
      return GRPC_STATUS.resourceExhausted;
    case 'unavailable':
      return GRPC_STATUS.unavailable;
  }
}

/** What a client makes of an answer that is no gRPC at all (http-grpc-status-mapping.md). */
export function httpGrpcCode(status: number): number {
  switch (status) {
    case 400:
      return GRPC_STATUS.internal;
    case 401:
      return GRPC_STATUS.unauthenticated;
    case 403:
      return GRPC_STATUS.permissionDenied;
    case 404:
      return GRPC_STATUS.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.unavailable;
    default:
      return GRPC_STATUS.unknown;
  }
}

/** An answer that is a status only. `message` is text for people, of any characters. */
export function grpcRefusal(code: number, message: string, more: HeaderList = []): WholeAnswer {
  return {
    head: { status: 200, headers: [['content-type', 'application/grpc'], ...more] },
    body: Buffer.alloc(0),
    trailers: [
      ['grpc-status', String(code)],
      ['grpc-message', encodeGrpcMessage(message)],
    ],
  };
}

/** Percent-encodes what is no printable ASCII, and `%` itself; nothing else (vector.md 0.9). */
export function encodeGrpcMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8').subarray(0, MESSAGE_SIZE_MAX)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** What is no valid escape stays as it is, as the specification asks. */
export function decodeGrpcMessage(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([one]) => one === name)?.[1];
}

/** True: an answer as gRPC has it, which may hold messages. */
export function isGrpcAnswer(head: ResponseHead): boolean {
  return head.status === 200 && isGrpcContentType(headerOf(head.headers, 'content-type'));
}

/** One message, uncompressed. */
export function frameMessage(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_SIZE + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEAD_SIZE);
  return frame;
}

export interface GrpcMessage {
  readonly isCompressed: boolean;
  /** Without its frame. */
  readonly bytes: Buffer;
  /** With it, as it came. */
  readonly frame: Buffer;
}

/** Cuts a stream of bytes into messages, however it was cut; holds no more than one message. */
export class GrpcFrames {
  readonly #sizeMax: number;
  readonly #blame: Side;
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(sizeMax: number, blame: Side) {
    this.#sizeMax = sizeMax;
    this.#blame = blame;
  }

  /** Bytes of a message that is not whole yet. */
  get heldSize(): number {
    return this.#held;
  }

  /** Throws ProtocolError GRPC_FLAG or GRPC_MESSAGE_SIZE, before the message is there. */
  push(bytes: Buffer): GrpcMessage[] {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    const messages: GrpcMessage[] = [];
    for (;;) {
      const size = this.#nextSize();
      if (size === undefined || this.#held < size) return messages;
      messages.push(toMessage(this.#take(size)));
    }
  }

  /** Of the next frame; undefined: its head is not there yet. */
  #nextSize(): number | undefined {
    if (this.#held < FRAME_HEAD_SIZE) return undefined;
    if ((this.#pieces[0]?.length ?? 0) < FRAME_HEAD_SIZE) this.#pieces = [this.#join()];
    const head = this.#pieces[0] ?? Buffer.alloc(FRAME_HEAD_SIZE);
    const flag = head.readUInt8(0);
    if (flag > 1) {
      throw new ProtocolError('GRPC_FLAG', this.#blame, `a gRPC message with the flag ${flag}`);
    }
    const length = head.readUInt32BE(1);
    if (length > this.#sizeMax) {
      const problem = `a gRPC message of ${length} bytes, above the limit of ${this.#sizeMax}`;
      throw new ProtocolError('GRPC_MESSAGE_SIZE', this.#blame, problem);
    }
    return FRAME_HEAD_SIZE + length;
  }

  #take(size: number): Buffer {
    const [first] = this.#pieces;
    const all = first !== undefined && first.length >= size ? first : this.#join();
    const rest = this.#pieces.slice(all === first ? 1 : this.#pieces.length);
    const left = all.subarray(size);
    this.#pieces = left.length > 0 ? [left, ...rest] : rest;
    this.#held -= size;
    return all.subarray(0, size);
  }

  #join(): Buffer {
    return Buffer.concat(this.#pieces, this.#held);
  }
}

function toMessage(frame: Buffer): GrpcMessage {
  return { isCompressed: frame[0] === 1, bytes: frame.subarray(FRAME_HEAD_SIZE), frame };
}
