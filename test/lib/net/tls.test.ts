import { once } from 'node:events';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHash, X509Certificate } from 'node:crypto';
import net from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import t from 'tap';
import type { GatewayError } from '../../../lib/errors.ts';
import { listen } from '../../../lib/net/listener.ts';
import {
  type ClientFacingTls,
  connectUpstreamTls,
  createClientFacingTls,
  type SecureClient,
} from '../../../lib/net/tls.ts';
import { connectUpstream } from '../../../lib/net/upstream.ts';
import { createCertificateFolder, opensslMissing } from '../../support/certificates.ts';

const HOST = '127.0.0.1';
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

const skip = opensslMissing() ?? false;
const folder = createCertificateFolder();
t.teardown(() => folder.remove());
const files = skip === false ? folder.make('server') : { cert: '', key: '' };

type Outcome = SecureClient | GatewayError;

/** Takes TLS up after an SSLRequest, as a session does, or at the first byte. */
async function openGateway(front: ClientFacingTls, direct = false) {
  const outcomes: Outcome[] = [];
  const listener = await listen({
    host: HOST,
    port: 0,
    sessionsMax: 10,
    // As the gateway has it: then the end of a client alone closes nothing.
    allowHalfOpen: true,
    onConnection: (socket) => {
      socket.once('data', (bytes) => {
        if (!direct) socket.write('S');
        front.secure({
          socket,
          firstBytes: direct ? bytes : bytes.subarray(SSL_REQUEST.length),
          onSecure: (client) => {
            outcomes.push(client);
            client.socket.on('end', () => client.socket.end());
            client.socket.on('data', (data) => client.socket.write(`echo ${data}`));
          },
          onError: (error) => outcomes.push(error),
        });
      });
    },
  });
  return { port: listener.address().port, outcomes, close: () => listener.close() };
}

/** A client that puts SSLRequest and ClientHello in one write, as PostgreSQL 17's libpq may (PG-3). */
function connectCoalesced(port: number, options: tls.ConnectionOptions = {}): tls.TLSSocket {
  const raw = net.connect(port, HOST);
  let isFirst = true;
  let isAnswered = false;
  const pipe = new Duplex({
    read: () => undefined,
    write: (bytes: Buffer, _encoding, done) => {
      raw.write(isFirst ? Buffer.concat([SSL_REQUEST, bytes]) : bytes);
      isFirst = false;
      done();
    },
    final: (done) => {
      raw.end();
      done();
    },
  });
  raw.on('data', (bytes) => {
    const rest = isAnswered ? bytes : bytes.subarray(1);
    isAnswered = true;
    if (rest.length > 0) pipe.push(rest);
  });
  raw.on('close', () => pipe.push(null));
  raw.on('error', (error) => pipe.destroy(error));
  return tls.connect({ socket: pipe, rejectUnauthorized: false, ...options });
}

function connectDirect(port: number, options: tls.ConnectionOptions = {}): tls.TLSSocket {
  return tls.connect({ host: HOST, port, rejectUnauthorized: false, ...options });
}

async function talk(client: tls.TLSSocket): Promise<string> {
  await once(client, 'secureConnect');
  client.write('hi');
  const [bytes] = await once(client, 'data');
  return String(bytes);
}

function createFront(options: object = {}): ClientFacingTls {
  return createClientFacingTls({ certFile: files.cert, keyFile: files.key, ...options });
}

function onlySecure(outcomes: readonly Outcome[]): SecureClient {
  const [outcome] = outcomes;
  if (outcome === undefined || !('socket' in outcome)) throw new Error('expected a handshake');
  return outcome;
}

t.test('a ClientHello coalesced with the SSLRequest is served (PG-3)', { skip }, async (t) => {
  const gateway = await openGateway(createFront());
  const client = connectCoalesced(gateway.port, { ALPNProtocols: ['postgresql'] });
  t.equal(await talk(client), 'echo hi');
  const { alpn, channelBinding } = onlySecure(gateway.outcomes);
  t.equal(alpn, 'postgresql');
  const der = new X509Certificate(readFileSync(files.cert)).raw;
  t.same(channelBinding, createHash('sha256').update(der).digest(), 'PG-14');
  t.same(client.getPeerCertificate().raw, der, 'the client saw the same certificate');
  client.end();
  await gateway.close();
});

t.test('direct TLS, with and without ALPN (PG-6)', { skip }, async (t) => {
  const gateway = await openGateway(createFront(), true);
  for (const ALPNProtocols of [['postgresql'], ['h2', 'postgresql'], undefined]) {
    gateway.outcomes.length = 0;
    const client = connectDirect(gateway.port, ALPNProtocols && { ALPNProtocols });
    t.equal(await talk(client), 'echo hi');
    t.equal(onlySecure(gateway.outcomes).alpn, ALPNProtocols && 'postgresql');
    client.end();
    await once(client, 'close');
  }
  await gateway.close();
});

