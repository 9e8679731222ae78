/**
 * Where the server is in the answer to a command: what the next packet is, by the first byte and the
 * length of it, and when the answer is over (MY-14, MY-24, MY-25, MY-29, MY-31). It reads no payloads and
 * changes nothing; the relay does that.
 *
 *   query, execute:  header -> columns -> (columns-end) -> rows -> header again, or over
 *                           -> OK -> header again, or over      -> infile -> OK
 *   prepare:         header -> parameters -> (end) -> columns -> (end) -> over
 *   fields:          columns up to an end     fetch: rows     simple: one packet     raw: one packet
 */

import { ProtocolError } from '../errors.ts';

export type ReplyShape = 'simple' | 'raw' | 'query' | 'execute' | 'prepare' | 'fetch' | 'fields';

export type PacketKind =
  | 'ok'
  | 'error'
  | 'progress'
  | 'end'
  | 'count'
  | 'infile'
  | 'column'
  | 'parameter'
  | 'row'
  | 'prepared'
  | 'raw';

type Step =
  | 'header'
  | 'parameters'
  | 'parameters-end'
  | 'columns'
  | 'columns-end'
  | 'field-list'
  | 'rows'
  | 'infile'
  | 'over';

export const STATUS = {
  inTransaction: 0x0001,
  moreResults: 0x0008,
  cursorExists: 0x0040,
  noBackslashEscapes: 0x0200,
  ansiQuotes: 0x8000,
} as const;

const OK_HEADER = 0x00;
const INFILE_HEADER = 0xfb;
const END_HEADER = 0xfe;
const ERROR_HEADER = 0xff;
/** An EOF packet without the capability DEPRECATE_EOF is shorter than this; a row that begins so is not. */
const EOF_SIZE_MAX = 9;
/** With the capability it is shorter than a full packet. */
const END_SIZE_MAX = 0xffffff;
/** How many bytes `kindOf` wants of a payload's beginning. */
export const KIND_HEAD_SIZE = 4;

export interface ReplyOptions {
  readonly shape: ReplyShape;
  readonly deprecatesEof: boolean;
  /** COM_STMT_EXECUTE asked for a cursor: the rows may be left for COM_STMT_FETCH (MY-24). */
  readonly asksCursor: boolean;
  /** The capability for progress packets was agreed on. */
  readonly hasProgress: boolean;
}

export class ReplyReader {
  readonly #options: ReplyOptions;
  #step: Step;
  #parameterCount = 0;
  #columnCount = 0;
  /** Definitions still to come of the present run of them. */
  #left = 0;
  #isFirst = true;

  constructor(options: ReplyOptions) {
    this.#options = options;
    this.#step = STARTS[options.shape];
  }

  get isOver(): boolean {
    return this.#step === 'over';
  }

  /** True until the first packet of the answer was followed. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Definitions still to come before the rows, or before the answer is over. */
  get definitionsLeft(): number {
    return this.#left;
  }

  get isBinary(): boolean {
    return this.#options.shape === 'execute' || this.#options.shape === 'fetch';
  }

  /** What the packet of `length` bytes is that begins with `head`. */
  kindOf(head: Buffer, length: number): PacketKind {
    const [first] = head;
    if (first === undefined) throw this.#unexpected('an empty packet');
    if (this.#options.shape === 'raw') return 'raw';
    // No definition and no row can begin with it, in either format (MY-14).
    if (first === ERROR_HEADER) return this.#isProgress(head) ? 'progress' : 'error';
    const kind = this.#kindAt(first, length);
    if (kind === undefined)
      throw this.#unexpected(`a packet that begins with 0x${first.toString(16)}`);
    return kind;
  }

  #kindAt(first: number, length: number): PacketKind | undefined {
    switch (this.#step) {
      case 'header':
        return this.#headerKind(first, length);
      case 'parameters':
        return 'parameter';
      case 'columns':
        return 'column';
      case 'field-list':
        return this.#isEnd(first, length) ? 'end' : 'column';
      case 'rows':
        return this.#isEnd(first, length) ? 'end' : 'row';
      case 'parameters-end':
      case 'columns-end':
        return first === END_HEADER && length < EOF_SIZE_MAX ? 'end' : undefined;
      case 'infile':
        return first === OK_HEADER ? 'ok' : undefined;
      case 'over':
        return undefined;
    }
  }

