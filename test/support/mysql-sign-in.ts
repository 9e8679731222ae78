/**
 * Signing in to a MySQL server in tests: mysql_native_password, caching_sha2_password (fast and full,
 * over TLS and with RSA), mysql_clear_password, with or without TLS.
 */

import { constants, createHash, publicEncrypt } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import { type Greeting, MysqlClient, MysqlEnd } from './mysql-client.ts';
import {
  CAPABILITY,
  Cursor,
  decodeErr,
  decodeOk,
  type Err,
  lenenc,
  type Ok,
} from './mysql-packets.ts';

export interface MysqlOptions {
  readonly port: number;
  readonly host?: string;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  readonly tls?: boolean;
  /** Over CAPABILITIES_DEFAULT; the server's own are not asked. */
  readonly capabilities?: number;
  /** Number of the collation; 45 is utf8mb4_general_ci. */
  readonly collation?: number;
  /** What comes before and during sign-in is kept as well. */
  readonly keepsSignIn?: boolean;
  /** Milliseconds that one packet may take. */
  readonly wait?: number;
}

const CAPABILITIES_DEFAULT =
  CAPABILITY.longPassword |
  CAPABILITY.longFlag |
  CAPABILITY.protocol41 |
  CAPABILITY.transactions |
  CAPABILITY.secureConnection |
  CAPABILITY.multiStatements |
  CAPABILITY.multiResults |
  CAPABILITY.multiResultsPrepared |
  CAPABILITY.pluginAuth |
  CAPABILITY.lenencAuth;

/** The server said no while signing in. */
export class SignInRefused extends MysqlEnd {
  readonly error: Err;

  constructor(error: Err) {
    super(`sign-in refused: ${error.code} ${error.message}`);
    this.error = error;
  }
}

export function openMysqlSocket(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, host);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function decodeGreeting(payload: Buffer): Greeting {
  if (payload[0] === 0xff) throw new SignInRefused(decodeErr(payload));
  const cursor = new Cursor(payload, 1);
  const version = cursor.cstring();
  const connectionId = cursor.int(4);
  const first = cursor.take(8);
  cursor.int(1);
  const low = cursor.int(2);
  cursor.take(3);
  const capabilities = (low | (cursor.int(2) << 16)) >>> 0;
  cursor.take(11);
  const nonce = Buffer.concat([first, cursor.take(12)]);
  cursor.int(1);
  return { version, connectionId, nonce, capabilities, plugin: cursor.cstring() };
}

/** Connects and signs in. */
export async function connectMysql(options: MysqlOptions): Promise<MysqlClient> {
  const client = new MysqlClient(await openMysqlSocket(options.port, options.host), options.wait);
  client.keepsBytes = options.keepsSignIn === true;
  try {
    await signIn(client, options);
  } catch (error) {
    client.close();
    throw error;
  }
  client.keepsBytes = true;
  return client;
}

async function signIn(client: MysqlClient, options: MysqlOptions): Promise<void> {
  const greeting = decodeGreeting(await client.next());
  client.greeting = greeting;
  client.capabilities =
    (CAPABILITIES_DEFAULT |
      (options.capabilities ?? 0) |
      (options.tls === true ? CAPABILITY.ssl : 0) |
      (options.database === undefined ? 0 : CAPABILITY.connectWithDatabase)) >>>
    0;
  const head = Buffer.alloc(32);
  head.writeUInt32LE(client.capabilities, 0);
  head.writeUInt32LE(0x4000_0000, 4);
  head[8] = options.collation ?? 45;
  if (options.tls === true) {
    client.answer(head);
    await client.secure();
  }
  const proof = proofFor(greeting.plugin, greeting.nonce, options) ?? Buffer.alloc(0);
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  client.answer(
    Buffer.concat([
      head,
      text(options.user),
      lenenc(proof.length),
      proof,
      options.database === undefined ? Buffer.alloc(0) : text(options.database),
      text(greeting.plugin),
    ]),
  );
  await finishSignIn(client, options, { plugin: greeting.plugin, nonce: greeting.nonce });
}

/** Also the answer to COM_CHANGE_USER. Throws SignInRefused. */
export async function finishSignIn(
  client: MysqlClient,
  options: Pick<MysqlOptions, 'password' | 'tls'>,
  method: { plugin: string; nonce: Buffer },
): Promise<Ok> {
  let { plugin, nonce } = method;
  for (;;) {
    const payload = await client.next();
    if (payload[0] === 0x00) return decodeOk(payload);
    if (payload[0] === 0xff) throw new SignInRefused(decodeErr(payload));
    if (payload[0] === 0xfe) {
      const cursor = new Cursor(payload, 1);
      plugin = cursor.cstring();
      nonce = cursor.take(cursor.left).subarray(0, 20);
      const proof = proofFor(plugin, nonce, options);
      if (proof === undefined) throw new MysqlEnd(`the server wants ${plugin}`);
      client.answer(proof);
    } else {
      answerMore(client, payload.subarray(1), { nonce, ...options });
    }
  }
}

/** caching_sha2_password: 3 is done, 4 wants the password itself, a key comes when it was asked for (MY-8). */
function answerMore(
  client: MysqlClient,
  data: Buffer,
  how: { readonly nonce: Buffer; readonly password: string; readonly tls?: boolean },
): void {
  const password = Buffer.from(`${how.password}\0`);
  if (data.length === 1 && data[0] === 3) return;
  if (data.length === 1 && data[0] === 4) {
    client.answer(how.tls === true ? password : Buffer.of(2));
    return;
  }
  const mixed = password.map((byte, index) => byte ^ (how.nonce[index % 20] ?? 0));
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  client.answer(publicEncrypt({ key: data.toString('latin1'), padding }, mixed));
}

function proofFor(
  plugin: string,
  nonce: Buffer,
  { password, tls }: Pick<MysqlOptions, 'password' | 'tls'>,
): Buffer | undefined {
  if (plugin === 'mysql_clear_password' && tls === true) return Buffer.from(`${password}\0`);
  if (password === '') return Buffer.alloc(0);
  if (plugin === 'mysql_native_password') {
    const first = digest('sha1', Buffer.from(password));
    return xor(first, digest('sha1', nonce, digest('sha1', first)));
  }
  if (plugin === 'caching_sha2_password') {
    const first = digest('sha256', Buffer.from(password));
    return xor(first, digest('sha256', digest('sha256', first), nonce));
  }
  return undefined;
}

function digest(algorithm: string, ...parts: readonly Buffer[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
