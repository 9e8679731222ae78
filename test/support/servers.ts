/**
 * Real PostgreSQL servers for tests, each with its own port and data directory, gone when the test
 * ends. A server that cannot be had here is a reason to skip, never a reason to pass:
 *
 *   t.test('works against 15', { skip: debianPostgres15Missing() }, async (t) => {
 *     const server = await debianPostgres15(t);
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  findFreePort,
  startEmbeddedPostgres,
} from '../../lib/demo/embedded-postgres.ts';
import { findPostgresPackage } from '../../lib/demo/postgres-binaries.ts';

const DEBIAN_15 = '/usr/lib/postgresql/15/bin';

/** What of a `tap` test is used here. */
export interface Teardown {
  teardown(stop: () => Promise<void>): void;
}

export type TestServerOptions = Omit<EmbeddedPostgresOptions, 'directory' | 'binDirectory'>;

/** PostgreSQL 18 from npm; superuser `postgres`, database `postgres`. Starts in about a second. */
export async function embeddedPostgres(
  t: Teardown,
  options: TestServerOptions = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(options);
  t.teardown(() => server.stop());
  return server;
}

/** PostgreSQL 15 as Debian packages it; the same as `embeddedPostgres` otherwise. */
export async function debianPostgres15(
  t: Teardown,
  options: TestServerOptions = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ ...options, binDirectory: DEBIAN_15 });
  t.teardown(() => server.stop());
  return server;
}

/** Why `embeddedPostgres` cannot work here, or false: the value of a test's `skip` option. */
export function embeddedPostgresMissing(): string | false {
  try {
    const native = findPostgresPackage();
    return existsSync(native) ? false : `${native} does not exist`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why `debianPostgres15` cannot work here, or false: the value of a test's `skip` option. */
export function debianPostgres15Missing(): string | false {
  if (existsSync(join(DEBIAN_15, 'postgres'))) return false;
  return `PostgreSQL 15 is not installed (${DEBIAN_15} is missing; Debian package postgresql-15)`;
}

/** A port of loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  return findFreePort();
}
