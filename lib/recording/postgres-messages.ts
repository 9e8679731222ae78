/**
 * PostgreSQL message bodies as readable facts, for people who look at a recording. Nothing is
 * decided on what is read here, so it is lenient where protocols/postgres is strict: a body that is
 * broken becomes `unreadable`, a body whose head alone is left gives what the head holds.
 * Layouts: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

import type { SplitMessage } from './message-splitter.ts';
import { cuttable, decodeCutText, decodeText, toHex } from './value-text.ts';
import type { ViewColumn, ViewDiagnostic, ViewFact, ViewValue } from './view.ts';

export const SSL_REQUEST_CODE = 80877103;
export const GSSENC_REQUEST_CODE = 80877104;
export const CANCEL_REQUEST_CODE = 80877102;

/** Reads within one body; past its end it gives nothing and remembers that it had to. */
export class BodyReader {
  readonly #body: Buffer;
  #offset = 0;
  isShort = false;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#body.length;
  }

  readInt16(): number {
    return this.#has(2) ? this.#body.readInt16BE(this.#offset - 2) : 0;
  }

  readInt32(): number {
    return this.#has(4) ? this.#body.readInt32BE(this.#offset - 4) : 0;
  }

  readUInt32(): number {
    return this.#has(4) ? this.#body.readUInt32BE(this.#offset - 4) : 0;
  }

  readByte(): number {
    return this.#has(1) ? (this.#body[this.#offset - 1] ?? 0) : 0;
  }

  readString(): string {
    const end = this.#body.indexOf(0, this.#offset);
    if (end < 0) {
      this.isShort = true;
      return decodeText(this.readRest());
    }
    const text = decodeText(this.#body.subarray(this.#offset, end));
    this.#offset = end + 1;
    return text;
  }

  /** What is there of the next `size` bytes. */
  readBytes(size: number): Buffer {
    const end = this.#offset + size;
    if (end > this.#body.length) this.isShort = true;
    const bytes = this.#body.subarray(this.#offset, end);
    this.#offset = Math.min(end, this.#body.length);
    return bytes;
  }

  readRest(): Buffer {
    const rest = this.#body.subarray(this.#offset);
    this.#offset = this.#body.length;
    return rest;
  }

  #has(size: number): boolean {
    if (this.#offset + size > this.#body.length) {
      this.isShort = true;
      this.#offset = this.#body.length;
      return false;
    }
    this.#offset += size;
    return true;
  }
}

/** `isCut`: the end of `bytes` may lie within a character. */
function decodeValue(bytes: Buffer, isBinary: boolean, isCut: boolean): string {
  if (isBinary) return toHex(bytes);
  return isCut ? decodeCutText(bytes) : decodeText(bytes);
}

/** Values with a count ahead of them, each with its length; what the head does not hold is left out. */
function readValues(body: BodyReader, isBinary: (index: number) => boolean): ViewValue[] {
  const count = body.readInt16();
  const values: ViewValue[] = [];
  for (let index = 0; index < count && !body.isShort; index += 1) {
    const size = body.readInt32();
    if (body.isShort) break;
    if (size < 0) {
      values.push(null);
      continue;
    }
    const bytes = body.readBytes(size);
    values.push(decodeValue(bytes, isBinary(index), bytes.length < size));
  }
  return values;
}

export function readFormats(body: BodyReader): (index: number) => boolean {
  const count = body.readInt16();
  const formats: number[] = [];
  for (let index = 0; index < count && !body.isShort; index += 1) formats.push(body.readInt16());
  // PG-42: no format means text for all, one means that one for all.
  return (index) => (formats.length === 1 ? formats[0] : formats[index]) === 1;
}

