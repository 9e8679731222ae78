/**
 * A MySQL connection for tests on `mysql-packets.ts`: it checks every sequence number, reads replies,
 * and keeps every byte the server sent after sign-in (`mysql-sign-in.ts`), so that a test can search
 * what came over the wire.
 */

import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  CAPABILITY,
  COM,
  type Column,
  command,
  Cursor,
  decodeBinaryRow,
  decodeColumn,
  decodeEof,
  decodeErr,
  decodeOk,
  decodeTextRow,
  type Err,
  frame,
  type Ok,
  type Packet,
  PacketReader,
  STATUS,
  uint32,
} from './mysql-packets.ts';

export interface MysqlResult {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly end: Ok | Err;
}

export interface Prepared {
  readonly id: number;
  readonly columns: readonly Column[];
  readonly parameterCount: number;
}

const WAIT_DEFAULT = 20_000;

/** The connection ended, or nothing came in time; a test shows it. */
export class MysqlEnd extends Error {}

export class MysqlClient {
  /** Everything received since sign-in, in order. Empty it to look at one exchange only. */
  bytes: Buffer[] = [];
  keepsBytes = false;
  isClosed = false;
  greeting: Greeting | undefined;
  capabilities = 0;
  readonly wait: number;
  socket: Socket;
  /** Of the packet that must come next. */
  sequence = 0;
  private reader = new PacketReader();
  private readonly packets: Packet[] = [];
  private wake: (() => void) | undefined;

  constructor(socket: Socket, wait = WAIT_DEFAULT) {
    this.wait = wait;
    this.socket = socket;
    this.attach(socket);
  }

