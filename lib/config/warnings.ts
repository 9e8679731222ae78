/** What a configuration may say and its author probably does not mean, in one sentence each. */
import { isLoopback } from './addresses.ts';
import {
  type Config,
  type ConnectionConfig,
  isSqlProtocol,
  isStoreProtocol,
  type MaskConfig,
  type RuleConfig,
  type UserConfig,
} from './config.ts';
import { matchesName } from './connection-glob.ts';
import { maskWarnings, ruleWarnings, storeWarnings } from './store-warnings.ts';

const GROUP_PREFIX = 'group:';

export function configWarnings(config: Config): string[] {
  return [
    ...config.connections.flatMap((connection) => warnOfConnection(connection, config)),
    ...config.users.flatMap((user) => warnOfUser(user, config)),
    ...config.rules.flatMap((rule) => warnOfNames('rule', rule, config, rule.principals)),
    ...config.masks.flatMap((mask) => warnOfNames('mask', mask, config, mask.except)),
    ...config.rules.flatMap((rule) => ruleWarnings(rule, config)),
    ...config.masks.flatMap((mask) => maskWarnings(mask, config)),
  ];
}

function warnOfUser(user: UserConfig, { connections }: Config): string[] {
  const { name, scram, mysqlNative, keys } = user;
  if (scram !== undefined) return [];
  const own = connections.filter(({ auth }) => auth === 'gateway');
  if (keys !== undefined) {
    const sql = own.find(({ protocol }) => isSqlProtocol(protocol));
    if (sql === undefined || (mysqlNative !== undefined && sql.protocol === 'mysql')) return [];
    return [
      `user "${name}" has keys and no scram, and cannot sign in to connections of protocol "${sql.protocol}".`,
    ];
  }
  if (mysqlNative === undefined) {
    if (own.length === 0) return [];
    const stores = own.every(({ protocol }) => isStoreProtocol(protocol));
    const what = stores ? 'neither keys nor scram' : 'no scram';
    return [`user "${name}" has ${what} and cannot sign in where auth = "gateway".`];
  }
  const other = own.find(({ protocol }) => protocol !== 'mysql');
  if (other === undefined) return [];
  return [
    `user "${name}" has mysql_native and no scram, and cannot sign in to connections of protocol "${other.protocol}".`,
  ];
}

function warnOfConnection(connection: ConnectionConfig, config: Config): string[] {
  const texts = [
    ...warnOfNetwork(connection),
    ...warnOfSignIn(connection),
    ...warnOfBlindRules(connection, config),
    ...warnOfReplication(connection, config),
    ...storeWarnings(connection, config),
  ];
  return texts.map((text) => `connection "${connection.name}": ${text}`);
}

function warnOfNetwork(connection: ConnectionConfig): string[] {
  const { listen, tls, upstream, upstreamGrpc, catalog, protocol } = connection;
  const warnings: string[] = [];
  if (!isLoopback(listen.host) && tls?.mode !== 'require') {
    warnings.push(
      tls === undefined
        ? `listens on ${listen.host} without tls: whoever sits on that network reads along. Write tls = { cert, key, mode = "require" }.`
        : `listens on ${listen.host} and lets clients do without TLS. Write mode = "require".`,
    );
  }
  const mend = isStoreProtocol(protocol)
    ? `Write ${protocol === 'redis' ? 'rediss' : 'https'}:// in its URL.`
    : 'Write upstream_tls = "verify-full".';
  const servers = new Map(
    [upstream, upstreamGrpc ?? upstream, catalog ?? upstream].map((one) => [one.host, one.tls]),
  );
  for (const [host, mode] of servers) {
    if (isLoopback(host) || mode === 'verify-full') continue;
    warnings.push(
      mode === 'off'
        ? `speaks to ${host} without TLS. ${mend}`
        : `does not check whose certificate ${host} shows. Write upstream_tls = "verify-full".`,
    );
  }
  return warnings;
}

function warnOfSignIn({ auth, protocol, tls, upstream, catalog }: ConnectionConfig): string[] {
  if (auth === 'gateway') {
    if (catalog === undefined) return [];
    return ['catalog is not used with auth = "gateway": the upstream user reads the catalog.'];
  }
  const warnings: string[] = [];
  if (protocol === 'mysql' && (tls === undefined) !== (upstream.tls === 'off')) {
    // MY-8: the client would encrypt its password for a plain connection and the server expects it bare, or the other way round.
    warnings.push(
      'passes sign-ins through with TLS on one side only, where caching_sha2_password works for passwords that the server has cached and no others. Use TLS on both sides or on none, or write auth = "gateway".',
    );
  }
  if (protocol === 'postgres' && tls !== undefined && upstream.tls !== 'off') {
    // PG-13: the client binds its proof to our certificate, the server expects its own.
    warnings.push(
      'passes sign-ins through with TLS on both sides, where SCRAM cannot work: clients that bind it to the channel (libpq, pgjdbc, psycopg) are refused by the server. Write auth = "gateway".',
    );
  }
  if (upstream.password !== undefined) {
    warnings.push('password is not used with auth = "passthrough": clients bring their own.');
  }
  return warnings;
}

/** Masks without a catalog are refused outright; rules work without one, and see less. */
function warnOfBlindRules(connection: ConnectionConfig, { rules }: Config): string[] {
  const { name, auth, catalog, protocol } = connection;
  const blocking = rules.find(
    ({ action, connections }) => action === 'block' && matchesName(connections, name),
  );
  if (auth === 'gateway' || catalog !== undefined || blocking === undefined) return [];
  if (!isSqlProtocol(protocol)) return [];
  return [
    `rule "${blocking.name}" has to do without a catalog: code behind tables, views and types (triggers, defaults, checks, event triggers) is not seen, and calls of functions that the server does not bring along are refused. Write catalog and catalog_password.`,
  ];
}

function warnOfReplication({ name, replication }: ConnectionConfig, config: Config): string[] {
  const isGuarded = [...config.rules, ...config.masks].some((one) =>
    matchesName(one.connections, name),
  );
  if (replication.length === 0 || !isGuarded) return [];
  return [
    `replication connections of ${replication.join(', ')} see everything, past rules and masks.`,
  ];
}

function warnOfNames(
  kind: 'rule' | 'mask',
  { name, connections }: RuleConfig | MaskConfig,
  config: Config,
  principals: readonly string[],
): string[] {
  const names = config.connections.map((connection) => connection.name);
  const unmatched = connections.filter(
    (pattern) => !names.some((one) => matchesName([pattern], one)),
  );
  const unknown = principals.filter((pattern) => !isKnownPrincipal(pattern, config));
  return [
    ...unmatched.map((pattern) => `${kind} "${name}": "${pattern}" matches no connection.`),
    ...unknown.map((pattern) => `${kind} "${name}": "${pattern}" matches no [[user]].`),
  ];
}

function isKnownPrincipal(pattern: string, { users, connections }: Config): boolean {
  if (pattern.startsWith(GROUP_PREFIX)) {
    const glob = pattern.slice(GROUP_PREFIX.length);
    return users.some(({ groups }) => groups.some((group) => matchesName([glob], group)));
  }
  // With passthrough, any user of the database may come; `*` is right with no user at all.
  if (/^\*+$/.test(pattern) || connections.some(({ auth }) => auth === 'passthrough')) return true;
  return users.some(({ name }) => matchesName([pattern], name));
}
