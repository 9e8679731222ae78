/**
 * A proxy that copies bytes both ways and knows nothing: the harness of the differential suites is
 * checked against it (suites about blocks and masks must fail there), and it is the bench's baseline.
 */

import { connect, createServer, type Socket } from 'node:net';

export interface ByteCopy {
  readonly port: number;
  close(): Promise<void>;
}

export async function startByteCopy(upstreamPort: number, port = 0): Promise<ByteCopy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({
      port: upstreamPort,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
    });
    join(client, upstream, sockets);
    join(upstream, client, sockets);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    sockets.delete(from);
    to.end();
  });
}
