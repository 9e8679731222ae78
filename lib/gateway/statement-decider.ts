/**
 * Decides statements and results for one principal on one database: text -> effects -> rules, and
 * columns -> masks. What is known is decided at once; what has to be looked up gives a promise.
 */

import type { Decision } from '../../protocols/contract.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import type { ResolveName } from '../policy/objects.ts';
import type { MaskConfig, RuleConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import { describeViolation } from '../policy/reason.ts';
import { evaluateRules } from '../policy/rules.ts';
import type { AnalysisResult, SqlReader, StatementAnalysis } from '../sql/analysis.ts';
import { allowed, isUnread, type StatementDetails } from './allowed.ts';
import { findAttached } from './attached-code.ts';
import { blocked, messageOf, syntaxError } from './blocks.ts';
import { DecisionCache, ShapeDecisions, cacheKey } from './decision-cache.ts';
import { createNameResolver } from './name-resolver.ts';
import type { Reach } from './reach.ts';
import { LookBudget } from './look-budget.ts';
import { type PlanResult, ResultDecider, type ResultOperation } from './result-decider.ts';
import type { PreparedTexts } from './retrace.ts';
import { ROUTINES_MAX, RoutineReader, unknownTypes } from './routine-reader.ts';
import { namesUnknown } from './unknown-names.ts';
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
  /** By default as for PostgreSQL, where columns have an identity. */
  readonly plan?: PlanResult;
}

/** Everything that is looked up for one decision, kept between attempts. */
interface Findings {
  readonly text: string;
  readonly details: StatementDetails;
  snapshot: CatalogSnapshot | undefined;
  /** The catalog was asked once more for types that it did not know. */
  isRefreshed: boolean;
  sensitive: Sensitive | undefined;
  analysis: AnalysisResult | undefined;
  readonly reaches: Map<number, Reach>;
  /** Somebody wants to see how the decision comes about: none that is known will do. */
  readonly isExplained: boolean;
}

export interface Explanation {
  readonly decision: Decision;
  readonly analysis: AnalysisResult | undefined;
  readonly reaches: readonly Reach[];
}

