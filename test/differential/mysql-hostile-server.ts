/**
 * A hostile server behind the gateway: it asks for files that nobody offered (MY-34), sends clients elsewhere
 * (MY-18), lies about counts, and breaks off. The client's own secrets and files must not reach it, and
 * nobody else may notice.
 */

import { createServer, type Socket } from 'node:net';
import { targetKind } from '../support/gateway-process.ts';
import { MysqlEnd } from '../support/mysql-client.ts';
import { startMysqlGateway } from '../support/mysql-gateway.ts';
import {
  CAPABILITY,
  COM,
  command,
  frame,
  lenenc,
  PacketReader,
  uint16,
  uint32,
} from '../support/mysql-packets.ts';
import { connectMysql } from '../support/mysql-sign-in.ts';
import type { SuiteContext } from './harness.ts';
import { ALICE, APP } from './lab.ts';

/** Flags of MariaDB 10.11, TLS and compression left out. */
const CAPABILITIES = 0x81bf_f7de & ~0x0800 & ~0x20;
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function greeting(protocol: number): Buffer {
  const low = uint16(CAPABILITIES & 0xffff);
  const high = uint16((CAPABILITIES >>> 16) & 0xffff);
  return Buffer.concat([
    Buffer.of(protocol),
    text('5.5.5-10.11.0-MariaDB'),
    uint32(7),
    text('abcdefgh'),
    low,
    Buffer.of(45),
    uint16(2),
    high,
    Buffer.of(21),
    Buffer.alloc(10),
    text('ijklmnopqrst'),
    text('mysql_native_password'),
  ]);
}

const lenencText = (value: string): Buffer =>
  Buffer.concat([lenenc(Buffer.byteLength(value)), Buffer.from(value)]);
const OK = Buffer.of(0, 0, 0, 2, 0, 0, 0);
const EOF = Buffer.of(0xfe, 0, 0, 2, 0);

function column(name: string): Buffer {
  const names = ['def', 'db', 't', 't', name, name].map(lenencText);
  return Buffer.concat([
    ...names,
    Buffer.of(12),
    uint16(45),
    uint32(40),
    Buffer.of(0xfd),
    uint16(0),
    Buffer.of(0, 0, 0),
  ]);
}

/** A session state that names another server, as MariaDB 11.3 tracks it. */
function redirect(): Buffer {
  const pair = Buffer.concat([
    lenencText('redirect_url'),
    lenencText('mysql://127.0.0.1:9/elsewhere'),
  ]);
  const entry = Buffer.concat([Buffer.of(0), lenenc(pair.length), pair]);
  return Buffer.concat([
    Buffer.of(0, 0, 0),
    uint16(0x4002),
    uint16(0),
    lenenc(0),
    lenenc(entry.length),
    entry,
  ]);
}

/** What it answers to COM_QUERY, frame by frame; the numbers begin with 1. */
const ANSWERS: Readonly<Record<string, readonly Buffer[]>> = {
  'MY-34 asks for a file that the statement did not offer': [
    Buffer.from('\xfb/etc/hostname', 'latin1'),
  ],
  'promises more columns than it sends': [lenenc(9), column('a'), EOF, EOF],
  'promises 4 billion columns': [Buffer.concat([Buffer.of(0xfe), uint32(0xffff_ffff), uint32(0)])],
  'a row that is longer than it says': [
    lenenc(1),
    column('a'),
    EOF,
    Buffer.from('\x7fabc', 'latin1'),
    EOF,
  ],
  'a column definition cut short': [lenenc(1), column('a').subarray(0, 9), EOF, EOF],
  'an empty answer': [Buffer.alloc(0)],
  'an answer of one byte': [Buffer.of(0)],
};

interface FakeServer {
  readonly port: number;
  /** Everything it received, all sessions together. */
  readonly received: Buffer[];
  answer: readonly Buffer[];
  protocol: number;
  signInAnswer: Buffer;
}

async function startFakeServer(context: SuiteContext): Promise<FakeServer> {
  const received: Buffer[] = [];
  const fake = { port: 0, received, answer: [OK], protocol: 10, signInAnswer: OK };
  const serve = (socket: Socket): void => {
    const reader = new PacketReader();
    let isSignedIn = false;
    socket.on('error', () => undefined);
    socket.write(frame(greeting(fake.protocol)));
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      for (const { payload } of reader.push(chunk)) {
        const answer = isSignedIn ? fake.answer : [fake.signInAnswer];
        if (isSignedIn && payload[0] === COM.quit) socket.end();
        const first = isSignedIn ? 1 : 2;
        isSignedIn = true;
        for (const [index, one] of answer.entries()) socket.write(frame(one, first + index));
      }
    });
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.teardown(async () => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  fake.port = address.port;
  return fake;
}

export async function checkHostileServer(context: SuiteContext): Promise<void> {
  if (targetKind() === 'copy') return context.skip('a hostile server', 'there is no gateway');
  const fake = await startFakeServer(context);
  const target = await startMysqlGateway(context, {
    upstreamPort: fake.port,
    upstream: APP,
    users: [ALICE],
    localInfile: true,
  });
  const ask = async (): Promise<string> => {
    const capabilities = CAPABILITY.sessionTrack;
    const client = await connectMysql({
      port: target.port,
      ...ALICE,
      capabilities,
      keepsSignIn: true,
    });
    try {
      const results = await client.query('SELECT 1');
      return JSON.stringify(results) + Buffer.concat(client.bytes).toString('latin1');
    } catch (error) {
      if (error instanceof MysqlEnd)
        return `end: ${Buffer.concat(client.bytes).toString('latin1')}`;
      // What the gateway relays may be as wrong as what it got, where the client can see that.
      return `wrong: ${Buffer.concat(client.bytes).toString('latin1')}`;
    } finally {
      client.close();
    }
  };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    await context.check(`server: ${name}`, async () => {
      fake.answer = answer;
      const seen = await ask();
      if (seen.includes('/etc/hostname')) throw new Error('the client was asked for its file');
      if (target.child.exitCode !== null) throw new Error(`the gateway died: ${target.readLog()}`);
      fake.answer = [OK];
      const next = await ask();
      if (!next.includes('"kind":"ok"')) throw new Error(`a later session: ${next}`);
    });
  }
  await context.check('MY-18 server: a redirection does not reach the client', async () => {
    fake.answer = [redirect()];
    const seen = await ask();
    fake.answer = [OK];
    fake.signInAnswer = redirect();
    const signIn = await ask();
    fake.signInAnswer = OK;
    if (`${seen}${signIn}`.includes('elsewhere')) throw new Error('the address came to the client');
  });
  await context.check('MY-2 server: protocol 9 is refused with an error', async () => {
    fake.protocol = 9;
    const outcome = await ask().catch((error: unknown) => String(error));
    fake.protocol = 10;
    if (!outcome.includes('sign-in refused')) throw new Error(outcome);
  });
  await context.check("GW-16 server: it never hears the client's password", async () => {
    const client = await connectMysql({ port: target.port, ...ALICE });
    await client.run(command(COM.ping));
    client.close();
    const all = Buffer.concat(fake.received).toString('latin1');
    if (all.includes(ALICE.password) || all.includes(ALICE.user)) throw new Error('it did');
  });
}
