/**
 * Puts the recorded bytes of HTTP and gRPC sessions together again: heads, bodies and gRPC messages of each
 * exchange, inflated where they were compressed. Memory is bounded whatever a recording holds: of what is
 * longer only the head is kept, and said to be.
 */

import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { HeaderList, ResponseHead, Side } from '../../protocols/contract.ts';
import {
  type CancelFacts,
  type ExchangeRecord,
  ExchangeRecordReader,
  type RecordedRequest,
} from '../../protocols/wire/exchange-record.ts';

/** Of one body or message; a search answer of a hundred vectors has a megabyte. */
export const BODY_HELD_MAX: number = 16 * 1024 * 1024;
/** Of all exchanges that are under way together. */
const HELD_MAX: number = 4 * BODY_HELD_MAX;
/** Exchanges under way: more than a session has (EXCHANGES_MAX of the session is 1,000). */
const EXCHANGES_MAX = 4000;
const FRAME_HEAD_SIZE = 5;

export interface HeldBody {
  readonly bytes: Buffer;
  /** Of the whole, as it was recorded, bytes. */
  readonly size: number;
  readonly isCut: boolean;
  /** It was compressed and could not be inflated: `bytes` is as it was recorded. */
  readonly isCoded: boolean;
}

interface Place {
  readonly exchange: number;
  readonly from: Side;
  readonly by: 'gateway' | undefined;
}

export type ExchangeItem = Place &
  (
    | { readonly kind: 'request'; readonly head: RecordedRequest }
    | { readonly kind: 'answer'; readonly head: ResponseHead }
    /** A whole body; none is told where there is none. */
    | { readonly kind: 'body'; readonly headers: HeaderList; readonly body: HeldBody }
    /** One message of gRPC, without its frame. */
    | { readonly kind: 'message'; readonly body: HeldBody }
    | { readonly kind: 'end'; readonly trailers: HeaderList }
    | ({ readonly kind: 'cancel' } & CancelFacts)
    | { readonly kind: 'damage'; readonly problem: string }
  );

interface Part {
  headers: HeaderList;
  pieces: Buffer[];
  held: number;
  size: number;
  by: 'gateway' | undefined;
  /** A message was too long to be held, so that it is not known where the next one starts. */
  isLost: boolean;
}

export class ExchangeItemReader {
  readonly #readers = { client: new ExchangeRecordReader(), server: new ExchangeRecordReader() };
  readonly #parts = new Map<string, Part>();
  #held = 0;

  get heldSize(): number {
    return this.#held + this.#readers.client.heldSize + this.#readers.server.heldSize;
  }

  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ExchangeItem[] {
    return this.#readers[from].push(bytes).flatMap((record) => this.#take(record, from, by));
  }

  #take(record: ExchangeRecord, from: Side, by: 'gateway' | undefined): ExchangeItem[] {
    if (record.kind === 'damage') {
      return [{ kind: 'damage', exchange: 0, from, by, problem: record.problem }];
    }
    const place: Place = { exchange: record.exchange, from, by };
    switch (record.kind) {
      case 'request':
        this.#part(place).headers = record.head.headers;
        return [{ ...place, kind: 'request', head: record.head }];
      case 'answer':
        this.#part(place).headers = record.head.headers;
        return [{ ...place, kind: 'answer', head: record.head }];
      case 'body':
        return this.#addBody(place, record.bytes);
      case 'end':
        return [...this.#endParts(place), { ...place, kind: 'end', trailers: record.trailers }];
      case 'cancel': {
        const { code, reason } = record;
        return [
          ...this.#endPart({ ...place, from: 'client' }),
          ...this.#endPart({ ...place, from: 'server' }),
          { ...place, kind: 'cancel', code, reason },
        ];
      }
    }
  }

