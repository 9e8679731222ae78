/**
 * What an allowed statement takes along: whether its errors may show masked data, and what the decisions
 * on its results have to know of it.
 */

import type { Operation, Trace } from '../../protocols/contract.ts';
import type { CatalogSnapshot } from '../catalog/catalog.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import type { Exposure, OutputKind, StatementAnalysis } from '../sql/analysis.ts';
import type { Decided } from './driver-parts.ts';
import { findHiddenCode } from './hidden-code.ts';
import type { Reach } from './reach.ts';

/** What a protocol tells of a statement besides its text, and what the decision depends on. */
export type StatementDetails = Pick<
  Extract<Operation, { kind: 'statement' }>,
  'parameterTypes' | 'reading'
>;

/** What was judged, and when. */
interface Origin {
  /** Undefined: too long to be kept, so it cannot be judged again. */
  readonly text: string | undefined;
  readonly details: StatementDetails;
  /** Of the catalog. */
  readonly version: number;
  /** Of what was sensitive; undefined: there are no masks. */
  readonly sensitive: string | undefined;
}

/** Every prepared statement of every session may hold one, and few are longer. Characters. */
const KEPT_TEXT_MAX = 8 * 1024;

/** What a statement's decision hands to those of its results. */
export interface StatementTrace {
  /** Undefined: more than one statement, so it is not known which one a result is of. */
  readonly outputs: readonly OutputKind[] | undefined;
  /** `clean`: nothing masked can be in its rows. `unknown`: it runs what nobody could read. */
  readonly rows: 'clean' | 'traced' | 'unknown';
  readonly exposure: Exposure | undefined;
  /** Undefined: without a catalog nothing can become old. */
  readonly origin: Origin | undefined;
  /** It was judged once and cannot be judged now (retrace.ts): every value counts as masked. */
  readonly isLost?: true;
}

export interface Known {
  readonly text: string;
  readonly details: StatementDetails;
  readonly snapshot: CatalogSnapshot | undefined;
  readonly sensitive: Sensitive | undefined;
}

/** Statements that run others, prepared before and judged then: their results are not known here. */
const RUNS_OTHERS = new Set(['ExecuteStmt', 'FetchStmt']);

const isUnknown = ({ effect }: { readonly effect: string }): boolean => effect === 'unknown';

/** Code that a rule allows although nobody can read it. */
export function isUnread(analysis: StatementAnalysis, reaches: readonly Reach[]): boolean {
  return analysis.effects.some(isUnknown) || reaches.some((reach) => reach.effects.some(isUnknown));
}

/** New rows have none that point to them. */
const CASCADING: ReadonlySet<string> = new Set(['update', 'delete', 'truncate']);

/** A foreign key takes a change on to a masked table, whose keys and checks quote a whole row (PG-81). */
function writesMasked(
  { snapshot, sensitive }: Pick<Known, 'snapshot' | 'sensitive'>,
  analysis: StatementAnalysis,
  reaches: readonly Reach[],
): boolean {
  if (snapshot === undefined || sensitive === undefined) return false;
  const all = [...analysis.effects, ...reaches.flatMap((reach) => reach.effects)];
  const effects = all.filter(({ effect }) => CASCADING.has(effect));
  const { written } = findHiddenCode(effects, [], snapshot);
  return [...written].some((oid) => sensitive.byOid.has(oid));
}

export function allowed(
  known: Known,
  analysis: StatementAnalysis,
  reaches: readonly Reach[],
): Decided {
  const { exposure } = analysis;
  const isUnknownCode = isUnread(analysis, reaches);
  const isSensitive =
    exposure?.touches === true ||
    isUnknownCode ||
    writesMasked(known, analysis, reaches) ||
    reaches.some((reach) => reach.isSensitive) ||
    analysis.statements.some((kind) => RUNS_OTHERS.has(kind));
  const outputs = analysis.statements.length === 1 ? exposure?.outputs[0] : undefined;
  const isUntold = isUnknownCode || exposure === undefined;
  const rows = isUntold ? 'unknown' : exposure.touches ? 'traced' : 'clean';
  const trace: StatementTrace = { outputs, rows, exposure, origin: originOf(known) };
  return { decision: { kind: 'allow', isSensitive, trace }, note: undefined };
}

function originOf({ text, details, snapshot, sensitive }: Known): Origin | undefined {
  if (snapshot === undefined) return undefined;
  const { parameterTypes, reading } = details;
  return {
    text: text.length > KEPT_TEXT_MAX ? undefined : text,
    details: {
      ...(parameterTypes === undefined ? {} : { parameterTypes }),
      ...(reading === undefined ? {} : { reading }),
    },
    version: snapshot.version,
    sensitive: sensitive?.relations.version,
  };
}

/** Traces are opaque to sessions and come back as they were given: by `allowed` above. */
export function isStatementTrace(trace: Trace): trace is StatementTrace {
  return 'outputs' in trace;
}