/** What ends a transaction passes always, or a failed one could never be left (PG-31). */
const ENDS_TRANSACTION = /^\s*(?:rollback|abort|commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;
/** Attempts of one decision; each waits for one thing more: the catalog, the text, one routine's body. */
const ATTEMPTS_MAX = ROUTINES_MAX + 8;

export class StatementDecider {
  readonly #looks = new LookBudget();
  readonly #parts: StatementDeciderParts;
  readonly #routines: RoutineReader;
  readonly #results: ResultDecider;
  readonly #cache = new DecisionCache();
  readonly #shapes = new ShapeDecisions();
  #names: { readonly snapshot: CatalogSnapshot; readonly resolve: ResolveName } | undefined;

  constructor(parts: StatementDeciderParts) {
    this.#parts = parts;
    this.#routines = new RoutineReader(parts.reader);
    this.#results = new ResultDecider({
      ...parts,
      looks: this.#looks,
      judgeAgain: (text, details) => this.decideStatement(text, details),
    });
  }

  decideStatement(text: string, details: StatementDetails = {}): Decided | Promise<Decided> {
    const findings = newFindings(text, details);
    const snapshot = this.#parts.catalog?.snapshot();
    if (snapshot instanceof Promise) {
      return this.#await(
        findings,
        snapshot.then((value) => void (findings.snapshot = value)),
      );
    }
    findings.snapshot = snapshot;
    return (
      this.#cache.get(cacheKey(text, details), snapshot?.version ?? 0) ?? this.#decide(findings)
    );
  }

  async explain(text: string, details: StatementDetails = {}): Promise<Explanation> {
    const findings = newFindings(text, details, true);
    const { decision } = await this.#decide(findings);
    return { decision, analysis: findings.analysis, reaches: [...findings.reaches.values()] };
  }

  /** `prepared`: by the session that asks. */
  async decideResult(operation: ResultOperation, prepared?: PreparedTexts): Promise<Decided> {
    return await this.#results.decide(operation, prepared);
  }

  /** The same at once, where everything is known; undefined: it is not. */
  decideResultNow(operation: ResultOperation, prepared?: PreparedTexts): Decided | undefined {
    return this.#results.decideNow(operation, prepared);
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
    const { analysis } = findings;
    if (analysis === undefined) throw new Error('an attempt without an analysis');
    // Not copied to the exact texts: each would be another text of the same shape.
    const known = this.#knownByShape(findings, analysis);
    if (known !== undefined) return known;
    const reading = this.#lookAgain(findings, analysis) ?? this.#lookUpRoutines(findings, analysis);
    if (reading !== undefined) return reading;
    const decided = this.#judge(findings, analysis);
    this.#keep(findings, analysis, decided);
    return decided;
  }

  /** Types of parameters may run code of their own, so a statement with some is known by its text only. */
  #knownByShape(findings: Findings, analysis: AnalysisResult): Decided | undefined {
    const { isExplained, details } = findings;
    if (analysis.kind !== 'analysis' || isExplained || hasParameterTypes(details)) return undefined;
    return this.#shapes.get(analysis, findings);
  }

  #keep(findings: Findings, analysis: AnalysisResult, decided: Decided): void {
    // A parser that timed out once may do better the next time.
    if (analysis.kind === 'refused') return;
    const { text, details, snapshot, sensitive, reaches, isRefreshed } = findings;
    // What nobody knows even after a fresh look may be there a moment later, and be something else.
    const isAllowed = decided.decision.kind === 'allow';
    if (isAllowed && isRefreshed && this.#namesUnknown(analysis, snapshot)) return;
    this.#cache.set(cacheKey(text, details), snapshot?.version ?? 0, decided);
    if (analysis.kind !== 'analysis' || hasParameterTypes(details)) return;
    // Nor does what was not read of a routine hold for more than this text, or what was not known at first.
    if (isRefreshed || isUnread(analysis, [...reaches.values()])) return;
    this.#shapes.set(analysis, { snapshot, sensitive }, decided);
  }

  #lookUp(findings: Findings): Promise<void> | undefined {
    const { masks, reader } = this.#parts;
    const reading = this.#lookAtCatalog(findings);
    if (reading !== undefined) return reading;
    if (masks.length > 0 && findings.sensitive === undefined) {
      if (findings.snapshot === undefined) throw new Error('masks need a catalog that can be read');
      const sensitive = this.#parts.findSensitive(findings.snapshot);
      if (sensitive instanceof Promise)
        return sensitive.then((value) => void (findings.sensitive = value));
      findings.sensitive = sensitive;
    }
    if (findings.analysis === undefined) {
      const { text, sensitive, details } = findings;
      const analysis = reader.analyze(text, sensitive?.relations, details.reading);
      if (analysis instanceof Promise)
        return analysis.then((value) => void (findings.analysis = value));
      findings.analysis = analysis;
    }
    return undefined;
  }

  /** Names that no catalog explains: one more look, as they may be of something made a moment ago (GW-7). */
  #lookAgain(findings: Findings, analysis: AnalysisResult): Promise<void> | undefined {
    const { catalog } = this.#parts;
    const { snapshot, isRefreshed } = findings;
    if (catalog === undefined || isRefreshed) return undefined;
    if (!this.#namesUnknown(analysis, snapshot)) return undefined;
    if (!this.#looks.take()) return undefined;
    findings.isRefreshed = true;
    findings.snapshot = undefined;
    findings.sensitive = undefined;
    findings.analysis = undefined;
    catalog.invalidate();
    // Never judged with what was just forgotten: there is another attempt, whatever the catalog says at once.
    return this.#lookAtCatalog(findings) ?? Promise.resolve();
  }

  #namesUnknown(analysis: AnalysisResult, snapshot: CatalogSnapshot | undefined): boolean {
    if (analysis.kind !== 'analysis' || snapshot === undefined) return false;
    return namesUnknown(analysis, snapshot, this.#parts.masks.length > 0);
  }

  #lookUpRoutines(findings: Findings, analysis: AnalysisResult): Promise<void> | undefined {
    if (analysis.kind !== 'analysis') return undefined;
    return this.#routines.lookUp(analysis, {
      snapshot: findings.snapshot,
      parameterTypes: findings.details.parameterTypes ?? [],
      sensitive: findings.sensitive?.relations,
      isMysql: findings.details.reading !== undefined,
      reaches: findings.reaches,
    });
  }

  #lookAtCatalog(findings: Findings): Promise<void> | undefined {
    const { catalog } = this.#parts;
    if (catalog === undefined) return undefined;
    const read = (): Promise<void> | undefined => {
      const snapshot = catalog.snapshot();
      if (snapshot instanceof Promise)
        return snapshot.then((value) => void (findings.snapshot = value));
      findings.snapshot = snapshot;
      return undefined;
    };
    if (findings.snapshot === undefined) {
      const reading = read();
      if (reading !== undefined) return reading;
    }
    const { parameterTypes = [] } = findings.details;
    if (findings.isRefreshed || unknownTypes(parameterTypes, findings.snapshot).length === 0)
      return undefined;
    // A type made a moment ago: one more look, then it counts as unknown (GW-7).
    findings.isRefreshed = true;
    catalog.invalidate();
    return read();
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
      this.#judgeExposure(findings, analysis, reaches) ??
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

  #judgeExposure(
    { snapshot, sensitive }: Findings,
    analysis: StatementAnalysis,
    reaches: readonly Reach[],
  ): Decided | undefined {
    if (this.#parts.masks.length === 0) return undefined;
    const untraceable =
      analysis.exposure?.untraceable ??
      reaches.find((reach) => reach.untraceable !== undefined)?.untraceable ??
      findAttached(analysis.effects, snapshot, sensitive);
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

function hasParameterTypes({ parameterTypes = [] }: StatementDetails): boolean {
  return parameterTypes.length > 0;
}

function newFindings(text: string, details: StatementDetails, isExplained = false): Findings {
  return {
    text,
    details,
    snapshot: undefined,
    isRefreshed: false,
    sensitive: undefined,
    analysis: undefined,
    reaches: new Map(),
    isExplained,
  };
}
