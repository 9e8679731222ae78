/** Recordings for tests: PostgreSQL messages made by hand, and a recorder whose clock a test turns. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Side } from '../../../protocols/contract.ts';
import { createRecorder, type RecorderOptions } from '../../../lib/recording/recorder.ts';
import type { RecordedNote, SessionHeader } from '../../../lib/recording/recording.ts';

export const HEADER: SessionHeader = {
  session: 'session-1',
  connection: 'shop',
  protocol: 'postgres',
  startedAt: '2026-03-04T05:06:07.890Z',
  clientAddress: '127.0.0.1:50123',
  policyVersion: 'ab'.repeat(32),
};

/** What happens at `at` microseconds. */
export type Step =
  | { readonly at: number; readonly from: Side; readonly bytes: Buffer; readonly by?: 'gateway' }
  | { readonly at: number; readonly note: RecordedNote };

export interface Fixture {
  readonly dataDir: string;
  readonly path: string;
}

export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-recording-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface FixtureOptions {
  readonly header?: Partial<SessionHeader>;
  /** Undefined: the session stays open. */
  readonly reason?: string | undefined;
  readonly durability?: RecorderOptions['durability'];
  readonly dataDir?: string;
}

export async function recordSession(
  t: Test,
  steps: readonly Step[],
  options: FixtureOptions = { reason: 'client closed' },
): Promise<Fixture> {
  const dataDir = options.dataDir ?? temporaryDirectory(t);
  let now = 1_000_000;
  const recorder = createRecorder({
    dataDir,
    durability: options.durability ?? 'strict',
    clock: { microseconds: () => now },
  });
  const header = { ...HEADER, ...options.header };
  const session = recorder.start(header);
  for (const step of steps) {
    now = 1_000_000 + step.at;
    if ('note' in step) session.note(step.note);
    else session.append(step.from, step.bytes, step.by);
  }
  if (options.reason === undefined) t.teardown(() => recorder.close());
  else session.end(options.reason);
  if (options.reason !== undefined) await recorder.close();
  const day = header.startedAt.slice(0, 10);
  return { dataDir, path: join(dataDir, 'recordings', day, `${header.session}.weir`) };
}

export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true }).map(String).toSorted();
}

export function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? text(part) : part)));
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(body.length + 4), body]);
}

/** A C string. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function untyped(code: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length + 8), int32(code), body]);
}

export const SSL_REQUEST: Buffer = untyped(80877103);

export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)]);
  return untyped(0x0003_0000, ...pairs, Buffer.alloc(1));
}

export function query(sql: string): Buffer {
  return message('Q', sql);
}

export interface Column {
  readonly name: string;
  readonly type?: number;
  readonly format?: number;
}

export function rowDescription(...columns: Column[]): Buffer {
  const fields = columns.map(({ name, type = 25, format = 0 }) =>
    Buffer.concat([
      text(name),
      int32(0),
      int16(0),
      int32(type),
      int16(-1),
      int32(-1),
      int16(format),
    ]),
  );
  return message('T', int16(columns.length), ...fields);
}

export function values(...list: (string | Buffer | null)[]): Buffer {
  const fields = list.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([int16(list.length), ...fields]);
}

export function dataRow(...list: (string | Buffer | null)[]): Buffer {
  return message('D', values(...list));
}

export function complete(tag: string): Buffer {
  return message('C', tag);
}

export function ready(status = 'I'): Buffer {
  return message('Z', Buffer.from(status));
}

export function errorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(fields).map(([letter, value]) => text(letter + value));
  return message('E', ...parts, Buffer.alloc(1));
}

export function parse(statement: string, sql: string): Buffer {
  return message('P', statement, sql, int16(0));
}

export function bind(
  portal: string,
  statement: string,
  parameters: (string | Buffer | null)[],
  resultFormats: number[] = [],
): Buffer {
  const formats = Buffer.concat([int16(resultFormats.length), ...resultFormats.map(int16)]);
  return message('B', portal, statement, int16(0), values(...parameters), formats);
}

export function describe(target: 'S' | 'P', name: string): Buffer {
  return message('D', Buffer.from(target), name);
}

export function execute(portal: string, rowsMax = 0): Buffer {
  return message('E', portal, int32(rowsMax));
}

export const SYNC: Buffer = message('S');

/** A session with everything an auditor looks for: sign-in, mask, block, error, parameters, NULL. */
export function shopSession(): Step[] {
  const blocked = {
    S: 'ERROR',
    V: 'ERROR',
    C: '42501',
    M: 'blocked by rule "no-destruction"',
  };
  const reason = 'drop on public.customers';
  return [
    { at: 0, from: 'client', bytes: SSL_REQUEST },
    { at: 100, from: 'server', bytes: Buffer.from('N'), by: 'gateway' },
    { at: 200, from: 'client', bytes: startup({ user: 'alice', database: 'shop' }) },
    { at: 900, from: 'server', bytes: message('R', int32(10), 'SCRAM-SHA-256', Buffer.alloc(1)) },
    { at: 950, from: 'client', bytes: message('p', Buffer.alloc(40)) },
    { at: 1000, note: { kind: 'signed-in', principal: 'alice', user: 'app', database: 'shop' } },
    { at: 1100, from: 'server', bytes: Buffer.concat([message('R', int32(0)), ready()]) },
    { at: 12_000, from: 'client', bytes: query('SELECT id, email\n  FROM customers') },
    { at: 13_000, note: { kind: 'decision', operation: 'statement', outcome: 'allow' } },
    {
      at: 14_000,
      note: {
        kind: 'decision',
        operation: 'result',
        outcome: 'mask',
        masked: ['public.customers.email'],
      },
    },
    {
      at: 15_000,
      from: 'server',
      bytes: Buffer.concat([
        rowDescription({ name: 'id', type: 23 }, { name: 'email' }),
        dataRow('1', '[redacted]'),
        dataRow('20', null),
        complete('SELECT 2'),
        ready(),
      ]),
    },
    { at: 20_000, from: 'client', bytes: query('DROP TABLE customers') },
    {
      at: 20_500,
      note: {
        kind: 'decision',
        operation: 'statement',
        outcome: 'block',
        rule: 'no-destruction',
        reason,
      },
    },
    {
      at: 21_000,
      from: 'server',
      bytes: Buffer.concat([errorResponse(blocked), ready()]),
      by: 'gateway',
    },
    {
      at: 30_000,
      from: 'client',
      bytes: Buffer.concat([
        parse('', 'SELECT name FROM customers WHERE id = $1'),
        bind('', '', ['7']),
        describe('P', ''),
        execute(''),
        SYNC,
      ]),
    },
    {
      at: 31_000,
      from: 'server',
      bytes: Buffer.concat([
        message('1'),
        message('2'),
        rowDescription({ name: 'name' }),
        dataRow('Ann'),
        complete('SELECT 1'),
        ready(),
      ]),
    },
    { at: 40_000, from: 'client', bytes: message('X') },
  ];
}
