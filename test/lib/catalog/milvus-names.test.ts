import t, { type Test } from 'tap';
import { createMilvusNames } from '../../../lib/catalog/milvus-names.ts';
import type { StoreNames, StoreNamesSettings } from '../../../lib/catalog/store-names.ts';
import type { StoreName } from '../../../protocols/store.ts';
import { decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';
import { startMilvusEmulator } from '../../support/milvus-emulator.ts';
import { milvusMissing, startMilvus } from '../../support/milvus-server.ts';
import { askRpc } from '../../differential/milvus-raw.ts';

const quiet = { info: () => undefined, warn: () => undefined };
const named = (...path: readonly string[]): StoreName => ({ kind: 'collection', path });

function useNames(t: Test, port: number, login?: StoreNamesSettings['login']): StoreNames {
  const names = createMilvusNames({
    host: '127.0.0.1',
    port,
    tls: undefined,
    login,
    grpc: undefined,
    log: quiet,
  });
  t.teardown(() => names.close());
  return names;
}

t.test('what the server says is what a name means', async (t) => {
  const emulator = await startMilvusEmulator();
  t.teardown(async () => await emulator.stop());
  const names = useNames(t, emulator.port, { user: 'root', secret: 'Milvus' });
  const say = (answer: Parameters<typeof emulator.rpc.set>[1]): void => {
    emulator.rpc.set('DescribeCollection', answer);
    names.invalidate();
  };
  // Without a change of names, since what is asked soon after one is not kept.
  emulator.rpc.set('DescribeCollection', {
    collection_name: 'customers',
    schema: { name: 'customers' },
    db_name: 'default',
  });
  t.same(await names.resolve(named('default', 'clients')), [named('default', 'customers')]);
  t.same(await names.resolve({ kind: 'id', path: ['default', '449'] }), [
    named('default', 'customers'),
  ]);
  const [byName, byId] = emulator.requests;
  t.equal(byName?.headers.authorization, Buffer.from('root:Milvus').toString('base64'));
  t.match(decodeMessage('DescribeCollectionRequest', byName?.body ?? Buffer.alloc(0)), {
    db_name: 'default',
    collection_name: 'clients',
  });
  t.match(decodeMessage('DescribeCollectionRequest', byId?.body ?? Buffer.alloc(0)), {
    collectionID: '449',
  });

  t.same(await names.resolve(named('default', 'clients')), [named('default', 'customers')]);
  t.equal(emulator.requests.length, 2, 'it is known for a moment');

  say({ collection_name: 'clients', schema: { name: 'customers' } });
  const both = [named('default', 'clients'), named('default', 'customers')];
  t.same(await names.resolve(named('default', 'clients')), both, 'it may be either');
  say({ schema: { name: 'customers' }, db_name: 'hr' });
  t.same(await names.resolve({ kind: 'id', path: ['default', '449'] }), [named('hr', 'customers')]);
  await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
  say({ status: { code: 100, error_code: 4, reason: "can't find collection" } });
  t.same(await names.resolve(named('default', 'nobody')), []);
  // Without a change of names in between: it may be made at any moment.
  emulator.rpc.set('DescribeCollection', { schema: { name: 'nobody' }, db_name: 'default' });
  t.same(await names.resolve(named('default', 'nobody')), [named('default', 'nobody')]);
  for (const reason of ["can't find collection: x", 'collection not found[collection=x]']) {
    say({ status: { code: 0, error_code: 1, reason } });
    t.same(await names.resolve(named('default', 'x')), [], reason);
  }
  for (const [code, reason] of [
    [901, 'node not found[node=3]'],
    [500, 'channel not found[channel=by-dev-rootcoord-dml_0]'],
    [400, 'replica not found[collection=customers]'],
    [65535, 'node not found: the service is not ready'],
  ] as const) {
    say({ status: { code, reason } });
    await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
  }
  say({ status: { code: 1400, reason: 'permission deny' } });
  await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
  say(Buffer.from([0xff]));
  await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
  const container: StoreName = { kind: 'container', path: ['default'] };
  t.same(names.resolve(container), [container]);
});

t.test(
  'a server that is not there is a refusal, and one that comes back is asked again',
  async (t) => {
    const emulator = await startMilvusEmulator();
    const names = useNames(t, emulator.port);
    await emulator.stop();
    await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
    await t.rejects(Promise.resolve(names.resolve(named('default', 'x'))), { code: 'STORE_NAMES' });
    names.close();
    await t.rejects(Promise.resolve(names.resolve(named('default', 'y'))), { code: 'STORE_NAMES' });
  },
);

t.test('with the real server', { skip: milvusMissing() ?? false }, async (t) => {
  const server = await startMilvus();
  t.teardown(async () => await server.stop());
  const way = { name: 'direct', port: server.port, key: undefined } as const;
  const fields = [
    { name: 'id', data_type: 5, is_primary_key: true },
    { name: 'vec', data_type: 101, type_params: [{ key: 'dim', value: '2' }] },
  ];
  const schema = encodeMessage('schema.CollectionSchema', { name: 'customers', fields });
  const made = await askRpc(way, {
    rpc: 'CreateCollection',
    body: encodeMessage('CreateCollectionRequest', { collection_name: 'customers', schema }),
  });
  t.equal(made.status, '0');
  const alias = { collection_name: 'customers', alias: 'clients' };
  await askRpc(way, { rpc: 'CreateAlias', body: encodeMessage('CreateAliasRequest', alias) });
  const names = useNames(t, server.port);
  t.same(await names.resolve(named('default', 'customers')), [named('default', 'customers')]);
  t.same(await names.resolve(named('default', 'clients')), [named('default', 'customers')]);
  t.same(await names.resolve(named('default', 'nobody')), []);
});
