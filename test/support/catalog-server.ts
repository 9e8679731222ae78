/** What tests of the catalog and of masking by identity share: databases on real servers of both versions. */

import pg from 'pg';
import type { Test } from 'tap';
import type { Catalog, CatalogRelation, CatalogSnapshot } from '../../lib/catalog/catalog.ts';
import {
  createPostgresCatalog,
  type PostgresCatalogOptions,
} from '../../lib/catalog/postgres-catalog.ts';
import type { EmbeddedPostgres } from '../../lib/demo/embedded-postgres.ts';
import {
  debianPostgres15,
  debianPostgres15Missing,
  embeddedPostgres,
  embeddedPostgresMissing,
} from './servers.ts';

export const quietLog = { info: (): void => undefined, warn: (): void => undefined };

/** Each server to test against, with the reason to skip it. */
export const SERVERS = [
  { name: 'PostgreSQL 18', skip: embeddedPostgresMissing(), start: embeddedPostgres },
  { name: 'PostgreSQL 15', skip: debianPostgres15Missing(), start: debianPostgres15 },
] as const;

export function settingsFor(server: EmbeddedPostgres, database = 'postgres'): pg.ClientConfig {
  const { host, port, user, password } = server;
  return { host, port, user, password, database };
}

export async function connectTo(
  t: Test,
  server: EmbeddedPostgres,
  database = 'postgres',
): Promise<pg.Client> {
  const client = new pg.Client(settingsFor(server, database));
  // The server may be stopped by the test: that is no error of the client's.
  client.on('error', () => undefined);
  await client.connect();
  t.teardown(() => client.end().catch(() => undefined));
  return client;
}

export function catalogOf(
  t: Test,
  server: EmbeddedPostgres,
  options: Partial<PostgresCatalogOptions> = {},
): Catalog {
  const catalog = createPostgresCatalog({
    connect: () => settingsFor(server),
    log: quietLog,
    ...options,
  });
  t.teardown(() => catalog.close());
  return catalog;
}

export function relationNamed(
  snapshot: CatalogSnapshot,
  schema: string,
  name: string,
): CatalogRelation {
  const found = snapshot.relationsNamed(name).find((relation) => relation.schema === schema);
  if (found === undefined) throw new Error(`the catalog has no ${schema}.${name}`);
  return found;
}
