/**
 * A server that signs in as MySQL 8 does, written from its protocol documentation: mysql_native_password,
 * caching_sha2_password with an empty or a filled cache, with and without TLS. No MySQL server can be had
 * from Debian or npm. It answers every command with OK.
 */

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ToldState, payloadsOf, stateAnswer } from '../../support/mysql-session.ts';
import { decryptWith } from './sign-in-fixture.ts';

const CAPABILITIES = 0xdfff_ffff;
const SSL = 0x800;
const DEPRECATE_EOF = 0x100_0000;
const KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 });

export interface FakeOptions {
  readonly user: string;
  readonly password: string;
  readonly plugin: string;
  /** caching_sha2_password: the server remembers the password. */
  readonly isWarm?: boolean;
  readonly greetingPlugin?: string;
  readonly version?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly told?: ToldState;
  /** Payload of the OK that ends the sign-in. */
  readonly ok?: Buffer;
}

export interface FakeMysql {
  readonly port: number;
  /** What was said, one entry for each sign-in: `ok full tls`, `denied`, ... */
  readonly outcomes: string[];
  /** Capability flags and attributes of each response. */
  readonly responses: { readonly capabilities: number; readonly payload: Buffer }[];
  readonly commands: Buffer[];
  close(): Promise<void>;
}

