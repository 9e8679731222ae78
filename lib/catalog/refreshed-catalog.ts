/**
 * A catalog that is read again when it is older than `maxAgeMs` or when someone saw a definition
 * change. What cannot be read again in time is an error, never an old answer: whoever asks has a
 * decision to make on it. How it is read is the source's business (postgres-catalog.ts, mysql-catalog.ts).
 */

import { GatewayError } from '../errors.ts';
import type { Catalog, CatalogSnapshot } from './catalog.ts';

/** The two calls of a pino logger that are used here. */
export interface CatalogLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface Loaded {
  readonly snapshot: CatalogSnapshot;
}

export interface CatalogSource<Content extends Loaded> {
  /** `current` itself where nothing has changed. `isInvalid`: someone saw a definition change since. */
  load(current: Content | undefined, isInvalid: boolean): Promise<Content>;
  close(): Promise<void>;
}

export interface RefreshOptions {
  /** How old an answer may be. */
  readonly maxAgeMs?: number;
  /** The clock of ages, milliseconds. */
  readonly now?: () => number;
}

export const CATALOG_AGE_MAX = 5000;
/** A large or busy server's catalog may be slow, and what cannot be read in time is refused; milliseconds for one query. */
export const CATALOG_TIME_MAX = 30_000;
export const CATALOG_IDLE_TIME_MAX = 15_000;

/** A snapshot in use is read again in the background when it has this share of its age. */
const REFRESH_SHARE = 0.5;

interface Current<Content> {
  readonly loaded: Content;
  readonly checkedAt: number;
  /** Which of the invalidations it has seen. */
  readonly generation: number;
}

interface Reading {
  readonly generation: number;
  readonly snapshot: Promise<CatalogSnapshot>;
}

export class RefreshedCatalog<Content extends Loaded> implements Catalog {
  readonly #source: CatalogSource<Content>;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #log: CatalogLog;
  #current: Current<Content> | undefined;
  #generation = 0;
  #running: Reading | undefined;
  #queued: Promise<CatalogSnapshot> | undefined;
  #isClosed = false;

  constructor(source: CatalogSource<Content>, log: CatalogLog, options: RefreshOptions = {}) {
    this.#source = source;
    this.#maxAgeMs = options.maxAgeMs ?? CATALOG_AGE_MAX;
    this.#now = options.now ?? (() => performance.now());
    this.#log = log;
  }

  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot> {
    if (this.#isClosed) return Promise.reject(closedError());
    const current = this.#current;
    if (current !== undefined && current.generation === this.#generation) {
      const age = this.#now() - current.checkedAt;
      if (age < this.#maxAgeMs) {
        if (age > this.#maxAgeMs * REFRESH_SHARE) this.#refreshAhead();
        return current.loaded.snapshot;
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
    await this.#source.close();
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
    const checkedAt = this.#now();
    const loaded = await this.#load(generation).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === 'CATALOG_TOO_LARGE') throw error;
      // One more try: the server may have closed the connection, or a definition changed under the read.
      this.#log.warn({ reason: String(error) }, 'catalog read failed, trying once more');
      return this.#load(generation);
    });
    this.#current = { loaded, checkedAt, generation };
    return loaded.snapshot;
  }

  #load(generation: number): Promise<Content> {
    const current = this.#current;
    return this.#source.load(current?.loaded, current?.generation !== generation);
  }
}

function closedError(): GatewayError {
  return new GatewayError('CATALOG_CLOSED', 'the catalog was closed while something asked for it');
}
