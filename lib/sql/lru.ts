/** A least-recently-used cache bounded by the number of its entries and by their size in bytes. */

export interface LruOptions {
  readonly countMax: number;
  readonly sizeMax: number;
}

/**
 * A doubly linked list beside the map: to take out and put back a Map's entries for their order leaves
 * holes in it, and to find the oldest one walks over all of them as soon as the cache is full.
 */
interface Entry<V> {
  readonly key: string;
  readonly value: V;
  readonly size: number;
  older: Entry<V> | undefined;
  newer: Entry<V> | undefined;
}

export class Lru<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #countMax: number;
  readonly #sizeMax: number;
  #oldest: Entry<V> | undefined;
  #newest: Entry<V> | undefined;
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
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** An entry larger than the whole cache is not kept. */
  set(key: string, value: V, size: number): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(known);
    if (size > this.#sizeMax) return;
    const entry: Entry<V> = { key, value, size, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#size += size;
    while (this.#entries.size > this.#countMax || this.#size > this.#sizeMax) {
      if (this.#oldest === undefined) return;
      this.#remove(this.#oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#size = 0;
  }

  #remove(entry: Entry<V>): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
    this.#size -= entry.size;
  }

  #append(entry: Entry<V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<V>): void {
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
