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
  const texts = { ...whyTls(value), ...whyLogin(value), ...whyGrpc(value) };
  return Object.entries(texts).map(([key, text]) => ({ place, key, text }));
}

/** What is wrong, by key. */
type Wrong = Readonly<Record<string, string>>;

/** The scheme of a URL says whether there is TLS. */
function whyTls({
  upstream,
  upstream_grpc: grpc,
  catalog,
  upstream_tls: mode,
  upstream_ca: ca,
}: WrittenConnection): Wrong {
  const scheme = upstream.protocol === 'redis' ? 'rediss' : 'https';
  const isSecure = [upstream, grpc, catalog].some((url) => url?.isSecure === true);
  if (isSecure) {
    if (mode !== 'off') return {};
    return {
      upstream_tls: `contradicts ${scheme}://, which is TLS. Take it out or write ${scheme.slice(0, -1)}://.`,
    };
  }
  const text = `has no effect without ${scheme}://. Write ${scheme}:// in upstream.`;
  return {
    ...(mode === undefined || mode === 'off' ? {} : { upstream_tls: text }),
    ...(ca === undefined ? {} : { upstream_ca: text }),
  };
}

function whyLogin({
  auth,
  upstream,
  password,
  catalog,
  catalog_password: catalogPassword,
}: WrittenConnection): Wrong {
  const needsPassword = auth === 'gateway' && upstream.user !== undefined;
  const wrong: Record<string, string> = {};
  if (needsPassword && password === undefined) {
    wrong['password'] = 'missing: upstream names a user. Write password = { env = "NAME" }.';
  }
  if (catalog?.user !== undefined && catalogPassword === undefined) {
    wrong['catalog_password'] =
      'missing: catalog names a user. Write catalog_password = { env = "NAME" }.';
  }
  return wrong;
}

function whyGrpc({ upstream_grpc: grpc }: WrittenConnection): Wrong {
  if (grpc === undefined) return {};
  if (grpc.protocol !== 'http') {
    return {
      upstream_grpc:
        'expected a URL that starts with http:// or https://. Write upstream_grpc = "http://host:6334".',
    };
  }
  if (grpc.user === undefined) return {};
  return {
    upstream_grpc: 'names a user, but that in upstream goes there too. Take the user out.',
  };
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
