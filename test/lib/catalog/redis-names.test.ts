import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { createRedisNames } from '../../../lib/catalog/redis-names.ts';
import type { StoreNamesSettings } from '../../../lib/catalog/store-names.ts';
import { RawRedis, redisMissing, startRedis } from '../../support/redis-server.ts';

function settings(port: number, secret?: string): StoreNamesSettings {
  const log = { info: () => undefined, warn: () => undefined };
  const login = secret === undefined ? undefined : { user: '', secret };
  return { host: '127.0.0.1', port, tls: undefined, login, grpc: undefined, log };
}

const index = (name: string) => ({ kind: 'index', path: [name] }) as const;

void t.test('indexes, aliases and prefixes', { skip: redisMissing('stack') }, async (t) => {
  const { port } = await startRedis(t, 'stack', { password: 'secret' });
  const direct = await RawRedis.connect(port);
  await direct.run('AUTH secret');
  await direct.run('FT.CREATE idx PREFIX 2 user: doc: SCHEMA name TEXT');
  await direct.run('FT.CREATE all SCHEMA name TEXT');
  await direct.run('FT.ALIASADD alias idx');
  const names = createRedisNames(settings(port, 'secret'));
  const expected = [
    index('idx'),
    { kind: 'key', path: ['user:'], isPrefix: true },
    { kind: 'key', path: ['doc:'], isPrefix: true },
  ];
  t.same(await names.resolve(index('idx')), expected);
  t.same(await names.resolve(index('alias')), expected);
  t.same(await names.resolve(index('all')), [
    index('all'),
    { kind: 'key', path: [''], isPrefix: true },
  ]);
  t.same(await names.resolve(index('nosuch')), []);
  await direct.run('FT.CREATE nosuch PREFIX 1 user: SCHEMA name TEXT');
  t.match(await names.resolve(index('nosuch')), [index('nosuch'), { path: ['user:'] }], 'now');
  t.same(names.resolve({ kind: 'key', path: ['a'] }), [{ kind: 'key', path: ['a'] }], 'at once');
  t.notOk(names.resolve(index('idx')) instanceof Promise, 'kept');
  await direct.run('FT.ALIASUPDATE alias all');
  names.invalidate();
  t.match(await names.resolve(index('alias')), [index('all')]);
  names.close();
  const wrong = createRedisNames(settings(port, 'wrong'));
  await t.rejects(Promise.resolve(wrong.resolve(index('idx'))), /WRONGPASS/);
  wrong.close();
  direct.close();
});

void t.test(
  'RediSearch 1 has no prefixes: any key may be a document',
  { skip: redisMissing('debian') },
  async (t) => {
    const { port } = await startRedis(t, 'debian');
    const direct = await RawRedis.connect(port);
    await direct.run('FT.CREATE idx SCHEMA name TEXT');
    const names = createRedisNames(settings(port));
    t.same(await names.resolve(index('idx')), [
      index('idx'),
      { kind: 'key', path: [''], isPrefix: true },
    ]);
    t.same(await names.resolve(index('nosuch')), []);
    names.close();
    direct.close();
  },
);

void t.test('where FT.INFO is not known any key may be a document', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // The client hangs up when it has its answer.
    socket.once('data', () => socket.end("-ERR unknown command 'FT.INFO'\r\n"));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const names = createRedisNames(settings(typeof address === 'object' ? (address?.port ?? 0) : 0));
  t.same(await names.resolve(index('idx')), [{ kind: 'key', path: [''], isPrefix: true }]);
  names.close();
});

void t.test('a store that does not answer, or not in RESP, is no answer', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // The client hangs up on what it cannot read.
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const names = createRedisNames(settings(port));
  await t.rejects(Promise.resolve(names.resolve(index('idx'))), { code: 'STORE_NAMES' });
  server.close();
  await once(server, 'close');
  await t.rejects(Promise.resolve(names.resolve(index('idx'))), { code: 'STORE_NAMES' });
});
