/** The configuration of Weir in the benches of stores: what differs is which store, the rules, the masks and durability. */

import { createHash } from 'node:crypto';
import type { Config, ConnectionConfig, MaskConfig, RuleConfig } from '../lib/config/config.ts';
import {
  makeTemporary,
  type RunningTarget,
  startServing,
} from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { RULE } from './suite.ts';

const KEY = 'bench-client-key';
export const STORE_KEY = 'bench-store-key';
/** Who asks Weir. */
export const LOGIN = { user: 'alice', password: KEY };
/** Larger than any answer in these benches, and than what it is masked to. */
const ANSWER_SIZE_MAX = 16 * 1024 * 1024;

const MASK: MaskConfig = {
  name: 'people',
  connections: ['*'],
  columns: [],
  fields: ['email'],
  detect: ['email', 'credit-card'],
  with: 'redact',
  mode: 'mask',
  except: [],
};

interface Mode {
  readonly rules: readonly RuleConfig[];
  readonly masks: readonly MaskConfig[];
}

export const MODES: Readonly<Record<string, Mode>> = {
  'weir, no rules': { rules: [], masks: [] },
  'weir, rules': { rules: [RULE], masks: [] },
  'weir, rules and masks': { rules: [RULE], masks: [MASK] },
};

interface BenchStore {
  readonly protocol: ConnectionConfig['protocol'];
  readonly port: number;
  /** Where gRPC has a port of its own. */
  readonly grpcPort?: number;
  readonly user?: string;
}

export async function startStoreWeir(
  t: Teardown,
  store: BenchStore,
  options: Mode & { readonly durability: Config['durability'] },
): Promise<RunningTarget> {
  const dataDir = await makeTemporary(t, 'weir-bench-');
  const config = storeConfig(store, options, dataDir);
  const environment = { WEIR_BENCH_STORE_KEY: STORE_KEY };
  return startServing(t, { kind: 'gateway', config }, { dataDir, environment });
}

function storeConfig(
  { protocol, port, grpcPort, user }: BenchStore,
  { rules, masks, durability }: Mode & { readonly durability: Config['durability'] },
  dataDir: string,
): Config {
  const upstream = (at: number) =>
    ({
      host: '127.0.0.1',
      port: at,
      user,
      database: undefined,
      password: { env: 'WEIR_BENCH_STORE_KEY' },
      tls: 'off',
      ca: undefined,
    }) as const;
  const keys = [createHash('sha256').update(KEY).digest('hex')];
  return {
    file: `${dataDir}/weir.toml`,
    version: createHash('sha256')
      .update(JSON.stringify([rules, masks]))
      .digest('hex'),
    dataDir,
    durability,
    hashKey: undefined,
    connections: [
      {
        name: 'bench',
        protocol,
        listen: { host: '127.0.0.1', port: 0 },
        upstream: upstream(port),
        ...(grpcPort === undefined ? {} : { upstreamGrpc: upstream(grpcPort) }),
        auth: 'gateway',
        tls: undefined,
        catalog: undefined,
        functionCalls: false,
        replication: [],
        limits: {
          sessionsMax: 500,
          statementSizeMax: ANSWER_SIZE_MAX,
          parseSizeMax: 1024 * 1024,
          rowSizeMax: ANSWER_SIZE_MAX,
          signInTimeout: 30_000,
        },
      },
    ],
    users: [{ name: LOGIN.user, groups: [], scram: undefined, keys }],
    rules,
    masks,
  };
}
