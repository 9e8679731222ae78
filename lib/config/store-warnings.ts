/** What is allowed for stores and probably not meant: what is not in force, who is left out. One sentence each. */

import { STORE_EFFECTS } from '../../protocols/store.ts';
import { EFFECTS } from '../sql/analysis.ts';
import {
  type Config,
  type ConnectionConfig,
  isSqlProtocol,
  isStoreProtocol,
  type MaskConfig,
  type RuleConfig,
} from './config.ts';
import { isLoopback } from './addresses.ts';
import { matchesName } from './connection-glob.ts';

const PREFIX = /^(chroma|qdrant|milvus|redis):/;
const GROUP_PREFIX = 'group:';

export function storeWarnings(connection: ConnectionConfig, config: Config): string[] {
  const { name, protocol, auth, upstream, upstreamGrpc, catalog } = connection;
  if (!isStoreProtocol(protocol)) return [];
  const warnings: string[] = [];
  if (auth === 'gateway' && upstream.password === undefined && !isLoopback(upstream.host)) {
    warnings.push(
      'has no password: whoever reaches the store past Weir needs no key. Give the store one and write password.',
    );
  }
  if (protocol === 'qdrant' && upstreamGrpc === undefined) {
    warnings.push(
      'sends gRPC to the port of REST, where Qdrant does not speak it. Write upstream_grpc = "http://host:6334".',
    );
  }
  const isGuarded = [...config.rules, ...config.masks].some((one) =>
    matchesName(one.connections, name),
  );
  if (auth === 'passthrough' && catalog === undefined && isGuarded) {
    warnings.push(
      'asks the store without a key what names mean. If the store wants one, every request is refused: write catalog and catalog_password.',
    );
  }
  return warnings;
}

export function ruleWarnings(rule: RuleConfig, config: Config): string[] {
  const connections = config.connections.filter(({ name }) => matchesName(rule.connections, name));
  const protocols = new Set(connections.map(({ protocol }) => protocol));
  const title = `rule "${rule.name}"`;
  return [
    ...objectWarnings(title, rule.objects, protocols),
    ...effectWarnings(title, rule, connections),
    ...groupWarnings(title, rule, config, connections),
    ...openWarnings(title, rule, config, connections),
  ];
}

export function maskWarnings(mask: MaskConfig, config: Config): string[] {
  const { columns, fields = [], detect = [], objects = [], mode } = mask;
  const connections = config.connections.filter(({ name }) => matchesName(mask.connections, name));
  const protocols = new Set(connections.map(({ protocol }) => protocol));
  const title = `mask "${mask.name}"`;
  if (connections.length === 0) return [];
  const warnings = objectWarnings(title, objects, protocols);
  const hasStore = connections.some(({ protocol }) => isStoreProtocol(protocol));
  const hasSql = connections.some(({ protocol }) => isSqlProtocol(protocol));
  if (fields.length > 0 && !hasStore) {
    warnings.push(`${title}: fields are not in force: none of its connections is to a store.`);
  }
  if (detect.length > 0 && !hasStore) {
    warnings.push(`${title}: detect is not in force: none of its connections is to a store.`);
  }
  if (columns.length > 0 && !hasSql) {
    warnings.push(`${title}: columns are not in force: none of its connections is to SQL.`);
  }
  if (mode === 'strict' && detect.length > 0 && fields.length === 0 && hasStore) {
    warnings.push(`${title}: mode = "strict" does not hold for detect: what it finds has no name.`);
  }
  return warnings;
}

function objectWarnings(
  title: string,
  objects: readonly string[],
  protocols: ReadonlySet<ConnectionConfig['protocol']>,
): string[] {
  if (protocols.size === 0) return [];
  const known: ReadonlySet<string> = protocols;
  return objects
    .filter((pattern) => {
      const protocol = PREFIX.exec(pattern)?.[1];
      return protocol !== undefined && !known.has(protocol);
    })
    .map(
      (pattern) =>
        `${title}: "${pattern}" is not in force: none of its connections is to such a store.`,
    );
}

/** Effects that no connection of the rule has: `truncate` for stores, `search` for SQL. */
function effectWarnings(
  title: string,
  { effects }: RuleConfig,
  connections: readonly ConnectionConfig[],
): string[] {
  if (connections.length === 0 || effects.includes('*')) return [];
  const known: readonly string[] = connections.flatMap(({ protocol }) =>
    isSqlProtocol(protocol) ? EFFECTS : STORE_EFFECTS,
  );
  const unknown = effects.filter((effect) => !known.includes(effect));
  if (unknown.length === 0) return [];
  const what = unknown.map((effect) => `"${effect}"`).join(', ');
  return [`${title}: ${what} does not happen on any of its connections.`];
}

/** A filter is meant to keep people apart; what no rule speaks of is allowed, and past the filter. */
function openWarnings(
  title: string,
  { filter = [], effects }: RuleConfig,
  { rules }: Config,
  connections: readonly ConnectionConfig[],
): string[] {
  const store = connections.find(({ protocol }) => isStoreProtocol(protocol));
  if (filter.length === 0 || store === undefined) return [];
  const spoken = rules
    .filter(({ connections: names }) => matchesName(names, store.name))
    .flatMap((rule) => rule.effects);
  if (effects.includes('*') || spoken.includes('*')) return [];
  const open = STORE_EFFECTS.filter(
    (effect) => effect !== 'describe' && effect !== 'create' && !spoken.includes(effect),
  );
  if (open.length === 0) return [];
  return [
    `${title}: no rule speaks of ${open.join(', ')}, so these are allowed and past the filter. Write a rule with action = "block" for them.`,
  ];
}

/** Whoever has no group or several is refused where a filter needs one. */
function groupWarnings(
  title: string,
  { filter = [], principals }: RuleConfig,
  { users }: Config,
  connections: readonly ConnectionConfig[],
): string[] {
  const needsGroup = filter.some(({ value }) => value.includes('${principal.group}'));
  if (!needsGroup || connections.length === 0) return [];
  return users
    .filter(({ name, groups }) => groups.length !== 1 && isMeant(principals, name, groups))
    .map(({ name, groups }) => {
      const count = groups.length === 0 ? 'no group' : `${groups.length} groups`;
      return `${title}: user "${name}" has ${count} and is refused, as the filter needs exactly one.`;
    });
}

function isMeant(principals: readonly string[], name: string, groups: readonly string[]): boolean {
  return principals.some((pattern) => {
    if (!pattern.startsWith(GROUP_PREFIX)) return matchesName([pattern], name);
    const glob = pattern.slice(GROUP_PREFIX.length);
    return groups.some((group) => matchesName([glob], group));
  });
}
