/**
 * How HTTP and gRPC exchanges are put into a recording: small records, one behind the other in the bytes
 * of each side. Writer (the session) and reader (`lib/recording`) share this file; docs/RECORDING.md says
 * the same for others. Secrets are taken out here, so that no caller can forget it (GW-16).
 *
 *   u8 type, u32 exchange, u32 length, payload (big-endian)
 *   Q request head (JSON)   A answer head (JSON)   D piece of a body, in the direction of its side
 *   E end of that side's part, with trailers (JSON)   X that side gave up (JSON)
 */

import type { ExchangeEvent, HeaderList, RequestHead, ResponseHead } from '../contract.ts';

export const RECORD_HEAD_SIZE = 9;
/** Heads are bounded by the HTTP parsers (16 to 64 kB); more than this is damage. */
export const TEXT_SIZE_MAX: number = 1024 * 1024;
/** In the place of a header value that is a secret. */
export const SECRET_MARK = '(not recorded)';

const TYPES = { request: 0x51, answer: 0x41, body: 0x44, end: 0x45, cancel: 0x58 } as const;

/**
 * Names of headers and of parameters in a query whose values are secret with every product, beside those that
 * the product names: a client may send the key of one store to another, or in a place where no store looks.
 */
const SECRET_NAME =
  /(?:^|[-_.])(?:api[-_]?key|token|secret|password|passwd|credentials?|authorization|set-cookie|cookie)(?:-bin)?$/i;

export type CancelFacts = Pick<Extract<ExchangeEvent, { kind: 'cancelled' }>, 'code' | 'reason'>;

export function encodeRequestHead(
  exchange: number,
  head: RequestHead,
  secrets: ReadonlySet<string>,
): Buffer {
  const { version, method } = head;
  const target = withoutSecretParameters(head.target);
  // A name and password before the host, as in URLs.
  const authority = head.authority.replace(/^.*@/s, `${SECRET_MARK}@`);
  const headers = withoutSecrets(head.headers, secrets);
  return encodeText(TYPES.request, exchange, { version, method, target, authority, headers });
}

export function encodeAnswerHead(
  exchange: number,
  head: ResponseHead,
  secrets: ReadonlySet<string>,
): Buffer {
  const { status, reason } = head;
  const headers = withoutSecrets(head.headers, secrets);
  return encodeText(TYPES.answer, exchange, { status, reason, headers });
}

/** To be recorded right before the piece itself, so that a large piece is not copied. */
export function encodeBodyHead(exchange: number, size: number): Buffer {
  return encodeHead(TYPES.body, exchange, size);
}

export function encodeEnd(
  exchange: number,
  trailers: HeaderList,
  secrets: ReadonlySet<string>,
): Buffer {
  if (trailers.length === 0) return encodeHead(TYPES.end, exchange, 0);
  return encodeText(TYPES.end, exchange, { trailers: withoutSecrets(trailers, secrets) });
}

export function encodeCancel(exchange: number, { code, reason }: CancelFacts): Buffer {
  return encodeText(TYPES.cancel, exchange, { code, reason });
}

function encodeText(type: number, exchange: number, value: object): Buffer {
  const text = JSON.stringify(value);
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(RECORD_HEAD_SIZE + size);
  writeHead(bytes, type, exchange, size);
  bytes.write(text, RECORD_HEAD_SIZE, 'utf8');
  return bytes;
}

function encodeHead(type: number, exchange: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_HEAD_SIZE);
  writeHead(bytes, type, exchange, size);
  return bytes;
}

function writeHead(into: Buffer, type: number, exchange: number, size: number): void {
  into[0] = type;
  into.writeUInt32BE(exchange, 1);
  into.writeUInt32BE(size, 5);
}

function withoutSecrets(headers: HeaderList, secrets: ReadonlySet<string>): HeaderList {
  const isSecret = (name: string): boolean => secrets.has(name) || SECRET_NAME.test(name);
  return headers.map(([name, value]) => [name, isSecret(name) ? SECRET_MARK : value] as const);
}

function withoutSecretParameters(target: string): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const query = target
    .slice(at + 1)
    .split('&')
    .map((part) => {
      const [name = ''] = part.split('=', 1);
      return SECRET_NAME.test(name) && name !== part ? `${name}=${SECRET_MARK}` : part;
    });
  return `${target.slice(0, at)}?${query.join('&')}`;
}

export type ExchangeRecord =
  | { readonly kind: 'request'; readonly exchange: number; readonly head: RecordedRequest }
  | { readonly kind: 'answer'; readonly exchange: number; readonly head: ResponseHead }
  /** A piece: valid until the next call. */
  | { readonly kind: 'body'; readonly exchange: number; readonly bytes: Buffer }
  | { readonly kind: 'end'; readonly exchange: number; readonly trailers: HeaderList }
  | ({ readonly kind: 'cancel'; readonly exchange: number } & CancelFacts)
  /** Said once: nothing that follows of this side can be read. */
  | { readonly kind: 'damage'; readonly problem: string };

