/**
 * Decides statements and results for one principal on one database: text -> effects -> rules, and
 * columns -> masks. What is known is decided at once; what has to be looked up gives a promise.
 */

import type { Decision, Operation, Trace } from '../../protocols/contract.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import type { ResolveName } from '../policy/objects.ts';
import type { MaskConfig, RuleConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import { planResult } from '../masking/plan.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import { describeViolation } from '../policy/reason.ts';
import { evaluateRules } from '../policy/rules.ts';
import type { RecordedNote } from '../recording/recording.ts';
import type { AnalysisResult, OutputKind, SqlReader, StatementAnalysis } from '../sql/analysis.ts';
import { DecisionCache } from './decision-cache.ts';
import { findHiddenCode } from './hidden-code.ts';
import { createNameResolver } from './name-resolver.ts';
import { ROUTINES_MAX, type Reach, RoutineReader } from './routine-reader.ts';
import type { Decided } from './driver-parts.ts';

export interface StatementDeciderParts {
  readonly connection: string;
  readonly principal: Principal;
  /** Those in force for this principal on this connection. */
  readonly rules: readonly RuleConfig[];
  readonly masks: readonly MaskConfig[];
  readonly reader: SqlReader;
  /** Undefined: nobody may read it (passthrough without `catalog`). */
  readonly catalog: Catalog | undefined;
  /** What is sensitive under `masks`. */
  readonly findSensitive: (snapshot: CatalogSnapshot) => Sensitive | Promise<Sensitive>;
  readonly hashKey: Buffer | undefined;
}

/** What a statement's decision hands to those of its results. */
export interface StatementTrace {
  /** Undefined: more than one statement, so it is not known which one a result is of. */
  readonly outputs: readonly OutputKind[] | undefined;
}

/** Everything that is looked up for one decision, kept between attempts. */
interface Findings {
  readonly text: string;
  snapshot: CatalogSnapshot | undefined;
  sensitive: Sensitive | undefined;
  analysis: AnalysisResult | undefined;
  readonly reaches: Map<number, Reach>;
}

export interface Explanation {
  readonly decision: Decision;
  readonly analysis: AnalysisResult | undefined;
  readonly reaches: readonly Reach[];
}

/** Statements that run others, prepared before and judged then: their results are not known here. */
const RUNS_OTHERS = new Set(['ExecuteStmt', 'FetchStmt']);
/** What ends a transaction passes always, or a failed one could never be left (PG-31). */
const ENDS_TRANSACTION = /^\s*(?:rollback|abort|commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;
/** Attempts of one decision; each waits for one thing more: the catalog, the text, one routine's body. */
const ATTEMPTS_MAX = ROUTINES_MAX + 8;

export class StatementDecider {
  readonly #parts: StatementDeciderParts;
  readonly #routines: RoutineReader;
  readonly #cache = new DecisionCache();
  #names: { readonly snapshot: CatalogSnapshot; readonly resolve: ResolveName } | undefined;

  constructor(parts: StatementDeciderParts) {
    this.#parts = parts;
    this.#routines = new RoutineReader(parts.reader);
  }

  decideStatement(text: string): Decided | Promise<Decided> {
    const findings = newFindings(text);
    const snapshot = this.#parts.catalog?.snapshot();
    if (snapshot instanceof Promise) {
      return this.#await(
        findings,
        snapshot.then((value) => void (findings.snapshot = value)),
      );
    }
    findings.snapshot = snapshot;
    return this.#cache.get(text, snapshot?.version ?? 0) ?? this.#decide(findings);
  }

  async explain(text: string): Promise<Explanation> {
    const findings = newFindings(text);
    const { decision } = await this.#decide(findings);
    return { decision, analysis: findings.analysis, reaches: [...findings.reaches.values()] };
  }

  async decideResult(operation: Extract<Operation, { kind: 'result' }>): Promise<Decided> {
    const { catalog } = this.#parts;
    if (catalog === undefined)
      return untold('the catalog is not readable, so columns cannot be traced');
    try {
      let snapshot = await catalog.snapshot();
      const isUnknown = operation.columns.some(
        ({ table }) => table !== 0 && snapshot.relation(table) === undefined,
      );
      if (isUnknown) {
        // A table made a moment ago: one more look, then it counts as untraced (GW-7).
        catalog.invalidate();
        snapshot = await catalog.snapshot();
      }
      return this.#plan(operation, await this.#parts.findSensitive(snapshot));
    } catch (error) {
      return untold(`the catalog cannot be read: ${messageOf(error)}`);
    }
  }

  /** The same at once, where everything is known; undefined: it is not. */
  decideResultNow(operation: Extract<Operation, { kind: 'result' }>): Decided | undefined {
    const snapshot = this.#parts.catalog?.snapshot();
    if (snapshot instanceof Promise) {
      // Whoever waits for it hears of a failure; here nobody does, and that must not end the process.
      snapshot.catch(() => undefined);
      return undefined;
    }
    if (snapshot === undefined) return undefined;
    if (
      operation.columns.some(({ table }) => table !== 0 && snapshot.relation(table) === undefined)
    ) {
      return undefined;
    }
    const sensitive = this.#parts.findSensitive(snapshot);
    return sensitive instanceof Promise ? undefined : this.#plan(operation, sensitive);
  }

  #plan(operation: Extract<Operation, { kind: 'result' }>, sensitive: Sensitive): Decided {
    const { hashKey } = this.#parts;
    const outputs = outputsOf(operation.traces);
    const { plan, masked } = planResult(sensitive, operation.columns, outputs, { hashKey });
    if (plan === undefined) return { decision: { kind: 'allow' }, note: undefined };
    const note: RecordedNote = { kind: 'decision', operation: 'result', outcome: 'mask', masked };
    return { decision: { kind: 'allow', plan }, note };
  }

  /** At once where everything is known; what cannot be judged is blocked, never thrown. */
  #decide(findings: Findings): Decided | Promise<Decided> {
    try {
      const first = this.#attempt(findings);
      return first instanceof Promise ? this.#await(findings, first) : first;
    } catch (error) {
      return blocked(undefined, `Weir cannot judge this statement: ${messageOf(error)}`);
    }
  }

  async #await(findings: Findings, first: Promise<void>): Promise<Decided> {
    try {
      await first;
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const next = this.#attempt(findings);
        if (!(next instanceof Promise)) return next;
        await next;
      }
      return blocked(undefined, 'Weir cannot judge this statement: it calls too many routines');
    } catch (error) {
      return blocked(undefined, `Weir cannot judge this statement: ${messageOf(error)}`);
    }
  }

  /** A decision, or a promise of the next thing that it needs. */
  #attempt(findings: Findings): Decided | Promise<void> {
    const waiting = this.#lookUp(findings);
    if (waiting !== undefined) return waiting;
    const { analysis, snapshot } = findings;
    if (analysis === undefined) throw new Error('an attempt without an analysis');
    const decided = this.#judge(findings, analysis);
    // A parser that timed out once may do better the next time.
    if (analysis.kind !== 'refused') {
      this.#cache.set(findings.text, snapshot?.version ?? 0, decided);
    }
    return decided;
  }

  #lookUp(findings: Findings): Promise<void> | undefined {
    const { catalog, masks, reader } = this.#parts;
    if (catalog !== undefined && findings.snapshot === undefined) {
      const snapshot = catalog.snapshot();
      if (snapshot instanceof Promise)
        return snapshot.then((value) => void (findings.snapshot = value));
      findings.snapshot = snapshot;
    }
    if (masks.length > 0 && findings.sensitive === undefined) {
      if (findings.snapshot === undefined) throw new Error('masks need a catalog that can be read');
      const sensitive = this.#parts.findSensitive(findings.snapshot);
      if (sensitive instanceof Promise)
        return sensitive.then((value) => void (findings.sensitive = value));
      findings.sensitive = sensitive;
    }
    if (findings.analysis === undefined) {
      const analysis = reader.analyze(findings.text, findings.sensitive?.relations);
      if (analysis instanceof Promise)
        return analysis.then((value) => void (findings.analysis = value));
      findings.analysis = analysis;
    }
    if (findings.analysis.kind !== 'analysis') return undefined;
    return this.#routines.lookUp(findings.analysis, {
      snapshot: findings.snapshot,
      sensitive: findings.sensitive?.relations,
      reaches: findings.reaches,
    });
  }

  #judge(findings: Findings, analysis: AnalysisResult): Decided {
    if (analysis.kind === 'refused') {
      return blocked(undefined, `Weir cannot judge this statement: ${analysis.reason}`);
    }
    if (analysis.kind === 'syntax-error') return syntaxError(analysis);
    const reaches = [...findings.reaches.values()];
    if (ENDS_TRANSACTION.test(findings.text)) return allowed(findings, analysis, reaches);
    const hazards = [...analysis.lexerHazards, ...reaches.flatMap((reach) => reach.lexerHazards)];
    if (hazards[0] !== undefined) {
      return blocked(
        'lexer-state',
        `${hazards[0]} is not allowed, because Weir and the database must read statements alike`,
      );
    }
    return (
      this.#judgeByRules(findings, analysis, reaches) ??
      this.#judgeExposure(analysis, reaches) ??
      allowed(findings, analysis, reaches)
    );
  }

  #judgeByRules(
    findings: Findings,
    analysis: StatementAnalysis,
    reaches: readonly Reach[],
  ): Decided | undefined {
    const violation = evaluateRules({
      rules: this.#parts.rules,
      connection: this.#parts.connection,
      principal: this.#parts.principal,
      effects: [...analysis.effects, ...reaches.flatMap((reach) => reach.effects)],
      resolve: this.#resolver(findings.snapshot),
      isMasked: this.#parts.masks.length > 0,
    });
    return violation === undefined
      ? undefined
      : blocked(violation.rule, describeViolation(violation));
  }

  /** Indexing the catalog takes a while, so it is done once for each snapshot. */
  #resolver(snapshot: CatalogSnapshot | undefined): ResolveName {
    if (snapshot === undefined) return () => [];
    if (this.#names?.snapshot !== snapshot) {
      this.#names = { snapshot, resolve: createNameResolver(snapshot) };
    }
    return this.#names.resolve;
  }

  #judgeExposure(analysis: StatementAnalysis, reaches: readonly Reach[]): Decided | undefined {
    if (this.#parts.masks.length === 0) return undefined;
    const untraceable =
      analysis.exposure?.untraceable ??
      reaches.find((reach) => reach.untraceable !== undefined)?.untraceable;
    if (untraceable !== undefined) {
      return blocked(
        'masked-data',
        `masked data cannot be traced through this statement: ${untraceable}`,
      );
    }
    const isStrict = this.#parts.masks.some((mask) => mask.mode === 'strict');
    if (isStrict && analysis.exposure?.steers !== undefined) {
      return blocked(
        'masked-data',
        `masked data may not steer a statement: ${analysis.exposure.steers}`,
      );
    }
    return undefined;
  }
}