export async function startFakeMysql(options: FakeOptions): Promise<FakeMysql> {
  const sockets = new Set<Socket>();
  const seen = {
    outcomes: [] as string[],
    responses: [] as FakeMysql['responses'],
    commands: [] as Buffer[],
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const connection = new FakeConnection(options, socket, seen);
    connection.start();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return {
    ...seen,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

type Step = (payload: Buffer) => void;

class FakeConnection {
  readonly #options: FakeOptions;
  readonly #seen: Pick<FakeMysql, 'outcomes' | 'responses' | 'commands'>;
  #socket: Socket;
  #held = Buffer.alloc(0);
  #sequence = 0;
  #nonce = nonce();
  #flags = 0;
  #step: Step = (payload) => this.#onResponse(payload);

  constructor(
    options: FakeOptions,
    socket: Socket,
    seen: Pick<FakeMysql, 'outcomes' | 'responses' | 'commands'>,
  ) {
    this.#options = options;
    this.#seen = seen;
    this.#socket = socket;
  }

  start(): void {
    this.#listen(this.#socket);
    this.#send(this.#greeting());
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', () => undefined);
  }

  #onData(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= 4) {
      const size = this.#held.readUIntLE(0, 3);
      if (this.#held.length < 4 + size) return;
      const sequence = this.#held.readUInt8(3);
      const payload = this.#held.subarray(4, 4 + size);
      this.#held = this.#held.subarray(4 + size);
      if (sequence !== this.#sequence) {
        this.#seen.outcomes.push(`packet ${sequence} out of order, ${this.#sequence} expected`);
        this.#socket.destroy();
        return;
      }
      this.#sequence += 1;
      this.#step(payload);
    }
  }

  #send(payload: Buffer): void {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = this.#sequence;
    this.#sequence += 1;
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #greeting(): Buffer {
    const { version = '8.0.36', plugin, greetingPlugin = plugin, tls } = this.#options;
    const flags = (tls === undefined ? CAPABILITIES & ~SSL : CAPABILITIES) >>> 0;
    const low = Buffer.alloc(7);
    low.writeUInt16LE(flags & 0xffff, 0);
    low[2] = 255;
    low.writeUInt16LE(2, 3);
    low.writeUInt16LE(flags >>> 16, 5);
    return Buffer.concat([
      Buffer.from(`\x0a${version}\0`),
      Buffer.of(77, 0, 0, 0),
      this.#nonce.subarray(0, 8),
      Buffer.of(0),
      low,
      Buffer.of(21),
      Buffer.alloc(10),
      this.#nonce.subarray(8),
      Buffer.from(`\0${greetingPlugin}\0`),
    ]);
  }

  #onResponse(payload: Buffer): void {
    const capabilities = payload.readUInt32LE(0);
    const isSecure = this.#socket instanceof TLSSocket;
    // As MySQL does: the flags of the SSLRequest stay, those that follow are not looked at.
    if (!isSecure) this.#flags = capabilities;
    if (!isSecure && (capabilities & SSL) !== 0) {
      this.#socket.pause();
      this.#socket.removeAllListeners('data');
      if (this.#held.length > 0) this.#socket.unshift(this.#held);
      this.#held = Buffer.alloc(0);
      this.#socket = new TLSSocket(this.#socket, { isServer: true, ...this.#options.tls });
      this.#listen(this.#socket);
      return;
    }
    this.#seen.responses.push({ capabilities: this.#flags, payload });
    const userEnd = payload.indexOf(0, 32);
    const size = payload[userEnd + 1] ?? 0;
    const response = payload.subarray(userEnd + 2, userEnd + 2 + size);
    const rest = payload.toString('latin1', userEnd + 2 + size);
    const { user, plugin, greetingPlugin = plugin } = this.#options;
    if (payload.toString('utf8', 32, userEnd) !== user) this.#deny();
    else if (greetingPlugin === plugin && rest.includes(plugin)) this.#check(response);
    else this.#switch();
  }

  #switch(): void {
    this.#nonce = nonce();
    const name = Buffer.from(`\xfe${this.#options.plugin}\0`, 'latin1');
    this.#send(Buffer.concat([name, this.#nonce, Buffer.of(0)]));
    this.#step = (payload) => this.#check(payload);
  }

  #check(response: Buffer): void {
    const { password, plugin, isWarm = false } = this.#options;
    if (plugin === 'mysql_native_password') {
      if (response.equals(scramble('sha1', password, this.#nonce))) this.#welcome('native');
      else this.#deny();
      return;
    }
    if (isWarm && response.equals(scramble('sha256', password, this.#nonce))) {
      this.#send(Buffer.of(1, 3));
      this.#welcome('fast');
      return;
    }
    this.#send(Buffer.of(1, 4));
    this.#step = (payload) => this.#onFull(payload);
  }

  #onFull(payload: Buffer): void {
    if (this.#socket instanceof TLSSocket) {
      if (payload.toString() === `${this.#options.password}\0`) this.#welcome('full tls');
      else this.#deny();
    } else if (payload.length === 1 && payload[0] === 2) {
      const key = KEYS.publicKey.export({ type: 'spki', format: 'pem' }).toString();
      this.#send(Buffer.concat([Buffer.of(1), Buffer.from(key)]));
    } else {
      const plain = decryptWith(KEYS.privateKey, payload)?.map(
        (byte, index) => byte ^ (this.#nonce[index % 20] ?? 0),
      );
      const isRight = Buffer.from(plain ?? []).toString() === `${this.#options.password}\0`;
      if (isRight) this.#welcome('full rsa');
      else this.#deny();
    }
  }

  #welcome(how: string): void {
    this.#seen.outcomes.push(`ok ${how}`);
    this.#send(this.#options.ok ?? Buffer.of(0, 0, 0, 2, 0, 0, 0));
    this.#sequence = 0;
    this.#step = (payload) => this.#onCommand(payload);
  }

  #onCommand(payload: Buffer): void {
    this.#seen.commands.push(payload);
    if (payload[0] === 1) {
      this.#socket.end();
    } else if (payload[0] === 0x11) {
      this.#switch();
    } else if (payload.includes('SELECT @@character_set_client')) {
      this.#tellState();
    } else {
      this.#send(Buffer.of(0, 0, 0, 2, 0, 0, 0));
      this.#sequence = 0;
    }
  }

  /** The gateway's question (MY-56). */
  #tellState(): void {
    this.#seen.commands.pop();
    const deprecatesEof = (this.#flags & DEPRECATE_EOF) !== 0;
    const told = stateAnswer({ ...this.#options.told, deprecatesEof });
    for (const payload of payloadsOf(told)) this.#send(payload);
    this.#sequence = 0;
  }

  #deny(): void {
    this.#seen.outcomes.push('denied');
    const text = `#28000Access denied for user '${this.#options.user}'@'here'`;
    this.#send(Buffer.concat([Buffer.of(0xff, 0x15, 0x04), Buffer.from(text)]));
    this.#socket.end();
  }
}

/** Bytes that strings may hold, as the server makes them. */
function nonce(): Buffer {
  return Buffer.from(randomBytes(20).map((byte) => (byte % 80) + 40));
}

function scramble(algorithm: 'sha1' | 'sha256', password: string, salt: Buffer): Buffer {
  const hash = (...parts: readonly Buffer[]): Buffer =>
    createHash(algorithm).update(Buffer.concat(parts)).digest();
  const once = hash(Buffer.from(password));
  const twice = hash(once);
  const mask = algorithm === 'sha1' ? hash(salt, twice) : hash(twice, salt);
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}
