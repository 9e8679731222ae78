import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import t, { type Test } from 'tap';

import { createQdrantNames } from '../../../lib/catalog/qdrant-names.ts';
import type { StoreNames, StoreNamesSettings } from '../../../lib/catalog/store-names.ts';
import type { StoreName } from '../../../protocols/store.ts';
import { startQdrantEmulator } from '../../support/qdrant-emulator.ts';

const named = (name: string): StoreName => ({ kind: 'collection', path: [name] });
const LOGIN = { user: undefined, secret: 'store-key' };

function useNames(t: Test, port: number, facts: Partial<StoreNamesSettings> = {}): StoreNames {
  const log = { info: () => undefined, warn: () => undefined };
  const names = createQdrantNames({
    host: '127.0.0.1',
    port,
    tls: undefined,
    login: LOGIN,
    grpc: undefined,
    log,
    ...facts,
  });
  t.teardown(() => names.close());
  return names;
}

const emulator = await startQdrantEmulator({ apiKey: LOGIN.secret });
t.teardown(async () => await emulator.close());
emulator.engine.create('customers', {});
emulator.engine.aliases.set('clients', 'customers');
emulator.engine.aliases.set('käufer', 'customers');

const ways = {
  REST: { port: emulator.restPort },
  'gRPC where only it answers': { port: emulator.grpcPort },
  'gRPC at a port of its own': {
    port: 1,
    grpc: { host: '127.0.0.1', port: emulator.grpcPort, tls: undefined },
  },
};

for (const [way, { port, ...more }] of Object.entries(ways)) {
  t.test(`aliases are read over ${way}`, async (t) => {
    const names = useNames(t, port, more);
    t.same(await names.resolve(named('clients')), [named('customers')]);
    t.same(await names.resolve(named('käufer')), [named('customers')]);
    t.same(await names.resolve(named('customers')), [named('customers')]);
    t.same(await names.resolve(named('nothing yet')), []);
    // Made past the gateway, a moment after the lists were read.
    emulator.engine.create(`late-${way}`, {});
    emulator.engine.aliases.set(`alias-${way}`, 'customers');
    t.same(await names.resolve(named(`late-${way}`)), [named(`late-${way}`)]);
    t.same(await names.resolve(named(`alias-${way}`)), [named('customers')]);
    t.same(await names.resolve({ kind: 'key', path: ['x'] }), []);
  });
}

for (const [way, { port, ...more }] of Object.entries(ways)) {
  t.test(`servers that forget update_filter are known by their version, over ${way}`, async (t) => {
    const versions: [string, boolean][] = [
      ['1.19.0', true],
      ['1.16.0', true],
      ['1.16.3', true],
      ['2.0.0', true],
      ['1.15.5', false],
      ['1.9.7', false],
      ['0.11.0', false],
      ['1.16.0-dev', false],
      ['', false],
      ['unknown', false],
    ];
    for (const [version, expected] of versions) {
      emulator.engine.version = version;
      t.equal(await useNames(t, port, more).keepsConditions?.(), expected, version);
    }
    emulator.engine.version = '1.19.0';
  });
}

t.test('a server that does not tell its version is not trusted', async (t) => {
  const down = useNames(t, 1);
  await t.rejects(Promise.resolve(down.keepsConditions?.()), { code: 'STORE_NAMES' });
});

t.test('what is known is used again until names change', async (t) => {
  const names = useNames(t, emulator.restPort);
  const asked = (): number => emulator.seen.filter((line) => line === 'GET /aliases').length;
  const before = asked();
  await Promise.all(
    ['customers', 'käufer', 'clients'].map(async (name) => await names.resolve(named(name))),
  );
  t.equal(asked(), before + 1, 'one question for all');
  t.notOk(names.resolve(named('clients')) instanceof Promise);
  emulator.engine.aliases.set('clients', 'others');
  names.invalidate();
  t.same(await names.resolve(named('clients')), [named('others')]);
  emulator.engine.aliases.set('clients', 'customers');
});

t.test('no answer, no name', async (t) => {
  const rejects = async (names: StoreNames): Promise<void> => {
    await t.rejects(Promise.resolve(names.resolve(named('clients'))), { code: 'STORE_NAMES' });
  };
  await rejects(useNames(t, emulator.restPort, { login: { user: undefined, secret: 'wrong' } }));
  await rejects(useNames(t, emulator.grpcPort, { login: undefined }));
  await rejects(useNames(t, 1));
  const bodies = [
    '',
    '[]',
    '{"result":{}}',
    '{"result":{"aliases":[{"alias_name":1}]}}',
    'x'.repeat(5 * 1024 * 1024),
  ];
  for (const body of bodies) {
    const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address: AddressInfo | string | null = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await rejects(useNames(t, port));
    server.closeAllConnections();
    server.close();
  }
  const closed = useNames(t, emulator.restPort);
  closed.close();
  await rejects(closed);
});