  #part({ exchange, from, by }: Place): Part {
    const key = `${exchange} ${from}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#parts.keys();
    if (this.#parts.size >= EXCHANGES_MAX && oldest !== undefined) this.#drop(oldest);
    const part: Part = { headers: [], pieces: [], held: 0, size: 0, by, isLost: false };
    this.#parts.set(key, part);
    return part;
  }

  #drop(key: string): void {
    this.#held -= this.#parts.get(key)?.held ?? 0;
    this.#parts.delete(key);
  }

  #addBody(place: Place, bytes: Buffer): ExchangeItem[] {
    const part = this.#part(place);
    part.by = place.by;
    part.size += bytes.length;
    const room = Math.min(BODY_HELD_MAX - part.held, HELD_MAX - this.#held);
    if (room > 0) {
      // The reader's window is written over with the next read.
      const kept = Buffer.from(bytes.subarray(0, room));
      part.pieces.push(kept);
      part.held += kept.length;
      this.#held += kept.length;
    }
    return isGrpc(part.headers) && !part.isLost ? this.#cutMessages(place, part) : [];
  }

  /** All whole messages; one too long to be held is told when all of it has come by. */
  #cutMessages(place: Place, part: Part): ExchangeItem[] {
    const items: ExchangeItem[] = [];
    for (;;) {
      const head = this.#peek(part);
      if (head === undefined || part.size < FRAME_HEAD_SIZE + head.length) return items;
      const [first = Buffer.alloc(0)] = part.pieces;
      const size = FRAME_HEAD_SIZE + head.length;
      const held = first.length >= size ? first : Buffer.concat(part.pieces);
      const message = held.subarray(FRAME_HEAD_SIZE, size);
      const body = toBody(
        message,
        head.length,
        head.isCompressed ? messageCoding(part.headers) : '',
      );
      items.push({ ...place, kind: 'message', body });
      this.#keepRest(
        part,
        held === first ? [first.subarray(size), ...part.pieces.slice(1)] : [held.subarray(size)],
        size,
      );
    }
  }

  #keepRest(part: Part, pieces: readonly Buffer[], size: number): void {
    part.pieces = pieces.filter(({ length }) => length > 0);
    const held = part.pieces.reduce((sum, { length }) => sum + length, 0);
    this.#held -= part.held - held;
    part.held = held;
    part.size -= size;
    part.isLost = held < part.size;
  }

  #peek(part: Part): { isCompressed: boolean; length: number } | undefined {
    if (part.held < FRAME_HEAD_SIZE) return undefined;
    if ((part.pieces[0]?.length ?? 0) < FRAME_HEAD_SIZE) part.pieces = [Buffer.concat(part.pieces)];
    const [first = Buffer.alloc(FRAME_HEAD_SIZE)] = part.pieces;
    return { isCompressed: first[0] === 1, length: first.readUInt32BE(1) };
  }

  /** Nothing follows the end of an answer, nor a cancel of either side: what they leave open would be held for ever. */
  #endParts(place: Place): ExchangeItem[] {
    if (place.from === 'client') return this.#endPart(place);
    return [...this.#endPart({ ...place, from: 'client' }), ...this.#endPart(place)];
  }

  #endPart(place: Place): ExchangeItem[] {
    const key = `${place.exchange} ${place.from}`;
    const part = this.#parts.get(key);
    if (part === undefined) return [];
    this.#drop(key);
    if (part.size === 0) return [];
    const coding = isGrpc(part.headers) ? '' : bodyCoding(part.headers);
    const body = toBody(Buffer.concat(part.pieces), part.size, coding);
    return [{ ...place, by: part.by, kind: 'body', headers: part.headers, body }];
  }
}

export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([one]) => one === name)?.[1];
}

function isGrpc(headers: HeaderList): boolean {
  return headerOf(headers, 'content-type')?.startsWith('application/grpc') === true;
}

function bodyCoding(headers: HeaderList): string {
  return headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? '';
}

function messageCoding(headers: HeaderList): string {
  return headerOf(headers, 'grpc-encoding')?.trim().toLowerCase() ?? '';
}

function toBody(held: Buffer, size: number, coding: string): HeldBody {
  const isCut = held.length < size;
  if (coding === '' || coding === 'identity') return { bytes: held, size, isCut, isCoded: false };
  const plain = isCut ? undefined : inflate(coding, held);
  return { bytes: plain ?? held, size, isCut, isCoded: plain === undefined };
}

function inflate(coding: string, bytes: Buffer): Buffer | undefined {
  const options = { maxOutputLength: BODY_HELD_MAX };
  try {
    switch (coding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, options);
      case 'deflate':
        return inflateSync(bytes, options);
      case 'br':
        return brotliDecompressSync(bytes, options);
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
