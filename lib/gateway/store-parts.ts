/** Makes what decides on requests to one store: who may ask, what names mean, and the store's own credential. */

import type { StoreLogin } from '../../protocols/store.ts';
import { createChromaNames } from '../catalog/chroma-names.ts';
import { createMilvusNames } from '../catalog/milvus-names.ts';
import { createQdrantNames } from '../catalog/qdrant-names.ts';
import { createRedisNames } from '../catalog/redis-names.ts';
import type { StoreNames, StoreNamesSettings, StoreNamesTls } from '../catalog/store-names.ts';
import type { StoreProtocol, UpstreamConfig } from '../config/config.ts';
import { readSecret } from '../config/secrets.ts';
import { createKeyIdentity } from '../identity/api-keys.ts';
import { type Credentials, createCredentials } from '../identity/credentials.ts';
import type { SharedParts } from './parts.ts';
import { RowQuotas } from './row-quotas.ts';
import { type StoreConnection, StoreDecider } from './store-decider.ts';

export interface StoreDeciderWithUsers {
  readonly store: StoreDecider;
  /** For sessions that sign in (Redis); undefined with auth = "passthrough". */
  readonly credentials: Credentials | undefined;
}

type CreateNames = (settings: StoreNamesSettings) => StoreNames;

const CREATE_NAMES: Readonly<Record<StoreProtocol, CreateNames>> = {
  chroma: createChromaNames,
  qdrant: createQdrantNames,
  milvus: createMilvusNames,
  redis: createRedisNames,
};

export function createStoreDecider(
  shared: SharedParts,
  connection: StoreConnection,
  ownNames?: StoreNames,
): StoreDeciderWithUsers {
  const { config, hashKey, serverSecret } = shared;
  const isOwn = connection.auth === 'gateway';
  const credentials = isOwn ? createCredentials(config.users, serverSecret, 'store') : undefined;
  const names = ownNames ?? CREATE_NAMES[connection.protocol](namesSettings(shared, connection));
  shared.addCatalogs(names);
  const store = new StoreDecider({
    config,
    connection,
    names,
    identity: createKeyIdentity(config.users, credentials),
    login: isOwn ? storeLogin(connection.upstream) : undefined,
    hashKey,
    quotas: new RowQuotas(),
  });
  return { store, credentials };
}

/** With passthrough it is who stands in `catalog` that asks; without one, nobody is named. */
function namesSettings(
  shared: SharedParts,
  { auth, upstream, upstreamGrpc, catalog }: StoreConnection,
): StoreNamesSettings {
  const source = auth === 'gateway' ? upstream : (catalog ?? upstream);
  const hasLogin = auth === 'gateway' || catalog !== undefined;
  const login = hasLogin ? storeLogin(source) : undefined;
  return {
    host: source.host,
    port: source.port,
    tls: tlsOf(source, shared),
    login: login === undefined || login.secret === '' ? undefined : login,
    grpc:
      upstreamGrpc === undefined
        ? undefined
        : {
            host: upstreamGrpc.host,
            port: upstreamGrpc.port,
            tls: tlsOf(upstreamGrpc, shared),
          },
    log: shared.log,
  };
}

function tlsOf({ tls, ca }: UpstreamConfig, shared: SharedParts): StoreNamesTls | undefined {
  return tls === 'off' ? undefined : { isVerified: tls === 'verify-full', ca: shared.readCa(ca) };
}

/** An empty secret: the store asks for none, and those of callers still do not reach it. */
function storeLogin({ user, password }: UpstreamConfig): StoreLogin {
  return { user, secret: password === undefined ? '' : readSecret(password) };
}
