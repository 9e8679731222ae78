import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { connectUpstream } from '../../../lib/net/upstream.ts';

const HOST = '127.0.0.1';

t.test('connects, and a later reset needs no listener', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  const socket = await connectUpstream({ host: HOST, port, timeoutMs: 20_000 });
  t.equal(socket.remotePort, port);
  const closed = new Promise<boolean>((resolve) => socket.on('close', resolve));
  socket.resume();
  socket.write('x');
  t.equal(await closed, true, 'closed with an error that did not end the process');
  server.close();
  await once(server, 'close');
});

t.test('a refused connection names host, port and reason', async (t) => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  await t.rejects(connectUpstream({ host: HOST, port, timeoutMs: 20_000 }), {
    code: 'UPSTREAM_CONNECT',
    message: `cannot connect to ${HOST}:${port}: connect ECONNREFUSED ${HOST}:${port}`,
  });
  await t.rejects(connectUpstream({ host: 'localhost', port, timeoutMs: 20_000 }), {
    message: /ECONNREFUSED/,
  });
});

t.test('a host that never answers is given up in time', async (t) => {
  // 192.0.2.0/24 is for documentation: packets to it vanish, or this machine has no way to it.
  const startedAt = performance.now();
  await t.rejects(connectUpstream({ host: '192.0.2.1', port: 5432, timeoutMs: 200 }), {
    code: 'UPSTREAM_CONNECT',
  });
  t.ok(performance.now() - startedAt < 20_000);
});
