import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import { listen, type ListenOptions } from '../../../lib/net/listener.ts';

const HOST = '127.0.0.1';

async function open(options: Partial<ListenOptions>) {
  return listen({
    host: HOST,
    port: 0,
    sessionsMax: 10,
    onConnection: (socket) => socket.pipe(socket),
    ...options,
  });
}

/** What comes until the other side ends, or undefined when the connection is reset. */
async function readAll(socket: net.Socket): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  try {
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}

t.test('hands accepted sockets over and tells its address', async (t) => {
  const listener = await open({});
  t.equal(listener.address().host, HOST);
  const client = net.connect(listener.address().port, HOST);
  client.write('hello');
  const [echo] = await once(client, 'data');
  t.equal(String(echo), 'hello');
  client.end();
  await listener.close();
});

t.test('a connection above the cap is closed at once, and the others live on', async (t) => {
  const troubles: string[] = [];
  const listener = await open({ sessionsMax: 1, onTrouble: (error) => troubles.push(error.code) });
  const { port } = listener.address();
  const first = net.connect(port, HOST);
  first.write('a');
  await once(first, 'data');

  t.notOk(await readAll(net.connect(port, HOST)), 'no byte for the second');
  t.same(troubles, ['SESSIONS_MAX']);

  first.write('b');
  t.equal(String((await once(first, 'data'))[0]), 'b');
  first.end();
  await once(first, 'close');
  const third = net.connect(port, HOST);
  third.write('c');
  t.equal(String((await once(third, 'data'))[0]), 'c', 'a place is free again');
  third.end();
  await listener.close();
});

t.test('a reset that nobody listens for costs only its own connection', async (t) => {
  let accept: (socket: net.Socket) => void;
  const accepted = new Promise<net.Socket>((resolve) => {
    accept = resolve;
  });
  const listener = await open({ onConnection: (socket) => accept(socket.resume()) });
  const client = net.connect(listener.address().port, HOST);
  const socket = await accepted;
  const closed = new Promise<boolean>((resolve) => socket.once('close', resolve));
  client.resetAndDestroy();
  t.equal(await closed, true, 'closed with an error, and the process lives');
  await listener.close();
});

t.test('an onConnection that throws closes that connection only', async (t) => {
  const troubles: GatewayError[] = [];
  const listener = await open({
    onConnection: () => {
      throw new Error('no room');
    },
    onTrouble: (error) => troubles.push(error),
  });
  t.notOk(await readAll(net.connect(listener.address().port, HOST)));
  t.match(troubles, [{ code: 'SESSION_START', message: 'no room' }]);
  await listener.close();
});

t.test('close stops accepting at once and waits for the sessions', async (t) => {
  const listener = await open({});
  const { port } = listener.address();
  const client = net.connect(port, HOST);
  client.write('a');
  await once(client, 'data');
  let isClosed = false;
  const closing = (async () => {
    await listener.close();
    isClosed = true;
  })();
  await t.rejects(once(net.connect(port, HOST), 'connect'), { code: 'ECONNREFUSED' });
  client.write('b');
  t.equal(String((await once(client, 'data'))[0]), 'b', 'an open session goes on');
  t.notOk(isClosed);
  client.end();
  await closing;
  await listener.close();
});

t.test('half-open sockets answer after the client has ended, if asked for', async (t) => {
  const listener = await open({
    allowHalfOpen: true,
    onConnection: (socket) => {
      socket.resume();
      socket.on('end', () => setTimeout(() => socket.end('late'), 20));
    },
  });
  const client = net.connect({ port: listener.address().port, host: HOST, allowHalfOpen: true });
  client.end('x');
  t.equal(await readAll(client), 'late');
  await listener.close();
});

t.test(
  'a port that is taken or an address that is not ours is an error with the mend',
  async (t) => {
    const listener = await open({});
    const { port } = listener.address();
    await t.rejects(open({ port }), {
      name: 'GatewayError',
      code: 'LISTEN',
      message: `cannot listen on ${HOST}:${port}: another program listens there. Stop it, or write another port in listen.`,
    });
    await t.rejects(open({ host: '192.0.2.1' }), { code: 'LISTEN', message: /no such address/ });
    await listener.close();
  },
);
