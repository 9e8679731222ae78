/** Decisions by exact statement text, for one principal on one database and one version of its catalog. */

import type { Decided } from './driver-parts.ts';

const ENTRIES_MAX = 20_000;
/** Long texts are rarely repeated; their analysis is cached by its own rules. */
const TEXT_LENGTH_MAX = 4096;

export class DecisionCache {
  readonly #entries = new Map<string, Decided>();
  #version = 0;

  get(text: string, version: number): Decided | undefined {
    if (version !== this.#version) return undefined;
    return this.#entries.get(text);
  }

  set(text: string, version: number, decided: Decided): void {
    if (text.length > TEXT_LENGTH_MAX) return;
    if (version !== this.#version) {
      if (version < this.#version) return;
      this.#entries.clear();
      this.#version = version;
    }
    // The oldest entry goes: statements of running programs come back within the others' life time.
    if (this.#entries.size >= ENTRIES_MAX) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(text, decided);
  }
}
