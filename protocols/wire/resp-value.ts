/**
 * One whole reply as a tree with the places of its parts, and the splicing that changes some of them and
 * keeps every other byte. Only for replies that something is changed in; all others are skimmed.
 */

import { ProtocolError } from '../errors.ts';
import { DEPTH_MAX } from './resp-skim.ts';

export type RespNode =
  /** `$`, `=`, `+`: `bytes` without framing, of a verbatim string without its `txt:`. */
  | RespText
  | ({ readonly kind: 'error'; readonly bytes: Buffer } & Span)
  /** `:`, `,`, `(`, `#`: by their text. */
  | ({ readonly kind: 'number'; readonly text: string } & Span)
  | ({ readonly kind: 'null' } & Span)
  | RespList;

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly attributes?: readonly RespNode[];
}

export interface RespText extends Span {
  readonly kind: 'text';
  readonly isStatus: boolean;
  readonly bytes: Buffer;
}

/** A map has its keys and values in turn. */
export interface RespList extends Span {
  readonly kind: 'list' | 'map';
  readonly isPush: boolean;
  readonly items: readonly RespNode[];
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** `bytes` is exactly one reply, as the skimmer has found it. Throws RESP_REPLY. */
export function readReply(bytes: Buffer): RespNode {
  const reader = new ReplyReader(bytes);
  const node = reader.read(0);
  if (reader.offset !== bytes.length) throw broken('more than one reply');
  return node;
}

/** Edits in any order; they must not overlap. The same Buffer where there are none. */
export function spliceReply(bytes: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    if (edit.start < at) throw new Error('edits of a reply overlap');
    pieces.push(bytes.subarray(at, edit.start), edit.bytes);
    at = edit.end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}

export function encodeBulk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

export function encodeNull(version: 2 | 3): Buffer {
  return Buffer.from(version === 3 ? '_\r\n' : '$-1\r\n');
}

/** One line: what would end it early is left out. */
export function encodeError(code: string, message: string): Buffer {
  return Buffer.from(`-${code} ${message.replaceAll(/[\r\n]+/g, ' ')}\r\n`);
}

class ReplyReader {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(depth: number): RespNode {
    if (depth > DEPTH_MAX) throw broken('too many levels');
    const attributes: RespNode[] = [];
    for (;;) {
      const start = this.offset;
      const type = String.fromCharCode(this.#bytes[start] ?? 0);
      this.offset += 1;
      if (type !== '|') {
        const node = this.#readOne(type, start, depth);
        return attributes.length === 0 ? node : { ...node, attributes };
      }
      attributes.push(...this.#readItems((this.#readLength() ?? 0) * 2, depth));
    }
  }

  #readOne(type: string, start: number, depth: number): RespNode {
    switch (type) {
      case '+': {
        const bytes = this.#readLine();
        return { kind: 'text', isStatus: true, bytes, start, end: this.offset };
      }
      case '-': {
        const bytes = this.#readLine();
        return { kind: 'error', bytes, start, end: this.offset };
      }
      case ':':
      case ',':
      case '(':
      case '#': {
        const text = this.#readLine().toString('latin1');
        return { kind: 'number', text, start, end: this.offset };
      }
      case '_':
        this.#readLine();
        return { kind: 'null', start, end: this.offset };
      case '$':
      case '=':
      case '!':
        return this.#readString(type, start);
      case '*':
      case '~':
      case '>':
      case '%':
        return this.#readList(type, start, depth);
      default:
        throw broken(`no type of a reply: ${type}`);
    }
  }

  #readString(type: string, start: number): RespNode {
    const length = this.#readLength();
    if (length === undefined && type !== '$') throw broken('a streamed string of a wrong type');
    const found = length === undefined ? this.#readChunks() : this.#readBytes(length);
    if (found === undefined) return { kind: 'null', start, end: this.offset };
    if (type === '!') return { kind: 'error', bytes: found, start, end: this.offset };
    const bytes = type === '=' ? found.subarray(4) : found;
    return { kind: 'text', isStatus: false, bytes, start, end: this.offset };
  }

  #readChunks(): Buffer {
    const chunks: Buffer[] = [];
    for (;;) {
      if (this.#bytes[this.offset] !== 0x3b) throw broken('a chunk was expected');
      this.offset += 1;
      const length = this.#readLength() ?? 0;
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(this.#readBytes(length) ?? Buffer.alloc(0));
    }
  }

  #readBytes(length: number): Buffer | undefined {
    if (length < 0) return undefined;
    const start = this.offset;
    this.offset += length + 2;
    if (this.offset > this.#bytes.length) throw broken('a string goes past its reply');
    return this.#bytes.subarray(start, start + length);
  }

  #readList(type: string, start: number, depth: number): RespNode {
    const length = this.#readLength();
    if (length === -1) return { kind: 'null', start, end: this.offset };
    const count = length === undefined ? undefined : length * (type === '%' ? 2 : 1);
    const items = this.#readItems(count ?? Number.NaN, depth);
    const kind = type === '%' ? 'map' : 'list';
    return { kind, isPush: type === '>', items, start, end: this.offset };
  }

  /** `count` NaN: up to the `.` of a streamed aggregate. */
  #readItems(count: number, depth: number): RespNode[] {
    const items: RespNode[] = [];
    while (Number.isNaN(count) ? this.#bytes[this.offset] !== 0x2e : items.length < count) {
      items.push(this.read(depth + 1));
    }
    if (Number.isNaN(count)) this.#readLine();
    return items;
  }

  /** Undefined: `?`. */
  #readLength(): number | undefined {
    const text = this.#readLine().toString('latin1');
    if (text === '?') return undefined;
    const length = Number(text);
    if (!Number.isInteger(length)) throw broken('a length is no number');
    return length;
  }

  #readLine(): Buffer {
    const start = this.offset;
    const end = this.#bytes.indexOf(0x0d, start);
    if (end < 0) throw broken('a line without an end');
    this.offset = end + 2;
    return this.#bytes.subarray(start, end);
  }
}

function broken(message: string): ProtocolError {
  return new ProtocolError('RESP_REPLY', 'server', message);
}
