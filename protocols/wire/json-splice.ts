/** Replaces spans of a text in bytes; all other bytes stay as they are. Knows nothing of JSON's grammar. */

/** `start === end` inserts. */
export interface JsonEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits in any order; inserts at one place keep theirs. Spans that overlap are a mistake of the caller. */
export function spliceJson(bytes: Buffer, edits: readonly JsonEdit[]): Buffer {
  const splicer = new Splicer(bytes);
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  for (const { start, end, text } of sorted) splicer.replace(start, end, text);
  return splicer.finish();
}

/** The same for edits that come in order: their texts are written at once, so that none has to be kept. */
export class Splicer {
  readonly #bytes: Buffer;
  /** Undefined as long as nothing changed. */
  #result: Buffer | undefined;
  #size = 0;
  #from = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  replace(start: number, end: number, text: string): void {
    if (start < this.#from || end < start || end > this.#bytes.length) {
      throw new RangeError('spans overlap, or lie outside the text');
    }
    const result = this.#reserve(start - this.#from + Buffer.byteLength(text));
    this.#size += this.#bytes.copy(result, this.#size, this.#from, start);
    this.#size += result.write(text, this.#size, 'utf8');
    this.#from = end;
  }

  /** The same Buffer where nothing was replaced. */
  finish(): Buffer {
    if (this.#result === undefined) return this.#bytes;
    const result = this.#reserve(this.#bytes.length - this.#from);
    this.#size += this.#bytes.copy(result, this.#size, this.#from);
    this.#from = this.#bytes.length;
    return result.subarray(0, this.#size);
  }

  /** Room for that many bytes more; masked texts are mostly shorter, so the first guess mostly does. */
  #reserve(size: number): Buffer {
    const needed = this.#size + size;
    const old = this.#result;
    if (old !== undefined && old.length >= needed) return old;
    const wanted =
      old === undefined ? this.#bytes.length + (this.#bytes.length >> 3) : old.length * 2;
    const result = Buffer.allocUnsafe(Math.max(wanted, needed));
    old?.copy(result, 0, 0, this.#size);
    this.#result = result;
    return result;
  }
}
