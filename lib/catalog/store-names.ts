/**
 * What the names in a request to a store mean now: aliases, UUIDs and numbers become the names of
 * collections. Each product asks its own server in its own way (`<product>-names.ts`); here is what
 * they have in common. Nothing here decides anything.
 */

import type { StoreLogin, StoreName } from '../../protocols/store.ts';
import { GatewayError } from '../errors.ts';

export interface StoreNames {
  /**
   * All that `name` may stand for, with whole paths (outermost first). Empty: nothing is known by that name, asked
   * just now.
   * An alias gives its collection only; whoever asks keeps the alias in mind. A `container` gives itself.
   * Rejects where the server does not answer: then the request is refused.
   */
  resolve(name: StoreName): readonly StoreName[] | Promise<readonly StoreName[]>;
  /**
   * The server keeps the condition of a conditional write (`StoreRequest.needsConditionalWrites`). Missing, or
   * false: nobody knows that it does. Rejects where it does not answer.
   */
  keepsConditions?(): boolean | Promise<boolean>;
  /** A request changed names: nothing that was read before it ended is used again. */
  invalidate(): void;
  close(): void;
}

export interface StoreNamesTls {
  /** The name in the certificate is checked, against `ca` where there is one. */
  readonly isVerified: boolean;
  readonly ca: Buffer | undefined;
}

/** How to reach the store on the side, with the gateway's own credential. */
export interface StoreNamesSettings {
  readonly host: string;
  readonly port: number;
  /** Undefined: a plain connection. */
  readonly tls: StoreNamesTls | undefined;
  /** Undefined: the store asks for none. */
  readonly login: StoreLogin | undefined;
  /** Where gRPC is at a port of its own (Qdrant); undefined: the same one. */
  readonly grpc:
    | { readonly host: string; readonly port: number; readonly tls: StoreNamesTls | undefined }
    | undefined;
  /** As of a pino logger. */
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

/** How old an answer may be, milliseconds. */
export const NAMES_AGE_MAX = 5000;
/** For one question on the side, milliseconds: what takes longer is refused. */
export const NAMES_TIME_MAX = 10_000;
/** Keys that are kept; they come from clients. The oldest go first. */
export const NAMES_COUNT_MAX = 10_000;
/** Questions at once; more are refused, as the store is not keeping up. */
export const NAMES_LOADING_MAX = 256;

export interface NameCacheOptions<T> {
  /** Asks the server; must give up by itself within NAMES_TIME_MAX. */
  readonly load: (key: string) => Promise<T>;
  /** False of "there is no such thing": there may be a moment later, and then it must not pass for nothing. */
  readonly isKept?: (value: T) => boolean;
  readonly ageMax?: number;
  readonly countMax?: number;
  readonly loadingMax?: number;
  /** The clock of ages, milliseconds. */
  readonly now?: () => number;
}

export interface NameCache<T> {
  /** At once where it is known and fresh. A failed load is not kept. */
  get(key: string): T | Promise<T>;
  invalidate(): void;
  close(): void;
}

interface Entry<T> {
  readonly value: T;
  readonly askedAt: number;
}

/**
 * Answers by key (one key, such as '', for products that read all names at once): bounded, never older
 * than `ageMax` counted from the question, one question at a time for each key.
 */
export function createNameCache<T>(options: NameCacheOptions<T>): NameCache<T> {
  const {
    load,
    ageMax = NAMES_AGE_MAX,
    countMax = NAMES_COUNT_MAX,
    loadingMax = NAMES_LOADING_MAX,
    now = () => performance.now(),
  } = options;
  let entries = new Map<string, Entry<T>>();
  let loading = new Map<string, Promise<T>>();
  let loadingCount = 0;
  let isClosed = false;
  /** What was asked before that may be from before a change that was not through yet. */
  let unsettledUntil = Number.NEGATIVE_INFINITY;

  async function ask(key: string): Promise<T> {
    const generation = entries;
    const askedAt = now();
    loadingCount += 1;
    try {
      const value = await load(key);
      // After an invalidation the maps are others: what was asked before it is not kept. Nor is what was asked
      // soon after: whoever asks for a change and hangs up does not say when the server comes to it.
      if (askedAt < unsettledUntil || options.isKept?.(value) === false) return value;
      keepBounded(generation, key, { value, askedAt }, countMax);
      return value;
    } finally {
      loadingCount -= 1;
    }
  }

  function get(key: string): T | Promise<T> {
    if (isClosed) return Promise.reject(failure('the gateway closes'));
    const known = entries.get(key);
    if (known !== undefined && now() - known.askedAt < ageMax) return known.value;
    const running = loading.get(key);
    if (running !== undefined) return running;
    if (loadingCount >= loadingMax) {
      return Promise.reject(failure(`more than ${loadingMax} names are being looked up`));
    }
    const group = loading;
    const answer = ask(key);
    group.set(key, answer);
    const end = (): void => void group.delete(key);
    answer.then(end, end);
    return answer;
  }

  function forget(): void {
    entries = new Map();
    loading = new Map();
  }

  return {
    get,
    invalidate: () => {
      unsettledUntil = now() + ageMax;
      forget();
    },
    close: () => {
      isClosed = true;
      forget();
    },
  };
}

function keepBounded<T>(entries: Map<string, T>, key: string, entry: T, countMax: number): void {
  entries.delete(key);
  entries.set(key, entry);
  if (entries.size <= countMax) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}

function failure(why: string): GatewayError {
  return new GatewayError('STORE_NAMES', `cannot tell what a name means: ${why}`);
}
