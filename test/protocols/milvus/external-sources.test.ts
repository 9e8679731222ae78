import t from 'tap';
import type { HeaderList, RequestHead } from '../../../protocols/contract.ts';
import { findRoute } from '../../../protocols/milvus/product.ts';
import { RPCS } from '../../../protocols/milvus/rpcs.ts';
import type { ReadRequest } from '../../../protocols/wire/store-product.ts';
import { requestHead } from '../../support/exchanges.ts';
import { encodeMessage, type Message, methods } from '../../support/milvus-codec.ts';

const GRPC: HeaderList = [['content-type', 'application/grpc']];

function read(head: RequestHead, body: Buffer): ReadRequest {
  const found = findRoute(head)?.read(head, body);
  if (found === undefined) throw new Error(`no route ${head.target}`);
  return found;
}

function rpc(name: string, message: Message): ReadRequest {
  const path = `/milvus.proto.milvus.MilvusService/${name}`;
  const type = methods[name]?.requestType.split('.').at(-1) ?? '';
  const head = requestHead(`POST ${path}`, { version: '2', headers: GRPC });
  return read(head, encodeMessage(type, message));
}

const rest = (path: string, body: object): ReadRequest =>
  read(requestHead(`POST /v2/vectordb/${path}`), Buffer.from(JSON.stringify(body)));

const exportsAnything = ({ accesses }: ReadRequest): boolean =>
  accesses.some(({ effect, target }) => effect === 'export' && target === undefined);

t.test('what brings values under another name says so', async (t) => {
  const moving: Readonly<Record<string, Message>> = {
    RenameCollection: { oldName: 'a', newName: 'b' },
    RestoreSnapshot: { name: 's', collection_name: 'a', target_collection_name: 'b' },
    RestoreExternalSnapshot: { target_collection_name: 'b', snapshot_metadata_uri: 's3://x' },
    ExportSnapshot: { name: 's', collection_name: 'a', target_s3_path: 's3://x' },
    Import: { collection_name: 'b', files: ['x'] },
    BatchUpdateManifest: { collection_name: 'b' },
    RefreshExternalCollection: { collection_name: 'b', external_source: 's3://x' },
    AddCollectionFunction: { collection_name: 'a', functionSchema: { name: 'f' } },
    AlterCollectionFunction: { collection_name: 'a', function_name: 'f' },
    AlterCollectionSchema: { collection_name: 'a' },
    DumpMessages: {},
    UpdateReplicateConfiguration: {},
  };
  for (const [name, message] of Object.entries(moving)) {
    t.type(rpc(name, message).carries, 'string', name);
  }
  const listed = Object.keys(RPCS).filter((name) => RPCS[name]?.carries !== undefined);
  t.same(listed.toSorted(), Object.keys(moving).toSorted(), 'and no others do');
});

t.test('an alias is its collection, so that masks hold for it', async (t) => {
  for (const name of ['CreateAlias', 'AlterAlias']) {
    const request = rpc(name, { collection_name: 'a', alias: 'b' });
    t.equal(request.carries, undefined, name);
    t.equal(request.changesNames, true, name);
  }
});

t.test('whose records a file or a snapshot holds cannot be told', async (t) => {
  t.ok(exportsAnything(rpc('Import', { collection_name: 'b', files: ['x'] })));
  t.ok(exportsAnything(rpc('RestoreSnapshot', { name: 's', collection_name: 'mine' })));
  t.ok(exportsAnything(rpc('RestoreExternalSnapshot', { target_collection_name: 'b' })));
  t.ok(exportsAnything(rest('jobs/import/create', { collectionName: 'b', files: [['x']] })));
  t.notOk(exportsAnything(rpc('ExportSnapshot', { name: 's', collection_name: 'a' })));
});

t.test('a collection that reads files is like an import', async (t) => {
  const create = (schema: Message, more: Message = {}): ReadRequest =>
    rpc('CreateCollection', {
      collection_name: 'mine',
      schema: encodeMessage('schema.CollectionSchema', { name: 'mine', ...schema }),
      ...more,
    });
  const embedding = (key: string): Message => ({
    name: 'f',
    input_field_names: ['email'],
    params: [{ key, value: 'http://mine.test' }],
  });
  const property = [{ key: 'collection.external_source', value: 's3://x' }];
  for (const request of [
    create({ external_source: 's3://x' }),
    create({ external_spec: '{}' }),
    create({ properties: property }),
    create({}, { properties: property }),
    rpc('AlterCollection', { collection_name: 'mine', properties: property }),
    rest('collections/create', { collectionName: 'mine', schema: { externalSource: 's3://x' } }),
    rest('collections/create', { collectionName: 'mine', params: [{ ExternalSpec: 1 }] }),
    rest('collections/alter_properties', {
      collectionName: 'm',
      properties: { 'a.EXTERNAL_x': 1 },
    }),
    create({ functions: [embedding('endpoint')] }),
    rpc('AddCollectionFunction', { collection_name: 'a', functionSchema: embedding('url') }),
    rpc('AlterCollectionFunction', { collection_name: 'a', functionSchema: embedding('Endpoint') }),
    rpc('AlterCollectionSchema', {
      collection_name: 'a',
      action: { add_request: { func_schema: [embedding('endpoint')] } },
    }),
    rest('collections/add_function', { collectionName: 'a', function: { params: { URL: 'x' } } }),
  ]) {
    t.type(request.carries, 'string');
    t.ok(exportsAnything(request));
  }
  for (const request of [
    create({}),
    create({ functions: [embedding('provider')] }),
    rest('collections/create', { collectionName: 'mine', schema: { fields: [] } }),
  ]) {
    t.equal(request.carries, undefined);
    t.notOk(exportsAnything(request));
  }
  const schema = Buffer.concat([
    encodeMessage('schema.CollectionSchema', { name: 'mine' }),
    Buffer.from('\x9a\x06\x03s3:', 'latin1'),
  ]);
  t.throws(() => rpc('CreateCollection', { collection_name: 'mine', schema }), {
    code: 'MILVUS_UNKNOWN_FIELD',
  });
});

t.test('REST says the same', async (t) => {
  const carries = (path: string, body: object) => rest(path, body).carries !== undefined;
  t.ok(carries('collections/rename', { collectionName: 'a', newCollectionName: 'b' }));
  t.ok(carries('jobs/import/create', { collectionName: 'b', files: [['x']] }));
  t.ok(carries('jobs/snapshot/export', { collectionName: 'a' }));
  t.ok(carries('jobs/snapshot/restore_external', { targetCollectionName: 'b' }));
  t.ok(carries('jobs/external_collection/refresh', { collectionName: 'b' }));
  t.ok(carries('collections/add_function', { collectionName: 'a' }));
  t.notOk(carries('aliases/create', { collectionName: 'a', aliasName: 'b' }));
});
