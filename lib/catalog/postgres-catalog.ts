/**
 * The catalog of one PostgreSQL database, kept fresh by refreshed-catalog.ts. A read starts with a
 * fingerprint; only a changed one costs a whole load.
 */

import type { ClientConfig } from 'pg';
import type { Catalog } from './catalog.ts';
import { type CatalogConnection, createCatalogConnection } from './catalog-connection.ts';
import { type LoadedCatalog, loadCatalog } from './load-snapshot.ts';
import { CATALOG_LIMITS, type CatalogLimits, readFingerprint } from './read-names.ts';
import {
  CATALOG_IDLE_TIME_MAX,
  CATALOG_TIME_MAX,
  type CatalogLog,
  type CatalogSource,
  RefreshedCatalog,
  type RefreshOptions,
} from './refreshed-catalog.ts';

export interface PostgresCatalogOptions extends RefreshOptions {
  /** Asked for each connection, so that a credential can change. */
  readonly connect: () => ClientConfig;
  /** For connecting and for each query. */
  readonly timeoutMs?: number;
  /** The connection is closed when it was not used for this long. */
  readonly idleMs?: number;
  readonly limits?: CatalogLimits;
  readonly log: CatalogLog;
}

export function createPostgresCatalog(options: PostgresCatalogOptions): Catalog {
  return new RefreshedCatalog(new PostgresSource(options), options.log, options);
}

class PostgresSource implements CatalogSource<LoadedCatalog> {
  readonly #connection: CatalogConnection;
  readonly #limits: CatalogLimits;
  readonly #log: CatalogLog;

  constructor(options: PostgresCatalogOptions) {
    this.#limits = options.limits ?? CATALOG_LIMITS;
    this.#log = options.log;
    this.#connection = createCatalogConnection({
      connect: options.connect,
      timeoutMs: options.timeoutMs ?? CATALOG_TIME_MAX,
      idleMs: options.idleMs ?? CATALOG_IDLE_TIME_MAX,
      ...(options.now === undefined ? {} : { now: options.now }),
    });
  }

  async load(current: LoadedCatalog | undefined): Promise<LoadedCatalog> {
    await this.#connection.renew();
    if (current !== undefined && !current.isPartial) {
      if ((await readFingerprint(this.#connection)) === current.fingerprint) return current;
    }
    const startedAt = performance.now();
    const version = (current?.snapshot.version ?? 0) + 1;
    const read = await loadCatalog(this.#connection, version, this.#limits);
    const loaded = { ...read, snapshot: { ...read.snapshot, source: this } };
    const fields = {
      version,
      relations: loaded.snapshot.relations().length,
      milliseconds: Math.round(performance.now() - startedAt),
    };
    this.#log.info(fields, 'catalog read');
    if (loaded.isPartial) {
      this.#log.warn(fields, 'some definitions are locked and count as unreadable');
    }
    return loaded;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