export function decodeStartup(body: Buffer, code: number): ViewFact {
  if (code === SSL_REQUEST_CODE) return { event: 'ssl-request' };
  if (code === GSSENC_REQUEST_CODE) return { event: 'gssenc-request' };
  if (code === CANCEL_REQUEST_CODE) return { event: 'cancel-request' };
  const reader = new BodyReader(body.subarray(4));
  const parameters: [string, string][] = [];
  while (!reader.isAtEnd) {
    const name = reader.readString();
    if (name === '') break;
    parameters.push([name, reader.readString()]);
  }
  return {
    event: 'startup',
    protocol: versionText(code),
    parameters: Object.fromEntries(parameters),
  };
}

function versionText(code: number): string {
  return `${code >>> 16}.${code & 0xffff}`;
}

export interface BoundPortal {
  readonly portal: string;
  readonly statement: string;
  readonly parameters: readonly ViewValue[];
  readonly isResultBinary: (index: number) => boolean;
}

/** Frontend messages that need nothing but their own bytes. Undefined: unknown type. */
export function decodeFrontend(message: SplitMessage, body: BodyReader): ViewFact | undefined {
  const cut = cuttable(message);
  switch (message.type ?? '') {
    case 'p':
      return { event: 'credential', ...cut };
    case 'Q':
      return { event: 'query', text: body.readString(), ...cut };
    case 'P':
      return { event: 'parse', statement: body.readString(), text: body.readString(), ...cut };
    case 'B': {
      const { portal, statement, parameters } = decodeBind(body);
      return { event: 'bind', portal, statement, parameters, ...cut };
    }
    case 'D':
    case 'C': {
      const event = message.type === 'D' ? 'describe' : 'close';
      const target = body.readByte() === 0x53 ? 'statement' : 'portal';
      return { event, target, name: body.readString() };
    }
    case 'E':
      return { event: 'execute', portal: body.readString(), rowsMax: body.readInt32() };
    case 'S':
      return { event: 'sync' };
    case 'H':
      return { event: 'flush' };
    case 'X':
      return { event: 'terminate' };
    case 'F':
      return { event: 'function-call', routine: body.readUInt32() };
    default:
      return decodeCopy(message, body);
  }
}

export function decodeBind(body: BodyReader): BoundPortal {
  const portal = body.readString();
  const statement = body.readString();
  const isBinary = readFormats(body);
  const parameters = readValues(body, isBinary);
  return { portal, statement, parameters, isResultBinary: readFormats(body) };
}

function decodeCopy(message: SplitMessage, body: BodyReader): ViewFact | undefined {
  switch (message.type ?? '') {
    case 'd': {
      const cut = cuttable(message);
      const text = decodeValue(body.readRest(), !isUtf8Head(message), cut.cut === true);
      return { event: 'copy-data', text, ...cut };
    }
    case 'c':
      return { event: 'copy-done' };
    case 'f':
      return { event: 'copy-fail', message: body.readString() };
    default:
      return undefined;
  }
}

/** Binary COPY data can be valid UTF-8 by chance; a zero byte gives it away, text has none. */
function isUtf8Head(message: SplitMessage): boolean {
  return !message.body.includes(0);
}

const ACKNOWLEDGEMENTS: ReadonlyMap<
  string | undefined,
  'parse' | 'bind' | 'close' | 'no-data' | 'types'
> = new Map([
  ['1', 'parse'],
  ['2', 'bind'],
  ['3', 'close'],
  ['n', 'no-data'],
  ['t', 'types'],
]);