export type RecordedRequest = Omit<RequestHead, 'isWhole'>;

/** Reads the records of one side, however the bytes were cut. Memory: one head record at most. */
export class ExchangeRecordReader {
  readonly #head = Buffer.alloc(RECORD_HEAD_SIZE);
  #headFilled = 0;
  #text: Buffer | undefined;
  #filled = 0;
  #left = 0;
  #isLost = false;

  get heldSize(): number {
    return this.#text?.length ?? 0;
  }

  push(bytes: Buffer): ExchangeRecord[] {
    const records: ExchangeRecord[] = [];
    let at = 0;
    while (at < bytes.length && !this.#isLost) {
      at =
        this.#headFilled < RECORD_HEAD_SIZE
          ? this.#readHead(bytes, at, records)
          : this.#readPayload(bytes, at, records);
    }
    return records;
  }

  #readHead(bytes: Buffer, at: number, records: ExchangeRecord[]): number {
    const size = Math.min(RECORD_HEAD_SIZE - this.#headFilled, bytes.length - at);
    bytes.copy(this.#head, this.#headFilled, at, at + size);
    this.#headFilled += size;
    if (this.#headFilled < RECORD_HEAD_SIZE) return at + size;
    const type = this.#head.readUInt8(0);
    this.#left = this.#head.readUInt32BE(5);
    this.#filled = 0;
    if (!Object.values<number>(TYPES).includes(type)) {
      this.#lose(`no record of an exchange has the type 0x${type.toString(16)}`, records);
    } else if (type !== TYPES.body) {
      if (this.#left > TEXT_SIZE_MAX) this.#lose(`a head of ${this.#left} bytes`, records);
      else this.#text = Buffer.allocUnsafe(this.#left);
    }
    if (this.#left === 0) this.#finish(records);
    return at + size;
  }

  #readPayload(bytes: Buffer, at: number, records: ExchangeRecord[]): number {
    const size = Math.min(this.#left, bytes.length - at);
    const text = this.#text;
    if (text === undefined) {
      const exchange = this.#head.readUInt32BE(1);
      records.push({ kind: 'body', exchange, bytes: bytes.subarray(at, at + size) });
    } else {
      bytes.copy(text, this.#filled, at, at + size);
    }
    this.#filled += size;
    this.#left -= size;
    if (this.#left === 0) this.#finish(records);
    return at + size;
  }

  #finish(records: ExchangeRecord[]): void {
    const text = this.#text;
    this.#headFilled = 0;
    this.#text = undefined;
    if (text === undefined || this.#isLost) return;
    const record = decodeText(this.#head.readUInt8(0), this.#head.readUInt32BE(1), text);
    if (record === undefined) this.#lose('a head that cannot be read', records);
    else records.push(record);
  }

  #lose(problem: string, records: ExchangeRecord[]): void {
    this.#isLost = true;
    this.#text = undefined;
    records.push({ kind: 'damage', problem });
  }
}

function decodeText(type: number, exchange: number, text: Buffer): ExchangeRecord | undefined {
  if (type === TYPES.end && text.length === 0) return { kind: 'end', exchange, trailers: [] };
  const value = parseObject(text.toString('utf8'));
  if (value === undefined) return undefined;
  const headers = readHeaders(value['headers']);
  switch (type) {
    case TYPES.request:
      return headers && decodeRequest(exchange, value, headers);
    case TYPES.answer: {
      const { status, reason } = value;
      if (headers === undefined || typeof status !== 'number') return undefined;
      const named = typeof reason === 'string' ? { reason } : {};
      return { kind: 'answer', exchange, head: { status, headers, ...named } };
    }
    case TYPES.end: {
      const trailers = readHeaders(value['trailers']);
      return trailers && { kind: 'end', exchange, trailers };
    }
    default: {
      const { code, reason } = value;
      const known = typeof code === 'number' ? code : undefined;
      return { kind: 'cancel', exchange, code: known, reason: String(reason) };
    }
  }
}

function decodeRequest(
  exchange: number,
  value: Record<string, unknown>,
  headers: HeaderList,
): ExchangeRecord | undefined {
  const { version, method, target, authority } = value;
  if (typeof method !== 'string' || typeof target !== 'string' || typeof authority !== 'string') {
    return undefined;
  }
  const head = {
    version: version === '2' ? '2' : '1.1',
    method,
    target,
    authority,
    headers,
  } as const;
  return { kind: 'request', exchange, head };
}

function readHeaders(value: unknown): HeaderList | undefined {
  if (!Array.isArray(value)) return undefined;
  const headers: (readonly [string, string])[] = [];
  for (const pair of value) {
    if (!Array.isArray(pair)) return undefined;
    const [name, text]: unknown[] = pair;
    if (typeof name !== 'string' || typeof text !== 'string') return undefined;
    headers.push([name, text]);
  }
  return headers;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
