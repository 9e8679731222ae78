/**
 * Ways to get at a masked value, another tenant's record or a blocked collection of Milvus Lite past the
 * gateway. Each must be refused or give nothing away. Those that take another server are in `milvus-emulated.ts`.
 */

import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeMessage, type Message } from '../support/milvus-codec.ts';
import type { SuiteContext } from './harness.ts';
import { COLLECTION, fill, show } from './milvus-calls.ts';
import { type MilvusLab, connectMilvus } from './milvus-lab.ts';
import { type RpcAnswer, askRpc } from './milvus-raw.ts';

/** What nobody but the free user may see. */
const SECRETS = /user\d+@|info\d+@|note\d+@|\+49 30|DE8937|vaulted/;

const collection_name = COLLECTION;

/** Filters on a masked field: each would tell of one value. */
const ORACLES = [
  'email == "user3@example.com"',
  'email like "user3%"',
  '(id > 0) and ("x" == "x" or email > "user3")',
  'phone like "+49%"',
  '$meta["phone"] like "+49%"',
  "$meta['phone'] != ''",
  '$meta["ph\\x6fne"] != ""',
  'info["email"] == "info3@example.com"',
  'info["em\\x61il"] == "info3@example.com"',
  'exists info["email"]',
  'exists $meta["phone"]',
  'info is not null',
  'json_contains(info, "x")',
  'age > 25',
  'not (age <= 25)',
  '20 < age < 26',
  'age in {ages}',
  'age + 1 > 26',
  'age is null',
  '"a" == "\\u0022 or email like \\u0022user3"',
  'id > 0 /* email */',
  'text_match(email, "user3")',
  'array_length(email) > 1',
  'EMAIL == email',
  'id in [1] or email\t==\n"user3@example.com"',
];

async function runOracles(context: SuiteContext, alice: MilvusClient): Promise<void> {
  for (const filter of ORACLES) {
    await context.check(`oracle: ${JSON.stringify(filter)}`, async () => {
      const asked = { collection_name, filter, output_fields: ['id'], exprValues: { ages: [25] } };
      await mustRefuse(async () => await alice.query(asked));
      await mustRefuse(async () => await alice.search({ ...asked, data: [0, 0, 0, 1], limit: 3 }));
      await mustRefuse(async () => await alice.delete({ collection_name, filter }));
      await mustRefuse(async () => await alice.count({ collection_name, expr: filter }));
    });
  }
}

async function mustRefuse(call: () => Promise<unknown>): Promise<void> {
  const outcome = await call().then(show, String);
  const isRefused = /PERMISSION_DENIED|INVALID_ARGUMENT/.test(outcome);
  if (!isRefused) throw new Error(`it was not refused: ${outcome}`);
}

async function runNames(
  context: SuiteContext,
  lab: MilvusLab,
  direct: MilvusClient,
): Promise<void> {
  const alice = await connectMilvus(context, lab.through('alice'));
  await fill(direct, 'vault');
  await direct.createAlias({ collection_name: 'vault', alias: 'open_door' });
  await direct.createAlias({ collection_name, alias: 'clients' });
  for (const name of ['vault', 'open_door']) {
    const by = { collection_name: name };
    await context.check(`blocked: ${name}`, async () => {
      await mustRefuse(async () => await alice.query({ ...by, filter: 'id > 0' }));
      await mustRefuse(async () => await alice.search({ ...by, data: [0, 0, 0, 1] }));
      await mustRefuse(async () => await alice.count(by));
      await mustRefuse(async () => await alice.describeCollection(by));
      await mustRefuse(async () => await alice.loadCollection(by));
      await mustRefuse(async () => await alice.getCollectionStatistics(by));
      await mustRefuse(async () => await alice.dropCollection(by));
      await mustRefuse(async () => await alice.createAlias({ ...by, alias: 'another' }));
      await mustRefuse(async () => {
        return await alice.renameCollection({ ...by, new_collection_name: 'mine' });
      });
    });
  }
  await context.check('an alias is masked like its collection', async () => {
    const answer = await alice.query({
      collection_name: 'clients',
      filter: 'id >= 0',
      output_fields: ['*'],
    });
    mustHide(show(answer.data));
    if (answer.data.length === 0) throw new Error('nothing came back');
  });
  await direct.dropAlias({ alias: 'open_door' });
  await direct.dropAlias({ alias: 'clients' });
}

function mustHide(text: string): void {
  const found = SECRETS.exec(text);
  if (found !== null) throw new Error(`${found[0]} came back in ${text.slice(0, 600)}`);
}

interface Trick {
  readonly rpc: string;
  readonly type?: string;
  readonly message: Message;
  /** Behind the message: fields of newer servers. */
  readonly more?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly coding?: 'gzip' | 'deflate';
  readonly path?: string;
}

const query: Message = { collection_name, expr: 'id >= 0', output_fields: ['*'] };
const oracle: Message = { ...query, expr: 'email == "user3@example.com"', output_fields: ['id'] };
const pair = (key: string, value: string): Message => ({ key, value });