/** Backend messages but for rows and their descriptions. Undefined: unknown type. */
export function decodeBackend(message: SplitMessage, body: BodyReader): ViewFact | undefined {
  const acknowledged = ACKNOWLEDGEMENTS.get(message.type);
  if (acknowledged !== undefined) return { event: 'acknowledgement', of: acknowledged };
  switch (message.type ?? '') {
    case 'R':
      return { event: 'authentication', method: authenticationMethod(body.readInt32()) };
    case 'v':
      return { event: 'protocol-negotiation', protocol: versionText(body.readInt32()) };
    case 'S':
      return { event: 'parameter', name: body.readString(), value: body.readString() };
    case 'K':
      return { event: 'cancel-key' };
    case 'C':
      return { event: 'complete', tag: body.readString() };
    case 'I':
      return { event: 'empty-query' };
    case 's':
      return { event: 'suspended' };
    case 'E':
      return { event: 'error', ...decodeDiagnostic(body) };
    case 'N':
      return { event: 'notice', ...decodeDiagnostic(body) };
    case 'Z':
      return { event: 'ready', status: transactionStatus(body.readByte()) };
    case 'A': {
      body.readInt32();
      return { event: 'notification', channel: body.readString(), payload: body.readString() };
    }
    default:
      return decodeBackendBulk(message, body);
  }
}

function decodeBackendBulk(message: SplitMessage, body: BodyReader): ViewFact | undefined {
  switch (message.type ?? '') {
    case 'G':
    case 'H':
    case 'W': {
      const direction = message.type === 'G' ? 'in' : message.type === 'H' ? 'out' : 'both';
      const format = body.readByte() === 0 ? 'text' : 'binary';
      return { event: 'copy-start', direction, format, columns: body.readInt16() };
    }
    case 'V': {
      const size = body.readInt32();
      const value =
        size < 0
          ? null
          : decodeValue(body.readBytes(size), false, message.body.length < message.size);
      return { event: 'function-result', value };
    }
    default:
      return decodeCopy(message, body);
  }
}

export function decodeRow(
  message: SplitMessage,
  body: BodyReader,
  isBinary: (index: number) => boolean,
): ViewFact {
  return { event: 'row', values: readValues(body, isBinary), ...cuttable(message) };
}

export function decodeColumns(body: BodyReader): ViewColumn[] {
  const count = body.readInt16();
  const columns: ViewColumn[] = [];
  for (let index = 0; index < count && !body.isShort; index += 1) {
    const name = body.readString();
    const table = body.readUInt32();
    const attribute = body.readInt16();
    const type = body.readUInt32();
    body.readInt16();
    body.readInt32();
    const format = body.readInt16() === 1 ? 'binary' : 'text';
    columns.push({ name, table, attribute, type, format });
  }
  return columns;
}

function transactionStatus(status: number): 'idle' | 'transaction' | 'failed' {
  if (status === 0x49) return 'idle';
  return status === 0x54 ? 'transaction' : 'failed';
}

const AUTHENTICATION_METHODS: ReadonlyMap<number, string> = new Map([
  [0, 'ok'],
  [3, 'cleartext'],
  [5, 'md5'],
  [7, 'gss'],
  [8, 'gss-continue'],
  [9, 'sspi'],
  [10, 'sasl'],
  [11, 'sasl-continue'],
  [12, 'sasl-final'],
]);

function authenticationMethod(code: number): string {
  return AUTHENTICATION_METHODS.get(code) ?? `method ${code}`;
}

/** Field letters of ErrorResponse and NoticeResponse: "Error and Notice Message Fields". */
const DIAGNOSTIC_FIELDS: ReadonlyMap<string, keyof ViewDiagnostic> = new Map([
  ['S', 'severity'],
  ['C', 'code'],
  ['M', 'message'],
  ['D', 'detail'],
  ['H', 'hint'],
  ['P', 'position'],
  ['W', 'where'],
  ['t', 'table'],
  ['c', 'column'],
  ['n', 'constraint'],
]);

function decodeDiagnostic(body: BodyReader): ViewDiagnostic {
  const found: Partial<Record<keyof ViewDiagnostic, string>> = {};
  while (!body.isAtEnd) {
    const letter = body.readByte();
    if (letter === 0) break;
    const text = body.readString();
    const field = DIAGNOSTIC_FIELDS.get(String.fromCharCode(letter));
    if (field !== undefined) found[field] = text;
  }
  return { severity: '', code: '', message: '', ...found };
}
