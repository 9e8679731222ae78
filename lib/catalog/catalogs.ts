/**
 * The catalogs of one upstream: one for each database of a PostgreSQL server, as clients of one
 * connection may use several, and one for all databases of a MySQL server, as a statement may.
 */

import type { ClientConfig } from 'pg';
import { GatewayError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { createMysqlCatalog, type MysqlCatalogOptions } from './mysql-catalog.ts';
import { createPostgresCatalog, type PostgresCatalogOptions } from './postgres-catalog.ts';

/** Names come from clients; each costs a connection now and then and a snapshot in memory. */
export const DATABASE_COUNT_MAX = 64;

export interface CatalogsOptions extends Omit<PostgresCatalogOptions, 'connect'> {
  readonly connect: (database: string) => ClientConfig;
  readonly databasesMax?: number;
}

export interface Catalogs {
  /** Throws GatewayError CATALOG_COUNT when there are too many already. */
  forDatabase(database: string): Catalog;
  close(): Promise<void>;
}

export function createMysqlCatalogs(options: MysqlCatalogOptions): Catalogs {
  const catalog = createMysqlCatalog(options);
  return { forDatabase: () => catalog, close: () => catalog.close() };
}

/** Ask for a catalog only after the server accepted a sign-in to that database. */
export function createCatalogs(options: CatalogsOptions): Catalogs {
  const catalogs = new Map<string, Catalog>();
  const databasesMax = options.databasesMax ?? DATABASE_COUNT_MAX;
  return {
    forDatabase: (database) => {
      const known = catalogs.get(database);
      if (known !== undefined) return known;
      if (catalogs.size >= databasesMax) {
        throw new GatewayError(
          'CATALOG_COUNT',
          `more than ${databasesMax} databases are in use on one connection; give each its own connection`,
        );
      }
      const connect = (): ClientConfig => options.connect(database);
      const catalog = createPostgresCatalog({ ...options, connect });
      catalogs.set(database, catalog);
      return catalog;
    },
    close: async () => {
      await Promise.all([...catalogs.values()].map((catalog) => catalog.close()));
    },
  };
}
