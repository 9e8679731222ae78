/** A decider of a store with rules, masks, users and names as a test wants them. */

import type { StoreNames } from '../../../lib/catalog/store-names.ts';
import { parseConfig } from '../../../lib/config/load.ts';
import { GatewayError } from '../../../lib/errors.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { RowQuotas } from '../../../lib/gateway/row-quotas.ts';
import { type StoreConnection, StoreDecider } from '../../../lib/gateway/store-decider.ts';
import { createKeyIdentity, hashKey } from '../../../lib/identity/api-keys.ts';
import { createCredentials, makeVerifier } from '../../../lib/identity/credentials.ts';
import type { Principal } from '../../../lib/identity/principal.ts';
import type { Operation } from '../../../protocols/contract.ts';
import type { StoreEffect, StoreName, StoreRequest } from '../../../protocols/store.ts';

type RequestOperation = Extract<Operation, { kind: 'request' }>;

export const VERIFIER = makeVerifier('bob-password', 100);
export const LOGIN = { user: undefined, secret: 'the key of the store' };

const USERS = `
[[user]]
name = "alice"
groups = ["acme"]
keys = ["sha256:${hashKey('alice-key')}"]
[[user]]
name = "bob"
groups = ["acme", "other"]
scram = "${VERIFIER}"
keys = ["sha256:${hashKey('bob-key')}"]
`;

/** Aliases by name; `slow` names are answered later; nobody can tell what `down` means, and `gone` means nothing. */
export const ALIASES: Readonly<Record<string, string>> = { clients: 'customers' };

export interface StoreRig {
  readonly decider: StoreDecider;
  readonly clock: { now: number };
  readonly seen: Principal[];
  readonly changes: { count: number };
  readonly decide: (
    request: StoreRequest,
    operation?: Partial<RequestOperation>,
  ) => Promise<Decided>;
}

/** `keepsConditions`: what the server says of conditional writes; undefined: nobody asks it. */
export function createStoreRig(
  toml: string,
  connection = '',
  keepsConditions?: StoreNames['keepsConditions'],
): StoreRig {
  const config = parseConfig(
    `[[connection]]
name = "q"
protocol = "qdrant"
listen = "127.0.0.1:1"
upstream = "http://localhost:6333"
${connection}
${USERS}
${toml}`,
    'weir.toml',
  );
  const [first] = config.connections;
  if (first === undefined) throw new Error('no connection');
  const changes = { count: 0 };
  const clock = { now: 0 };
  const credentials = createCredentials(config.users, Buffer.from('secret'), 'store');
  const isOwn = first.auth === 'gateway';
  const decider = new StoreDecider({
    config,
    connection: toStore(first),
    names: { ...createNames(changes), ...(keepsConditions && { keepsConditions }) },
    identity: createKeyIdentity(config.users, isOwn ? credentials : undefined),
    login: isOwn ? LOGIN : undefined,
    hashKey: Buffer.from('hash key'),
    quotas: new RowQuotas(() => clock.now),
  });
  const seen: Principal[] = [];
  return {
    decider,
    clock,
    seen,
    changes,
    decide: async (asked, operation = {}) => {
      const alice = { credential: { user: undefined, secret: 'alice-key' } };
      return decider.decide(
        { kind: 'request', id: 1, request: asked, isSecure: false, ...alice, ...operation },
        undefined,
        (principal) => seen.push(principal),
      );
    },
  };
}

function toStore(connection: { readonly protocol: string } & object): StoreConnection {
  // What the text above says.
  return connection as StoreConnection;
}

function createNames(changes: { count: number }): StoreNames {
  return {
    resolve: (name) => {
      const [first = ''] = name.path;
      if (first === 'down') return Promise.reject(new GatewayError('STORE_NAMES', 'nobody tells'));
      if (first === 'gone') return [];
      const meaning: StoreName = { kind: 'collection', path: [ALIASES[first] ?? first] };
      return first.startsWith('slow') ? Promise.resolve([meaning]) : [meaning];
    },
    invalidate: () => {
      changes.count += 1;
    },
    close: () => undefined,
  };
}

export function request(
  effect: StoreEffect,
  collection: string | undefined,
  more: Partial<StoreRequest> = {},
): StoreRequest {
  const target: StoreName | undefined =
    collection === undefined ? undefined : { kind: 'collection', path: [collection] };
  return { route: 'POST /x', accesses: [{ effect, target }], steering: [], ...more };
}
