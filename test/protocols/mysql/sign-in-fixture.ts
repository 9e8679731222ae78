/**
 * The sign-in alone between real sockets, with TLS on either leg: bytes are passed on unread once it is
 * done, but for COM_CHANGE_USER. Not the product's driver, and no session: the command phase is not here.
 */

import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  pbkdf2Sync,
  randomBytes,
} from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { TLSSocket, connect as connectTls } from 'node:tls';
import type {
  Decision,
  Operation,
  Rsa,
  SessionCommand,
  SessionEvent,
  SessionOptions,
  Side,
} from '../../../protocols/contract.ts';
import { ProtocolError } from '../../../protocols/errors.ts';
import { ChangeUser } from '../../../protocols/mysql/change-user.ts';
import { Outbox } from '../../../protocols/mysql/outbox.ts';
import { SignIn, type SignedIn } from '../../../protocols/mysql/sign-in.ts';
import { hasClosed, recordedFrom, sentTo } from '../../support/play.ts';

export const INSPECT_ALL = { statements: true, results: true } as const;
export const INSPECT_NOTHING = { statements: false, results: false } as const;

const keyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const rsa: Rsa = {
  publicKey: keyPair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  decrypt: (bytes) => decryptWith(keyPair.privateKey, bytes),
  encrypt: (key, bytes) =>
    publicEncrypt({ key: createPublicKey(key), padding: constants.RSA_PKCS1_OAEP_PADDING }, bytes),
};

export function decryptWith(key: typeof keyPair.privateKey, bytes: Buffer): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, bytes);
  } catch {
    // Not encrypted with this key, which is an answer.
    return undefined;
  }
}

export function options(own: Partial<SessionOptions> = {}): SessionOptions {
  return {
    auth: 'gateway',
    clientTls: 'off',
    upstreamTls: false,
    statementSizeMax: 1024 * 1024,
    signInTimeout: 10_000,
    rowSizeMax: 1024 * 1024,
    random: (size) => randomBytes(size),
    deriveKey: (password, salt, iterations) => pbkdf2Sync(password, salt, iterations, 32, 'sha256'),
    rsa,
    ...own,
  };
}

