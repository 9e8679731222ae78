/**
 * Milvus behind Weir with official clients: the same answers as direct but for what is masked or refused.
 * Milvus Lite is the real server; what it lacks is the emulator's (`milvus-emulated.ts`), attacks are in
 * `milvus-leaks.ts`.
 */

import { fileURLToPath } from 'node:url';
import type { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { findMilvusPython } from '../support/milvus-server.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled, runProgram } from './lab.ts';
import { COLLECTION, customers, fill, runOrdinaryCalls, show } from './milvus-calls.ts';
import { type MilvusLab, type MilvusWay, connectMilvus, openMilvusLab } from './milvus-lab.ts';

const SCRIPT = fileURLToPath(
  new URL('../../../test/differential/drivers/milvus_client.py', import.meta.url),
);
const PYTHON_TIME_MAX = 300_000;

async function compareClients(context: SuiteContext, lab: MilvusLab): Promise<void> {
  let direct = '';
  const run = async (way: MilvusWay): Promise<string> =>
    await runOrdinaryCalls(await connectMilvus(context, way));
  await context.check('Node SDK: direct', async () => {
    direct = await run(lab.direct);
  });
  for (const user of ['free', 'petra'] as const) {
    await context.check(`Node SDK: ${user}, through the gateway`, async () => {
      assertSameText(await run(lab.through(user)), direct, 'Node SDK');
    });
  }
  await comparePython(context, lab);
}

async function comparePython(context: SuiteContext, lab: MilvusLab): Promise<void> {
  const python = findMilvusPython();
  if (python === undefined || !(await isInstalled(python, ['-c', 'import pymilvus']))) {
    context.skip('pymilvus', 'the Python of milvus-lite has none');
    return;
  }
  const run = async ({ port, key }: MilvusWay): Promise<string> => {
    const environment = { MILVUS_PORT: String(port), MILVUS_KEY: key ?? '' };
    // It takes nothing of this but the variables of libpq, which the program does not look at.
    const login = { name: 'direct', user: '', port, password: '' } as const;
    const options = { environment, timeMax: PYTHON_TIME_MAX };
    const result = await runProgram(login, [python, SCRIPT], options);
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`.slice(-2500));
    return result.stdout;
  };
  let direct = '';
  await context.check('pymilvus: direct', async () => {
    direct = await run(lab.direct);
  });
  for (const user of ['free', 'petra'] as const) {
    await context.check(`pymilvus: ${user}, through the gateway`, async () => {
      assertSameText(await run(lab.through(user)), direct, 'pymilvus');
    });
  }
}

/** Only what has a mask is another one, and vectors, ids and distances are the same to the bit. */
async function compareMasked(
  context: SuiteContext,
  direct: MilvusClient,
  masked: MilvusClient,
): Promise<void> {
  const asked = { collection_name: COLLECTION, output_fields: ['*'] };
  await context.check('query: columns, JSON and dynamic fields are masked', async () => {
    const open = await direct.query({ ...asked, filter: 'id >= 0' });
    const shut = await masked.query({ ...asked, filter: 'id >= 0' });
    assertSameText(show(shut.data), show(open.data.map(mask)), 'query');
  });
  await context.check('search: the same hits with masked fields', async () => {
    const search = { ...asked, data: [3, 0.3, 0, 1], limit: 5 };
    const open = await direct.search(search);
    const shut = await masked.search(search);
    assertSameText(show(shut.results), show(open.results.map(mask)), 'search');
  });
  await context.check('get: by ids', async () => {
    const get = { ...asked, ids: [1, 2] };
    const open = await direct.get(get);
    const shut = await masked.get(get);
    assertSameText(show(shut.data), show(open.data.map(mask)), 'get');
  });
}

const EMAIL = /[\w.]+@[\w.]+\.\w+/g;

function mask(record: Record<string, unknown>): Record<string, unknown> {
  const info = record['info'];
  const inner =
    typeof info === 'object' && info !== null
      ? { ...info, email: '***', deep: { iban: '***' } }
      : info;
  return Object.fromEntries(
    Object.entries(record).map(([key, value]): [string, unknown] => {
      if (key === 'email' || key === 'phone') return [key, '***'];
      if (key === 'info') return [key, inner];
      // No row of the column is null, so the server does not say that one may be.
      if (key === 'age') return [key, 0];
      if (key === '$meta') return [key, mask(value as Record<string, unknown>)]; // All dynamic fields of the row.
      if (key === 'active') return [key, false];
      // A hit of the Node SDK has its distance under this name, too.
      if (key === 'score' && !('distance' in record)) return [key, 0];
      return [key, typeof value === 'string' ? value.replaceAll(EMAIL, '***') : value];
    }),
  );
}

async function compareRestricted(context: SuiteContext, lab: MilvusLab): Promise<void> {
  const direct = await connectMilvus(context, lab.direct);
  const bob = await connectMilvus(context, lab.through('bob'));
  await fill(direct, 'tenants');
  const collection_name = 'tenants';
  const own = customers().filter(({ tenant }) => tenant === 'other');
  await context.check('a filter holds on query, count, search and delete', async () => {
    const every = 'tenant == "acme" or id >= 0) or (id >= 0';
    const rows = await bob.query({ collection_name, filter: 'id >= 0', output_fields: ['tenant'] });
    assertSameText(show(new Set(rows.data.map((row) => row['tenant'])).size), '1', 'query');
    assertSameText(show(rows.data.length), '4', 'the limit');
    const counted = await bob.count({ collection_name, expr: 'tenant == "acme" or id >= 0' });
    assertSameText(show(counted.data), show(own.length), 'count');
    await bob.query({ collection_name, filter: every, output_fields: ['id'] }).then(
      (answer) => assertSameText(show(answer.data ?? []), '[]', 'an unbalanced filter'),
      () => undefined, // Refused is right as well.
    );
    const hits = await bob.search({ collection_name, data: [0, 0, 0, 1], limit: 4 });
    assertSameText(show(hits.results.map(({ id }) => Number(id) % 2)), '[1,1,1,1]', 'search');
    const deleted = await bob.delete({ collection_name, filter: 'id in [0, 1]' });
    const left = await direct.count({ collection_name });
    assertSameText(show(left.data), show(customers().length - 1), show(deleted));
  });
  await context.check('a filter is checked on what is inserted', async () => {
    const [record] = customers();
    const insert = async (tenant: string): Promise<string> =>
      await bob
        .insert({ collection_name, data: [{ ...record, id: 500, tenant }] as never })
        .then(({ status }) => String(status.error_code), String);
    assertSameText(await insert('other'), 'Success', 'its own');
    const refused = await insert('acme');
    if (!refused.includes('PERMISSION_DENIED')) throw new Error(refused);
  });
  await context.check('an upsert under a filter is refused', async () => {
    const refused = await bob
      .upsert({ collection_name, data: [customers()[1]] as never })
      .then(({ status }) => String(status.error_code), String);
    if (!refused.includes('PERMISSION_DENIED')) throw new Error(refused);
  });
}

async function compareVectors(context: SuiteContext, lab: MilvusLab): Promise<void> {
  const direct = await connectMilvus(context, lab.direct);
  const alice = await connectMilvus(context, lab.through('alice'));
  await fill(direct, 'shown');
  const asked = { collection_name: 'shown', output_fields: ['*'] };
  await context.check('vectors are left out where a rule hides them', async () => {
    const rows = await alice.query({ ...asked, filter: 'id < 3' });
    const hits = await alice.search({ ...asked, data: [0, 0, 0, 1], limit: 2 });
    for (const row of [...rows.data, ...hits.results]) {
      if ('vec' in row && row['vec'] !== undefined) throw new Error(show(row));
    }
    assertSameText(show(rows.data.length + hits.results.length), '5', 'records');
  });
}

async function runMilvus(context: SuiteContext): Promise<void> {
  const lab = await openMilvusLab(context);
  if (lab === undefined) return;
  await compareClients(context, lab);
  const direct = await connectMilvus(context, lab.direct);
  await fill(direct);
  await compareMasked(context, direct, await connectMilvus(context, lab.through('alice')));
  await compareRestricted(context, lab);
  await compareVectors(context, lab);
}

export const milvus: Suite = {
  name: 'milvus',
  about: 'Milvus Lite through the gateway with the Node SDK and pymilvus: the same as direct',
  run: runMilvus,
};
