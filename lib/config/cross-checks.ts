/**
 * What the parts of a configuration must be to each other. Errors only: what is allowed but
 * probably not meant is in `warnings.ts`.
 */
import { matchesName } from './connection-glob.ts';
import { isWildcard } from './addresses.ts';
import { isSqlProtocol, isStoreProtocol } from './config.ts';
import type { WrittenConnection, WrittenMask, WrittenRule, WrittenUser } from './schema.ts';
import type { Place } from './problems.ts';
import {
  checkStoreConnection,
  checkStoreMask,
  checkStoreRule,
  checkUserKeys,
} from './store-checks.ts';

/** A table of the file that has the right shape, and where it stands. */
export interface Placed<T> {
  readonly place: Place;
  readonly value: T;
}

export interface WrittenParts {
  readonly hasHashKey: boolean;
  readonly connections: readonly Placed<WrittenConnection>[];
  readonly users: readonly Placed<WrittenUser>[];
  readonly rules: readonly Placed<WrittenRule>[];
  readonly masks: readonly Placed<WrittenMask>[];
  /** Every [[user]] has the right shape: then a missing one is really missing. */
  readonly areUsersWhole: boolean;
}

export interface Finding {
  readonly place: Place;
  /** Empty: the table itself. */
  readonly key: string;
  readonly text: string;
}

export function checkTogether(parts: WrittenParts): Finding[] {
  const { connections, users, rules, masks } = parts;
  return [
    ...[connections, users, rules, masks].flatMap((list) => checkNames(list)),
    ...checkListeners(connections),
    ...connections.flatMap((connection) => checkUpstream(connection)),
    ...connections.flatMap((connection) => checkProtocol(connection)),
    ...connections.flatMap((connection) => checkAuth(connection, parts)),
    ...masks.flatMap((mask) => checkHashKey(mask, parts.hasHashKey)),
    ...connections.flatMap((connection) => checkStoreConnection(connection)),
    ...checkUserKeys(users),
    ...rules.flatMap((rule) => checkStoreRule(rule, connections)),
    ...masks.flatMap((mask) => checkStoreMask(mask)),
  ];
}

function checkNames(list: readonly Placed<{ readonly name: string }>[]): Finding[] {
  return list.flatMap(({ place, value }, index) => {
    const first = list.findIndex((other) => other.value.name === value.name);
    if (first === index) return [];
    const text = `expected a name of its own, found that of ${place.section} #${first + 1}. Rename one.`;
    return [{ place, key: 'name', text }];
  });
}

function checkListeners(connections: readonly Placed<WrittenConnection>[]): Finding[] {
  return connections.flatMap(({ place, value }, index) => {
    const { host, port } = value.listen;
    const clash = connections.slice(0, index).find(({ value: { listen } }) => {
      if (listen.port !== port || port === 0) return false;
      return listen.host === host || isWildcard(listen.host) || isWildcard(host);
    });
    if (clash === undefined) return [];
    const text = `expected an address of its own, but connection "${clash.value.name}" listens on port ${port} too. Take another port.`;
    return [{ place, key: 'listen', text }];
  });
}

function checkUpstream({ place, value }: Placed<WrittenConnection>): Finding[] {
  if (value.catalog === undefined && value.catalog_password !== undefined) {
    const text = `has no effect without catalog. Write catalog = "${SCHEME[value.protocol]}".`;
    return [{ place, key: 'catalog_password', text }];
  }
  if (value.upstream_ca === undefined || !['off', 'require'].includes(value.upstream_tls ?? '')) {
    return [];
  }
  const text = `has no effect with upstream_tls = "${value.upstream_tls}". Write upstream_tls = "verify-full" or take it out.`;
  return [{ place, key: 'upstream_ca', text }];
}

