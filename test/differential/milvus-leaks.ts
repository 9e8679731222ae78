/**
 * Ways to get at a masked value, another tenant's record or a blocked collection of Milvus Lite past the
 * gateway. Each is first sent direct, where it must give something away; through the gateway it must not.
 * Those that take another server are in `milvus-emulated.ts` and `milvus-rest.ts`.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { encodeMessage } from '../support/milvus-codec.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { COLLECTION, fill, show } from './milvus-calls.ts';
import { connectMilvus, type MilvusLab, openMilvusLab } from './milvus-lab.ts';
import {
  BROKEN_FRAMES,
  FOREIGN_ORACLES,
  ORACLES,
  query,
  type Trick,
  TRICKS,
} from './milvus-leak-cases.ts';
import { askRpc, type RpcAnswer, type RpcRequest } from './milvus-raw.ts';

/** What nobody but the free user may see. */
const SECRETS = /user\d+@|info\d+@|note\d+@|\+49 30|DE8937/;
const collection_name = COLLECTION;

async function runOracles(
  context: SuiteContext,
  direct: MilvusClient,
  alice: MilvusClient,
): Promise<void> {
  const ask = async (filter: string): Promise<string> =>
    show(await direct.query({ collection_name, filter, output_fields: ['id'] }));
  for (const [right, wrong] of ORACLES) {
    await context.check(`oracle: ${JSON.stringify(right)}`, async () => {
      const [yes, no] = [await ask(right), await ask(wrong)];
      if (yes === no || !yes.includes('Success')) throw new Error(`it proves nothing: ${yes}`);
      for (const filter of [right, wrong]) await mustRefuseFilter(alice, filter);
    });
  }
  for (const filter of FOREIGN_ORACLES) {
    await context.check(`oracle, not proven: ${JSON.stringify(filter)}`, async () => {
      await mustRefuseFilter(alice, filter);
    });
  }
}

async function mustRefuseFilter(alice: MilvusClient, filter: string): Promise<void> {
  const asked = { collection_name, filter, output_fields: ['id'], exprValues: { ages: [25] } };
  await mustRefuse(async () => await alice.query(asked));
  await mustRefuse(async () => await alice.search({ ...asked, data: [0, 0, 0, 1], limit: 3 }));
  await mustRefuse(async () => await alice.delete({ collection_name, filter }));
  await mustRefuse(async () => await alice.count({ collection_name, expr: filter }));
}

async function mustRefuse(call: () => Promise<unknown>): Promise<void> {
  const outcome = await call().then(show, String);
  if (!/PERMISSION_DENIED|INVALID_ARGUMENT/.test(outcome)) {
    throw new Error(`it was not refused: ${outcome}`);
  }
}

type Call = (client: MilvusClient, by: { readonly collection_name: string }) => Promise<unknown>;

const LOOKS: readonly Call[] = [
  async (client, by) => await client.query({ ...by, filter: 'id > 0' }),
  async (client, by) => await client.search({ ...by, data: [0, 0, 0, 1] }),
  async (client, by) => await client.count(by),
  async (client, by) => await client.describeCollection(by),
  async (client, by) => await client.loadCollection(by),
  async (client, by) => await client.getCollectionStatistics(by),
];
/** Not proven: they would take it away. */
const CHANGES: readonly Call[] = [
  async (client, by) => await client.dropCollection(by),
  async (client, by) => await client.createAlias({ ...by, alias: 'another' }),
  async (client, by) => await client.renameCollection({ ...by, new_collection_name: 'mine' }),
];

