/**
 * Postgres messages built and read by hand, for tests that must send what no driver sends.
 * It never checks what it sends, and it keeps every byte that the server sent. The connection that
 * uses them is in `raw-client.ts`. Not for use outside tests: nothing here is bounded.
 */

export const PROTOCOL_3_0 = 0x0003_0000;
export const PROTOCOL_3_2 = 0x0003_0002;
export const CANCEL_CODE = 80_877_102;
export const SSL_CODE = 80_877_103;
export const GSS_CODE = 80_877_104;

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

export type Value = string | Buffer | null;

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

export function cstring(value: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(value), Buffer.of(0)]);
}

/** type(1) + Int32 length, which counts itself. */
export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(body.length + 4), body]);
}

export function startup(parameters: Record<string, string>, version = PROTOCOL_3_0): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [
    cstring(name),
    cstring(value),
  ]);
  const body = Buffer.concat([int32(version), ...pairs, Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export function sslRequest(): Buffer {
  return Buffer.concat([int32(8), int32(SSL_CODE)]);
}

export function gssRequest(): Buffer {
  return Buffer.concat([int32(8), int32(GSS_CODE)]);
}

/** `key` is BackendKeyData's body: Int32 pid and the secret, 4 to 256 bytes (PG-11). */
export function cancelRequest(key: Buffer): Buffer {
  return Buffer.concat([int32(8 + key.length), int32(CANCEL_CODE), key]);
}

export function query(sql: string | Buffer): Buffer {
  return message('Q', cstring(sql));
}

export function parse(name: string, sql: string | Buffer, types: readonly number[] = []): Buffer {
  return message('P', cstring(name), cstring(sql), int16(types.length), ...types.map(int32));
}

export interface BindOptions {
  readonly values?: readonly Value[];
  readonly valueFormats?: readonly number[];
  readonly resultFormats?: readonly number[];
}

export function bind(portal: string, statement: string, options: BindOptions = {}): Buffer {
  const values = options.values ?? [];
  const valueFormats = options.valueFormats ?? [];
  const resultFormats = options.resultFormats ?? [];
  return message(
    'B',
    cstring(portal),
    cstring(statement),
    int16(valueFormats.length),
    ...valueFormats.map(int16),
    int16(values.length),
    ...values.map(encodeValue),
    int16(resultFormats.length),
    ...resultFormats.map(int16),
  );
}

function encodeValue(value: Value): Buffer {
  if (value === null) return int32(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([int32(bytes.length), bytes]);
}

export function describe(kind: 'S' | 'P', name = ''): Buffer {
  return message('D', Buffer.from(kind), cstring(name));
}

export function execute(portal = '', rowsMax = 0): Buffer {
  return message('E', cstring(portal), int32(rowsMax));
}

export function closeNamed(kind: 'S' | 'P', name = ''): Buffer {
  return message('C', Buffer.from(kind), cstring(name));
}

export function functionCall(oid: number, values: readonly Value[] = [], format = 0): Buffer {
  return message(
    'F',
    int32(oid),
    int16(1),
    int16(format),
    int16(values.length),
    ...values.map(encodeValue),
    int16(format),
  );
}

export const sync = (): Buffer => message('S');
export const flush = (): Buffer => message('H');
export const terminate = (): Buffer => message('X');
export const copyData = (bytes: string | Buffer): Buffer => message('d', Buffer.from(bytes));
export const copyDone = (): Buffer => message('c');
export const copyFail = (reason: string): Buffer => message('f', cstring(reason));

/** The fields of an ErrorResponse or NoticeResponse by their letter. */
export function decodeFields(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1);
    fields[body.toString('latin1', at, at + 1)] = body.toString('utf8', at + 1, end);
    at = end + 1;
  }
  return fields;
}

export interface Column {
  readonly name: string;
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly format: number;
}

export function decodeRowDescription(body: Buffer): Column[] {
  const columns: Column[] = [];
  let at = 2;
  for (let index = 0; index < body.readUInt16BE(0); index += 1) {
    const end = body.indexOf(0, at);
    columns.push({
      name: body.toString('utf8', at, end),
      table: body.readUInt32BE(end + 1),
      attribute: body.readInt16BE(end + 5),
      type: body.readUInt32BE(end + 7),
      format: body.readInt16BE(end + 17),
    });
    at = end + 19;
  }
  return columns;
}

export function decodeDataRow(body: Buffer): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  let at = 2;
  for (let index = 0; index < body.readUInt16BE(0); index += 1) {
    const size = body.readInt32BE(at);
    at += 4;
    if (size < 0) {
      values.push(null);
    } else {
      values.push(body.subarray(at, at + size));
      at += size;
    }
  }
  return values;
}

/** Cuts a byte stream into messages; what is left over waits for the next chunk. */
export class MessageReader {
  private chunks: Buffer[] = [];
  private size = 0;

  push(chunk: Buffer): Message[] {
    this.chunks.push(chunk);
    this.size += chunk.length;
    const messages: Message[] = [];
    for (;;) {
      const length = this.nextLength();
      if (length === undefined || this.size < length + 1) return messages;
      const all = this.join();
      messages.push({
        type: all.toString('latin1', 0, 1),
        body: Buffer.from(all.subarray(5, length + 1)),
      });
      this.chunks = [all.subarray(length + 1)];
      this.size -= length + 1;
    }
  }

  private nextLength(): number | undefined {
    if (this.size < 5) return undefined;
    const first = this.chunks[0];
    return (first !== undefined && first.length >= 5 ? first : this.join()).readUInt32BE(1);
  }

  private join(): Buffer {
    const only = this.chunks[0];
    if (this.chunks.length === 1 && only !== undefined) return only;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}

/** A message as one readable line, for transcripts that are compared. */
export function printMessage({ type, body }: Message): string {
  switch (type) {
    case 'E':
    case 'N':
      return `${type} ${Object.entries(decodeFields(body))
        .filter(([field]) => !'FLR'.includes(field))
        .map(([field, value]) => `${field}=${value}`)
        .join('; ')}`;
    case 'T':
      return `T ${decodeRowDescription(body)
        .map((column) => `${column.name}:${column.type}/${column.format}`)
        .join(' ')}`;
    case 'D':
      return `D ${decodeDataRow(body)
        .map((value) => (value === null ? 'NULL' : JSON.stringify(value.toString('latin1'))))
        .join(' ')}`;
    case 'K':
      return `K key of ${body.length - 4} bytes`;
    default:
      return `${type} ${JSON.stringify(body.toString('latin1'))}`;
  }
}
