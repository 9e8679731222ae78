/** What a configuration may say and its author probably does not mean, in one sentence each. */
import { isLoopback } from './addresses.ts';
import type { Config, ConnectionConfig, MaskConfig, RuleConfig } from './config.ts';
import { matchesName } from './connection-glob.ts';

const GROUP_PREFIX = 'group:';

export function configWarnings(config: Config): string[] {
  const hasGateway = config.connections.some(({ auth }) => auth === 'gateway');
  return [
    ...config.connections.flatMap((connection) => warnOfConnection(connection, config)),
    ...config.users
      .filter(({ scram }) => hasGateway && scram === undefined)
      .map(({ name }) => `user "${name}" has no scram and cannot sign in where auth = "gateway".`),
    ...config.rules.flatMap((rule) => warnOfNames('rule', rule, config, rule.principals)),
    ...config.masks.flatMap((mask) => warnOfNames('mask', mask, config, mask.except)),
  ];
}

function warnOfConnection(connection: ConnectionConfig, config: Config): string[] {
  const texts = [
    ...warnOfNetwork(connection),
    ...warnOfSignIn(connection),
    ...warnOfReplication(connection, config),
  ];
  return texts.map((text) => `connection "${connection.name}": ${text}`);
}

function warnOfNetwork({ listen, tls, upstream, catalog }: ConnectionConfig): string[] {
  const warnings: string[] = [];
  if (!isLoopback(listen.host) && tls?.mode !== 'require') {
    warnings.push(
      tls === undefined
        ? `listens on ${listen.host} without tls: whoever sits on that network reads along. Write tls = { cert, key, mode = "require" }.`
        : `listens on ${listen.host} and lets clients do without TLS. Write mode = "require".`,
    );
  }
  const servers = new Map([upstream, catalog ?? upstream].map((one) => [one.host, one.tls]));
  for (const [host, mode] of servers) {
    if (isLoopback(host) || mode === 'verify-full') continue;
    warnings.push(
      mode === 'off'
        ? `speaks to ${host} without TLS. Write upstream_tls = "verify-full".`
        : `does not check whose certificate ${host} shows. Write upstream_tls = "verify-full".`,
    );
  }
  return warnings;
}

function warnOfSignIn({ auth, tls, upstream, catalog }: ConnectionConfig): string[] {
  if (auth === 'gateway') {
    if (catalog === undefined) return [];
    return ['catalog is not used with auth = "gateway": the upstream user reads the catalog.'];
  }
  const warnings: string[] = [];
  if (tls !== undefined && upstream.tls !== 'off') {
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
