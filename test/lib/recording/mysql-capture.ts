/**
 * What goes over the wire of a real MySQL session, as a recorder would get it: a proxy that copies bytes
 * and keeps them in their order. And packets made by hand, for what no driver sends.
 */

import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { createMysqlView } from '../../../lib/recording/mysql-view.ts';
import type { ViewEvent } from '../../../lib/recording/view.ts';
import type { Side } from '../../../protocols/contract.ts';
import {
  CAPABILITY,
  COM,
  command,
  frame,
  lenenc,
  uint16,
  uint32,
} from '../../support/mysql-packets.ts';
import type { Teardown } from '../../support/servers.ts';

export type Chunk = readonly [Side, Buffer];

export interface Tap {
  readonly port: number;
  /** Of the sessions so far, in the order in which the bytes came. */
  readonly chunks: Chunk[];
}

export async function startTap(t: Teardown, upstreamPort: number): Promise<Tap> {
  const chunks: Chunk[] = [];
  const server = createServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    const copy = (from: Side, bytes: Buffer): void => {
      chunks.push([from, bytes]);
      (from === 'client' ? upstream : client).write(bytes);
    };
    client.on('data', (bytes: Buffer) => copy('client', bytes));
    upstream.on('data', (bytes: Buffer) => copy('server', bytes));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return { port: address.port, chunks };
}

export function view(chunks: readonly Chunk[]): ViewEvent[] {
  const viewer = createMysqlView();
  return chunks.flatMap(([from, bytes]) => viewer.push(from, bytes, undefined));
}

export const BASIC: number =
  CAPABILITY.longPassword |
  CAPABILITY.connectWithDatabase |
  CAPABILITY.protocol41 |
  CAPABILITY.secureConnection |
  CAPABILITY.pluginAuth |
  CAPABILITY.connectAttributes |
  CAPABILITY.lenencAuth |
  CAPABILITY.deprecateEof;

export interface SignInOptions {
  /** Of both sides. */
  readonly capabilities?: number;
  /** What the client claims on top of it. */
  readonly claimed?: number;
  /** MariaDB's, from bit 32 on; only without `longPassword`. */
  readonly extended?: number;
  readonly proof?: Buffer;
  readonly attributes?: Readonly<Record<string, string>>;
}

export function greeting(capabilities: number, extended = 0): Buffer {
  return Buffer.concat([
    Buffer.of(10),
    Buffer.from('11.8.2-MariaDB\0'),
    uint32(77),
    Buffer.from('nonce--1\0'),
    uint16(capabilities & 0xffff),
    Buffer.of(45),
    uint16(2),
    uint16(capabilities >>> 16),
    Buffer.of(21),
    Buffer.alloc(6),
    uint32(extended),
    Buffer.from('nonce--2nonc\0mysql_native_password\0'),
  ]);
}

export function response(options: SignInOptions = {}): Buffer {
  const { capabilities = BASIC, claimed = 0, extended = 0, attributes = {} } = options;
  const { proof = Buffer.alloc(20, 0x2a) } = options;
  const texts = Object.entries(attributes).flat();
  const pairs = Buffer.concat(texts.map(sized));
  return Buffer.concat([
    uint32(capabilities | claimed),
    uint32(0x100_0000),
    Buffer.of(45),
    Buffer.alloc(19),
    uint32(extended),
    Buffer.from('alice\0'),
    lenenc(proof.length),
    proof,
    Buffer.from('shop\0mysql_native_password\0'),
    lenenc(pairs.length),
    pairs,
  ]);
}

/** Greeting, response and OK. */
export function signIn(options: SignInOptions = {}): Chunk[] {
  const { capabilities = BASIC, extended = 0 } = options;
  return [
    ['server', frame(greeting(capabilities, extended))],
    ['client', frame(response(options), 1)],
    ['server', frame(ok(), 2)],
  ];
}

/** What is shown of `chunks` behind a sign-in. */
export function afterSignIn(chunks: readonly Chunk[], options: SignInOptions = {}): ViewEvent[] {
  return view([...signIn(options), ...chunks]).slice(3);
}

export function ok(options: { status?: number; warnings?: number; info?: string } = {}): Buffer {
  const { status = 2, warnings = 0, info = '' } = options;
  const text = Buffer.from(info);
  return Buffer.concat([Buffer.of(0, 0, 0), uint16(status), uint16(warnings), text]);
}

/** Behind rows, in the place of an EOF. */
export function endOfRows(status = 2): Buffer {
  return Buffer.concat([Buffer.of(0xfe, 0, 0), uint16(status), uint16(0)]);
}

export function eof(status = 2): Buffer {
  return Buffer.concat([Buffer.of(0xfe), uint16(0), uint16(status)]);
}

export function err(number: number, message: string, state = 'HY000'): Buffer {
  return Buffer.concat([Buffer.of(0xff), uint16(number), Buffer.from(`#${state}${message}`)]);
}

export function sized(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([lenenc(bytes.length), bytes]);
}

export interface ColumnShape {
  readonly name: string;
  readonly type?: number;
  readonly charset?: number;
  readonly flags?: number;
  readonly decimals?: number;
  readonly table?: string;
}

export function column(shape: ColumnShape): Buffer {
  const { name, type = 253, charset = 45, flags = 0, decimals = 0, table = '' } = shape;
  const names = ['def', table === '' ? '' : 'shop', table, table, name, name].map(sized);
  const fixed = [uint16(charset), uint32(80), Buffer.of(type), uint16(flags), Buffer.of(decimals)];
  return Buffer.concat([...names, Buffer.of(0x0c), ...fixed, uint16(0)]);
}

/** Packets of one direction, one behind the other. */
export function packets(from: Side, payloads: readonly Buffer[], first = 0): Chunk {
  return [from, Buffer.concat(payloads.map((payload, index) => frame(payload, first + index)))];
}

/** A reply: its sequence ids start with 1. */
export function reply(...payloads: Buffer[]): Chunk {
  return packets('server', payloads, 1);
}

export function ask(code: number, ...parts: (Buffer | string)[]): Chunk {
  return ['client', frame(command(code, ...parts))];
}

export function query(sql: string): Chunk {
  return ask(COM.query, sql);
}

export function prepareOk(id: number, columns: number, parameters: number): Buffer {
  const counts = [uint16(columns), uint16(parameters)];
  return Buffer.concat([Buffer.of(0), uint32(id), ...counts, Buffer.of(0), uint16(0)]);
}