async function runNames(
  context: SuiteContext,
  direct: MilvusClient,
  alice: MilvusClient,
): Promise<void> {
  await direct.createAlias({ collection_name: 'vault', alias: 'open_door' });
  await direct.createAlias({ collection_name, alias: 'clients' });
  for (const name of ['vault', 'open_door']) {
    const by = { collection_name: name };
    await context.check(`blocked: ${name}`, async () => {
      for (const look of LOOKS) {
        const open = show(await look(direct, by));
        if (!/"error_code":"?(?:Success|0)/.test(open)) throw new Error(`no proof: ${open}`);
        await mustRefuse(async () => await look(alice, by));
      }
      for (const change of CHANGES) await mustRefuse(async () => await change(alice, by));
    });
  }
  await context.check('an alias is masked like its collection', async () => {
    const asked = { collection_name: 'clients', filter: 'id >= 0', output_fields: ['*'] };
    if (!SECRETS.test(show((await direct.query(asked)).data))) throw new Error('no proof');
    const answer = await alice.query(asked);
    mustHide(show(answer.data));
    if (answer.data.length === 0) throw new Error('nothing came back');
  });
  await direct.dropAlias({ alias: 'open_door' });
  await direct.dropAlias({ alias: 'clients' });
}

/** The mask on `sealed` knows its cities by the name of the collection. */
async function runCarried(
  context: SuiteContext,
  direct: MilvusClient,
  alice: MilvusClient,
): Promise<void> {
  await fill(direct, 'sealed');
  const cities = async (name: string): Promise<string> => {
    const asked = { collection_name: name, filter: 'id < 3', output_fields: ['city'] };
    const { status, data } = await alice.query(asked);
    return data.length === 0 ? show(status) : show(data.map((row) => row['city']));
  };
  const MASKED = '["***","***","***"]';
  await context.check('a rename carries records out of a mask, so it is refused', async () => {
    assertSameText(await cities('sealed'), MASKED, 'before');
    const away = { collection_name: 'sealed', new_collection_name: 'carried' };
    const back = { collection_name: 'carried', new_collection_name: 'sealed' };
    const rename = async (names: typeof away): Promise<void> => {
      await direct.renameCollection(names);
      await direct.loadCollectionSync({ collection_name: names.new_collection_name });
    };
    await rename(away);
    assertSameText(await cities('carried'), '["Ulm","Bonn","Köln"]', 'proof: no mask holds there');
    await rename(back);
    await mustRefuse(async () => await alice.renameCollection(away));
    assertSameText(await cities('sealed'), MASKED, 'after');
  });
  await context.check('an alias is the collection, before and after it is moved', async () => {
    await alice.createAlias({ collection_name: 'sealed', alias: 'window' });
    assertSameText(await cities('window'), MASKED, 'its alias');
    await alice.createAlias({ collection_name, alias: 'door' });
    assertSameText(await cities('door'), '["Ulm","Bonn","Köln"]', 'another collection');
    await alice.alterAlias({ collection_name: 'sealed', alias: 'door' });
    assertSameText(await cities('door'), MASKED, 'the alias that was moved');
  });
}

function mustHide(text: string): void {
  const found = SECRETS.exec(text);
  if (found !== null) throw new Error(`${found[0]} came back in ${text.slice(0, 600)}`);
}

async function runTricks(context: SuiteContext, lab: MilvusLab): Promise<void> {
  for (const [name, trick] of Object.entries(TRICKS)) {
    await context.check(`trick: ${name}`, async () => {
      await prove(lab, trick);
      const answer = await askRpc(lab.through('alice'), requestOf(trick));
      mustHide(answer.body.toString('latin1'));
      assertSameText(answer.status, trick.status, describe(answer));
      if (trick.status === '0' && answer.body.length < 100) throw new Error(describe(answer));
    });
  }
}

/** Direct, it gives a secret away, or says yes where another one says no. */
async function prove({ direct }: MilvusLab, trick: Trick): Promise<void> {
  const { proof } = trick;
  if (proof !== undefined && 'none' in proof) return;
  const answer = await askRpc(direct, requestOf(trick));
  const problem = new Error(`it proves nothing: ${describe(answer)}`);
  if (answer.status !== '0') throw problem;
  if (proof === undefined) {
    if (!SECRETS.test(answer.body.toString('latin1'))) throw problem;
    return;
  }
  const other = await askRpc(direct, requestOf({ ...trick, message: proof.differs }));
  if (other.body.equals(answer.body)) throw problem;
}

function describe({ status, message, body }: RpcAnswer): string {
  return `status ${status}, ${message}, ${body.length} bytes`;
}

function requestOf({ rpc, type, message, more, coding, ...rest }: Trick): RpcRequest {
  const bytes = Buffer.concat([
    encodeMessage(type ?? `${rpc}Request`, message),
    more ?? Buffer.alloc(0),
  ]);
  const body =
    coding === 'gzip' ? gzipSync(bytes) : coding === 'deflate' ? deflateSync(bytes) : bytes;
  const { headers, path, pieceSize } = rest;
  return {
    rpc,
    body,
    ...(coding === undefined ? {} : { coding }),
    ...(headers === undefined ? {} : { headers }),
    ...(path === undefined ? {} : { path }),
    ...(pieceSize === undefined ? {} : { pieceSize }),
  };
}

async function runFrames(context: SuiteContext, lab: MilvusLab): Promise<void> {
  const alice = lab.through('alice');
  const whole: RpcRequest = { rpc: 'Query', body: encodeMessage('QueryRequest', query) };
  for (const [name, asked] of Object.entries(BROKEN_FRAMES)) {
    await context.check(`frames: ${name}`, async () => {
      const answer = await askRpc(alice, asked);
      if (!['3', '8', '12'].includes(answer.status)) throw new Error(describe(answer));
      mustHide(answer.body.toString('latin1'));
      const after = await askRpc(alice, whole);
      if (after.status !== '0') throw new Error(`afterwards: ${describe(after)}`);
    });
  }
  await context.check('without a key, or with two', async () => {
    const bare = await askRpc({ ...alice, key: undefined }, whole);
    assertSameText(bare.status, '16', describe(bare));
    const wrong = await askRpc({ ...alice, key: 'key-of-nobody' }, whole);
    assertSameText(wrong.status, '16', describe(wrong));
  });
}

/** What came back to alice is on record as she saw it, and her key is not. */
async function checkRecordings(context: SuiteContext, { dataDir }: MilvusLab): Promise<void> {
  await context.check('no recording holds a masked value or a key', async () => {
    const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
    let hasSeen = false;
    for (const entry of names) {
      if (!entry.isFile() || entry.name.endsWith('.toml')) continue;
      const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
      hasSeen ||= text.includes('user3@example.com');
      // No attempt guesses these.
      const found = /user7@|info7@|note7@|\+49 30|key-of-|a2V5LW9m/.exec(text);
      if (found !== null) throw new Error(`${found[0]} is in ${entry.name}`);
    }
    if (!hasSeen) throw new Error('the guesses are on record nowhere: this proves nothing');
  });
}

async function runLeaks(context: SuiteContext): Promise<void> {
  const lab = await openMilvusLab(context);
  if (lab === undefined) return;
  const direct = await connectMilvus(context, lab.direct);
  const alice = await connectMilvus(context, lab.through('alice'));
  await fill(direct);
  await fill(direct, 'vault');
  await runOracles(context, direct, alice);
  await runNames(context, direct, alice);
  await runCarried(context, direct, alice);
  await runTricks(context, lab);
  await runFrames(context, lab);
  await checkRecordings(context, lab);
}

export const milvusLeaks: Suite = {
  name: 'milvus-leaks',
  about:
    'Milvus Lite: attacks on masks, blocks and names that work direct and must not through the gateway',
  run: runLeaks,
};