const TRICKS: Readonly<Record<string, Trick>> = {
  skip_rls: { rpc: 'Query', message: query, more: Buffer.from([0x80, 0x01, 0x01]) },
  'a field of a newer server': {
    rpc: 'Query',
    message: query,
    more: Buffer.from('\x8a\x01\x01a', 'latin1'),
  },
  'the name twice': { rpc: 'Query', message: query, more: Buffer.from('\x1a\x05vault', 'latin1') },
  'the expression twice': {
    rpc: 'Query',
    message: { ...oracle, expr: 'id > 0' },
    more: Buffer.from('\x22\x0eemail like "u%"', 'latin1'),
  },
  'an overlong varint': {
    rpc: 'Query',
    message: query,
    more: Buffer.from([0xd0, 0x80, 0x00, 0x01]),
  },
  'a group': { rpc: 'Query', message: query, more: Buffer.from([0xa3, 0x06, 0xa4, 0x06]) },
  'an unknown parameter': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('having', 'email')] },
  },
  'order by': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('order_by_fields', 'email')] },
  },
  'group by': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('group_by_fields', 'city,age')] },
  },
  aggregate: { rpc: 'Query', message: { ...query, output_fields: ['max(email)'] } },
  'a parameter twice': {
    rpc: 'Query',
    message: { ...query, query_params: [pair('limit', '1'), pair('limit', '100')] },
  },
  'another database': {
    rpc: 'Query',
    message: { ...query, collection_name: 'vault' },
    headers: { dbname: 'default' },
  },
  'a member of the cluster': {
    rpc: 'Query',
    message: { ...query, collection_name: 'vault' },
    headers: { sourceid: Buffer.from('@@milvus-member@@').toString('base64') },
  },
  'gzip around an oracle': { rpc: 'Query', message: oracle, coding: 'gzip' },
  'deflate around an oracle': { rpc: 'Query', message: oracle, coding: 'deflate' },
  'a path with a query': {
    rpc: 'Query',
    message: query,
    path: '/milvus.proto.milvus.MilvusService/Query?x',
  },
  'a path with two slashes': {
    rpc: 'Query',
    message: query,
    path: '//milvus.proto.milvus.MilvusService/Query',
  },
  'a path with escapes': {
    rpc: 'Query',
    message: query,
    path: '/milvus.proto.milvus.MilvusService/Qu%65ry',
  },
  'gRPC-web': {
    rpc: 'Query',
    message: query,
    headers: { 'content-type': 'application/grpc-web+proto' },
  },
  'JSON on a gRPC path': {
    rpc: 'Query',
    message: query,
    headers: { 'content-type': 'application/grpc+json' },
  },
  'a dump of messages': { rpc: 'DumpMessages', message: { pchannel: 'by-dev-rootcoord-dml_0' } },
  'a backup of users': { rpc: 'BackupRBAC', type: 'BackupRBACMetaRequest', message: {} },
  'a snapshot to a bucket': {
    rpc: 'ExportSnapshot',
    message: { name: 's', collection_name, target_s3_path: 's3://mine' },
  },
  'a query in a text': { rpc: 'Dummy', message: { request_type: '{"request_type":"query"}' } },
  metrics: { rpc: 'GetMetrics', message: { request: '{"metric_type":"system_info"}' } },
  'a collection by its number': {
    rpc: 'DescribeCollection',
    message: { collectionID: 448_000_000 },
  },
  'flush of two collections': {
    rpc: 'Flush',
    message: { collection_names: [collection_name, 'vault'] },
  },
  'an RPC that is not there': { rpc: 'QueryEverything', type: 'QueryRequest', message: query },
};

/** What may come back: a refusal, or an answer without a secret. */
async function runTricks(context: SuiteContext, lab: MilvusLab): Promise<void> {
  const way = lab.through('alice');
  for (const [name, trick] of Object.entries(TRICKS)) {
    await context.check(`trick: ${name}`, async () => {
      const answer = await askRpc(way, requestOf(trick));
      if (answer.status === '0') mustHide(answer.body.toString('latin1'));
      if (answer.status === '0') throw new Error('it was not refused');
    });
  }
  await context.check('trick: without a key', async () => {
    const answer = await askRpc(
      { ...way, key: undefined },
      requestOf({ rpc: 'Query', message: query }),
    );
    if (answer.status !== '16') throw new Error(describe(answer));
  });
  await context.check('compressed requests pass where they are allowed', async () => {
    const trick: Trick = { rpc: 'Query', message: query, coding: 'gzip' };
    const answer = await askRpc(way, requestOf(trick));
    if (answer.status !== '0' || answer.body.length < 100) throw new Error(describe(answer));
    mustHide(answer.body.toString('latin1'));
  });
}

function describe({ status, message, body }: RpcAnswer): string {
  return `status ${status}, ${message}, ${body.length} bytes`;
}

function requestOf({ rpc, type, message, more, coding, ...rest }: Trick) {
  const bytes = Buffer.concat([
    encodeMessage(type ?? `${rpc}Request`, message),
    more ?? Buffer.alloc(0),
  ]);
  const body =
    coding === 'gzip' ? gzipSync(bytes) : coding === 'deflate' ? deflateSync(bytes) : bytes;
  return { rpc, body, ...(coding === undefined ? {} : { coding }), ...rest };
}

export async function runLeaks(
  context: SuiteContext,
  lab: MilvusLab,
  direct: MilvusClient,
): Promise<void> {
  await runOracles(context, await connectMilvus(context, lab.through('alice')));
  await runNames(context, lab, direct);
  await runTricks(context, lab);
}
