/**
 * The bench of vector databases: searches over REST and gRPC as Qdrant speaks them, small ones and ones of about
 * 350 kB with vectors. The server is a dumb one in Node with canned answers, so that what is compared are the
 * proxies: a bare relay in Node, and Weir.
 */

import { findProtocol } from '../protocols/registry.ts';
import { startServing } from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { LOGIN, MODES, startStoreWeir } from './stores-config.ts';
import { runGrpc, runRest } from './stores-load.ts';
import type { StoreTransport } from './stores-server.ts';
import type { Contender, StoreLoad, Suite } from './suite.ts';

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
      const store = { protocol: 'qdrant', port: rest, grpcPort: grpc } as const;
      const running = await startStoreWeir(t, store, { ...mode, durability });
      contenders.push({ name: `${name}, ${durability}`, ...running, ...LOGIN });
    }
  }
  return contenders;
}