  attach(socket: Socket): void {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.keepsBytes) this.bytes.push(chunk);
      this.packets.push(...this.reader.push(chunk));
      this.wake?.();
    });
    // A reset is one way to be closed; the tests look at isClosed.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake?.();
    });
  }

  async secure(): Promise<void> {
    const plain = this.socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('close');
    const secured = await new Promise<Socket>((resolve, reject) => {
      const socket = connectTls({ socket: plain, rejectUnauthorized: false }, () =>
        resolve(socket),
      );
      socket.once('error', reject);
      socket.once('close', () => reject(new MysqlEnd('closed while setting up TLS')));
    });
    this.attach(secured);
  }

  /** The next packet; throws MysqlEnd when the connection closed or nothing came in time. */
  async next(wait = this.wait): Promise<Buffer> {
    const end = Date.now() + wait;
    for (;;) {
      const first = this.packets.shift();
      if (first !== undefined) return this.checked(first);
      if (this.isClosed) throw new MysqlEnd('the connection is closed');
      const left = end - Date.now();
      if (left <= 0) throw new MysqlEnd(`no packet within ${wait} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
  }

  /** Numbers out of order are what libmysqlclient and go-sql-driver fail on (MY-11). */
  private checked({ sequence, payload }: Packet): Buffer {
    const frameCount = Math.floor(payload.length / 0xff_ffff);
    const expected = (this.sequence + frameCount) & 0xff;
    if (sequence !== expected) {
      throw new Error(`packet ${sequence} came where ${expected} must come (MY-11)`);
    }
    this.sequence = (expected + 1) & 0xff;
    return payload;
  }

  /** A packet within the exchange that goes on. */
  answer(payload: Buffer): void {
    this.socket.write(frame(payload, this.sequence));
    this.sequence = (this.sequence + 1 + Math.floor(payload.length / 0xff_ffff)) & 0xff;
  }

  /** A new command; what comes next is its reply. */
  send(payload: Buffer): void {
    this.sequence = 0;
    this.answer(payload);
  }

  /** Several commands at once (MY-33): replies must be read with `startReply` before each. */
  sendAll(payloads: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(payloads.map((payload) => frame(payload))));
  }

  startReply(): void {
    this.sequence = 1;
  }

  async query(sql: string | Buffer, wait = this.wait): Promise<MysqlResult[]> {
    this.send(command(COM.query, sql));
    return this.readResults({ wait });
  }

  /** A command that is answered by OK, EOF, an error or results. */
  async run(payload: Buffer): Promise<MysqlResult[]> {
    this.send(payload);
    return this.readResults();
  }

  async prepare(sql: string | Buffer): Promise<Prepared | Err> {
    this.send(command(COM.prepare, sql));
    return this.readPrepared();
  }

  async readPrepared(): Promise<Prepared | Err> {
    const head = await this.next();
    if (head[0] === 0xff) return decodeErr(head);
    const [columnCount, parameterCount] = [head.readUInt16LE(5), head.readUInt16LE(7)];
    await this.readColumns(parameterCount);
    const columns = await this.readColumns(columnCount);
    return { id: head.readUInt32LE(1), columns, parameterCount };
  }

  /** COM_STMT_EXECUTE and the like: rows are binary. */
  async execute(payload: Buffer): Promise<MysqlResult[]> {
    this.send(payload);
    return this.readResults({ isBinary: true });
  }

  async readResults(
    options: { readonly isBinary?: boolean; readonly wait?: number } = {},
  ): Promise<MysqlResult[]> {
    const results: MysqlResult[] = [];
    for (;;) {
      const result = await this.readResult(options);
      results.push(result);
      if (result.end.kind === 'error' || (result.end.status & STATUS.moreResults) === 0) {
        return results;
      }
    }
  }

  private async readResult(options: {
    readonly isBinary?: boolean;
    readonly wait?: number;
  }): Promise<MysqlResult> {
    const head = await this.next(options.wait);
    if (head[0] === 0x00) return { columns: [], rows: [], end: decodeOk(head) };
    if (head[0] === 0xff) return { columns: [], rows: [], end: decodeErr(head) };
    if (head[0] === 0xfe && head.length < 9) {
      return { columns: [], rows: [], end: this.decodeEnd(head) };
    }
    if (head[0] === 0xfb) {
      // A file of the client's is asked for (MY-34): there is none.
      this.answer(Buffer.alloc(0));
      return this.readResult(options);
    }
    const count = new Cursor(head).lenenc() ?? 0;
    const columns: Column[] = [];
    for (let left = count; left > 0; left -= 1) columns.push(decodeColumn(await this.next()));
    if (!this.has(CAPABILITY.deprecateEof)) {
      const eof = decodeEof(await this.next());
      if ((eof.status & STATUS.cursorExists) !== 0) return { columns, rows: [], end: eof };
    }
    return this.readRows(columns, options);
  }

  /** Rows without a head, as COM_STMT_FETCH brings them as well. */
  async readRows(
    columns: readonly Column[],
    options: { readonly isBinary?: boolean; readonly wait?: number } = {},
  ): Promise<MysqlResult> {
    const rows: (Buffer | null)[][] = [];
    for (;;) {
      const payload = await this.next(options.wait);
      if (payload[0] === 0xff) return { columns, rows, end: decodeErr(payload) };
      if (payload[0] === 0xfe && this.isEnd(payload)) {
        return { columns, rows, end: this.decodeEnd(payload) };
      }
      rows.push(
        options.isBinary === true ? decodeBinaryRow(payload, columns) : decodeTextRow(payload),
      );
    }
  }

  /** A row may begin with 0xfe, too (MY-14). */
  private isEnd(payload: Buffer): boolean {
    return payload.length < (this.has(CAPABILITY.deprecateEof) ? 0xff_ffff : 9);
  }

  private decodeEnd(payload: Buffer): Ok {
    return this.has(CAPABILITY.deprecateEof) && payload.length >= 7
      ? decodeOk(payload)
      : decodeEof(payload);
  }

  private async readColumns(count: number): Promise<Column[]> {
    const columns: Column[] = [];
    for (let left = count; left > 0; left -= 1) columns.push(decodeColumn(await this.next()));
    if (count > 0 && !this.has(CAPABILITY.deprecateEof)) await this.next();
    return columns;
  }

  has(capability: number): boolean {
    return (this.capabilities & capability) !== 0;
  }

  /** Resolves when the other side closed; false when it did not in time. */
  async ended(wait = this.wait): Promise<boolean> {
    const end = Date.now() + wait;
    while (!this.isClosed && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.isClosed;
  }

  close(): void {
    this.socket.destroy();
  }
}

export interface Greeting {
  readonly version: string;
  readonly connectionId: number;
  readonly nonce: Buffer;
  readonly capabilities: number;
  readonly plugin: string;
}

/** Clients of MariaDB: statement id of the newest prepared statement (MY-22). */
export const NEWEST_STATEMENT = 0xffff_ffff;

export function closeStatement(id: number): Buffer {
  return command(COM.close, uint32(id));
}

export function printResult(result: MysqlResult): string {
  const { columns, rows, end } = result;
  const lines = columns.map(
    (one) =>
      `column ${one.name} ${one.schema}.${one.originalTable}.${one.originalName} type ${one.type} charset ${one.charset} length ${one.length} flags ${one.flags} decimals ${one.decimals}`,
  );
  for (const row of rows) {
    const cells = row.map((value) =>
      value === null ? 'NULL' : JSON.stringify(value.toString('latin1')),
    );
    lines.push(`row ${cells.join(' ')}`);
  }
  lines.push(JSON.stringify(end));
  return lines.join('\n');
}

export function printResults(results: readonly MysqlResult[]): string {
  return results.map(printResult).join('\n');
}
