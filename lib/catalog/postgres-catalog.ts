/**
 * A database's catalog, read again when it is older than `maxAgeMs` or when someone saw a definition
 * change. A read starts with a fingerprint; only a changed one costs a whole load. What cannot be
 * read again in time is an error, never an old answer: whoever asks has a decision to make on it.
 */

import type { ClientConfig } from 'pg';
import { GatewayError } from '../errors.ts';
import type { Catalog, CatalogSnapshot } from './catalog.ts';
import { createCatalogConnection } from './catalog-connection.ts';
import {
  CATALOG_LIMITS,
  type CatalogLimits,
  type LoadedCatalog,
  loadCatalog,
  readFingerprint,
} from './load-snapshot.ts';

/** The two calls of a pino logger that are used here. */
export interface CatalogLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface PostgresCatalogOptions {
  /** Asked for each connection, so that a credential can change. */
  readonly connect: () => ClientConfig;
  /** How old an answer may be. */
  readonly maxAgeMs?: number;
  /** For connecting and for each query. */
  readonly timeoutMs?: number;
  /** The connection is closed when it was not used for this long. */
  readonly idleMs?: number;
  readonly limits?: CatalogLimits;
  readonly log: CatalogLog;
}

export const CATALOG_AGE_MAX = 5000;
export const CATALOG_TIME_MAX = 10_000;
export const CATALOG_IDLE_TIME_MAX = 15_000;

interface Current extends LoadedCatalog {
  readonly checkedAt: number;
  /** Which of the invalidations it has seen. */
  readonly generation: number;
}

export function createPostgresCatalog(options: PostgresCatalogOptions): Catalog {
  const maxAgeMs = options.maxAgeMs ?? CATALOG_AGE_MAX;
  const limits = options.limits ?? CATALOG_LIMITS;
  const connection = createCatalogConnection({
    connect: options.connect,
    timeoutMs: options.timeoutMs ?? CATALOG_TIME_MAX,
    idleMs: options.idleMs ?? CATALOG_IDLE_TIME_MAX,
  });
  let current: Current | undefined;
  let generation = 0;
  let running: { readonly generation: number; readonly snapshot: Promise<CatalogSnapshot> } | undefined;
  let queued: Promise<CatalogSnapshot> | undefined;
  let isClosed = false;

  const load = async (): Promise<LoadedCatalog> => {
    if (current !== undefined && !current.isPartial) {
      if ((await readFingerprint(connection)) === current.fingerprint) return current;
    }
    const startedAt = performance.now();
    const loaded = await loadCatalog(connection, (current?.snapshot.version ?? 0) + 1, limits);
    const fields = {
      version: loaded.snapshot.version,
      relations: loaded.snapshot.relations().length,
      milliseconds: Math.round(performance.now() - startedAt),
    };
    options.log.info(fields, 'catalog read');
    if (loaded.isPartial) options.log.warn(fields, 'some definitions are locked and count as unreadable');
    return loaded;
  };

  const check = async (): Promise<CatalogSnapshot> => {
    if (isClosed) throw closedError();
    const seen = generation;
    // The age counts from before the read: a change during it may not be in it.
    const checkedAt = performance.now();
    const loaded = await load().catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === 'CATALOG_TOO_LARGE') throw error;
      // One more try: the server may have closed the connection, or a definition changed under the read.
      options.log.warn({ reason: String(error) }, 'catalog read failed, trying once more');
      return load();
    });
    current = { ...loaded, checkedAt, generation: seen };
    return loaded.snapshot;
  };

  const start = (): Promise<CatalogSnapshot> => {
    const mine = { generation, snapshot: check() };
    running = mine;
    const end = (): void => {
      if (running === mine) running = undefined;
    };
    mine.snapshot.then(end, end);
    return mine.snapshot;
  };

  /** A read that began before an invalidation may have missed the change: one more must follow it. */
  const startAfter = (before: Promise<CatalogSnapshot>): Promise<CatalogSnapshot> => {
    const next = (): Promise<CatalogSnapshot> => {
      queued = undefined;
      return start();
    };
    queued = before.then(next, next);
    return queued;
  };

  return {
    snapshot: () => {
      if (isClosed) return Promise.reject(closedError());
      const isFresh =
        current !== undefined &&
        current.generation === generation &&
        performance.now() - current.checkedAt < maxAgeMs;
      if (isFresh && current !== undefined) return current.snapshot;
      if (running === undefined) return start();
      if (running.generation === generation) return running.snapshot;
      return queued ?? startAfter(running.snapshot);
    },
    invalidate: () => {
      generation += 1;
    },
    close: async () => {
      isClosed = true;
      await running?.snapshot.catch(() => undefined);
      await connection.close();
    },
  };
}

function closedError(): GatewayError {
  return new GatewayError('CATALOG_CLOSED', 'the catalog was closed while something asked for it');
}