  #headerKind(first: number, length: number): PacketKind | undefined {
    const { shape } = this.#options;
    if (first === OK_HEADER) return shape === 'prepare' ? 'prepared' : 'ok';
    if (shape === 'simple' && first === END_HEADER && length < END_SIZE_MAX) return 'end';
    if (shape === 'query' || shape === 'execute') {
      if (first === INFILE_HEADER) return 'infile';
      if (first !== END_HEADER) return 'count';
    }
    return undefined;
  }

  #isEnd(first: number, length: number): boolean {
    if (first !== END_HEADER) return false;
    return length < (this.#options.deprecatesEof ? END_SIZE_MAX : EOF_SIZE_MAX);
  }

  /** ERR 65535 without a SQLSTATE, in the middle of a command: more follows (MY-31). */
  #isProgress(head: Buffer): boolean {
    return (
      this.#options.hasProgress && head[1] === 0xff && head[2] === 0xff && head[3] !== STATE_MARK
    );
  }

  onError(): void {
    this.#isFirst = false;
    this.#step = 'over';
  }

  onProgress(): void {
    this.#isFirst = false;
  }

  /** OK, or the one packet of an answer without a result. */
  onOk(status: number): void {
    this.#isFirst = false;
    const { shape } = this.#options;
    const mayGoOn = shape === 'query' || shape === 'execute';
    this.#step = mayGoOn && (status & STATUS.moreResults) !== 0 ? 'header' : 'over';
  }

  onInfile(): void {
    this.#isFirst = false;
    this.#step = 'infile';
  }

  onRaw(): void {
    this.#isFirst = false;
    this.#step = 'over';
  }

  onCount(columns: number): void {
    this.#isFirst = false;
    this.#left = columns;
    this.#step = 'columns';
  }

  onPrepared(parameters: number, columns: number): void {
    this.#isFirst = false;
    this.#parameterCount = parameters;
    this.#columnCount = columns;
    this.#startParameters();
  }

  /** A definition of a column or parameter. */
  onDefinition(): void {
    this.#isFirst = false;
    if (this.#step === 'field-list') return;
    this.#left -= 1;
    if (this.#left > 0) return;
    const isOfParameters = this.#step === 'parameters';
    if (!this.#options.deprecatesEof) {
      this.#step = isOfParameters ? 'parameters-end' : 'columns-end';
    } else if (isOfParameters) {
      this.#startColumns();
    } else {
      this.#step = this.#options.shape === 'prepare' ? 'over' : 'rows';
    }
  }

  onEnd(status: number): void {
    this.#isFirst = false;
    if (this.#step === 'parameters-end') this.#startColumns();
    else if (this.#step === 'columns-end') this.#onColumnsEnd(status);
    else this.onOk(status);
  }

  #onColumnsEnd(status: number): void {
    if (this.#options.shape === 'prepare') this.#step = 'over';
    else if (this.#options.asksCursor && (status & STATUS.cursorExists) !== 0) this.#step = 'over';
    else this.#step = 'rows';
  }

  #startParameters(): void {
    this.#left = this.#parameterCount;
    if (this.#parameterCount > 0) this.#step = 'parameters';
    else this.#startColumns();
  }

  #startColumns(): void {
    this.#left = this.#columnCount;
    this.#step = this.#columnCount > 0 ? 'columns' : 'over';
  }

  #unexpected(what: string): ProtocolError {
    const { shape } = this.#options;
    return new ProtocolError(
      'MYSQL_UNEXPECTED_PACKET',
      'server',
      `${what} came in the answer to a ${shape} command (${this.#step})`,
    );
  }
}

const STATE_MARK = 0x23; // '#'

const STARTS: Readonly<Record<ReplyShape, Step>> = {
  simple: 'header',
  raw: 'header',
  query: 'header',
  execute: 'header',
  prepare: 'header',
  fetch: 'rows',
  fields: 'field-list',
};
