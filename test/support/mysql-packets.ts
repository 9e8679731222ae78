/**
 * MySQL packets for tests: framing, commands, and what comes back, written from the protocol's
 * documentation and on purpose not with the product's own code, which is what it tests.
 */

export const CAPABILITY = {
  longPassword: 0x1,
  foundRows: 0x2,
  longFlag: 0x4,
  connectWithDatabase: 0x8,
  compress: 0x20,
  localFiles: 0x80,
  protocol41: 0x200,
  ssl: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  multiStatements: 0x1_0000,
  multiResults: 0x2_0000,
  multiResultsPrepared: 0x4_0000,
  pluginAuth: 0x8_0000,
  connectAttributes: 0x10_0000,
  lenencAuth: 0x20_0000,
  sessionTrack: 0x80_0000,
  deprecateEof: 0x100_0000,
} as const;

export const STATUS = { inTransaction: 0x1, moreResults: 0x8, cursorExists: 0x40 } as const;

/** A payload of this size says that more follows (MY-13). */
const FRAME_SIZE_MAX = 0xff_ffff;

export interface Packet {
  /** Of its last frame. */
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Puts packets together from what comes over the wire. */
export class PacketReader {
  private buffered: Buffer[] = [];
  private size = 0;
  private parts: Buffer[] = [];

  push(chunk: Buffer): Packet[] {
    this.buffered.push(chunk);
    this.size += chunk.length;
    const packets: Packet[] = [];
    for (;;) {
      const header = this.peek(4);
      if (header === undefined) return packets;
      const length = header.readUIntLE(0, 3);
      if (this.size < 4 + length) return packets;
      const part = this.take(4 + length).subarray(4);
      this.parts.push(part);
      if (length === FRAME_SIZE_MAX) continue;
      const payload = this.parts.length === 1 ? part : Buffer.concat(this.parts);
      this.parts = [];
      packets.push({ sequence: header.readUInt8(3), payload });
    }
  }

  /** Whatever has come and is no packet yet, for a change of the transport. */
  takeRest(): Buffer {
    return this.take(this.size);
  }

  private peek(size: number): Buffer | undefined {
    if (this.size < size) return undefined;
    const first = this.buffered[0];
    if (first !== undefined && first.length >= size) return first;
    this.buffered = [Buffer.concat(this.buffered)];
    return this.buffered[0];
  }

  private take(size: number): Buffer {
    const all =
      this.buffered.length === 1
        ? (this.buffered[0] ?? Buffer.alloc(0))
        : Buffer.concat(this.buffered);
    const rest = all.subarray(size);
    this.buffered = rest.length === 0 ? [] : [rest];
    this.size = rest.length;
    return all.subarray(0, size);
  }
}

/** One packet as frames, numbered from `sequence` on. */
export function frame(payload: Buffer, sequence = 0): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0, number = sequence; ; at += FRAME_SIZE_MAX, number += 1) {
    const part = payload.subarray(at, at + FRAME_SIZE_MAX);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    header.writeUInt8(number & 0xff, 3);
    frames.push(header, part);
    if (part.length < FRAME_SIZE_MAX) return Buffer.concat(frames);
  }
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function lenenc(value: number): Buffer {
  if (value < 0xfb) return Buffer.of(value);
  if (value <= 0xffff) return Buffer.concat([Buffer.of(0xfc), uint16(value)]);
  if (value <= 0xff_ffff) return Buffer.concat([Buffer.of(0xfd), uint32(value).subarray(0, 3)]);
  return Buffer.concat([Buffer.of(0xfe), uint32(value), uint32(0)]);
}

/** A command: its number and its body. */
export function command(number: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const bodies = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  return Buffer.concat([Buffer.of(number), ...bodies]);
}

export const COM = {
  sleep: 0x00,
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  createDb: 0x05,
  dropDb: 0x06,
  refresh: 0x07,
  shutdown: 0x08,
  statistics: 0x09,
  processInfo: 0x0a,
  processKill: 0x0c,
  debug: 0x0d,
  ping: 0x0e,
  changeUser: 0x11,
  binlogDump: 0x12,
  tableDump: 0x13,
  registerSlave: 0x15,
  prepare: 0x16,
  execute: 0x17,
  longData: 0x18,
  close: 0x19,
  reset: 0x1a,
  setOption: 0x1b,
  fetch: 0x1c,
  resetConnection: 0x1f,
  bulkExecute: 0xfa,
} as const;

