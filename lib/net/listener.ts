/**
 * A TCP listener: accepts connections up to a limit and hands each over as a socket that can be
 * read. It knows no protocol and no TLS; what a socket says is the business of whoever takes it.
 */
import net from 'node:net';
import { GatewayError } from '../errors.ts';
import { readReason } from './reason.ts';

/** First keep-alive probe after this much silence, so that a peer that vanished is found out. */
export const KEEP_ALIVE_DELAY = 60_000;

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port; `address()` tells which. */
  readonly port: number;
  /** Connections at once; what comes above is closed without a byte. */
  readonly sessionsMax: number;
  /**
   * Gets each accepted socket. A listener for its errors is there already, so an error that nobody
   * else listens to only closes it. If this throws, that one connection is closed.
   */
  readonly onConnection: (socket: net.Socket) => void;
  /** True: the end of the client's bytes does not end ours; the taker must then end the socket. */
  readonly allowHalfOpen?: boolean;
  /** Trouble that costs no more than one connection: cap reached, accept failed, `onConnection` threw. */
  readonly onTrouble?: (error: GatewayError) => void;
}

export interface Listener {
  address(): { readonly host: string; readonly port: number };
  /** Stops accepting at once; resolves when every connection has ended, which is the caller's to bring about. */
  close(): Promise<void>;
}

export async function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer(options);
  await bind(server, options);
  // Without a listener an accept that fails (EMFILE) would end the whole process.
  server.on('error', (error) => {
    options.onTrouble?.(new GatewayError('LISTEN_ACCEPT', error.message, { cause: error }));
  });
  const { address, port } = readAddress(server);
  let closing: Promise<void> | undefined;
  return {
    address: () => ({ host: address, port }),
    close: () => {
      closing ??= new Promise((resolve) => server.close(() => resolve()));
      return closing;
    },
  };
}

function createServer({ sessionsMax, onConnection, onTrouble, ...options }: ListenOptions) {
  const server = net.createServer({
    allowHalfOpen: options.allowHalfOpen ?? false,
    // A small answer waits for no other (GW-12).
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY,
  });
  server.maxConnections = sessionsMax;
  server.on('drop', () => {
    onTrouble?.(
      new GatewayError(
        'SESSIONS_MAX',
        `closed a new connection: ${sessionsMax} are open already. Raise limits.sessions_max.`,
      ),
    );
  });
  server.on('connection', (socket) => {
    ignoreErrors(socket);
    try {
      onConnection(socket);
    } catch (error) {
      socket.destroy();
      onTrouble?.(new GatewayError('SESSION_START', readReason(error), { cause: error }));
    }
  });
  return server;
}

/** A reset is told by 'close' too; the 'error' event must only never be the one that nobody hears. */
export function ignoreErrors(socket: net.Socket): void {
  socket.on('error', () => undefined);
}

async function bind(server: net.Server, { host, port }: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const message = `cannot listen on ${host}:${port}: ${explainBindError(error)}`;
      reject(new GatewayError('LISTEN', message, { cause: error }));
    };
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function explainBindError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another program listens there. Stop it, or write another port in listen.';
    case 'EACCES':
      return 'not allowed. Take a port above 1023.';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address. Write one of its own, or 0.0.0.0 for all.';
    case 'ENOTFOUND':
      return 'the host name is not known.';
    case undefined:
    default:
      return error.message;
  }
}

function readAddress(server: net.Server): net.AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('a TCP server that listens has an address');
  }
  return address;
}
