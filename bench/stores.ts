/**
 * The bench of vector databases: searches over REST and gRPC as Qdrant speaks them, small ones and ones of about
 * 350 kB with vectors. The server is a dumb one in Node with canned answers, so that what is compared are the
 * proxies: a bare relay in Node, and Weir.
 */

import { createHash } from 'node:crypto';
import type { Config, MaskConfig, RuleConfig } from '../lib/config/config.ts';
import { findProtocol } from '../protocols/registry.ts';
import {
  makeTemporary,
  type RunningTarget,
  startServing,
} from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { runGrpc, runRest } from './stores-load.ts';
import type { StoreTransport } from './stores-server.ts';
import { type Contender, RULE, type StoreLoad, type Suite } from './suite.ts';

const KEY = 'bench-client-key';
const STORE_KEY = 'bench-store-key';
const LOGIN = { user: 'alice', password: KEY };
/** Larger than any answer of the canned server, and than what it is masked to. */
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

const MODES: Readonly<Record<string, Mode>> = {
  'weir, no rules': { rules: [], masks: [] },
  'weir, rules': { rules: [RULE], masks: [] },
  'weir, rules and masks': { rules: [RULE], masks: [MASK] },
};

export const storeSuites: readonly Suite<StoreLoad>[] = [suiteOf('rest'), suiteOf('grpc')];

function suiteOf(transport: StoreTransport): Suite<StoreLoad> {
  const wire = transport === 'rest' ? 'REST' : 'gRPC';
  return {
    protocol: `Qdrant over ${wire} (canned answers of a dumb server in Node)`,
    about: {
      small: `a search over ${wire}, one hit with its vector`,
      search: `a search over ${wire}, about 350 kB of hits with vectors of 768 dimensions`,
    },
    missing: () =>
      findProtocol('qdrant') === undefined ? 'Weir has no protocol "qdrant"' : undefined,
    start: (t) => startContenders(t, transport),
    describeLoad: async () =>
      transport === 'rest' ? 'node:http, kept alive' : 'node:http2, a session for each client',
    run: transport === 'rest' ? runRest : runGrpc,
  };
}

async function startContenders(t: Teardown, transport: StoreTransport): Promise<Contender[]> {
  const none = { dataDir: '', environment: {} };
  const canned = async (kind: StoreTransport): Promise<number> =>
    (await startServing(t, { kind: 'canned', transport: kind }, none)).port;
  const [rest, grpc] = [await canned('rest'), await canned('grpc')];
  const port = transport === 'rest' ? rest : grpc;
  const contenders: Contender[] = [{ name: 'direct', port, pid: undefined, ...LOGIN }];
  const relay = await startServing(t, { kind: 'relay', transport, upstreamPort: port }, none);
  const module = transport === 'rest' ? 'node:http' : 'node:http2';
  contenders.push({ name: `bare relay (${module})`, ...relay, ...LOGIN });
  for (const [name, mode] of Object.entries(MODES)) {
    for (const durability of ['relaxed', 'strict'] as const) {
      const running = await startWeir(t, { rest, grpc }, { ...mode, durability });
      contenders.push({ name: `${name}, ${durability}`, ...running, ...LOGIN });
    }
  }
  return contenders;
}

async function startWeir(
  t: Teardown,
  ports: Readonly<Record<StoreTransport, number>>,
  options: Mode & { readonly durability: Config['durability'] },
): Promise<RunningTarget> {
  const dataDir = await makeTemporary(t, 'weir-bench-');
  const config = storeConfig(ports, options, dataDir);
  const environment = { WEIR_BENCH_STORE_KEY: STORE_KEY };
  return startServing(t, { kind: 'gateway', config }, { dataDir, environment });
}

function storeConfig(
  ports: Readonly<Record<StoreTransport, number>>,
  { rules, masks, durability }: Mode & { readonly durability: Config['durability'] },
  dataDir: string,
): Config {
  const upstream = (port: number) =>
    ({
      host: '127.0.0.1',
      port,
      user: undefined,
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
        protocol: 'qdrant',
        listen: { host: '127.0.0.1', port: 0 },
        upstream: upstream(ports.rest),
        upstreamGrpc: upstream(ports.grpc),
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
