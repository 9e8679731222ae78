/**
 * Decisions for one principal on one database and one version of its catalog: by exact statement text
 * and what the protocol told with it, and by analysis for texts that differ in their literals only.
 */

import type { Operation, Reading } from '../../protocols/contract.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import type { StatementAnalysis } from '../sql/analysis.ts';
import type { Decided } from './driver-parts.ts';

type StatementOperation = Extract<Operation, { kind: 'statement' }>;

const ENTRIES_MAX = 20_000;
/** Long texts are rarely repeated; their analysis is cached by its own rules. */
const TEXT_LENGTH_MAX = 4096;

export class DecisionCache {
  readonly #entries = new Map<string, Decided>();
  /** Kept, because a new iterator walks over the places of all that went before (50 us when full). */
  #oldest = this.#entries.keys();
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
      // An iterator from before would keep all that was in it from being freed.
      this.#oldest = this.#entries.keys();
      this.#version = version;
    }
    // The oldest entry goes: statements of running programs come back within the others' life time.
    if (this.#entries.size >= ENTRIES_MAX && !this.#entries.has(text)) {
      const { value: oldest } = this.#oldest.next();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(text, decided);
  }
}

/** All that a decision depends on besides the analysis, for one principal and without parameter types. */
export interface Basis {
  readonly snapshot: CatalogSnapshot | undefined;
  readonly sensitive: Sensitive | undefined;
}

/**
 * Texts of one shape get the very same analysis from the reader, so its identity stands for all of them
 * and for how they are read. It is compared by identity alone: an equal one is judged anew.
 */
export class ShapeDecisions {
  #decisions = new WeakMap<StatementAnalysis, Decided>();
  #basis: Basis | undefined;

  get(analysis: StatementAnalysis, basis: Basis): Decided | undefined {
    return this.#isOn(basis) ? this.#decisions.get(analysis) : undefined;
  }

  set(analysis: StatementAnalysis, basis: Basis, decided: Decided): void {
    if (!analysis.isShapeStable) return;
    if (!this.#isOn(basis)) {
      this.#decisions = new WeakMap();
      this.#basis = basis;
    }
    this.#decisions.set(analysis, decided);
  }

  #isOn({ snapshot, sensitive }: Basis): boolean {
    return this.#basis?.snapshot === snapshot && this.#basis?.sensitive === sensitive;
  }
}

/** Read from its end a key has one meaning only: neither numbers nor JSON hold a NUL. */
export function cacheKey(
  text: string,
  { parameterTypes = [], reading }: Pick<StatementOperation, 'parameterTypes' | 'reading'>,
): string {
  const isPlain = parameterTypes.length === 0 && reading === undefined;
  if (isPlain && !text.includes('\u0000')) return text;
  const types = [...new Set(parameterTypes)].toSorted((one, other) => one - other);
  return `${text}\u0000${types.join()}\u0000${reading === undefined ? '' : readingKey(reading)}`;
}

function readingKey({ database, server, ansiQuotes, noBackslashEscapes }: Reading): string {
  const { flavor, version } = server;
  return JSON.stringify([database, flavor, version, ansiQuotes ?? null, noBackslashEscapes]);
}
