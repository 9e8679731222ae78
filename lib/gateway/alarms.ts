/** The alarms of one session: one for each name, so that setting it again replaces it. */

export class Alarms {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** `after` in milliseconds; undefined clears. */
  set(name: string, after: number | undefined, ring: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    if (after !== undefined) this.#timers.set(name, setTimeout(ring, after));
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