/** COM_STMT_EXECUTE; parameters are sent as strings (VAR_STRING), null as NULL. */
export function execute(
  statement: number,
  parameters: readonly (string | null)[] = [],
  cursor = 0,
): Buffer {
  const head = command(COM.execute, uint32(statement), Buffer.of(cursor), uint32(1));
  if (parameters.length === 0) return head;
  const nulls = Buffer.alloc((parameters.length + 7) >> 3);
  for (const [index, value] of parameters.entries()) {
    if (value === null) nulls[index >> 3] = (nulls[index >> 3] ?? 0) | (1 << (index & 7));
  }
  const types = parameters.map(() => Buffer.of(0xfd, 0));
  const values = parameters.flatMap((value) =>
    value === null ? [] : [lenenc(Buffer.byteLength(value)), Buffer.from(value)],
  );
  return Buffer.concat([head, nulls, Buffer.of(1), ...types, ...values]);
}

/** Reads a payload from left to right; going beyond its end throws. */
export class Cursor {
  at: number;
  readonly bytes: Buffer;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  int(size: 1 | 2 | 3 | 4): number {
    const value = this.bytes.readUIntLE(this.at, size);
    this.at += size;
    return value;
  }

  take(size: number): Buffer {
    if (size > this.left) throw new Error(`${size} bytes wanted where ${this.left} are left`);
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** Null where 0xfb stands for NULL. */
  lenenc(): number | null {
    const first = this.int(1);
    if (first < 0xfb) return first;
    if (first === 0xfb) return null;
    if (first === 0xfc) return this.int(2);
    if (first === 0xfd) return this.int(3);
    return Number(this.take(8).readBigUInt64LE());
  }

  lenencBytes(): Buffer | null {
    const size = this.lenenc();
    return size === null ? null : this.take(size);
  }

  text(): string {
    return this.lenencBytes()?.toString('utf8') ?? '';
  }

  cstring(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = this.bytes.toString('latin1', this.at, end);
    this.at = end + 1;
    return text;
  }
}

export interface Column {
  readonly schema: string;
  readonly table: string;
  readonly originalTable: string;
  readonly name: string;
  readonly originalName: string;
  readonly charset: number;
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
}

export function decodeColumn(payload: Buffer): Column {
  const cursor = new Cursor(payload);
  cursor.text();
  const schema = cursor.text();
  const table = cursor.text();
  const originalTable = cursor.text();
  const name = cursor.text();
  const originalName = cursor.text();
  cursor.lenenc();
  const [charset, length, type] = [cursor.int(2), cursor.int(4), cursor.int(1)];
  const [flags, decimals] = [cursor.int(2), cursor.int(1)];
  return {
    schema,
    table,
    originalTable,
    name,
    originalName,
    charset,
    length,
    type,
    flags,
    decimals,
  };
}

export interface Ok {
  readonly kind: 'ok';
  readonly affected: number;
  readonly insertId: number;
  readonly status: number;
  readonly warnings: number;
  /** Info and session state, as they came. */
  readonly rest: string;
}

export interface Err {
  readonly kind: 'error';
  readonly code: number;
  readonly state: string;
  readonly message: string;
}

export function decodeOk(payload: Buffer): Ok {
  const cursor = new Cursor(payload, 1);
  const [affected, insertId] = [cursor.lenenc() ?? 0, cursor.lenenc() ?? 0];
  const [status, warnings] = [cursor.int(2), cursor.int(2)];
  const rest = cursor.take(cursor.left).toString('latin1');
  return { kind: 'ok', affected, insertId, status, warnings, rest };
}

export function decodeEof(payload: Buffer): Ok {
  const [warnings, status] = [payload.readUInt16LE(1), payload.readUInt16LE(3)];
  return { kind: 'ok', affected: 0, insertId: 0, status, warnings, rest: '' };
}

export function decodeErr(payload: Buffer): Err {
  const code = payload.readUInt16LE(1);
  // Before the handshake there is no state (MY-15).
  const hasState = payload[3] === 0x23;
  const state = hasState ? payload.toString('latin1', 4, 9) : '';
  return { kind: 'error', code, state, message: payload.toString('utf8', hasState ? 9 : 3) };
}

export function decodeTextRow(payload: Buffer): (Buffer | null)[] {
  const cursor = new Cursor(payload);
  const values: (Buffer | null)[] = [];
  while (cursor.left > 0) values.push(cursor.lenencBytes());
  return values;
}

/** Sizes of binary values without a length in front, by type. */
const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
  [13, 2],
  [9, 4],
  [3, 4],
  [8, 8],
  [4, 4],
  [5, 8],
]);

/** Values without their length in front (MY-68). */
export function decodeBinaryRow(payload: Buffer, columns: readonly Column[]): (Buffer | null)[] {
  const bitmap = payload.subarray(1, 1 + ((columns.length + 9) >> 3));
  const cursor = new Cursor(payload, 1 + bitmap.length);
  const values = columns.map(({ type }, index) => {
    const bit = index + 2;
    if (((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0) return null;
    const size = FIXED_SIZES.get(type);
    return size === undefined ? cursor.lenencBytes() : cursor.take(size);
  });
  if (cursor.left !== 0) throw new Error(`${cursor.left} bytes are left behind a binary row`);
  return values;
}
