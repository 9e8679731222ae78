/**
 * The gateway of `gateway-process.ts` in front of a MySQL or MariaDB server: the same child process and
 * the same options, and what is the protocol's own on top.
 */

import { createHash } from 'node:crypto';
import type { Config } from '../../lib/config/config.ts';
import {
  type GatewayOptions,
  makeConfig,
  makeTemporary,
  type RunningTarget,
  startCopyProcess,
  startServing,
  targetKind,
} from './gateway-process.ts';
import type { Teardown } from './servers.ts';

export interface MysqlGatewayOptions extends GatewayOptions {
  /** The client may be asked for its files (MY-34); refused unless true. */
  readonly localInfile?: boolean;
  /** Users have a verifier for mysql_native_password; else they sign in by caching_sha2_password. */
  readonly native?: boolean;
}

/** What `mysql_native = "*94BD..."` stands for: SHA1(SHA1(password)), upper-case hex. */
export function makeNativeHash(password: string): string {
  const first = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(first).digest('hex').toUpperCase()}`;
}

export function makeMysqlConfig(options: MysqlGatewayOptions, dataDir: string): Config {
  const base = makeConfig(options, dataDir);
  const passwords = new Map((options.users ?? []).map((user) => [user.user, user.password]));
  return {
    ...base,
    connections: base.connections.map((connection) => ({
      ...connection,
      protocol: 'mysql',
      localInfile: options.localInfile ?? false,
    })),
    users: base.users.map((user) => ({
      ...user,
      mysqlNative:
        options.native === false ? undefined : makeNativeHash(passwords.get(user.name) ?? ''),
    })),
  };
}

export async function startMysqlGateway(
  t: Teardown,
  options: MysqlGatewayOptions,
): Promise<RunningTarget> {
  const dataDir = options.dataDir ?? (await makeTemporary(t, 'weir-data-'));
  const config = makeMysqlConfig(options, dataDir);
  const environment = { WEIR_TEST_UPSTREAM_PASSWORD: options.upstream.password };
  return startServing(t, { kind: 'gateway', config }, { dataDir, environment });
}

/** The gateway, or a byte copy where WEIR_DIFFERENTIAL_TARGET says so. */
export function startMysqlTarget(
  t: Teardown,
  options: MysqlGatewayOptions,
): Promise<RunningTarget> {
  return targetKind() === 'copy'
    ? startCopyProcess(t, options.upstreamPort)
    : startMysqlGateway(t, options);
}
