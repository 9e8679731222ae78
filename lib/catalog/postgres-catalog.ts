/**
 * A database's catalog, read again when it is older than `maxAgeMs` or when someone saw a definition
 * change. A read starts with a fingerprint; only a changed one costs a whole load. What cannot be
 * read again in time is an error, never an old answer: whoever asks has a decision to make on it.
 */

import type { ClientConfig } from 'pg';
import { GatewayError } from '../errors.ts';
import type { Catalog, CatalogSnapshot } from './catalog.ts';
import { type CatalogConnection, createCatalogConnection } from './catalog-connection.ts';
import { type LoadedCatalog, loadCatalog } from './load-snapshot.ts';
import { CATALOG_LIMITS, type CatalogLimits, readFingerprint } from './read-names.ts';

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

/** A snapshot in use is read again in the background when it has this share of its age. */
const REFRESH_SHARE = 0.5;

interface Current extends LoadedCatalog {
  readonly checkedAt: number;
  /** Which of the invalidations it has seen. */
  readonly generation: number;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<CatalogSnapshot>;
}

export function createPostgresCatalog(options: PostgresCatalogOptions): Catalog {
  return new PostgresCatalog(options);
}

class PostgresCatalog implements Catalog {
  readonly #connection: CatalogConnection;
  readonly #maxAgeMs: number;
  readonly #limits: CatalogLimits;
  readonly #log: CatalogLog;
  #current: Current | undefined;
  #generation = 0;
  #running: Reading | undefined;
  #queued: Promise<CatalogSnapshot> | undefined;
  #isClosed = false;

  constructor(options: PostgresCatalogOptions) {
    this.#maxAgeMs = options.maxAgeMs ?? CATALOG_AGE_MAX;
    this.#limits = options.limits ?? CATALOG_LIMITS;
    this.#log = options.log;
    this.#connection = createCatalogConnection({
      connect: options.connect,
      timeoutMs: options.timeoutMs ?? CATALOG_TIME_MAX,
      idleMs: options.idleMs ?? CATALOG_IDLE_TIME_MAX,
    });
  }

  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot> {
    if (this.#isClosed) return Promise.reject(closedError());
    const current = this.#current;
    if (current !== undefined && current.generation === this.#generation) {
      const age = performance.now() - current.checkedAt;
      if (age < this.#maxAgeMs) {
        if (age > this.#maxAgeMs * REFRESH_SHARE) this.#refreshAhead();
        return current.snapshot;
      }
    }
    if (this.#running === undefined) return this.#start();
    if (this.#running.generation === this.#generation) return this.#running.snapshot;
    return this.#queued ?? this.#startAfter(this.#running.snapshot);
  }

  invalidate(): void {
    this.#generation += 1;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // Whoever waits for that read hears of its failure; here it only has to be over.
    await this.#running?.snapshot.catch(() => undefined);
    await this.#connection.close();
  }

  /** A busy gateway never waits. */
  #refreshAhead(): void {
    // If it fails, whoever comes when the snapshot is too old is told.
    if (this.#running === undefined) this.#start().catch(() => undefined);
  }

  #start(): Promise<CatalogSnapshot> {
    const reading: Reading = { generation: this.#generation, snapshot: this.#check() };
    this.#running = reading;
    const end = (): void => {
      if (this.#running === reading) this.#running = undefined;
    };
    reading.snapshot.then(end, end);
    return reading.snapshot;
  }

  /** A read that began before an invalidation may have missed the change: one more must follow it. */
  #startAfter(before: Promise<CatalogSnapshot>): Promise<CatalogSnapshot> {
    const start = (): Promise<CatalogSnapshot> => {
      this.#queued = undefined;
      return this.#start();
    };
    this.#queued = before.then(start, start);
    return this.#queued;
  }

  async #check(): Promise<CatalogSnapshot> {
    if (this.#isClosed) throw closedError();
    const generation = this.#generation;
    // The age counts from before the read: a change during it may not be in it.
    const checkedAt = performance.now();
    const loaded = await this.#load().catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === 'CATALOG_TOO_LARGE') throw error;
      // One more try: the server may have closed the connection, or a definition changed under the read.
      this.#log.warn({ reason: String(error) }, 'catalog read failed, trying once more');
      return this.#load();
    });
    this.#current = { ...loaded, checkedAt, generation };
    return loaded.snapshot;
  }

  async #load(): Promise<LoadedCatalog> {
    const current = this.#current;
    if (current !== undefined && !current.isPartial) {
      if ((await readFingerprint(this.#connection)) === current.fingerprint) return current;
    }
    const startedAt = performance.now();
    const version = (current?.snapshot.version ?? 0) + 1;
    const loaded = await loadCatalog(this.#connection, version, this.#limits);
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
}

function closedError(): GatewayError {
  return new GatewayError('CATALOG_CLOSED', 'the catalog was closed while something asked for it');
}
