/** What judging one statement has found so far; the first reason of each kind is kept. */

import { LineageTooLargeError } from './lineage-scope.ts';

/** Visits of nodes and columns for one text: far above any real one, and done well within a second. */
const WORK_MAX = 2_000_000;
const NAME_LENGTH_SHOWN = 64;

export class Findings {
  #untraceable: string | undefined;
  #steers: string | undefined;
  #tells: string | undefined;
  #touches = false;
  #work = 0;
  #steerCount = 0;

  get untraceable(): string | undefined {
    return this.#untraceable;
  }

  get steers(): string | undefined {
    return this.#steers ?? this.#tells;
  }

  get touches(): boolean {
    return this.#touches;
  }

  /** How often a masked column steered, to tell whether some part did. */
  get steerCount(): number {
    return this.#steerCount;
  }

  touch(): void {
    this.#touches = true;
  }

  refuse(reason: string): void {
    this.#touches = true;
    this.#untraceable ??= reason;
  }

  /** A masked value goes somewhere from where it can be read unmasked later (MY-67). */
  keep(construct: string, column: string): void {
    this.refuse(`${construct} would take on values of ${column.slice(0, NAME_LENGTH_SHOWN)}`);
  }

  steer(construct: string, column: string | undefined): void {
    this.#touches = true;
    this.#steerCount += 1;
    this.#steers ??= steering(construct, column);
  }

  /** Of an expression within one that steers, only the latter is named; a view may well have it. */
  tell(construct: string, column: string): void {
    this.#touches = true;
    this.#tells ??= steering(construct, column);
  }

  /** Views and common tables can multiply; a text that multiplies too much is refused. */
  spend(amount = 1): void {
    this.#work += amount;
    if (this.#work > WORK_MAX) throw new LineageTooLargeError('too many names');
  }
}

function steering(construct: string, column: string | undefined): string {
  return column === undefined
    ? construct
    : `${construct} uses ${column.slice(0, NAME_LENGTH_SHOWN)}`;
}
