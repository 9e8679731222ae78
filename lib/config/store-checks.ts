/** What connections to stores, and rules and masks for them, must be. Errors only, as in `cross-checks.ts`. */

import { EFFECTS } from '../sql/analysis.ts';
import { isSqlProtocol, isStoreProtocol } from './config.ts';
import { matchesName } from './connection-glob.ts';
import type { Finding, Placed } from './cross-checks.ts';
import type { WrittenConnection, WrittenMask, WrittenRule, WrittenUser } from './schema.ts';

const STORE_PREFIX = /^(?:chroma|qdrant|milvus|redis):/;
/** What only rules for stores can have. */
const CONDITIONS = ['filter', 'limit_max', 'rows_per_hour', 'vectors'] as const;

export function checkStoreConnection({ place, value }: Placed<WrittenConnection>): Finding[] {
  if (!isStoreProtocol(value.protocol)) return [];
  const findings: Finding[] = [];
  const add = (key: string, text: string): void => void findings.push({ place, key, text });
  const { upstream, upstream_tls: mode, upstream_grpc: grpc, catalog } = value;
  if (grpc !== undefined && grpc.protocol !== 'http') {
    add(
      'upstream_grpc',
      `expected a URL that starts with http:// or https://. Write upstream_grpc = "http://host:6334".`,
    );
  }
  const urls = [upstream, grpc, catalog].filter((url) => url !== undefined);
  const secureScheme = upstream.protocol === 'redis' ? 'rediss' : 'https';
  const isSecure = urls.some((url) => url.isSecure === true);
  if (mode === 'off' && isSecure) {
    add(
      'upstream_tls',
      `contradicts ${secureScheme}://, which is TLS. Take it out or write ${secureScheme.slice(0, -1)}://.`,
    );
  }
  if (mode !== undefined && mode !== 'off' && !isSecure) {
    add(
      'upstream_tls',
      `has no effect without ${secureScheme}://. Write ${secureScheme}:// in upstream.`,
    );
  }
  if (value.upstream_ca !== undefined && !isSecure) {
    add(
      'upstream_ca',
      `has no effect without ${secureScheme}://. Write ${secureScheme}:// in upstream.`,
    );
  }
  if (value.auth === 'gateway' && upstream.user !== undefined && value.password === undefined) {
    add('password', 'missing: upstream names a user. Write password = { env = "NAME" }.');
  }
  if (catalog?.user !== undefined && value.catalog_password === undefined) {
    add(
      'catalog_password',
      'missing: catalog names a user. Write catalog_password = { env = "NAME" }.',
    );
  }
  if (grpc?.user !== undefined) {
    add('upstream_grpc', 'names a user, but that in upstream goes there too. Take the user out.');
  }
  return findings;
}

/** A key that two users have would be one of theirs at random. */
export function checkUserKeys(users: readonly Placed<WrittenUser>[]): Finding[] {
  const owners = new Map<string, string>();
  return users.flatMap(({ place, value: { name, keys = [] } }) =>
    keys.flatMap((key) => {
      const owner = owners.get(key);
      owners.set(key, name);
      if (owner === undefined) return [];
      const text = `expected keys of its own, but user "${owner}" has one of them too. Take it out in one place.`;
      return [{ place, key: 'keys', text }];
    }),
  );
}

export function checkStoreRule(
  { place, value }: Placed<WrittenRule>,
  connections: readonly Placed<WrittenConnection>[],
): Finding[] {
  const conditions = CONDITIONS.filter((key) => value[key] !== undefined);
  if (value.action === 'block') {
    return conditions.map((key) => {
      const text = 'has no effect on a rule that blocks. Take it out or write action = "allow".';
      return { place, key, text };
    });
  }
  const sql = speaksOfSql(value)
    ? connections.find(
        ({ value: { name, protocol } }) =>
          isSqlProtocol(protocol) && matchesName(value.connections, name),
      )
    : undefined;
  if (sql === undefined) return [];
  const { name, protocol } = sql.value;
  return conditions.map((key) => {
    const text = `cannot be kept on connection "${name}" (protocol "${protocol}"), which this rule speaks of too. Name the connections to stores in connections.`;
    return { place, key, text };
  });
}

function speaksOfSql({ effects, objects }: WrittenRule): boolean {
  const known: readonly string[] = [...EFFECTS, '*'];
  return (
    effects.some((effect) => known.includes(effect)) &&
    objects.some((pattern) => !STORE_PREFIX.test(pattern))
  );
}

export function checkStoreMask({ place, value }: Placed<WrittenMask>): Finding[] {
  const { columns, fields, detect, objects, mode } = value;
  if (columns === undefined && fields === undefined && detect === undefined) {
    const text =
      'expected columns (SQL), fields or detect (stores), found none of them. Write columns = ["public.customers.email"] or fields = ["email"].';
    return [{ place, key: '', text }];
  }
  if (objects !== undefined && fields === undefined && detect === undefined) {
    const text =
      'has no effect without fields or detect; columns name their tables. Take it out or write fields = ["email"].';
    return [{ place, key: 'objects', text }];
  }
  if (mode === 'strict' && columns === undefined && fields === undefined) {
    const text =
      'needs fields or columns: what detect finds has no name that could be kept from steering. Write fields = ["email"] or mode = "mask".';
    return [{ place, key: 'mode', text }];
  }
  return [];
}