function newFindings(text: string): Findings {
  return {
    text,
    snapshot: undefined,
    sensitive: undefined,
    analysis: undefined,
    reaches: new Map(),
  };
}

const isUnknown = ({ effect }: { readonly effect: string }): boolean => effect === 'unknown';

/** Code that a rule allows although nobody can read it. */
function isUnread(analysis: StatementAnalysis, reaches: readonly Reach[]): boolean {
  return analysis.effects.some(isUnknown) || reaches.some((reach) => reach.effects.some(isUnknown));
}

/** New rows have none that point to them. */
const CASCADING: ReadonlySet<string> = new Set(['update', 'delete', 'truncate']);

/** A foreign key takes a change on to a masked table, whose keys and checks quote a whole row (PG-81). */
function writesMasked(
  { snapshot, sensitive }: Findings,
  analysis: StatementAnalysis,
  reaches: readonly Reach[],
): boolean {
  if (snapshot === undefined || sensitive === undefined) return false;
  const all = [...analysis.effects, ...reaches.flatMap((reach) => reach.effects)];
  const effects = all.filter(({ effect }) => CASCADING.has(effect));
  const { written } = findHiddenCode(effects, [], snapshot);
  return [...written].some((oid) => sensitive.byOid.has(oid));
}

function allowed(
  findings: Findings,
  analysis: StatementAnalysis,
  reaches: readonly Reach[],
): Decided {
  const isSensitive =
    analysis.exposure?.touches === true ||
    isUnread(analysis, reaches) ||
    writesMasked(findings, analysis, reaches) ||
    reaches.some((reach) => reach.isSensitive) ||
    analysis.statements.some((kind) => RUNS_OTHERS.has(kind));
  const outputs = analysis.statements.length === 1 ? analysis.exposure?.outputs[0] : undefined;
  const trace: StatementTrace = { outputs };
  return { decision: { kind: 'allow', isSensitive, trace }, note: undefined };
}

