/**
 * A connection for tests on `raw-postgres.ts`: it signs in (trust, cleartext, md5, SCRAM-SHA-256), with
 * or without TLS, and keeps every byte the server sent after the transport was set up, so that a
 * test can search what really came over the wire. It has no idea of SQL.
 */

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  cstring,
  decodeFields,
  int32,
  type Message,
  MessageReader,
  message,
  query,
  sslRequest,
  startup,
} from './raw-postgres.ts';

export interface RawOptions {
  readonly port: number;
  readonly host?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly parameters?: Record<string, string>;
  readonly version?: number;
  readonly tls?: boolean;
}

const WAIT_DEFAULT = 30_000;

/** What came instead of the expected message; a test shows it. */
export class RawEnd extends Error {}

export class RawClient {
  readonly messages: Message[] = [];
  /** Everything received, in order. Empty it to look at one exchange only. */
  bytes: Buffer[] = [];
  keepsBytes = true;
  isClosed = false;
  readonly parameters = new Map<string, string>();
  /** BackendKeyData's body: what `cancelRequest` wants. */
  key: Buffer | undefined;
  readonly socket: Socket;
  private readonly reader = new MessageReader();
  private wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    // A reset is one way to be closed; the tests look at isClosed.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake?.();
    });
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next message; throws RawEnd when the connection closed or nothing came in time. */
  async next(wait = WAIT_DEFAULT): Promise<Message> {
    const end = Date.now() + wait;
    for (;;) {
      const first = this.messages.shift();
      if (first !== undefined) return first;
      if (this.isClosed) throw new RawEnd('the connection is closed');
      const left = end - Date.now();
      if (left <= 0) throw new RawEnd(`no message within ${wait} ms`);
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

  /** Messages up to and with the first of `type`, `count` times. */
  async until(type: string, count = 1, wait = WAIT_DEFAULT): Promise<Message[]> {
    const seen: Message[] = [];
    for (let left = count; left > 0; ) {
      const one = await this.next(wait);
      seen.push(one);
      if (one.type === type) left -= 1;
    }
    return seen;
  }

  async exchange(
    parts: readonly Buffer[],
    readyCount = 1,
    wait = WAIT_DEFAULT,
  ): Promise<Message[]> {
    this.send(...parts);
    return this.until('Z', readyCount, wait);
  }

  query(sql: string | Buffer, wait = WAIT_DEFAULT): Promise<Message[]> {
    return this.exchange([query(sql)], 1, wait);
  }

  /** Resolves when the other side closed; false when it did not in time. */
  async ended(wait = WAIT_DEFAULT): Promise<boolean> {
    const end = Date.now() + wait;
    while (!this.isClosed && Date.now() < end) await pause(5);
    return this.isClosed;
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    if (this.keepsBytes) this.bytes.push(chunk);
    for (const one of this.reader.push(chunk)) {
      if (one.type === 'S') {
        const [name, value] = one.body.toString('utf8').split('\0');
        this.parameters.set(name ?? '', value ?? '');
      }
      if (one.type === 'K') this.key = one.body;
      this.messages.push(one);
    }
    this.wake?.();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export function openSocket(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, host);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function secure(socket: Socket): Promise<Socket> {
  socket.write(sslRequest());
  const answer = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('close', () => reject(new RawEnd('closed instead of an answer to SSLRequest')));
  });
  socket.removeAllListeners('close');
  if (answer.toString('latin1') !== 'S')
    throw new RawEnd(`SSLRequest answered ${answer.toString('latin1')}`);
  return new Promise((resolve, reject) => {
    const secured = connectTls({ socket, rejectUnauthorized: false }, () => resolve(secured));
    secured.once('error', reject);
  });
}

/** Connects and signs in; the messages up to the first ReadyForQuery are in `messages`. */
export async function connectRaw(options: RawOptions): Promise<RawClient> {
  const plain = await openSocket(options.port, options.host);
  const client = new RawClient(options.tls === true ? await secure(plain) : plain);
  const user = options.user ?? 'postgres';
  const database = options.database ?? 'postgres';
  client.send(startup({ user, database, ...options.parameters }, options.version));
  await signIn(client, user, options.password ?? '');
  return client;
}

async function signIn(client: RawClient, user: string, password: string): Promise<void> {
  const seen: Message[] = [];
  for (;;) {
    const one = await client.next();
    if (one.type === 'E') {
      const { C, M } = decodeFields(one.body);
      throw new RawEnd(`sign-in refused: ${C} ${M}`);
    }
    if (one.type === 'R') await answerAuthentication(client, one.body, { user, password });
    else seen.push(one);
    if (one.type === 'Z') break;
  }
  client.messages.unshift(...seen);
}

async function answerAuthentication(
  client: RawClient,
  body: Buffer,
  login: { readonly user: string; readonly password: string },
): Promise<void> {
  const kind = body.readInt32BE(0);
  if (kind === 3) client.send(message('p', cstring(login.password)));
  if (kind === 5) client.send(message('p', cstring(hashMd5(login, body.subarray(4)))));
  if (kind === 10) await exchangeScram(client, login.password);
}

function hashMd5(
  login: { readonly user: string; readonly password: string },
  salt: Buffer,
): string {
  const inner = createHash('md5')
    .update(login.password + login.user)
    .digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

/** RFC 5802 without channel binding: gs2 header `n,,`. */
async function exchangeScram(client: RawClient, password: string): Promise<void> {
  const bare = `n=,r=${randomBytes(18).toString('base64')}`;
  const first = Buffer.from(`n,,${bare}`);
  client.send(message('p', cstring('SCRAM-SHA-256'), int32(first.length), first));
  const answer = await client.next();
  if (answer.type !== 'R') {
    client.messages.unshift(answer);
    return;
  }
  const serverFirst = answer.body.toString('utf8', 4);
  const attributes = new Map(serverFirst.split(',').map((part) => [part[0], part.slice(2)]));
  const salted = pbkdf2Sync(
    password,
    Buffer.from(attributes.get('s') ?? '', 'base64'),
    Number(attributes.get('i')),
    32,
    'sha256',
  );
  const withoutProof = `c=biws,r=${attributes.get('r')}`;
  const signed = `${bare},${serverFirst},${withoutProof}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha256').update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  client.send(message('p', Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
