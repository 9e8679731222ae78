/**
 * MySQL packets: 3 bytes payload length, 1 byte sequence id, payload. A payload of 16 MB - 1 says that
 * another packet follows, and a whole multiple of it ends with an empty one (MY-13). The reader here is
 * for the connection phase, where packets are small; what flows in commands has a reader of its own.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */

import type { Side } from '../contract.ts';
import { ProtocolError } from '../errors.ts';

/** Length of a full packet's payload; one more follows. */
export const PACKET_SIZE_MAX = 0xffffff;
export const HEADER_SIZE = 4;

/** What a socket may still deliver after it was paused. */
const PAUSE_SLACK = 256 * 1024;
const EMPTY = Buffer.alloc(0);

export interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

export class PacketReader {
  readonly #blame: Side;
  readonly #sizeMax: number;
  #held: Buffer = EMPTY;

  /** `sizeMax`: largest payload; a longer one is refused by its header, before it is held. */
  constructor(blame: Side, sizeMax: number) {
    this.#blame = blame;
    this.#sizeMax = Math.min(sizeMax, PACKET_SIZE_MAX - 1);
  }

  push(bytes: Buffer): void {
    const heldMax = this.#sizeMax + HEADER_SIZE + PAUSE_SLACK;
    if (this.#held.length + bytes.length > heldMax) {
      throw new ProtocolError(
        'MYSQL_HELD_SIZE',
        this.#blame,
        `more than ${heldMax} bytes wait in the connection phase`,
      );
    }
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
  }

  /** The next whole packet; undefined: more bytes are needed. */
  read(): Packet | undefined {
    if (this.#held.length < HEADER_SIZE) return undefined;
    const length = this.#held.readUIntLE(0, 3);
    if (length > this.#sizeMax) {
      throw new ProtocolError(
        'MYSQL_PACKET_SIZE',
        this.#blame,
        `a packet of ${length} bytes in the connection phase, and the limit is ${this.#sizeMax}`,
      );
    }
    if (this.#held.length < HEADER_SIZE + length) return undefined;
    const sequence = this.#held.readUInt8(3);
    const payload = this.#held.subarray(HEADER_SIZE, HEADER_SIZE + length);
    this.#held = this.#held.subarray(HEADER_SIZE + length);
    return { sequence, payload };
  }

  /** What is here and was not read; the reader is empty then. */
  takeRest(): Buffer {
    const rest = this.#held;
    this.#held = EMPTY;
    return rest;
  }
}

/** The payload as one packet, or as many as its size needs; `sequence` is that of the first. */
export function encodePacket(payload: Buffer, sequence: number): Buffer {
  if (payload.length < PACKET_SIZE_MAX)
    return Buffer.concat([header(payload.length, sequence), payload]);
  const pieces: Buffer[] = [];
  let next = sequence;
  for (let offset = 0; offset <= payload.length; offset += PACKET_SIZE_MAX) {
    const piece = payload.subarray(offset, offset + PACKET_SIZE_MAX);
    pieces.push(header(piece.length, next), piece);
    next += 1;
  }
  return Buffer.concat(pieces);
}

/** How many packets a payload of this size takes, so how far it moves the sequence id. */
export function countPackets(payloadSize: number): number {
  return Math.floor(payloadSize / PACKET_SIZE_MAX) + 1;
}

function header(length: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE);
  bytes.writeUIntLE(length, 0, 3);
  bytes[3] = sequence & 0xff;
  return bytes;
}