export interface GatewayParts {
  readonly options: SessionOptions;
  readonly upstreamPort: number;
  readonly decide: (operation: Operation) => Decision;
  /** PEM texts; needed where the client may use TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Gateway {
  readonly port: number;
  readonly commands: SessionCommand[];
  readonly signedIn: SignedIn[];
  readonly errors: unknown[];
  close(): Promise<void>;
}

export async function startGateway(parts: GatewayParts, port = 0): Promise<Gateway> {
  const sockets = new Set<Socket>();
  const log = {
    commands: [] as SessionCommand[],
    signedIn: [] as SignedIn[],
    errors: [] as unknown[],
  };
  const server = createServer({ noDelay: true }, (client) => {
    const connection = new Connection(parts, client, log, sockets);
    connection.start();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return {
    ...log,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

class Connection {
  readonly #parts: GatewayParts;
  readonly #log: Pick<Gateway, 'commands' | 'signedIn' | 'errors'>;
  readonly #all: Set<Socket>;
  readonly #sockets: { client: Socket; server: Socket | undefined };
  readonly #out = new Outbox();
  #phase: SignIn | ChangeUser;
  #signedIn: SignedIn | undefined;

  constructor(
    parts: GatewayParts,
    client: Socket,
    log: Pick<Gateway, 'commands' | 'signedIn' | 'errors'>,
    all: Set<Socket>,
  ) {
    this.#parts = parts;
    this.#log = log;
    this.#all = all;
    this.#sockets = { client, server: undefined };
    this.#phase = new SignIn(this.#out, parts.options);
  }

  start(): void {
    const signIn = this.#phase;
    this.#listen('client', this.#sockets.client);
    if (signIn instanceof SignIn) this.#run(() => signIn.onClientOpened());
  }

  #listen(side: Side, socket: Socket): void {
    this.#all.add(socket);
    socket.on('data', (bytes: Buffer) => this.#onData(side, bytes));
    socket.on('close', () => {
      this.#all.delete(socket);
      this.#onClose(side);
    });
    socket.on('error', () => undefined);
  }

  #onClose(side: Side): void {
    if (side === 'server' && this.#signedIn === undefined && this.#phase instanceof SignIn) {
      const signIn = this.#phase;
      this.#run(() => signIn.onServerClosed('it is gone'));
    }
    this.#sockets.client.end();
    this.#sockets.server?.end();
  }

  #onData(side: Side, bytes: Buffer): void {
    const isChange = bytes[3] === 0 && bytes[4] === 0x11;
    if (this.#signedIn !== undefined && side === 'client' && isChange) {
      this.#phase = new ChangeUser(this.#out, this.#parts.options, this.#signedIn);
      this.#signedIn = undefined;
    }
    if (this.#signedIn !== undefined) {
      this.#sockets[side === 'client' ? 'server' : 'client']?.write(bytes);
      return;
    }
    const phase = this.#phase;
    this.#run(() => (side === 'client' ? phase.onClientBytes(bytes) : phase.onServerBytes(bytes)));
  }

  #run(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#log.errors.push(error);
      if (error instanceof ProtocolError)
        this.#out.refuse({ code: '08P01', message: error.message });
      else this.#out.close();
    }
    for (const command of this.#out.take()) this.#carryOut(command);
    const { done } = this.#phase;
    if (done === undefined || done === this.#signedIn || this.#out.isClosing) return;
    this.#signedIn = done;
    this.#log.signedIn.push(done);
    if (done.clientRest.length > 0) this.#onData('client', done.clientRest);
    if (done.serverRest.length > 0) this.#sockets.client.write(done.serverRest);
  }

  #carryOut(command: SessionCommand): void {
    this.#log.commands.push(command);
    if (command.kind === 'send') this.#sockets[command.to]?.write(command.bytes);
    else if (command.kind === 'open') this.#open();
    else if (command.kind === 'secure') this.#secure(command.side, command.bytes);
    else if (command.kind === 'close') this.#close();
    else if (command.kind === 'decide') {
      const { operation } = command;
      this.#run(() => this.#phase.onDecided(operation.id, this.#parts.decide(operation)));
    }
  }

  #open(): void {
    const socket = connect({ port: this.#parts.upstreamPort, host: '127.0.0.1', noDelay: true });
    this.#sockets.server = socket;
    this.#listen('server', socket);
  }

  #secure(side: Side, bytes: Buffer): void {
    const plain = this.#sockets[side];
    if (plain === undefined || !(this.#phase instanceof SignIn))
      throw new Error('no socket to secure');
    const signIn = this.#phase;
    plain.pause();
    plain.removeAllListeners('data');
    if (bytes.length > 0) plain.unshift(bytes);
    if (side === 'server') {
      const socket = connectTls({ socket: plain, rejectUnauthorized: false }, () =>
        this.#run(() => signIn.onServerSecured()),
      );
      this.#sockets.server = socket;
      this.#listen('server', socket);
      return;
    }
    const socket = new TLSSocket(plain, { isServer: true, ...this.#parts.tls });
    socket.once('secure', () => this.#run(() => signIn.onClientSecured()));
    this.#sockets.client = socket;
    this.#listen('client', socket);
  }

  #close(): void {
    this.#sockets.client.end();
    this.#sockets.server?.end();
  }
}

/** A sign-in without sockets: each call gives the commands that it caused. */
export class SignInTalk {
  readonly signIn: SignIn;
  readonly log: SessionCommand[] = [];
  readonly #out = new Outbox();
  readonly #decide: (operation: Operation) => Decision | undefined;

  constructor(own: SessionOptions, decide: (operation: Operation) => Decision | undefined) {
    this.signIn = new SignIn(this.#out, own);
    this.#decide = decide;
  }

  event(event: SessionEvent): SessionCommand[] {
    try {
      this.#handle(event);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#out.refuse({ code: '08P01', message: `${error.message} (${error.code})` });
    }
    const commands: SessionCommand[] = [];
    const todo = this.#out.take();
    for (let command = todo.shift(); command !== undefined; command = todo.shift()) {
      commands.push(command);
      if (command.kind !== 'decide') continue;
      const decision = this.#decide(command.operation);
      if (decision === undefined) continue;
      todo.push(...this.event({ kind: 'decided', id: command.operation.id, decision }));
    }
    this.log.push(...commands);
    return commands;
  }

  client(bytes: Buffer): SessionCommand[] {
    return this.event({ kind: 'received', from: 'client', bytes });
  }

  server(bytes: Buffer): SessionCommand[] {
    return this.event({ kind: 'received', from: 'server', bytes });
  }

  get toClient(): Buffer {
    return sentTo('client', this.log);
  }

  get toServer(): Buffer {
    return sentTo('server', this.log);
  }

  get recorded(): Buffer {
    return recordedFrom('client', this.log);
  }

  get isClosed(): boolean {
    return hasClosed(this.log);
  }

  #handle(event: SessionEvent): void {
    const { signIn } = this;
    if (event.kind === 'opened') {
      if (event.side === 'client') signIn.onClientOpened();
    } else if (event.kind === 'received') {
      if (event.from === 'client') signIn.onClientBytes(event.bytes);
      else signIn.onServerBytes(event.bytes);
    } else if (event.kind === 'secured') {
      if (event.side === 'client') signIn.onClientSecured();
      else signIn.onServerSecured();
    } else if (event.kind === 'decided') signIn.onDecided(event.id, event.decision);
    else if (event.kind === 'woke') signIn.onTimeout();
    else if (event.kind === 'closed') signIn.onServerClosed(event.reason);
  }
}
