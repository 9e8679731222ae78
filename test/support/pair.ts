/**
 * The smallest driver there is: sockets on both sides of a session and nothing between, for tests that
 * need the session alone in front of a real server. It has no TLS, no recording and no limits; the
 * product's driver is `lib/gateway/session-driver.ts`.
 */

import { connect, createServer, type Socket } from 'node:net';
import type {
  Decision,
  Operation,
  Protocol,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
  Side,
} from '../../protocols/contract.ts';

export interface PairOptions {
  readonly protocol: Protocol;
  readonly upstreamPort: number;
  /** Called for each connection, so that each has its own random source. */
  readonly sessionOptions: () => SessionOptions;
  readonly decide: (operation: Operation) => Decision | Promise<Decision>;
  readonly onEvent?: (event: SessionEvent) => void;
  readonly onCommand?: (command: SessionCommand) => void;
}

export interface Pair {
  readonly port: number;
  /** What went wrong on our side; must stay empty. */
  readonly errors: readonly unknown[];
  close(): Promise<void>;
}

export async function startPair(options: PairOptions, port = 0): Promise<Pair> {
  const sockets = new Set<Socket>();
  const errors: unknown[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    new PairSession(options, client, sockets, errors).start();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return {
    port: address.port,
    errors,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

class PairSession {
  readonly #options: PairOptions;
  readonly #session: ProtocolSession;
  readonly #sides: { client: Socket; server: Socket | undefined };
  readonly #sockets: Set<Socket>;
  readonly #errors: unknown[];

  constructor(options: PairOptions, client: Socket, sockets: Set<Socket>, errors: unknown[]) {
    this.#options = options;
    this.#session = options.protocol.createSession(options.sessionOptions());
    this.#sides = { client, server: undefined };
    this.#sockets = sockets;
    this.#errors = errors;
  }

  start(): void {
    this.#listen('client', this.#sides.client);
    this.#dispatch({ kind: 'opened', side: 'client' });
  }

  #listen(side: Side, socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('data', (bytes: Buffer) => this.#dispatch({ kind: 'received', from: side, bytes }));
    socket.on('end', () => this.#dispatch({ kind: 'closed', side }));
    socket.on('error', (error) => this.#dispatch({ kind: 'closed', side, reason: error.message }));
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #dispatch(event: SessionEvent): void {
    this.#options.onEvent?.(event);
    try {
      for (const command of this.#session.handle(event)) this.#carryOut(command);
    } catch (error) {
      this.#errors.push(error);
      this.#close();
    }
  }

  #carryOut(command: SessionCommand): void {
    this.#options.onCommand?.(command);
    if (command.kind === 'send') this.#sides[command.to]?.write(command.bytes);
    else if (command.kind === 'open') this.#open();
    else if (command.kind === 'finish') this.#sides[command.side]?.end();
    else if (command.kind === 'close') this.#close();
    else if (command.kind === 'decide') this.#decide(command.operation, command.holds);
    else if (command.kind === 'reading' && command.isPaused) this.#sides[command.side]?.pause();
    else if (command.kind === 'reading') this.#sides[command.side]?.resume();
    else if (command.kind === 'secure') throw new Error('a pair has no TLS');
  }

  #decide(operation: Operation, holds: Side): void {
    const { id } = operation;
    const decided = this.#options.decide(operation);
    if (!(decided instanceof Promise)) {
      this.#dispatch({ kind: 'decided', id, decision: decided });
      return;
    }
    this.#sides[holds]?.pause();
    void this.#decideLate(decided, id, holds);
  }

  async #decideLate(decided: Promise<Decision>, id: number, holds: Side): Promise<void> {
    const decision = await decided;
    this.#sides[holds]?.resume();
    this.#dispatch({ kind: 'decided', id, decision });
  }

  #open(): void {
    const port = this.#options.upstreamPort;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }, () => {
      this.#sides.server = socket;
      this.#dispatch({ kind: 'opened', side: 'server' });
    });
    this.#listen('server', socket);
  }

  #close(): void {
    this.#sides.client.end();
    this.#sides.server?.end();
  }
}