/** Traces are opaque to sessions and come back as they were given: by `allowed` above. */
function isStatementTrace(trace: Trace): trace is StatementTrace {
  return 'outputs' in trace;
}

function outputsOf(traces: readonly Trace[]): readonly OutputKind[] | undefined {
  const [trace] = traces;
  return traces.length === 1 && trace !== undefined && isStatementTrace(trace)
    ? trace.outputs
    : undefined;
}

export function blocked(rule: string | undefined, reason: string): Decided {
  return {
    decision: { kind: 'block', rule, code: '42501', reason },
    note: {
      kind: 'decision',
      operation: 'statement',
      outcome: 'block',
      reason,
      ...(rule === undefined ? {} : { rule }),
    },
  };
}

/** The error that the server would have given; the statement itself is never sent (GW-5). */
function syntaxError(error: Extract<AnalysisResult, { kind: 'syntax-error' }>): Decided {
  const decision: Decision = {
    kind: 'block',
    rule: undefined,
    code: '42601',
    reason: error.message,
    hint: 'Weir could not parse this statement, so it was not sent to the database.',
    ...(error.position === undefined ? {} : { position: error.position }),
  };
  const note: RecordedNote = {
    kind: 'decision',
    operation: 'statement',
    outcome: 'block',
    reason: 'it cannot be parsed',
  };
  return { decision, note };
}

function untold(reason: string): Decided {
  return {
    decision: {
      kind: 'block',
      rule: 'masked-data',
      code: '42501',
      reason: `this result is not shown: ${reason}`,
    },
    note: { kind: 'decision', operation: 'result', outcome: 'block', reason },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
