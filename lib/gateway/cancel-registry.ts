/**
 * Which session a cancel key belongs to (PG-12). Keys are kept hashed, so that a look-up tells nothing
 * by its timing and a memory dump shows none.
 */

import { createHash } from 'node:crypto';

export interface CancelTarget {
  readonly isBusy: boolean;
}

export class CancelRegistry {
  readonly #targets = new Map<string, CancelTarget>();

  add(key: Buffer, target: CancelTarget): () => void {
    const hash = hashOf(key);
    this.#targets.set(hash, target);
    return () => {
      if (this.#targets.get(hash) === target) this.#targets.delete(hash);
    };
  }

  /** Undefined: no session has that key. */
  find(key: Buffer): CancelTarget | undefined {
    return this.#targets.get(hashOf(key));
  }
}

function hashOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('base64');
}
