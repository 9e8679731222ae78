/** A least-recently-used cache bounded by the number of its entries and by their size in bytes. */

export interface LruOptions {
  readonly countMax: number;
  readonly sizeMax: number;
}

interface Entry<V> {
  readonly value: V;
  readonly size: number;
}

export class Lru<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #countMax: number;
  readonly #sizeMax: number;
  #size = 0;

  constructor(options: LruOptions) {
    this.#countMax = options.countMax;
    this.#sizeMax = options.sizeMax;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Bytes, as the callers of `set` counted them. */
  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // Moved to the end: a Map keeps the order of insertion.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** An entry larger than the whole cache is not kept. */
  set(key: string, value: V, size: number): void {
    this.#remove(key);
    if (size > this.#sizeMax) return;
    this.#entries.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#countMax && this.#size <= this.#sizeMax) return;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#size -= entry.size;
  }
}
