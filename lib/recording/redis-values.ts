/**
 * Reads one recorded direction of a Redis session, RESP2 and RESP3, into values, however the bytes were cut. Of a
 * long one only the head is kept. This reads recordings for people; the gateway's own framing, which decides, is
 * protocols/wire/resp-* and shares nothing with it.
 */

import { decodeCutText, decodeText } from './value-text.ts';

/** Kept of each message; the rest is counted and dropped. */
const TEXT_SIZE_MAX = 256 * 1024;
const VALUES_MAX = 10_000;
const DEPTH_MAX = 1024;
const CR = 0x0d;

export type RedisValue =
  | { readonly kind: 'text' | 'status' | 'error' | 'number'; readonly text: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'list' | 'map' | 'push'; readonly items: readonly RedisValue[] };

export interface RedisMessage {
  readonly value: RedisValue;
  /** As on the wire. */
  readonly size: number;
  readonly isCut: boolean;
  readonly by: 'gateway' | undefined;
}

interface Level {
  readonly kind: 'list' | 'map' | 'push' | 'attribute';
  readonly items: RedisValue[];
  /** Infinity: up to a `.`. */
  left: number;
}

const NULL: RedisValue = { kind: 'null' };

export class RedisSplitter {
  #levels: Level[] = [];
  #type = '';
  #line = '';
  /** Bytes of a string that are still to come, its CR LF with them; undefined: in a line. */
  #left: number | undefined;
  #pieces: Buffer[] = [];
  #pieceSize = 0;
  #stringSize = 0;
  #isStreamed = false;
  #size = 0;
  #kept = 0;
  #valueCount = 0;
  #isCut = false;
  #by: 'gateway' | undefined;
  problem: string | undefined;

  get heldSize(): number {
    return this.#kept + this.#pieceSize + this.#line.length;
  }

  /** The messages that `bytes` completed. */
  push(bytes: Buffer, by: 'gateway' | undefined): RedisMessage[] {
    const found: RedisMessage[] = [];
    let at = 0;
    while (at < bytes.length && this.problem === undefined) {
      if (this.#size === 0) this.#by = by;
      const end =
        this.#left === undefined ? this.#takeLine(bytes, at) : this.#takeString(bytes, at);
      this.#size += end - at;
      at = end;
      const value = this.#value;
      if (value === undefined) continue;
      found.push({ value, size: this.#size, isCut: this.#isCut, by: this.#by });
      this.#reset();
    }
    return found;
  }

  #value: RedisValue | undefined;

  #reset(): void {
    this.#value = undefined;
    this.#levels = [];
    this.#size = 0;
    this.#kept = 0;
    this.#valueCount = 0;
    this.#isCut = false;
  }

  #takeLine(bytes: Buffer, at: number): number {
    if (this.#type === '') {
      this.#type = String.fromCharCode(bytes[at] ?? 0);
      if (!'+-:,#_($=!*%~>|;.'.includes(this.#type)) this.problem = `no RESP type: ${this.#type}`;
      return at + 1;
    }
    const end = bytes.indexOf('\n', at);
    const stop = end < 0 ? bytes.length : end + 1;
    const room = TEXT_SIZE_MAX - this.#kept - this.#line.length;
    const kept = bytes.toString('latin1', at, Math.min(stop, at + Math.max(room, 0)));
    if (kept.length < stop - at) this.#isCut = true;
    this.#line += kept;
    if (end >= 0) this.#finishLine();
    return stop;
  }

  #finishLine(): void {
    const type = this.#type;
    const line = this.#line.replace(/\r?\n$/, '');
    this.#type = '';
    this.#line = '';
    const text = decodeText(Buffer.from(line, 'latin1'));
    switch (type) {
      case '+':
        return this.#add({ kind: 'status', text });
      case '-':
        return this.#add({ kind: 'error', text });
      case '_':
        return this.#add(NULL);
      case ':':
      case ',':
      case '#':
      case '(':
        return this.#add({ kind: 'number', text });
      case '.':
        return this.#endStreamed();
      default:
        return this.#begin(type, line);
    }
  }

  #begin(type: string, line: string): void {
    const isStreamed = line === '?';
    const length = isStreamed ? Infinity : Number(line);
    if (!isStreamed && (!Number.isInteger(length) || line === '')) {
      this.problem = `no length: ${type}${line.slice(0, 20)}`;
    } else if ('$=!;'.includes(type)) {
      this.#beginString(type, length);
    } else {
      this.#beginList(type, length);
    }
  }

  #beginString(type: string, length: number): void {
    if (length === Infinity) this.#isStreamed = true;
    else if (type === ';' && length === 0) this.#finishString();
    else if (length < 0) this.#add(NULL);
    else {
      this.#left = length + 2;
      this.#errorString = type === '!';
    }
  }

  #errorString = false;

  #takeString(bytes: Buffer, at: number): number {
    const left = this.#left ?? 0;
    const end = Math.min(at + left, bytes.length);
    // The two last bytes are CR LF.
    const piece = bytes.subarray(at, Math.max(at, Math.min(end, at + left - 2)));
    const room = Math.max(TEXT_SIZE_MAX - this.#kept - this.#pieceSize, 0);
    if (piece.length > room) this.#isCut = true;
    if (piece.length > 0 && room > 0) {
      this.#pieces.push(Buffer.from(piece.subarray(0, room)));
      this.#pieceSize += Math.min(piece.length, room);
    }
    this.#stringSize += piece.length;
    this.#left = left - (end - at);
    if (this.#left === 0) {
      this.#left = undefined;
      if (bytes[end - 2] !== CR && end - at > 1)
        this.problem = 'a string does not end with its length';
      if (!this.#isStreamed) this.#finishString();
    }
    return end;
  }

  #finishString(): void {
    const bytes = Buffer.concat(this.#pieces);
    const text = bytes.length < this.#stringSize ? decodeCutText(bytes) : decodeText(bytes);
    const kind = this.#errorString ? 'error' : 'text';
    this.#pieces = [];
    this.#pieceSize = 0;
    this.#stringSize = 0;
    this.#isStreamed = false;
    this.#errorString = false;
    this.#add({ kind, text });
  }

  #beginList(type: string, length: number): void {
    if (length < 0) return this.#add(NULL);
    if (this.#levels.length >= DEPTH_MAX) {
      this.problem = `more than ${DEPTH_MAX} levels`;
      return undefined;
    }
    const kind = KINDS[type] ?? 'list';
    const left = kind === 'map' || kind === 'attribute' ? length * 2 : length;
    this.#levels.push({ kind, items: [], left });
    if (left === 0) this.#endLevel();
    return undefined;
  }

  #endStreamed(): void {
    if (this.#levels.at(-1)?.left === Infinity) this.#endLevel();
    else this.problem = 'an end of nothing';
  }

  #endLevel(): void {
    const level = this.#levels.pop();
    // An attribute is no value: what it speaks of follows it.
    if (level === undefined || level.kind === 'attribute') return;
    this.#add({ kind: level.kind, items: level.items });
  }

  #add(value: RedisValue): void {
    const level = this.#levels.at(-1);
    if (level === undefined) {
      this.#value = value;
      return;
    }
    if (this.#valueCount < VALUES_MAX) {
      level.items.push(value);
      this.#valueCount += 1;
      if ('text' in value) this.#kept += value.text.length;
    } else {
      this.#isCut = true;
    }
    level.left -= 1;
    if (level.left === 0) this.#endLevel();
  }
}

const KINDS: Readonly<Record<string, Level['kind']>> = {
  '*': 'list',
  '~': 'list',
  '%': 'map',
  '>': 'push',
  '|': 'attribute',
};
