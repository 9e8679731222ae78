/**
 * Records that each principal was granted by each rule with `rows_per_hour`. Counted by what was granted, not
 * by what came back: a limit of a thousand costs a thousand. An hour slides in steps of a minute.
 */

import type { Quota } from '../policy/store-restrictions.ts';

const STEP = 60_000;
const STEPS = 60;
/** Principals times rules; with passthrough, names come from callers. Beyond it nothing is granted. */
const METERS_MAX = 50_000;

interface Meter {
  /** Granted in each step; the place is the step's number modulo STEPS. */
  readonly steps: number[];
  /** The latest step that was counted in. */
  latest: number;
}

export type Grant =
  /** `limit` undefined: nothing is limited. */
  | { readonly kind: 'granted'; readonly limit: number | undefined }
  | { readonly kind: 'spent'; readonly rule: string; readonly reason: string };

export class RowQuotas {
  readonly #meters = new Map<string, Meter>();
  readonly #now: () => number;

  /** `now` in milliseconds, never going back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Takes `asked` from every quota, or as much as all of them have left. `asked` undefined: no number limits
   * the request, so it gets and costs what is left.
   */
  take(principal: string, quotas: readonly Quota[], asked: number | undefined): Grant {
    let limit = asked;
    for (const quota of quotas) {
      const left = this.left(principal, quota);
      if (left <= 0) return spent(quota, 'are spent');
      limit = Math.min(limit ?? left, left);
    }
    if (quotas.length === 0 || limit === undefined) return { kind: 'granted', limit };
    for (const quota of quotas) {
      const meter = this.#meterOf(principal, quota);
      if (meter === undefined) return spent(quota, 'cannot be counted for so many callers');
      const place = meter.latest % STEPS;
      meter.steps[place] = (meter.steps[place] ?? 0) + limit;
    }
    return { kind: 'granted', limit };
  }

  left(principal: string, { rule, rowsPerHour }: Quota): number {
    const meter = this.#meters.get(keyOf(principal, rule));
    if (meter === undefined) return rowsPerHour;
    this.#forward(meter);
    return rowsPerHour - totalOf(meter);
  }

  #meterOf(principal: string, { rule }: Quota): Meter | undefined {
    const key = keyOf(principal, rule);
    const known = this.#meters.get(key);
    if (known !== undefined) {
      this.#forward(known);
      return known;
    }
    if (this.#meters.size >= METERS_MAX) this.#dropEmpty();
    if (this.#meters.size >= METERS_MAX) return undefined;
    const meter = { steps: Array.from({ length: STEPS }, () => 0), latest: this.#step() };
    this.#meters.set(key, meter);
    return meter;
  }

  #dropEmpty(): void {
    for (const [key, meter] of this.#meters) {
      this.#forward(meter);
      if (totalOf(meter) === 0) this.#meters.delete(key);
    }
  }

  /** What is an hour old counts no more. */
  #forward(meter: Meter): void {
    const step = this.#step();
    const passed = Math.min(step - meter.latest, STEPS);
    for (let count = 0; count < passed; count += 1) meter.steps[(step - count) % STEPS] = 0;
    meter.latest = step;
  }

  #step(): number {
    return Math.floor(this.#now() / STEP);
  }
}

function spent({ rule, rowsPerHour }: Quota, how: string): Grant {
  const reason = `the ${rowsPerHour} records an hour of rule "${rule}" ${how}`;
  return { kind: 'spent', rule, reason };
}

function totalOf({ steps }: Meter): number {
  return steps.reduce((sum, count) => sum + count, 0);
}

function keyOf(principal: string, rule: string): string {
  return JSON.stringify([principal, rule]);
}
