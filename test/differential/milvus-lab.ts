/**
 * What the Milvus suite stands on: the real Milvus Lite and the emulator, a gateway in this process in front of
 * each with the configuration of the suite, and ways to them for the official Node SDK.
 */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { loadConfig } from '../../lib/config/load.ts';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import { type MilvusEmulator, startMilvusEmulator } from '../support/milvus-emulator.ts';
import { milvusMissing, startMilvus } from '../support/milvus-server.ts';
import type { SuiteContext } from './harness.ts';

export interface MilvusWay {
  readonly name: 'direct' | 'through';
  readonly port: number;
  /** A user's key; the servers themselves ask for none. */
  readonly key: string | undefined;
}

export interface MilvusLab {
  readonly direct: MilvusWay;
  readonly dataDir: string;
  readonly through: (user: MilvusUser) => MilvusWay;
}

const USERS = {
  /** Nothing is in force for her. */
  free: [],
  alice: ['acme'],
  bob: ['other'],
  petra: ['privacy'],
  /** For her only the mask holds that names a collection. */
  dora: ['sealed'],
} as const;
export type MilvusUser = keyof typeof USERS;

function keyOf(user: MilvusUser): string {
  return `key-of-${user}`;
}

/** For petra all is looked at and nothing is touched; the rest is for alice and bob. */
const POLICY = `
[[rule]]
name = "no-vault"
effects = ["*"]
objects = ["milvus:vault"]
principals = ["alice", "bob", "petra"]
action = "block"
[[rule]]
name = "no-drop"
effects = ["drop", "export", "admin"]
objects = ["*"]
principals = ["alice", "bob"]
action = "block"
[[rule]]
name = "own-records"
effects = ["search", "read", "count", "upsert", "delete"]
objects = ["milvus:default/tenants"]
principals = ["alice", "bob"]
action = "allow"
filter = { tenant = "\${principal.group}" }
limit_max = 4
[[rule]]
name = "no-vectors"
effects = ["search", "read"]
objects = ["milvus:default/shown"]
principals = ["alice"]
action = "allow"
vectors = false
[[mask]]
name = "personal"
fields = ["email", "phone", "info.email", "age", "active", "score"]
detect = ["email", "iban"]
with = "redact"
mode = "strict"
except = ["free", "bob", "petra", "dora"]
[[mask]]
name = "cards"
fields = ["card"]
detect = ["credit-card"]
with = "redact"
mode = "strict"
except = ["free", "dora"]
[[mask]]
name = "sealed"
objects = ["milvus:default/sealed"]
fields = ["city"]
with = "redact"
except = ["free", "bob", "petra"]
`;

export type EmulatedLab = MilvusLab & { readonly emulator: MilvusEmulator };

/** In front of Milvus Lite; undefined: it is missing, and the suite was reported as skipped. */
export async function openMilvusLab(
  context: SuiteContext,
  policy: string = POLICY,
): Promise<MilvusLab | undefined> {
  const missing = milvusMissing();
  if (missing !== undefined) {
    context.skip('Milvus Lite', missing);
    return undefined;
  }
  const server = await startMilvus();
  context.teardown(async () => await server.stop());
  return await openLab(context, server.port, policy);
}

export async function openEmulatedLab(context: SuiteContext): Promise<EmulatedLab> {
  const emulator = await startMilvusEmulator();
  context.teardown(async () => await emulator.stop());
  return { ...(await openLab(context, emulator.port, POLICY)), emulator };
}

async function openLab(context: SuiteContext, server: number, policy: string): Promise<MilvusLab> {
  const dataDir = await makeTemporary(context, 'weir-milvus-lab-');
  const file = join(dataDir, 'weir.toml');
  await writeFile(file, describeConfig(server, dataDir, policy));
  const log = { info: () => undefined, warn: () => undefined, error: console.error };
  const gateway = await createGateway(loadConfig(file), { log });
  context.teardown(async () => await gateway.close());
  await gateway.listen();
  const port = gateway.addresses[0]?.port ?? 0;
  return {
    dataDir,
    direct: { name: 'direct', port: server, key: undefined },
    through: (user) => ({ name: 'through', port, key: keyOf(user) }),
  };
}

function describeConfig(port: number, dataDir: string, policy: string): string {
  const users = Object.entries(USERS).map(([name, groups]) => {
    const hash = createHash('sha256').update(`key-of-${name}`).digest('hex');
    return `[[user]]\nname = "${name}"\ngroups = ${JSON.stringify(groups)}\nkeys = ["sha256:${hash}"]\n`;
  });
  return `data_dir = ${JSON.stringify(dataDir)}
[[connection]]
name = "store"
protocol = "milvus"
listen = "127.0.0.1:0"
upstream = "http://127.0.0.1:${port}"
auth = "gateway"
limits = { statement_size_max = 8388608 }
${users.join('')}${policy}`;
}

/** The official client; its key is the only thing that differs. */
export async function connectMilvus(
  context: SuiteContext,
  { port, key }: MilvusWay,
): Promise<MilvusClient> {
  const client = new MilvusClient({
    address: `127.0.0.1:${port}`,
    ssl: false,
    // A loaded machine takes its time, and a refusal is not asked for again.
    timeout: 60_000,
    maxRetries: 1,
    ...(key === undefined ? {} : { token: key }),
  });
  context.teardown(async () => {
    await client.closeConnection();
  });
  await client.connectPromise;
  return client;
}
