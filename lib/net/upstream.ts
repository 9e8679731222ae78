/** Opens the TCP connection to the database server. TLS on top of it is in `tls.ts`. */
import net from 'node:net';
import { GatewayError } from '../errors.ts';
import { ignoreErrors, KEEP_ALIVE_DELAY } from './listener.ts';
import { readReason } from './reason.ts';

export interface ConnectUpstreamOptions {
  readonly host: string;
  readonly port: number;
  /** Until connected, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Resolves with a connected socket that is not read yet. Rejects with GatewayError UPSTREAM_CONNECT.
 * The socket has a listener for its errors, so a caller that watches only 'close' is safe.
 */
export function connectUpstream(options: ConnectUpstreamOptions): Promise<net.Socket> {
  const { host, port, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    });
    const fail = (reason: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      const message = `cannot connect to ${host}:${port}: ${reason}`;
      reject(new GatewayError('UPSTREAM_CONNECT', message, { cause }));
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    const failWith = (error: Error) => fail(readReason(error), error);
    ignoreErrors(socket);
    socket.once('error', failWith);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failWith);
      resolve(socket);
    });
  });
}