/** Every URL speaks the connection's protocol, and no key is of another one. */
function checkProtocol({ place, value }: Placed<WrittenConnection>): Finding[] {
  const { protocol } = value;
  const findings: Finding[] = [];
  const scheme = SCHEMES[protocol];
  const urls = { upstream: value.upstream, catalog: value.catalog };
  for (const [key, url] of Object.entries(urls)) {
    if (url === undefined || url.protocol === scheme) continue;
    const text = `expected a URL that starts with ${scheme}:// as protocol = "${protocol}" says, found one of ${url.protocol}. Change one of them.`;
    findings.push({ place, key, text });
  }
  const others = {
    function_calls: protocol !== 'postgres' && value.function_calls,
    replication: protocol !== 'postgres' && value.replication.length > 0,
    local_infile: protocol !== 'mysql' && value.local_infile !== undefined,
    upstream_grpc: protocol !== 'qdrant' && value.upstream_grpc !== undefined,
  };
  for (const [key, isWrong] of Object.entries(others)) {
    const text = `has no effect with protocol = "${protocol}". Take it out.`;
    if (isWrong) findings.push({ place, key, text });
  }
  return findings;
}

/** What a URL of each protocol starts with. */
const SCHEMES = {
  postgres: 'postgres',
  mysql: 'mysql',
  chroma: 'http',
  qdrant: 'http',
  milvus: 'http',
  redis: 'redis',
} as const;

/** What stands in examples of a URL. */
const SCHEME = {
  postgres: 'postgres://USER@host:port',
  mysql: 'mysql://USER@host:port',
  chroma: 'http://host:8000',
  qdrant: 'http://host:6333',
  milvus: 'http://host:19530',
  redis: 'redis://USER@host:port',
} as const;

/** Who has none of these cannot sign in where auth = "gateway". */
const VERIFIERS = {
  postgres: 'scram',
  mysql: 'scram or mysql_native',
  chroma: 'keys or scram',
  qdrant: 'keys or scram',
  milvus: 'keys or scram',
  redis: 'keys or scram',
} as const;

function canSignIn(user: WrittenUser, protocol: WrittenConnection['protocol']): boolean {
  if (user.scram !== undefined) return true;
  return protocol === 'mysql'
    ? user.mysql_native !== undefined
    : isStoreProtocol(protocol) && user.keys !== undefined;
}

function checkAuth(connection: Placed<WrittenConnection>, parts: WrittenParts): Finding[] {
  return connection.value.auth === 'gateway'
    ? checkGatewayAuth(connection, parts)
    : checkPassthroughAuth(connection, parts);
}

function checkGatewayAuth(
  { place, value }: Placed<WrittenConnection>,
  { users, areUsersWhole }: WrittenParts,
): Finding[] {
  const findings: Finding[] = [];
  if (value.upstream.user === undefined && isSqlProtocol(value.protocol)) {
    const text = `auth = "gateway" needs a user to sign in to the database with. Write upstream = "${SCHEME[value.protocol]}/database".`;
    findings.push({ place, key: 'upstream', text });
  }
  if (areUsersWhole && !users.some((user) => canSignIn(user.value, value.protocol))) {
    const text = `auth = "gateway" needs at least one [[user]] with ${VERIFIERS[value.protocol]}, or nobody can sign in. \`weir user add NAME${isSqlProtocol(value.protocol) ? '' : ' --key'}\` prints one.`;
    findings.push({ place, key: 'auth', text });
  }
  return findings;
}

function checkPassthroughAuth(
  { place, value }: Placed<WrittenConnection>,
  { masks }: WrittenParts,
): Finding[] {
  const findings: Finding[] = [];
  // A store without keys of its own tells what its names mean to everybody.
  if (!isSqlProtocol(value.protocol)) return findings;
  const mask = masks.find(
    (one) => one.value.columns !== undefined && matchesName(one.value.connections, value.name),
  );
  if (value.catalog === undefined && mask !== undefined) {
    const text = `auth = "passthrough" with a mask ("${mask.value.name}") needs a user that reads the catalog. Write catalog = "${SCHEME[value.protocol]}" and catalog_password.`;
    findings.push({ place, key: 'auth', text });
  }
  if (value.catalog !== undefined && value.catalog.user === undefined) {
    const text = `expected a URL with a user. Write catalog = "${SCHEME[value.protocol]}".`;
    findings.push({ place, key: 'catalog', text });
  }
  return findings;
}

function checkHashKey({ place, value }: Placed<WrittenMask>, hasHashKey: boolean): Finding[] {
  if (value.with !== 'hash' || hasHashKey) return [];
  const text =
    'needs a key: anybody could find the value of a hash without one. Write hash_key = { env = "WEIR_HASH_KEY" } at the top of the file.';
  return [{ place, key: 'with', text }];
}
