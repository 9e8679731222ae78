/**
 * How a differential suite reports: named checks that pass, fail or are skipped with a reason, and
 * things to stop at the end. It is not tap: these suites run for minutes and are counted on their own.
 */

import type { Teardown } from '../support/servers.ts';

export interface Suite {
  readonly name: string;
  readonly about: string;
  run(context: SuiteContext): Promise<void>;
}

export interface SuiteCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Lines of one failure shown; the whole of a large difference helps nobody. */
const FAILURE_LINES_MAX = 24;
const FAILURE_LINE_SIZE_MAX = 400;

export class SuiteContext implements Teardown {
  readonly counts: SuiteCounts = { passed: 0, failed: 0, skipped: 0 };
  readonly failures: string[] = [];
  private readonly stops: (() => Promise<void>)[] = [];
  private readonly suite: string;
  private readonly startedAt = Date.now();

  constructor(suite: string) {
    this.suite = suite;
  }

  /** Runs one check; a throw is a failure and the suite goes on. */
  async check(name: string, body: () => Promise<void> | void): Promise<boolean> {
    try {
      await body();
      this.counts.passed += 1;
      return true;
    } catch (error) {
      this.fail(name, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  fail(name: string, reason: string): void {
    this.counts.failed += 1;
    this.failures.push(`${this.suite}: ${name}`);
    const lines = reason.split('\n').slice(0, FAILURE_LINES_MAX);
    console.log(`  not ok  ${name}`);
    for (const line of lines) console.log(`          ${line.slice(0, FAILURE_LINE_SIZE_MAX)}`);
  }

  skip(name: string, reason: string): void {
    this.counts.skipped += 1;
    console.log(`  skipped ${name}: ${reason}`);
  }

  progress(text: string): void {
    const seconds = ((Date.now() - this.startedAt) / 1000).toFixed(1);
    console.log(`  ${seconds.padStart(6)} s  ${text}`);
  }

  teardown(stop: () => Promise<void>): void {
    this.stops.push(stop);
  }

  /** The last started is stopped first. */
  async stopAll(): Promise<void> {
    for (const stop of this.stops.splice(0).toReversed()) {
      await stop().catch((error: unknown) => this.fail('tidy up', String(error)));
    }
  }
}

/** Throws with the first differing line and its neighbours; equal texts pass. */
export function assertSameText(actual: string, expected: string, what: string): void {
  if (actual === expected) return;
  const theirs = actual.split('\n');
  const ours = expected.split('\n');
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  const line = at === -1 ? ours.length : at;
  const show = (lines: string[], mark: string): string[] =>
    lines.slice(Math.max(0, line - 2), line + 6).map((text) => `${mark} ${text}`);
  throw new Error(
    [
      `${what} differs from line ${line + 1} on`,
      ...show(ours, 'direct '),
      ...show(theirs, 'through'),
    ].join('\n'),
  );
}