t.test('a wrong ALPN gets the alert (PG-6)', { skip }, async (t) => {
  const gateway = await openGateway(createFront(), true);
  const client = connectDirect(gateway.port, { ALPNProtocols: ['h2'] });
  await t.rejects(once(client, 'secureConnect'), {
    code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  });
  await gateway.close();
  t.match(gateway.outcomes, [{ code: 'CLIENT_TLS', message: /no application protocol/ }]);
});

t.test('a TLS version below 1.2 is refused', { skip }, async (t) => {
  const gateway = await openGateway(createFront(), true);
  const client = connectDirect(gateway.port, {
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  await t.rejects(once(client, 'secureConnect'));
  await gateway.close();
  t.match(gateway.outcomes, [{ code: 'CLIENT_TLS', message: /version|protocol/ }]);
});

t.test('what is not a handshake ends in one error, however it comes', { skip }, async (t) => {
  const front = createFront({ handshakeTimeout: 2500 });
  const gateway = await openGateway(front, true);
  const attempts: readonly [string, (socket: net.Socket) => void, RegExp][] = [
    ['garbage', (socket) => socket.write(Buffer.from('16030100050000000000', 'hex')), /unexpected/],
    [
      'startup packet (PG-4)',
      (socket) => socket.write(Buffer.from('0000000800030000', 'hex')),
      /./,
    ],
    ['half a hello, then gone', (socket) => socket.end(Buffer.from('160301', 'hex')), /closed/],
    ['half a hello, then silence', (socket) => socket.write('\x16\x03'), /within 2500 ms/],
  ];
  for (const [name, attack, expected] of attempts) {
    gateway.outcomes.length = 0;
    const socket = net.connect(gateway.port, HOST);
    socket.on('error', () => undefined);
    socket.resume();
    attack(socket);
    await once(socket, 'close');
    t.match(gateway.outcomes, [{ code: 'CLIENT_TLS', message: expected }], name);
    t.equal(gateway.outcomes.length, 1, 'told once');
  }
  await gateway.close();
});

t.test('a broken record after the handshake closes the connection', { skip }, async (t) => {
  const gateway = await openGateway(createFront(), true);
  // A relay between client and gateway that can put bytes of its own on the wire.
  let inject: ((bytes: string) => void) | undefined;
  const relay = net.createServer((near) => {
    const far = net.connect(gateway.port, HOST);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    inject = (bytes) => far.write(bytes);
  });
  await new Promise<void>((resolve) => relay.listen(0, HOST, resolve));
  const client = connectDirect((relay.address() as net.AddressInfo).port);
  client.on('error', () => undefined);
  await talk(client);
  const { socket } = onlySecure(gateway.outcomes);
  inject?.('these bytes are no TLS record at all');
  await new Promise((resolve) => socket.once('close', resolve));
  t.ok(socket.destroyed);
  t.equal(gateway.outcomes.length, 1, 'onError is not called after onSecure');
  client.destroy();
  relay.close();
  await gateway.close();
});

t.test(
  'changed certificate files are taken over, half-changed ones are not',
  { skip },
  async (t) => {
    const live = { cert: join(folder.path, 'live.pem'), key: join(folder.path, 'live.key') };
    const other = folder.make('other');
    copyFileSync(files.cert, live.cert);
    copyFileSync(files.key, live.key);
    const reloads: (string | undefined)[] = [];
    const front = createClientFacingTls({
      certFile: live.cert,
      keyFile: live.key,
      reloadCheckInterval: 0,
      onReload: (error) => reloads.push(error?.code),
    });
    const gateway = await openGateway(front, true);
    async function seeName(): Promise<string> {
      const client = connectDirect(gateway.port);
      await talk(client);
      const name = client.getPeerCertificate().subject.CN;
      client.end();
      return String(name);
    }
    function replace(from: string, to: string): void {
      copyFileSync(from, `${to}.new`);
      renameSync(`${to}.new`, to);
    }

    t.equal(await seeName(), 'server');
    replace(other.cert, live.cert);
    t.equal(await seeName(), 'server', 'the key still is the old one');
    t.same(reloads, ['TLS_FILES']);
    t.throws(() => front.reload(), { code: 'TLS_FILES', message: /does not belong/ });
    replace(other.key, live.key);
    t.equal(await seeName(), 'other');
    t.same(reloads, ['TLS_FILES', undefined]);
    t.equal(await seeName(), 'other');
    t.equal(reloads.length, 2, 'read again only when changed');
    await gateway.close();
  },
);

t.test('files that cannot work are told at start', { skip }, async (t) => {
  const other = folder.make('stranger');
  const text = join(folder.path, 'text.pem');
  writeFileSync(text, 'not a certificate\n');
  const cases: readonly [string, string, RegExp][] = [
    [
      join(folder.path, 'no.pem'),
      files.key,
      /cannot read the TLS certificate file: ENOENT.*no\.pem/,
    ],
    [files.cert, join(folder.path, 'no.key'), /cannot read the TLS key file: ENOENT/],
    [
      files.cert,
      other.key,
      /stranger\.key does not belong to the first certificate in .*server\.pem/,
    ],
    [text, files.key, /text\.pem: expected a certificate in PEM/],
    [files.cert, text, /text\.pem: expected a private key without a passphrase in PEM/],
  ];
  for (const [certFile, keyFile, message] of cases) {
    t.throws(() => createClientFacingTls({ certFile, keyFile }), { code: 'TLS_FILES', message });
  }
});

/** A TLS server that echoes, for the upstream leg. */
async function openUpstream(names: ReturnType<typeof folder.make>, ALPNProtocols?: string[]) {
  const seen: { servername: unknown; alpn: unknown }[] = [];
  const server = tls.createServer(
    {
      cert: readFileSync(names.cert),
      key: readFileSync(names.key),
      ...(ALPNProtocols && { ALPNProtocols }),
    },
    (socket) => {
      seen.push({ servername: socket.servername, alpn: socket.alpnProtocol });
      socket.on('error', () => undefined);
      socket.pipe(socket);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  const connect = () => connectUpstream({ host: HOST, port, timeoutMs: 20_000 });
  return { seen, connect, close: () => void server.close() };
}

t.test('upstream: verify-full accepts the right name and address', { skip }, async (t) => {
  const upstream = await openUpstream(files, ['postgresql']);
  for (const host of ['localhost', HOST]) {
    const plain = await upstream.connect();
    const { socket, alpn } = await connectUpstreamTls({
      socket: plain,
      host,
      mode: 'verify-full',
      ca: files.cert,
    });
    t.equal(alpn, 'postgresql');
    t.ok(socket.authorized);
    socket.write('hi');
    t.equal(String((await once(socket, 'data'))[0]), 'hi');
    socket.end();
    await once(socket, 'close');
  }
  t.same(
    upstream.seen,
    [
      { servername: 'localhost', alpn: 'postgresql' },
      { servername: false, alpn: 'postgresql' },
    ],
    'no SNI for an address',
  );
  upstream.close();
});

t.test(
  'upstream: verify-full refuses a wrong name and an unknown authority',
  { skip },
  async (t) => {
    const elsewhere = folder.make('elsewhere', { altName: 'DNS:db.example.com' });
    const upstream = await openUpstream(elsewhere);
    const refusals: readonly [string, string | undefined, RegExp][] = [
      ['localhost', elsewhere.cert, /certificate is not for localhost/],
      [HOST, elsewhere.cert, /certificate is not for 127\.0\.0\.1/],
      ['db.example.com', undefined, /authority that is not trusted .*Name it in upstream_ca/],
      ['db.example.com', files.cert, /authority that is not trusted/],
      ['db.example.com', join(folder.path, 'no-ca.pem'), /ENOENT/],
    ];
    for (const [host, ca, message] of refusals) {
      const socket = await upstream.connect();
      await t.rejects(connectUpstreamTls({ socket, host, mode: 'verify-full', ca }), {
        code: 'UPSTREAM_TLS',
        message,
      });
      t.ok(socket.destroyed, 'and the socket is gone');
    }
    const socket = await upstream.connect();
    const loose = await connectUpstreamTls({ socket, host: HOST, mode: 'require', ca: undefined });
    t.equal(loose.alpn, undefined, 'require encrypts and looks at nothing');
    loose.socket.destroy();
    upstream.close();
  },
);

t.test('upstream: a server that is none, or dawdles, is told', { skip }, async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (behaviour === 'close' ? socket.end() : socket.write(behaviour)));
  });
  let behaviour = '';
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as net.AddressInfo;
  for (const [bytes, message] of [
    ['close', /closed|disconnected/],
    ['NOT TLS AT ALL', /wrong version number|packet length|unknown protocol/i],
    ['\x16', /within 2500 ms/],
  ] as const) {
    behaviour = bytes;
    const socket = await connectUpstream({ host: HOST, port, timeoutMs: 20_000 });
    const options = { socket, host: 'localhost', mode: 'require', ca: undefined } as const;
    await t.rejects(connectUpstreamTls({ ...options, handshakeTimeout: 2500 }), {
      code: 'UPSTREAM_TLS',
      message,
    });
    t.ok(socket.destroyed);
  }
  const gone = await connectUpstream({ host: HOST, port, timeoutMs: 20_000 });
  gone.destroy();
  await t.rejects(
    connectUpstreamTls({ socket: gone, host: HOST, mode: 'require', ca: undefined }),
    { code: 'UPSTREAM_TLS' },
  );
  server.close();
});
